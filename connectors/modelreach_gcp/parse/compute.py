"""What runs code: Cloud Run, functions, instances, clusters, notebooks, what runs on them.

Without an account of its own, most of it runs as the project's default compute account:
https://cloud.google.com/iam/docs/service-account-types#default
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from modelreach.collect.facts import attributes
from modelreach_gcp.names import account, compute_default
from modelreach_gcp.parse.running import (
    Described,
    Running,
    environment,
    linked,
    names,
    pulls,
    secrets_in,
)
from modelreach_gcp.parse.things import Thing
from modelreach_gcp.select import text, texts


def _default(own: str, thing: Thing, running: Running) -> tuple[str, ...]:
    return () if own else (compute_default(running.number(thing)),)


def _run(thing: Thing, running: Running, first: str, second: str) -> Described:
    """Describe a service or job of Cloud Run, in the form of its second or first version."""
    spec = second if isinstance(thing.get(second), dict) else first
    own = thing.text(f"{spec}.serviceAccount") or thing.text(f"{spec}.serviceAccountName")
    containers = thing.items(f"{spec}.containers")
    mounted = [
        text(secret.get("secret")) or text(secret.get("secretName"))
        for volume in thing.items(f"{spec}.volumes")
        if isinstance(secret := volume.get("secret"), dict)
    ]
    return Described(
        emails=(own,),
        identities=_default(own, thing, running),
        links=(
            *pulls(*(part.get("image") for part in containers)),
            *running.secrets([*secrets_in(containers), *mounted], thing),
        ),
        attributes=attributes(environment=environment(containers), ingress=thing.text("ingress")),
    )


def _service(thing: Thing, running: Running) -> Described:
    return _run(thing, running, "spec.template.spec", "template")


def _job(thing: Thing, running: Running) -> Described:
    return _run(thing, running, "spec.template.spec.template.spec", "template.template")


def _function(thing: Thing, running: Running) -> Described:
    own = thing.text("serviceConfig.serviceAccountEmail")
    secrets = thing.items("serviceConfig.secretEnvironmentVariables")
    secrets += thing.items("serviceConfig.secretVolumes")
    variables = thing.get("serviceConfig.environmentVariables")
    bucket = thing.text("buildConfig.source.storageSource.bucket")
    return Described(
        emails=(own,),
        identities=_default(own, thing, running),
        links=(
            *running.secrets(map(_secret, secrets), thing),
            *linked("pulls", [f"gs://{bucket}" if bucket else ""]),
        ),
        attributes=attributes(
            environment=[*names(variables), *(text(one.get("key")) for one in secrets)],
            ingress=thing.text("serviceConfig.ingressSettings"),
        ),
    )


def _secret(one: Mapping[str, object]) -> str:
    """Give the secret of a function, which is named beside its project."""
    secret, project = text(one.get("secret")), text(one.get("projectId"))
    return f"projects/{project}/secrets/{secret}" if secret and project else secret


def _first_generation(thing: Thing, running: Running) -> Described:
    """Describe a function of the first generation, which runs as the App Engine account."""
    own = thing.text("serviceAccountEmail")
    project = thing.scope.removeprefix("projects/")
    secrets = thing.items("secretEnvironmentVariables")
    return Described(
        emails=(own,),
        identities=() if own else (account(f"{project}@appspot.gserviceaccount.com"),),
        links=running.secrets(map(_secret, secrets), thing),
        attributes=attributes(
            environment=names(thing.get("environmentVariables")),
            ingress=thing.text("ingressSettings"),
        ),
    )


def _instance(thing: Thing, _running: Running) -> Described:
    return _machine(thing, "")


def _template(thing: Thing, _running: Running) -> Described:
    return _machine(thing, "properties.")


def _machine(thing: Thing, under: str) -> Described:
    """Describe an instance: without an account it runs as nobody. What its tokens are for is
    limited by its scopes too, where they are not those of the whole platform."""
    accounts = thing.items(f"{under}serviceAccounts")
    return Described(
        emails=tuple(text(one.get("email")) for one in accounts),
        attributes=attributes(
            oauth_scopes=[scope for one in accounts for scope in texts(one.get("scopes"))]
        ),
    )


def _cluster(thing: Thing, running: Running) -> Described:
    pools = [thing.get("nodeConfig"), *(pool.get("config") for pool in thing.items("nodePools"))]
    pools.append(thing.get("autoscaling.autoprovisioningNodePoolDefaults"))
    return _nodes([pool for pool in pools if isinstance(pool, dict)], thing, running)


def _node_pool(thing: Thing, running: Running) -> Described:
    config = thing.get("config")
    return _nodes([config] if isinstance(config, dict) else [], thing, running)


def _nodes(pools: list[dict[str, object]], thing: Thing, running: Running) -> Described:
    """Describe nodes; `default` is the name that a cluster has for the default account."""
    named = [text(pool.get("serviceAccount")) for pool in pools] or [""]
    own = tuple(name for name in named if name not in ("", "default"))
    default = compute_default(running.number(thing)) if len(own) < len(named) else ""
    scopes = [scope for pool in pools for scope in texts(pool.get("oauthScopes"))]
    return Described(
        emails=own,
        identities=(default,),
        attributes=attributes(
            workload_pool=thing.text("workloadIdentityConfig.workloadPool"), oauth_scopes=scopes
        ),
    )


def _notebook(thing: Thing, running: Running) -> Described:
    accounts = [text(one.get("email")) for one in thing.items("gceSetup.serviceAccounts")]
    own = (*accounts, thing.text("serviceAccount"))
    return Described(emails=own, identities=_default("".join(own), thing, running))


def _environment(thing: Thing, running: Running) -> Described:
    """Describe an environment of Composer: its workers have the account of its nodes."""
    own = thing.text("config.nodeConfig.serviceAccount")
    return Described(emails=(own,), identities=_default(own, thing, running))


def _dataproc(thing: Thing, running: Running) -> Described:
    """Describe a cluster of Dataproc, unless it is one on Kubernetes, whose nodes are told of."""
    if thing.get("virtualClusterConfig"):
        return Described()
    config = "config.gceClusterConfig"
    own = thing.text(f"{config}.serviceAccount")
    return Described(
        emails=(own,),
        identities=_default(own, thing, running),
        attributes=attributes(oauth_scopes=texts(thing.get(f"{config}.serviceAccountScopes"))),
    )


def _connection(thing: Thing, _running: Running) -> Described:
    """Describe a connection: what is run by it for Spark has an account of its own.

    https://docs.cloud.google.com/bigquery/docs/connect-to-spark
    """
    return Described(emails=(thing.text("spark.serviceAccountId"),))


TYPES: Final[Mapping[str, Callable[[Thing, Running], Described]]] = {
    "run.googleapis.com/Service": _service,
    "run.googleapis.com/Job": _job,
    "cloudfunctions.googleapis.com/Function": _function,
    "cloudfunctions.googleapis.com/CloudFunction": _first_generation,
    "compute.googleapis.com/Instance": _instance,
    "compute.googleapis.com/InstanceTemplate": _template,
    "container.googleapis.com/Cluster": _cluster,
    "container.googleapis.com/NodePool": _node_pool,
    "notebooks.googleapis.com/Instance": _notebook,
    "run.googleapis.com/WorkerPool": _service,
    "composer.googleapis.com/Environment": _environment,
    "dataproc.googleapis.com/Cluster": _dataproc,
    "bigqueryconnection.googleapis.com/Connection": _connection,
}
