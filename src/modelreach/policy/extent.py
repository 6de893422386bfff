"""Finite unions of regions: what the actions, or the resources, of a permission are.

A statement lists many patterns; an `Extent` keeps them together, so that a statement stays one
box of a permission set and differences take patterns out of it instead of multiplying it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from modelreach.policy.glob import (
    EVERYWHERE,
    NOWHERE,
    Region,
    canonical,
    intersects,
    is_literal,
    literal_prefix,
    plain,
)

_CACHE = 1 << 14
#: Of one difference, intersection or simplification: beyond that an extent is what several
#: policies make of each other, and not what anybody has written. Each policy that AWS itself keeps
#: stays below it, and so do twenty of them drawn at random.
MAX_WORK = 500_000
#: Of simplifying, without which an extent only is written at greater length.
_SIMPLIFIED = 50_000


# Extents are keys of caches all the time.
class Extent(msgspec.Struct, frozen=True, cache_hash=True, gc=False):
    """The strings of any of the regions.

    Build with `of` or `globs`, which simplify. Two extents compare equal when they are written
    alike; ask `same_as` whether they are the same set.
    """

    regions: tuple[Region, ...] = ()

    @staticmethod
    def of(regions: Iterable[Region]) -> Extent:
        """Give the union, without regions that are empty or lie in another one."""
        return _simplest(frozenset(regions))[0]

    @staticmethod
    def globs(globs: Iterable[str], *, outside: Iterable[str] = ()) -> Extent:
        """Give what any of `globs` matches and none of `outside` does."""
        barred, found = tuple(outside), tuple(globs)
        if barred:
            return Extent.of(Region.of((glob,), barred) for glob in found)
        if "*" in found:
            return ALL
        regions = tuple(Region((canonical(glob),)) for glob in found)
        return Extent(regions) if len(regions) == 1 else Extent.of(regions)

    def contains(self, text: str) -> bool:
        """Is the string in any of the regions?"""
        literals, others = _parted(self)
        if text in literals:
            return True
        for region in others:  # noqa: SIM110 - on the hot path
            if region.contains(text):
                return True
        return False

    def is_empty(self) -> bool:
        """Is there surely no such string? In doubt (see `decided`): no."""
        for region in self.regions:  # noqa: SIM110 - on the hot path
            if not region.is_empty():
                return False
        return True

    @property
    def decided(self) -> bool:
        """Was the emptiness of every region settled?"""
        for region in self.regions:  # noqa: SIM110 - on the hot path
            if not region.decided:
                return False
        return True

    def sample(self) -> str | None:
        """Give a short string of the first region that has one."""
        for region in self.regions:
            sample = region.sample()
            if sample is not None:
                return sample
        return None

    def same_as(self, other: Extent) -> bool:
        """Are they the same set of strings? In doubt: no."""
        return self == other or (self <= other and other <= self)

    def __or__(self, other: Extent) -> Extent:
        return Extent.of(self.regions + other.regions)

    def __and__(self, other: Extent) -> Extent:
        """Give what both hold; where that is too much to work out, all of this one."""
        return self.common(other)[0] or self

    def __sub__(self, other: Extent) -> Extent:
        """Give the difference; where that is too much to work out, all of this one."""
        return self.less(other)[0] or self

    def __le__(self, other: Extent) -> bool:
        """Is every string of this extent in `other`? In doubt: no."""
        left = self.less(other)[0] if self != other else NONE
        return left is not None and left.is_empty()

    def common(self, other: Extent) -> tuple[Extent | None, int]:
        """Give what both hold (None: that is too much to work out), and how much work it is."""
        if self == other or other == ALL:
            return self, 1
        return (other, 1) if self == ALL else _meet(self, other)

    def less(self, other: Extent) -> tuple[Extent | None, int]:
        """Give the difference (None: that is too much to work out), and how much work it is."""
        return (NONE, 1) if other == ALL else _less(self, other)

    def meets(self, other: Extent) -> bool:
        """May they have a string in common? In doubt: yes."""
        literals, others = _parted(other)
        if not literals:
            return not (self & other).is_empty()
        if any(map(self.contains, literals)):
            return True
        return bool(others) and not (self & Extent(others)).is_empty()

    @property
    def heads(self) -> frozenset[str] | None:
        """The texts before the first `:` that there can be (of actions: their services). None
        where a wildcard stands in one: any text at all."""
        return _heads(self)


ALL = Extent((EVERYWHERE,))
NONE = Extent()


def parted(first: frozenset[str] | None, second: frozenset[str] | None) -> bool:
    """Do these `heads` say that two extents have nothing in common?"""
    return first is not None and second is not None and first.isdisjoint(second)


@lru_cache(_CACHE)
def _heads(extent: Extent) -> frozenset[str] | None:
    found: set[str] = set()
    for region in extent.regions:
        head, colon, _ = _prefix(region).partition(":")
        if not colon:
            return None
        found.add(head)
    return frozenset(found)


@lru_cache(_CACHE)
def _parted(extent: Extent) -> tuple[frozenset[str], tuple[Region, ...]]:
    """Give the regions of one string, as these strings, and the others."""
    literals = {region for region in extent.regions if _is_one(region)}
    others = tuple(region for region in extent.regions if region not in literals)
    return frozenset(plain(region.inside[0]) for region in literals), others


def _is_one(region: Region) -> bool:
    return not region.outside and len(region.inside) == 1 and is_literal(region.inside[0])


def _prefix(region: Region) -> str:
    if len(region.inside) == 1:
        return literal_prefix(region.inside[0])
    return max(map(literal_prefix, region.inside), key=len)


class _ByPrefix:
    """Regions by the plain text that their members start with."""

    __slots__ = ("_lengths", "_places", "_sorted")

    def __init__(self, regions: Iterable[Region]) -> None:
        self._places: dict[str, list[Region]] = {}
        for region in regions:
            self._places.setdefault(_prefix(region), []).append(region)
        self._sorted = sorted(self._places)
        self._lengths = sorted({len(prefix) for prefix in self._places})

    def above(self, prefix: str) -> Iterator[Region]:
        """Those whose prefix `prefix` starts with: the only ones that can cover."""
        for length in self._lengths:
            if length > len(prefix):
                return
            yield from self._places.get(prefix[:length], ())

    def near(self, prefix: str) -> Iterator[Region]:
        """Those that can have a string in common with what starts with `prefix`."""
        yield from self.above(prefix)
        for place in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            found = self._sorted[place]
            if not found.startswith(prefix):
                return
            if found != prefix:
                yield from self._places[found]


@lru_cache(1 << 10)
def _index(extent: Extent) -> _ByPrefix:
    return _ByPrefix(extent.regions)


def _order(region: Region) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return region.inside, region.outside


@lru_cache(_CACHE)
def _simplest(regions: frozenset[Region]) -> tuple[Extent, int]:
    """Give the union in a small form, and how much work that is. What would be too much work is
    left in, though it lie in another region: the set is the same."""
    if EVERYWHERE in regions:
        return ALL, 1
    if len(regions) < 2:
        return Extent(tuple(region for region in regions if not region.is_empty())), 1
    if all(map(_is_one, regions)):  # none lies in another
        return Extent(tuple(sorted(regions, key=_order))), 1
    work = _Work(min(MAX_WORK, _SIMPLIFIED))
    kept = {region for region in regions if not region.is_empty()}
    if any(region.outside for region in kept):
        kept = _refilled(kept, work)
    index = _ByPrefix(kept)
    for region in sorted(kept, key=_order, reverse=True):
        wider = (other for other in index.above(_prefix(region)) if other != region)
        if any(other in kept and work.lies_in(region, other) for other in wider):
            kept.discard(region)
        if work.left <= 0:
            break
    return Extent(tuple(sorted(kept, key=_order))), 1 + work.done


class _Work:
    """Counts what was done of what may be."""

    __slots__ = ("done", "left")

    def __init__(self, left: int) -> None:
        self.done, self.left = 0, left

    def lies_in(self, region: Region, other: Region) -> bool:
        """Does a region lie in another one? In doubt, and when all work is done: no."""
        if self.left <= 0:
            return False
        found, work = region.lies_in(other)
        self.count(work)
        return found

    def count(self, work: int) -> None:
        """Count some work."""
        self.done += work
        self.left -= work


def _refilled(regions: set[Region], work: _Work) -> set[Region]:
    """Forget an exception where another region fills it: (s3:* but s3:get*) or s3:get* is s3:*."""
    done = set(regions)
    index = _ByPrefix(done)
    todo = [region for region in sorted(done, key=_order) if region.outside]
    while todo and work.left > 0:
        region = todo.pop()
        wider = next(_wider(region, index, work), None)
        if wider is not None:
            done.discard(region)
            done.add(wider)
            index = _ByPrefix(done)
            todo = [other for other in sorted(done, key=_order) if other.outside]
    return done


def _wider(region: Region, index: _ByPrefix, work: _Work) -> Iterator[Region]:
    for glob in region.outside:
        without = Region(region.inside, tuple(o for o in region.outside if o != glob))
        hole, steps = without.met(Region((glob,)))
        work.count(steps)
        near = (other for other in index.above(_prefix(hole)) if other != region)
        if any(work.lies_in(hole, other) for other in near):
            yield without


@lru_cache(_CACHE)
def _meet(first: Extent, second: Extent) -> tuple[Extent | None, int]:
    index = _index(second)
    found: set[Region] = set()
    work = _Work(MAX_WORK)
    for region in first.regions:
        for other in index.near(_prefix(region)):
            both, steps = region.met(other)
            found.add(both)
            work.count(steps)
        if work.left <= 0:
            return None, work.done
    return _made_small(found, work)


@lru_cache(_CACHE)
def _less(first: Extent, second: Extent) -> tuple[Extent | None, int]:
    index = _index(second)
    left: set[Region] = set()
    work = _Work(MAX_WORK)
    for region in first.regions:
        pieces = [region]
        for other in index.near(_prefix(region)):
            if _meets(region, other):
                pieces = list(_without(pieces, other, work))
            if work.left <= 0:
                return None, work.done
        left.update(pieces)
    return _made_small(left, work)


def _without(pieces: list[Region], taken: Region, work: _Work) -> Iterator[Region]:
    for piece in pieces:
        parts, steps = piece.parts(taken)
        work.count(steps)
        if work.left <= 0:
            return
        yield from parts


def _made_small(regions: set[Region], work: _Work) -> tuple[Extent, int]:
    made, more = _simplest(frozenset(regions))
    return made, work.done + more


def _meets(region: Region, other: Region) -> bool:
    return region != NOWHERE and all(intersects(a, b) for a in region.inside for b in other.inside)
