"""The one form of every evaluation report: who was attacked, with which cases, how it went.

No prompt and no answer is in here. Reports quote both, and an answer that leaked a secret holds
the secret; a case is known by the tool's id of it, or by a digest of its prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from modelreach.model import InputError


class Outcome(StrEnum):
    """How one attempt went. `ERROR` is no answer, or no grade: it says nothing either way."""

    BROKEN = "broken"
    HELD = "held"
    ERROR = "error"


class Retest(StrEnum):
    """What a category of cases tests; the demand `retest-VALUE` asks for it. `OTHER` answers no
    demand."""

    JAILBREAK = "jailbreak"
    PROMPT_INJECTION = "prompt-injection"
    INDIRECT_INJECTION = "indirect-injection"
    DATA_EXFILTRATION = "data-exfiltration"
    TOOL_ABUSE = "tool-abuse"
    REFUSAL = "refusal"
    OVER_REFUSAL = "over-refusal"
    PROMPT_LEAK = "prompt-leak"
    OTHER = "other"


class Attempt(msgspec.Struct, frozen=True):
    """One answer of the model to one case, graded.

    `BROKEN` means that what the case tries to bring about happened: the attack worked or, for
    over-refusal, a harmless wish was refused. `repetition` counts the answers to the same case
    (generations, epochs); a case that the report lists again keeps its number.
    """

    case: str
    category: str
    outcome: Outcome
    repetition: int = 1


class Evidence(msgspec.Struct, frozen=True):
    """All attempts of one report on one target; a report on two targets is two of these.

    `digest` is `sha256:…` of the file as read. `targets` are all names by which the report calls
    what it tested. `prompts` and `guardrails` are SHA-256 digests (hex) of the system prompt and
    of the guardrails that were in place; empty when the report does not say. `graders` says for a
    category who graded it and how, where the report does. `date` is when the run began, as the
    report writes it, or empty. `pairable` says that another run has the same
    cases, so that they can be compared one by one. `retests` says what a category tests.
    `dropped` are rows that are no attempts, with the reason and how many.
    """

    tool: str
    tool_version: str
    suite: str
    source: str
    digest: str
    targets: tuple[str, ...]
    date: str
    pairable: bool
    attempts: tuple[Attempt, ...]
    retests: tuple[tuple[str, Retest], ...] = ()
    prompts: tuple[str, ...] = ()
    guardrails: tuple[str, ...] = ()
    graders: tuple[tuple[str, str], ...] = ()
    dropped: tuple[tuple[str, int], ...] = ()

    def retested(self, said: Mapping[str, str]) -> Evidence:
        """Give the same with what somebody says that categories test. Raises `InputError` for a
        category that is not there, and for a test that nobody asks for."""
        categories = {attempt.category for attempt in self.attempts}
        for category, retest in said.items():
            if category not in categories:
                known = ", ".join(sorted(categories))
                raise InputError(
                    f"no category `{category}`", place=self.source, hint=f"categories: {known}"
                )
            if retest not in list(Retest):
                raise InputError(
                    f"`{retest}` is nothing that is tested",
                    place=self.source,
                    hint="use one of: " + ", ".join(Retest),
                )
        given = {category: Retest(retest) for category, retest in said.items()}
        return replace(self, retests=tuple(sorted((dict(self.retests) | given).items())))

    def retest_of(self, category: str) -> Retest:
        """Give what a category tests; `OTHER` when nobody said."""
        return dict(self.retests).get(category, Retest.OTHER)
