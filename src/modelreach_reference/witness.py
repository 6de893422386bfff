"""Checks the witnesses of a report against a snapshot, step by step, without the engine.

Takes both as the plain JSON that they are: a hop says that a subject may do an action to an object
because of a statement. That statement has to stand where the hop says, and the reference evaluator
of the provider has to come to the same answer. Other providers' evaluators join in `PROVIDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, cast

from modelreach_reference.aws_snapshot import AwsSnapshot
from modelreach_reference.azure_snapshot import AzureSnapshot
from modelreach_reference.gcp_snapshot import GcpSnapshot
from modelreach_reference.kubernetes_snapshot import KubernetesSnapshot

Json = Mapping[str, object]


class Outcome(Enum):
    """Whether a step holds. `UNCHECKED` is no answer: nobody can say here."""

    HOLDS = "holds"
    FAILS = "fails"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Checked:
    """One step, and why it does not hold or was not checked."""

    outcome: Outcome
    step: str
    why: str = ""


class Estate(Protocol):
    """What one provider's reference can say about a snapshot."""

    def knows(self, subject: str) -> bool:
        """Is the subject one of this provider's?"""
        ...

    def follows(self, subject: str) -> bool:
        """Can it be said what the subject may do, if it has changed that for itself?"""
        ...

    def asks(self, action: str) -> bool:
        """Is it a request of this provider's, that can be asked?"""
        ...

    def stands(self, part: Json) -> bool:
        """Does a policy on the hop's target have exactly its statement?"""
        ...

    def answers(self, part: Json) -> set[str] | None:
        """Every answer that the hop's request may get; None when it cannot be decided."""
        ...


PROVIDERS: tuple[Callable[[Json, Json], Estate], ...] = (
    AwsSnapshot,
    AzureSnapshot,
    GcpSnapshot,
    KubernetesSnapshot,
)


def check(
    snapshot: Json, witness: Iterable[Json], context: Json | None = None
) -> tuple[Checked, ...]:
    """Check every step of a witness. `context` are condition keys that the deployment fixes."""
    estates = [provider(snapshot, context or {}) for provider in PROVIDERS]
    found: list[Checked] = []
    became: set[str] = set()
    for hop in witness:
        if hop.get("kind") != "start":
            found += _hop(estates, hop, became)
        became.add(str(hop.get("object")))
    return tuple(found)


def _hop(estates: Sequence[Estate], hop: Json, became: Container[str]) -> Iterator[Checked]:
    """Check one hop. `became` are those that the hops before it lead to: nobody is there after a
    change that no hop makes."""
    strength = str(hop.get("strength", "certain"))
    also = cast("Iterable[Json]", hop.get("also") or ())
    for part in (hop, *also):
        subject = str(part.get("subject"))
        estate = next((one for one in estates if one.knows(subject)), None)
        if estate is None:
            yield Checked(Outcome.UNCHECKED, _named(part), "no reference evaluator knows it")
            continue
        if "#" in subject and subject not in became:
            yield Checked(Outcome.FAILS, _named(part), "no hop before it makes that change")
            continue
        if not estate.follows(subject):
            yield Checked(Outcome.UNCHECKED, _named(part), "what it may do after a change")
            continue
        statement = str(part.get("statement") or "")
        if statement and not any(one.stands(part) for one in estates):
            yield Checked(Outcome.FAILS, _named(part), "no such statement stands there")
            continue
        if strength in ("certain", "conditional"):
            yield _answered(estate, part, strength)


def _answered(estate: Estate, part: Json, strength: str) -> Checked:
    if not estate.asks(str(part.get("action") or "")):
        return Checked(Outcome.HOLDS, _named(part))
    answers = estate.answers(part)
    if answers is None:
        return Checked(Outcome.UNCHECKED, _named(part), "the reference evaluator cannot decide it")
    right = answers == {"allow"} if strength == "certain" else "allow" in answers
    if right:
        return Checked(Outcome.HOLDS, _named(part))
    if "*" in str(part.get("object")):
        # What is so of one thing that a pattern fits need not be so of another.
        return Checked(
            Outcome.UNCHECKED, _named(part), "it is so of a part of the pattern at most"
        )
    return Checked(Outcome.FAILS, _named(part), "the reference evaluator does not allow it")


def _named(part: Json) -> str:
    return f"{part.get('subject')} {part.get('action')} {part.get('object')}"
