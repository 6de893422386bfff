"""Makes a case smaller for as long as something about it stays true."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

Record = dict[str, Any]

_LISTS = ("bindings", "denies", "boundaries", "gaps")


def shrink(record: Mapping[str, object], still: Callable[[Record], bool]) -> Record:
    """Give a smallest version of a case of which `still` holds, as it must of the case itself."""
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
    try:
        return still(_copy(candidate))
    except (ValueError, KeyError, TypeError):
        return False


def _copy(record: Mapping[str, object]) -> Record:
    return cast("Record", json.loads(json.dumps(record)))


def _smaller(record: Record) -> Iterator[Record]:
    for name in _LISTS:
        for index in range(len(record[name])):
            yield _less(record, name, index)
    for name, field in (("bindings", "members"), ("denies", "rules")):
        for index, one in enumerate(record[name]):
            for place in range(len(one[field])):
                changed = _copy(record)
                del changed[name][index][field][place]
                yield changed
    for name in ("bindings", "boundaries"):
        for index, one in enumerate(record[name]):
            if one["condition"]:
                changed = _copy(record)
                changed[name][index]["condition"] = ""
                yield changed
    if record["request"]["context"]:
        changed = _copy(record)
        changed["request"]["context"] = {}
        yield changed


def _less(record: Record, name: str, index: int) -> Record:
    changed = _copy(record)
    del changed[name][index]
    return changed
