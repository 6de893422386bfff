"""What can be acted on: resources as Resource Graph lists them, their parts, and locks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from modelreach.collect.facts import attributes
from modelreach.snapshot import AttributeValue, Resource
from modelreach_azure.answers import Answers
from modelreach_azure.parse.credentials import (
    keys_of_cognitive,
    keys_of_storage,
    stored_connections,
)
from modelreach_azure.parse.facts import PROVIDER, Facts, boolean, fields, moment, tags_of, text
from modelreach_azure.parse.ids import arm_id, lower, scope_of, type_of
from modelreach_azure.select import at, items

_Told = dict[str, AttributeValue | Iterable[str] | None]


def parse_resources(answers: Answers, facts: Facts) -> None:
    """Turn what is listed into resources, with what decides who may reach them."""
    for row in answers.rows("resources"):
        resource = resource_of(row, **_particular(row))
        facts.resources[resource.id] = resource
        _keys(facts, resource, fields(row))
        _access_policies(facts, resource, fields(row))
    for row in answers.rows("containers"):
        _part(facts, row, **_container(fields(row)))
    for row in answers.rows("vaults.secrets", "vaults.keys"):
        _part(facts, row, **_kept_in_vault(fields(row)))
    for connection in stored_connections(
        facts, answers, "accounts.connections", "projects.connections", "workspaces.connections"
    ):
        facts.resources[connection.id] = connection


def resource_of(row: dict[str, Any], **more: AttributeValue | Iterable[str] | None) -> Resource:
    """Give the resource of a row of ARM or Resource Graph."""
    identifier, about = arm_id(row.get("id")), fields(row)
    return Resource(
        id=identifier,
        provider=PROVIDER,
        kind=lower(row.get("type")) or type_of(identifier),
        scope=scope_of(identifier),
        region=text(row.get("location")),
        name=text(row.get("displayName")) or text(row.get("name")).rpartition("/")[2],
        tags=tags_of(row.get("tags")),
        created=moment(at(row, "systemData.createdAt") or about.get("creationTime")),
        attributes=attributes(
            kind=text(row.get("kind")),
            sku=text(at(row, "sku.name")),
            identities=identities(row),
            public_network=_public_network(about),
            **more,
        ),
    )


def _part(
    facts: Facts, row: dict[str, Any], **more: AttributeValue | Iterable[str] | None
) -> None:
    resource = resource_of(row, **more)
    facts.resources[resource.id] = resource


def identities(row: dict[str, Any]) -> tuple[str, ...]:
    """Give the object ids of a resource's identities, system- and user-assigned."""
    identity = fields(row, "identity")
    assigned = fields(identity, "userAssignedIdentities").values()
    found = [identity.get("principalId"), *(at(one, "principalId") for one in assigned)]
    return tuple(sorted({lower(one) for one in found if one}))


def _public_network(about: dict[str, Any]) -> str | None:
    told = about.get("publicNetworkAccess")
    if isinstance(told, str):
        acls = about.get("networkAcls")
        action = at(acls, "defaultAction") if isinstance(acls, dict) else None
        return "selected" if told == "Enabled" and action == "Deny" else told.lower()
    return None


def _particular(row: dict[str, Any]) -> _Told:
    about = fields(row)
    kind = lower(row.get("type"))
    told = _PARTICULAR.get(kind)
    return told(about) if told else {}


def _storage(about: dict[str, Any]) -> _Told:
    """Null lets shared keys work, and forbids public containers only since 2023.

    https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-prevent
    """
    return {
        "shared_key_access": about.get("allowSharedKeyAccess") is not False,
        "public_access": boolean(about.get("allowBlobPublicAccess")),
        "hierarchical_namespace": about.get("isHnsEnabled") is True,
        "key_expiration_days": at(about, "keyPolicy.keyExpirationPeriodInDays"),
        "kms_key": _key_url(at(about, "encryption.keyvaultproperties")),
    }


def _key_url(about: Any) -> str:
    if not isinstance(about, dict) or not about.get("keyvaulturi"):
        return ""
    return f"{text(about['keyvaulturi']).rstrip('/')}/keys/{text(about.get('keyname'))}"


def _vault(about: dict[str, Any]) -> _Told:
    """Null is the model of access policies.

    https://learn.microsoft.com/azure/key-vault/general/access-control-default
    """
    return {
        "rbac": about.get("enableRbacAuthorization") is True,
        "tenant": lower(about.get("tenantId")),
        "purge_protection": about.get("enablePurgeProtection") is True,
    }


