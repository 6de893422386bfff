"""A report from the lines and tables of its file. Raises `msgspec.ValidationError` where a line
refers to something that the tables do not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import UnsetType
from msgspec.structs import replace

from modelreach.model import Sensitivity
from modelreach.report import (
    AdminRow,
    ChangeRow,
    DiffReport,
    FindingRow,
    GrantRow,
    Hop,
    IdentityRow,
    RadiusReport,
    SecurityChange,
    Ticket,
    TriggerRow,
    change_order,
    grant_order,
    ticket_order,
    trigger_order,
)
from modelreach.report_file.lines import (
    AdminLine,
    ChangeLine,
    DiffFile,
    FindingLine,
    GrantLine,
    HopEntry,
    IdentityLine,
    RadiusFile,
    ResourceEntry,
    RuleEntry,
    SecurityChangeLine,
    StatementEntry,
    TicketFile,
    TriggerEntry,
    TriggerLine,
)

_Value = TypeVar("_Value")
_LEVELS = frozenset(one.value for one in Sensitivity)
_TABLES = frozenset({"resources", "hops", "statements", "rules", "finding_evidence"})


def diff_report(file: DiffFile) -> DiffReport:
    """Give a comparison from how it is written."""
    found = Reading(file)
    rows: dict[str, Any] = {
        "changes": tuple(sorted(found.changes(file.changes), key=change_order)),
        "findings": tuple(map(found.finding, file.findings)),
        "identities_old": tuple(map(found.identity, file.identities_old)),
        "identities_new": tuple(map(found.identity, file.identities_new)),
        "admin_of_old": tuple(map(found.admin, file.admin_of_old)),
        "admin_of_new": tuple(map(found.admin, file.admin_of_new)),
        "security_change": found.security_change(file.security_change),
    }
    return DiffReport(**_as_it_is(file) | rows)


def radius_report(file: RadiusFile) -> RadiusReport:
    """Give a radius from how it is written."""
    found = Reading(file)
    rows: dict[str, Any] = {
        "identities": tuple(map(found.identity, file.identities)),
        "grants": tuple(sorted(found.grants(file.grants), key=grant_order)),
        "admin_of": tuple(map(found.admin, file.admin_of)),
        "findings": tuple(map(found.finding, file.findings)),
    }
    return RadiusReport(**_as_it_is(file) | rows)


def ticket(file: TicketFile) -> Ticket:
    """Give a ticket from how it is written."""
    found = Reading(file)
    rows: dict[str, Any] = {
        "security_change": found.security_change(file.security_change),
        "reached": tuple(sorted(found.changes(file.reached), key=ticket_order)),
        "findings": tuple(map(found.finding, file.findings)),
    }
    return Ticket(**_as_it_is(file) | rows)


def _as_it_is(file: DiffFile | RadiusFile | TicketFile) -> dict[str, Any]:
    return {name: getattr(file, name) for name in file.__struct_fields__ if name not in _TABLES}


class Tables(Protocol):
    """What lines of a file refer to."""

    @property
    def resources(self) -> Mapping[str, ResourceEntry]: ...
    @property
    def hops(self) -> Mapping[str, HopEntry]: ...
    @property
    def statements(self) -> Mapping[str, StatementEntry]: ...
    @property
    def rules(self) -> Mapping[str, RuleEntry]: ...
    @property
    def finding_evidence(self) -> Mapping[str, tuple[str, ...]]: ...


class Reading:
    """The tables of one file, to write out what its lines refer to."""

    def __init__(self, file: Tables) -> None:
        self._file = file
        self._known: dict[tuple[str, str | None], Hop] = {}

    # --- what is reached ---------------------------------------------------------------------

    def changes(self, lines: Iterable[ChangeLine]) -> Iterator[ChangeRow]:
        """Give a row for each resource of each line."""
        for line in lines:
            for resource in line.resources:
                yield ChangeRow(
                    kind=line.kind,
                    old_verdict=_or(line.old_verdict, line.verdict),
                    new_verdict=_or(line.new_verdict, line.verdict),
                    caused_by=line.caused_by,
                    opened_by=line.opened_by,
                    **self._of(line, resource),
                )

    def grants(self, lines: Iterable[GrantLine]) -> Iterator[GrantRow]:
        """Give a row for each resource of each line."""
        for line in lines:
            for resource in line.resources:
                yield GrantRow(**self._of(line, resource))

    def _of(self, line: ChangeLine | GrantLine, resource: str) -> dict[str, Any]:
        known: ResourceEntry = _entry(self._file.resources, resource, "resources")
        return {
            "identity": line.identity,
            "resource": resource,
            "resource_kind": _or(line.resource_kind, known.kind),
            "resource_name": _or(line.resource_name, known.name),
            "scope": _or(line.scope, known.scope),
            "provider": _or(line.provider, known.provider),
            "capability": line.capability,
            "actions": line.actions,
            "verdict": line.verdict,
            "depends_on": line.depends_on,
            "sensitivity": level(_or(line.sensitivity, "none")),
            "sensitive_because": _or(line.sensitive_because, known.sensitive_because),
            "strength": _or(line.strength, "certain"),
            "pattern": line.pattern,
            "within": line.within,
            "witness": self._witness(line.witness, resource),
            "findings": _or(line.findings, known.findings),
            "tools": line.tools,
        }

    def identity(self, line: IdentityLine) -> IdentityRow:
        """Give an identity as a row."""
        return IdentityRow(
            id=line.id,
            kind=line.kind,
            scope=line.scope,
            provider=line.provider,
            start=line.start,
            verdict=line.verdict,
            strength=_or(line.strength, "certain"),
            hops=line.hops,
            witness=self._witness(line.witness),
            name=line.name,
            tools=line.tools,
        )

    def admin(self, line: AdminLine) -> AdminRow:
        """Give a scope that can be taken over as a row."""
        return AdminRow(
            scope=line.scope,
            provider=line.provider,
            identity=line.identity,
            verdict=line.verdict,
            strength=_or(line.strength, "certain"),
            depends_on=line.depends_on,
            witness=self._witness(line.witness),
            tools=line.tools,
        )

    # --- what is said of it ------------------------------------------------------------------

    def finding(self, line: FindingLine) -> FindingRow:
        """Give a finding as a row."""
        rule = _entry(self._file.rules, line.rule, "rules")
        told = self._file.finding_evidence
        return FindingRow(
            id=line.id,
            fingerprint=line.fingerprint,
            rule=line.rule,
            title=line.title,
            severity=line.severity,
            state=line.state,
            subject=line.subject,
            subject_kind=line.subject_kind,
            identity=line.identity,
            message=line.message,
            evidence=_entry(told, line.evidence, "finding_evidence") if line.evidence else (),
            witness=self._witness(line.witness, line.subject),
            fix=line.fix,
            standards=_or(line.standards, rule.standards),
            waived=line.waived,
            returned=line.returned,
            tools=line.tools,
        )

    def security_change(self, line: SecurityChangeLine | None) -> SecurityChange | None:
        """Give the classification."""
        if line is None:
            return None
        return SecurityChange(
            verdict=line.verdict,
            dimensions=line.dimensions,
            by_dimension=line.by_dimension,
            triggers=tuple(
                row
                for _, lines in groupby(line.triggers, key=lambda one: one.id)
                for row in sorted(self._triggers(lines, line.catalogue), key=trigger_order)
            ),
            undeclared=line.undeclared,
        )

    def _triggers(
        self, lines: Iterable[TriggerLine], catalogue: Mapping[str, TriggerEntry]
    ) -> Iterator[TriggerRow]:
        for line in lines:
            known: TriggerEntry = _entry(catalogue, line.id, "catalogue")
            for subject in line.subjects:
                yield TriggerRow(
                    id=line.id,
                    dimension=_or(line.dimension, known.dimension),
                    title=line.title,
                    subject=subject,
                    old=line.old,
                    new=line.new,
                    demands=_or(line.demands, known.demands),
                    witness=self._witness(line.witness, subject),
                    standards=_or(line.standards, known.standards),
                )

    # --- witnesses ---------------------------------------------------------------------------

    def _witness(self, keys: Iterable[str], about: str = "") -> tuple[Hop, ...]:
        return tuple(self._hop(key, about) for key in keys)

    def _hop(self, key: str, about: str) -> Hop:
        known = self._known.get((key, None)) or self._known.get((key, about))
        if known is None:
            entry: HopEntry = _entry(self._file.hops, key, "hops")
            known = self._made(entry, about)
            self._known[key, about if _is_about(entry) else None] = known
        return known

    def _made(self, entry: HopEntry, about: str) -> Hop:
        object_ = _or(entry.object, about)
        hop = Hop(
            kind=entry.kind,
            subject=entry.subject,
            object=object_,
            action=entry.action,
            strength=_or(entry.strength, "certain"),
            target=object_ if entry.at_object else _or(entry.target, ""),
            depends_on=entry.depends_on,
            pivot=entry.pivot,
            note=entry.note,
            also=tuple(self._made(one, about) for one in entry.also),
            tool=entry.tool,
            origin=entry.origin,
        )
        if not entry.statement:
            return hop
        said: StatementEntry = _entry(self._file.statements, entry.statement, "statements")
        return replace(
            hop,
            layer=said.layer,
            policy=said.policy,
            sid=said.sid,
            statement=said.text,
            target=hop.target if entry.at_object else _or(entry.target, entry.subject),
        )


def level(sensitivity: str) -> str:
    """Give a sensitivity as it is. Raises `msgspec.ValidationError` for a word that is none."""
    if sensitivity and sensitivity not in _LEVELS:
        raise msgspec.ValidationError(f"`{sensitivity[:60]}` is no sensitivity")
    return sensitivity


def _is_about(entry: HopEntry) -> bool:
    return isinstance(entry.object, UnsetType) or any(map(_is_about, entry.also))


def _or(value: _Value | UnsetType, usual: _Value) -> _Value:
    return usual if isinstance(value, UnsetType) else value


def _entry(table: Mapping[str, _Value], key: str, name: str) -> _Value:
    try:
        return table[key]
    except KeyError:
        raise msgspec.ValidationError(f"`{name}` has no `{key}`") from None
