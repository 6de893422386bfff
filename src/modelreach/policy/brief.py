"""A principal in brief: what it comes to in numbers, without a witness for any of it.

A survey decides everybody whom any of thousands of releases reaches, and shows none of the paths.
An engine that can give the same answers without writing down their reasons says so by having a
`brief`; `grants`, `pivots` and `unlisted` stay the definition of what is in it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from modelreach.model import Capability, Strength, Verdict
from modelreach.policy.engine import Grant

#: Capabilities with their verdicts, on resources of one kind.
Answer = tuple[tuple[Capability, Verdict], ...]


class Hop(msgspec.Struct, frozen=True):
    """That one becomes a target, or takes a scope over (`administers`): the surest hop there."""

    target: str
    strength: Strength
    administers: bool = False


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
