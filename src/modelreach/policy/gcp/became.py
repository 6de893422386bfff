"""Names of what a principal would be after a change that it may make itself.

`MEMBER#no-deny-policy=SCOPE` is the principal once the deny policies of a scope, and of those
below it, are edited away; `no-boundary` likewise without boundaries, `no-constraint` without those
of the organization policy that forbid credentials, `any-tag` with tags of its choice on what lies
there.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class How(StrEnum):
    """What has changed."""

    NO_DENY = "no-deny-policy"
    NO_BOUNDARY = "no-boundary"
    ANY_TAG = "any-tag"
    NO_CONSTRAINT = "no-constraint"


class Became(msgspec.Struct, frozen=True):
    """A principal (`base`) after a change, at a place."""

    base: str
    how: How
    place: str

    @property
    def name(self) -> str:
        """The name that stands for it in a graph."""
        return f"{self.base}#{self.how}={self.place}"


def became(name: str) -> Became | None:
    """Read such a name; None for that of a plain principal."""
    base, mark, change = name.rpartition("#")
    how, equals, place = change.partition("=")
    if not mark or not equals or how not in set(How):
        return None
    return Became(base, How(how), place)
