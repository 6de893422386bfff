"""What one principal comes to, small: whom it becomes, and which resources it has, as bits.

Everything that is decided about a principal hangs on that principal's facts only, so it is decided
once, whoever reaches it, can be kept, and can be worked out elsewhere. Resources are numbered
within their scope, in the order of their ids: such numbers mean something only together with that
scope's facts as they were.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from modelreach.model import Verdict, base_of
from modelreach.policy.brief import Answer, Brevity, Brief, Holding, Hop
from modelreach.policy.engine import Engine, Grant, Pivot
from modelreach.policy.providers import resource_class
from modelreach.reach import Owner
from modelreach.snapshot import Facts

#: Verdicts from sure to unsure, by their place.
VERDICTS = (Verdict.ALLOW, Verdict.CONDITIONAL, Verdict.UNKNOWN)
_PLACE = {verdict: place for place, verdict in enumerate(VERDICTS)}

_MOST = 8192

#: Bits by scope.
Bits = dict[str, int]
#: Bits by resource class, capability and place of the verdict.
_ByKey = dict[tuple[str, str, int], Bits]


class Step(msgspec.Struct, frozen=True, array_like=True):
    """A hop: whom or what it leads to, how weak it is (see `policy.weakness`), and whether it
    takes a scope over."""

    target: str
    weakness: int
    administers: bool

    @property
    def base(self) -> str:
        """The principal that the target is, or is made of (`ID#any-policy`: see `became`)."""
        return base_of(self.target)


class Held(msgspec.Struct, frozen=True, array_like=True):
    """Resources of one class and scope that one capability is held over: which, as bytes of bits,
    and the place of the verdict in `VERDICTS`."""

    kind: str
    capability: str
    verdict: int
    scope: str
    bits: bytes


class Decided(msgspec.Struct, frozen=True, array_like=True):
    """All that a survey asks about one principal; sorted.

    `common` are steps that others take, too: mostly the same tuple for all of them. So are those
    that are `aimed`, except at `itself` and what it would become, which lead nowhere.
    """

    steps: tuple[Step, ...]
    held: tuple[Held, ...]
    patterns: int
    common: tuple[Step, ...] = ()
    aimed: tuple[Step, ...] = ()
    itself: str = ""

    @property
    def every(self) -> Iterator[Step]:
        """All steps."""
        yield from self.steps
        yield from self.common
        yield from (step for step in self.aimed if step.base != self.itself)


class Steps:
    """Tells to whom steps lead, those that several take once for all of them."""

    def __init__(self) -> None:
        # The steps are kept, so their ids stay taken; with those that are aimed, who was left out.
        self._taken: dict[int, tuple[tuple[Step, ...], str | None]] = {}

    def new(self, decided: Decided) -> Iterator[str]:
        """Give whom one leads to, as far as others like it have not."""
        yield from (step.target for step in decided.steps if not step.administers)
        if id(decided.common) not in self._taken:
            self._taken[id(decided.common)] = decided.common, None
            yield from (step.target for step in decided.common if not step.administers)
        yield from self._aimed(decided.aimed, decided.itself)

    def _aimed(self, aimed: tuple[Step, ...], itself: str) -> Iterator[str]:
        _, left = self._taken.get(id(aimed), (aimed, ""))
        if left is None or left == itself:
            return
        self._taken[id(aimed)] = aimed, None if left else itself
        yield from (
            step.target
            for step in aimed
            if not step.administers and (step.base == left if left else step.base != itself)
        )


class Numbers:
    """The place of each resource within its scope."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._places: dict[str, dict[str, int]] = {}
        self._small: dict[str, _Places] = {}

    def bits(self, scope: str, names: Iterable[str]) -> int:
        """Give resources of a scope as bits."""
        places = self._small.get(scope) or self._of(scope)
        return _bits([places[name] for name in names])

    def place(self, scope: str, name: str) -> int:
        """Give the place of a resource within its scope."""
        return (self._small.get(scope) or self._of(scope))[name]

    def _of(self, scope: str) -> dict[str, int]:
        if scope not in self._places:
            ids = sorted(one.id for one in self._facts.section(scope, "resources"))
            self._places[scope] = {name: place for place, name in enumerate(ids)}
        return self._places[scope]

    def let_go(self) -> None:
        """Keep the places without the names."""
        for scope, places in self._places.items():
            self._small[scope] = _Places(places)
        self._places.clear()


