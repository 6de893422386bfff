"""What happened, what is missing and what the gate says, in words that every form shares."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from modelreach.model import RANK
from modelreach.report import (
    AdminRow,
    ChangeRow,
    DiffReport,
    FindingRow,
    GapRow,
    Gate,
    GrantRow,
    RadiusReport,
    Report,
    Ticket,
)
from modelreach_reports.naming import Names
from modelreach_reports.safe import middle, visible
from modelreach_reports.words import conditions_words, listed, statement_words

_SCOPES = {
    "aws": "accounts",
    "gcp": "projects",
    "azure": "subscriptions, groups",
    "kubernetes": "clusters, namespaces",
}


def scope_words(report: Report | Ticket) -> str:
    """Say what the scopes of a report are, in the words of its provider if it is one."""
    providers = {row.provider for row in report.scopes}
    alone = providers.pop() if len(providers) == 1 else ""
    return _SCOPES.get(alone, "accounts, projects, clusters")


def change_words(row: ChangeRow) -> str:
    """Say what happened to one access, and to which actions."""
    return happened(row, (row.capability,), row.actions, "")


def happened(row: ChangeRow, access: Sequence[str], actions: Sequence[str], name: str) -> str:
    """Say what happened to several capabilities on the thing of that name."""
    told = f"{visible(', '.join(access))}: {visible(listed(actions))}"
    before, after = verdict_word(row.old_verdict), verdict_word(row.new_verdict)
    match row.kind:
        case "widened" | "narrowed" if before != after and "deny" not in (
            row.old_verdict,
            row.new_verdict,
        ):
            return f"{visible(', '.join(access))}: was {before}, now {after}"
        case "widened":
            return f"now also {told}"
        case "narrowed":
            return f"no longer {told}"
        case "rerouted":
            return f"another way to {granted(row, access, actions, name)}"
        case "unknown":
            return f"cannot tell {told}"
        case _:
            return granted(row, access, actions, name)


def granted(
    row: ChangeRow | GrantRow, access: Sequence[str], actions: Sequence[str], name: str
) -> str:
    """Give capabilities and actions, with what the granting statement says of them."""
    told = statement_words(row.witness[-1], actions, name) if row.witness else listed(actions)
    return visible(f"{', '.join(access)}: {told}")


#: A file name beyond that is not repeated.
_LONGEST_NAME = 120

_VERDICTS = {
    "allow": "allowed",
    "conditional": "conditional",
    "unknown": "unknown",
    "deny": "not allowed",
}


def verdict_word(verdict: str) -> str:
    """Give a verdict as an adjective."""
    return _VERDICTS.get(verdict, visible(verdict))


def provisos(row: ChangeRow | GrantRow | AdminRow) -> tuple[str, ...]:
    """Give what an answer hangs on, one phrase each."""
    if row.verdict == "conditional":
        return (f"only if {visible(conditions_words(row.depends_on))}",)
    if row.verdict != "unknown":
        return ()
    causes = row.caused_by if isinstance(row, ChangeRow) else ()
    reasons = causes or row.depends_on
    return (f"unknown: {visible('; '.join(reasons) or 'a statement could not be judged')}",)


def by_severity(counts: Mapping[str, int], dot: str = "·") -> str:
    """Give `3 critical · 1 high`."""
    worst_first = sorted(RANK, key=lambda severity: -RANK[severity])
    return f" {dot} ".join(f"{counts[key]:,} {key}" for key in worst_first if counts.get(key))


_STATE_WORDS = {"new": "new", "unchanged": "there before", "gone": "gone"}


def findings_tally(report: Report, dot: str = "·") -> str:
    """Give how many findings of which severity there are, by state where two are compared."""
    counts: dict[str, Counter[str]] = {}
    for row in report.findings:
        state = row.state if isinstance(report, DiffReport) else ""
        counts.setdefault(state, Counter())[row.severity] += 1
    if isinstance(report, RadiusReport):
        return by_severity(counts.get("", {}), dot)
    told = [state for state in _STATE_WORDS if state in counts]
    return "; ".join(f"{_STATE_WORDS[state]}: {by_severity(counts[state], dot)}" for state in told)


def finding_words(row: FindingRow, names: Names) -> str:
    """Give a finding in one line: its message where there is one."""
    return visible(names.prose(row.message or row.title))


def gap_words(gap: GapRow, names: Names) -> str:
    """Give a gap in one sentence: where, what was refused, and what is unknown for it."""
    what = gap.permission or gap.operation or gap.kind
    about = names.thing(gap.subject).label if gap.subject else ""
    side = f"({gap.side} side)" if gap.side in ("old", "new") else ""
    place = names.place(gap.scope) if gap.scope else gap.provider
    where = " ".join(part for part in (place, gap.region, about, side) if part)
    unknown = f"; unknown: {gap.leaves_unknown}" if gap.leaves_unknown else ""
    return visible(f"{where}: {what} {gap.reason.replace('-', ' ')}{unknown}")


#: What a snapshot is called that is in a state of audits.
_KEPT = "the snapshot of "


def granting_commands(report: Report) -> list[str]:
    """Give the commands that print what to grant so that the gaps close, one a snapshot.

    A snapshot that is in no file, whose name is unknown, or cannot be printed as it is, stands as
    `SNAPSHOT`.
    """
    wanted = {(gap.provider, _snapshot_of(gap, report)) for gap in report.gaps if gap.permission}
    return [
        f"modelreach permissions {middle(visible(provider), 40)} --missing {snapshot}"
        for provider, snapshot in sorted(wanted)
    ]


def _snapshot_of(gap: GapRow, report: Report) -> str:
    if isinstance(report, DiffReport):
        name = (report.old if gap.side == "old" else report.new).snapshot
    else:
        name = report.release.snapshot
    usable = 0 < len(name) <= _LONGEST_NAME and visible(name) == name
    usable = usable and not name.startswith(_KEPT)
    return shlex.quote(name) if usable else "SNAPSHOT"


def gate_reasons(gate: Gate) -> str:
    """Give why the gate answered so, in one sentence for people who run no command."""
    found = "no limit is set" if gate.fail_on == "never" else f"the limit is {gate.fail_on}"
    limit = "all of it has to be read" if gate.verdict == "unknown" else found
    return _reasons(gate, limit)


def gate_options(gate: Gate) -> str:
    """Give the same for a terminal, with the option that says so."""
    unread = gate.verdict == "unknown"
    limit = "--fail-on-incomplete" if unread else f"--fail-on {gate.fail_on}"
    return _reasons(gate, f"limit: {limit}")


#: A large number that a reason begins with: files have it without signs between its digits.
_LEADING = re.compile(r"^[0-9]{4,12}(?= )")


def _reasons(gate: Gate, limit: str) -> str:
    told = ", ".join(_LEADING.sub(lambda found: f"{int(found[0]):,}", r) for r in gate.reasons)
    # What could not be looked at passes by no limit.
    unlimited = gate.verdict == "unknown" and not gate.fail_on_incomplete
    if told and (gate.verdict == "pass" or unlimited):
        return visible(told)
    none = "no finding fails it" if gate.verdict == "pass" else "no reason given"
    return visible(f"{told or none}; {limit}")


def standards_words(keys: Iterable[str]) -> str:
    """Give references to standards by standard and edition: `OWASP-NHI 2025: NHI5, NHI7`."""
    grouped: dict[str, list[str]] = {}
    for key in keys:
        code, _, entry = key.rpartition(":")
        grouped.setdefault(code.replace(":", " "), []).append(entry)
    return "; ".join(f"{code}: {', '.join(entries)}" for code, entries in grouped.items())
