"""What one principal comes to, small: whom it becomes, and which resources it has, as bits.

Everything that is decided about a principal hangs on that principal's facts only, so it is decided
once, whoever reaches it, can be kept, and can be worked out elsewhere. Resources are numbered
within their scope, in the order of their ids: such numbers mean something only together with that
scope's facts as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from modelreach.graph import WEAKNESS
from modelreach.model import Verdict
from modelreach.policy.engine import Engine, Grant, Pivot
from modelreach.policy.providers import resource_class
from modelreach.reach import Owner
from modelreach.snapshot import Facts

#: Verdicts from sure to unsure, by their place.
VERDICTS = (Verdict.ALLOW, Verdict.CONDITIONAL, Verdict.UNKNOWN)
_PLACE = {verdict: place for place, verdict in enumerate(VERDICTS)}

#: Bits by scope.
Bits = dict[str, int]


class Step(msgspec.Struct, frozen=True, array_like=True):
    """A hop: whom or what it leads to, how weak it is (see `graph.WEAKNESS`), and whether it
    takes a scope over."""

    target: str
    weakness: int
    administers: bool


class Held(msgspec.Struct, frozen=True, array_like=True):
    """Resources of one class and scope that one capability is held over: which, as bytes of bits,
    and the place of the verdict in `VERDICTS`."""

    kind: str
    capability: str
    verdict: int
    scope: str
    bits: bytes


class Decided(msgspec.Struct, frozen=True, array_like=True):
    """All that a survey asks about one principal; sorted."""

    steps: tuple[Step, ...]
    held: tuple[Held, ...]
    patterns: int


class Numbers:
    """The place of each resource within its scope."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._places: dict[str, dict[str, int]] = {}

    def of(self, scope: str) -> Mapping[str, int]:
        """Give the places of a scope's resources."""
        if scope not in self._places:
            ids = sorted(resource.id for resource in self._facts.part(scope).resources)
            self._places[scope] = {name: place for place, name in enumerate(ids)}
        return self._places[scope]


class Decider:
    """Decides principals of one snapshot, each once."""

    def __init__(self, facts: Facts, engines: Mapping[str, Engine]) -> None:
        self._facts = facts
        self._owner = Owner(engines)
        self._numbers = Numbers(facts)
        self._masks: dict[object, Bits] = {}

    def decide(self, name: str) -> Decided | None:
        """Give what a principal comes to; None when no snapshot tells of it."""
        found = self._owner.of(name)
        if found is None:
            return None
        engine, principal = found
        held: dict[tuple[str, str, int], Bits] = {}
        elsewhere: set[str] = set()
        for grants, every in _classes(engine, name):
            ids = tuple(one for one in every if one in self._facts.resources)
            elsewhere.update(set(every) - set(ids))
            bits = self._bits(ids)
            for grant in grants:
                if grant.verdict in _PLACE:
                    key = (
                        resource_class(grant.kind),
                        str(grant.capability),
                        _PLACE[grant.verdict],
                    )
                    add(held.setdefault(key, {}), bits)
        patterns = engine.unlisted(engine.permissions(name), principal.scope)
        return Decided(
            tuple(sorted({step_of(pivot) for pivot in self._owner.pivots(name)}, key=_order)),
            tuple(
                Held(*key, scope, to_bytes(mask))
                for key, bits in sorted(held.items())
                for scope, mask in sorted(bits.items())
            ),
            # What is no listed resource (the mail of a tenant) is counted with what is not listed.
            len(patterns) + len(elsewhere),
        )

    def _bits(self, ids: tuple[str, ...]) -> Bits:
        if ids not in self._masks:
            groups: dict[str, bytearray] = {}
            for name in ids:
                scope = self._facts.resources[name].scope
                place = self._numbers.of(scope)[name]
                array = groups.setdefault(
                    scope, bytearray((len(self._numbers.of(scope)) + 7) // 8)
                )
                array[place >> 3] |= 1 << (place & 7)
            self._masks[ids] = {s: int.from_bytes(a, "little") for s, a in groups.items()}
        return self._masks[ids]


def _classes(engine: Engine, name: str) -> Iterator[tuple[tuple[Grant, ...], tuple[str, ...]]]:
    """Give grants with the resources that they are on alike: by class where the engine has
    classes, else one by one."""
    by_class = getattr(engine, "grant_classes", None)
    if by_class is not None:
        yield from by_class(name)
        return
    for grant in engine.grants(name):
        yield (grant,), (grant.resource,)


def step_of(pivot: Pivot) -> Step:
    """Give a hop, small."""
    return Step(pivot.target, WEAKNESS[pivot.strength], pivot.kind == "administer")


def _order(step: Step) -> tuple[str, int, bool]:
    return step.target, step.weakness, step.administers


def to_bytes(mask: int) -> bytes:
    """Give bits as bytes."""
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def add(to: Bits, more: Bits) -> None:
    """Add bits to others."""
    for scope, mask in more.items():
        to[scope] = to.get(scope, 0) | mask
