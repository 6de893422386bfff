"""Witnesses in a cluster, decided anew by the reference evaluator where they were found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from modelreach import snapshot
from modelreach.deployment import of_principal
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, evaluate
from modelreach.pipeline.evaluate import Estates
from modelreach.pipeline.scan import radius_report
from modelreach_reference.witness import Checked, Outcome, check

Json = dict[str, Any]


def found(cluster: Any, who: str) -> tuple[Json, list[list[Json]]]:
    """The snapshot and every witness of what somebody reaches, as plain JSON."""
    release = Release(of_principal(who, "kubernetes"), cluster.snapshot)
    radius = radius_report(evaluate(release, JudgePolicy(), Estates()), GateOptions())
    said = msgspec.json.decode(msgspec.json.encode(radius))
    rows = [*said["grants"], *said["identities"], *said["admin_of"], *said["findings"]]
    ways = [row["witness"] for row in rows if len(row["witness"]) > 1]
    return json.loads(snapshot.encode(cluster.snapshot)), ways


def checked(cluster: Any, who: str) -> Iterator[Checked]:
    estate, ways = found(cluster, who)
    for way in ways:
        yield from check(estate, way)


@pytest.fixture
def agent(cluster: Any) -> str:
    """One who reads a secret, starts pods as a stronger account, and belongs to a team."""
    who: str = cluster.account("agent")
    other = cluster.account("deployer")
    cluster.resource("secrets", "db")
    cluster.resource("secrets", "tls", "web")
    cluster.let(who, "get", "secrets", namespace="ml", names=["db"])
    cluster.let(who, "create", "pods", namespace="ml")
    cluster.let(cluster.group("system:serviceaccounts:ml"), "list", "configmaps")
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    labels = {"to": "all"}
    cluster.role("part", everything, labels=labels)
    selectors = {"clusterRoleSelectors": [{"matchLabels": labels}]}
    cluster.bind(cluster.role("all", [], aggregation=selectors), other)
    return who


def test_every_witness_holds(cluster: Any, agent: str) -> None:
    steps = list(checked(cluster, agent))
    assert len(steps) > 4
    assert [step for step in steps if step.outcome is not Outcome.HOLDS] == []


def test_masters_need_no_binding(cluster: Any) -> None:
    who = cluster.user("root", ["system:masters"])
    cluster.group("system:masters")
    steps = list(checked(cluster, who))
    assert steps
    assert {step.outcome for step in steps} == {Outcome.HOLDS}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("statement", '{"verbs":["*"]}'),
        ("statement", "allowed"),
        ("sid", "another"),
        ("target", "k8s/prod/web"),
        ("action", "core:secrets:delete"),
        ("subject", "k8s/prod/system:serviceaccount:ml:nobody"),
        ("object", "k8s/prod/web/secrets/tls"),
    ],
)
def test_what_was_tampered_with_does_not_hold(
    cluster: Any, agent: str, field: str, value: str
) -> None:
    estate, ways = found(cluster, agent)
    way = next(way for way in ways if way[-1]["object"].endswith("secrets/db") and len(way) == 2)
    assert {step.outcome for step in check(estate, way)} == {Outcome.HOLDS}
    way[-1][field] = value
    assert Outcome.FAILS in {step.outcome for step in check(estate, way)}


def test_what_was_not_read_is_not_certain(cluster: Any, agent: str) -> None:
    """A binding to a role that was not read may give it or not."""
    estate, ways = found(cluster, agent)
    way = next(way for way in ways if way[-1]["object"].endswith("secrets/db") and len(way) == 2)
    for row in estate["managed_policies"]:
        row["versions"] = {}
    estate["gaps"] = [
        {"provider": "kubernetes", "scope": "k8s/prod/ml", "kind": "roles", "reason": "denied"}
    ]
    assert Outcome.FAILS in {step.outcome for step in check(estate, way)}


def test_a_star_that_stands_for_itself_means_nothing(cluster: Any) -> None:
    """`pods/*` is no pattern in a role, nor is `*` as a name: no part or object is called so.
    https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources"""
    who = cluster.account("agent")
    cluster.let(who, "patch", "pods/*", namespace="web")
    cluster.let(who, "get", "secrets", namespace="ml", names=["*"])
    cluster.let(who, "update", "*/scale", namespace="ml")
    release = Release(of_principal(who, "kubernetes"), cluster.snapshot)
    radius = radius_report(evaluate(release, JudgePolicy(), Estates()), GateOptions())
    assert [(row.resource, row.actions) for row in radius.grants] == [
        ("k8s/prod/ml/*", ("core:*/scale:update",))
    ]
