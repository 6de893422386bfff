"""The part of a permission set that listed resources do not show.

A grant on what was not collected, or is not there yet, is given by the scope that it lies in.
Where a kind of resource was collected whole and there are some, the listed ones speak for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from modelreach.model import Capability
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.expr import Expr
from modelreach.policy.extent import Extent
from modelreach.policy.gcp import kinds
from modelreach.policy.gcp.asker import verdict_of
from modelreach.policy.gcp.estate import Estate
from modelreach.policy.glob import Region, is_literal, plain
from modelreach.policy.permissions import PermissionSet

#: A role that speaks of more services than these is told by what it can do, not by service.
_MANY = 12


class _Row(msgspec.Struct):
    actions: set[str] = msgspec.field(default_factory=set[str])
    because: set[StatementRef] = msgspec.field(default_factory=set[StatementRef])


_Key = tuple[str, str, Capability, Expr]


def unlisted(permissions: PermissionSet, estate: Estate) -> tuple[Grant, ...]:
    """Give grants by pattern, sorted; `principal` is left "" for the caller to fill in."""
    rows: dict[_Key, _Row] = {}
    for box in permissions.boxes:
        for region in box.resources.regions:
            pattern = _pattern(region)
            place = _place(pattern)
            if place in estate.facts.resources or (
                place != pattern and not estate.is_scope(place)
            ):
                continue  # it is listed, or is what lies in a thing that is told by itself
            for kind, capability, action in _spelled(box.actions, place, estate):
                row = rows.setdefault((pattern, kind, capability, box.condition), _Row())
                row.actions.add(action)
                row.because.update(box.because)
    found = (_grant(key, row, estate) for key, row in rows.items())
    return tuple(sorted(found, key=lambda g: (g.resource, g.kind, g.capability, g.actions)))


def _grant(key: _Key, row: _Row, estate: Estate) -> Grant:
    pattern, kind, capability, residual = key
    return Grant(
        principal="",
        resource=pattern,
        kind=kind,
        name=pattern,
        scope=estate.scope_of(_place(pattern)),
        provider="gcp",
        capability=capability,
        actions=tuple(sorted(row.actions)),
        verdict=verdict_of(residual),
        residual=residual,
        statements=tuple(sorted(row.because)),
        pattern=True,
    )


def _pattern(region: Region) -> str:
    return max(region.inside, key=lambda glob: (len(glob.strip("*")), glob), default="*")


def _place(pattern: str) -> str:
    """The scope that a pattern means all of."""
    name = pattern.removesuffix("/*")
    return plain(name) if is_literal(name) else name


def _spelled(actions: Extent, place: str, estate: Estate) -> Iterator[tuple[str, Capability, str]]:
    """Give kind, capability and permission for all that the actions mean below a scope."""
    if any(region.inside == ("*",) and not region.outside for region in actions.regions):
        yield "*", Capability.MANAGE, "*"
        return
    found = [estate.spelled.get(name, name) for name in _names(actions)]
    many = len({name.partition(".")[0] for name in found}) > _MANY
    for permission in found:
        kind = kinds.named_type(permission)
        if kind is not None and not kinds.on_parent(permission, kinds.NAMED[kind]):
            if not _shown(kind, permission, place, estate):
                yield kind, kinds.capability(permission), permission
            continue
        service = "*" if many else f"{permission.partition('.')[0]}.googleapis.com/*"
        yield service, kinds.capability(permission), permission


@lru_cache(4096)
def _names(actions: Extent) -> tuple[str, ...]:
    """The permissions of an extent, in lower case: roles spell theirs out."""
    return tuple(
        sorted(
            {
                plain(glob)
                for region in actions.regions
                for glob in region.inside
                if is_literal(glob)
            }
        )
    )


def _shown(kind: str, permission: str, place: str, estate: Estate) -> bool:
    """Do listed resources (or identities, for acting as them) speak for this kind here?"""
    if kind == "iam.googleapis.com/ServiceAccount":
        return kinds.capability(permission) is Capability.ASSUME and estate.accounts_listed(place)
    return estate.collected(place, kind) and estate.any_listed(place, kind)
