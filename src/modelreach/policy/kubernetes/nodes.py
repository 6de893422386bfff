"""Containers that are as good as their node, and what a node holds.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
https://kubernetes.io/docs/reference/access-authn-authz/node/
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Strength
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.expr import TRUE
from modelreach.policy.kubernetes.estate import Estate, acting
from modelreach.policy.kubernetes.names import cluster_of, user_id
from modelreach.snapshot import AttributeValue, Principal, Runtime

#: Folders of a node in which lies what takes it over: sockets, credentials, what it runs.
_DEEP = (
    "/",
    "/etc",
    "/etc/kubernetes",
    "/proc",
    "/root",
    "/run",
    "/run/containerd",
    "/run/crio",
    "/sys",
    "/usr",
    "/var",
    "/var/lib",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/log",
    "/var/run",
)
_SOCKETS = ("containerd.sock", "crio.sock", "docker.sock", "dockershim.sock")
#: Linux capabilities that lead out of a container by themselves.
_CAPABILITIES = frozenset({"SYS_MODULE", "SYS_ADMIN", "ALL"})
#: Those that do with the node's processes in sight.
_TRACING = frozenset({"SYS_PTRACE"})


def escapes(estate: Estate, principal: Principal) -> Iterator[Pivot]:
    """Give a hop to each node that a container of this account is as good as."""
    told: set[str] = set()
    for runtime in estate.runtimes_of.get(principal.id, ()):
        why = escape_of(runtime)
        node = runtime.attributes.get("node")
        if not why or not isinstance(node, str):
            continue
        target = user_id(cluster_of(runtime.id), f"system:node:{node}")
        if target not in told and estate.principal(target) is not None:
            told.add(target)
            yield _hop(principal.id, target, "escape", runtime, why)


def escape_of(runtime: Runtime) -> str:
    """Say why code in a runtime's containers is as good as its node; "" when nothing says so."""
    facts = runtime.attributes
    added = {one.removeprefix("CAP_") for one in _tuple(facts.get("capabilities"))}
    if facts.get("privileged") is True:
        return "a container is privileged"
    if added & _CAPABILITIES:
        return f"a container has {' and '.join(sorted(added & _CAPABILITIES))}"
    if facts.get("host_pid") is True and added & _TRACING:
        return "it may trace the node's processes"
    for path in _tuple(facts.get("host_paths_writable")):
        if path.rstrip("/") in _DEEP or path == "/" or path.endswith(_SOCKETS):
            return f"it may write the node's `{path}`"
    for path in _tuple(facts.get("host_paths")):
        if path.endswith(_SOCKETS):
            return f"it may speak to the node's `{path}`"
    return ""


def _tuple(value: AttributeValue | None) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def of_node(estate: Estate, node: Principal) -> Iterator[Pivot]:
    """Give a hop to every account whose token lies on a node, and to the node's identity."""
    told: set[str] = set()
    for runtime in estate.runtimes_on.get(node.id, ()):
        for name in acting(runtime):
            found = estate.principal(name)
            silent = name not in runtime.identities and not (found and estate.leads_out(found))
            if name not in told and found is not None and not silent:
                told.add(name)
                note = "its token lies on the node"
                yield _hop(node.id, name, "credential", runtime, note)
    outside = node.attributes.get("instance_identity")
    if isinstance(outside, str) and outside:
        yield Pivot(
            "credential",
            node.id,
            outside,
            Strength.CERTAIN,
            TRUE,
            (Support(node.id, "read the metadata service", outside, ()),),
            note="the node's own identity in its cloud",
        )


def _hop(source: str, target: str, kind: str, runtime: Runtime, note: str) -> Pivot:
    support = Support(source, "run in", runtime.id, (), note)
    return Pivot(
        kind,
        source,
        target,
        Strength.CERTAIN,
        TRUE,
        (support,),
        via=runtime.id,
        note=f"{note} (by way of {runtime.id})",
    )
