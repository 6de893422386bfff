"""What a category tests, told from the words of a name that its user chose."""

from __future__ import annotations

import re

from modelreach.evidence.attempts import Retest

#: Words that have to be there, all of a row -> what is tested. The first row that fits counts.
_WORDS: tuple[tuple[tuple[str, ...], Retest], ...] = (
    (("over", "refusal"), Retest.OVER_REFUSAL),
    (("overrefusal",), Retest.OVER_REFUSAL),
    (("benign",), Retest.OVER_REFUSAL),
    (("indirect",), Retest.INDIRECT_INJECTION),
    (("jailbreak",), Retest.JAILBREAK),
    (("prompt", "leak"), Retest.PROMPT_LEAK),
    (("prompt", "leakage"), Retest.PROMPT_LEAK),
    (("prompt", "extraction"), Retest.PROMPT_LEAK),
    (("prompt", "injection"), Retest.PROMPT_INJECTION),
    (("injection",), Retest.PROMPT_INJECTION),
    (("exfil",), Retest.DATA_EXFILTRATION),
    (("exfiltration",), Retest.DATA_EXFILTRATION),
    (("pii",), Retest.DATA_EXFILTRATION),
    (("tool",), Retest.TOOL_ABUSE),
    (("excessive", "agency"), Retest.TOOL_ABUSE),
    (("agency",), Retest.TOOL_ABUSE),
    (("refusal",), Retest.REFUSAL),
    (("harmful",), Retest.REFUSAL),
)


def by_words(category: str) -> Retest:
    """Give what a category tests; `OTHER` when its name does not tell."""
    words = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", category).lower()))
    return next((retest for needed, retest in _WORDS if words >= set(needed)), Retest.OTHER)
