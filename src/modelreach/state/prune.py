"""Forgetting what is old. Rows go first, in one transaction, and then the blobs that none names.

What is needed stays, however old: approved audits, the last of each deployment, those that a
later comparison still refers to, and those with a notification that is still to be delivered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, delete, select

from modelreach.state import schema as t

if TYPE_CHECKING:
    from modelreach.state.database import State

#: How many ids go into one statement.
_BATCH = 500


class Pruned(msgspec.Struct, frozen=True):
    """How much was forgotten, and how many old audits were kept because they are needed."""

    audits: int
    snapshots: int
    blobs: int
    bytes: int
    needed: int


def prune(state: State, before: str) -> Pruned:
    """Forget the audits made before a time, and what only they named. The state is held."""
    with state.writing() as db:
        a = t.audits.c
        old = set(db.execute(select(a.id).where(a.at < before)).scalars())
        going = sorted(old - _needed(db))
        _forget(db, going)
        unnamed = select(a.snapshot)
        s = t.snapshots.c
        lost = list(db.execute(select(s.digest).where(s.digest.not_in(unnamed))).scalars())
        for some in _batches(lost):
            db.execute(delete(t.snapshots).where(s.digest.in_(some)))
    count, size = _sweep(state)
    return Pruned(len(going), len(lost), count, size, len(old) - len(going))


def _needed(db: Connection) -> set[str]:
    d, n, v = t.deployments.c, t.notifications.c, t.deliveries.c
    pending = select(n.audit).join(t.deliveries, v.notification == n.id)
    queries = (
        select(d.last),
        select(d["clear"]),  # `clear` is a method of columns
        select(t.approvals.c.audit),
        select(t.standing.c.seen_in),
        pending.where(v.status == "pending"),
    )
    kept = {str(one) for query in queries for one in db.execute(query).scalars()}
    a = t.audits.c
    for some in _batches(sorted(kept)):
        query = select(a.baseline, a.previous).where(a.id.in_(some))
        kept |= {str(one) for row in db.execute(query) for one in row}
    return kept


def _forget(db: Connection, ids: list[str]) -> None:
    n, v, e, a = t.notifications.c, t.deliveries.c, t.events.c, t.audits.c
    for some in _batches(ids):
        theirs = select(n.id).where(n.audit.in_(some))
        db.execute(delete(t.deliveries).where(v.notification.in_(theirs)))
        db.execute(delete(t.notifications).where(n.audit.in_(some)))
        db.execute(delete(t.events).where(e.audit.in_(some)))
        db.execute(delete(t.audits).where(a.id.in_(some)))


def _batches(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]


def _sweep(state: State) -> tuple[int, int]:
    """Drop the blobs that no row names: of what was just forgotten, and of runs that died."""
    with state.reading() as db:
        a = t.audits.c
        named: set[str] = set(db.execute(select(t.snapshots.c.facts)).scalars())
        for column in (a.manifest, a.radius, a.drift, a.change):
            named |= set(db.execute(select(column).distinct()).scalars())
    count = size = 0
    for digest, packed in list(state.blobs.all()):
        if digest not in named:
            state.blobs.drop(digest)
            count, size = count + 1, size + packed
    return count, size
