"""Cases of Google Cloud that nobody wrote, and what counts as agreeing on them."""

from modelreach_reference.gcp_cases.agreement import Agreement, agreement
from modelreach_reference.gcp_cases.generate import random_case
from modelreach_reference.gcp_cases.shrink import shrink

__all__ = ["Agreement", "agreement", "random_case", "shrink"]
