"""Cases of Kubernetes that nobody wrote, and how to make one smaller."""

from modelreach_reference.kubernetes_cases.generate import random_case
from modelreach_reference.kubernetes_cases.shrink import shrink

__all__ = ["random_case", "shrink"]
