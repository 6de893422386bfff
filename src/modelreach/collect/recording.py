"""A run kept as files, and read back: the same answers, so the same snapshot.

A recording is a folder: `manifest.json` names the run and its files, and each of these holds what
was answered in one place. What a place is, and how its file is called, the connector says. The
manifest is written last, so that a run that was stopped leaves none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from modelreach.collect.answers import A
from modelreach.collect.sources import Replayed
from modelreach.model import InputError

_Place = TypeVar("_Place")


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


class _Dated(Protocol):
    @property
    def taken_at(self) -> str: ...


class _Manifest(_Dated, Protocol):
    @property
    def files(self) -> tuple[str, ...]: ...


_File = TypeVar("_File", bound=_Dated)


@dataclass(frozen=True, slots=True)
class Format(Generic[_File, A]):
    """The files of one provider's recordings: how their formats are called and what is in them.

    `answers` gives those of a file; it may raise `ValidationError` where the file is broken.
    """

    provider: str
    manifest_type: type[_Manifest]
    file_type: type[_File]
    answers: Callable[[_File], Iterable[A]]

    @property
    def of_manifests(self) -> str:
        """What the manifest calls its format."""
        return f"modelreach.{self.provider}-recording/1"

    @property
    def of_files(self) -> str:
        """What every other file calls its format."""
        return f"modelreach.{self.provider}-answers/1"

    def read(self, raw: Any, place: str) -> Replayed[A] | None:
        """Give what a decoded file of a recording holds, None for another. Raises `InputError`."""
        form = cast(dict[str, Any], raw).get("format") if isinstance(raw, dict) else None
        try:
            if form == self.of_manifests:
                manifest = msgspec.convert(raw, self.manifest_type)
                return Replayed(manifest.taken_at, files=manifest.files)
            if form == self.of_files:
                file = msgspec.convert(raw, self.file_type)
                return Replayed(file.taken_at, tuple(self.answers(file)))
        except msgspec.ValidationError as error:
            raise broken(error, place=place, provider=self.provider) from None
        return None


def broken(error: Exception, *, place: str, provider: str) -> InputError:
    """Give the error for a file of a recording that is not what it should be."""
    what = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(
        f"this recording is broken ({what})",
        place=place,
        hint=f"record it again with `modelreach collect {provider} --record DIR`",
    )
