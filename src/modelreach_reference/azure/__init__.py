"""A slow and obvious evaluator of Azure role assignments, to compare the engine with.

It shares nothing with the engine. A case is plain data (see `case`); what is open in it is tried
out, every combination of values that the case can tell apart, and each combination has one answer.
"""

from __future__ import annotations

from modelreach_reference.azure.answers import Answers, answers, count_completions

__all__ = ["Answers", "answers", "count_completions"]
