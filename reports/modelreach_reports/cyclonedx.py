"""The model's reach as a CycloneDX 1.6 bill of materials, to lie beside those of its software.

CycloneDX knows no permission. The release is the component that the bill is about, its model a
component for machine learning; every identity that is reached is a service, with the data that it
gets at, and becoming another one is a dependency. Findings are vulnerabilities of those services.
What could not be read makes the bill incomplete. What only the old release reached is not in it.
https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from modelreach import __version__
from modelreach.report import (
    AdminRow,
    ChangeRow,
    DiffReport,
    FindingRow,
    GrantRow,
    IdentityRow,
    ReleaseRow,
    Report,
)
from modelreach_reports import Format
from modelreach_reports.naming import Names, key_of
from modelreach_reports.nodes import identifier
from modelreach_reports.safe import end, json_bytes, visible
from modelreach_reports.summedup import summed_up_words
from modelreach_reports.words import stops

_SPEC: Final = "1.6"
_DEPLOYMENT: Final = "deployment"
_MODEL: Final = "model"
_LONGEST: Final = 2_000
#: The schema's own bound.
_VERSION: Final = 1_024
_PROVIDERS = {"aws": "Amazon Web Services", "gcp": "Google Cloud", "azure": "Microsoft Azure"}
#: From the service's side: what it reads comes in. Everything else may go either way.
_FLOWS = {"list": "inbound", "read": "inbound", "write": "outbound"}


class _Reach(msgspec.Struct, frozen=True):
    """What the bill is about."""

    release: ReleaseRow
    identities: tuple[IdentityRow, ...]
    rows: tuple[ChangeRow | GrantRow, ...]
    admin_of: tuple[AdminRow, ...]


def render_cyclonedx(report: Report) -> bytes:
    """Give the bill."""
    names = Names(report)
    reach = _reach(report)
    known = {row.id for row in reach.identities}
    bill: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": _SPEC,
        "version": 1,
        "metadata": _metadata(report, reach.release),
        "components": [_model(report, reach.release)],
        "services": [_service(row, reach, names) for row in reach.identities],
        "dependencies": list(_dependencies(reach)),
        "compositions": [_composition(report, reach)],
        "vulnerabilities": [_vulnerability(row, known, names) for row in report.findings],
    }
    return json_bytes({**bill, "serialNumber": _serial(json_bytes(bill))})


def _reach(report: Report) -> _Reach:
    if not isinstance(report, DiffReport):
        return _Reach(report.release, report.identities, report.grants, report.admin_of)
    rows = tuple(row for row in report.changes if row.new_verdict != "deny")
    return _Reach(report.new, report.identities_new, rows, report.admin_of_new)


def _serial(content: bytes) -> str:
    """The same content has the same number."""
    return UUID(bytes=hashlib.sha256(content).digest()[:16], version=5).urn


def _text(text: str) -> str:
    return end(visible(text), _LONGEST)


def _properties(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"name": f"modelreach:{name}", "value": _text(value)} for name, value in pairs if value
    ]


def _metadata(report: Report, release: ReleaseRow) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "lifecycles": [{"phase": "operations"}],
        "tools": {
            "components": [{"type": "application", "name": "modelreach", "version": __version__}]
        },
        "component": {
            "type": "application",
            "bom-ref": _DEPLOYMENT,
            "name": _text(release.name) or "deployment",
            "version": end(visible(release.version), _VERSION),
            "properties": _properties(
                ("environment", release.environment),
                ("owner", release.owner),
                ("manifest", release.manifest),
                ("manifest-digest", release.manifest_digest),
                ("snapshot-digest", release.snapshot_digest),
            ),
        },
        "properties": _properties(
            ("report", report.schema),
            ("gate", report.gate.verdict),
            ("summed-up", summed_up_words(report)),
        ),
    }
    if _is_moment(release.taken_at):
        metadata["timestamp"] = release.taken_at
    return metadata


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False


def _model(report: Report, release: ReleaseRow) -> dict[str, Any]:
    model: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": _MODEL,
        "name": _text(release.model) or "not declared",
    }
    metrics = [
        {
            "type": _text(f"{row.tool}: cases that broke"),
            "value": _text(row.new),
            "slice": _text(row.category),
        }
        for row in (report.evidence if isinstance(report, DiffReport) else ())
        if row.new
    ]
    if metrics:
        model["modelCard"] = {"quantitativeAnalysis": {"performanceMetrics": metrics}}
    return model


# --- identities ----------------------------------------------------------------------------


def _ref(identity: str) -> str:
    return f"identity/{identifier(identity)}"


def _service(row: IdentityRow, reach: _Reach, names: Names) -> dict[str, Any]:
    home = {one.scope for one in reach.identities if one.start}
    service: dict[str, Any] = {
        "bom-ref": _ref(row.id),
        "name": names.thing(row.id).label or visible(row.id) or "identity",
        "authenticated": True,
        "x-trust-boundary": row.scope not in home,
        "properties": _properties(
            ("id", row.id),
            ("kind", row.kind),
            ("start", "yes" if row.start else "no"),
            ("verdict", row.verdict),
            ("strength", row.strength),
            ("path", " > ".join(stops(row.witness))),
            *(("administers", one.scope) for one in reach.admin_of if one.identity == row.id),
        ),
    }
    if row.scope:
        service["group"] = service["trustZone"] = names.scope(row.scope)
    if row.provider:
        service["provider"] = {"name": _PROVIDERS.get(row.provider, visible(row.provider))}
    data = [_datum(one, names) for one in reach.rows if _is_data(one, row)]
    if data:
        service["data"] = data
    return service


def _is_data(row: ChangeRow | GrantRow, identity: IdentityRow) -> bool:
    return row.identity == identity.id and row.capability != "assume"


def _datum(row: ChangeRow | GrantRow, names: Names) -> dict[str, Any]:
    thing = names.thing(key_of(row))
    said = [f"{row.capability} ({', '.join(row.actions)}): {row.verdict}"]
    said += [f"only if {' and '.join(row.depends_on)}"] if row.depends_on else []
    said += [f"sensitive: {row.sensitive_because}"] if row.sensitive_because else []
    said += [f"{row.kind} with this release"] if isinstance(row, ChangeRow) else []
    return {
        "flow": _FLOWS.get(row.capability, "bi-directional"),
        "classification": f"sensitivity {visible(row.sensitivity)}",
        "name": _text(row.resource),
        "description": _text(f"{thing.kind} {thing.label}: " + "; ".join(said)),
    }


def _dependencies(reach: _Reach) -> Iterator[dict[str, Any]]:
    starts = sorted(_ref(row.id) for row in reach.identities if row.start)
    yield {"ref": _DEPLOYMENT, "dependsOn": [_MODEL, *starts]}
    onward: dict[str, set[str]] = {row.id: set() for row in reach.identities}
    for row in reach.identities:
        last = row.witness[-1] if row.witness else None
        if last is not None and last.kind != "start" and last.subject in onward:
            onward[last.subject].add(_ref(row.id))
    for subject, objects in sorted(onward.items()):
        yield {"ref": _ref(subject), "dependsOn": sorted(objects - {_ref(subject)})}


def _composition(report: Report, reach: _Reach) -> dict[str, Any]:
    gaps = [row for row in report.gaps if row.side != "old"]
    return {
        "aggregate": "incomplete" if gaps or isinstance(report, DiffReport) else "complete",
        "dependencies": [_DEPLOYMENT, *(_ref(row.id) for row in reach.identities)],
    }


# --- findings ------------------------------------------------------------------------------


def _vulnerability(row: FindingRow, known: Iterable[str], names: Names) -> dict[str, Any]:
    found: dict[str, Any] = {
        "bom-ref": f"finding/{identifier(row.id)}",
        "id": _text(row.rule),
        "source": {"name": "modelreach"},
        "ratings": [{"severity": row.severity, "method": "other"}],
        "description": _text(names.prose(row.message)),
        "affects": [{"ref": _ref(row.identity) if row.identity in known else _DEPLOYMENT}],
        "analysis": _analysis(row),
        "properties": _properties(
            ("fingerprint", row.fingerprint),
            ("state", row.state),
            ("subject", row.subject),
            *(("standard", one) for one in row.standards),
        ),
    }
    if row.fix:
        found["recommendation"] = _text(names.prose(row.fix))
    return found


def _analysis(row: FindingRow) -> dict[str, Any]:
    if row.state == "gone":
        return {"state": "resolved"}
    if row.waived is None:
        return {"state": "exploitable"}
    waived = row.waived
    words = f"{waived.reason} ({waived.owner}; approved by {waived.approved_by}, "
    return {
        "state": "exploitable",
        "response": ["will_not_fix"],
        "detail": _text(f"{words}until {waived.expires})"),
    }


cyclonedx = Format((".cdx.json",), render_cyclonedx)
