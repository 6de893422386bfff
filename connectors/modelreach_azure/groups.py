"""Which groups and administrative units are looked into: those that hold, or bound, something.

A tenant has tens of thousands of groups, and most carry no access that an application could have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from modelreach_azure.select import Parameters, at, items, rows

if TYPE_CHECKING:
    from modelreach_azure.answers import Answer

_UNITS: Final = "/administrativeunits/"
#: Where the object id of a holder is, by operation.
_HOLDERS: Final = {
    "roleassignments": "properties.principalId",
    "roleAssignments": "properties.principalId",
    "managementGroup.roleAssignments": "properties.principalId",
    "roleEligibilityScheduleInstances": "properties.principalId",
    "managementGroup.roleEligibilityScheduleInstances": "properties.principalId",
    "directory.roleAssignments": "principalId",
    "directory.roleEligibilityScheduleInstances": "principalId",
    "appRoleAssignedTo": "principalId",
    "sqlRoleAssignments": "properties.principalId",
}


def groups_that_hold(answers: Iterable[Answer]) -> Iterator[Parameters]:
    """Select the groups that a role, an app role, a deny assignment or an access policy names."""
    known: set[str] = set()
    held: set[str] = set()
    for one in answers:
        if one.operation == "groups":
            known.update(str(row.get("id", "")).lower() for row in rows(one.response))
        held.update(identifier.lower() for identifier in _named(one))
    yield from ({"id": group} for group in sorted(known & held))


def _named(one: Answer) -> Iterator[str]:
    for row in rows(one.response):
        if path := _HOLDERS.get(one.operation):
            yield str(at(row, path) or "")
        elif one.operation == "resources":
            yield from _in_access_policies(row)
        elif one.operation.endswith("denyAssignments"):
            for name in ("principals", "excludePrincipals"):
                listed = items(_properties(row), name)
                yield from (str(entry.get("id", "")) for entry in listed)


def _properties(row: dict[str, Any]) -> dict[str, Any]:
    found = row.get("properties")
    return found if isinstance(found, dict) else {}


def _in_access_policies(row: dict[str, Any]) -> Iterator[str]:
    for entry in items(_properties(row), "accessPolicies"):
        yield str(entry.get("objectId", ""))


def scoped_units(answers: Iterable[Answer]) -> Iterator[Parameters]:
    """Select the administrative units over which a directory role is held."""
    units: set[str] = set()
    for one in answers:
        if one.operation.startswith("directory.role"):
            scopes = (str(row.get("directoryScopeId", "")).lower() for row in rows(one.response))
            units.update(
                scope.removeprefix(_UNITS) for scope in scopes if scope.startswith(_UNITS)
            )
    yield from ({"id": unit} for unit in sorted(units))
