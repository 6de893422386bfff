"""The one table of calls: what is asked of Azure, with which permission, and what it feeds.

The collection walks this table, `modelreach permissions azure` prints its permissions and the
reference page is checked against it, so that the three cannot drift apart. It needs no SDK.

Only `read` actions are named: no call lists keys, connection strings, settings or secret values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from modelreach_azure.call import Call as Call
from modelreach_azure.call import Service as Service
from modelreach_azure.call import Where as Where
from modelreach_azure.calls_graph import GRAPH_CALLS
from modelreach_azure.calls_models import MODEL_CALLS
from modelreach_azure.kinds import POLICY_ASSIGNMENT, TYPES, coverage, query
from modelreach_azure.select import Parameters, Select, at, each, rows

_AUTHORIZATION: Final = "/providers/Microsoft.Authorization"
#: Answers of tenants without the licence for Privileged Identity Management: nobody is eligible.
_NO_PIM: Final = frozenset({"AadPremiumLicenseRequired"})
#: What a provider that the subscription never used answers.
_UNUSED: Final = frozenset({"MissingSubscriptionRegistration", "SubscriptionNotRegistered"})


def _arm(operation: str, path: str, permission: str, feeds: str, **more: Any) -> Call:
    return Call(Service.ARM, operation, path, f"Microsoft.{permission}/read", feeds, **more)


def _kql(operation: str, text: str, feeds: str, *permissions: str, **more: Any) -> Call:
    return Call(
        Service.RESOURCE_GRAPH,
        operation,
        "/providers/Microsoft.ResourceGraph/resources",
        "Microsoft.ResourceGraph/resources/read",
        feeds,
        Where.TENANT,
        query={"api-version": "2022-10-01"},
        body={"query": text, "options": {"resultFormat": "objectArray", "$top": 1000}},
        also=permissions,
        **more,
    )


_SESSION = (
    _arm(
        "subscriptions",
        "/subscriptions",
        "Resources/subscriptions",
        "the subscriptions that can be read, and their tenant",
        where=Where.SESSION,
        query={"api-version": "2022-12-01"},
        kinds=("hierarchy",),
    ),
)

_HIERARCHY = (
    _kql(
        "resourcecontainers",
        "resourcecontainers | project id, name, type, location, tags, properties "
        "| order by id asc",
        "management groups, subscriptions, resource groups and their tags",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Management/managementGroups/read",
        kinds=("hierarchy",),
    ),
    _arm(
        "managementGroups.descendants",
        "/providers/Microsoft.Management/managementGroups/{tenant}/descendants",
        "Management/managementGroups/descendants",
        "subscriptions that exist and cannot be read",
        where=Where.TENANT,
        query={"api-version": "2020-05-01"},
        kinds=("hierarchy",),
    ),
)

_EVERYTHING = (
    _kql(
        "resources",
        query(),
        "resources, their identities and tags, and the runtimes among them",
        *(f"{name}/read" for name in TYPES),
        kinds=coverage(),
    ),
    _kql(
        "roleassignments",
        "authorizationresources | where type =~ 'microsoft.authorization/roleassignments' "
        "| project id, name, type, properties | order by id asc",
        "role assignments, with their conditions",
        "Microsoft.Authorization/roleAssignments/read",
        kinds=("bindings",),
    ),
    _kql(
        "roledefinitions",
        "authorizationresources | where type =~ 'microsoft.authorization/roledefinitions' "
        "| project id, name, type, properties | order by id asc",
        "role definitions, built-in and custom",
        "Microsoft.Authorization/roleDefinitions/read",
        kinds=("roles",),
    ),
    _arm(
        "roleDefinitions",
        f"{_AUTHORIZATION}/roleDefinitions",
        "Authorization/roleDefinitions",
        "conditions inside role definitions, which Resource Graph may lack",
        where=Where.TENANT,
        query={"api-version": "2022-05-01-preview"},
        kinds=("roles",),
    ),
)


def _in_place(where: Where, operation: str, version: str, *, feeds: str, **more: Any) -> Call:
    prefix = "managementGroup." if where is Where.GROUP else ""
    return _arm(
        f"{prefix}{operation}",
        f"{{place}}{_AUTHORIZATION}/{operation}",
        f"Authorization/{operation}",
        feeds,
        where=where,
        **{**more, "query": {"api-version": version, **more.get("query", {})}},
    )


def _authorization(where: Where) -> Iterable[Call]:
    above: dict[str, Any] = {"query": {"$filter": "atScope()"}}
    on_group = above if where is Where.GROUP else {}
    yield _in_place(
        where,
        "roleAssignments",
        "2022-04-01",
        feeds="role assignments here and above, up to the root, which Resource Graph leaves out",
        kinds=("bindings",),
        **above,
    )
    yield _in_place(
        where,
        "denyAssignments",
        "2022-04-01",
        feeds="deny assignments",
        kinds=("deny",),
        **on_group,
    )
    yield _in_place(
        where,
        "roleEligibilityScheduleInstances",
        "2020-10-01",
        feeds="roles that somebody is eligible for",
        kinds=("eligible",),
        absent=_NO_PIM,
        **on_group,
    )
    yield _in_place(
        where,
        "roleAssignmentScheduleInstances",
        "2020-10-01",
        feeds="until when an activated role lasts",
        kinds=("eligible",),
        absent=_NO_PIM,
        **on_group,
    )


_SET: Final = "/providers/microsoft.authorization/policysetdefinitions/"


def _own_set(_: Mapping[str, Any], response: Mapping[str, Any]) -> Iterator[Parameters]:
    """Select the sets of policies that somebody of the tenant has written: nobody writes into
    those of Azure itself."""
    for row in rows(response):
        name = str(at(row, "properties.policyDefinitionId") or "")
        if row.get("identity") and name.lower().rpartition(_SET)[0]:
            yield {"id": name}


_POLICIES = (
    _in_place(
        Where.SUBSCRIPTION,
        "policyAssignments",
        "2023-04-01",
        feeds="policies that deploy or modify, and by which identity",
        kinds=(POLICY_ASSIGNMENT, f"runtimes:{POLICY_ASSIGNMENT}"),
    ),
    _arm(
        "policySetDefinition",
        "{id}",
        "Authorization/policySetDefinitions",
        "which policies an assigned set has",
        where=Where.THING,
        query={"api-version": "2023-04-01"},
        facet="details",
        subject="{id}",
        after={"policyAssignments": _own_set},
    ),
)

_IN_SUBSCRIPTION = (
    *_authorization(Where.SUBSCRIPTION),
    *_authorization(Where.GROUP),
    _in_place(
        Where.SUBSCRIPTION, "locks", "2020-05-01", feeds="management locks", kinds=("locks",)
    ),
    _arm(
        "registrationAssignments",
        "{place}/providers/Microsoft.ManagedServices/registrationAssignments",
        "ManagedServices/registrationAssignments",
        "what Lighthouse delegates to other tenants",
        where=Where.SUBSCRIPTION,
        query={"api-version": "2022-10-01", "$expandRegistrationDefinition": "true"},
        kinds=("delegated",),
        absent=_UNUSED,
        also=("Microsoft.ManagedServices/registrationDefinitions/read",),
    ),
)


def _of_each(
    operation: str, type_: str, path: str, permission: str, feeds: str, version: str, **more: Any
) -> Call:
    """Make a row for a call that is made for each resource of a type."""
    return _arm(
        operation,
        f"{{id}}/{path}",
        permission,
        feeds,
        where=Where.THING,
        query={"api-version": version},
        subject="{id}",
        after={"resources": each(type_=type_)},
        **more,
    )


_PARTS = (
    _of_each(
        "federatedIdentityCredentials",
        "microsoft.managedidentity/userassignedidentities",
        "federatedIdentityCredentials",
        "ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "whose tokens a user-assigned identity trusts",
        "2024-11-30",
        facet="trust",
    ),
    _of_each(
        "containers",
        "microsoft.storage/storageaccounts",
        "blobServices/default/containers",
        "Storage/storageAccounts/blobServices/containers",
        "blob containers",
        "2024-01-01",
        kinds=("microsoft.storage/storageaccounts/blobservices/containers",),
        # Of a kind of account that holds no blobs.
        absent=frozenset({"FeatureNotSupportedForAccount"}),
    ),
    _of_each(
        "vaults.secrets",
        "microsoft.keyvault/vaults",
        "secrets",
        "KeyVault/vaults/secrets",
        "secrets: names and dates; never values",
        "2023-07-01",
        kinds=("microsoft.keyvault/vaults/secrets",),
    ),
    _of_each(
        "vaults.keys",
        "microsoft.keyvault/vaults",
        "keys",
        "KeyVault/vaults/keys",
        "keys: names and dates",
        "2023-07-01",
        kinds=("microsoft.keyvault/vaults/keys",),
    ),
    _of_each(
        "sqlRoleAssignments",
        "microsoft.documentdb/databaseaccounts",
        "sqlRoleAssignments",
        "DocumentDB/databaseAccounts/sqlRoleAssignments",
        "roles inside a Cosmos account, which ARM's own do not show",
        "2024-05-15",
        facet="bindings",
        absent=frozenset({"BadRequest", "MethodNotAllowed"}),
    ),
    _of_each(
        "sqlRoleDefinitions",
        "microsoft.documentdb/databaseaccounts",
        "sqlRoleDefinitions",
        "DocumentDB/databaseAccounts/sqlRoleDefinitions",
        "what roles inside a Cosmos account allow",
        "2024-05-15",
        facet="roles",
        absent=frozenset({"BadRequest", "MethodNotAllowed"}),
    ),
)

CALLS: Final[tuple[Call, ...]] = (
    *_SESSION,
    *_HIERARCHY,
    *_EVERYTHING,
    *_IN_SUBSCRIPTION,
    *_POLICIES,
    *_PARTS,
    *MODEL_CALLS,
    *GRAPH_CALLS,
)

_BY_NAME: Final = {(call.service.value, call.operation): call for call in CALLS}


def call_of(service: str, operation: str) -> Call | None:
    """Give the row that a call was made from, None for one that this table does not have."""
    return _BY_NAME.get((service, operation))


def further(call: Call) -> Iterable[tuple[Call, Select]]:
    """Give the calls that an answer of this one leads to."""
    for row in CALLS:
        if call.operation in row.after:
            yield row, row.after[call.operation]
