"""The gate on a terminal: is it a security change, why, what is due, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from modelreach.report import (
    DemandRow,
    DiffReport,
    FindingRow,
    Report,
    RuleRow,
    SecurityChange,
    TriggerRow,
    UndeclaredRow,
)
from modelreach_reports.found import finding_lines, gap_lines
from modelreach_reports.lines import BLANK, Ink, Line, Look, hanging, length, paint, shortened
from modelreach_reports.naming import Names
from modelreach_reports.phrases import gate_options

DIMENSIONS = {
    "data_exposure": "data exposure",
    "tool_authority": "tool authority",
    "refusal_behaviour": "refusal behaviour",
    "workflow_integrity": "workflow integrity",
}
_FEW = 3
#: How the one fact begins that no manifest declares.
_UNREAD = "part of the reach"
_ANSWER = {"yes": Ink.BAD, "no": Ink.GOOD, "unknown": Ink.WARN}
_STATUS = {"met": Ink.GOOD, "open": Ink.WARN, "refused": Ink.BAD}
_VERDICT = {"pass": Ink.GOOD, "fail": Ink.BAD, "unknown": Ink.WARN}


def render_gate(
    report: Report,
    *,
    width: int = 80,
    color: bool = False,
    ascii_only: bool = False,
    show_all: bool = False,
    next_commands: Sequence[str] = (),
) -> bytes:
    """Give the gate's answer for a terminal: the reasons first, the verdict last."""
    look = Look(max(width, 60), color, ascii_only, show_all)
    return paint(_lines(report, look, next_commands), look)


def _lines(report: Report, look: Look, following: Sequence[str]) -> Iterator[Line]:
    if isinstance(report, DiffReport):
        versions = f"{report.old.version} {look.glyphs.arrow} {report.new.version}"
        yield ((look.name(f"{report.new.name}  {versions}", look.width), Ink.STRONG),)
        yield BLANK
        yield from security_lines(report, look)
        yield from demand_lines(report.demands, look, Names(report))
        yield from _rules(report.gate.rules, look, Names(report))
        yield from _told(report, look)
    yield from waiver_lines(report, look)
    gate = report.gate
    lead: Line = ((f" {gate.verdict.upper()} ", _VERDICT[gate.verdict]), (" ", Ink.PLAIN))
    named = f", policy {gate.policy}" if gate.policy else ""
    told = f"{gate_options(gate)}{named}  (exit {gate.exit_code})"
    yield from hanging(lead, told, look)
    if following:
        yield from hanging((("next:  ", Ink.FAINT),), "   ".join(following), look)


def _told(report: DiffReport, look: Look) -> Iterator[Line]:
    """Say what was found and what was not read: both may be why the gate answers as it does."""
    names = Names(report)
    lines = [*finding_lines(report, names, look), *gap_lines(report, names, look)]
    yield from lines[1:]  # what is above ends in a blank line already
    yield BLANK


def security_lines(report: DiffReport, look: Look) -> Iterator[Line]:
    """Say whether it is a security change, and why, by dimension."""
    change = report.security_change
    if change is None:
        return
    lead: Line = (
        ("Security change   ", Ink.STRONG),
        (f" {change.verdict.upper()} ", _ANSWER[change.verdict]),
    )
    yield lead
    names = Names(report)
    for name, answer in change.by_dimension.items():
        yield from _dimension(name, answer, change, names, look)
    yield BLANK


def security_brief(report: DiffReport, look: Look) -> Iterator[Line]:
    """Say the same with a line for each dimension; all of it where all is to be shown."""
    change = report.security_change
    if change is None or look.show_all:
        yield from security_lines(report, look)
        return
    yield (
        ("Security change   ", Ink.STRONG),
        (f" {change.verdict.upper()} ", _ANSWER[change.verdict]),
        ("   modelreach decide: why, and what is due", Ink.FAINT),
    )
    for name, answer in change.by_dimension.items():
        lead: Line = (
            (f"  {look.name(DIMENSIONS.get(name, name), 20):<20}", Ink.PLAIN),
            (f"{look.name(answer, 8):<9}", _ANSWER.get(answer, Ink.PLAIN)),
        )
        told = look.several(_gist(name, change), look.width - length(lead))
        yield (*lead, (told, Ink.PLAIN))
    yield BLANK


def _gist(name: str, change: SecurityChange) -> list[str]:
    """Name the triggers of a dimension, those about what is reached first; or what is missing."""
    rows = [row for row in change.triggers if row.dimension == name]
    counts = Counter(row.id for row in sorted(rows, key=lambda row: not row.witness))
    if counts:
        return [f"{count:,} {key}" if count > 1 else key for key, count in counts.items()]
    facts = [row.fact.removeprefix("the ") for row in change.undeclared if row.dimension == name]
    first, *others = dict.fromkeys(facts) if facts else [""]
    said = "not read" if first.startswith(_UNREAD) else "not declared"
    return [f"{said}: {first}" if first else "", *others]


