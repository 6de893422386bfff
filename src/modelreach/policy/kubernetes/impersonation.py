"""Constrained impersonation: acting as somebody, for some kinds of request only.

It takes two halves: to be let impersonate whom (`impersonate:serviceaccount` and the like, in the
group authentication.k8s.io), and for what (`impersonate-on:serviceaccount:get` on the things that
are to be got). Neither is worth anything without the other.
https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Strength, Verdict
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.expr import Atom, AtomKind, all_of
from modelreach.policy.kubernetes.decide import decide
from modelreach.policy.kubernetes.estate import Estate, Granted
from modelreach.policy.kubernetes.holder import Subject
from modelreach.snapshot import Principal

_GROUP = "authentication.k8s.io"
#: The mode of accounts that impersonate the node on which their pod runs.
_OWN_NODE = "associated-node"
#: Of each mode: the kind of principal, the resource, and the word in its verbs.
_MODES = (
    ("service-account", "serviceaccounts", "serviceaccount"),
    ("user", "users", "user-info"),
    ("node", "nodes", "arbitrary-node"),
    ("node", "nodes", _OWN_NODE),
)


def constrained(estate: Estate, principal: Principal) -> Iterator[Pivot]:
    """Give a conditional hop to everybody whom both halves let it act as."""
    for kind, resource, mode in _MODES:
        lets = tuple(_lets(estate, principal, mode))
        if not lets:
            continue
        holder = Subject(estate, principal)
        action = f"{_GROUP}:{resource}:impersonate!{mode}"
        for target in holder.principals((kind,), holder.places(action)):
            if mode == _OWN_NODE and not _runs_on(estate, principal, target):
                continue
            # A rule names a node as the node is called, not as its user is.
            named = {"name": (target.name,)} if kind == "node" else {}
            decision = decide(estate, principal, action, target.id, named)
            if decision.verdict is Verdict.DENY or target.id == principal.id:
                continue
            asked = Atom(AtomKind.CONTEXT, "request", "is one of", _spelled(lets))
            residual = all_of((decision.residual, asked))
            strength = strength_of(residual)
            yield Pivot(
                "impersonate",
                principal.id,
                target.id,
                strength if strength is Strength.UNKNOWN else Strength.CONDITIONAL,
                residual,
                (
                    Support(principal.id, action, target.id, decision.allowed_by),
                    *(
                        Support(
                            principal.id,
                            f"impersonate-on!{mode}",
                            g.binding.target,
                            g.references,
                        )
                        for g in lets
                    ),
                ),
                "k8s-impersonate-constrained",
                note="act as it, for some requests only",
            )


def _runs_on(estate: Estate, principal: Principal, node: Principal) -> bool:
    runtimes = estate.runtimes_of.get(principal.id, ())
    return any(runtime.attributes.get("node") == node.name for runtime in runtimes)


def _lets(estate: Estate, principal: Principal, mode: str) -> Iterator[Granted]:
    start = f"impersonate-on:{mode}:"
    for granted in estate.granted(estate.subjects(principal)):
        if any(verb.startswith(start) for verb in granted.rule.verbs):
            yield granted


def _spelled(lets: tuple[Granted, ...]) -> tuple[str, ...]:
    return tuple(
        sorted(
            {
                f"{verb.rsplit(':', 1)[-1]} {resource}"
                for granted in lets
                for verb in granted.rule.verbs
                for resource in granted.rule.resources
            }
        )
    )
