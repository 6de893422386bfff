"""Makes a case smaller for as long as something about it stays true."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import cast

Record = dict[str, object]
Path = tuple[str | int, ...]

FIXED = frozenset({"id", "name", "mode", "request", "policies", "principal", "action"})
KEPT = frozenset({"Effect", "Statement", "Version", "Action", "Resource", "Principal"})
"""Without these a statement would be another one, or one that AWS refuses."""

LISTS_OF_TEXT = frozenset(
    {"Action", "NotAction", "Resource", "NotResource", "AWS", "Service", "Federated"}
)
"""Lists that mean something else, or nothing, when they are empty."""

SIMPLER: tuple[tuple[Path, object], ...] = (
    (("request", "wildcard_only"), False),
    (("policies", "resource"), None),
    (("policies", "boundaries"), None),
    (("policies", "session"), None),
    (("policies", "endpoint"), None),
)


def shrink(record: Mapping[str, object], still: Callable[[Record], bool]) -> Record:
    """Give a smallest version of a case of which `still` holds, as it must of the case itself.

    Takes away one thing at a time - a layer, a level, a policy, a statement, an element, a value,
    a key of the context - until nothing more can go.
    """
    smallest = _copy(record)
    again = True
    while again:
        again = False
        for candidate in _smaller(smallest):
            if _holds(still, candidate):
                smallest, again = candidate, True
                break
    return smallest


def _holds(still: Callable[[Record], bool], candidate: Record) -> bool:
    """A candidate that nobody can read shows nothing."""
    try:
        return still(_copy(candidate))
    except (ValueError, KeyError, TypeError):
        return False


def _copy(record: Mapping[str, object]) -> Record:
    return cast("Record", json.loads(json.dumps(record)))


def _smaller(record: Record) -> Iterator[Record]:
    for path, value in SIMPLER:
        if _at(record, path) != value:
            yield _with(record, path, value)
    if record.get("settings"):
        yield _with(record, ("settings",), {})
    for path in _removable(record, ()):
        yield _without(record, path)
    for path in _listed_once(record, ()):
        yield _with(record, path, cast("list[object]", _at(record, path))[0])


def _removable(part: object, path: Path) -> Iterator[Path]:
    """Give what may be taken away, outer things first."""
    if isinstance(part, dict):
        keys = [key for key in cast("Record", part) if len(path) > 1 or key not in FIXED]
        yield from ((*path, key) for key in keys if _may_go(path, key))
        for key, inner in cast("Record", part).items():
            yield from _removable(inner, (*path, key))
    elif isinstance(part, list):
        items = cast("list[object]", part)
        if len(items) > 1 or (path[-1] not in LISTS_OF_TEXT and "Condition" not in path):
            yield from ((*path, index) for index in range(len(items)))
        for index, inner in enumerate(items):
            yield from _removable(inner, (*path, index))


def _may_go(path: Path, key: str) -> bool:
    """The request keeps its parts, and a statement what makes it one."""
    return path not in (("request",), ("policies",)) and key not in KEPT


def _listed_once(part: object, path: Path) -> Iterator[Path]:
    """Give the lists of one text, which are simpler without brackets."""
    if isinstance(part, dict):
        for key, inner in cast("Record", part).items():
            yield from _listed_once(inner, (*path, key))
    elif isinstance(part, list):
        items = cast("list[object]", part)
        if len(items) == 1 and isinstance(items[0], str):
            yield path
        for index, inner in enumerate(items):
            yield from _listed_once(inner, (*path, index))


def _at(record: object, path: Path) -> object:
    for step in path:
        record = cast("dict[str | int, object]", record)[step]
    return record


def _with(record: Record, path: Path, value: object) -> Record:
    changed = _copy(record)
    cast("dict[str | int, object]", _at(changed, path[:-1]))[path[-1]] = value
    return changed


def _without(record: Record, path: Path) -> Record:
    changed = _copy(record)
    del cast("dict[str | int, object]", _at(changed, path[:-1]))[path[-1]]
    return changed
