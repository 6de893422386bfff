"""A principal in brief: what it comes to in numbers, without a witness for any of it.

A survey decides everybody whom any of thousands of releases reaches, and shows none of the paths.
An engine that can give the same answers without writing down their reasons says so by having a
`brief`; `grants`, `pivots` and `unlisted` stay the definition of what is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, cast, runtime_checkable

import msgspec

from modelreach.model import Capability, Strength, Verdict, base_of
from modelreach.policy.engine import Engine, Grant, Pivot
from modelreach.policy.expr import Expr
from modelreach.policy.lots import Grants
from modelreach.policy.weakness import weakness_of

#: Capabilities with their verdicts, on resources of one kind.
Answer = tuple[tuple[Capability, Verdict], ...]


class Hop(msgspec.Struct, frozen=True):
    """That one becomes a target, or takes a scope over (`administers`): one of the surest hops
    there. `certainty` is that of an influence."""

    target: str
    strength: Strength
    administers: bool = False
    certainty: Strength = Strength.CERTAIN

    @property
    def weakness(self) -> int:
        """How weak it is: strength and certainty in one (see `policy.weakness`)."""
        return weakness_of(self.strength, self.certainty)


class Holding(Protocol):
    """What a principal has of resources of a kind that are held alike."""

    @property
    def kind(self) -> str:
        """The kind of the resources."""
        ...

    @property
    def answer(self) -> Answer:
        """What it has of each."""
        ...

    @property
    def group(self) -> Hashable:
        """Equal for the same resources."""
        ...

    @property
    def among(self) -> tuple[str, ...]:
        """Those that the resources are some of: the same tuple for many."""
        ...

    @property
    def mask(self) -> int:
        """Which of them: a bit for each, the lowest for the first."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """The resources, in order."""
        ...


class Brief(msgspec.Struct, frozen=True):
    """Whom a principal becomes in one hop, what it holds of listed resources together, what it
    holds of others one by one, and how many grants there are on what is not listed.

    `common` are hops that others have, too (the same tuple for all of them); of `aimed`, all but
    those that lead to `itself` or to what it would become.
    """

    hops: tuple[Hop, ...]
    common: tuple[Hop, ...]
    aimed: tuple[Hop, ...]
    itself: str
    holdings: Sequence[Holding]
    alone: tuple[Grant, ...]
    patterns: int


@runtime_checkable
class Brevity(Protocol):
    """An engine that gives principals in brief."""

    def brief(self, principal: str) -> Brief:
        """Give a principal in brief."""
        ...

    def let_go(self) -> None:
        """Let go of what is known of single scopes: others come next. No answer changes by it."""
        ...


class Outline(msgspec.Struct, frozen=True):
    """Of a principal in brief, all but what it holds of listed resources: as in `Brief`. `count`
    counts the grants on what is not listed, which is asked for of few."""

    hops: tuple[Hop, ...]
    common: tuple[Hop, ...]
    aimed: tuple[Hop, ...]
    itself: str
    count: Callable[[], int]

    @property
    def patterns(self) -> int:
        """How many grants there are on what is not listed."""
        return self.count()

    @property
    def every(self) -> Iterator[Hop]:
        """All hops, those that others have too included."""
        yield from self.hops
        yield from self.common
        yield from (hop for hop in self.aimed if base_of(hop.target) != self.itself)


def place_of(name: str) -> str:
    """Give the place over which a principal has become what its name says (`ID#any-role@PLACE`,
    `ID#any-tag=PLACE`); "" where it says none."""
    _, _, became = name.partition("#")
    return next((place for sign in "@=" if (place := became.partition(sign)[2])), "")


class Outlining(Protocol):
    """An engine that can tell whom a principal becomes without writing down why, and who has all
    that another one has: so that of many who are reached, only what is shown is written out."""

    def outline(self, principal: str) -> Outline:
        """Give whom a principal becomes in one hop, in brief."""
        ...

    def administration(self, principal: str) -> Pivot | None:
        """Give the hop by which a principal takes its scope over; None when it cannot."""
        ...

    def towards(self, principal: str, targets: frozenset[str]) -> Iterable[Pivot]:
        """Give the hops of a principal that lead to these, as `Engine.pivots` does."""
        ...

    def outdoes(self, one: str, other: str, given: Expr) -> bool:
        """Has one all that another one of its scope holds, as surely: but for what is `beyond`?
        `given` is what must hold on the way from the one to the other."""
        ...

    def beyond(self, principal: str, but: frozenset[str]) -> tuple[Grants, tuple[Grant, ...]]:
        """Give what a principal holds that somebody who outdoes it may not have, and what it holds
        of scopes other than these and its own: listed, and by pattern."""
        ...

    def patterns(self, principal: str) -> Mapping[str, int]:
        """Give how many grants by pattern a principal holds in each scope other than its own."""
        ...


def outlining(engine: Engine) -> Outlining | None:
    """Give an engine as one that outlines, where it does."""
    return cast("Outlining", engine) if hasattr(engine, "outline") else None


def forgetting(engine: Engine) -> None:
    """Have an engine let go of what it knows of single scopes, where it does."""
    if hasattr(engine, "let_go"):
        cast("Brevity", engine).let_go()
