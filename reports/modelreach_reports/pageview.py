"""What the HTML page shows, as plain values: every text harmless, every table cut to size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelreach.report import (
    AdminRow,
    ChangeRow,
    CredentialRow,
    DiffReport,
    Figures,
    GapRow,
    Gate,
    GrantRow,
    RadiusReport,
    ReleaseRow,
    Report,
)
from modelreach_reports.boardview import coverage, demands, evidence, rules, security, waivers
from modelreach_reports.explore import explorer
from modelreach_reports.findingsview import ROWS, anchor, findings, worst
from modelreach_reports.matrix import matrix
from modelreach_reports.naming import Names, is_sensitive, key_of, kind_words
from modelreach_reports.phrases import (
    change_words,
    findings_tally,
    gate_reasons,
    granting_commands,
    provisos,
    scope_words,
    verdict_word,
)
from modelreach_reports.safe import LONGEST, full, middle, short, visible
from modelreach_reports.story import ranked_rows, takes_over, told_together
from modelreach_reports.summedup import COLUMNS, summed_up, summed_up_words
from modelreach_reports.toolview import tools
from modelreach_reports.tree import fate_of
from modelreach_reports.unsure import Unsure, unsure
from modelreach_reports.words import statement_words, whereabouts

_SIGNS = {"gained": "+", "lost": "−", "unknown": "?", "reached": ""}

View = dict[str, Any]


def page(report: Report) -> View:
    """Give everything that the template names, apart from its style, script and picture."""
    names, fate = Names(report), fate_of(report)
    return {
        **_head(report),
        "compared": isinstance(report, DiffReport),
        "gate": _gate(report.gate),
        "security": security(report, names),
        "figures": [*_figures(report), _unknown(report)],
        "matrix": matrix(report, names),
        **tools(report, names),
        "explorer": explorer(report, names),
        "tally": findings_tally(report),
        "worst": worst(report, names),
        **findings(report, names, fate),
        **demands(report, names),
        "evidence": evidence(report),
        "rules": rules(report.gate),
        **_changes(report, names),
        **_taken_over(report, names),
        "coverage": coverage(report, names),
        **_gaps(report, names),
        "waivers": waivers(report),
        **_credentials(report.credentials, names),
        "inputs": _inputs(report),
        "signing": _signing(report),
    }


def _head(report: Report) -> View:
    if isinstance(report, RadiusReport):
        release = report.release
        versions, times = short(release.version), _time(release.taken_at)
        subtitle = f"What this release reaches in the estate of {times}"
    else:
        release = report.new
        versions = f"{short(report.old.version, 60)} → {short(release.version, 60)}"
        times = _times(report.old, release)
        subtitle = f"What the new release reaches that the old one did not, in {times}"
    name = short(release.name)
    title = f"{name} {versions} · modelreach"
    return {"name": name, "versions": versions, "subtitle": subtitle, "title": title}


def _time(moment: str) -> str:
    return short(moment.replace("T", " "), 40)


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
    return {"verdict": gate.verdict, "words": words, "reason": short(gate_reasons(gate), 600)}


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
                "value": f"{getattr(report.figures, key):,}",
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
            unsure(report, key),
        )
        for title, key, always in _FIGURES
        if always or _any(report.summary.old, report.summary.new, key)
    ]


def _title(title: str, key: str, report: Report) -> str:
    return scope_words(report).capitalize() if key == "scopes" else title


def _any(old: Figures, new: Figures, key: str) -> bool:
    return bool(getattr(old, key) or getattr(new, key))


def _figure(title: str, old: int, new: int, hidden: Unsure) -> View:
    delta = new - old + hidden.known
    change = f"▲ +{delta:,}" if delta > 0 else f"▼ −{-delta:,}" if delta else "="
    way = "up" if delta > 0 else "down" if delta else "level"
    if hidden.number:
        change = f"{change} ? {hidden.number:,}" if delta else f"? {hidden.number:,}"
        way = way if delta else "unsure"
    return {"title": title, "value": f"{old:,} → {new:,}", "change": change, "way": way}


def _unknown(report: Report) -> View:
    """The fourth state beside new, gone and as before: what stayed open, which is not nothing."""
    rows = report.grants if isinstance(report, RadiusReport) else report.changes
    answers = sum(row.verdict == "unknown" for row in rows)
    gaps = len(report.gaps)
    noun = "answer" if answers == 1 else "answers"
    told = f"and {answers:,} {noun}" if gaps and answers else ""
    way = "open" if answers or gaps else "level"
    return {
        "title": "Not read, unknown" if gaps else "Unknown",
        "value": f"? {gaps or answers}" if answers or gaps else "0",
        "change": told,
        "way": way,
    }


#: Where a scope can be taken over, of so many changes those that are alike share a row.
_ALONE = 200


def _changes(report: Report, names: Names) -> View:
    rows = ranked_rows(report)
    shared = takes_over(report) and len(rows) > _ALONE
    shown = told_together(rows) if shared else tuple((row, 0) for row in rows)
    notes = [words] if (words := summed_up_words(report)) else []
    if shared:
        notes.append(
            "What can be taken over holds all that is in it: who reaches several things of a kind "
            "there has one row for them. The JSON and CSV list each."
        )
    if len(shown) > ROWS:
        notes.append(
            f"{len(shown) - ROWS:,} rows more are left out; the JSON and CSV have them all."
        )
    return {
        "changes": [_change(row, names, also) for row, also in shown[:ROWS]],
        "changes_note": " ".join(notes),
        "changes_tally": f"{len(rows):,}" if rows else "",
    }


def _change(row: ChangeRow | GrantRow, names: Names, also: int) -> View:
    kind = row.kind if isinstance(row, ChangeRow) else "reached"
    thing, last = names.thing(key_of(row)), row.witness[-1] if row.witness else None
    under = (kind_words(row.resource_kind), names.place(row.scope))
    return {
        "kind": kind,
        "sign": _SIGNS.get(kind, "~"),
        "label": middle(thing.label, LONGEST) + (f" and {also:,} more" if also else ""),
        "full": full(row.resource),
        "under": middle(" · ".join(part for part in under if part), LONGEST),
        "sensitive": is_sensitive(row.sensitivity),
        "sensitive_because": short(row.sensitive_because, 200),
        "identity": middle(names.thing(row.identity).label, LONGEST),
        "identity_full": full(row.identity),
        "access": _access(row),
        "actions": _actions(row.actions),
        "provisos": [middle(text, 400) for text in provisos(row)],
        "statement": middle(statement_words(last), 160) if last else "",
        "where": short(whereabouts(last, names.owner)) if last else "",
        "findings": [{"anchor": anchor(key), "words": short(key, 40)} for key in row.findings],
    }


def _access(row: ChangeRow | GrantRow) -> str:
    capability = short(row.capability, 40)
    if isinstance(row, ChangeRow) and row.kind == "unknown":
        before, now = verdict_word(row.old_verdict), verdict_word(row.new_verdict)
        return f"{capability}, " + (now if before == now else f"was {before}, now {now}")
    if isinstance(row, GrantRow) or row.kind == "gained":
        return f"{capability}, {verdict_word(row.verdict)}"
    return middle(change_words(row), 120)


def _actions(actions: Sequence[str]) -> str:
    shown = " ".join(short(action, 80) for action in actions[:6])
    return shown + (f" and {len(actions) - 6} more" if len(actions) > 6 else "")


def _taken_over(report: Report, names: Names) -> View:
    rows = _takeovers(report, names)
    scopes = summed_up(report, names, ROWS)
    left = len({row.scope for row in report.summed_up}) - len(scopes)
    return {
        "takeovers": rows[:ROWS],
        "takeovers_note": _left_out(len(rows) - ROWS),
        "summed_up": scopes,
        "summed_up_titles": [title for title, _ in COLUMNS],
        "summed_up_note": _left_out(left),
    }


def _left_out(count: int) -> str:
    return f"{count:,} more are left out; the JSON has them all." if count > 0 else ""


def _takeovers(report: Report, names: Names) -> list[View]:
    if isinstance(report, RadiusReport):
        return [_takeover(row, "reached", names) for row in report.admin_of]
    old = {(row.scope, row.identity) for row in report.admin_of_old}
    new = {(row.scope, row.identity) for row in report.admin_of_new}
    rows = [
        (row, "as before" if (row.scope, row.identity) in old else "gained")
        for row in report.admin_of_new
    ]
    rows += [(row, "lost") for row in report.admin_of_old if (row.scope, row.identity) not in new]
    return [_takeover(row, kind, names) for row, kind in rows]


def _takeover(row: AdminRow, kind: str, names: Names) -> View:
    last = row.witness[-1] if row.witness else None
    return {
        "kind": kind,
        "sign": {"gained": "+ ", "lost": "− "}.get(kind, ""),
        "scope": middle(names.scope(row.scope), LONGEST),
        "identity": middle(names.thing(row.identity).label, LONGEST),
        "identity_full": full(row.identity),
        "way": short(last.note or statement_words(last), 200) if last else "",
        "provisos": [middle(text, 400) for text in provisos(row)],
    }


def _gaps(report: Report, names: Names) -> View:
    gaps = report.gaps
    note = f"{len(gaps) - ROWS:,} more are left out." if len(gaps) > ROWS else ""
    things = "1 thing, which counts" if len(gaps) == 1 else f"{len(gaps):,} things, which count"
    return {
        "gaps_tally": f"{things} as unknown" if gaps else "",
        "gaps": [_gap(gap, names) for gap in gaps[:ROWS]],
        "gaps_note": note,
        "gap_commands": granting_commands(report),
    }


def _gap(gap: GapRow, names: Names) -> View:
    where = " · ".join(part for part in (names.scope(gap.scope), visible(gap.region)) if part)
    sides = {"old": "old side only", "new": "new side only", "both": "both sides"}
    return {
        "where": middle(where, LONGEST),
        "side": sides.get(gap.side, short(gap.side, 20)),
        "operation": short(gap.operation, 80),
        "permission": short(gap.permission, 80),
        "reason": short(gap.reason, 80),
        "message": short(gap.message, 300),
        "unknown": short(gap.leaves_unknown or gap.kind, 300),
    }


def _credentials(rows: Sequence[CredentialRow], names: Names) -> View:
    note = f"{len(rows) - ROWS:,} more are left out." if len(rows) > ROWS else ""
    return {
        "credentials": [_credential(row, names) for row in rows[:ROWS]],
        "credentials_note": note,
    }


def _credential(row: CredentialRow, names: Names) -> View:
    return {
        "id": short(row.id),
        "kind": kind_words(row.kind),
        "principal": middle(names.thing(row.principal).label, LONGEST),
        "status": short(row.status, 40) or "unknown",
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
            "cells": [short(getattr(side, key), 200) or "unknown" for _, side in sides],
        }
        for title, key, code in _INPUTS
    ]
    names = [short(", ".join(side.identities), 600) or "none" for _, side in sides]
    rows.append({"title": "Identities", "code": True, "cells": names})
    return {"sides": [title for title, _ in sides], "rows": rows}


def _signing(report: Report) -> View:
    """What a board fills in by hand, and exactly what it signs for."""
    release = report.release if isinstance(report, RadiusReport) else report.new
    shown = short(release.version)
    what = f"Release {shown} of {short(release.name)}"
    return {
        "what": what,
        "bound": [short(release.manifest_digest, 80), short(release.snapshot_digest, 80)],
        "choices": ["adopt", "adopt under conditions", "do not adopt"],
        "roles": ["Owner of the model", "Security", "Operations"],
    }