def _cognitive(about: dict[str, Any]) -> _Told:
    return {
        "local_auth": about.get("disableLocalAuth") is not True,
        "endpoint": text(about.get("endpoint")),
        "project_management": boolean(about.get("allowProjectManagement")),
    }


def _local_auth(about: dict[str, Any]) -> _Told:
    return {"local_auth": about.get("disableLocalAuth") is not True}


def _registry(about: dict[str, Any]) -> _Told:
    return {"local_auth": about.get("adminUserEnabled") is True}


def _identity(about: dict[str, Any]) -> _Told:
    return {"principal": lower(about.get("principalId")), "app_id": lower(about.get("clientId"))}


def _cluster(about: dict[str, Any]) -> _Told:
    return {
        "oidc_issuer": text(at(about, "oidcIssuerProfile.issuerURL")),
        "workload_identity": at(about, "securityProfile.workloadIdentity.enabled") is True,
        "azure_rbac": at(about, "aadProfile.enableAzureRBAC") is True,
        "entra": isinstance(at(about, "aadProfile"), dict),
        "admin_groups": _texts(at(about, "aadProfile.adminGroupObjectIDs")),
        "local_accounts": about.get("disableLocalAccounts") is not True,
        "kubelet_identity": lower(at(about, "identityProfile.kubeletidentity.objectId")),
        "node_resource_group": text(about.get("nodeResourceGroup")),
    }


def _texts(found: object) -> tuple[str, ...]:
    names = found if isinstance(found, list) else []
    return tuple(sorted({lower(name) for name in names if isinstance(name, str)}))


_PARTICULAR: Final[dict[str, Callable[[dict[str, Any]], _Told]]] = {
    "microsoft.appconfiguration/configurationstores": _local_auth,
    "microsoft.cognitiveservices/accounts": _cognitive,
    "microsoft.containerregistry/registries": _registry,
    "microsoft.containerservice/managedclusters": _cluster,
    "microsoft.documentdb/databaseaccounts": _local_auth,
    "microsoft.eventhub/namespaces": _local_auth,
    "microsoft.keyvault/vaults": _vault,
    "microsoft.managedidentity/userassignedidentities": _identity,
    "microsoft.search/searchservices": _local_auth,
    "microsoft.servicebus/namespaces": _local_auth,
    "microsoft.storage/storageaccounts": _storage,
}


def _keys(facts: Facts, resource: Resource, about: dict[str, Any]) -> None:
    if resource.kind == "microsoft.storage/storageaccounts":
        keys_of_storage(facts, resource, about)
    if resource.kind == "microsoft.cognitiveservices/accounts":
        keys_of_cognitive(facts, resource, about)


def _access_policies(facts: Facts, resource: Resource, about: dict[str, Any]) -> None:
    if resource.kind == "microsoft.keyvault/vaults" and items(about, "accessPolicies"):
        document = {"accessPolicies": items(about, "accessPolicies")}
        facts.attach(resource.id, "access-policy", document, name="access policies")


def _container(about: dict[str, Any]) -> _Told:
    return {
        "public_access": lower(about.get("publicAccess")) not in ("", "none"),
        "legal_hold": boolean(about.get("hasLegalHold")),
        "immutable": boolean(about.get("hasImmutabilityPolicy")),
    }


def _kept_in_vault(about: dict[str, Any]) -> _Told:
    dates = fields(about, "attributes")
    return {
        "enabled": boolean(dates.get("enabled")),
        "expires": moment(dates.get("exp")),
        "content_type": text(about.get("contentType")),
    }


def parse_locks(answers: Answers, facts: Facts) -> None:
    """Say which locks stand on each scope and resource.

    https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
    """
    levels: dict[str, set[str]] = {}
    for row in answers.rows("locks"):
        target = arm_id(row.get("id")).partition("/providers/microsoft.authorization/locks/")[0]
        levels.setdefault(target, set()).add(text(fields(row).get("level")))
    for target, found in levels.items():
        told = {"locks": tuple(sorted(found))}
        if target in facts.scopes:
            scope = facts.scopes[target]
            facts.scopes[target] = msgspec.structs.replace(
                scope, attributes={**scope.attributes, **told}
            )
        else:
            held = facts.resources.get(target) or resource_of({"id": target})
            facts.resources[target] = msgspec.structs.replace(
                held, attributes={**held.attributes, **told}
            )
