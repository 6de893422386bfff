"""The shelves of one service that are looked at together, and how patterns cut them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from modelreach.policy.aws.shelf import Cut, Shelf
from modelreach.policy.glob import literal_prefix

_BEYOND = chr(0x10FFFF)
#: How many patterns' cuts are kept.
_MOST = 4096


class Bay(msgspec.Struct, eq=False):
    """The shelves of one service: what one account has, or what many let it have (`foreign`).

    `odd` are the resources that stand on no shelf. `needs_keys`: some are encrypted under a key
    that reading them needs, too.
    """

    service: str
    shelves: tuple[Shelf, ...]
    odd: tuple[str, ...]
    foreign: bool
    needs_keys: bool
    _sorted: tuple[list[str], list[int], dict[str, int]] | None = None
    _cuts: dict[str, dict[int, Cut]] = msgspec.field(default_factory=dict[str, dict[int, Cut]])
    _named: dict[str, bool] = msgspec.field(default_factory=dict[str, bool])

    def cuts(self, glob: str) -> dict[int, Cut]:
        """Give what a pattern does to those of the shelves of which it touches anything, by their
        place."""
        found = self._cuts.get(glob)
        if found is None:
            if len(self._cuts) >= _MOST:
                self._cuts.clear()
            cuts = ((place, self.shelves[place].cut(glob)) for place in self._near(glob))
            found = self._cuts[glob] = {place: cut for place, cut in cuts if cut.touched}
        return found

    def names(self, key: str, names: Sequence[str]) -> bool:
        """Is any of the resources here that name somebody? `names` are all that name this one."""
        found = self._named.get(key)
        if found is None:
            odd = set(self.odd)
            found = self._named[key] = any(name in odd for name in names) or any(
                shelf.own_policy and shelf.naming(key, names) for shelf in self.shelves
            )
        return found

    def _near(self, glob: str) -> Sequence[int]:
        """Give the places of the shelves that a pattern may touch: on which something starts as
        it does, or is what it goes on from."""
        if self._sorted is None:
            self._sorted = self._in_order()
        ids, on, places = self._sorted
        prefix = literal_prefix(glob)
        first, last = bisect_left(ids, prefix), bisect_left(ids, prefix + _BEYOND)
        if last - first >= 4 * len(self.shelves):
            return range(len(self.shelves))
        found = set(on[first:last])
        for end, char in enumerate(prefix):
            if char in "/:" and (place := places.get(prefix[:end])) is not None:
                found.add(place)
        return sorted(found)

    def _in_order(self) -> tuple[list[str], list[int], dict[str, int]]:
        places = {name: place for place, on in enumerate(self.shelves) for name in on.ids}
        ids = sorted(places)
        return ids, [places[name] for name in ids], places


def stands_in(name: str, ids: Sequence[str]) -> bool:
    """Is it one of these (sorted) ids?"""
    at = bisect_left(ids, name)
    return at < len(ids) and ids[at] == name


def may_touch(glob: str, ids: Sequence[str]) -> bool:
    """May a pattern touch one of these (sorted) ids, or what is in it?"""
    prefix = literal_prefix(glob)
    place = bisect_left(ids, prefix)
    if place < len(ids) and ids[place].startswith(prefix):
        return True
    return place > 0 and any(
        stands_in(prefix[:end], ids) for end, char in enumerate(prefix) if char in "/:"
    )
