"""Manifests of Kubernetes that serve a model: KServe's kinds, and whatever makes pods.

A pod acts as its service account, and in a cloud as whom the account is annotated with.
https://kserve.github.io/website/docs/reference/crd-api
https://kubernetes.io/docs/concepts/security/service-accounts/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from modelreach.draft.files import SourceFile, mapping
from modelreach.draft.said import Rank, Said, Secret
from modelreach.draft.secrets import clean_url
from modelreach_manifests.launched import hidden
from modelreach_manifests.reading import (
    Member,
    Words,
    below,
    identity,
    inside,
    joined,
    meta,
    model,
    number,
    of_spec,
    rows,
    text,
    texts,
)

#: Kind -> where its pod lies.
_PODS: Final = {
    "InferenceService": ("spec", "predictor"),
    "LLMInferenceService": ("spec", "template"),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Pod": ("spec",),
    "RayService": ("spec", "rayClusterConfig", "headGroupSpec", "template", "spec"),
}
#: Annotation of a service account -> the cloud, and what is missing of the id that it gives.
_ANNOTATIONS: Final = {
    "eks.amazonaws.com/role-arn": ("aws", ""),
    "iam.gke.io/gcp-service-account": ("gcp", ""),
    "azure.workload.identity/client-id": ("azure", "the object id of the one with this client id"),
}
#: Options of the servers of models that are read; no other argument is.
_OPTION: Final = re.compile(r"--?([A-Za-z][\w-]*)(?:[= ](.*))?", re.S)
_MODEL_ID: Final = re.compile(r"(?:[a-z0-9]+://)?[A-Za-z0-9][\w.:/-]{0,200}")


class Kubernetes:
    """Reads what serves a model in a cluster, with its service account."""

    what = "Kubernetes manifest"

    def recognises(self, file: SourceFile) -> bool:
        """Does one of the documents make pods?"""
        return any(
            text(one, "kind") in _PODS and "apiVersion" in one for _, one in _documents(file)
        )

    def read(self, file: SourceFile) -> Words:
        """Give what the first document that makes pods says, and whom its pods act as."""
        documents = _documents(file)
        at, found = next((a, one) for a, one in documents if text(one, "kind") in _PODS)
        accounts = [(a, one) for a, one in documents if text(one, "kind") == "ServiceAccount"]
        yield from _workload(at, found, accounts)


_Document = tuple[str, Mapping[str, Any]]


def _documents(file: SourceFile) -> list[_Document]:
    """Each object with its place; those of a `List` apart."""
    found: list[_Document] = []
    several = len(file.documents) > 1
    for number_, one in enumerate(file.documents):
        at = f"[{number_}]" if several else ""
        items = rows(one, "items") if text(one, "kind").endswith("List") else ()
        found += [(f"{at}items[{place}]", item) for place, item in items] or [(at, mapping(one))]
    return found


@dataclass(frozen=True, slots=True)
class _Pod:
    """The pod of a workload, with its place."""

    at: str
    spec: Mapping[str, Any]

    def containers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Give what runs in it, with its place."""
        for key in ("model", "worker", "tensorflow", "pytorch", "huggingface", "triton"):
            if one := below(self.spec, key):
                yield joined(self.at, key), one
        for key in ("initContainers", "containers"):
            for place, one in rows(self.spec, key):
                yield joined(self.at, key, place), one


def _workload(at: str, found: Mapping[str, Any], accounts: list[_Document]) -> Words:
    yield meta("name", text(found, "metadata", "name") or "unknown", _at(at, "metadata.name"))
    steps = _PODS[text(found, "kind")]
    pod = _Pod(_at(at, ".".join(steps)), below(found, *steps))
    yield model("provider", "self-hosted", _at(at, "kind"), Rank.INFERRED)
    yield from _model(pod, found, at)
    yield from _replicas(pod, found, at)
    yield from _secrets(pod)
    yield from _runs_as(pod, found, accounts)


def _at(at: str, path: str) -> str:
    return f"{at}.{path}" if at else path


# --- the model -----------------------------------------------------------------------------


def _model(pod: _Pod, found: Mapping[str, Any], at: str) -> Words:
    uri = text(found, "spec", "model", "uri")
    if uri:
        yield from _named(uri, _at(at, "spec.model.uri"))
    for place, one in pod.containers():
        if stored := text(one, "storageUri"):
            yield from _named(stored, joined(place, "storageUri"))
        for option, value in _options(one):
            where = joined(place, "args", f"--{option}")
            if option in ("model", "model-id") and _MODEL_ID.fullmatch(value):
                yield from _named(value, where)
            elif option in ("max-model-len", "max-total-tokens") and re.fullmatch(
                r"\d{1,9}", value
            ):
                yield model("contextWindowTokens", int(value), where)
            elif option == "quantization" and re.fullmatch(r"[\w-]{1,40}", value):
                yield model("quantization", value, where)


