"""The difference of two blast radii: what is gained, lost, widened, narrowed or rerouted.

It speaks of reach and not of names: a renamed role with the same access is no change, and the
same role with a wider policy is one. A change whose cause may be that something was not read is
`UNKNOWN`, in both directions, so that a refused call never reads as an improvement.

Swapping old and new swaps gained with lost and widened with narrowed; a radius compared with
itself gives nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from modelreach.accesses import Access, Piece, firsts, pieces_of
from modelreach.blame import Sight, could_hide, could_limit, is_told
from modelreach.graph import Path
from modelreach.model import Capability, Strength, Verdict
from modelreach.policy.expr import implies, render
from modelreach.policy.glob import covers
from modelreach.policy.lots import places
from modelreach.reach import BlastRadius
from modelreach.snapshot import Gap


class ChangeKind(StrEnum):
    """What became of the reach of one resource."""

    GAINED = "gained"
    LOST = "lost"
    WIDENED = "widened"
    NARROWED = "narrowed"
    REROUTED = "rerouted"
    UNKNOWN = "unknown"


_Rank = tuple[int, int, int, str]


class Reached(msgspec.Struct, frozen=True):
    """How one side reaches one resource by one action: the best access and its witness."""

    access: Access

    @property
    def rank(self) -> _Rank:
        """Order of preference: acting before influencing, then certain before conditional before
        unknown, then short before long."""
        access = self.access
        influenced = access.path.strength is Strength.INFLUENCE
        return (
            int(influenced),
            _VERDICT_RANK[access.verdict],
            len(access.path.pivots),
            access.grant.principal,
        )


_VERDICT_RANK = {Verdict.ALLOW: 0, Verdict.CONDITIONAL: 1, Verdict.UNKNOWN: 2, Verdict.DENY: 3}


class Change(msgspec.Struct, frozen=True):
    """One difference. `old` and `new` are the accesses compared (None where there is none);
    `actions` are those that came, went or changed their verdict."""

    kind: ChangeKind
    resource: str
    capability: Capability
    actions: tuple[str, ...]
    old: Access | None
    new: Access | None
    caused_by: tuple[Gap, ...] = ()

    @property
    def shown(self) -> Access:
        """The access that a reader wants to see: the new one, or the lost one."""
        found = self.new or self.old
        if found is None:
            raise ValueError("a change has at least one side")
        return found


class Side(msgspec.Struct, frozen=True):
    """One side of a comparison: its radius, what it could not see, and the accesses to be
    compared (listed, by pattern, to identities and to scopes, all in the one form), in pieces.
    `sight` is what both know of places."""

    radius: BlastRadius
    pieces: tuple[Piece, ...]
    blind: tuple[Gap, ...] = ()
    sight: Sight = msgspec.field(default_factory=Sight)


#: resource -> action -> the best way to it
Index = Mapping[str, Mapping[str, Reached]]


def index(accesses: Iterable[Access]) -> dict[str, dict[str, Reached]]:
    """Give, for each resource and action, the best access; of equals the first."""
    return index_of(pieces_of(accesses))


def index_of(pieces: Iterable[Piece]) -> dict[str, dict[str, Reached]]:
    """Give the same of accesses in pieces."""
    found = _Sorts().ways(pieces)
    return {
        resource: _by_action([way.written for way in ways.each])
        for resource, ways in found.items()
    }


class _Way(msgspec.Struct):
    """The access to one resource in a piece, by number in the lot."""

    piece: Piece
    place: int

    @property
    def written(self) -> Access:
        return self.piece.written(self.place)


class _Ways(msgspec.Struct):
    """Of one resource: the sorts of the accesses to it, and the accesses, the best ones first."""

    sorts: list[int] = msgspec.field(default_factory=list[int])
    each: list[_Way] = msgspec.field(default_factory=list[_Way])

    @property
    def alike(self) -> list[Access]:
        """The accesses as they are written for one of those that are had alike."""
        return [way.piece.access for way in self.each]


_NONE = _Ways()


class _Sorts:
    """Accesses that are alike in all but the resource are of one sort: thousands of things are
    had by the same few dozen, and what became of one of them became of all."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], int] = {}
        # One of each sort is kept, so the ids in its key stay taken.
        self._ranks: list[tuple[_Rank, Access]] = []
        self._lists: dict[tuple[str, ...], tuple[str, ...]] = {}

    def ways(self, pieces: Iterable[Piece]) -> dict[str, _Ways]:
        """Give the accesses to each resource. Of those by the same list of actions, which many
        have, only the best."""
        ordered = [(self._of(piece.access), piece) for piece in pieces]
        ordered.sort(key=lambda one: (self._ranks[one[0]][0], one[1].place))
        sorts = {piece.place: sort for sort, piece in ordered}
        found: dict[str, _Ways] = {}
        for piece in firsts((piece for _, piece in ordered), self._actions):
            sort = sorts[piece.place]
            for place in places(piece.mask):
                ways = found.setdefault(piece.lot.ids[place], _Ways())
                ways.sorts.append(sort)
                ways.each.append(_Way(piece, place))
        return found

    def _actions(self, piece: Piece) -> int:
        """Give a number for a list of actions, which is kept, so that its id stays taken."""
        actions = piece.access.grant.actions
        return id(self._lists.setdefault(actions, actions))

    def _of(self, access: Access) -> int:
        grant = access.grant
        key = (
            id(access.path),
            id(grant.actions),
            id(grant.residual),
            grant.verdict,
            grant.principal,
            grant.capability,
            grant.within,
        )
        sort = self._known.get(key)
        if sort is None:
            sort = self._known[key] = len(self._ranks)
            self._ranks.append((Reached(access).rank, access))
        return sort


