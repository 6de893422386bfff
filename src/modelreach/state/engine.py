"""The connection to either database, and the hold on it that keeps two runs apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import OperationalError

from modelreach.state.place import Place
from modelreach.state.unwritable import Unlocked, open_unlocked

#: How long a statement waits for another process's transaction, in seconds.
_PATIENCE: Final = 60
#: The file beside a SQLite database whose lock is the hold. The system lets go of it when the
#: process ends, so that a killed run holds nobody up.
_HOLD: Final = "-hold"
_HOLD_KEY: Final = "hashtext('modelreach.state ' || current_schema())"


def connect(place: Place, *, read_only: bool) -> Engine:
    """Give the engine for a database; nothing is opened yet."""
    if place.file:
        return _sqlite(place, read_only)
    options = "-c default_transaction_read_only=on" if read_only else ""
    return create_engine(
        place.url,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        connect_args={"options": options, "connect_timeout": 10},
    )


def _sqlite(place: Place, read_only: bool) -> Engine:
    if read_only:
        engine = create_engine(place.url, creator=lambda: _to_read(place.file), poolclass=NullPool)
    else:
        engine = create_engine(
            place.url, connect_args={"timeout": _PATIENCE, "isolation_level": None}
        )
        event.listen(engine, "connect", _to_write)

    def begun(db: Connection) -> None:
        # A writer asks for its place at once: who reads first and writes then could be refused.
        writes = db.get_execution_options().get("writes")
        db.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "begin", begun)
    return engine


def _to_write(db: sqlite3.Connection, _record: object) -> None:
    _prepare(db, read_only=False)


def _prepare(db: sqlite3.Connection, *, read_only: bool) -> None:
    for pragma in (
        *("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"),
        *("trusted_schema = OFF", f"query_only = {'ON' if read_only else 'OFF'}"),
    ):
        db.execute(f"PRAGMA {pragma}")


def _to_read(file: str) -> sqlite3.Connection:
    """Open a file to read: with a lock, or where none can be taken without one."""
    db = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _prepare(db, read_only=True)
    except sqlite3.OperationalError as error:
        db.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise
        return open_unlocked(file)
    return db


def unchanged(db: Connection) -> bool:
    """Was what has been read of one moment? Where no lock could be taken, a run may have written
    meanwhile."""
    driver = db.connection.driver_connection
    return driver.still() if isinstance(driver, Unlocked) else True


@contextmanager
def held(engine: Engine, file: str, wait: float) -> Generator[bool]:
    """Hold a state until the end; gives whether it was got within `wait` seconds."""
    with _file_held(file, wait) if file else _server_held(engine, wait) as got:
        yield got


@contextmanager
def _file_held(file: str, wait: float) -> Generator[bool]:
    with closing(sqlite3.connect(file + _HOLD, timeout=wait, isolation_level=None)) as db:
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            yield False
            return
        yield True


@contextmanager
def _server_held(engine: Engine, wait: float) -> Generator[bool]:
    """PostgreSQL: an advisory lock of the session, which ends with the connection."""
    with engine.connect() as db:
        db.execution_options(isolation_level="AUTOCOMMIT")
        db.detach()  # it is closed at the end, and not kept for others, who would hold, too
        try:
            db.exec_driver_sql(f"SET lock_timeout = {max(1, round(wait * 1000))}")
            db.exec_driver_sql(f"SELECT pg_advisory_lock({_HOLD_KEY})")
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") != "55P03":  # lock_not_available
                raise
            yield False
            return
        yield True
