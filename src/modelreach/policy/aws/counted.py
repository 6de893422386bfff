"""How many grants the part of a permission set comes to that listed resources do not show.

`unlisted` writes them out, with actions and statements. Whoever only counts them asks here: what a
box of a permission set means is then worked out once for all principals, and for all accounts that
differ in their number only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from modelreach.model import Capability
from modelreach.policy.aws import unlisted
from modelreach.policy.aws.estate import Estate
from modelreach.policy.expr import Expr, all_of
from modelreach.policy.extent import Extent
from modelreach.policy.glob import Region
from modelreach.policy.permissions import PermissionSet

_Kinds = frozenset[tuple[str, Capability]]


class Counter:
    """Counts for the principals of one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: dict[tuple[Extent, Region, str], tuple[tuple[Expr, _Kinds], ...]] = {}

    def count(self, permissions: PermissionSet, account: str) -> int:
        """Give how many grants `unlisted` would write out."""
        rows: dict[tuple[str, tuple[str, ...], Expr], set[_Kinds]] = {}
        for box in permissions.boxes:
            for region in box.resources.regions:
                for elsewhere, kinds in self._kinds(box.actions, region, account):
                    residual = all_of((box.condition, elsewhere))
                    key = (unlisted.most_telling(region), region.outside, residual)
                    rows.setdefault(key, set()).add(kinds)
        return sum(len({one for kinds in groups for one in kinds}) for groups in rows.values())

    def _kinds(
        self, actions: Extent, region: Region, account: str
    ) -> tuple[tuple[Expr, _Kinds], ...]:
        """Give the kinds, with the capabilities over them, by what they hang on besides."""
        key = (actions, region, account)
        if key not in self._known:
            groups: dict[Expr, set[tuple[str, Capability]]] = {}
            for kind, capability in self._spelled(actions, region, account):
                elsewhere = unlisted.elsewhere(region, kind, account, self._estate)
                groups.setdefault(elsewhere, set()).add((kind, capability))
            self._known[key] = tuple((e, frozenset(kinds)) for e, kinds in groups.items())
        return self._known[key]

    def _spelled(
        self, actions: Extent, region: Region, account: str
    ) -> list[tuple[str, Capability]]:
        if unlisted.unbounded(actions):
            return [("*", Capability.MANAGE)]
        found = [
            (meant.kind, meant.capability)
            for meant in _meant(actions, _anywhere(region, account))
            if not unlisted.shown(meant.kind, meant.followed, region, account, self._estate)
        ]
        uncatalogued = unlisted.uncatalogued(actions)
        return found + [(f"{n.partition(':')[0]}:*", Capability.WRITE) for n in uncatalogued]


@dataclass(frozen=True, slots=True)
class _Meant:
    kind: str
    capability: Capability
    followed: bool


@lru_cache(1 << 16)
def _meant(actions: Extent, region: Region) -> tuple[_Meant, ...]:
    found = unlisted.meaning(actions, region)
    return tuple(_Meant(one.kind, one.capability, one.followed) for one in found)


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
