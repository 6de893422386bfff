"""Questions to the tables, each within the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Select, and_, or_, select

from modelreach.model import InputError
from modelreach.state import schema as t
from modelreach.state.records import (
    ApprovalRow,
    AuditRow,
    DeliveryRow,
    DeploymentRow,
    Event,
    Notification,
    Record,
    SnapshotRow,
    Standing,
    Telling,
)

_R = TypeVar("_R", bound=Record)
#: Columns that hold lists of words, as JSON.
LISTS = ("reasons", "actions", "caused_by", "told")


def rows(db: Connection, query: Select[Any], kind: type[_R]) -> tuple[_R, ...]:
    """Give what a query finds, as values; columns that the value does not have are left out."""
    fields = set(kind.__struct_fields__)
    return tuple(_row(one, kind, fields) for one in db.execute(query).mappings())


def _row(found: Mapping[Any, Any], kind: type[_R], fields: set[str]) -> _R:
    values = {str(k): v for k, v in found.items() if str(k) in fields}
    for name in LISTS:
        if name in values:
            values[name] = msgspec.json.decode(values[name])
    return msgspec.convert(values, kind)


def deployments(db: Connection) -> tuple[DeploymentRow, ...]:
    """Give all, by name."""
    return rows(db, select(t.deployments).order_by(t.deployments.c.deployment), DeploymentRow)


def audits(
    db: Connection, deployment: str, last: int, begin: str, end: str
) -> tuple[AuditRow, ...]:
    """Give audits, oldest first, as `State.audits` does."""
    query = select(t.audits)
    if deployment:
        query = query.where(t.audits.c.deployment == deployment)
    if begin:
        query = query.where(t.audits.c.at >= begin)
    if end:
        query = query.where(t.audits.c.at <= end)
    a = t.audits.c
    query = query.order_by(a.at.desc(), a.deployment.desc(), a.number.desc())
    found = rows(db, query.limit(last) if last else query, AuditRow)
    return found[::-1]


def audit(db: Connection, id_: str) -> AuditRow | None:
    """Give an audit by its id."""
    found = rows(db, select(t.audits).where(t.audits.c.id == id_), AuditRow)
    return found[0] if found else None


def named(db: Connection, id_: str, place: str) -> AuditRow:
    """Give an audit by the beginning of its id. Raises `InputError` for none, or several."""
    query = select(t.audits).where(t.audits.c.id.startswith(id_, autoescape=True)).limit(2)
    found = rows(db, query, AuditRow) if len(id_) >= 4 else ()
    if len(found) != 1:
        what = "several audits begin with" if found else "there is no audit"
        raise InputError(
            f"{what} `{id_}`", place=place, hint="`modelreach history` lists what there is"
        )
    return found[0]


def of_version(db: Connection, deployment: str, version: str) -> AuditRow | None:
    """Give the last audit of a version."""
    a = t.audits.c
    query = select(t.audits).where(and_(a.deployment == deployment, a.version == version))
    found = rows(db, query.order_by(a.number.desc()).limit(1), AuditRow)
    return found[0] if found else None


def events(db: Connection, audit_ids: tuple[str, ...]) -> tuple[tuple[str, Event], ...]:
    """Give what audits told, in order, with the id of each audit."""
    e = t.events.c
    query = select(t.events).where(e.audit.in_(audit_ids)).order_by(e.audit, e.position)
    fields = set(Event.__struct_fields__)
    found = db.execute(query).mappings()
    return tuple((str(one["audit"]), _row(one, Event, fields)) for one in found)


def standing(db: Connection, deployment: str) -> tuple[Standing, ...]:
    """Give what the next audit has to know."""
    s = t.standing.c
    query = select(t.standing).where(s.deployment == deployment).order_by(s.kind, s.item)
    return rows(db, query, Standing)


def approvals(db: Connection, deployment: str = "") -> tuple[ApprovalRow, ...]:
    """Give approvals, oldest first."""
    query = select(t.approvals).order_by(t.approvals.c.number)
    if deployment:
        query = query.where(t.approvals.c.deployment == deployment)
    return rows(db, query, ApprovalRow)


def snapshots(db: Connection) -> tuple[SnapshotRow, ...]:
    """Give the rows of all snapshots, oldest first."""
    s = t.snapshots.c
    return rows(db, select(t.snapshots).order_by(s.taken_at, s.digest), SnapshotRow)


def snapshot(db: Connection, digest: str, place: str) -> SnapshotRow:
    """Give the row of a snapshot."""
    query = select(t.snapshots).where(t.snapshots.c.digest == digest)
    found = rows(db, query, SnapshotRow)
    if not found:
        raise InputError(f"there is no snapshot {digest}", place=place)
    return found[0]


def notifications(db: Connection, ids: tuple[str, ...]) -> tuple[Notification, ...]:
    """Give notifications by id, or all; oldest first."""
    n = t.notifications.c
    query = select(t.notifications).order_by(n.at, n.id)
    if ids:
        query = query.where(n.id.in_(ids))
    return tuple(_notification(one) for one in db.execute(query).mappings())


def _notification(found: Mapping[Any, Any]) -> Notification:
    return Notification(
        id=found["id"],
        deployment=found["deployment"],
        audit=found["audit"],
        at=found["at"],
        telling=msgspec.json.decode(found["telling"], type=Telling),
    )


def due(db: Connection, target: str, now: str, limit: int) -> tuple[Notification, ...]:
    """Give what is to be delivered to a target now, oldest first."""
    n, d = t.notifications.c, t.deliveries.c
    query = (
        select(t.notifications)
        .join(t.deliveries, d.notification == n.id)
        .where(d.target == target, d.status == "pending", or_(d.next_at == "", d.next_at <= now))
        .order_by(n.at, n.id)
        .limit(limit)
    )
    return tuple(_notification(one) for one in db.execute(query).mappings())


def deliveries(db: Connection, notification: str, status: str) -> tuple[DeliveryRow, ...]:
    """Give deliveries, of one notification or of all, of one status or of all."""
    d = t.deliveries.c
    query = select(t.deliveries).order_by(d.notification, d.target)
    if notification:
        query = query.where(d.notification == notification)
    if status:
        query = query.where(d.status == status)
    return rows(db, query, DeliveryRow)
