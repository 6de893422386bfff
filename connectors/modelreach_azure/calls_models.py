"""Rows of the table of calls: what runs models and agents, on Foundry and Azure Machine Learning.

`connections` are read as ARM lists them, without credentials; `listsecrets` is never called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach_azure.call import Call, Service, Where
from modelreach_azure.select import Parameters, Select, at, each, rows

_COGNITIVE: Final = "CognitiveServices/accounts"
_ML: Final = "MachineLearningServices/workspaces"
_PREVIEW: Final = "2025-10-01-preview"
_EACH_ACCOUNT: Final = {"resources": each(type_="microsoft.cognitiveservices/accounts")}
_EACH_WORKSPACE: Final = {"resources": each(type_="microsoft.machinelearningservices/workspaces")}
_EACH_PROJECT: Final = {"accounts.projects": each()}
_AGENTS: Final = "microsoft.cognitiveservices/accounts/projects/agents"
#: Under this name a project tells where its agents answer.
_ENDPOINT: Final = "AI Foundry API"
#: Of an account that is not of the kind that has projects, or of a cloud without agents.
_NOT_OF_THIS_KIND: Final = frozenset({"InvalidAccountKind", "NotSupportedKind", "NotSupported"})


def _where_agents_answer(
    _: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[Parameters]:
    """Select the projects that say where their agents answer."""
    for row in rows(response):
        endpoints = at(row, "properties.endpoints")
        endpoint = endpoints.get(_ENDPOINT) if isinstance(endpoints, dict) else None
        if row.get("id") and isinstance(endpoint, str):
            yield {"id": str(row["id"]), "endpoint": endpoint.rstrip("/")}


def _models(
    operation: str,
    path: str,
    permission: str,
    feeds: str,
    after: Mapping[str, Select],
    *kinds: str,
    version: str,
    absent: frozenset[str] = frozenset(),
) -> Call:
    return Call(
        Service.ARM,
        operation,
        f"{{id}}/{path}",
        f"Microsoft.{permission}/read",
        feeds,
        Where.THING,
        query={"api-version": version},
        kinds=kinds,
        subject="{id}",
        after=after,
        absent=absent,
    )


def _runs(prefix: str, name: str) -> tuple[str, str]:
    kind = f"microsoft.{prefix}/{name}".lower()
    return kind, f"runtimes:{kind}"


def _account(path: str, feeds: str, *kinds: str, **more: Any) -> Call:
    permission = f"{_COGNITIVE}/{path}"
    more = {"version": "2025-09-01", **more}
    return _models(f"accounts.{path}", path, permission, feeds, _EACH_ACCOUNT, *kinds, **more)


def _project(path: str, feeds: str, *kinds: str, **more: Any) -> Call:
    permission = f"{_COGNITIVE}/projects/{path}"
    more = {"version": "2025-09-01", **more}
    return _models(f"projects.{path}", path, permission, feeds, _EACH_PROJECT, *kinds, **more)


def _workspace(path: str, feeds: str, *kinds: str) -> Call:
    return _models(
        f"workspaces.{path}",
        path,
        f"{_ML}/{path}",
        feeds,
        _EACH_WORKSPACE,
        *kinds,
        version="2025-06-01",
    )


MODEL_CALLS: Final = (
    _account(
        "deployments",
        "deployed models, their versions and content filters",
        *_runs(_COGNITIVE, "deployments"),
    ),
    _account(
        "projects",
        "Foundry projects and their identities",
        *_runs(_COGNITIVE, "projects"),
        absent=_NOT_OF_THIS_KIND,
        version=_PREVIEW,
    ),
    _account(
        "connections",
        "what an account is connected to: names and targets, no credentials",
        "microsoft.cognitiveservices/accounts/connections",
        absent=_NOT_OF_THIS_KIND,
    ),
    _project(
        "connections",
        "what a project is connected to: names and targets, no credentials",
        "microsoft.cognitiveservices/accounts/projects/connections",
    ),
    _project(
        "applications",
        "published agents and the identity of each",
        *_runs(_COGNITIVE, "projects/applications"),
        absent=_NOT_OF_THIS_KIND,
        version=_PREVIEW,
    ),
    _project(
        "capabilityHosts",
        "where agents keep files, threads and vectors",
        "runtimes:microsoft.cognitiveservices/accounts/projects",
        absent=_NOT_OF_THIS_KIND,
    ),
    Call(
        Service.FOUNDRY,
        "projects.agents",
        "{endpoint}/agents",
        "Microsoft.CognitiveServices/accounts/AIServices/agents/read",
        "agents: identity, model, tools; instructions are dropped",
        Where.THING,
        query={"api-version": "v1", "limit": "100"},
        kinds=(_AGENTS, f"runtimes:{_AGENTS}"),
        subject="{id}",
        after={"accounts.projects": _where_agents_answer},
        data=True,
    ),
    _workspace(
        "onlineEndpoints",
        "online endpoints: identity, authentication, traffic",
        *_runs(_ML, "onlineEndpoints"),
    ),
    _models(
        "onlineEndpoints.deployments",
        "deployments",
        f"{_ML}/onlineEndpoints/deployments",
        "which model an online endpoint serves",
        {"workspaces.onlineEndpoints": each()},
        *_runs(_ML, "onlineEndpoints/deployments"),
        version="2025-06-01",
    ),
    _workspace(
        "batchEndpoints",
        "batch endpoints, which run on compute clusters as these",
        *_runs(_ML, "batchEndpoints"),
    ),
    _workspace(
        "serverlessEndpoints",
        "models served without compute of one's own, and how they are called",
        *_runs(_ML, "serverlessEndpoints"),
    ),
    _workspace(
        "computes", "compute instances and clusters, their identities", *_runs(_ML, "computes")
    ),
    _workspace(
        "connections",
        "what a workspace is connected to: names and targets, no credentials",
        "microsoft.machinelearningservices/workspaces/connections",
    ),
)
