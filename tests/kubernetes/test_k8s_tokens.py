"""Pods without a token of their account: nobody in the cluster, and somebody in a cloud."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.policy.providers import engines
from modelreach.reach import reach
from modelreach.snapshot import Facts

ROLE = "arn:aws:iam::111122223333:role/data"
NODE = "k8s/prod/user:system:node:n1"


def served(cluster: Any, *, mounted: bool | None = False, **about: Any) -> tuple[str, str]:
    """A pod of an account that reads secrets, and whoever runs commands in pods."""
    account, caller = str(cluster.account("app", **about)), str(cluster.account("caller", "web"))
    cluster.let(account, "get", "secrets", namespace="ml")
    cluster.let(caller, "create", "pods/exec")
    cluster.resource("secrets", "db")
    told = {} if mounted is None else {"token_mounted": mounted}
    cluster.runtime("pods", "app-0", account, node="n1", **told)
    return account, caller


def test_a_pod_without_a_token_is_nobody_in_its_cluster(cluster: Any) -> None:
    account, _ = served(cluster)
    runtime = cluster.engine.runtime("k8s/prod/ml/pods/app-0")
    (runs_as,) = runtime.identities
    assert runs_as == f"{account}#tokens-for-others"
    assert cluster.may(account, "core:secrets:get", "k8s/prod/ml/secrets/db") == "allow"
    assert cluster.may(runs_as, "core:secrets:get", "k8s/prod/ml/secrets/db") == "deny"
    found = reach([runs_as], engines(Facts(cluster.snapshot)))
    assert not found.accesses and not found.takeovers
    assert set(found.identities) == {runs_as}


@pytest.mark.parametrize("mounted", [True, None])
def test_a_pod_with_a_token_is_its_account(cluster: Any, mounted: bool | None) -> None:
    account, caller = served(cluster, mounted=mounted, role_arn=ROLE)
    assert cluster.engine.runtime("k8s/prod/ml/pods/app-0").identities == (account,)
    assert (account, "certain") in cluster.hops(caller)


@pytest.mark.parametrize(
    ("about", "leads"),
    [
        ({"issuer": "https://issuer.example/1"}, True),
        ({"arn": "arn:aws:eks:eu-west-1:111122223333:cluster/prod"}, True),
        ({}, False),
    ],
)
def test_who_gets_into_it_has_its_tokens_for_others(cluster: Any, about: Any, leads: bool) -> None:
    """Workload identity needs no token of the cluster, so turning that off ends nothing there."""
    cluster.attributes.update(about)
    account, caller = served(cluster)
    cluster.user("system:node:n1")
    out = f"{account}#tokens-for-others"
    assert ((out, "certain") in cluster.hops(caller)) is leads
    assert ((out, "certain") in cluster.hops(NODE)) is leads
    assert account not in {end for end, _ in (*cluster.hops(caller), *cluster.hops(NODE))}
    engine = cluster.engine
    assert tuple(engine.tokens(out)) == tuple(engine.tokens(account))
    assert not tuple(engine.possible(out))


def test_an_annotation_is_enough(cluster: Any) -> None:
    cluster.attributes["issuer"] = "https://issuer.example/1"
    account, _ = served(cluster, role_arn=ROLE)
    aims = [token.aims for token in cluster.engine.tokens(f"{account}#tokens-for-others")]
    assert ROLE in aims


def test_a_privileged_pod_without_a_token_is_its_node(cluster: Any) -> None:
    account = cluster.account("app")
    node = cluster.user("system:node:n1")
    cluster.runtime("pods", "p", account, node="n1", privileged=True, token_mounted=False)
    assert (node, "certain") in cluster.hops(f"{account}#tokens-for-others")


def test_only_accounts_have_tokens_for_others(cluster: Any) -> None:
    cluster.user("ann")
    assert cluster.engine.principal("k8s/prod/user:ann#tokens-for-others") is None
