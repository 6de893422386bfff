"""Forms that other tools take: each read by somebody else's model of it, and twice the same."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import networkx as nx
import pandas
import pytest
from bhopengraph.OpenGraph import OpenGraph
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator
from junitparser import JUnitXml
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from openpyxl import load_workbook
from sarif_pydantic import Sarif
from xmlschema import XMLSchema

from modelreach.report import DiffReport, RadiusReport, Report, Waived
from modelreach_reports import (
    graphs,
    junit,
    ocsf,
    opengraph,
    openmetrics,
    sarif,
    tables,
)
from modelreach_reports.naming import key_of

Poison = Callable[[str, str], Report]
SCHEMAS = Path(__file__).parent / "schemas"

FORMS: dict[str, Callable[[Report], bytes]] = {
    "sarif": sarif.render,
    "junit": junit.render,
    "prom": openmetrics.render,
    "graphml": graphs.graphml,
    "gexf": graphs.gexf,
    "opengraph": opengraph.render,
    "ocsf": ocsf.render,
    "ocsf-detection": ocsf.detection,
    "parquet": tables.parquet,
    "xlsx": tables.xlsx,
}
NASTY = [
    "</script><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "\x1b[2J\x00",
    "gpj.\u202eexe",
    "line\r\nbreak",
    "n" * 4000,
    "]]> <!-- & -->",
    "a:b:c",
    "[link](http://evil)",
    'quote" and \\ slash',
    "\ud800",
]


@pytest.mark.parametrize("form", FORMS)
def test_equal_reports_give_equal_bytes(form: str, diff_report: DiffReport) -> None:
    assert FORMS[form](diff_report) == FORMS[form](diff_report)


@pytest.mark.parametrize("form", FORMS)
def test_a_radius_has_every_form(form: str, radius_report: RadiusReport) -> None:
    assert FORMS[form](radius_report)


# --- SARIF -----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _sarif_schema() -> Draft4Validator:
    """The schema of OASIS, as published: see schemas/README.md."""
    raw = (SCHEMAS / "sarif-schema-2.1.0.json").read_bytes()
    return Draft4Validator(json.loads(raw), format_checker=Draft4Validator.FORMAT_CHECKER)


def _run(report: Report) -> dict[str, Any]:
    found = json.loads(sarif.render(report))
    Sarif.model_validate(found)
    assert [f"{e.json_path}: {e.message}" for e in _sarif_schema().iter_errors(found)] == []
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    return dict(run)


def test_every_finding_is_a_result_with_a_place_and_a_way(diff_report: DiffReport) -> None:
    run = _run(diff_report)
    assert len(run["results"]) == len(diff_report.findings)
    ranked = ("critical", "high", "medium", "low")
    rows = sorted(diff_report.findings, key=lambda r: (ranked.index(r.severity), r.id))
    for row, result in zip(rows, run["results"], strict=True):
        assert result["partialFingerprints"]["modelreach/v1"] == row.fingerprint
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"]
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == row.rule == result["ruleId"]
        steps = result.get("codeFlows", [{"threadFlows": [{"locations": []}]}])[0]
        assert len(steps["threadFlows"][0]["locations"]) == len(row.witness)
    states = {result["baselineState"] for result in run["results"]}
    assert states <= {"new", "unchanged", "absent"}


def test_a_result_points_at_the_identity_that_it_starts_from(diff_report: DiffReport) -> None:
    start = diff_report.findings[0].witness[0].object
    release = msgspec.structs.replace(
        diff_report.new, manifest="deploy/next.yaml", identities=("other", start), lines=(7, 11)
    )
    run = _run(msgspec.structs.replace(diff_report, new=release))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "deploy/next.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 11}


def test_what_is_waived_is_suppressed(diff_report: DiffReport) -> None:
    waived = Waived(reason="migration", owner="ml", approved_by="sec", expires="2026-12-31")
    first = msgspec.structs.replace(diff_report.findings[0], waived=waived)
    report = msgspec.structs.replace(diff_report, findings=(first,))
    (result,) = _run(report)["results"]
    assert result["suppressions"][0]["status"] == "accepted"
    assert "2026-12-31" in result["suppressions"][0]["justification"]


def test_what_has_gone_is_no_open_alert(diff_report: DiffReport) -> None:
    """GitHub shows every result as an open alert, and closes those that are not there."""
    first, *others = diff_report.findings
    gone = msgspec.structs.replace(first, state="gone")
    run = _run(msgspec.structs.replace(diff_report, findings=(gone, *others)))
    assert len(run["results"]) == len(others)
    assert run["properties"]["gone"] == 1
    assert {result["baselineState"] for result in run["results"]} == {"new", "unchanged"}


@pytest.mark.parametrize(("limit", "ways"), [(10_000_000, True), (4_000, True), (1_500, False)])
def test_a_file_is_small_enough_to_be_taken(
    diff_report: DiffReport, monkeypatch: pytest.MonkeyPatch, limit: int, ways: bool
) -> None:
    """Findings that differ in words, so that they do not compress to nothing."""
    monkeypatch.setattr(sarif, "_COMPRESSED", limit)
    first = diff_report.findings[0]
    rows = tuple(
        msgspec.structs.replace(
            first, id=f"F{n:02}", fingerprint=hashlib.md5(bytes([n])).hexdigest()
        )
        for n in range(24)
    )
    report = msgspec.structs.replace(diff_report, findings=rows)
    run = _run(report)
    assert len(zlib.compress(sarif.render(report))) <= limit
    told = run["properties"]
    assert len(run["results"]) + told.get("leftOut", 0) == len(rows)
    assert ("codeFlows" in run["results"][0]) == ways
    shown = sum("codeFlows" in result for result in run["results"])
    assert (shown == len(rows)) == ("waysLeftOut" not in told)


def test_more_findings_than_are_taken_are_counted(
    diff_report: DiffReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sarif, "_RESULTS", 2)
    run = _run(diff_report)
    assert len(run["results"]) == 2
    assert run["properties"]["leftOut"] == len(diff_report.findings) - 2
    assert {result["level"] for result in run["results"]} == {"error"}


def test_a_category_ends_in_a_slash(diff_report: DiffReport) -> None:
    assert _run(diff_report)["automationDetails"]["id"].endswith("/")


@pytest.mark.parametrize("name", NASTY)
def test_sarif_takes_any_name(poison: Poison, name: str) -> None:
    run = _run(poison("diff", name))
    for result in run["results"]:
        text = result["message"]["text"]
        assert not re.search(r"(?<!\\)\[", text), "an unescaped bracket begins a link"
        assert text.isprintable()


# --- JUnit -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "schema"), [("junit", "junit-10.xsd"), ("gexf", "gexf-1.2draft/gexf.xsd")]
)
@pytest.mark.parametrize("side", ["diff", "radius"])
def test_xml_is_as_its_schema_says(form: str, schema: str, side: str, poison: Poison) -> None:
    held_to = XMLSchema(SCHEMAS / schema)
    nothing = msgspec.structs.replace(poison(side, ""), findings=())
    for report in (nothing, poison(side, ""), poison(side, NASTY[0]), poison(side, NASTY[4])):
        found = held_to.iter_errors(BytesIO(FORMS[form](report)))
        assert [f"{error.path}: {error.reason}" for error in found] == []


def limited(report: DiffReport, verdict: str, fail_on: str) -> JUnitXml:
    gate = msgspec.structs.replace(report.gate, verdict=verdict, fail_on=fail_on)
    return JUnitXml.fromstring(junit.render(msgspec.structs.replace(report, gate=gate)))


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        ("high", {"critical", "high"}),
        ("low", {"critical", "high", "medium", "low"}),
        ("never", set()),
    ],
)
def test_what_fails_the_gate_fails_and_no_more(
    diff_report: DiffReport, fail_on: str, failing: set[str]
) -> None:
    """A low finding that the gate lets pass must not make a server's report red."""
    rows = diff_report.findings
    low = msgspec.structs.replace(rows[0], id="F90", severity="low", fingerprint="low")
    report = msgspec.structs.replace(diff_report, findings=(*rows, low))
    found = limited(report, "pass", fail_on)
    current = [row for row in report.findings if row.state != "gone"]
    new = [row for row in current if row.state == "new" and row.waived is None]
    assert low in new
    assert found.tests == len(current) + 1  # the gate
    failed = len([row for row in new if row.severity in failing])
    assert (found.failures, found.skipped) == (failed, len(current) - failed)


