"""What files a recording of Google Cloud consists of: one for each scope."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from modelreach.collect import recording
from modelreach.collect.answers import Refusal
from modelreach_gcp.answers import Answer
from modelreach_gcp.keep import answer


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


def write(folder: Path, answers: Iterable[Answer], *, taken_at: str) -> None:
    """Write all answers below the folder, the manifest last."""
    groups = recording.by_place(answers, lambda one: one.place)
    files = {_name(place): _file(place, found, taken_at) for place, found in groups.items()}
    manifest = Manifest(FORMAT.of_manifests, taken_at, tuple(sorted(groups)), tuple(sorted(files)))
    recording.write(folder, files, manifest)


def _name(place: str) -> str:
    """Give the file of a scope. Ids are Google's, and come from answers: nothing leads out."""
    safe = re.sub(r"[^A-Za-z0-9:._/-]", "_", place or "everywhere").replace("..", "__")
    return f"gcp/{safe.strip('/')}.json".replace(":", "_")


def _file(place: str, answers: list[Answer], taken_at: str) -> AnswersFile:
    calls = tuple(
        Recorded(one.service, one.method, one.parameters, one.response, one.error)
        for one in answers
    )
    return AnswersFile(FORMAT.of_files, taken_at, place, calls)


def _answers(file: AnswersFile) -> Iterator[Answer]:
    for call in file.answers:
        # Again: a file may have been written by hand.
        name = (call.service, call.method)
        yield answer(file.place, name, call.parameters, call.response, call.error)


FORMAT: Final = recording.Format("gcp", Manifest, AnswersFile, _answers)
