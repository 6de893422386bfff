"""A report in numbers, as a textfile that node_exporter or a Pushgateway takes.

Labels name the deployment and a few closed words; names from a cloud never become one, so that
the number of series stays what it is.
https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from modelreach.report import DiffReport, Figures, Report
from modelreach_reports import Format
from modelreach_reports.safe import end, visible

_FIGURES = (
    ("resources", "listed resources that are reached"),
    ("sensitive", "sensitive resources that are reached"),
    ("identities", "identities that are reached"),
    ("scopes", "accounts, projects and the like that are reached"),
    ("patterns", "patterns of what is not listed that are reached"),
    ("administers", "scopes that can be taken over"),
    ("credentials", "credentials that open what is reached"),
)
_SEVERITIES = ("critical", "high", "medium", "low")
_CHANGES = ("gained", "widened", "narrowed", "lost", "rerouted", "unknown")

_Sample = tuple[dict[str, str], int]


def render_openmetrics(report: Report) -> bytes:
    """Give the metrics, `# EOF` at the end."""
    lines: list[str] = []
    for name, help_, samples in _families(report):
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(labels)} {value}" for labels, value in samples]
    return ("\n".join([*lines, "# EOF"]) + "\n").encode()


def _labels(labels: dict[str, str]) -> str:
    inside = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return "{" + inside + "}"


def _escaped(text: str) -> str:
    shown = end(visible(text), 200)
    return shown.replace("\\", "\\\\").replace('"', '\\"')


def _families(report: Report) -> Iterator[tuple[str, str, Iterable[_Sample]]]:
    release = report.new if isinstance(report, DiffReport) else report.release
    figures = report.summary.new if isinstance(report, DiffReport) else report.figures
    base = {"deployment": release.name, "version": release.version}
    for field, words in _FIGURES:
        yield f"modelreach_reach_{field}", words, [(base, _figure(figures, field))]
    yield (
        "modelreach_findings",
        "findings, by severity and state",
        [
            (
                base | {"severity": severity, "state": state},
                sum(r.severity == severity and r.state == state for r in report.findings),
            )
            for severity in _SEVERITIES
            for state in ("new", "unchanged", "gone")
        ],
    )
    if isinstance(report, DiffReport):
        counted = report.summary.changes
        changes = [(base | {"kind": kind}, counted.get(kind, 0)) for kind in _CHANGES]
        yield "modelreach_changes", "changes of reach, by kind", changes
    waived = sum(row.waived is not None for row in report.findings)
    yield "modelreach_findings_waived", "findings that are waived", [(base, waived)]
    yield "modelreach_gaps", "things that could not be read", [(base, len(report.gaps))]
    complete = int(not report.gaps)
    yield "modelreach_collection_complete", "1 when everything was read", [(base, complete)]
    verdict = report.gate.verdict
    gate = [(base | {"verdict": v}, int(verdict == v)) for v in ("pass", "fail", "unknown")]
    yield "modelreach_gate", "1 for what the gate said", gate
    taken = _seconds(release.taken_at)
    if taken is not None:
        words = "when the estate was read, in seconds since 1970"
        yield "modelreach_snapshot_timestamp_seconds", words, [(base, taken)]


def _figure(figures: Figures, field: str) -> int:
    return int(getattr(figures, field))


def _seconds(moment: str) -> int | None:
    try:
        given = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    except ValueError:
        return None
    return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp())


render = Format((".prom",), render_openmetrics)
