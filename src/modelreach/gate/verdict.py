"""The gate's answer: what fails a release, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from modelreach.model import RANK, Severity
from modelreach.report import Figures, FindingRow, GapRow, Gate, RuleRow


class GateOptions(msgspec.Struct, frozen=True):
    """What fails the gate. `fail_on` is a severity or "never", for findings and rules alike."""

    fail_on: str = "high"
    fail_on_incomplete: bool = False
    fail_on_all: bool = False
    exit_zero: bool = False


#: Why nothing is decided about a release of which no identity could be looked at.
BLIND: Final = "nothing is known of what its identities reach"


def fails(severity: str, options: GateOptions) -> bool:
    """Is this severity one that fails?"""
    return options.fail_on != "never" and (
        RANK[Severity(severity)] >= RANK[Severity(options.fail_on)]
    )


def gate(
    findings: Iterable[FindingRow],
    gaps: int,
    options: GateOptions,
    *,
    rules: tuple[RuleRow, ...] = (),
    policy: str = "",
    blind: bool = False,
) -> Gate:
    """Give the answer over findings, what was not read, and the rules that spoke.

    New findings count (all with `fail_on_all`), waived ones never do. Nothing passes that could
    not be looked at (`blind`).
    """
    failing = [row for row in findings if _counts(row, options) and fails(row.severity, options)]
    denying = [row for row in rules if row.denies]
    reasons = [*_findings(failing), *_rules(denying)]
    verdict, code = ("fail", 1) if failing or denying else ("pass", 0)
    unread = gaps > 0 and options.fail_on_incomplete
    if unread:
        reasons.append(f"{gaps:,} thing{'s' if gaps > 1 else ''} could not be read")
    if blind:
        reasons.append(BLIND)
    if verdict == "pass" and (unread or blind):
        verdict, code = "unknown", 3
    return Gate(
        verdict=verdict,  # type: ignore[arg-type]  # one of the three, above
        exit_code=0 if options.exit_zero else code,
        fail_on=options.fail_on,
        fail_on_incomplete=options.fail_on_incomplete,
        reasons=tuple(reasons),
        policy=policy,
        rules=rules,
    )


def is_blind(figures: Figures, gaps: Iterable[GapRow]) -> bool:
    """Was none of a release's identities read, while one of them may be there?"""
    return not figures.identities and any(_of_newer(gap) for gap in gaps)


def _of_newer(gap: GapRow) -> bool:
    return gap.kind == "identity" and gap.side != "old"


def _counts(row: FindingRow, options: GateOptions) -> bool:
    standing = row.state == "new" or (options.fail_on_all and row.state == "unchanged")
    return standing and row.waived is None


def _findings(failing: list[FindingRow]) -> list[str]:
    counts = Counter(row.severity for row in failing)
    worst_first = sorted(counts, key=lambda severity: -RANK[Severity(severity)])
    return [f"{counts[s]:,} {s} finding{'s' if counts[s] > 1 else ''}" for s in worst_first]


def _rules(denying: list[RuleRow]) -> list[str]:
    counts = Counter(row.id for row in denying)
    first = {row.id: row for row in reversed(denying)}
    return [_said(first[id_], count) for id_, count in counts.items()]


def _said(row: RuleRow, count: int) -> str:
    """Say that a rule denies: of demands how many there are, of others how often."""
    if row.error:
        return f"rule {row.id} cannot be evaluated ({row.error})"
    if row.id.startswith("GATE-DEMAND-"):
        return f"{count:,} {row.title}{'s' if count > 1 else ''}"
    return f"{row.title} ({count:,} times)" if count > 1 else row.title
