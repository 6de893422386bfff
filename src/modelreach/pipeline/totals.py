"""What several identities hold together: which resources, as bits, by how sure it is."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from modelreach.pipeline.decided import VERDICTS, Decided, Held

#: Bits by scope, for each class and capability.
ByKey = dict[tuple[str, str], dict[str, int]]
#: What is held, by the place of a verdict.
ByVerdict = tuple[ByKey, ...]

#: One line of what an identity holds: class and capability, scope, place of the verdict, bits.
_Line = tuple[tuple[str, str], str, int, int]
#: Of how many identities the lines are kept.
_MOST = 1 << 13


def nothing() -> ByVerdict:
    """Give what nobody holds."""
    return tuple({} for _ in VERDICTS)


class Totals(msgspec.Struct):
    """Sums up what identities hold: each resource under every verdict under which one of them
    holds it. `patterns` are how many grants they have on what is not listed."""

    held: ByVerdict = msgspec.field(default_factory=nothing)
    patterns: int = 0
    taken: set[tuple[int, int]] = msgspec.field(default_factory=set[tuple[int, int]])

    def take(self, decided: Decided, way: int, lines: Lines) -> None:
        """Add what an identity holds to which the way is as weak as this verdict. What others
        hold as well, the very same tuple, is added once; it has to stay alive as long as this."""
        self.patterns += decided.patterns
        known = id(decided.held), way
        if known in self.taken:
            return
        self.taken.add(known)
        for key, scope, verdict, mask in lines.of(decided.held):
            scopes = self.held[max(way, verdict)].setdefault(key, {})
            scopes[scope] = scopes.get(scope, 0) | mask

    def copy(self) -> Totals:
        """Give the same, to add to."""
        held = tuple({key: dict(bits) for key, bits in place.items()} for place in self.held)
        return Totals(held, self.patterns, set(self.taken))

    def at_least(self) -> ByVerdict:
        """Give what is held at least as surely as each verdict says: the first has what is surely
        held, the next what is held under conditions as well, the last all."""
        found = nothing()
        for place, by_key in enumerate(self.held):
            for key, bits in by_key.items():
                for weaker in found[place:]:
                    scopes = weaker.setdefault(key, {})
                    for scope, mask in bits.items():
                        scopes[scope] = scopes.get(scope, 0) | mask
        return found


class Lines:
    """Gives what identities hold line by line; of those that were last asked about it is kept."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[tuple[Held, ...], tuple[_Line, ...]]] = {}

    def of(self, held: tuple[Held, ...]) -> tuple[_Line, ...]:
        """Give the lines of what somebody holds."""
        known = self._known.get(id(held))
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            # It is kept with its lines, so its id stays taken.
            known = self._known[id(held)] = held, tuple(_lines(held))
        return known[1]


def _lines(held: tuple[Held, ...]) -> Iterator[_Line]:
    for one in held:
        mask = int.from_bytes(one.bits, "little")
        yield (one.kind, one.capability), one.scope, one.verdict, mask


def counted(held: ByVerdict) -> dict[tuple[str, str], tuple[int, ...]]:
    """Count the resources, by class and capability, for each verdict."""
    return {
        key: tuple(sum(m.bit_count() for m in bits.get(key, {}).values()) for bits in held)
        for key in held[-1]
    }


def counted_besides(more: ByVerdict, known: ByVerdict) -> dict[tuple[str, str], tuple[int, ...]]:
    """Count the resources in `more` that are not in `known`."""
    return {
        key: tuple(
            sum(
                (mask & ~there.get(key, {}).get(scope, 0)).bit_count()
                for scope, mask in bits.get(key, {}).items()
            )
            for bits, there in zip(more, known, strict=True)
        )
        for key in more[-1]
    }
