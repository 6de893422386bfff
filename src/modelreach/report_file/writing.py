"""A report as the lines and tables of its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET

from modelreach.digests import sha256
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
    Text,
    TicketFile,
    TriggerEntry,
    TriggerLine,
)

_Entry = TypeVar("_Entry")
#: Digits of a key, and how many more where that is taken by something else.
_DIGITS, _MORE = 10, 4


def diff_file(report: DiffReport) -> DiffFile:
    """Give a comparison as it is written."""
    made = Writing()
    lines: dict[str, Any] = {
        "changes": made.changes(report.changes),
        "findings": made.findings(report.findings),
        "identities_old": made.identities(report.identities_old),
        "identities_new": made.identities(report.identities_new),
        "admin_of_old": made.admins(report.admin_of_old),
        "admin_of_new": made.admins(report.admin_of_new),
        "security_change": made.security_change(report.security_change),
    }
    return DiffFile(**_as_it_is(report) | lines | made.tables())


def radius_file(report: RadiusReport) -> RadiusFile:
    """Give a radius as it is written."""
    made = Writing()
    lines: dict[str, Any] = {
        "identities": made.identities(report.identities),
        "grants": made.grants(report.grants),
        "admin_of": made.admins(report.admin_of),
        "findings": made.findings(report.findings),
    }
    return RadiusFile(**_as_it_is(report) | lines | made.tables())


def ticket_file(ticket: Ticket) -> TicketFile:
    """Give a ticket as it is written."""
    made = Writing()
    lines: dict[str, Any] = {
        "security_change": made.security_change(ticket.security_change),
        "reached": made.changes(ticket.reached),
        "findings": made.findings(ticket.findings),
    }
    return TicketFile(**_as_it_is(ticket) | lines | made.tables())


def _as_it_is(report: DiffReport | RadiusReport | Ticket) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__struct_fields__}


class _Table(Generic[_Entry]):
    """Entries by a key that is made of what they are: a word that tells of it, and a digest.

    Who chooses names in a cloud could choose some with the same short digest: then the later one's
    key is longer.
    """

    def __init__(self) -> None:
        self.entries: dict[str, _Entry] = {}
        self._keys: dict[tuple[str, bytes], str] = {}

    def key(self, word: str, entry: _Entry) -> str:
        """Give the key of an entry."""
        raw = msgspec.json.encode(entry)
        known = self._keys.get((word, raw))
        if known is None:
            known = self._keys[word, raw] = self._free(word, sha256(raw).hexdigest())
            self.entries[known] = entry
        return known

    def _free(self, word: str, digest: str) -> str:
        lengths = range(_DIGITS, len(digest) + 1, _MORE)
        tried = (f"{word}-{digest[:length]}" for length in lengths)
        return next(key for key in tried if key not in self.entries)

    def sorted(self) -> dict[str, _Entry]:
        """Give all entries by key."""
        return dict(sorted(self.entries.items()))


#: A resource's kind, name, scope, provider, why it is sensitive, and the findings about it.
_Facts = tuple[Any, ...]
_FACTS = ("kind", "name", "scope", "provider", "sensitive_because", "findings")


class Writing:
    """The tables of one file, as its lines are made: first the lines, then `tables`."""

    def __init__(self) -> None:
        self._hops, self._statements = _Table[HopEntry](), _Table[StatementEntry]()
        self._evidence = _Table[tuple[str, ...]]()
        self._resources: dict[str, _Facts] = {}
        self._rules: dict[str, RuleEntry] = {}
        # A hop is kept with its key, so its id stays taken.
        self._known: dict[int, tuple[Hop, str]] = {}
        self._grants: dict[object, str] = {}

    def tables(self) -> dict[str, Any]:
        """Give the tables by their names, of what the lines made until now refer to."""
        return {
            "resources": {
                name: ResourceEntry(**dict(zip(_FACTS, facts, strict=True)))
                for name, facts in sorted(self._resources.items())
            },
            "hops": self._hops.sorted(),
            "statements": self._statements.sorted(),
            "rules": dict(sorted(self._rules.items())),
            "finding_evidence": self._evidence.sorted(),
        }

    # --- what is reached ---------------------------------------------------------------------

    def changes(self, rows: Iterable[ChangeRow]) -> tuple[ChangeLine, ...]:
        """Give rows that differ in their resource alone as one line, in the order of the first."""
        lines: dict[object, list[ChangeRow]] = {}
        for row in rows:
            moved = row.kind, row.old_verdict, row.new_verdict, row.caused_by, row.opened_by
            lines.setdefault((moved, self._alike(row)), []).append(row)
        return tuple(
            ChangeLine(
                kind=row.kind,
                old_verdict=_but(row.old_verdict, row.verdict),
                new_verdict=_but(row.new_verdict, row.verdict),
                caused_by=row.caused_by,
                opened_by=row.opened_by,
                **self._shared(row, alike),
            )
            for row, alike in ((alike[0], alike) for alike in lines.values())
        )

    def grants(self, rows: Iterable[GrantRow]) -> tuple[GrantLine, ...]:
        """Give rows that differ in their resource alone as one line, in the order of the first."""
        lines: dict[object, list[GrantRow]] = {}
        for row in rows:
            lines.setdefault(self._alike(row), []).append(row)
        return tuple(GrantLine(**self._shared(alike[0], alike)) for alike in lines.values())

    def _alike(self, row: ChangeRow | GrantRow) -> tuple[object, ...]:
        """Give what rows on one line have in common."""
        return (
            self._told_here(row),
            row.identity,
            row.capability,
            row.actions,
            row.verdict,
            row.depends_on,
            row.sensitivity,
            row.strength,
            row.pattern,
            row.within,
            row.tools,
            self._witness(row.witness, row.resource),
        )

    def _shared(
        self, row: ChangeRow | GrantRow, alike: Iterable[ChangeRow | GrantRow]
    ) -> dict[str, Any]:
        odd = self._told_here(row)
        names = ("resource_kind", "resource_name", *_FACTS[2:])
        return {
            "identity": row.identity,
            "capability": row.capability,
            "actions": row.actions,
            "verdict": row.verdict,
            "depends_on": row.depends_on,
            "sensitivity": _but(row.sensitivity, "none"),
            "strength": _but(row.strength, "certain"),
            "pattern": row.pattern,
            "within": row.within,
            "tools": row.tools,
            "witness": self._witness(row.witness, row.resource),
            "resources": tuple(one.resource for one in alike),
        } | (dict(zip(names, odd, strict=True)) if odd else {})

    def _told_here(self, row: ChangeRow | GrantRow) -> _Facts | None:
        """Give what a line has to say of its resource itself: nothing, where the table does."""
        facts = (
            row.resource_kind,
            row.resource_name,
            row.scope,
            row.provider,
            row.sensitive_because,
            row.findings,
        )
        return None if self._resources.setdefault(row.resource, facts) == facts else facts

    def identities(self, rows: Iterable[IdentityRow]) -> tuple[IdentityLine, ...]:
        """Give identities, each on a line."""
        return tuple(
            IdentityLine(
                id=row.id,
                kind=row.kind,
                scope=row.scope,
                provider=row.provider,
                name=row.name,
                start=row.start,
                verdict=row.verdict,
                strength=_but(row.strength, "certain"),
                hops=row.hops,
                tools=row.tools,
                witness=self._witness(row.witness),
            )
            for row in rows
        )

    def admins(self, rows: Iterable[AdminRow]) -> tuple[AdminLine, ...]:
        """Give scopes that can be taken over, each on a line."""
        return tuple(
            AdminLine(
                scope=row.scope,
                provider=row.provider,
                identity=row.identity,
                verdict=row.verdict,
                strength=_but(row.strength, "certain"),
                depends_on=row.depends_on,
                tools=row.tools,
                witness=self._witness(row.witness),
            )
            for row in rows
        )

    # --- what is said of it ------------------------------------------------------------------

    def findings(self, rows: Iterable[FindingRow]) -> tuple[FindingLine, ...]:
        """Give findings, each on a line."""
        return tuple(map(self._finding, rows))

    def _finding(self, row: FindingRow) -> FindingLine:
        own = RuleEntry(standards=row.standards)
        own = RuleEntry(standards=row.standards)
        rule = self._rules.setdefault(row.rule, own)
        return FindingLine(
            id=row.id,
            fingerprint=row.fingerprint,
            rule=row.rule,
            title=row.title,
            severity=row.severity,
            state=row.state,
            subject=row.subject,
            subject_kind=row.subject_kind,
            identity=row.identity,
            message=row.message,
            fix=row.fix,
            evidence=self._evidence.key("evidence", row.evidence) if row.evidence else "",
            witness=self._witness(row.witness, row.subject),
            tools=row.tools,
            waived=row.waived,
            returned=row.returned,
            standards=UNSET if row.standards == rule.standards else row.standards,
        )

    def security_change(self, row: SecurityChange | None) -> SecurityChangeLine | None:
        """Give the classification, with what is said of all triggers of an id said once."""
        if row is None:
            return None
        catalogue: dict[str, TriggerEntry] = {}
        return SecurityChangeLine(
            verdict=row.verdict,
            dimensions=row.dimensions,
            by_dimension=row.by_dimension,
            triggers=tuple(
                line
                for _, rows in groupby(row.triggers, key=lambda one: one.id)
                for line in self._triggers(rows, catalogue)
            ),
            undeclared=row.undeclared,
            catalogue=dict(sorted(catalogue.items())),
        )

    def _triggers(
        self, rows: Iterable[TriggerRow], catalogue: dict[str, TriggerEntry]
    ) -> Iterator[TriggerLine]:
        """Give triggers of an id that differ in their subject alone as one line."""
        lines: dict[object, list[TriggerRow]] = {}
        for row in rows:
            own = row.dimension, row.title, row.demands, row.standards
            said = row.old, row.new, self._witness(row.witness, row.subject)
            lines.setdefault((own, said), []).append(row)
        for alike in lines.values():
            yield self._trigger(alike, catalogue)

    def _trigger(
        self, alike: Sequence[TriggerRow], catalogue: dict[str, TriggerEntry]
    ) -> TriggerLine:
        row = alike[0]
        own = TriggerEntry(dimension=row.dimension, demands=row.demands, standards=row.standards)
        known = catalogue.setdefault(row.id, own)
        return TriggerLine(
            id=row.id,
            title=row.title,
            subjects=tuple(one.subject for one in alike),
            old=row.old,
            new=row.new,
            witness=self._witness(row.witness, row.subject),
            dimension=_but(own.dimension, known.dimension),
            demands=UNSET if own.demands == known.demands else own.demands,
            standards=UNSET if own.standards == known.standards else own.standards,
        )

    # --- witnesses ---------------------------------------------------------------------------

    def _witness(self, hops: Iterable[Hop], about: str | None = None) -> tuple[str, ...]:
        """Give the keys of a witness, of what is reached at its end."""
        return tuple(
            self._grant(hop, about) if hop.kind == "grant" else self._hop(hop) for hop in hops
        )

    def _hop(self, hop: Hop) -> str:
        known = self._known.get(id(hop))
        if known is None:
            known = hop, self._hops.key(hop.kind, self._entry(hop, None))
            self._known[id(hop)] = known
        return known[1]

    def _grant(self, hop: Hop, about: str | None) -> str:
        """Grants of many resources are one entry. Whether it is there already is seen without
        making it."""
        parts = _parts(hop, about)
        known = self._grants.get(parts)
        if known is None:
            known = self._grants[parts] = self._hops.key(hop.kind, self._entry(hop, about))
        return known

    def _entry(self, hop: Hop, about: str | None) -> HopEntry:
        target = _target(hop)
        return HopEntry(
            kind=hop.kind,
            subject=hop.subject,
            action=hop.action,
            object=UNSET if hop.object == about else hop.object,
            strength=_but(hop.strength, "certain"),
            statement=self._statement(hop),
            target=UNSET if isinstance(target, bool) else target,
            at_object=target is True,
            depends_on=hop.depends_on,
            pivot=hop.pivot,
            note=hop.note,
            tool=hop.tool,
            also=tuple(self._entry(one, about) for one in hop.also),
            origin=hop.origin,
        )

    def _statement(self, hop: Hop) -> str:
        if not _has_statement(hop):
            return ""
        said = StatementEntry(layer=hop.layer, policy=hop.policy, sid=hop.sid, text=hop.statement)
        return self._statements.key(hop.layer or "statement", said)


def _but(value: str, usual: str) -> Text:
    """Give a value, or that it is the usual one."""
    return UNSET if value == usual else value


def _has_statement(hop: Hop) -> bool:
    return bool(hop.layer or hop.policy or hop.sid or hop.statement)


def _target(hop: Hop) -> bool | str:
    """Give what the policy of a hop is attached to: False for the subject (nothing, where there is
    no policy), True for the object, and else what it is."""
    if hop.target == (hop.subject if _has_statement(hop) else ""):
        return False
    return hop.target == hop.object or hop.target


def _parts(hop: Hop, about: str | None) -> tuple[object, ...]:
    """Give what tells entries of hops apart."""
    return (
        hop.subject,
        hop.action,
        None if hop.object == about else hop.object,
        hop.strength,
        hop.layer,
        hop.policy,
        hop.sid,
        hop.statement,
        _target(hop),
        hop.depends_on,
        hop.pivot,
        hop.note,
        hop.tool,
        hop.origin,
        tuple((one.kind, _parts(one, about)) for one in hop.also),
    )
