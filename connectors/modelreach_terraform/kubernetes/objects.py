"""Objects of a cluster, from the blocks that the provider has for them, or from manifests.

Blocks become the object that the provider makes of them, so that both are told of in one way. Of
secrets and config maps only the names are taken.
https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach_terraform.told import Told
from modelreach_terraform.values import Json, at, blocks, is_unread, text, texts

Object = dict[str, Any]
_VERSION: Final = re.compile(r"_v\d+(alpha\d+|beta\d+)?$")

#: What the provider calls each kind, and whether it is of a namespace.
KINDS: Final = {
    "kubernetes_namespace": "Namespace",
    "kubernetes_service_account": "ServiceAccount",
    "kubernetes_default_service_account": "ServiceAccount",
    "kubernetes_role": "Role",
    "kubernetes_cluster_role": "ClusterRole",
    "kubernetes_role_binding": "RoleBinding",
    "kubernetes_cluster_role_binding": "ClusterRoleBinding",
    "kubernetes_secret": "Secret",
    "kubernetes_config_map": "ConfigMap",
    "kubernetes_persistent_volume_claim": "PersistentVolumeClaim",
    "kubernetes_deployment": "Deployment",
    "kubernetes_stateful_set": "StatefulSet",
    "kubernetes_daemonset": "DaemonSet",
    "kubernetes_daemon_set": "DaemonSet",
    "kubernetes_job": "Job",
    "kubernetes_cron_job": "CronJob",
    "kubernetes_pod": "Pod",
}


def kind_of(type_: str) -> str:
    """Give the kind of object that a type of resource makes, "" for none."""
    return KINDS.get(_VERSION.sub("", type_), "")


def of_blocks(told: Told) -> Object:
    """Give the object that the blocks of a resource stand for."""
    kind = kind_of(told.instance.type)
    metadata = next(told.blocks("metadata"), {})
    name = text(metadata.get("name")) or told.text("metadata.0.name", "metadata.name")
    namespaced = kind not in ("Namespace", "ClusterRole", "ClusterRoleBinding")
    namespace = text(metadata.get("namespace")) or told.text("metadata.0.namespace")
    made: Object = {
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": (namespace or "default") if namespaced else "",
            "labels": metadata.get("labels"),
            "annotations": metadata.get("annotations"),
        },
    }
    return made | _OF.get(kind, _nothing)(told)


def _nothing(_told: Told) -> Object:
    return {}


def _account(told: Told) -> Object:
    return {
        "automountServiceAccountToken": told.flag("automount_service_account_token"),
        "secrets": [*told.blocks("secret")],
        "imagePullSecrets": [*told.blocks("image_pull_secret")],
    }


def _role(told: Told) -> Object:
    rules = [
        {
            element: list(found)
            for name, element in _RULE.items()
            if (found := texts(_unread(block.get(name))))
        }
        for block in told.blocks("rule")
    ]
    made: Object = {"rules": rules}
    selectors = [
        _selector(one)
        for rule in told.blocks("aggregation_rule")
        for one in blocks(rule.get("cluster_role_selectors"))
    ]
    return made | ({"aggregationRule": {"clusterRoleSelectors": selectors}} if selectors else {})


_RULE: Final = {
    "api_groups": "apiGroups",
    "resources": "resources",
    "resource_names": "resourceNames",
    "verbs": "verbs",
    "non_resource_urls": "nonResourceURLs",
}


def _unread(value: Json) -> Json:
    return None if is_unread(value) else value


def _selector(block: Mapping[str, Json]) -> Object:
    made: Object = {}
    if labels := block.get("match_labels"):
        made["matchLabels"] = labels
    if expressions := list(blocks(block.get("match_expressions"))):
        made["matchExpressions"] = [
            {
                "key": text(one.get("key")),
                "operator": text(one.get("operator")),
                "values": list(texts(one.get("values"))),
            }
            for one in expressions
        ]
    return made


def _binding(told: Told) -> Object:
    reference = next(told.blocks("role_ref"), {})
    return {
        "roleRef": {
            "kind": text(reference.get("kind")),
            "name": text(reference.get("name")) or told.text("role_ref.0.name"),
        },
        "subjects": [
            {
                "kind": text(block.get("kind")),
                "name": text(block.get("name")) or told.text(f"subject.{number}.name"),
                "namespace": text(block.get("namespace"))
                or told.text(f"subject.{number}.namespace")
                or "default",
            }
            for number, block in enumerate(told.blocks("subject"))
        ],
    }


def _secret(told: Told) -> Object:
    return {"type": told.text("type") or "Opaque"}


def _workload(told: Told) -> Object:
    spec = next(told.blocks("spec"), {})
    inner = at(spec, "job_template.spec.template.spec") or at(spec, "template.spec")
    pods = [_pod(one) for one in blocks(inner if inner is not None else spec)]
    return {"pods": pods}


def _pod(block: Mapping[str, Json]) -> Object:
    """Give a pod specification as the cluster has it."""
    names = {
        "service_account_name": "serviceAccountName",
        "automount_service_account_token": "automountServiceAccountToken",
        "node_name": "nodeName",
        "host_pid": "hostPID",
        "host_network": "hostNetwork",
        "host_ipc": "hostIPC",
    }
    made: Object = {new: block[old] for old, new in names.items() if block.get(old) is not None}
    for old, new in (("container", "containers"), ("init_container", "initContainers")):
        made[new] = [_container(one) for one in blocks(block.get(old))]
    made["volumes"] = [_volume(one) for one in blocks(block.get("volume"))]
    return made


def _container(block: Mapping[str, Json]) -> Object:
    security = next(blocks(block.get("security_context")), {})
    capabilities = next(blocks(security.get("capabilities")), {})
    return {
        "image": text(block.get("image")),
        "securityContext": {
            "privileged": security.get("privileged"),
            "capabilities": {"add": list(texts(capabilities.get("add")))},
        },
        "env": [
            {"valueFrom": _reference(next(blocks(one.get("value_from")), {}))}
            for one in blocks(block.get("env"))
            if one.get("value_from")
        ],
        "envFrom": [_reference(one) for one in blocks(block.get("env_from"))],
        "volumeMounts": [
            {"name": text(one.get("name")), "readOnly": one.get("read_only")}
            for one in blocks(block.get("volume_mount"))
        ],
    }


def _reference(block: Mapping[str, Json]) -> Object:
    return {
        new: {"name": text(found.get("name"))}
        for old, new in (
            ("secret_key_ref", "secretKeyRef"),
            ("config_map_key_ref", "configMapKeyRef"),
            ("secret_ref", "secretRef"),
            ("config_map_ref", "configMapRef"),
        )
        for found in blocks(block.get(old))
    }


def _volume(block: Mapping[str, Json]) -> Object:
    made: Object = {"name": text(block.get("name"))}
    for old, new, field, wanted in (
        ("secret", "secret", "secret_name", "secretName"),
        ("config_map", "configMap", "name", "name"),
        ("persistent_volume_claim", "persistentVolumeClaim", "claim_name", "claimName"),
        ("host_path", "hostPath", "path", "path"),
    ):
        for found in blocks(block.get(old)):
            made[new] = {wanted: text(found.get(field))}
    sources = [
        source
        for projected in blocks(block.get("projected"))
        for one in blocks(projected.get("sources"))
        for source in _sources(one)
    ]
    return made | ({"projected": {"sources": sources}} if sources else {})


def _sources(block: Mapping[str, Json]) -> Iterator[Object]:
    for token in blocks(block.get("service_account_token")):
        yield {"serviceAccountToken": {"audience": text(token.get("audience"))}}
    for old, new in (("secret", "secret"), ("config_map", "configMap")):
        for found in blocks(block.get(old)):
            yield {new: {"name": text(found.get("name"))}}


_OF: Final = {
    "ServiceAccount": _account,
    "Role": _role,
    "ClusterRole": _role,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "Secret": _secret,
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"), _workload
    ),
}


def of_manifest(manifest: Json) -> Object | None:
    """Give an object that is written as a manifest, with its pods found; None for what is none."""
    if not isinstance(manifest, dict) or not text(manifest.get("kind")):
        return None
    kept = {
        key: manifest[key]
        for key in (
            "apiVersion",
            "kind",
            "metadata",
            "rules",
            "aggregationRule",
            "roleRef",
            "subjects",
            "automountServiceAccountToken",
            "secrets",
            "imagePullSecrets",
            "type",
        )
        if key in manifest
    }
    spec = manifest.get("spec")
    if isinstance(spec, dict):
        kept["pods"] = list(_pods(spec, 0)) or [spec]
    return kept


def _pods(spec: Mapping[str, Json], depth: int) -> Iterator[Mapping[str, Json]]:
    if depth > 12:
        return
    if any(key in spec for key in ("containers", "serviceAccountName", "serviceAccount")):
        yield spec
        return
    for value in spec.values():
        for one in blocks(value):
            yield from _pods(one, depth + 1)
