"""A tenant with one of everything, served on 127.0.0.1, and what the connector makes of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_azure import AzureConnector

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

from azure_agent import estate
from azure_agent.builder import Builder, guid
from azure_agent.server import Cloud, serve

NOW = "2026-11-24T00:00:00Z"
CANARY = "hush-canary-value"
FOREIGN = guid("another tenant")


@dataclass(frozen=True)
class Whole:
    """The tenant with everything: its cloud, and ids of what the tests speak of."""

    cloud: Cloud
    agents: str
    data: str
    group: str

    def of(self, kind: str, name: str) -> str:
        """Give the id of a resource of the group, as facts spell it."""
        return f"{self.group}/providers/{kind}/{name}".lower()


def whole() -> Whole:
    """Make the two-release estate with everything else that the connector reads on top."""
    cloud = estate.build()
    make = Builder(cloud)
    agents, data = (str(row["id"]) for row in cloud.subscriptions)
    group = f"{agents}/resourceGroups/rg-support"
    _authorization(make, agents, data, group)
    _people(make)
    _machine_learning(make, group)
    _compute(make, group)
    _vault_of_others(make, group)
    _cosmos(make, group)
    _connections(make, group)
    _directory(make)
    make.listed(
        "/api/projects/support/agents",
        {"object": "agent", "id": "third", "name": "third", "state": "disabled"},
    )
    return Whole(cloud, agents, data, group)


def _authorization(make: Builder, agents: str, data: str, group: str) -> None:
    reader, owner = estate.role(estate.READER), estate.role(estate.OWNER)
    make.role(
        guid("role/guarded"),
        "Guarded",
        {"actions": ["Microsoft.Authorization/*/read"]},
        {
            "actions": ["Microsoft.Authorization/roleAssignments/write"],
            "condition": "@Request[Microsoft.Authorization/roleAssignments:PrincipalType] "
            "StringEquals 'ServicePrincipal'",
            "conditionVersion": "2.0",
        },
        custom=True,
    )
    models = "/providers/Microsoft.Management/managementGroups/acme-models"
    make.assign(models, reader, guid("group/readers"), "Group")
    make.assign("/", reader, guid("user/elevated"), "User")
    make.assign(group, owner, guid("deleted identity"))
    active = make.assign(agents, owner, guid("user/dev"), "User")
    make.scoped(
        "roleAssignmentScheduleInstances",
        agents,
        {
            "originRoleAssignmentId": active,
            "principalId": guid("user/dev"),
            "assignmentType": "Activated",
            "endDateTime": "2026-11-24T08:00:00Z",
        },
    )
    make.scoped(
        "roleEligibilityScheduleInstances",
        models,
        {
            "roleDefinitionId": owner,
            "principalId": guid("user/dev"),
            "principalType": "User",
            "memberType": "Direct",
            "endDateTime": None,
        },
    )
    make.scoped(
        "denyAssignments",
        group,
        {
            "denyAssignmentName": "stack",
            "permissions": [{"actions": ["*/delete"], "notActions": []}],
            "principals": [
                {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
            ],
            "excludePrincipals": [{"id": guid("group/nested"), "type": "Group"}],
            "doNotApplyToChildScopes": False,
            "isSystemProtected": True,
        },
    )
    _policies(make, agents, group)
    make.scoped("locks", group, {"level": "CanNotDelete"})
    make.scoped(
        "locks", f"{group}/providers/Microsoft.Network/virtualNetworks/net", {"level": "ReadOnly"}
    )
    make.listed(
        f"{data}/providers/Microsoft.ManagedServices/registrationAssignments",
        {
            "id": f"{data}/providers/Microsoft.ManagedServices/registrationAssignments/one",
            "name": "one",
            "type": "Microsoft.ManagedServices/registrationAssignments",
            "properties": {
                "registrationDefinition": {
                    "properties": {
                        "managedByTenantId": FOREIGN,
                        "authorizations": [
                            {
                                "principalId": guid("foreign operators"),
                                "roleDefinitionId": estate.READER,
                            }
                        ],
                        "eligibleAuthorizations": [
                            {
                                "principalId": guid("foreign operators"),
                                "roleDefinitionId": estate.OWNER,
                            }
                        ],
                    }
                }
            },
        },
    )


def _policies(make: Builder, agents: str, group: str) -> None:
    """A policy of the tenant's own in a set of its own, that deploys; one that only audits."""
    models = "/providers/Microsoft.Management/managementGroups/acme-models"
    written = f"{models}/providers/Microsoft.Authorization/policyDefinitions/tag-it"
    ours = f"{models}/providers/Microsoft.Authorization/policySetDefinitions/baseline"
    make.scoped(
        "policyAssignments",
        models,
        {
            "displayName": "Baseline / models",
            "policyDefinitionId": ours,
            "enforcementMode": "Default",
            "parameters": {"script": {"value": CANARY}},
        },
        identity={"type": "SystemAssigned", "principalId": guid("policy").upper()},
        location="westeurope",
    )
    built_in = "/providers/Microsoft.Authorization/policyDefinitions/audit"
    make.scoped("policyAssignments", group, {"policyDefinitionId": built_in})
    make.listed(
        ours,
        {
            "id": ours,
            "type": "Microsoft.Authorization/policySetDefinitions",
            "properties": {
                "parameters": {"p": {"defaultValue": CANARY}},
                "policyDefinitions": [
                    {"policyDefinitionId": written, "parameters": {"p": {"value": CANARY}}},
                    {"policyDefinitionId": built_in, "parameters": {}},
                ],
            },
        },
    )


