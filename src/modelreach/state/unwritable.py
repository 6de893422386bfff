"""Reading a SQLite file in a place where nothing can be written: a read-only disk, a folder that
belongs to somebody else.

SQLite keeps notes beside a file in WAL mode while it is open. Where it can neither make them nor
find those of a writer, the file can be read only as one that nobody changes, without any lock. So
it is looked at before and after: what was written meanwhile, or is not all in the file, is an
error, and no answer.
https://www.sqlite.org/wal.html#read_only_databases
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

_LOG: Final = "-wal"


class Unlocked(sqlite3.Connection):
    """A connection to a file on which no lock is held. `still` tells whether it has stayed as it
    was."""

    file: str = ""
    seen: tuple[int, ...] = ()

    def still(self) -> bool:
        """Is the file as it was when it was opened, and nobody writing to it?"""
        return self.seen == _look(self.file)


def open_unlocked(file: str) -> Unlocked:
    """Open a file to read, without a lock. Raises `sqlite3.OperationalError` where a part of it
    is in a log that was left beside it."""
    seen = _look(file)
    if not seen:
        raise sqlite3.OperationalError(
            f"{file}{_LOG} holds what is not in the file yet, and nothing can be written there; "
            "copy all of the folder to where it can be"
        )
    db = sqlite3.connect(
        f"file:{quote(file)}?immutable=1",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=Unlocked,
    )
    db.execute("PRAGMA trusted_schema = OFF")
    db.file, db.seen = file, seen
    return db


def _look(file: str) -> tuple[int, ...]:
    """Give what tells a file from itself at another time; nothing while it has a log."""
    log = Path(file + _LOG)
    if log.exists() and log.stat().st_size:
        return ()
    found = Path(file).stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
