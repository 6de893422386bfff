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


def _smaller(record: Record) -> Iterator[Record]:
    for name in ("bindings", "roles"):
        for index in range(len(record[name])):
            changed = _copy(record)
            del changed[name][index]
            yield changed
    for name, field in (("roles", "rules"), ("bindings", "subjects")):
        for index, one in enumerate(record[name]):
            for place in range(len(one[field])):
                changed = _copy(record)
                del changed[name][index][field][place]
                yield changed
    for kind in ("bindings", "roles"):
        if record["unread"][kind]:
            changed = _copy(record)
            changed["unread"][kind] = []
            yield changed
    if record["anonymous"] is None:
        yield {**_copy(record), "anonymous": False}
