"""The file itself: tables, blobs, manifests. Knows bytes and digests, and no facts."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from os import PathLike, fspath
from os.path import exists, getsize
from typing import Final, TypeVar

import msgspec
import zstandard

from modelreach.digests import sha256
from modelreach.model import InputError
from modelreach.packed import unpack

SCHEMA: Final = "modelreach.store/1"
SUFFIX: Final = ".mrdb"
_T = TypeVar("_T")
_LEVEL: Final = 3

_TABLES = """
CREATE TABLE store (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, taken_at TEXT NOT NULL,
    tool TEXT NOT NULL);
CREATE TABLE blobs (digest BLOB PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE manifest (
    snapshot INTEGER NOT NULL REFERENCES snapshots, part TEXT NOT NULL, section TEXT NOT NULL,
    digest BLOB NOT NULL REFERENCES blobs, facts INTEGER NOT NULL,
    PRIMARY KEY (snapshot, part, section)) WITHOUT ROWID;
CREATE TABLE derived (
    name TEXT NOT NULL, source BLOB NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (name, source)) WITHOUT ROWID;
"""
#: Reading a view may take for ever, and a trigger may change what is written. Each row of somebody
#: else's table may be of another type, which is why columns are cast below.
_FOREIGN: Final = (
    "SELECT 1 FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
    " OR sql LIKE 'CREATE VIRTUAL%' LIMIT 1"
)


class Kept(msgspec.Struct, frozen=True):
    """One snapshot of a store."""

    id: int
    digest: str
    taken_at: str
    tool: str


class Section(msgspec.Struct, frozen=True):
    """One blob of a manifest: of which part and section, under which digest, how many facts."""

    part: str
    section: str
    digest: bytes
    facts: int


#: A section to be written: part, section, number of facts, bytes.
Written = tuple[str, str, int, bytes]


class Store:
    """A store in a file. Raises `InputError` naming it when it cannot be used."""

    def __init__(self, path: str | PathLike[str], *, make: bool = False) -> None:
        self.path = fspath(path)
        # One for all: making it takes longer than unpacking what is small.
        self._unpacker = zstandard.ZstdDecompressor()
        there = exists(self.path)  # noqa: PTH110
        if not make and not there:
            raise InputError("no such file", place=self.path)
        fresh = not there or getsize(self.path) == 0  # noqa: PTH202
        with self._named():
            self._db = sqlite3.connect(self.path, isolation_level=None)
            self._db.execute("PRAGMA trusted_schema = OFF")
            if fresh:
                self._make()
        self._check()

    @cached_property
    def _packer(self) -> zstandard.ZstdCompressor:
        return zstandard.ZstdCompressor(level=_LEVEL)

    def _make(self) -> None:
        self._db.executescript(f"BEGIN; {_TABLES} COMMIT;")
        self._db.execute("INSERT INTO store VALUES ('schema', ?)", (SCHEMA,))

    def _check(self) -> None:
        with self._named():
            if self._db.execute(_FOREIGN).fetchone() is not None:
                raise self._foreign("it holds more than tables")
            row = self._db.execute("SELECT value FROM store WHERE name = 'schema'").fetchone()
        if row is None or row[0] != SCHEMA:
            raise self._foreign("it is of another version")

    def _foreign(self, why: object) -> InputError:
        return InputError(
            f"this is not a `{SCHEMA}` file ({why})",
            place=self.path,
            hint=f"write one with `modelreach collect PROVIDER -o FILE{SUFFIX}`",
        )

    @contextmanager
    def _named(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            # What a damaged file has for names may be no text.
            raise self._foreign(error) from None

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # --- snapshots ---------------------------------------------------------------------------

    def snapshots(self) -> tuple[Kept, ...]:
        """Give all snapshots, oldest first."""
        with self._named():
            rows = self._db.execute(
                "SELECT id, coalesce(CAST(digest AS TEXT), ''),"
                " coalesce(CAST(taken_at AS TEXT), ''), coalesce(CAST(tool AS TEXT), '')"
                " FROM snapshots ORDER BY taken_at, id"
            ).fetchall()
        return tuple(Kept(*row) for row in rows)

    def find(self, which: str) -> Kept:
        """Give a snapshot by the beginning of its time or digest, `-1` for the one before the
        last, and so on; the last one for "". Raises `InputError` when there is none."""
        known = self.snapshots()
        if not known:
            raise InputError("there is no snapshot in this store", place=self.path)
        if not which:
            return known[-1]
        if which.startswith("-") and which[1:].isdigit():
            found = known[: len(known) - int(which[1:])]
        else:
            digest = which.removeprefix("sha256:")
            found = tuple(
                one
                for one in known
                if one.taken_at.startswith(which)
                or one.digest.removeprefix("sha256:").startswith(digest)
            )
        if not found:
            times = ", ".join(one.taken_at for one in known[-5:])
            raise InputError(
                f"there is no snapshot `{which}` in this store",
                place=self.path,
                hint=f"the last ones are of {times}",
            )
        return found[-1]

    def add(
        self,
        digest: str,
        taken_at: str,
        tool: str,
        sections: Iterable[Written],
    ) -> None:
        """Keep a snapshot: part, section, number of facts and bytes of each section. One that is
        kept already stays as it is. All of it is written, or nothing."""
        with self._named():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._add(digest, taken_at, tool, sections, self._packer)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _add(
        self,
        digest: str,
        taken_at: str,
        tool: str,
        sections: Iterable[Written],
        packer: zstandard.ZstdCompressor,
    ) -> None:
        put = self._db.execute
        known = put("SELECT 1 FROM snapshots WHERE digest = ?", (digest,)).fetchone()
        if known is not None:
            return
        made = put(
            "INSERT INTO snapshots (digest, taken_at, tool) VALUES (?, ?, ?)",
            (digest, taken_at, tool),
        ).lastrowid
        for part, section, facts, raw in sections:
            key = sha256(raw).digest()
            if put("SELECT 1 FROM blobs WHERE digest = ?", (key,)).fetchone() is None:
                put("INSERT INTO blobs VALUES (?, ?)", (key, packer.compress(raw)))
            put("INSERT INTO manifest VALUES (?, ?, ?, ?, ?)", (made, part, section, key, facts))

    def drop(self, kept: Kept) -> None:
        """Forget a snapshot, and the blobs that no other one has."""
        with self._named():
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM manifest WHERE snapshot = ?", (kept.id,))
            self._db.execute("DELETE FROM snapshots WHERE id = ?", (kept.id,))
            self._db.execute("DELETE FROM blobs WHERE digest NOT IN (SELECT digest FROM manifest)")
            self._db.execute("DELETE FROM derived")
            self._db.execute("COMMIT")

    def refuse_unknown(self, sections: Iterable[str]) -> None:
        """Raise `InputError` for sections that this version does not know: to pass over facts
        would be to say that there are none."""
        for section in sections:
            raise self._foreign(f"it has a section `{section}`, which is not known")

    # --- blobs -------------------------------------------------------------------------------

    def manifest(self, kept: Kept) -> tuple[Section, ...]:
        """Give what a snapshot is made of."""
        with self._named():
            rows = self._db.execute(
                "SELECT coalesce(CAST(part AS TEXT), ''), coalesce(CAST(section AS TEXT), ''),"
                " coalesce(CAST(digest AS BLOB), x''), CAST(facts AS INTEGER)"
                " FROM manifest WHERE snapshot = ? ORDER BY part, section",
                (kept.id,),
            ).fetchall()
        return tuple(Section(*row) for row in rows)

    def blob(self, digest: bytes) -> bytes:
        """Give the bytes under a digest. Raises `InputError` when they are not what it says."""
        raw = self.known_blob(digest)
        if raw is None:
            raise self._foreign(f"it lacks the blob {digest.hex()[:12]}")
        return raw

    def known_blob(self, digest: bytes) -> bytes | None:
        """Give the bytes under a digest as `blob` does; None when there are none."""
        with self._named():
            query = "SELECT coalesce(CAST(data AS BLOB), x'') FROM blobs WHERE digest = ?"
            row = self._db.execute(query, (digest,)).fetchone()
        if row is None:
            return None
        raw = self.unpacked(row[0])
        if sha256(raw).digest() != digest:
            raise self._foreign(f"the blob {digest.hex()[:12]} was changed")
        return raw

    def unpacked(self, data: bytes) -> bytes:
        """Give the bytes of what is kept packed."""
        try:
            return unpack(data, self._unpacker)
        except zstandard.ZstdError as error:
            raise self._foreign(error) from None

    def recovered(self, data: bytes) -> bytes | None:
        """Give the bytes of what is kept packed and can be made again; None for damaged ones."""
        try:
            return unpack(data, self._unpacker)
        except zstandard.ZstdError:
            return None

    def decoded(self, raw: bytes, reader: msgspec.json.Decoder[_T]) -> _T:
        """Give what bytes of this store stand for. Raises `InputError`."""
        try:
            return reader.decode(raw)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise self._foreign(error) from None

    # --- what is derived ---------------------------------------------------------------------

    def derived(self, name: str, source: bytes) -> bytes | None:
        """Give what was kept under a name and source, packed; None when nothing was."""
        with self._named():
            row = self._db.execute(
                "SELECT coalesce(CAST(data AS BLOB), x'') FROM derived"
                " WHERE name = ? AND source = ?",
                (name, source),
            ).fetchone()
        return None if row is None else row[0]

    def derived_names(self) -> tuple[str, ...]:
        """Give the names under which something was kept."""
        with self._named():
            rows = self._db.execute("SELECT DISTINCT name FROM derived ORDER BY name").fetchall()
        return tuple(str(row[0]) for row in rows)

    def all_derived(self, name: str) -> dict[bytes, bytes]:
        """Give all that was kept under a name, packed, by the digest of its source."""
        with self._named():
            rows = self._db.execute(
                "SELECT coalesce(CAST(source AS BLOB), x''), coalesce(CAST(data AS BLOB), x'')"
                " FROM derived WHERE name = ?",
                (name,),
            )
            return dict(rows.fetchall())

    def forget_derived(self, what: str, version: str) -> None:
        """Drop what was kept under names of `what` and another version."""
        with suppress(sqlite3.OperationalError):  # a store that cannot be written is left as it is
            self._db.execute(
                "DELETE FROM derived WHERE name >= ? AND name < ? AND name <> ?"
                " AND name NOT LIKE ?",
                (f"{what} ", f"{what}!", f"{what} {version}", f"{what} {version} %"),
            )

    def keep_derived(self, name: str, found: dict[bytes, bytes]) -> None:
        """Keep what was derived, by the digest of its source; see `keep_all`."""
        self.keep_all({name: found})

    def keep_all(self, derived: Mapping[str, Mapping[bytes, bytes]]) -> None:
        """Keep what was derived at once, by name and the digest of its source. A store that cannot
        be written is left as it is: nothing is lost but time."""
        if not any(derived.values()):
            return
        rows = (
            (name, source, self._packer.compress(raw))
            for name, found in derived.items()
            for source, raw in found.items()
        )
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO derived VALUES (?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.OperationalError:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
