"""The access graph of a report as plain nodes and edges, for tools that draw or query graphs.

Nodes are the deployment, who is reached and what is reached; edges are the hops of the witnesses.
Every value is text, a number or a boolean; names are kept whole, and harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from modelreach.report import ChangeRow, DiffReport, GrantRow, Hop, Report
from modelreach_reports.naming import Names, is_sensitive, key_of
from modelreach_reports.safe import visible


@dataclass(frozen=True, slots=True)
class Node:
    """One thing. `first`: the deployment runs as it. `change` is what became of it: gained,
    lost, … or `reached`."""

    id: str
    name: str
    kind: str
    scope: str
    provider: str
    sensitive: bool
    first: bool
    change: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One hop. `actions` are joined by a space."""

    source: str
    target: str
    kind: str
    actions: str
    strength: str
    depends_on: str
    statement: str


@dataclass(frozen=True, slots=True)
class Network:
    """All of a report. Nodes by id, edges by their ends; each once."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def network(report: Report) -> Network:
    """Give what a report's witnesses go through."""
    names = Names(report)
    rows: Iterable[ChangeRow | GrantRow] = (
        report.changes if isinstance(report, DiffReport) else report.grants
    )
    nodes: dict[str, Node] = {}
    edges: set[Edge] = set()
    providers = {scope.id: scope.provider for scope in report.scopes}
    for row in rows:
        change = row.kind if isinstance(row, ChangeRow) else "reached"
        for hop in row.witness:
            edges.update(_edges(hop))
            for key in (hop.subject, hop.object):
                if key:
                    nodes.setdefault(key, _node(key, names, providers, "reached"))
        nodes[row.resource] = _resource(row, names, visible(change))
        nodes.setdefault(row.identity, _node(row.identity, names, providers, "reached"))
        if not row.witness or row.witness[-1].object != row.resource:
            edges.add(_held(row))
        if row.witness:
            start = row.witness[0].object
            nodes[start] = replace(nodes[start], first=True)
    known = {node.id: node for node in nodes.values()}
    kept = (edge for edge in edges if edge.source in known and edge.target in known)
    return Network(
        tuple(node for _, node in sorted(known.items())),
        tuple(sorted(kept, key=lambda e: (e.source, e.target, e.kind, e.actions, e.statement))),
    )


def _node(key: str, names: Names, providers: dict[str, str], change: str) -> Node:
    thing = names.thing(key)
    return Node(
        id=visible(key),
        name=thing.label,
        kind=thing.kind,
        scope=visible(thing.scope),
        provider=visible(providers.get(thing.scope, "")),
        sensitive=thing.sensitive,
        first=False,
        change=change,
    )


def _resource(row: ChangeRow | GrantRow, names: Names, change: str) -> Node:
    thing = names.thing(key_of(row))
    return Node(
        id=visible(row.resource),
        name=thing.label,
        kind=visible(row.resource_kind),
        scope=visible(row.scope),
        provider=visible(row.provider),
        sensitive=is_sensitive(row.sensitivity),
        first=False,
        change=change,
    )


def _held(row: ChangeRow | GrantRow) -> Edge:
    """The hop to what a witness does not name itself, such as a pattern."""
    return Edge(
        source=visible(row.identity),
        target=visible(row.resource),
        kind="grant",
        actions=visible(" ".join(row.actions)),
        strength=visible(row.strength),
        depends_on=visible(" and ".join(row.depends_on)),
        statement="",
    )


def _edges(hop: Hop) -> Iterator[Edge]:
    if hop.kind == "start" or not hop.subject or not hop.object:
        return
    yield Edge(
        source=visible(hop.subject),
        target=visible(hop.object),
        kind=visible(hop.kind),
        actions=visible(hop.action),
        strength=visible(hop.strength),
        depends_on=visible(" and ".join(hop.depends_on)),
        statement=visible(hop.statement),
    )
