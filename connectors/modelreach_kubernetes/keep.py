"""What is kept of an object: what facts are made of, and nothing that could be a secret.

Values of environment variables, arguments and data never leave this module; neither does an
annotation that is not one of those that say whom an account is in a cloud.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Annotations that facts are made of.
ANNOTATIONS = frozenset(
    {
        "eks.amazonaws.com/role-arn",
        "eks.amazonaws.com/audience",
        "iam.gke.io/gcp-service-account",
        "azure.workload.identity/client-id",
        "azure.workload.identity/tenant-id",
        "kubernetes.io/service-account.name",
    }
)
#: The namespace and name of the config map by which AWS identities enter, and what is kept of it.
ENTRY = ("kube-system", "aws-auth")
ENTRY_KEYS = ("mapRoles", "mapUsers")
_METADATA = ("name", "namespace", "uid", "creationTimestamp", "ownerReferences")
#: Of objects that are not taken apart below, these are kept whole: they hold no secrets.
_WHOLE = {
    "Role": ("rules",),
    "ClusterRole": ("rules", "aggregationRule"),
    "RoleBinding": ("subjects", "roleRef"),
    "ClusterRoleBinding": ("subjects", "roleRef"),
}
_POD = (
    "serviceAccountName",
    "serviceAccount",
    "automountServiceAccountToken",
    "nodeName",
    "hostPID",
    "hostNetwork",
    "hostIPC",
)


def kept(found: Mapping[str, Any], *, is_token: bool = False) -> dict[str, Any]:
    """Give what is kept of an object. `is_token` says that a secret was found among tokens."""
    kind = str(found.get("kind", ""))
    result: dict[str, Any] = {
        "apiVersion": str(found.get("apiVersion", "")),
        "kind": kind,
        "metadata": _metadata(found.get("metadata")),
    }
    if kind in _WHOLE:
        return result | {key: found[key] for key in _WHOLE[kind] if key in found}
    if kind == "ServiceAccount":
        return result | _account(found)
    if kind == "ConfigMap" and entering(found):
        data = found.get("data")
        given = data if isinstance(data, Mapping) else {}
        texts = {key: given[key] for key in ENTRY_KEYS if isinstance(given.get(key), str)}
        return result | ({"data": texts} if texts else {})
    if kind == "Secret":
        type_ = "kubernetes.io/service-account-token" if is_token else found.get("type")
        return result | ({"type": type_} if isinstance(type_, str) else {})
    if kind == "Node":
        spec = found.get("spec")
        provider = spec.get("providerID") if isinstance(spec, Mapping) else None
        return result | ({"spec": {"providerID": provider}} if provider else {})
    if kind == "ValidatingWebhookConfiguration":
        return result | {"webhooks": [_matching(one) for one in _mappings(found.get("webhooks"))]}
    if isinstance(found.get("spec"), Mapping):
        spec = found["spec"]
        result["spec"] = _admitting(spec) if kind in _POLICIES else _spec(spec)
    return result


_POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
#: What says which requests a webhook or policy sees; what it says of them is not kept, nor where
#: a webhook is, which may hold a token.
_MATCHING = ("name", "namespaceSelector", "objectSelector")
_OF_RULES = ("operations", "apiGroups", "resources", "scope")


def _matching(found: Mapping[str, Any]) -> dict[str, Any]:
    result = {key: found[key] for key in _MATCHING if key in found}
    for key in ("rules", "resourceRules"):
        if key in found:
            rules = _mappings(found[key])
            result[key] = [{k: one[k] for k in _OF_RULES if k in one} for one in rules]
    return result


def _admitting(spec: Mapping[str, Any]) -> dict[str, Any]:
    result = {key: spec[key] for key in ("policyName", "validationActions") if key in spec}
    for key in ("matchConstraints", "matchResources"):
        if isinstance(spec.get(key), Mapping):
            result[key] = _matching(spec[key])
    return result


def entering(found: Mapping[str, Any]) -> bool:
    """Is it the config map that says who of AWS enters a cluster of EKS? It holds no secrets.

    https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html
    """
    metadata = found.get("metadata")
    about = metadata if isinstance(metadata, Mapping) else {}
    return (about.get("namespace"), about.get("name")) == ENTRY


def _metadata(found: object) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        return {}
    result = {key: found[key] for key in _METADATA if found.get(key) is not None}
    for name in ("labels", "annotations"):
        given = found.get(name)
        texts = given if isinstance(given, Mapping) else {}
        chosen = {
            str(key): str(value)
            for key, value in texts.items()
            if name == "labels" or key in ANNOTATIONS
        }
        if chosen:
            result[name] = chosen
    return result


def _account(found: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if isinstance(found.get("automountServiceAccountToken"), bool):
        result["automountServiceAccountToken"] = found["automountServiceAccountToken"]
    for key in ("secrets", "imagePullSecrets"):
        names = [{"name": one["name"]} for one in _mappings(found.get(key)) if one.get("name")]
        if names:
            result[key] = names
    return result


def _mappings(found: object) -> Iterator[Mapping[str, Any]]:
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping):
            yield one


#: Parts of a specification in which a pod template, or what becomes one, lies deeper.
_NESTED = (
    "template",
    "jobTemplate",
    "spec",
    "predictor",
    "transformer",
    "explainer",
    "worker",
    "prefill",
    "model",
    "inference",
    "rayClusterConfig",
    "headGroupSpec",
    "workerGroupSpecs",
    "predictors",
    "componentSpecs",
    "graph",
    "router",
)


def _spec(found: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what says as whom something runs and how, at whatever depth an operator has it."""
    result: dict[str, Any] = {key: found[key] for key in _POD if key in found}
    for key in ("storageUri", "modelUri", "image", "uri"):
        if isinstance(found.get(key), str):
            result[key] = found[key]
    for key in _NESTED:
        value = found.get(key)
        if isinstance(value, Mapping):
            result[key] = _spec(value)
        elif isinstance(value, list):
            result[key] = [_spec(one) for one in _mappings(value)]
    for key in ("containers", "initContainers", "ephemeralContainers"):
        containers = [_container(one) for one in _mappings(found.get(key))]
        if containers:
            result[key] = containers
    volumes = [_volume(one) for one in _mappings(found.get("volumes"))]
    if volumes:
        result["volumes"] = volumes
    return result


