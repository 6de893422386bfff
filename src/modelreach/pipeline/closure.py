"""Everything that is reached from each of many starts, each part of it worked out once.

Most of what a release reaches is what others reach, too: whoever becomes a hub (the role that
rolls out everything) has all that the hub has. So what a hub reaches is kept whole, as one level a
node and as sums, and a release that comes upon it goes no further there. Which nodes are hubs does
not show in any result: it is tried on those from which there is much to reach.

How a node is reached is one byte: a bit for each weakness (see `policy.weakness`) that some way to
it is as sure as; so two searches together are the bits of both. It is told by the lowest bit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

import msgspec

from modelreach.model import base_of
from modelreach.pipeline.decided import Decided, Step
from modelreach.pipeline.totals import Counts, Summing, Totals
from modelreach.policy.weakness import ALONG, AS_SURE, AS_WEAK, INFLUENCED, LEADING, LEVELS

#: Strengths from sure to unsure, the last of which only influences.
STRENGTHS = INFLUENCED + 1
#: A node is tried as a hub when a search has gone through this many of its own.
_MANY = 256
#: How many sums of what hubs reach together are kept.
_BASES = 16
#: Begins the name of a scope that is taken over.
SCOPE = "scope!"

Find = Callable[[str], Decided | None]


class Reach(msgspec.Struct):
    """What is reached: identities by strength (each once, whatever has become of it, by the
    surest way), scopes with their weakness, and how many resources of a class are held with a
    capability, by verdict (each counted once, under the surest)."""

    identities: list[int]
    scopes: dict[str, int]
    counts: dict[tuple[str, str], Counts]
    patterns: int


#: Nodes, by how weak the hop to them is.
_Ways = tuple[tuple[int, frozenset[int]], ...]


class _Base(msgspec.Struct):
    """All that is reached together: how each node is, identities by strength, and sums."""

    levels: bytes
    identities: tuple[int, ...]
    scopes: dict[str, int]
    totals: Totals
    counts: dict[tuple[str, str], Counts]


class Closure:
    """Works out what is reached. `find` gives what a principal comes to, and is asked once."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._decided: list[Decided | None] = []
        self._asked: list[bool] = []
        self._alike: dict[str, set[int]] = {}
        #: Of each node those that are the same identity, whatever has become of it.
        self._kin: list[set[int]] = []
        self._ways: list[_Ways] = []
        self._together: dict[int, tuple[tuple[Step, ...], _Ways]] = {}
        self._hubs: dict[int, bytes] = {}
        self._tried: set[int] = set()
        self._bases: dict[bytes, _Base] = {}
        self._summing = Summing()

    def of(self, starts: Iterable[str], wired: Sequence[tuple[str, Step]] = ()) -> Reach:
        """Give what is reached from these; `wired` are hops that the release itself makes."""
        extra: dict[int, _Ways] = {}
        for source, step in wired:
            node = self._number(source)
            extra[node] = (*extra.get(node, ()), *self._led((step,)))
        first = [self._number(name) for name in sorted(set(starts))]
        search = self._search(first, extra, with_hubs=not extra)
        if not extra and len(search.own) > _MANY and self._new_hub(search):
            search = self._search(first, extra, with_hubs=True)
        return self._summed(search)

    # --- nodes -----------------------------------------------------------------------------

    def _number(self, name: str) -> int:
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = len(self._names)
            self._names.append(name)
            self._decided.append(None)
            self._asked.append(False)
            self._ways.append(())
            self._kin.append(self._alike.setdefault(base_of(name), set()))
            self._kin[found].add(found)
        return found

    def _know(self, node: int) -> Decided | None:
        """Give what a node comes to, with its steps ready; None of a scope and of a stranger."""
        if not self._asked[node]:
            self._asked[node] = True
            name = self._names[node]
            decided = None if name.startswith(SCOPE) else self._find(name)
            if decided is not None:
                self._decided[node] = decided
                self._ways[node] = self._led(decided.steps)
        return self._decided[node]

    def _led(self, steps: Iterable[Step]) -> _Ways:
        found: dict[int, set[int]] = {}
        for step in steps:
            target = self._number(SCOPE + step.target if step.administers else step.target)
            found.setdefault(step.weakness, set()).add(target)
        return tuple((weakness, frozenset(nodes)) for weakness, nodes in found.items())

    def _led_together(self, steps: tuple[Step, ...]) -> _Ways:
        known = self._together.get(id(steps))
        if known is None:
            # The steps are kept with it, so their id stays taken.
            known = self._together[id(steps)] = (steps, self._led(steps))
        return known[1]

    # --- one search ------------------------------------------------------------------------

    def _search(
        self, starts: Sequence[int], extra: dict[int, _Ways], *, with_hubs: bool
    ) -> _Search:
        search, own = _Search(), dict[int, int]()
        search.own = own
        search.wait(((0, frozenset(starts)),), 0)
        for level, queue in enumerate(search.waiting):
            mine = AS_WEAK[level]
            while queue:
                node = queue.pop()
                known = own.get(node, 0)
                if known >> level & 1 or search.covered(node, level):
                    continue
                if with_hubs and node in self._hubs:
                    search.come_upon(node, level, self._hubs[node])
                    continue
                decided = self._know(node)
                if decided is None:
                    if self._names[node].startswith(SCOPE):
                        own[node] = known | mine
                    continue
                own[node] = known | mine
                search.wait(self._ways[node], level)
                if node in extra:
                    search.wait(extra[node], level)
                self._follow_together(decided, level, search)
        search.leave_to_hubs()
        return search

    def _follow_together(self, decided: Decided, level: int, search: _Search) -> None:
        """Follow steps that others take, too, once for all of them."""
        if decided.common and search.followed(decided.common, level) is None:
            search.seen[level][id(decided.common)] = ""
            search.wait(self._led_together(decided.common), level)
        if not decided.aimed:
            return
        left, itself = search.followed(decided.aimed, level), decided.itself
        if left is None:
            # What is aimed at itself is left for the next one.
            search.seen[level][id(decided.aimed)] = itself
            spared = self._alike.get(itself, ())
            search.wait(self._led_together(decided.aimed), level, spared)
        elif left and left != itself:
            search.seen[level][id(decided.aimed)] = ""
            missing = self._alike.get(left, ())
            ways = self._led_together(decided.aimed)
            search.wait(((weak, nodes.intersection(missing)) for weak, nodes in ways), level)

    # --- hubs ------------------------------------------------------------------------------

    def _new_hub(self, search: _Search) -> bool:
        """Make the node of a search that reaches most in one step a hub, once."""
        best = max(
            (node for node in search.own if node not in self._tried),
            key=lambda node: (self._width(node), -node),
            default=None,
        )
        if best is None or not self._width(best):
            return False
        self._tried.add(best)
        found = self._search([best], {}, with_hubs=True)
        levels = self._levels_of(found)
        if len(found.own) * 2 < len(search.own):
            return False
        self._hubs[best] = levels
        return True

    def _width(self, node: int) -> int:
        decided = self._decided[node]
        if decided is None:
            return 0
        return len(decided.steps) + len(decided.common) + len(decided.aimed)

    def _levels_of(self, search: _Search) -> bytes:
        levels = bytearray(search.levels).ljust(len(self._names), _NEVER)
        for node, mask in search.own.items():
            levels[node] |= mask
        return bytes(levels)

    def _base(self, search: _Search) -> _Base:
        """Give what the hubs of a search reach."""
        levels = search.levels.rstrip(_NEVER)
        base = self._bases.pop(levels, None) or self._grown(levels)
        if len(self._bases) >= _BASES:
            del self._bases[next(iter(self._bases))]
        # The last one used stands last.
        self._bases[levels] = base
        return base

    def _grown(self, levels: bytes) -> _Base:
        """Give what is reached at these levels: what is known to be reached with it, and what is
        reached besides, or more surely."""
        nearest = self._nearest(levels)
        identities, scopes = list(nearest.identities), dict(nearest.scopes)
        totals = nearest.totals.copy()
        told = set[int]()
        for node in _differing(nearest.levels, levels):
            level, decided = _TOLD[levels[node]], self._decided[node]
            if decided is None:
                scopes[self._names[node].removeprefix(SCOPE)] = level
                continue
            self._summing.take(totals, decided.held, _WAY[level])
            totals.patterns += decided.patterns
            if node < len(nearest.levels) and nearest.levels[node]:
                totals.patterns -= decided.patterns
            kin = self._kin[node]
            if id(kin) not in told:
                told.add(id(kin))
                _count(identities, _surest(kin, nearest.levels), _surest(kin, levels))
        return _Base(levels, tuple(identities), scopes, totals, self._summing.counted(totals))

    def _nearest(self, levels: bytes) -> _Base:
        """Give the base from which least is to be added; one that reaches nothing will do."""
        fit = (
            base
            for base in self._bases.values()
            if _within(base.levels, levels) and not _otherwise(base.levels, levels)
        )
        nothing = _Base(b"", (0,) * STRENGTHS, {}, Totals(), {})
        return min(fit, key=lambda base: _distance(base.levels, levels), default=nothing)

    # --- sums ------------------------------------------------------------------------------

    def _summed(self, search: _Search) -> Reach:
        base = self._base(search)
        identities, scopes = list(base.identities), dict(base.scopes)
        more, told = Totals(), set[int]()
        for node, mask in search.own.items():
            known = base.levels[node] if node < len(base.levels) else 0
            level, decided = _TOLD[mask | known], self._decided[node]
            if decided is None:
                scopes[self._names[node].removeprefix(SCOPE)] = level
                continue
            way = _WAY[level]
            if known:
                before = _TOLD[known]
                if _WAY[before] < way:
                    # The sums of the hubs hold it as more certain.
                    return self._one_by_one(search)
                more.patterns -= decided.patterns
            kin = self._kin[node]
            if id(kin) not in told:
                told.add(id(kin))
                now = _surest(kin, base.levels, search.own)
                _count(identities, _surest(kin, base.levels), now)
            if (id(decided.held), way) not in base.totals.taken:
                self._summing.take(more, decided.held, way)
            more.patterns += decided.patterns
        counts = self._summing.added(base.counts, base.totals, more)
        return Reach(identities, scopes, counts, base.totals.patterns + more.patterns)

    def _one_by_one(self, search: _Search) -> Reach:
        whole = self._grown(self._levels_of(search).rstrip(_NEVER))
        return Reach(list(whole.identities), whole.scopes, whole.counts, whole.totals.patterns)


