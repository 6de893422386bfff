"""Reports of evaluation tools as evidence: whose they are, and how two releases compare.

`attempts` is the one form into which every report is brought, `binding` says whether a report is
about this release, `comparison` compares two releases. Reading the tools' files is the business of
the plug-ins of the group `modelreach.evidence`.
"""

from modelreach.evidence.attempts import Attempt, Evidence, Outcome, Retest
from modelreach.evidence.binding import Bound, Claim, Refusal, Refused, bind, bind_report, claim_of
from modelreach.evidence.comparison import (
    CategoryResult,
    Comparison,
    Rate,
    Unit,
    compare_evidence,
    standing,
    totals,
)

__all__ = [
    "Attempt",
    "Bound",
    "CategoryResult",
    "Claim",
    "Comparison",
    "Evidence",
    "Outcome",
    "Rate",
    "Refusal",
    "Refused",
    "Retest",
    "Unit",
    "bind",
    "bind_report",
    "claim_of",
    "compare_evidence",
    "standing",
    "totals",
]