def _by_action(ways: Iterable[Access]) -> dict[str, Reached]:
    """Give the best access for each action, of accesses of which the best come first."""
    best: dict[str, Reached] = {}
    for access in ways:
        reached = Reached(access)
        for action in access.grant.actions:
            best.setdefault(action, reached)
    return best


def diff(
    old: Side, new: Side, *, covered: Callable[[Side, str], bool] = lambda _side, _resource: False
) -> tuple[Change, ...]:
    """Give every change, in a stable order.

    `covered` answers whether a side reaches a resource anyway, by having taken over its scope:
    then its absence from the side's index is no loss, and its presence on the other no gain.
    """
    sorts, became = _Sorts(), _Became()
    before, after = sorts.ways(old.pieces), sorts.ways(new.pieces)
    changes: list[Change] = []
    for resource in sorted(before.keys() | after.keys()):
        was, now = before.get(resource, _NONE), after.get(resource, _NONE)
        hidden = {
            kind
            for side, kinds in ((old, _MORE), (new, _LESS))
            if covered(side, resource)
            for kind in kinds
        }
        changes.extend(c for c in became.of(resource, was, now) if c.kind not in hidden)
    judged = [blamed(change, old, new) for change in changes]
    return tuple(sorted(judged, key=order))


_MORE = (ChangeKind.GAINED, ChangeKind.WIDENED)
_LESS = (ChangeKind.LOST, ChangeKind.NARROWED)


def order(change: Change) -> tuple[str, str, str, tuple[str, ...]]:
    """Sort key of changes."""
    return change.resource, str(change.capability), str(change.kind), change.actions


