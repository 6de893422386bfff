"""Persons and groups that a directory role may not change, though it says so.

Whose password a role may reset goes by what the person holds: most roles that reset passwords may
do so to holders of some others only, and not to who is in, or owns, a group that may hold roles,
or holds one for a unit of restricted management. Held for a unit, they may do so to nobody who
holds any. What is in an administrative unit of restricted management is changed by roles for that
unit only; no role for the tenant, no permission of an application and no owner is enough.
https://learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions#who-can-reset-passwords
https://learn.microsoft.com/entra/identity/role-based-access-control/manage-roles-portal#roles-that-can-be-assigned-with-administrative-unit-scope
https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelreach.policy.azure.estate import Estate, Held
from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, negate
from modelreach.snapshot import Principal

RESETTING: Final = frozenset(
    {
        "microsoft.directory/users/password/update",
        "microsoft.directory/users/authenticationmethods/create",
    }
)
_ROLES: Final = "/rolemanagement/directory/roledefinitions/"
_UNITS: Final = "/administrativeunits/"
#: Ids of the roles that come with every tenant.
#: https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
_AUTHENTICATION: Final = "c4e39bd9-1100-46d3-8c65-fb160da0071f"
_GROUPS: Final = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
_HELPDESK: Final = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
_PASSWORDS: Final = "966707d0-3269-4727-9be2-8c3a10f19b9d"
_USERS: Final = "fe930be7-5e62-47db-91af-98c3a49a38b1"
#: Directory readers and guest inviters, whose passwords any of these roles may reset.
_LEAST: Final = frozenset(
    {"88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "95e79109-95c0-4d8e-aee3-d01accf2d47b"}
)
#: Readers of messages and of reports of both kinds, and success managers.
_READING: Final = frozenset(
    {
        "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b",
        "4a5d8f65-41da-4de4-8968-e035b65339cf",
        "75934031-6c7e-415a-99d7-48dbd49e875e",
        "27460883-1df1-4691-b032-3b79643e5e63",
    }
)
#: Global and privileged authentication administrators, and the second tier of partner support
#: (the first resets passwords of who holds no role).
_OF_ANYBODY: Final = frozenset(
    {
        "62e90394-69f5-4237-9190-012177145e10",
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
        "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8",
    }
)
_OF_THESE: Final = {
    _PASSWORDS: _LEAST | {_PASSWORDS},
    _HELPDESK: _LEAST | _READING | {_PASSWORDS, _HELPDESK},
    _AUTHENTICATION: _LEAST | _READING | {_PASSWORDS, _AUTHENTICATION},
    _USERS: _LEAST | _READING | {_PASSWORDS, _HELPDESK, _GROUPS, _USERS},
    "4ba39ca4-527c-499a-b93d-d9b492c50246": frozenset[str](),
}


def resets(estate: Estate, held: Held, target: str) -> Expr:
    """When a directory role that somebody holds may reset the password of a person."""
    role = held.binding.role.removeprefix(_ROLES)
    person = estate.facts.principals.get(target)
    if person is None or person.kind != "user" or role in _OF_ANYBODY:
        return TRUE
    whole = held.binding.target == estate.tenant
    return all_of(
        (
            *_apart_from_roles(estate, person),
            *(_of_holder(estate, role, other, whole=whole) for other in estate.held(person)),
        )
    )


def _of_holder(estate: Estate, role: str, other: Held, *, whole: bool) -> Expr:
    """May a role, held for the tenant or not, reset the password of who holds another?"""
    theirs = other.binding.role
    if not theirs.startswith(_ROLES) or other.eligible:
        return TRUE
    open_to = _OF_THESE.get(role, frozenset[str]()) if whole else frozenset[str]()
    if theirs.removeprefix(_ROLES) in open_to:
        closed_to = _restricted(estate, other.binding.target)
        return negate(closed_to if not other.doubt else all_of((closed_to, _doubt(other))))
    if other.doubt:
        return negate(_doubt(other))
    if role in _OF_THESE:
        return FALSE
    name = other.role.name if other.role is not None else theirs
    return provided(f"its role may reset the password of who holds {name}")


def _doubt(held: Held) -> Expr:
    return Atom(AtomKind.GAP, held.doubt)


def _restricted(estate: Estate, place: str) -> Expr:
    """Is a place of restricted management?"""
    if not place.startswith(_UNITS):
        return FALSE
    if estate.scope(place) is None and estate.unread("administrative-units", (estate.tenant,)):
        return Atom(AtomKind.GAP, f"the administrative unit {place.removeprefix(_UNITS)}")
    return TRUE if estate.is_restricted(place) else FALSE


def _apart_from_roles(estate: Estate, person: Principal) -> Iterator[Expr]:
    """Who is in, or owns, a group that may hold directory roles is protected whether it does."""
    known = estate.facts.principals
    own = (*estate.groups_of(person), *(one.id for one in estate.owned_by(person.id)))
    if any(_holds_roles(known.get(name)) for name in own):
        yield FALSE
    for unread, within in estate.perhaps.items():
        if unread not in own and any(_holds_roles(known.get(name)) for name in within):
            yield negate(Atom(AtomKind.GAP, f"the members of group {unread}"))
    if missing := estate.unread("directory-roles", (estate.tenant,)):
        yield Atom(AtomKind.GAP, missing)


def _holds_roles(group: Principal | None) -> bool:
    return group is not None and group.attributes.get("role_assignable") is True


def changes(name: str) -> bool:
    """Does an operation on the directory, or a permission of an application, change what it is
    asked about? Who federates a domain changes none of its people."""
    if name.startswith(("microsoft.directory/domains/", "domain.", "domain-")):
        return False
    if "/" in name:
        return not name.endswith("/read")
    words = name.split(".")
    return not any(word.startswith("read") and word != "readwrite" for word in words)


def closed(estate: Estate, place: str, target: str) -> bool:
    """Does a role that is held in a place not count for changing an object, since this is in a
    unit of restricted management?"""
    units = estate.restricting(target)
    return bool(units) and place not in units
