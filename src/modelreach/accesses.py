"""What a deployment has, as it has it: grants with the ways to who holds them.

Hundreds of identities may hold the same thousands of resources, each by a few grants that hold
alike. So what is held is gone over in pieces (one grant by one way, and all resources for which it
holds alike), and an access is written out where somebody wants to see it. Whoever goes over the
accesses one by one gets each of them, written out in passing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import cast, overload

import msgspec
from msgspec.structs import replace

from modelreach.graph import Path, weakest
from modelreach.model import Strength, Verdict
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.expr import Expr
from modelreach.policy.lots import Grants, Lot, lot_of, of_all, own, places, written


class Access(msgspec.Struct, frozen=True):
    """One grant as the deployment has it: the grant itself, and the way to who holds it."""

    grant: Grant
    path: Path

    @property
    def strength(self) -> Strength:
        """That of the weakest link, the grant's own verdict included."""
        return weakest((self.path.strength, _AS_STRENGTH[self.grant.verdict]))

    @property
    def verdict(self) -> Verdict:
        """The verdict over the whole way: as weak as its weakest link."""
        return _VERDICTS[self.path.certainty, self.grant.verdict]

    @property
    def residual(self) -> Expr:
        """What must hold on the whole way."""
        return self.path.residual(self.grant.residual)


_AS_STRENGTH = {
    Verdict.ALLOW: Strength.CERTAIN,
    Verdict.CONDITIONAL: Strength.CONDITIONAL,
    Verdict.UNKNOWN: Strength.UNKNOWN,
}
_AS_VERDICT = {
    Strength.CERTAIN: Verdict.ALLOW,
    Strength.CONDITIONAL: Verdict.CONDITIONAL,
    Strength.UNKNOWN: Verdict.UNKNOWN,
}
#: How sure a way is, and the verdict at its end -> the verdict over all of it.
_VERDICTS = {
    (way, verdict): _AS_VERDICT[weakest((way, own))]
    for way in _AS_VERDICT
    for verdict, own in _AS_STRENGTH.items()
}


def verdict_of(path: Path) -> Verdict:
    """Give the verdict over a path's hops. That it only influences, its strength tells."""
    return _AS_VERDICT[path.certainty]


class Piece(msgspec.Struct, frozen=True):
    """Accesses that are alike: `access` is one of them, `mask` says to which resources of the lot
    there is one. `place`: whose it is by number, and which of all pieces; of one resource the
    accesses come in this order."""

    access: Access
    lot: Lot
    mask: int
    place: tuple[int, int]

    def written(self, place: int) -> Access:
        """Write out the access to a resource of the lot."""
        grant = written(self.access.grant, self.lot, place)
        return self.access if grant is self.access.grant else Access(grant, self.access.path)

    def within(self, mask: int) -> Piece:
        """Give the part that is about these resources only."""
        return self if mask == self.mask else replace(self, mask=mask)

    @property
    def ids(self) -> Iterator[str]:
        """The resources, in order."""
        return self.lot.of(self.mask)

    @property
    def each(self) -> Iterator[Access]:
        """All accesses, in the order of their resources."""
        return map(self.written, places(self.mask))

    @property
    def of_all(self) -> tuple[StatementRef, ...]:
        """The statements that grant each of the accesses."""
        return of_all(self.access.grant, self.lot)

    @property
    def own(self) -> tuple[int, ...]:
        """Which statements of each resource's own policies grant the access to it besides."""
        return own(self.access.grant, self.lot)


class Held(msgspec.Struct, frozen=True):
    """What one identity holds of listed resources, and the way to it."""

    path: Path
    grants: Grants


class _WrittenOut(Sequence[Access]):
    """Accesses that are written out for whoever goes over them one by one."""

    @overload
    def __getitem__(self, index: int) -> Access: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Access]: ...
    def __getitem__(self, index: int | slice) -> Access | Sequence[Access]:
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return list(self) == list(cast("Sequence[object]", other))

    def __hash__(self) -> int:
        return hash(len(self))


