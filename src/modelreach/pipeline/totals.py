"""What many identities hold together, summed up as bits.

What can be held is numbered: one number for each class, capability and scope. So what an identity
holds is a few pairs of a number and bits, the same pair wherever the same is held.
"""

from __future__ import annotations

import msgspec

from modelreach.pipeline.decided import VERDICTS, Held

#: Resources as bits, by number of what is held where.
_Bits = dict[int, int]
#: Numbers with bits, by the place of the verdict.
_Pairs = tuple[tuple[tuple[int, int], ...], ...]
#: How many resources are held surely, or at most under conditions, or at all.
Counts = tuple[int, ...]


class Totals(msgspec.Struct):
    """What several identities hold together, by how sure it is, and how many patterns; `taken` are
    those of `held` that are in it, each with how sure the way to it was."""

    held: tuple[_Bits, ...] = msgspec.field(default_factory=lambda: tuple({} for _ in VERDICTS))
    patterns: int = 0
    taken: set[tuple[int, int]] = msgspec.field(default_factory=set[tuple[int, int]])

    def copy(self) -> Totals:
        """Give the same, to add to."""
        return Totals(tuple(map(dict, self.held)), self.patterns, set(self.taken))


class Summing:
    """Adds to totals, and counts what is in them."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._keys: list[tuple[str, str]] = []
        # What was held is kept with it, so that its id stays taken.
        self._pairs: dict[int, tuple[Held, tuple[int, int]]] = {}
        self._known: dict[int, tuple[tuple[Held, ...], _Pairs]] = {}

    def take(self, totals: Totals, held: tuple[Held, ...], way: int) -> None:
        """Add what an identity holds to which this is the way (its place in `VERDICTS`). What
        others hold as well, the very same tuple, is added once."""
        key = id(held), way
        if key in totals.taken:
            return
        totals.taken.add(key)
        for place, pairs in enumerate(self._of(held)):
            if pairs:
                bits = totals.held[max(way, place)]
                known = bits.get
                for number, mask in pairs:
                    bits[number] = known(number, 0) | mask

    def _of(self, held: tuple[Held, ...]) -> _Pairs:
        found = self._known.get(id(held))
        if found is None:
            pairs: tuple[list[tuple[int, int]], ...] = tuple([] for _ in VERDICTS)
            for one in held:
                pairs[one.verdict].append(self._pair(one))
            found = self._known[id(held)] = held, tuple(map(tuple, pairs))
        return found[1]

    def _pair(self, held: Held) -> tuple[int, int]:
        found = self._pairs.get(id(held))
        if found is None:
            what = held.kind, held.capability, held.scope
            number = self._numbers.setdefault(what, len(self._keys))
            if number == len(self._keys):
                self._keys.append((held.kind, held.capability))
            pair = number, int.from_bytes(held.bits, "little")
            found = self._pairs[id(held)] = held, pair
        return found[1]

    def counted(self, totals: Totals) -> dict[tuple[str, str], Counts]:
        """Give how many resources are held, by class and capability."""
        return self.added({}, Totals(), totals)

    def added(
        self, counts: dict[tuple[str, str], Counts], base: Totals, more: Totals
    ) -> dict[tuple[str, str], Counts]:
        """Give how many there are with what else is held, each resource once; `counts` are those
        of the base."""
        found = {key: list(some) for key, some in counts.items()}
        both = tuple(zip(more.held, base.held, strict=True))
        for number in set[int]().union(*more.held):
            key = self._keys[number]
            places = found.get(key)
            if places is None:
                places = found[key] = [0] * len(VERDICTS)
            mask = had = 0
            for place, (bits, known) in enumerate(both):
                mask |= bits.get(number, 0)
                had |= known.get(number, 0)
                places[place] += (mask & ~had).bit_count()
        return {key: tuple(some) for key, some in found.items()}
