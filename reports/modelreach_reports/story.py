"""What a report says, in the order in which it matters: causes, ranks, groups and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from modelreach.model import RANK, Capability, Sensitivity, Severity
from modelreach.report import (
    MANY_FINDINGS,
    AdminRow,
    ChangeRow,
    DiffReport,
    FindingRow,
    GrantRow,
    Hop,
    RadiusReport,
    Report,
)
from modelreach_reports.naming import is_sensitive, key_of, kind_words
from modelreach_reports.phrases import granted, happened, provisos
from modelreach_reports.safe import middle, visible
from modelreach_reports.words import begun, statement_words

#: The hops whose object is what is done to, rather than somebody who acts next.
FINAL = frozenset({"grant", "administer"})

#: `Item.what` of a scope that can be taken over.
ADMINISTRATOR = "administrator of"

_KIND_ORDER = ("gained", "widened", "unknown", "rerouted", "reached", "narrowed", "lost")
_SENSITIVITY_ORDER = tuple(reversed(Sensitivity))


class Item(msgspec.Struct, frozen=True):
    """One difference or grant as it is shown; `kind` is `reached` where nothing is compared."""

    kind: str
    chain: tuple[str, ...]
    resource: str
    what: str
    verdict: str
    detail: str
    provisos: tuple[str, ...]
    sensitive: bool
    findings: tuple[str, ...]  # ids, harmless
    rank: tuple[int, ...]
    witness: tuple[Hop, ...] = ()
    also: int = 0
    pattern: bool = False
    tool: str = ""  # the node of the tool that the witness begins with

    @property
    def cause(self) -> tuple[object, ...]:
        """Items with the same cause may share a line."""
        return (*self.sort, self.detail, self.provisos)

    @property
    def sort(self) -> tuple[object, ...]:
        """Items of one sort differ in their statement only."""
        return self.kind, self.line, self.what, self.verdict

    @property
    def line(self) -> tuple[str, ...]:
        """The tool that it begins with, if there is one, and who acts after it."""
        return (self.tool, *self.chain) if self.tool else self.chain

    @property
    def is_identity(self) -> bool:
        """Is it about who can be become, rather than what can be done?"""
        return bool(self.chain) and self.chain[-1] == self.resource


def chain_of(witness: Sequence[Hop], identity: str) -> tuple[str, ...]:
    """Give who acts, one after the other, from the deployment's own identity on."""
    acting = [hop.object for hop in witness if hop.kind not in FINAL]
    acting += [hop.subject for hop in witness[-1:] if hop.kind in FINAL]
    chain = acting or [identity]
    return tuple(now for before, now in pairwise(["", *chain]) if now != before)


def tool_of(witness: Sequence[Hop]) -> str:
    """Give the tool that a witness begins with; "" for none."""
    return witness[0].subject if witness and witness[0].kind == "start" else ""


def _severity(findings: Iterable[str], known: dict[str, FindingRow]) -> int:
    return max(
        (RANK[Severity(known[key].severity)] for key in findings if key in known), default=0
    )


def _rank(
    kind: str, sensitivity: str, findings: Sequence[str], known: dict[str, FindingRow]
) -> tuple[int, ...]:
    urgency = _SENSITIVITY_ORDER.index(Sensitivity(sensitivity)) if sensitivity else 9
    order = _KIND_ORDER.index(kind)
    fading = kind in ("narrowed", "lost")
    return (-_severity(findings, known), int(fading), urgency, order)


_Row = ChangeRow | GrantRow
_CAPABILITIES = tuple(Capability)


def _of_rows(
    rows: Sequence[_Row],
    known: dict[str, FindingRow],
    name: str,
    places: Mapping[str, str] | None = None,
) -> Item:
    """Give what several capabilities on one thing come to, told by the strongest. `places` are the
    names of scopes."""
    rows = sorted(rows, key=lambda row: _capability_order(row.capability), reverse=True)
    row = rows[0]
    kind = "reached" if isinstance(row, GrantRow) else row.kind
    findings = dict.fromkeys(key for row in rows for key in row.findings)
    level = "high" if _taken_over(row) else row.sensitivity
    return Item(
        kind,
        chain_of(row.witness, row.identity),
        key_of(row),
        ADMINISTRATOR if _taken_over(row) else kind_words(row.resource_kind),
        row.verdict,
        _words(rows, places or {}),
        provisos(row),
        is_sensitive(level),
        _shown(findings),
        _rank(kind, level, tuple(findings), known),
        begun(row.witness, name),
        pattern=row.pattern,
        tool=tool_of(row.witness),
    )


