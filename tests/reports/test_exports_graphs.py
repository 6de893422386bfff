"""What graph databases take: BloodHound's OpenGraph with its extension, Neo4j's import files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.policy.aws.escalation import rules as aws_rules
from modelreach.policy.escalation.rules import rules
from modelreach.report import DiffReport, Report
from modelreach_reports import neo4j, opengraph
from modelreach_reports.nodes import Side, What, network
from modelreach_reports.nodes import identifier as spelled

Poison = Callable[[str, str], Report]


# --- OpenGraph -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def extension(diff_report: DiffReport) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opengraph.extension(diff_report))
    return found


def _kinds(extension: dict[str, Any], section: str) -> dict[str, Any]:
    return {kind["name"]: kind for kind in extension[section]}


def test_the_extension_is_as_bloodhound_wants_it(extension: dict[str, Any]) -> None:
    """https://bloodhound.specterops.io/opengraph/developer/extension-definition-schema"""
    namespace = extension["schema"]["namespace"]
    assert re.fullmatch(r"v\d+\.\d+\.\d+", extension["schema"]["version"])
    nodes, edges = _kinds(extension, "node_kinds"), _kinds(extension, "relationship_kinds")
    assert len(nodes) == len(extension["node_kinds"])
    assert len(edges) == len(extension["relationship_kinds"])
    for name in (*nodes, *edges):
        assert re.fullmatch(rf"{namespace}_[A-Za-z0-9]+", name)
    for kind in nodes.values():
        assert re.fullmatch(r"#[0-9a-f]{6}", kind["color"])
    for environment in extension["environments"]:
        assert {environment["environment_kind"], *environment["principal_kinds"]} <= set(nodes)


@pytest.mark.parametrize("side", ["diff", "radius"])
def test_every_kind_of_a_graph_is_defined(
    side: str, poison: Poison, extension: dict[str, Any]
) -> None:
    nodes, edges = _kinds(extension, "node_kinds"), _kinds(extension, "relationship_kinds")
    graph = json.loads(opengraph.render(poison(side, "x")))["graph"]
    assert {node["kinds"][0] for node in graph["nodes"]} <= set(nodes)
    assert {edge["kind"] for edge in graph["edges"]} <= set(edges)


def test_path_finding_gets_from_the_deployment_to_the_secret(
    diff_report: DiffReport, extension: dict[str, Any]
) -> None:
    follows = _kinds(extension, "relationship_kinds")
    graph = json.loads(opengraph.render(diff_report))["graph"]
    steps = [
        (edge["start"]["value"], edge["end"]["value"])
        for edge in graph["edges"]
        if follows[edge["kind"]]["is_traversable"]
    ]
    (start,) = (n["id"] for n in graph["nodes"] if n["kinds"][0] == "MODELREACH_Deployment")
    reached = {start}
    for _ in steps:
        reached |= {end for begin, end in steps if begin in reached}
    sensitive = {n["id"] for n in graph["nodes"] if n["kinds"][0].endswith("SensitiveResource")}
    assert len(sensitive) == 3
    assert sensitive <= reached


def test_who_is_only_influenced_is_not_on_a_path(extension: dict[str, Any]) -> None:
    follows = _kinds(extension, "relationship_kinds")
    for hop in ("feed", "prompt"):
        name = f"MODELREACH_{opengraph.EDGE_KINDS[hop].name}"
        assert follows[name]["is_traversable"] is False


def test_what_is_gone_is_not_in_a_graph_for_path_finding(diff_report: DiffReport) -> None:
    (lost,) = (row for row in diff_report.changes if row.kind == "lost")
    raw = opengraph.render(diff_report).decode()
    assert lost.resource not in raw
    assert lost.resource in {node.id for node in network(diff_report).nodes}


@pytest.mark.parametrize("name", ["a:b", "x" * 4000, "\ud800", "=1+1", 'quote" \\'])
def test_documents_keep_to_the_schema(name: str, poison: Poison) -> None:
    """https://bloodhound.specterops.io/opengraph/developer/nodes#constraints"""
    found = json.loads(opengraph.render(poison("diff", name)))
    assert found["metadata"] == {"source_kind": "MODELREACH_Base"}
    graph = found["graph"]
    ids = [node["id"] for node in graph["nodes"]]
    assert len(set(map(str.upper, ids))) == len(ids)
    assert not any(":" in one for one in ids)
    for thing in graph["nodes"] + graph["edges"]:
        for key, value in thing["properties"].items():
            assert re.fullmatch("[a-z]+", key) and key != "objectid"
            assert isinstance(value, str | int | float | bool)
    ends = {edge[end]["value"] for edge in graph["edges"] for end in ("start", "end")}
    assert ends <= set(ids)


def test_every_hop_of_every_rule_has_a_kind() -> None:
    kinds = {rule.kind for rule in aws_rules()}
    for provider in ("gcp", "azure", "kubernetes"):
        kinds |= {rule.kind for rule in rules(f"modelreach.policy.{provider}")}
    assert len(kinds) > 8
    assert kinds <= set(opengraph.EDGE_KINDS)


