"""The part of a permission set that listed resources do not show.

Told by action patterns and scopes, as roles are written. Where resources of a type were collected
whole, they speak for the type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    for region in (one for found in box.actions.regions for one in _by_plane(found)):
        glob = _narrowest(region)
        if glob.startswith((GRAPH, APPLICATION, "microsoft.directory/")):
            continue
        kind, capability = _kind(glob, estate), _capability(region)
        action = _spelled(glob, estate)
        limits = tuple(
            f"{word} {_spelled(bar, estate)}"
            for word, bars in (("only", _others(region)), ("except", region.outside))
            for bar in bars
        )
        for place, spared in _places(places):
            if not _shown(kind, place, estate):
                yield (place, kind, capability, box.condition, (*limits, *spared)), action


def _narrowest(region: Region) -> str:
    return max(region.inside, key=lambda glob: (len(glob.strip("*")), glob), default="*")


def _others(region: Region) -> Iterator[str]:
    """What else actions in a region have to match: what a deny assignment names, and takes out in
    a part of the scope."""
    return (glob for glob in region.inside if glob != _narrowest(region))


def _capability(region: Region) -> Capability:
    """Give the most that actions in a region can give: no more than any glob that they match."""
    return min(map(operations.capability, region.inside), key=_FROM_LEAST.index)


_FROM_LEAST = (
    *(Capability.LIST, Capability.TAG, Capability.READ, Capability.WRITE),
    *(Capability.ASSUME, Capability.MANAGE, Capability.ADMINISTER),
)


def _by_plane(region: Region) -> Iterator[Region]:
    """Part actions into those of the control plane and those on what resources hold."""
    if not any(glob.startswith(DATA) for glob in region.inside):
        bars = (bar for bar in region.outside if not bar.startswith(_PREFIXES))
        yield Region(region.inside, tuple(bars))
    if f"{DATA}*" not in region.outside and all(map(_means_data, region.inside)):
        inside = _of_data(region.inside)
        yield Region(
            tuple(sorted(inside - {f"{DATA}*"} or inside)), tuple(sorted(_of_data(region.outside)))
        )


_PREFIXES = (DATA, GRAPH, APPLICATION)


def _means_data(glob: str) -> bool:
    return glob.startswith((DATA, "*"))


def _of_data(globs: Iterable[str]) -> set[str]:
    """Give what of some globs means actions on what resources hold, as such."""
    meant = filter(_means_data, globs)
    return {glob if glob.startswith(DATA) else DATA + glob for glob in meant}


def _pattern(region: Region) -> str:
    return _narrowest(region)


def _places(regions: list[Region]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The scopes, each with those in it that a deny assignment takes out: of a scope and all in
    it, the latter."""
    found = {(_pattern(region), _spared(region)) for region in regions}
    globs = {glob for glob, _ in found}
    yield from sorted(
        (glob, spared) for glob, spared in found if glob.endswith("*") or f"{glob}/*" not in globs
    )


def _spared(region: Region) -> tuple[str, ...]:
    outside = set(region.outside)
    return tuple(
        f"except {plain(glob) if '*' not in glob else glob}"
        for glob in region.outside
        if glob.endswith("*") or f"{glob}/*" not in outside
    )


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
