"""How RBAC decides: each rule of its semantics, by a small cluster."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from modelreach.policy.box import Box
from modelreach.policy.expr import atoms
from modelreach.policy.extent import Extent
from modelreach.policy.kubernetes.names import Action
from modelreach.policy.permissions import PermissionSet


def test_roles_add_up_and_nothing_takes_away(cluster: Any) -> None:
    sa = cluster.account("app")
    cluster.let(sa, "get", "pods", namespace="ml")
    cluster.let(sa, "list", "secrets", namespace="ml")
    assert cluster.may(sa, "core:pods:get", "k8s/prod/ml/pods/a") == "allow"
    assert cluster.may(sa, "core:secrets:list", "k8s/prod/ml") == "allow"
    assert cluster.may(sa, "core:secrets:get", "k8s/prod/ml/secrets/a") == "deny"


def test_a_cluster_role_bound_in_a_namespace_counts_there_only(cluster: Any) -> None:
    sa = cluster.account("app")
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    cluster.bind(cluster.role("admin", everything), sa, namespace="ml")
    assert cluster.may(sa, "core:secrets:get", "k8s/prod/ml/secrets/a") == "allow"
    assert cluster.may(sa, "core:secrets:get", "k8s/prod/web/secrets/a") == "deny"
    assert cluster.may(sa, "core:nodes:get", "k8s/prod//nodes/n1") == "deny"


def test_a_role_that_is_missing_grants_nothing(cluster: Any) -> None:
    sa = cluster.account("app")
    cluster.bind("k8s/prod//clusterroles.rbac.authorization.k8s.io/gone", sa)
    assert cluster.may(sa, "core:pods:get", "k8s/prod/ml/pods/a") == "deny"


def test_a_role_that_was_not_read_is_unknown(cluster: Any) -> None:
    sa = cluster.account("app")
    role = "k8s/prod//clusterroles.rbac.authorization.k8s.io/hidden"
    cluster.bind(role, sa)
    cluster.gap("roles")
    assert cluster.may(sa, "core:pods:get", "k8s/prod/ml/pods/a") == "unknown"


@pytest.mark.parametrize("namespace", ["", "ml"])
def test_bindings_that_were_not_read_leave_it_unknown(cluster: Any, namespace: str) -> None:
    sa = cluster.account("app")
    cluster.gap("bindings", namespace)
    assert cluster.may(sa, "core:pods:get", "k8s/prod/ml/pods/a") == "unknown"


def test_bindings_elsewhere_that_were_not_read_change_nothing(cluster: Any) -> None:
    sa = cluster.account("app")
    cluster.gap("bindings", "web")
    assert cluster.may(sa, "core:pods:get", "k8s/prod/ml/pods/a") == "deny"


@pytest.mark.parametrize(
    ("resource", "asked", "expected"),
    [
        ("pods", "core:pods:get", "allow"),
        ("pods", "core:pods/exec:get", "deny"),
        ("pods", "core:pods/status:get", "deny"),
        ("*", "core:pods/exec:get", "allow"),
        ("*/scale", "core:pods/scale:get", "allow"),
        ("*/scale", "core:pods:get", "deny"),
        ("pods/*", "core:pods/exec:get", "deny"),
        ("pods/exec", "core:pods:get", "deny"),
    ],
)
def test_subresources(cluster: Any, resource: str, asked: str, expected: str) -> None:
    cluster.attributes["version"] = "v1.34.1"
    sa = cluster.account("app")
    cluster.let(sa, "get", resource, namespace="ml")
    assert cluster.may(sa, asked, "k8s/prod/ml/pods/a") == expected


@pytest.mark.parametrize(
    ("about", "verbs", "expected"),
    [
        ({"version": "v1.34.9"}, ["get"], "allow"),
        ({"version": "v1.35.0"}, ["get"], "conditional"),
        ({"version": "v1.35.0-eks-1", "arn": "arn:aws:eks:r:1:cluster/c"}, ["get"], "deny"),
        ({"version": "v1.35.0", "resource_id": "/subscriptions/s/x/mc"}, ["get"], "deny"),
        ({"version": "v1.35.1-gke.1", "resource_name": "//container/c"}, ["get"], "conditional"),
        ({"version": "v1.36.2"}, ["create"], "deny"),
        ({"version": "v1.36.2"}, ["get", "create"], "allow"),
        ({"version": "v1.36.2"}, ["*"], "allow"),
        ({"version": "latest"}, ["get"], "conditional"),
        ({}, ["get"], "conditional"),
    ],
)
@pytest.mark.parametrize("stream", ["exec", "attach", "portforward"])
def test_a_get_that_opens_a_stream(
    cluster: Any, stream: str, about: Any, verbs: list[str], expected: str
) -> None:
    """Since 1.35 whoever opens one by WebSocket has to be let create it, too."""
    cluster.attributes.update(about)
    sa = cluster.account("app")
    for verb in verbs:
        cluster.let(sa, verb, f"pods/{stream}", namespace="ml")
    action = f"core:pods/{stream}:get"
    decision = cluster.engine.decide(sa, action, "k8s/prod/ml/pods/a")
    assert str(decision.verdict) == expected
    told = "|".join(atom.key for atom in atoms(decision.residual))
    assert ("1.35" in told or "feature gate" in told) is (expected == "conditional")
    held = cluster.engine.permissions(sa)
    asked = PermissionSet.of([Box(Extent.globs([action]), Extent.globs(["k8s/prod/ml/pods/a"]))])
    found = {str(box.condition) for box in (held & asked).boxes}
    if verbs == ["get"]:
        assert found == (set() if expected == "deny" else {str(decision.residual)})


def test_a_stream_of_one_pod_by_its_name(cluster: Any) -> None:
    cluster.attributes["version"] = "v1.35.0"
    sa = cluster.account("app")
    cluster.let(sa, "get", "pods/exec", namespace="ml")
    cluster.let(sa, "create", "pods/exec", namespace="ml", names=["a"])
    assert cluster.may(sa, "core:pods/exec:get", "k8s/prod/ml/pods/a") == "allow"
    assert cluster.may(sa, "core:pods/exec:get", "k8s/prod/ml/pods/b") == "conditional"


def test_groups_are_not_each_other(cluster: Any) -> None:
    sa = cluster.account("app")
    cluster.let(sa, "create", "deployments", group="extensions", namespace="ml")
    assert cluster.may(sa, "extensions:deployments:create", "k8s/prod/ml") == "allow"
    assert cluster.may(sa, "apps:deployments:create", "k8s/prod/ml") == "deny"
    assert cluster.may(sa, "core:deployments:create", "k8s/prod/ml") == "deny"


@pytest.mark.parametrize(
    ("verb", "name", "expected"),
    [
        ("get", "a", "allow"),
        ("get", "b", "deny"),
        ("list", "", "conditional"),
        ("list", "a", "allow"),
        ("watch", "b", "deny"),
        ("create", "", "deny"),
        ("create", "a", "deny"),
        ("deletecollection", "", "deny"),
        ("delete", "a", "allow"),
    ],
)
def test_names(cluster: Any, verb: str, name: str, expected: str) -> None:
    sa = cluster.account("app")
    cluster.let(sa, verb, "secrets", namespace="ml", names=["a"])
    thing = f"k8s/prod/ml/secrets/{name}" if name else "k8s/prod/ml"
    assert cluster.may(sa, f"core:secrets:{verb}", thing) == expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/apis/*", "/apis/apps", "allow"),
        ("/apis/*", "/apis", "deny"),
        ("/healthz", "/healthz", "allow"),
        ("/healthz", "/healthz/etcd", "deny"),
        ("*", "/anything", "allow"),
        ("/*/x", "/a/x", "deny"),
    ],
)
def test_paths_that_are_no_resources(cluster: Any, pattern: str, path: str, expected: str) -> None:
    sa = cluster.account("app")
    cluster.bind(cluster.role("paths", [{"nonResourceURLs": [pattern], "verbs": ["get"]}]), sa)
    assert cluster.may(sa, f"url:{path}:get", "k8s/prod") == expected


def test_paths_are_of_the_cluster(cluster: Any) -> None:
    sa = cluster.account("app")
    role = cluster.role("paths", [{"nonResourceURLs": ["*"], "verbs": ["get"]}])
    cluster.bind(role, sa, namespace="ml")
    assert cluster.may(sa, "url:/metrics:get", "k8s/prod") == "deny"


def test_a_star_as_user_is_a_user_of_that_name(cluster: Any) -> None:
    sa, star = cluster.account("app"), cluster.user("*")
    cluster.let(star, "get", "pods")
    assert cluster.may(sa, "core:pods:get", "k8s/prod/ml/pods/a") == "deny"
    assert cluster.may(star, "core:pods:get", "k8s/prod/ml/pods/a") == "allow"


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("system:serviceaccounts", "allow"),
        ("system:serviceaccounts:ml", "allow"),
        ("system:serviceaccounts:web", "deny"),
        ("system:authenticated", "allow"),
        ("system:masters", "deny"),
    ],
)
def test_groups_that_every_account_is_in(cluster: Any, group: str, expected: str) -> None:
    sa = cluster.account("app")
    cluster.let(cluster.group(group), "get", "pods")
    assert cluster.may(sa, "core:pods:get", "k8s/prod/ml/pods/a") == expected


@pytest.mark.parametrize("anonymous", ["user", "group"])
def test_what_anybody_may_do_is_conditional(cluster: Any, anonymous: str) -> None:
    sa = cluster.account("app")
    everybody = {
        "user": lambda: cluster.user("system:anonymous"),
        "group": lambda: cluster.group("system:unauthenticated"),
    }[anonymous]()
    cluster.let(everybody, "get", "pods")
    assert cluster.may(sa, "core:pods:get", "k8s/prod/ml/pods/a") == "conditional"
    cluster.attributes["anonymous"] = False
    assert cluster.may(sa, "core:pods:get", "k8s/prod/ml/pods/a") == "deny"


def test_masters_are_let_do_everything(cluster: Any) -> None:
    root = cluster.user("root", ["system:masters"])
    assert cluster.may(root, "core:secrets:get", "k8s/prod/ml/secrets/a") == "allow"
    assert ("k8s/prod", "certain") in cluster.hops(root)


LABEL = "rbac.authorization.k8s.io/aggregate-to-edit"
SECRETS = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
MODELS = [{"apiGroups": ["serving.kserve.io"], "resources": ["*"], "verbs": ["create"]}]


def _aggregate(cluster: Any, rules: Any) -> str:
    selector = {"clusterRoleSelectors": [{"matchLabels": {LABEL: "true"}}]}
    cluster.role("kserve", MODELS, labels={LABEL: "true"})
    cluster.role("unrelated", SECRETS, labels={"x": "y"})
    return str(cluster.role("edit", rules, aggregation=selector))


@pytest.mark.parametrize("written", [None, [], SECRETS])
def test_an_aggregated_role_has_the_rules_of_those_selected(cluster: Any, written: Any) -> None:
    sa = cluster.account("app")
    cluster.bind(_aggregate(cluster, written), sa, namespace="ml")
    models = "serving.kserve.io:inferenceservices:create"
    assert cluster.may(sa, models, "k8s/prod/ml") == "allow"
    assert cluster.may(sa, "core:secrets:get", "k8s/prod/ml/secrets/a") == "deny"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "x", "operator": "In", "values": ["y"]}, "allow"),
        ({"key": "x", "operator": "NotIn", "values": ["y"]}, "deny"),
        ({"key": "x", "operator": "Exists"}, "allow"),
        ({"key": "x", "operator": "DoesNotExist"}, "deny"),
        ({"key": "x", "operator": "Nonsense"}, "deny"),
        ("nonsense", "unknown"),
    ],
)
def test_selectors_by_expression(cluster: Any, expression: Any, expected: str) -> None:
    sa = cluster.account("app")
    cluster.role("secrets", SECRETS, labels={"x": "y"})
    selector = {"clusterRoleSelectors": [{"matchExpressions": [expression]}]}
    cluster.bind(cluster.role("all", None, aggregation=selector), sa)
    assert cluster.may(sa, "core:secrets:get", "k8s/prod/ml/secrets/a") == expected


def test_roles_that_aggregate_each_other_come_to_an_end(cluster: Any) -> None:
    sa = cluster.account("app")
    one = {"clusterRoleSelectors": [{"matchLabels": {"of": "one"}}]}
    two = {"clusterRoleSelectors": [{"matchLabels": {"of": "two"}}]}
    cluster.role("a", None, labels={"of": "two"}, aggregation=one)
    cluster.role("b", None, labels={"of": "one"}, aggregation=two)
    cluster.role("c", SECRETS, labels={"of": "one"})
    cluster.bind(cluster.roles[0].id, sa)
    assert cluster.may(sa, "core:secrets:get", "k8s/prod/ml/secrets/a") == "allow"


def test_one_cluster_says_nothing_of_another(clusters: Any) -> None:
    one = clusters()
    sa = one.account("app")
    one.let(sa, "*", "*")
    assert one.may(sa, "core:secrets:get", "k8s/other/ml/secrets/a") == "deny"


@pytest.mark.parametrize(
    "rules",
    [
        "nonsense",
        [17],
        [{"apiGroups": "core", "resources": ["secrets"], "verbs": ["get"]}],
        [{"apiGroups": [""], "resources": [None], "verbs": ["get"]}],
        [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": "a"}],
    ],
)
def test_a_role_that_is_not_understood_is_unknown(cluster: Any, rules: Any) -> None:
    sa = cluster.account("app")
    cluster.bind(cluster.role("bad", rules), sa)
    assert cluster.may(sa, "core:secrets:get", "k8s/prod/ml/secrets/a") == "unknown"
    assert cluster.may(sa, "core:secrets:get", "k8s/prod/ml/secrets/a", "a") != "deny"


def test_what_is_no_action_is_not_understood(cluster: Any) -> None:
    sa = cluster.account("app")
    assert cluster.may(sa, "get pods", "k8s/prod/ml/pods/a") == "unknown"


def test_other_authorisers_are_told(cluster: Any) -> None:
    sa = cluster.account("app")
    cluster.attributes["authorizers"] = ("Node", "RBAC", "Webhook")
    decision = cluster.engine.decide(sa, "core:pods:get", "k8s/prod/ml/pods/a")
    assert decision.verdict == "deny"
    assert "Webhook" in decision.assumes[0]


def test_an_action_keeps_its_spelling() -> None:
    for text in ("core:pods/exec:create", "apps:deployments:get", "x:users:impersonate!user-info"):
        parsed = Action.parse(text)
        assert parsed is not None and parsed.name == text
    assert Action.parse("impersonate") is None


# --- what follows for reach ------------------------------------------------------------------


def test_the_set_of_what_is_held_agrees_with_decisions(cluster: Any) -> None:
    sa = cluster.account("app")
    cluster.let(sa, "get", "secrets", namespace="ml", names=["a"])
    cluster.let(sa, "*", "deployments", group="apps", namespace="ml")
    cluster.let(sa, "list", "*", namespace="web")
    held = cluster.engine.permissions(sa)
    for action in ("core:secrets:get", "apps:deployments:delete", "core:pods/log:list"):
        for thing in ("k8s/prod/ml/secrets/a", "k8s/prod/ml/secrets/b", "k8s/prod/web/pods/a"):
            verdict = cluster.may(sa, action, thing)
            wanted = "allow" if held.contains(action, thing) else "deny"
            if action.partition(":")[2].partition(":")[0].partition("/")[0] in thing:
                assert verdict == wanted, (action, thing)


def test_listing_secrets_is_reading_them(cluster: Any) -> None:
    sa = cluster.account("app")
    secret = cluster.resource("secrets", "db", type="Opaque")
    cluster.let(sa, "list", "secrets", namespace="ml")
    (grant,) = cluster.engine.grants(sa)
    assert (grant.resource, str(grant.capability), str(grant.verdict)) == (secret, "read", "allow")
    assert grant.statements[0].layer == "binding"


def test_secrets_that_hold_no_token_lead_to_no_account(cluster: Any) -> None:
    sa = cluster.account("app")
    cluster.account("other")
    cluster.resource("secrets", "db", type="Opaque", service_account="k8s/prod/other")
    cluster.let(sa, "list", "secrets", namespace="ml")
    assert cluster.hops(sa) == set()


def test_edit_leads_to_every_account_of_the_namespace(cluster: Any) -> None:
    sa, other, far = cluster.account("app"), cluster.account("o"), cluster.account("f", "web")
    rules = [
        {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]},
        {"apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["get", "list", "create"]},
    ]
    cluster.bind(cluster.role("edit", rules), sa, namespace="ml")
    assert {target for target, _ in cluster.hops(sa)} == {other}
    assert far not in {target for target, _ in cluster.hops(sa)}


def test_constrained_impersonation_takes_both_halves(cluster: Any) -> None:
    sa, other = cluster.account("app"), cluster.account("other")
    whom = {"group": "authentication.k8s.io", "namespace": "ml"}
    cluster.let(sa, "impersonate:serviceaccount", "serviceaccounts", **whom)
    assert cluster.hops(sa) == set()
    cluster.let(sa, "impersonate-on:serviceaccount:get", "pods", namespace="ml")
    assert cluster.hops(sa) == {(other, "conditional")}


@pytest.mark.parametrize(
    ("mode", "names", "reached"),
    [
        ("arbitrary-node", [], {"n1", "n2"}),
        ("arbitrary-node", ["n2"], {"n2"}),
        ("associated-node", [], {"n1"}),
        ("user-info", [], set[str]()),
    ],
)
def test_constrained_impersonation_of_nodes(
    cluster: Any, mode: str, names: list[str], reached: set[str]
) -> None:
    """A rule names nodes as they are called; an agent impersonates the one that it runs on."""
    who = cluster.account("agent")
    nodes = {name: cluster.user(f"system:node:{name}") for name in ("n1", "n2")}
    for number, name in enumerate(nodes):
        found = cluster.principals[-2 + number]
        cluster.principals[-2 + number] = replace(found, name=name)
    cluster.runtime("pods", "p", who, node="n1")
    group = "authentication.k8s.io"
    cluster.let(who, f"impersonate:{mode}", "nodes", group=group, names=names)
    cluster.let(who, f"impersonate-on:{mode}:get", "secrets", namespace="ml")
    expected = {(nodes[name], "conditional") for name in reached}
    assert cluster.hops(who) == expected


def test_half_of_constrained_impersonation_for_things_leads_nowhere(cluster: Any) -> None:
    sa = cluster.account("app")
    cluster.account("other")
    cluster.let(sa, "impersonate-on:serviceaccount:get", "pods", namespace="ml")
    assert cluster.hops(sa) == set()


@pytest.mark.parametrize(
    ("attributes", "escapes"),
    [
        ({"privileged": True}, True),
        ({"capabilities": ("CAP_SYS_ADMIN",)}, True),
        ({"capabilities": ("SYS_PTRACE",), "host_pid": True}, True),
        ({"capabilities": ("SYS_PTRACE",)}, False),
        ({"host_paths_writable": ("/",)}, True),
        ({"host_paths_writable": ("/var/lib/kubelet/",)}, True),
        ({"host_paths_writable": ("/data/models",)}, False),
        ({"host_paths": ("/var/run/docker.sock",)}, True),
        ({"host_network": True}, False),
        ({}, False),
    ],
)
def test_containers_that_are_as_good_as_their_node(
    cluster: Any, attributes: dict[str, Any], escapes: bool
) -> None:
    sa, other = cluster.account("app"), cluster.account("other", "web")
    node = cluster.user("system:node:n1", instance_identity="arn:aws:iam::1:role/node")
    cluster.runtime("pods", "p", sa, node="n1", **attributes)
    cluster.runtime("pods", "q", other, "web", node="n1")
    assert cluster.hops(sa) == ({(node, "certain")} if escapes else set())
    assert cluster.hops(node) == {
        (sa, "certain"),
        (other, "certain"),
        ("arn:aws:iam::1:role/node", "certain"),
    }


def test_an_administrator_of_a_namespace_takes_it_over_and_no_more(cluster: Any) -> None:
    sa = cluster.account("app")
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    cluster.bind(cluster.role("all", everything), sa, namespace="ml")
    assert cluster.hops(sa) >= {("k8s/prod/ml", "certain")}
    assert ("k8s/prod", "certain") not in cluster.hops(sa)