class _Became:
    """What became of things, worked out once for all that were and are had by the same sorts."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...]], list[_Alike]] = {}

    def of(self, resource: str, was: _Ways, now: _Ways) -> Iterator[Change]:
        """Give the changes of the reach of one resource."""
        key = tuple(was.sorts), tuple(now.sorts)
        if key not in self._known:
            before, after = was.alike, now.alike
            found = _changes(resource, _by_action(before), _by_action(after))
            self._known[key] = [_alike(change, before, after) for change in found]
        for change, old, new in self._known[key]:
            yield Change(
                change.kind,
                resource,
                change.capability,
                change.actions,
                was.each[old].written if old is not None else None,
                now.each[new].written if new is not None else None,
            )


#: A change of the reach of one thing, and which of the accesses to it it shows.
_Alike = tuple[Change, int | None, int | None]


def _alike(change: Change, was: list[Access], now: list[Access]) -> _Alike:
    return change, _place(change.old, was), _place(change.new, now)


def _place(access: Access | None, ways: list[Access]) -> int | None:
    return next((place for place, one in enumerate(ways) if one is access), None)


def _changes(
    resource: str, was: Mapping[str, Reached], now: Mapping[str, Reached]
) -> Iterator[Change]:
    if not was:
        yield from _rows(ChangeKind.GAINED, resource, {a: (None, r) for a, r in now.items()})
    elif not now:
        yield from _rows(ChangeKind.LOST, resource, {a: (r, None) for a, r in was.items()})
    else:
        yield from _shifts(resource, was, now)


Pair = tuple[Reached | None, Reached | None]


def _shifts(
    resource: str, was: Mapping[str, Reached], now: Mapping[str, Reached]
) -> Iterator[Change]:
    moved: dict[ChangeKind, dict[str, Pair]] = {kind: {} for kind in _SHIFTS}
    known: dict[tuple[int, int], tuple[ChangeKind, ...]] = {}
    for action in sorted(was.keys() | now.keys()):
        old, new = was.get(action), now.get(action)
        key = id(old), id(new)
        if key not in known:
            known[key] = _shift(old, new)
        for kind in known[key]:
            moved[kind][action] = (old, new)
    for kind, pairs in moved.items():
        yield from _rows(kind, resource, pairs)


_SHIFTS = (ChangeKind.WIDENED, ChangeKind.NARROWED, ChangeKind.REROUTED)


def _shift(old: Reached | None, new: Reached | None) -> tuple[ChangeKind, ...]:
    """Give what became of one way to a thing that is reached on both sides."""
    if old is None or new is None:
        return (ChangeKind.WIDENED if old is None else ChangeKind.NARROWED,)
    more, less = _at_least(new.access, old.access), _at_least(old.access, new.access)
    if more and less:
        return () if _same_route(old.access.path, new.access.path) else (ChangeKind.REROUTED,)
    shifts = () if less else (ChangeKind.WIDENED,)
    return shifts if more else (*shifts, ChangeKind.NARROWED)


def _at_least(this: Access, that: Access) -> bool:
    """Does `this` give all that `that` gives, at least as surely? Acting gives what influencing
    does, whatever either hangs on."""
    acts, acted = (one.path.strength is not Strength.INFLUENCE for one in (this, that))
    if acted and not acts:
        return False
    if not _within(that, this):
        return False
    if acts and not acted:
        return True
    if _VERDICT_RANK[this.verdict] > _VERDICT_RANK[that.verdict]:
        return False
    if this.verdict is Verdict.CONDITIONAL and that.verdict is Verdict.CONDITIONAL:
        return implies(that.residual, this.residual)
    return True


def _within(this: Access, that: Access) -> bool:
    """Is every part of the resource that `this` reaches reached by `that` too?"""
    if not that.grant.within:
        return True
    if not this.grant.within:
        return False
    return all(any(covers(wide, part) for wide in that.grant.within) for part in this.grant.within)


def _same_route(this: Path, that: Path) -> bool:
    """Have two ways the same shape, whatever the names on them?"""
    return len(this.pivots) == len(that.pivots) and all(
        (one.kind, one.rule) == (other.kind, other.rule)
        for one, other in zip(this.pivots, that.pivots, strict=True)
    )


def _rows(kind: ChangeKind, resource: str, pairs: Mapping[str, Pair]) -> Iterator[Change]:
    """One change for each capability, pair of verdicts and condition; the first witness serves."""
    grouped: dict[tuple[str, ...], list[tuple[str, Access | None, Access | None]]] = {}
    alike: dict[tuple[int, int], tuple[str, ...]] = {}
    for action, (old, new) in sorted(pairs.items()):
        first, second = old.access if old else None, new.access if new else None
        both = id(first), id(second)
        if both not in alike:
            alike[both] = (*_like(first), "|", *_like(second))
        grouped.setdefault(alike[both], []).append((action, first, second))
    for _, members in sorted(grouped.items()):
        _, first, second = members[0]
        shown = second or first
        if shown is not None:
            actions = tuple(action for action, _, _ in members)
            yield Change(kind, resource, shown.grant.capability, actions, first, second)


def _like(access: Access | None) -> tuple[str, ...]:
    if access is None:
        return ("",)
    grant = access.grant
    residual = render(access.residual)
    return str(grant.capability), str(access.verdict), residual, grant.principal, *grant.within


def blamed(change: Change, old: Side, new: Side) -> Change:
    """Turn a change into `UNKNOWN` when what one side could not see may be all there is to it."""
    if change.kind not in _MORE + _LESS or not (old.blind or new.blind):
        return change
    more = change.kind in _MORE
    poorer, richer = (old, new) if more else (new, old)
    access = change.shown if change.kind is not ChangeKind.NARROWED else change.old or change.shown
    identities = poorer.radius.identities | richer.radius.identities
    sight = richer.sight
    both = [one for one in (change.old, change.new) if one is not None]
    causes = [
        gap
        for gap in poorer.blind
        # Where tags were not read, it is the poorer side that tells on which its answer hangs.
        for one in (both if gap.kind == "tags" else (access,))
        if could_hide(gap, one, identities, sight)
    ]
    told = [one.residual for one in both]
    causes += [gap for gap in (*old.blind, *new.blind) if is_told(gap, told)]
    causes += [gap for gap in richer.blind if could_limit(gap, access, identities, sight)]
    if not causes:
        return change
    return replace(change, kind=ChangeKind.UNKNOWN, caused_by=tuple(sorted(set(causes), key=repr)))


def blind_spots(
    mine: Iterable[Gap], theirs: Iterable[Gap], missing: Iterable[Gap] = ()
) -> tuple[Gap, ...]:
    """Give what one side could not see and the other could: gaps that are not on both sides, and
    `missing`: kinds that only the other side collected."""

    def key(gap: Gap) -> tuple[str, ...]:
        return (gap.provider, gap.scope, gap.kind, gap.region, gap.subject, gap.operation)

    shared = {key(gap) for gap in theirs}
    return tuple(gap for gap in (*mine, *missing) if key(gap) not in shared)