def _dimension(
    name: str, answer: str, change: SecurityChange, names: Names, look: Look
) -> Iterator[Line]:
    triggers = [row for row in change.triggers if row.dimension == name]
    missing = [row for row in change.undeclared if row.dimension == name]
    title = look.name(DIMENSIONS.get(name, name), 20)
    count = look.name(answer, 12)
    if triggers:
        count = f"{len(triggers):,} reason{'' if len(triggers) == 1 else 's'}"
    yield ((f"  {title:<20}", Ink.PLAIN), (count, _ANSWER.get(answer, Ink.PLAIN)))
    shown = triggers if look.show_all else _foremost(triggers)
    for row in shown:
        yield from _trigger(row, names, look)
    if len(triggers) > len(shown):
        more = f"    {look.glyphs.ellipsis} {len(triggers) - len(shown):,} more, --all shows them"
        yield ((more, Ink.FAINT),)
    if answer == "unknown" or look.show_all:
        for gap in missing if look.show_all else missing[:_FEW]:
            yield from _undeclared(gap, look)


def _foremost(rows: list[TriggerRow]) -> list[TriggerRow]:
    """A few: the first of each kind, what is reached before what is declared."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, bool, int]] = []
    for place, row in enumerate(rows):
        ranked.append((seen[row.id], not row.witness, place))
        seen[row.id] += 1
    chosen = sorted(place for *_, place in sorted(ranked)[:_FEW])
    return [rows[place] for place in chosen]


def _trigger(row: TriggerRow, names: Names, look: Look) -> Iterator[Line]:
    old, new = (names.prose(fact) for fact in (row.old, row.new))
    told = f"{names.told(row.subject)}: {old} {look.glyphs.arrow} {new}"
    lines = list(hanging(((f"    {look.name(row.id, 19):<20}", Ink.CHANGED),), told, look))
    yield from lines if look.show_all else shortened(lines, _FEW, look)


def _undeclared(row: UndeclaredRow, look: Look) -> Iterator[Line]:
    told = f"not known: {row.fact}; {row.declare}".replace("`", "")
    yield from hanging((("    ? ", Ink.UNKNOWN),), told, look)


def demand_lines(demands: Sequence[DemandRow], look: Look, names: Names) -> Iterator[Line]:
    """Say what is due, refused first."""
    if not demands:
        return
    counts = Counter(row.status for row in demands)
    tally = f" {look.glyphs.dot} ".join(
        f"{counts[status]:,} {status}" for status in ("refused", "open", "met") if counts[status]
    )
    yield (("Demands", Ink.STRONG), (f"   {tally}", Ink.PLAIN))
    for status in ("refused", "open", "met"):
        for why, titles in _alike(demands, status).items():
            lead = ((f"  {status:<8} ", _STATUS[status]),)
            told = names.prose(f"{'; '.join(titles)}: {why}")
            yield from hanging(lead, told.replace("`", ""), look)
    yield BLANK


def _alike(demands: Sequence[DemandRow], status: str) -> dict[str, list[str]]:
    """Put demands together that are where they are for the same reason."""
    found: dict[str, list[str]] = {}
    for row in demands:
        if row.status == status:
            found.setdefault(row.why, []).append(row.title)
    return found


def _rules(rules: Sequence[RuleRow], look: Look, names: Names) -> Iterator[Line]:
    """Demands are told above; what else the policy says is told here."""
    told = [row for row in rules if not row.id.startswith("GATE-DEMAND-")]
    if not told:
        return
    yield (("Policy", Ink.STRONG),)
    for row in told:
        ink = Ink.BAD if row.denies else Ink.FAINT
        words = row.message + (f" ({row.error})" if row.error else "")
        lead = ((f"  {'denies' if row.denies else 'says':<8} ", ink),)
        yield from hanging(lead, f"{row.id}: {names.prose(words)}".replace("`", ""), look)
    yield BLANK


def waiver_lines(report: Report, look: Look) -> Iterator[Line]:
    """Say what is waived, which waivers no longer hold, and which match nothing."""
    waived = [row for row in report.findings if row.waived]
    back = [row for row in report.findings if row.returned]
    if not (waived or back or report.unused_waivers):
        return
    yield (("Waivers", Ink.STRONG), (f"   {_waived_tally(len(waived), len(back))}", Ink.PLAIN))
    for row in waived:
        lead = f"  waived   {look.name(row.id, 8)}  "
        yield from hanging(((lead, Ink.FAINT),), waived_words(row), look)
    for row in back:
        lead = f"  back     {look.name(row.id, 8)}  "
        yield from hanging(((lead, Ink.WARN),), row.returned, look)
    for name in report.unused_waivers:
        yield from hanging((("  unused   ", Ink.WARN),), name, look)
    yield BLANK


def _waived_tally(waived: int, back: int) -> str:
    return f"{waived} waived" + (f", {back} back" if back else "")


def waived_words(row: FindingRow) -> str:
    """Give a waiver in a sentence."""
    waiver = row.waived
    if waiver is None:
        return ""
    return (
        f"{row.rule} until {waiver.expires}, owner {waiver.owner}, approved by "
        f"{waiver.approved_by}: {waiver.reason}"
    )
