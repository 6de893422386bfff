"""What is asked of a cluster: one row a kind of object, with what it feeds and what it costs.

The table drives the calls, the permissions, the gaps and the reference page alike.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object. `group` is "" for the core one. `gap` is the kind of gap (and coverage)
    that a refusal leaves. `metadata`: only names, labels and annotations are asked for, so that
    what is in it never leaves the cluster. `optional`: not every cluster has it."""

    group: str
    version: str
    plural: str
    name: str
    gap: str
    feeds: str
    namespaced: bool = True
    metadata: bool = False
    optional: bool = False
    selector: str = ""

    @property
    def path(self) -> str:
        """The path of all such objects."""
        root = f"/apis/{self.group}" if self.group else "/api"
        return f"{root}/{self.version}/{self.plural}"

    def within(self, namespace: str) -> str:
        """The path of those of one namespace."""
        root = f"/apis/{self.group}" if self.group else "/api"
        return f"{root}/{self.version}/namespaces/{namespace}/{self.plural}"

    @property
    def qualified(self) -> str:
        """`deployments.apps`; of the core group just `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


RBAC = "rbac.authorization.k8s.io"
TOKENS = "type=kubernetes.io/service-account-token"
ADMISSION = "admissionregistration.k8s.io"


def _model(group: str, version: str, plural: str, name: str, feeds: str) -> Kind:
    gap = f"runtimes:kubernetes:{plural}.{group}"
    return Kind(group, version, plural, name, gap, feeds, optional=True)


KINDS = (
    Kind("", "v1", "namespaces", "Namespace", "namespaces", "namespaces", namespaced=False),
    Kind("", "v1", "nodes", "Node", "nodes", "nodes and their cloud identity", namespaced=False),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", "principals", "service accounts"),
    Kind(RBAC, "v1", "roles", "Role", "roles", "what roles allow"),
    Kind(RBAC, "v1", "clusterroles", "ClusterRole", "roles", "what roles allow", namespaced=False),
    Kind(RBAC, "v1", "rolebindings", "RoleBinding", "bindings", "who has which role"),
    Kind(
        RBAC,
        "v1",
        "clusterrolebindings",
        "ClusterRoleBinding",
        "bindings",
        "who has which role",
        namespaced=False,
    ),
    Kind(
        "",
        "v1",
        "secrets",
        "Secret",
        "kubernetes:secrets",
        "names of secrets, never what is in them",
        metadata=True,
    ),
    Kind(
        "",
        "v1",
        "secrets",
        "Secret",
        "credentials",
        "which secrets are tokens of service accounts",
        metadata=True,
        selector=TOKENS,
    ),
    Kind(
        "",
        "v1",
        "configmaps",
        "ConfigMap",
        "kubernetes:configmaps",
        "names of config maps",
        metadata=True,
    ),
    Kind(
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        "kubernetes:persistentvolumeclaims",
        "names of volumes that are claimed",
        metadata=True,
    ),
    Kind("", "v1", "pods", "Pod", "runtimes:kubernetes:pods", "what runs, as whom and where"),
    Kind(
        "apps",
        "v1",
        "deployments",
        "Deployment",
        "runtimes:kubernetes:deployments.apps",
        "what runs, as whom",
    ),
    Kind(
        "apps",
        "v1",
        "statefulsets",
        "StatefulSet",
        "runtimes:kubernetes:statefulsets.apps",
        "what runs, as whom",
    ),
    Kind(
        "apps",
        "v1",
        "daemonsets",
        "DaemonSet",
        "runtimes:kubernetes:daemonsets.apps",
        "what runs, as whom",
    ),
    Kind("batch", "v1", "jobs", "Job", "runtimes:kubernetes:jobs.batch", "what runs, as whom"),
    Kind(
        "batch",
        "v1",
        "cronjobs",
        "CronJob",
        "runtimes:kubernetes:cronjobs.batch",
        "what runs, as whom",
    ),
    Kind(
        ADMISSION,
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        f"kubernetes:mutatingwebhookconfigurations.{ADMISSION}",
        "names of webhooks that rewrite what is admitted",
        namespaced=False,
        metadata=True,
    ),
    Kind(
        ADMISSION,
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        f"kubernetes:validatingwebhookconfigurations.{ADMISSION}",
        "which requests webhooks see, and may refuse",
        namespaced=False,
    ),
    Kind(
        ADMISSION,
        "v1",
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        f"kubernetes:validatingadmissionpolicies.{ADMISSION}",
        "which requests policies see, and may refuse",
        namespaced=False,
        optional=True,
    ),
    Kind(
        ADMISSION,
        "v1",
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        f"kubernetes:validatingadmissionpolicybindings.{ADMISSION}",
        "where these policies hold, and whether they refuse",
        namespaced=False,
        optional=True,
    ),
    _model("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService", "KServe"),
    _model(
        "serving.kserve.io", "v1alpha1", "llminferenceservices", "LLMInferenceService", "KServe"
    ),
    _model("serving.kserve.io", "v1alpha1", "servingruntimes", "ServingRuntime", "KServe"),
    _model("ray.io", "v1", "rayservices", "RayService", "Ray"),
    _model("ray.io", "v1", "rayclusters", "RayCluster", "Ray"),
    _model(
        "machinelearning.seldon.io", "v1", "seldondeployments", "SeldonDeployment", "Seldon Core"
    ),
    _model("kaito.sh", "v1beta1", "workspaces", "Workspace", "KAITO"),
    _model("apps.nvidia.com", "v1alpha1", "nimservices", "NIMService", "NVIDIA NIM"),
)

#: The one object that is read whole: who of AWS enters a cluster of EKS. Asked of such only.
ENTRY_PATH = "/api/v1/namespaces/kube-system/configmaps/aws-auth"
ENTRY_PERMISSION = "get configmaps aws-auth"
ENTRY_FEEDS = "who of AWS may enter a cluster of EKS, as which user and in which groups"
ENTRY_KIND = Kind(
    "", "v1", "configmaps", "ConfigMap", "cluster-entry", ENTRY_FEEDS, selector="name=aws-auth"
)

#: Paths that are no kind of object, each with why it is asked.
PATHS = (
    ("/version", "the version of the API server"),
    ("/apis", "which kinds of object there are"),
    ("/.well-known/openid-configuration", "the issuer of tokens of service accounts"),
)
