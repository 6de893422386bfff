"""The machines that nodes are, and whom their metadata services make of who asks them.

A node says which machine of a cloud it is; where that machine was not listed, the pool that the
node is of, or its cluster, tells as whom it runs. Whatever shares the network of a node asks its
metadata service as the node does; other pods only where they get through to it.
https://kubernetes.io/docs/concepts/security/multi-tenancy/#node-isolation
https://learn.microsoft.com/azure/aks/imds-restriction
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import provided, strength_of
from modelreach.policy.expr import TRUE, Expr
from modelreach.policy.kubernetes.cloud import CloudCluster
from modelreach.policy.kubernetes.estate import Estate
from modelreach.policy.kubernetes.names import cluster_of, user_id
from modelreach.policy.kubernetes.nodes import escape_of
from modelreach.policy.metadata_service import is_silent, keeps_pods_out
from modelreach.snapshot import Principal, Runtime

_EKS_POOL: Final = "eks.amazonaws.com/nodegroup"
_GKE_POOL: Final = "cloud.google.com/gke-nodepool"


def from_pods(estate: Estate, principal: Principal) -> Iterator[Pivot]:
    """Give a hop to each identity that the machines have on which pods of an account run."""
    told: set[tuple[str, Expr]] = set()
    for runtime in estate.runtimes_of.get(principal.id, ()):
        node = _node(estate, runtime)
        if node is None:
            continue
        for target, machine in identities(estate, node):
            when = _reached(runtime, machine, node)
            if when is not None and target != principal.id and (target, TRUE) not in told:
                told.add((target, when))
                yield _hop(principal.id, target, runtime.id, node, when)


def from_node(estate: Estate, node: Principal) -> Iterator[Pivot]:
    """Give a hop to each identity of a node's machine: had by who is on the machine, and not by
    who only is the node in the cluster."""
    for target, machine in identities(estate, node):
        if machine is None or not is_silent(machine.attributes):
            on = provided(
                f"it is on the machine of {node.name}, not only that node in the cluster"
            )
            yield _hop(node.id, target, "", node, on)


def _node(estate: Estate, runtime: Runtime) -> Principal | None:
    name = runtime.attributes.get("node")
    if not isinstance(name, str):
        return None
    return estate.principal(user_id(cluster_of(runtime.id), f"system:node:{name}"))


def identities(estate: Estate, node: Principal) -> Iterator[tuple[str, Runtime | None]]:
    """Give the identities of a node's machine, each with what tells of it, where something is."""
    machine = _machine(estate, node)
    if machine is not None:
        yield from ((name, machine) for name in machine.identities)
        return
    cloud = estate.cloud_of(cluster_of(node.id))
    kubelet = cloud.fact.attributes.get("kubelet_identity") if cloud is not None else None
    if isinstance(kubelet, str) and kubelet:
        yield kubelet, None


def _machine(estate: Estate, node: Principal) -> Runtime | None:
    said = node.attributes.get("provider_id")
    listed = _listed(said) if isinstance(said, str) else ()
    cloud = estate.cloud_of(cluster_of(node.id))
    pool = (_pool(node, cloud),) if cloud is not None else ()
    return next((r for one in (*listed, *pool) if (r := estate.machines.get(one))), None)


def _listed(provider_id: str) -> Iterable[str]:
    """How the machine of a provider id may be listed.

    https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/#NodeSpec
    """
    cloud, _, rest = provider_id.partition("://")
    match cloud:
        case "aws":
            return (rest.rpartition("/")[2],)
        case "gce" if rest.count("/") == 2:
            project, zone, name = rest.split("/")
            return (f"//compute.googleapis.com/projects/{project}/zones/{zone}/instances/{name}",)
        case "azure":
            machine = rest.lower()
            return machine, machine.rpartition("/virtualmachines/")[0]
        case _:
            return ()


def _pool(node: Principal, cloud: CloudCluster) -> str:
    if name := node.tags.get(_EKS_POOL):
        return f"{cloud.id}/{name}"
    name = node.tags.get(_GKE_POOL, "")
    return f"{cloud.id}/nodePools/{name}" if name else ""


def _reached(runtime: Runtime, machine: Runtime | None, node: Principal) -> Expr | None:
    """When a pod gets the credentials of its node; None when it does not."""
    about = machine.attributes if machine is not None else {}
    if is_silent(about):
        return None
    if runtime.attributes.get("host_network") is True or escape_of(runtime):
        return TRUE
    if keeps_pods_out(about):
        return None
    return provided(f"pods get through to the metadata of node {node.name}")


def _hop(source: str, target: str, via: str, node: Principal, when: Expr) -> Pivot:
    note = f"the metadata service of node {node.name} gives credentials of it"
    return Pivot(
        "node",
        source,
        target,
        strength_of(when),
        when,
        (Support(source, "read the metadata service", via or node.id, (), note),),
        via=via,
        note=note,
    )
