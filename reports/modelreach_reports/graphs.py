"""The access graph as GraphML and GEXF, for yEd, Gephi and Cytoscape."""

from __future__ import annotations

from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from modelreach.report import Report
from modelreach_reports import Format
from modelreach_reports.nodes import Edge, Node, network

if TYPE_CHECKING:
    import networkx as nx


def _graph(report: Report) -> nx.MultiDiGraph[str]:
    import networkx as nx

    found = network(report)
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for node in found.nodes:
        values = _values(node)
        graph.add_node(values.pop("id"), label=values["name"], **values)
    for edge in found.edges:
        values = _values(edge)
        graph.add_edge(values.pop("source"), values.pop("target"), **values)
    return graph


def _values(row: Node | Edge) -> dict[str, Any]:
    """Give the fields of a row; the formats know no enums."""
    values = asdict(row)
    return {k: v.value if isinstance(v, StrEnum) else v for k, v in values.items()}


def render_graphml(report: Report) -> bytes:
    """Give GraphML 1.0."""
    import networkx as nx

    out = BytesIO()
    nx.write_graphml_xml(_graph(report), out, encoding="utf-8", prettyprint=True)
    return out.getvalue()


def render_gexf(report: Report) -> bytes:
    """Give GEXF, without the day on which it was written and by which version of networkx: equal
    reports give equal bytes. The schema knows no name of a graph."""
    from networkx.readwrite.gexf import GEXFWriter

    writer = GEXFWriter(encoding="utf-8", prettyprint=True)
    writer.add_graph(_graph(report))
    for meta in writer.xml.iter("meta"):
        meta.attrib.pop("lastmodifieddate", None)
        for creator in meta.iter("creator"):
            creator.text = "modelreach"
    for graph in writer.xml.iter("graph"):
        graph.attrib.pop("name", None)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


graphml = Format((".graphml",), render_graphml)
gexf = Format((".gexf",), render_gexf)
