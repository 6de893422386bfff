"""A cluster is read over HTTP by the official client: pages, refusals, retries, and no secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import incluster_config

from kubernetes_api.server import TOKEN, ApiServer
from modelreach.model import InputError, NothingCollected
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot, encode
from modelreach_kubernetes import KubernetesConnector, live
from modelreach_kubernetes.kinds import KINDS

NOW = "2026-11-25T00:00:00Z"


@pytest.fixture
def api() -> Iterator[ApiServer]:
    server = ApiServer()
    server.add("Namespace", "ml")
    server.add("ServiceAccount", "app", "ml")
    yield server
    server.close()


@pytest.fixture
def collect(api: ApiServer) -> Callable[..., Snapshot]:
    def run(record: Path | None = None, **settings: tuple[str, ...]) -> Snapshot:
        given = {"cluster": ("prod",)} | settings
        options = CollectOptions(
            now=NOW, endpoint_url=api.url, record=record, timeout=5.0, settings=given
        )
        return KubernetesConnector().collect(options)

    return run


def replay(*paths: Path, **settings: tuple[str, ...]) -> Snapshot:
    options = CollectOptions(now=NOW, sources=paths, settings=settings)
    return KubernetesConnector().collect(options)


APPLIED = """
{apiVersion: v1, kind: ServiceAccount, metadata: {name: app}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: other, namespace: there}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b}
roleRef: {kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: app, namespace: ml}]
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: edit}, rules: []}
"""


@pytest.mark.parametrize(
    ("name", "by"),
    [("kustomization.yml", "kustomize"), ("Chart.yaml", "helm"), ("values.yaml", "helm")],
)
def test_what_has_to_be_rendered_first_is_said(name: str, by: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("resources: [install.yaml]\n")
    with pytest.raises(InputError, match=name) as refused:
        replay(tmp_path)
    assert by in refused.value.hint


def test_a_lone_equals_sign_and_dates_are_text(tmp_path: Path) -> None:
    """The first is in the definitions that Prometheus' operator brings to most clusters."""
    path = tmp_path / "install.yaml"
    crd = "{apiVersion: a/v1, kind: Some, metadata: {name: x}, spec: {enum: ['!=', =, =~]}}"
    account = (
        "{apiVersion: v1, kind: ServiceAccount, metadata: {name: app, labels: {on: 2026-01-02}}}"
    )
    path.write_text(f"{crd}\n---\n{account}\n")
    (found,) = [p for p in replay(path).principals if p.kind == "service-account"]
    assert "2026-01-02" in found.tags.values()


def test_files_are_put_into_a_namespace_as_kubectl_does(tmp_path: Path) -> None:
    path = tmp_path / "install.yaml"
    path.write_text(APPLIED)
    found = replay(path, cluster=("prod",), namespace=("ml",))
    accounts = {p.id.partition(":")[2] for p in found.principals if p.kind == "service-account"}
    assert accounts == {"serviceaccount:ml:app", "serviceaccount:there:other"}
    assert {binding.target for binding in found.bindings} == {"k8s/prod/ml"}
    elsewhere = replay(path, cluster=("prod",))
    assert {binding.target for binding in elsewhere.bindings} == {"k8s/prod/default"}
    with pytest.raises(InputError, match="--namespace"):
        replay(path, cluster=("prod",), namespace=("ml", "web"))


def test_accounts_roles_and_bindings(api: ApiServer, collect: Any) -> None:
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    api.add("ClusterRole", "reader", rules=rules)
    reference = {"kind": "ClusterRole", "name": "reader"}
    subjects = [{"kind": "ServiceAccount", "name": "app"}, {"kind": "User", "name": "ann"}]
    api.add("RoleBinding", "b", "ml", roleRef=reference, subjects=subjects)
    found = collect()
    (binding,) = found.bindings
    assert binding.target == "k8s/prod/ml"
    assert binding.members == ("k8s/prod/system:serviceaccount:ml:app", "k8s/prod/user:ann")
    assert binding.role == found.managed_policies[0].id
    assert {p.kind for p in found.principals} == {"service-account", "user"}
    cluster = next(scope for scope in found.scopes if scope.kind == "cluster")
    assert cluster.attributes == {"issuer": "https://issuer.example/id/1", "version": "v1.35.0"}


