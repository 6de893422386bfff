"""A run kept as files, and read back: the same answers, so the same snapshot.

`DIR/manifest.json` names the run and its files; each of these holds what one service answered in
one place: the tenant, a subscription, a management group. A file that the manifest names and the
folder lacks is an error: what is lost must not read as "no access".
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from modelreach.model import InputError
from modelreach_azure.answers import Answer
from modelreach_azure.redact import redacted

_T = TypeVar("_T")

MANIFEST: Final = "modelreach.azure-recording/1"
ANSWERS: Final = "modelreach.azure-answers/1"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a recording consists of. `files` are relative to the manifest."""

    format: str
    taken_at: str
    tenants: tuple[str, ...]
    files: tuple[str, ...]


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One call of a file."""

    operation: str
    parameters: dict[str, str] = {}
    response: dict[str, Any] | None = None
    error: dict[str, str] | None = None


class AnswersFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one service of one place answered."""

    format: str
    taken_at: str
    tenant: str
    place: str
    service: str
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
    groups: dict[tuple[str, str, str], list[Answer]] = {}
    for one in sorted(answers, key=lambda one: one.key):
        groups.setdefault((one.tenant, one.place, one.service), []).append(one)
    files: dict[str, AnswersFile] = {}
    for place, found in groups.items():
        files[_free(_name(*place), files)] = _file(place, found, taken_at)
    for name, content in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_json(content))
    tenants = sorted({tenant for tenant, _, _ in groups if tenant})
    manifest = Manifest(MANIFEST, taken_at, tuple(tenants), tuple(sorted(files)))
    (folder / "manifest.json").write_bytes(_json(manifest))


def _name(tenant: str, place: str, service: str) -> str:
    last = re.sub(r"[^\w.-]", "_", place.rpartition("/")[2]) or "tenant"
    return f"azure/{tenant or 'unknown'}/{last}/{service}.json"


def _free(name: str, taken: Container[str]) -> str:
    """Give a name that no other file has; a management group may be called anything."""
    stem, number = name.removesuffix(".json"), 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}.json"
    return name


def _file(place: tuple[str, str, str], answers: list[Answer], taken_at: str) -> AnswersFile:
    calls = tuple(_recorded(one) for one in answers)
    return AnswersFile(ANSWERS, taken_at, *place, calls)


def _recorded(one: Answer) -> Recorded:
    error = None if one.error is None else msgspec.structs.asdict(one.error)
    return Recorded(one.operation, one.parameters, one.response, error)


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def read_answers(raw: Any, *, place: str) -> tuple[str, tuple[Answer, ...]]:
    """Give `taken_at` and the answers of one decoded file. Raises `InputError`."""
    file = _converted(raw, AnswersFile, place)
    try:
        return file.taken_at, tuple(_answer(file, call) for call in file.answers)
    except msgspec.ValidationError as error:
        raise _broken(error, place) from None


def read_manifest(raw: Any, *, place: str) -> Manifest:
    """Give the manifest of a decoded file. Raises `InputError`."""
    return _converted(raw, Manifest, place)


def _answer(file: AnswersFile, call: Recorded) -> Answer:
    response = call.response
    if response is not None:
        # Again: a file may have been written by hand.
        response = redacted(call.operation, response)
    made = {
        "tenant": file.tenant,
        "place": file.place,
        "service": file.service,
        "operation": call.operation,
        "parameters": call.parameters,
        "response": response,
        "error": call.error,
    }
    return msgspec.convert(made, Answer)


def _converted(raw: Any, kind: type[_T], place: str) -> _T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise _broken(error, place) from None


def _broken(error: msgspec.ValidationError, place: str) -> InputError:
    return InputError(
        f"this recording is broken ({error})",
        place=place,
        hint="record it again with `modelreach collect azure --record DIR`",
    )
