"""Principals that are not in the snapshot: what one would be after a change that it can make.

Such a one has a name of its own: the object id, `#`, and what has changed. Object ids hold no `#`.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class How(StrEnum):
    """What became of a principal. The value is how the suffix of its name begins."""

    ANY_ROLE = "any-role@"
    ROLES = "roles@"


class Became(msgspec.Struct, frozen=True):
    """`base` is the object id. `what` is the scope at which it has given itself roles: any, or all
    that a condition lets it assign."""

    base: str
    how: How
    what: str

    @property
    def name(self) -> str:
        """Its name, which `became` reads back."""
        return f"{self.base}#{self.how}{self.what}"


def became(name: str) -> Became | None:
    """Read a name; None if it is that of a principal as it stands."""
    base, sign, suffix = name.partition("#")
    how = next((how for how in How if suffix.startswith(how)), None)
    if not sign or how is None:
        return None
    return Became(base, how, suffix.removeprefix(how))
