"""The access graph as BloodHound's OpenGraph, with kinds of our own.

Ids hold no colon, kinds have a prefix, properties are flat and lower case. So that path-finding
follows our edges, BloodHound has to know the kinds: `extension` gives their definition, which is
uploaded once.
https://bloodhound.specterops.io/opengraph/schema
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from modelreach.report import Report
from modelreach_reports import Format
from modelreach_reports.nodes import Edge, Node, network
from modelreach_reports.safe import end, json_bytes

PREFIX: Final = "MODELREACH_"
_LONGEST: Final = 2_000


def render_opengraph(report: Report) -> bytes:
    """Give nodes and edges."""
    found = network(report)
    graph = {
        "nodes": [_node(node) for node in found.nodes],
        "edges": [_edge(edge) for edge in found.edges],
    }
    return json_bytes({"metadata": {"source_kind": f"{PREFIX}Base"}, "graph": graph})


def identifier(name: str) -> str:
    """Give the id of a thing: readable, without a colon, and never that of another."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9./_@-]+", "-", name).strip("-")
    return f"{end(readable, 120, ellipsis='')}-{digest}"


def kind(word: str) -> str:
    """Give a kind for a word of ours: `assume-role` becomes `MODELREACH_AssumeRole`."""
    parts = re.findall(r"[A-Za-z0-9]+", word) or ["Thing"]
    return PREFIX + "".join(part[:1].upper() + part[1:] for part in parts)


def _node(node: Node) -> dict[str, Any]:
    return {
        "id": identifier(node.id),
        "kinds": [kind(node.kind or "thing"), f"{PREFIX}Base"],
        "properties": {
            "name": end(node.name, _LONGEST),
            "displayname": end(node.name, _LONGEST),
            "fullname": end(node.id, _LONGEST),
            "scope": node.scope,
            "provider": node.provider,
            "sensitive": node.sensitive,
            "first": node.first,
            "change": node.change,
        },
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "kind": kind(edge.kind),
        "start": {"value": identifier(edge.source), "match_by": "id"},
        "end": {"value": identifier(edge.target), "match_by": "id"},
        "properties": {
            "actions": end(edge.actions, _LONGEST),
            "strength": edge.strength,
            "dependson": end(edge.depends_on, _LONGEST),
            "statement": end(edge.statement, _LONGEST),
        },
    }


render = Format((".opengraph.json",), render_opengraph)
