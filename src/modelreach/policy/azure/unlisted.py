"""The part of a permission set that listed resources do not show.

Told by action patterns and scopes, as roles are written. Where resources of a type were collected
whole, they speak for the type.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from modelreach.model import Capability, Strength, Verdict
from modelreach.policy.azure import operations
from modelreach.policy.azure.estate import Estate
from modelreach.policy.azure.ids import ROOT, subscription_of
from modelreach.policy.azure.roles import APPLICATION, DATA, GRAPH
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.expr import TRUE, Expr
from modelreach.policy.glob import Region, literal_prefix, plain
from modelreach.policy.permissions import Box, PermissionSet


class _Row(msgspec.Struct):
    actions: set[str] = msgspec.field(default_factory=set[str])
    because: set[StatementRef] = msgspec.field(default_factory=set[StatementRef])


_Key = tuple[str, str, Capability, Expr, tuple[str, ...]]


def unlisted(permissions: PermissionSet, estate: Estate) -> tuple[Grant, ...]:
    """Give grants by pattern, sorted; `principal` is left "" for the caller to fill in."""
    rows: dict[_Key, _Row] = {}
    for box in permissions.boxes:
        for key, action in _told(box, estate):
            row = rows.setdefault(key, _Row())
            row.actions.add(action)
            row.because.update(box.because)
    found = (_grant(key, row, estate) for key, row in rows.items())
    return tuple(sorted(found, key=lambda g: (g.resource, g.kind, g.capability, g.actions)))


def _told(box: Box, estate: Estate) -> Iterator[tuple[_Key, str]]:
    places = [region for region in box.resources.regions if _pattern(region).startswith("/")]
    for region in box.actions.regions:
        glob = _narrowest(region)
        if glob.startswith((GRAPH, APPLICATION, "microsoft.directory/")):
            continue
        kind = _kind(glob, estate)
        action = _spelled(glob, estate)
        excepted = tuple(f"except {_spelled(bar, estate)}" for bar in _excepted(region))
        for place in _places(places):
            if not _shown(kind, place, estate):
                capability = operations.capability(glob)
                yield (place, kind, capability, box.condition, excepted), action


def _narrowest(region: Region) -> str:
    return max(region.inside, key=lambda glob: (len(glob.strip("*")), glob), default="*")


def _excepted(region: Region) -> Iterator[str]:
    """What a role takes out of its own pattern, but for what keeps the planes apart."""
    own = (f"{DATA}*", f"{GRAPH}*", f"{APPLICATION}*")
    return (bar for bar in region.outside if bar not in own)


def _pattern(region: Region) -> str:
    return _narrowest(region)


def _places(regions: list[Region]) -> Iterator[str]:
    """The scopes: of a scope and all in it, the latter."""
    globs = {_pattern(region) for region in regions}
    yield from sorted(g for g in globs if g.endswith("*") or f"{g}/*" not in globs)


def _spelled(glob: str, estate: Estate) -> str:
    prefix, name = (DATA, glob.removeprefix(DATA)) if glob.startswith(DATA) else ("", glob)
    return prefix + estate.spelled(plain(name) if "*" not in name else name)


def _kind(glob: str, estate: Estate) -> str:
    """The type of resource that an action pattern is about: the longest that is known."""
    head = literal_prefix(glob.removeprefix(DATA))
    if "/" not in head:
        return "*"
    known = operations.by_kind()
    parts = head.split("/")
    for end in range(len(parts), 1, -1):
        kind = "/".join(parts[:end])
        if kind in known or kind in estate.listed_kinds:
            return kind
    return f"{parts[0]}/*"


def _shown(kind: str, place: str, estate: Estate) -> bool:
    """Do listed resources speak for this type here?"""
    literal = place.removesuffix("/*")
    if literal in estate.facts.resources:
        return True
    return "*" not in kind and estate.complete(kind, subscription_of(literal))


def _grant(key: _Key, row: _Row, estate: Estate) -> Grant:
    place, kind, capability, residual, excepted = key
    scope = place.removesuffix("/*") or ROOT
    return Grant(
        principal="",
        resource=place,
        kind=kind,
        name=place,
        scope=_scope(scope, estate),
        provider="azure",
        capability=capability,
        actions=tuple(sorted(row.actions)),
        verdict=_VERDICTS[strength_of(residual)] if residual != TRUE else Verdict.ALLOW,
        residual=residual,
        statements=tuple(sorted(row.because)),
        pattern=True,
        within=excepted,
    )


_VERDICTS = {
    Strength.CERTAIN: Verdict.ALLOW,
    Strength.CONDITIONAL: Verdict.CONDITIONAL,
    Strength.UNKNOWN: Verdict.UNKNOWN,
}


def _scope(place: str, estate: Estate) -> str:
    """The closest scope that the snapshot has."""
    for scope in estate.scopes_of(place):
        if scope in estate.facts.scopes:
            return scope
    return estate.tenant
