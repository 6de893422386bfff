"""Of many resources at once: which are sensitive, which lie in a scope that is taken over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator

import msgspec

from modelreach.accesses import Piece
from modelreach.judge.sensitivity import Rated
from modelreach.model import Sensitivity
from modelreach.policy.engine import Grant
from modelreach.policy.lots import Lot, bits, places
from modelreach.reach import Takeover


class _Told(msgspec.Struct):
    """What was asked about the resources of a lot: of which, and the bits by what was answered."""

    known: int = 0
    by: dict[Hashable, int] = msgspec.field(default_factory=dict[Hashable, int])


class Weighing:
    """Weighs resources by lots: each is asked about once, and only those that are meant."""

    def __init__(
        self,
        rated: Callable[[str, str, str], Rated],
        taken: Callable[[str], Takeover | None] | None,
    ) -> None:
        """`rated` is given a provider, a kind and a resource; `taken` a scope, and is None where
        nothing is taken over."""
        self._rated, self._taken = rated, taken
        self._takeovers: dict[str, Takeover] = {}
        self._told: dict[tuple[Lot, str, str], _Told] = {}

    def rated(self, grant: Grant, lot: Lot, mask: int, levels: Collection[Sensitivity]) -> int:
        """Give those of some resources of a kind that are of one of these levels."""
        provider, kind = grant.provider, grant.kind

        def level(place: int) -> Sensitivity:
            return self._rated(provider, kind, lot.ids[place]).level

        found = self._of((lot, provider, kind), mask, level)
        return mask & _union(found, levels)

    def taken(self, lot: Lot, mask: int) -> int:
        """Give those of some resources that lie in a scope that is taken over."""
        if self._taken is None or not mask:
            return 0
        return mask & ~self._scopes(lot, mask).get("", 0)

    def by_taking(self, lot: Lot, mask: int) -> Iterator[tuple[Takeover, int]]:
        """Part resources by the takeover that their scope is taken over by; without those of
        others."""
        for scope, these in self._scopes(lot, mask).items():
            if scope in self._takeovers and mask & these:
                yield self._takeovers[str(scope)], mask & these

    def _scopes(self, lot: Lot, mask: int) -> dict[Hashable, int]:
        """The bits of resources by the scope that is taken over; "" where none is."""

        def scope(place: int) -> str:
            found = self._taken(lot.thing(place).scope) if self._taken else None
            if found is None:
                return ""
            self._takeovers[found.scope] = found
            return found.scope

        return self._of((lot, "", ""), mask, scope)

    def high(self, piece: Piece) -> int:
        """Give the resources of a piece that are as sensitive as can be."""
        grant = piece.access.grant
        return self.rated(grant, piece.lot, piece.mask, (Sensitivity.HIGH,))

    def _of(
        self, key: tuple[Lot, str, str], mask: int, answer: Callable[[int], Hashable]
    ) -> dict[Hashable, int]:
        told = self._told.get(key)
        if told is None:
            told = self._told[key] = _Told()
        fresh = mask & ~told.known
        if fresh:
            groups: dict[Hashable, list[int]] = {}
            for place in places(fresh):
                groups.setdefault(answer(place), []).append(place)
            for found, these in groups.items():
                told.by[found] = told.by.get(found, 0) | bits(these)
            told.known |= fresh
        return told.by


def _union(by: dict[Hashable, int], wanted: Collection[Hashable]) -> int:
    found = 0
    for one in wanted:
        found |= by.get(one, 0)
    return found
