"""Cases of several clouds at once that nobody wrote, and how to make one smaller."""

from modelreach_reference.clouds_cases.generate import random_case
from modelreach_reference.clouds_cases.shrink import shrink

__all__ = ["random_case", "shrink"]