def test_the_gate_is_a_case_of_its_own(diff_report: DiffReport) -> None:
    """It may fail for a demand alone, or for what was not read."""
    nothing = msgspec.structs.replace(diff_report, findings=())
    given = {one: limited(nothing, one, "high") for one in ("pass", "fail", "unknown")}
    assert {(one.tests, one.failures, one.errors) for one in given.values()} == {
        (1, 0, 0),
        (1, 1, 0),
        (1, 0, 1),
    }


def test_a_case_keeps_its_name_when_findings_come_before_it(diff_report: DiffReport) -> None:
    """A CI server tells what has newly failed by the names of the cases."""
    cases = {
        case.name for suite in JUnitXml.fromstring(junit.render(diff_report)) for case in suite
    }
    moved = tuple(msgspec.structs.replace(row, id=f"{row.id}0") for row in diff_report.findings)
    later = JUnitXml.fromstring(junit.render(msgspec.structs.replace(diff_report, findings=moved)))
    assert {case.name for suite in later for case in suite} == cases


# --- OpenMetrics -----------------------------------------------------------------------------

_LINE = re.compile(r'[a-z_]+\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\} \d+')


@pytest.mark.parametrize("name", ["x", *NASTY])
def test_every_line_is_a_sample_or_a_comment(poison: Poison, name: str) -> None:
    lines = openmetrics.render(poison("diff", name)).decode().splitlines()
    assert lines[-1] == "# EOF"
    assert all(line.startswith("# ") or _LINE.fullmatch(line) for line in lines)


