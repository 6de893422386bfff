"""Whether what one side of a comparison could not see may be all there is to a change.

A grant that a refused call hides is not lost, and one whose limit was not read is not gained. In
doubt the gap is to blame: silence must not read as safety.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from modelreach.model import Capability, base_of
from modelreach.policy.brief import place_of
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.engine import AS_ADMINISTRATOR, Pivot
from modelreach.policy.expr import AtomKind, Expr, atoms, render
from modelreach.policy.providers import providers
from modelreach.reach import Access, Identity
from modelreach.snapshot import Facts, Gap, Resource, Runtime

#: Kinds of gaps that may hide what a principal may do, by the places of all who are touched.
_GRANTING: Final = frozenset({"principals", "identity-policy", "trust", "resource-policy"})
#: Kinds that may hide a role that is held, by the places that it is held over.
_HOLDING: Final = frozenset(
    {
        *("bindings", "roles", "groups", "tags", "constraint", "access-policy", "eligible"),
        *("directory-roles", "app-roles", "owners", "agents", "applications", "delegated"),
        *("hierarchy", "subscription"),
    }
)
#: Kinds that may hide a limit, wherever they are.
_LIMITING: Final = frozenset({"scp", "rcp", "organization", "boundary", "resource-policy"})
#: Kinds that may hide a limit on what is at or below their scope.
_LIMITING_BELOW: Final = frozenset(
    {"deny", "locks", "constraint", "access-policy", "network-policy", "tags"}
)
#: Kinds of limits that somebody may lift first, and then acts under another name.
_LIFTED: Final = frozenset({"boundary", "deny"})
#: Kinds that may hide all that lies in a place: which regions or scopes it has.
_PLACES: Final = frozenset({"regions", "scopes"})
#: Kinds that may hide by what somebody shows outside of a place who it is, or who is let in there.
_BORDER: Final = frozenset({"token-issuer", "cluster-identity", "cluster-entry"})
#: Kinds that may hide what one thing is or does: how it is configured, whom it is.
_OF_ONE: Final = frozenset({"details", "identity"})
#: A gap of this kind stands for every kind of resource.
_EVERYTHING: Final = "resources"
_HELD: Final = (Layer.BINDING, Layer.ACCESS_POLICY, Layer.DENY)


class Sight:
    """What the sides know of places: in which scopes a thing is, which roles have a name, and
    which groups hold a group. What was moved is in the places of both sides. Nothing is looked up
    before the first gap asks."""

    def __init__(self, *sides: Facts) -> None:
        self._sides = sides
        self._above: dict[str, frozenset[str]] = {}
        self._listed: dict[str, str] = {}

    @cached_property
    def _places(self) -> tuple[dict[str, str], ...]:
        return tuple(map(_places_of, self._sides))

    @cached_property
    def _roles(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for facts in self._sides:
            for role in facts.snapshot.managed_policies:
                found.setdefault(role.name, set()).add(role.id)
        return found

    def above(self, name: str) -> frozenset[str]:
        """Give everything that a scope, resource or principal is in, with itself; of a key, whom
        or what it opens, too."""
        if name not in self._above:
            chains = (_chain(name, places) for places in self._places)
            self._above[name] = frozenset(place for chain in chains for place in chain)
        return self._above[name]

    def things(self, name: str) -> tuple[Resource | Runtime, ...]:
        """Give as what a thing is listed: as a resource, as what runs, or both."""
        found = (
            thing
            for facts in self._sides
            for thing in (facts.resources.get(name), facts.runtimes.get(name))
        )
        return tuple(thing for thing in found if thing is not None)

    def listed(self, name: str) -> str:
        """Give the listed thing that a name means, or means a part of; the name where there is
        none."""
        if name not in self._listed:
            whole = name
            while whole and not self.things(whole):
                whole = whole[: max(whole.rfind("/"), whole.rfind(":"), 0)]
            self._listed[name] = whole or name
        return self._listed[name]

    def groups(self, name: str) -> frozenset[str]:
        """Give the groups that somebody is in, through others too."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            new = self._direct(waiting.pop()) - found
            found |= new
            waiting += new
        return frozenset(found)

    def _direct(self, name: str) -> set[str]:
        known = (facts.principals[name] for facts in self._sides if name in facts.principals)
        return {group for principal in known for group in principal.groups}

    def hinges(self, refs: Iterable[StatementRef]) -> frozenset[str]:
        """Give the scopes whose own roles decide whom some statements mean."""
        known = [provider.hinges for provider in providers().values() if provider.hinges]
        return frozenset(
            scope
            for ref in refs
            for hinges in known
            for facts in self._sides
            for scope in hinges(ref.text, facts.scopes)
        )

    @cached_property
    def _held_over(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for facts in self._sides:
            for binding in facts.snapshot.bindings:
                for member in binding.members:
                    found.setdefault(member, set()).add(binding.target)
        return found

    def held_over(self, name: str) -> frozenset[str]:
        """Give what somebody, or a group that it is in, holds roles over."""
        members = (name, *self.groups(name)) if name else ()
        return frozenset(place for one in members for place in self._held_over.get(one, ()))

    def roles(self, name: str) -> frozenset[str]:
        """Give the ids of the roles that a statement calls by this name, or id."""
        return frozenset({name, *self._roles.get(name, ())})


def _places_of(facts: Facts) -> dict[str, str]:
    found = {one.id: one.principal for one in facts.snapshot.credentials}
    found |= {name: fact.scope for name, fact in facts.runtimes.items()}
    found |= {name: fact.scope for name, fact in facts.resources.items()}
    found |= {name: fact.scope for name, fact in facts.principals.items()}
    found |= {name: fact.parent for name, fact in facts.scopes.items()}
    return found


def _chain(name: str, places: Mapping[str, str]) -> Iterator[str]:
    seen: set[str] = set()
    while name and name not in seen:
        yield name
        seen.add(name)
        name = places.get(name, "")


def could_hide(gap: Gap, access: Access, identities: Mapping[str, Identity], sight: Sight) -> bool:
    """Could this gap be why the poorer side does not show the access? `identities` are those that
    either side reaches."""
    if any(pivot.rule == AS_ADMINISTRATOR for pivot in access.path.pivots) and _naming(gap):
        return True
    if gap.kind in _GRANTING:
        touched = _touched(access, identities, sight)
        if gap.subject:
            return gap.subject in touched
        owners = _owners(access, identities)
        if gap.kind == "resource-policy":
            owners |= _passed(access, sight)
        return gap.scope in ("", *_all_above(owners, sight))
    if gap.kind in _HOLDING:
        return _could_hold(gap, access, identities, sight)
    if gap.kind in _LIFTED:
        return _could_lift(gap, access, sight)
    if gap.kind in _BORDER:
        return any(_crosses(pivot, gap.scope, sight) for pivot in access.path.pivots)
    if gap.kind in _PLACES:
        names = {access.grant.resource, *_owners(access, identities), *_passed(access, sight)}
        return gap.scope in ("", *_all_above(names, sight))
    if gap.kind in _OF_ONE:
        return gap.subject in _touched(access, identities, sight)
    return _could_list(gap, access, sight) or _could_pass(gap, access, sight)


def _crosses(pivot: Pivot, place: str, sight: Sight) -> bool:
    """Does a hop lead into a place, or out of it?"""
    ends = (pivot.source, pivot.target)
    inside = [place in _all_above({end, base_of(end)}, sight) for end in ends]
    return inside[0] is not inside[1]


def _could_lift(gap: Gap, access: Access, sight: Sight) -> bool:
    """Could the gap hide the limit that somebody on the way lifts first?"""
    changed = {name for name in _nodes(access) if "#" in name}
    if gap.subject:
        return any(gap.subject == base_of(name) != name for name in changed)
    return gap.scope in ("", *_all_above(map(place_of, changed), sight)) and bool(changed)


def _could_list(gap: Gap, access: Access, sight: Sight) -> bool:
    """Could the resource be one of those that were not listed?"""
    grant = access.grant
    there = gap.scope in ("", *sight.above(grant.scope)) and gap.region in ("", grant.region)
    about = gap.subject in ("", grant.resource) or grant.resource.startswith(f"{gap.subject}/")
    return gap.kind in (grant.kind, _EVERYTHING) and there and about


def _could_pass(gap: Gap, access: Access, sight: Sight) -> bool:
    """Could something that the way goes by be one of the things that were not listed: what runs,
    what it loads, or what keeps a credential?"""
    return any(
        gap.scope in sight.above(name)
        and (gap.subject in ("", name) or name.startswith(f"{gap.subject}/"))
        and _could_be(gap, sight.things(name))
        for name in _passed(access, sight)
    )


def _could_be(gap: Gap, things: tuple[Resource | Runtime, ...]) -> bool:
    """May a gap be of a thing, as it is listed? Of what is listed nowhere, what runs may."""
    runs = gap.kind.startswith("runtimes:")
    kind = gap.kind.removeprefix("runtimes:")
    if gap.kind == _EVERYTHING or not things:
        return runs or gap.kind == _EVERYTHING
    return any(kind == one.kind and gap.region in ("", one.region) for one in things)


def _passed(access: Access, sight: Sight) -> set[str]:
    """What the way goes by, apart from identities."""
    through = {pivot.via for pivot in access.path.pivots}
    through |= {support.object for pivot in access.path.pivots for support in pivot.support}
    return {sight.listed(name) for name in through - {""}}


def is_told(gap: Gap, residuals: Iterable[Expr]) -> bool:
    """Is a gap what one of the answers hangs on, so that the answer itself says so?"""
    about = gap.subject or gap.scope
    return any(
        about in f"{atom.key} {atom.operator}"
        for residual in residuals
        for atom in atoms(residual)
        if atom.kind is AtomKind.GAP
    )


def _naming(gap: Gap) -> bool:
    """May what was not read have policies that name somebody: principals, resources, or theirs?"""
    return gap.kind in _GRANTING | _HOLDING or ":" in gap.kind


def _could_hold(
    gap: Gap, access: Access, identities: Mapping[str, Identity], sight: Sight
) -> bool:
    """Could the gap hide a role that the access stands on?"""
    refs = tuple(_statements(access))
    touched = _touched(access, identities, sight)
    match gap.kind:
        case "roles" if gap.subject:
            return any(gap.subject in sight.roles(ref.policy) for ref in refs)
        case "roles":
            return any(ref.layer in _HELD for ref in refs)
        case "groups":
            groups = frozenset(group for name in touched for group in sight.groups(name))
            if gap.subject:
                return gap.subject in groups
            return bool(groups) and _within(gap, access, refs, touched, sight)
        case "tags" if not _about_tags(access, refs):
            return False
        case "bindings" if not gap.subject and gap.scope in _all_above(
            sight.hinges(refs) | sight.held_over(_became(access)), sight
        ):
            return True
        case _:
            return _within(gap, access, refs, touched, sight)


def _became(access: Access) -> str:
    """Give whom an access is about, where it is becoming somebody: of who holds nothing, as far as
    was read, it is not told."""
    grant = access.grant
    return base_of(grant.resource) if grant.capability is Capability.ASSUME else ""


def _within(
    gap: Gap, access: Access, refs: Iterable[StatementRef], touched: set[str], sight: Sight
) -> bool:
    """Is what the gap is about the thing, a place of it or of a role on the way, or on the way?"""
    names = {access.grant.scope, access.grant.resource, *(ref.target for ref in refs)}
    places = _all_above(names, sight)
    if gap.subject:
        return gap.subject in places | touched
    return gap.scope in ("", *places)


def _about_tags(access: Access, refs: Iterable[StatementRef]) -> bool:
    told = [render(access.residual), *(ref.text for ref in refs)]
    return any("tag" in text.lower() for text in told)


def could_limit(
    gap: Gap, access: Access, identities: Mapping[str, Identity], sight: Sight
) -> bool:
    """Could this gap hide a limit that the other side shows?"""
    if gap.kind in _LIMITING_BELOW:
        refs = tuple(_statements(access))
        if gap.kind == "tags" and not _about_tags(access, refs):
            return False
        return _within(gap, access, refs, _touched(access, identities, sight), sight)
    if gap.kind not in _LIMITING:
        return False
    return not gap.subject or gap.subject in _touched(access, identities, sight)


def _statements(access: Access) -> Iterator[StatementRef]:
    yield from access.grant.statements
    for pivot in access.path.pivots:
        for support in pivot.support:
            yield from support.statements


def _all_above(names: Iterable[str], sight: Sight) -> frozenset[str]:
    return frozenset(place for name in names for place in sight.above(name))


def _owners(access: Access, identities: Mapping[str, Identity]) -> set[str]:
    touched = _identities(access, identities)
    owners = {identities[name].principal.scope for name in touched if name in identities}
    return {access.grant.scope, *owners}


def _touched(access: Access, identities: Mapping[str, Identity], sight: Sight) -> set[str]:
    """The resource, everybody on the way to it, and what the way goes by."""
    return {access.grant.resource, *_identities(access, identities), *_passed(access, sight)}


def _identities(access: Access, identities: Mapping[str, Identity]) -> set[str]:
    """Everybody on the way, with their groups. Of an identity under another name (one that gave
    itself policies), both names."""
    names = _nodes(access)
    groups = {
        group
        for name in names
        if name in identities
        for group in identities[name].principal.groups
    }
    return names | groups | set(map(base_of, names))


def _nodes(access: Access) -> set[str]:
    grant, pivots = access.grant, access.path.pivots
    on_the_way = {node for pivot in pivots for node in (pivot.source, pivot.target)}
    return {grant.resource, grant.principal, access.path.start, *on_the_way}