def _people(make: Builder) -> None:
    """Groups within groups, and an owner beyond the twentieth."""
    user = {"@odata.type": "#microsoft.graph.user", "id": guid("user/dev"), "displayName": "Dev"}
    make.listed(
        "/v1.0/groups",
        *(
            {
                "id": guid(f"group/{name}"),
                "displayName": name,
                "isAssignableToRole": name == "readers",
                "securityEnabled": True,
                "groupTypes": ["DynamicMembership"] if name == "nested" else [],
            }
            for name in ("readers", "nested", "bystanders")
        ),
    )
    make.listed(
        f"/v1.0/groups/{guid('group/readers')}/members",
        {"@odata.type": "#microsoft.graph.group", "id": guid("group/nested")},
    )
    make.listed(
        f"/v1.0/groups/{guid('group/nested')}/members",
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": guid("sp/connector")},
        {"@odata.type": "#microsoft.graph.user", "id": guid("user/late")},
    )
    make.listed(f"/v1.0/groups/{guid('group/readers')}/owners", user)
    _eligible(make)
    many = [
        {"@odata.type": "#microsoft.graph.user", "id": guid(f"user/owner-{number}")}
        for number in range(21)
    ]
    for kind, number in (("application", "app/crowded"), ("servicePrincipal", "sp/crowded")):
        add = make.application if kind == "application" else make.service_principal
        add("crowded", guid(number), guid("crowded"), owners=many)
        make.listed(f"/v1.0/{kind}s/{guid(number)}/owners", *many)


def _eligible(make: Builder) -> None:
    """People, and a group, that may become members or owners of the group that holds a role."""
    path = "/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances"
    for name, access in (
        ("user/late", "member"),
        ("user/boss", "owner"),
        ("group/on-call", "member"),
    ):
        kind = name.partition("/")[0]
        make.listed(
            path,
            {
                "id": f"{guid('group/readers')}_{access}_{guid(name)}",
                "principalId": guid(name),
                "accessId": access,
                "groupId": guid("group/readers"),
                "memberType": "direct",
                "endDateTime": None,
                "principal": {
                    "@odata.type": f"#microsoft.graph.{kind}",
                    "id": guid(name),
                    "displayName": name,
                    "mobilePhone": CANARY,
                },
            },
        )
    make.listed(
        "/v1.0/groups",
        {"id": guid("group/on-call"), "displayName": "on-call", "groupTypes": []},
    )
    make.listed(
        f"/v1.0/groups/{guid('group/on-call')}/members",
        {"@odata.type": "#microsoft.graph.user", "id": guid("user/dev")},
    )


_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