def test_numbers_are_those_of_the_report(diff_report: DiffReport) -> None:
    text = openmetrics.render(diff_report).decode()
    new = sum(r.state == "new" and r.severity == "critical" for r in diff_report.findings)
    labels = 'severity="critical",state="new"'
    assert re.search(rf"modelreach_findings{{[^}}]*{labels}}} {new}\n", text)
    sensitive = diff_report.summary.new.sensitive
    assert re.search(rf"modelreach_reach_sensitive{{[^}}]*}} {sensitive}\n", text)
    assert "stripe" not in text, "names from a cloud are no labels"


# --- graphs ----------------------------------------------------------------------------------


def test_graphml_and_gexf_hold_the_same_graph(diff_report: DiffReport) -> None:
    first = nx.read_graphml(BytesIO(graphs.graphml(diff_report)), force_multigraph=True)
    second = nx.read_gexf(BytesIO(graphs.gexf(diff_report)))
    assert set(first) == set(second)
    assert first.number_of_edges() == second.number_of_edges() > 0
    starts = [node for node, start in first.nodes(data="first") if start]
    assert starts
    for row in diff_report.changes:
        assert key_of(row) in first


@pytest.mark.parametrize("name", NASTY)
def test_graphs_take_any_name(poison: Poison, name: str) -> None:
    report = poison("diff", name)
    nx.read_graphml(BytesIO(graphs.graphml(report)))
    nx.read_gexf(BytesIO(graphs.gexf(report)))


def test_opengraph_is_one_that_bloodhound_takes(diff_report: DiffReport) -> None:
    raw = opengraph.render(diff_report)
    graph = OpenGraph()
    assert graph.import_from_json(raw.decode())
    valid, problems = graph.validate_graph()
    assert valid, problems
    assert graph.get_node_count() > 3 and graph.get_edge_count() > 3


@settings(max_examples=40, deadline=None)
@given(names=st.lists(st.text(max_size=30), min_size=2, max_size=5, unique=True))
def test_identifiers_are_told_apart_and_hold_no_colon(names: list[str]) -> None:
    found = [opengraph.identifier(name) for name in names]
    assert len(set(found)) == len(names)
    assert not any(":" in one for one in found)


# --- OCSF ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ocsf_schema() -> OcsfJsonSchemaEmbedded:
    return OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))


@pytest.mark.parametrize(
    ("class_", "form"),
    [("iam_analysis_finding", "ocsf"), ("detection_finding", "ocsf-detection")],
)
def test_events_are_valid(
    class_: str, form: str, diff_report: DiffReport, ocsf_schema: OcsfJsonSchemaEmbedded
) -> None:
    validator = Draft202012Validator(ocsf_schema.get_class_schema(class_))
    events = json.loads(FORMS[form](diff_report))
    assert len(events) == len(diff_report.findings)
    for event in events:
        assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(event)] == []


# --- tables ----------------------------------------------------------------------------------


def test_tables_hold_what_the_csv_holds(diff_report: DiffReport) -> None:
    text = pandas.read_csv(BytesIO(tables.render_csv(diff_report)), dtype=str).fillna("")
    parquet = pandas.read_parquet(BytesIO(tables.parquet(diff_report)))
    excel = pandas.read_excel(BytesIO(tables.xlsx(diff_report)), dtype=str).fillna("")
    assert text.equals(parquet.fillna(""))
    assert text.equals(excel)


def test_a_workbook_says_what_was_found_and_what_was_not_read(diff_report: DiffReport) -> None:
    """Who gets nothing else would take what is not in it for nothing."""
    sheets = pandas.read_excel(BytesIO(tables.xlsx(diff_report)), sheet_name=None, dtype=str)
    found, unread = sheets["findings"].fillna(""), sheets["not read"].fillna("")
    assert set(found["id"]) == {row.id for row in diff_report.findings}
    assert next(iter(found["severity"])) == "critical"
    assert all(found["fix"]) and not any("`" in text for text in found["finding"])
    assert list(unread["permission"]) == [gap.permission for gap in diff_report.gaps]
    assert all(unread["leaves_unknown"])
    book = load_workbook(BytesIO(tables.xlsx(diff_report)))
    assert all(sheet.auto_filter.ref == sheet.dimensions for sheet in book.worksheets)


@pytest.mark.parametrize("name", NASTY)
def test_a_workbook_computes_nothing(poison: Poison, name: str) -> None:
    sheets = load_workbook(BytesIO(tables.xlsx(poison("diff", name)))).worksheets
    assert len(sheets) == 4
    for cell in (cell for sheet in sheets for row in sheet.iter_rows() for cell in row):
        assert cell.data_type != "f"
        assert not str(cell.value or "").lstrip(" ").startswith(tuple("=+-@"))
