"""The report for a terminal: what matters on one screen, the verdict last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from modelreach.report import (
    DiffReport,
    Figures,
    Gate,
    RadiusReport,
    ReleaseRow,
    Report,
    ranked_findings,
)
from modelreach_reports.found import finding_lines, gap_lines
from modelreach_reports.gating import demand_lines, security_brief, waiver_lines
from modelreach_reports.lines import BLANK, Ink, Line, Look, Span, hanging, paint
from modelreach_reports.naming import Names
from modelreach_reports.phrases import (
    gate_options,
    scope_words,
)
from modelreach_reports.planned import place_of, planned
from modelreach_reports.safe import cells, visible
from modelreach_reports.story import Item, grouped, items
from modelreach_reports.summedup import counted_words, no_better_words
from modelreach_reports.tree import Tree
from modelreach_reports.unsure import Unsure, unsure

#: Below that the columns of the tree have no room.
_NARROWEST = 60
_FEW_CHANGES = 12

_FIGURES = (
    ("resources", "resources", True),
    ("  sensitive", "sensitive", True),
    ("  by pattern, not listed", "patterns", False),
    ("identities", "identities", True),
    ("scopes", "scopes", True),
    ("  can be taken over", "administers", False),
    ("longest chain of identities", "longest_chain", True),
)


class _Text:
    """The terminal form; unlike the others it takes options."""

    suffixes = (".txt",)

    def __call__(
        self,
        report: Report,
        *,
        width: int = 80,
        color: bool = False,
        ascii_only: bool = False,
        show_all: bool = False,
        next_commands: Sequence[str] = (),
        gated: bool = True,
    ) -> bytes:
        """Give the report for a terminal of `width` columns; `next_commands` end it. `gated`
        says that the program exits as the gate says."""
        look = Look(max(width, _NARROWEST), color, ascii_only, show_all)
        if isinstance(report, DiffReport):
            lines = _diff_lines(report, look)
        else:
            lines = _radius_lines(report, look)
        return paint(chain(lines, _ending(report, look, next_commands, gated)), look)


render = _Text()


def _diff_lines(report: DiffReport, look: Look) -> Iterator[Line]:
    names = Names(report)
    told = items(report)
    yield from _diff_header(report, look)
    yield BLANK
    yield from security_brief(report, look)
    yield from demand_lines(report.demands, look, names)
    yield from _compared(report, look)
    yield BLANK
    yield from _changes(report, names, told, look)
    yield from _planned(report, look)
    yield from finding_lines(report, names, look)
    yield from gap_lines(report, names, look)


def _radius_lines(report: RadiusReport, look: Look) -> Iterator[Line]:
    names = Names(report)
    yield from _radius_header(report.release, look)
    yield BLANK
    yield from _counted(report)
    yield BLANK
    yield from _reached(report, names, look)
    yield from finding_lines(report, names, look)
    yield from gap_lines(report, names, look)


def _ending(report: Report, look: Look, following: Sequence[str], gated: bool) -> Iterator[Line]:
    yield BLANK
    yield from waiver_lines(report, look)
    yield from _gate(report.gate, look, gated)
    yield from _next(following or _defaults(report), look)


def _taken(moment: str) -> str:
    """Give `2026-11-23T11:00:00Z` as `2026-11-23 11:00Z`; anything else as it is."""
    shown = visible(moment)
    if len(shown) == 20 and shown[10] == "T" and shown.endswith("Z"):
        return f"{shown[:10]} {shown[11:16]}Z"
    return shown


def _titled(name: str, versions: str, aside: str, look: Look) -> Iterator[Line]:
    """Give the title, and the aside behind it, or below where there is no room."""
    shown = look.name(name, max(look.width - len(versions) - 4, 16))
    head: Line = ((shown, Ink.STRONG), ("  " + versions, Ink.STRONG))
    told = visible(aside, ascii_only=look.ascii_only)
    if cells(shown) + len(versions) + 10 + cells(told) <= look.width:
        yield (*head, (f"        {told}", Ink.FAINT))
    else:
        yield head
        yield ((told, Ink.FAINT),)


def _version(release: ReleaseRow, look: Look) -> str:
    """Give a version; one that is a time, as in drafts of `discover`, has 20 characters."""
    return look.name(release.version, min(20, look.width // 3 - 3))


def _diff_header(report: DiffReport, look: Look) -> Iterator[Line]:
    old, new = report.old, report.new
    name = new.name if new.name == old.name else f"{old.name} {look.glyphs.arrow} {new.name}"
    versions = f"{_version(old, look)} {look.glyphs.arrow} {_version(new, look)}"
    if old.snapshot_digest == new.snapshot_digest:
        aside = f"both in the estate of {_taken(new.taken_at)}"
    else:
        aside = f"old {_taken(old.taken_at)} {look.glyphs.dot} new {_taken(new.taken_at)}"
    yield from _titled(name, versions, aside, look)
    if old.model != new.model:
        room = (look.width - 10) // 2
        models = (look.name(old.model, room), look.name(new.model, room))
        yield ((f"model {models[0]} {look.glyphs.arrow} {models[1]}", Ink.FAINT),)


def _radius_header(release: ReleaseRow, look: Look) -> Iterator[Line]:
    aside = f"in the estate of {_taken(release.taken_at)}"
    yield from _titled(release.name, _version(release, look), aside, look)


def _compared(report: DiffReport, look: Look) -> Iterator[Line]:
    room = _room(report.summary.old, report.summary.new)
    yield ((f"{'Reach':<30}{'old':>{room}}{'new':>{room}}   change", Ink.STRONG),)
    for title, key, always in _named(_FIGURES, report):
        old, new = getattr(report.summary.old, key), getattr(report.summary.new, key)
        if always or old or new:
            came, went = _turnover(report) if key == "identities" else (0, 0)
            count = f"{old:>{room},}{new:>{room},}"
            change = _change(old, new, unsure(report, key), look, came if went else 0, went)
            yield (f"  {title:<28}{count}   ", Ink.PLAIN), change


def _room(*figures: Figures) -> int:
    """Give how wide a column of figures is: a wide reach has millions of patterns."""
    counts = (getattr(one, key) for one in figures for _, key, _ in _FIGURES)
    return max(7, *(len(f"{count:,}") + 2 for count in counts))


def _named(
    figures: Sequence[tuple[str, str, bool]], report: Report
) -> Iterator[tuple[str, str, bool]]:
    """Give the figures, with scopes called as the providers of this report call them."""
    for title, key, always in figures:
        yield (scope_words(report) if key == "scopes" else title), key, always


def _turnover(report: DiffReport) -> tuple[int, int]:
    old = {row.base for row in report.identities_old}
    new = {row.base for row in report.identities_new}
    return len(new - old), len(old - new)


def _change(old: int, new: int, hidden: Unsure, look: Look, came: int, went: int) -> Span:
    delta = new - old + hidden.known
    minus = look.glyphs.minus
    change = f"{'+' if delta > 0 else minus}{abs(delta):,}" if delta else "="
    if hidden.number:
        change = f"{change} ?{hidden.number:,}" if delta else f"?{hidden.number:,}"
    if went:
        change = f"+{came:,} {minus}{went:,}" if came else f"{minus}{went:,}"
    ink = Ink.GAINED if delta > 0 else Ink.LOST if delta < 0 else Ink.FAINT
    return change, Ink.UNKNOWN if hidden.number and not delta else ink


def _counted(report: RadiusReport) -> Iterator[Line]:
    yield (("Reach", Ink.STRONG),)
    room = _room(report.figures)
    for title, key, always in _named(_FIGURES, report):
        count = getattr(report.figures, key)
        if always or count:
            yield ((f"  {title:<28}{count:>{room},}", Ink.PLAIN),)


def _legend(look: Look) -> str:
    return f"+ gained  {look.glyphs.minus} lost  ~ changed  ? unknown  ! sensitive"


def _changes(report: DiffReport, names: Names, told: Sequence[Item], look: Look) -> Iterator[Line]:
    if not told:
        yield (("No change of reach", Ink.STRONG),)
        yield from _taken_over(report, look)
        return
    legend = _legend(look) + ("" if look.show_all else "   --all: each")
    yield from hanging((("What changed   ", Ink.STRONG),), legend, look, Ink.FAINT)
    yield ((look.name(report.new.name, look.width), Ink.STRONG),)
    yield from _tree(report, names, told, look)
    yield from _taken_over(report, look)


def _planned(report: DiffReport, look: Look) -> Iterator[Line]:
    """Say what of a plan brings the changes, and where that is written."""
    rows = planned(report)
    if not rows:
        return
    yield BLANK
    yield (("From the plan", Ink.STRONG), ("   what changes come from", Ink.FAINT))
    shown = rows if look.show_all else rows[:_FEW_CHANGES]
    for origin, number in shown:
        counted = "1 change" if number == 1 else f"{number:,} changes"
        aside = ", ".join(filter(None, (origin.action, place_of(origin), counted)))
        lead = ((f"  {visible(origin.address)}  ", Ink.CHANGED),)
        yield from hanging(lead, visible(aside), look, under=(("    ", Ink.FAINT),))
    if len(rows) > len(shown):
        yield ((f"  {look.glyphs.ellipsis} {len(rows) - len(shown):,} more", Ink.FAINT),)


def _reached(report: RadiusReport, names: Names, look: Look) -> Iterator[Line]:
    told = items(report)
    if not told:
        yield (("Reaches nothing that was read", Ink.STRONG),)
        return
    yield (("What it reaches", Ink.STRONG), ("   ? unknown  ! sensitive", Ink.FAINT))
    yield ((look.name(report.release.name, look.width), Ink.STRONG),)
    yield from _tree(report, names, told, look)
    yield from _taken_over(report, look)
    if words := no_better_words(report):
        yield from hanging((("", Ink.FAINT),), words, look, Ink.FAINT)


def _taken_over(report: Report, look: Look) -> Iterator[Line]:
    """Say how much is in what is taken over, of which not all is listed."""
    told = [
        counted_words(report, key, noun, look.glyphs.arrow)
        for key, noun in (("resources", "resource"), ("patterns", "pattern"))
        if any(getattr(row, key) for row in report.summed_up)
    ]
    if told:
        lead = (("In scopes taken over: ", Ink.FAINT),)
        yield from hanging(lead, f"{', '.join(told)}; listed if sensitive", look, Ink.FAINT)


def _tree(report: Report, names: Names, told: Sequence[Item], look: Look) -> Iterator[Line]:
    groups = told if look.show_all else grouped(told, _FEW_CHANGES)
    shown = groups if look.show_all else _foremost(groups)
    yield from Tree(report, names, look).lines(shown)
    hidden = sum(1 + item.also for item in groups) - sum(1 + item.also for item in shown)
    if hidden:
        yield ((f"{look.glyphs.ellipsis} {hidden:,} more, --all shows them", Ink.FAINT),)


def _foremost(groups: Sequence[Item]) -> Sequence[Item]:
    """The first dozen changes; identities come on top, as they are the branches."""
    things = [item for item in groups if not item.is_identity][:_FEW_CHANGES]
    branches = [item for item in groups if item.is_identity][:_FEW_CHANGES]
    return [item for item in groups if item in things or item in branches]


_GATE_INK = {"pass": Ink.GOOD, "fail": Ink.BAD, "unknown": Ink.WARN}


def _gate(gate: Gate, look: Look, gated: bool) -> Iterator[Line]:
    lead: Line = ((f" {gate.verdict.upper()} ", _GATE_INK[gate.verdict]), (" ", Ink.PLAIN))
    leaving = "exit" if gated else "the gate would exit"
    yield from hanging(lead, f"{gate_options(gate)}  ({leaving} {gate.exit_code})", look)


def _defaults(report: Report) -> tuple[str, ...]:
    rows = ranked_findings(report)
    explain = tuple(f"modelreach explain {visible(row.id)}" for row in rows[:1] if len(row.id) < 9)
    if isinstance(report, DiffReport):
        return (*explain, "modelreach report OLD NEW -o review.html")
    return explain


def _next(commands: Sequence[str], look: Look) -> Iterator[Line]:
    if commands:
        dot = f"   {look.glyphs.dot}   "
        yield from hanging((("next:  ", Ink.FAINT),), dot.join(commands), look)
