"""Exports of other tools, as the answers that they are: the Azure command line and AzureHound.

They are recognised by what they hold. What an export does not hold was not collected, and is not
read as empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from modelreach.collect.answers import Refusal
from modelreach.model import InputError
from modelreach_azure import azurehound
from modelreach_azure.answers import Answer, answer
from modelreach_azure.calls import CALLS
from modelreach_azure.parse.ids import (
    MANAGEMENT_GROUP,
    RESOURCE_GROUP,
    ROOT,
    SUBSCRIPTION,
    arm_id,
    lower,
    scope_of,
    subscription_of,
)

Row = dict[str, Any]
#: The tenant of what does not say which it is of.
UNNAMED: Final = "unnamed-tenant"
_SERVICES: Final = {call.operation: call.service.value for call in CALLS}
_CONTAINERS: Final = frozenset({MANAGEMENT_GROUP, SUBSCRIPTION, RESOURCE_GROUP})
_AUTHORIZATION: Final = {
    "microsoft.authorization/roleassignments": "roleassignments",
    "microsoft.authorization/roledefinitions": "roledefinitions",
}
#: `az role assignment list` leaves out what is assigned above the subscription, unless told.
_FROM_ABOVE: Final = Refusal(
    "not-collected",
    message="an export may leave out what is assigned above, or in other subscriptions",
)


class Exports:
    """What exports said so far: rows by operation, and by the thing that they are about."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[str, Row]] = {}
        self._tenants: set[str] = set()

    def take(self, content: Any, *, place: str) -> bool:
        """Take an export in; say whether it is one. Raises `InputError` for a broken one."""
        if azurehound.recognised(content):
            for told in azurehound.read(content, place=place):
                self._tell(told.operation, told.row, told.about)
                self._note_tenant(told.row)
            return True
        rows = _listed(content)
        kinds = [_operation(row) for row in rows]
        if not rows or not all(kinds):
            return False
        for row, operation in zip(rows, kinds, strict=True):
            self._tell(operation, _whole(row, operation))
            self._note_tenant(row)
        return True

    def _tell(self, operation: str, row: Row, about: str = "") -> None:
        known = self._rows.setdefault((operation, about), {})
        known.setdefault(lower(row.get("id")) or str(len(known)), row)

    def _note_tenant(self, row: Row) -> None:
        if row.get("tenantId"):
            self._tenants.add(lower(row["tenantId"]))

    def answers(self, tenant: str) -> tuple[Answer, ...]:
        """Give everything as answers, of the tenant that it says, else of the one given.

        Raises `InputError` for exports of several tenants.
        """
        if not self._rows:
            return ()
        if len(self._tenants) > 1:
            raise InputError(
                f"these exports are of {len(self._tenants)} tenants: "
                f"{', '.join(sorted(self._tenants))}",
                place="--from",
                hint="make a snapshot of each",
            )
        of = next(iter(self._tenants), tenant or UNNAMED)
        return tuple(self._as_answers(of))

    def _as_answers(self, tenant: str) -> Iterator[Answer]:
        for row in _containers_of(self._every_id()):
            self._tell("resourcecontainers", row)
        for (operation, about), rows in sorted(self._rows.items()):
            error = _FROM_ABOVE if operation == "roleassignments" else None
            parameters = {"id": about} if about else {}
            yield answer(
                tenant,
                subscription_of(about),
                _SERVICES[operation],
                operation,
                parameters,
                {"value": list(rows.values())},
                error,
            )

    def _every_id(self) -> list[str]:
        found = {
            arm_id(identifier)
            for (operation, _), rows in self._rows.items()
            for row in rows.values()
            for identifier in (row.get("id"), (row.get("properties") or {}).get("scope"))
            if operation in ("roleassignments", "resources", "containers", "subscriptions")
        }
        return sorted(found)


def _listed(content: Any) -> list[Row]:
    """Give the rows of a list, or of what `az graph query` and Graph put one in."""
    if isinstance(content, dict):
        content = content.get("data", content.get("value"))
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        return []
    return content


def _operation(row: Row) -> str:
    """Give the operation that would have given a row, "" for one that none would."""
    kind = lower(row.get("type"))
    if kind in _AUTHORIZATION:
        return _AUTHORIZATION[kind]
    if "roleDefinitionId" in row and "principalId" in row and "scope" in row:
        return "roleassignments"
    if "roleName" in row and "permissions" in row:
        return "roledefinitions"
    if "servicePrincipalType" in row and "appId" in row:
        return "servicePrincipals"
    if "appId" in row and "signInAudience" in row:
        return "applications"
    if kind in _CONTAINERS:
        return "resourcecontainers"
    return "resources" if kind and str(row.get("id", "")).startswith("/") else ""


def _whole(row: Row, operation: str) -> Row:
    """Give a row in the form of the service: the command line takes `properties` apart."""
    if operation not in ("roleassignments", "roledefinitions") or isinstance(
        row.get("properties"), dict
    ):
        return row
    top = {name: row.get(name) for name in ("id", "name", "type")}
    inner = {name: value for name, value in row.items() if name not in top}
    return {**top, "properties": {**inner, "type": inner.get("roleType")}}


def _containers_of(identifiers: Iterable[str]) -> Iterator[Row]:
    """Give the scopes that ids tell of; an export seldom lists them."""
    for identifier in identifiers:
        subscription = subscription_of(identifier)
        if subscription:
            yield {"id": subscription, "type": SUBSCRIPTION, "properties": {}}
        group = identifier if "/providers/" not in identifier else scope_of(identifier)
        if "/resourcegroups/" in group:
            name = group.rpartition("/")[2]
            yield {"id": group, "type": RESOURCE_GROUP, "name": name, "properties": {}}
        if identifier.startswith(f"/providers/{MANAGEMENT_GROUP}/") and identifier != ROOT:
            name = identifier.split("/")[4]
            above = f"/providers/{MANAGEMENT_GROUP}/{name}"
            yield {"id": above, "type": MANAGEMENT_GROUP, "name": name, "properties": {}}
