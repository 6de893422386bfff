"""Where the bytes lie: compressed, under the digest of what they are, in a folder or a bucket.

A blob is there whole or not at all. Who reads one is given what its digest says, or an error.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec
import zstandard

from modelreach.model import InputError, ModelreachError
from modelreach.packed import unpack

_LEVEL: Final = 9
_ENDING: Final = ".zst"
_NAME: Final = re.compile(r"[0-9a-f]{64}\.zst")
#: Holds the id of the state that keeps its blobs here: another one's pruning would take them.
_OWNER: Final = "owner"
#: Beginning of the names under which files are written before they get their own.
_PART: Final = ".part-"


class BlobError(ModelreachError):
    """A blob is missing, or is not what its digest says."""


class PlaceError(ModelreachError):
    """The place of the blobs does not answer, is full, or refuses. Nothing is lost."""

    exit_code = 75


class Place(Protocol):
    """What holds files by name. `put` is whole or not at all; `get` gives None for no file."""

    url: str

    def put(self, name: str, content: bytes) -> None: ...
    def get(self, name: str) -> bytes | None: ...
    def has(self, name: str) -> bool: ...
    def drop(self, name: str) -> None: ...
    def names(self) -> Iterator[tuple[str, int]]: ...


class Blobs(msgspec.Struct, frozen=True):
    """Bytes by their digest (`sha256:…`)."""

    place: Place

    @property
    def url(self) -> str:
        """The folder or prefix."""
        return self.place.url

    def put(self, raw: bytes) -> str:
        """Keep bytes, if they are not yet, and give their digest."""
        digest = hashlib.sha256(raw).hexdigest()
        name = digest + _ENDING
        if not self.place.has(name):
            self.place.put(name, zstandard.ZstdCompressor(level=_LEVEL).compress(raw))
        return f"sha256:{digest}"

    def get(self, digest: str) -> bytes:
        """Give the bytes. Raises `BlobError` when they are missing, or are others."""
        packed = self.place.get(_name(digest))
        if packed is None:
            raise BlobError(f"the blob {digest} is missing from {self.url}")
        try:
            raw = unpack(packed)
        except zstandard.ZstdError as error:
            raise BlobError(f"the blob {digest} cannot be unpacked ({error})") from None
        if f"sha256:{hashlib.sha256(raw).hexdigest()}" != digest:
            raise BlobError(f"the blob {digest} was changed: its content has another digest")
        return raw

    def drop(self, digest: str) -> None:
        """Forget a blob, if it is there."""
        self.place.drop(_name(digest))

    def owner(self, state: str) -> str:
        """Give the id of the state whose blobs these are: this one's, if nobody's until now."""
        found = self.place.get(_OWNER)
        if found is None:
            self.place.put(_OWNER, state.encode())
        return state if found is None else found.decode(errors="replace")

    def all(self) -> Iterator[tuple[str, int]]:
        """Give the digest and packed size of every blob."""
        for name, size in self.place.names():
            if _NAME.fullmatch(name):
                yield f"sha256:{name.removesuffix(_ENDING)}", size


def _name(digest: str) -> str:
    return digest.removeprefix("sha256:") + _ENDING


def open_blobs(url: str) -> Blobs:
    """Give the blobs of a folder, or of `s3://bucket/prefix`, `gs://…`, `az://…`.

    Raises `MissingExtra` when what speaks to that place is not installed.
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return Blobs(Folder(Path(url)))
    if scheme == "file":
        return Blobs(Folder(Path(rest)))
    from modelreach.state.buckets import S3, Filesystem

    if scheme == "s3":
        return Blobs(S3(url))
    if scheme in ("gs", "gcs", "az", "abfs", "abfss", "memory"):
        return Blobs(Filesystem(url))
    raise InputError(
        f"no blobs can be kept in `{scheme}://`",
        place="--blobs",
        hint="a folder, s3://bucket/prefix, gs://bucket/prefix, or az://container/prefix",
    )


class Folder:
    """A folder: each file is written aside, made to last, and renamed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = str(path)

    def _at(self, name: str) -> Path:
        return self._path / name[:2] / name

    def put(self, name: str, content: bytes) -> None:
        path = self._at(name)
        try:
            self._folder(path.parent)
            _write(path, content)
        except OSError as error:
            raise PlaceError(f"{path}: cannot be written ({error.strerror or error})") from None

    def _folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _lasting(folder.parent)

    def get(self, name: str) -> bytes | None:
        try:
            return self._at(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PlaceError(f"{self._at(name)}: cannot be read ({error.strerror})") from None

    def has(self, name: str) -> bool:
        return self._at(name).is_file()

    def drop(self, name: str) -> None:
        self._at(name).unlink(missing_ok=True)

    def names(self) -> Iterator[tuple[str, int]]:
        """Give every file; what a killed run left half written is cleared away."""
        for path in sorted(self._path.glob("*/*")):
            if path.name.startswith(_PART):
                path.unlink(missing_ok=True)
            elif path.is_file():
                yield path.name, path.stat().st_size


def _write(path: Path, content: bytes) -> None:
    handle, aside = tempfile.mkstemp(prefix=_PART, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(aside).unlink(missing_ok=True)
        raise
    _lasting(path.parent)


def _lasting(folder: Path) -> None:
    """Have the names in a folder outlive a loss of power, where the system can do that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
