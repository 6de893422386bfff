"""Evaluation reports for a terminal: which count, how each category compares, the verdict last."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.evidence_report import CategoryRow, EvaluationRow, EvidenceReport, RateRow
from modelreach_reports.lines import BLANK, Ink, Line, Look, hanging, length, pad, paint

_NARROWEST = 72
_FEW_CASES = 4

_STATUS = {
    "bound": ("counts", Ink.PLAIN),
    "refused": ("refused", Ink.BAD),
    "unbound": ("", Ink.PLAIN),
}
_INK = {"regression": Ink.GAINED, "non-inferior": Ink.LOST, "not-enough-evidence": Ink.CHANGED}
_BADGE = {
    "regression": (" REGRESSION ", Ink.BAD, "some category is worse than before"),
    "non-inferior": (" NO WORSE ", Ink.GOOD, "every category is within the margin"),
    "not-enough-evidence": (
        " NOT ENOUGH EVIDENCE ",
        Ink.WARN,
        "nothing is shown to be worse, but not everything is shown to be no worse",
    ),
}


def render_evidence(
    report: EvidenceReport,
    *,
    width: int = 80,
    color: bool = False,
    ascii_only: bool = False,
    show_all: bool = False,
) -> bytes:
    """Give the reports and their comparison for a terminal of `width` columns."""
    look = Look(max(width, _NARROWEST), color, ascii_only, show_all)
    return paint(_lines(report, look), look)


def _lines(report: EvidenceReport, look: Look) -> Iterator[Line]:
    yield _head(report, look)
    yield BLANK
    yield ((f"Reports   {len(report.reports)}", Ink.STRONG),)
    for row in report.reports:
        yield from _evaluation(row, look)
    yield BLANK
    if report.categories:
        yield from _table(report, look)
        yield BLANK
    yield from _verdict(report, look)


def _head(report: EvidenceReport, look: Look) -> Line:
    names = [name for name in (report.old_release, report.new_release) if name]
    shown = f" {look.glyphs.arrow} ".join(look.name(name, look.width // 2 - 10) for name in names)
    return (("Evidence", Ink.STRONG), (f"   {shown}" if shown else "", Ink.STRONG))


def _evaluation(row: EvaluationRow, look: Look) -> Iterator[Line]:
    word, ink = _STATUS[row.status]
    tool = look.name(f"{row.tool} {row.tool_version}".strip(), 20)
    source = look.name(row.source, max(look.width - 48, 24))
    counted = f"{row.cases} cases"
    lead: Line = ((f"  {row.side:<4}{pad(tool, 20)} ", Ink.PLAIN),)
    yield (
        *lead,
        (pad(source, max(look.width - 48, 24)) + f" {counted:>10}  ", Ink.PLAIN),
        (word, ink),
    )
    for text, shade in _about(row):
        yield from hanging(((" " * length(lead), Ink.PLAIN),), text, look, shade)


def _about(row: EvaluationRow) -> Iterator[tuple[str, Ink]]:
    if row.message:
        yield row.message.replace("`", ""), Ink.GAINED
    if row.because:
        yield ", ".join(row.because).replace("`", ""), Ink.FAINT
    if row.unsaid:
        yield f"does not say which {', '.join(row.unsaid)}", Ink.CHANGED
    if row.errors:
        yield f"{row.errors} attempts without result", Ink.CHANGED
    for dropped in row.dropped:
        yield f"left out {dropped}", Ink.FAINT


def _table(report: EvidenceReport, look: Look) -> Iterator[Line]:
    compared = bool(report.verdict)
    name = max(look.width - (56 if compared else 30), 16)
    if compared:
        yield (
            (f"{pad('Broken cases', name)}{'old':>12}{'new':>12}", Ink.STRONG),
            (f"{'difference':>17}   ", Ink.STRONG),
            ("verdict", Ink.STRONG),
        )
    else:
        yield ((f"{pad('Broken cases', name)}{'':>12}{'95 % interval':>18}", Ink.STRONG),)
    tool = ""
    for row in report.categories:
        if row.tool != tool:
            tool = row.tool
            yield ((look.name(tool, look.width), Ink.STRONG),)
        yield from _category(row, name, compared, look)


def _category(row: CategoryRow, width: int, compared: bool, look: Look) -> Iterator[Line]:
    label = "  " + look.name(row.category, width - 3)
    lead: Line = ((pad(label, width), Ink.PLAIN),)
    if not compared:
        yield (
            *lead,
            (f"{_share(row.new):>12}{_interval(row.new.low, row.new.high):>18}", Ink.PLAIN),
        )
        return
    old = _share(row.old) if row.old else ""
    difference = _difference(row, look)
    figures = f"{old:>12}{_share(row.new):>12}{difference:>17}   "
    yield (*lead, (figures, Ink.PLAIN), (_said(row), _INK[row.verdict]))
    indent = (("    ", Ink.PLAIN),)
    if row.note:
        yield from hanging(indent, row.note, look, Ink.FAINT)
    if row.newly_broken and (row.verdict == "regression" or look.show_all):
        yield from _cases("newly broken", row.newly_broken, look)
    if row.mended and look.show_all:
        yield from _cases("mended", row.mended, look)


def _cases(what: str, cases: tuple[str, ...], look: Look) -> Iterator[Line]:
    shown = cases if look.show_all else cases[:_FEW_CASES]
    more = len(cases) - len(shown)
    words = ", ".join(look.name(case, 40) for case in shown)
    rest = f", and {more} more" if more else ""
    yield from hanging(((f"    {what}: ", Ink.FAINT),), words + rest, look, Ink.FAINT)


def _share(rate: RateRow | None) -> str:
    if rate is None or not rate.cases:
        return "none"
    return f"{rate.broken}/{rate.cases} {_percent(rate.broken / rate.cases)}%"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share == 0 or share >= 0.095 else f"{100 * share:.1f}"


def _interval(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def _difference(row: CategoryRow, look: Look) -> str:
    if row.difference is None or row.low is None or row.high is None:
        return ""
    return f"{_points(row.difference, look)} [{_points(row.low, look)}, {_points(row.high, look)}]"


def _points(share: float, look: Look) -> str:
    points = round(100 * share)
    return "0" if not points else f"+{points}" if points > 0 else f"{look.glyphs.minus}{-points}"


def _said(row: CategoryRow) -> str:
    match row.verdict:
        case "regression":
            return "worse"
        case "non-inferior":
            return "no worse"
        case _ if row.needed:
            return f"{row.needed} more"
        case _:
            return "open"


def _verdict(report: EvidenceReport, look: Look) -> Iterator[Line]:
    level = f"{100 * (1 - report.alpha):.4g} %"
    if not report.verdict:
        words = (
            f"rates with {level} intervals (Wilson); --baseline compares them with the old release"
        )
        yield from hanging((("", Ink.PLAIN),), words, look, Ink.FAINT)
        return
    badge, ink, words = _BADGE[report.verdict]
    yield from hanging(((badge, ink), (" ", Ink.PLAIN)), words, look)
    count = len(report.categories)
    categories = "1 category" if count == 1 else f"{count} categories"
    legend = (
        f"difference in points with its {level} interval (Newcombe); no worse: not above "
        f"+{100 * report.margin:g} at worst; worse: p below {report.alpha:g} after Holm over "
        f"{categories}; N more: cases that would decide at these rates"
    )
    yield from hanging((("", Ink.PLAIN),), legend, look, Ink.FAINT)
