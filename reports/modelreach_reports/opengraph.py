"""The access graph as BloodHound's OpenGraph, with kinds of our own.

Ids hold no colon, kinds have a prefix and are a closed list, properties are flat and lower case.
BloodHound's path-finding follows only edges that an installed extension calls traversable:
`extension` is that definition, the same for every report, and is installed once. What only the old
release reached is left out, or paths would be found that are gone.
https://bloodhound.specterops.io/opengraph/developer/graph-definition
https://bloodhound.specterops.io/opengraph/developer/edges
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

import msgspec

from modelreach.report import Report
from modelreach_reports import Format
from modelreach_reports.nodes import Edge, Node, What, network
from modelreach_reports.safe import end, json_bytes

NAMESPACE: Final = "MODELREACH"
SOURCE_KIND: Final = f"{NAMESPACE}_Base"
_VERSION: Final = "v1.0.0"
_LONGEST: Final = 2_000


class NodeKind(msgspec.Struct, frozen=True):
    """A kind of node as BloodHound shows it; `icon` is a name of Font Awesome."""

    name: str
    display: str
    description: str
    icon: str
    color: str


class EdgeKind(msgspec.Struct, frozen=True):
    """A kind of edge. Path-finding follows it if who is at its start can go on from its end."""

    name: str
    description: str
    traversable: bool = True


NODE_KINDS: Final = {
    What.DEPLOYMENT: NodeKind(
        "Deployment", "AI deployment", "A release of a deployed model", "robot", "#7c3aed"
    ),
    What.TOOL: NodeKind("Tool", "Tool", "A tool that the model uses", "wrench", "#b45309"),
    What.IDENTITY: NodeKind(
        "Identity", "Identity", "A principal that is reached", "user-gear", "#2563eb"
    ),
    What.SCOPE: NodeKind(
        "Scope", "Scope", "An account, project, subscription or cluster", "building", "#475569"
    ),
    What.RESOURCE: NodeKind(
        "Resource", "Resource", "Something that is reached", "database", "#0d9488"
    ),
    What.PATTERN: NodeKind(
        "Pattern", "Pattern", "Things that are reached and not listed", "asterisk", "#94a3b8"
    ),
}
SENSITIVE: Final = NodeKind(
    "SensitiveResource",
    "Sensitive resource",
    "Something sensitive that is reached",
    "gem",
    "#dc2626",
)

#: How a hop of a witness is called in the graph.
EDGE_KINDS: Final = {
    "uses": EdgeKind("Uses", "The deployment uses the tool"),
    "runs-as": EdgeKind("RunsAs", "The deployment, or its tool, runs as the identity"),
    "assume-role": EdgeKind("AssumeRole", "May assume the role"),
    "impersonate": EdgeKind("Impersonate", "May act as the identity"),
    "federate": EdgeKind("Federate", "Becomes the identity by federation"),
    "federation": EdgeKind("Federate", "Becomes the identity by federation"),
    "membership": EdgeKind("MemberOf", "Has what the group has, or may join it"),
    "credential": EdgeKind("Credential", "Holds or may make a credential that opens it"),
    "pass-role": EdgeKind("PassRole", "May start something that runs as it"),
    "update-compute": EdgeKind("UpdateCompute", "May change what runs as it"),
    "run-code": EdgeKind("RunCode", "May run code as it"),
    "trust": EdgeKind("Trust", "May change who is trusted to become it"),
    "policy": EdgeKind("Policy", "May change what is allowed"),
    "self-escalation": EdgeKind("SelfEscalation", "May give itself more"),
    "administer": EdgeKind("Administer", "Can take the scope over"),
    "tool": EdgeKind("Tool", "Calls it as a tool"),
    "node": EdgeKind("Node", "Runs on it, and may use what it may"),
    "grant": EdgeKind("Access", "May use the resource"),
    "feed": EdgeKind("Feeds", "May feed what it reads, but not act as it", traversable=False),
    "prompt": EdgeKind("Prompts", "May prompt it, but not act as it", traversable=False),
}
#: For hops of plug-ins that name kinds of their own.
OTHER: Final = EdgeKind("Becomes", "Becomes the identity in another way")


def render_opengraph(report: Report) -> bytes:
    """Give nodes and edges."""
    found = network(report).as_of_new()
    graph = {
        "nodes": [_node(node) for node in found.nodes],
        "edges": [_edge(edge) for edge in found.edges],
    }
    return json_bytes({"metadata": {"source_kind": SOURCE_KIND}, "graph": graph})


def render_extension(_: Report) -> bytes:
    """Give the definition that BloodHound needs to follow the edges: the same for all reports."""
    nodes = [*NODE_KINDS.values(), SENSITIVE]
    edges = {kind.name: kind for kind in (*EDGE_KINDS.values(), OTHER)}
    return json_bytes(
        {
            "schema": {
                "name": NAMESPACE,
                "display_name": "modelreach: what an AI model can reach",
                "version": _VERSION,
                "namespace": NAMESPACE,
            },
            "node_kinds": [
                {
                    "name": _kind(kind.name),
                    "display_name": kind.display,
                    "description": kind.description,
                    "is_display_kind": True,
                    "icon": kind.icon,
                    "color": kind.color,
                }
                for kind in nodes
            ],
            "relationship_kinds": [
                {
                    "name": _kind(kind.name),
                    "description": kind.description,
                    "is_traversable": kind.traversable,
                }
                for _, kind in sorted(edges.items())
            ],
            "environments": [
                {
                    "environment_kind": _kind(NODE_KINDS[What.SCOPE].name),
                    "source_kind": SOURCE_KIND,
                    "principal_kinds": [
                        _kind(NODE_KINDS[what].name) for what in (What.DEPLOYMENT, What.IDENTITY)
                    ],
                }
            ],
            "relationship_findings": [],
        }
    )


def identifier(name: str) -> str:
    """Give the id of a thing: readable, without a colon, and never that of another.

    BloodHound compares ids in upper case, which the digest survives.
    """
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9./_@-]+", "-", name).strip("-")
    return f"{end(readable, 120, ellipsis='')}-{digest}"


def _kind(name: str) -> str:
    return f"{NAMESPACE}_{name}"


def _node(node: Node) -> dict[str, Any]:
    plain = NODE_KINDS[node.what]
    kind = SENSITIVE if node.sensitive and node.what is What.RESOURCE else plain
    properties: dict[str, Any] = {
        "name": end(node.name, _LONGEST),
        "displayname": end(node.name, _LONGEST),
        "fullname": end(node.id, _LONGEST),
        "type": end(node.kind, _LONGEST),
        "provider": node.provider,
        "sensitive": node.sensitive,
        "first": node.first,
        "change": node.change,
    }
    if node.what is What.SCOPE:
        properties["collected"] = True
    if node.scope:
        properties |= {"scope": node.scope, "environmentid": identifier(node.scope)}
    return {
        "id": identifier(node.id),
        "kinds": [_kind(kind.name), SOURCE_KIND],
        "properties": properties,
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "kind": _kind(EDGE_KINDS.get(edge.kind, OTHER).name),
        "start": {"value": identifier(edge.source), "match_by": "id"},
        "end": {"value": identifier(edge.target), "match_by": "id"},
        "properties": {
            "hop": end(edge.kind, _LONGEST),
            "actions": end(edge.actions, _LONGEST),
            "strength": edge.strength,
            "dependson": end(edge.depends_on, _LONGEST),
            "statement": end(edge.statement, _LONGEST),
        },
    }


render = Format((".opengraph.json",), render_opengraph)
extension = Format((".opengraph-extension.json",), render_extension)
