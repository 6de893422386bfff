"""What admits requests may refuse what roles allow: told, and never taken for a denial."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.policy.expr import atoms

POD = "core:pods:create"
PODS = {"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods"]}
EVERYTHING = {"operations": ["*"], "apiGroups": ["*"], "resources": ["*"]}
GATE = "gatekeeper-validating-webhook-configuration"


def webhook(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"webhooks": [{"name": "check.example", "rules": list(rules), **more}]}


def assumed(cluster: Any, who: str, action: str, thing: str = "k8s/prod/ml") -> str:
    decision = cluster.engine.decide(who, action, thing)
    assert str(decision.verdict) == "allow"
    return "|".join(decision.assumes)


@pytest.mark.parametrize(
    ("document", "action", "seen"),
    [
        (webhook(PODS), POD, True),
        (webhook(EVERYTHING), POD, True),
        (webhook({**PODS, "scope": "Namespaced"}), POD, True),
        (webhook({**PODS, "scope": "Cluster"}), POD, False),
        (webhook({**PODS, "operations": ["UPDATE"]}), POD, False),
        (webhook({**PODS, "operations": ["UPDATE"]}), "core:pods:patch", True),
        (webhook({**PODS, "operations": ["DELETE"]}), "core:pods:deletecollection", True),
        (webhook(EVERYTHING), "core:pods:get", False),
        (webhook(EVERYTHING), "core:pods/exec:create", False),
        (webhook({**EVERYTHING, "resources": ["*/*"]}), "core:pods/exec:create", True),
        (webhook({**EVERYTHING, "resources": ["pods/*"]}), "core:pods/exec:create", True),
        (webhook({**PODS, "operations": ["CONNECT"], "resources": ["pods/exec"]}), POD, False),
        (webhook({**PODS, "resources": ["*/exec"]}), "core:pods/exec:create", False),
        (webhook({**PODS, "apiGroups": ["apps"]}), POD, False),
        (webhook(), POD, False),
        (webhook(PODS, namespaceSelector={"matchLabels": {"checked": "yes"}}), POD, False),
        (webhook(PODS, namespaceSelector={"matchLabels": {"team": "ml"}}), POD, True),
        (webhook(PODS, namespaceSelector={}), POD, True),
        (webhook(PODS, objectSelector={"matchLabels": {"inject": "yes"}}), POD, False),
        (webhook(PODS, objectSelector={"matchLabels": {}}), POD, True),
        (webhook(PODS, name="vpod.vpc.k8s.aws"), POD, False),
        ({"policy": {"resourceRules": [PODS]}, "binding": {}}, POD, True),
        (
            {
                "policy": {"resourceRules": [EVERYTHING]},
                "binding": {"namespaceSelector": {"matchLabels": {"team": "web"}}},
            },
            POD,
            False,
        ),
        (
            {"policy": {"resourceRules": [EVERYTHING]}, "binding": {"resourceRules": [PODS]}},
            "apps:deployments:create",
            False,
        ),
        ("not what it should be", POD, True),
    ],
)
def test_what_may_refuse_a_request_is_told_with_the_answer(
    cluster: Any, document: Any, action: str, seen: bool
) -> None:
    cluster.namespaces["ml"] = {"team": "ml"}
    cluster.admission(GATE, document)
    group, resource, verb = action.split(":")
    sa = cluster.account("app")
    cluster.let(sa, verb, resource, group="" if group == "core" else group, namespace="ml")
    assert (GATE in assumed(cluster, sa, action)) is seen


@pytest.mark.parametrize(
    "kind", ["validatingwebhookconfigurations", "validatingadmissionpolicies"]
)
def test_what_may_refuse_was_not_read(cluster: Any, kind: str) -> None:
    """It is told with the answer; no way hangs on what may not be there at all."""
    cluster.gap(f"kubernetes:{kind}.admissionregistration.k8s.io")
    sa, other = cluster.account("app"), cluster.account("strong")
    cluster.let(sa, "create", "pods", namespace="ml")
    assert "not read" in assumed(cluster, sa, POD)
    cluster.let(sa, "get", "secrets", namespace="ml")
    assert assumed(cluster, sa, "core:secrets:get") == ""
    assert (other, "certain") in cluster.hops(sa)


@pytest.mark.parametrize("seen", [True, False])
def test_a_way_hangs_on_not_being_refused(cluster: Any, seen: bool) -> None:
    cluster.admission(GATE, webhook(PODS if seen else {**PODS, "apiGroups": ["batch"]}))
    sa, other = cluster.account("app"), cluster.account("strong")
    cluster.let(sa, "create", "pods", namespace="ml")
    (pivot,) = [one for one in cluster.engine.pivots(sa) if one.target == other]
    assert str(pivot.strength) == ("conditional" if seen else "certain")
    told = "|".join(atom.key for atom in atoms(pivot.residual))
    assert (GATE in told) is seen


def test_who_may_take_it_away_first_is_not_refused(cluster: Any) -> None:
    name = "validatingwebhookconfigurations"
    cluster.admission(GATE, webhook(EVERYTHING))
    sa, other = cluster.account("app"), cluster.account("strong")
    cluster.let(sa, "create", "pods", namespace="ml")
    cluster.let(sa, "delete", name, group="admissionregistration.k8s.io")
    assert (other, "certain") in cluster.hops(sa)


def test_nothing_refuses_what_is_told_of_admission_itself(cluster: Any) -> None:
    cluster.admission(GATE, webhook(EVERYTHING))
    group = "admissionregistration.k8s.io"
    sa = cluster.account("app")
    cluster.let(sa, "create", "mutatingwebhookconfigurations", group=group)
    action = f"{group}:mutatingwebhookconfigurations:create"
    assert assumed(cluster, sa, action, "k8s/prod") == ""
