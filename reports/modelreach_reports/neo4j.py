"""The access graph as a folder of CSV files that Neo4j imports.

`neo4j-admin database import` reads `nodes.csv` and `relationships.csv` into an empty database;
`load.cypher` reads them into a running one. Labels and types are a closed list and no Cypher is
made of a name, so that nothing in an estate can say what a query does.
https://neo4j.com/docs/operations-manual/current/import/
https://neo4j.com/docs/cypher-manual/current/clauses/load-csv/
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Final

from modelreach.report import Report
from modelreach_reports import Format
from modelreach_reports.nodes import Edge, Node, network
from modelreach_reports.opengraph import EDGE_KINDS, NODE_KINDS, OTHER
from modelreach_reports.safe import end
from modelreach_reports.tables import neutral

#: Quoted fields are read up to `--read-buffer-size`, 4 MiB unless told otherwise.
_LONGEST: Final = 32_000

_NODES: Final = (
    *("id:ID", ":LABEL", "name", "kind", "scope", "provider"),
    *("sensitive:boolean", "first:boolean", "change"),
)
_EDGES: Final = (
    *(":START_ID", ":END_ID", ":TYPE", "hop", "actions", "strength", "depends_on"),
    *("statement", "release"),
)
#: Every node has this label, and its own.
_LABEL: Final = "Modelreach"


def render_neo4j(report: Report) -> Mapping[str, bytes]:
    """Give the files."""
    found = network(report)
    return {
        "nodes.csv": _table(_NODES, (_node(node) for node in found.nodes)),
        "relationships.csv": _table(_EDGES, (_edge(edge) for edge in found.edges)),
        "load.cypher": _load().encode(),
        "README.txt": _README.encode(),
    }


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    """Every field is quoted, quotes are doubled, no field has a line break (RFC 4180)."""
    out = StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    out.write(",".join(header) + "\n")
    writer.writerows(rows)
    return out.getvalue().encode(errors="backslashreplace")


def _node(node: Node) -> tuple[str, ...]:
    return (
        _identifier(node.id),
        f"{_LABEL};{NODE_KINDS[node.what].name}",
        _text(node.name),
        _text(node.kind),
        _identifier(node.scope),
        _text(node.provider),
        _flag(node.sensitive),
        _flag(node.first),
        _text(node.change),
    )


def _edge(edge: Edge) -> tuple[str, ...]:
    return (
        _identifier(edge.source),
        _identifier(edge.target),
        relationship(edge.kind),
        _text(edge.kind),
        _text(edge.actions),
        _text(edge.strength),
        _text(edge.depends_on),
        _text(edge.statement),
        edge.release.value,
    )


def relationship(kind: str) -> str:
    """Give the type of a hop in Neo4j's spelling: `assume-role` becomes `ASSUME_ROLE`."""
    name = EDGE_KINDS.get(kind, OTHER).name
    return "".join(f"_{char}" if char.isupper() else char for char in name)[1:].upper()


#: `LOAD CSV` takes a backslash for an escape before a quote or another; `neo4j-admin` does not.
#: https://neo4j.com/docs/operations-manual/current/configuration/configuration-settings/#config_dbms.import.csv.legacy_quote_escaping
_ESCAPING: Final = re.compile(r'\\(?=["\\]|\Z)')


def _text(text: str) -> str:
    return neutral(_ESCAPING.sub(r"\\x5c", end(text, _LONGEST)))


def _identifier(name: str) -> str:
    """An id is the provider's own; one that a spreadsheet would compute, or a reader of CSV take
    apart, is written otherwise, with a digest that tells it from a name that is spelled so."""
    shown = _text(name)
    if shown == name:
        return name
    return f"{shown} #{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:12]}"


def _flag(flag: bool) -> str:
    return "true" if flag else "false"


def _load() -> str:
    """Give statements that take the files into a running database, again and again."""
    labels = sorted({kind.name for kind in NODE_KINDS.values()})
    types = sorted({relationship(kind) for kind in (*EDGE_KINDS, "")})
    statements = [
        f"CREATE CONSTRAINT modelreach_id IF NOT EXISTS FOR (n:{_LABEL}) REQUIRE n.id IS UNIQUE;",
        *(_LOAD_NODES.format(base=_LABEL, label=label) for label in labels),
        *(_LOAD_EDGES.format(base=_LABEL, type=type_) for type_ in types),
    ]
    return _HEAD + "\n".join(statements) + "\n"


_HEAD = """\
// Loads nodes.csv and relationships.csv from the import folder of a running Neo4j 5 or newer:
//   cypher-shell -f load.cypher
"""
_LOAD_NODES = """\
LOAD CSV WITH HEADERS FROM 'file:///nodes.csv' AS row
WITH row WHERE row[':LABEL'] = '{base};{label}'
MERGE (n:{base} {{id: row['id:ID']}})
SET n:{label}, n.name = row.name, n.kind = row.kind, n.scope = row.scope,
    n.provider = row.provider, n.sensitive = row['sensitive:boolean'] = 'true',
    n.first = row['first:boolean'] = 'true', n.change = row.change;"""
_LOAD_EDGES = """\
LOAD CSV WITH HEADERS FROM 'file:///relationships.csv' AS row
WITH row WHERE row[':TYPE'] = '{type}'
MATCH (a:{base} {{id: row[':START_ID']}}), (b:{base} {{id: row[':END_ID']}})
WITH row, a, b, coalesce(row.actions, '') AS actions, coalesce(row.statement, '') AS statement
MERGE (a)-[r:{type} {{hop: row.hop, actions: actions, statement: statement}}]->(b)
SET r.strength = row.strength, r.depends_on = row.depends_on, r.release = row.release;"""

_README = """\
What a model reaches, as files for Neo4j. Written by modelreach; every run writes the same again.

Into an empty database:
  neo4j-admin database import full --nodes=nodes.csv --relationships=relationships.csv modelreach

Into one that is running (copy both files into its import folder first):
  cypher-shell -f load.cypher

Ids are the provider's own (ARN, full resource name, ARM id, k8s/...). One that holds hidden
characters is shown with them spelled out and a digest behind it; one that a spreadsheet would
compute begins with an apostrophe.

How the deployment gets at what is sensitive:
  MATCH p = shortestPath((:Deployment)-[*..12]->(r:Resource {sensitive: true}))
  WHERE all(step IN relationships(p) WHERE step.release <> 'old') RETURN p;
"""


neo4j = Format(("/",), render_neo4j)