#: Not reached.
_NEVER = b"\0"
_EVERY = 1 << LEVELS
#: By which weakness that is told which is reached as these bits say.
_TOLD = tuple(LEADING[mask][0] if mask else LEVELS for mask in range(_EVERY))
#: The place of a weakness among the strengths, and how sure what is held by such a way is at most:
#: its place in `VERDICTS`.
_STRENGTH = tuple(min(level, INFLUENCED) for level in range(LEVELS))
_WAY = tuple(level % INFLUENCED for level in range(LEVELS))


def _surest(kin: set[int], levels: bytes, own: Mapping[int, int] | None = None) -> int:
    """Give by the surest of which ways some nodes are reached, as the place of its strength;
    `STRENGTHS` where none is. `own` is what a search adds to the levels."""
    found = STRENGTHS
    for node in kin:
        mask = levels[node] if node < len(levels) else 0
        if own is not None:
            mask |= own.get(node, 0)
        if mask:
            found = min(found, _STRENGTH[_TOLD[mask]])
    return found


def _count(identities: list[int], before: int, now: int) -> None:
    """Count an identity among those of its strength."""
    if before < STRENGTHS:
        identities[before] -= 1
    if now < STRENGTHS:
        identities[now] += 1


def _table(of: Callable[[int], int]) -> bytes:
    """Give a table of bytes for those that nodes have."""
    return bytes(of(mask) if 0 < mask < _EVERY else 0 for mask in range(256))