HIDDEN = "https://hook.example/?token=hush"


def test_what_admits_requests_is_told_and_not_where_it_is(
    api: ApiServer, collect: Any, tmp_path: Path
) -> None:
    rules = [{"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods"]}]
    chosen = {"matchLabels": {"team": "ml"}}
    hook = {"name": "a.b.c", "rules": rules, "clientConfig": {"url": HIDDEN}}
    api.add("ValidatingWebhookConfiguration", "gate", webhooks=[hook])
    policy = {"matchConstraints": {"resourceRules": rules}, "validations": [{"message": HIDDEN}]}
    api.add("ValidatingAdmissionPolicy", "images", spec=policy)
    for name, actions in (("deny", ["Deny", "Audit"]), ("warn", ["Warn"])):
        chosen_there = {"namespaceSelector": chosen}
        spec = {
            "policyName": "images",
            "validationActions": actions,
            "matchResources": chosen_there,
        }
        api.add("ValidatingAdmissionPolicyBinding", name, spec=spec)
    gone = {"policyName": "gone", "validationActions": ["Deny"]}
    api.add("ValidatingAdmissionPolicyBinding", "gone", spec=gone)
    found = collect(tmp_path / "recording")
    told = {
        one.name: json.loads(bytes(found.documents[one.document])) for one in found.attachments
    }
    assert told == {
        "gate": {"webhooks": [{"name": "a.b.c", "rules": rules}]},
        "images": {
            "binding": {"namespaceSelector": chosen},
            "policy": {"resourceRules": rules},
        },
    }
    assert {one.target for one in found.attachments} == {"k8s/prod"}
    assert {one.policy for one in found.attachments} <= {one.id for one in found.resources}
    assert b"hush" not in encode(found)
    written = [path.read_bytes() for path in (tmp_path / "recording").rglob("*") if path.is_file()]
    assert written
    assert not any(b"hush" in one for one in written)


def test_an_account_without_namespace_is_nobody_in_a_binding_of_the_cluster(
    api: ApiServer, collect: Any
) -> None:
    reference = {"kind": "ClusterRole", "name": "reader"}
    subject = {"kind": "ServiceAccount", "name": "app"}
    api.add("ClusterRoleBinding", "b", roleRef=reference, subjects=[subject])
    assert collect().bindings[0].members == ()


def test_a_binding_of_the_cluster_to_a_role_of_a_namespace_binds_nothing(
    api: ApiServer, collect: Any
) -> None:
    api.add("ClusterRoleBinding", "b", roleRef={"kind": "Role", "name": "r"}, subjects=[])
    found = collect()
    assert found.bindings == ()
    (gap,) = (gap for gap in found.gaps if gap.reason == "malformed")
    assert gap.subject.endswith("/b")


def test_every_page_is_read(api: ApiServer, collect: Any) -> None:
    api.page = 2
    for number in range(5):
        api.add("ServiceAccount", f"a{number}", "ml")
    assert len(collect().principals) == 6


def test_a_list_that_expires_is_begun_again(api: ApiServer, collect: Any) -> None:
    api.page = 2
    for number in range(5):
        api.add("ServiceAccount", f"a{number}", "ml")
    api.expired["ServiceAccount"] = 1
    found = collect()
    assert len(found.principals) == 6
    assert not [gap for gap in found.gaps if gap.kind == "principals"]


def test_a_list_that_always_expires_is_a_gap(api: ApiServer, collect: Any) -> None:
    api.page = 1
    api.add("ServiceAccount", "b", "ml")
    api.expired["ServiceAccount"] = 99
    assert [gap.kind for gap in collect().gaps] == ["principals"]


