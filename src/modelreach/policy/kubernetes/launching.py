"""Pods that are as good as their node, by whoever may make one.

Nothing in RBAC keeps a pod from being privileged, or from mounting its node's folders: admission
may. Pod Security is told by a label of the namespace, which whoever may change the namespace takes
away; what else admits pods is not read.
https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation
https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelreach.model import Verdict
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import provided, strength_of
from modelreach.policy.expr import Expr, all_of, atoms
from modelreach.policy.kubernetes.decide import decide
from modelreach.policy.kubernetes.estate import Estate
from modelreach.policy.kubernetes.holder import Subject
from modelreach.policy.kubernetes.names import cluster_of
from modelreach.snapshot import Principal

RULE: Final = "k8s-privileged-pod"
_ENFORCED: Final = "pod-security.kubernetes.io/enforce"
#: Levels at which no pod is privileged, or mounts anything of its node.
_KEPT_OUT: Final = ("baseline", "restricted")
_OF_APPS: Final = ("deployments", "statefulsets", "daemonsets", "replicasets")
_CHANGES: Final = ("create", "update", "patch")
_MAKES: Final = (
    "core:pods:create",
    *(f"apps:{kind}:{verb}" for kind in _OF_APPS for verb in _CHANGES),
    *(f"core:replicationcontrollers:{verb}" for verb in _CHANGES),
    "batch:jobs:create",
    *(f"batch:cronjobs:{verb}" for verb in _CHANGES),
)
_Way = tuple[Expr, tuple[Support, ...]]
#: On how much a way hangs at least, and by how many permissions it goes.
_SHORTEST: Final = (1, 1)


def launched(estate: Estate, principal: Principal) -> Iterator[Pivot]:
    """Give a hop to each node, of which a pod chooses one, from somebody who may make pods."""
    nodes = estate.principals.get((cluster_of(principal.id), "node"), ())
    way = _easiest(estate, principal) if nodes else None
    if way is None:
        return
    when, support = way
    note = "run a privileged pod on the node"
    for node in nodes:
        if node.id != principal.id:
            yield Pivot(
                "escape",
                principal.id,
                node.id,
                strength_of(when),
                when,
                support,
                RULE,
                note=note,
            )


def _easiest(estate: Estate, principal: Principal) -> _Way | None:
    """The way that hangs on least: one namespace gives every node."""
    best: _Way | None = None
    for way in _ways(Subject(estate, principal)):
        if best is None or _length(way) < _length(best):
            best = way
        if _length(best) == _SHORTEST:
            break
    return best


def _length(way: _Way) -> tuple[int, int]:
    return sum(1 for _ in atoms(way[0])), len(way[1])


def _ways(holder: Subject) -> Iterator[_Way]:
    relaxes = any(holder.places(f"core:namespaces:{verb}") for verb in _CHANGES[1:])
    for action in _MAKES:
        for place in holder.places(action):
            for namespace in holder.estate.within(place):
                scope = holder.estate.facts.scopes.get(namespace)
                if scope is None or scope.kind != "namespace":
                    continue
                closed = scope.tags.get(_ENFORCED) in _KEPT_OUT
                if relaxes or not closed:
                    yield from _within(holder, action, namespace, closed=closed)


def _within(holder: Subject, action: str, namespace: str, *, closed: bool) -> Iterator[_Way]:
    decision = holder.decide(action, namespace, {})
    if decision.verdict is Verdict.DENY:
        return
    made = Support(holder.name, action, namespace, decision.allowed_by)
    admitted = provided(f"nothing that admits pods keeps a privileged one out of {namespace}")
    when = all_of((decision.residual, admitted))
    if closed:
        yield from _relaxed(holder, namespace, when, made)
    else:
        yield when, (made,)


def _relaxed(holder: Subject, namespace: str, when: Expr, made: Support) -> Iterator[_Way]:
    """Pod Security keeps it out, unless it may change the label that says so."""
    thing = f"{cluster_of(namespace)}//namespaces/{namespace.rpartition('/')[2]}"
    for verb in _CHANGES[1:]:
        action = f"core:namespaces:{verb}"
        decision = decide(holder.estate, holder.principal, action, thing)
        if decision.verdict is not Verdict.DENY:
            changed = Support(holder.name, action, thing, decision.allowed_by)
            yield all_of((when, decision.residual)), (changed, made)
