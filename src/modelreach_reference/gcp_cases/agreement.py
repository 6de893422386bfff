"""Whether somebody else's answer to a case agrees with the reference evaluator's."""

from __future__ import annotations

from enum import StrEnum


class Agreement(StrEnum):
    """How a verdict stands to the answers of the reference."""

    FULL = "agrees"
    WEAKER = "agrees, says less"
    NONE = "contradicts"


def agreement(verdict: str, answers: set[str]) -> Agreement:
    """Say whether a verdict on a case describes the answers to it (see `gcp.answers`).

    `conditional` is what some request is allowed by whatever was not read; `unknown` what turns on
    that. Said of what is settled, or `unknown` of what is conditional, they say less than they
    could, but nothing wrong.
    """
    right = {
        "allow": answers == {"allow", "open"},
        "deny": answers == {"deny"},
        "conditional": answers == {"allow", "deny", "open"},
        "unknown": answers == {"allow", "deny"},
    }[verdict]
    if right:
        return Agreement.FULL
    return Agreement.WEAKER if verdict in ("conditional", "unknown") else Agreement.NONE