def _machine_learning(make: Builder, group: str) -> None:
    kind = "Microsoft.MachineLearningServices/workspaces"
    workspace = f"{group}/providers/{kind}/ml"
    identity = make.system_identity(workspace, "ml")
    make.resource(
        group,
        kind,
        "ml",
        identity={"type": "SystemAssigned", "principalId": identity},
        properties={
            "storageAccount": f"{group}/providers/Microsoft.Storage/storageAccounts/acmesupportkb",
            "keyVault": f"{group}/providers/Microsoft.KeyVault/vaults/kv-ml",
        },
    )
    endpoint = f"{workspace}/onlineEndpoints/rank"
    make.listed(
        f"{workspace}/onlineEndpoints",
        {
            "id": endpoint,
            "name": "rank",
            "type": f"{kind}/onlineEndpoints",
            "location": "westeurope",
            "identity": {
                "type": "UserAssigned",
                "userAssignedIdentities": {
                    f"{group}/providers/{_IDENTITIES}/id-support": {
                        "principalId": guid("identity/id-support"),
                        "clientId": guid("client/id-support"),
                    }
                },
            },
            "properties": {"authMode": "Key", "traffic": {"blue": 90, "green": 10}},
        },
    )
    make.part(
        endpoint,
        "deployments",
        "blue",
        f"{kind}/onlineEndpoints/deployments",
        {
            "model": f"{workspace}/models/ranker/versions/7",
            "environmentVariables": {"TOKEN": CANARY},
            "egressPublicNetworkAccess": "Enabled",
        },
    )
    make.part(
        workspace,
        "serverlessEndpoints",
        "phi",
        f"{kind}/serverlessEndpoints",
        {"authMode": "Key", "modelSettings": {"modelId": "azureml://models/phi"}},
    )
    make.listed(
        f"{workspace}/computes",
        {
            "id": f"{workspace}/computes/notebook",
            "name": "notebook",
            "type": f"{kind}/computes",
            "identity": {"type": "SystemAssigned", "principalId": guid("notebook")},
            "properties": {
                "computeType": "ComputeInstance",
                "properties": {
                    "sshSettings": {"sshPublicAccess": "Enabled"},
                    "personalComputeInstanceSettings": {
                        "assignedUser": {"objectId": guid("user/dev")}
                    },
                },
            },
        },
    )


def _compute(make: Builder, group: str) -> None:
    first = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-support"
    shared = {
        "type": "UserAssigned",
        "userAssignedIdentities": {
            first: {
                "principalId": guid("identity/id-support"),
                "clientId": guid("client/id-support"),
            }
        },
    }
    make.resource(
        group,
        "Microsoft.App/containerApps",
        "api",
        identity=shared,
        properties={
            "configuration": {
                "secrets": [
                    {"name": "crm", "value": CANARY},
                    {
                        "name": "pay",
                        "keyVaultUrl": "https://kv-payments.vault.azure.net/secrets/a",
                    },
                ]
            },
            "template": {
                "containers": [
                    {
                        "name": "api",
                        "image": "acme.azurecr.io/api:1",
                        "command": ["run", CANARY],
                        "env": [{"name": "CRM_TOKEN", "value": CANARY}],
                    }
                ]
            },
        },
    )
    make.resource(group, "Microsoft.Compute/virtualMachines", "vm", identity=shared)
    make.resource(
        group,
        "Microsoft.Logic/workflows",
        "flow",
        properties={"definition": {"actions": {"call": CANARY}}, "parameters": {"p": CANARY}},
    )
    make.resource(
        group,
        "Microsoft.ContainerService/managedClusters",
        "aks",
        identity={"type": "SystemAssigned", "principalId": guid("aks")},
        properties={
            "oidcIssuerProfile": {"enabled": True, "issuerURL": "https://oidc.example/aks/"},
            "securityProfile": {"workloadIdentity": {"enabled": True}},
            "aadProfile": {
                "enableAzureRBAC": True,
                "adminGroupObjectIDs": [guid("admins").upper()],
            },
            "disableLocalAccounts": True,
            "identityProfile": {"kubeletidentity": {"objectId": guid("kubelet")}},
        },
    )
    make.part(
        first,
        "federatedIdentityCredentials",
        "pods",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        {
            "issuer": "https://oidc.example/aks/",
            "subject": "system:serviceaccount:support:agent",
            "audiences": ["api://AzureADTokenExchange"],
        },
    )


