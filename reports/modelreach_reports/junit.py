"""Findings as JUnit XML: a suite a severity, a case a finding, as every CI server shows it.

A finding that was there before, or is waived, is a skipped case; one that is new has failed.
Without any, one case says that there is none: an empty file reads as a run that did not happen.
https://github.com/testmoapp/junitxml
https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from modelreach.report import DiffReport, FindingRow, Report
from modelreach_reports import Format
from modelreach_reports.naming import Names
from modelreach_reports.safe import end, visible
from modelreach_reports.witness import render_finding

_SEVERITIES: Final = ("critical", "high", "medium", "low")
_LONGEST: Final = 8_000


def render_junit(report: Report) -> bytes:
    """Give the findings as test cases."""
    names = Names(report)
    rows = [row for row in report.findings if row.state != "gone"]
    release = report.new if isinstance(report, DiffReport) else report.release
    root = Element("testsuites", name=_text(f"modelreach {release.name} {release.version}"))
    for severity in _SEVERITIES:
        of_severity = [row for row in rows if row.severity == severity]
        if of_severity:
            _suite(root, severity, of_severity, names, report)
    if not rows:
        suite = SubElement(root, "testsuite", name="findings", tests="1", failures="0", errors="0")
        SubElement(suite, "testcase", classname="modelreach", name="no finding")
    suites = list(root)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    indent(root)
    body: bytes = tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _text(text: str) -> str:
    return end(visible(text), _LONGEST)


def _suite(
    root: Element, severity: str, rows: list[FindingRow], names: Names, report: Report
) -> None:
    failed = [row for row in rows if _fails(row)]
    suite = SubElement(
        root,
        "testsuite",
        name=severity,
        tests=str(len(rows)),
        failures=str(len(failed)),
        errors="0",
        skipped=str(len(rows) - len(failed)),
    )
    for row in rows:
        label = names.thing(row.identity).label
        # Without the number, which is another one in the next run: a case is known by its name.
        title = _text(names.prose(row.message))
        case = SubElement(suite, "testcase", classname=_text(f"{row.rule}.{label}"), name=title)
        if row in failed:
            failure = SubElement(case, "failure", message=_text(row.message), type=_text(row.rule))
            failure.text = _whole(row, report)
        else:
            SubElement(case, "skipped", message=_text(_why(row)))


def _fails(row: FindingRow) -> bool:
    return row.state == "new" and row.waived is None


def _why(row: FindingRow) -> str:
    if row.waived is not None:
        return f"waived until {row.waived.expires}: {row.waived.reason}"
    return "it was there before this release"


def _whole(row: FindingRow, report: Report) -> str:
    shown = render_finding(report, row, width=100, color=False, ascii_only=False)
    lines = shown.decode("utf-8", "replace").splitlines()
    return "\n" + "\n".join(_text(line) for line in lines) + "\n"


render = Format((".xml",), render_junit)