def _taken_over(row: _Row) -> bool:
    """Is the row about a whole scope?"""
    return row.capability == "administer" and row.resource == row.scope


def _words(rows: Sequence[_Row], places: Mapping[str, str]) -> str:
    row = rows[0]
    last = row.witness[-1] if row.witness else None
    if last is not None and last.kind == "administer":
        way = visible(last.note) or statement_words(last)
        taken = visible(places.get(last.object) or last.object)
        return way if last.object == row.resource else f"by taking over {taken}"
    access = sorted({row.capability for row in rows}, key=_capability_order)
    actions = tuple(dict.fromkeys(action for row in rows for action in row.actions))
    if isinstance(row, GrantRow):
        return granted(row, access, actions, row.resource_name)
    return happened(row, access, actions, row.resource_name)


def _capability_order(word: str) -> tuple[int, str]:
    return (_CAPABILITIES.index(Capability(word)) if word in _CAPABILITIES else 99), word


def _together(rows: Iterable[_Row]) -> list[list[_Row]]:
    """Put the capabilities on one thing together, where all else about them is the same."""
    groups: dict[object, list[_Row]] = {}
    for row in rows:
        same = (row.kind, row.old_verdict, row.new_verdict) if isinstance(row, ChangeRow) else ()
        chain = chain_of(row.witness, row.identity)
        key = (same, chain, key_of(row), row.resource_kind, row.verdict, provisos(row))
        groups.setdefault((*key, row.capability == "administer"), []).append(row)
    return list(groups.values())


def _shown(findings: Iterable[str]) -> tuple[str, ...]:
    return tuple(middle(visible(key), 12, ellipsis="..") for key in findings)


def _of_admin(row: AdminRow, kind: str, known: dict[str, FindingRow], name: str) -> Item:
    findings = tuple(
        finding.id
        for finding in known.values()
        if finding.subject == row.scope and finding.witness[:1] and finding.state != "gone"
    )
    rank = _rank(kind, "high", findings, known)
    return Item(
        kind,
        chain_of(row.witness, row.identity),
        row.scope,
        ADMINISTRATOR,
        row.verdict,
        statement_words(row.witness[-1]) if row.witness else "",
        provisos(row),
        True,
        _shown(findings),
        (rank[0], -1, *rank[2:]) if len(known) > MANY_FINDINGS else rank,
        begun(row.witness, name),
        tool=tool_of(row.witness),
    )


def deployment_of(report: Report) -> str:
    """Give what the deployment is called, on the newer side."""
    return report.new.name if isinstance(report, DiffReport) else report.release.name


def items(report: Report) -> tuple[Item, ...]:
    """Give everything that the report tells about reach, what matters most first."""
    known = {finding.id: finding for finding in report.findings}
    name = deployment_of(report)
    places = {scope.id: scope.name for scope in report.scopes}
    if isinstance(report, RadiusReport):
        rows = [_of_rows(group, known, name, places) for group in _together(report.grants)]
        admins = [_of_admin(row, "reached", known, name) for row in report.admin_of]
    else:
        rows = [_of_rows(group, known, name, places) for group in _together(report.changes)]
        admins = _admin_changes(report, known)
    return tuple(sorted([*admins, *rows], key=_order))


def _admin_changes(report: DiffReport, known: dict[str, FindingRow]) -> list[Item]:
    """The scopes that can be taken over on one side only, unless a change says so already."""
    told = {(row.identity, row.scope) for row in report.changes if row.capability == "administer"}
    old = {(row.identity, row.scope): row for row in report.admin_of_old}
    new = {(row.identity, row.scope): row for row in report.admin_of_new}
    gained = [new[key] for key in sorted(new.keys() - old.keys() - told)]
    lost = [old[key] for key in sorted(old.keys() - new.keys() - told)]
    name = deployment_of(report)
    return [_of_admin(row, "gained", known, name) for row in gained] + [
        _of_admin(row, "lost", known, name) for row in lost
    ]


_OF_STATE = {"new": "gained", "unchanged": "reached", "gone": "lost"}