def _container(found: Mapping[str, Any]) -> dict[str, Any]:
    result = {key: found[key] for key in ("name", "image") if isinstance(found.get(key), str)}
    security = found.get("securityContext")
    if isinstance(security, Mapping):
        result["securityContext"] = {
            key: security[key] for key in ("privileged", "capabilities") if key in security
        }
    result["env"] = [
        {"name": str(one.get("name", "")), "valueFrom": _reference(one["valueFrom"])}
        for one in _mappings(found.get("env"))
        if isinstance(one.get("valueFrom"), Mapping)
    ]
    result["envFrom"] = [_reference(one) for one in _mappings(found.get("envFrom"))]
    result["volumeMounts"] = [
        {key: one[key] for key in ("name", "mountPath", "readOnly") if key in one}
        for one in _mappings(found.get("volumeMounts"))
    ]
    return {key: value for key, value in result.items() if value not in ([], {})}


def _reference(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: {"name": str(value.get("name", ""))}
        for key, value in found.items()
        if key in ("secretKeyRef", "configMapKeyRef", "secretRef", "configMapRef")
        and isinstance(value, Mapping)
    }


def _volume(found: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"name": str(found.get("name", ""))}
    for key, field in (
        ("secret", "secretName"),
        ("configMap", "name"),
        ("persistentVolumeClaim", "claimName"),
        ("hostPath", "path"),
    ):
        given = found.get(key)
        if isinstance(given, Mapping) and given.get(field):
            result[key] = {field: str(given[field])}
    projected = found.get("projected")
    if isinstance(projected, Mapping):
        result["projected"] = {"sources": list(_sources(projected))}
    return result


def _sources(projected: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in _mappings(projected.get("sources")):
        token = one.get("serviceAccountToken")
        if isinstance(token, Mapping):
            yield {"serviceAccountToken": {"audience": str(token.get("audience", ""))}}
        for key in ("secret", "configMap"):
            if isinstance(one.get(key), Mapping) and one[key].get("name"):
                yield {key: {"name": str(one[key]["name"])}}
