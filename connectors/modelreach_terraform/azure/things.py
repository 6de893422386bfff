"""What can be acted on in Azure and what runs there, with the keys and identities of both.

https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Link, Resource, Runtime, Scope
from modelreach_terraform.azure.facts import (
    common,
    identities,
    key,
    links,
    lower,
    managed,
    own_identity,
    public_network,
    unknown_identities,
)
from modelreach_terraform.edits import Attach, Edit, Enters, Is
from modelreach_terraform.told import LAST, RELATIONS, Row, Table, Told
from modelreach_terraform.values import Json, at, blocks, is_unread, text, texts

_Edits = Callable[[Told], Iterator[Edit]]
_More = Callable[[Told], dict[str, Any]]


def _id(told: Told) -> str:
    return lower(told.text("id"))


def _nothing(_told: Told) -> dict[str, Any]:
    return {}


def _resource(told: Told, of: str, **more: Any) -> Resource:
    return Resource(
        **common(told, of, _id(told)),
        attributes=attributes(
            identities=identities(told), public_network=public_network(told), **more
        ),
    )


def _thing(kind: str, more: _More = _nothing) -> _Edits:
    """Give a resource."""

    def edits(told: Told) -> Iterator[Edit]:
        yield from own_identity(told, _id(told))
        yield Is(_resource(told, kind, **more(told)))

    return edits


def _runs(
    kind: str,
    more: _More = _nothing,
    wired: Callable[[Told], tuple[Link, ...]] | None = None,
    also: _More = _nothing,
) -> _Edits:
    """Give a runtime and the resource that it is; `also` is told of the resource, too."""

    def edits(told: Told) -> Iterator[Edit]:
        yield from own_identity(told, _id(told))
        flavour = _FLAVOUR.get(told.instance.type, "")
        resource = _resource(told, kind, kind=flavour, **also(told))
        yield Is(resource)
        about = {
            name: value
            for name, value in resource.attributes.items()
            if name in ("kind", "sku", "public_network", "local_auth")
        }
        yield Is(
            Runtime(
                **common(told, kind, resource.id),
                identities=identities(told),
                links=wired(told) if wired else (),
                attributes=about | attributes(**more(told)),
            )
        )
        yield from unknown_identities(told, kind, resource.id)

    return edits


#: What ARM calls a site, by the type of resource that makes it.
_FLAVOUR: Final = {
    "azurerm_linux_function_app": "functionapp,linux",
    "azurerm_windows_function_app": "functionapp",
    "azurerm_linux_web_app": "app,linux",
    "azurerm_windows_web_app": "app",
}


def _group(told: Told) -> Iterator[Edit]:
    identifier = _id(told)
    yield Is(
        Scope(
            id=identifier,
            provider="azure",
            kind="resource-group",
            name=told.text("name"),
            parent=identifier.partition("/resourcegroups/")[0],
            tags=told.tags(),
        )
    )


def _identity(told: Told) -> Iterator[Edit]:
    principal, app_id = lower(told.text("principal_id")), lower(told.text("client_id"))
    yield Is(managed(told, principal, _id(told), "user", app_id))
    kind = "microsoft.managedidentity/userassignedidentities"
    yield Is(_resource(told, kind, principal=principal, app_id=app_id))


def _vault(told: Told) -> Iterator[Edit]:
    rbac = told.flag("rbac_authorization_enabled")
    if rbac is None:
        rbac = told.flag("enable_rbac_authorization") is True
    resource = _resource(
        told,
        "microsoft.keyvault/vaults",
        rbac=rbac,
        tenant=lower(told.text("tenant_id")),
        purge_protection=told.flag("purge_protection_enabled") is True,
        sku=told.text("sku_name"),
    )
    yield Is(resource)
    if told.written("access_policy"):
        policies = list(told.blocks("access_policy"))
        if is_unread(policies) or not policies:
            yield told.unknown("access-policy", resource.id, "whom its access policies let in")
        else:
            document = {"accessPolicies": [_access(one) for one in policies]}
            yield Attach(resource.id, "access-policy", document, _POLICIES)


_POLICIES: Final = "access policies"


def _access(block: dict[str, Json]) -> dict[str, Any]:
    """Give an access policy as ARM has it.

    https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/get#accesspolicyentry
    """
    made: dict[str, Any] = {
        "tenantId": text(block.get("tenant_id")),
        "objectId": text(block.get("object_id")),
        "permissions": {
            name: [one.lower() for one in texts(block.get(path))]
            for name, path in (
                ("keys", "key_permissions"),
                ("secrets", "secret_permissions"),
                ("certificates", "certificate_permissions"),
                ("storage", "storage_permissions"),
            )
        },
    }
    if application := text(block.get("application_id")):
        made["applicationId"] = application
    return made


def _access_policy(told: Told) -> Iterator[Edit]:
    vault = lower(told.text("key_vault_id"))
    paths = ("tenant_id", "object_id", "application_id")
    block: dict[str, Json] = {path: told.text(path) for path in paths}
    block |= {
        f"{name}_permissions": told.get(f"{name}_permissions")
        for name in ("key", "secret", "certificate", "storage")
    }
    if not vault or (told.unread("object_id") and not block["object_id"]) or is_unread(block):
        yield told.unknown("access-policy", vault, "whom this access policy lets in")
        return
    entry = _access(block)
    yield Enters(
        vault, "access-policy", _POLICIES, "accessPolicies", entry, ("objectId", "applicationId")
    )


def _in_vault(kind: str, noun: str) -> _Edits:
    """Give a secret or key of a vault by name. Its value is not even looked at."""

    def edits(told: Told) -> Iterator[Edit]:
        identifier = f"{lower(told.text('key_vault_id'))}/{noun}/{told.text('name').lower()}"
        fields = common(told, kind, identifier)
        about = attributes(
            enabled=True,
            expires=told.text("expiration_date"),
            content_type=told.text("content_type"),
        )
        yield Is(Resource(**fields, attributes=about))

    return edits


def _storage(told: Told) -> Iterator[Edit]:
    """https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/storage_account"""
    shared = told.flag("shared_access_key_enabled") is not False
    public = told.flag("allow_nested_items_to_be_public")
    yield from own_identity(told, _id(told))
    resource = _resource(
        told,
        "microsoft.storage/storageaccounts",
        kind=told.text("account_kind") or "StorageV2",
        sku="_".join(
            filter(
                None,
                (
                    told.text("account_tier"),
                    told.text("account_replication_type"),
                ),
            )
        ),
        shared_key_access=shared,
        public_access=public is not False,
        hierarchical_namespace=told.flag("is_hns_enabled") is True,
    )
    yield Is(resource)
    for name in ("key1", "key2"):
        yield key(resource, "storage-key", name, shared)


def _container(told: Told) -> Iterator[Edit]:
    account = lower(told.text("storage_account_id"))
    if not account:
        named = told.text("storage_account_name")
        account = next(
            (
                one.id
                for one in told.world.resources.values()
                if one.kind == "microsoft.storage/storageaccounts" and one.name == named and named
            ),
            "",
        )
    if not account:
        yield told.unknown("resources", "", "in which account this container is")
        return
    kind = "microsoft.storage/storageaccounts/blobservices/containers"
    identifier = f"{account}/blobservices/default/containers/{told.text('name').lower()}"
    open_ = told.text("container_access_type").lower() not in ("", "private")
    yield Is(
        Resource(**common(told, kind, identifier), attributes=attributes(public_access=open_))
    )


def _cognitive(told: Told) -> Iterator[Edit]:
    local = told.flag("local_auth_enabled")
    if local is None:
        local = told.flag("local_authentication_enabled")
    works = local is not False
    kind = "microsoft.cognitiveservices/accounts"
    yield from own_identity(told, _id(told))
    resource = _resource(
        told,
        kind,
        kind=told.text("kind") or "AIServices",
        sku=told.text("sku_name"),
        local_auth=works,
        endpoint=told.text("endpoint") if not told.unread("endpoint") else "",
    )
    yield Is(resource)
    for name in ("key1", "key2"):
        yield key(resource, "cognitive-key", name, works)
    about = {
        name: value
        for name, value in resource.attributes.items()
        if name in ("kind", "sku", "public_network", "local_auth")
    }
    yield Is(
        Runtime(**common(told, kind, resource.id), identities=identities(told), attributes=about)
    )
    yield from unknown_identities(told, kind, resource.id)


def _deployment(told: Told) -> Iterator[Edit]:
    account = lower(told.text("cognitive_account_id"))
    identifier = f"{account}/deployments/{told.text('name').lower()}"
    kind = "microsoft.cognitiveservices/accounts/deployments"
    model = next(told.blocks("model"), {})
    policy = told.text("rai_policy_name") if not told.unread("rai_policy_name") else ""
    held = told.world.runtimes.get(account)
    if not account:
        yield told.unknown(f"runtimes:{kind}", "", "on which account this deployment is")
        return
    sku = text(at(next(told.blocks("sku"), {}), "name")) or text(
        at(next(told.blocks("scale"), {}), "type")
    )
    fields = common(told, kind, identifier)
    yield Is(Resource(**fields, attributes=attributes(sku=sku)))
    yield Is(
        Runtime(
            **fields,
            version=text(model.get("version")),
            identities=held.identities if held else (),
            links=links("guarded-by", f"{account}/raipolicies/{policy.lower()}" if policy else ""),
            attributes=attributes(
                sku=sku,
                model=text(model.get("name")),
                model_version=text(model.get("version")),
                model_format=text(model.get("format")),
                rai_policy=policy,
                upgrades=told.text("version_upgrade_option"),
            ),
        )
    )


def _app(told: Told) -> dict[str, Any]:
    containers = [
        one
        for template in told.blocks("template")
        for section in ("container", "init_container")
        for one in blocks(template.get(section))
    ]
    return {
        "environment": [text(v.get("name")) for one in containers for v in blocks(one.get("env"))],
        "secrets": [text(one.get("name")) for one in _secrets(told)],
    }


def _secrets(told: Told) -> list[dict[str, Json]]:
    """Secrets of an app are withheld as a whole where one has a value in the plan."""
    return list(told.blocks("secret"))


def _app_links(told: Told) -> tuple[Link, ...]:
    images = [
        text(one.get("image"))
        for template in told.blocks("template")
        for section in ("container", "init_container")
        for one in blocks(template.get(section))
    ]
    read = [text(one.get("key_vault_secret_id")) for one in _secrets(told)]
    return (*links("pulls", *images), *links("reads", *read))


def _workspace(told: Told) -> tuple[Link, ...]:
    paths = ("storage_account_id", "key_vault_id", "container_registry_id")
    return links("reads", *(told.text(path) for path in paths))


def _local(path: str) -> _More:
    return lambda told: {"local_auth": told.flag(path) is not False}


def _registry(told: Told) -> dict[str, Any]:
    return {"local_auth": told.flag("admin_enabled") is True}


def _cluster(told: Told) -> dict[str, Any]:
    return {
        "oidc_issuer": told.text("oidc_issuer_url") if not told.unread("oidc_issuer_url") else "",
        "workload_identity": told.flag("workload_identity_enabled") is True,
        "local_accounts": told.flag("local_account_disabled") is not True,
        **_entra(told),
    }


def _entra(told: Told) -> dict[str, Any]:
    """Who is let in: nothing of it where the configuration does not tell yet."""
    if told.unread("azure_active_directory_role_based_access_control"):
        return {}
    blocks = tuple(told.blocks("azure_active_directory_role_based_access_control"))
    asks = [block.get("azure_rbac_enabled") for block in blocks]
    found: dict[str, Any] = {"entra": bool(blocks), "admin_groups": _administrators(blocks)}
    return found if any(map(is_unread, asks)) else {**found, "azure_rbac": True in asks}


def _administrators(blocks: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    lists = [block.get("admin_group_object_ids") for block in blocks]
    named = (name for names in lists if isinstance(names, list) for name in names)
    return tuple(sorted({name.lower() for name in named if isinstance(name, str)}))


def _arm(provider: str) -> dict[str, str]:
    identifier = (
        f"/subscriptions/{{subscription}}/resourceGroups/{{resource_group_name}}"
        f"/providers/{provider}/{{name}}"
    )
    return {"id": identifier, "identity.principal_id": "{address}"}


def _row(edits: _Edits, provider: str, phase: int = RELATIONS) -> Row:
    return Row(edits, _arm(provider), phase)


_WEB: Final = "Microsoft.Web/sites"
_VM: Final = "Microsoft.Compute/virtualMachines"
_IDENTITIES: Final = "Microsoft.ManagedIdentity/userAssignedIdentities"

TABLE: Final[Table] = {
    "azurerm_resource_group": Row(
        _group, {"id": "/subscriptions/{subscription}/resourceGroups/{name}"}
    ),
    "azurerm_user_assigned_identity": Row(
        _identity,
        {**_arm(_IDENTITIES), "principal_id": "{address}", "client_id": "{address}#client"},
    ),
    "azurerm_key_vault": _row(_vault, "Microsoft.KeyVault/vaults"),
    "azurerm_key_vault_access_policy": Row(_access_policy, phase=LAST),
    "azurerm_key_vault_secret": Row(
        _in_vault("microsoft.keyvault/vaults/secrets", "secrets"), phase=LAST
    ),
    "azurerm_key_vault_key": Row(_in_vault("microsoft.keyvault/vaults/keys", "keys"), phase=LAST),
    "azurerm_storage_account": _row(_storage, "Microsoft.Storage/storageAccounts"),
    "azurerm_storage_container": Row(_container, phase=LAST),
    "azurerm_cognitive_account": _row(_cognitive, "Microsoft.CognitiveServices/accounts"),
    "azurerm_ai_services": _row(_cognitive, "Microsoft.CognitiveServices/accounts"),
    "azurerm_cognitive_deployment": Row(_deployment, phase=LAST),
    "azurerm_container_app": _row(
        _runs("microsoft.app/containerapps", _app, _app_links), "Microsoft.App/containerApps"
    ),
    "azurerm_container_app_job": _row(
        _runs("microsoft.app/jobs", _app, _app_links), "Microsoft.App/jobs"
    ),
    "azurerm_linux_function_app": _row(_runs("microsoft.web/sites"), _WEB),
    "azurerm_windows_function_app": _row(_runs("microsoft.web/sites"), _WEB),
    "azurerm_linux_web_app": _row(_runs("microsoft.web/sites"), _WEB),
    "azurerm_windows_web_app": _row(_runs("microsoft.web/sites"), _WEB),
    "azurerm_linux_virtual_machine": _row(_runs("microsoft.compute/virtualmachines"), _VM),
    "azurerm_windows_virtual_machine": _row(_runs("microsoft.compute/virtualmachines"), _VM),
    "azurerm_virtual_machine": _row(_runs("microsoft.compute/virtualmachines"), _VM),
    "azurerm_container_group": _row(
        _runs("microsoft.containerinstance/containergroups"),
        "Microsoft.ContainerInstance/containerGroups",
    ),
    "azurerm_machine_learning_workspace": _row(
        _runs("microsoft.machinelearningservices/workspaces", wired=_workspace),
        "Microsoft.MachineLearningServices/workspaces",
    ),
    "azurerm_data_factory": _row(
        _runs("microsoft.datafactory/factories"), "Microsoft.DataFactory/factories"
    ),
    "azurerm_automation_account": _row(
        _runs("microsoft.automation/automationaccounts"),
        "Microsoft.Automation/automationAccounts",
    ),
    "azurerm_logic_app_workflow": _row(
        _runs("microsoft.logic/workflows"), "Microsoft.Logic/workflows"
    ),
    "azurerm_kubernetes_cluster": _row(
        _runs("microsoft.containerservice/managedclusters", _cluster, also=_cluster),
        "Microsoft.ContainerService/managedClusters",
    ),
    "azurerm_container_registry": _row(
        _thing("microsoft.containerregistry/registries", _registry),
        "Microsoft.ContainerRegistry/registries",
    ),
    "azurerm_search_service": _row(
        _thing("microsoft.search/searchservices", _local("local_authentication_enabled")),
        "Microsoft.Search/searchServices",
    ),
    "azurerm_cosmosdb_account": _row(
        _thing(
            "microsoft.documentdb/databaseaccounts",
            lambda told: {"local_auth": told.flag("local_authentication_disabled") is not True},
        ),
        "Microsoft.DocumentDB/databaseAccounts",
    ),
    "azurerm_servicebus_namespace": _row(
        _thing("microsoft.servicebus/namespaces", _local("local_auth_enabled")),
        "Microsoft.ServiceBus/namespaces",
    ),
    "azurerm_eventhub_namespace": _row(
        _thing("microsoft.eventhub/namespaces", _local("local_authentication_enabled")),
        "Microsoft.EventHub/namespaces",
    ),
}
