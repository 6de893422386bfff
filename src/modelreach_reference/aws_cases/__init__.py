"""Random policy cases: the same seed gives the same cases, for ever within one version.

The names are few, so that statements meet requests and each other often; what is rare in life
(a deny by NotPrincipal, a default of a variable) is as frequent here as what is common.
"""

from modelreach_reference.aws_cases.agreement import Agreement, agreement, reference_answers
from modelreach_reference.aws_cases.features import features
from modelreach_reference.aws_cases.generate import closed_case, malformed_case, open_case
from modelreach_reference.aws_cases.shrink import shrink

__all__ = [
    "Agreement",
    "agreement",
    "closed_case",
    "features",
    "malformed_case",
    "open_case",
    "reference_answers",
    "shrink",
]
