"""What is put into a pod is reached by code in it, whatever its roles say."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from modelreach.judge.fixes import cut, cut_path
from modelreach.pipeline.witnesses import Witnesses
from modelreach.policy.providers import engines
from modelreach.reach import reach
from modelreach.snapshot import Facts, Link, encode
from modelreach_reference.witness import check

SECRET = "k8s/prod/ml/secrets/db"


def pod(cluster: Any, kind: str = "env", **about: Any) -> str:
    account = str(cluster.account("app"))
    cluster.resource("secrets", "db")
    cluster.resource("secrets", "other")
    links = [Link(kind=kind, target=SECRET), Link(kind="pulls", target="registry.example/model:1")]
    cluster.runtime("pods", "p", account, links=links, node="n1", **about)
    return account


def reached(cluster: Any, who: str) -> dict[str, str]:
    found = reach([who], engines(Facts(cluster.snapshot)))
    return {one.grant.resource: str(one.verdict) for one in found.accesses}


@pytest.mark.parametrize("kind", ["env", "mounts"])
def test_a_secret_in_a_pod_is_had_by_code_in_it(cluster: Any, kind: str) -> None:
    account = pod(cluster, kind)
    (grant,) = cluster.engine.grants(account)
    assert (grant.resource, str(grant.capability), grant.actions) == (SECRET, "read", ("mount",))
    assert (str(grant.verdict), grant.kind) == ("conditional", "kubernetes:secrets")
    assert "it is code in k8s/prod/ml/pods/p" in str(grant.residual)
    assert reached(cluster, account) == {SECRET: "conditional"}
    # The API server still refuses it.
    assert cluster.may(account, "core:secrets:get", SECRET) == "deny"


def test_a_pod_without_a_token_has_it_too(cluster: Any) -> None:
    account = pod(cluster, token_mounted=False)
    (runs_as,) = cluster.engine.runtime("k8s/prod/ml/pods/p").identities
    assert runs_as != account
    assert reached(cluster, runs_as) == {SECRET: "conditional"}


def test_a_node_has_what_is_in_its_pods(cluster: Any) -> None:
    pod(cluster)
    node, other = cluster.user("system:node:n1"), cluster.user("system:node:n2")
    assert {g.resource: str(g.verdict) for g in cluster.engine.grants(node)} == {SECRET: "allow"}
    assert not cluster.engine.grants(other)


def test_what_roles_give_is_told_once(cluster: Any) -> None:
    account = pod(cluster)
    cluster.let(account, "get", "secrets", namespace="ml", names=["db"])
    (grant,) = cluster.engine.grants(account)
    assert (grant.actions, str(grant.verdict)) == (("core:secrets:get",), "allow")


def test_what_is_mounted_and_not_listed(cluster: Any) -> None:
    account = cluster.account("app")
    links = [Link(kind="mounts", target="k8s/prod/ml/persistentvolumeclaims/models")]
    cluster.runtime("deployments.apps", "d", account, links=links)
    (grant,) = cluster.engine.grants(account)
    assert (grant.kind, grant.name) == ("kubernetes:persistentvolumeclaims", "models")
    assert grant.scope == "k8s/prod/ml"


def test_its_witness_is_checked(cluster: Any) -> None:
    account = pod(cluster)
    radius = reach([account], engines(Facts(cluster.snapshot)))
    (access,) = radius.accesses
    witness = msgspec.to_builtins(Witnesses().of_access(access))
    written = json.loads(encode(cluster.snapshot))
    assert {one.outcome.value for one in check(written, witness)} == {"holds"}
    written["runtimes"][0]["links"] = []
    assert "fails" in {one.outcome.value for one in check(written, witness)}


def fixes(cluster: Any, who: str) -> list[str]:
    radius = reach([who], engines(Facts(cluster.snapshot)))
    ways = [cut_path(one.path) for one in radius.takeovers.values()]
    return [*(cut(access) for access in radius.accesses), *ways]


def test_what_no_policy_says_is_not_taken_out_of_one(cluster: Any) -> None:
    account = pod(cluster)
    assert fixes(cluster, account) == [f"take `{SECRET}` out of `k8s/prod/ml/pods/p`"]
    master = cluster.user("root", ["system:masters"])
    cluster.group("system:masters")
    assert f"take `{master}` out of `system:masters` of `k8s/prod`" in fixes(cluster, master)