def _bits(places: Sequence[int]) -> int:
    """Give places as bits."""
    if len(places) == 1:
        return 1 << places[0]
    found = bytearray((max(places, default=0) >> 3) + 1)
    for place in places:
        found[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(found, "little")


class _Table(msgspec.Struct, frozen=True, eq=False):
    """The scope, and the place in it, of each of some resources, which are kept here: so their id
    stays taken."""

    ids: tuple[str, ...]
    scopes: tuple[str, ...]
    places: array[int]

    @property
    def of_one(self) -> bool:
        """Are they all of one scope?"""
        return self.scopes.count(self.scopes[0]) == len(self.scopes)

    def bits(self, mask: int) -> Bits:
        """Give those of a mask as bits within their scopes."""
        found: dict[str, list[int]] = {}
        scopes, places = self.scopes, self.places
        digits = bin(mask)[:1:-1]
        at = digits.find("1")
        while at >= 0:
            found.setdefault(scopes[at], []).append(places[at])
            at = digits.find("1", at + 1)
        return {scope: _bits(some) for scope, some in found.items()}


class _Places:
    """Places by name, without the names: only of those that have one can it be told."""

    def __init__(self, places: Mapping[str, int]) -> None:
        ordered = sorted((hash(name), place) for name, place in places.items())
        self._numbers = array("q", (number for number, _ in ordered))
        self._at = array("L", (place for _, place in ordered))
        # Names that have the same number stay what they are.
        twice = {one for one, other in pairwise(self._numbers) if one == other}
        self._alike = {name: place for name, place in places.items() if hash(name) in twice}

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, name: str) -> int:
        known = self._alike.get(name)
        return self._at[bisect_left(self._numbers, hash(name))] if known is None else known


