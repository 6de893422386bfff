"""Plans of the Kubernetes provider, against a local API server on which the same is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubernetes_api.server import ApiServer
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot, encode
from modelreach_kubernetes import KubernetesConnector

Json = dict[str, Any]
NOW = "2026-11-25T00:00:00Z"
APP = "k8s/prod/system:serviceaccount:ml:app"
CANARY = "hush-canary-value"
READ = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
_RULE = {"api_groups": [""], "resources": ["secrets"], "verbs": ["get"]}
_RULES: Json = {"resource_names": None, "non_resource_urls": None}


@pytest.fixture
def api() -> Iterator[ApiServer]:
    server = ApiServer()
    server.add("Namespace", "ml")
    server.add("ServiceAccount", "app", "ml")
    server.add("Secret", "token", "ml", type="Opaque")
    server.add("ClusterRole", "reader", rules=[READ])
    subject = {"kind": "ServiceAccount", "name": "app", "namespace": "ml"}
    reference = {"kind": "ClusterRole", "name": "reader"}
    server.add("RoleBinding", "old", "ml", roleRef=reference, subjects=[subject])
    yield server
    server.close()


@pytest.fixture
def collect(api: ApiServer) -> Callable[[], Snapshot]:
    def run() -> Snapshot:
        options = CollectOptions(
            now=NOW, endpoint_url=api.url, timeout=5.0, settings={"cluster": ("prod",)}
        )
        return KubernetesConnector().collect(options)

    return run


def _named(name: str, namespace: str | None = "ml", **more: Any) -> list[Json]:
    return [{"name": name, "namespace": namespace, "labels": None, "annotations": None, **more}]


def _bound(name: str, role: str, kind: str = "ClusterRole", **metadata: Any) -> Json:
    return {
        "metadata": _named(name, **metadata),
        "role_ref": [{"api_group": "rbac.authorization.k8s.io", "kind": kind, "name": role}],
        "subject": [{"api_group": "", "kind": "ServiceAccount", "name": "app", "namespace": "ml"}],
    }


def test_roles_and_bindings_are_made_changed_and_removed(
    api: ApiServer, collect: Any, apply: Any, planned: Any, reaches: Any
) -> None:
    base = collect()
    every = {"api_groups": ["*"], "resources": ["*"], "verbs": ["*"]}
    plan = planned("kubernetes")
    plan.change(
        "kubernetes_cluster_role_v1.reader",
        "update",
        before={"metadata": _named("reader", None), "rule": [{**_RULE, **_RULES}]},
        after={
            "metadata": _named("reader", None),
            "rule": [{**_RULE, **_RULES, "verbs": ["get", "list"]}],
        },
    )
    plan.change("kubernetes_role_binding.old", "delete", before=_bound("old", "reader"))
    plan.change(
        "kubernetes_role_v1.all",
        "create",
        after={"metadata": _named("all"), "rule": [{**every, **_RULES}]},
    )
    plan.change("kubernetes_role_binding_v1.all", "create", after=_bound("all", "all", "Role"))
    plan.change(
        'kubernetes_cluster_role_binding_v1.wide["app"]',
        "create",
        after=_bound("wide", "reader", namespace=None),
    )
    made = apply(plan, base)
    api.objects["ClusterRole"][0]["rules"] = [{**READ, "verbs": ["get", "list"]}]
    api.objects["RoleBinding"] = []
    subject = {"kind": "ServiceAccount", "name": "app", "namespace": "ml"}
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    api.add("Role", "all", "ml", rules=rules)
    role = {"kind": "Role", "name": "all"}
    api.add("RoleBinding", "all", "ml", roleRef=role, subjects=[subject])
    reference = {"kind": "ClusterRole", "name": "reader"}
    api.add("ClusterRoleBinding", "wide", roleRef=reference, subjects=[subject])
    after = collect()
    assert reaches(made, APP) == reaches(after, APP) != reaches(base, APP)
    assert [one.id for one in made.bindings] == [one.id for one in after.bindings]


def test_what_runs_and_what_it_mounts(
    api: ApiServer, collect: Any, apply: Any, planned: Any, reaches: Any
) -> None:
    base = collect()
    container = {
        "name": "web",
        "image": "repo/web:1",
        "env": [
            {"name": "PLAIN", "value": CANARY, "value_from": []},
            {
                "name": "TOKEN",
                "value": None,
                "value_from": [{"secret_key_ref": [{"name": "token", "key": "k"}]}],
            },
        ],
        "env_from": [],
        "security_context": [{"privileged": True, "capabilities": [{"add": ["SYS_ADMIN"]}]}],
        "volume_mount": [{"name": "host", "mount_path": "/host", "read_only": False}],
    }
    pod = {
        "service_account_name": "runner",
        "automount_service_account_token": True,
        "host_network": True,
        "container": [container],
        "init_container": [],
        "volume": [{"name": "host", "host_path": [{"path": "/var", "type": ""}]}],
    }
    plan = planned("kubernetes")
    plan.change(
        "kubernetes_service_account_v1.runner",
        "create",
        after={
            "metadata": _named(
                "runner", annotations={"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r"}
            ),
            "automount_service_account_token": True,
        },
    )
    plan.change(
        "kubernetes_deployment_v1.web",
        "create",
        after={
            "metadata": _named("web", labels={"app": "web"}),
            "spec": [{"template": [{"metadata": [{}], "spec": [pod]}]}],
        },
    )
    plan.change(
        "kubernetes_secret_v1.other",
        "create",
        after={"metadata": _named("other"), "data": {"k": CANARY}, "type": "Opaque"},
        sensitive={"data": True},
    )
    plan.change("kubernetes_role_binding.old", "no-op", before=_bound("old", "reader"))
    plan.changes[-1]["change"]["after"] = _bound("old", "reader")
    made = apply(plan, base)
    api.add(
        "ServiceAccount",
        "runner",
        "ml",
        automountServiceAccountToken=True,
        metadata={"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r"}},
    )
    written = {
        "serviceAccountName": "runner",
        "automountServiceAccountToken": True,
        "hostNetwork": True,
        "containers": [
            {
                "name": "web",
                "image": "repo/web:1",
                "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token"}}}],
                "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}},
                "volumeMounts": [{"name": "host", "mountPath": "/host"}],
            }
        ],
        "volumes": [{"name": "host", "hostPath": {"path": "/var"}}],
    }
    metadata = {"labels": {"app": "web"}}
    api.add("Deployment", "web", "ml", spec={"template": {"spec": written}}, metadata=metadata)
    api.add("Secret", "other", "ml", type="Opaque")
    after = collect()
    assert made.runtimes == after.runtimes
    assert made.principals == after.principals
    assert {one.id for one in made.resources} == {one.id for one in after.resources}
    runner = "k8s/prod/system:serviceaccount:ml:runner"
    assert reaches(made, runner) == reaches(after, runner)
    assert CANARY.encode() not in encode(made)


def test_manifests_are_read_like_blocks(
    collect: Any, api: ApiServer, apply: Any, planned: Any, reaches: Any
) -> None:
    base = collect()
    manifest = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "wide"},
        "roleRef": {"kind": "ClusterRole", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "app", "namespace": "ml"}],
    }
    plan = planned("kubernetes").change(
        "kubernetes_manifest.wide", "create", after={"manifest": manifest}
    )
    text = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: web\n"
    plan.change(
        "kubectl_manifest.web",
        "create",
        after={"yaml_body_parsed": text, "yaml_body": text},
        sensitive={"yaml_body": True},
        provider="kubectl",
    )
    made = apply(plan, base)
    api.add("Namespace", "web")
    api.add(
        "ClusterRoleBinding", "wide", roleRef=manifest["roleRef"], subjects=manifest["subjects"]
    )
    after = collect()
    assert made.scopes == after.scopes
    assert made.bindings == after.bindings != base.bindings
    assert reaches(made, APP) == reaches(after, APP)


def test_a_role_that_is_not_known_leaves_a_gap(
    collect: Any, apply: Any, planned: Any, may: Any
) -> None:
    base = collect()
    plan = planned("kubernetes").change(
        "kubernetes_role_binding_v1.open",
        "create",
        after={"metadata": _named("open"), "role_ref": [{"kind": "Role"}], "subject": []},
        unknown={"role_ref": [{"name": True}]},
        refers={},
    )
    made = apply(plan, base)
    (gap,) = set(made.gaps) - set(base.gaps)
    assert (gap.kind, gap.reason, gap.scope) == ("bindings", "after-apply", "k8s/prod/ml")
    assert gap.message.startswith("kubernetes_role_binding_v1.open: ")
    asked = (APP, "core:pods:list", "k8s/prod/ml")
    assert (may(base, *asked), may(made, *asked)) == ("deny", "unknown")
