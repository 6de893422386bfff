"""A run kept as files, and read back: the same answers, so the same snapshot.

`DIR/manifest.json` names the run and its files; each of these holds what was answered about one
scope. A file that the manifest names and the folder lacks is an error: what is lost must not read
as "no access".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from modelreach.model import InputError
from modelreach_gcp.answers import Answer, Refusal
from modelreach_gcp.keep import answer

_T = TypeVar("_T")

MANIFEST: Final = "modelreach.gcp-recording/1"
ANSWERS: Final = "modelreach.gcp-answers/1"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a recording consists of. `files` are relative to the manifest."""

    format: str
    taken_at: str
    scopes: tuple[str, ...]
    files: tuple[str, ...]


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One call of a file."""

    service: str
    method: str
    parameters: dict[str, Any] = {}
    response: dict[str, Any] | None = None
    error: Refusal | None = None


class AnswersFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was answered about one scope."""

    format: str
    taken_at: str
    place: str
    answers: tuple[Recorded, ...]


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


def write(folder: Path, answers: Iterable[Answer], *, taken_at: str) -> None:
    """Write all answers below the folder, the manifest last."""
    groups: dict[str, list[Answer]] = {}
    for one in sorted(answers, key=lambda one: one.key):
        groups.setdefault(one.place, []).append(one)
    files = {_name(place): _file(place, found, taken_at) for place, found in groups.items()}
    for name, content in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_json(content))
    manifest = Manifest(MANIFEST, taken_at, tuple(sorted(groups)), tuple(sorted(files)))
    (folder / "manifest.json").write_bytes(_json(manifest))


def _name(place: str) -> str:
    """Give the file of a scope. Ids are Google's, and come from answers: nothing leads out."""
    safe = re.sub(r"[^A-Za-z0-9:._/-]", "_", place or "everywhere").replace("..", "__")
    return f"gcp/{safe.strip('/')}.json".replace(":", "_")


def _file(place: str, answers: list[Answer], taken_at: str) -> AnswersFile:
    calls = tuple(
        Recorded(one.service, one.method, one.parameters, one.response, one.error)
        for one in answers
    )
    return AnswersFile(ANSWERS, taken_at, place, calls)


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def read_answers(raw: Any, *, place: str) -> tuple[str, tuple[Answer, ...]]:
    """Give `taken_at` and the answers of one decoded file. Raises `InputError`.

    What is not kept is taken out again: a file may have been written by hand.
    """
    file = _converted(raw, AnswersFile, place)
    return file.taken_at, tuple(
        answer(file.place, (one.service, one.method), one.parameters, one.response, one.error)
        for one in file.answers
    )


def read_manifest(raw: Any, *, place: str) -> Manifest:
    """Give the manifest of a decoded file. Raises `InputError`."""
    return _converted(raw, Manifest, place)


def _converted(raw: Any, kind: type[_T], place: str) -> _T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise InputError(
            f"this recording is broken ({error})",
            place=place,
            hint="record it again with `modelreach collect gcp --record DIR`",
        ) from None
