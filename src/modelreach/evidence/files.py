"""The files of one report, as bytes: a file, or a folder of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from modelreach.model import InputError

#: What a correct answer says of the model, in tools that only know "correct".
CorrectMeans = Literal["held", "broken"]


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """What was read: `name` for people, and each file's bytes by its path within the report.

    A report that is one file has one path. Raises `InputError` for a path that could be taken
    for another when digests are listed.
    """

    name: str
    files: Mapping[str, bytes]
    folder: bool = False

    def __post_init__(self) -> None:
        for path in self.files:
            if "\n" in path or "\\" in path:
                raise InputError(
                    f"the name `{path}` holds a line break or backslash", place=self.name
                )

    @property
    def digest(self) -> str:
        """`sha256:…` of the file; of a folder, that of what `sha256sum` lists for its files.

        In the folder: `find . -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum`.
        """
        return f"sha256:{hashlib.sha256(self.hashed).hexdigest()}"

    @property
    def hashed(self) -> bytes:
        """What the digest is of: the file's bytes, or a folder's list of digests and paths."""
        if not self.folder:
            return self.only
        return b"".join(
            f"{hashlib.sha256(raw).hexdigest()}  ./".encode() + _bytes(path) + b"\n"
            for path, raw in sorted(self.files.items(), key=lambda item: _bytes(item[0]))
        )

    @property
    def only(self) -> bytes:
        """The bytes of the one file. Raises `InputError` for a folder of several."""
        if len(self.files) != 1:
            raise InputError(
                f"one file was expected, but these are {len(self.files)}", place=self.name
            )
        return next(iter(self.files.values()))


def _bytes(path: str) -> bytes:
    """Give a path as the file system has it, which need not be text."""
    return path.encode("utf-8", "surrogateescape")


class ReadOptions(msgspec.Struct, frozen=True):
    """What has to be said of a report from outside. `correct_means` is the polarity of a log
    that only says "correct"; `scorer` chooses between several."""

    correct_means: CorrectMeans | None = None
    scorer: str = ""
