"""The access graph: who can become whom, explored from the deployment's identities only.

Its nodes are identities and scopes, its edges are pivots. What cannot be reached is never looked
at. networkx stays behind this door and is only loaded when its view is asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, reduce
from typing import TYPE_CHECKING, overload

import msgspec

from modelreach.model import Strength, base_of
from modelreach.policy.brief import Hop, Outline
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Pivot
from modelreach.policy.expr import Expr, each_of
from modelreach.policy.weakness import ALONG, AS_SURE, LEVELS, certainty_at, strength_at

if TYPE_CHECKING:
    import networkx as nx

WEAKNESS = {
    Strength.CERTAIN: 0,
    Strength.CONDITIONAL: 1,
    Strength.UNKNOWN: 2,
    Strength.INFLUENCE: 3,
}


class Path(msgspec.Struct, frozen=True, dict=True):
    """A way from a start to a node: the pivots in order, none for a start itself.

    Many accesses go by the same one, so what is said of all its hops is worked out once.
    """

    start: str
    pivots: tuple[Pivot, ...] = ()

    @property
    def end(self) -> str:
        """Where it leads."""
        return self.pivots[-1].target if self.pivots else self.start

    @cached_property
    def strength(self) -> Strength:
        """That of its weakest hop."""
        return strength_at(self.weakness)

    @cached_property
    def certainty(self) -> Strength:
        """How certain it is, whether it influences or not: as certain as its least certain hop."""
        return certainty_at(self.weakness)

    @cached_property
    def weakness(self) -> int:
        """How weak it is: strength and certainty in one (see `policy.weakness`)."""
        return reduce(lambda so_far, pivot: ALONG[so_far][pivot.weakness], self.pivots, 0)

    @cached_property
    def statements(self) -> frozenset[StatementRef]:
        """Those by which its hops are made."""
        supports = (support for pivot in self.pivots for support in pivot.support)
        return frozenset(ref for support in supports for ref in support.statements)

    def residual(self, beyond: Expr) -> Expr:
        """Give what must hold on the whole way, and at its end."""
        known = self._residuals.get(beyond)
        if known is None:
            hops = (pivot.residual for pivot in self.pivots)
            known = self._residuals[beyond] = each_of((*hops, beyond)) if self.pivots else beyond
        return known

    @cached_property
    def _residuals(self) -> dict[Expr, Expr]:
        return {}


def weakest(strengths: Iterable[Strength]) -> Strength:
    """Give the weakest; certain of none."""
    return max(strengths, key=WEAKNESS.__getitem__, default=Strength.CERTAIN)


class Tool(msgspec.Struct, frozen=True):
    """A tool of the release: a node from which ways begin. `runs_as` are the principals that it
    acts as. `effect`, `approval`, `input_trust` and `credential` are as declared, "" where they
    are not. `bounded`: its target is one thing of the estate, and nothing else.
    """

    id: str
    kind: str = ""
    target: str = ""
    effect: str = ""
    approval: str = ""
    input_trust: str = ""
    identity: str = ""
    credential: str = ""
    runs_as: tuple[str, ...] = ()
    bounded: bool = False

    @property
    def node(self) -> str:
        """Its name among the nodes, which are principals and scopes otherwise."""
        return f"tool:{self.id}"


class Briefly(msgspec.Struct, frozen=True):
    """The hops of somebody in brief, and `others` in full: those that its engine does not tell.
    `administration` gives the taking over of its scope, `towards` the hops to some targets."""

    outline: Outline
    others: tuple[Pivot, ...]
    administration: Callable[[], Pivot | None]
    towards: Callable[[frozenset[str]], Iterable[Pivot]]

    @property
    def hops(self) -> Iterator[Hop]:
        """All hops, each target with the surest ways there."""
        yield from self.outline.every
        yield from map(hop_of, self.others)


def hop_of(pivot: Pivot) -> Hop:
    """Give a hop without its reasons."""
    return Hop(pivot.target, pivot.strength, pivot.kind == "administer", pivot.certainty)


PivotsOf = Callable[[str], Iterable[Pivot]]


class Edges(Sequence[Pivot]):
    """All hops from those who are reached. Where they are known in brief, they are written out
    when somebody asks for them."""

    def __init__(self, pivots_of: PivotsOf) -> None:
        self._pivots_of = pivots_of
        self._asked: dict[str, Briefly | None] = {}
        self._full: dict[str, list[Pivot]] = {}

    def follow(self, node: str) -> list[Pivot]:
        """Ask for the hops of one more, in full."""
        self._asked[node] = None
        return self.of(node)

    def follow_briefly(self, node: str, briefly: Briefly) -> None:
        """Take the hops of one more, in brief."""
        self._asked[node] = briefly

    def known(self, node: str) -> list[Pivot] | Briefly | None:
        """Give the hops of somebody as far as they were asked for; None if they were not."""
        return self._asked.get(node) or self._full.get(node)

    def of(self, node: str) -> list[Pivot]:
        """Give the hops of somebody who was asked, the surest first."""
        if node not in self._asked:
            return []
        if node not in self._full:
            self._full[node] = sorted(self._pivots_of(node), key=_pivot_order)
        return self._full[node]

    def towards(self, node: str, targets: frozenset[str]) -> list[Pivot]:
        """Give the hops of somebody that lead to these, the surest first."""
        known = self._asked.get(node)
        found = known.towards(targets) if known is not None else self.of(node)
        return sorted((p for p in found if p.target in targets), key=_pivot_order)

    def targets(self, node: str) -> Iterator[tuple[str, str]]:
        """Give where the hops of somebody lead, each with the tool that alone takes it."""
        known = self._asked.get(node)
        if known is None:
            yield from ((pivot.target, pivot.tool) for pivot in self.of(node))
        else:
            yield from ((hop.target, "") for hop in known.outline.every)
            yield from ((pivot.target, pivot.tool) for pivot in known.others)

    def of_tools(self) -> Iterator[Pivot]:
        """Give the hops that a tool of the release alone takes."""
        for node, known in self._asked.items():
            yield from (p for p in (known.others if known else self.of(node)) if p.tool)

    def administering(self) -> Iterator[Pivot]:
        """Give the hops by which scopes are taken over."""
        for node in self._asked:
            yield from self.administering_by(node)

    def administering_by(self, node: str) -> Iterator[Pivot]:
        """Give the hops by which somebody takes scopes over."""
        known = self._asked.get(node)
        if known is None:
            yield from (p for p in self.of(node) if p.kind == "administer")
        elif any(hop.administers for hop in known.hops):
            found = known.administration()
            yield from (found,) if found is not None else ()

    def __iter__(self) -> Iterator[Pivot]:
        for node in self._asked:
            yield from self.of(node)

    def __len__(self) -> int:
        return sum(len(self.of(node)) for node in self._asked)

    @overload
    def __getitem__(self, index: int) -> Pivot: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Pivot]: ...
    def __getitem__(self, index: int | slice) -> Pivot | Sequence[Pivot]:
        return tuple(self)[index]


class AccessGraph(msgspec.Struct, frozen=True):
    """Everything that was explored. `paths` holds, for each node, the least weak way there and
    among those the shortest: the witness. `pivots` are all edges seen. `tools` are the release's:
    the model reaches what they reach."""

    starts: tuple[str, ...]
    paths: dict[str, Path]
    pivots: Edges
    tools: tuple[Tool, ...] = ()

    @property
    def wide(self) -> bool:
        """Are so many reached that not all that is known of them is held at a time?"""
        return len(self.paths) > MANY

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Give a networkx view: node and edge attributes are plain strings."""
        import networkx as nx

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        for node in sorted(self.paths):
            graph.add_node(node, start=node in self.starts)
        for pivot in self.pivots:
            graph.add_edge(
                pivot.source,
                pivot.target,
                kind=pivot.kind,
                strength=str(pivot.strength),
                rule=pivot.rule,
            )
        for tool in self.tools:
            graph.add_node(
                tool.node,
                start=False,
                effect=tool.effect,
                approval=tool.approval,
                input_trust=tool.input_trust,
            )
            for principal in tool.runs_as:
                graph.add_edge(
                    tool.node, principal, kind="runs-as", strength=str(Strength.CERTAIN), rule=""
                )
        return graph


