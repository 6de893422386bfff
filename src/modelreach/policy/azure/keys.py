"""What opens what a resource holds past its data roles: which actions give it, and when not.

A shared key is not about who asks: whoever has it has all of the data, whatever roles, conditions
and deny assignments say of data actions. Each service can be told to refuse its keys.
https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent
https://learn.microsoft.com/azure/ai-services/disable-local-auth
"""

from __future__ import annotations

import msgspec

from modelreach.snapshot import Resource


class Keys(msgspec.Struct, frozen=True):
    """What opens the data of one type of resource: only to reading, with `read_only`. `attribute`
    is what turns it off when it is `off`; `what` and `how` are told to people."""

    listed_by: str
    attribute: str = "local_auth"
    off: object = False
    read_only: bool = False
    what: str = "an account key"
    how: str = "its listing hands it out"


_STORAGE = "Microsoft.Storage/storageAccounts"
_COSMOS = "Microsoft.DocumentDB/databaseAccounts"
_SEARCH = "Microsoft.Search/searchServices"
KEYS: dict[str, tuple[Keys, ...]] = {
    "microsoft.storage/storageaccounts": (
        Keys(f"{_STORAGE}/listKeys/action", "shared_key_access"),
        Keys(f"{_STORAGE}/listAccountSas/action", "shared_key_access", what="an account SAS"),
        Keys(f"{_STORAGE}/listServiceSas/action", "shared_key_access", what="a service SAS"),
        Keys(f"{_STORAGE}/regenerateKey/action", "shared_key_access"),
    ),
    "microsoft.cognitiveservices/accounts": (
        Keys("Microsoft.CognitiveServices/accounts/listKeys/action"),
        Keys("Microsoft.CognitiveServices/accounts/regenerateKey/action"),
    ),
    "microsoft.documentdb/databaseaccounts": (
        Keys(f"{_COSMOS}/listKeys/action"),
        Keys(f"{_COSMOS}/listConnectionStrings/action", what="a connection string"),
        Keys(
            f"{_COSMOS}/sqlRoleAssignments/write",
            attribute="",
            what="a data role of the account",
            how="it may assign itself one",
        ),
        Keys(f"{_COSMOS}/readonlykeys/action", read_only=True, what="a read-only key"),
    ),
    "microsoft.search/searchservices": (
        Keys(f"{_SEARCH}/listAdminKeys/action", what="an admin key"),
        Keys(f"{_SEARCH}/listQueryKeys/action", read_only=True, what="a query key"),
        Keys(f"{_SEARCH}/listQueryKeys/read", read_only=True, what="a query key"),
    ),
    "microsoft.servicebus/namespaces": (
        Keys("Microsoft.ServiceBus/namespaces/authorizationRules/listKeys/action", what="a key"),
    ),
    "microsoft.eventhub/namespaces": (
        Keys("Microsoft.EventHub/namespaces/authorizationRules/listKeys/action", what="a key"),
    ),
    "microsoft.appconfiguration/configurationstores": (
        Keys("Microsoft.AppConfiguration/configurationStores/ListKeys/action", what="a key"),
    ),
    "microsoft.containerregistry/registries": (
        Keys(
            "Microsoft.ContainerRegistry/registries/listCredentials/action",
            what="the admin user's password",
        ),
    ),
    "microsoft.keyvault/vaults": (
        Keys(
            "Microsoft.KeyVault/vaults/accessPolicies/write",
            "rbac",
            off=True,
            what="an access policy",
            how="it may write one for itself",
        ),
        Keys(
            "Microsoft.KeyVault/vaults/write",
            "rbac",
            off=True,
            what="an access policy",
            how="it may write one for itself",
        ),
    ),
    "microsoft.batch/batchaccounts": (Keys("Microsoft.Batch/batchAccounts/listkeys/action"),),
}
#: Types that keep the keys of a storage account that they are linked to, with what hands them out.
#: https://learn.microsoft.com/azure/machine-learning/how-to-administrate-data-authentication
KEPT: dict[str, tuple[str, ...]] = {
    "microsoft.machinelearningservices/workspaces": (
        "Microsoft.MachineLearningServices/workspaces/listKeys/action",
        "Microsoft.MachineLearningServices/workspaces/listStorageAccountKeys/action",
        "Microsoft.MachineLearningServices/workspaces/datastores/listSecrets/action",
    ),
}
STORAGE = "microsoft.storage/storageaccounts"
#: Where whoever may write the resource may turn its keys on again.
_TURNED_ON_BY_WRITING = {
    "microsoft.storage/storageaccounts",
    "microsoft.cognitiveservices/accounts",
    "microsoft.documentdb/databaseaccounts",
    "microsoft.search/searchservices",
    "microsoft.servicebus/namespaces",
    "microsoft.eventhub/namespaces",
    "microsoft.appconfiguration/configurationstores",
    "microsoft.containerregistry/registries",
    "microsoft.batch/batchaccounts",
}
#: Where keys are off unless the resource says that they are on.
_OFF_BY_DEFAULT = {"microsoft.containerregistry/registries"}


def keys_of(resource: Resource) -> tuple[tuple[Keys, bool], ...]:
    """Give the keys of a resource, each with whether it works, as far as is known. Of a vault that
    does not say how it decides, none: what its policies give is unknown already."""
    return tuple(
        (keys, works)
        for keys in KEYS.get(resource.kind, ())
        if (works := _works(keys, resource)) or resource.kind in _TURNED_ON_BY_WRITING
    )


def _works(keys: Keys, resource: Resource) -> bool:
    by_default = resource.kind not in _OFF_BY_DEFAULT
    return resource.attributes.get(keys.attribute, by_default) is not keys.off
