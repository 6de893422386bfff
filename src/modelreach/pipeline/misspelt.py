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
    like it, of those in the same place, or whose name does where none is said; nothing where there
    is none."""
    from difflib import get_close_matches

    place = identity.rpartition("/")[0].lower()
    called: set[str] = set()
    looks: dict[str, set[str]] = {}
    for principal in principals:
        if principal.name.lower() == identity.lower():
            called.add(principal.id)
        elif not place:
            looks.setdefault(principal.name, set()).add(principal.id)
        elif principal.id.lower().startswith(place):
            looks.setdefault(principal.id, set()).add(principal.id)
    if len(called) != 1:
        near = get_close_matches(identity, sorted(looks), n=1, cutoff=0.9 if place else 0.8)
        called = looks[near[0]] if near else set()
    return called.pop() if len(called) == 1 else ""
