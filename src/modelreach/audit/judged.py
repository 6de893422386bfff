"""Which findings an audit tells: those that opened, those that are truly gone, and those that a
gap hides, which stay open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelreach.audit.reached import Since
from modelreach.report import FindingRow
from modelreach.state import Event, EventKind, Standing

Told = tuple[Event | None, Standing | None]


def judged(
    findings: Iterable[FindingRow],
    standing: Iterable[Standing],
    now: str,
    previous: str,
    since: Since,
) -> Iterator[Told]:
    """Give the events, and what stands, of findings as they are in this audit, `now`."""
    known = {one.fingerprint for one in since(previous).findings if one.state == "unchanged"}
    current = {row.fingerprint: row for row in findings}
    before = {one.item: one for one in standing}
    for name in sorted(current.keys() | before.keys()):
        row, one = current.get(name), before.get(name)
        if row is not None and row.waived is None:
            yield _open(row, one, now, known=name in known and not row.returned)
        elif one is not None:
            yield _closed(one, row, since)


def opened(findings: Iterable[FindingRow], now: str) -> Iterator[Standing]:
    """Give what stands after a first audit, which has nothing to tell."""
    for row in findings:
        if row.waived is None:
            yield _standing(row, now)


def _open(row: FindingRow, before: Standing | None, now: str, *, known: bool) -> Told:
    """`known`: the audit before knew of it, if in other words (by a pattern, say)."""
    if known if before is None else not before.hidden:
        return None, _standing(row, now)
    kind: EventKind = "finding-new" if before is None else "finding-seen-again"
    why = row.returned or ("" if before is None else "it can be seen again, and still stands")
    message = f"{row.message} ({why})" if why else row.message
    return _event(row, kind, message), _standing(row, now)


def _closed(before: Standing, row: FindingRow | None, since: Since) -> Told:
    if row is not None and row.waived is not None:
        waived = row.waived
        message = f"accepted until {waived.expires} by {waived.approved_by}: {row.message}"
        return _event(row, "finding-gone", message, recovery=True), None
    found = {one.fingerprint: one for one in since(before.seen_in).findings}.get(before.item)
    if found is not None and found.state != "gone":
        hidden = Standing(
            kind="finding",
            item=before.item,
            seen_in=before.seen_in,
            hidden=True,
            severity=before.severity,
            title=before.title,
        )
        if before.hidden:
            return None, hidden
        return _event(found, "finding-unknown", f"cannot be told now: {found.message}"), hidden
    if found is None:
        # Another finding says it now, in other words.
        return None, None
    return _event(found, "finding-gone", f"gone: {found.message}", recovery=True), None


def _event(row: FindingRow, kind: EventKind, message: str, *, recovery: bool = False) -> Event:
    return Event(
        kind=kind,
        item=row.fingerprint,
        message=message,
        severity=row.severity,
        recovery=recovery or kind == "finding-seen-again",
        subject=row.subject,
        subject_kind=row.subject_kind,
        identity=row.identity,
        rule=row.rule,
    )


def _standing(row: FindingRow, now: str) -> Standing:
    return Standing(
        kind="finding",
        item=row.fingerprint,
        seen_in=now,
        severity=row.severity,
        title=row.message,
    )
