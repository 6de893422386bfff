"""What a side may do to things that the snapshot does not list: symbolic, per scope.

Held permissions are compared as sets, so what is new is exactly `new - old`, whoever holds it and
whatever the policies look like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, reduce

from msgspec.structs import replace

from modelreach.diff import Change, ChangeKind
from modelreach.model import Strength
from modelreach.pipeline.evaluate import Side
from modelreach.policy import providers
from modelreach.policy.engine import Grant
from modelreach.policy.expr import FALSE, TRUE, Expr, all_of, conjuncts, each_of, implies
from modelreach.policy.extent import Extent
from modelreach.policy.glob import is_literal, plain
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
    hops = tuple(r for pivot in identity.path.pivots if (r := pivot.residual) != TRUE)
    if not hops:
        return permissions
    return PermissionSet.of(
        replace(box, condition=_all_along(hops, box.condition)) for box in permissions.boxes
    )


def _all_along(hops: tuple[Expr, ...], at_end: Expr) -> Expr:
    """Give on what it hangs that something is held at the end of a way. Each hop is a request of
    its own: what contradicts what holds at the end, or another hop, need not hold at that time."""
    found = all_of((*hops, at_end))
    if not implies(found, FALSE):
        return found
    from modelreach.policy.escalation.mechanism import provided

    on_the_way = " and ".join(conjuncts(each_of(hops)))
    return all_of((provided(f"on the way there {on_the_way}"), at_end))


#: Whether a change of this kind is told already by another one, whoever holds the grant.
Told = Callable[[ChangeKind, Grant], bool]


def pattern_changes(old: Side, new: Side, told: Told) -> Iterator[Change]:
    """Give what came and went of the reach that is not listed, and is not `told`."""
    before, after = held(old), held(new)
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key, EMPTY), after.get(key, EMPTY)
        for less, more, side, whole, part in (
            (was, now, new, ChangeKind.GAINED, ChangeKind.WIDENED),
            (now, was, old, ChangeKind.LOST, ChangeKind.NARROWED),
        ):
            yield from _one_way(_Holders(side, key, less), more, whole, part, told)


def _one_way(
    holders: _Holders, more: PermissionSet, whole: ChangeKind, part: ChangeKind, told: Told
) -> Iterator[Change]:
    difference = more - holders.less
    if difference.is_empty():
        return
    provider, scope = holders.key
    for grant in holders.side.case.engines[provider].unlisted(difference, scope):
        # Who of all that are reached holds a grant is much work: for nothing where it is told.
        if told(whole, grant):
            continue
        kind = part if _touched(holders.less, grant) else whole
        for access in holders.of(grant):
            old, new = (access, None) if whole is ChangeKind.LOST else (None, access)
            yield Change(kind, grant.resource, grant.capability, access.grant.actions, old, new)


def _touched(permissions: PermissionSet, grant: Grant) -> bool:
    """Does the set already reach any of the same things by an action of the same service?"""
    family = providers.providers()[grant.provider].family
    actions = Extent.globs(sorted({a if a == "*" else family(a) for a in grant.actions}))
    resources = Extent.globs([grant.resource])
    return any(
        box.actions.meets(actions) and box.resources.meets(resources) for box in permissions.boxes
    )


class _Holders:
    """Who on a side holds a grant in one provider and scope, `less` taken away."""

    def __init__(self, side: Side, key: tuple[str, str], less: PermissionSet) -> None:
        self.side, self.key, self.less = side, key, less

    @cached_property
    def _nearest(self) -> list[tuple[str, Identity, PermissionSet]]:
        """The identities there with what they hold, those by the shortest way first."""
        radius = self.side.radius
        found = sorted(
            radius.identities.items(), key=lambda item: (len(item[1].path.pivots), item[0])
        )
        return [
            (name, identity, _on_the_way(radius.held[name], identity))
            for name, identity in found
            if (identity.principal.provider, identity.principal.scope) == self.key
            and name in radius.held
        ]

    def of(self, grant: Grant) -> Iterator[Access]:
        """Give the parts of a grant by who holds, by the shortest way, what `less` has not; each
        with the statements of that identity alone."""
        rest = list(grant.actions)
        for name, identity, all_of_it in self._nearest:
            if not rest:
                return
            mine = (all_of_it & _wanted(grant, rest)) - self.less
            held = [a for a in rest if any(_is_in(a, box) for box in mine.boxes)]
            if held:
                rest = [action for action in rest if action not in held]
                yield _part(grant, name, identity, held, mine)
        if rest:
            name, identity, _ = self._nearest[0]
            yield _part(grant, name, identity, rest, EMPTY)


def _wanted(grant: Grant, actions: list[str]) -> PermissionSet:
    asked = Extent.globs([action.lower() for action in actions])
    return PermissionSet.of([Box(asked, Extent.globs([grant.resource]))])


def _is_in(action: str, box: Box) -> bool:
    name = action.lower()
    if is_literal(name):
        return box.actions.contains(plain(name))
    return box.actions.meets(Extent.globs([name]))


def _part(
    grant: Grant, name: str, identity: Identity, actions: list[str], mine: PermissionSet
) -> Access:
    because = {ref for box in mine.boxes for ref in box.because}
    statements = tuple(ref for ref in grant.statements if ref in because) or grant.statements
    part = replace(grant, principal=name, actions=tuple(actions), statements=statements)
    return Access(part, identity.path)
