"""What Vertex AI runs: endpoints, agents, jobs, notebooks.

What each runs as without an account of its own:
https://cloud.google.com/vertex-ai/docs/general/custom-service-account
https://cloud.google.com/iam/docs/service-agents
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Link
from modelreach_gcp.names import agent, compute_default
from modelreach_gcp.parse.facts import moment
from modelreach_gcp.parse.running import Described, Running, linked, pulls
from modelreach_gcp.parse.things import Thing
from modelreach_gcp.select import at, text, texts

_CODE: Final = "gcp-sa-aiplatform-cc"
_AGENTS: Final = "gcp-sa-aiplatform-re"
_GOOGLE: Final = "google-managed"


def _endpoint(thing: Thing, running: Running) -> Described:
    """Describe an endpoint by all models that are deployed to it. A model without an account runs
    as one of Google's, which has no access to the project."""
    deployed = thing.items("deployedModels")
    pools = {running.named(text(one.get("sharedResources"))) for one in deployed} - {
        running.named("")
    }
    of_pools = [
        running.things.all[name].text("serviceAccount") for name in pools & set(running.things.all)
    ]
    own = [text(one.get("serviceAccount")) for one in deployed]
    models = [(text(one.get("model")), text(one.get("modelVersionId"))) for one in deployed]
    links = [
        Link(
            kind="routes-to",
            target=running.named(f"{model.partition('@')[0]}@{version}" if version else model),
        )
        for model, version in models
        if model
    ]
    links += [Link(kind="uses", target=name) for name in sorted(pools)]
    split = thing.get("trafficSplit")
    traffic = (
        [f"{name}={share}" for name, share in split.items()] if isinstance(split, dict) else []
    )
    nobody = bool(deployed) and not any((*own, *of_pools))
    return Described(
        emails=(*own, *of_pools),
        links=tuple(links),
        version=",".join(sorted(text(one.get("id")) for one in deployed)),
        attributes=attributes(
            traffic=traffic,
            model=",".join(sorted({model.rpartition("/")[2] for model, _ in models if model})),
            runs_as=_GOOGLE if nobody else "",
        ),
    )


def _pool(thing: Thing, _running: Running) -> Described:
    own = thing.text("serviceAccount")
    return Described(emails=(own,), attributes=attributes(runs_as="" if own else _GOOGLE))


def _model(thing: Thing, _running: Running) -> Described:
    return Described(
        links=pulls(thing.get("containerSpec.imageUri"), thing.get("artifactUri")),
        version=thing.text("versionId"),
    )


def _reasoning_engine(thing: Thing, running: Running) -> Described:
    """Describe an agent. `effectiveIdentity` is who it is, of either kind of identity.
    https://cloud.google.com/agent-builder/agent-engine/agent-identity"""
    kind = thing.text("spec.identityType")
    secrets = thing.items("spec.deploymentSpec.secretEnv")
    variables = [*thing.items("spec.deploymentSpec.env"), *secrets]
    emails, identities = _identity(thing, running, kind)
    code = ("pickleObjectGcsUri", "dependencyFilesGcsUri", "requirementsGcsUri")
    return Described(
        emails=emails,
        identities=identities,
        links=(
            *running.secrets((text(at(one, "secretRef.secret")) for one in secrets), thing),
            *pulls(
                *(thing.get(f"spec.packageSpec.{name}") for name in code),
                thing.get("spec.containerSpec.imageUri"),
            ),
        ),
        version=moment(thing.get("updateTime")),
        attributes=attributes(
            environment=[text(one.get("name")) for one in variables],
            framework=thing.text("spec.agentFramework"),
            identity_type=kind,
        ),
    )


