"""Reading inputs with errors that name the file, and writing outputs.

To read a file and write to standard output `pathlib` is not imported: it brings the parsing of
addresses along.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import msgspec

from modelreach import deployment as manifest
from modelreach import snapshot as snapshots
from modelreach.deployment import Deployment
from modelreach.digests import sha256
from modelreach.model import InputError
from modelreach.report import Report
from modelreach.snapshot import Snapshot

#: The ending of a store of snapshots; see `modelreach.store`.
STORE_SUFFIX = ".mrdb"
_SQLITE = b"SQLite format 3\0"


class Source(msgspec.Struct, frozen=True):
    """A file that was read: its name for people, its digest for the record, its bytes."""

    name: str
    digest: str
    raw: bytes


def read(path: str) -> Source:
    """Read a file, or standard input for `-`. Raises `InputError` naming it."""
    try:
        raw = sys.stdin.buffer.read() if path == "-" else _read(path)
    except FileNotFoundError:
        raise InputError("no such file", place=path) from None
    except IsADirectoryError:
        raise InputError("this is a folder; a file was expected", place=path) from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", place=path) from None
    except MemoryError:
        raise InputError("there is not enough memory to read it", place=path) from None
    name = "standard input" if path == "-" else _shown(path)
    return Source(name, "sha256:" + sha256(raw).hexdigest(), raw)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()


def _shown(path: str) -> str:
    """Give the name of a file for people and reports, whatever its bytes are."""
    return os.fsencode(path).decode("utf-8", "replace")


def read_manifest(path: str) -> tuple[Deployment, Source]:
    """Read a deployment manifest."""
    source = read(path)
    return manifest.decode(source.raw, place=source.name), source


def read_snapshot(path: str) -> tuple[Snapshot, Source]:
    """Read a snapshot: a file of JSON, or a store (`FILE@WHICH` for another than its last one).

    Of a store no more is read than is asked about.
    """
    file, which = _in_store(path)
    if file:
        return _from_store(file, which)
    source = read(path)
    return snapshots.decode(source.raw, place=source.name), source


def bytes_of_snapshot(path: str) -> bytes:
    """Give a snapshot as the bytes whose digest it has: of a store, what its facts are as JSON,
    whatever digest it says that they have."""
    file, which = _in_store(path)
    if not file:
        return read(path).raw
    from modelreach.store import StoredSnapshot

    return snapshots.encode(StoredSnapshot.open(file, which).whole())


def store_of(path: str) -> str:
    """Give the file of the store that a path means; "" when it means none."""
    return _in_store(path)[0]


def _in_store(path: str) -> tuple[str, str]:
    """Give the store that a path means, and which snapshot of it; "" when it means none."""
    head, mark, which = path.rpartition(f"{STORE_SUFFIX}@")
    if mark:
        return head + STORE_SUFFIX, which
    if path == "-":
        return "", ""
    return (path if path.endswith(STORE_SUFFIX) or _begins_as_store(path) else ""), ""


def _begins_as_store(path: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def write_snapshot(path: str, snapshot: Snapshot) -> None:
    """Write a snapshot: into a store by its ending, else as JSON. With what a store keeps of each
    account alone, so that no scan has to read all of them for it."""
    if path.endswith(STORE_SUFFIX):
        from modelreach.pipeline.parts import Parts
        from modelreach.store import StoredSnapshot, write

        Parts(StoredSnapshot.open(path, write(path, snapshot).digest).facts).derive_here()
    else:
        write_all({path: snapshots.encode(snapshot)})


def _from_store(file: str, which: str) -> tuple[Snapshot, Source]:
    from modelreach.store import StoredSnapshot

    stored = StoredSnapshot.open(file, which)
    name = _shown(f"{file}@{which}" if which else file)
    return stored.as_snapshot(), Source(name, stored.digest, b"")


def read_report(path: str) -> Report:
    """Read a saved diff or radius."""
    import msgspec

    from modelreach.report_file import decode

    source = read(path)
    try:
        return decode(source.raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"this is not a saved diff or radius ({problem})",
            place=source.name,
            hint="write one with `modelreach diff … -o diff.json`",
        ) from None


class InFolder(str):
    """The name of a file in a folder that is made if it is not there."""

    __slots__ = ()


def write_all(outputs: Mapping[str, bytes]) -> None:
    """Write every file or none; `-` is stdout, and comes last. Raises `InputError` for what cannot
    be written."""
    if any(name != "-" for name in outputs):
        from modelreach.cli.placing import place

        place(outputs)
    elif outputs:
        to_stdout(outputs["-"])


def to_stdout(content: bytes) -> None:
    """Write to standard output, behind what was written there before."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
