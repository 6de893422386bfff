"""Findings as JUnit XML: a suite a severity, a case a finding, as every CI server shows it.

It fails where the gate does, so that a server's report and the exit code say the same: a new
finding at or above the limit has failed; one below it, one that was there before, or is waived, is
skipped. The gate is a case of its own, as it may fail for more than findings; so no file is
without a case, which would read as a run that did not happen.
https://github.com/testmoapp/junitxml
https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from modelreach.model import RANK, Severity
from modelreach.report import DiffReport, FindingRow, Gate, Report
from modelreach_reports import Format
from modelreach_reports.naming import Names
from modelreach_reports.phrases import gate_reasons
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
    _gate(root, report.gate)
    suites = list(root)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    indent(root)
    body: bytes = tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _text(text: str) -> str:
    return end(visible(text), _LONGEST)


def _gate(root: Element, gate: Gate) -> None:
    failed, unknown = gate.verdict == "fail", gate.verdict == "unknown"
    suite = _counted(root, "gate", 1, failures=int(failed), errors=int(unknown))
    case = SubElement(suite, "testcase", classname="modelreach.gate", name="passes the gate")
    if failed or unknown:
        what = "failure" if failed else "error"
        SubElement(case, what, message=_text(gate_reasons(gate)), type=gate.verdict)


def _counted(
    root: Element, name: str, tests: int, *, failures: int, errors: int = 0, skipped: int = 0
) -> Element:
    return SubElement(
        root,
        "testsuite",
        name=name,
        tests=str(tests),
        failures=str(failures),
        errors=str(errors),
        skipped=str(skipped),
    )


def _suite(
    root: Element, severity: str, rows: list[FindingRow], names: Names, report: Report
) -> None:
    skipped = [_why_skipped(row, report.gate) for row in rows]
    failures = skipped.count("")
    left = len(rows) - failures
    suite = _counted(root, severity, len(rows), failures=failures, skipped=left)
    for row, why in zip(rows, skipped, strict=True):
        _case(suite, row, why, names, report)


def _case(suite: Element, row: FindingRow, why: str, names: Names, report: Report) -> None:
    label = names.thing(row.identity).label
    # Without the number, which is another one in the next run: a case is known by its name.
    title = _text(names.prose(row.message))
    case = SubElement(suite, "testcase", classname=_text(f"{row.rule}.{label}"), name=title)
    if why:
        SubElement(case, "skipped", message=_text(why))
        return
    failure = SubElement(case, "failure", message=_text(row.message), type=_text(row.rule))
    failure.text = _whole(row, report)


def _why_skipped(row: FindingRow, gate: Gate) -> str:
    """Say why a finding does not fail; "" for one that does."""
    if row.waived is not None:
        return f"waived until {row.waived.expires}: {row.waived.reason}"
    if row.state == "unchanged":
        return "it was there before this release"
    if gate.fail_on == "never":
        return "no limit is set"
    below = RANK[Severity(row.severity)] < RANK[Severity(gate.fail_on)]
    return f"{row.severity}, and the limit is {gate.fail_on}" if below else ""


def _whole(row: FindingRow, report: Report) -> str:
    shown = render_finding(report, row, width=100, color=False, ascii_only=False)
    lines = shown.decode("utf-8", "replace").splitlines()
    return "\n" + "\n".join(_text(line) for line in lines) + "\n"


render = Format((".xml",), render_junit)
