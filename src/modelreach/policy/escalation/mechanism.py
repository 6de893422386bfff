"""How an escalation rule is tried, whoever's rule it is: every aim, by every way, the best kept.

A rule is aimed at something; it has ways, each of which needs permissions; what it yields is the
name of whom or what it leads to. Which aims there are and whether a need is met is asked of the
provider's prober, and decided by the provider's engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from modelreach.model import Strength
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.expr import Atom, AtomKind, Expr
from modelreach.policy.weakness import strength_of

__all__ = ["Met", "Prober", "provided", "strength_of", "tried", "tried_by"]

#: What needs that are met stand on, and what they hang on.
Met = tuple[tuple[Support, ...], Expr]

R = TypeVar("R", contravariant=True)
W = TypeVar("W")
A = TypeVar("A")


class Prober(Protocol[R, W, A]):
    """One principal, as it tries rules."""

    @property
    def source(self) -> str:
        """Who tries."""
        ...

    def ways(self, rule: R) -> Sequence[W]:
        """The ways of a rule of which it may have all that they need, at a glance."""
        ...

    def aims(self, rule: R) -> Iterable[A]:
        """Every use of a rule that may succeed, in a fixed order."""
        ...

    def yielded(self, rule: R, aim: A) -> str:
        """The name of whom or what a use leads to."""
        ...

    def pivot(self, rule: R, way: W, aim: A) -> Pivot | None:
        """The hop by this way; None when a need of it is not met."""
        ...


def tried(rule: R, prober: Prober[R, W, A]) -> Iterator[Pivot]:
    """Give the hops that a rule is good for: to each target the certain one, else all that
    differ in what they hang on."""
    return tried_by(prober.ways(rule), rule, prober)


def tried_by(ways: Sequence[W], rule: R, prober: Prober[R, W, A]) -> Iterator[Pivot]:
    """Give the hops that these ways of a rule are good for."""
    if not ways:
        return
    found: dict[str, list[Pivot]] = {}
    for aim in prober.aims(rule):
        target = prober.yielded(rule, aim)
        if target == prober.source:
            continue
        known = found.setdefault(target, [])
        for way in ways:
            if known and known[0].strength is Strength.CERTAIN:
                break
            pivot = prober.pivot(rule, way, aim)
            if pivot is not None:
                _keep(pivot, known)
    for known in found.values():
        yield from known


def _keep(pivot: Pivot, known: list[Pivot]) -> None:
    """A certain way to somebody makes the others redundant; of equal ones the first will do."""
    if pivot.strength is Strength.CERTAIN:
        known[:] = [pivot]
    elif not any(
        other.strength is Strength.CERTAIN
        or (other.strength, other.residual) == (pivot.strength, pivot.residual)
        for other in known
    ):
        known.append(pivot)


def provided(what: str) -> Atom:
    """Give the condition that something outside all policies is the case."""
    return Atom(AtomKind.CONTEXT, what, "provided that")
