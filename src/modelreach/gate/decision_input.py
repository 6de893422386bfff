"""`modelreach.decision-input/1`: all that a policy may see, as one document.

The built-in rules read it, and so can a policy engine elsewhere (OPA, Cedar, a script):
`modelreach decide --input FILE` writes it, `modelreach schema decision-input` describes it.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from modelreach.deployment import Deployment
from modelreach.report import DemandRow, DiffReport, EvidenceRow, GapRow, Row, SecurityChange


class Trigger(Row, frozen=True):
    """A trigger, without its witness."""

    id: str
    dimension: str
    title: str
    subject: str
    old: str
    new: str
    demands: tuple[str, ...]
    standards: tuple[str, ...]


class DimensionRow(Row, frozen=True):
    """One dimension: `yes`, `no` or `unknown`, and what to declare where it is unknown."""

    name: str
    verdict: str
    declare: str


class ReachRow(Row, frozen=True):
    """One difference of reach, without its witness."""

    kind: str
    identity: str
    resource: str
    resource_kind: str
    scope: str
    provider: str
    capability: str
    actions: tuple[str, ...]
    verdict: str
    sensitivity: str
    pattern: bool


class Change(Row, frozen=True):
    """What the release changes. `changed` names the dimensions whose verdict is yes."""

    verdict: str
    changed: tuple[str, ...]
    dimensions: tuple[DimensionRow, ...]
    triggers: tuple[Trigger, ...]
    reach: tuple[ReachRow, ...]
    same_estate: bool


class FindingItem(Row, frozen=True):
    """A finding, without its witness. `waived` says that a waiver covers it."""

    id: str
    fingerprint: str
    rule: str
    title: str
    severity: str
    state: str
    subject: str
    subject_kind: str
    identity: str
    message: str
    waived: bool
    returned: str
    standards: tuple[str, ...]


class DecisionInput(Row, frozen=True):
    """The whole document. What a manifest does not declare is absent from `old` and `new`."""

    schema: Literal["modelreach.decision-input/1"] = msgspec.field(name="schema")
    change: Change
    findings: tuple[FindingItem, ...]
    demands: tuple[DemandRow, ...]
    evidence: tuple[EvidenceRow, ...]
    gaps: tuple[GapRow, ...]
    old: Deployment
    new: Deployment


def decision_input(report: DiffReport, old: Deployment, new: Deployment) -> DecisionInput:
    """Give the document for a comparison; its demands and evidence are those of the report."""
    change = report.security_change
    if change is None:
        raise ValueError("the report has not been classified")
    return DecisionInput(
        schema="modelreach.decision-input/1",
        change=_change(change, report),
        findings=tuple(_finding(row) for row in map(_plain, report.findings)),
        demands=report.demands,
        evidence=report.evidence,
        gaps=report.gaps,
        old=old,
        new=new,
    )


def as_document(found: DecisionInput) -> dict[str, Any]:
    """Give plain data in which what is null is absent."""
    return cast("dict[str, Any]", _without_nulls(msgspec.json.decode(msgspec.json.encode(found))))


def encode(found: DecisionInput) -> bytes:
    """Give the document as JSON."""
    raw = msgspec.json.encode(as_document(found))
    return msgspec.json.format(raw, indent=2) + b"\n"


def _plain(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def _change(change: SecurityChange, report: DiffReport) -> Change:
    return Change(
        verdict=change.verdict,
        changed=change.dimensions,
        dimensions=tuple(
            DimensionRow(
                name=name,
                verdict=verdict,
                declare="; ".join(r.declare for r in change.undeclared if r.dimension == name),
            )
            for name, verdict in change.by_dimension.items()
        ),
        triggers=tuple(_narrow(Trigger, _plain(row)) for row in change.triggers),
        reach=tuple(_narrow(ReachRow, _plain(row)) for row in report.changes),
        same_estate=report.old.snapshot_digest == report.new.snapshot_digest,
    )


def _narrow(type_: Any, fields: dict[str, Any]) -> Any:
    return type_(**{name: fields[name] for name in type_.__struct_fields__})


def _finding(fields: dict[str, Any]) -> FindingItem:
    found: FindingItem = _narrow(FindingItem, {**fields, "waived": fields["waived"] is not None})
    return found


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {name: _without_nulls(v) for name, v in fields.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in cast("list[object]", value)]
    return value
