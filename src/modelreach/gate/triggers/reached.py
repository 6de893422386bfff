"""What the difference of reach triggers: sensitive data, administration, workflows, identities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from modelreach.gate.catalogue import Dimension
from modelreach.gate.triggers.said import Said, trigger
from modelreach.gate.triggers.tools import STATIC
from modelreach.report import (
    AdminRow,
    ChangeRow,
    CredentialRow,
    DiffReport,
    IdentityRow,
    TriggerRow,
    UndeclaredRow,
)

#: In the type of a resource, these words tell that it runs, or makes others run.
_WORKFLOWS = (
    *("function", "state-machine", "statemachine", "workflow", "pipeline", "queue", "topic"),
    *("schedule", "project", "job", "deployment", "daemonset", "statefulset", "agent", "runtime"),
    *("endpoint", "stream", "service", "automation", "flow", "trigger", "environment"),
)
_CHANGING = frozenset({"write", "manage"})
_SENSITIVE = frozenset({"medium", "high"})
_MORE = frozenset({"gained", "widened"})


class Reach(msgspec.Struct, frozen=True):
    """The difference of reach, and the credentials that open what either side reaches."""

    report: DiffReport
    credentials_old: tuple[CredentialRow, ...] = ()
    credentials_new: tuple[CredentialRow, ...] = ()


def compare(reach: Reach) -> Said:
    """Give the triggers of what is reached, and say what was not read."""
    report = reach.report
    more = [row for row in report.changes if row.kind in _MORE]
    yield from _sensitive(more)
    yield from _administration(report.admin_of_old, report.admin_of_new)
    yield from _workflows(more)
    yield from _identities(report, more)
    yield from _credentials(reach)
    yield from _unread(report)


# --- resources -----------------------------------------------------------------------------


def _sensitive(rows: Iterable[ChangeRow]) -> Said:
    named = [r for r in rows if r.sensitivity in _SENSITIVE and r.capability != "assume"]
    for resource, found in _by_resource(named):
        if not found[0].resource_kind.endswith(":account"):
            yield _of_rows("SENSITIVE-REACHED", resource, found)


def _workflows(rows: Iterable[ChangeRow]) -> Said:
    named = [r for r in rows if r.capability in _CHANGING and _runs(r.resource_kind)]
    for resource, found in _by_resource(named):
        yield _of_rows("WORKFLOW-REACHED", resource, found)


def _runs(kind: str) -> bool:
    type_ = kind.rpartition(":")[2].rpartition("/")[2].lower()
    return any(word in type_ for word in _WORKFLOWS)


def _by_resource(rows: Iterable[ChangeRow]) -> Iterator[tuple[str, list[ChangeRow]]]:
    found: dict[str, list[ChangeRow]] = {}
    for row in rows:
        found.setdefault(row.resource, []).append(row)
    yield from sorted(found.items())


def _of_rows(id_: str, resource: str, rows: list[ChangeRow]) -> TriggerRow:
    """One trigger for a resource: the shortest way in full, the others by who has them."""
    ranked = sorted(rows, key=_rank)
    first = ranked[0]
    direct = [row for row in ranked if row.identity == first.identity]
    others = sorted({row.identity for row in ranked} - {first.identity})
    how = [
        f"{row.capability} by {', '.join(row.actions[:2])}{_rest(row)}{_doubt(row)}"
        for row in direct[:3]
    ]
    how += [f"more as {', '.join(others[:3])}"] if others else []
    new = f"as {first.identity}: {'; '.join(how)}"
    old = "not reached" if all(row.kind == "gained" for row in rows) else "reached with less"
    return trigger(id_, resource, old, new, witness=first.witness)


def _rank(row: ChangeRow) -> tuple[int, int, str, tuple[str, ...]]:
    return len(row.witness), _SURENESS.get(row.verdict, 9), row.capability, row.actions


_SURENESS = {"allow": 0, "conditional": 1, "unknown": 2}


def _rest(row: ChangeRow) -> str:
    return f" and {len(row.actions) - 2} more" if len(row.actions) > 2 else ""


def _doubt(row: ChangeRow) -> str:
    if row.verdict == "conditional":
        told = (condition.removeprefix("provided that ") for condition in row.depends_on)
        return f", only if {' and '.join(told) or 'a condition holds'}"
    return ", not known for sure" if row.verdict == "unknown" else ""


def _administration(old: Iterable[AdminRow], new: Iterable[AdminRow]) -> Said:
    before = {row.scope for row in old}
    for row in new:
        if row.scope not in before:
            sure = "can be taken over" if row.verdict == "allow" else "may be taken over"
            yield trigger(
                "ADMIN-REACHED",
                row.scope,
                "not administered",
                f"{sure} by {row.identity}",
                witness=row.witness,
            )


# --- identities and credentials ------------------------------------------------------------


def _identities(report: DiffReport, more: Iterable[ChangeRow]) -> Said:
    """Identities that the release can become; what it runs as is told by the manifest."""
    starts = {row.id for row in report.identities_new if row.start}
    for row in more:
        if row.capability == "assume" and row.kind == "gained" and row.resource not in starts:
            new = f"{_way(row)}{_doubt(row)}"
            yield trigger("IDENTITY-NEW", row.resource, "not reached", new, witness=row.witness)


def _way(row: ChangeRow) -> str:
    last = row.witness[-1] if row.witness else None
    if last is not None and last.kind == "tool" and last.tool:
        return f"tool {last.tool} calls what runs as it"
    return f"{row.identity} can become it"


def _credentials(reach: Reach) -> Said:
    known = {row.id for row in reach.credentials_old}
    ways = {row.id: row for row in reach.report.identities_new}
    for row in reach.credentials_new:
        if row.id not in known and row.status.lower() not in ("inactive", "disabled"):
            id_ = "LONG-LIVED-KEY" if _lasts(row) else "CREDENTIAL-NEW"
            identity: IdentityRow | None = ways.get(row.principal)
            created = f", created {row.created}" if row.created else ""
            yield trigger(
                id_,
                row.id,
                "opens nothing that is reached",
                f"{row.kind}{created}, opens {row.principal}",
                witness=identity.witness if identity else (),
            )


def _lasts(row: CredentialRow) -> bool:
    return row.kind in STATIC and row.expires in ("", "never")


# --- tools ---------------------------------------------------------------------------------

_OF_TOOLS = frozenset({"TOOL-NEW", "TOOL-CHANGED"})


def with_what_it_opens(row: TriggerRow, report: DiffReport) -> TriggerRow:
    """Give the trigger of a tool with what the tool opened."""
    if row.id not in _OF_TOOLS:
        return row
    changes = [
        change
        for change in report.changes
        if change.kind in _MORE and row.subject in change.opened_by
    ]
    if not changes:
        return row
    things = {change.resource for change in changes}
    sensitive = {c.resource for c in changes if c.sensitivity in _SENSITIVE}
    told = f"; opens {_counted(len(things), 'thing')}"
    told += f", {len(sensitive)} of them sensitive" if sensitive else ""
    return replace(row, new=row.new + told)


# --- what was not read ---------------------------------------------------------------------


def _unread(report: DiffReport) -> Iterator[UndeclaredRow]:
    """Reach whose difference is not known.

    A gap on both sides of one estate hides no difference: the same grants are unread for both.
    """
    unknown = [row for row in report.changes if row.kind == "unknown"]
    same = report.old.snapshot_digest == report.new.snapshot_digest
    hiding = [gap for gap in report.gaps if gap.side != "both" or not same]
    if not unknown and not hiding:
        return
    sides = {gap.side for gap in hiding}
    providers = sorted({gap.provider for gap in hiding if gap.permission})
    commands = [f"`modelreach permissions {name} --missing SNAPSHOT`" for name in providers]
    told = ["collect what is missing"] if not commands else [f"grant {' and '.join(commands)}"]
    yield UndeclaredRow(
        dimension=Dimension.DATA.value,
        fact=f"part of the reach ({_counted(len(hiding), 'gap')}, "
        f"{_counted(len(unknown), 'unknown change')})",
        side=sides.pop() if len(sides) == 1 else "both",
        declare=f"{told[0]}, and collect again",
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
