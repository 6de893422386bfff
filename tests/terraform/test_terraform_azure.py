"""Plans of the Azure providers, against a tenant on which the same is really done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azure_agent.builder import Builder, guid
from azure_agent.server import Cloud, serve
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot, encode
from modelreach_azure import AzureConnector

Json = dict[str, Any]
NOW = "2026-11-25T00:00:00Z"
TENANT = guid("tenant")
CANARY = "hush-canary-value"
READER, OWN = guid("role/reader"), guid("role/own")
_NEW = "azurerm_user_assigned_identity.new"
_ENTRA = "azure_active_directory_role_based_access_control"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"


class Tenant:
    """A tenant with an identity, an account, a vault and two roles."""

    def __init__(self) -> None:
        self.cloud = Cloud(TENANT)
        self.make = make = Builder(self.cloud)
        self.cloud.lists["/v1.0/organization"] = [{"id": TENANT, "displayName": "Acme"}]
        root = make.management_group(TENANT, "Tenant Root Group")
        self.subscription = make.subscription("ml", root)
        self.group = make.group(self.subscription, "rg")
        self.reader = make.role(READER, "Blob Reader", {"dataActions": [_BLOBS]})
        self.own = make.role(OWN, "Own", {"actions": ["*/read"]}, custom=True)
        self.identity, self.app = make.identity(self.group, "id-app")
        self.storage = make.resource(
            self.group,
            "Microsoft.Storage/storageAccounts",
            "acmedata",
            kind="StorageV2",
            properties={"allowSharedKeyAccess": True, "allowBlobPublicAccess": False},
        )
        make.part(
            self.storage,
            "blobServices/default/containers",
            "articles",
            "Microsoft.Storage/storageAccounts/blobServices/containers",
            {"publicAccess": "None"},
        )
        self.vault = make.resource(
            self.group,
            "Microsoft.KeyVault/vaults",
            "kv",
            properties={"tenantId": TENANT, "enableRbacAuthorization": None, "accessPolicies": []},
        )
        kept = {"attributes": {"enabled": True}, "contentType": "token"}
        make.part(self.vault, "secrets", "live", "Microsoft.KeyVault/vaults/secrets", kept)
        make.assign(self.group, self.own, self.app)

    def row(self, identifier: str) -> Json:
        """Give a resource, to change it."""
        rows = self.cloud.tables["resources"]
        return next(row for row in rows if row["id"] == identifier)

    def collect(self) -> Snapshot:
        """Read the tenant."""
        with serve(self.cloud) as endpoint:
            options = CollectOptions(now=NOW, endpoint_url=endpoint)
            return AzureConnector(attempts=2).collect(options)


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


@pytest.fixture
def plan(planned: Any, tenant: Tenant) -> Any:
    return planned("azurerm", subscription_id=tenant.subscription.rpartition("/")[2])


def _renamed(**known: str) -> Callable[[str], str]:
    """Give what the directory chooses for what a plan names by its address."""

    def rename(name: str) -> str:
        for told, real in known.items():
            name = name.replace(told, real)
        return name

    return rename


def test_assignments_and_definitions(tenant: Tenant, apply: Any, plan: Any, reaches: Any) -> None:
    """One to somebody who is yet to be made, one that goes, and a role that changes."""
    base = tenant.collect()
    plan.change(
        _NEW,
        "create",
        after={"name": "id-new", "resource_group_name": "rg", "location": "westeurope"},
        unknown=dict.fromkeys(("id", "principal_id", "client_id", "tenant_id"), True),
    )
    plan.change(
        "azurerm_role_assignment.new",
        "create",
        after={"scope": tenant.storage, "role_definition_name": "Blob Reader", "condition": None},
        unknown=dict.fromkeys(("principal_id", "name", "id", "role_definition_id"), True),
        refers={"principal_id": [f"{_NEW}.principal_id", _NEW]},
    )
    plan.change(
        "azurerm_role_assignment.app",
        "create",
        after={
            "scope": tenant.group,
            "role_definition_id": tenant.reader,
            "principal_id": tenant.app,
        },
        unknown={"name": True},
    )
    assigned = tenant.cloud.at_scope["roleassignments"][0]
    plan.change(
        "azurerm_role_assignment.old",
        "delete",
        before={
            "scope": tenant.group,
            "role_definition_id": tenant.own,
            "role_definition_name": "Own",
            "principal_id": tenant.app,
            "name": assigned["name"],
        },
    )
    definition = {
        "name": "Own",
        "scope": tenant.subscription,
        "role_definition_id": OWN,
        "role_definition_resource_id": tenant.own,
        "assignable_scopes": ["/"],
    }
    empty: Json = {"not_actions": [], "data_actions": [], "not_data_actions": []}
    plan.change(
        "azurerm_role_definition.own",
        "update",
        before={**definition, "permissions": [{"actions": ["*/read"], **empty}]},
        after={**definition, "permissions": [{"actions": ["*"], **empty}]},
    )
    made = apply(plan, base)
    tenant.cloud.at_scope["roleassignments"].clear()
    tenant.cloud.tables["authorizationresources"] = [
        row
        for row in tenant.cloud.tables["authorizationresources"]
        if "roleassignments" not in row["type"]
    ]
    _, new = tenant.make.identity(tenant.group, "id-new")
    tenant.make.assign(tenant.storage, tenant.reader, new)
    tenant.make.assign(tenant.group, tenant.reader, tenant.app)
    for row in (*tenant.cloud.at_scope["roledefinitions"], *_definitions(tenant)):
        if row["name"] == OWN:
            row["properties"]["permissions"][0]["actions"] = ["*"]
    after = tenant.collect()
    rename = _renamed(**{_NEW: new})
    assert reaches(made, tenant.app) == reaches(after, tenant.app) != reaches(base, tenant.app)
    assert reaches(made, _NEW, rename) == reaches(after, new, rename)
    assert any(row[0] == "grant" for row in reaches(after, new))


def _definitions(tenant: Tenant) -> list[Json]:
    rows = tenant.cloud.tables["authorizationresources"]
    return [row for row in rows if "roledefinitions" in row["type"]]


def test_vaults_accounts_and_trust(tenant: Tenant, apply: Any, plan: Any, reaches: Any) -> None:
    base = tenant.collect()
    plan.change(
        "azurerm_key_vault_access_policy.app",
        "create",
        after={
            "key_vault_id": tenant.vault,
            "tenant_id": TENANT,
            "object_id": tenant.app,
            "application_id": None,
            "secret_permissions": ["Get", "List"],
            "key_permissions": None,
            "certificate_permissions": None,
            "storage_permissions": None,
        },
        unknown={"id": True},
    )
    account = {
        "id": tenant.storage,
        "name": "acmedata",
        "resource_group_name": "rg",
        "location": "westeurope",
        "account_kind": "StorageV2",
        "allow_nested_items_to_be_public": False,
        "primary_access_key": CANARY,
    }
    plan.change(
        "azurerm_storage_account.data",
        "update",
        before={**account, "shared_access_key_enabled": True},
        after={**account, "shared_access_key_enabled": False},
        sensitive={"primary_access_key": True},
    )
    subject = "repo:acme/agent:ref:refs/heads/main"
    plan.change(
        "azurerm_federated_identity_credential.ci",
        "create",
        after={
            "name": "ci",
            "parent_id": tenant.identity,
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": subject,
            "audience": ["api://AzureADTokenExchange"],
        },
    )
    plan.change(
        "azurerm_key_vault_secret.new",
        "create",
        after={"name": "new", "key_vault_id": tenant.vault, "value": CANARY, "content_type": "t"},
        sensitive={"value": True},
    )
    made = apply(plan, base)
    tenant.row(tenant.vault)["properties"]["accessPolicies"] = [
        {
            "tenantId": TENANT,
            "objectId": tenant.app,
            "permissions": {"secrets": ["get", "list"], "keys": [], "certificates": []},
        }
    ]
    tenant.row(tenant.storage)["properties"]["allowSharedKeyAccess"] = False
    kept = {"attributes": {"enabled": True}, "contentType": "t"}
    tenant.make.part(tenant.vault, "secrets", "new", "Microsoft.KeyVault/vaults/secrets", kept)
    tenant.make.part(
        tenant.identity,
        "federatedIdentityCredentials",
        "ci",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        {
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": subject,
            "audiences": ["api://AzureADTokenExchange"],
        },
    )
    after = tenant.collect()
    assert reaches(made, tenant.app) == reaches(after, tenant.app) != reaches(base, tenant.app)
    assert CANARY.encode() not in encode(made)
    mine = {one.id: one.status for one in made.credentials}
    assert mine == {one.id: one.status for one in after.credentials}


def test_the_directory(tenant: Tenant, apply: Any, plan: Any, reaches: Any) -> None:
    """A member of a group that holds a role, and a secret of an application."""
    make, team = tenant.make, guid("group/team")
    app_id, number = guid("app/client"), guid("app")
    acting = guid("sp")
    make.application("app", number, app_id)
    make.service_principal("app", acting, app_id)
    make.listed("/v1.0/groups", {"id": team, "displayName": "team", "securityEnabled": True})
    make.assign(tenant.storage, tenant.reader, team, "Group")
    base = tenant.collect()
    plan.change(
        "azuread_group_member.app",
        "create",
        after={"group_object_id": f"/groups/{team}", "member_object_id": acting},
        provider="azuread",
    )
    plan.change(
        "azuread_application_password.app",
        "create",
        after={"application_id": f"/applications/{number}", "display_name": "ci", "value": CANARY},
        unknown={"key_id": True, "start_date": True, "end_date": True},
        sensitive={"value": True},
        provider="azuread",
    )
    made = apply(plan, base)
    make.listed(
        f"/v1.0/groups/{team}/members",
        {"id": acting, "@odata.type": "#microsoft.graph.servicePrincipal", "displayName": "app"},
    )
    for row in tenant.cloud.lists["/v1.0/applications"]:
        row["passwordCredentials"] = [
            {"keyId": guid("secret"), "displayName": "ci", "startDateTime": "2026-11-24T00:00:00Z"}
        ]
    after = tenant.collect()

    def rename(name: str) -> str:
        return name.partition("/credentials/")[0]

    assert reaches(made, acting, rename) == reaches(after, acting, rename)
    assert reaches(made, acting, rename) != reaches(base, acting, rename)
    assert CANARY.encode() not in encode(made)


@pytest.mark.parametrize(
    ("entra", "unknown", "told"),
    [
        (
            [{"azure_rbac_enabled": True, "tenant_id": TENANT}],
            {},
            {"entra": True, "azure_rbac": True},
        ),
        ([{"azure_rbac_enabled": None}], {}, {"entra": True, "azure_rbac": False}),
        ([], {}, {"entra": False, "azure_rbac": False}),
        ([{}], {_ENTRA: [{"azure_rbac_enabled": True}]}, {"entra": True}),
    ],
    ids=["asks Azure", "lets identities in", "knows none", "not told"],
)
def test_whether_a_cluster_asks_azure(
    tenant: Tenant, apply: Any, plan: Any, entra: Any, unknown: Any, told: Json
) -> None:
    after = {"name": "aks", "resource_group_name": "rg", "location": "westeurope", _ENTRA: entra}
    unknown = {"id": True, "oidc_issuer_url": True, **unknown}
    plan.change("azurerm_kubernetes_cluster.run", "create", after=after, unknown=unknown)
    made = apply(plan, tenant.collect())
    (cluster,) = (one for one in made.resources if one.name == "aks")
    found = {name: cluster.attributes.get(name) for name in ("entra", "azure_rbac")}
    assert {name: value for name, value in found.items() if value is not None} == told