class Accesses(_WrittenOut):
    """All accesses to listed resources."""

    def __init__(self, held: Iterable[Held] = ()) -> None:
        self.held = tuple(held)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """All of them, those that are alike together."""
        lots: dict[str, Lot] = {}
        found: list[Piece] = []
        for number, one in enumerate(self.held):
            for alike in one.grants.alike:
                for grant in alike.grants:
                    place = number, len(found)
                    found.append(Piece(Access(grant, one.path), alike.lot, alike.mask, place))
            for grant in one.grants.alone:
                lot = lots.get(grant.resource)
                if lot is None:
                    lot = lots[grant.resource] = lot_of(grant)
                found.append(Piece(Access(grant, one.path), lot, 1, (number, len(found))))
        return tuple(found)

    def __iter__(self) -> Iterator[Access]:
        for one in self.held:
            for grant in one.grants.written_out():
                yield Access(grant, one.path)

    def __len__(self) -> int:
        return sum(one.grants.size for one in self.held)


def pieces_of(accesses: Iterable[Access], after: int = 0) -> tuple[Piece, ...]:
    """Give accesses in pieces; of those that were written out each is one, placed behind those of
    so many identities."""
    if isinstance(accesses, Accesses):
        return accesses.pieces
    return tuple(
        Piece(access, lot_of(access.grant), 1, (number, number))
        for number, access in enumerate(accesses, after)
    )


def firsts(pieces: Iterable[Piece], key: Callable[[Piece], Hashable]) -> Iterator[Piece]:
    """Give, of pieces in the order of preference, each with the resources of which it is the first
    among those of its key. A resource that is in several lots comes once for each of them."""
    seen: dict[tuple[Lot, Hashable], int] = {}
    for piece in pieces:
        at = piece.lot, key(piece)
        known = seen.get(at, 0)
        fresh = piece.mask & ~known
        if fresh:
            seen[at] = known | fresh
            yield piece.within(fresh)


def best(pieces: Iterable[Piece], rank: Callable[[Access], tuple[object, ...]]) -> list[Access]:
    """Give the best access to each resource, by resource; of equals the first."""
    ranked = [(rank(piece.access), piece) for piece in pieces]
    ranked.sort(key=lambda one: (*one[0], one[1].place))
    found: dict[str, Access] = {}
    for piece in firsts((piece for _, piece in ranked), lambda _: None):
        for place in places(piece.mask):
            if piece.lot.ids[place] not in found:
                found[piece.lot.ids[place]] = piece.written(place)
    return [access for _, access in sorted(found.items())]


class Part(msgspec.Struct, frozen=True):
    """Resources of a lot and of one kind; `grant` is on one of them."""

    grant: Grant
    lot: Lot
    mask: int

    @property
    def ids(self) -> Iterator[str]:
        """The resources, in order."""
        return self.lot.of(self.mask)


def together(pieces: Iterable[Piece]) -> tuple[Part, ...]:
    """Give what pieces are about, by lot and kind."""
    masks: dict[tuple[Lot, str], int] = {}
    grants: dict[tuple[Lot, str], Grant] = {}
    for piece in pieces:
        key = piece.lot, piece.access.grant.kind
        masks[key] = masks.get(key, 0) | piece.mask
        grants.setdefault(key, piece.access.grant)
    return tuple(Part(grants[key], key[0], mask) for key, mask in masks.items())


class Unlisted(msgspec.Struct, frozen=True):
    """What one identity may do by pattern. The grants need not say whose they are."""

    name: str
    path: Path
    grants: tuple[Grant, ...]

    def access(self, grant: Grant) -> Access:
        """Give one of the grants as the identity has it."""
        return Access(replace(grant, principal=self.name), self.path)


class Patterns(_WrittenOut):
    """All accesses to what is not listed."""

    def __init__(self, held: Iterable[Unlisted] = ()) -> None:
        self.held = tuple(held)

    def where(self, wanted: Callable[[Grant], bool]) -> Iterator[Access]:
        """Give those whose grants, whoever has them, are wanted."""
        for one in self.held:
            yield from (one.access(grant) for grant in one.grants if wanted(grant))

    def __iter__(self) -> Iterator[Access]:
        for one in self.held:
            yield from map(one.access, one.grants)

    def __len__(self) -> int:
        return sum(len(one.grants) for one in self.held)
