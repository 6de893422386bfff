"""What runs, and what makes it run: as which account, and how far from its node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelreach.collect.facts import attributes
from modelreach.snapshot import Link, Runtime
from modelreach_kubernetes.estate import Object
from modelreach_kubernetes.kinds import KINDS
from modelreach_kubernetes.parse.facts import PROVIDER, Facts, Named, mappings, text

_RUNS = {kind.name: kind for kind in KINDS if kind.gap.startswith("runtimes:")}
_DEPTH = 12


def take(item: Object, facts: Facts) -> None:
    """Take a pod or what makes pods."""
    about = Named.of(item)
    kind = _RUNS.get(about.kind)
    spec = item.get("spec")
    if kind is None or not isinstance(spec, Mapping):
        return
    namespace = about.namespace or "default"
    pods = tuple(_pods(spec, 0)) or (spec,)
    accounts = sorted({facts.account(namespace, _account(pod)) for pod in pods})
    facts.runtimes.append(
        Runtime(
            id=facts.id(namespace, kind.qualified, about.name),
            provider=PROVIDER,
            kind=f"kubernetes:{kind.qualified}",
            scope=facts.scope(namespace),
            name=about.name,
            identities=tuple(accounts),
            links=tuple(sorted(set(_links(pods, namespace, facts)), key=repr)),
            tags=about.labels,
            attributes=_attributes(pods, accounts, facts, about),
        )
    )


def _pods(spec: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """Give every pod specification in the specification of an operator's kind.

    What holds containers, or names an account, is one.
    """
    if depth > _DEPTH:
        return
    if any(key in spec for key in ("containers", "serviceAccountName", "serviceAccount")):
        yield spec
        return
    for value in spec.values():
        for one in (value,) if isinstance(value, Mapping) else mappings(value):
            yield from _pods(one, depth + 1)


def _account(pod: Mapping[str, Any]) -> str:
    """`default` where none is named; the older field counts where the newer one is not there.

    https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
    """
    return text(pod.get("serviceAccountName")) or text(pod.get("serviceAccount")) or "default"


def _mounted(pods: tuple[Mapping[str, Any], ...], accounts: list[str], facts: Facts) -> bool:
    """Is a token in a pod: the pod's word counts before the account's; one that is projected is.

    https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting
    """
    known = [facts.principals[name] for name in accounts if name in facts.principals]
    by_account = not known or any(one.attributes.get("automount") is not False for one in known)
    for pod in pods:
        said = pod.get("automountServiceAccountToken")
        own = said if isinstance(said, bool) else by_account
        if own or any(audience == "" for audience in _projected(pod)):
            return True
    return False


def _projected(pod: Mapping[str, Any]) -> Iterator[str]:
    for volume in mappings(pod.get("volumes")):
        projected = volume.get("projected")
        for source in mappings(projected.get("sources") if isinstance(projected, Mapping) else ()):
            token = source.get("serviceAccountToken")
            if isinstance(token, Mapping):
                yield text(token.get("audience"))


def _attributes(
    pods: tuple[Mapping[str, Any], ...], accounts: list[str], facts: Facts, about: Named
) -> Any:
    containers = tuple(one for pod in pods for one in _containers(pod))
    security = tuple(
        one["securityContext"]
        for one in containers
        if isinstance(one.get("securityContext"), Mapping)
    )
    audiences = {audience for pod in pods for audience in _projected(pod) if audience}
    return attributes(
        token_mounted=_mounted(pods, accounts, facts),
        token_audiences=tuple(sorted(audiences)),
        node=next((text(pod.get("nodeName")) for pod in pods if pod.get("nodeName")), ""),
        privileged=any(one.get("privileged") is True for one in security) or None,
        host_pid=any(pod.get("hostPID") is True for pod in pods) or None,
        host_network=any(pod.get("hostNetwork") is True for pod in pods) or None,
        host_ipc=any(pod.get("hostIPC") is True for pod in pods) or None,
        capabilities=tuple(sorted({name for one in security for name in _added(one)})),
        host_paths=tuple(sorted({path for pod in pods for path, _ in _host_paths(pod)})),
        host_paths_writable=tuple(
            sorted({path for pod in pods for path, written in _host_paths(pod) if written})
        ),
        azure_workload_identity=about.labels.get("azure.workload.identity/use") == "true" or None,
        model=next(iter(_models(pods)), ""),
    )


def _containers(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("containers", "initContainers", "ephemeralContainers"):
        yield from mappings(pod.get(key))


def _added(security: Mapping[str, Any]) -> Iterator[str]:
    capabilities = security.get("capabilities")
    added = capabilities.get("add") if isinstance(capabilities, Mapping) else ()
    yield from (one for one in added or () if isinstance(one, str))


def _host_paths(pod: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Give the node's paths that a pod mounts, each with whether some container may write it."""
    paths = {
        text(volume.get("name")): text(volume["hostPath"].get("path"))
        for volume in mappings(pod.get("volumes"))
        if isinstance(volume.get("hostPath"), Mapping)
    }
    for container in _containers(pod):
        for mount in mappings(container.get("volumeMounts")):
            path = paths.get(text(mount.get("name")))
            if path:
                yield path, mount.get("readOnly") is not True


def _models(pods: tuple[Mapping[str, Any], ...]) -> Iterator[str]:
    for pod in pods:
        model = pod.get("model")
        for part in (model, pod):
            if isinstance(part, Mapping):
                for key in ("storageUri", "modelUri"):
                    if text(part.get(key)):
                        yield text(part[key])


def _links(pods: tuple[Mapping[str, Any], ...], namespace: str, facts: Facts) -> Iterator[Link]:
    for pod in pods:
        for plural, name in _mounts(pod):
            yield Link(kind="mounts", target=facts.id(namespace, plural, name))
        for container in _containers(pod):
            if text(container.get("image")):
                yield Link(kind="pulls", target=text(container["image"]))
            for plural, name in _environment(container):
                yield Link(kind="env", target=facts.id(namespace, plural, name))
    for uri in _models(pods):
        yield Link(kind="reads", target=uri)


_VOLUMES = (
    ("secret", "secretName", "secrets"),
    ("configMap", "name", "configmaps"),
    ("persistentVolumeClaim", "claimName", "persistentvolumeclaims"),
)


def _mounts(pod: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for volume in mappings(pod.get("volumes")):
        for key, field, plural in _VOLUMES:
            given = volume.get(key)
            if isinstance(given, Mapping) and text(given.get(field)):
                yield plural, text(given[field])
        projected = volume.get("projected")
        for source in mappings(projected.get("sources") if isinstance(projected, Mapping) else ()):
            for key, plural in (("secret", "secrets"), ("configMap", "configmaps")):
                given = source.get(key)
                if isinstance(given, Mapping) and text(given.get("name")):
                    yield plural, text(given["name"])


_REFERENCES = {
    "secretKeyRef": "secrets",
    "secretRef": "secrets",
    "configMapKeyRef": "configmaps",
    "configMapRef": "configmaps",
}


def _environment(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sources = [one.get("valueFrom") for one in mappings(container.get("env"))]
    sources += list(mappings(container.get("envFrom")))
    for source in sources:
        for key, value in source.items() if isinstance(source, Mapping) else ():
            if key in _REFERENCES and isinstance(value, Mapping) and text(value.get("name")):
                yield _REFERENCES[key], text(value["name"])
