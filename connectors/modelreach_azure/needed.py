"""What is needed of answers that may hold anything: all else is dropped before anybody sees it.

A property that is not named here may be a script, a prompt, or a connection string that somebody
wrote into it.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from modelreach_azure.select import at, items, rows

#: Properties of resources, by what the facts say of them. Of containers the image and the names of
#: variables, of secrets the name and where one is kept.
_OF_RESOURCES: Final = frozenset(
    {
        *("accessPolicies", "enablePurgeProtection", "enableRbacAuthorization", "tenantId"),
        *("allowBlobPublicAccess", "allowSharedKeyAccess", "encryption", "isHnsEnabled"),
        *("keyCreationTime", "keyPolicy", "networkAcls", "publicNetworkAccess", "creationTime"),
        *("adminUserEnabled", "allowProjectManagement", "disableLocalAuth", "endpoint"),
        *("clientId", "principalId"),
        *("aadProfile", "disableLocalAccounts", "identityProfile", "nodeResourceGroup"),
        *("oidcIssuerProfile", "securityProfile"),
        *("containerRegistry", "keyVault", "storageAccount"),
        *("configuration", "containers", "initContainers", "template"),
    }
)
#: Properties of other lists, by operation.
_OF: Final = {
    "accounts.connections": frozenset(
        {"authType", "category", "expiryTime", "isSharedToAll", "metadata", "target"}
    ),
    "onlineEndpoints.deployments": frozenset(
        {"egressPublicNetworkAccess", "environmentVariables", "model", "provisioningState"}
    ),
    "policyAssignments": frozenset({"displayName", "enforcementMode", "policyDefinitionId"}),
    "resources": _OF_RESOURCES,
    "workspaces.computes": frozenset({"computeType", "properties", "resourceId"}),
}
_OF_COMPUTES: Final = frozenset(
    {"personalComputeInstanceSettings", "remoteLoginPortPublicAccess", "sshSettings"}
)
_OF_CONTAINERS: Final = frozenset({"env", "environmentVariables", "image", "name", "properties"})
_OF_SECRETS: Final = frozenset({"identity", "keyVaultUrl", "name"})
#: The only entries of a connection's metadata that say what it leads to.
_OF_METADATA: Final = frozenset({"ApiType", "ResourceId"})


def only_needed(operation: str, response: dict[str, Any]) -> dict[str, Any]:
    """Give a response with only what is needed of the lists that may hold anything."""
    if operation == "projects.agents":
        return {"value": [_agent(row) for row in rows(response)]}
    if operation == "group.eligibilityScheduleInstances":
        return {"value": [_eligible(row) for row in rows(response)]}
    if operation == "policySetDefinition":
        return {"id": response.get("id"), "properties": {"policyDefinitions": _members(response)}}
    named = "accounts.connections" if operation.endswith(".connections") else operation
    if named not in _OF:
        return response
    return {"value": [_row(row, _OF[named]) for row in rows(response)]}


#: What is kept of who may become a member of a group, and of whom that is.
_ELIGIBLE: Final = frozenset({"id", "accessId", "endDateTime", "groupId", "principalId"})
_WHO: Final = frozenset({"@odata.type", "id", "displayName"})


def _eligible(row: dict[str, Any]) -> dict[str, Any]:
    who = row.get("principal")
    kept = _some(row, _ELIGIBLE)
    return {**kept, "principal": _some(who, _WHO)} if isinstance(who, dict) else kept


def _members(response: dict[str, Any]) -> list[dict[str, Any]]:
    """Give which policies a set has, and not with which parameters."""
    about = response.get("properties")
    listed = items(about, "policyDefinitions") if isinstance(about, dict) else []
    return [_some(one, frozenset({"policyDefinitionId"})) for one in listed]


def _row(row: dict[str, Any], needed: frozenset[str]) -> dict[str, Any]:
    about = row.get("properties")
    if not isinstance(about, dict):
        return {name: value for name, value in row.items() if name != "properties"}
    told = {name: _property(name, about[name]) for name in about if name in needed}
    return {**row, "properties": told}


def _property(name: str, value: Any) -> Any:
    match name, value:
        case "template", dict():
            return {part: _containers(value, part) for part in ("containers", "initContainers")}
        case (("containers" | "initContainers"), list()):
            return _containers({name: value}, name)
        case "configuration", dict():
            return {"secrets": [_some(one, _OF_SECRETS) for one in items(value, "secrets")]}
        case "metadata", dict():
            return _some(value, _OF_METADATA)
        case "properties", dict():
            return _some(value, _OF_COMPUTES)
        case "target", _:
            return address(value)
        case _:
            return value


def _containers(holder: dict[str, Any], part: str) -> list[dict[str, Any]]:
    found = []
    for one in items(holder, part):
        kept = _some(one, _OF_CONTAINERS)
        if isinstance(kept.get("properties"), dict):
            kept["properties"] = _some(kept["properties"], _OF_CONTAINERS)
        found.append(kept)
    return found


def _some(value: dict[str, Any], needed: frozenset[str]) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if name in needed}


def address(value: Any) -> Any:
    """Give an address without what signs a request: a user, a query, a fragment."""
    if not isinstance(value, str):
        return None
    try:
        found = urlsplit(value)
    except ValueError:
        return ""
    if not found.scheme or not found.netloc:
        return value.partition("?")[0]
    return f"{found.scheme}://{found.netloc.rpartition('@')[2]}{found.path}"


#: All that is kept of an agent, of its latest version, and of what that is made of.
_AGENT: Final[tuple[str, ...]] = (
    "id",
    "name",
    "state",
    "instance_identity",
    "blueprint",
    "blueprint_reference",
)
_VERSION: Final[tuple[str, ...]] = (
    "version",
    "status",
    "created_at",
    "instance_identity",
    "blueprint",
)
_DEFINITION: Final[tuple[str, ...]] = ("kind", "model")
_IN_TOOLS: Final = frozenset({"type", "connection_id", "project_connection_id", "index_name"})
_ADDRESSES: Final = frozenset({"server_url", "base_url"})


def _agent(row: dict[str, Any]) -> dict[str, Any]:
    """Give an agent without its instructions, and without what its tools are told."""
    latest = at(row, "versions.latest")
    kept = {name: row[name] for name in _AGENT if name in row}
    if not isinstance(latest, dict):
        return kept
    about = latest.get("definition")
    told: dict[str, Any] = about if isinstance(about, dict) else {}
    definition = {name: told[name] for name in _DEFINITION if name in told}
    definition["tools"] = _tool(told.get("tools"))
    variables = told.get("environment_variables")
    names = variables if isinstance(variables, dict) else {}
    definition["environmentVariables"] = dict.fromkeys(names, "")
    definition["image"] = at(told, "container_configuration.image")
    version = {name: latest[name] for name in _VERSION if name in latest}
    return {**kept, "versions": {"latest": {**version, "definition": definition}}}


def _tool(value: Any) -> Any:
    """Give of a tool what says where it leads to."""
    if isinstance(value, list):
        return [_tool(one) for one in value]
    if not isinstance(value, dict):
        return None
    found = {name: _told_by(name, inner) for name, inner in value.items()}
    return {name: inner for name, inner in found.items() if inner not in (None, {}, [], [None])}


def _told_by(name: str, value: Any) -> Any:
    if name in _ADDRESSES:
        return address(value)
    return value if name in _IN_TOOLS else _tool(value)
