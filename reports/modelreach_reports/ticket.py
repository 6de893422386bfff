"""The change ticket as Markdown and JSON.

Written for somebody who knows neither the release nor this program: what changes, what it can
reach now, who has to do what before adoption, and how to undo it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from modelreach.report import (
    ChangeRow,
    CutRow,
    DemandRow,
    Hop,
    StopRow,
    Ticket,
    TriggerRow,
)
from modelreach.report_file import encode
from modelreach_reports.gating import DIMENSIONS, waived_words
from modelreach_reports.markdown import code, prose
from modelreach_reports.naming import Names, key_of
from modelreach_reports.phrases import gate_reasons, provisos, scope_words, standards_words
from modelreach_reports.safe import visible
from modelreach_reports.summedup import summed_up_words
from modelreach_reports.words import hop_words

#: Rows of a table that a person still reads; the JSON has them all.
_ROWS = 60
_WHOLE = 2048


def render_json(ticket: Ticket) -> bytes:
    """Give the ticket as `modelreach.ticket/2`."""
    return encode(ticket)


def render_markdown(ticket: Ticket) -> bytes:
    """Give the ticket for people."""
    return ("\n".join(_lines(ticket)).rstrip() + "\n").encode("utf-8", "replace")


def _lines(ticket: Ticket) -> Iterator[str]:
    names = Names(ticket)
    yield from _head(ticket)
    yield from _what_changes(ticket, names)
    yield from _what_it_reaches(ticket, names)
    yield from _what_is_due(ticket, names)
    yield from _how_to_undo(ticket, names)
    yield from _findings(ticket, names)
    yield from _sign_off(ticket)
    yield from _standards(ticket)
    yield from _inputs(ticket)


def _thing(key: str, names: Names) -> str:
    """What something is called, of what kind it is, and where: nobody knows things by ids."""
    thing = names.thing(key)
    place = names.place(thing.scope) if thing.scope not in ("", key) else ""
    beside = ", ".join(part for part in (thing.kind, place) if part)
    return code(thing.label) + (f" ({prose(beside, 80)})" if beside else "")


def _table(*titles: str) -> Iterator[str]:
    yield "| " + " | ".join(titles) + " |"
    yield "|" + "---|" * len(titles)


def _rest(count: int) -> Iterator[str]:
    if count > _ROWS:
        yield ""
        yield f"… {count - _ROWS:,} more; the JSON form of this ticket has them all."


# --- head ----------------------------------------------------------------------------------


def _head(ticket: Ticket) -> Iterator[str]:
    old, new, change = ticket.old, ticket.new, ticket.security_change
    yield f"# Change ticket {code(ticket.id)}".rstrip()
    yield ""
    yield f"Update of {code(new.name)} from {code(old.version)} to {code(new.version)}."
    yield ""
    yield from _table("", "")
    changed = ", ".join(prose(DIMENSIONS.get(name, name)) for name in change.dimensions)
    answer = change.verdict + (f": {changed}" if changed else "")
    yield f"| Is it a security change? | **{answer}** |"
    yield f"| May it be adopted as it is? | {_adoption(ticket)} |"
    yield f"| Owner | {_owner(ticket)} |"
    yield f"| Environment | {code(new.environment) or 'not declared'} |"
    yield f"| Model | {code(old.model)} → {code(new.model)} |"
    yield f"| Estate as of | {code(new.taken_at)} |"
    yield f"| Written | {code(ticket.made_at)}, by policy {code(ticket.gate.policy)} |"
    yield ""


def _adoption(ticket: Ticket) -> str:
    word = {"pass": "yes", "fail": "no", "unknown": "not known"}[ticket.gate.verdict]
    return f"**{word}**: {prose(gate_reasons(ticket.gate))}"


def _owner(ticket: Ticket) -> str:
    parts = [code(ticket.new.owner)]
    parts += [f"contact {code(ticket.contact)}"] if ticket.contact else []
    parts += [f"sponsor {code(ticket.sponsor)}"] if ticket.sponsor else []
    return ", ".join(parts)


# --- scope ---------------------------------------------------------------------------------


def _what_changes(ticket: Ticket, names: Names) -> Iterator[str]:
    change = ticket.security_change
    yield "## 1. What changes"
    yield ""
    for name, answer in change.by_dimension.items():
        rows = [row for row in change.triggers if row.dimension == name]
        yield f"### {prose(DIMENSIONS.get(name, name).capitalize())}: {prose(answer)}"
        yield ""
        if rows:
            yield from _table("What", "Of what", "Before", "Now")
            yield from (_trigger(row, names) for row in rows[:_ROWS])
            yield from _rest(len(rows))
            yield ""
        missing = [row for row in change.undeclared if row.dimension == name]
        for row in missing:
            fact = f"{prose(row.fact)} ({prose(row.side)})"
            yield f"- Not known: {fact}. To know it: {prose(row.declare)}."
        if missing:
            yield ""


def _trigger(row: TriggerRow, names: Names) -> str:
    old, new = (prose(names.prose(fact)) for fact in (row.old, row.new))
    what = f"{prose(row.title)} {code(row.id)}"
    return f"| {what} | {_thing(row.subject, names)} | {old} | {new} |"


# --- impact --------------------------------------------------------------------------------


def _seen(number: int, hidden: int = 0) -> str:
    return f"{number:,}" + (f", and {hidden:,} of which it cannot be told" if hidden else "")


def _what_it_reaches(ticket: Ticket, names: Names) -> Iterator[str]:
    old, new = ticket.summary.old, ticket.summary.new
    yield "## 2. What it can reach now"
    yield ""
    yield from _table("Reach", "Before", "Now")
    for title, was, now in (
        ("resources", old.resources, _seen(new.resources, new.unseen)),
        ("of them sensitive", old.sensitive, _seen(new.sensitive, new.unseen_sensitive)),
        ("identities", old.identities, _seen(new.identities)),
        (scope_words(ticket), old.scopes, _seen(new.scopes)),
        ("of them it can take over", old.administers, _seen(new.administers)),
    ):
        yield f"| {title} | {was:,} | {now} |"
    yield ""
    if ticket.reached:
        yield "What is new or wider, the sensitive first:"
        yield ""
        yield from _table("", "What", "May do", "By way of")
        yield from (_reached(row, names) for row in ticket.reached[:_ROWS])
        yield from _rest(len(ticket.reached))
    else:
        yield "Nothing is reached that was not reached before."
    yield ""
    if ticket.others:
        changes = "1 change" if ticket.others == 1 else f"{ticket.others:,} changes"
        yield f"Not listed: {changes} by which access goes, or is only rerouted."
        yield ""
    if ticket.summed_up:
        yield prose(summed_up_words(ticket))
        yield ""
    if ticket.gaps:
        yield f"Not read, and so unknown, not none ({len(ticket.gaps):,}):"
        yield ""
        for gap in ticket.gaps[:_ROWS]:
            where = " ".join(code(part) for part in (gap.provider, gap.scope, gap.region) if part)
            about = code(gap.subject or gap.kind)
            yield f"- {where} {about}: {prose(gap.reason)}; unknown: {prose(gap.leaves_unknown)}"
        yield from _rest(len(ticket.gaps))
        yield ""


def _reached(row: ChangeRow, names: Names) -> str:
    mark = {"gained": "new", "widened": "wider", "unknown": "unknown"}.get(row.kind, row.kind)
    sensitive = f" **sensitive** ({prose(row.sensitive_because, 80)})" if _matters(row) else ""
    doubts = "".join(f"; {prose(text, 200)}" for text in provisos(row))
    may = f"{prose(row.capability)}: {code(', '.join(row.actions[:4]))}"
    more = f" and {len(row.actions) - 4:,} more" if len(row.actions) > 4 else ""
    way = " → ".join(_way(row.witness, names))
    what = _thing(key_of(row), names)
    return f"| {mark} | {what}{sensitive} | {may}{more}{doubts} | {way} |"


def _matters(row: ChangeRow) -> bool:
    return row.sensitivity in ("medium", "high")


def _way(witness: Iterable[Hop], names: Names) -> Iterator[str]:
    for hop in witness:
        whom = code(names.thing(hop.object).label)
        if hop.kind == "start":
            yield f"{code(hop.tool)} runs as {whom}" if hop.tool else whom
        elif hop.kind not in ("grant", "administer"):
            yield f"{prose(hop_words(hop), 80)} {whom}"


# --- demands -------------------------------------------------------------------------------

_BOX = {"met": "x", "open": " ", "refused": " "}


def _what_is_due(ticket: Ticket, names: Names) -> Iterator[str]:
    yield "## 3. Who has to do what before adoption"
    yield ""
    if not ticket.demands:
        yield "Nothing is demanded."
        yield ""
        return
    for status, title in (
        ("refused", "Refused: what was brought speaks against the release"),
        ("open", "Open"),
        ("met", "Met"),
    ):
        rows = [row for row in ticket.demands if row.status == status]
        if rows:
            yield f"**{title}**"
            yield ""
            yield from (line for row in rows for line in _demand(row, names))
            yield ""
    if ticket.evidence:
        yield "Re-tests, old release against new:"
        yield ""
        yield from _table("Tool", "Category", "Broke before", "Broke now", "Verdict", "Note")
        for one in ticket.evidence[:_ROWS]:
            cells = (one.tool, one.category or one.source, one.old, one.new, one.verdict)
            yield f"| {' | '.join(prose(cell, 80) for cell in cells)} | {prose(one.note)} |"
        yield from _rest(len(ticket.evidence))
        yield ""


def _demand(row: DemandRow, names: Names) -> Iterator[str]:
    yield (
        f"- [{_BOX[row.status]}] **{prose(row.title)}** ({prose(row.who)}): "
        f"{prose(names.prose(row.why))}. "
        f"Because of {', '.join(code(one, 40) for one in row.because)}."
    )
    for line in row.evidence[:5]:
        yield f"  - {prose(line)}"


# --- undoing -------------------------------------------------------------------------------


def _how_to_undo(ticket: Ticket, names: Names) -> Iterator[str]:
    back = ticket.rollback
    yield "## 4. How to undo it"
    yield ""
    yield "### Roll back"
    yield ""
    to, before = code(back.to) or "not declared", code(ticket.old.version)
    beside = "" if to == before else f" (the one before this is {before})"
    yield f"- Go back to release {to}{beside}."
    yield f"- Tested: {code(back.tested) or '**never, or not declared**'}."
    yield f"- Takes at most: {code(back.max_minutes) or 'not declared'} minutes."
    for criterion in back.criteria:
        yield f"- Roll back when: {prose(criterion)}."
    if not back.criteria:
        yield "- When to roll back is **not declared** (`spec.rollback.criteria`)."
    yield ""
    yield "### Revoke what it newly reaches"
    yield ""
    if ticket.cuts:
        yield "The fewest cuts that take away what section 1 names as reached. Each takes one step"
        yield "from one identity, and can be taken back."
        yield ""
    for number, cut in enumerate(ticket.cuts, start=1):
        yield from _cut(number, cut, names)
    for name in ticket.uncut:
        what = _thing(name, names)
        yield f"- No command is known that takes away {what}; its owner has to revoke it."
    if not ticket.cuts and not ticket.uncut:
        yield "Nothing that is reached has to be cut."
    yield ""
    for stop in ticket.stops:
        yield from _stop(stop, names)
    yield "Then see whether it took hold: collect again, and run"
    yield ""
    yield from fenced("sh", [ticket.check])
    yield ""


#: Where a role is bound as a whole, and there is no deny for a step of it.
_WHOLE_ROLES = frozenset({"azure", "gcp", "kubernetes"})


def _cut(number: int, cut: CutRow, names: Names) -> Iterator[str]:
    what = {"binding": "statement", "trust": "trust", "key": "key"}[cut.kind]
    place = "".join(f" {code(part)}" for part in (cut.policy, cut.sid) if part)
    yield f"**Cut {number}: {what}**{place} on {_whole(cut.target, names)}"
    yield ""
    if cut.actions:
        yield f"- Takes {code(', '.join(cut.actions[:6]))} from {_whole(cut.subject, names)}."
    if cut.kind == "binding" and cut.provider in _WHOLE_ROLES:
        yield "- The role goes whole, with all else that it gives there."
    gone = ", ".join(code(names.told(one)) for one in cut.takes_away[:8])
    yield f"- With it goes: {gone or 'nothing more'}."
    if cut.commands:
        yield f"- Run with credentials of {prose(cut.where)}:"
        yield ""
        yield from fenced("sh", cut.commands)
        yield ""
        if cut.undo:
            yield "  To take that back:"
            yield ""
            yield from fenced("sh", cut.undo)
        else:
            yield "  It cannot be taken back: what still needs it has to be given a new one."
    else:
        yield "- No command is known for it; remove it in the provider's console."
        if cut.statement:
            yield ""
            yield from fenced("json", [cut.statement])
    yield ""


def _whole(key: str, names: Names) -> str:
    """The name and the whole id of something that somebody has to find."""
    label = names.told(key)
    return code(key, _WHOLE) if label == visible(key) else f"{code(label)} ({code(key, _WHOLE)})"


def _stop(stop: StopRow, names: Names) -> Iterator[str]:
    yield f"**Emergency stop** of {_whole(stop.identity, names)}, after which it can do nothing"
    yield f"(run with credentials of {prose(stop.where)}):"
    yield ""
    yield from fenced("sh", stop.commands)
    yield ""
    yield "To take that back:"
    yield ""
    yield from fenced("sh", stop.undo)
    yield ""


def fenced(language: str, lines: Iterable[str]) -> Iterator[str]:
    """Give lines as a code block that nothing in them can end."""
    shown = [visible(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{language}"
    yield from shown
    yield fence


# --- findings, sign-off, inputs ------------------------------------------------------------


def _findings(ticket: Ticket, names: Names) -> Iterator[str]:
    standing = [row for row in ticket.findings if row.state != "gone"]
    yield "## 5. Findings"
    yield ""
    if not standing:
        yield "None."
        yield ""
        return
    yield from _table("", "Severity", "Finding", "Fix")
    for row in standing[:_ROWS]:
        state = " (there before)" if row.state == "unchanged" else ""
        waived = f"; waived: {prose(waived_words(row))}" if row.waived else ""
        back = f"; {prose(row.returned)}" if row.returned else ""
        words = prose(names.prose(row.message or row.title))
        yield (
            f"| {code(row.id, 20)} {code(row.rule, 20)} | **{row.severity}**{state} "
            f"| {words}{waived}{back} | {prose(names.prose(row.fix))} |"
        )
    yield from _rest(len(standing))
    yield ""


def _sign_off(ticket: Ticket) -> Iterator[str]:
    yield "## 6. Sign-off"
    yield ""
    yield "Nobody signs while a demand is open or refused, save for a risk that they write down."
    yield ""
    yield from _table("Role", "Name", "Adopt? (yes, no, with these risks)", "Date")
    for role in (f"Owner: {code(ticket.new.owner)}", "Cloud security", "Operations"):
        yield f"| {role} | | | |"
    yield ""


def _standards(ticket: Ticket) -> Iterator[str]:
    """Each reason, demand and rule once, with the entries of standards that it answers to."""
    listed = [(row.id, row.title, row.standards) for row in ticket.security_change.triggers]
    listed += [(row.id, row.title, row.standards) for row in ticket.demands]
    listed += [(row.rule, row.title, row.standards) for row in ticket.findings]
    known = {id_: (title, standards) for id_, title, standards in listed if standards}
    if not known:
        return
    yield "## Standards"
    yield ""
    yield from _table("What", "Entries, by standard and edition")
    for id_, (title, standards) in list(known.items())[:_ROWS]:
        yield f"| {prose(title)} {code(id_)} | {prose(standards_words(standards), _WHOLE)} |"
    yield from _rest(len(known))
    yield ""


def _inputs(ticket: Ticket) -> Iterator[str]:
    yield "## Made from"
    yield ""
    yield from _table("", "File", "Digest")
    for side, row in (("old", ticket.old), ("new", ticket.new)):
        yield f"| {side} manifest | {code(row.manifest)} | {code(row.manifest_digest)} |"
        yield f"| {side} estate | {code(row.snapshot)} | {code(row.snapshot_digest)} |"
    yield ""
