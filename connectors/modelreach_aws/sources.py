"""What `--from` names, told apart by content: recordings, and exports of account details."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from modelreach.model import InputError
from modelreach_aws import details_export, recording
from modelreach_aws.answers import Answer

EXPECTED: Final = (
    "expected a recording of `modelreach collect aws --record DIR`, or what "
    "`aws iam get-account-authorization-details` prints"
)


def read(sources: Sequence[Path], *, now: str) -> tuple[str, tuple[Answer, ...]]:
    """Give the time and the answers of all sources together.

    The time is that of the latest recording, `now` without one. Raises `InputError` for what
    cannot be read, is not recognised, lacks files, or says two things about one question.
    """
    reading = _Reading()
    for source in sources:
        reading.take(source)
    return reading.taken_at or now, tuple(one for one, _ in reading.answers.values())


class _Reading:
    def __init__(self) -> None:
        self.answers: dict[tuple[str, ...], tuple[Answer, str]] = {}
        self.taken_at = ""

    def take(self, source: Path) -> None:
        """Read a file, or every file of a folder."""
        found = list(_files(source))
        if not found:
            raise InputError("there is no file in this folder", place=str(source), hint=EXPECTED)
        promised: dict[Path, Path] = {}
        for path in found:
            for name in self._shallow(path):
                promised[(path.parent / name).resolve()] = path
        for lost in sorted(promised.keys() - {path.resolve() for path in found}):
            raise InputError(
                f"the recording names `{lost.name}`, which is not there",
                place=str(promised[lost]),
                hint=f"it should be at `{lost}`; give the whole folder with --from",
            )

    def _shallow(self, path: Path) -> tuple[str, ...]:
        try:
            return self._file(path)
        except RecursionError:
            raise InputError("this is nested too deeply", place=str(path), hint=EXPECTED) from None

    def _file(self, path: Path) -> tuple[str, ...]:
        """Take one file in; give the names of further files that it promises."""
        place, content = str(path), _decoded(path)
        form = content.get("format") if isinstance(content, dict) else None
        if form == recording.MANIFEST:
            manifest = recording.read_manifest(content, place=place)
            self.taken_at = max(self.taken_at, manifest.taken_at)
            return manifest.files
        if form == recording.ANSWERS:
            taken_at, answers = recording.read_answers(content, place=place)
            self.taken_at = max(self.taken_at, taken_at)
        elif details_export.recognised(content):
            answers = (details_export.read(content, place=place),)
        else:
            raise InputError("this file is not recognised", place=place, hint=EXPECTED)
        for one in answers:
            self._add(one, place)
        return ()

    def _add(self, one: Answer, place: str) -> None:
        known = self.answers.setdefault(one.key, (one, place))
        if known[0] != one:
            where = f"account `{one.account}`" + (f" in `{one.region}`" if one.region else "")
            raise InputError(
                f"{one.service} {one.operation} of {where} is already in `{known[1]}`, "
                "and says something else there",
                place=place,
                hint="give one source for each account and time",
            )


def _files(source: Path) -> Iterator[Path]:
    if not source.exists():
        raise InputError("there is no such file or folder", place=str(source), hint=EXPECTED)
    if source.is_dir():
        yield from sorted(path for path in source.rglob("*") if path.is_file())
    else:
        yield source


def _decoded(path: Path) -> Any:
    place = str(path)
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=place) from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"this is not JSON, or is cut off: {error.msg}",
            place=f"{place}:{error.lineno}:{error.colno}",
            hint=EXPECTED,
        ) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"this is not JSON ({type(error).__name__})", place=place, hint=EXPECTED
        ) from None
