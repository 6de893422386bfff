"""What is put into pods: the secrets, config maps and claims that they mount, or take into their
environment.

Nobody is asked whether a pod may have these, so no role tells of them: code in the pod has them,
and whoever is the node that it runs on. An account is in several pods, as a rule, and only some of
them have a thing: that somebody is the account does not say that it is in one of these.
https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets
https://kubernetes.io/docs/reference/access-authn-authz/node/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelreach.model import Capability, Verdict
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import TRUE, Expr
from modelreach.policy.kubernetes.estate import PROVIDER, Estate
from modelreach.policy.kubernetes.names import Object
from modelreach.snapshot import Principal, Runtime

ACTION: Final = "mount"
_POLICY: Final = "mounts"
_LINKS: Final = ("env", "mounts")


def mounted(estate: Estate, principal: Principal) -> Iterator[Grant]:
    """Give what the pods of an account, or on a node, have in them."""
    if principal.kind == "node":
        yield from _of(principal, estate.runtimes_on.get(principal.id, ()), estate)
    else:
        yield from _of(principal, estate.runtimes_of.get(principal.id, ()), estate)


def _of(principal: Principal, runtimes: Iterable[Runtime], estate: Estate) -> Iterator[Grant]:
    told: set[str] = set()
    for runtime in sorted(runtimes, key=lambda one: one.id):
        for link in runtime.links:
            if link.kind in _LINKS and link.target not in told:
                told.add(link.target)
                where = TRUE if principal.kind == "node" else _inside(runtime)
                yield _grant(principal.id, link.target, runtime, where, estate)


def _inside(runtime: Runtime) -> Expr:
    return provided(f"it is code in {runtime.id}")


def _grant(principal: str, target: str, runtime: Runtime, where: Expr, estate: Estate) -> Grant:
    found, listed = Object.parse(target), estate.facts.resources.get(target)
    text = f"{runtime.id} has {found.plural} `{found.name}` in it"
    because = StatementRef(Layer.SERVICE, _POLICY, runtime.id, "", 0, "", "Allow", text)
    return Grant(
        principal=principal,
        resource=target,
        kind=listed.kind if listed is not None else f"{PROVIDER}:{found.plural}",
        name=found.name,
        scope=found.scope,
        provider=PROVIDER,
        capability=Capability.READ,
        actions=(ACTION,),
        verdict=Verdict.ALLOW if where == TRUE else Verdict.CONDITIONAL,
        residual=where,
        statements=(because,),
    )
