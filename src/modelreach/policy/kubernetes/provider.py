"""What the rest of the program has to know of Kubernetes."""

from __future__ import annotations

from modelreach.model import Sensitivity
from modelreach.policy.engine import Engine
from modelreach.policy.provider import Context, Opens, Provider
from modelreach.snapshot import Facts


def _engine(facts: Facts, _context: Context, _opens: Opens) -> Engine:
    from modelreach.policy.kubernetes.engine import KubernetesEngine

    return KubernetesEngine(facts)


def _qualified(principal: str, cluster: str) -> str:
    if not cluster or principal.startswith("k8s/"):
        return principal
    kind = "" if principal.startswith("system:serviceaccount:") else "user:"
    return f"k8s/{cluster}/{kind}{principal}"


PROVIDER = Provider(
    name="kubernetes",
    qualified=_qualified,
    engine=_engine,
    identities="kubernetes",
    classes={
        "kubernetes:secrets": "secrets",
        "kubernetes:configmaps": "storage",
        "kubernetes:persistentvolumeclaims": "storage",
        "kubernetes:service-account": "identities",
        "kubernetes:user": "identities",
        "kubernetes:group": "identities",
        "kubernetes:node": "identities",
        "kubernetes:namespace": "administration",
        "kubernetes:cluster": "administration",
    },
    sensitive={
        "kubernetes:secrets": (Sensitivity.HIGH, "holds a secret"),
        "kubernetes:cluster": (Sensitivity.HIGH, "a whole cluster"),
        "kubernetes:namespace": (Sensitivity.MEDIUM, "a whole namespace"),
    },
    models={
        "kubernetes:inferenceservices.serving.kserve.io": ("self-hosted", "KServe service"),
        "kubernetes:llminferenceservices.serving.kserve.io": (
            "self-hosted",
            "KServe service of a language model",
        ),
        "kubernetes:seldondeployments.machinelearning.seldon.io": (
            "self-hosted",
            "Seldon deployment",
        ),
        "kubernetes:rayservices.ray.io": ("self-hosted", "Ray service"),
        "kubernetes:workspaces.kaito.sh": ("self-hosted", "KAITO workspace"),
        "kubernetes:nimservices.apps.nvidia.com": ("self-hosted", "NIM service"),
    },
)
