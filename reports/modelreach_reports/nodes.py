"""The access graph of a report as plain nodes and edges, for tools that draw or query graphs.

Nodes are the deployment, who is reached and what is reached; edges are the hops of the witnesses.
Every value is text, a number or a boolean; names are kept whole, and harmless.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from modelreach.report import (
    AdminRow,
    ChangeRow,
    DiffReport,
    GrantRow,
    Hop,
    IdentityRow,
    Report,
)
from modelreach_reports.naming import Names, is_sensitive, key_of
from modelreach_reports.safe import visible


class What(StrEnum):
    """What a node stands for."""

    DEPLOYMENT = "deployment"
    TOOL = "tool"
    IDENTITY = "identity"
    SCOPE = "scope"
    RESOURCE = "resource"
    PATTERN = "pattern"


class Side(StrEnum):
    """Of which release something is so."""

    OLD = "old"
    NEW = "new"
    BOTH = "both"


class Node(msgspec.Struct, frozen=True):
    """One thing. `first`: the deployment runs as it. `change` is what became of it: gained,
    lost, … or `reached`."""

    id: str
    name: str
    what: What
    kind: str
    scope: str
    provider: str
    sensitive: bool
    first: bool
    change: str


class Edge(msgspec.Struct, frozen=True):
    """One hop. `actions` are joined by a space."""

    source: str
    target: str
    kind: str
    actions: str
    strength: str
    depends_on: str
    statement: str
    release: Side


class Network(msgspec.Struct, frozen=True):
    """All of a report. Nodes by id, edges by their ends; each once."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def as_of_new(self) -> Network:
        """Give what the new release reaches, without what only the old one did."""
        edges = tuple(edge for edge in self.edges if edge.release is not Side.OLD)
        touched = {end for edge in edges for end in (edge.source, edge.target)}
        kept = (node for node in self.nodes if node.id in touched or node.what is What.DEPLOYMENT)
        return Network(tuple(kept), edges)


def network(report: Report) -> Network:
    """Give what a report's witnesses go through."""
    made = _Making(Names(report), report)
    if isinstance(report, DiffReport):
        made.reached(report.identities_old, report.admin_of_old, Side.OLD)
        made.reached(report.identities_new, report.admin_of_new, Side.NEW)
        for change in report.changes:
            made.row(change, visible(change.kind), _side(change))
    else:
        made.reached(report.identities, report.admin_of, Side.NEW)
        for grant in report.grants:
            made.row(grant, "reached", Side.NEW)
    return made.network()


def _side(row: ChangeRow) -> Side:
    """What may be gone, and was not read, counts as there."""
    return Side.OLD if row.new_verdict == "deny" else Side.NEW


#: A name that could be mistaken for one that was told apart by its digest.
_TOLD_APART = re.compile(r" #[0-9a-f]{12}\Z")


def identifier(key: str) -> str:
    """Give the id of a thing: as its provider spells it; what hides or moves something in it is
    shown, and a digest tells it from a name that is spelled so."""
    shown = visible(key)
    if shown == key and not _TOLD_APART.search(key):
        return key
    return f"{shown} #{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()[:12]}"