class Decider:
    """Decides principals of one snapshot, each once."""

    def __init__(self, facts: Facts, engines: Mapping[str, Engine]) -> None:
        self._facts, self._engines = facts, engines
        self._owner = Owner(engines)
        self._numbers = Numbers(facts)
        self._masks: dict[Hashable, Bits] = {}
        self._tables: dict[int, _Table] = {}
        self._keys: dict[tuple[str, Answer], tuple[tuple[str, str, int], ...]] = {}
        self._together: dict[Hashable, tuple[Held, ...]] = {}
        self._each: dict[Held, Held] = {}
        self._steps: dict[int, tuple[tuple[Hop, ...], tuple[Step, ...]]] = {}
        self._each_step: dict[Step, Step] = {}
        self._each_common: dict[tuple[Step, ...], tuple[Step, ...]] = {}

    def decide(self, name: str) -> Decided | None:
        """Give what a principal comes to; None when no snapshot tells of it."""
        found = self._owner.of(name)
        if found is None:
            return None
        engine, principal = found
        elsewhere = {step_of(pivot) for pivot in self._owner.elsewhere(name)}
        if isinstance(engine, Brevity):
            return self._in_brief(engine.brief(name), elsewhere)
        steps = elsewhere | {step_of(pivot) for pivot in engine.pivots(name)}
        held, others = self._held(engine.grants(name))
        unlisted = engine.unlisted(engine.permissions(name), principal.scope)
        # What is no listed resource (the mail of a tenant) is counted with what is not listed.
        return Decided(self._sorted(steps), _kept(held), len(unlisted) + others)

    def let_go(self) -> None:
        """Let go of what was read of scopes: others come next. It is read again when it is asked
        for; no answer changes by it."""
        self._owner = Owner(self._engines)
        self._numbers.let_go()
        self._together.clear()
        self._steps.clear()
        # What is of many scopes others hold as well.
        self._tables = {at: one for at, one in self._tables.items() if not one.of_one}
        for engine in self._engines.values():
            if isinstance(engine, Brevity):
                engine.let_go()
        self._facts.let_go()

    def _in_brief(self, brief: Brief, elsewhere: set[Step]) -> Decided:
        steps = elsewhere | {_step(hop) for hop in brief.hops}
        common, aimed = self._common(brief.common), self._common(brief.aimed)
        held = self._held_together(brief)
        return Decided(self._sorted(steps), held, brief.patterns, common, aimed, brief.itself)

    def _held_together(self, brief: Brief) -> tuple[Held, ...]:
        """Give what a principal holds; the same tuple for those that hold the same."""
        alike = tuple((one.group, one.answer) for one in brief.holdings)
        key = alike, tuple((g.resource, g.kind, g.capability, g.verdict) for g in brief.alone)
        if key in self._together:
            return self._together[key]
        held, _ = self._held(brief.alone)
        for one in brief.holdings:
            bits = self._bits_of(one)
            for what in self._keys_of(one):
                add(held.setdefault(what, {}), bits)
        if len(self._together) >= _MOST:
            self._together.clear()
        found = self._together[key] = self._alike(_kept(held))
        return found

    def _alike(self, held: tuple[Held, ...]) -> tuple[Held, ...]:
        """Give the same, by what others hold as well."""
        return tuple(self._each.setdefault(one, one) for one in held)

    def _sorted(self, steps: set[Step]) -> tuple[Step, ...]:
        """Give steps in order; the same as others take as well."""
        each = self._each_step
        return tuple(each.setdefault(one, one) for one in sorted(steps, key=_order))

    def _common(self, hops: tuple[Hop, ...]) -> tuple[Step, ...]:
        """Give hops as steps, the same tuple for the same one."""
        known = self._steps.get(id(hops))
        if known is None:
            if len(self._steps) >= _MOST:
                self._steps.clear()
            steps = self._sorted({_step(hop) for hop in hops})
            # The hops are kept with it, so their id stays taken.
            known = self._steps[id(hops)] = hops, self._each_common.setdefault(steps, steps)
        return known[1]

    def _held(self, grants: Iterable[Grant]) -> tuple[_ByKey, int]:
        """Give what grants come to, and on how many things they are that are not listed."""
        groups: dict[tuple[str, str, int], set[str]] = {}
        elsewhere: set[str] = set()
        for grant in grants:
            if grant.resource not in self._facts.resources:
                elsewhere.add(grant.resource)
            elif grant.verdict in _PLACE:
                kind = resource_class(grant.kind)
                key = kind, str(grant.capability), _PLACE[grant.verdict]
                groups.setdefault(key, set()).add(grant.resource)
        return {key: self._bits(ids) for key, ids in groups.items()}, len(elsewhere)

    def _bits_of(self, one: Holding) -> Bits:
        """Give the resources of a class as bits; those of the same class are worked out once."""
        key = one.group
        found = self._masks.get(key)
        if found is None:
            if len(self._masks) >= _MOST:
                self._masks.clear()
            found = self._masks[key] = self._table(one.among).bits(one.mask)
        return found

    def _table(self, ids: tuple[str, ...]) -> _Table:
        known = self._tables.get(id(ids))
        if known is None:
            resources, numbers = self._facts.resources, self._numbers
            scopes = tuple(resources[name].scope for name in ids)
            places = array("L", map(numbers.place, scopes, ids))
            known = self._tables[id(ids)] = _Table(ids, scopes, places)
        return known

    def _keys_of(self, one: Holding) -> tuple[tuple[str, str, int], ...]:
        """Give under what the resources of a class are held."""
        said = one.kind, one.answer
        found = self._keys.get(said)
        if found is None:
            kind = resource_class(one.kind)
            found = self._keys[said] = tuple(
                (kind, str(capability), _PLACE[verdict]) for capability, verdict in one.answer
            )
        return found

    def _bits(self, ids: Iterable[str]) -> Bits:
        groups: dict[str, list[str]] = {}
        for name in ids:
            groups.setdefault(self._facts.resources[name].scope, []).append(name)
        return {scope: self._numbers.bits(scope, names) for scope, names in groups.items()}


def _step(hop: Hop) -> Step:
    return Step(hop.target, hop.weakness, hop.administers)


def _kept(held: _ByKey) -> tuple[Held, ...]:
    return tuple(
        Held(*key, scope, to_bytes(mask))
        for key, bits in sorted(held.items())
        for scope, mask in sorted(bits.items())
    )


def step_of(pivot: Pivot) -> Step:
    """Give a hop, small."""
    return Step(pivot.target, pivot.weakness, pivot.kind == "administer")


def _order(step: Step) -> tuple[str, int, bool]:
    return step.target, step.weakness, step.administers


def to_bytes(mask: int) -> bytes:
    """Give bits as bytes."""
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def add(to: Bits, more: Bits) -> None:
    """Add bits to others."""
    for scope, mask in more.items():
        to[scope] = to.get(scope, 0) | mask
