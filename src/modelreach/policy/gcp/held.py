"""What one principal may do, symbolically: its bindings put into the algebra.

Resources are written as the id of the scope or resource that a role is held on, and all below it:
`projects/p/*`. Limits above are taken away; limits further down stay as what an access hangs on.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.policy.expr import FALSE, Atom, AtomKind, Expr, all_of, any_of, negate
from modelreach.policy.extent import ALL, Extent
from modelreach.policy.gcp import kinds
from modelreach.policy.gcp.asker import Asker, Held, Place
from modelreach.policy.glob import escape
from modelreach.policy.permissions import EMPTY, Box, PermissionSet


def held(asker: Asker) -> PermissionSet:
    """Give the effective permission set of a principal."""
    if asker.principal.attributes.get("disabled"):
        return EMPTY
    boxes = [
        box
        for target, bindings in sorted(asker.held.items())
        for binding in bindings
        for box in _boxes(asker, target, binding)
    ]
    return PermissionSet.of(boxes)


def _boxes(asker: Asker, target: str, binding: Held) -> Iterator[Box]:
    estate = asker.estate
    place = Place(estate.chain(target), exact=False, below=estate.is_scope(target))
    resources = Extent.globs(globs_of(asker, target))
    role = estate.role(binding.binding.role)
    if role.permissions is None:
        unknown = Atom(AtomKind.GAP, f"what role {role.id} gives")
        met = asker.met((binding.binding.condition,), place, "")
        yield Box(ALL, resources, all_of((binding.who, unknown, met)), (binding.ref,))
        return
    groups: dict[Expr, list[str]] = {}
    limits = _Limits(asker, place)
    for permission in role.permissions:
        condition = all_of((binding.who, limits.of(permission, binding.binding.condition)))
        if condition != FALSE:
            groups.setdefault(condition, []).append(permission.lower())
    for condition, permissions in groups.items():
        actions = Extent.globs(escape(permission) for permission in permissions)
        yield Box(actions, resources, condition, (binding.ref,))


def globs_of(asker: Asker, target: str) -> tuple[str, ...]:
    """Give what a binding is about: all below a scope; a resource and what is in it."""
    name = escape(target)
    return (f"{name}/*",) if asker.estate.is_scope(target) else (name, f"{name}/*")


class _Limits:
    """What must hold for limits to let a permission pass below a place."""

    def __init__(self, asker: Asker, place: Place) -> None:
        self._asker = asker
        self._place = place
        self._unread = all_of(
            Atom(AtomKind.GAP, f"whether a deny policy of {name} takes it away")
            for name in asker.estate.unread("deny", place.chain)
        )
        self._met: dict[tuple[str, str], Expr] = {}
        self._further = self._below()

    def _below(self) -> tuple[Place, ...]:
        """Scopes below that have deny policies of their own."""
        estate, first = self._asker.estate, self._place.chain[0]
        if not self._place.below:
            return ()
        return tuple(
            Place(path, exact=False, below=True)
            for scope in estate.scopes_with_denies
            if first in (path := estate.path(scope))[1:]
        )

    def of(self, permission: str, condition: str) -> Expr:
        asker, place = self._asker, self._place
        key = (condition, kinds.noun_of(permission) if "resource" in condition else "")
        if key not in self._met:
            self._met[key] = asker.met((condition,), place, permission)
        if self._met[key] == FALSE:
            return FALSE
        denied = any_of(clause.when for clause in asker.denied(permission, place))
        eligible, _ = asker.eligible(permission, place)
        further = [negate(self._within(permission, below)) for below in self._further]
        return all_of((self._met[key], negate(denied), eligible, self._unread, *further))

    def _within(self, permission: str, place: Place) -> Expr:
        """That it lies in a scope further down whose own deny policies take it away."""
        scope = place.chain[0]
        own = Place((scope,), exact=False, below=True)
        denied = any_of(clause.when for clause in self._asker.denied(permission, own))
        return all_of((Atom(AtomKind.CONTEXT, f"it lies in {scope}"), denied))
