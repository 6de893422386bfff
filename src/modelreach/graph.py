"""The access graph: who can become whom, explored from the deployment's identities only.

Its nodes are identities and scopes, its edges are pivots. What cannot be reached is never looked
at. networkx stays behind this door and is only loaded when its view is asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from modelreach.model import Strength
from modelreach.policy.engine import Pivot

if TYPE_CHECKING:
    import networkx as nx

WEAKNESS = {
    Strength.CERTAIN: 0,
    Strength.CONDITIONAL: 1,
    Strength.UNKNOWN: 2,
    Strength.INFLUENCE: 3,
}


class Path(msgspec.Struct, frozen=True):
    """A way from a start to a node: the pivots in order, none for a start itself."""

    start: str
    pivots: tuple[Pivot, ...] = ()

    @property
    def end(self) -> str:
        """Where it leads."""
        return self.pivots[-1].target if self.pivots else self.start

    @property
    def strength(self) -> Strength:
        """That of its weakest hop."""
        return weakest(pivot.strength for pivot in self.pivots)


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


class AccessGraph(msgspec.Struct, frozen=True):
    """Everything that was explored. `paths` holds, for each node, the strongest way there and
    among those the shortest: the witness. `pivots` are all edges seen. `tools` are the release's:
    the model reaches what they reach."""

    starts: tuple[str, ...]
    paths: dict[str, Path]
    pivots: tuple[Pivot, ...] = ()
    tools: tuple[Tool, ...] = ()

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


def explore(starts: Iterable[str], pivots_of: Callable[[str], Iterable[Pivot]]) -> AccessGraph:
    """Follow every pivot from the starts, strongest and shortest first.

    `pivots_of` is asked once for each identity that is reached; never for a scope.
    """
    first = tuple(sorted(set(starts)))
    queue: list[tuple[int, int, str, int]] = []
    waiting: list[Path] = []
    for start in first:
        heapq.heappush(queue, (0, 0, start, len(waiting)))
        waiting.append(Path(start))
    paths: dict[str, Path] = {}
    edges: list[Pivot] = []
    onward: dict[str, list[Pivot]] = {}
    shortest: dict[str, int] = {}
    while queue:
        _, length, node, index = heapq.heappop(queue)
        # A weaker way to a node already reached serves only where it is shorter: beyond a hop
        # that is as weak, it is the better one.
        if length >= shortest.get(node, length + 1):
            continue
        shortest[node] = length
        path = waiting[index]
        paths.setdefault(node, path)
        if path.pivots and path.pivots[-1].kind == "administer":
            continue
        if node not in onward:
            onward[node] = sorted(pivots_of(node), key=_pivot_order)
            edges.extend(onward[node])
        for pivot in onward[node]:
            if length + 1 < shortest.get(pivot.target, length + 2):
                further = Path(path.start, (*path.pivots, pivot))
                weakness = WEAKNESS[further.strength]
                heapq.heappush(queue, (weakness, length + 1, pivot.target, len(waiting)))
                waiting.append(further)
    return AccessGraph(first, paths, tuple(edges))


def _pivot_order(pivot: Pivot) -> tuple[int, str, str, str, str]:
    return WEAKNESS[pivot.strength], pivot.target, pivot.kind, pivot.rule, pivot.via
