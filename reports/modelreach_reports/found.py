"""Findings, and what was not read, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelreach.report import FindingRow, RadiusReport, Report, ranked_findings
from modelreach_reports.lines import BLANK, Ink, Line, Look, hanging, shortened
from modelreach_reports.naming import Names
from modelreach_reports.phrases import (
    finding_words,
    findings_tally,
    gap_words,
    granting_commands,
)

_FEW_FINDINGS = 5
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
    shown = rows if look.show_all else _foremost_findings(report, rows)
    for row in shown:
        before = {"new": "", "unchanged": "(before) ", "gone": "(gone) "}[row.state]
        before += "(waived) " if row.waived else ""
        if isinstance(report, RadiusReport):
            before = ""
        lead = f"  {row.severity.upper():<8} {look.name(row.id, 8)} {look.name(row.rule, 8)}  "
        words = before + finding_words(row, names).replace("`", "")
        told = hanging(((lead, _SEVERITY_INK[row.severity]),), words, look)
        yield from told if look.show_all else shortened(list(told), 2, look)
    if len(rows) > len(shown):
        yield ((f"  {look.glyphs.ellipsis} {len(rows) - len(shown):,} more", Ink.FAINT),)


def _foremost_findings(report: Report, rows: Sequence[FindingRow]) -> Sequence[FindingRow]:
    """The first five. What is taken over has a line, to which the last gives its room on the
    screen unless it is a severe one."""
    shown = rows[:_FEW_FINDINGS]
    severe = bool(shown) and shown[-1].severity in ("critical", "high")
    return shown[:-1] if report.summed_up and not severe else shown


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
