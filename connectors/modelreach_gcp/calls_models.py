"""Calls for what serves models on Vertex AI, which is asked region by region.

https://cloud.google.com/vertex-ai/docs/reference/rest
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from modelreach_gcp.call import Call, Each, Parameters, Stage
from modelreach_gcp.estate import SEARCH, Estate
from modelreach_gcp.places import projects
from modelreach_gcp.select import listed

SERVICE: Final = "aiplatform.v1"
LOCATIONS: Final = (SERVICE, "projects.locations.list")
_ROLE: Final = "roles/aiplatform.viewer"
#: Types of which the inventory is not relied upon to say where they are.
_EVERYWHERE: Final = frozenset({"ReasoningEngine", "DeploymentResourcePool"})
#: A job that has ended runs as nobody.
_JOBS: Final = {
    "filter": " OR ".join(
        f'state="JOB_STATE_{state}"' for state in ("QUEUED", "PENDING", "RUNNING")
    )
}
_PIPELINES: Final = {
    "filter": " OR ".join(f'state="PIPELINE_STATE_{state}"' for state in ("PENDING", "RUNNING"))
}
_LOCATION: Final = re.compile(r"[a-z]+(-[a-z0-9]+)*")
_ANY: Final = r"aiplatform\.googleapis\.com/.*"


def _each(kind: str) -> Each:
    def each(estate: Estate) -> Iterator[tuple[str, Parameters]]:
        known = estate.seen(_ANY)
        blind = set(estate.without(SEARCH))
        for place, location in locations(estate):
            if kind in _EVERYWHERE or place in blind or (place, location) in known:
                yield place, {"parent": f"{place}/locations/{location}", "_location": location}

    return each


def locations(estate: Estate) -> Iterator[tuple[str, str]]:
    """Give each project and location that Vertex AI has."""
    for one, response in estate.answers.of(*LOCATIONS):
        for location in listed(response, "locations"):
            name = str(location.get("locationId", ""))
            # A part of the name of the host that is sent credentials.
            if _LOCATION.fullmatch(name) and name != "global":
                yield one.place, name


def _ai(items: str, kind: str, feeds: str, fixed: Mapping[str, str] | None = None) -> Call:
    return Call(
        SERVICE,
        f"projects.locations.{items}.list",
        f"v1/{{+parent}}/{items}",
        f"aiplatform.{items}.list",
        _ROLE,
        feeds,
        Stage.REGIONS,
        each=_each(kind),
        fixed={"pageSize": 100, **(fixed or {})},
        items=items,
        asset=f"aiplatform.googleapis.com/{kind}",
        kinds=(f"runtimes:aiplatform.googleapis.com/{kind}",),
        host="{_location}-aiplatform.googleapis.com",
    )


MODEL_CALLS: Final = (
    Call(
        *LOCATIONS,
        "v1/{+name}/locations",
        "aiplatform.locations.list",
        _ROLE,
        "where Vertex AI is",
        Stage.PLACES,
        each=projects(name="{scope}"),
        items="locations",
        kinds=(
            "runtimes:aiplatform.googleapis.com/Endpoint",
            "runtimes:aiplatform.googleapis.com/ReasoningEngine",
        ),
    ),
    _ai("endpoints", "Endpoint", "endpoints: models, their versions, what they run as"),
    _ai(
        "deploymentResourcePools", "DeploymentResourcePool", "what models that share nodes run as"
    ),
    _ai("models", "Model", "models: image, artefacts, version"),
    _ai("reasoningEngines", "ReasoningEngine", "agents: account or agent identity, secrets, code"),
    _ai("customJobs", "CustomJob", "training that runs", _JOBS),
    _ai("hyperparameterTuningJobs", "HyperparameterTuningJob", "tuning that runs", _JOBS),
    _ai("trainingPipelines", "TrainingPipeline", "training pipelines that run", _PIPELINES),
    _ai("pipelineJobs", "PipelineJob", "pipelines that run", _PIPELINES),
    _ai("schedules", "Schedule", "pipelines that run again and again"),
    _ai("batchPredictionJobs", "BatchPredictionJob", "predictions in bulk that run", _JOBS),
    _ai("persistentResources", "PersistentResource", "clusters for training"),
    _ai("notebookRuntimeTemplates", "NotebookRuntimeTemplate", "templates of Colab runtimes"),
    _ai("notebookRuntimes", "NotebookRuntime", "Colab runtimes, and for whom they run"),
)
