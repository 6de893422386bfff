"""Which identity of a snapshot was meant by one that is not in it."""

from __future__ import annotations

from collections.abc import Iterable

from modelreach.snapshot import Principal

#: So many places are named of a snapshot that does not have an identity.
_NAMED = 5


def some(places: Iterable[str]) -> str:
    """Give the first places by name, and how many more there are; "" where there are none."""
    named = sorted(places)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more


def is_blank(identity: str) -> bool:
    """Did a draft leave a part of an identity to a person?"""
    return "unknown" in identity.replace("/", ":").split(":")


def meant(identity: str, principals: Iterable[Principal]) -> str:
    """Give the id of the only principal that is called so, else of the one whose id looks the most
    like it, of those in the same place; nothing where there is none."""
    place = identity.rpartition("/")[0].lower()
    called: set[str] = set()
    near: list[str] = []
    for principal in principals:
        if principal.name.lower() == identity.lower():
            called.add(principal.id)
        elif place and principal.id.lower().startswith(place):
            near.append(principal.id)
    if len(called) == 1:
        return called.pop()
    from difflib import get_close_matches

    return next(iter(get_close_matches(identity, sorted(near), n=1, cutoff=0.9)), "")
