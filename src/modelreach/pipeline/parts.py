"""What is derived of each part of an estate and of nothing else, worked out elsewhere: it has to
be there before anything is decided, and no part waits for another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from modelreach.policy import providers
from modelreach.policy.provider import OfPart
from modelreach.snapshot import Derived, Facts

#: Parts that are sent together: enough to outweigh the sending.
_TOGETHER = 8

_READER = msgspec.msgpack.Decoder(Derived)


class Parts:
    """Gives out of which parts something is to be derived. Answers `pinned.Errands`."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        names = [one.name for one in _derived(facts)]
        missing = tuple(
            part for part in facts.parts if not all(facts.remembers(part, name) for name in names)
        )
        self.count = len(missing)
        self._left = [missing[at : at + _TOGETHER] for at in range(0, len(missing), _TOGETHER)]
        #: Which worker has read a part.
        self.read_by: dict[str, str] = {}

    def take(self, worker: str, *, idle: bool) -> Sequence[str] | None:
        """Give the next parts."""
        if not self._left:
            return None
        parts = self._left.pop()
        self.read_by.update(dict.fromkeys(parts, worker))
        return parts

    def done(self, errand: Sequence[str], result: bytes) -> None:
        """Take what was derived of some."""
        self._facts.take_over(_READER.decode(result))
        if not self._left:
            self._facts.keep()

    def lost(self, worker: str) -> None:
        """Forget what a worker has read."""
        self.read_by = {part: who for part, who in self.read_by.items() if who != worker}

    def derive_here(self) -> None:
        """Derive what is missing."""
        for parts in self._left:
            derive(self._facts, parts)
        self._left.clear()
        self._facts.keep()


def derived_of(facts: Facts, parts: Sequence[str]) -> bytes:
    """Derive all of some parts, for somebody else to keep."""
    derive(facts, parts)
    return msgspec.msgpack.encode(facts.handed_over())


def derive(facts: Facts, parts: Sequence[str]) -> None:
    """Derive all of some parts."""
    for one in _derived(facts):
        for part in parts:
            one.derive(facts, part)


def _derived(facts: Facts) -> Iterator[OfPart]:
    known = providers.providers()
    for name in sorted(providers.makers(facts)):
        of_part = known[name].of_part
        if of_part is not None:
            yield of_part()
