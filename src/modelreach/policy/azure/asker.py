"""One principal as it asks: the roles that it holds, by where it holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from modelreach.policy.azure.became import Became, How, became
from modelreach.policy.azure.estate import EVERYBODY, Deny, Estate, Held
from modelreach.policy.azure.ids import ROOT, is_arm
from modelreach.policy.azure.roles import Block, Globs, Plane, Role
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, any_of, negate
from modelreach.snapshot import Binding, Principal

#: Attributes of requests that are fixed, by `source[name]` in lower case.
Fixed = Mapping[str, tuple[str, ...]]

_EVERYTHING = Role(
    "",
    "any role",
    "",
    tuple(
        Block(plane, Globs(frozenset(), ("*",)), text="{}")
        for plane in (Plane.CONTROL, Plane.DATA)
    ),
)


class Asker(msgspec.Struct, frozen=True):
    """A principal with all that is on its side of a request."""

    estate: Estate
    name: str
    principal: Principal
    held: tuple[Held, ...]
    members: frozenset[str]
    fixed: Fixed
    by_target: dict[str, list[Held]] = msgspec.field(default_factory=dict[str, "list[Held]"])
    references: dict[tuple[int, int, Plane], StatementRef] = msgspec.field(
        default_factory=dict[tuple[int, int, Plane], StatementRef]
    )

    @staticmethod
    def of(estate: Estate, name: str, fixed: Fixed) -> Asker:
        """Raises KeyError when the snapshot has no such principal."""
        change = became(name)
        principal = estate.principal(change.base if change else name)
        if principal is None:
            raise KeyError(name)
        held = (*estate.held(principal), *_gained(change, principal, estate, fixed))
        members = frozenset({principal.id, *estate.groups_of(principal)})
        known = name if change else principal.id
        asker = Asker(estate, known, principal, held, members, fixed)
        for one in held:
            asker.by_target.setdefault(one.binding.target, []).append(one)
        return asker

    def at(self, target: str) -> Iterator[tuple[Held, Expr]]:
        """Give the roles that hold for a target, each with what that hangs on."""
        places = self.estate.scopes_of(target)
        for place in dict.fromkeys(places):
            for held in self.by_target.get(place, ()):
                yield held, held.when
        if not self.estate.loose or not is_arm(target) or target == ROOT:
            return
        for place, found in self.by_target.items():
            if place.startswith("/providers/microsoft.management/") and place not in places:
                where = Atom(AtomKind.GAP, f"whether {place} holds {target}")
                for held in found:
                    yield held, all_of((held.when, where))

    def reference(self, held: Held, block: Block) -> StatementRef:
        """Give the reference that names a permission block as it is held through a binding."""
        key = (id(held), block.index, block.plane)
        if key not in self.references:
            self.references[key] = _reference(held, block)
        return self.references[key]

    def denied_by(self, deny: Deny) -> Expr:
        """Is a deny assignment about the principal? What that hangs on."""
        meant = TRUE if EVERYBODY in deny.principals else self.among(deny.principals)
        if meant == FALSE:
            return FALSE
        return all_of((meant, negate(self.among(deny.excluded))))

    def among(self, named: frozenset[str]) -> Expr:
        """Is the principal, or a group that it is in, among these? What that hangs on."""
        if self.members & named:
            return TRUE
        return any_of(
            Atom(AtomKind.GAP, f"the members of group {unread}")
            for unread, within in self.estate.perhaps.items()
            if unread not in self.members and not named.isdisjoint(within)
        )


def _reference(held: Held, block: Block) -> StatementRef:
    binding, role = held.binding, held.role
    return StatementRef(
        Layer.BINDING,
        role.name if role else binding.role,
        binding.target,
        role.document if role else "",
        block.index,
        binding.id.rsplit("/", 1)[-1],
        "Allow",
        block.text,
    )


def _gained(
    change: Became | None, principal: Principal, estate: Estate, fixed: Fixed
) -> Iterator[Held]:
    """The roles that a change brings."""
    if change is None:
        return
    match change.how:
        case How.ANY_ROLE:
            yield Held(_given(change.what, "", principal), _EVERYTHING)
        case How.ROLES:
            from modelreach.policy.azure.administration import allowed_roles

            base = Asker.of(estate, principal.id, fixed)
            for name in allowed_roles(base, change.what):
                role = f"/providers/microsoft.authorization/roledefinitions/{name}"
                yield Held(_given(change.what, role, principal), estate.role(role))


def _given(scope: str, role: str, principal: Principal) -> Binding:
    return Binding(
        id="given to itself",
        provider="azure",
        target=scope,
        role=role,
        members=(principal.id,),
    )
