"""What a review board needs beside the reach: what is due, what was tested, what was not read,
what is waived; as plain values for a page, every text harmless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from modelreach.report import (
    DemandRow,
    DiffReport,
    EvidenceRow,
    FindingRow,
    Gate,
    RadiusReport,
    Report,
    RuleRow,
    SecurityChange,
    TriggerRow,
)
from modelreach_reports.findingsview import anchor
from modelreach_reports.gating import DIMENSIONS
from modelreach_reports.naming import Names
from modelreach_reports.safe import full, short

View = dict[str, Any]

#: What a page shows of the reasons of a dimension.
_REASONS = 200
#: How many things a row of reasons that are alike names.
_NAMED = 4

_LOOK = {"met": "pass", "open": "unknown", "refused": "fail"}


def security(report: Report, names: Names) -> View:
    """Is it a security change, and why, by dimension; empty when that was not asked."""
    change = report.security_change if isinstance(report, DiffReport) else None
    if change is None:
        return {}
    return {
        "verdict": short(change.verdict),
        "dimensions": [
            _dimension(name, answer, change, names) for name, answer in change.by_dimension.items()
        ],
        "undeclared": [
            {
                "dimension": short(DIMENSIONS.get(row.dimension, row.dimension)),
                "fact": short(row.fact, 200),
                "declare": short(row.declare, 300),
            }
            for row in change.undeclared[:_REASONS]
        ],
    }


def _dimension(name: str, answer: str, change: SecurityChange, names: Names) -> View:
    alike = _alike([row for row in change.triggers if row.dimension == name])
    return {
        "name": short(DIMENSIONS.get(name, name)),
        "answer": short(answer),
        "reasons": [_reason(rows, names) for rows in alike[:_REASONS]],
        "more": max(len(alike) - _REASONS, 0),
    }


def _alike(rows: Sequence[TriggerRow]) -> list[list[TriggerRow]]:
    """Put reasons together that differ only in what they are about."""
    groups: dict[tuple[str, ...], list[TriggerRow]] = {}
    for row in rows:
        groups.setdefault((row.id, row.old, row.new), []).append(row)
    return list(groups.values())


def _reason(rows: Sequence[TriggerRow], names: Names) -> View:
    first = rows[0]
    called = [names.told(row.subject) for row in rows]
    more = f" and {len(called) - _NAMED} more" if len(called) > _NAMED else ""
    return {
        "id": short(first.id),
        "title": short(first.title),
        "subject": short(", ".join(called[:_NAMED]) + more, 240),
        "full": full(", ".join(row.subject for row in rows)),
        "old": short(names.prose(first.old), 200),
        "old_full": full(first.old),
        "new": short(names.prose(first.new), 240),
        "new_full": full(first.new),
    }


_DUE = ("refused", "open", "met")


def demands(report: Report, names: Names) -> View:
    """What is due before adoption, refused first; those that are open for one reason together."""
    rows = report.demands if isinstance(report, DiffReport) else ()
    counts: Counter[str] = Counter(row.status for row in rows)
    together: dict[tuple[str, str, str], list[DemandRow]] = {}
    for row in sorted(rows, key=lambda row: _DUE.index(row.status)):
        together.setdefault((row.status, row.who, row.why), []).append(row)
    return {
        "demands": [_demand(alike, names) for alike in together.values()],
        "demands_tally": " · ".join(
            f"{counts[status]} {status}" for status in _DUE if counts[status]
        ),
    }


def _demand(alike: Sequence[DemandRow], names: Names) -> View:
    first = alike[0]
    brought = dict.fromkeys(text for row in alike for text in row.evidence)
    return {
        "status": first.status,
        "look": _LOOK[first.status],
        "titles": [short(row.title, 200) for row in alike],
        "who": short(first.who),
        "why": short(names.prose(first.why), 300),
        "evidence": short("; ".join(brought), 300),
    }


_EVIDENCE = {
    "regression": ("fail", "worse"),
    "non-inferior": ("pass", "no worse"),
    "not-enough-evidence": ("unknown", "not enough evidence"),
    "refused": ("fail", "does not count"),
}


def evidence(report: Report) -> list[View]:
    """The evaluation reports that were brought, category by category."""
    rows = report.evidence if isinstance(report, DiffReport) else ()
    return [_tested(row) for row in rows[:_REASONS]]


def _tested(row: EvidenceRow) -> View:
    look, words = _EVIDENCE.get(row.verdict, ("unknown", row.verdict))
    between = f" ({row.low:+.1%} to {row.high:+.1%})" if _both(row.low, row.high) else ""
    return {
        "look": look,
        "words": short(words, 40),
        "tool": short(row.tool, 60),
        "category": short(row.category),
        "old": short(row.old, 60),
        "new": short(row.new, 60),
        "difference": "" if row.difference is None else f"{row.difference:+.1%}{between}",
        "note": short(row.note or _needed(row.needed), 240),
    }


def _both(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None


def _needed(needed: int | None) -> str:
    return f"{needed} more cases would decide" if needed else ""


def rules(gate: Gate) -> list[View]:
    """What the policy says beside the demands, which are told apart."""
    told = [row for row in gate.rules if not row.id.startswith("GATE-DEMAND-")]
    return [_rule(row) for row in told[:_REASONS]]


def _rule(row: RuleRow) -> View:
    return {
        "look": "fail" if row.denies else "before",
        "words": "denies" if row.denies else "says",
        "id": short(row.id, 60),
        "message": short(row.message, 300),
        "error": short(row.error, 200),
    }


def coverage(report: Report, names: Names) -> list[View]:
    """Of every account (project, cluster…) in the report: was all answered that was asked?"""
    gaps = Counter(gap.scope for gap in report.gaps)
    rows = report.grants if isinstance(report, RadiusReport) else report.changes
    unsure = Counter(row.scope for row in rows if row.verdict == "unknown")
    providers = {scope.id: scope.provider for scope in report.scopes}
    providers |= {gap.scope: gap.provider for gap in report.gaps if gap.scope not in providers}
    worst = sorted(providers, key=lambda key: (-gaps[key], -unsure[key], providers[key], key))
    return [
        {
            "provider": short(providers[key], 20),
            "scope": short(names.scope(key)) or "everywhere",
            "look": "unknown" if gaps[key] or unsure[key] else "pass",
            "answer": f"? {gaps[key]} not read" if gaps[key] else "read as far as was asked",
            "unknown": f"{unsure[key]:,} of the answers here" if unsure[key] else "",
        }
        for key in worst[:_REASONS]
    ]


def waivers(report: Report) -> View:
    """What is waived, by whom and until when; which waivers no longer hold or match nothing."""
    return {
        "held": [_waiver(row) for row in report.findings if row.waived][:_REASONS],
        "back": [
            {"anchor": anchor(row.id), "id": short(row.id, 40), "why": short(row.returned, 300)}
            for row in report.findings
            if row.returned
        ][:_REASONS],
        "unused": [short(name) for name in report.unused_waivers[:_REASONS]],
    }


def _waiver(row: FindingRow) -> View:
    waived = row.waived
    return {
        "anchor": anchor(row.id),
        "id": short(row.id, 40),
        "rule": short(row.rule, 40),
        "reason": short(waived.reason if waived else "", 300),
        "owner": short(waived.owner if waived else ""),
        "approved_by": short(waived.approved_by if waived else ""),
        "expires": short(waived.expires if waived else "", 40),
    }
