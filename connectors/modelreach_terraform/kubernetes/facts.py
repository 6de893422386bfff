"""Objects of a cluster as facts: accounts, roles, who holds them, what runs, names of secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.model import InputError
from modelreach.snapshot import (
    Attributes,
    Binding,
    Credential,
    Link,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
)
from modelreach_terraform.edits import Edit, Holds, Is
from modelreach_terraform.kubernetes.objects import (
    KINDS,
    Object,
    kind_of,
    of_blocks,
    of_manifest,
)
from modelreach_terraform.told import LAST, RELATIONS, THINGS, Row, Table, Told
from modelreach_terraform.values import Json, at, blocks, is_unread, pairs, text, texts

_RBAC: Final = "rbac.authorization.k8s.io"
_PLURALS: Final = {
    "Role": f"roles.{_RBAC}",
    "ClusterRole": f"clusterroles.{_RBAC}",
    "RoleBinding": f"rolebindings.{_RBAC}",
    "ClusterRoleBinding": f"clusterrolebindings.{_RBAC}",
    "Secret": "secrets",
    "ConfigMap": "configmaps",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Pod": "pods",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
    "InferenceService": "inferenceservices.serving.kserve.io",
    "LLMInferenceService": "llminferenceservices.serving.kserve.io",
    "ServingRuntime": "servingruntimes.serving.kserve.io",
    "RayService": "rayservices.ray.io",
    "RayCluster": "rayclusters.ray.io",
    "SeldonDeployment": "seldondeployments.machinelearning.seldon.io",
    "Workspace": "workspaces.kaito.sh",
    "NIMService": "nimservices.apps.nvidia.com",
}
_ANNOTATIONS: Final = {
    "role_arn": "eks.amazonaws.com/role-arn",
    "audience": "eks.amazonaws.com/audience",
    "gcp_service_account": "iam.gke.io/gcp-service-account",
    "azure_client_id": "azure.workload.identity/client-id",
    "azure_tenant_id": "azure.workload.identity/tenant-id",
}
_NAMED: Final = ("Secret", "ConfigMap", "PersistentVolumeClaim")
_CLUSTER_WIDE: Final = ("Namespace", "ClusterRole", "ClusterRoleBinding")


class _Made:
    """One object of one cluster, as edits."""

    def __init__(self, told: Told, item: Object) -> None:
        self._told, self._item = told, item
        self.cluster = told.place["cluster"]
        self.kind = text(item.get("kind"))
        self.name = text(at(item, "metadata.name"))
        namespace = text(at(item, "metadata.namespace")) or "default"
        self.namespace = "" if self.kind in _CLUSTER_WIDE else namespace
        self.labels = pairs(at(item, "metadata.labels"))

    @property
    def scope(self) -> str:
        return self._scope(self.namespace)

    def _scope(self, namespace: str) -> str:
        return f"{self.cluster}/{namespace}" if namespace else self.cluster

    def _id(self, plural: str, name: str = "") -> str:
        return f"{self.cluster}/{self.namespace}/{plural}/{name or self.name}"

    def _account(self, namespace: str, name: str) -> str:
        return f"{self.cluster}/system:serviceaccount:{namespace}:{name}"

    def edits(self) -> Iterator[Edit]:
        """Give what the object stands for; a gap for one whose name is not known."""
        if not self.name:
            yield self._told.unknown(self.kind.lower(), "", "the name of this object")
            return
        match self.kind:
            case "Namespace":
                yield Is(self._namespace())
            case "ServiceAccount":
                yield Is(self._service_account())
            case "Role" | "ClusterRole":
                yield from self._role()
            case "RoleBinding" | "ClusterRoleBinding":
                yield from self._binding()
            case "Secret" | "ConfigMap" | "PersistentVolumeClaim":
                yield from self._thing()
            case _ if self.kind in _PLURALS:
                yield from self._workload()
            case _:
                return

    def _namespace(self) -> Scope:
        return Scope(
            id=f"{self.cluster}/{self.name}",
            provider="kubernetes",
            kind="namespace",
            name=self.name,
            parent=self.cluster,
            tags=self.labels,
        )

    def _service_account(self) -> Principal:
        said = pairs(at(self._item, "metadata.annotations"))
        automount = self._item.get("automountServiceAccountToken")
        return Principal(
            id=self._account(self.namespace, self.name),
            provider="kubernetes",
            kind="service-account",
            scope=self.scope,
            name=self.name,
            tags=self.labels,
            attributes=attributes(
                automount=automount if isinstance(automount, bool) else None,
                **{name: said.get(key) for name, key in _ANNOTATIONS.items()},
                secrets=_names(self._item.get("secrets")),
                image_pull_secrets=_names(self._item.get("imagePullSecrets")),
            ),
        )

    def _role(self) -> Iterator[Edit]:
        document = {
            key: self._item[key] for key in ("rules", "aggregationRule") if key in self._item
        }
        name = self._id(_PLURALS[self.kind])
        if is_unread(self._told.values.get("rule")) or is_unread(document):
            yield self._told.unknown("roles", name, "what this role allows", scope_of=self.scope)
            return
        yield Is(
            ManagedPolicy(
                id=name,
                provider="kubernetes",
                scope=self.scope,
                name=self.name,
                default_version="1",
                tags=self.labels,
            ),
            {"1": document},
        )

    def _binding(self) -> Iterator[Edit]:
        name = self._id(_PLURALS[self.kind])
        kind, of = text(at(self._item, "roleRef.kind")), text(at(self._item, "roleRef.name"))
        members = tuple(sorted(set(self._members())))
        subjects = list(blocks(self._item.get("subjects")))
        if not of or any(not text(one.get("name")) for one in subjects):
            yield self._told.unknown("bindings", "", "who holds which role", scope_of=self.scope)
            return
        namespace = self.namespace if kind == "Role" else ""
        role = f"{self.cluster}/{namespace}/{_PLURALS.get(kind, kind)}/{of}"
        for member in members:
            yield from self._mentioned(member)
        yield Holds(
            Binding(
                id=name,
                provider="kubernetes",
                target=self.scope,
                role=role,
                members=members,
                name=self.name,
            ),
            alone=True,
        )

    def _members(self) -> Iterator[str]:
        for subject in blocks(self._item.get("subjects")):
            name = text(subject.get("name"))
            match subject.get("kind"):
                case "ServiceAccount":
                    own = text(subject.get("namespace")) or self.namespace
                    if own and name:
                        yield self._account(own, name)
                case "User" if name.startswith("system:serviceaccount:") and name.count(":") == 3:
                    yield f"{self.cluster}/{name}"
                case "User" if name:
                    yield f"{self.cluster}/user:{name}"
                case "Group" if name:
                    yield f"{self.cluster}/group:{name}"
                case _:
                    continue

    def _mentioned(self, member: str) -> Iterator[Edit]:
        if member in self._told.world.principals:
            return
        rest = member.removeprefix(f"{self.cluster}/")
        if rest.startswith("system:serviceaccount:"):
            _, _, namespace, short = rest.split(":", 3)
            kind, scope = "service-account", self._scope(namespace)
        else:
            kind, _, short = rest.partition(":")
            scope = self.cluster
        if kind == "user" and short.startswith("system:node:"):
            kind = "node"
        yield Is(Principal(id=member, provider="kubernetes", kind=kind, scope=scope, name=short))

    def _thing(self) -> Iterator[Edit]:
        plural = _PLURALS[self.kind]
        type_ = text(self._item.get("type")) if self.kind == "Secret" else ""
        said = pairs(at(self._item, "metadata.annotations"))
        owner = said.get("kubernetes.io/service-account.name", "")
        token = type_ == "kubernetes.io/service-account-token"
        account = self._account(self.namespace, owner) if owner and token else ""
        name = self._id(plural)
        yield Is(
            Resource(
                id=name,
                provider="kubernetes",
                kind=f"kubernetes:{plural}",
                scope=self.scope,
                name=self.name,
                tags=self.labels,
                attributes=attributes(type=type_, service_account=account),
            )
        )
        if account:
            yield Is(
                Credential(
                    id=name,
                    provider="kubernetes",
                    kind="service-account-token",
                    principal=account,
                    scope=self.scope,
                    status="active",
                    expires="never",
                )
            )

    def _workload(self) -> Iterator[Edit]:
        plural = _PLURALS[self.kind]
        pods = [one for one in self._item.get("pods", ()) if isinstance(one, Mapping)]
        accounts = sorted({self._account(self.namespace, _account_of(pod)) for pod in pods})
        for account in accounts:
            yield from self._mentioned(account)
        yield Is(
            Runtime(
                id=self._id(plural),
                provider="kubernetes",
                kind=f"kubernetes:{plural}",
                scope=self.scope,
                name=self.name,
                identities=tuple(accounts),
                links=tuple(sorted(set(self._links(pods)), key=repr)),
                tags=self.labels,
                attributes=self._of_pods(pods, accounts),
            )
        )

    def _of_pods(self, pods: list[Mapping[str, Json]], accounts: list[str]) -> Attributes:
        containers = [one for pod in pods for one in _containers(pod)]
        security = [c for one in containers for c in blocks(one.get("securityContext"))]
        paths = [found for pod in pods for found in _host_paths(pod)]
        audiences = {one for pod in pods for one in _projected(pod) if one}
        return attributes(
            token_mounted=self._mounted(pods, accounts),
            token_audiences=tuple(sorted(audiences)),
            node=next((text(pod["nodeName"]) for pod in pods if pod.get("nodeName")), ""),
            privileged=any(one.get("privileged") is True for one in security) or None,
            host_pid=any(pod.get("hostPID") is True for pod in pods) or None,
            host_network=any(pod.get("hostNetwork") is True for pod in pods) or None,
            host_ipc=any(pod.get("hostIPC") is True for pod in pods) or None,
            capabilities=tuple(
                sorted({one for c in security for one in texts(at(c, "capabilities.add"))})
            ),
            host_paths=tuple(sorted({path for path, _ in paths})),
            host_paths_writable=tuple(sorted({path for path, written in paths if written})),
            azure_workload_identity=self.labels.get("azure.workload.identity/use") == "true"
            or None,
        )

    def _mounted(self, pods: list[Mapping[str, Json]], accounts: list[str]) -> bool:
        """The pod's word counts before the account's; a projected token is one.

        https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
        """
        held = [self._told.world.principals.get(name) for name in accounts]
        known = [one for one in held if one is not None]
        by_account = not known or any(
            one.attributes.get("automount") is not False for one in known
        )
        for pod in pods:
            said = pod.get("automountServiceAccountToken")
            own = said if isinstance(said, bool) else by_account
            if own or any(audience == "" for audience in _projected(pod)):
                return True
        return False

    def _links(self, pods: list[Mapping[str, Json]]) -> Iterator[Link]:
        for pod in pods:
            for plural, name in _volumes(pod):
                yield Link(kind="mounts", target=self._id(plural, name))
            for container in _containers(pod):
                if image := text(container.get("image")):
                    yield Link(kind="pulls", target=image)
                for plural, name in _from_environment(container):
                    yield Link(kind="env", target=self._id(plural, name))


def _names(found: Json) -> tuple[str, ...]:
    return tuple(sorted(text(one.get("name")) for one in blocks(found)))


def _account_of(pod: Mapping[str, Json]) -> str:
    return text(pod.get("serviceAccountName")) or text(pod.get("serviceAccount")) or "default"


def _containers(pod: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    for key in ("containers", "initContainers", "ephemeralContainers"):
        yield from blocks(pod.get(key))


def _projected(pod: Mapping[str, Json]) -> Iterator[str]:
    for volume in blocks(pod.get("volumes")):
        for source in blocks(at(volume, "projected.sources") or []):
            if isinstance(token := source.get("serviceAccountToken"), dict):
                yield text(token.get("audience"))


def _host_paths(pod: Mapping[str, Json]) -> Iterator[tuple[str, bool]]:
    paths = {
        text(volume.get("name")): text(at(volume, "hostPath.path"))
        for volume in blocks(pod.get("volumes"))
    }
    for container in _containers(pod):
        for mount in blocks(container.get("volumeMounts")):
            if path := paths.get(text(mount.get("name"))):
                yield path, mount.get("readOnly") is not True


def _volumes(pod: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for volume in blocks(pod.get("volumes")):
        for key, field, plural in (
            ("secret", "secretName", "secrets"),
            ("configMap", "name", "configmaps"),
            ("persistentVolumeClaim", "claimName", "persistentvolumeclaims"),
        ):
            if name := text(at(volume, f"{key}.{field}")):
                yield plural, name
        for source in blocks(at(volume, "projected.sources") or []):
            for key, plural in (("secret", "secrets"), ("configMap", "configmaps")):
                if name := text(at(source, f"{key}.name")):
                    yield plural, name


def _from_environment(container: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    plurals = {"secretKeyRef": "secrets", "secretRef": "secrets"}
    plurals |= {"configMapKeyRef": "configmaps", "configMapRef": "configmaps"}
    sources = [one.get("valueFrom") for one in blocks(container.get("env"))]
    sources += list(blocks(container.get("envFrom")))
    for source in sources:
        for key, value in source.items() if isinstance(source, dict) else ():
            if key in plurals and (name := text(at(value, "name"))):
                yield plurals[key], name


def _block(told: Told) -> Iterator[Edit]:
    yield from _Made(told, of_blocks(told)).edits()


def _manifest(told: Told) -> Iterator[Edit]:
    found = of_manifest(told.get("manifest"))
    if found is None or is_unread(found):
        yield told.unknown("resources", "", "which object this is")
    else:
        yield from _Made(told, found).edits()


def _written(told: Told) -> Iterator[Edit]:
    """`kubectl_manifest` withholds what is in secrets from the text that it parsed."""
    from modelreach import yaml_tree

    try:
        documents: list[Any] = list(yaml_tree.documents(told.text("yaml_body_parsed"), ""))
    except (InputError, *yaml_tree.BROKEN):
        documents = []
    found = [one for one in map(of_manifest, documents) if one is not None]
    if not found:
        yield told.unknown("resources", "", "which object this is")
    for one in found:
        yield from _Made(told, one).edits()


_PHASES: Final = {
    **dict.fromkeys(("Role", "ClusterRole", "Namespace", "ServiceAccount"), THINGS),
    **dict.fromkeys((*_NAMED, "RoleBinding", "ClusterRoleBinding"), RELATIONS),
}
_VERSIONS: Final = ("", "_v1", "_v1beta1")

TABLE: Final[Table] = {
    **{
        f"{type_}{version}": Row(_block, phase=_PHASES.get(kind_of(type_), LAST))
        for type_ in KINDS
        for version in _VERSIONS
    },
    "kubernetes_manifest": Row(_manifest, phase=RELATIONS),
    "kubectl_manifest": Row(_written, phase=RELATIONS),
}
