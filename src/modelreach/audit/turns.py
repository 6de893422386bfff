"""What else an audit tells: gaps that came or went, another baseline, a turn of the gate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelreach.pipeline.rows import gap_text, leaves_unknown
from modelreach.snapshot import Gap
from modelreach.state import ApprovalRow, AuditRow, Event, EventKind, Standing


def gaps(came: Iterable[Gap], went: Iterable[Gap], since: str) -> Iterator[Event]:
    """Give what went unread, and what is read again."""
    for gap in sorted(set(came), key=repr):
        yield _gap(gap, "not-read", f"not read: {gap_text(gap)}; {leaves_unknown(gap)}", since)
    for gap in sorted(set(went), key=repr):
        yield _gap(gap, "read-again", f"read again: {_place(gap)}", since)


def _place(gap: Gap) -> str:
    return " ".join(part for part in (gap.subject or gap.kind, gap.scope, gap.region) if part)


def _gap(gap: Gap, kind: EventKind, message: str, since: str) -> Event:
    parts = (gap.provider, gap.scope, gap.kind, gap.region, gap.subject, gap.operation)
    return Event(
        kind=kind,
        item="|".join(parts),
        message=message,
        recovery=kind == "read-again",
        subject=gap.subject or gap.scope,
        subject_kind=gap.kind,
        provider=gap.provider,
        since=since,
    )


def baseline(approval: ApprovalRow | None, previous: AuditRow | None) -> Iterator[Event]:
    """Say that another audit is the baseline now."""
    if approval is None or (previous is not None and previous.approval == approval.number):
        return
    until = f" until {approval.until}" if approval.until else ""
    yield Event(
        kind="approved",
        item=str(approval.number),
        message=f"version {approval.version} was approved by {approval.approved_by}{until}",
    )


def expiry(
    approval: ApprovalRow | None, standing: Iterable[Standing], now: str
) -> tuple[Event | None, Standing | None]:
    """Say once that the approval holds no longer."""
    if approval is None or not approval.expired(now):
        return None, None
    item = str(approval.number)
    message = expired(approval)
    stands = Standing(kind="approval", item=item, seen_in="", title=message)
    if any(one.kind == "approval" and one.item == item for one in standing):
        return None, stands
    return Event(kind="approval-expired", item=item, message=message), stands


def expired(approval: ApprovalRow) -> str:
    """Say that an approval has expired."""
    return (
        f"the approval of version {approval.version} by {approval.approved_by} "
        f"ended on {approval.until}"
    )


_TURNS: dict[str, EventKind] = {
    "fail": "gate-failed",
    "unknown": "gate-unknown",
    "pass": "gate-passed",
}


def verdict(before: str, now: str, reasons: Iterable[str]) -> Iterator[Event]:
    """Say that the gate's verdict is another one than at the audit before."""
    if before == now:
        return
    why = ", ".join(reasons)
    words = {
        "fail": "the gate fails",
        "unknown": "the gate cannot tell",
        "pass": "the gate passes",
    }
    yield Event(
        kind=_TURNS[now],
        item="gate",
        message=words[now] + (f": {why}" if why else ""),
        recovery=now == "pass",
    )
