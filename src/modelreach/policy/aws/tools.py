"""What a runtime's tools run as: the functions, agents and knowledge bases that it is wired to;
and what a pod's node runs as.

An agent's action group calls a function as the Bedrock service, under the function's own policy;
everything else is called as the runtime's own role, which has to be allowed to. A function then
acts as its role, a collaborator and a knowledge base likewise. What the tools reach, the model
reaches through them.
https://docs.aws.amazon.com/bedrock/latest/userguide/agents-permissions.html
https://docs.aws.amazon.com/bedrock/latest/userguide/flows-permissions.html
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-prerequisites-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from modelreach.model import Strength, Verdict
from modelreach.policy.aws.acts_as import acts_as
from modelreach.policy.aws.asker import Asker, Fixed
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.decide import decide
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.layers import Request
from modelreach.policy.aws.principals import Caller
from modelreach.policy.decision import Decision, Outcome
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import provided, strength_of
from modelreach.policy.expr import FALSE, TRUE, all_of
from modelreach.policy.metadata_service import is_silent, keeps_pods_out
from modelreach.snapshot import Runtime

_AGENTS = "bedrock.amazonaws.com"
#: What calling a tool takes, by what the tool is. Elsewhere the wiring itself is the permission.
_ACTIONS = {
    "lambda:function": "lambda:InvokeFunction",
    "bedrock:agent-alias": "bedrock:InvokeAgent",
    "bedrock:knowledge-base": "bedrock:Retrieve",
    "bedrock-agentcore:runtime": "bedrock-agentcore:InvokeAgentRuntime",
    "bedrock-agentcore:gateway": "bedrock-agentcore:InvokeGateway",
    "bedrock-agentcore:code-interpreter": "bedrock-agentcore:InvokeCodeInterpreter",
    "bedrock-agentcore:browser": "bedrock-agentcore:StartBrowserSession",
}
_DENIED = Decision(Verdict.DENY, Outcome.IMPLICIT_DENY, FALSE)
_FOLLOWED = ("invokes", "collaborates", "reads", "routes-to")


def tools(estate: Estate, runtime: str, fixed: Fixed) -> Iterator[Pivot]:
    """Give a hop for each identity that a runtime's tools run as, tools of tools included."""
    waiting, seen = [runtime], {runtime}
    while waiting:
        here = estate.facts.runtimes.get(waiting.pop(0))
        for link in here.links if here else ():
            there = _runtime(estate, link.target)
            if here is None or there is None:
                continue
            if link.kind == "runs-on":
                yield from _from_pod(estate, here, there)
            if link.kind not in _FOLLOWED:
                continue
            if link.kind != "routes-to":
                yield from _hops(estate, here, there, link.kind, fixed)
            if there.id not in seen:
                seen.add(there.id)
                waiting.append(there.id)


def calls(estate: Estate, principal: str, runtime: str, fixed: Fixed) -> Iterator[Pivot]:
    """Give a hop from a principal that calls a runtime to each identity that this runs as."""
    there = _runtime(estate, runtime)
    if there is None:
        return
    call = _by_principal(estate, principal, there, fixed)
    if _is_denied(call):
        call = _by_any_agent(estate, there, fixed)
    if not _is_denied(call):
        yield from _to_all(estate, principal, there, call, f"it calls {there.name or there.id}")


def _is_denied(call: _Call) -> bool:
    return call.decision is not None and call.decision.verdict is Verdict.DENY


def _by_any_agent(estate: Estate, there: Runtime, fixed: Fixed) -> _Call:
    """Where the role may not call a function, the agent's action group may call it."""
    if there.kind != "lambda:function":
        return _Call(_AGENTS, "", _DENIED)
    known = {**estate.on_behalf(there.scope), **fixed}
    decision = _of_service(estate, there, Context.of(known))
    if decision.verdict is not Verdict.DENY:
        agent = provided("it is an agent of Bedrock that calls the function")
        decision = replace(decision, residual=all_of((decision.residual, agent)))
    return _Call(_AGENTS, _ACTIONS[there.kind], decision)


