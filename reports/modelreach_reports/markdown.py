"""The report as a comment under a pull request: short enough, and inert in Markdown.

GitHub takes at most 65,536 characters; a hidden marker lets a later run find and replace it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from modelreach.report import (
    ChangeRow,
    DemandRow,
    DiffReport,
    Figures,
    FindingRow,
    GrantRow,
    Report,
    TriggerRow,
    ranked_findings,
)
from modelreach_reports import Format
from modelreach_reports.gating import DIMENSIONS
from modelreach_reports.naming import Names, is_sensitive, key_of
from modelreach_reports.phrases import (
    finding_words,
    findings_tally,
    gap_words,
    gate_reasons,
    provisos,
    scope_words,
)
from modelreach_reports.planned import place_of, planned
from modelreach_reports.safe import end, middle, visible
from modelreach_reports.story import ranked_rows
from modelreach_reports.summedup import summed_up_words
from modelreach_reports.unsure import Unsure, unsure
from modelreach_reports.words import statement_words

LIMIT = 65_536
_ROOM = (200, 80, 30, 10, 3, 1)
_LONGEST = 120

_MARKS = {"gained": "+", "lost": "−", "unknown": "?", "reached": ""}
_FIGURES = (
    ("resources", "resources"),
    ("of them sensitive", "sensitive"),
    ("by pattern, not listed", "patterns"),
    ("identities", "identities"),
    ("scopes", "scopes"),
    ("can be taken over", "administers"),
    ("longest chain of identities", "longest_chain"),
)


def code(text: str, width: int = _LONGEST) -> str:
    """Give a name as a code span, in which nothing is markup, a mention or a link."""
    # A table ends its cell at a bare `|` even in a code span, and some do at `\\|`.
    shown = middle(visible(text), width).replace("\\|", "\\x7c").replace("|", "\\|")
    if not shown.strip():
        return ""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    edge = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{edge}{shown}{edge}{ticks}"


_MARKUP = re.compile(r"([\\`*_{}\[\]()<>|~!$&])")
#: What a forge would make a link of: @user, #1, https://, www. As code it is left alone.
_LINK = re.compile(r"([@#]|://|(?<=www)\.)")


def prose(text: str, width: int = 400) -> str:
    """Give a sentence in which nothing is markup, a mention or a link, but `this` is code."""
    parts = end(visible(text), width).split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return "".join(code(part) if place % 2 else _inert(part) for place, part in enumerate(parts))


def _inert(text: str) -> str:
    return _LINK.sub(lambda match: f"`{match.group()}`", _MARKUP.sub(r"\\\1", text))


def marker(name: str) -> str:
    """Give the hidden comment by which a later run finds this one."""
    return f"<!-- modelreach:{re.sub(r'[^A-Za-z0-9._]+', '-', name)[:100].strip('-')} -->"


def _render(report: Report) -> bytes:
    """Give as many rows as there is room for."""
    text = ""
    for rows in _ROOM:
        text = "\n".join(_lines(report, rows)) + "\n"
        if len(text.encode()) < LIMIT:
            break
    return text.encode("utf-8", "replace")


def _lines(report: Report, rows: int) -> Iterator[str]:
    names = Names(report)
    release = report.new if isinstance(report, DiffReport) else report.release
    yield marker(release.name)
    yield f"## {report.gate.verdict.upper()}: {code(release.name)} {_versions(report)}"
    yield ""
    yield prose(gate_reasons(report.gate))
    yield ""
    if isinstance(report, DiffReport):
        yield from _security(report, names, rows)
        yield from _demands(report, rows)
    yield from _figures(report)
    yield from _findings(report, names, rows)
    yield from _changes(report, names, rows)
    if isinstance(report, DiffReport):
        yield from _planned(report, rows)
    yield from _gaps(report, names, rows)


def _planned(report: DiffReport, rows: int) -> Iterator[str]:
    """Say which resources of a plan bring the changes."""
    found = planned(report)
    if not found:
        return
    yield "### From the plan"
    yield ""
    yield "| Resource | Plan | Written at | Changes |"
    yield "|---|---|---|---|"
    for origin, number in found[:rows]:
        place = code(place_of(origin)) if origin.file else ""
        yield f"| {code(origin.address)} | {prose(origin.action)} | {place} | {number:,} |"
    yield from _more(len(found), rows)
    yield ""


def _versions(report: Report) -> str:
    if isinstance(report, DiffReport):
        return f"{code(report.old.version, 40)} → {code(report.new.version, 40)}"
    return code(report.release.version, 40)


def _security(report: DiffReport, names: Names, rows: int) -> Iterator[str]:
    change = report.security_change
    if change is None:
        return
    changed = ", ".join(prose(DIMENSIONS.get(name, name)) for name in change.dimensions)
    yield f"### Security change: {change.verdict}" + (f" ({changed})" if changed else "")
    yield ""
    if change.triggers:
        reasons = "1 reason" if len(change.triggers) == 1 else f"{len(change.triggers):,} reasons"
        yield f"<details><summary>{reasons}</summary>"
        yield ""
        yield "| Dimension | Reason | Of what | Before | Now |"
        yield "|---|---|---|---|---|"
        yield from (_trigger(row, names) for row in change.triggers[:rows])
        yield from _more(len(change.triggers), rows)
        yield ""
        yield "</details>"
        yield ""
    for row in change.undeclared[:rows]:
        dimension = prose(DIMENSIONS.get(row.dimension, row.dimension))
        yield f"- {dimension}: not known: {prose(row.fact)}; {prose(row.declare)}"
    yield from _more(len(change.undeclared), rows)
    if change.undeclared:
        yield ""


def _trigger(row: TriggerRow, names: Names) -> str:
    dimension = prose(DIMENSIONS.get(row.dimension, row.dimension))
    facts = f"{prose(names.prose(row.old), 120)} | {prose(names.prose(row.new), 160)}"
    return f"| {dimension} | {prose(row.title)} | {code(names.told(row.subject))} | {facts} |"


def _demands(report: DiffReport, rows: int) -> Iterator[str]:
    due = [row for row in report.demands if row.status != "met"]
    if not report.demands:
        return
    met = len(report.demands) - len(due)
    yield f"### Due before adoption: {len(due):,} of {len(report.demands):,} ({met:,} met)"
    yield ""
    alike = _alike(due)
    for demands in alike[:rows]:
        row = demands[0]
        what = "; ".join(prose(one.title) for one in demands)
        yield f"- [ ] **{row.status}** {what} ({prose(row.who)}): {prose(row.why, 240)}"
    yield from _more(len(alike), rows)
    if due:
        yield ""


def _alike(due: Sequence[DemandRow]) -> list[list[DemandRow]]:
    """Put together what is due from the same people for the same reason, what is refused first."""
    found: dict[tuple[str, str, str], list[DemandRow]] = {}
    for row in sorted(due, key=lambda row: row.status != "refused"):
        found.setdefault((row.status, row.who, row.why), []).append(row)
    return list(found.values())


def _figures(report: Report) -> Iterator[str]:
    titled = [
        (scope_words(report) if key == "scopes" else title, key)
        for title, key in _FIGURES
        if key != "patterns" or any(figures.patterns for figures in _sides(report))
    ]
    if isinstance(report, DiffReport):
        yield "| Reach | old | new | change |"
        yield "|---|--:|--:|--:|"
        old, new = report.summary.old, report.summary.new
        yield from (
            f"| {title} | {_compared(old, new, key, unsure(report, key))} |"
            for title, key in titled
        )
    else:
        yield "| Reach | |"
        yield "|---|--:|"
        for title, key in titled:
            yield f"| {title} | {getattr(report.figures, key):,} |"
    yield ""


def _sides(report: Report) -> tuple[Figures, ...]:
    if isinstance(report, DiffReport):
        return report.summary.old, report.summary.new
    return (report.figures,)


def _compared(old: Figures, new: Figures, key: str, hidden: Unsure) -> str:
    before, after = getattr(old, key), getattr(new, key)
    delta = after - before + hidden.known
    change = f"**+{delta:,}**" if delta > 0 else f"−{-delta:,}" if delta else "="
    if hidden.number:
        change = f"{change} ? {hidden.number:,}" if delta else f"? {hidden.number:,}"
    return f"{before:,} | {after:,} | {change}"


def _more(count: int, rows: int) -> Iterator[str]:
    if count > rows:
        yield ""
        yield f"… {count - rows:,} more are left out; the JSON has them all."


def _findings(report: Report, names: Names, limit: int) -> Iterator[str]:
    rows = ranked_findings(report)
    yield f"### Findings: {findings_tally(report) or 'none'}"
    yield ""
    if rows:
        yield "| | Severity | Finding | Fix |"
        yield "|---|---|---|---|"
        yield from (_finding(row, names) for row in rows[:limit])
        yield from _more(len(rows), limit)
        yield ""


def _finding(row: FindingRow, names: Names) -> str:
    state = {"new": "", "unchanged": " (there before)", "gone": " (gone)"}[row.state]
    state += " (waived)" if row.waived else ""
    words = prose(finding_words(row, names), 240)
    fix = prose(names.prose(row.fix), 240)
    return f"| {code(row.id, 20)} | **{row.severity}**{state} | {words} | {fix} |"


def _changes(report: Report, names: Names, limit: int) -> Iterator[str]:
    rows = ranked_rows(report)
    title = "Changes of reach" if isinstance(report, DiffReport) else "Reach"
    yield f"### {title}: {f'{len(rows):,}' if rows else 'none'}"
    yield ""
    if words := summed_up_words(report):
        yield prose(words)
        yield ""
    if rows:
        yield f"<details><summary>{title}</summary>"
        yield ""
        yield "| | Resource | By | Because of |"
        yield "|---|---|---|---|"
        yield from (_change(row, names) for row in rows[:limit])
        yield from _more(len(rows), limit)
        yield ""
        yield "</details>"
        yield ""


def _change(row: ChangeRow | GrantRow, names: Names) -> str:
    kind = row.kind if isinstance(row, ChangeRow) else "reached"
    sensitive = " **sensitive**" if is_sensitive(row.sensitivity) else ""
    resource = f"{code(names.thing(key_of(row)).label)}{sensitive}"
    because = code(statement_words(row.witness[-1])) if row.witness else ""
    doubts = "".join(f"; {prose(text, 200)}" for text in provisos(row))
    identity = code(names.thing(row.identity).label)
    tool = row.witness[0].tool if row.witness else ""
    identity = f"{code(tool, 60)} → {identity}" if tool else identity
    what = f"{_MARKS.get(kind, '~')} {kind} {row.capability}".lstrip()
    return f"| {what} | {resource} | {identity} | {because}{doubts} |"


def _gaps(report: Report, names: Names, limit: int) -> Iterator[str]:
    if report.gaps:
        yield f"### Not read: {len(report.gaps):,}"
        yield ""
        yield "Counted as unknown, not as zero."
        yield ""
        yield from (f"- {prose(gap_words(gap, names))}" for gap in report.gaps[:limit])
        yield from _more(len(report.gaps), limit)


render = Format((".md", ".markdown"), _render)