# --- Neo4j -----------------------------------------------------------------------------------


def _read(raw: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """Read as `neo4j-admin` does: RFC 4180, no field over several lines."""
    lines = raw.decode().split("\n")
    assert lines.pop() == ""
    rows = list(csv.reader(lines, strict=True))
    assert len(rows) == len(lines)
    header, *rest = rows
    assert {len(row) for row in rest} == {len(header)}
    return header, [dict(zip(header, row, strict=True)) for row in rest]


def _read_as_load_csv(raw: bytes) -> list[list[str]]:
    """Read as `LOAD CSV` does unless told otherwise: a backslash escapes a quote or another."""
    plain = re.sub(r'\\(["\\])', "\\1\\1", raw.decode())
    return list(csv.reader(io.StringIO(plain), strict=True))


@pytest.mark.parametrize("side", ["diff", "radius"])
@settings(max_examples=8, deadline=None)
@given(
    name=st.one_of(
        st.sampled_from(['"', "\\", '\\"', "=1+1", "a;b", "\n", ",", "x" * 40_000, "\ud800"]),
        st.text(max_size=20),
    )
)
def test_neo4j_files_hold_whole_rows(side: str, poison: Poison, name: str) -> None:
    files = neo4j.neo4j(poison(side, name))
    for table in ("nodes.csv", "relationships.csv"):
        header, rows = _read(files[table])
        values = [list(row.values()) for row in rows]
        assert _read_as_load_csv(files[table]) == [header, *values]
        assert not any(v.lstrip(" ").startswith(tuple("=+-@")) for row in values for v in row)
    _, nodes = _read(files["nodes.csv"])
    _, edges = _read(files["relationships.csv"])
    ids = [node["id:ID"] for node in nodes]
    assert len(set(ids)) == len(ids) == len(_read(neo4j.neo4j(poison(side, ""))["nodes.csv"])[1])
    assert {edge[end] for edge in edges for end in (":START_ID", ":END_ID")} <= set(ids)
    labels = {f"Modelreach;{kind.name}" for kind in opengraph.NODE_KINDS.values()}
    assert {node[":LABEL"] for node in nodes} <= labels
    assert all(re.fullmatch(r"[A-Z_]+", edge[":TYPE"]) for edge in edges)


def test_no_name_gets_into_cypher(poison: Poison) -> None:
    plain = neo4j.neo4j(poison("diff", ""))
    bad = neo4j.neo4j(poison("diff", "'}) DETACH DELETE (n) //"))
    for name in ("load.cypher", "README.txt"):
        assert bad[name] == plain[name]


def test_ids_are_the_providers_own(diff_report: DiffReport) -> None:
    _, nodes = _read(neo4j.neo4j(diff_report)["nodes.csv"])
    ids = {node["id:ID"] for node in nodes}
    assert {row.resource for row in diff_report.changes if not row.pattern} <= ids


def test_one_pattern_is_a_node_for_each_thing_that_it_means(diff_report: DiffReport) -> None:
    (first, *_) = (row for row in diff_report.changes if row.pattern)
    meant = [("bedrock:*", "111122223333"), ("logs:*", "111122223333"), ("logs:*", first.scope)]
    rows = tuple(
        msgspec.structs.replace(first, resource="*", resource_kind=kind, scope=scope)
        for kind, scope in meant
    )
    made = network(msgspec.structs.replace(diff_report, changes=rows))
    found = {(node.kind, node.scope): node.id for node in made.nodes if node.id.startswith("* ")}
    assert set(found) == set(meant)
    assert set(found.values()) <= {edge.target for edge in made.edges}


def test_an_id_that_is_spelled_like_a_made_up_one_is_told_from_it() -> None:
    hidden = "a\x1b"
    assert len({spelled(hidden), spelled("a\\x1b"), spelled(spelled(hidden))}) == 3


def test_every_edge_says_of_which_release_it_is(diff_report: DiffReport) -> None:
    edges = network(diff_report).edges
    (lost,) = (row for row in diff_report.changes if row.kind == "lost")
    assert {e.release for e in edges if e.target == lost.resource} == {Side.OLD}
    runtime = diff_report.identities_old[0].id
    runs = {edge.target: edge.release for edge in edges if edge.kind == "runs-as"}
    assert runs[runtime] is Side.BOTH
    assert set(runs.values()) == {Side.BOTH, Side.NEW}


def test_a_scope_that_is_taken_over_is_one_even_without_a_change(diff_report: DiffReport) -> None:
    kept = tuple(row for row in diff_report.changes if row.capability != "administer")
    found = network(msgspec.structs.replace(diff_report, changes=kept))
    scopes = {node.id for node in found.nodes if node.what is What.SCOPE}
    assert {row.scope for row in diff_report.admin_of_new} <= scopes
