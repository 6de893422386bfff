"""Data actions of Azure that count within a cluster of AKS, where it asks Azure."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach.pipeline.witnesses import Witnesses
from modelreach.policy.engine import Engine
from modelreach.policy.expr import render
from modelreach.policy.providers import engines
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import (
    SCHEMA,
    Binding,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_id,
    encode,
    merge,
)
from modelreach_reference.witness import check
from organisations.aks import AKS, GROUP, ISSUER, NOW, RG, SPN, TENANT, tenant

OPERATIONS = "Microsoft.ContainerService/managedClusters"
SECRET, OTHER = "k8s/prod/ml/secrets/db", "k8s/prod/web/secrets/tls"
CUSTOM = "k8s/prod/ml/inferenceservices.serving.kserve.io/llm"
READER = (
    *(f"{OPERATIONS}/{name}/read" for name in ("pods", "configmaps", "services", "events")),
    f"{OPERATIONS}/apps/deployments/read",
)
WRITER = (f"{OPERATIONS}/secrets/*", f"{OPERATIONS}/pods/*", f"{OPERATIONS}/serviceaccounts/*")


def cluster(**about: Any) -> Snapshot:
    """A cluster with two namespaces, a secret in each, a custom resource, and a pod."""
    place: dict[str, Any] = {"provider": "kubernetes"}
    account = "k8s/prod/system:serviceaccount:ml:app"
    return Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        scopes=(
            Scope(id="k8s/prod", kind="cluster", attributes={"issuer": ISSUER, **about}, **place),
            Scope(id="k8s/prod/ml", kind="namespace", parent="k8s/prod", **place),
            Scope(id="k8s/prod/web", kind="namespace", parent="k8s/prod", **place),
        ),
        principals=(
            Principal(
                id=account, kind="service-account", scope="k8s/prod/ml", name="app", **place
            ),
        ),
        resources=(
            Resource(
                id=SECRET, kind="kubernetes:secrets", scope="k8s/prod/ml", name="db", **place
            ),
            Resource(
                id=OTHER, kind="kubernetes:secrets", scope="k8s/prod/web", name="tls", **place
            ),
            Resource(
                id=CUSTOM,
                kind="kubernetes:inferenceservices.serving.kserve.io",
                scope="k8s/prod/ml",
                name="llm",
                **place,
            ),
        ),
        runtimes=(
            Runtime(
                id="k8s/prod/ml/pods/app-0",
                kind="kubernetes:pods",
                scope="k8s/prod/ml",
                name="app-0",
                identities=(account,),
                **place,
            ),
        ),
    )


def radius(*parts: Snapshot) -> BlastRadius:
    return reach([SPN], engines(Facts(merge(parts, taken_at=NOW, tool=""))))


def had(found: BlastRadius, resource: str = SECRET) -> set[tuple[str, str]]:
    return {
        (str(one.grant.capability), str(one.verdict))
        for one in found.accesses
        if one.grant.resource == resource and one.grant.provider == "kubernetes"
    }


def built(*parts: Snapshot) -> Engine:
    """Give the engine of the cluster, once the identity has entered."""
    whole = engines(Facts(merge(parts, taken_at=NOW, tool="")))
    for token in whole["azure"].tokens(SPN):
        tuple(whole["kubernetes"].admits(token, SPN))
    return whole["kubernetes"]


USER = f"k8s/prod/user:{SPN}"


def test_a_data_action_counts_in_the_cluster() -> None:
    found = radius(cluster(), tenant(f"{OPERATIONS}/secrets/read"))
    assert had(found) == {("read", "allow")}
    (hop,) = found.identities[USER].path.pivots
    assert (hop.kind, hop.via, str(hop.strength)) == ("federation", AKS, "certain")
    (support,) = hop.support
    assert (support.subject, support.object) == (SPN, AKS)
    assert support.action == f"data:{OPERATIONS}/secrets/read"
    (access,) = (one for one in found.accesses if one.grant.resource == SECRET)
    (because,) = access.grant.statements
    assert (because.policy, because.target) == ("AKS custom", AKS)
    assert "secrets/read" in because.text


@pytest.mark.parametrize(
    "about",
    [{"azure_rbac": False}, {"oidc_issuer": f"{ISSUER}/2"}],
    ids=["does not ask", "another cluster"],
)
def test_a_cluster_that_does_not_ask(about: Any) -> None:
    assert not had(radius(cluster(), tenant(f"{OPERATIONS}/secrets/read", **about)))


def test_whether_it_asks_was_not_read() -> None:
    action = f"{OPERATIONS}/secrets/read"
    found = radius(cluster(), tenant(action, told=False))
    assert had(found) == {("read", "unknown")}
    assert str(found.identities[USER].path.pivots[-1].strength) == "certain"
    found = radius(cluster(), tenant(action, told=False, entra=""))
    assert str(found.identities[USER].path.pivots[-1].strength) == "unknown"
    assert not had(radius(cluster(), tenant(action, told=False, entra=False)))


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("secrets/read", {"get", "list", "watch"}),
        ("secrets/write", {"create", "update", "patch"}),
        ("secrets/delete", {"delete", "deletecollection"}),
        ("*/read", {"get", "list", "watch"}),
        ("secrets/*", {"get", "list", "watch", "create", "update", "patch", "delete"}),
        ("apps/secrets/read", set()),
        ("secrets/list", set()),
    ],
)
def test_verbs_are_taken_together(action: str, allowed: set[str]) -> None:
    engine = built(cluster(), tenant(f"{OPERATIONS}/{action}"))
    verbs = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
    if engine.principal(USER) is None:
        assert not allowed
        return
    found = {
        v
        for v in verbs
        if str(engine.decide(USER, f"core:secrets:{v}", SECRET).verdict) == "allow"
    }
    assert found == allowed | ({"deletecollection"} if "delete" in allowed else set())


@pytest.mark.parametrize(
    ("actions", "asked", "verdict"),
    [
        (("pods/read",), "core:pods/log:get", "allow"),
        (("pods/read",), "core:pods/attach:get", "conditional"),
        (("pods/read",), "core:pods/portforward:get", "conditional"),
        (("*/read",), "core:pods/attach:get", "conditional"),
        (("pods/read", "pods/write"), "core:pods/attach:get", "allow"),
        (("*",), "core:pods/attach:get", "allow"),
        (("pods/write",), "core:pods/attach:get", "deny"),
        (("pods/read",), "core:pods/attach:create", "deny"),
        (("pods/read",), "core:pods/proxy:get", "allow"),
        (("pods/read",), "core:pods/exec:get", "deny"),
        (("services/read",), "core:services/proxy:get", "allow"),
        (("nodes/read",), "core:nodes/proxy:get", "allow"),
        (("*/read",), "core:nodes/proxy:get", "allow"),
        (("pods/read",), "core:nodes/proxy:get", "deny"),
        (("pods/write",), "core:pods/attach:create", "allow"),
        (("pods/write",), "core:pods/exec:create", "deny"),
        (("pods/exec/action",), "core:pods/exec:create", "allow"),
        (("pods/exec/action",), "core:pods/exec:get", "allow"),
        (("pods/*",), "core:pods/exec:create", "allow"),
        (("serviceaccounts/write",), "core:serviceaccounts/token:create", "allow"),
        (("serviceaccounts/impersonate/action",), "core:serviceaccounts:impersonate", "allow"),
        (
            ("rbac.authorization.k8s.io/roles/bind/action",),
            "rbac.authorization.k8s.io:roles:bind",
            "allow",
        ),
        (("apps/deployments/write",), "apps:deployments/scale:update", "allow"),
        (("apps/*/read",), "apps:statefulsets:get", "allow"),
        (("apps/*/read",), "apps:deployments:update", "deny"),
        (("apps/*",), "apps:deployments:update", "allow"),
        (("apps/*",), "batch:jobs:get", "deny"),
    ],
)
def test_parts_and_verbs_of_their_own(actions: Any, asked: str, verdict: str) -> None:
    engine = built(cluster(), tenant(*(f"{OPERATIONS}/{one}" for one in actions)))
    assert str(engine.decide(USER, asked, "k8s/prod/ml").verdict) == verdict


@pytest.mark.parametrize(
    ("actions", "but", "verdict"),
    [
        (("*/read",), (), "allow"),
        (("*/read",), ("serving.kserve.io/inferenceservices/read",), "conditional"),
        (("*/read",), ("serving.kserve.io/*",), "conditional"),
        (("*/read",), ("serving.kserve.io/*", "customresources/*"), "deny"),
        (("*/read",), ("secrets/read",), "allow"),
        (("serving.kserve.io/inferenceservices/read",), (), "conditional"),
        (("serving.kserve.io/*/read",), (), "conditional"),
        (("serving.kserve.io/others/read",), (), "deny"),
        (("customresources/read",), (), "conditional"),
        (("customresources/read", "serving.kserve.io/inferenceservices/read"), (), "allow"),
        (("customresources/write",), (), "deny"),
        (("pods/read",), (), "deny"),
    ],
)
def test_custom_resources(actions: Any, but: Any, verdict: str) -> None:
    role = tenant(
        *(f"{OPERATIONS}/{one}" for one in actions), but=[f"{OPERATIONS}/{one}" for one in but]
    )
    engine = built(cluster(), role)
    asked = "serving.kserve.io:inferenceservices:get"
    assert str(engine.decide(USER, asked, CUSTOM).verdict) == verdict


def test_the_action_of_custom_resources_is_of_no_other() -> None:
    engine = built(cluster(), tenant(f"{OPERATIONS}/customresources/read"))
    assert str(engine.decide(USER, "core:secrets:get", SECRET).verdict) == "deny"


def test_not_data_actions_take_away_and_no_more() -> None:
    role = tenant(f"{OPERATIONS}/*", but=[f"{OPERATIONS}/secrets/*"])
    found = radius(cluster(), role)
    assert not had(found)
    rules = {one.path.pivots[-1].rule for one in found.takeovers.values()}
    assert rules == {"k8s-bind-namespace", "k8s-bind-cluster"}, "it may bind what gives it more"
    assert ("write", "allow") in had(found, CUSTOM)
    held = built(cluster(), role).permissions(USER)
    texts = [region for box in held.boxes for region in box.actions.regions]
    assert not any(region.contains("core:secrets:get") for region in texts)
    assert not any(region.contains("core:secrets/status:update") for region in texts)
    assert any(region.contains("core:configmaps:update") for region in texts)
    assert any(region.contains("core:pods/log:get") for region in texts)


def test_everything_takes_the_cluster_over() -> None:
    found = radius(cluster(), tenant(f"{OPERATIONS}/*"))
    (_, taking) = found.takeovers["k8s/prod"].path.pivots
    assert (taking.kind, taking.rule, str(taking.strength)) == ("administer", "", "certain")
    assert taking.support[0].statements[0].policy == "AKS custom"


@pytest.mark.parametrize("kind", ["namespaces", "managednamespaces"])
def test_a_namespace_is_a_scope(kind: str) -> None:
    found = radius(cluster(), tenant(f"{OPERATIONS}/secrets/read", at=f"{AKS}/{kind}/ml"))
    assert had(found) == {("read", "allow")}
    assert not had(found, OTHER)
    whole = radius(cluster(), tenant(f"{OPERATIONS}/*", at=f"{AKS}/{kind}/ml"))
    assert set(whole.takeovers) == {"k8s/prod/ml"}
    assert not had(radius(cluster(), tenant(f"{OPERATIONS}/*", at=f"{AKS}/agentpools/ml")))


@pytest.mark.parametrize("at", ["/subscriptions/s", RG, AKS])
def test_a_role_above_the_cluster(at: str) -> None:
    found = radius(cluster(), tenant(f"{OPERATIONS}/secrets/read", at=at))
    assert had(found) == had(found, OTHER) == {("read", "allow")}


def test_a_group_and_what_is_eligible() -> None:
    action = f"{OPERATIONS}/secrets/read"
    assert had(radius(cluster(), tenant(action, member=GROUP))) == {("read", "allow")}
    assert not had(radius(cluster(), tenant(action, status="eligible")))


def test_a_deny_assignment_wins() -> None:
    found = radius(cluster(), tenant(f"{OPERATIONS}/*/read", deny=[f"{OPERATIONS}/secrets/read"]))
    assert not had(found)
    assert had(found, CUSTOM)


@pytest.mark.parametrize("kind", ["namespaces", "managednamespaces"])
@pytest.mark.parametrize("given", [f"{OPERATIONS}/*", f"{OPERATIONS}/*/read"])
def test_what_is_denied_in_a_namespace_is_had_in_others(kind: str, given: str) -> None:
    """The role is held for the whole cluster, and a deny assignment lies on one namespace."""
    role = tenant(given, deny=[f"{OPERATIONS}/secrets/*"], refused_at=f"{AKS}/{kind}/ml")
    engine = built(cluster(), role)
    ask = "core:secrets:get"
    assert str(engine.decide(USER, ask, SECRET).verdict) == "deny"
    assert str(engine.decide(USER, ask, OTHER).verdict) == "allow"
    assert str(engine.decide(USER, "core:configmaps:get", SECRET).verdict) == "allow"
    assert str(engine.decide(USER, "core:configmaps:get", OTHER).verdict) == "allow"
    found = radius(cluster(), role)
    assert not had(found)
    assert ("read", "allow") in had(found, OTHER)
    assert ("k8s/prod" in found.takeovers) is (given == f"{OPERATIONS}/*")
    boxes = engine.permissions(USER).boxes
    secret = [
        box
        for box in boxes
        if any(one.contains(ask) for one in box.actions.regions)
        and any(one.contains(SECRET) for one in box.resources.regions)
    ]
    assert not secret


def test_a_deny_in_a_namespace_is_of_whom_it_names(kind: str = "namespaces") -> None:
    elsewhere = f"{RG}/providers/microsoft.containerservice/managedclusters/other/{kind}/ml"
    role = tenant(f"{OPERATIONS}/*", deny=[f"{OPERATIONS}/*"], refused_at=elsewhere)
    assert ("read", "allow") in had(radius(cluster(), role))
    everything = tenant(f"{OPERATIONS}/*", deny=["*"], refused_at=f"{AKS}/{kind}/ml")
    found = radius(cluster(), everything)
    assert not had(found)
    assert "k8s/prod/ml" not in found.takeovers


ONLY = (
    "((!(ActionMatches{'Microsoft.ContainerService/managedClusters/customresources/read'})) OR "
    "(@Request[Microsoft.ContainerService/managedClusters/customResources:group] "
    "StringEqualsIgnoreCase '%s'))"
)


@pytest.mark.parametrize(
    ("group", "verdict"), [("serving.kserve.io", "conditional"), ("other.io", "conditional")]
)
def test_a_condition_on_custom_resources(group: str, verdict: str) -> None:
    """Which kinds it means is known only of those that roles name."""
    role = tenant(f"{OPERATIONS}/customresources/read", condition=ONLY % group)
    assert had(radius(cluster(), role), CUSTOM) == {("read", verdict)}


def test_rules_on_a_condition_leave_others_certain() -> None:
    condition = (
        "((!(ActionMatches{'Microsoft.ContainerService/managedClusters/secrets/read'})) OR "
        "(@Environment[isPrivateLink] BoolEquals true))"
    )
    role = tenant(
        f"{OPERATIONS}/secrets/read",
        f"{OPERATIONS}/configmaps/read",
        condition=condition,
    )
    engine = built(cluster(), role)
    assert str(engine.decide(USER, "core:secrets:get", SECRET).verdict) == "conditional"
    assert str(engine.decide(USER, "core:configmaps:get", "k8s/prod/ml").verdict) == "allow"


def test_a_witness_that_only_the_cloud_can_tell_is_not_refuted() -> None:
    """The reference evaluator of clusters knows their bindings, and not what Azure says."""
    parts = (cluster(), tenant(f"{OPERATIONS}/secrets/read"))
    access = next(one for one in radius(*parts).accesses if one.grant.resource == SECRET)
    witness = msgspec.to_builtins(Witnesses().of_access(access))
    written = json.loads(encode(merge(parts, taken_at=NOW, tool="")))
    assert [one.outcome.value for one in check(written, witness)][-1] == "unchecked"
    alone = json.loads(encode(cluster()))
    assert [one.outcome.value for one in check(alone, witness[-1:])] == ["fails"]


WRITE = f"{OPERATIONS}/write"
ADMIN = f"{OPERATIONS}/listClusterAdminCredential/action"
FLUX = "Microsoft.KubernetesConfiguration/fluxConfigurations/write"


def entered(*parts: Snapshot) -> set[tuple[str, str]]:
    """As whom the identity enters the cluster, and on what that hangs."""
    whole = engines(Facts(merge(parts, taken_at=NOW, tool="")))
    found = (
        pivot
        for token in whole["azure"].tokens(SPN)
        for pivot in whole["kubernetes"].admits(token, SPN)
    )
    return {(one.target.rpartition(":")[2], render(one.residual)) for one in found}


@pytest.mark.parametrize(
    ("actions", "about", "hangs"),
    [
        ([WRITE, ADMIN], {}, "turns the local accounts of"),
        ([WRITE], {}, "g-1, a group that it is in, is made an administrator"),
        ([WRITE], {"entra": False}, "g-1, a group that it is in, is made an administrator"),
        ([FLUX], {}, "Flux is installed in"),
        (["Microsoft.ContainerService/*"], {}, "turns the local accounts of"),
    ],
)
def test_who_writes_a_cluster_makes_itself_its_administrator(
    actions: list[str], about: Any, hangs: str
) -> None:
    """Local accounts are off, and it holds no data action: what it may write lets it in."""
    parts = (cluster(), tenant(actions=actions, **about))
    found = radius(*parts).takeovers["k8s/prod"].path
    assert str(found.strength) == "conditional"
    told = {when for who, when in entered(*parts) if who == "clusterAdmin"}
    assert any(hangs in when for when in told)
    assert all("provided that" in when for when in told)


@pytest.mark.parametrize(
    "actions", [[ADMIN], [f"{OPERATIONS}/read"], [f"{OPERATIONS}/agentPools/write"]]
)
def test_who_may_not_write_a_cluster_stays_out(actions: list[str]) -> None:
    assert not entered(cluster(), tenant(actions=actions))


def test_an_identity_without_a_group_is_made_no_administrator() -> None:
    alone = replace(tenant(actions=[WRITE]), principals=(Principal(SPN, "azure", "x", TENANT),))
    assert not entered(cluster(), alone)


def test_a_group_that_a_cluster_makes_its_administrators() -> None:
    found = radius(cluster(), tenant(admin_groups=(GROUP,)))
    (entering, taking) = found.takeovers["k8s/prod"].path.pivots
    assert (entering.via, str(entering.strength), taking.kind) == (AKS, "certain", "administer")
    assert not radius(cluster(), tenant(admin_groups=("g-2",))).takeovers
    unread = Gap(provider="azure", scope=TENANT, kind="groups", reason="denied", subject="g-2")
    perhaps = replace(tenant(admin_groups=("g-2",)), gaps=(unread,))
    assert str(radius(cluster(), perhaps).takeovers["k8s/prod"].path.strength) == "unknown"


def test_who_writes_a_cluster_has_it_ask_azure_for_the_roles_that_it_holds() -> None:
    secrets = f"{OPERATIONS}/secrets/read"
    role = tenant(secrets, actions=[WRITE], azure_rbac=False)
    assert ("read", "conditional") in had(radius(cluster(), role))
    refused = tenant(secrets, actions=[WRITE], refuse=[WRITE], azure_rbac=False)
    assert not had(radius(cluster(), refused))
    assert not had(radius(cluster(), tenant(secrets, azure_rbac=False)))


ASSIGN = "Microsoft.Authorization/roleAssignments/write"


def test_who_gives_itself_roles_takes_the_cluster_over() -> None:
    """It may assign roles, and holds none that counts in the cluster."""
    found = radius(cluster(), tenant(actions=[ASSIGN]))
    kinds = [pivot.kind for pivot in found.takeovers["k8s/prod"].path.pivots]
    assert kinds[-2:] == ["federation", "administer"]
    assert not radius(cluster(), tenant()).takeovers


@pytest.mark.parametrize("at", ["/subscriptions/s", RG])
@pytest.mark.parametrize(
    "about", [{}, {"azure_rbac": False, "local_accounts": True}], ids=["data actions", "admin"]
)
def test_who_takes_a_scope_over_takes_the_clusters_in_it_over(at: str, about: Any) -> None:
    found = radius(cluster(), tenant(at=at, actions=[ASSIGN], **about))
    entering, taking = found.takeovers["k8s/prod"].path.pivots
    assert (entering.kind, taking.kind) == ("federation", "administer")
    assert str(taking.strength) == str(entering.strength) == "certain"
    (support,) = entering.support
    assert (support.subject, support.action, support.object) == (SPN, ASSIGN, at)
    assert ASSIGN in support.statements[0].text
    assert had(found) >= {("read", "allow")}


def test_a_scope_that_is_taken_over_and_a_cluster_that_has_no_door_in_azure() -> None:
    """Whoever may write the cluster makes a door, unless that is denied it."""
    about: dict[str, Any] = {"azure_rbac": False, "local_accounts": False}
    found = radius(cluster(), tenant(at=RG, actions=[ASSIGN], **about))
    assert str(found.takeovers["k8s/prod"].path.strength) == "conditional"
    refuse = [WRITE, FLUX]
    found = radius(cluster(), tenant(at=RG, actions=[ASSIGN], refuse=refuse, **about))
    assert set(found.takeovers) == {RG}
    elsewhere = tenant(at="/subscriptions/s/resourcegroups/other", actions=[ASSIGN])
    assert "k8s/prod" not in radius(cluster(), elsewhere).takeovers


def test_a_deny_assignment_stops_roles_that_somebody_would_give_itself() -> None:
    refused = [f"{OPERATIONS}/secrets/read"]
    engine = built(cluster(), tenant(at=RG, actions=[ASSIGN], deny=refused))
    assert str(engine.decide(USER, "core:secrets:get", SECRET).verdict) == "deny"
    assert str(engine.decide(USER, "core:configmaps:get", SECRET).verdict) == "allow"


def test_a_scope_that_is_perhaps_taken_over() -> None:
    condition = "(@Environment[isPrivateLink] BoolEquals true)"
    found = radius(cluster(), tenant(at=RG, actions=[ASSIGN], condition=condition))
    assert had(found) == {("read", "conditional"), ("write", "conditional")}
    found = radius(cluster(), tenant(at=RG, actions=[ASSIGN], told=False))
    assert had(found) >= {("read", "unknown"), ("write", "unknown")}


def test_who_gives_itself_roles_of_the_directory_takes_clusters_of_the_tenant_over() -> None:
    """A global administrator elevates its access to the root of all subscriptions."""
    graph, value = "00000003-0000-0000-c000-000000000000", "RoleManagement.ReadWrite.Directory"
    raw = json.dumps({"value": value, "appId": graph}).encode()
    role = f"/approles/{graph}/{value.lower()}"
    place: dict[str, Any] = {"provider": "azure"}
    consent = Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        bindings=(Binding(id="c", target=TENANT, role=role, members=(SPN,), **place),),
        managed_policies=(
            ManagedPolicy(
                id=role,
                scope="",
                name=value,
                default_version="1",
                versions={"1": document_id(raw)},
                **place,
            ),
        ),
        documents={document_id(raw): msgspec.Raw(raw)},
    )
    found = radius(cluster(), tenant(local_accounts=True), consent)
    assert {TENANT, "k8s/prod"} <= set(found.takeovers)
    entering, _ = found.takeovers["k8s/prod"].path.pivots
    assert str(entering.strength) == "certain"
    assert entering.support[0].action == f"graph:{value}"


def test_a_reader_of_pods_and_a_writer_become_whom_pods_run_as() -> None:
    """Who reads pods attaches to them by GET, where the cluster asks for no more; who reads
    services speaks to what they serve."""
    account = "k8s/prod/system:serviceaccount:ml:app"
    speaking = radius(cluster(), tenant(*READER[1:])).identities[account].path.pivots
    assert [str(hop.strength) for hop in speaking] == ["certain", "influence"]
    assert speaking[1].support[0].action == "core:services/proxy:get"
    reading = radius(cluster(), tenant(*READER)).identities[account].path.pivots
    assert [str(hop.strength) for hop in reading] == ["certain", "conditional"]
    assert (reading[1].rule, reading[1].support[0].action) == (
        "k8s-attach",
        "core:pods/attach:get",
    )
    assert "pods/read" in reading[1].support[0].statements[0].text
    found = radius(cluster(), tenant(*WRITER)).identities[account].path.pivots
    assert [str(hop.strength) for hop in found] == ["certain", "certain"]


def test_words_of_a_role_in_a_cluster_say_no_more_than_kubernetes_knows() -> None:
    """A role of the cluster itself cannot say what only a cloud may say of its rules."""
    rules = [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "but": ["core:secrets"]}
    ]
    raw = json.dumps({"rules": rules}).encode()
    role = "k8s/prod//clusterroles.rbac.authorization.k8s.io/odd"
    place: dict[str, Any] = {"provider": "kubernetes"}
    odd = Snapshot(
        schema=SCHEMA,
        taken_at=NOW,
        managed_policies=(
            ManagedPolicy(
                id=role,
                scope="k8s/prod",
                default_version="1",
                versions={"1": document_id(raw)},
                **place,
            ),
        ),
        bindings=(Binding(id="b", target="k8s/prod", role=role, members=(USER,), **place),),
        documents={document_id(raw): msgspec.Raw(raw)},
    )
    assert had(radius(cluster(), odd, tenant())) == {("read", "allow")}


# --- against the obvious ---------------------------------------------------------------------

_NAMES = (
    *("secrets", "pods", "configmaps", "apps/deployments", "apps/*", "*", "pods/exec", "users"),
    *("serving.kserve.io/inferenceservices", "serving.kserve.io/*", "customresources"),
    *("*/*", "p*", "apps/de*"),
)
_VERBS = ("read", "write", "delete", "*", "action", "impersonate/action")
_PATTERNS = st.builds(lambda name, verb: f"{name}/{verb}", *map(st.sampled_from, (_NAMES, _VERBS)))
_REQUESTS = (
    *(("", "secrets", ""), ("", "pods", "log"), ("", "pods", "exec"), ("", "users", "")),
    *(("", "pods", "attach"), ("", "nodes", "proxy")),
    *(("apps", "deployments", "scale"), ("batch", "jobs", ""), ("x.example", "things", "status")),
    ("serving.kserve.io", "inferenceservices", ""),
)
_MEANT = {"get": "read", "create": "write", "deletecollection": "delete"}


def _said(role: tuple[list[str], list[str]], action: str) -> bool:
    """Does a role with these data actions, and these taken away, allow one?"""
    given, taken = ([f"{one.lower()}" for one in part] for part in role)

    def meant(patterns: list[str]) -> bool:
        return any(fnmatchcase(action, pattern) for pattern in patterns)

    return meant(given) and not meant(taken)


def _obvious(role: tuple[list[str], list[str]], request: tuple[str, str, str], verb: str) -> str:
    """What the authoriser of the cluster asks, and is told, word by word."""
    group, resource, part = request
    start = f"{group}/{resource}" if group else resource
    if (resource, part) == ("pods", "exec"):
        answers = {_said(role, "pods/exec/action")}
    elif verb == "impersonate":
        answers = {_said(role, f"{start}/impersonate/action")}
    else:
        answers = {_said(role, f"{start}/{_MEANT[verb]}")}
        if group not in ("", "apps", "batch"):
            answers.add(_said(role, f"customresources/{_MEANT[verb]}"))
        if (part, verb, answers) == ("attach", "get", {True}):
            answers.add(_said(role, "pods/write"))
    return "conditional" if len(answers) > 1 else "allow" if True in answers else "deny"


@given(st.lists(_PATTERNS, min_size=1, max_size=4), st.lists(_PATTERNS, max_size=2))
def test_a_cluster_is_told_what_azure_says(given_: list[str], taken: list[str]) -> None:
    role = tenant(
        *(f"{OPERATIONS}/{one}" for one in given_), but=[f"{OPERATIONS}/{one}" for one in taken]
    )
    engine = built(cluster(), role)
    entered = engine.principal(USER) is not None
    boxes = engine.permissions(USER).boxes if entered else ()
    for request in _REQUESTS:
        verbs = ("impersonate",) if request[1] == "users" else tuple(_MEANT)
        for verb in verbs if request[2] != "exec" else ("get", "create"):
            group, resource, part = request
            asked = f"{group or 'core'}:{resource}{'/' + part if part else ''}:{verb}"
            found = str(engine.decide(USER, asked, "k8s/prod/ml").verdict) if entered else "deny"
            assert found == _obvious((given_, taken), request, verb), (asked, given_, taken)
            assert (found != "deny") is any(box.actions.contains(asked) for box in boxes), asked
