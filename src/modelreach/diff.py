"""The difference of two blast radii: what is gained, lost, widened, narrowed or rerouted.

It speaks of reach and not of names: a renamed role with the same access is no change, and the
same role with a wider policy is one. A change whose cause may be that something was not read is
`UNKNOWN`, in both directions, so that a refused call never reads as an improvement.

Swapping old and new swaps gained with lost and widened with narrowed; a radius compared with
itself gives nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from modelreach.blame import Sight, could_hide, could_limit, is_told
from modelreach.graph import WEAKNESS, Path
from modelreach.model import Capability, Strength, Verdict
from modelreach.policy.expr import implies, render
from modelreach.policy.glob import covers
from modelreach.reach import Access, BlastRadius
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
        """Order of preference: certain before conditional before unknown, acting before
        influencing, short before long."""
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
    compared (listed, by pattern, to identities and to scopes, all in the one form). `sight` is
    what both know of places."""

    radius: BlastRadius
    accesses: tuple[Access, ...]
    blind: tuple[Gap, ...] = ()
    sight: Sight = msgspec.field(default_factory=Sight)


#: resource -> action -> the best way to it
Index = Mapping[str, Mapping[str, Reached]]


def index(accesses: Iterable[Access]) -> dict[str, dict[str, Reached]]:
    """Give, for each resource and action, the best access; of equals the first.

    Many have a resource by the very same list of actions: of these only the best is gone through.
    """
    ranks = _Ranks()
    alike: dict[str, dict[int, tuple[_Ranked, Access]]] = {}
    for place, access in enumerate(accesses):
        grant = access.grant
        same = alike.get(grant.resource)
        if same is None:
            same = alike[grant.resource] = {}
        # The list is kept with its access, so its id stays taken.
        key, rank = id(grant.actions), (ranks.of(access), place)
        known = same.get(key)
        if known is None or rank < known[0]:
            same[key] = rank, access
    return {resource: _by_action(same.values()) for resource, same in alike.items()}


_Ranked = tuple[_Rank, int]


def _by_action(found: Collection[tuple[_Ranked, Access]]) -> dict[str, Reached]:
    best: dict[str, tuple[_Ranked, Reached]] = {}
    for rank, access in found:
        one = rank, Reached(access)
        for action in access.grant.actions:
            known = best.get(action)
            if known is None or rank < known[0]:
                best[action] = one
    return {action: reached for action, (_, reached) in best.items()}


class _Ranks:
    """Ranks of accesses, which are the same for all by one way, of one verdict."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Verdict, str], tuple[Path, _Rank]] = {}

    def of(self, access: Access) -> _Rank:
        key = id(access.path), access.grant.verdict, access.grant.principal
        known = self._known.get(key)
        if known is None:
            # The way is kept with its rank, so its id stays taken.
            known = self._known[key] = access.path, Reached(access).rank
        return known[1]


def diff(
    old: Side, new: Side, *, covered: Callable[[Side, str], bool] = lambda _side, _resource: False
) -> tuple[Change, ...]:
    """Give every change, in a stable order.

    `covered` answers whether a side reaches a resource anyway, by having taken over its scope:
    then its absence from the side's index is no loss, and its presence on the other no gain.
    """
    before, after = index(old.accesses), index(new.accesses)
    changes: list[Change] = []
    for resource in sorted(before.keys() | after.keys()):
        was, now = before.get(resource, {}), after.get(resource, {})
        hidden = {
            kind
            for side, kinds in ((old, _MORE), (new, _LESS))
            if covered(side, resource)
            for kind in kinds
        }
        changes.extend(c for c in _changes(resource, was, now) if c.kind not in hidden)
    judged = [blamed(change, old, new) for change in changes]
    return tuple(sorted(judged, key=order))


_MORE = (ChangeKind.GAINED, ChangeKind.WIDENED)
_LESS = (ChangeKind.LOST, ChangeKind.NARROWED)


def order(change: Change) -> tuple[str, str, str, tuple[str, ...]]:
    """Sort key of changes."""
    return change.resource, str(change.capability), str(change.kind), change.actions


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
    """Does `this` give all that `that` gives, at least as surely?"""
    if WEAKNESS[this.path.strength] > WEAKNESS[that.path.strength] and (
        this.path.strength is Strength.INFLUENCE
    ):
        return False
    if _VERDICT_RANK[this.verdict] > _VERDICT_RANK[that.verdict]:
        return False
    if not _within(that, this):
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
    causes = [gap for gap in poorer.blind if could_hide(gap, access, identities, sight)]
    told = [one.residual for one in (change.old, change.new) if one is not None]
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
