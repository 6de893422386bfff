"""What runs code or a model in Google Cloud, and as which account.

Without an account of its own, most of it runs as the project's default compute account:
https://cloud.google.com/iam/docs/service-account-types#default
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Link, Resource, Runtime
from modelreach_terraform.edits import Edit, Is
from modelreach_terraform.gcp.facts import located, mentioned, spelled
from modelreach_terraform.told import RELATIONS, Row, Table, Told
from modelreach_terraform.values import Json, at, blocks, is_unread, text, texts

_BUCKET: Final = re.compile(r"gs://([^/]+)")
_SECRET: Final = re.compile(r"(projects/[^/]+/secrets/[^/]+)")


def _both(
    told: Told,
    kind: str,
    name: str,
    account: Json,
    *,
    default: str = "",
    label: str = "",
    wired: Iterable[Link] = (),
    **more: Any,
) -> Iterator[Edit]:
    """Give a runtime and the resource that it is; `default` is whom it runs as without an
    account."""
    emails = [account] if not isinstance(account, list) else account
    own = [f"serviceAccount:{email}" for email in texts(emails)]
    members = own or ([default] if default and not is_unread(account) else [])
    fields: dict[str, Any] = {
        "id": spelled(name, told),
        "provider": "gcp",
        "kind": kind,
        "scope": told.place["scope"],
        "region": located(told),
        "name": label or name.rpartition("/")[2],
        "tags": told.tags(),
    }
    yield from mentioned(told, members)
    yield Is(Resource(**fields))
    links = sorted(set(wired), key=lambda one: (one.kind, one.target))
    yield Is(
        Runtime(
            **fields,
            identities=tuple(sorted(set(members))),
            links=tuple(links),
            attributes=attributes(**more),
        )
    )
    if is_unread(account):
        yield told.unknown(f"runtimes:{kind}", fields["id"], "as which account it runs")


def _compute(told: Told) -> str:
    number = told.place["number"]
    return f"serviceAccount:{number}-compute@developer.gserviceaccount.com" if number else ""


def _pulls(*places: str) -> Iterator[Link]:
    for place in places:
        found = _BUCKET.match(place)
        target = f"//storage.googleapis.com/projects/_/buckets/{found[1]}" if found else place
        if target:
            yield Link(kind="pulls", target=target)


def _secrets(told: Told, names: Iterable[str]) -> Iterator[Link]:
    for name in names:
        found = _SECRET.match(name)
        relative = found[1] if found else f"{told.place['scope']}/secrets/{name}"
        full = spelled(f"//secretmanager.googleapis.com/{relative}", told)
        if name:
            yield Link(kind="reads", target=full)


def _container_secrets(containers: Iterable[dict[str, Json]]) -> Iterator[str]:
    for container in containers:
        for variable in blocks(container.get("env")):
            yield text(at(variable, "value_source.secret_key_ref.secret"))
            yield text(at(variable, "value_from.secret_key_ref.name"))


def _environment(containers: Iterable[dict[str, Json]]) -> list[str]:
    return [text(one.get("name")) for each in containers for one in blocks(each.get("env"))]


def _run(kind: str, noun: str, spec: str, account: str) -> Callable[[Told], Iterator[Edit]]:
    """Give a service or job of Cloud Run; `spec` is where its containers are."""

    def edits(told: Told) -> Iterator[Edit]:
        within = told.get(spec)
        containers = list(blocks(at(within, "containers")))
        mounted = [text(at(one, "secret.secret")) for one in blocks(at(within, "volumes"))]
        mounted += [text(at(one, "secret.secret_name")) for one in blocks(at(within, "volumes"))]
        start = "//run.googleapis.com/projects/{project}/locations/{location}"
        written = told.written(spec.partition(".")[0])
        found = at(within, account)
        # Of the default account it is only known once it runs, and told by what it then is.
        runs_as = told.get(f"{spec}.{account}") if is_unread(found) and written else found
        yield from _both(
            told,
            kind,
            told.filled(f"{start}/{noun}/{{name}}"),
            None if _left_out(told, spec, account) else runs_as,
            default=_compute(told),
            wired=(
                *_pulls(*(text(one.get("image")) for one in containers)),
                *_secrets(told, filter(None, (*_container_secrets(containers), *mounted))),
            ),
            environment=_environment(containers),
            ingress=told.text("ingress") if not told.unread("ingress") else "",
        )

    return edits


def _left_out(told: Told, spec: str, account: str) -> bool:
    """Does the configuration name no account, so that the provider will tell the default one?"""
    first, *rest = spec.split(".")
    expression = told.expression(first)
    for name in rest:
        expression = at(expression, name)
    return expression is not None and at(expression, account) is None


def _function(told: Told) -> Iterator[Edit]:
    service = next(told.blocks("service_config"), {})
    secrets = [
        *blocks(service.get("secret_environment_variables")),
        *blocks(service.get("secret_volumes")),
    ]
    variables = service.get("environment_variables")
    bucket = text(at(next(told.blocks("build_config"), {}), "source.storage_source.bucket"))
    account = service.get("service_account_email")
    if is_unread(account):
        account = told.get("service_config.0.service_account_email")
    yield from _both(
        told,
        "cloudfunctions.googleapis.com/Function",
        told.filled(
            "//cloudfunctions.googleapis.com/projects/{project}/locations/{location}"
            "/functions/{name}"
        ),
        None if _left_out(told, "service_config", "service_account_email") else account,
        default=_compute(told),
        wired=(
            *_secrets(told, (_of_function(one) for one in secrets)),
            *_pulls(f"gs://{bucket}" if bucket else ""),
        ),
        environment=[
            *(variables if isinstance(variables, dict) else ()),
            *(text(one.get("key")) for one in secrets),
        ],
        ingress=text(service.get("ingress_settings")),
    )


def _of_function(one: dict[str, Json]) -> str:
    secret, project = text(one.get("secret")), text(one.get("project_id"))
    return f"projects/{project}/secrets/{secret}" if secret and project else secret


def _first_generation(told: Told) -> Iterator[Edit]:
    variables = told.get("environment_variables")
    project = told.place["project"]
    account = told.get("service_account_email")
    yield from _both(
        told,
        "cloudfunctions.googleapis.com/CloudFunction",
        told.filled(
            "//cloudfunctions.googleapis.com/projects/{project}/locations/{region}"
            "/functions/{name}"
        ),
        account if told.written("service_account_email") else None,
        default=f"serviceAccount:{project}@appspot.gserviceaccount.com",
        environment=list(variables) if isinstance(variables, dict) else (),
        ingress=told.text("ingress_settings"),
    )


def _instance(told: Told) -> Iterator[Edit]:
    accounts = list(told.blocks("service_account"))
    emails = [one.get("email") for one in accounts]
    if any(map(is_unread, emails)):
        emails = [told.get(f"service_account.{n}.email") for n, _ in enumerate(accounts)]
    yield from _both(
        told,
        "compute.googleapis.com/Instance",
        told.filled("//compute.googleapis.com/projects/{project}/zones/{zone}/instances/{name}"),
        emails,
        oauth_scopes=[scope for one in accounts for scope in texts(one.get("scopes"))],
    )


def _endpoint(told: Told) -> Iterator[Edit]:
    name = told.filled(
        "//aiplatform.googleapis.com/projects/{project}/locations/{location}/endpoints/{name}"
    )
    known = told.world.runtimes.get(spelled(name, told))
    if known is None:
        label = told.text("display_name")
        yield from _both(told, "aiplatform.googleapis.com/Endpoint", name, None, label=label)


def _engine(told: Told) -> Iterator[Edit]:
    """An agent without an account of its own is the project's service agent.

    https://cloud.google.com/agent-builder/agent-engine/set-up
    """
    spec = next(told.blocks("spec"), {})
    package = next(blocks(spec.get("package_spec")), {})
    number = told.place["number"]
    agent = f"serviceAccount:service-{number}@gcp-sa-aiplatform-re.iam.gserviceaccount.com"
    account = spec.get("service_account")
    if is_unread(account):
        account = told.get("spec.0.service_account")
    deployment = next(blocks(spec.get("deployment_spec")), {})
    variables = [*blocks(deployment.get("env")), *blocks(deployment.get("secret_env"))]
    secrets = (text(at(one, "secret_ref.secret")) for one in variables)
    code = ("pickle_object_gcs_uri", "dependency_files_gcs_uri", "requirements_gcs_uri")
    yield from _both(
        told,
        "aiplatform.googleapis.com/ReasoningEngine",
        told.filled(
            "//aiplatform.googleapis.com/projects/{project}/locations/{region}"
            "/reasoningEngines/{name}"
        ),
        account,
        default=agent if number else "",
        label=told.text("display_name"),
        wired=(*_secrets(told, secrets), *_pulls(*(text(package.get(one)) for one in code))),
        environment=[text(one.get("name")) for one in variables],
        framework=text(spec.get("agent_framework")),
    )


def _workbench(told: Told) -> Iterator[Edit]:
    accounts = [
        one.get("email")
        for setup in told.blocks("gce_setup")
        for one in blocks(setup.get("service_accounts"))
    ]
    if any(map(is_unread, accounts)):
        accounts = [told.get("gce_setup.0.service_accounts.0.email")]
    yield from _both(
        told,
        "notebooks.googleapis.com/Instance",
        told.filled(
            "//notebooks.googleapis.com/projects/{project}/locations/{location}/instances/{name}"
        ),
        accounts,
        default=_compute(told),
    )


_NAMED: Final = {"name": "{address}"}

TABLE: Final[Table] = {
    "google_cloud_run_service": Row(
        _run("run.googleapis.com/Service", "services", "template.spec", "service_account_name"),
        phase=RELATIONS,
    ),
    "google_cloud_run_v2_service": Row(
        _run("run.googleapis.com/Service", "services", "template", "service_account"),
        phase=RELATIONS,
    ),
    "google_cloud_run_v2_job": Row(
        _run("run.googleapis.com/Job", "jobs", "template.template", "service_account"),
        phase=RELATIONS,
    ),
    "google_cloudfunctions2_function": Row(_function, phase=RELATIONS),
    "google_cloudfunctions_function": Row(_first_generation, phase=RELATIONS),
    "google_compute_instance": Row(_instance, phase=RELATIONS),
    "google_vertex_ai_endpoint": Row(_endpoint, phase=RELATIONS),
    "google_vertex_ai_reasoning_engine": Row(_engine, _NAMED, RELATIONS),
    "google_workbench_instance": Row(_workbench, phase=RELATIONS),
}
