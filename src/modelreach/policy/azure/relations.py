"""Whom a principal is as good as, by what it is rather than by what it may do.

An application acts as its service principal; a blueprint gets tokens as each of its agent
identities; an agent identity as its agent user.
https://learn.microsoft.com/entra/identity-platform/app-objects-and-service-principals
https://learn.microsoft.com/entra/agent-id/identity-platform/agent-blueprint
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from modelreach.model import Strength, Verdict
from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.decide import decide
from modelreach.policy.azure.estate import strings
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import provided, strength_of
from modelreach.policy.expr import FALSE, TRUE, Expr, all_of
from modelreach.policy.glob import match
from modelreach.policy.provider import Opens
from modelreach.snapshot import Principal, Resource

_READ = "data:Microsoft.KeyVault/vaults/secrets/getSecret/action"


def relations(asker: Asker) -> Iterator[Pivot]:
    """Give the hops from a principal to whom it is as good as."""
    principal = asker.principal
    if principal.kind == "application":
        yield from _hop(asker, str(principal.attributes.get("service_principal", "")), *_RUNS_AS)
    if principal.kind == "agent-blueprint" or principal.attributes.get("agent_blueprint"):
        for child in asker.estate.children_of(principal):
            yield from _hop(asker, child, *_BLUEPRINT)
    if principal.kind == "agent-identity":
        for user in asker.estate.users_of(principal.id):
            yield from _hop(asker, user, *_AGENT_USER)
    if principal.kind == "user":
        yield from _owned(asker)
    if principal.kind == "user" and not principal.attributes.get("agent_user"):
        yield from _activated(asker)


_RUNS_AS = (
    "trust",
    "azure-application",
    "credentials of an application open its service principal",
)
_BLUEPRINT = (
    "trust",
    "azure-blueprint",
    "a blueprint gets tokens as each of its agent identities",
)
_OWNS = ("credential", "azure-owner", "its owner may add a credential")
_JOINS = ("membership", "azure-group-owner", "its owner may add members")
_ELIGIBLE = {
    "membership": "it may activate membership of the group",
    "ownership": "it may activate ownership of the group, and add members then",
}
_AGENT_USER = ("trust", "azure-agent-user", "an agent identity gets tokens as its agent user")


def _hop(asker: Asker, target: str, kind: str, rule: str, note: str) -> Iterator[Pivot]:
    found = asker.estate.facts.principals.get(target)
    if found is None or target == asker.principal.id:
        return
    if found.attributes.get("enabled") is False:
        return
    support = Support(asker.name, "", target, (), note)
    yield Pivot(kind, asker.name, target, Strength.CERTAIN, TRUE, (support,), rule, note=note)


def _activated(asker: Asker) -> Iterator[Pivot]:
    """A person may activate the membership, or the ownership, that it is eligible for: itself or
    by a group that is.

    https://learn.microsoft.com/entra/id-governance/privileged-identity-management/concept-pim-for-groups
    """
    for group, how in asker.estate.eligible_for(asker.principal):
        fact = asker.estate.facts.principals[group]
        what = "membership" if how == "eligible_members" else "ownership"
        when = provided(f"its {what} of {fact.name or group} is activated, as its policy asks for")
        for pivot in _hop(asker, group, "membership", "azure-eligible-for-group", _ELIGIBLE[what]):
            yield replace(pivot, strength=strength_of(when), residual=when)


def _owned(asker: Asker) -> Iterator[Pivot]:
    """A person who owns an application, service principal or group may add credentials or members.

    An application that owns another needs a permission of Microsoft Graph for that besides; rules
    say which.
    https://learn.microsoft.com/entra/fundamentals/users-default-permissions#object-ownership
    """
    for owned in asker.estate.owned_by(asker.principal.id):
        if owned.kind == "group" and not asker.estate.restricting(owned.id):
            yield from _hop(asker, owned.id, *_JOINS)
        elif owned.kind in ("application", "service-principal", "agent-blueprint"):
            target = _service_principal(owned)
            yield from _hop(asker, target, *_OWNS)


def _service_principal(owned: Principal) -> str:
    if owned.kind != "application":
        return owned.id
    return str(owned.attributes.get("service_principal", "")) or owned.id


def credentials(asker: Asker, opens: Opens) -> Iterator[Pivot]:
    """Give a hop to each principal whose credentials a readable secret is said to hold."""
    for glob, target in opens:
        for resource in asker.estate.facts.snapshot.resources:
            if resource.provider != "azure" or not match(glob.lower(), resource.id):
                continue
            decision = decide(asker, _READ, resource.id)
            if decision.verdict is Verdict.DENY or target == asker.name:
                continue
            yield Pivot(
                "credential",
                asker.name,
                target,
                strength_of(decision.residual),
                decision.residual,
                (Support(asker.name, _READ, resource.id, decision.allowed_by),),
                via=resource.id,
                note=f"{resource.name or resource.id} holds a credential of it",
            )


def administers(asker: Asker, cluster: Resource) -> Expr:
    """Is a principal in a group that a cluster makes its administrators? What that hangs on.

    https://learn.microsoft.com/azure/aks/enable-authentication-microsoft-entra-id
    """
    named = strings(cluster.attributes.get("admin_groups", ()))
    return asker.among(frozenset(named)) if named else FALSE


def administered(asker: Asker) -> Iterator[Pivot]:
    """Give a hop to the identity of the nodes of each cluster that it administers by a group."""
    for cluster in asker.estate.clusters:
        when = administers(asker, cluster)
        if when == FALSE:
            continue
        note = f"a group that it is in administers {cluster.id}"
        yield Pivot(
            "run-code",
            asker.name,
            str(cluster.attributes.get("kubelet_identity", "")),
            strength_of(when),
            when,
            (Support(asker.name, "", cluster.id, (), note),),
            "azure-aks-admin-group",
            via=cluster.id,
            note=note,
        )


def clusters(asker: Asker, taken: Iterable[Pivot]) -> Iterator[Pivot]:
    """Whoever runs what it likes in a cluster has the identities that trust the cluster's pods.
    Who runs a command in one that lets identities of Entra in acts there as itself: which pods it
    makes hangs on what it may do there.

    https://learn.microsoft.com/azure/aks/workload-identity-overview
    """
    for pivot in taken:
        fact = asker.estate.facts.resources.get(pivot.via)
        as_itself = fact is not None and fact.attributes.get("entra") is not False
        if pivot.rule == "azure-aks-run-command" and as_itself:
            pods = provided(f"it may make pods in {pivot.via}")
            residual = all_of((pivot.residual, pods))
            pivot = replace(pivot, residual=residual, strength=strength_of(residual))
        for target in asker.estate.trusting_issuer(pivot.via):
            if target != asker.principal.id:
                note = "a pod of the cluster gets tokens as it"
                yield replace(pivot, target=target, kind="trust", note=note)
