"""The ARM types that Resource Graph is asked for, and what reading each needs.

A custom role has to name each type's `read`: Resource Graph shows only what the caller may read.
https://learn.microsoft.com/azure/governance/resource-graph/overview#permissions-in-azure-resource-graph
"""

from __future__ import annotations

from typing import Final

#: Code runs in these as the resource's identities; each is a runtime and a resource.
RUNTIMES: Final = (
    "Microsoft.App/containerApps",
    "Microsoft.App/jobs",
    "Microsoft.Automation/automationAccounts",
    "Microsoft.Batch/batchAccounts",
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.Compute/virtualMachines",
    "Microsoft.ContainerInstance/containerGroups",
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.DataFactory/factories",
    "Microsoft.Databricks/accessConnectors",
    "Microsoft.HybridCompute/machines",
    "Microsoft.Logic/workflows",
    "Microsoft.MachineLearningServices/workspaces",
    "Microsoft.Resources/deploymentScripts",
    "Microsoft.Synapse/workspaces",
    "Microsoft.Web/sites",
    "Microsoft.Web/sites/slots",
)

#: What can be acted on: data stores, secrets, identities, what models read from.
RESOURCES: Final = (
    "Microsoft.AppConfiguration/configurationStores",
    "Microsoft.ContainerRegistry/registries",
    "Microsoft.DBforMySQL/flexibleServers",
    "Microsoft.DBforPostgreSQL/flexibleServers",
    "Microsoft.Databricks/workspaces",
    "Microsoft.DocumentDB/databaseAccounts",
    "Microsoft.EventGrid/topics",
    "Microsoft.EventHub/namespaces",
    "Microsoft.KeyVault/managedHSMs",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Kusto/clusters",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.RecoveryServices/vaults",
    "Microsoft.Search/searchServices",
    "Microsoft.ServiceBus/namespaces",
    "Microsoft.Sql/servers",
    "Microsoft.Sql/servers/databases",
    "Microsoft.Storage/storageAccounts",
)

TYPES: Final = tuple(sorted((*RUNTIMES, *RESOURCES), key=str.lower))

#: As facts spell them.
RUNTIME_KINDS: Final = frozenset(name.lower() for name in RUNTIMES)


#: A policy over a scope, which deploys or modifies as an identity of its own.
POLICY_ASSIGNMENT: Final = "microsoft.authorization/policyassignments"


def coverage() -> tuple[str, ...]:
    """Give the coverage kinds of the query for all of these."""
    kinds = [name.lower() for name in TYPES]
    return (*kinds, *(f"runtimes:{name}" for name in sorted(RUNTIME_KINDS)))


def query() -> str:
    """Give the query. The order makes its pages stable."""
    listed = ", ".join(f"'{name.lower()}'" for name in TYPES)
    return (
        f"resources | where type in~ ({listed}) "
        "| project id, name, type, kind, location, tags, identity, sku, properties "
        "| order by id asc"
    )
