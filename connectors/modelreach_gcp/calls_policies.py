"""Calls for policies: what allows, what denies, what bounds, and what the names in them mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach_gcp.call import Call, Parameters, Stage
from modelreach_gcp.estate import MANAGERS, POLICIES, Estate
from modelreach_gcp.mentions import groups_named, roles_named
from modelreach_gcp.places import above, every, roots, without_policies
from modelreach_gcp.select import listed, over

_DENY: Final = ("iam.v2", "policies.listPolicies")
_BOUNDARIES: Final = ("iam.v3", "organizations.locations.principalAccessBoundaryPolicies.list")
_ACCESS: Final = ("iam.v3", "accessPolicies.list")
_PERIMETERS_OF: Final = ("accesscontextmanager.v1", "accessPolicies.list")
_LOOKUP: Final = ("cloudidentity.v1", "groups.lookup")
_MEMBERS: Final = ("cloudidentity.v1", "groups.memberships.list")
_V3: Final = "google.cloud.iam_v3"
_SECURITY: Final = "roles/iam.securityReviewer"
_VERSION_3: Final = {"options": {"requestedPolicyVersion": 3}}
_NOTHING: Final = frozenset({404})


def _groups(estate: Estate) -> Iterator[tuple[str, Parameters]]:
    place = estate.roots[0] if estate.roots else ""
    for email in groups_named(estate.answers):
        yield place, {"groupKey.id": email}


def _nested(
    place: str, _parameters: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[tuple[str, Parameters]]:
    for member in listed(response, "memberships"):
        key = member.get("preferredMemberKey")
        if member.get("type") == "GROUP" and isinstance(key, dict) and key.get("id"):
            yield place, {"groupKey.id": str(key["id"])}


def _roles(estate: Estate) -> Iterator[tuple[str, Parameters]]:
    for role in roles_named(estate.answers):
        place = estate.scope(role.rpartition("/roles/")[0]) if "/roles/" in role else ""
        yield place, {"name": role}


def _policy(kind: str, permission: str) -> Call:
    """Make the call for the allow policy of scopes that the search in bulk does not have: those
    above what is read, or all when it is refused."""
    return Call(
        MANAGERS,
        f"{kind}.getIamPolicy",
        "v3/{+resource}:getIamPolicy",
        permission,
        _SECURITY,
        "allow policies of scopes that the search in bulk does not have",
        Stage.PLACES,
        each=_lacking(kind),
        http="POST",
        fixed=_VERSION_3,
        kinds=("bindings",),
        subject="{resource}",
    )


def _lacking(kind: str) -> Any:
    outside, inside = above(kind, resource="{scope}"), without_policies(kind, resource="{scope}")

    def each(estate: Estate) -> Iterator[tuple[str, Parameters]]:
        yield from outside(estate)
        yield from inside(estate)

    return each


POLICY_CALLS: Final = (
    Call(
        *POLICIES,
        "v1/{+scope}:searchAllIamPolicies",
        "cloudasset.assets.searchAllIamPolicies",
        "roles/cloudasset.viewer",
        "allow policies of everything, with conditions",
        Stage.BULK,
        each=roots(scope="{scope}"),
        fixed={"pageSize": 500},
        items="results",
        kinds=("bindings",),
        typed="google.cloud.asset_v1:AssetServiceClient.search_all_iam_policies",
    ),
    _policy("organizations", "resourcemanager.organizations.getIamPolicy"),
    _policy("folders", "resourcemanager.folders.getIamPolicy"),
    _policy("projects", "resourcemanager.projects.getIamPolicy"),
    Call(
        "iam.v1",
        "projects.serviceAccounts.getIamPolicy",
        "v1/{+resource}:getIamPolicy",
        "iam.serviceAccounts.getIamPolicy",
        _SECURITY,
        "who may act as a service account, when the search in bulk is refused",
        Stage.PLACES,
        after={
            ("iam.v1", "projects.serviceAccounts.list"): over("accounts", resource="name"),
        },
        http="POST",
        fixed={"options.requestedPolicyVersion": 3},
        kinds=("bindings",),
        subject="//iam.googleapis.com/{resource}",
    ),
    Call(
        "storage.v1",
        "buckets.getIamPolicy",
        "storage/v1/b/{bucket}/iam",
        "storage.buckets.getIamPolicy",
        _SECURITY,
        "allow policies of buckets, when the search in bulk is refused",
        Stage.PLACES,
        after={("storage.v1", "buckets.list"): over("items", bucket="name")},
        fixed={"optionsRequestedPolicyVersion": 3},
        kinds=("bindings",),
        subject="//storage.googleapis.com/projects/_/buckets/{bucket}",
    ),
    Call(
        "orgpolicy.v2",
        "policies.list",
        "v2/{+parent}/policies",
        "orgpolicy.policies.list",
        "roles/orgpolicy.policyViewer",
        "organization policies on keys, accounts and federation",
        Stage.PLACES,
        each=every(parent="{scope}"),
        fixed={"pageSize": 1000},
        items="policies",
        kinds=("constraint",),
    ),
    Call(
        *_PERIMETERS_OF,
        "v1/accessPolicies",
        "accesscontextmanager.policies.list",
        "roles/accesscontextmanager.policyReader",
        "where the service perimeters of an organization are kept",
        Stage.PLACES,
        each=every("organizations", parent="{scope}"),
        fixed={"pageSize": 100},
        items="accessPolicies",
        kinds=("perimeters",),
    ),
    Call(
        "accesscontextmanager.v1",
        "accessPolicies.servicePerimeters.list",
        "v1/{+parent}/servicePerimeters",
        "accesscontextmanager.servicePerimeters.list",
        "roles/accesscontextmanager.policyReader",
        "perimeters, which may stop at run time what policies allow",
        Stage.PLACES,
        after={_PERIMETERS_OF: over("accessPolicies", parent="name")},
        fixed={"pageSize": 100},
        items="servicePerimeters",
        kinds=("perimeters",),
        subject="{parent}",
    ),
    Call(
        *_DENY,
        "v2/{+parent}",
        "iam.denypolicies.list",
        "roles/iam.denyReviewer",
        "which deny policies there are",
        Stage.SLOW,
        each=every(parent="policies/{attachment}/denypolicies"),
        items="policies",
        kinds=("deny",),
        typed="google.cloud.iam_v2:PoliciesClient.list_policies",
        slow=True,
    ),
    Call(
        "iam.v2",
        "policies.get",
        "v2/{+name}",
        "iam.denypolicies.get",
        "roles/iam.denyReviewer",
        "the rules of a deny policy, which a list of them lacks",
        Stage.SLOW,
        after={_DENY: over("policies", name="name")},
        kinds=("deny",),
        subject="{name}",
        absent=_NOTHING,
        typed="google.cloud.iam_v2:PoliciesClient.get_policy",
        slow=True,
    ),
    Call(
        *_BOUNDARIES,
        "v3/{+parent}/principalAccessBoundaryPolicies",
        "iam.principalaccessboundarypolicies.list",
        "roles/iam.principalAccessBoundaryViewer",
        "principal access boundaries: what they leave",
        Stage.SLOW,
        each=every("organizations", parent="{scope}/locations/global"),
        fixed={"pageSize": 500},
        items="principalAccessBoundaryPolicies",
        kinds=("boundary",),
        typed=f"{_V3}:PrincipalAccessBoundaryPoliciesClient.list_principal_access_boundary_policies",
        slow=True,
    ),
    Call(
        "iam.v3",
        "organizations.locations.principalAccessBoundaryPolicies.searchPolicyBindings",
        "v3/{+name}:searchPolicyBindings",
        "iam.principalaccessboundarypolicies.searchPolicyBindings",
        "roles/iam.principalAccessBoundaryViewer",
        "whom a principal access boundary binds",
        Stage.SLOW,
        after={_BOUNDARIES: over("principalAccessBoundaryPolicies", name="name")},
        items="policyBindings",
        kinds=("boundary",),
        subject="{name}",
        absent=_NOTHING,
        typed=f"{_V3}:PrincipalAccessBoundaryPoliciesClient"
        ".search_principal_access_boundary_policy_bindings",
        slow=True,
    ),
    Call(
        *_ACCESS,
        "v3/{+parent}/accessPolicies",
        "iam.accesspolicies.list",
        "roles/iam.accessPolicyViewer",
        "access policies: a further way to allow",
        Stage.SLOW,
        each=every(parent="{scope}/locations/global"),
        items="accessPolicies",
        kinds=("access-policy",),
        typed=f"{_V3}:AccessPoliciesClient.list_access_policies",
        slow=True,
    ),
    Call(
        "iam.v3",
        "accessPolicies.searchPolicyBindings",
        "v3/{+name}:searchPolicyBindings",
        "iam.accesspolicies.searchPolicyBindings",
        "roles/iam.accessPolicyViewer",
        "what an access policy is bound to",
        Stage.SLOW,
        after={_ACCESS: over("accessPolicies", name="name")},
        items="policyBindings",
        kinds=("access-policy",),
        subject="{name}",
        absent=_NOTHING,
        typed=f"{_V3}:AccessPoliciesClient.search_access_policy_bindings",
        slow=True,
    ),
    Call(
        "iam.v1",
        "roles.get",
        "v1/{+name}",
        "iam.roles.get",
        "roles/iam.roleViewer",
        "what a role that a policy names may do",
        Stage.NAMED,
        each=_roles,
        asset="iam.googleapis.com/Role",
        kinds=("roles",),
        subject="{name}",
        typed="google.cloud.iam_admin_v1:IAMClient.get_role",
    ),
    Call(
        *_LOOKUP,
        "v1/groups:lookup",
        "groups (Cloud Identity): view",
        "",
        "groups that policies name, and those nested in them",
        Stage.NAMED,
        each=_groups,
        after={_MEMBERS: _nested},
        kinds=("groups",),
        subject="group:{groupKey.id}",
    ),
    Call(
        *_MEMBERS,
        "v1/{+parent}/memberships",
        "groups (Cloud Identity): view members",
        "",
        "the direct members of a group",
        Stage.NAMED,
        after={
            _LOOKUP: over("", parent="name", _group="^groupKey.id"),
        },
        fixed={"view": "FULL", "pageSize": 500},
        items="memberships",
        kinds=("groups",),
        subject="group:{_group}",
    ),
)
