"""What a runtime's tools run as: the functions, agents and knowledge bases that it is wired to.

An agent's action group calls a function as the Bedrock service, and the function then acts as its
own role; a collaborator acts as its own; a knowledge base reads with its own. What the tools
reach, the model reaches through them.
https://docs.aws.amazon.com/bedrock/latest/userguide/agents-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Strength, Verdict
from modelreach.policy.aws.asker import Fixed
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.decide import decide
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.layers import Request
from modelreach.policy.aws.pivots import strength_of
from modelreach.policy.aws.principals import Caller
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.expr import TRUE
from modelreach.snapshot import Runtime

#: The service that calls a function on behalf of a runtime, by the runtime's service.
_CALLS_AS = {
    "bedrock": "bedrock.amazonaws.com",
    "bedrock-agentcore": "bedrock-agentcore.amazonaws.com",
    "states": "states.amazonaws.com",
}
_FOLLOWED = ("invokes", "collaborates", "reads", "routes-to")


def tools(estate: Estate, runtime: str, fixed: Fixed) -> Iterator[Pivot]:
    """Give a hop for each identity that a runtime's tools run as, tools of tools included."""
    waiting, seen = [runtime], {runtime}
    while waiting:
        here = estate.facts.runtimes.get(waiting.pop(0))
        for link in here.links if here else ():
            there = _runtime(estate, link.target)
            if here is None or there is None or link.kind not in _FOLLOWED:
                continue
            if link.kind != "routes-to":
                yield from _hops(estate, here, there, link.kind, fixed)
            if there.id not in seen:
                seen.add(there.id)
                waiting.append(there.id)


def _runtime(estate: Estate, target: str) -> Runtime | None:
    """The runtime behind a link; of a qualified function, the function."""
    found = estate.facts.runtimes.get(target)
    if found is None and ":function:" in target:
        found = estate.facts.runtimes.get(":".join(target.split(":")[:7]))
    return found


def _hops(
    estate: Estate, here: Runtime, there: Runtime, kind: str, fixed: Fixed
) -> Iterator[Pivot]:
    decision = _called(estate, here, there, fixed)
    if decision is not None and decision.verdict is Verdict.DENY:
        return
    residual = decision.residual if decision else TRUE
    caller = _CALLS_AS.get(here.kind.partition(":")[0], here.id)
    action = "lambda:InvokeFunction" if decision else ""
    statements = decision.allowed_by if decision else ()
    for source in here.identities:
        for target in there.identities:
            if source != target:
                yield Pivot(
                    "tool",
                    source,
                    target,
                    strength_of(residual) if decision else Strength.CERTAIN,
                    residual,
                    (Support(caller, action, there.id, statements),),
                    via=there.id,
                    note=f"{_VERBS[kind]} {there.name or there.id}, which runs as it",
                )


_VERBS = {
    "invokes": "its tool",
    "collaborates": "its collaborator",
    "reads": "its knowledge base",
}


def _called(estate: Estate, here: Runtime, there: Runtime, fixed: Fixed) -> Decision | None:
    """May the runtime's service call the function, by the function's own policy?

    None where the wiring itself is the permission (collaborators, knowledge bases).
    """
    service = _CALLS_AS.get(here.kind.partition(":")[0])
    if there.kind != "lambda:function" or service is None:
        return None
    source = here.id.split(":agent/")
    name = here.id if len(source) < 2 else f"{source[0]}:agent/{source[1].split(':')[0]}"
    known = {"aws:SourceArn": (name,), "aws:SourceAccount": (here.scope,), **fixed}
    request = Request(
        Caller.of(service), "lambda:InvokeFunction", there.id, there.scope, Context.of(known)
    )
    return decide(request, estate.resource_layers(there.id, there.scope))
