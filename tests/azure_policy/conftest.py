"""A small tenant, put together fact by fact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from modelreach.policy.azure.engine import AzureEngine
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Grant, Pivot
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    AttachmentKind,
    Binding,
    Coverage,
    Credential,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
)

TENANT = "10000000-0000-0000-0000-000000000001"
SUB = "/subscriptions/20000000-0000-0000-0000-000000000001"
SUB2 = "/subscriptions/20000000-0000-0000-0000-000000000002"
MG = "/providers/microsoft.management/managementgroups/corp"
RG = f"{SUB}/resourcegroups/ml"
RG2 = f"{SUB}/resourcegroups/other"
STORAGE = f"{RG}/providers/microsoft.storage/storageaccounts/data"
VAULT = f"{RG}/providers/microsoft.keyvault/vaults/kv"
OPENAI = f"{RG}/providers/microsoft.cognitiveservices/accounts/oai"
VM = f"{RG}/providers/microsoft.compute/virtualmachines/vm"
UAMI = f"{RG}/providers/microsoft.managedidentity/userassignedidentities/runner"
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
GRAPH_SP = "30000000-0000-0000-0000-00000000000f"

MODEL = "30000000-0000-0000-0000-000000000001"
OTHER = "30000000-0000-0000-0000-000000000002"
STRONG = "30000000-0000-0000-0000-000000000003"
TEAM = "40000000-0000-0000-0000-000000000001"
OUTER = "40000000-0000-0000-0000-000000000002"
ANN = "50000000-0000-0000-0000-000000000001"
APP = "60000000-0000-0000-0000-000000000001"

_DEFINITIONS = "/providers/microsoft.authorization/roledefinitions/"
OWNER_ID = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
#: Roles by the names that tests call them: id, actions, notActions, dataActions.
ROLES: dict[str, tuple[str, list[str], list[str], list[str]]] = {
    "Owner": (OWNER_ID, ["*"], [], []),
    "Contributor": (
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        ["*"],
        [
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ],
        [],
    ),
    "Reader": ("acdd72a7-3385-48ef-bd42-f606fba81ae7", ["*/read"], [], []),
    "User Access Administrator": (
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        ["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        [],
        [],
    ),
    "Storage Blob Data Reader": (
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        ["Microsoft.Storage/storageAccounts/blobServices/containers/read"],
        [],
        ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
    ),
    "Key Vault Secrets User": (
        "4633458b-17de-408a-b874-0445c86b69e6",
        [],
        [],
        [
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ],
    ),
    "Managed Identity Operator": (
        "f1a07417-d97a-45cb-824c-7a7467783830",
        [
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
        ],
        [],
        [],
    ),
    "Foundry User": (
        "53ca6127-db72-4b80-b1b0-d745d6d5456d",
        [
            "Microsoft.CognitiveServices/*/read",
            "Microsoft.CognitiveServices/accounts/listkeys/action",
        ],
        [],
        ["Microsoft.CognitiveServices/*"],
    ),
    "VM Contributor": (
        "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
        ["Microsoft.Compute/virtualMachines/*", "Microsoft.Resources/deployments/*"],
        [],
        [],
    ),
}
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
READ_BLOB = f"data:{BLOBS}/read"
GET_SECRET = "data:Microsoft.KeyVault/vaults/secrets/getSecret/action"
LIST_KEYS = "Microsoft.Storage/storageAccounts/listKeys/action"
ASSIGN = "Microsoft.Authorization/roleAssignments/write"


@dataclass
class Tenant:
    """Facts as they are put together. A fresh one has the usual scopes, resources, principals."""

    tenant, sub, sub2, mg, rg, rg2 = TENANT, SUB, SUB2, MG, RG, RG2
    storage, vault, openai, vm, uami = STORAGE, VAULT, OPENAI, VM, UAMI
    model, other, strong, team, outer = MODEL, OTHER, STRONG, TEAM, OUTER
    ann, app, graph = ANN, APP, GRAPH_SP
    blobs, read_blob, get_secret, list_keys = BLOBS, READ_BLOB, GET_SECRET, LIST_KEYS
    assign_roles = ASSIGN

    sections: dict[str, list[Any]] = field(default_factory=dict[str, "list[Any]"])
    documents: dict[str, msgspec.Raw] = field(default_factory=dict[str, msgspec.Raw])
    known: set[str] = field(default_factory=set[str])

    def add(self, section: str, *facts: Any) -> Tenant:
        self.sections.setdefault(section, []).extend(facts)
        return self

    def document(self, content: object) -> str:
        raw = document_bytes(content)
        digest = document_id(raw)
        self.documents[digest] = msgspec.Raw(raw)
        return digest

    def scope(self, name: str, kind: str, parent: str, **attributes: Any) -> Tenant:
        fact = Scope(id=name, provider="azure", kind=kind, parent=parent, attributes=attributes)
        return self.add("scopes", fact)

    def principal(
        self, name: str, kind: str, groups: Iterable[str] = (), **attributes: Any
    ) -> Tenant:
        fact = Principal(
            id=name,
            provider="azure",
            kind=kind,
            scope=TENANT,
            name=f"{kind} {name[-2:]}",
            unique_id=str(attributes.get("app_id", "")),
            groups=tuple(groups),
            attributes=attributes,
        )
        return self.add("principals", fact)

    def resource(self, name: str, tags: dict[str, str] | None = None, **attributes: Any) -> Tenant:
        parts = name.split("/providers/")[-1].split("/")
        kind = "/".join([parts[0], *parts[1::2]])
        fact = Resource(
            id=name,
            provider="azure",
            kind=kind,
            scope=name.split("/providers/")[0],
            name=parts[-1],
            tags=tags or {},
            attributes=attributes,
        )
        return self.add("resources", fact)

    def runtime(self, name: str, identities: Iterable[str], **attributes: Any) -> Tenant:
        parts = name.split("/providers/")[-1].split("/")
        fact = Runtime(
            id=name,
            provider="azure",
            kind="/".join([parts[0], *parts[1::2]]),
            scope=name.split("/providers/")[0],
            name=parts[-1],
            identities=tuple(identities),
            attributes=attributes,
        )
        return self.resource(name).add("runtimes", fact)

    def role(self, name: str, document: object = None, title: str = "") -> str:
        """Give the id of a role, which is defined when it is first asked for."""
        if document is None:
            guid, actions, not_actions, data = ROLES[name]
            permission = {"actions": actions, "notActions": not_actions, "dataActions": data}
            document = {"permissions": [permission], "type": "BuiltInRole"}
            identifier = _DEFINITIONS + guid
        else:
            identifier = _DEFINITIONS + name if "/" not in name else name
        if identifier not in self.known:
            self.known.add(identifier)
            fact = ManagedPolicy(
                id=identifier,
                provider="azure",
                scope="/",
                name=title or name,
                default_version="current",
                versions={"current": self.document(document)},
            )
            self.add("managed_policies", fact)
        return identifier

    def assign(
        self,
        role: str,
        scope: str,
        to: str = MODEL,
        condition: str = "",
        status: str = "active",
        document: object = None,
    ) -> Tenant:
        identifier = self.role(role, document) if role in ROLES or document else role
        number = len(self.sections.get("bindings", ()))
        fact = Binding(
            id=f"{scope}/providers/microsoft.authorization/roleassignments/{number}",
            provider="azure",
            target=scope,
            role=identifier,
            members=(to,),
            condition=condition,
            status=status,
        )
        return self.add("bindings", fact)

    def permit(self, value: str, to: str = MODEL, app: str = GRAPH_APP) -> Tenant:
        """Consent to an application permission."""
        role = self.role(
            f"/approles/{app}/{value.lower()}", {"value": value, "appId": app}, title=value
        )
        return self.assign(role, GRAPH_SP, to)

    def directory(
        self,
        name: str,
        actions: list[str],
        target: str = TENANT,
        to: str = MODEL,
        condition: str | None = None,
    ) -> Tenant:
        permission = {"allowedResourceActions": actions, "condition": condition}
        role = self.role(
            f"/rolemanagement/directory/roledefinitions/{name}", {"rolePermissions": [permission]}
        )
        return self.assign(role, target, to)

    def deny(self, scope: str, actions: list[str], principals: list[str], **more: Any) -> Tenant:
        document = {
            "permissions": [{"actions": actions, **more.pop("block", {})}],
            "principals": [{"id": name, "type": "User"} for name in principals],
            **more,
        }
        return self.attach(scope, "deny", document)

    def attach(self, target: str, kind: AttachmentKind, content: object) -> Tenant:
        fact = Attachment(
            target=target, kind=kind, document=self.document(content), name=f"the {kind}"
        )
        return self.add("attachments", fact)

    def policy(self, name: str, tenant: str = TENANT, vault: str = VAULT, **words: Any) -> Tenant:
        """Give a vault an access policy."""
        entry = {"tenantId": tenant, "objectId": name, "permissions": words}
        return self.attach(vault, "access-policy", {"accessPolicies": [entry]})

    def gap(self, kind: str, scope: str, subject: str = "") -> Tenant:
        fact = Gap(provider="azure", scope=scope, kind=kind, reason="denied", subject=subject)
        return self.add("gaps", fact)

    def cover(self, kind: str, scope: str) -> Tenant:
        return self.add("coverage", Coverage(provider="azure", scope=scope, kind=kind))

    def credential(self, name: str, kind: str, principal: str, **more: Any) -> Tenant:
        return self.add(
            "credentials",
            Credential(
                id=name, provider="azure", kind=kind, principal=principal, scope=TENANT, **more
            ),
        )

    def snapshot(self) -> Snapshot:
        sections: dict[str, Any] = {name: tuple(facts) for name, facts in self.sections.items()}
        return Snapshot(
            schema=SCHEMA, taken_at="2026-11-25T00:00:00Z", documents=self.documents, **sections
        )

    def engine(self) -> AzureEngine:
        return AzureEngine(Facts(self.snapshot()))

    def decide(self, action: str, resource: str, who: str = MODEL, **context: Any) -> Decision:
        return self.engine().decide(who, action, resource, context or None)

    def verdict(self, action: str, resource: str, who: str = MODEL) -> str:
        return str(self.decide(action, resource, who).verdict)

    def grants(self, resource: str, who: str = MODEL) -> dict[str, Grant]:
        """The grants on a resource, by action."""
        found = [g for g in self.engine().grants(who) if g.resource == resource]
        return {action: grant for grant in found for action in grant.actions}

    def admitted(self, who: str = MODEL) -> dict[str, Pivot]:
        """The hops by a token of the tenant's own, by target."""
        engine = self.engine()
        return {p.target: p for token in engine.tokens(who) for p in engine.admits(token, who)}

    def pivots(self, who: str = MODEL) -> dict[str, Pivot]:
        """The hops, by target."""
        return {pivot.target: pivot for pivot in self.engine().pivots(who)}


def usual() -> Tenant:
    """A tenant with a management group, a subscription, two resource groups and some resources."""
    tenant = Tenant()
    tenant.scope(TENANT, "tenant", "").scope("/", "root", TENANT)
    tenant.scope(MG, "management-group", "/").scope(SUB, "subscription", MG)
    tenant.scope(SUB2, "subscription", "/")
    tenant.scope(RG, "resource-group", SUB).scope(RG2, "resource-group", SUB)
    tenant.resource(STORAGE).resource(VAULT, rbac=True).resource(OPENAI)
    tenant.principal(MODEL, "managed-identity", managed="user", resource=UAMI)
    tenant.resource(UAMI, principal=MODEL)
    tenant.principal(OTHER, "service-principal", app_id="a-other", application=APP)
    tenant.principal(APP, "application", app_id="a-other", service_principal=OTHER)
    tenant.principal(GRAPH_SP, "service-principal", app_id=GRAPH_APP)
    return tenant.principal(ANN, "user")


@pytest.fixture
def tenant() -> Tenant:
    return usual()
