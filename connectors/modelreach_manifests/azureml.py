"""Azure Machine Learning: online endpoints and deployments, as `az ml` takes them.

https://learn.microsoft.com/azure/machine-learning/reference-yaml-endpoint-online
https://learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-managed-online
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach.draft.files import SourceFile, mapping
from modelreach.draft.said import Rank, Said, Secret
from modelreach.draft.secrets import clean_url
from modelreach_manifests.reading import (
    Words,
    below,
    environment,
    identity,
    meta,
    model,
    number,
    of_spec,
    rows,
    text,
)

_SCHEMA: Final = "azuremlschemas"
_KEYS: Final = frozenset({"aad_token", "aml_token", "key"})


class AzureMl:
    """Reads endpoints and deployments."""

    what = "Azure ML endpoint or deployment"

    def recognises(self, file: SourceFile) -> bool:
        """Is one of the documents an online endpoint or deployment?"""
        return any(_is_endpoint(one) or _is_deployment(one) for one in _documents(file))

    def read(self, file: SourceFile) -> Words:
        """Give what the documents say."""
        for one in _documents(file):
            if _is_endpoint(one):
                yield from _endpoint(one)
            elif _is_deployment(one):
                yield from _deployment(one)


def _documents(file: SourceFile) -> tuple[Mapping[str, Any], ...]:
    return tuple(mapping(one) for one in file.documents)


def _is_endpoint(one: Mapping[str, Any]) -> bool:
    schema = text(one, "$schema").lower()
    return (_SCHEMA in schema and "endpoint.schema" in schema) or (
        text(one, "auth_mode") in _KEYS and "endpoint_name" not in one
    )


def _is_deployment(one: Mapping[str, Any]) -> bool:
    schema = text(one, "$schema").lower()
    return (_SCHEMA in schema and "deployment.schema" in schema) or bool(
        text(one, "endpoint_name") and "model" in one
    )


def _endpoint(one: Mapping[str, Any]) -> Words:
    if name := text(one, "name"):
        yield meta("name", name, "name")
    yield model("provider", "azure-ml", "$schema", Rank.INFERRED)
    if text(one, "auth_mode") in _KEYS:
        yield of_spec("exposure", "authenticated", True, "auth_mode")
    if network := text(one, "public_network_access"):
        where = "internet" if network.lower() == "enabled" else "internal"
        yield of_spec("exposure", "audience", where, "public_network_access", Rank.INFERRED)
    yield from _identities(one)


def _identities(one: Mapping[str, Any]) -> Iterator[Said]:
    """An endpoint without an identity of its choice has one of its own.

    https://learn.microsoft.com/azure/machine-learning/how-to-access-resources-from-endpoints-managed-identities
    """
    ids: list[tuple[str, str]] = []
    for place, given in rows(one, "identity", "user_assigned_identities"):
        resource = text(given, "resource_id")
        ids += (
            [(resource, f"identity.user_assigned_identities[{place}].resource_id")]
            if resource
            else []
        )
    for count, (resource, at) in enumerate(ids, start=1):
        runs_as = identity("runtime" if count == 1 else f"runtime-{count}")
        yield runs_as.says("cloud", "azure", at, Rank.INFERRED)
        yield runs_as.says("principal", resource, at)
        yield runs_as.says("credential", "managed-identity", at, Rank.INFERRED)
    if not ids:
        runs_as = identity("runtime")
        yield runs_as.says("cloud", "azure", "identity", Rank.INFERRED)
        yield runs_as.asks("principal", "the object id of the endpoint's own identity", "identity")
        yield runs_as.says("credential", "managed-identity", "identity", Rank.INFERRED)


def _deployment(one: Mapping[str, Any]) -> Words:
    if endpoint := text(one, "endpoint_name"):
        yield meta("name", endpoint, "endpoint_name")
    yield model("provider", "azure-ml", "$schema", Rank.INFERRED)
    called = text(one, "model") or text(one, "model", "path") or text(one, "model", "name")
    if "://" in called:
        called, left_out = clean_url(called, "model")
        yield from (Secret(place) for place in left_out)
    if called:
        yield model("id", called, "model")
    if called.startswith(("azureml:", "azureml://")):
        floating = "@" in called or "/labels/" in called
        yield model("pinned", not floating, "model", Rank.INFERRED)
    for field, name in (("instanceType", "instance_type"),):
        if found := text(one, name):
            yield of_spec("infrastructure", field, found, name)
    if (count := number(one, "instance_count")) is not None:
        yield of_spec("infrastructure", "replicas", count, "instance_count")
    yield from environment(below(one, "environment_variables"), "environment_variables")
