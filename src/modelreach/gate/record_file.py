"""How a decision record is written, `modelreach.decision/2`: what triggers and findings have alike
is said once, as in a report. Records of the first version are read as well, whose signatures are
over what they were signed over."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from modelreach.gate.recorded import Decision, Material, Statement, Subject, Tool
from modelreach.report import DemandRow, EvidenceRow, Gate
from modelreach.report_file.lines import (
    FindingLine,
    HopEntry,
    ResourceEntry,
    RuleEntry,
    SecurityChangeLine,
    StatementEntry,
)
from modelreach.report_file.reading import Reading
from modelreach.report_file.writing import Writing


class DecisionFile(msgspec.Struct, frozen=True, kw_only=True):
    """The predicate; fields as in `Decision`, lines and tables as in a report."""

    schema: Literal["modelreach.decision/2"] = msgspec.field(name="schema")
    tool: Tool
    decided_at: str
    gate: Gate
    fail_on_all: bool
    security_change: SecurityChangeLine
    demands: tuple[DemandRow, ...]
    evidence: tuple[EvidenceRow, ...]
    findings: tuple[FindingLine, ...]
    gaps: int
    context: dict[str, tuple[str, ...]]
    materials: tuple[Material, ...]
    hops: dict[str, HopEntry]
    statements: dict[str, StatementEntry]
    rules: dict[str, RuleEntry]
    finding_evidence: dict[str, tuple[str, ...]]

    @property
    def resources(self) -> dict[str, ResourceEntry]:
        """Nothing in a record is about several resources."""
        return {}


class StatementFile(msgspec.Struct, frozen=True, kw_only=True):
    """An in-toto statement about a release."""

    type_: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    subject: tuple[Subject, ...]
    predicate_type: Literal["urn:modelreach:decision:2"] = msgspec.field(name="predicateType")
    predicate: DecisionFile


class _Decision1(Decision, frozen=True):
    schema: Literal["modelreach.decision/1"] = msgspec.field(name="schema")  # type: ignore[assignment]


class _Statement1(msgspec.Struct, frozen=True, kw_only=True):
    type_: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    subject: tuple[Subject, ...]
    predicate_type: Literal["urn:modelreach:decision:1"] = msgspec.field(name="predicateType")
    predicate: _Decision1


class _Head(msgspec.Struct):
    predicate_type: str = msgspec.field(name="predicateType", default="")


def written(found: Statement) -> StatementFile:
    """Give a statement as it is written."""
    made, decision = Writing(), found.predicate
    lines: dict[str, Any] = {
        "security_change": made.security_change(decision.security_change),
        "findings": made.findings(decision.findings),
    }
    tables = {name: table for name, table in made.tables().items() if name != "resources"}
    predicate = DecisionFile(**_fields(decision) | lines | tables)
    return StatementFile(
        type_=found.type_,
        subject=found.subject,
        predicate_type=found.predicate_type,
        predicate=predicate,
    )


def read(payload: bytes) -> Statement:
    """Read a statement of either version. Raises `msgspec.ValidationError` or `DecodeError`."""
    if msgspec.json.decode(payload, type=_Head).predicate_type == "urn:modelreach:decision:1":
        old = msgspec.json.decode(payload, type=_Statement1)
        return _statement(old.type_, old.subject, _fields(old.predicate))
    file = msgspec.json.decode(payload, type=StatementFile)
    found, decision = Reading(file.predicate), file.predicate
    rows: dict[str, Any] = {
        "security_change": found.security_change(decision.security_change),
        "findings": tuple(map(found.finding, decision.findings)),
    }
    kept = {name: getattr(decision, name) for name in Decision.__struct_fields__}
    return _statement(file.type_, file.subject, kept | rows)


def _statement(
    type_: Literal["https://in-toto.io/Statement/v1"],
    subject: tuple[Subject, ...],
    fields: dict[str, Any],
) -> Statement:
    renewed: dict[str, Any] = fields | {"schema": "modelreach.decision/2"}
    decision = Decision(**renewed)
    return Statement(
        type_=type_,
        subject=subject,
        predicate_type="urn:modelreach:decision:2",
        predicate=decision,
    )


def _fields(decision: Decision) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in decision.__struct_fields__}