#: When so many are known to be reached, the others are followed in brief where that can be done.
MANY = 96


def explore(
    starts: Iterable[str],
    pivots_of: PivotsOf,
    briefly_of: Callable[[str], Briefly | None] = lambda _: None,
) -> AccessGraph:
    """Follow every pivot from the starts, the least weak and shortest ways first.

    `pivots_of` is asked at most once for each identity that is reached; never for a scope.
    `briefly_of` gives the same hops in brief, or None: what it gives is written out by `pivots_of`
    where a witness goes by it.
    """
    first = tuple(sorted(set(starts)))
    search = _Search(first, pivots_of, briefly_of)
    search.run()
    try:
        return AccessGraph(first, search.written(), search.edges)
    except KeyError:
        # A hop that nothing bears out is not told: all is followed in full.
        return explore(first, pivots_of)


class _Entry(msgspec.Struct, frozen=True):
    """A way to a node: from the node of another entry, and by which hop or pivot."""

    node: str
    before: int
    hop: Hop | None = None
    pivot: Pivot | None = None

    @property
    def administers(self) -> bool:
        """Is it a scope that is taken over?"""
        if self.pivot is not None:
            return self.pivot.kind == "administer"
        return self.hop is not None and self.hop.administers


class _Search:
    def __init__(
        self,
        starts: tuple[str, ...],
        pivots_of: PivotsOf,
        briefly_of: Callable[[str], Briefly | None],
    ) -> None:
        self.starts, self._briefly_of = starts, briefly_of
        self.edges = Edges(pivots_of)
        self._queue: list[tuple[int, int, str, int]] = []
        self._entries: list[_Entry] = []
        self._lengths: dict[str, list[int]] = {}
        self._first: dict[str, int] = {}
        self._taken: dict[int, _Taken] = {}
        self._waiting: set[str] = set(starts)

    def run(self) -> None:
        for start in self.starts:
            self._push(0, 0, _Entry(start, -1))
        while self._queue:
            weakness, length, node, index = heapq.heappop(self._queue)
            # A weaker way to a node already reached serves where it is shorter, or more certain:
            # beyond a hop that is as weak, or that influences as well, it is the better one.
            if self._is_had(node, weakness, length):
                continue
            self._lengths.setdefault(node, [_FAR] * LEVELS)[weakness] = length
            self._first.setdefault(node, index)
            if not self._entries[index].administers:
                self._go_on(node, weakness, length, index)

    def _is_had(self, node: str, weakness: int, length: int) -> bool:
        """Is there a way to a node that is as sure and as short?"""
        lengths = self._lengths.get(node)
        if lengths is None:
            return False
        return any(lengths[surer] <= length for surer in AS_SURE[weakness])

    def _push(self, weakness: int, length: int, entry: _Entry) -> None:
        heapq.heappush(self._queue, (weakness, length, entry.node, len(self._entries)))
        self._entries.append(entry)

    def _go_on(self, node: str, weakness: int, length: int, index: int) -> None:
        known = self._known(node)
        if isinstance(known, Briefly):
            for hop in self._hops(known, weakness, length + 1):
                weak = ALONG[weakness][hop.weakness]
                if not self._is_had(hop.target, weak, length + 1):
                    self._push(weak, length + 1, _Entry(hop.target, index, hop))
            return
        for pivot in known:
            weak = ALONG[weakness][pivot.weakness]
            if not self._is_had(pivot.target, weak, length + 1):
                self._push(weak, length + 1, _Entry(pivot.target, index, None, pivot))

    def _known(self, node: str) -> list[Pivot] | Briefly:
        known = self.edges.known(node)
        if known is not None:
            return known
        briefly = self._briefly_of(node) if len(self._waiting) > MANY else None
        if briefly is not None:
            self.edges.follow_briefly(node, briefly)
            return briefly
        found = self.edges.follow(node)
        if len(self._waiting) <= MANY:
            self._waiting.update(pivot.target for pivot in found)
        return found

    def _hops(self, known: Briefly, weakness: int, length: int) -> Iterator[Hop]:
        """The hops of one in brief, but for those that others have had alike and that led at least
        as far as surely: these come out of the queue no later than they were put in."""
        outline = known.outline
        yield from outline.hops
        yield from map(hop_of, known.others)
        if outline.common and self._take(outline.common, weakness, length, "") is None:
            yield from outline.common
        if outline.aimed:
            left = self._take(outline.aimed, weakness, length, outline.itself)
            for hop in outline.aimed:
                base = base_of(hop.target)
                if base != outline.itself and (left is None or base == left):
                    yield hop

    def _take(self, hops: tuple[Hop, ...], weakness: int, length: int, itself: str) -> str | None:
        """Give None where hops that several have are to be followed, else whose of them are left
        to follow ("" for nobody's)."""
        # The hops are kept with it, so their id stays taken.
        taken = self._taken.setdefault(id(hops), _Taken(hops))
        before = taken.by(weakness, length)
        if itself in before or len(before) > 1:
            return ""
        taken.note(weakness, length, itself)
        return before.pop() if before else None

    # --- witnesses ---------------------------------------------------------------------------

    def written(self) -> dict[str, Path]:
        """Give the way to each node that is reached, each hop with its reasons. Raises KeyError
        for one that nothing bears out."""
        chosen = self._chosen()
        ways: dict[int, Path] = {}
        return {node: self._way(index, ways, chosen) for node, index in self._first.items()}

    def _chosen(self) -> dict[tuple[str, str], list[Pivot]]:
        """The hops that witnesses go by and that are known in brief, written out."""
        wanted: dict[str, set[str]] = {}
        seen: set[int] = set()
        for index in self._first.values():
            while index >= 0 and index not in seen:
                seen.add(index)
                entry = self._entries[index]
                if entry.hop is not None:
                    wanted.setdefault(self._entries[entry.before].node, set()).add(entry.node)
                index = entry.before
        found: dict[tuple[str, str], list[Pivot]] = {}
        for source, targets in wanted.items():
            for pivot in self.edges.towards(source, frozenset(targets)):
                found.setdefault((source, pivot.target), []).append(pivot)
        return found

    def _way(
        self, index: int, ways: dict[int, Path], chosen: dict[tuple[str, str], list[Pivot]]
    ) -> Path:
        chain: list[int] = []
        while index >= 0 and index not in ways:
            chain.append(index)
            index = self._entries[index].before
        for one in reversed(chain):
            entry = self._entries[one]
            before = ways.get(entry.before)
            if before is None:
                ways[one] = Path(entry.node)
            else:
                found = chosen.get((before.end, entry.node), [])
                pivot = entry.pivot or _as_hop(entry, before.weakness, found)
                ways[one] = Path(before.start, (*before.pivots, pivot))
        return ways[chain[0]] if chain else ways[index]


