"""What the HTML page shows, as plain values: every text harmless, every table cut to size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelreach.report import (
    AdminRow,
    ChangeRow,
    CredentialRow,
    DiffReport,
    Figures,
    FindingRow,
    GapRow,
    Gate,
    GrantRow,
    Hop,
    RadiusReport,
    ReleaseRow,
    Report,
    TriggerRow,
)
from modelreach_reports.gating import DIMENSIONS
from modelreach_reports.matrix import matrix
from modelreach_reports.naming import Names, is_sensitive, key_of, kind_words
from modelreach_reports.phrases import (
    change_words,
    finding_words,
    findings_tally,
    gate_reasons,
    granting_commands,
    provisos,
    scope_words,
    standards_words,
    verdict_word,
)
from modelreach_reports.safe import middle, visible
from modelreach_reports.story import FINAL, deployment_of, ranked_findings, ranked_rows
from modelreach_reports.tree import Fate, fate_of
from modelreach_reports.words import begun, hop_label, statement_words, strength_words, where_words

#: A page with more rows opens slowly or not at all; the JSON and CSV have them all.
ROWS = 2000
#: Of so many findings the page shows the whole witness.
STRIPS = 200

_LONGEST = 120
_LONGEST_FULL = 2048

_SIGNS = {"gained": "+", "lost": "−", "unknown": "?", "reached": ""}

View = dict[str, Any]


def _short(text: str, width: int = _LONGEST) -> str:
    return middle(visible(text), width)


def _full(text: str) -> str:
    return middle(visible(text), _LONGEST_FULL)


def page(report: Report) -> View:
    """Give everything that the template names, apart from its style, script and picture."""
    names, fate = Names(report), fate_of(report)
    return {
        **_head(report),
        "compared": isinstance(report, DiffReport),
        "gate": _gate(report.gate),
        "security": _security(report, names),
        "figures": _figures(report),
        "matrix": matrix(report, names),
        "tally": findings_tally(report),
        **_findings(report, names, fate),
        **_changes(report, names),
        "takeovers": _takeovers(report, names),
        **_gaps(report, names),
        **_credentials(report.credentials, names),
        "inputs": _inputs(report),
    }


def _head(report: Report) -> View:
    if isinstance(report, RadiusReport):
        release = report.release
        versions, times = _short(release.version), _time(release.taken_at)
        subtitle = f"What this release reaches in the estate of {times}"
    else:
        release = report.new
        versions = f"{_short(report.old.version, 60)} → {_short(release.version, 60)}"
        times = _times(report.old, release)
        subtitle = f"What the new release reaches that the old one did not, in {times}"
    name = _short(release.name)
    title = f"{name} {versions} · modelreach"
    return {"name": name, "versions": versions, "subtitle": subtitle, "title": title}


def _time(moment: str) -> str:
    return _short(moment.replace("T", " "), 40)


def _times(old: ReleaseRow, new: ReleaseRow) -> str:
    if old.snapshot_digest == new.snapshot_digest:
        return f"one estate as of {_time(new.taken_at)}"
    return f"the estates of {_time(old.taken_at)} (old) and {_time(new.taken_at)} (new)"


_GATE = {
    "pass": "this release passes the gate",
    "fail": "this release does not pass the gate",
    "unknown": "too much could not be read to tell",
}


def _gate(gate: Gate) -> View:
    words = f"{gate.verdict.upper()}: {_GATE[gate.verdict]}"
    return {"verdict": gate.verdict, "words": words, "reason": _short(gate_reasons(gate), 600)}


#: What the page shows of each dimension's reasons.
_REASONS = 200
#: How many things a row of reasons that are alike names.
_NAMED = 4


def _alike(rows: Sequence[TriggerRow]) -> list[list[TriggerRow]]:
    """Put reasons together that differ only in what they are about."""
    groups: dict[tuple[str, ...], list[TriggerRow]] = {}
    for row in rows:
        groups.setdefault((row.dimension, row.id, row.old, row.new), []).append(row)
    return list(groups.values())


def _reason(rows: Sequence[TriggerRow], names: Names) -> View:
    first = rows[0]
    called = [names.told(row.subject) for row in rows]
    more = f" and {len(called) - _NAMED} more" if len(called) > _NAMED else ""
    return {
        "dimension": _short(DIMENSIONS.get(first.dimension, first.dimension)),
        "id": _short(first.id),
        "title": _short(first.title),
        "subject": _short(", ".join(called[:_NAMED]) + more, 240),
        "full": _full(", ".join(row.subject for row in rows)),
        "old": _short(names.prose(first.old), 200),
        "old_full": _full(first.old),
        "new": _short(names.prose(first.new), 240),
        "new_full": _full(first.new),
    }


def _security(report: Report, names: Names) -> View:
    """Is it a security change, why, and what is due; empty when that was not asked."""
    change = report.security_change if isinstance(report, DiffReport) else None
    if change is None or isinstance(report, RadiusReport):
        return {}
    alike = _alike(change.triggers)
    return {
        "verdict": _short(change.verdict),
        "dimensions": [
            {"name": _short(DIMENSIONS.get(name, name)), "answer": _short(answer)}
            for name, answer in change.by_dimension.items()
        ],
        "triggers": [_reason(rows, names) for rows in alike[:_REASONS]],
        "more": max(len(alike) - _REASONS, 0),
        "undeclared": [
            {
                "dimension": _short(DIMENSIONS.get(row.dimension, row.dimension)),
                "fact": _short(row.fact, 200),
                "declare": _short(row.declare, 300),
            }
            for row in change.undeclared[:_REASONS]
        ],
        "demands": [
            {
                "status": row.status,
                "look": {"met": "pass", "open": "unknown", "refused": "fail"}[row.status],
                "title": _short(row.title),
                "who": _short(row.who),
                "why": _short(row.why, 300),
            }
            for row in sorted(report.demands, key=lambda row: _DUE[row.status])
        ],
    }


_DUE = {"refused": 0, "open": 1, "met": 2}


_FIGURES = (
    ("Resources reached", "resources", True),
    ("of them sensitive", "sensitive", True),
    ("Identities", "identities", True),
    ("Scopes", "scopes", True),
    ("Longest identity chain", "longest_chain", True),
    ("Can be taken over", "administers", False),
    ("Patterns, not listed", "patterns", False),
    ("Credentials", "credentials", False),
)


def _figures(report: Report) -> list[View]:
    if isinstance(report, RadiusReport):
        return [
            {
                "title": _title(title, key, report),
                "value": getattr(report.figures, key),
                "change": "",
                "way": "",
            }
            for title, key, always in _FIGURES
            if always or getattr(report.figures, key)
        ]
    return [
        _figure(
            _title(title, key, report),
            getattr(report.summary.old, key),
            getattr(report.summary.new, key),
        )
        for title, key, always in _FIGURES
        if always or _any(report.summary.old, report.summary.new, key)
    ]


def _title(title: str, key: str, report: Report) -> str:
    return scope_words(report).capitalize() if key == "scopes" else title


def _any(old: Figures, new: Figures, key: str) -> bool:
    return bool(getattr(old, key) or getattr(new, key))


def _figure(title: str, old: int, new: int) -> View:
    delta = new - old
    change = f"▲ +{delta}" if delta > 0 else f"▼ −{-delta}" if delta else "="
    way = "up" if delta > 0 else "down" if delta else "level"
    return {"title": title, "value": f"{old} → {new}", "change": change, "way": way}


def _anchor(key: str) -> str:
    return "f-" + "".join(char if char.isascii() and char.isalnum() else "_" for char in key[:60])


_STATES = {
    "new": ("new", "gained"),
    "unchanged": ("was there before", "before"),
    "gone": ("gone", "lost"),
}


def _findings(report: Report, names: Names, fate: Fate) -> View:
    rows, name = ranked_findings(report), deployment_of(report)
    changes = report.changes if isinstance(report, DiffReport) else ()
    kinds = {row.resource: row.kind for row in changes}
    shown = [
        _finding(row, names, fate, begun(row.witness, name) if number < STRIPS else (), kinds)
        for number, row in enumerate(rows[:ROWS])
    ]
    notes = []
    if len(rows) > STRIPS:
        notes.append(f"The witness is shown for the first {STRIPS} findings.")
    if len(rows) > ROWS:
        notes.append(f"{len(rows) - ROWS} findings more are left out; the JSON has them all.")
    return {"findings": shown, "findings_note": " ".join(notes)}


def _finding(
    row: FindingRow,
    names: Names,
    fate: Fate,
    witness: Sequence[Hop],
    kinds: Mapping[str, str],
) -> View:
    state, look = _STATES[row.state]
    return {
        "anchor": _anchor(row.id),
        "id": _short(row.id, 40),
        "rule": _short(row.rule, 40),
        "severity": row.severity,
        "state": state,
        "state_look": look,
        "words": _short(finding_words(row, names), 400),
        "evidence": _short(names.prose("; ".join(row.evidence)), 600),
        "fix": _short(names.prose(row.fix), 800),
        "standards": _short(standards_words(row.standards), 600),
        "strip": _strip(witness, kinds, names, fate) if witness else None,
    }


def _strip(witness: Sequence[Hop], kinds: Mapping[str, str], names: Names, fate: Fate) -> View:
    stops = [_stop(witness[0].subject, None, names, fate)]
    stops += [_stop(hop.object, hop, names, fate) for hop in witness]
    if witness[-1].kind in FINAL:
        stops[-1] |= _target(kinds.get(witness[-1].object, ""))
    proof = [_proof(part) for hop in witness for part in (hop, *hop.also) if part.statement]
    return {"stops": stops, "proof": proof}


def _stop(key: str, hop: Hop | None, names: Names, fate: Fate) -> View:
    thing = names.thing(key)
    place = names.place(thing.scope) if thing.scope and thing.scope != key else ""
    sign, look = {"+": ("+", "new"), "−": ("−", "gone")}.get(fate.mark(key)[0], ("", ""))
    return {
        "hop": _short(hop_label(hop), 90) if hop else "",
        "proviso": _short(strength_words(hop), 200) if hop else "",
        "label": middle(thing.label, 60),
        "full": _full(key),
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


def _proof(hop: Hop) -> View:
    return {
        "where": _short(where_words(hop.layer, hop.policy, hop.target, hop.sid), 200),
        "proviso": _short(strength_words(hop), 400),
        "text": _full(hop.statement),
    }


def _changes(report: Report, names: Names) -> View:
    rows = ranked_rows(report)
    note = ""
    if len(rows) > ROWS:
        note = f"{len(rows) - ROWS} rows more are left out; the JSON and CSV have them all."
    return {
        "changes": [_change(row, names) for row in rows[:ROWS]],
        "changes_note": note,
        "changes_tally": str(len(rows)) if rows else "",
    }


def _change(row: ChangeRow | GrantRow, names: Names) -> View:
    kind = row.kind if isinstance(row, ChangeRow) else "reached"
    thing, last = names.thing(key_of(row)), row.witness[-1] if row.witness else None
    under = (kind_words(row.resource_kind), names.place(row.scope))
    return {
        "kind": kind,
        "sign": _SIGNS.get(kind, "~"),
        "label": middle(thing.label, _LONGEST),
        "full": _full(row.resource),
        "under": middle(" · ".join(part for part in under if part), _LONGEST),
        "sensitive": is_sensitive(row.sensitivity),
        "sensitive_because": _short(row.sensitive_because, 200),
        "identity": middle(names.thing(row.identity).label, _LONGEST),
        "identity_full": _full(row.identity),
        "access": _access(row),
        "actions": _actions(row.actions),
        "provisos": [middle(text, 400) for text in provisos(row)],
        "statement": middle(statement_words(last), 160) if last else "",
        "where": _short(where_words(last.layer, last.policy, last.target, last.sid))
        if last
        else "",
        "findings": [{"anchor": _anchor(key), "words": _short(key, 40)} for key in row.findings],
    }


def _access(row: ChangeRow | GrantRow) -> str:
    capability = _short(row.capability, 40)
    if isinstance(row, GrantRow) or row.kind in ("gained", "unknown"):
        return f"{capability}, {verdict_word(row.verdict)}"
    return middle(change_words(row), 120)


def _actions(actions: Sequence[str]) -> str:
    shown = " ".join(_short(action, 80) for action in actions[:6])
    return shown + (f" and {len(actions) - 6} more" if len(actions) > 6 else "")


def _takeovers(report: Report, names: Names) -> list[View]:
    if isinstance(report, RadiusReport):
        return [_takeover(row, "reached", names) for row in report.admin_of[:ROWS]]
    old = {(row.scope, row.identity) for row in report.admin_of_old}
    new = {(row.scope, row.identity) for row in report.admin_of_new}
    rows = [
        (row, "as before" if (row.scope, row.identity) in old else "gained")
        for row in report.admin_of_new
    ]
    rows += [(row, "lost") for row in report.admin_of_old if (row.scope, row.identity) not in new]
    return [_takeover(row, kind, names) for row, kind in rows[:ROWS]]


def _takeover(row: AdminRow, kind: str, names: Names) -> View:
    last = row.witness[-1] if row.witness else None
    return {
        "kind": kind,
        "sign": {"gained": "+ ", "lost": "− "}.get(kind, ""),
        "scope": middle(names.scope(row.scope), _LONGEST),
        "identity": middle(names.thing(row.identity).label, _LONGEST),
        "identity_full": _full(row.identity),
        "way": _short(last.note or statement_words(last), 200) if last else "",
        "provisos": [middle(text, 400) for text in provisos(row)],
    }


def _gaps(report: Report, names: Names) -> View:
    gaps = report.gaps
    note = f"{len(gaps) - ROWS} more are left out." if len(gaps) > ROWS else ""
    return {
        "gaps": [_gap(gap, names) for gap in gaps[:ROWS]],
        "gaps_note": note,
        "gap_commands": granting_commands(report),
    }


def _gap(gap: GapRow, names: Names) -> View:
    where = " · ".join(part for part in (names.scope(gap.scope), visible(gap.region)) if part)
    sides = {"old": "old side only", "new": "new side only", "both": "both sides"}
    return {
        "where": middle(where, _LONGEST),
        "side": sides.get(gap.side, _short(gap.side, 20)),
        "operation": _short(gap.operation, 80),
        "permission": _short(gap.permission, 80),
        "reason": _short(gap.reason, 80),
        "message": _short(gap.message, 300),
        "unknown": _short(gap.leaves_unknown or gap.kind, 300),
    }


def _credentials(rows: Sequence[CredentialRow], names: Names) -> View:
    note = f"{len(rows) - ROWS} more are left out." if len(rows) > ROWS else ""
    return {
        "credentials": [_credential(row, names) for row in rows[:ROWS]],
        "credentials_note": note,
    }


def _credential(row: CredentialRow, names: Names) -> View:
    return {
        "id": _short(row.id),
        "kind": kind_words(row.kind),
        "principal": middle(names.thing(row.principal).label, _LONGEST),
        "status": _short(row.status, 40) or "unknown",
        "age": "unknown" if row.age_days is None else f"{row.age_days} days",
        "last_used": _time(row.last_used) or "unknown",
        "expires": _time(row.expires) or "unknown",
    }


_INPUTS = (
    ("Release", "version", False),
    ("Model", "model", False),
    ("Environment", "environment", False),
    ("Owner", "owner", False),
    ("Manifest", "manifest", False),
    ("Manifest digest", "manifest_digest", True),
    ("Snapshot", "snapshot", False),
    ("Snapshot taken at", "taken_at", False),
    ("Snapshot digest", "snapshot_digest", True),
)


def _inputs(report: Report) -> View:
    if isinstance(report, RadiusReport):
        sides: list[tuple[str, ReleaseRow]] = [("Release", report.release)]
    else:
        sides = [("Old", report.old), ("New", report.new)]
    rows: list[View] = [
        {
            "title": title,
            "code": code,
            "cells": [_short(getattr(side, key), 200) or "unknown" for _, side in sides],
        }
        for title, key, code in _INPUTS
    ]
    names = [_short(", ".join(side.identities), 600) or "none" for _, side in sides]
    rows.append({"title": "Identities", "code": True, "cells": names})
    return {"sides": [title for title, _ in sides], "rows": rows}