def test_a_busy_server_is_asked_again(api: ApiServer, collect: Any) -> None:
    api.busy["rolebindings"] = 2
    assert collect().gaps == ()


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "denied"), (403, "denied"), (404, "unsupported")]
)
def test_what_is_refused_is_a_gap_that_names_the_permission(
    api: ApiServer, collect: Any, status: int, reason: str
) -> None:
    api.refused["rolebindings"] = status
    (gap,) = collect().gaps
    assert (gap.kind, gap.scope, gap.reason) == ("bindings", "k8s/prod", reason)
    assert gap.permission == "list rolebindings.rbac.authorization.k8s.io"


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"items": 3}', b"\xff\xfe"])
def test_an_answer_that_is_not_understood_is_a_gap(
    api: ApiServer, collect: Any, raw: bytes
) -> None:
    api.broken["/api/v1/serviceaccounts"] = raw
    (gap,) = collect().gaps
    assert (gap.kind, gap.reason) == ("principals", "malformed")


def test_pages_without_end_are_a_gap(api: ApiServer, collect: Any) -> None:
    api.broken["/api/v1/serviceaccounts"] = b'{"items": [], "metadata": {"continue": "x"}}'
    assert [gap.reason for gap in collect().gaps] == ["malformed"]


def test_nobody_there(api: ApiServer) -> None:
    options = CollectOptions(now=NOW, endpoint_url="http://127.0.0.1:9", timeout=0.2)
    with pytest.raises(NothingCollected):
        KubernetesConnector().collect(options)


