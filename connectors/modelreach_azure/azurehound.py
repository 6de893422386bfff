"""AzureHound's output, row by row as the services gave it.

It keeps ARM's and Graph's own objects, with ids in upper case, wrapped by kind: a list of owners,
of members, of assignees. https://bloodhound.specterops.io/collect-data/azurehound
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from modelreach.model import InputError
from modelreach_azure.parse.ids import MANAGEMENT_GROUP, RESOURCE_GROUP, lower

Row = dict[str, Any]
_HINT: Final = "save the whole output of `azurehound list`"


@dataclass(frozen=True, slots=True)
class Told:
    """One row of an operation; `about` is what the call would have been for."""

    operation: str
    row: Row
    about: str = ""


def recognised(content: object) -> bool:
    """Is this AzureHound's output? Its entries have a kind and data."""
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        return False
    meta = content.get("meta")
    if isinstance(meta, dict) and meta.get("type") == "azure":
        return True
    entries = content["data"]
    return bool(entries) and all(
        isinstance(entry, dict) and str(entry.get("kind", "")).startswith("AZ")
        for entry in entries
    )


def read(content: dict[str, Any], *, place: str) -> Iterator[Told]:
    """Give everything that is known, in the form of the services. Kinds that are not are left out.

    Raises `InputError` for an entry without data.
    """
    entries = content["data"]
    apps = {
        lower(entry["data"].get("appId")): lower(entry["data"].get("id"))
        for entry in entries
        if _is(entry, "AZApp")
    }
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("data"), dict):
            raise InputError(f"entry {number} has no data", place=place, hint=_HINT)
        kind, data = str(entry.get("kind", "")), entry["data"]
        if kind in _PLAIN:
            yield Told(_PLAIN[kind], data)
        elif kind in _READERS:
            yield from _READERS[kind](data)
        elif kind in ("AZAppOwner", "AZFederatedIdentityCredential"):
            yield from _of_application(data, apps)
        elif kind in _RESOURCES:
            yield Told("resources", {**data, "type": data.get("type") or _RESOURCES[kind]})
        elif kind.endswith(_ASSIGNED):
            yield from _assignments(data)


def _is(entry: Any, kind: str) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("kind") == kind
        and isinstance(entry.get("data"), dict)
    )


#: Kinds whose data is one object of a list.
_PLAIN: Final = {
    "AZApp": "applications",
    "AZGroup": "groups",
    "AZOAuth2PermissionGrant": "oauth2PermissionGrants",
    "AZRole": "directory.roleDefinitions",
    "AZRoleEligibilityScheduleInstance": "directory.roleEligibilityScheduleInstances",
    "AZServicePrincipal": "servicePrincipals",
    "AZSubscription": "subscriptions",
    "AZManagementGroupDescendant": "managementGroups.descendants",
}
_RESOURCES: Final = {
    "AZAutomationAccount": "Microsoft.Automation/automationAccounts",
    "AZContainerRegistry": "Microsoft.ContainerRegistry/registries",
    "AZFunctionApp": "Microsoft.Web/sites",
    "AZKeyVault": "Microsoft.KeyVault/vaults",
    "AZLogicApp": "Microsoft.Logic/workflows",
    "AZManagedCluster": "Microsoft.ContainerService/managedClusters",
    "AZStorageAccount": "Microsoft.Storage/storageAccounts",
    "AZVM": "Microsoft.Compute/virtualMachines",
    "AZVMScaleSet": "Microsoft.Compute/virtualMachineScaleSets",
    "AZWebApp": "Microsoft.Web/sites",
}
#: Kinds of lists of role assignments, by how their names end; some are of one role only.
_ASSIGNED: Final = ("RoleAssignment", "Owner", "Contributor", "UserAccessAdmin", "AdminLogin")


def _tenant(data: Row) -> Iterator[Told]:
    tenant = data.get("tenantId") or str(data.get("id", "")).rpartition("/")[2]
    row = {"id": tenant, "displayName": data.get("displayName"), "tenantId": tenant}
    yield Told("organization", row)


def _container(kind: str) -> Callable[[Row], Iterator[Told]]:
    def read_one(data: Row) -> Iterator[Told]:
        yield Told("resourcecontainers", {**data, "type": kind})

    return read_one


def _wrapped(data: Row, lists: str, item: str) -> Iterator[Row]:
    for entry in data.get(lists) or ():
        inner = entry.get(item) if isinstance(entry, dict) else None
        if isinstance(inner, dict):
            yield inner


def _members(data: Row) -> Iterator[Told]:
    for row in _wrapped(data, "members", "member"):
        yield Told("group.members", row, lower(data.get("groupId")))


def _group_owners(data: Row) -> Iterator[Told]:
    for row in _wrapped(data, "owners", "owner"):
        yield Told("group.owners", row, lower(data.get("groupId")))


def _principal_owners(data: Row) -> Iterator[Told]:
    for row in _wrapped(data, "owners", "owner"):
        yield Told("servicePrincipal.owners", row, lower(data.get("servicePrincipalId")))


def _of_application(data: Row, apps: dict[str, str]) -> Iterator[Told]:
    """Give owners and trusts of an application, which is named by its object id or its app id."""
    named = lower(data.get("appId"))
    about = apps.get(named, named)
    for row in _wrapped(data, "owners", "owner"):
        yield Told("application.owners", row, about)
    trusts = list(_wrapped(data, "fics", "fic"))
    if trusts:
        row = {"id": about, "federatedIdentityCredentials": trusts}
        yield Told("applications.federatedIdentityCredentials", row)


def _directory_roles(data: Row) -> Iterator[Told]:
    for row in data.get("roleAssignments") or ():
        if isinstance(row, dict):
            role = row.get("roleDefinitionId") or data.get("roleDefinitionId")
            yield Told("directory.roleAssignments", {**row, "roleDefinitionId": role})


def _app_role(data: Row) -> Iterator[Told]:
    yield Told("appRoleAssignedTo", data, lower(data.get("resourceId")))


def _storage_container(data: Row) -> Iterator[Told]:
    account = str(data.get("id", "")).lower().partition("/blobservices/")[0]
    yield Told("containers", data, account)


_READERS: Final[dict[str, Callable[[Row], Iterator[Told]]]] = {
    "AZAppRoleAssignment": _app_role,
    "AZGroupMember": _members,
    "AZGroupOwner": _group_owners,
    "AZManagementGroup": _container(MANAGEMENT_GROUP),
    "AZResourceGroup": _container(RESOURCE_GROUP),
    "AZRoleAssignment": _directory_roles,
    "AZServicePrincipalOwner": _principal_owners,
    "AZStorageContainer": _storage_container,
    "AZTenant": _tenant,
}


def _assignments(data: Row) -> Iterator[Told]:
    """Give ARM's role assignments, whatever the list and its entries are called."""
    for listed in data.values():
        for entry in listed if isinstance(listed, list) else ():
            for row in entry.values() if isinstance(entry, dict) else ():
                about = row.get("properties") if isinstance(row, dict) else None
                if isinstance(about, dict) and "roleDefinitionId" in about:
                    yield Told("roleassignments", row)
