"""Who holds a state, for the message to those who wait. The hold itself is the database's."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from modelreach.state.schema import lease

_NAME = "audit"


def take(db: Connection, holder: str, since: str) -> None:
    """Write down who holds the state now."""
    db.execute(delete(lease).where(lease.c.name == _NAME))
    db.execute(lease.insert(), [{"name": _NAME, "holder": holder, "since": since}])


def holder_of(db: Connection) -> str:
    """Give who wrote that last."""
    row = db.execute(select(lease).where(lease.c.name == _NAME)).first()
    return f"{row.holder}, since {row.since}" if row is not None else "no name is given"
