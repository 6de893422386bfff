"""Findings, and what was not read, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelreach.report import FindingRow, RadiusReport, Report, ranked_findings
from modelreach_reports.lines import BLANK, Ink, Line, Look, hanging, pad, shortened
from modelreach_reports.naming import Names
from modelreach_reports.phrases import (
    finding_words,
    findings_tally,
    gap_words,
    granting_commands,
)
from modelreach_reports.safe import cells

_FEW_FINDINGS = 5
#: So many that are alike are told one by one, more of them share a line.
_TOGETHER = 3
_FEW_GAPS = 3

_SEVERITY_INK = {
    "critical": Ink.SENSITIVE,
    "high": Ink.GAINED,
    "medium": Ink.CHANGED,
    "low": Ink.FAINT,
}


def finding_lines(report: Report, names: Names, look: Look) -> Iterator[Line]:
    """Give the findings, the worst first: how many, and a few of them; all where all is shown."""
    rows = ranked_findings(report)
    yield BLANK
    tally = findings_tally(report, look.glyphs.dot) or "none"
    yield (("Findings", Ink.STRONG), (f"   {tally}", Ink.PLAIN))
    shown = [(row, 0) for row in rows] if look.show_all else _foremost_findings(report, rows)
    numbers = [look.name(row.id, 8) + (f" +{also:,}" if also else "") for row, also in shown]
    widest = max(map(cells, numbers), default=0)
    for (row, _), number in zip(shown, numbers, strict=True):
        before = {"new": "", "unchanged": "(before) ", "gone": "(gone) "}[row.state]
        before += "(waived) " if row.waived else ""
        if isinstance(report, RadiusReport):
            before = ""
        lead = f"  {row.severity.upper():<8} {pad(number, widest)} {look.name(row.rule, 8)}  "
        words = before + finding_words(row, names).replace("`", "")
        told = hanging(((lead, _SEVERITY_INK[row.severity]),), words, look)
        yield from told if look.show_all else shortened(list(told), 2, look)
    left = len(rows) - sum(1 + also for _, also in shown)
    if left:
        yield ((f"  {look.glyphs.ellipsis} {left:,} more", Ink.FAINT),)


def _foremost_findings(
    report: Report, rows: Sequence[FindingRow]
) -> Sequence[tuple[FindingRow, int]]:
    """The first five, each with how many more are like it. What is taken over has a line, to which
    the last gives its room on the screen unless it is a severe one."""
    shown = _alike(rows)[:_FEW_FINDINGS]
    severe = bool(shown) and shown[-1][0].severity in ("critical", "high")
    return shown[:-1] if report.summed_up and not severe else shown


def _alike(rows: Sequence[FindingRow]) -> list[tuple[FindingRow, int]]:
    """Let findings share a line, where there are many that say the same of things of one kind."""
    groups: dict[object, list[FindingRow]] = {}
    for row in rows:
        about = row.rule, row.severity, row.identity, row.subject_kind
        groups.setdefault((row.state, row.waived is None, *about), []).append(row)
    first = {
        id(members[0]): len(members) - 1 for members in groups.values() if len(members) > _TOGETHER
    }
    joined = {id(row) for m in groups.values() if len(m) > _TOGETHER for row in m[1:]}
    return [(row, first.get(id(row), 0)) for row in rows if id(row) not in joined]


def gap_lines(report: Report, names: Names, look: Look) -> Iterator[Line]:
    """Say what was not read, and what would grant it."""
    gaps = report.gaps
    if not gaps:
        return
    yield BLANK
    things = "1 thing" if len(gaps) == 1 else f"{len(gaps):,} things"
    head = ((f"Incomplete   {things} could not be read. ", Ink.UNKNOWN),)
    under = ((" " * 13, Ink.PLAIN),)
    yield from hanging(head, "Counted as unknown, not as zero.", look, under=under)
    shown = gaps if look.show_all else gaps[:_FEW_GAPS]
    for gap in shown:
        yield from hanging((("  ? ", Ink.UNKNOWN),), gap_words(gap, names), look)
    if len(gaps) > len(shown):
        yield ((f"  {look.glyphs.ellipsis} {len(gaps) - len(shown):,} more", Ink.FAINT),)
    for command in granting_commands(report):
        yield from hanging((("    grant with:  ", Ink.FAINT),), command, look, Ink.STRONG)
