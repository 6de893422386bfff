"""Not all that is in a scope that can be taken over is listed; every form says how much it is."""

from __future__ import annotations

import re
from io import BytesIO

import msgspec
import pytest
from openpyxl import load_workbook

from modelreach.report import (
    MANY_FINDINGS,
    DiffReport,
    Figures,
    MatrixCell,
    RadiusReport,
    Report,
    SummedUpRow,
    ranked_findings,
)
from modelreach_reports import cyclonedx, html, markdown, sarif, tables, text
from modelreach_reports.matrix import matrix
from modelreach_reports.naming import Names
from modelreach_reports.pageview import page
from modelreach_reports.story import ADMINISTRATOR, items
from modelreach_reports.summedup import summed_up_words

COMPARED = (
    "In what can be taken over: 3 → 1,240 resources, 1 → 7 grants by pattern. "
    "Of these only changes of what is sensitive are listed; the rest is counted."
)
ALONE = (
    "In what can be taken over: 1,240 resources, 7 grants by pattern. "
    "Of these only what is sensitive is listed; the rest is counted."
)


@pytest.fixture(scope="module")
def compared(diff_report: DiffReport) -> DiffReport:
    """Where the old release could take something over, too."""
    old = SummedUpRow(
        scope="500000000000",
        provider="aws",
        resources=3,
        sensitive=0,
        identities=0,
        patterns=1,
        side="old",
    )
    return msgspec.structs.replace(diff_report, summed_up=(*diff_report.summed_up, old))


def _without(report: Report) -> Report:
    return msgspec.structs.replace(report, summed_up=())


def test_it_is_said_in_a_sentence(compared: DiffReport, radius_report: RadiusReport) -> None:
    assert summed_up_words(compared) == COMPARED
    assert summed_up_words(radius_report) == ALONE
    assert summed_up_words(_without(compared)) == ""
    rows = tuple(msgspec.structs.replace(row, resources=0) for row in radius_report.summed_up)
    told = summed_up_words(msgspec.structs.replace(radius_report, summed_up=rows))
    assert told == ALONE.replace("1,240 resources, ", "")


def test_what_is_no_better_is_counted(radius_report: RadiusReport) -> None:
    many = msgspec.structs.replace(_without(radius_report), no_better=1_008_118)
    told = summed_up_words(many)
    assert "1,008,118 other grants are no better, and left out" in told
    assert told in markdown.render(many).decode()
    assert told in " ".join(text.render(many).decode().split())
    one = summed_up_words(msgspec.structs.replace(radius_report, no_better=1))
    assert one.startswith(ALONE)
    assert "1 other grant is no better, and left out" in one


def test_the_terminal_says_it(compared: DiffReport, radius_report: RadiusReport) -> None:
    told = "In scopes taken over: 3 → 1,240 resources, 1 → 7 patterns; listed if sensitive"
    assert told in text.render(compared).decode()
    unchanged = msgspec.structs.replace(compared, changes=())
    assert told in text.render(unchanged).decode()
    assert told.replace("→", "->") in text.render(compared, ascii_only=True).decode()
    assert (
        "In scopes taken over: 1,240 resources, 7 patterns" in text.render(radius_report).decode()
    )
    assert b"In scopes taken over" not in text.render(_without(compared))
    rows = tuple(msgspec.structs.replace(row, resources=0) for row in radius_report.summed_up)
    shown = text.render(msgspec.structs.replace(radius_report, summed_up=rows)).decode()
    assert "\nIn scopes taken over: 7 patterns; listed if sensitive\n" in shown


def test_a_comment_says_it(compared: DiffReport, radius_report: RadiusReport) -> None:
    assert COMPARED in markdown.render(compared).decode()
    assert ALONE in markdown.render(radius_report).decode()
    assert b"In what can be taken over:" not in markdown.render(_without(compared))


def test_a_page_counts_it_scope_by_scope(
    compared: DiffReport, radius_report: RadiusReport
) -> None:
    view = page(compared)
    rows = [(row["scope_full"], row["cells"]) for row in view["summed_up"]]
    assert rows == [
        ("444455556666", ["0 → 1,240", "0 → 2", "0 → 1", "0 → 7"]),
        ("500000000000", ["3 → 0", "0", "0", "1 → 0"]),
    ]
    assert COMPARED in view["changes_note"]
    assert [row["cells"] for row in page(radius_report)["summed_up"]] == [["1,240", "2", "1", "7"]]
    assert "How much is in it" in html.render(compared).decode()
    assert "How much is in it" not in html.render(_without(compared)).decode()


def test_the_matrix_of_a_radius_says_that_it_counts_what_is_listed(
    compared: DiffReport, radius_report: RadiusReport
) -> None:
    told = "only what is listed below counts"
    assert told in matrix(radius_report, Names(radius_report))["note"]
    assert told not in matrix(_without(radius_report), Names(radius_report))["note"]
    assert told not in matrix(compared, Names(compared))["note"]


def test_a_workbook_has_a_sheet_of_it(compared: DiffReport) -> None:
    book = load_workbook(BytesIO(tables.xlsx(compared)))
    assert book.sheetnames == ["reach", "findings", "not read", "taken over"]
    first, *rows = book["taken over"].iter_rows(values_only=True)
    assert first == SummedUpRow.__struct_fields__
    assert rows == [msgspec.structs.astuple(row) for row in compared.summed_up]
    without = load_workbook(BytesIO(tables.xlsx(_without(compared))))
    assert without.sheetnames == ["reach", "findings", "not read"]


