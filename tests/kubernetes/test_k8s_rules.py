"""Every rule leads where its hits say, and nowhere where its misses say or a need is missing."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.policy.engine import Pivot
from modelreach.policy.escalation.rules import Hit, Miss, Rule, rules
from modelreach.policy.escalation.scenes import changed, permissions, spared
from modelreach.policy.kubernetes.names import Action, account_id
from modelreach.snapshot import Link
from organisations.told import tried

RULES = rules("modelreach.policy.kubernetes")
HITS = [
    pytest.param(rule, hit, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, hit in enumerate(rule.hits)
]
MISSES = [
    pytest.param(rule, miss, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, miss in enumerate(rule.misses)
]
SPARED = [
    pytest.param(rule, hit, id=f"{rule.id}-{number}-{action}")
    for rule in RULES
    for number, action, hit in spared(rule)
]


def led(cluster: Any, rule: Rule, hit: Hit) -> list[Pivot]:
    """Build the example's cluster and give the hops by its rule."""
    cluster.attributes.update(hit.scope_attributes)
    caller = cluster.account("caller")
    things = _things(cluster, rule, hit)
    for permission in permissions(hit):
        action = Action.parse(permission.action)
        assert action is not None
        group = "" if action.group == "core" else action.group
        namespace = {"above": "", "other": "web"}.get(permission.place, "ml")
        names = [things[permission.place]] if permission.place in things else []
        if names and action.resource in ("users", "groups"):
            namespace = ""
        cluster.let(
            caller, action.verb, action.resource, group=group, namespace=namespace, names=names
        )
    return [pivot for pivot in cluster.engine.pivots(caller) if pivot.rule == rule.id]


def _things(cluster: Any, rule: Rule, hit: Hit) -> dict[str, str]:
    """Write down what a rule is aimed at, and give the names under which examples speak of it."""
    kind = hit.kind or (rule.target.kind[0] if rule.target else "service-account")
    target = {
        "user": lambda: cluster.user("target"),
        "group": lambda: cluster.group("target"),
        "node": lambda: cluster.user("system:node:target"),
    }.get(kind, lambda: cluster.account("target"))()
    if rule.compute is not None:
        plural = rule.compute.kind[0].partition(":")[2]
        linked = cluster.resource("configmaps", "linked")
        links = [Link(kind=rule.compute.links[0], target=linked)] if rule.compute.links else []
        cluster.runtime(plural, "compute", target, links=links, **hit.attributes)
    elif rule.thing is not None and rule.thing.leads:
        attributes = {rule.thing.leads: target, **hit.attributes}
        cluster.resource("secrets", "thing", **attributes)
    else:
        cluster.attributes.update(hit.attributes)
    return {"target": "target", "compute": "compute", "thing": "thing", "linked": "linked"}


@pytest.mark.parametrize(("rule", "hit"), HITS)
def test_a_hit_leads_there(cluster: Any, rule: Rule, hit: Hit) -> None:
    found = led(cluster, rule, hit)
    assert found
    assert {str(pivot.strength) for pivot in found} == {hit.strength}
    for pivot in found:
        assert all(s.statements for s in pivot.support), (
            "each hop names the binding that grants it"
        )
    ends = {pivot.target for pivot in found}
    if rule.yields == "scope":
        assert ends <= {cluster.name, cluster.scope("ml")}
    else:
        assert {end.rpartition(":")[2] for end in ends} == {"target"}


@pytest.mark.parametrize(("rule", "miss"), MISSES)
def test_a_miss_leads_nowhere(cluster: Any, rule: Rule, miss: Miss) -> None:
    assert led(cluster, rule, changed(rule, miss)) == []


@pytest.mark.parametrize(("rule", "hit"), SPARED)
def test_each_permission_of_a_hit_is_needed(cluster: Any, rule: Rule, hit: Hit) -> None:
    assert led(cluster, rule, hit) == []


def test_every_rule_has_a_hit_a_miss_and_a_page_of_its_provider() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.hits and rule.misses, rule.id
        assert rule.cite.startswith(
            ("https://kubernetes.io/", "https://docs.aws.amazon.com/", "https://kserve.github.io/")
        )


# --- rules that name objects ---------------------------------------------------------------------


