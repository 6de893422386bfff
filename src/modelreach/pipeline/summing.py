"""What of a reach is said at once by a scope that is taken over, and what is told besides.

Whoever takes a scope over has all that is in it. A reader needs each sensitive thing there once,
what is had more surely than the scope, and what is left when nobody takes the scope over any more;
everything else is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec.structs import replace

from modelreach import diff as differ
from modelreach.diff import Reached
from modelreach.model import Capability, Sensitivity, Verdict
from modelreach.pipeline.evaluate import Side
from modelreach.policy.engine import Grant
from modelreach.reach import Access, Takeover
from modelreach.report import SummedUpRow


def at_stake(side: Side) -> list[Access]:
    """The sensitive resources of scopes that are taken over, as reached by the taking over."""
    found: list[Access] = []
    facts, taken = side.case.facts, side.case.taken
    scopes = [scope for scope in facts.scopes if taken(scope) is not None]
    for resource in (one for scope in scopes for one in facts.part(scope).resources):
        takeover = taken(resource.scope)
        if takeover is None:
            continue
        grant = Grant(
            principal=takeover.path.pivots[-1].source,
            resource=resource.id,
            kind=resource.kind,
            name=resource.name,
            scope=resource.scope,
            provider=resource.provider,
            capability=Capability.ADMINISTER,
            actions=("*",),
            verdict=Verdict.ALLOW,
        )
        if side.case.rated(grant).level is Sensitivity.HIGH:
            found.append(Access(grant, takeover.path))
    return found


def told(side: Side) -> Iterator[Access]:
    """Give the accesses that are told one by one: those outside of scopes that are taken over; of
    what is sensitive inside, those that do not go by the taking over, and of the others the best
    ones that are surer."""
    case, surer = side.case, list[Access]()
    for access in (*side.radius.accesses, *side.radius.patterns):
        takeover = case.taken(access.grant.scope)
        if takeover is None:
            yield access
        elif case.rated(access.grant).level is not Sensitivity.HIGH:
            continue
        elif not case.by_administration(access):
            yield access
        elif not access.grant.pattern and _sureness(access) < _sureness(_by(takeover, access)):
            surer.append(access)
    best = differ.index(surer)
    kept = {id(one.access): one.access for ways in best.values() for one in ways.values()}
    yield from kept.values()


def _by(takeover: Takeover, access: Access) -> Access:
    """The same thing, as the taking over gives it."""
    return Access(replace(access.grant, verdict=Verdict.ALLOW), takeover.path)


def _sureness(access: Access) -> tuple[int, int]:
    return Reached(access).rank[:2]


Where = Literal["", "old", "new"]


def summed_up_rows(side: Side) -> tuple[SummedUpRow, ...]:
    """Say of each scope that is taken over how much in it is not told one by one."""
    return tuple(_rows(side, ""))


def compared(old: Side, new: Side) -> tuple[SummedUpRow, ...]:
    """Say it of both sides of a comparison, the newer one first."""
    return (*_rows(new, "new"), *_rows(old, "old"))


def _rows(side: Side, where: Where) -> Iterator[SummedUpRow]:
    radius, facts = side.radius, side.case.facts
    identities = Counter(_taken_by(side, (i.principal.scope for i in radius.identities.values())))
    patterns = Counter(_taken_by(side, (access.grant.scope for access in radius.patterns)))
    for one in radius.outdone.values():
        for place, number in one.left.items():
            for scope in _taken_by(side, (place,)):
                patterns[scope] += number
    sensitive = Counter(_taken_by(side, (access.grant.scope for access in at_stake(side))))
    resources = Counter[str]()
    for scope in facts.scopes if radius.takeovers else ():
        for taken in _taken_by(side, (scope,)):
            resources[taken] += len(facts.part(scope).resources)
    for scope, takeover in sorted(radius.takeovers.items()):
        yield SummedUpRow(
            side=where,
            scope=scope,
            provider=takeover.provider,
            resources=resources[scope],
            sensitive=sensitive[scope],
            identities=identities[scope],
            patterns=patterns[scope],
        )


def _taken_by(side: Side, scopes: Iterable[str]) -> Iterator[str]:
    """Give the taken-over scope that each of these lies in."""
    for scope in scopes:
        takeover = side.case.taken(scope)
        if takeover is not None:
            yield takeover.scope
