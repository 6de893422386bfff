"""Words for kinds and places of Google Cloud and of clusters."""

from __future__ import annotations

import re

_PLACES = re.compile(r"(organizations|folders|projects)/([^/*?]+)/\*")
_CLUSTERS = re.compile(r"k8s/([^/*?]+)(?:/([^/*?]+))?/\*")
_SINGLE = {"organizations": "organization", "folders": "folder", "projects": "project"}


def place_of_pattern(pattern: str) -> str | None:
    """Give the scope that a pattern means all of, in words; None for another pattern."""
    if found := _PLACES.fullmatch(pattern):
        return f"{_SINGLE[found[1]]} {found[2]}"
    if found := _CLUSTERS.fullmatch(pattern):
        return f"namespace {found[2]}" if found[2] else f"cluster {found[1]}"
    return None


def noun_of_kind(kind: str) -> str:
    """Give `secret` of `secretmanager.googleapis.com/Secret`, `secrets` of `kubernetes:secrets`,
    "" where no one thing is meant."""
    if kind.startswith("kubernetes:"):
        return kind.partition(":")[2].partition(".")[0].strip("*")
    name = kind.partition("/")[2].strip("*")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
