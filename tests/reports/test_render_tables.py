"""CSV, Markdown and JSON."""

from __future__ import annotations

import csv
import io
import sys
from typing import Any

import msgspec
import pytest

from modelreach.model import MissingExtra
from modelreach.report import DiffReport, Figures, RadiusReport
from modelreach.report_file import decode
from modelreach_reports import json, markdown, tables


def rows(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode())))


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("＝1", "'＝1"),
        ("prod/db", "prod/db"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_formulas_are_neutralised(name: str, cell: str) -> None:
    assert tables.neutral(name) == cell


def test_csv_holds_every_change(diff_report: DiffReport) -> None:
    table = rows(tables.render_csv(diff_report))
    assert len(table) == len(diff_report.changes)
    secret = next(row for row in table if row["resource_name"] == "prod/payments/stripe-live")
    assert secret["kind"] == "gained"
    assert secret["findings"] == "F01"
    assert secret["granted_by"] == "lake-reader-policy of lake-reader"
    assert '"secretsmanager:*"' in secret["statement"]


def test_csv_of_a_radius_holds_every_grant(radius_report: RadiusReport) -> None:
    table = rows(tables.render_csv(radius_report))
    assert len(table) == len(radius_report.grants)
    assert "kind" not in table[0]


def test_csv_of_nothing_has_its_head(diff_report: DiffReport) -> None:
    empty = msgspec.structs.replace(diff_report, changes=())
    assert tables.render_csv(empty).startswith(b"kind,identity,")


def test_csv_without_pandas_names_the_extra(
    diff_report: DiffReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra) as raised:
        tables.render_csv(diff_report)
    assert raised.value.hint == "pip install 'modelreach[tables]'"


def test_markdown_is_found_again_and_says_what_matters(diff_report: DiffReport) -> None:
    shown = markdown.render(diff_report).decode()
    assert shown.startswith("<!-- modelreach:support-agent -->\n## FAIL: `support-agent`")
    assert "| of them sensitive | 0 | 4 | **+4** |" in shown
    assert "| `F01` | **critical** |" in shown
    assert "only if StringEquals" in shown
    assert "Counted as unknown, not as zero." in shown


def test_markdown_folds_the_reasons_away_from_the_findings(gated_report: DiffReport) -> None:
    """Under a pull request the findings and their fixes are what is to be seen first."""
    shown = markdown.render(gated_report).decode()
    assert gated_report.security_change is not None
    count = len(gated_report.security_change.triggers)
    folded = shown.index(f"<details><summary>{count} reasons</summary>\n\n| Dimension")
    assert folded < shown.index("</details>") < shown.index("### Findings")
    assert shown.count("<details>") == shown.count("</details>") == 2


def test_markdown_counts_what_is_held_by_pattern(
    diff_report: DiffReport, radius_report: RadiusReport
) -> None:
    replace = msgspec.structs.replace
    summary = diff_report.summary
    none = replace(summary, old=Figures(), new=Figures())
    shown = markdown.render(replace(diff_report, summary=none)).decode()
    assert "by pattern, not listed" not in shown
    of_new = replace(summary, new=replace(summary.new, patterns=3))
    shown = markdown.render(replace(diff_report, summary=of_new)).decode()
    assert "| by pattern, not listed | 0 | 3 | **+3** |" in shown
    figures = replace(radius_report.figures, patterns=2)
    shown = markdown.render(replace(radius_report, figures=figures)).decode()
    assert "| by pattern, not listed | 2 |" in shown


def test_markdown_always_fits_a_comment(diff_report: DiffReport) -> None:
    findings = tuple(
        msgspec.structs.replace(
            diff_report.findings[0],
            id=f"F{number}",
            message="@" * 4000,
            fix="#" * 4000,
        )
        for number in range(3000)
    )
    gate = msgspec.structs.replace(diff_report.gate, reasons=("@" * 4000,) * 50)
    big = msgspec.structs.replace(
        diff_report,
        findings=findings,
        changes=diff_report.changes * 200,
        gaps=diff_report.gaps * 900,
        gate=gate,
    )
    shown = markdown.render(big).decode()
    assert len(shown.encode()) < markdown.LIMIT
    assert "more are left out; the JSON has them all" in shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("a|b", "`a\\|b`"),
        ("a\\|b", "`a\\x7cb`"),
        ("", ""),
    ],
)
def test_names_become_code(name: str, shown: str) -> None:
    assert markdown.code(name) == shown


def test_the_marker_cannot_be_broken() -> None:
    assert markdown.marker("a --> <b>") == "<!-- modelreach:a-b -->"
    assert markdown.marker("fraud-scorer") == "<!-- modelreach:fraud-scorer -->"


def test_json_is_the_report(diff_report: DiffReport, in_order: Any) -> None:
    assert decode(json.render(diff_report)) == in_order(diff_report)
    assert b'"schema": "modelreach.diff/2"' in json.render(diff_report)
