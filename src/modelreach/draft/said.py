"""What a source says of a release: one value, where it stands, and how much it counts."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Rank(IntEnum):
    """How much a value counts: what a manifest declares beats what another file says, and that
    beats what only follows from it. `UNKNOWN` is a place that a person has to fill in."""

    UNKNOWN = 0
    INFERRED = 1
    IMPORTED = 2
    DECLARED = 3


#: Lists of a manifest whose members are told apart by `id`.
KEYED = frozenset({"identities", "tools", "dataSources", "guardrails", "downstream"})


#: How ids end of identities that only the credential of a tool tells of.
CREDENTIAL = "-credential"


class Said(msgspec.Struct, frozen=True):
    """One value for one place of a manifest.

    `path` leads there from the top, members of lists by their `id`: `("spec", "tools", "search",
    "effect")`. `at` is where the source says it. `name` is what a person calls the value where
    it is a bare id, `unknown` what a person still has to say about it.
    """

    path: tuple[str, ...]
    value: object
    at: str = ""
    rank: Rank = Rank.IMPORTED
    name: str = ""
    unknown: str = ""


class Secret(msgspec.Struct, frozen=True):
    """That a source holds or names a secret at this place. Never its value."""

    at: str


class Source(msgspec.Struct, frozen=True):
    """One source of a draft: what people call it, and what it is."""

    name: str
    what: str


def to_fill(path: tuple[str, ...], why: str, at: str = "") -> Said:
    """Give a mandatory value that the source does not say."""
    return Said(path, "unknown", at, Rank.UNKNOWN, unknown=why)
