"""Files of other tools: told apart by what they hold, in their own spelling, as answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azure_agent import estate
from azure_agent.builder import guid
from modelreach.model import InputError
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_azure import AzureConnector

NOW = "2026-11-24T00:00:00Z"
SUB = "/subscriptions/11111111-2222-3333-4444-555555555555"
GROUP = f"{SUB}/resourceGroups/rg"
ROLE = f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{estate.OWNER}"


def read(tmp_path: Path, *contents: Any) -> Snapshot:
    paths = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(content), encoding="utf-8-sig" if number % 2 else "utf-8")
        paths.append(path)
    return AzureConnector().collect(CollectOptions(now=NOW, sources=tuple(paths)))


#: As `az role assignment list --all` prints them: without `properties`.
ASSIGNMENTS = [
    {
        "condition": None,
        "createdOn": "2026-01-01T00:00:00.123+00:00",
        "id": f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{guid('one')}",
        "name": guid("one"),
        "principalId": guid("sp"),
        "principalName": guid("app"),
        "principalType": "ServicePrincipal",
        "resourceGroup": "rg",
        "roleDefinitionId": ROLE,
        "roleDefinitionName": "Owner",
        "scope": GROUP,
        "type": "Microsoft.Authorization/roleAssignments",
    }
]
DEFINITIONS = [
    {
        "assignableScopes": ["/"],
        "description": "",
        "id": ROLE,
        "name": estate.OWNER,
        "permissions": [
            {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
        ],
        "roleName": "Owner",
        "roleType": "BuiltInRole",
        "type": "Microsoft.Authorization/roleDefinitions",
    }
]
PRINCIPALS = [
    {
        "appId": guid("app"),
        "id": guid("sp"),
        "displayName": "app",
        "servicePrincipalType": "Application",
        "accountEnabled": True,
        "keyCredentials": [],
        "passwordCredentials": [
            {"keyId": guid("secret"), "hint": "abc", "endDateTime": "2299-12-31T00:00:00Z"}
        ],
    }
]
QUERIED = {
    "count": 1,
    "data": [
        {
            "id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm",
            "name": "vm",
            "type": "microsoft.compute/virtualmachines",
            "tenantId": guid("their tenant"),
            "identity": {"type": "SystemAssigned", "principalId": guid("vm")},
            "properties": {"osProfile": {"adminPassword": "not-to-be-kept"}},
        }
    ],
    "skip_token": None,
    "total_records": 1,
}


def test_the_command_line_s_lists(tmp_path: Path) -> None:
    found = read(tmp_path, ASSIGNMENTS, DEFINITIONS, PRINCIPALS, QUERIED)
    (held,) = found.bindings
    assert (held.target, held.members) == (GROUP.lower(), (guid("sp"),))
    assert held.role in {role.id for role in found.managed_policies}
    assert {c.expires for c in found.credentials} == {"never"}
    (machine,) = found.runtimes
    assert machine.identities == (guid("vm"),)
    tree = {scope.id: scope.kind for scope in found.scopes}
    assert tree[SUB] == "subscription"
    assert tree[GROUP.lower()] == "resource-group"
    assert tree[guid("their tenant")] == "tenant"
    assert b"not-to-be-kept" not in json.dumps([r.attributes for r in found.resources]).encode()


def test_what_an_export_may_leave_out_is_a_gap(tmp_path: Path) -> None:
    found = read(tmp_path, ASSIGNMENTS)
    kinds = {(gap.kind, gap.reason) for gap in found.gaps}
    assert ("bindings", "not-collected") in kinds
    assert ("roles", "not-collected") in kinds
    assert not [row for row in found.coverage if row.kind == "bindings" and row.complete]
    assert not [row for row in found.coverage if row.kind == "principals"]


def hound(kind: str, **data: Any) -> dict[str, Any]:
    return {"kind": kind, "data": data}


TENANT = guid("hound tenant")
HOUND = {
    "data": [
        hound("AZTenant", id=f"/tenants/{TENANT}", tenantId=TENANT.upper(), displayName="Hound"),
        hound(
            "AZSubscription",
            id=SUB,
            subscriptionId=SUB.rpartition("/")[2],
            displayName="sub",
            tenantId=TENANT,
        ),
        hound("AZResourceGroup", id=GROUP.upper(), name="rg", tenantId=TENANT),
        hound(
            "AZManagementGroupDescendant",
            id=SUB,
            name="sub",
            type="/subscriptions",
            properties={"parent": {"id": "/providers/Microsoft.Management/managementGroups/MG"}},
        ),
        hound(
            "AZServicePrincipal",
            id=guid("sp").upper(),
            appId=guid("app").upper(),
            displayName="app",
            servicePrincipalType="Application",
            appRoles=[],
            tenantId=TENANT,
        ),
        hound(
            "AZApp",
            id=guid("app object").upper(),
            appId=guid("app").upper(),
            displayName="app",
            tenantId=TENANT,
        ),
        hound(
            "AZAppOwner",
            appId=guid("app").upper(),
            owners=[{"owner": {"@odata.type": "#microsoft.graph.user", "id": guid("dev")}}],
        ),
        hound(
            "AZServicePrincipalOwner",
            servicePrincipalId=guid("sp").upper(),
            owners=[{"owner": {"@odata.type": "#microsoft.graph.user", "id": guid("ops")}}],
        ),
        hound("AZGroup", id=guid("group").upper(), displayName="group", isAssignableToRole=True),
        hound(
            "AZGroupMember",
            groupId=guid("group").upper(),
            members=[
                {
                    "member": {
                        "@odata.type": "#microsoft.graph.servicePrincipal",
                        "id": guid("sp").upper(),
                    }
                }
            ],
        ),
        hound(
            "AZResourceGroupRoleAssignment",
            objectId=GROUP,
            assignees=[
                {
                    "objectId": GROUP,
                    "roleDefinitionId": estate.OWNER,
                    "assignee": {
                        "id": f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/a",
                        "properties": {
                            "principalId": guid("group").upper(),
                            "principalType": "Group",
                            "roleDefinitionId": ROLE,
                            "scope": GROUP,
                        },
                    },
                }
            ],
        ),
        hound(
            "AZSubscriptionOwner",
            owners=[
                {
                    "owner": {
                        "id": f"{SUB}/providers/Microsoft.Authorization/roleAssignments/b",
                        "properties": {
                            "principalId": guid("sp"),
                            "principalType": "ServicePrincipal",
                            "roleDefinitionId": ROLE,
                            "scope": SUB,
                        },
                    }
                }
            ],
        ),
        hound("AZRole", id=estate.GLOBAL_ADMINISTRATOR, displayName="Global Administrator"),
        hound(
            "AZRoleAssignment",
            roleDefinitionId=estate.GLOBAL_ADMINISTRATOR.upper(),
            roleAssignments=[
                {"id": "x", "principalId": guid("sp").upper(), "directoryScopeId": "/"}
            ],
        ),
        hound(
            "AZAppRoleAssignment",
            id="grant",
            appId=guid("graph app"),
            appRoleId=guid("wide"),
            principalId=guid("sp").upper(),
            principalType="ServicePrincipal",
            resourceId=guid("graph").upper(),
        ),
        hound(
            "AZKeyVault",
            id=f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv",
            name="kv",
            properties={"accessPolicies": [{"objectId": guid("sp"), "tenantId": TENANT}]},
        ),
        hound("AZDevice", id="ignored"),
    ],
    "meta": {"type": "azure", "version": 5, "count": 17},
}


def test_azurehound_s_output(tmp_path: Path) -> None:
    found = read(tmp_path, HOUND)
    principals = {one.id: one for one in found.principals}
    assert principals[guid("sp")].groups == (guid("group"),)
    assert principals[guid("sp")].attributes["owners"] == (guid("ops"),)
    assert principals[guid("app object")].attributes["owners"] == (guid("dev"),)
    targets = {(binding.target, binding.members[0]) for binding in found.bindings}
    assert targets == {
        (GROUP.lower(), guid("group")),
        (SUB, guid("sp")),
        (TENANT, guid("sp")),
        (guid("graph"), guid("sp")),
    }
    (policy,) = [one for one in found.attachments if one.kind == "access-policy"]
    assert policy.target.endswith("/vaults/kv")
    subscription = next(scope for scope in found.scopes if scope.id == SUB)
    assert subscription.parent == "/providers/microsoft.management/managementgroups/mg"


def test_an_export_beside_a_recording_of_another_tenant(read_whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "queried.json"
    path.write_text(json.dumps(QUERIED))
    with pytest.raises(InputError, match="of 2 tenants"):
        AzureConnector().collect(CollectOptions(now=NOW, sources=(read_whole, path)))


@pytest.fixture
def read_whole() -> Path:
    return Path(__file__).parents[2] / "fixtures" / "azure_agent" / "recording"


def test_exports_of_two_tenants(tmp_path: Path) -> None:
    other = {**QUERIED, "data": [{**QUERIED["data"][0], "tenantId": "other"}]}  # type: ignore[index]
    with pytest.raises(InputError, match="of 2 tenants"):
        read(tmp_path, QUERIED, other)


@pytest.mark.parametrize(
    "content",
    [
        {"data": [{"kind": "AZApp"}], "meta": {"type": "azure"}},
        {"data": [{"kind": "AZApp", "data": "text"}], "meta": {"type": "azure"}},
        {"data": [None], "meta": {"type": "azure"}},
    ],
)
def test_broken_output_of_azurehound(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InputError, match="has no data"):
        read(tmp_path, content)


@pytest.mark.parametrize("content", [[], [{"some": "thing"}], {"data": []}, {"data": [1]}, [[]]])
def test_what_is_no_export(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InputError, match="not recognised"):
        read(tmp_path, content)
