"""What a report says, in the order in which it matters: causes, ranks, groups and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from modelreach.model import RANK, Sensitivity, Severity
from modelreach.report import (
    AdminRow,
    ChangeRow,
    DiffReport,
    FindingRow,
    GapRow,
    Gate,
    GrantRow,
    Hop,
    RadiusReport,
    Report,
)
from modelreach_reports.naming import Names, is_sensitive, kind_words
from modelreach_reports.safe import middle, visible
from modelreach_reports.words import listed, statement_words

#: The hops whose object is what is done to, rather than somebody who acts next.
FINAL = frozenset({"grant", "administer"})

#: `Item.what` of a scope that can be taken over.
ADMINISTRATOR = "administrator of"

_KIND_ORDER = ("gained", "widened", "unknown", "rerouted", "reached", "narrowed", "lost")
_SENSITIVITY_ORDER = tuple(reversed(Sensitivity))


@dataclass(frozen=True, slots=True)
class Item:
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

    @property
    def cause(self) -> tuple[object, ...]:
        """Items with the same cause may share a line."""
        return self.kind, self.chain, self.what, self.verdict, self.detail, self.provisos


def chain_of(witness: Sequence[Hop], identity: str) -> tuple[str, ...]:
    """Give who acts, one after the other, from the deployment's own identity on."""
    acting = [hop.object for hop in witness if hop.kind not in FINAL]
    acting += [hop.subject for hop in witness[-1:] if hop.kind in FINAL]
    chain = acting or [identity]
    return tuple(now for before, now in pairwise(["", *chain]) if now != before)


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


def change_words(row: ChangeRow) -> str:
    """Say what happened, with the statement that is to blame."""
    granted = _granted(row)
    actions = visible(listed(row.actions))
    turned = row.old_verdict != row.new_verdict
    match row.kind:
        case "gained":
            return granted
        case "widened" if turned and row.old_verdict != "deny":
            return f"was {verdict_word(row.old_verdict)}, now {verdict_word(row.new_verdict)}"
        case "narrowed" if turned and row.new_verdict != "deny":
            return f"was {verdict_word(row.old_verdict)}, now {verdict_word(row.new_verdict)}"
        case "widened":
            return f"now also {actions}"
        case "narrowed":
            return f"no longer {actions}"
        case "lost":
            return f"no longer {actions}"
        case "rerouted":
            return f"another way: {granted}"
        case _:
            return f"cannot tell: {actions}"


_VERDICTS = {
    "allow": "allowed",
    "conditional": "conditional",
    "unknown": "unknown",
    "deny": "not allowed",
}


def verdict_word(verdict: str) -> str:
    """Give a verdict as an adjective."""
    return _VERDICTS.get(verdict, visible(verdict))


def provisos(row: ChangeRow | GrantRow | AdminRow) -> tuple[str, ...]:
    """Give what an answer hangs on, one phrase each."""
    if row.verdict == "conditional":
        return (f"only if {visible(' and '.join(row.depends_on) or 'a condition holds')}",)
    if row.verdict != "unknown":
        return ()
    causes = row.caused_by if isinstance(row, ChangeRow) else ()
    reasons = causes or row.depends_on
    return (f"unknown: {visible('; '.join(reasons) or 'a statement could not be judged')}",)


def _of_row(row: ChangeRow | GrantRow, known: dict[str, FindingRow]) -> Item:
    kind, findings = ("reached", ()) if isinstance(row, GrantRow) else (row.kind, row.findings)
    return Item(
        kind,
        chain_of(row.witness, row.identity),
        row.resource,
        kind_words(row.resource_kind),
        row.verdict,
        _granted(row) if isinstance(row, GrantRow) else change_words(row),
        provisos(row),
        is_sensitive(row.sensitivity),
        _shown(findings),
        _rank(kind, row.sensitivity, findings, known),
        row.witness,
    )


def _shown(findings: Sequence[str]) -> tuple[str, ...]:
    return tuple(middle(visible(key), 12, ellipsis="..") for key in findings)


def _granted(row: GrantRow | ChangeRow) -> str:
    return statement_words(row.witness[-1]) if row.witness else visible(listed(row.actions))


def _of_admin(row: AdminRow, kind: str, known: dict[str, FindingRow]) -> Item:
    findings = tuple(
        finding.id
        for finding in known.values()
        if finding.subject == row.scope and finding.witness[:1] and finding.state != "gone"
    )
    return Item(
        kind,
        chain_of(row.witness, row.identity)[: _acting(row)],
        row.scope,
        ADMINISTRATOR,
        row.verdict,
        _pivots(row.witness),
        provisos(row),
        True,
        _shown(findings),
        _rank(kind, "high", findings, known),
        row.witness,
    )


def _acting(row: AdminRow) -> int:
    """The hops up to `identity` are its cause; those after it are how it takes over."""
    chain = chain_of(row.witness, row.identity)
    return chain.index(row.identity) + 1 if row.identity in chain else len(chain)