def _named(uri: str, at: str) -> Words:
    """A model by its address; one with a commit as its revision stays what it is."""
    address: str = uri
    left_out: tuple[str, ...] = ()
    if "://" in uri:
        # A commit looks like a token, and is none.
        head, colon, commit = uri.rpartition(":")
        whole = colon and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit)
        address, left_out = clean_url(head if whole else uri, at)
        address += f":{commit}" if whole else ""
    yield from (Secret(place) for place in left_out)
    yield model("id", address, at)
    revision = address.rpartition(":")[2].rpartition("@")[2]
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", revision):
        yield model("pinned", True, at, Rank.INFERRED)


def _options(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    arguments = [*texts(container, "command"), *texts(container, "args")]
    for place, argument in enumerate(arguments):
        option = _OPTION.fullmatch(argument)
        if option is None:
            continue
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        value = option.group(2)
        if value is None:
            value = "" if following.startswith("-") else following
        yield option.group(1).replace("_", "-"), value


def _replicas(pod: _Pod, found: Mapping[str, Any], at: str) -> Iterator[Said]:
    for field, steps in (
        ("replicas", ("spec", "replicas")),
        ("minReplicas", ("spec", "predictor", "minReplicas")),
        ("maxReplicas", ("spec", "predictor", "maxReplicas")),
    ):
        if (count := number(found, *steps)) is not None:
            yield of_spec("infrastructure", field, count, _at(at, ".".join(steps)))
    for place, one in pod.containers():
        for name in below(one, "resources", "limits"):
            if name.endswith("/gpu"):
                yield of_spec(
                    "infrastructure", "accelerator", name, joined(place, "resources.limits")
                )
                return


# --- secrets and identities ----------------------------------------------------------------


def _secrets(pod: _Pod) -> Iterator[Secret]:
    for place, one in pod.containers():
        for option in hidden(texts(one, "args")):
            yield Secret(joined(place, "args", option))
        for _, variable in rows(one, "env"):
            name = text(variable, "name")
            key = below(variable, "valueFrom", "secretKeyRef")
            source = f" (secret {text(key, 'name')}, key {text(key, 'key')})" if key else ""
            if key or inside(variable, "value") is not None:
                yield Secret(joined(place, "env", name) + source)
        for _, source_ in rows(one, "envFrom"):
            if name := text(source_, "secretRef", "name"):
                yield Secret(joined(place, "envFrom") + f" (secret {name})")
    for _, volume in rows(pod.spec, "volumes"):
        if name := text(volume, "secret", "secretName"):
            yield Secret(joined(pod.at, "volumes", text(volume, "name")) + f" (secret {name})")


def _runs_as(pod: _Pod, found: Mapping[str, Any], accounts: list[_Document]) -> Iterator[Said]:
    given = text(pod.spec, "serviceAccountName") or text(pod.spec, "serviceAccount")
    namespace = text(found, "metadata", "namespace")
    account = given or "default"
    at = joined(pod.at, "serviceAccountName")
    one = identity("runtime")
    principal = f"system:serviceaccount:{namespace or 'unknown'}:{account}"
    missing = "" if namespace else "the namespace that it is deployed into"
    yield one.says("cloud", "kubernetes", at, Rank.INFERRED)
    sure = bool(given and namespace)
    yield one.says(
        "principal", principal, at, Rank.IMPORTED if sure else Rank.INFERRED, unknown=missing
    )
    for place, fact in accounts:
        if text(fact, "metadata", "name") != account:
            continue
        if text(fact, "metadata", "namespace") in ("", namespace) or not namespace:
            yield from _annotated(one, fact, place)


def _annotated(one: Member, fact: Mapping[str, Any], at: str) -> Iterator[Said]:
    for annotation, (cloud, missing) in _ANNOTATIONS.items():
        value = below(fact, "metadata", "annotations").get(annotation)
        if not isinstance(value, str) or not value:
            continue
        other, place = identity(f"runtime-{cloud}"), _at(at, f"metadata.annotations.{annotation}")
        principal = f"serviceAccount:{value}" if cloud == "gcp" else value
        yield other.says("cloud", cloud, place, Rank.INFERRED)
        yield other.says("principal", principal, place, unknown=missing)
        yield other.says("credential", "workload-identity", place, Rank.INFERRED)
        yield one.says("federatesTo", other.id, place)