def _beyond(level: int, mask: int) -> int:
    """Give how that is reached which a hub reaches like this, when the hub is by such a way."""
    found = 0
    for one in LEADING[mask]:
        found |= AS_WEAK[ALONG[level][one]]
    return found


#: How nodes look from a hub that is come upon at a level itself.
_BEYOND = tuple(_table(partial(_beyond, level)) for level in range(LEVELS))


def _less_certain(mask: int) -> int:
    """Give the certainties that are less than that of what is only influenced, as bits."""
    told = _TOLD[mask]
    return sum(1 << way for way in range(told % INFLUENCED + 1, INFLUENCED)) * (told >= INFLUENCED)


def _as_certain(mask: int) -> int:
    """Give the certainty of what is acted as, as a bit."""
    return 1 << _TOLD[mask] if _TOLD[mask] < INFLUENCED else 0


_LESS_CERTAIN, _AS_CERTAIN = _table(_less_certain), _table(_as_certain)


def _otherwise(before: bytes, after: bytes) -> bool:
    """Is something that was only influenced now acted as, and less certainly?"""
    was, now = before.translate(_LESS_CERTAIN), after.translate(_AS_CERTAIN)
    return bool(int.from_bytes(was, "little") & int.from_bytes(now, "little"))


def _within(before: bytes, after: bytes) -> bool:
    """Is all that was reached still reached, and as surely?"""
    return not _number(before) & ~_number(after)


