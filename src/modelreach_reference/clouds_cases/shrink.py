"""Makes a case smaller for as long as something about it stays true."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

Record = dict[str, Any]


def shrink(record: Mapping[str, object], still: Callable[[Record], bool]) -> Record:
    """Give a smallest version of a case of which `still` holds, as it must of the case itself."""
    smallest = _copy(record)
    while True:
        smaller = next((one for one in _smaller(smallest) if still(_copy(one))), None)
        if smaller is None:
            return smallest
        smallest = smaller


def _copy(record: Mapping[str, object]) -> Record:
    return cast("Record", json.loads(json.dumps(record)))


#: Lists of which members are told by their place, or of which none at all says something else.
_KEPT = ("asks", "clients", "providers", "sub")


def _smaller(record: Record) -> Iterator[Record]:
    for path in _lists(record):
        for index in range(len(_at(record, path))):
            changed = _copy(record)
            del _at(changed, path)[index]
            yield changed


def _lists(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, list):
        if value and not (path and path[-1] in _KEPT and "accounts" in path):
            yield path
        for index, inner in enumerate(cast("list[object]", value)):
            yield from _lists(inner, (*path, index))
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            yield from _lists(inner, (*path, name))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        value = value[name]
    return value
