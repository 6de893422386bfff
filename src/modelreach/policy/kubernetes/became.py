"""Who somebody would be once it has bound roles to itself that it may bind by their names.

To bind a role takes holding all that is in it, or the verb `bind` on it. What may be bound without
a name is anything, which the rules tell; who may bind some roles only becomes whoever holds these.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#restrictions-on-role-binding-creation-or-update
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from modelreach.model import Verdict
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.expr import TRUE, Expr, all_of
from modelreach.policy.kubernetes.decide import decide
from modelreach.policy.kubernetes.estate import BOUND, Estate
from modelreach.policy.kubernetes.holder import Subject
from modelreach.policy.kubernetes.names import RBAC, Action, cluster_of, namespace_of, resource_id
from modelreach.snapshot import Binding, Principal

RULE: Final = "k8s-bind-named-roles"
#: What the rules tell of already: it gives everything.
_EVERYTHING: Final = "cluster-admin"
_KINDS: Final = ("clusterroles", "roles")


class Way(msgspec.Struct, frozen=True):
    """A role that may be bound in a place, on what that hangs, and by which permissions."""

    place: str
    role: str
    when: Expr
    support: tuple[Support, Support]


def becoming(estate: Estate, principal: Principal) -> Iterator[Pivot]:
    """Give a hop to what somebody is once it has bound itself all roles that it may."""
    if BOUND in principal.id:
        return
    ways = ways_of(estate, principal)
    if not ways:
        return
    first = ways[0]
    named = sorted({way.role.rpartition("/")[2] for way in ways})
    note = f"it may bind itself {', '.join(named[:3])}" + (" and more" if len(named) > 3 else "")
    yield Pivot(
        "self-escalation",
        principal.id,
        f"{principal.id}{BOUND}",
        strength_of(first.when),
        first.when,
        first.support,
        RULE,
        note=note,
    )


def bound(estate: Estate, name: str) -> Iterator[Binding]:
    """Give the bindings of somebody that it has made for itself."""
    base = estate.principal(name.removesuffix(BOUND))
    for number, way in enumerate(ways_of(estate, base) if base is not None else ()):
        yield Binding(
            id=f"{way.place}/bound by itself/{number}",
            provider="kubernetes",
            target=way.place,
            role=way.role,
            members=(name,),
        )


def ways_of(estate: Estate, principal: Principal) -> tuple[Way, ...]:
    """Give every role that somebody may bind itself, and does not hold there: those that it may
    for certain, where there are such."""
    found = tuple(_ways(estate, principal))
    return tuple(way for way in found if way.when == TRUE) or found[:1]


def _ways(estate: Estate, principal: Principal) -> Iterator[Way]:
    holder = Subject(estate, principal)
    cluster = cluster_of(principal.id)
    named = tuple(_named(estate, principal))
    if not named:
        return
    for kind in ("clusterrolebindings", "rolebindings"):
        action = f"{RBAC}:{kind}:create"
        whole = kind == "clusterrolebindings"
        places = {scope for place in holder.places(action) for scope in estate.within(place)}
        for place in sorted(places):
            if (place == cluster) is whole:
                yield from _in_place(holder, action, place, named)


def _named(estate: Estate, principal: Principal) -> Iterator[tuple[str, str, str]]:
    """The roles that rules let it bind: of what kind and name, and where that counts."""
    for granted in estate.held(principal):
        for kind in _KINDS:
            if granted.rule.about(Action(RBAC, kind, "bind")):
                for name in granted.rule.names:
                    yield kind, name, granted.binding.target


def _in_place(
    holder: Subject, action: str, place: str, named: tuple[tuple[str, str, str], ...]
) -> Iterator[Way]:
    estate, cluster = holder.estate, cluster_of(place)
    made = decide(estate, holder.principal, action, place)
    if made.verdict is Verdict.DENY:
        return
    has = {
        binding.role
        for subject in estate.subjects(holder.principal)
        for binding in estate.bindings(subject)
        if binding.target in (place, cluster)
    }
    for kind, name, where in dict.fromkeys(named):
        namespace = namespace_of(place).rpartition("/")[2] if kind == "roles" else ""
        role = resource_id(cluster, namespace, f"{kind}.{RBAC}", name)
        known = role in estate.roles and role not in has and name != _EVERYTHING
        if not known or where not in (place, cluster) or (kind == "roles" and not namespace):
            continue
        binds = f"{RBAC}:{kind}:bind"
        may = decide(estate, holder.principal, binds, place, {"name": (name,)})
        if may.verdict is not Verdict.DENY:
            yield Way(
                place,
                role,
                all_of((made.residual, may.residual)),
                (
                    Support(holder.name, action, place, made.allowed_by),
                    Support(holder.name, binds, role, may.allowed_by),
                ),
            )
