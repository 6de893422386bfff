"""Findings as OCSF 1.8.0 events: IAM Analysis Finding (2008), or Detection Finding (2004) for what
does not know the former yet. One JSON array.

https://schema.ocsf.io/1.8.0/classes/iam_analysis_finding
https://schema.ocsf.io/1.8.0/classes/detection_finding
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from modelreach import __version__
from modelreach.report import DiffReport, FindingRow, ReleaseRow, Report
from modelreach_reports import Format
from modelreach_reports.naming import Names
from modelreach_reports.safe import end, json_bytes, visible
from modelreach_reports.words import stops

_VERSION: Final = "1.8.0"
_LONGEST: Final = 2_000
_SEVERITY = {
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_ACTIVITY = {"new": (1, "Create"), "unchanged": (2, "Update"), "gone": (3, "Close")}
_CLASSES = {2008: "IAM Analysis Finding", 2004: "Detection Finding"}


def render_ocsf(report: Report) -> bytes:
    """Give an IAM Analysis Finding for each finding."""
    return _events(report, 2008)


def render_detection(report: Report) -> bytes:
    """Give a Detection Finding for each finding."""
    return _events(report, 2004)


def _events(report: Report, class_: int) -> bytes:
    names = Names(report)
    release = report.new if isinstance(report, DiffReport) else report.release
    events = [_event(row, release, names, class_) for row in report.findings]
    return json_bytes(events)


def _text(text: str) -> str:
    return end(visible(text), _LONGEST)


def _event(row: FindingRow, release: ReleaseRow, names: Names, class_: int) -> dict[str, Any]:
    activity, activity_name = _ACTIVITY[row.state]
    severity, severity_name = _SEVERITY[row.severity]
    event: dict[str, Any] = {
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class_,
        "class_name": _CLASSES[class_],
        "type_uid": class_ * 100 + activity,
        "type_name": f"{_CLASSES[class_]}: {activity_name}",
        "time": _moment(release.taken_at),
        "severity_id": severity,
        "severity": severity_name,
        "status_id": 3 if row.waived else 4 if row.state == "gone" else 1,
        "status": "Suppressed" if row.waived else "Resolved" if row.state == "gone" else "New",
        "message": _text(names.prose(row.message)),
        "metadata": {
            "version": _VERSION,
            "product": {"name": "modelreach", "vendor_name": "modelreach", "version": __version__},
            "log_name": "modelreach.findings",
        },
        "finding_info": _info(row, release, names),
        "resources": [_resource(row, names)],
        "unmapped": {
            "release": _text(f"{release.name} {release.version}"),
            "standards": [_text(one) for one in row.standards],
            "path": [_text(stop) for stop in stops(row.witness)],
        },
    }
    if row.fix:
        event["remediation"] = {"desc": _text(names.prose(row.fix))}
    if class_ == 2008:
        event["permission_analysis_results"] = [_analysis(row)]
        event["user"] = {"uid": _text(row.identity), "name": names.thing(row.identity).label}
    return event


def _info(row: FindingRow, release: ReleaseRow, names: Names) -> dict[str, Any]:
    return {
        "uid": _text(row.fingerprint),
        "title": _text(row.title),
        "desc": _text(names.prose(row.message)),
        "types": [_text(row.rule)],
        "analytic": {
            "type_id": 1,
            "type": "Rule",
            "uid": _text(row.rule),
            "name": _text(row.title),
        },
        "tags": [
            {"name": "deployment", "values": [_text(release.name)]},
            {"name": "version", "values": [_text(release.version)]},
            {"name": "model", "values": [_text(release.model)]},
        ],
    }


def _resource(row: FindingRow, names: Names) -> dict[str, Any]:
    return {
        "uid": _text(row.subject),
        "name": names.thing(row.subject).label,
        "type": _text(row.subject_kind),
    }


def _analysis(row: FindingRow) -> dict[str, Any]:
    last = row.witness[-1] if row.witness else None
    found: dict[str, Any] = {"granted_privileges": [_text(last.action)] if last else []}
    if last is not None and last.policy:
        found["policy"] = {"name": _text(last.policy), "desc": _text(last.statement)}
    return found


def _moment(taken_at: str) -> int:
    try:
        given = datetime.fromisoformat(taken_at.replace("Z", "+00:00"))
    except ValueError:
        return 0
    return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp() * 1000)


render = Format((".ocsf.json",), render_ocsf)
detection = Format((".ocsf-detection.json",), render_detection)
