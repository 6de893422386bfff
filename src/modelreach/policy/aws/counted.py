"""How many grants the part of a permission set comes to that listed resources do not show.

`unlisted` writes them out, with actions and statements. Whoever only counts them asks here: what a
box of a permission set means is then worked out once for all principals, and for all accounts that
differ in their number only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from modelreach.model import Capability
from modelreach.policy.aws import unlisted
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.meaning import Meant, meaning, told, unbounded, uncatalogued
from modelreach.policy.expr import TRUE, Expr, all_of
from modelreach.policy.extent import Extent
from modelreach.policy.glob import Region, is_literal
from modelreach.policy.permissions import Box, PermissionSet

#: Kinds of things, with the capabilities over them.
Kinds = frozenset[tuple[str, Capability]]
#: What grants by pattern have in common: the pattern, what it spares, and what they hang on.
Row = tuple[str, tuple[str, ...], Expr]


#: A box without what it stands on.
Plain = tuple[Extent, Extent, Expr]


def plain(box: Box) -> Plain:
    """Give what a box holds."""
    return box.actions, box.resources, unlisted.condition_of(box)


#: How many boxes are kept with what they mean: those of some accounts.
_MOST = 1 << 12


class Counter:
    """Counts for the principals of one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: dict[tuple[Extent, Region, str], tuple[tuple[Expr, Kinds], ...]] = {}

    def count(self, permissions: PermissionSet, account: str) -> int:
        """Give how many grants `unlisted` would write out."""
        return sum(map(len, self._of(permissions, account).values()))

    def by_scope(self, permissions: PermissionSet, account: str) -> dict[str, int]:
        """Give how many grants `unlisted` would write out, by the account that they lie in."""
        found: dict[str, int] = {}
        for (pattern, *_), kinds in self._of(permissions, account).items():
            scope = unlisted.scope_of(pattern, account)
            found[scope] = found.get(scope, 0) + len(kinds)
        return found

    def _of(self, permissions: PermissionSet, account: str) -> dict[Row, Kinds]:
        return self.rows(map(plain, permissions.boxes), account)

    def rows(self, boxes: Iterable[Plain], account: str) -> dict[Row, Kinds]:
        """Give of what there would be grants, by what each of them says besides."""
        rows: dict[Row, Kinds] = {}
        for actions, resources, condition in boxes:
            for region in resources.regions:
                for where, kinds in self._kinds(actions, region, account):
                    residual = condition if where is TRUE else all_of((condition, where))
                    key = (unlisted.most_telling(region), region.outside, residual)
                    known = rows.get(key)
                    rows[key] = kinds if known is None or known is kinds else known | kinds
        return rows

    def _kinds(
        self, actions: Extent, region: Region, account: str
    ) -> tuple[tuple[Expr, Kinds], ...]:
        """Give the kinds, with the capabilities over them, by what they hang on besides."""
        key = (actions, region, account)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]
            known = self._known[key] = tuple(self._by_elsewhere(actions, region, account))
        return known

    def _by_elsewhere(
        self, actions: Extent, region: Region, account: str
    ) -> Iterator[tuple[Expr, Kinds]]:
        """What a grant hangs on elsewhere is the same for all kinds, but for buckets."""
        spot = unlisted.Spot.of(region, account)
        kinds = self._spelled(actions, spot)
        if not kinds:
            return
        where = unlisted.elsewhere(spot, "", self._estate)
        of_buckets = unlisted.elsewhere(spot, _BUCKET, self._estate)
        if where == of_buckets:
            yield where, kinds
            return
        buckets = frozenset(one for one in kinds if one[0] == _BUCKET)
        for when, some in ((where, kinds - buckets), (of_buckets, buckets)):
            if some:
                yield when, some

    def _spelled(self, actions: Extent, spot: unlisted.Spot) -> Kinds:
        if unbounded(actions):
            return frozenset({("*", Capability.MANAGE)})
        meant = _meant(actions, _plainest(actions, spot))
        shown = self._shown(meant, spot)
        kinds = _without(meant, frozenset(shown)) if shown else meant.every
        uncatalogued = _uncatalogued(actions)
        return kinds | uncatalogued if uncatalogued else kinds

    def _shown(self, meant: _Meanings, spot: unlisted.Spot) -> list[_Thing]:
        """Give what listed resources speak for. Of kinds that were not collected, none do, unless
        something is named outright."""
        covered = self._estate.covered(spot.owner)
        outright = is_literal(spot.pattern)
        return [
            (kind, followed)
            for kind, followed in meant.things
            if (outright or followed or kind == _BUCKET or kind in covered)
            and unlisted.shown(kind, followed, spot, self._estate)
        ]


_BUCKET = "s3:bucket"


#: A kind, and whether reach follows what is meant of it.
_Thing = tuple[str, bool]


class _Meanings(msgspec.Struct, frozen=True, eq=False):
    """What actions mean in a region, the things that they mean it of, and the kinds with
    capabilities of all that."""

    all: tuple[Meant, ...]
    things: tuple[_Thing, ...]
    every: Kinds


@lru_cache(1 << 12)
def _without(meant: _Meanings, shown: frozenset[_Thing]) -> Kinds:
    """Give the kinds and capabilities without what is shown: the same set for the same."""
    return frozenset(
        (one.kind, one.capability) for one in meant.all if (one.kind, one.followed) not in shown
    )


@lru_cache(1 << 12)
def _meant(actions: Extent, region: Region) -> _Meanings:
    found = meaning(actions, region)
    things = tuple(dict.fromkeys((one.kind, one.followed) for one in found))
    return _Meanings(found, things, frozenset((one.kind, one.capability) for one in found))


@lru_cache(1 << 12)
def _uncatalogued(actions: Extent) -> Kinds:
    return frozenset(
        (f"{name.partition(':')[0]}:*", Capability.WRITE) for name in uncatalogued(actions)
    )


def _plainest(actions: Extent, spot: unlisted.Spot) -> Region:
    """Give a region in which the actions mean the same, with as little in it as can be."""
    plain = told(actions, spot.region)
    return _anywhere(spot.region, spot.account) if plain is spot.region else plain


#: Stands for the number of the account.
_SOME = "000000000000"


def _anywhere(region: Region, account: str) -> Region:
    """Give a region as the same policies of any other account would have it.

    What kinds of things lie in it does not hang on the number of the account, as long as no
    pattern speaks of a part of that number.
    """
    globs = (*region.inside, *region.outside)
    if not account or not all(_whole(glob) for glob in globs):
        return region
    field = f":{account}:"
    inside, outside = (
        tuple(sorted(glob.replace(field, f":{_SOME}:", 1) for glob in side))
        for side in (region.inside, region.outside)
    )
    return Region(inside, outside)


def _whole(glob: str) -> bool:
    """Is the account of a pattern one account, or any?"""
    parts = glob.split(":", 5)
    if len(parts) < 6:
        return glob == "*"
    head = parts[4]
    return head in ("", "*") or (head.isdigit() and len(head) == 12 and head != _SOME)
