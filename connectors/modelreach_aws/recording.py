"""What files a recording of AWS consists of: one for each service of an account and region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from modelreach.collect import recording
from modelreach_aws.answers import Answer
from modelreach_aws.redact import redacted


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a recording consists of. `files` are relative to the manifest."""

    format: str
    taken_at: str
    accounts: tuple[str, ...]
    files: tuple[str, ...]


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One call of a file."""

    operation: str
    parameters: dict[str, Any] = {}
    response: dict[str, Any] | None = None
    error: dict[str, str] | None = None


class AnswersFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one service of one account and region answered."""

    format: str
    taken_at: str
    account: str
    region: str
    service: str
    answers: tuple[Recorded, ...]


def write(folder: Path, answers: Iterable[Answer], *, taken_at: str) -> None:
    """Write all answers below the folder, the manifest last."""
    groups = recording.by_place(answers, lambda one: (one.account, one.region, one.service))
    files = {_name(*place): _file(place, found, taken_at) for place, found in groups.items()}
    accounts = sorted({account for account, _, _ in groups if account})
    manifest = Manifest(FORMAT.of_manifests, taken_at, tuple(accounts), tuple(sorted(files)))
    recording.write(folder, files, manifest)


def _name(account: str, region: str, service: str) -> str:
    return f"aws/{account or 'unknown'}/{region or 'global'}/{service}.json"


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
        response = redacted(file.service, call.operation, response)
    made = {
        "account": file.account,
        "region": file.region,
        "service": file.service,
        "operation": call.operation,
        "parameters": call.parameters,
        "response": response,
        "error": call.error,
    }
    return msgspec.convert(made, Answer)


def _answers(file: AnswersFile) -> Iterator[Answer]:
    return (_answer(file, call) for call in file.answers)


FORMAT: Final = recording.Format("aws", Manifest, AnswersFile, _answers)
