"""Which database and which blobs a `--state` means."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from modelreach.model import InputError

#: The database of a state that is a folder, and the folder of its blobs.
FILE: Final = "state.db"
BLOBS: Final = "blobs"
_ENDINGS: Final = (".db", ".sqlite", ".sqlite3")


class Place(msgspec.Struct, frozen=True):
    """The URL of a database, as SQLAlchemy writes it, and that of the blobs ("" if unsaid).

    `file` is the SQLite file; "" for a server.
    """

    url: str
    blobs: str
    file: str = ""


def place_of(state: str, blobs: str = "") -> Place:
    """Read a `--state`: a folder, a SQLite file, `sqlite:PATH`, or `postgresql://HOST/NAME`.

    Raises `InputError` for anything else, and for a password in it, which every user of the
    machine could see.
    """
    scheme, mark, rest = state.partition(":")
    if mark and scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        return _server(state, rest, blobs)
    if mark and scheme == "sqlite":
        return _file(Path("/" + rest[4:] if rest.startswith("////") else _path(rest)), blobs)
    if "://" in state:
        raise InputError(
            f"no state can be kept in `{scheme}://`",
            place="--state",
            hint="a folder, a file (state.db), or postgresql://HOST/NAME; "
            "buckets hold blobs: --blobs s3://…",
        )
    return _file(Path(state), blobs)


def _path(rest: str) -> str:
    return rest.removeprefix("///") if rest.startswith("///") else rest


def _file(path: Path, blobs: str) -> Place:
    file = path if path.suffix in _ENDINGS and not path.is_dir() else path / FILE
    beside = file.parent / BLOBS if file.name == FILE else file.with_name(f"{file.name}-{BLOBS}")
    return Place(f"sqlite:///{file}", blobs or str(beside), str(file))


def _server(state: str, rest: str, blobs: str) -> Place:
    if urlsplit(state).password:
        raise InputError(
            "a password in the address of a state can be read by others",
            place="--state",
            hint="use PGPASSWORD, PGPASSFILE, a service file, or a client certificate",
        )
    return Place(f"postgresql+psycopg:{rest}", blobs)
