"""What changes the tables: each function is one transaction, after the blobs that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, Table, and_, delete, insert, select, update

from modelreach import snapshot as snapshots
from modelreach.snapshot import Snapshot
from modelreach.state import reading
from modelreach.state import schema as t
from modelreach.state.chain import next_approval
from modelreach.state.reading import LISTS
from modelreach.state.records import (
    ApprovalRow,
    AuditRow,
    DeploymentRow,
    Event,
    Notification,
    Record,
    SnapshotRow,
    Standing,
)

if TYPE_CHECKING:
    from modelreach.state.database import State


def keep_snapshot(state: State, snapshot: Snapshot) -> SnapshotRow:
    """Keep a snapshot: blob, then row."""
    raw = snapshots.encode(snapshot)
    facts = snapshots.encode(replace(snapshot, taken_at="", tool=""))
    row = SnapshotRow(
        digest="sha256:" + hashlib.sha256(raw).hexdigest(),
        facts=state.blobs.put(facts),
        taken_at=snapshot.taken_at,
        tool=snapshot.tool,
        bytes=len(raw),
    )
    with state.writing() as db:
        _insert_new(db, t.snapshots, row.digest, row)
    return row


def _insert_new(db: Connection, table: Table, digest: str, row: Record) -> None:
    known = db.execute(select(table.c.digest).where(table.c.digest == digest)).first()
    if known is None:
        _insert(db, table, [row])


def _insert(db: Connection, table: Table, rows: Iterable[Record], **more: object) -> None:
    values = [_values(row) | more for row in rows]
    if values:
        db.execute(insert(table), values)


def _values(row: Record) -> dict[str, Any]:
    values = asdict(row)
    for name in LISTS:
        if name in values:
            values[name] = msgspec.json.encode(values[name]).decode()
    return values


def record(
    state: State,
    deployment: DeploymentRow,
    audit: AuditRow,
    events: Sequence[Event],
    standing: Sequence[Standing],
    notification: Notification | None,
    targets: Iterable[str],
) -> None:
    """Keep an audit, what it told, what the next one has to know, and what is to be delivered."""
    name = deployment.deployment
    with state.writing() as db:
        d, s = t.deployments.c.deployment, t.standing.c.deployment
        if db.execute(select(d).where(d == name)).first() is None:
            _insert(db, t.deployments, [deployment])
        else:
            db.execute(update(t.deployments).where(d == name).values(_values(deployment)))
        _insert(db, t.audits, [audit])
        _insert_events(db, audit.id, events)
        db.execute(delete(t.standing).where(s == name))
        _insert(db, t.standing, standing, deployment=name)
        if notification is not None:
            _notify(db, notification, targets)


def _insert_events(db: Connection, audit: str, events: Sequence[Event]) -> None:
    values = [
        _values(event) | {"audit": audit, "position": position}
        for position, event in enumerate(events)
    ]
    if values:
        db.execute(insert(t.events), values)


def _notify(db: Connection, notification: Notification, targets: Iterable[str]) -> None:
    telling = msgspec.json.encode(notification.telling).decode()
    db.execute(insert(t.notifications), [asdict(notification) | {"telling": telling}])
    rows = [
        {
            "notification": notification.id,
            "target": target,
            "status": "pending",
            "attempts": 0,
            "last_at": "",
            "next_at": "",
            "error": "",
        }
        for target in dict.fromkeys(targets)
    ]
    if rows:
        db.execute(insert(t.deliveries), rows)


def approve(state: State, approval: ApprovalRow) -> ApprovalRow:
    """Add an approval to the chain, and give it as it is kept."""
    with state.writing() as db:
        linked = next_approval(reading.approvals(db), approval)
        _insert(db, t.approvals, [linked])
    return linked


def delivered(state: State, notification: str, target: str, at: str) -> None:
    """Write down that a notification reached its target."""
    _delivery(state, notification, target, status="delivered", last_at=at, next_at="", error="")


def failed(
    state: State, notification: str, target: str, at: str, error: str, next_at: str
) -> None:
    """Write down that a delivery failed, and when to try again; never, when that is ""."""
    status = "pending" if next_at else "given-up"
    _delivery(
        state, notification, target, status=status, last_at=at, next_at=next_at, error=error[:500]
    )


def _delivery(state: State, notification: str, target: str, **values: str) -> None:
    d = t.deliveries.c
    with state.writing() as db:
        db.execute(
            update(t.deliveries)
            .where(and_(d.notification == notification, d.target == target))
            .values(**values, attempts=d.attempts + 1)
        )
