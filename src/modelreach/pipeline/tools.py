"""The tools of a release in one estate: as whom each acts, and what it calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from modelreach import deployment as manifest
from modelreach.deployment import Deployment, Identity
from modelreach.graph import Tool
from modelreach.model import Strength
from modelreach.policy import providers
from modelreach.policy.engine import Engine, Pivot, called
from modelreach.snapshot import Facts, Runtime


def name_of(identity: Identity) -> str:
    """Give the id of an identity's principal or runtime, with the cluster that it names."""
    return providers.qualified(identity.cloud, identity.principal, identity.cluster or "")


def named(deployment: Deployment) -> Iterator[str]:
    """Give the ids of all that a manifest names of an estate."""
    yield from map(name_of, deployment.spec.identities)
    yield from (tool.target for tool in deployment.spec.tools or () if tool.target)


def resolved(identity: Identity, engine: Engine | None) -> tuple[str, ...]:
    """Give the principals that a manifest's identity stands for: itself, or what a runtime runs
    as."""
    if engine is None:
        return ()
    name = name_of(identity)
    principal = engine.principal(name)
    if principal is not None:
        return (principal.id,)
    runtime = engine.runtime(name)
    return tuple(i for i in runtime.identities if engine.principal(i)) if runtime else ()


def tools_of(
    deployment: Deployment, facts: Facts, built: Mapping[str, Engine]
) -> tuple[Tool, ...]:
    """Give the tools that a manifest declares, as nodes."""
    return tuple(_tool(tool, deployment, facts, built) for tool in deployment.spec.tools or ())


def _tool(
    tool: manifest.Tool, deployment: Deployment, facts: Facts, built: Mapping[str, Engine]
) -> Tool:
    named = [one for one in deployment.spec.identities if one.id == tool.runs_as]
    target = tool.target or ""
    return Tool(
        id=tool.id,
        kind=tool.kind,
        target=target,
        effect=tool.effect or "",
        approval=tool.approval or "",
        input_trust=tool.input_trust or "",
        identity=tool.runs_as or "",
        credential=next((one.credential or "" for one in named), ""),
        runs_as=tuple(p for one in named for p in resolved(one, built.get(one.cloud))),
        bounded=target in facts.runtimes or target in facts.resources,
    )


def wired(deployment: Deployment, built: Mapping[str, Engine]) -> Iterator[Pivot]:
    """Give the hops that a deployment makes itself: to what the tools of its runtimes run as, as
    the estate has them, and to what the tools of the manifest run as."""
    own: set[str] = set()
    by_target = {tool.target: tool.id for tool in deployment.spec.tools or () if tool.target}
    for identity in deployment.spec.identities:
        engine = built.get(identity.cloud)
        if engine is not None and engine.runtime(name_of(identity)) is not None:
            for pivot in engine.tools(name_of(identity)):
                own.add(pivot.via)
                yield replace(pivot, tool=by_target.get(pivot.via, ""))
    for tool in deployment.spec.tools or ():
        if tool.target and tool.target not in own:
            yield from _called(tool, deployment, built)


def _called(
    tool: manifest.Tool, deployment: Deployment, built: Mapping[str, Engine]
) -> Iterator[Pivot]:
    """The hops by calling what a tool is, and by what that is wired to; as all identities of the
    release where the manifest does not say as which."""
    target = tool.target or ""
    for engine in built.values():
        there = engine.runtime(target)
        if there is None:
            continue
        for identity in deployment.spec.identities:
            if tool.runs_as not in (None, identity.id):
                continue
            for principal in resolved(identity, built.get(identity.cloud)):
                hops = _calls(engine, principal, there)
                yield from (replace(pivot, tool=tool.id) for pivot in hops)
        yield from (replace(pivot, tool=tool.id) for pivot in engine.tools(there.id))


def _calls(engine: Engine, principal: str, there: Runtime) -> Iterator[Pivot]:
    if engine.principal(principal) is not None:
        yield from engine.calls(principal, there.id)
    else:
        # Whoever calls from another cloud is let in by what no policy tells.
        hops = called(principal, there)
        yield from (replace(pivot, strength=Strength.UNKNOWN) for pivot in hops)