def _vault_of_others(make: Builder, group: str) -> None:
    vault = make.resource(
        group, "Microsoft.KeyVault/vaults", "kv-ml", properties={"tenantId": make.cloud.tenant}
    )
    make.part(
        vault,
        "keys",
        "sign",
        "Microsoft.KeyVault/vaults/keys",
        {"attributes": {"enabled": False, "exp": 1798761600}, "kty": "RSA"},
    )


def _cosmos(make: Builder, group: str) -> None:
    account = make.resource(
        group, "Microsoft.DocumentDB/databaseAccounts", "db", properties={"disableLocalAuth": True}
    )
    definition = make.part(
        account,
        "sqlRoleDefinitions",
        "00000000-0000-0000-0000-000000000001",
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions",
        {
            "roleName": "Cosmos DB Built-in Data Reader",
            "type": "BuiltInRole",
            "permissions": [
                {"dataActions": ["Microsoft.DocumentDB/databaseAccounts/readMetadata"]}
            ],
        },
    )
    make.part(
        account,
        "sqlRoleAssignments",
        guid("cosmos assignment"),
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments",
        {
            "roleDefinitionId": definition,
            "principalId": guid("identity/id-support"),
            "scope": account,
        },
    )


def _connections(make: Builder, group: str) -> None:
    account = f"{group}/providers/Microsoft.CognitiveServices/accounts/acme-foundry"
    stored = {
        "category": "ApiKey",
        "authType": "ApiKey",
        "target": "https://api.partner.example",
        "isSharedToAll": True,
        "credentials": {"key": CANARY},
        "metadata": {"ApiType": "Azure", "note": CANARY},
    }
    make.part(
        account,
        "connections",
        "partner",
        "Microsoft.CognitiveServices/accounts/connections",
        stored,
    )
    make.part(
        f"{account}/projects/support",
        "capabilityHosts",
        "agents",
        "Microsoft.CognitiveServices/accounts/projects/capabilityHosts",
        {"vectorStoreConnections": ["search"], "storageConnections": ["partner", "nobody"]},
    )
    workspace = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/ml"
    make.part(
        workspace,
        "connections",
        "git",
        "Microsoft.MachineLearningServices/workspaces/connections",
        {**stored, "category": "Git", "authType": "PAT"},
    )


def _directory(make: Builder) -> None:
    unit = guid("unit")
    make.listed(
        "/v1.0/directory/administrativeUnits",
        {"id": unit, "displayName": "Stores", "isMemberManagementRestricted": True},
    )
    make.listed(
        f"/v1.0/directory/administrativeUnits/{unit}/members", {"id": guid("sp/connector")}
    )
    make.listed(
        "/v1.0/roleManagement/directory/roleAssignments",
        {
            "id": "over-a-unit",
            "principalId": guid("group/readers"),
            "roleDefinitionId": estate.GLOBAL_ADMINISTRATOR,
            "directoryScopeId": f"/administrativeUnits/{unit}",
        },
        {
            "id": "over-an-app",
            "principalId": guid("sp/connector"),
            "roleDefinitionId": estate.GLOBAL_ADMINISTRATOR,
            "directoryScopeId": f"/{guid('app/crowded')}",
        },
    )
    make.listed(
        "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
        {
            "id": "could-be",
            "principalId": guid("user/dev"),
            "roleDefinitionId": estate.GLOBAL_ADMINISTRATOR,
            "directoryScopeId": "/",
            "memberType": "Direct",
        },
    )
    make.listed(
        "/v1.0/oauth2PermissionGrants",
        {
            "id": "for-everybody",
            "clientId": guid("sp/connector"),
            "consentType": "AllPrincipals",
            "principalId": None,
            "resourceId": estate.GRAPH,
            "scope": "User.Read Mail.Send",
        },
    )
    make.listed(
        "/v1.0/policies/defaultAppManagementPolicy",
        {
            "isEnabled": True,
            "applicationRestrictions": {
                "passwordCredentials": [
                    {"restrictionType": "passwordAddition", "state": "enabled"}
                ]
            },
            "servicePrincipalRestrictions": {
                "passwordCredentials": [
                    {"restrictionType": "passwordLifetime", "state": "disabled"}
                ]
            },
        },
    )
    make.listed(
        "/beta/users/microsoft.graph.agentUser",
        {
            "id": guid("agent user"),
            "displayName": "Support colleague",
            "accountEnabled": True,
            "identityParentId": guid("agent/support"),
        },
    )
    make.listed(
        f"/v1.0/applications/{guid('blueprint/support')}"
        "/microsoft.graph.agentIdentityBlueprint/federatedIdentityCredentials",
        {
            "id": "opaque",
            "name": "platform",
            "issuer": "https://login.microsoftonline.com/t/v2.0",
            "subject": "platform",
            "audiences": ["api://AzureADTokenExchange"],
        },
    )
    _other_credentials(make)


