"""What files a recording of Azure consists of: one for each service of the tenant, a subscription
or a management group.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from modelreach.collect import recording
from modelreach_azure.answers import Answer
from modelreach_azure.redact import redacted


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


def write(folder: Path, answers: Iterable[Answer], *, taken_at: str) -> None:
    """Write all answers below the folder, the manifest last."""
    groups = recording.by_place(answers, lambda one: (one.tenant, one.place, one.service))
    files: dict[str, AnswersFile] = {}
    for place, found in groups.items():
        files[_free(_name(*place), files)] = _file(place, found, taken_at)
    tenants = sorted({tenant for tenant, _, _ in groups if tenant})
    manifest = Manifest(FORMAT.of_manifests, taken_at, tuple(tenants), tuple(sorted(files)))
    recording.write(folder, files, manifest)


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
    return AnswersFile(FORMAT.of_files, taken_at, *place, calls)


def _recorded(one: Answer) -> Recorded:
    error = None if one.error is None else msgspec.structs.asdict(one.error)
    return Recorded(one.operation, one.parameters, one.response, error)


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


def _answers(file: AnswersFile) -> Iterator[Answer]:
    return (_answer(file, call) for call in file.answers)


FORMAT: Final = recording.Format("azure", Manifest, AnswersFile, _answers)