def kubeconfig(path: Path, url: str, name: str = "ours") -> Path:
    """As `kubectl config` writes it."""
    found = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": url}}],
        "users": [{"name": name, "user": {"token": "t"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    path.write_text(json.dumps(found))
    return path


@pytest.mark.parametrize("others", ["", ":/none/there"])
def test_a_cluster_is_found_by_the_kubeconfig(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: str
) -> None:
    path = kubeconfig(tmp_path / "config", api.url)
    before = path.read_bytes()
    monkeypatch.setenv("KUBECONFIG", f"{path}{others}")
    found = KubernetesConnector().collect(CollectOptions(now=NOW, timeout=5.0))
    assert "k8s/ours" in {scope.id for scope in found.scopes}
    assert path.read_bytes() == before
    other = CollectOptions(now=NOW, settings={"context": ("others",)})
    with pytest.raises(InputError, match="no configuration of a cluster can be used"):
        KubernetesConnector().collect(other)


def test_in_a_pod_its_account_is_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/"""
    (tmp_path / "token").write_text("of-the-pod")
    (tmp_path / "ca.crt").write_text("a certificate")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    found = live.configured(CollectOptions(now=NOW))
    assert found.host == "https://127.0.0.1:6443"
    signed: Any = found.auth_settings()
    assert signed["BearerToken"]["value"] == "bearer of-the-pod"


def test_without_any_configuration_there_is_nothing_to_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NothingCollected, match="there is no kubeconfig"):
        KubernetesConnector().collect(CollectOptions(now=NOW))
    assert capfd.readouterr().out == ""


def test_kinds_that_the_cluster_has_not_are_no_gap(api: ApiServer, collect: Any) -> None:
    assert collect().gaps == ()
    assert not [path for path, _, _ in api.asked if "kserve" in path]


def test_secrets_are_asked_for_by_metadata_only(api: ApiServer, collect: Any) -> None:
    account = {"annotations": {"kubernetes.io/service-account.name": "app"}}
    labels = {"labels": {"kubernetes.io/legacy-token-last-used": "2026-01-02"}}
    api.add("Secret", "db", "ml", type="Opaque", data={"password": "aHVudGVyMg=="})
    api.add("Secret", "t", "ml", type=TOKEN, data={"token": "c2VjcmV0"}, metadata=account | labels)
    found = collect()
    asked = [accept for path, _, accept in api.asked if path == "/api/v1/secrets"]
    assert len(asked) == 2
    assert all("as=PartialObjectMetadataList" in accept for accept in asked)
    assert b"aHVudGVyMg" not in encode(found) and b"c2VjcmV0" not in encode(found)
    secrets = {r.name: r.attributes for r in found.resources if r.kind == "kubernetes:secrets"}
    assert secrets["db"] == {}
    assert secrets["t"]["service_account"] == "k8s/prod/system:serviceaccount:ml:app"
    (token,) = found.credentials
    assert (token.expires, token.last_used) == ("never", "2026-01-02T00:00:00Z")


POD = {
    "serviceAccountName": "app",
    "nodeName": "n1",
    "hostPID": True,
    "containers": [
        {
            "name": "main",
            "image": "registry.example/app:1",
            "args": ["--password=hunter2"],
            "env": [
                {"name": "KEY", "value": "hunter2"},
                {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "p"}}},
            ],
            "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_PTRACE"]}},
            "volumeMounts": [{"name": "host", "mountPath": "/host", "readOnly": True}],
        }
    ],
    "volumes": [
        {"name": "host", "hostPath": {"path": "/var/log"}},
        {"name": "c", "configMap": {"name": "settings"}},
        {
            "name": "aws",
            "projected": {"sources": [{"serviceAccountToken": {"audience": "sts.amazonaws.com"}}]},
        },
    ],
}


def test_what_runs(api: ApiServer, collect: Any, tmp_path: Path) -> None:
    api.add("Pod", "p", "ml", spec=POD)
    api.add("Deployment", "d", "ml", spec={"template": {"spec": POD}})
    api.add("CronJob", "c", "ml", spec={"jobTemplate": {"spec": {"template": {"spec": {}}}}})
    found = collect(record=tmp_path / "kept")
    runs = {runtime.name: runtime for runtime in found.runtimes}
    for name in ("p", "d"):
        about = runs[name].attributes
        assert runs[name].identities == ("k8s/prod/system:serviceaccount:ml:app",)
        assert about["privileged"] is True and about["host_pid"] is True
        assert about["capabilities"] == ("SYS_PTRACE",)
        assert about["host_paths"] == ("/var/log",) and "host_paths_writable" not in about
        assert about["token_audiences"] == ("sts.amazonaws.com",)
        links = {(link.kind, link.target) for link in runs[name].links}
        assert ("env", "k8s/prod/ml/secrets/db") in links
        assert ("mounts", "k8s/prod/ml/configmaps/settings") in links
    assert runs["c"].identities == ("k8s/prod/system:serviceaccount:ml:default",)
    assert b"hunter2" not in encode(found)
    assert not [f for f in (tmp_path / "kept").iterdir() if b"hunter2" in f.read_bytes()]


@pytest.mark.parametrize(
    ("account", "pod", "mounted"),
    [
        (None, None, True),
        (False, None, False),
        (False, True, True),
        (True, False, False),
        (None, False, False),
    ],
)
def test_the_word_of_the_pod_counts_before_that_of_the_account(
    api: ApiServer, collect: Any, account: bool | None, pod: bool | None, mounted: bool
) -> None:
    says = {} if account is None else {"automountServiceAccountToken": account}
    api.add("ServiceAccount", "own", "ml", **says)
    spec: dict[str, Any] = {"serviceAccountName": "own", "containers": []}
    if pod is not None:
        spec["automountServiceAccountToken"] = pod
    api.add("Pod", "p", "ml", spec=spec)
    (runtime,) = collect().runtimes
    assert runtime.attributes["token_mounted"] is mounted


def test_models_are_what_their_operators_run(api: ApiServer, collect: Any) -> None:
    api.groups |= {"serving.kserve.io", "ray.io"}
    model = {"storageUri": "s3://models/llm"}
    predictor = {"serviceAccountName": "llm", "model": model}
    api.add("InferenceService", "isvc", "ml", spec={"predictor": predictor})
    pod = {"template": {"spec": {"serviceAccountName": "ray", "containers": []}}}
    api.add("RayService", "ray", "ml", spec={"rayClusterConfig": {"headGroupSpec": pod}})
    found = {runtime.name: runtime for runtime in collect().runtimes}
    assert found["isvc"].identities == ("k8s/prod/system:serviceaccount:ml:llm",)
    assert found["isvc"].attributes["model"] == "s3://models/llm"
    assert found["ray"].identities == ("k8s/prod/system:serviceaccount:ml:ray",)


def test_annotations_say_whom_an_account_is_in_a_cloud(api: ApiServer, collect: Any) -> None:
    said = {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/model",
        "somebody.example/token": "hunter2",
    }
    api.add("ServiceAccount", "irsa", "ml", metadata={"annotations": said})
    found = collect()
    account = next(p for p in found.principals if p.name == "irsa")
    assert account.attributes["role_arn"] == "arn:aws:iam::111122223333:role/model"
    assert b"hunter2" not in encode(found)


def test_only_the_namespaces_that_are_named(api: ApiServer, collect: Any) -> None:
    api.add("ServiceAccount", "far", "web")
    found = collect(namespace=("ml",))
    assert [p.name for p in found.principals] == ["app"]
    scopes = {row.scope for row in found.coverage if row.kind == "principals"}
    assert scopes == {"k8s/prod/ml"}


def test_a_recording_gives_the_same_bytes(api: ApiServer, collect: Any, tmp_path: Path) -> None:
    api.add("Pod", "p", "ml", spec=POD)
    api.refused["configmaps"] = 403
    folder = tmp_path / "kept"
    first = collect(record=folder)
    assert encode(replay(folder)) == encode(first)
    assert [gap.kind for gap in first.gaps] == ["kubernetes:configmaps"]


def test_a_recording_that_lacks_a_file_is_refused(
    api: ApiServer, collect: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    collect(record=folder)
    (folder / "v1_ServiceAccount.json").unlink()
    with pytest.raises(InputError, match="missing"):
        replay(folder)


def test_a_recording_goes_into_an_empty_folder(collect: Any, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(InputError, match="not empty"):
        collect(record=tmp_path)


MANIFESTS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: ml}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: ml}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: ml}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: app}]
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: ml}
stringData: {password: hunter2}
---
"""


def test_manifests_hold_some_and_say_nothing_of_others(tmp_path: Path) -> None:
    (tmp_path / "chart.yaml").write_text(MANIFESTS)
    found = replay(tmp_path, cluster=("prod",))
    assert found.bindings[0].members == ("k8s/prod/system:serviceaccount:ml:app",)
    assert {gap.reason for gap in found.gaps} == {"not-collected"}
    assert [gap.kind for gap in found.gaps] == ["bindings", "resources"]
    assert b"hunter2" not in encode(found)


def test_what_kubectl_lists_is_all_of_its_kind(tmp_path: Path) -> None:
    items = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app"}}]
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    found = replay(path)
    assert "principals" not in {gap.kind for gap in found.gaps}
    assert [p.id for p in found.principals] == ["k8s/all/system:serviceaccount:default:app"]


@pytest.mark.parametrize(
    "text",
    [
        *("{", "a: [", "just text", "- 1", "kind: 3", "!!python/object:x {}"),
        *("kind: !!bool maybe", "kind: !!int ''", "kind: !!timestamp soon", "kind: &k [*k]"),
        "kind: X\na0: &a0 [x]\n"
        + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)),
    ],
)
def test_files_that_are_no_objects_are_refused_with_their_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"bad\.yaml"):
        replay(path)