def _runtime(estate: Estate, target: str) -> Runtime | None:
    """The runtime behind a link; of a qualified function, the function."""
    found = estate.facts.runtimes.get(target)
    if found is None and ":function:" in target:
        found = estate.facts.runtimes.get(":".join(target.split(":")[:7]))
    return found


def _hops(
    estate: Estate, here: Runtime, there: Runtime, kind: str, fixed: Fixed
) -> Iterator[Pivot]:
    for source in acts_as(estate, here):
        call = _called(estate, here, there, source, fixed)
        if call.decision is not None and call.decision.verdict is Verdict.DENY:
            continue
        yield from _to_all(estate, source, there, call, f"{_VERBS[kind]} {there.name or there.id}")


def _to_all(
    estate: Estate, source: str, there: Runtime, call: _Call, said: str
) -> Iterator[Pivot]:
    residual = call.decision.residual if call.decision else TRUE
    statements = call.decision.allowed_by if call.decision else ()
    for target in acts_as(estate, there):
        if source != target:
            yield Pivot(
                "tool",
                source,
                target,
                strength_of(residual) if call.decision else Strength.CERTAIN,
                residual,
                (Support(call.caller, call.action, there.id, statements),),
                via=there.id,
                note=f"{said}, which runs as it",
            )


def _from_pod(estate: Estate, pod: Runtime, nodes: Runtime) -> Iterator[Pivot]:
    """A pod may ask its node for the node's credentials, unless the instances keep it from
    that."""
    if is_silent(nodes.attributes):
        return
    if keeps_pods_out(nodes.attributes):
        residual = provided(f"the pod shares the network of its node in {nodes.name}")
    else:
        residual = provided(f"pods get through to the metadata of the nodes in {nodes.name}")
    for source in acts_as(estate, pod):
        for target in nodes.identities:
            if source != target:
                yield Pivot(
                    "node",
                    source,
                    target,
                    strength_of(residual),
                    residual,
                    (Support(source, "", nodes.id, ()),),
                    via=nodes.id,
                    note=f"its pods run on {nodes.name}, whose instances run as it",
                )


_VERBS = {
    "invokes": "its tool",
    "collaborates": "its collaborator",
    "reads": "its knowledge base",
}


class _Call(msgspec.Struct, frozen=True):
    """Who calls a tool by which action, and whether it may; None where nothing decides that."""

    caller: str
    action: str = ""
    decision: Decision | None = None


def _called(estate: Estate, here: Runtime, there: Runtime, source: str, fixed: Fixed) -> _Call:
    if there.kind == "lambda:function" and here.kind.startswith("bedrock:agent"):
        action = _ACTIONS[there.kind]
        return _Call(_AGENTS, action, _by_service(estate, here, there, fixed))
    if there.kind not in _ACTIONS or estate.principal(source) is None:
        return _Call(here.id)
    return _by_principal(estate, source, there, fixed)


def _by_principal(estate: Estate, source: str, there: Runtime, fixed: Fixed) -> _Call:
    action = _ACTIONS.get(there.kind, "")
    if not action:
        return _Call(source)
    listed = there.id if there.id in estate.facts.resources else ""
    asker = Asker.of(estate, source, fixed)
    return _Call(source, action, asker.decide(action, there.id, listed, there.scope))


def _by_service(estate: Estate, here: Runtime, there: Runtime, fixed: Fixed) -> Decision:
    """May Bedrock call the function for the agent, by the function's own policy?"""
    source = here.id.split(":agent/")
    name = here.id if len(source) < 2 else f"{source[0]}:agent/{source[1].split(':')[0]}"
    known = {**estate.on_behalf(here.scope), "aws:SourceArn": (name,), **fixed}
    return _of_service(estate, there, Context.of(known))


def _of_service(estate: Estate, there: Runtime, context: Context) -> Decision:
    request = Request(Caller.of(_AGENTS), "lambda:InvokeFunction", there.id, there.scope, context)
    return decide(request, estate.resource_layers(there.id, there.scope))
