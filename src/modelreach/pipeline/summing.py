"""What of a reach is said at once by a scope that is taken over, and what is told besides.

Whoever takes a scope over has all that is in it. A reader needs each sensitive thing there once,
what is had more surely than the scope, and what is left when nobody takes the scope over any more;
everything else is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from modelreach import diff as differ
from modelreach.accesses import Access, Piece
from modelreach.diff import Reached
from modelreach.graph import MANY
from modelreach.judge.finding import Case
from modelreach.model import Capability, Sensitivity, Verdict, base_of
from modelreach.pipeline.evaluate import Side
from modelreach.policy.engine import Grant
from modelreach.reach import Takeover
from modelreach.report import SummedUpRow
from modelreach.snapshot import Resource


def at_stake(side: Side) -> list[Access]:
    """The sensitive resources of scopes that are taken over, as reached by the taking over."""
    found: list[Access] = []
    facts, taken = side.case.facts, side.case.taken
    scopes = [scope for scope in facts.scopes if taken(scope) is not None]
    resources: Iterator[Resource] = (
        one for scope in scopes for one in facts.section(scope, "resources")
    )
    for resource in resources:
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


class Told(msgspec.Struct, frozen=True):
    """The accesses that are told one by one, and how many are not as they are no better."""

    accesses: tuple[Access, ...]
    no_better: int


def told(side: Side) -> Told:
    """Give the accesses that are told one by one: those outside of scopes that are taken over; of
    what is sensitive inside, those that do not go by the taking over, and of the others the best
    ones that are surer. Where many are reached, of all of them the best ones."""
    case, surer, beside = side.case, list[Piece](), list[Piece]()
    for piece in side.radius.accesses.pieces:
        taken = case.weighing.taken(piece.lot, piece.mask)
        high = taken & case.weighing.high(piece)
        by_taking = case.by_administration_of(piece, high)
        beside.append(piece.within(piece.mask & ~taken | high & ~by_taking))
        surer.extend(_surer(piece.within(by_taking), case))
    if len(side.radius.graph.paths) > MANY:
        found = list(_best(beside))
        no_better = sum(piece.mask.bit_count() for piece in beside) - len(found)
    else:
        found, no_better = [one for piece in beside for one in piece.each], 0
    for access in side.radius.patterns.where(lambda grant: _is_told(grant, case)):
        if case.taken(access.grant.scope) is None or not case.by_administration(access):
            found.append(access)
    return Told((*found, *_best(surer)), no_better)


def _best(pieces: list[Piece]) -> Iterator[Access]:
    """Give the best accesses to each resource, by any action."""
    best = differ.index_of(pieces)
    kept = {id(one.access): one.access for ways in best.values() for one in ways.values()}
    yield from kept.values()


def _is_told(grant: Grant, case: Case) -> bool:
    """Is it outside of scopes that are taken over, or sensitive?"""
    return case.taken(grant.scope) is None or case.rated(grant).level is Sensitivity.HIGH


def _surer(piece: Piece, case: Case) -> Iterator[Piece]:
    """Give the parts of a piece that are had more surely than the scopes are taken over."""
    if not piece.mask:
        return
    for takeover, mask in case.weighing.by_taking(piece.lot, piece.mask):
        if _sureness(piece.access) < _sureness(_by(takeover, piece.access)):
            yield piece.within(mask)


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
    homes = {base_of(name): one.principal.scope for name, one in radius.identities.items()}
    identities = Counter(_taken_by(side, homes.values()))
    scopes = (grant.scope for one in radius.patterns.held for grant in one.grants)
    patterns = Counter(_taken_by(side, scopes))
    for one in radius.outdone.values():
        for place, number in one.left.items():
            for scope in _taken_by(side, (place,)):
                patterns[scope] += number
    sensitive = Counter(_taken_by(side, (access.grant.scope for access in at_stake(side))))
    resources = Counter[str]()
    for scope in facts.scopes if radius.takeovers else ():
        for taken in _taken_by(side, (scope,)):
            resources[taken] += len(facts.section(scope, "resources"))
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
