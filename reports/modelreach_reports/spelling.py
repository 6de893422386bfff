"""Words for kinds and places of Google Cloud."""

from __future__ import annotations

import re

_PLACES = re.compile(r"(organizations|folders|projects)/([^/*?]+)/\*")
_SINGLE = {"organizations": "organization", "folders": "folder", "projects": "project"}


def place_of_pattern(pattern: str) -> str | None:
    """Give the scope that a pattern means all of, in words; None for another pattern."""
    found = _PLACES.fullmatch(pattern)
    return f"{_SINGLE[found[1]]} {found[2]}" if found else None


def noun_of_kind(kind: str) -> str:
    """Give `secret` of `secretmanager.googleapis.com/Secret`, "" where no one thing is meant."""
    name = kind.partition("/")[2].strip("*")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
