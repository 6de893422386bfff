"""Calls for the tree of scopes, for accounts and keys, and for what can be acted on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach_gcp.call import Call, Parameters, Stage
from modelreach_gcp.estate import LIST, MANAGERS, SEARCH, Estate
from modelreach_gcp.places import (
    ASSET_TYPES,
    EXPRESSIONS,
    every,
    projects,
    projects_with,
    roots,
    without_list,
    without_search,
)
from modelreach_gcp.select import at, listed, over, parent

_ASSET: Final = "google.cloud.asset_v1:AssetServiceClient"
_VIEWER: Final = "roles/cloudasset.viewer"
_BROWSER: Final = "roles/browser"
_SECURITY: Final = "roles/iam.securityReviewer"
_SCOPES: Final = ("scopes",)
_KEYS: Final = ("credentials",)


def _get(kind: str, permission: str) -> Call:
    above = {(MANAGERS, f"{name}.get"): parent for name in ("projects", "folders")}
    fitting = {key: _only(kind, select) for key, select in above.items()}
    return Call(
        MANAGERS,
        f"{kind}.get",
        "v3/{+name}",
        permission,
        _BROWSER,
        "what is read, and what is above it",
        Stage.ROOTS,
        after=fitting if kind != "projects" else {},
        kinds=_SCOPES,
        subject="{name}",
    )


def _only(kind: str, select: Any) -> Any:
    def chosen(
        place: str, parameters: Mapping[str, Any], response: Mapping[str, Any]
    ) -> Iterator[tuple[str, Parameters]]:
        for found, made in select(place, parameters, response):
            if found.startswith(kind + "/"):
                yield found, made

    return chosen


def _children(items: str) -> Call:
    permission = f"resourcemanager.{items}.list"
    return Call(
        MANAGERS,
        f"{items}.list",
        f"v3/{items}",
        permission,
        _BROWSER,
        "folders and projects, when the search in bulk is refused",
        Stage.TREE,
        each=without_search(parent="{scope}"),
        after={(MANAGERS, "folders.list"): _in_folder},
        items=items,
        kinds=_SCOPES,
    )


def _in_folder(
    _place: str, _parameters: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[tuple[str, Parameters]]:
    for folder in listed(response, "folders"):
        name = str(folder.get("name", ""))
        yield name, {"parent": name}


def _user_managed(
    _place: str, _parameters: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[tuple[str, Parameters]]:
    """Select the accounts that have a key of their own, of assets."""
    for item in listed(response, "assets"):
        if at(item, "resource.data.keyType") == "USER_MANAGED":
            name = str(at(item, "resource.data.name") or "")
            account = name.rpartition("/keys/")[0]
            if account:
                project = account.removeprefix("projects/").partition("/")[0]
                yield f"projects/{project}", {"name": account}


def _listed_keys(estate: Estate) -> Iterator[tuple[str, Parameters]]:
    for _, response in estate.answers.of(*LIST):
        for place, made in _user_managed("", {}, response):
            yield estate.scope(place), made


def _service(
    service: str,
    method: str,
    path: str,
    permission: str,
    asset: str,
    items: str,
    template: Mapping[str, str],
    **more: Any,
) -> Call:
    """Make the call for things of a type that the list in bulk has, for when that is refused."""
    kinds = more.pop("kinds", (asset,))
    return Call(
        service,
        method,
        path,
        permission,
        more.pop("role", _SECURITY),
        f"{items.rpartition('.')[2]}, when the list in bulk is refused",
        Stage.PLACES,
        each=without_list(**template),
        items=items,
        asset=asset,
        kinds=kinds,
        **more,
    )


_TREE = (
    Call(
        MANAGERS,
        "organizations.search",
        "v3/organizations:search",
        "resourcemanager.organizations.get",
        _BROWSER,
        "what there is, when nothing is named",
        Stage.ROOTS,
        items="organizations",
        kinds=_SCOPES,
    ),
    Call(
        MANAGERS,
        "projects.search",
        "v3/projects:search",
        "resourcemanager.projects.get",
        _BROWSER,
        "what there is, when nothing is named and no organization is seen",
        Stage.ROOTS,
        items="projects",
        kinds=_SCOPES,
    ),
    _get("organizations", "resourcemanager.organizations.get"),
    _get("folders", "resourcemanager.folders.get"),
    _get("projects", "resourcemanager.projects.get"),
    Call(
        *SEARCH,
        "v1/{+scope}:searchAllResources",
        "cloudasset.assets.searchAllResources",
        _VIEWER,
        "the tree, labels, tags as inherited, and which things there are",
        Stage.BULK,
        each=roots(scope="{scope}"),
        fixed={"assetTypes": list(EXPRESSIONS), "pageSize": 500},
        items="results",
        kinds=("scopes", "tags", *ASSET_TYPES),
        typed=f"{_ASSET}.search_all_resources",
    ),
    Call(
        *LIST,
        "v1/{+parent}/assets",
        "cloudasset.assets.listResource",
        _VIEWER,
        "what things are like: accounts, keys, buckets, services, what they run as",
        Stage.BULK,
        each=roots(parent="{scope}"),
        fixed={
            "contentType": "RESOURCE",
            "assetTypes": list(EXPRESSIONS),
            "pageSize": 1000,
        },
        items="assets",
        typed=f"{_ASSET}.list_assets",
    ),
    _children("folders"),
    _children("projects"),
)

_ACCOUNTS = (
    _service(
        "iam.v1",
        "projects.serviceAccounts.list",
        "v1/{+name}/serviceAccounts",
        "iam.serviceAccounts.list",
        "iam.googleapis.com/ServiceAccount",
        "accounts",
        {"name": "{scope}"},
        fixed={"pageSize": 100},
        kinds=("principals",),
        typed="google.cloud.iam_admin_v1:IAMClient.list_service_accounts",
    ),
    Call(
        "iam.v1",
        "projects.serviceAccounts.keys.list",
        "v1/{+name}/keys",
        "iam.serviceAccountKeys.list",
        _SECURITY,
        "keys of accounts: age, origin, expiry, whether disabled or exposed",
        Stage.PLACES,
        each=_listed_keys,
        after={("iam.v1", "projects.serviceAccounts.list"): over("accounts", name="name")},
        fixed={"keyTypes": "USER_MANAGED"},
        items="keys",
        asset="iam.googleapis.com/ServiceAccountKey",
        kinds=_KEYS,
        subject="//iam.googleapis.com/{name}",
    ),
    Call(
        "policyanalyzer.v1",
        "serviceAccountLastAuthentication",
        "v1/{+parent}/activities:query",
        "policyanalyzer.serviceAccountLastAuthenticationActivities.query",
        "roles/policyanalyzer.activityAnalysisViewer",
        "when accounts were last used",
        Stage.PLACES,
        each=projects(
            parent="{scope}/locations/global/activityTypes/serviceAccountLastAuthentication"
        ),
        fixed={"pageSize": 1000},
        items="activities",
        kinds=("usage",),
    ),
    Call(
        "policyanalyzer.v1",
        "serviceAccountKeyLastAuthentication",
        "v1/{+parent}/activities:query",
        "policyanalyzer.serviceAccountKeyLastAuthenticationActivities.query",
        "roles/policyanalyzer.activityAnalysisViewer",
        "when keys were last used",
        Stage.PLACES,
        each=projects(
            parent="{scope}/locations/global/activityTypes/serviceAccountKeyLastAuthentication"
        ),
        fixed={"pageSize": 1000},
        items="activities",
        kinds=("usage",),
    ),
    Call(
        "apikeys.v2",
        "projects.locations.keys.list",
        "v2/{+parent}/keys",
        "apikeys.keys.list",
        "roles/serviceusage.apiKeysViewer",
        "API keys: restrictions, and the account that they are bound to",
        Stage.PLACES,
        each=projects_with(r"apikeys\.googleapis\.com/Key", parent="{scope}/locations/global"),
        fixed={"pageSize": 300},
        items="keys",
        asset="apikeys.googleapis.com/Key",
        kinds=_KEYS,
    ),
    Call(
        "storage.v1",
        "projects.hmacKeys.list",
        "storage/v1/projects/{projectId}/hmacKeys",
        "storage.hmacKeys.list",
        _SECURITY,
        "HMAC keys of accounts",
        Stage.PLACES,
        each=projects(projectId="{project}"),
        items="items",
        asset="storage.googleapis.com/HmacKey",
        kinds=_KEYS,
    ),
    Call(
        "iam.v1",
        "projects.locations.workloadIdentityPools.list",
        "v1/{+parent}/workloadIdentityPools",
        "iam.workloadIdentityPools.list",
        _SECURITY,
        "pools of federated identities",
        Stage.PLACES,
        each=projects(parent="{scope}/locations/global"),
        fixed={"pageSize": 1000},
        items="workloadIdentityPools",
        asset="iam.googleapis.com/WorkloadIdentityPool",
        kinds=("iam.googleapis.com/WorkloadIdentityPool",),
    ),
    Call(
        "iam.v1",
        "projects.locations.workloadIdentityPools.providers.list",
        "v1/{+parent}/providers",
        "iam.workloadIdentityPoolProviders.list",
        _SECURITY,
        "who may enter a pool: issuer, mapping, condition",
        Stage.PLACES,
        after={
            ("iam.v1", "projects.locations.workloadIdentityPools.list"): over(
                "workloadIdentityPools", parent="name"
            )
        },
        fixed={"pageSize": 100},
        items="workloadIdentityPoolProviders",
        asset="iam.googleapis.com/WorkloadIdentityPoolProvider",
        kinds=("iam.googleapis.com/WorkloadIdentityPoolProvider",),
        subject="//iam.googleapis.com/{parent}",
    ),
    Call(
        "iam.v1",
        "locations.workforcePools.list",
        "v1/locations/global/workforcePools",
        "iam.workforcePools.list",
        _SECURITY,
        "pools of federated people",
        Stage.PLACES,
        each=every("organizations", parent="{scope}"),
        fixed={"pageSize": 100},
        items="workforcePools",
        asset="iam.googleapis.com/WorkforcePool",
        kinds=("iam.googleapis.com/WorkforcePool",),
    ),
    Call(
        "iam.v1",
        "locations.workforcePools.providers.list",
        "v1/{+parent}/providers",
        "iam.workforcePoolProviders.list",
        _SECURITY,
        "who may enter a pool of people",
        Stage.PLACES,
        after={("iam.v1", "locations.workforcePools.list"): over("workforcePools", parent="name")},
        fixed={"pageSize": 100},
        items="workforcePoolProviders",
        asset="iam.googleapis.com/WorkforcePoolProvider",
        kinds=("iam.googleapis.com/WorkforcePoolProvider",),
        subject="//iam.googleapis.com/{parent}",
    ),
)

_RESOURCES = (
    _service(
        "storage.v1",
        "buckets.list",
        "storage/v1/b",
        "storage.buckets.list",
        "storage.googleapis.com/Bucket",
        "items",
        {"project": "{project}"},
        fixed={"maxResults": 1000},
    ),
    _service(
        "secretmanager.v1",
        "projects.secrets.list",
        "v1/{+parent}/secrets",
        "secretmanager.secrets.list",
        "secretmanager.googleapis.com/Secret",
        "secrets",
        {"parent": "{scope}"},
        fixed={"pageSize": 1000},
    ),
    _service(
        "bigquery.v2",
        "datasets.list",
        "bigquery/v2/projects/{+projectId}/datasets",
        "bigquery.datasets.get",
        "bigquery.googleapis.com/Dataset",
        "datasets",
        {"projectId": "{project}"},
        fixed={"maxResults": 1000},
        role="roles/bigquery.metadataViewer",
    ),
    _service(
        "cloudkms.v1",
        "projects.locations.keyRings.list",
        "v1/{+parent}/keyRings",
        "cloudkms.keyRings.list",
        "cloudkms.googleapis.com/KeyRing",
        "keyRings",
        {"parent": "{scope}/locations/-"},
        fixed={"pageSize": 1000},
    ),
    Call(
        "cloudkms.v1",
        "projects.locations.keyRings.cryptoKeys.list",
        "v1/{+parent}/cryptoKeys",
        "cloudkms.cryptoKeys.list",
        _SECURITY,
        "keys, when the list in bulk is refused",
        Stage.PLACES,
        after={
            ("cloudkms.v1", "projects.locations.keyRings.list"): over("keyRings", parent="name")
        },
        fixed={"pageSize": 1000},
        items="cryptoKeys",
        asset="cloudkms.googleapis.com/CryptoKey",
        kinds=("cloudkms.googleapis.com/CryptoKey",),
    ),
)

_RUNTIMES = (
    _service(
        "run.v2",
        "projects.locations.services.list",
        "v2/{+parent}/services",
        "run.services.list",
        "run.googleapis.com/Service",
        "services",
        {"parent": "{scope}/locations/-"},
        kinds=("runtimes:run.googleapis.com/Service",),
    ),
    _service(
        "run.v2",
        "projects.locations.jobs.list",
        "v2/{+parent}/jobs",
        "run.jobs.list",
        "run.googleapis.com/Job",
        "jobs",
        {"parent": "{scope}/locations/-"},
        kinds=("runtimes:run.googleapis.com/Job",),
    ),
    _service(
        "run.v2",
        "projects.locations.workerPools.list",
        "v2/{+parent}/workerPools",
        "run.workerpools.list",
        "run.googleapis.com/WorkerPool",
        "workerPools",
        {"parent": "{scope}/locations/-"},
        kinds=("runtimes:run.googleapis.com/WorkerPool",),
    ),
    _service(
        "cloudfunctions.v2",
        "projects.locations.functions.list",
        "v2/{+parent}/functions",
        "cloudfunctions.functions.list",
        "cloudfunctions.googleapis.com/Function",
        "functions",
        {"parent": "{scope}/locations/-"},
        kinds=("runtimes:cloudfunctions.googleapis.com/Function",),
    ),
    _service(
        "compute.v1",
        "instances.aggregatedList",
        "compute/v1/projects/{project}/aggregated/instances",
        "compute.instances.list",
        "compute.googleapis.com/Instance",
        "items.*.instances",
        {"project": "{project}"},
        fixed={"maxResults": 500},
        kinds=("runtimes:compute.googleapis.com/Instance",),
    ),
    _service(
        "container.v1",
        "projects.locations.clusters.list",
        "v1/{+parent}/clusters",
        "container.clusters.list",
        "container.googleapis.com/Cluster",
        "clusters",
        {"parent": "{scope}/locations/-"},
        kinds=("runtimes:container.googleapis.com/Cluster",),
    ),
    Call(
        "notebooks.v2",
        "projects.locations.instances.list",
        "v2/{+parent}/instances",
        "notebooks.instances.list",
        _SECURITY,
        "notebooks and what they run as",
        Stage.PLACES,
        each=projects_with(r"notebooks\.googleapis\.com/Instance", parent="{scope}/locations/-"),
        fixed={"pageSize": 1000},
        items="instances",
        asset="notebooks.googleapis.com/Instance",
        kinds=("runtimes:notebooks.googleapis.com/Instance",),
    ),
)

ESTATE_CALLS: Final = (*_TREE, *_ACCOUNTS, *_RESOURCES, *_RUNTIMES)
