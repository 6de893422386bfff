"""Everything that is reached from each of many starts, each part of it worked out once.

Most of what a release reaches is what others reach, too: whoever becomes a hub (the role that
rolls out everything) has all that the hub has. So what a hub reaches is kept whole, as one level a
node and as sums, and a release that comes upon it goes no further there. Which nodes are hubs does
not show in any result: it is tried on those from which there is much to reach.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from modelreach.pipeline.decided import Decided, Step, base_of
from modelreach.pipeline.totals import Counts, Summing, Totals

#: How weak a way can be: as in `graph.WEAKNESS`. The last only feeds: what is had by it counts as
#: given, and only its strength tells.
LEVELS = 4
_INFLUENCE = LEVELS - 1
#: Not reached.
_NOT = 255
#: A node is tried as a hub when a search has gone through this many of its own.
_MANY = 256
#: How many sums of what hubs reach together are kept.
_BASES = 16
#: Begins the name of a scope that is taken over.
SCOPE = "scope!"

Find = Callable[[str], Decided | None]


class Reach(msgspec.Struct):
    """What is reached: identities by level, scopes with their level, and how many resources of a
    class are held with a capability, by verdict (each counted once, under the surest)."""

    identities: list[int]
    scopes: dict[str, int]
    counts: dict[tuple[str, str], Counts]
    patterns: int


#: Nodes, by how weak the way to them is.
_Ways = tuple[tuple[int, frozenset[int]], ...]


class _Base(msgspec.Struct):
    """All that is reached together: the level of each node, how many identities are of each, and
    sums."""

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
            self._alike.setdefault(base_of(name), set()).add(found)
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
        search = _Search()
        search.wait(((0, frozenset(starts)),), 0)
        for level, queue in enumerate(search.waiting):
            while queue:
                node = queue.pop()
                if node in search.own or search.covered(node, level):
                    continue
                if with_hubs and node in self._hubs:
                    search.come_upon(node, level, self._hubs[node])
                    continue
                decided = self._know(node)
                if decided is None:
                    if self._names[node].startswith(SCOPE):
                        search.own[node] = level
                    continue
                search.own[node] = level
                search.wait(self._ways[node], level)
                if node in extra:
                    search.wait(extra[node], level)
                self._follow_together(decided, level, search)
        search.leave_to_hubs()
        return search

    def _follow_together(self, decided: Decided, level: int, search: _Search) -> None:
        """Follow steps that others take, too, once for all of them."""
        if decided.common and id(decided.common) not in search.seen:
            search.seen[id(decided.common)] = None
            search.wait(self._led_together(decided.common), level)
        if not decided.aimed:
            return
        key, itself = id(decided.aimed), decided.itself
        if key not in search.seen:
            # What is aimed at itself is left for the next one.
            search.seen[key] = itself
            spared = self._alike.get(itself, ())
            search.wait(self._led_together(decided.aimed), level, spared)
        elif (left := search.seen[key]) is not None and left != itself:
            search.seen[key] = None
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
        for node, level in search.own.items():
            levels[node] = level
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
        for node in _differing(nearest.levels, levels):
            level, decided = levels[node], self._decided[node]
            if decided is None:
                scopes[self._names[node].removeprefix(SCOPE)] = level
                continue
            identities[level] += 1
            self._summing.take(totals, decided.held, _way(level))
            totals.patterns += decided.patterns
            known = nearest.levels[node] if node < len(nearest.levels) else _NOT
            if known != _NOT:
                identities[known] -= 1
                totals.patterns -= decided.patterns
        return _Base(levels, tuple(identities), scopes, totals, self._summing.counted(totals))

    def _nearest(self, levels: bytes) -> _Base:
        """Give the base from which least is to be added; one that reaches nothing will do."""
        fit = (
            base
            for base in self._bases.values()
            if _within(base.levels, levels) and not _otherwise(base.levels, levels)
        )
        nothing = _Base(b"", (0,) * LEVELS, {}, Totals(), {})
        return min(fit, key=lambda base: _distance(base.levels, levels), default=nothing)

    # --- sums ------------------------------------------------------------------------------

    def _summed(self, search: _Search) -> Reach:
        base = self._base(search)
        identities, scopes = list(base.identities), dict(base.scopes)
        more = Totals()
        for node, level in search.own.items():
            known = base.levels[node] if node < len(base.levels) else _NOT
            decided = self._decided[node]
            if decided is None:
                scopes[self._names[node].removeprefix(SCOPE)] = level
                continue
            identities[level] += 1
            if (id(decided.held), _way(level)) not in base.totals.taken:
                self._summing.take(more, decided.held, _way(level))
            more.patterns += decided.patterns
            if known == _INFLUENCE and level:
                # The sums of the hubs hold it as given.
                return self._one_by_one(search)
            if known != _NOT:
                identities[known] -= 1
                more.patterns -= decided.patterns
        counts = self._summing.added(base.counts, base.totals, more)
        return Reach(identities, scopes, counts, base.totals.patterns + more.patterns)

    def _one_by_one(self, search: _Search) -> Reach:
        whole = self._grown(self._levels_of(search).rstrip(_NEVER))
        return Reach(list(whole.identities), whole.scopes, whole.counts, whole.totals.patterns)


_NEVER = bytes((_NOT,))
#: How levels look from a hub that is come upon at a level itself.
_SHIFTED = tuple(
    bytes(min(max(level, shift), _NOT) if level < LEVELS else level for level in range(256))
    for shift in range(LEVELS)
)


_FED = bytes(level == _INFLUENCE for level in range(256))
_DOUBTED = bytes(0 < level < _INFLUENCE for level in range(256))


def _otherwise(before: bytes, after: bytes) -> bool:
    """Is something that was only fed, and counts as given, now reached in a doubtful way?"""
    fed = int.from_bytes(before.translate(_FED), "little")
    return bool(fed & int.from_bytes(after.translate(_DOUBTED), "little"))


#: Levels in order, so that no byte borrows from the next one; and a bit above each of them.
_IN_ORDER = bytes(min(level, LEVELS) for level in range(256))
_ABOVE = 0x80


def _within(before: bytes, after: bytes) -> bool:
    """Is all that was reached still reached, and as surely?"""
    length = max(len(before), len(after))
    was, now = (_number(one, length) for one in (before, after))
    above = int.from_bytes(bytes((_ABOVE,)) * length, "little")
    return ((was | above) - now) & above == above


def _differing(before: bytes, after: bytes) -> list[int]:
    length = max(len(before), len(after))
    differences = _number(before, length) ^ _number(after, length)
    found = differences.to_bytes(length, "little")
    return [node for node, differs in enumerate(found) if differs]


def _distance(before: bytes, after: bytes) -> int:
    length = max(len(before), len(after))
    return (_number(before, length) ^ _number(after, length)).bit_count()


def _number(levels: bytes, length: int) -> int:
    return int.from_bytes(levels.translate(_IN_ORDER).ljust(length, bytes((LEVELS,))), "little")


class _Search(msgspec.Struct):
    """How far a search has come: its own nodes with their level, the hubs that it came upon with
    the level there, the levels of all that these reach, what waits, and which steps that several
    take were taken (with whose were left out)."""

    own: dict[int, int] = msgspec.field(default_factory=dict[int, int])
    waiting: tuple[list[int], ...] = msgspec.field(
        default_factory=lambda: tuple([] for _ in range(LEVELS))
    )
    #: What came to wait at a level, or at a surer one.
    come: tuple[set[int], ...] = msgspec.field(
        default_factory=lambda: tuple(set() for _ in range(LEVELS))
    )
    hubs: list[tuple[int, int]] = msgspec.field(default_factory=list[tuple[int, int]])
    levels: bytes = b""
    seen: dict[int, str | None] = msgspec.field(default_factory=dict[int, "str | None"])

    def wait(
        self, ways: Iterable[tuple[int, frozenset[int]]], level: int, spared: Collection[int] = ()
    ) -> None:
        """Have the nodes wait that are reached from this level, apart from those spared and from
        those that came by as sure a way."""
        for weakness, nodes in ways:
            at = max(weakness, level)
            new = nodes.difference(self.come[at], spared)
            if new:
                self.waiting[at].extend(new)
                for come in self.come[at:]:
                    come.update(new)

    def covered(self, node: int, level: int) -> bool:
        """Does a hub reach the node as surely as this?"""
        return node < len(self.levels) and self.levels[node] <= level

    def leave_to_hubs(self) -> None:
        """Take from its own nodes what it came to before the hub that reaches it as surely."""
        if self.levels:
            own = self.own.items()
            self.own = {node: level for node, level in own if not self.covered(node, level)}

    def come_upon(self, hub: int, level: int, levels: bytes) -> None:
        """Take all that a hub reaches."""
        self.hubs.append((hub, level))
        theirs = levels.translate(_SHIFTED[level]) if level else levels
        if not self.levels:
            self.levels = theirs
            return
        length = max(len(self.levels), len(theirs))
        mine, theirs = (one.ljust(length, _NEVER) for one in (self.levels, theirs))
        self.levels = bytes(map(min, mine, theirs))


def _way(level: int) -> int:
    """Give how sure what is held by a way of this level is at most: its place in `VERDICTS`."""
    return 0 if level == _INFLUENCE else level
