"""What AWS answers to a request, written down as plainly as its documentation says it.

A policy case (a record) is one request with its whole context and every policy around it.
`evaluate` answers it. `evaluate_open` answers one of which only a part of the context is known,
by trying every value of the rest that could make a difference.

Slow on purpose: lists and loops, nothing remembered, nothing clever. Each function names the page
of the AWS documentation that it follows.
"""

from modelreach_reference.aws.completions import (
    TooManyCompletions,
    count_completions,
    evaluate_open,
)
from modelreach_reference.aws.evaluation import Answer, evaluate
from modelreach_reference.aws.request import MalformedRecord

__all__ = [
    "Answer",
    "MalformedRecord",
    "TooManyCompletions",
    "count_completions",
    "evaluate",
    "evaluate_open",
]