def _differing(before: bytes, after: bytes) -> list[int]:
    differences = _number(before) ^ _number(after)
    found = differences.to_bytes(max(len(before), len(after)), "little")
    return [node for node, differs in enumerate(found) if differs]


def _distance(before: bytes, after: bytes) -> int:
    return (_number(before) ^ _number(after)).bit_count()


def _number(levels: bytes) -> int:
    return int.from_bytes(levels, "little")


class _Search(msgspec.Struct):
    """How far a search has come: its own nodes with how they are reached, the hubs that it came
    upon with the level there, how all is reached that these reach, what waits, and which steps
    that several take were taken (with whose were left out)."""

    own: dict[int, int] = msgspec.field(default_factory=dict[int, int])
    waiting: tuple[list[int], ...] = msgspec.field(
        default_factory=lambda: tuple([] for _ in range(LEVELS))
    )
    #: What came to wait at a level.
    come: tuple[set[int], ...] = msgspec.field(
        default_factory=lambda: tuple(set() for _ in range(LEVELS))
    )
    hubs: list[tuple[int, int]] = msgspec.field(default_factory=list[tuple[int, int]])
    levels: bytes = b""
    #: By level, and by the place of the steps in memory, which are kept by whose they are: who is
    #: left out, "" for nobody.
    seen: tuple[dict[int, str], ...] = msgspec.field(
        default_factory=lambda: tuple({} for _ in range(LEVELS))
    )

    def wait(
        self, ways: Iterable[tuple[int, frozenset[int]]], level: int, spared: Collection[int] = ()
    ) -> None:
        """Have the nodes wait that are reached from this level, apart from those spared and from
        those that came by as sure a way."""
        along, come = ALONG[level], self.come
        for weakness, nodes in ways:
            at = along[weakness]
            # Levels at which nothing came to wait cost nothing.
            new = nodes.difference(*[come[surer] for surer in AS_SURE[at]], spared)
            if new:
                self.waiting[at].extend(new)
                come[at].update(new)

    def covered(self, node: int, level: int) -> bool:
        """Does a hub reach the node as surely as this?"""
        return node < len(self.levels) and self.levels[node] >> level & 1 == 1

    def followed(self, steps: tuple[Step, ...], level: int) -> str | None:
        """Give whose of some steps were left out when they were followed from levels as sure as
        this, "" for nobody's; None where they were not followed."""
        key, found = id(steps), None
        for surer in AS_SURE[level]:
            left = self.seen[surer].get(key)
            if left is not None:
                # What two left out each, the other one followed.
                found = left if found in (None, left) else ""
        return found

    def leave_to_hubs(self) -> None:
        """Take from its own nodes what it came to before the hub that reaches it as surely."""
        if self.levels:
            levels, end = self.levels, len(self.levels)
            self.own = {
                node: mask
                for node, mask in self.own.items()
                if node >= end or mask & ~levels[node]
            }

    def come_upon(self, hub: int, level: int, levels: bytes) -> None:
        """Take all that a hub reaches."""
        self.hubs.append((hub, level))
        theirs = levels.translate(_BEYOND[level]) if level else levels
        both = _number(self.levels) | _number(theirs)
        self.levels = both.to_bytes(max(len(self.levels), len(theirs)), "little")
