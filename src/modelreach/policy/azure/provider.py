"""What the rest of the program has to know of Azure and Entra."""

from __future__ import annotations

from modelreach.model import Sensitivity
from modelreach.policy.engine import Engine
from modelreach.policy.provider import Context, Opens, Provider
from modelreach.snapshot import Facts


def _engine(facts: Facts, context: Context, opens: Opens) -> Engine:
    from modelreach.policy.azure.engine import AzureEngine

    return AzureEngine(facts, dict(context), opens)


def _meant(action: str) -> tuple[str, ...]:
    """Whoever writes an action without a prefix may mean a data action."""
    name = action.lower()
    return (name,) if ":" in name or "/" not in name else (name, f"data:{name}")


def _family(action: str) -> str:
    """All actions of a resource provider, of the same plane."""
    head, slash, _ = action.lower().partition("/")
    return f"{head}/*" if slash else f"{head.partition(':')[0]}:*"


_CONNECTIONS = (
    "microsoft.cognitiveservices/accounts/connections",
    "microsoft.cognitiveservices/accounts/projects/connections",
    "microsoft.machinelearningservices/workspaces/connections",
)
_THIRD_PARTY = (Sensitivity.HIGH, "holds a third-party credential")

PROVIDER = Provider(
    name="azure",
    engine=_engine,
    identities="entra",
    classes={
        "microsoft.keyvault/vaults": "secrets",
        "microsoft.keyvault/vaults/secrets": "secrets",
        "microsoft.keyvault/vaults/keys": "keys",
        "microsoft.cognitiveservices/accounts/connections": "secrets",
        "microsoft.cognitiveservices/accounts/projects/connections": "secrets",
        "microsoft.machinelearningservices/workspaces/connections": "secrets",
        "microsoft.storage/storageaccounts": "storage",
        "microsoft.storage/storageaccounts/blobservices/containers": "storage",
        "microsoft.documentdb/databaseaccounts": "databases",
        "microsoft.sql/servers": "databases",
        "microsoft.sql/servers/databases": "databases",
        "microsoft.dbforpostgresql/flexibleservers": "databases",
        "microsoft.dbformysql/flexibleservers": "databases",
        "microsoft.cache/redis": "databases",
        "microsoft.search/searchservices": "databases",
        "microsoft.servicebus/namespaces": "messaging",
        "microsoft.eventhub/namespaces": "messaging",
        "microsoft.eventgrid/topics": "messaging",
        "microsoft.web/sites": "functions",
        "microsoft.app/containerapps": "functions",
        "microsoft.app/jobs": "functions",
        "microsoft.managedidentity/userassignedidentities": "identities",
        "entra:service-principal": "identities",
        "entra:managed-identity": "identities",
        "entra:agent-identity": "identities",
        "entra:agent-blueprint": "identities",
        "entra:application": "identities",
        "entra:user": "identities",
        "entra:group": "identities",
        "entra:tenant": "administration",
        "azure:tenant": "administration",
        "azure:root": "administration",
        "azure:management-group": "administration",
        "azure:subscription": "administration",
        "azure:resource-group": "administration",
    },
    sensitive={
        "microsoft.keyvault/vaults": (Sensitivity.HIGH, "holds secrets"),
        "microsoft.keyvault/vaults/secrets": (Sensitivity.HIGH, "holds a secret"),
        "microsoft.keyvault/vaults/keys": (Sensitivity.MEDIUM, "decrypts what it protects"),
        "microsoft.cognitiveservices/accounts/connections": _THIRD_PARTY,
        "microsoft.cognitiveservices/accounts/projects/connections": _THIRD_PARTY,
        "microsoft.machinelearningservices/workspaces/connections": _THIRD_PARTY,
        "microsoft.graph/mail": (Sensitivity.HIGH, "holds everybody's mail"),
        "microsoft.graph/files": (Sensitivity.HIGH, "holds everybody's files"),
        "microsoft.graph/sites": (Sensitivity.HIGH, "holds every site"),
        "microsoft.graph/chats": (Sensitivity.HIGH, "holds everybody's conversations"),
        "microsoft.graph/ediscovery": (Sensitivity.HIGH, "holds what is kept for the courts"),
        "microsoft.graph/device-keys": (Sensitivity.HIGH, "holds keys of devices"),
        "microsoft.graph/notes": (Sensitivity.MEDIUM, "holds everybody's notes"),
        "microsoft.graph/calendars": (Sensitivity.MEDIUM, "holds everybody's calendar"),
        "azure:tenant": (Sensitivity.HIGH, "a whole tenant"),
        "azure:root": (Sensitivity.HIGH, "every subscription"),
        "azure:management-group": (Sensitivity.HIGH, "a whole management group"),
        "azure:subscription": (Sensitivity.HIGH, "a whole subscription"),
        "azure:resource-group": (Sensitivity.HIGH, "a whole resource group"),
    },
    meant=_meant,
    placed=str.lower,
    family=_family,
    stored=dict.fromkeys(_CONNECTIONS, "stored credential"),
    fetches=frozenset(f"{kind}/listsecrets/action" for kind in _CONNECTIONS),
    listing={
        "storage-key": frozenset({"microsoft.storage/storageaccounts/listkeys/action"}),
        "cognitive-key": frozenset({"microsoft.cognitiveservices/accounts/listkeys/action"}),
        "aml-key": frozenset(
            {"microsoft.machinelearningservices/workspaces/onlineendpoints/listkeys/action"}
        ),
    },
    model_keys=frozenset({"cognitive-key", "aml-key"}),
    models={
        "microsoft.cognitiveservices/accounts/projects/applications": (
            "azure-foundry",
            "Foundry agent, as published",
        ),
        "microsoft.cognitiveservices/accounts/projects": ("azure-foundry", "Foundry project"),
        "microsoft.cognitiveservices/accounts/deployments": ("azure-openai", "model deployment"),
        "microsoft.machinelearningservices/workspaces/onlineendpoints": (
            "azure-ml",
            "Azure Machine Learning endpoint",
        ),
    },
)