def _pivots(witness: Sequence[Hop]) -> str:
    taken = [hop for hop in witness if hop.pivot] or list(witness[-1:])
    needed = [part for hop in taken for part in (*hop.also, hop)]
    return visible(" and ".join(dict.fromkeys(hop.action for hop in needed if hop.action)))


def items(report: Report) -> tuple[Item, ...]:
    """Give everything that the report tells about reach, what matters most first."""
    known = {finding.id: finding for finding in report.findings}
    if isinstance(report, RadiusReport):
        rows = [_of_row(grant, known) for grant in report.grants]
        admins = [_of_admin(row, "reached", known) for row in report.admin_of]
    else:
        rows = [_of_row(change, known) for change in report.changes]
        admins = _admin_changes(report, known)
    return tuple(sorted([*admins, *rows], key=_order))


def _admin_changes(report: DiffReport, known: dict[str, FindingRow]) -> list[Item]:
    """The scopes that can be taken over on one side only, unless a change says so already."""
    told = {(row.identity, row.scope) for row in report.changes if row.capability == "administer"}
    old = {(row.identity, row.scope): row for row in report.admin_of_old}
    new = {(row.identity, row.scope): row for row in report.admin_of_new}
    gained = [new[key] for key in sorted(new.keys() - old.keys() - told)]
    lost = [old[key] for key in sorted(old.keys() - new.keys() - told)]
    return [_of_admin(row, "gained", known) for row in gained] + [
        _of_admin(row, "lost", known) for row in lost
    ]


def _order(item: Item) -> tuple[object, ...]:
    return item.rank, item.chain, item.findings, item.resource, item.detail


#: So many of one cause are told one by one, more of them share a line.
_TOGETHER = 3


def grouped(rows: Sequence[Item]) -> tuple[Item, ...]:
    """Let more than three items of one cause share the line of the first."""
    causes: dict[tuple[object, ...], list[Item]] = {}
    for row in rows:
        causes.setdefault(row.cause, []).append(row)
    groups: list[Item] = []
    for members in causes.values():
        groups += [_merged(members)] if len(members) > _TOGETHER else members
    return tuple(sorted(groups, key=_order))


def _merged(members: list[Item]) -> Item:
    return replace(
        members[0],
        sensitive=any(row.sensitive for row in members),
        findings=tuple(sorted({key for row in members for key in row.findings})),
        also=len(members) - 1,
    )


def ranked_findings(report: Report) -> tuple[FindingRow, ...]:
    """Give the findings, new before old before gone, the worst first."""
    order = ("new", "unchanged", "gone")
    return tuple(
        sorted(
            report.findings,
            key=lambda row: (order.index(row.state), -RANK[Severity(row.severity)], row.id),
        )
    )


def ranked_rows(report: Report) -> tuple[ChangeRow | GrantRow, ...]:
    """Give the changes or grants themselves, in the order of `items`."""
    known = {finding.id: finding for finding in report.findings}
    rows: Sequence[ChangeRow | GrantRow] = (
        report.grants if isinstance(report, RadiusReport) else report.changes
    )
    paired = [(_order(_of_row(row, known)), place, row) for place, row in enumerate(rows)]
    return tuple(row for _, _, row in sorted(paired, key=lambda entry: entry[:2]))


def by_severity(counts: Mapping[str, int], dot: str = "·") -> str:
    """Give `3 critical · 1 high`."""
    worst_first = sorted(RANK, key=lambda severity: -RANK[severity])
    return f" {dot} ".join(f"{counts[key]} {key}" for key in worst_first if counts.get(key))


_STATE_WORDS = {"new": "new", "unchanged": "there before", "gone": "gone"}


def findings_tally(report: Report, dot: str = "·") -> str:
    """Give how many findings of which severity there are, by state where two are compared."""
    counts: dict[str, Counter[str]] = {}
    for row in report.findings:
        state = row.state if isinstance(report, DiffReport) else ""
        counts.setdefault(state, Counter())[row.severity] += 1
    if isinstance(report, RadiusReport):
        return by_severity(counts.get("", {}), dot)
    told = [state for state in _STATE_WORDS if state in counts]
    return "; ".join(f"{_STATE_WORDS[state]}: {by_severity(counts[state], dot)}" for state in told)


def finding_words(row: FindingRow) -> str:
    """Give a finding in one line: its message where there is one."""
    return visible(row.message or row.title)


def gap_words(gap: GapRow, names: Names) -> str:
    """Give a gap in one sentence: where, what was refused, and what is unknown for it."""
    call = gap.permission or gap.operation or gap.kind
    side = f" ({gap.side} side)" if gap.side in ("old", "new") else ""
    region = f" {gap.region}" if gap.region else ""
    where = f"{names.place(gap.scope)}{region}{side}"
    unknown = f": {gap.leaves_unknown} unknown" if gap.leaves_unknown else ""
    return visible(f"{where}: {call} {gap.reason}{unknown}")


_GATE = {
    "pass": "PASS",
    "fail": "FAIL",
    "unknown": "UNKNOWN",
}


def gate_words(gate: Gate) -> str:
    """Give the verdict of the gate as one word."""
    return _GATE[gate.verdict]