@pytest.mark.parametrize(
    "item",
    [
        {"kind": "Pod", "metadata": None, "spec": {"containers": "x", "volumes": [1]}},
        {"kind": "Pod", "metadata": {"name": 3}, "spec": {"serviceAccountName": ["x"]}},
        {"kind": "RoleBinding", "metadata": {"name": "b"}, "roleRef": "x", "subjects": {}},
        {"kind": "ServiceAccount", "metadata": {"annotations": [1]}, "secrets": "x"},
        {"kind": "Secret", "metadata": {"labels": {"a": 1}}, "type": 4},
        {"kind": "Node", "spec": "x"},
    ],
)
def test_objects_of_the_wrong_shape_never_stop_a_run(tmp_path: Path, item: Any) -> None:
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({"kind": "List", "items": [item]}))
    assert replay(path).taken_at == NOW


def test_the_role_that_is_printed_lets_every_call_be_made(api: ApiServer, collect: Any) -> None:
    """What was really asked is what the table says, and what the printed role allows."""
    api.groups |= {kind.group for kind in KINDS}
    collect()
    connector = KubernetesConnector()
    policy: Any = connector.policy()
    lists = {
        (group, plural)
        for rule in policy["rules"]
        for group in rule.get("apiGroups", ())
        for plural in rule["resources"]
    }
    paths = {path for rule in policy["rules"] for path in rule.get("nonResourceURLs", ())}
    for path, _, _ in api.asked:
        parts = path.strip("/").split("/")
        group = parts[1] if parts[0] == "apis" and len(parts) > 1 else ""
        assert path in paths or (group, parts[-1]) in lists, path
    assert all(rule["verbs"] in (["list"], ["get"]) for rule in policy["rules"])
    with pytest.raises(InputError):
        connector.policy(["delete everything"])


