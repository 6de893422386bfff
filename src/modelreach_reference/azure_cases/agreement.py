"""Whether a verdict agrees with the answers of the reference evaluator."""

from __future__ import annotations

from enum import StrEnum

from modelreach_reference.azure import Answers


class Agreement(StrEnum):
    """How a verdict stands to the answers of the reference."""

    FULL = "agrees"
    WEAKER = "agrees, says less"
    NONE = "contradicts"


def agreement(verdict: str, answers: Answers) -> Agreement:
    """Say whether a verdict describes the answers.

    The engine takes what is open to be independent, so that it may say `conditional`, or with
    gaps `unknown`, of what is settled after all. It may never call settled what is not.
    """
    if verdict == answers.verdict:
        return Agreement.FULL
    weaker = (verdict == "conditional" and answers.open) or (verdict == "unknown" and answers.gaps)
    return Agreement.WEAKER if weaker else Agreement.NONE
