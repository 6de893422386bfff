"""What a side may do to things that the snapshot does not list: symbolic, per scope.

Held permissions are compared as sets, so what is new is exactly `new - old`, whoever holds it and
whatever the policies look like.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce

from modelreach.diff import Change, ChangeKind
from modelreach.model import Strength
from modelreach.pipeline.evaluate import Side
from modelreach.policy.engine import Grant
from modelreach.policy.expr import all_of
from modelreach.policy.extent import ALL, Extent
from modelreach.policy.permissions import EMPTY, Box, PermissionSet
from modelreach.reach import Access, Identity


def held(side: Side) -> dict[tuple[str, str], PermissionSet]:
    """Give, per provider and scope, what the identities there may do together.

    What is only held on a condition of the way is held on that condition; identities that can
    only be influenced are left out.
    """
    grouped: dict[tuple[str, str], list[PermissionSet]] = {}
    for name, permissions in side.radius.held.items():
        identity = side.radius.identities[name]
        if identity.path.strength is Strength.INFLUENCE:
            continue
        key = (identity.principal.provider, identity.principal.scope)
        grouped.setdefault(key, []).append(_on_the_way(permissions, identity))
    return {key: reduce(lambda a, b: a | b, sets) for key, sets in sorted(grouped.items())}


def _on_the_way(permissions: PermissionSet, identity: Identity) -> PermissionSet:
    condition = all_of(pivot.residual for pivot in identity.path.pivots)
    return permissions & PermissionSet.of([Box(ALL, ALL, condition)])


def pattern_changes(old: Side, new: Side) -> Iterator[Change]:
    """Give what came and went of the reach that is not listed."""
    before, after = held(old), held(new)
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key, EMPTY), after.get(key, EMPTY)
        yield from _one_way(key, was, now, new, ChangeKind.GAINED, ChangeKind.WIDENED)
        yield from _one_way(key, now, was, old, ChangeKind.LOST, ChangeKind.NARROWED)


def _one_way(
    key: tuple[str, str],
    less: PermissionSet,
    more: PermissionSet,
    side: Side,
    whole: ChangeKind,
    part: ChangeKind,
) -> Iterator[Change]:
    difference = more - less
    if difference.is_empty():
        return
    provider, scope = key
    for grant in side.case.engines[provider].unlisted(difference, scope):
        access = _holder(grant, side, key, less)
        kind = part if _touched(less, grant) else whole
        old, new = (access, None) if whole is ChangeKind.LOST else (None, access)
        yield Change(kind, grant.resource, grant.capability, grant.actions, old, new)


def _touched(permissions: PermissionSet, grant: Grant) -> bool:
    """Does the set already reach any of the same things by an action of the same service?"""
    services = {action.partition(":")[0].lower() for action in grant.actions}
    actions = Extent.globs(["*" if s == "*" else f"{s}:*" for s in sorted(services)])
    resources = Extent.globs([grant.resource])
    return any(
        box.actions.meets(actions) and box.resources.meets(resources) for box in permissions.boxes
    )


def _holder(grant: Grant, side: Side, key: tuple[str, str], less: PermissionSet) -> Access:
    """Give the grant with the identity that holds, by the shortest way, what `less` has not."""
    wanted = PermissionSet.of(
        [Box(Extent.globs([a.lower() for a in grant.actions]), Extent.globs([grant.resource]))]
    )
    holders = [
        (len(identity.path.pivots), name)
        for name, identity in side.radius.identities.items()
        if (identity.principal.provider, identity.principal.scope) == key
        and not ((_on_the_way(side.radius.held[name], identity) & wanted) - less).is_empty()
    ]
    _, name = min(holders) if holders else (0, min(side.radius.identities))
    return Access(replace(grant, principal=name), side.radius.identities[name].path)
