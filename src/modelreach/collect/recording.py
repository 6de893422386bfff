"""A run kept as files, and read back: the same answers, so the same snapshot.

A recording is a folder: `manifest.json` names the run and its files, and each of these holds what
was answered in one place. What a place is, and how its file is called, the connector says. The
manifest is written last, so that a run that was stopped leaves none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from modelreach.collect.answers import A
from modelreach.model import InputError

_Place = TypeVar("_Place")
_T = TypeVar("_T")


def prepare(folder: Path) -> None:
    """Make the folder of a recording. Raises `InputError` when it is not empty or no folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = next(folder.iterdir(), None)
    except OSError as error:
        raise InputError(
            f"cannot be used for a recording: {error.strerror}", place=str(folder)
        ) from None
    if occupied is not None:
        raise InputError(
            "the folder for a recording is not empty",
            place=str(folder),
            hint="give a new folder, or empty this one",
        )


def by_place(answers: Iterable[A], place: Callable[[A], _Place]) -> dict[_Place, list[A]]:
    """Group answers by their place, all in the order of what was asked."""
    groups: dict[_Place, list[A]] = {}
    for one in sorted(answers, key=lambda one: one.key):
        groups.setdefault(place(one), []).append(one)
    return groups


def write(folder: Path, files: Mapping[str, msgspec.Struct], manifest: msgspec.Struct) -> None:
    """Write the files of a recording by their names, the manifest last."""
    for name, content in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_json(content))
    (folder / "manifest.json").write_bytes(_json(manifest))


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def converted(raw: Any, kind: type[_T], *, place: str, provider: str) -> _T:
    """Give decoded JSON as a value of a recording. Raises `InputError` where it is none."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise InputError(
            f"this recording is broken ({error})",
            place=place,
            hint=f"record it again with `modelreach collect {provider} --record DIR`",
        ) from None
