"""Values of a resource as a plan tells them: known, unknown until apply, or withheld.

What the plan marks as sensitive is dropped while it is read, so that it can be in no fact and in
no message; what is not known yet stays visible as such, and is never the same as nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any, Final

Json = Any


class Unread(Enum):
    """A value that is there and is not told."""

    UNKNOWN = "known after apply"
    WITHHELD = "sensitive"


UNKNOWN: Final = Unread.UNKNOWN
WITHHELD: Final = Unread.WITHHELD


def told(value: Json, unknown: Json = None, sensitive: Json = None) -> Json:
    """Give a value with what is unknown or sensitive in it replaced by its mark.

    `unknown` and `sensitive` have the shape of the value, or are true for all of it:
    https://developer.hashicorp.com/terraform/internals/json-format#change-representation
    """
    if sensitive is True:
        return WITHHELD
    if unknown is True:
        return UNKNOWN
    if isinstance(value, dict) or (value is None and isinstance(unknown, dict)):
        return _told_object(value or {}, _mapping(unknown), _mapping(sensitive))
    if isinstance(value, list) or (value is None and isinstance(unknown, list)):
        return _told_list(value or [], _sequence(unknown), _sequence(sensitive))
    return value


def _told_object(
    value: Mapping[str, Json], unknown: Mapping[str, Json], sensitive: Mapping[str, Json]
) -> dict[str, Json]:
    names = dict.fromkeys((*value, *(name for name in unknown if unknown[name])))
    return {name: told(value.get(name), unknown.get(name), sensitive.get(name)) for name in names}


def _told_list(value: list[Json], unknown: list[Json], sensitive: list[Json]) -> list[Json]:
    length = max(len(value), len(unknown))
    return [told(_at(value, n), _at(unknown, n), _at(sensitive, n)) for n in range(length)]


def _at(values: list[Json], number: int) -> Json:
    return values[number] if number < len(values) else None


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def is_unread(value: Json) -> bool:
    """Is there something that is not told, at any depth?"""
    if isinstance(value, dict):
        return any(map(is_unread, value.values()))
    if isinstance(value, list):
        return any(map(is_unread, value))
    return isinstance(value, Unread)


def at(value: Json, path: str) -> Json:
    """Give what is at a dotted path; a block, which plans write as a list of one, is entered.

    A number leads into a list. What lies within something unread is unread.
    """
    for name in path.split("."):
        if isinstance(value, list) and name.isdecimal():
            value = _at(value, int(name))
            continue
        value = one_of(value)
        if isinstance(value, Unread):
            return value
        value = value.get(name) if isinstance(value, dict) else None
    return value


def one_of(value: Json) -> Json:
    """Give the only block of a list of blocks; anything else as it is."""
    if isinstance(value, list):
        return value[0] if value else None
    return value


def text(value: Json) -> str:
    """Give a text or number as text; "" for everything else, what is unread included."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)


def texts(value: Json) -> tuple[str, ...]:
    """Give the texts of a list, in its order; one that stands alone counts as a list of it."""
    values = value if isinstance(value, list) else [value]
    return tuple(found for one in values if (found := text(one)))


def blocks(value: Json) -> Iterator[dict[str, Json]]:
    """Give the objects of a list of blocks."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one


def pairs(value: Json) -> dict[str, str]:
    """Give a map of texts, as tags and labels are; what is unread in it is left out."""
    return {
        str(name): text(one)
        for name, one in (value.items() if isinstance(value, dict) else ())
        if isinstance(one, str | int) and not isinstance(one, bool)
    }


def parsed(value: Json) -> Json:
    """Give a document: decoded where it is JSON text, as it is where it is not."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value