def _identity(
    thing: Thing, running: Running, kind: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    effective = thing.text("spec.effectiveIdentity")
    if kind == "AGENT_IDENTITY":
        member = f"principal://{effective.removeprefix('principal://')}" if effective else ""
        return (), (member,)
    own = thing.text("spec.serviceAccount")
    if own or "@" in effective:
        return (own or effective.rpartition("/")[2],), ()
    return (), (agent(running.number(thing), _AGENTS),)


def _custom_job(thing: Thing, running: Running) -> Described:
    return _job("jobSpec", thing, running)


def _tuning(thing: Thing, running: Running) -> Described:
    return _job("trialJobSpec", thing, running)


def _job(spec: str, thing: Thing, running: Running) -> Described:
    pools = thing.items(f"{spec}.workerPoolSpecs")
    images = (
        text(at(pool, path))
        for pool in pools
        for path in ("containerSpec.imageUri", "pythonPackageSpec.executorImageUri")
    )
    packages = (uri for pool in pools for uri in texts(at(pool, "pythonPackageSpec.packageUris")))
    own = thing.text(f"{spec}.serviceAccount")
    return Described(
        emails=(own,),
        identities=() if own else (agent(running.number(thing), _CODE),),
        links=(
            *pulls(*images, *packages),
            *linked("writes", [thing.get(f"{spec}.baseOutputDirectory.outputUriPrefix")]),
        ),
    )


def _training(thing: Thing, running: Running) -> Described:
    own = thing.text("trainingTaskInputs.serviceAccount")
    return Described(
        emails=(own,),
        identities=() if own else (agent(running.number(thing), _CODE),),
        links=pulls(thing.get("modelToUpload.containerSpec.imageUri")),
    )


def _pipeline(thing: Thing, running: Running) -> Described:
    return _pipeline_at("", thing, running)


def _schedule(thing: Thing, running: Running) -> Described:
    return _pipeline_at("createPipelineJobRequest.pipelineJob.", thing, running)


def _pipeline_at(under: str, thing: Thing, running: Running) -> Described:
    own = thing.text(f"{under}serviceAccount")
    return Described(
        emails=(own,),
        identities=() if own else (compute_default(running.number(thing)),),
        links=(
            *pulls(thing.get(f"{under}templateUri")),
            *linked("writes", [thing.get(f"{under}runtimeConfig.gcsOutputDirectory")]),
        ),
    )


def _prediction(thing: Thing, running: Running) -> Described:
    own, model = thing.text("serviceAccount"), thing.text("model")
    inputs = [
        *texts(thing.get("inputConfig.gcsSource.uris")),
        thing.get("inputConfig.bigquerySource.inputUri"),
    ]
    outputs = [
        thing.get("outputConfig.gcsDestination.outputUriPrefix"),
        thing.get("outputConfig.bigqueryDestination.outputUri"),
    ]
    unmanaged = "unmanagedContainerModel"
    return Described(
        emails=(own,),
        links=(
            *((Link(kind="uses", target=running.named(model)),) if model else ()),
            *linked("reads", inputs),
            *linked("writes", outputs),
            *pulls(
                thing.get(f"{unmanaged}.containerSpec.imageUri"),
                thing.get(f"{unmanaged}.artifactUri"),
            ),
        ),
        attributes=attributes(runs_as="" if own else _GOOGLE),
    )


def _persistent(thing: Thing, running: Running) -> Described:
    own = thing.text("resourceRuntimeSpec.serviceAccountSpec.serviceAccount")
    return Described(
        emails=(own,), identities=() if own else (agent(running.number(thing), _CODE),)
    )


def _notebook(thing: Thing, running: Running) -> Described:
    """Describe a Colab runtime: it acts as its user, unless end-user credentials are off."""
    own, user = thing.text("serviceAccount"), thing.text("runtimeUser")
    personal = not thing.get("eucConfig.eucDisabled")
    as_user = (f"user:{user}",) if user and personal and "@" in user else ()
    default = () if own or as_user else (compute_default(running.number(thing)),)
    return Described(emails=(own,), identities=(*as_user, *default))


TYPES: Final[Mapping[str, Callable[[Thing, Running], Described]]] = {
    f"aiplatform.googleapis.com/{name}": describe
    for name, describe in {
        "Endpoint": _endpoint,
        "DeploymentResourcePool": _pool,
        "Model": _model,
        "ReasoningEngine": _reasoning_engine,
        "CustomJob": _custom_job,
        "HyperparameterTuningJob": _tuning,
        "TrainingPipeline": _training,
        "PipelineJob": _pipeline,
        "Schedule": _schedule,
        "BatchPredictionJob": _prediction,
        "PersistentResource": _persistent,
        "NotebookRuntimeTemplate": _notebook,
        "NotebookRuntime": _notebook,
    }.items()
}
