"""Random cases for the Azure engine, and how an answer to one is judged."""

from __future__ import annotations

from modelreach_reference.azure_cases.agreement import Agreement, agreement
from modelreach_reference.azure_cases.generate import case
from modelreach_reference.azure_cases.shrink import shrink

__all__ = ["Agreement", "agreement", "case", "shrink"]
