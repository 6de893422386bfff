"""Reading JSON of which nothing is known: what is not of the wanted shape is empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast


def as_object(value: object) -> Mapping[str, object]:
    """Give an object, or an empty one."""
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[object]:
    """Give a list, or a list of the one value."""
    return cast("list[object]", value) if isinstance(value, list) else [value]


def is_object(value: object) -> bool:
    """Say whether a value is an object."""
    return isinstance(value, Mapping)
