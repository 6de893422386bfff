"""The smallest case that still does what a big one did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, cast

Json = dict[str, Any]


def shrink(case: Json, still: Callable[[Json], bool]) -> Json:
    """Leave out what can be left out, one thing after another, as long as `still` holds."""
    found = case
    while True:
        smaller = next((one for one in _smaller(found) if still(one)), None)
        if smaller is None:
            return found
        found = smaller


def _smaller(case: Json) -> Iterator[Json]:
    for path in _paths(case):
        yield _without(case, path)


Path = tuple[str | int, ...]


def _paths(case: Json) -> Iterator[Path]:
    """What may be left out, as the way to it."""
    for name in ("assignments", "denies", "unread_groups"):
        yield from ((name, place) for place in range(len(case[name])))
    for name in ("locks", "context", "groups"):
        yield from ((name, key) for key in case[name])
    for place, assignment in enumerate(case["assignments"]):
        if assignment.get("condition"):
            yield "assignments", place, "condition"
    roles = cast("dict[str, list[Json] | None]", case["roles"])
    for role, blocks in roles.items():
        for place, block in enumerate(blocks or []):
            if len(blocks or []) > 1:
                yield "roles", role, place
            yield from (("roles", role, place, key) for key in block)


def _without(case: Json, path: Path) -> Json:
    changed: Any = deepcopy(case)
    *way, last = path
    place = changed
    for step in way:
        place = place[step]
    del place[last]
    return cast("Json", changed)