def test_forms_of_other_programs_note_it(compared: DiffReport) -> None:
    run = msgspec.json.decode(sarif.render_sarif(compared))["runs"][0]
    assert run["properties"]["summedUp"] == COMPARED
    told = msgspec.json.decode(cyclonedx.render_cyclonedx(compared))["metadata"]["properties"]
    assert COMPARED in [row["value"] for row in told]


@pytest.mark.parametrize("side", ["diff", "radius"])
def test_thousands_are_told_apart_for_people(
    side: str, diff_report: DiffReport, radius_report: RadiusReport
) -> None:
    many = dict.fromkeys(Figures.__struct_fields__, 12_345)
    report: Report = msgspec.structs.replace(radius_report, figures=Figures(**many))
    if side == "diff":
        cell = MatrixCell(identity="a", resource_class="b", old=0, new=12_345, unknown=12_345)
        summary = msgspec.structs.replace(
            diff_report.summary, old=Figures(), new=Figures(**many), matrix=(cell,)
        )
        report = msgspec.structs.replace(diff_report, summary=summary)
    for draw in (text.render, markdown.render, html.render):
        shown = draw(report).decode()
        assert shown.count("12,345") >= 6
        assert re.findall(r"(?<![0-9a-f])12345(?![0-9a-f])", shown) == []


def test_a_wide_reach_keeps_its_columns(
    diff_report: DiffReport, radius_report: RadiusReport
) -> None:
    many = Figures(**(dict.fromkeys(Figures.__struct_fields__, 9) | {"patterns": 3_237_103}))
    summary = msgspec.structs.replace(diff_report.summary, old=many, new=many)
    compared = msgspec.structs.replace(diff_report, summary=summary)
    for report in (compared, msgspec.structs.replace(radius_report, figures=many)):
        gate = msgspec.structs.replace(report.gate, reasons=("24101 high findings",))
        drawn = text.render(msgspec.structs.replace(report, gate=gate)).decode()
        figures = [line for line in drawn.splitlines() if re.search(r" (9|3,237,103)( |$)", line)]
        ends = {next(found.end() for found in re.finditer(r"\d[\d,]*", line)) for line in figures}
        assert len(figures) >= 5
        assert len(ends) == 1
        assert "24,101 high findings" in drawn
        shown = html.render(report).decode()
        assert re.findall(r'<div class="many"><dt>([^<]*)', shown) == ["Patterns, not listed"]


@pytest.mark.parametrize(("many", "led"), [(3, "F01 MR101"), (12, "F01 +11 MR101")])
def test_findings_that_say_the_same_share_a_line(
    radius_report: RadiusReport, many: int, led: str
) -> None:
    """Else five of hundreds are shown that are all about one grant, and none of another."""
    part, other, *_ = radius_report.findings
    alike = [msgspec.structs.replace(part, id=f"F{number:02}") for number in range(1, many + 1)]
    last = msgspec.structs.replace(other, id="F99", subject_kind="s3:bucket")
    report = msgspec.structs.replace(radius_report, findings=(*alike, last))
    listed = _after(text.render(report).decode(), "Findings")
    assert listed[0].split(maxsplit=1)[1].startswith(led)
    assert [line.split()[1] for line in listed if " MR101 " in line][-1] == "F99"
    assert not any(line.endswith(" more") for line in listed)
    every = _after(text.render(report, show_all=True).decode(), "Findings")
    assert sum(f" {row.id} MR" in line for line in every for row in alike) == many


def _of_many(report: RadiusReport, many: int) -> RadiusReport:
    """Where so many are told of parts of a scope, and the last one of the whole."""
    part, whole = report.findings[0], report.findings[2]
    assert {row.scope for row in report.admin_of} == {whole.subject}
    parts = [msgspec.structs.replace(part, id=f"F{number:02}") for number in range(1, many)]
    last = msgspec.structs.replace(whole, id=f"F{many}", severity=part.severity, state=part.state)
    return msgspec.structs.replace(report, findings=(*parts, last))


@pytest.mark.parametrize(("many", "first"), [(MANY_FINDINGS, "F01"), (MANY_FINDINGS + 1, "F21")])
def test_of_many_findings_the_one_about_a_whole_scope_comes_first(
    radius_report: RadiusReport, many: int, first: str
) -> None:
    """Else nobody would see it: a page and a comment show the first of thousands, a terminal five,
    and it stands behind all that is in the scope."""
    report = _of_many(radius_report, many)
    assert ranked_findings(report)[0].id == first
    listed = _after(text.render(report).decode(), "Findings")
    assert listed[0].split()[1] == first
    shown = _after(markdown.render(report).decode(), "### Findings")
    assert next(line for line in shown if "`F" in line).startswith(f"| `{first}`")
    page_of = html.render(report).decode()
    assert (f'href="#f-{first}"' in page_of) == (f'id="f-{first}"' in page_of) is True
    taken = [item.what == ADMINISTRATOR for item in items(report)]
    assert taken[0] == (many > MANY_FINDINGS)


def _after(shown: str, head: str) -> list[str]:
    lines = shown.splitlines()
    return lines[next(n for n, line in enumerate(lines) if line.startswith(head)) + 1 :]
