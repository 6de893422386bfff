"""Whom a subject of a cluster can become, and which scope it can take over, in one hop.

Administration first, then the rules; what needs no permission (a container that is the node, a
node that holds what its pods run as) comes from how things run.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from modelreach.model import Strength, Verdict
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import provided, strength_of, tried
from modelreach.policy.escalation.prober import RoleProber
from modelreach.policy.escalation.rules import rules
from modelreach.policy.expr import TRUE, Expr, all_of
from modelreach.policy.kubernetes.became import becoming
from modelreach.policy.kubernetes.decide import CLUSTER_SCOPED, decide
from modelreach.policy.kubernetes.estate import Estate
from modelreach.policy.kubernetes.holder import Subject
from modelreach.policy.kubernetes.impersonation import constrained
from modelreach.policy.kubernetes.launching import launched
from modelreach.policy.kubernetes.machines import from_node, from_pods
from modelreach.policy.kubernetes.names import Action, Object, cluster_of
from modelreach.policy.kubernetes.nodes import escapes, of_node
from modelreach.policy.kubernetes.refusing import Refusing, let_in
from modelreach.snapshot import Principal

PACKAGE = "modelreach.policy.kubernetes"


def pivots(estate: Estate, principal: Principal) -> Iterator[Pivot]:
    """Give every hop from a principal."""
    yield from escapes(estate, principal)
    yield from from_pods(estate, principal)
    if principal.kind == "node":
        yield from of_node(estate, principal)
        yield from from_node(estate, principal)
    taken = tuple(_administers(estate, principal))
    yield from taken
    cluster = cluster_of(principal.id)
    sure = tuple(p for p in taken if p.target == cluster and p.strength is Strength.CERTAIN)
    if sure:
        yield from _as_administrator(estate, principal, sure)
        return
    yield from _by_rules(estate, principal)
    yield from constrained(estate, principal)
    yield from launched(estate, principal)
    yield from (_admitted(pivot, estate, principal) for pivot in becoming(estate, principal))


def _by_rules(estate: Estate, principal: Principal) -> Iterator[Pivot]:
    """What rules lead to. Whom it can be, it need not prompt."""
    prober = RoleProber(Subject(estate, principal))
    certain: set[str] = set()
    for rule in sorted(rules(PACKAGE), key=lambda rule: rule.strength):
        for pivot in tried(rule, prober):
            if not pivot.target or (rule.strength != "certain" and pivot.target in certain):
                continue
            found = _admitted(_hedged(pivot, estate, principal), estate, principal)
            if found.strength is Strength.CERTAIN:
                certain.add(found.target)
            yield found


def _hedged(pivot: Pivot, estate: Estate, principal: Principal) -> Pivot:
    """Who writes more into a role of a namespace has that where such a role is bound to it: the
    one by which it may write it need not be of the namespace."""
    place = pivot.target
    if pivot.rule != "k8s-escalate-namespace" or any(
        binding.target == place and binding.role.startswith(f"{place}/")
        for subject in estate.subjects(principal)
        for binding in estate.bindings(subject)
    ):
        return pivot
    bound = provided(f"a role of {place} is bound to it")
    residual = all_of((pivot.residual, bound))
    return replace(pivot, residual=residual, strength=strength_of(residual))


def _admitted(pivot: Pivot, estate: Estate, principal: Principal) -> Pivot:
    """A way by requests that something may refuse hangs on it that this does not, unless who goes
    it may take that away first."""
    names = dict.fromkeys(
        one.name
        for support in pivot.support
        for one in _refusing(support, estate)
        if not _may_lift(one, estate, principal)
    )
    if not names:
        return pivot
    when = let_in(tuple(names), cluster_of(principal.id))
    residual = all_of((pivot.residual, when))
    strength = (
        strength_of(residual) if pivot.strength is not Strength.INFLUENCE else pivot.strength
    )
    return replace(pivot, residual=residual, strength=strength)


def _refusing(support: Support, estate: Estate) -> tuple[Refusing, ...]:
    action = Action.parse(support.action)
    if action is None:
        return ()
    found = Object.parse(support.object)
    of_cluster = action.plural in CLUSTER_SCOPED
    return estate.refusing(action, found.cluster, "" if of_cluster else found.namespace)


def _may_lift(one: Refusing, estate: Estate, principal: Principal) -> bool:
    """May somebody delete or change what may refuse requests, which nothing refuses?"""
    resource, _, group = one.id.rsplit("/", 2)[-2].partition(".")
    return any(
        decide(estate, principal, f"{group}:{resource}:{verb}", one.id).verdict is Verdict.ALLOW
        for verb in ("delete", "patch", "update")
    )


def _administers(estate: Estate, principal: Principal) -> Iterator[Pivot]:
    """The scopes in which a role, or the group of masters, gives it everything."""
    cluster = cluster_of(principal.id)
    if estate.master(principal):
        decision = decide(estate, principal, "*:*:*", cluster)
        yield _administer(principal, cluster, decision.allowed_by, "no authoriser is asked")
        return
    told: set[tuple[str, Expr]] = set()
    for granted in estate.granted(estate.subjects(principal)):
        rule, place, when = granted.rule, granted.binding.target, granted.when
        whole = "*" in rule.groups and "*" in rule.resources and "*" in rule.verbs
        whole = whole and not (rule.names or rule.but or rule.outside)
        if whole and told.isdisjoint({(place, when), (place, TRUE)}):
            told.add((place, when))
            note = "its roles allow everything"
            yield _administer(principal, place, granted.references, note, when)


def _administer(
    principal: Principal,
    place: str,
    refs: tuple[StatementRef, ...],
    note: str,
    when: Expr = TRUE,
) -> Pivot:
    support = Support(principal.id, "*:*:*", place, refs)
    strength = strength_of(when)
    return Pivot("administer", principal.id, place, strength, when, (support,), note=note)


def _as_administrator(
    estate: Estate, principal: Principal, taken: tuple[Pivot, ...]
) -> Iterator[Pivot]:
    """An administrator may act as any account; those that lead out of the cluster are told."""
    cluster = cluster_of(principal.id)
    for scope in estate.within(cluster):
        for account in estate.principals.get((scope, "service-account"), ()):
            if account.id != principal.id and estate.leads_out(account):
                yield Pivot(
                    "credential",
                    principal.id,
                    account.id,
                    Strength.CERTAIN,
                    TRUE,
                    taken[0].support,
                    "administrator",
                    note="an administrator may mint a token of any account",
                )
