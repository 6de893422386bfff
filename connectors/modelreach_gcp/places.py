"""For which places a call is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

from modelreach_gcp.call import Each, Parameters
from modelreach_gcp.estate import LIST, POLICIES, SEARCH, Estate, manager_name

Found = Iterator[tuple[str, Parameters]]


def roots(**template: str) -> Each:
    """Each scope that is read whole."""
    return _for(lambda estate: estate.roots, template)


def above(kind: str, **template: str) -> Each:
    """Each scope of a kind above those that are read."""
    return _for(lambda estate: _of(kind, estate.above), template)


def every(kind: str = "", **template: str) -> Each:
    """Each scope that is read or above, of a kind."""
    return _for(lambda estate: _of(kind, (*estate.above, *estate.below)), template)


def projects(**template: str) -> Each:
    """Each project that is read."""
    return _for(lambda estate: estate.projects, template)


def projects_with(asset: str, **template: str) -> Each:
    """Each project that has something of a type, or of which that is not known."""

    def of(estate: Estate) -> tuple[str, ...]:
        having = {scope for scope, _ in estate.seen(asset)} | set(estate.without(SEARCH))
        return tuple(one for one in estate.projects if one in having)

    return _for(of, template)


def without_list(**template: str) -> Each:
    """Each project whose things could not be read in bulk."""
    return _for(lambda estate: estate.without(LIST), template)


def without_search(**template: str) -> Each:
    """Each root that holds others, and whose tree could not be read in bulk."""

    def of(estate: Estate) -> list[str]:
        holders = [one for one in estate.roots if not one.startswith("projects/")]
        return [one for one in holders if estate.refused(SEARCH, one)]

    return _for(of, template)


def without_policies(kind: str, **template: str) -> Each:
    """Each scope of a kind whose policies could not be read in bulk."""

    def of(estate: Estate) -> list[str]:
        lacking = {root for root in estate.roots if estate.refused(POLICIES, root)}
        below = [one for one in estate.below if estate.root_of(one) in lacking]
        return _of(kind, (*estate.above, *below))

    return _for(of, template)


def _of(kind: str, scopes: tuple[str, ...]) -> list[str]:
    return [one for one in scopes if one.startswith(kind)]


def _for(
    places: Callable[[Estate], tuple[str, ...] | list[str]], template: dict[str, str]
) -> Each:
    def each(estate: Estate) -> Found:
        for place in places(estate):
            yield place, filled(template, place, estate)

    return each


def filled(template: dict[str, str], place: str, estate: Estate) -> Parameters:
    """Fill a template of parameters: `{scope}`, `{project}` (the id), `{attachment}` (the scope as
    deny policies write it, encoded once)."""
    number = estate.number(place)
    named = f"projects/{number}" if place.startswith("projects/") and number else place
    values = {
        "scope": place,
        "project": place.removeprefix("projects/"),
        "attachment": quote(manager_name(named)[2:], safe=""),
    }
    return {name: text.format(**values) for name, text in template.items()}


#: Types of things that the bulk calls read, one expression for each service: an expression that
#: knows a type which the inventory does not have is not refused, a type of its own would be.
#: https://cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list
TYPES: Final = {
    "cloudresourcemanager": ("Organization", "Folder", "Project"),
    "iam": (
        "ServiceAccount",
        "ServiceAccountKey",
        "Role",
        "WorkloadIdentityPool",
        "WorkloadIdentityPoolProvider",
    ),
    "apikeys": ("Key",),
    "storage": ("Bucket",),
    "bigquery": ("Dataset",),
    "secretmanager": ("Secret",),
    "cloudkms": ("KeyRing", "CryptoKey"),
    "pubsub": ("Topic", "Subscription"),
    "artifactregistry": ("Repository",),
    "spanner": ("Instance", "Database"),
    "sqladmin": ("Instance",),
    "firestore": ("Database",),
    "compute": ("Instance", "InstanceTemplate"),
    "container": ("Cluster", "NodePool"),
    "run": ("Service", "Job", "WorkerPool"),
    "composer": ("Environment",),
    "dataproc": ("Cluster",),
    "bigqueryconnection": ("Connection",),
    "cloudfunctions": ("Function", "CloudFunction"),
    "notebooks": ("Instance",),
    "discoveryengine": ("DataStore", "Engine"),
    "aiplatform": (
        "Endpoint",
        "Model",
        "DeploymentResourcePool",
        "ReasoningEngine",
        "CustomJob",
        "HyperparameterTuningJob",
        "TrainingPipeline",
        "PipelineJob",
        "Schedule",
        "BatchPredictionJob",
        "PersistentResource",
        "NotebookRuntimeTemplate",
        "NotebookRuntime",
        "Index",
        "IndexEndpoint",
        "Featurestore",
    ),
}
EXPRESSIONS: Final = tuple(
    rf"{service}\.googleapis\.com/({'|'.join(names)})" for service, names in TYPES.items()
)
ASSET_TYPES: Final = tuple(
    f"{service}.googleapis.com/{name}" for service, names in TYPES.items() for name in names
)
