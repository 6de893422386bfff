"""Rows of the table of calls: what Microsoft Graph tells of Entra ID.

Permissions are application permissions, the least that each call's page names:
https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from typing import Any, Final

from modelreach_azure.call import Call, Service, Where
from modelreach_azure.groups import groups_that_hold, scoped_units
from modelreach_azure.select import each, words

_APPLICATIONS: Final = "Application.Read.All"
_GROUPS: Final = "GroupMember.Read.All"
_ROLES: Final = "RoleManagement.Read.Directory"
#: Directory objects come 999 to a page; the references of an expansion 20 at most, without more.
_TOP: Final = "999"
_EXPANDED: Final = 20
_CREDENTIALS: Final = "passwordCredentials,keyCredentials"


#: Answers of tenants without the licence for privileged identity management, and about groups that
#: it does not manage: nobody is eligible.
_NO_PIM: Final = frozenset({"AadPremiumLicenseRequired", "ResourceNotFound"})


def _graph(operation: str, path: str, permission: str, feeds: str, **more: Any) -> Call:
    more = {"where": Where.TENANT, **more}
    return Call(Service.GRAPH, operation, f"/v1.0/{path}", permission, feeds, **more)


def _maybe_more_owners(row: dict[str, Any]) -> bool:
    owners = row.get("owners")
    return isinstance(owners, list) and len(owners) >= _EXPANDED


def _has_application_roles(row: dict[str, Any]) -> bool:
    roles = row.get("appRoles")
    return any(
        "Application" in words(role, "allowedMemberTypes")
        for role in (roles if isinstance(roles, list) else ())
        if isinstance(role, dict)
    )


_TENANT = (
    _graph(
        "organization",
        "organization",
        "Organization.Read.All",
        "the tenant",
        where=Where.SESSION,
        query={"$select": "id,displayName"},
        kinds=("tenant",),
    ),
    _graph(
        "defaultAppManagementPolicy",
        "policies/defaultAppManagementPolicy",
        "Policy.Read.All",
        "whether credentials may be added to applications",
        kinds=("credential-restrictions",),
    ),
)

_PRINCIPALS = (
    _graph(
        "servicePrincipals",
        "servicePrincipals",
        _APPLICATIONS,
        "service principals, managed identities, their credentials and app roles",
        query={
            "$select": "id,appId,displayName,servicePrincipalType,accountEnabled,"
            "appOwnerOrganizationId,alternativeNames,tags,createdDateTime,appRoles,"
            f"{_CREDENTIALS}",
            "$top": _TOP,
        },
        kinds=("principals", "credentials"),
    ),
    _graph(
        "servicePrincipals.owners",
        "servicePrincipals",
        _APPLICATIONS,
        "owners of service principals",
        query={"$select": "id", "$expand": "owners($select=id)", "$top": _TOP},
        kinds=("owners",),
    ),
    _graph(
        "servicePrincipal.owners",
        "servicePrincipals/{id}/owners",
        _APPLICATIONS,
        "owners beyond the first twenty",
        where=Where.THING,
        query={"$select": "id", "$top": _TOP},
        facet="owners",
        subject="{id}",
        after={"servicePrincipals.owners": each(having=_maybe_more_owners)},
    ),
    _graph(
        "applications",
        "applications",
        _APPLICATIONS,
        "applications, their credentials and locks",
        query={
            "$select": "id,appId,displayName,createdDateTime,signInAudience,tags,"
            f"requiredResourceAccess,servicePrincipalLockConfiguration,{_CREDENTIALS}",
            "$top": _TOP,
        },
        kinds=("applications", "credentials"),
    ),
    _graph(
        "applications.owners",
        "applications",
        _APPLICATIONS,
        "owners of applications",
        query={"$select": "id", "$expand": "owners($select=id)", "$top": _TOP},
        kinds=("owners",),
    ),
    _graph(
        "application.owners",
        "applications/{id}/owners",
        _APPLICATIONS,
        "owners beyond the first twenty",
        where=Where.THING,
        query={"$select": "id", "$top": _TOP},
        facet="owners",
        subject="{id}",
        after={"applications.owners": each(having=_maybe_more_owners)},
    ),
    _graph(
        "applications.federatedIdentityCredentials",
        "applications",
        _APPLICATIONS,
        "whose tokens an application trusts",
        query={"$select": "id", "$expand": "federatedIdentityCredentials", "$top": _TOP},
        kinds=("trust",),
    ),
)

#: Clouds that have no agent identities yet.
_NO_AGENTS: Final = frozenset({"Request_ResourceNotFound", "BadRequest", "ResourceNotFound"})
_AGENT_FIELDS: Final = "id,appId,displayName,accountEnabled,createdDateTime,tags"

_AGENTS = (
    _graph(
        "agentIdentities",
        "servicePrincipals/microsoft.graph.agentIdentity",
        "AgentIdentity.Read.All",
        "agent identities and their blueprints",
        query={"$select": f"{_AGENT_FIELDS},agentIdentityBlueprintId", "$top": "100"},
        kinds=("agents",),
        absent=_NO_AGENTS,
    ),
    _graph(
        "agentBlueprintPrincipals",
        "servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal",
        "AgentIdentityBlueprintPrincipal.Read.All",
        "service principals of agent identity blueprints",
        query={"$select": _AGENT_FIELDS, "$top": "100"},
        kinds=("agents",),
        absent=_NO_AGENTS,
    ),
    _graph(
        "agentBlueprints",
        "applications/microsoft.graph.agentIdentityBlueprint",
        "AgentIdentityBlueprint.Read.All",
        "agent identity blueprints, their credentials and trusts",
        query={"$select": f"id,appId,displayName,createdDateTime,{_CREDENTIALS}", "$top": "100"},
        kinds=("agents", "credentials"),
        absent=_NO_AGENTS,
    ),
    _graph(
        "agentBlueprint.federatedIdentityCredentials",
        "applications/{id}/microsoft.graph.agentIdentityBlueprint/federatedIdentityCredentials",
        "AgentIdentityBlueprint.Read.All",
        "whose tokens a blueprint trusts",
        where=Where.THING,
        facet="trust",
        subject="{id}",
        after={"agentBlueprints": each()},
    ),
    Call(
        Service.GRAPH,
        "agentUsers",
        "/beta/users/microsoft.graph.agentUser",
        "User.Read.All",
        "users that agent identities act as",
        Where.TENANT,
        query={"$select": "id,displayName,accountEnabled,identityParentId", "$top": "100"},
        kinds=("agents",),
        absent=_NO_AGENTS,
    ),
)

_HELD = (
    _graph(
        "appRoleAssignedTo",
        "servicePrincipals/{id}/appRoleAssignedTo",
        _APPLICATIONS,
        "who holds application permissions",
        where=Where.THING,
        query={"$top": _TOP},
        facet="app-roles",
        subject="{id}",
        after={"servicePrincipals": each(having=_has_application_roles)},
    ),
    _graph(
        "oauth2PermissionGrants",
        "oauth2PermissionGrants",
        "DelegatedPermissionGrant.Read.All",
        "permissions delegated for everybody, which give nothing without a user",
        query={"$filter": "consentType eq 'AllPrincipals'", "$top": _TOP},
        kinds=("delegated-permissions",),
    ),
    _graph(
        "directory.roleDefinitions",
        "roleManagement/directory/roleDefinitions",
        _ROLES,
        "directory roles",
        kinds=("directory-roles",),
    ),
    _graph(
        "directory.roleAssignments",
        "roleManagement/directory/roleAssignments",
        _ROLES,
        "who holds directory roles, and over what",
        kinds=("directory-roles",),
    ),
    _graph(
        "directory.roleEligibilityScheduleInstances",
        "roleManagement/directory/roleEligibilityScheduleInstances",
        "RoleEligibilitySchedule.Read.Directory",
        "who is eligible for directory roles",
        kinds=("directory-roles",),
        absent=_NO_PIM,
    ),
    _graph(
        "administrativeUnits",
        "directory/administrativeUnits",
        "AdministrativeUnit.Read.All",
        "administrative units",
        query={"$top": _TOP},
        kinds=("administrative-units",),
    ),
    _graph(
        "administrativeUnit.members",
        "directory/administrativeUnits/{id}/members",
        "AdministrativeUnit.Read.All",
        "what is in a unit over which somebody holds a role",
        where=Where.THING,
        query={"$select": "id", "$top": _TOP},
        facet="administrative-units",
        subject="/administrativeunits/{id}",
        lastly=scoped_units,
    ),
)


def _is_group(row: dict[str, Any]) -> bool:
    return str(row.get("@odata.type", "")).lower() == "#microsoft.graph.group"


def _is_of_group(row: dict[str, Any]) -> bool:
    return _is_group(row.get("principal") or {})


_ELIGIBLE: Final = "group.eligibilityScheduleInstances"
#: Groups in a group that is looked into: its members, and who may activate membership.
_WITHIN: Final = {
    "group.members": each(having=_is_group),
    _ELIGIBLE: each("principalId", having=_is_of_group),
}


_MEMBERS = (
    _graph(
        "groups",
        "groups",
        _GROUPS,
        "groups",
        query={
            "$select": "id,displayName,isAssignableToRole,securityEnabled,groupTypes",
            "$top": _TOP,
        },
        kinds=("groups",),
    ),
    _graph(
        "group.members",
        "groups/{id}/members",
        _GROUPS,
        "direct members of groups that hold something, and of groups nested in them",
        where=Where.THING,
        query={"$select": "id,displayName", "$top": _TOP},
        facet="groups",
        subject="{id}",
        lastly=groups_that_hold,
        after=_WITHIN,
    ),
    _graph(
        "group.owners",
        "groups/{id}/owners",
        _GROUPS,
        "who may add members to these groups",
        where=Where.THING,
        query={"$select": "id", "$top": _TOP},
        facet="owners",
        subject="{id}",
        lastly=groups_that_hold,
        after=_WITHIN,
    ),
    _graph(
        _ELIGIBLE,
        "identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
        "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        "who may activate membership or ownership of these groups",
        where=Where.THING,
        query={"$filter": "groupId eq '{id}'", "$expand": "principal"},
        facet="eligible",
        subject="{id}",
        lastly=groups_that_hold,
        after=_WITHIN,
        absent=_NO_PIM,
    ),
)

_USE = (
    Call(
        Service.GRAPH,
        "servicePrincipalSignInActivities",
        "/beta/reports/servicePrincipalSignInActivities",
        "AuditLog.Read.All",
        "when a service principal last signed in",
        Where.TENANT,
        kinds=("usage",),
    ),
    Call(
        Service.GRAPH,
        "appCredentialSignInActivities",
        "/beta/reports/appCredentialSignInActivities",
        "AuditLog.Read.All",
        "when a secret or certificate was last used",
        Where.TENANT,
        kinds=("usage",),
    ),
)

GRAPH_CALLS: Final = (*_TENANT, *_PRINCIPALS, *_AGENTS, *_HELD, *_MEMBERS, *_USE)
