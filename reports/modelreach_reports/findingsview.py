"""Findings for a page, each with its witness as a strip of boxes and the statements behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelreach.report import DiffReport, FindingRow, Hop, Report, ranked_findings
from modelreach_reports.gating import waived_words
from modelreach_reports.naming import Names
from modelreach_reports.phrases import finding_words, standards_words
from modelreach_reports.safe import full, middle, short, visible
from modelreach_reports.story import FINAL, deployment_of, takes_over
from modelreach_reports.tree import Fate
from modelreach_reports.words import begun, hop_label, strength_words, whereabouts

#: A page with more rows opens slowly or not at all; the JSON and CSV have them all.
ROWS = 2000
#: Of so many findings the page shows the whole witness.
STRIPS = 200
#: The same where a scope can be taken over: most findings are of what is in it.
_ROWS_BELOW, _STRIPS_BELOW = 150, 50

#: So many are told with the verdict.
_WORST = 3

View = dict[str, Any]


def anchor(key: str) -> str:
    """Give where on the page a finding stands."""
    return "f-" + "".join(char if char.isascii() and char.isalnum() else "_" for char in key[:60])


_STATES = {
    "new": ("new", "gained"),
    "unchanged": ("was there before", "before"),
    "gone": ("gone", "lost"),
}


def findings(report: Report, names: Names, fate: Fate) -> View:
    """Give the findings in order, each with its witness, and a note on what is left out."""
    rows, name = ranked_findings(report), deployment_of(report)
    changes = report.changes if isinstance(report, DiffReport) else ()
    kinds = {row.resource: row.kind for row in changes}
    most, strips = (_ROWS_BELOW, _STRIPS_BELOW) if takes_over(report) else (ROWS, STRIPS)
    shown = [
        _finding(row, names, fate, begun(row.witness, name) if number < strips else (), kinds)
        for number, row in enumerate(rows[:most])
    ]
    notes = []
    if len(rows) > strips:
        notes.append(f"The witness is shown for the first {strips} findings.")
    if len(rows) > most:
        notes.append(f"{len(rows) - most:,} findings more are left out; the JSON has them all.")
    return {"findings": shown, "findings_note": " ".join(notes)}


def worst(report: Report, names: Names) -> list[View]:
    """Give what to begin with where the gate fails: the worst finding by each rule about each
    identity, with its fix, and of these the first."""
    severe = [
        row
        for row in ranked_findings(report)
        if row.state == "new" and not row.waived and row.severity in ("critical", "high")
    ]
    foremost = {(row.rule, row.identity): row for row in reversed(severe)}
    chosen = [row for row in severe if foremost[row.rule, row.identity] is row]
    return [
        {
            "anchor": anchor(row.id),
            "id": short(row.id, 40),
            "words": short(finding_words(row, names), 200),
            "fix": short(names.prose(row.fix), 300),
        }
        for row in chosen[:_WORST]
        if report.gate.verdict == "fail"
    ]


def _finding(
    row: FindingRow,
    names: Names,
    fate: Fate,
    witness: Sequence[Hop],
    kinds: Mapping[str, str],
) -> View:
    state, look = _STATES[row.state]
    return {
        "anchor": anchor(row.id),
        "id": short(row.id, 40),
        "key": middle(visible(row.id), 12, ellipsis=".."),
        "rule": short(row.rule, 40),
        "severity": row.severity,
        "state": state,
        "state_look": look,
        "words": short(finding_words(row, names), 400),
        "waiver": short(waived_words(row), 600),
        "returned": short(row.returned, 300),
        "evidence": short(names.prose("; ".join(row.evidence)), 600),
        "fix": short(names.prose(row.fix), 800),
        "standards": short(standards_words(row.standards), 600),
        "strip": _strip(witness, kinds, names, fate) if witness else None,
    }


def _strip(witness: Sequence[Hop], kinds: Mapping[str, str], names: Names, fate: Fate) -> View:
    stops = [_stop(witness[0].subject, None, names, fate)]
    stops += [_stop(hop.object, hop, names, fate) for hop in witness]
    if witness[-1].kind in FINAL:
        stops[-1] |= _target(kinds.get(witness[-1].object, ""))
    parts = (part for hop in witness for part in (hop, *hop.also) if part.statement)
    proof = [_proof(part, names) for part in parts]
    return {"stops": stops, "proof": proof}


def _stop(key: str, hop: Hop | None, names: Names, fate: Fate) -> View:
    thing = names.thing(key)
    place = names.place(thing.scope) if thing.scope and thing.scope != key else ""
    sign, look = {"+": ("+", "new"), "−": ("−", "gone")}.get(fate.mark(key)[0], ("", ""))
    return {
        "hop": short(hop_label(hop), 90) if hop else "",
        "proviso": short(strength_words(hop), 200) if hop else "",
        "label": middle(thing.label, 60),
        "full": full(key),
        "under": middle(" · ".join(part for part in (thing.kind, place) if part), 90),
        "sign": sign,
        "fate": look,
        "sensitive": thing.sensitive,
        "target": False,
    }


def _target(kind: str) -> View:
    """How the last box stands out: what a finding is about, and whether its reach is new."""
    fates = {"gained": ("+", "new"), "lost": ("−", "gone")}
    sign, look = fates.get(kind, ("", ""))
    return {"sign": sign, "fate": look, "target": True}


def _proof(hop: Hop, names: Names) -> View:
    return {
        "where": short(whereabouts(hop, names.owner), 200),
        "proviso": short(strength_words(hop), 400),
        "text": full(hop.statement),
    }
