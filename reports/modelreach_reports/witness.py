"""A witness hop by hop, with the policy text of each statement; for `explain` and `can`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from modelreach.report import DecisionRow, DiffReport, FindingRow, Hop, Report, StatementRow
from modelreach_reports.lines import BLANK, Ink, Line, Look, hanging, paint
from modelreach_reports.naming import Names, Thing, tail_of_arn
from modelreach_reports.phrases import standards_words, verdict_word
from modelreach_reports.safe import cells, visible
from modelreach_reports.story import deployment_of
from modelreach_reports.words import (
    LAYERS,
    begun,
    hop_words,
    origin_words,
    strength_words,
    where_words,
)

_LONGEST_STATEMENT = 2000


def _node(number: int, thing: Thing, names: Names, look: Look) -> Line:
    elsewhere = thing.scope and thing.scope != thing.id
    places = (names.scope(thing.scope), names.place(thing.scope)) if elsewhere else ("",)
    joined = [f" {look.glyphs.dot} ".join(filter(None, (thing.kind, way))) for way in places]
    sign = "! " if thing.sensitive else ""
    label = look.name(thing.label, max(look.width - 8 - len(sign), 16))
    room = look.width - 6 - len(sign) - cells(label)
    fitting = [text for text in joined if cells(text) <= room] or [joined[-1]]
    beside = look.phrase(fitting[0], room) if room > 12 else ""
    ink = Ink.SENSITIVE if thing.sensitive else Ink.STRONG
    return ((f"{number:>2}  ", Ink.FAINT), (sign + label, ink), ("  " + beside, Ink.FAINT))


def _quoted(text: str, indent: str, look: Look) -> Iterator[Line]:
    shown = visible(text[:_LONGEST_STATEMENT])
    if len(text) > _LONGEST_STATEMENT:
        shown += f" {look.glyphs.ellipsis} {len(text) - _LONGEST_STATEMENT} characters more"
    lead = ((indent + "  ", Ink.FAINT),)
    yield from hanging(lead, shown, look, under=lead)


def _statement(hop: Hop, indent: str, names: Names, look: Look) -> Iterator[Line]:
    where = where_words(hop.layer, hop.policy, hop.target, hop.sid, names.owner)
    if where:
        lead = ((indent, Ink.FAINT),)
        yield from hanging(lead, where, look, Ink.FAINT, under=lead)
    if hop.statement:
        yield from _quoted(hop.statement, indent, look)


def _hop(hop: Hop, names: Names, look: Look) -> Iterator[Line]:
    indent = "    " + look.glyphs.bar
    arrow = (("    " + look.glyphs.bar, Ink.FAINT),)
    named = f"{hop.note} ({hop.pivot})" if hop.pivot and hop.note else ""
    yield from hanging(arrow, named or hop_words(hop), look, Ink.CHANGED, under=arrow)
    doubt = strength_words(hop)
    if doubt:
        yield from hanging(arrow, doubt, look, Ink.UNKNOWN, under=arrow)
    if hop.note and not named:
        yield from hanging(arrow, hop.note, look, under=arrow)
    yield from _statement(hop, indent, names, look)
    yield from _origin(hop, indent, look)
    told = {hop.statement}
    for needed in hop.also:
        yield from _also(needed, hop, needed.statement in told, indent, names, look)
        told.add(needed.statement)


def _origin(hop: Hop, indent: str, look: Look) -> Iterator[Line]:
    """Say where a configuration has it, where the estate is one after a plan."""
    if words := origin_words(hop):
        lead = ((indent, Ink.FAINT),)
        yield from hanging(lead, f"from {words}", look, Ink.CHANGED, under=lead)


def _also(
    hop: Hop, main: Hop, told: bool, indent: str, names: Names, look: Look
) -> Iterator[Line]:
    """What else a hop needs; a statement that was `told` is not told again."""
    lead = ((indent, Ink.FAINT),)
    if hop.action and (hop.action != main.action or not hop.statement):
        on = f" on {names.owner(hop.object)}" if hop.object not in ("", main.object) else ""
        same = " (the same statement)" if told and hop.statement else ""
        yield from hanging(lead, f"and needs {visible(hop.action)}{on}{same}", look, under=lead)
    if hop.note:
        yield from hanging(lead, hop.note, look, under=lead)
    if not told:
        yield from _statement(hop, indent, names, look)
        yield from _origin(hop, indent, look)


def witness_lines(witness: Sequence[Hop], names: Names, look: Look) -> Iterator[Line]:
    """Give the witness, one numbered node and the hop below it at a time."""
    at = ""
    number = 0
    for hop in witness:
        if hop.subject != at:
            number += 1
            yield _node(number, names.thing(hop.subject), names, look)
        yield from _hop(hop, names, look)
        at = hop.object
        number += 1
        yield _node(number, names.thing(at), names, look)


def render_witness(
    report: Report,
    witness: Sequence[Hop],
    *,
    width: int = 80,
    color: bool = False,
    ascii_only: bool = False,
) -> bytes:
    """Give a witness of this report hop by hop, with the text of each statement."""
    look = Look(width, color, ascii_only)
    told = begun(witness, deployment_of(report))
    return paint(witness_lines(told, Names(report), look), look)


def render_finding(
    report: Report,
    finding: FindingRow,
    *,
    width: int = 80,
    color: bool = False,
    ascii_only: bool = False,
) -> bytes:
    """Give a finding: what, since when, the witness, the evidence, and the smallest fix."""
    look = Look(width, color, ascii_only)
    witness = begun(finding.witness, deployment_of(report))
    told = msgspec.structs.replace(finding, witness=witness)
    lines = _finding_lines(told, Names(report), look, compared=isinstance(report, DiffReport))
    return paint(lines, look)


def _finding_lines(
    finding: FindingRow, names: Names, look: Look, *, compared: bool
) -> Iterator[Line]:
    head = ((f"{visible(finding.id)}  {finding.severity.upper()}  ", Ink.SENSITIVE),)
    yield from hanging(
        head, names.prose(finding.message or finding.title).replace("`", ""), look, Ink.STRONG
    )
    state = f"; {finding.state}" if compared else ""  # of one release alone nothing is new
    rule = f"rule {finding.rule}: {finding.title}{state}"
    yield from hanging((("     ", Ink.PLAIN),), rule, look, Ink.FAINT)
    yield BLANK
    yield from witness_lines(finding.witness, names, look)
    if finding.witness:
        yield BLANK
    for number, fact in enumerate(finding.evidence):
        lead = "Evidence  " if number == 0 else "          "
        yield from hanging(((lead, Ink.STRONG),), names.prose(fact), look)
    if finding.fix:
        yield from hanging(
            (("Fix       ", Ink.STRONG),), names.prose(finding.fix), look, Ink.PLAIN
        )
    if finding.standards:
        words = standards_words(finding.standards)
        yield from hanging((("Standards ", Ink.STRONG),), words, look, Ink.FAINT)


_ANSWERS = {"allow": Ink.BAD, "deny": Ink.GOOD, "conditional": Ink.WARN, "unknown": Ink.WARN}
_OUTCOMES = {
    "implicit_deny": "nothing grants it",
    "explicit_deny": "a statement denies it",
    "allow": "granted",
}
#: Layers that grant nothing: what is granted has to pass them, too.
_LIMITS = frozenset({"scp", "rcp", "endpoint", "boundary", "session"})
_TAKEN_AWAY = "a limit takes it away"


def render_decision(
    decision: DecisionRow, *, width: int = 80, color: bool = False, ascii_only: bool = False
) -> bytes:
    """Give the answer to `can`: the verdict, what it depends on, and the statements."""
    look = Look(width, color, ascii_only)
    return paint(_decision_lines(decision, look), look)


def _decision_lines(decision: DecisionRow, look: Look) -> Iterator[Line]:
    words = verdict_word(decision.verdict).upper()
    because = _TAKEN_AWAY if _limited(decision) else _OUTCOMES.get(decision.outcome, "")
    who = look.name(tail_of_arn(decision.principal), max(look.width // 2, 20))
    yield ((f" {words} ", _ANSWERS.get(decision.verdict, Ink.STRONG)), (f"  {because}", Ink.PLAIN))
    asked = f"{who} {look.glyphs.arrow} {visible(decision.action)} on {decision.resource}"
    yield from hanging((("  ", Ink.PLAIN),), asked, look, Ink.STRONG)
    yield from _list(
        "only if" if decision.verdict == "conditional" else "depends on",
        decision.depends_on,
        look,
        Ink.UNKNOWN,
    )
    yield from _statements("allowed by", decision.allowed_by, look)
    yield from _statements("denied by", decision.denied_by, look)
    layers = tuple(LAYERS.get(layer, layer) for layer in decision.blocked_by)
    ungranted = decision.outcome == "implicit_deny" and not _limited(decision)
    yield from _list("not granted by" if ungranted else "stopped at", layers, look, Ink.PLAIN)
    for kind, words in (("identity", "but can become"), ("scope", "but can take")):
        yield from _list(words, _through(decision, kind), look, Ink.WARN)
    yield from _list("assumes", decision.assumes, look, Ink.FAINT)
    yield from _list("not understood", decision.not_understood, look, Ink.UNKNOWN)


def _limited(decision: DecisionRow) -> bool:
    """Is it granted, and not let through by what limits grants?"""
    layers = set(decision.blocked_by)
    return decision.outcome == "implicit_deny" and bool(layers) and layers <= _LIMITS


_FEW = 5


def _through(decision: DecisionRow, kind: str) -> list[str]:
    """Say whom it can become that may, or what it can take over: the first few."""
    rows = [row for row in decision.through if row.kind == kind]
    told = [
        f"{tail_of_arn(row.id)}{' over' if kind == 'scope' else ''}: {verdict_word(row.verdict)}, "
        f"{row.hops} {'hop' if row.hops == 1 else 'hops'} away"
        for row in rows[:_FEW]
    ]
    return [*told, f"{len(rows) - _FEW} more"] if len(rows) > _FEW else told


def _list(title: str, phrases: Sequence[str], look: Look, ink: Ink) -> Iterator[Line]:
    for number, phrase in enumerate(phrases):
        lead = f"  {title if number == 0 else 'and':<16}"
        yield from hanging(((lead, Ink.FAINT),), phrase, look, ink)


def _statements(title: str, rows: Sequence[StatementRow], look: Look) -> Iterator[Line]:
    for number, row in enumerate(rows):
        lead = (f"  {title if number == 0 else 'and by':<16}", Ink.FAINT)
        yield (lead, *_where(row, look))
        yield from _quoted(row.text, " " * 18, look)


def _where(row: StatementRow, look: Look) -> Line:
    where = where_words(row.layer, row.policy, row.target, row.sid)
    return ((look.phrase(where, max(look.width - 18, 20)), Ink.STRONG),)