def _other_credentials(make: Builder) -> None:
    make.application(
        "deployer",
        guid("app/deployer"),
        guid("deployer"),
        federatedIdentityCredentials=[
            {
                "id": guid("fic"),
                "name": "ci",
                "issuer": "https://token.actions.githubusercontent.com",
                "subject": None,
                "audiences": ["api://AzureADTokenExchange"],
                "claimsMatchingExpression": {
                    "value": "claims['sub'] matches 'repo:acme/x:*'",
                    "languageVersion": 1,
                },
            }
        ],
        servicePrincipalLockConfiguration={
            "isEnabled": True,
            "allProperties": True,
            "credentialsWithUsageSign": True,
            "credentialsWithUsageVerify": True,
            "tokenEncryptionKeyId": False,
        },
    )
    make.service_principal(
        "partner",
        guid("sp/partner"),
        guid("partner"),
        appOwnerOrganizationId=FOREIGN,
        accountEnabled=False,
        keyCredentials=[
            {
                "keyId": guid("certificate"),
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
                "displayName": "CN=partner",
                "customKeyIdentifier": "9F2A",
                "startDateTime": "2025-01-01T00:00:00Z",
                "endDateTime": "2026-01-01T00:00:00Z",
                "key": CANARY,
            }
        ],
        passwordCredentials=[
            {
                "keyId": guid("second secret"),
                "startDateTime": "2027-01-01T00:00:00Z",
                "endDateTime": "2028-01-01T00:00:00Z",
                "secretText": CANARY,
            }
        ],
    )
    make.listed(
        "/beta/reports/servicePrincipalSignInActivities",
        {
            "appId": guid("app/connector/client"),
            "lastSignInActivity": {"lastSignInDateTime": "2026-11-20T10:00:00Z"},
        },
    )
    make.listed(
        "/beta/reports/appCredentialSignInActivities",
        {
            "keyId": guid("secret/connector"),
            "signInActivity": {"lastSignInDateTime": "2026-11-19T10:00:00Z"},
        },
    )


Collect = Callable[..., Snapshot]


@pytest.fixture(scope="session")
def collect() -> Collect:
    """Read a cloud over the wire, with few attempts and little patience."""

    def collected(cloud: Cloud, attempts: int = 3, **options: Any) -> Snapshot:
        with serve(cloud) as endpoint:
            made = {"now": NOW, "endpoint_url": endpoint, **options}
            return AzureConnector(attempts=attempts).collect(CollectOptions(**made))

    return collected


@dataclass(frozen=True)
class Read:
    """What reading the whole tenant gave: the snapshot, and what was recorded on the way."""

    whole: Whole
    snapshot: Snapshot
    recording: Path
    progress: tuple[str, ...]


@pytest.fixture(scope="session")
def read(collect: Collect, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Read the whole tenant once, in pages of two."""
    made = whole()
    made.cloud.page = 2
    folder = tmp_path_factory.mktemp("azure") / "recording"
    told: list[str] = []
    snapshot = collect(made.cloud, record=folder, progress=told.append)
    return Read(made, snapshot, folder, tuple(told))


@pytest.fixture
def fresh() -> Whole:
    """A whole tenant of one's own, to break."""
    return whole()
