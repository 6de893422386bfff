"""Resources that were numbered by another listing of their scope, by the numbers of this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from modelreach.pipeline.decided import Held, to_bytes
from modelreach.snapshot import Facts


class Moves:
    """Numbers what is held anew. `listings` say by which listing each scope's resources were
    numbered."""

    def __init__(self, facts: Facts, listings: Mapping[str, bytes]) -> None:
        self._facts = facts
        self._listings = {
            scope: listing
            for scope, listing in listings.items()
            if facts.listing(scope) != listing
        }
        self._places: dict[str, tuple[int, ...] | None] = {}

    def moved(self, held: Held) -> Held | None:
        """Give what is held by the numbers of now; None where that cannot be said, or where
        something is not there any more."""
        if held.scope not in self._listings:
            return held
        bits = self._bits(held)
        return None if bits is None else replace(held, bits=bits)

    def _bits(self, one: Held) -> bytes | None:
        places = self._of(one.scope)
        if places is None:
            return None
        mask = 0
        for old in _ones(one.bits):
            if old >= len(places) or places[old] == _GONE:
                return None
            mask |= 1 << places[old]
        return to_bytes(mask)

    def _of(self, scope: str) -> tuple[int, ...] | None:
        """Give the place of now for each of before."""
        if scope not in self._places:
            before = self._facts.listed(self._listings[scope])
            now = self._facts.listed(self._facts.listing(scope))
            known = {name: place for place, name in enumerate(now or ())}
            self._places[scope] = (
                None if before is None else tuple(known.get(name, _GONE) for name in before)
            )
        return self._places[scope]


_GONE = -1


def _ones(bits: bytes) -> Iterator[int]:
    mask = int.from_bytes(bits, "little")
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