def test_the_reference_page_is_made_from_the_table() -> None:
    from modelreach_kubernetes.reference import page

    path = Path(__file__).parents[2] / "docs/reference/kubernetes-permissions.md"
    assert path.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("arn:aws:eks:eu-west-1:111122223333:cluster/prod", "arn"),
        ("//container.googleapis.com/projects/p/locations/eu/clusters/c", "resource_name"),
        ("/subscriptions/s/resourceGroups/rg/providers/x/managedClusters/c", "resource_id"),
    ],
)
def test_a_cluster_is_what_it_is_said_to_be(
    api: ApiServer, collect: Any, name: str, attribute: str
) -> None:
    settings = {"cluster-id": (name,)}
    (cluster,) = (one for one in collect(**settings).scopes if one.kind == "cluster")
    assert cluster.attributes[attribute] == name


def test_an_id_of_no_cloud_is_an_error(collect: Any) -> None:
    with pytest.raises(InputError, match="not the id of a cluster in a cloud"):
        collect(**{"cluster-id": ("prod",)})


def test_a_cluster_of_which_nothing_tells_what_it_is_has_a_gap(
    api: ApiServer, collect: Any
) -> None:
    api.issuer = ""
    (gap,) = collect().gaps
    assert gap.kind == "cluster-identity"
    assert "--cluster-id" in gap.message
    arn = "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
    assert collect(**{"cluster-id": (arn,)}).gaps == ()


AWS_AUTH = "/api/v1/namespaces/kube-system/configmaps/aws-auth"
MAPPED = """
- rolearn: arn:aws:iam::111122223333:role/nodes
  username: system:node:{{EC2PrivateDNSName}}
  groups: [system:bootstrappers, system:nodes]
- rolearn: arn:aws:iam::111122223333:role/ops
  groups: [system:masters, 7]
- not: an entry
"""


def test_who_enters_by_the_config_map_of_eks(api: ApiServer, collect: Any, tmp_path: Path) -> None:
    api.issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/1"
    api.add("ConfigMap", "aws-auth", "kube-system")
    data = {"mapRoles": MAPPED, "mapUsers": "{", "mapAccounts": "[]", "other": "hunter2"}
    metadata = {"name": "aws-auth", "namespace": "kube-system"}
    api.broken[AWS_AUTH] = json.dumps({"metadata": metadata, "data": data}).encode()
    found = collect(tmp_path / "kept")
    (config,) = (one for one in found.resources if one.name == "aws-auth")
    assert config.attributes["access_entries"] == (
        "arn:aws:iam::111122223333:role/nodes|system:node:{{EC2PrivateDNSName}}"
        "|system:bootstrappers,system:nodes",
        "arn:aws:iam::111122223333:role/ops|arn:aws:iam::111122223333:role/ops|system:masters",
    )
    assert b"hunter2" not in encode(found)
    assert encode(replay(tmp_path / "kept")) == encode(found)


def test_a_config_map_that_is_refused_is_a_gap_and_one_that_is_missing_is_none(
    api: ApiServer, collect: Any, tmp_path: Path
) -> None:
    api.issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/1"
    assert collect().gaps == ()
    api.refused["aws-auth"] = 403
    found = collect(tmp_path / "kept")
    (gap,) = found.gaps
    assert (gap.kind, gap.permission) == ("cluster-entry", "get configmaps aws-auth")
    assert encode(replay(tmp_path / "kept")) == encode(found)
    role = KubernetesConnector().policy([gap.permission])
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": ["aws-auth"],
            "verbs": ["get"],
        }
    ]


def test_other_clusters_are_not_asked_for_it(api: ApiServer, collect: Any) -> None:
    collect()
    assert AWS_AUTH not in {path for path, _, _ in api.asked}
