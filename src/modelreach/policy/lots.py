"""Grants that hold alike for many resources: written out for one of them, with all it is true of.

A wide identity holds the same few things of thousands of resources. An engine that decides once
for all of a class may say so (`Alike`); whoever goes over what is held can then count, rank and
leave out by bits, and write out what is shown. `Engine.grants` stays the definition of what is
held.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

import msgspec
from msgspec.structs import replace

from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Engine, Grant


class Thing(msgspec.Struct, frozen=True):
    """What a grant says of its resource. `own` are the statements of the resource's own policies,
    in an order that is the same for all of a lot."""

    id: str
    name: str
    scope: str
    region: str
    own: tuple[StatementRef, ...] = ()


class Lot(msgspec.Struct, eq=False):
    """Resources by number, as masks mean them: bit i is `ids[i]`. `tell` says more of one."""

    ids: tuple[str, ...]
    tell: Callable[[str], Thing]
    _told: dict[int, Thing] = msgspec.field(default_factory=dict[int, Thing])

    def thing(self, place: int) -> Thing:
        """Give what there is to be said of a resource."""
        if place not in self._told:
            self._told[place] = self.tell(self.ids[place])
        return self._told[place]

    def of(self, mask: int) -> Iterator[str]:
        """Give the resources of a mask, in order."""
        return (self.ids[place] for place in places(mask))

    def place(self, name: str) -> int:
        """Give the number of a resource, or where it would stand."""
        return bisect_left(self.ids, name)

    def has(self, name: str) -> bool:
        """Is a resource of this lot?"""
        return name in self.ids[(place := self.place(name)) : place + 1]


def lot_of(grant: Grant) -> Lot:
    """Give the one resource of a grant as a lot."""
    thing = Thing(grant.resource, grant.name, grant.scope, grant.region)
    return Lot((grant.resource,), lambda _: thing)


class Alike(msgspec.Struct, frozen=True):
    """Grants that hold alike for resources of a lot, in order: written out for the first of
    them."""

    grants: tuple[Grant, ...]
    lot: Lot
    mask: int

    @property
    def ids(self) -> tuple[str, ...]:
        """The resources that they hold for, in order."""
        return tuple(self.lot.of(self.mask))

    @property
    def size(self) -> int:
        """How many resources they hold for."""
        return self.mask.bit_count()


class Grants(msgspec.Struct, frozen=True):
    """Everything that a principal may do to listed resources: together, and one by one. No
    resource is in two of these."""

    alike: tuple[Alike, ...]
    alone: tuple[Grant, ...]

    @property
    def size(self) -> int:
        """How many grants there are, each on each resource."""
        return len(self.alone) + sum(len(one.grants) * one.size for one in self.alike)

    @property
    def resources(self) -> tuple[str, ...]:
        """What they are on, sorted."""
        names = {grant.resource for grant in self.alone}
        return tuple(sorted(names.union(*(one.ids for one in self.alike))))

    def written_out(self) -> tuple[Grant, ...]:
        """Give each grant on each resource, in the order of `Engine.grants`."""
        if not self.alike:
            return self.alone
        found = [
            written(grant, one.lot, place)
            for one in self.alike
            for place in places(one.mask)
            for grant in one.grants
        ]
        return tuple(sorted((*found, *self.alone), key=lambda grant: grant.resource))


class Sparing(Protocol):
    """An engine that says together what holds alike."""

    def granted(self, principal: str) -> Grants:
        """Give what `Engine.grants` does."""
        ...


def granted(engine: Engine, principal: str) -> Grants:
    """Give what a principal may do to listed resources, together as far as its engine says so."""
    if hasattr(engine, "granted"):
        return cast("Sparing", engine).granted(principal)
    return Grants((), engine.grants(principal))


def written(grant: Grant, lot: Lot, place: int) -> Grant:
    """Write a grant out for another resource of the lot for which it holds alike."""
    thing = lot.thing(place)
    if thing.id == grant.resource:
        return grant
    return replace(
        grant,
        resource=thing.id,
        name=thing.name,
        scope=thing.scope,
        region=thing.region,
        statements=_in_words_of(thing, grant, lot),
    )


def of_all(grant: Grant, lot: Lot) -> tuple[StatementRef, ...]:
    """Give the statements of a grant that are not of the resource's own policies: they are the
    same for all for which it holds alike."""
    own = _first(grant, lot).own
    return tuple(ref for ref in grant.statements if ref not in own) if own else grant.statements


def own(grant: Grant, lot: Lot) -> tuple[int, ...]:
    """Give which of the statements of resources' own policies grant it."""
    words = _first(grant, lot).own
    return tuple(number for number, ref in enumerate(words) if ref in grant.statements)


def _first(grant: Grant, lot: Lot) -> Thing:
    return lot.thing(lot.place(grant.resource))


def _in_words_of(thing: Thing, grant: Grant, lot: Lot) -> tuple[StatementRef, ...]:
    if not thing.own:
        return grant.statements
    words = dict(zip(_first(grant, lot).own, thing.own, strict=True))
    return tuple(sorted(words.get(ref, ref) for ref in grant.statements))


def places(mask: int) -> Iterator[int]:
    """Give the numbers of the bits that are set, in order."""
    for start, word in _words(mask):
        while word:
            low = word & -word
            yield start + low.bit_length() - 1
            word ^= low


def _words(mask: int) -> Iterator[tuple[int, int]]:
    """Cut a mask into pieces that are quick to take bits from."""
    if mask.bit_length() <= 64:
        yield 0, mask
        return
    array = mask.to_bytes((mask.bit_length() + 63) // 64 * 8, "little")
    for start in range(0, len(array), 8):
        word = int.from_bytes(array[start : start + 8], "little")
        if word:
            yield start * 8, word


def bits(found: Iterable[int]) -> int:
    """Give a mask of numbers."""
    numbers = list(found)
    if not numbers:
        return 0
    array = bytearray((max(numbers) >> 3) + 1)
    for place in numbers:
        array[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(array, "little")