@dataclass(slots=True)
class _Making:
    """A network while it is made."""

    names: Names
    report: Report
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[Edge, set[Side]] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)
    acting: set[str] = field(default_factory=set)
    deployment: str = ""

    def __post_init__(self) -> None:
        report = self.report
        self.providers = {scope.id: scope.provider for scope in report.scopes}
        release = report.new if isinstance(report, DiffReport) else report.release
        self.deployment = f"deployment/{release.name}"
        self._keep(
            self.deployment,
            Node(
                id=identifier(self.deployment),
                name=visible(release.name),
                what=What.DEPLOYMENT,
                kind="deployment",
                scope="",
                provider="",
                sensitive=False,
                first=False,
                change="reached",
            ),
        )

    def reached(
        self, identities: Sequence[IdentityRow], taken: Iterable[AdminRow], side: Side
    ) -> None:
        """Take in who is reached, and what can be taken over."""
        self.acting.update(row.id for row in identities)
        for witness in (*(row.witness for row in identities), *(row.witness for row in taken)):
            self.way(witness, side)

    def way(self, witness: Iterable[Hop], side: Side) -> None:
        """Take in the hops of a witness."""
        for hop in witness:
            if hop.kind == "start":
                self._starts(hop, side)
                continue
            for edge in _edges(hop):
                self.edges.setdefault(edge, set()).add(side)
            self._mention(hop.subject, acts=True)
            self._mention(hop.object, acts=hop.kind not in ("grant", "support", "administer"))

    def row(self, row: ChangeRow | GrantRow, change: str, side: Side) -> None:
        """Take in one thing that is reached, with the way to it."""
        witness, key = row.witness, key_of(row)
        if row.pattern and witness and witness[-1].object == row.resource:
            # The pattern alone does not say what it means, and where.
            witness = (*witness[:-1], replace(witness[-1], object=key))
        self.way(witness, side)
        self._mention(row.identity, acts=True)
        self._keep(key, self._reached(row, change))
        if not witness or witness[-1].object != key:
            self.edges.setdefault(_held(row), set()).add(side)

    def network(self) -> Network:
        """Give all that was taken in."""
        known = {node.id for node in self.nodes.values()}
        edges = [
            replace(edge, release=next(iter(sides)) if len(sides) == 1 else Side.BOTH)
            for edge, sides in self.edges.items()
            if edge.source in known and edge.target in known
        ]
        return Network(
            tuple(sorted(self.nodes.values(), key=lambda node: node.id)),
            tuple(
                sorted(edges, key=lambda e: (e.source, e.target, e.kind, e.actions, e.statement))
            ),
        )

    def _keep(self, key: str, node: Node) -> None:
        before = self.nodes.get(key)
        if before is not None and before.what is What.IDENTITY and node.what is What.RESOURCE:
            node = replace(node, what=What.IDENTITY)
        self.nodes[key] = replace(node, first=before.first) if before else node

    def _starts(self, hop: Hop, side: Side) -> None:
        """The deployment runs as somebody, or uses a tool that does."""
        if not hop.object:
            return
        self._mention(hop.object, acts=True)
        self.nodes[hop.object] = replace(self.nodes[hop.object], first=True)
        if not hop.subject:
            self._own(self.deployment, hop.object, "runs-as", side)
            return
        self._mention(hop.subject, acts=True)
        self.nodes[hop.subject] = replace(self.nodes[hop.subject], what=What.TOOL)
        self._own(self.deployment, hop.subject, "uses", side)
        self._own(hop.subject, hop.object, "runs-as", side)

    def _own(self, source: str, target: str, kind: str, side: Side) -> None:
        """A hop that takes no permission."""
        edge = Edge(
            source=identifier(source),
            target=identifier(target),
            kind=kind,
            actions="",
            strength="certain",
            depends_on="",
            statement="",
            release=Side.NEW,
        )
        self.edges.setdefault(edge, set()).add(side)

    def _mention(self, key: str, *, acts: bool) -> None:
        if not key:
            return
        if key not in self.nodes:
            self._keep(key, self._mentioned(key, acts=acts))
        elif acts and self.nodes[key].what is What.RESOURCE:
            self.nodes[key] = replace(self.nodes[key], what=What.IDENTITY)

    def _mentioned(self, key: str, *, acts: bool) -> Node:
        thing = self.names.thing(key)
        acting = What.IDENTITY if acts or key in self.acting else What.RESOURCE
        scope = key in self.providers
        return Node(
            id=identifier(key),
            name=thing.label,
            what=What.SCOPE if scope else acting,
            kind=thing.kind,
            scope=identifier(thing.scope),
            provider=visible(self.providers.get(thing.scope, "")),
            sensitive=thing.sensitive,
            first=False,
            change="reached",
        )

    def _reached(self, row: ChangeRow | GrantRow, change: str) -> Node:
        thing = self.names.thing(key_of(row))
        acts = row.resource in self.acting or row.capability == "assume"
        what = What.IDENTITY if acts else What.PATTERN if row.pattern else What.RESOURCE
        return Node(
            id=identifier(key_of(row)),
            name=thing.label,
            what=What.SCOPE if row.resource in self.providers else what,
            kind=visible(row.resource_kind),
            scope=identifier(row.scope),
            provider=visible(row.provider),
            sensitive=is_sensitive(row.sensitivity),
            first=False,
            change=change,
        )


def _held(row: ChangeRow | GrantRow) -> Edge:
    """The hop to what a witness does not name itself, such as a pattern."""
    return Edge(
        source=identifier(row.identity),
        target=identifier(key_of(row)),
        kind="grant",
        actions=visible(" ".join(row.actions)),
        strength=visible(row.strength),
        depends_on=visible(" and ".join(row.depends_on)),
        statement="",
        release=Side.NEW,
    )


def _edges(hop: Hop) -> Iterator[Edge]:
    if not hop.subject or not hop.object:
        return
    yield Edge(
        source=identifier(hop.subject),
        target=identifier(hop.object),
        kind=visible(hop.kind),
        actions=visible(hop.action),
        strength=visible(hop.strength),
        depends_on=visible(" and ".join(hop.depends_on)),
        statement=visible(hop.statement),
        release=Side.NEW,
    )
