"""What pods get of their nodes, and who may make one that is as good as its node."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from modelreach.policy.kubernetes.engine import KubernetesEngine
from modelreach.snapshot import Facts, Resource, Runtime, Snapshot

ROLE = "arn:aws:iam::1:role/node"
I_1 = "arn:aws:ec2:eu-west-1:1:instance/i-1"
EKS = "arn:aws:eks:eu-west-1:1:cluster/prod"
VMSS = "/subscriptions/s/resourcegroups/mc/providers/microsoft.compute/virtualmachinescalesets/a"
GCE = "//compute.googleapis.com/projects/p/zones/z/instances/n"
N1 = "k8s/prod/user:system:node:n1"


def machine(name: str, kind: str, **about: Any) -> Runtime:
    provider = {"ec2:": "aws", "eks:": "aws", "comp": "gcp", "cont": "gcp"}.get(kind[:4], "azure")
    return Runtime(
        id=name,
        provider=provider,
        kind=kind,
        scope="1",
        name=name.rpartition("/")[2],
        identities=(ROLE,),
        attributes=about,
    )


def hops(cluster: Any, who: str, *more: Runtime | Resource) -> dict[str, str]:
    """Whom somebody becomes, and how surely, with these machines in the snapshot."""
    found: Snapshot = cluster.snapshot
    runtimes = tuple(one for one in more if isinstance(one, Runtime))
    resources = tuple(one for one in more if isinstance(one, Resource))
    found = replace(
        found,
        runtimes=(*found.runtimes, *runtimes),
        resources=(*found.resources, *resources),
    )
    pivots = KubernetesEngine(Facts(found)).pivots(who)
    return {pivot.target: str(pivot.strength) for pivot in pivots}


@pytest.mark.parametrize(
    ("provider_id", "runs"),
    [
        ("aws:///eu-west-1a/i-1", machine(I_1, "ec2:instance")),
        ("gce://p/z/n", machine(GCE, "compute.googleapis.com/Instance")),
        (
            f"azure://{VMSS.upper()}/virtualMachines/0",
            machine(VMSS, "microsoft.compute/virtualmachinescalesets"),
        ),
    ],
    ids=["aws", "gcp", "azure"],
)
@pytest.mark.parametrize(
    ("about", "strength"),
    [
        ({"host_network": True}, "certain"),
        ({"privileged": True}, "certain"),
        ({}, "conditional"),
    ],
)
def test_a_pod_has_what_its_machine_has(
    cluster: Any, provider_id: str, runs: Runtime, about: Any, strength: str
) -> None:
    app = cluster.account("app")
    cluster.user("system:node:n1", provider_id=provider_id)
    cluster.runtime("pods", "p", app, node="n1", **about)
    assert hops(cluster, app, runs)[ROLE] == strength
    elsewhere = replace(runs, id=f"{runs.id}x")
    assert ROLE not in hops(cluster, app, elsewhere)
    # A certificate of the node is not yet its machine.
    assert hops(cluster, N1, runs)[ROLE] == "conditional"


@pytest.mark.parametrize(
    ("options", "pod", "strength"),
    [
        ({"imds_hop_limit": 1, "imds_tokens": "required"}, {}, ""),
        ({"imds_hop_limit": 1, "imds_tokens": "optional"}, {}, "conditional"),
        ({"imds_hop_limit": 1}, {}, "conditional"),
        ({"imds_hop_limit": 2}, {}, "conditional"),
        ({"imds_hop_limit": 1}, {"host_network": True}, "certain"),
        ({"imds_endpoint": "disabled"}, {"host_network": True}, ""),
        ({"imds_endpoint": "disabled"}, {"privileged": True}, ""),
    ],
)
def test_machines_that_answer_no_pod(cluster: Any, options: Any, pod: Any, strength: str) -> None:
    app = cluster.account("app")
    cluster.user("system:node:n1", provider_id="aws:///eu-west-1a/i-1")
    cluster.runtime("pods", "p", app, node="n1", **pod)
    assert hops(cluster, app, machine(I_1, "ec2:instance", **options)).get(ROLE, "") == strength


def test_a_machine_that_is_not_listed_runs_as_its_group_of_nodes(cluster: Any) -> None:
    cluster.attributes["arn"] = EKS
    app = cluster.account("app")
    cluster.user("system:node:n1", provider_id="aws:///eu-west-1a/i-1")
    cluster.principals[-1] = replace(
        cluster.principals[-1], tags={"eks.amazonaws.com/nodegroup": "gpu"}
    )
    cluster.runtime("pods", "p", app, node="n1", host_network=True)
    group = machine(f"{EKS}/nodes/gpu", "eks:nodegroup", cluster=EKS)
    there = Runtime(id=EKS, provider="aws", kind="eks:cluster", scope="1")
    assert hops(cluster, app, group, there)[ROLE] == "certain"
    assert ROLE not in hops(cluster, app, replace(group, name="cpu"), there)


def test_nodes_of_aks_run_as_its_kubelet(cluster: Any) -> None:
    aks = (
        "/subscriptions/s/resourcegroups/rg/providers/microsoft.containerservice/managedclusters/c"
    )
    cluster.attributes["resource_id"] = aks
    app = cluster.account("app")
    cluster.user("system:node:n1", provider_id=f"azure://{VMSS}/virtualMachines/0")
    cluster.runtime("pods", "p", app, node="n1", host_network=True)
    there = Resource(
        id=aks,
        provider="azure",
        kind="microsoft.containerservice/managedclusters",
        scope="rg",
        attributes={"kubelet_identity": "o-kubelet"},
    )
    assert hops(cluster, app, there)["o-kubelet"] == "certain"


# --- who may make one ----------------------------------------------------------------------------

ENFORCE = "pod-security.kubernetes.io/enforce"


@pytest.mark.parametrize("level", ["", "privileged", "baseline", "restricted"])
@pytest.mark.parametrize(
    ("verb", "resource", "group", "makes"),
    [
        ("create", "pods", "", True),
        ("patch", "daemonsets", "apps", True),
        ("create", "jobs", "batch", True),
        ("update", "pods", "", False),
        ("get", "pods", "", False),
    ],
)
def test_who_makes_pods_makes_one_that_is_its_node(
    cluster: Any, level: str, verb: str, resource: str, group: str, makes: bool
) -> None:
    cluster.namespaces["ml"] = {ENFORCE: level} if level else {}
    caller, node = cluster.account("caller"), cluster.user("system:node:n1")
    cluster.let(caller, verb, resource, group=group, namespace="ml")
    reached = makes and level not in ("baseline", "restricted")
    found = [one for one in cluster.engine.pivots(caller) if one.target == node]
    assert [str(one.strength) for one in found] == (["conditional"] if reached else [])
    for one in found:
        assert one.support[0].statements and "k8s/prod/ml" in str(one.residual)


@pytest.mark.parametrize(("place", "reached"), [("ml", True), ("web", False), ("", True)])
def test_who_changes_the_namespace_lets_it_in(cluster: Any, place: str, reached: bool) -> None:
    """A namespace is asked about within itself: a role that is bound there lets it be changed."""
    cluster.namespaces["ml"] = {ENFORCE: "restricted"}
    caller, node = cluster.account("caller"), cluster.user("system:node:n1")
    cluster.let(caller, "create", "pods", namespace="ml")
    cluster.let(caller, "patch", "namespaces", namespace=place)
    assert ((node, "conditional") in cluster.hops(caller)) is reached


def test_a_namespace_that_is_open_comes_before_one_that_has_to_be_opened(cluster: Any) -> None:
    cluster.namespaces["ml"] = {ENFORCE: "restricted"}
    caller, node = cluster.account("caller"), cluster.user("system:node:n1")
    cluster.let(caller, "create", "pods")
    cluster.let(caller, "patch", "namespaces")
    (pivot,) = [one for one in cluster.engine.pivots(caller) if one.target == node]
    assert [support.object for support in pivot.support] == ["k8s/prod/web"]


@pytest.mark.parametrize(
    ("place", "asked", "verdict"),
    [
        ("ml", "k8s/prod//namespaces/ml", "allow"),
        ("ml", "k8s/prod//namespaces/web", "deny"),
        ("ml", "k8s/prod/ml", "allow"),
        ("ml", "k8s/prod", "conditional"),
        ("", "k8s/prod//namespaces/web", "allow"),
    ],
)
def test_a_namespace_is_asked_about_within_itself(
    cluster: Any, place: str, asked: str, verdict: str
) -> None:
    caller = cluster.account("caller")
    for verb in ("patch", "create"):
        cluster.let(caller, verb, "namespaces", namespace=place)
    assert cluster.may(caller, "core:namespaces:patch", asked) == verdict
    assert cluster.may(caller, "core:namespaces:create", asked) == ("deny" if place else "allow")
