"""The roles of other accounts that trust a principal, in brief: by sets of those that nothing
tells apart, and only those that its own policies let it assume at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from modelreach.policy.aws.context import Context
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.invited import Invited
from modelreach.policy.aws.layers import Policies
from modelreach.policy.aws.roster import Sorted, sign
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.aws.slices import Sliced
from modelreach.policy.box import Box

_ASSUME = "sts:AssumeRole"

#: Roles that are told apart by nothing, by their trust (None where it does not matter, or was not
#: read): bits of each set.
Part = tuple[Policies | None, tuple[int, ...]]
#: What is known of an account: for a name, whether roles ask who in particular calls, and what is
#: said of assuming them, the parts of those that trust the name.
Parts = dict[tuple[str, bool, int], tuple[Part, ...]]


class _Trusting(msgspec.Struct, frozen=True, eq=False):
    """The roles, wherever, that trust a name: `some` are sets of those that ask who in particular
    calls, `others` the other sets."""

    among: Sorted
    some: tuple[int, ...]
    others: tuple[int, ...]


class Abroad:
    """Gives roles of other accounts, for the principals of one estate."""

    def __init__(self, estate: Estate, shelving: Shelving, invited: Invited) -> None:
        self._estate, self._shelving, self._invited = estate, shelving, invited
        self._trusting: dict[str, _Trusting] = {}

    def of(
        self, sliced: Sliced, context: Context, key: str, some: bool, known: Parts
    ) -> Iterator[tuple[Sorted, int]]:
        """Give the sets of those that trust a name and may be assumed as far as the own policies
        go: those that ask who in particular calls (`some`), or the others. `known` is what was
        found for principals of the same account."""
        boxes = sliced.boxes(_ASSUME)
        if not boxes:
            return
        place = key, some, sliced.number(_ASSUME)
        if place not in known:
            known[place] = self._parted(sliced, key, some, boxes)
        among = self._trusting_of(key).among
        for trust, masks in known[place]:
            if trust is None or self._invited.may_mean(trust, context):
                yield from ((among, mask) for mask in masks)

    def _parted(
        self, sliced: Sliced, key: str, some: bool, boxes: Sequence[Box]
    ) -> tuple[Part, ...]:
        """Give those that trust a name, parted by the patterns of the own policies."""
        trusting, told = self._trusting_of(key), sliced.told(_ASSUME)
        among, sets = trusting.among, trusting.some if some else trusting.others
        here = among.matching(f"arn:*:iam::{sliced.asker.principal.scope}:*")
        away = (mask & ~here for mask in among.parted(sets, told.globs if told else ()))
        groups: dict[tuple[str, ...] | None, tuple[Policies | None, list[int]]] = {}
        for mask in filter(None, away):
            first = among.first(mask)
            if any(box.resources.contains(first) for box in boxes):
                read = some and first not in self._estate.gaps_by_subject
                trust = self._estate.attached(first, "trust") if read else None
                digests = None if trust is None else tuple(one.digest for one in trust)
                groups.setdefault(digests, (trust, []))[1].append(mask)
        return tuple((trust, tuple(masks)) for trust, masks in groups.values())

    def _trusting_of(self, key: str) -> _Trusting:
        """Give the roles that trust a name, wherever, and their sets."""
        if key not in self._trusting:
            groups: dict[tuple[bool, object], list[str]] = {}
            principals, named = self._estate.facts.principals, self._estate.named
            for name in named.trusts.get(key, ()):
                role = principals.get(name)
                if role is not None:
                    home = name.split(":", 2)[1], self._shelving.home(role.scope)
                    alike = sign(role, self._estate), home
                    groups.setdefault((name in named.trusting_some, alike), []).append(name)
            among = Sorted(tuple(sorted(name for names in groups.values() for name in names)))
            some, others = (
                tuple(among.bits(names) for (asks, _), names in groups.items() if asks is which)
                for which in (True, False)
            )
            self._trusting[key] = _Trusting(among, some, others)
        return self._trusting[key]
