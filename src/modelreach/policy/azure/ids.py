"""What an ARM id says by itself: what it lies in, its type, and how its parts are called.

Ids are compared without regard to case; the functions take them in lower case.
https://learn.microsoft.com/azure/role-based-access-control/scope-overview
"""

from __future__ import annotations

from collections.abc import Iterator

ROOT = "/"
MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"
_SUBSCRIPTION = "/subscriptions/"
_PROVIDERS = "/providers/"


def is_arm(name: str) -> bool:
    """Is it an ARM id or scope, rather than an object of Entra?"""
    return name == ROOT or name.startswith((_SUBSCRIPTION, _PROVIDERS))


def enclosing(name: str) -> Iterator[str]:
    """Give the id itself and every id that it lies in by its own spelling, closest first.

    Some of these are no scopes (`…/providers/microsoft.storage`); nothing is assigned there.
    """
    yield name
    end = name.rfind("/")
    while end > 0:
        yield name[:end]
        end = name.rfind("/", 0, end)


def subscription_of(name: str) -> str:
    """Give the subscription that an id lies in; "" when it lies in none."""
    if not name.startswith(_SUBSCRIPTION):
        return ""
    end = name.find("/", len(_SUBSCRIPTION))
    return name if end < 0 else name[:end]


def parts(name: str) -> tuple[tuple[str, str], ...]:
    """Give the types that the last provider of an id goes through, each with the name there.

    `…/providers/microsoft.storage/storageaccounts/a/blobservices/default` gives
    `(microsoft.storage/storageaccounts, a)` and
    `(microsoft.storage/storageaccounts/blobservices, default)`. The types are in lower case; the
    names are as given.
    """
    place = name.lower().rfind(_PROVIDERS)
    if place < 0:
        return ()
    namespace, *rest = name[place + len(_PROVIDERS) :].split("/")
    found: list[tuple[str, str]] = []
    kind = namespace.lower()
    for position in range(0, len(rest) - 1, 2):
        kind = f"{kind}/{rest[position].lower()}"
        found.append((kind, rest[position + 1]))
    return tuple(found)


def type_of(name: str) -> str:
    """Give the type of the resource that an id names, in lower case; "" for what is none."""
    found = parts(name)
    return found[-1][0] if found else ""