@pytest.mark.parametrize("place", ["ml", ""])
@pytest.mark.parametrize(("there", "strength"), [(True, "certain"), (False, "conditional")])
def test_one_workload_is_enough_to_run_as_anybody(
    cluster: Any, there: bool, strength: str, place: str
) -> None:
    """Who may change one deployment by its name has it run as any account of the namespace."""
    caller, other = cluster.account("caller"), cluster.account("other")
    far = cluster.account("far", "web")
    if there:
        cluster.runtime("deployments.apps", "web", caller)
    cluster.let(caller, "patch", "deployments", group="apps", namespace=place, names=["web"])
    found = {pivot.target: pivot for pivot in cluster.engine.pivots(caller)}
    assert (str(found[other].strength), found[other].rule) == (strength, "k8s-create-workload")
    # A binding of the cluster is for every namespace; that there is one of the name is not known.
    assert (far in found) is (place == "")
    if place == "":
        assert str(found[far].strength) == "conditional"


def test_one_pod_that_may_be_entered_is_one_of_a_workload(cluster: Any) -> None:
    caller, other = cluster.account("caller"), cluster.account("other")
    cluster.runtime("deployments.apps", "web", other)
    cluster.let(caller, "create", "pods/exec", namespace="ml", names=["web-0"])
    (pivot,) = [p for p in cluster.engine.pivots(caller) if p.target == other]
    assert (str(pivot.strength), pivot.rule) == ("conditional", "k8s-exec-in-workload")


@pytest.mark.parametrize(
    ("signer", "target"),
    [
        ("kubernetes.io/kube-apiserver-client", "k8s/prod"),
        ("kubernetes.io/*", "k8s/prod"),
        ("kubernetes.io/kube-apiserver-client-kubelet", "k8s/prod/user:system:node:n1"),
        ("kubernetes.io/kubelet-serving", ""),
        ("example.com/*", ""),
    ],
)
def test_who_approves_for_a_signer_by_its_name_or_its_domain(
    cluster: Any, signer: str, target: str
) -> None:
    caller = cluster.account("caller")
    cluster.user("system:node:n1")
    group = "certificates.k8s.io"
    cluster.let(caller, "create", "certificatesigningrequests", group=group)
    cluster.let(caller, "update", "certificatesigningrequests/approval", group=group)
    cluster.let(caller, "approve", "signers", group=group, names=[signer])
    found = {end for end, strength in cluster.hops(caller) if strength == "certain"}
    assert found >= ({target} if target else set())
    assert ("k8s/prod" in found) is (target == "k8s/prod")


@pytest.mark.parametrize(
    ("place", "names", "leads"),
    [
        ("kube-system", [], True),
        ("kube-system", ["aws-auth"], True),
        ("", ["aws-auth"], True),
        ("ml", [], False),
        ("kube-system", ["coredns"], False),
    ],
)
def test_a_role_in_the_system_namespace_is_enough_to_let_others_of_aws_in(
    cluster: Any, place: str, names: list[str], leads: bool
) -> None:
    cluster.attributes["arn"] = "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
    cluster.namespaces["kube-system"] = {}
    caller = cluster.account("caller")
    cluster.let(caller, "patch", "configmaps", namespace=place, names=names)
    assert (("k8s/prod", "conditional") in cluster.hops(caller)) is leads


@pytest.mark.parametrize(("whose", "strength"), [("ml", "certain"), ("", "conditional")])
def test_who_writes_more_into_roles_needs_one_that_is_bound_to_it(
    cluster: Any, whose: str, strength: str
) -> None:
    """A cluster role that is bound in the namespace is no role of it."""
    caller = cluster.account("caller")
    group = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [group], "resources": ["roles"], "verbs": ["escalate", "update"]}
    cluster.bind(cluster.role("writes", [rule], whose), caller, namespace="ml")
    (pivot,) = cluster.engine.pivots(caller)
    assert (pivot.target, str(pivot.strength)) == ("k8s/prod/ml", strength)


def test_a_token_of_nobody_leads_nowhere(cluster: Any) -> None:
    caller = cluster.account("caller")
    cluster.resource("secrets", "odd", type="kubernetes.io/service-account-token")
    cluster.let(caller, "get", "secrets", namespace="ml")
    assert cluster.hops(caller) == set()


def _not_lost(cluster: Any, rule: Rule, hit: Hit, tries: int) -> int:
    led(cluster, rule, hit)
    caller = account_id(cluster.name, "ml", "caller")
    found = tried(cluster.snapshot, "kubernetes", caller, tries)
    assert not any(found), (rule.id, found)
    return len(found)


@pytest.mark.parametrize(("rule", "hit"), HITS[::12])
def test_a_way_of_which_something_was_not_read_is_not_lost(
    cluster: Any, rule: Rule, hit: Hit
) -> None:
    _not_lost(cluster, rule, hit, 2)


@pytest.mark.soak
@pytest.mark.parametrize(("rule", "hit"), HITS)
def test_no_way_of_which_something_was_not_read_is_lost(
    cluster: Any, rule: Rule, hit: Hit
) -> None:
    assert _not_lost(cluster, rule, hit, 20)