def _as_hop(entry: _Entry, weakness: int, pivots: Iterable[Pivot]) -> Pivot:
    """Give the surest that leads where the hop of an entry does, on from a way that is so weak.
    Raises KeyError when none does as surely."""
    if entry.hop is not None:
        so_far = ALONG[weakness]
        surer = AS_SURE[so_far[entry.hop.weakness]]
        for pivot in pivots:
            same = (pivot.kind == "administer") == entry.hop.administers
            if same and so_far[pivot.weakness] in surer:
                return pivot
    raise KeyError(entry.node)


#: Longer than any way.
_FAR = 1 << 62


class _Taken(msgspec.Struct):
    """Hops that several have in common as they were followed: from ways how weak and how long,
    and whose were left out then."""

    hops: tuple[Hop, ...]
    at: dict[int, list[tuple[int, str]]] = msgspec.field(
        default_factory=dict[int, "list[tuple[int, str]]"]
    )

    def by(self, weakness: int, length: int) -> set[str]:
        """Give whose were left out, by those who followed them from as sure and as short a way."""
        return {
            left
            for surer in AS_SURE[weakness]
            for known, left in self.at.get(surer, ())
            if known <= length
        }

    def note(self, weakness: int, length: int, left: str) -> None:
        """Take down that they are followed, but for somebody's."""
        self.at.setdefault(weakness, []).append((length, left))


def _pivot_order(pivot: Pivot) -> tuple[int, str, str, str, str]:
    return pivot.weakness, pivot.target, pivot.kind, pivot.rule, pivot.via
