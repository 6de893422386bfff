"""What `--from` names, told apart by content: recordings, and what other tools export.

Nothing that a recording names may be missing, and no two sources may say two things about one
question: what is lost must not read as "no access".
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from modelreach.collect.answers import A
from modelreach.model import InputError


@dataclass(frozen=True, slots=True)
class Replayed(Generic[A]):
    """One file of a recording, read back: its time, its answers, and the files that it names."""

    taken_at: str
    answers: tuple[A, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form(Generic[A]):
    """How files of one provider are read.

    `expected` says what may be given, `one_each` that two sources of one thing are one too many.
    `recorded` and `exported` take what a file holds and its name, and give None for what is not
    of their kind: a file of a recording, the answers that an export amounts to. `about` names
    what an answer is about. With `lines` a file may hold a JSON value a line.
    """

    expected: str
    one_each: str
    recorded: Callable[[Any, str], Replayed[A] | None]
    exported: Callable[[Any, str], Iterable[A] | None]
    about: Callable[[A], str]
    lines: bool = False


def read(sources: Sequence[Path], form: Form[A]) -> tuple[str, tuple[A, ...]]:
    """Give the time of the latest recording, "" without one, and the answers of all sources.

    Raises `InputError` for what cannot be read, is not recognised, lacks files, or says two
    things about one question.
    """
    reading = _Reading(form)
    for source in sources:
        reading.take(source)
    return reading.taken_at, tuple(one for one, _ in reading.answers.values())


class _Reading(Generic[A]):
    def __init__(self, form: Form[A]) -> None:
        self._form = form
        self.answers: dict[tuple[str, ...], tuple[A, str]] = {}
        self.taken_at = ""

    def take(self, source: Path) -> None:
        """Read a file, or every file of a folder."""
        hint = self._form.expected
        found = list(_files(source, hint))
        if not found:
            raise InputError("there is no file in this folder", place=str(source), hint=hint)
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
            raise InputError(
                "this is nested too deeply", place=str(path), hint=self._form.expected
            ) from None

    def _file(self, path: Path) -> tuple[str, ...]:
        """Take one file in; give the names of further files that it promises."""
        place = str(path)
        content = _decoded(_bytes(path), place, self._form)
        recorded = self._form.recorded(content, place)
        if recorded is not None:
            self.taken_at = max(self.taken_at, recorded.taken_at)
        answers = recorded.answers if recorded else self._form.exported(content, place)
        if answers is None:
            raise InputError("this file is not recognised", place=place, hint=self._form.expected)
        for one in answers:
            self._add(one, place)
        return recorded.files if recorded else ()

    def _add(self, one: A, place: str) -> None:
        known, where = self.answers.setdefault(one.key, (one, place))
        if known != one:
            raise InputError(
                f"{self._form.about(one)} is already in `{where}`, and says something else there",
                place=place,
                hint=self._form.one_each,
            )


def _files(source: Path, expected: str) -> Iterator[Path]:
    if not source.exists():
        raise InputError("there is no such file or folder", place=str(source), hint=expected)
    if source.is_dir():
        yield from sorted(below(source))
    else:
        yield source


def below(folder: Path) -> Iterator[Path]:
    """Give all files of a folder and those in it. Raises `InputError` for a folder that cannot be
    read: what is in there would be missing, and nobody would know."""
    for place, _, names in os.walk(folder, onerror=_unreadable):
        yield from (path for name in names if (path := Path(place, name)).is_file())


def _unreadable(error: OSError) -> None:
    why = f"this folder cannot be read ({error.strerror})"
    raise InputError(why, place=str(error.filename))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(path)) from None


def _decoded(raw: bytes, place: str, form: Form[A]) -> Any:
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        if form.lines and error.msg == "Extra data":
            return [_line(line, f"{place}:{number}", form) for number, line in _lines(raw)]
        raise _not_json(error, f"{place}:{error.lineno}", form) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error, place, form) from None


def _lines(raw: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _line(raw: bytes, place: str, form: Form[A]) -> Any:
    try:
        return json.loads(raw)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error, place, form) from None


def _not_json(error: Exception, place: str, form: Form[A]) -> InputError:
    if isinstance(error, json.JSONDecodeError):
        message = f"this is not JSON, or is cut off: {error.msg}"
        return InputError(message, place=f"{place}:{error.colno}", hint=form.expected)
    message = f"this is not JSON ({type(error).__name__})"
    return InputError(message, place=place, hint=form.expected)