def judged(report: Report) -> tuple[Item, ...]:
    """Give what the findings are about, by their witnesses: for a report without any change."""
    known = {finding.id: finding for finding in report.findings}
    name = deployment_of(report)
    rows = [_of_finding(row, known, name) for row in report.findings if row.witness]
    return tuple(sorted(rows, key=_order))


def _of_finding(row: FindingRow, known: dict[str, FindingRow], name: str) -> Item:
    last, kind = row.witness[-1], _OF_STATE[row.state]
    doubts = [hop for hop in row.witness if hop.strength == "unknown"]
    return Item(
        kind,
        chain_of(row.witness, row.identity),
        last.object,
        ADMINISTRATOR if last.kind == "administer" else kind_words(row.subject_kind),
        "unknown" if doubts else "allow",
        statement_words(last),
        (),
        False,
        _shown((row.id,)),
        _rank(kind, "", (row.id,), known),
        begun(row.witness, name),
        tool=tool_of(row.witness),
    )


def _order(item: Item) -> tuple[object, ...]:
    return item.rank, item.line, item.findings, item.resource, item.detail


#: So many of one cause are told one by one, more of them share a line.
_TOGETHER = 3


def _anywhere(_row: Item) -> object:
    return None


def grouped(
    rows: Sequence[Item], limit: int, apart: Callable[[Item], object] = _anywhere
) -> tuple[Item, ...]:
    """Let items of one cause share a line; and, if there are more than `limit` lines still, let
    all but the foremost share one with others of their kind. `apart` says what never shares."""
    lines = _merged(rows, lambda row: (*row.cause, apart(row)), _TOGETHER)
    if len(lines) <= limit:
        return lines
    first = limit // 2
    return lines[:first] + _merged(lines[first:], lambda row: (*row.sort, apart(row)), 1)


def together(rows: Sequence[Item]) -> tuple[Item, ...]:
    """Let all of one sort share a line, and all patterns of somebody, whatever they are over."""
    return _merged(rows, lambda row: (*row.sort[:2], row.pattern or row.what, row.verdict), 1)


def _merged(
    rows: Sequence[Item], key: Callable[[Item], object], together: int
) -> tuple[Item, ...]:
    groups: dict[object, list[Item]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    merged: list[Item] = []
    for members in groups.values():
        merged += [_joined(members)] if len(members) > together else members
    return tuple(sorted(merged, key=_order))


def _joined(members: list[Item]) -> Item:
    details = {row.detail for row in members}
    doubts = {row.provisos for row in members}
    return replace(
        members[0],
        detail=members[0].detail if len(details) == 1 else "by several statements",
        provisos=members[0].provisos if len(doubts) == 1 else ("on several conditions",),
        sensitive=any(row.sensitive for row in members),
        findings=tuple(dict.fromkeys(key for row in members for key in row.findings)),
        also=sum(1 + row.also for row in members) - 1,
    )


def takes_over(report: Report) -> bool:
    """Can a whole scope be taken over, so that what is in it need not be told one by one?"""
    return bool(report.admin_of if isinstance(report, RadiusReport) else report.admin_of_new)


def ranked_rows(report: Report) -> tuple[ChangeRow | GrantRow, ...]:
    """Give the changes or grants themselves, in the order of `items`."""
    known = {finding.id: finding for finding in report.findings}
    rows: Sequence[ChangeRow | GrantRow] = (
        report.grants if isinstance(report, RadiusReport) else report.changes
    )
    paired = [(_order(_of_rows((row,), known, "")), place, row) for place, row in enumerate(rows)]
    return tuple(row for _, _, row in sorted(paired, key=lambda entry: entry[:2]))


def told_together(
    rows: Sequence[ChangeRow | GrantRow],
) -> tuple[tuple[ChangeRow | GrantRow, int], ...]:
    """Give the first row of each sort (who, where, what kind, how sure), and how many are like it;
    all patterns of somebody over one scope are one sort."""
    groups: dict[object, list[ChangeRow | GrantRow]] = {}
    for row in rows:
        kind = row.kind if isinstance(row, ChangeRow) else ""
        what = ("", "") if row.pattern else (row.resource_kind, row.sensitivity)
        key = (kind, row.identity, row.scope, row.verdict, row.pattern, what)
        groups.setdefault(key, []).append(row)
    return tuple((members[0], len(members) - 1) for members in groups.values())
