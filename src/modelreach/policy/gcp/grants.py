"""What one principal may do to listed resources, itself and no further.

Only resources below what it is bound on are looked at, of kinds that its roles speak of. What
holds for a kind in a scope, whatever the resource, is decided once there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import msgspec

from modelreach.model import Capability, Verdict
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Grant
from modelreach.policy.expr import FALSE, AllOf, AnyOf, Atom, Expr, all_of, any_of
from modelreach.policy.gcp import kinds
from modelreach.policy.gcp.asker import Asker, Held, Place, verdict_of
from modelreach.policy.gcp.cel import part_of_name
from modelreach.policy.gcp.enforcement import blocks
from modelreach.policy.glob import escape
from modelreach.snapshot import Resource


def grants(asker: Asker) -> tuple[Grant, ...]:
    """Give every grant on a listed resource, sorted."""
    plans = _Plans(asker)
    known = asker.estate.facts.resources
    found = [
        grant for name in sorted(candidates(asker)) for grant in _on_resource(plans, known[name])
    ]
    return tuple(sorted(found, key=lambda g: (g.resource, g.capability, g.actions)))


def candidates(asker: Asker) -> set[str]:
    """Give the listed resources on which a role of the principal may give anything."""
    if asker.principal.attributes.get("disabled"):
        return set()
    estate = asker.estate
    found: set[str] = set()
    for target, bindings in asker.held.items():
        roles = {held.binding.role for held in bindings}
        if not estate.is_scope(target):
            found.update(_inside(asker, target))
            continue
        for scope in estate.under(target):
            for kind, resources in estate.resources.get(scope, {}).items():
                if any(relevant(asker, role, kind) for role in roles):
                    found.update(resource.id for resource in resources)
    for target in estate.with_accesses:
        found.update(_inside(asker, target))
        if estate.is_scope(target):
            found.update(_below(asker, target))
    return found


def _below(asker: Asker, target: str) -> Iterator[str]:
    """The listed resources below a scope that its access policies speak of."""
    estate = asker.estate
    for scope in estate.under(target):
        for kind, resources in estate.resources.get(scope, {}).items():
            if _by_access(asker, (target,), kinds.kind_of(kind)):
                yield from (resource.id for resource in resources)


def _inside(asker: Asker, target: str) -> Iterator[str]:
    """A listed resource, and those whose names go on where its name ends."""
    ids = asker.estate.resource_ids
    place = bisect_left(ids, target)
    while place < len(ids) and ids[place].startswith(target):
        if ids[place] == target or ids[place].startswith(f"{target}/"):
            yield ids[place]
        place += 1


def relevant(asker: Asker, role: str, kind: str) -> tuple[str, ...]:
    """Give the permissions of a role that are about a kind of resource, or what lies in it.

    To act as a service account is a hop, and told as one.
    """
    key = (role, kind)
    if key not in asker.estate.relevant:
        of, nouns = asker.estate.role(role), kinds.kind_of(kind)
        asker.estate.relevant[key] = tuple(
            permission
            for noun in nouns.nouns
            for permission in of.by_noun.get(noun, ())
            if not kinds.on_parent(permission, nouns)
            and kinds.capability(permission) is not Capability.ASSUME
        )
    return asker.estate.relevant[key]


# --- deciding many at once -------------------------------------------------------------------


class _Group(msgspec.Struct, frozen=True):
    """Permissions of which the same statements speak, on the thing itself or on what lies in it.

    `alone`: what is decided depends on the resource, not only on its scope and kind.
    """

    permissions: tuple[str, ...]
    exact: bool
    alone: bool


class _Plans(msgspec.Struct):
    """Groups by scope, kind and what is bound below the scope; their decisions where shared."""

    asker: Asker
    groups: dict[tuple[str, str, tuple[str, ...]], tuple[_Group, ...]] = msgspec.field(
        default_factory=dict[tuple[str, str, tuple[str, ...]], tuple[_Group, ...]]
    )
    decided: dict[tuple[str, str, str], Decision] = msgspec.field(
        default_factory=dict[tuple[str, str, str], Decision]
    )

    def of(self, resource: Resource, chain: tuple[str, ...]) -> tuple[_Group, ...]:
        estate = self.asker.estate
        own = tuple(
            name
            for name in chain
            if not estate.is_scope(name) and (name in self.asker.held or estate.accesses(name))
        )
        key = (resource.scope, resource.kind, own)
        if key not in self.groups:
            self.groups[key] = tuple(self._grouped(resource.kind, chain, bool(own)))
        return self.groups[key]

    def _grouped(self, kind: str, chain: tuple[str, ...], own: bool) -> Iterator[_Group]:
        asker, estate = self.asker, self.asker.estate
        here = [held for name in chain for held in asker.held.get(name, ())]
        nouns = kinds.kind_of(kind)
        names = {p for held in here for p in relevant(asker, held.binding.role, kind)}
        names |= _by_access(asker, chain, nouns)
        accesses = [rule for name in chain for rule in estate.accesses(name)]
        groups: dict[tuple[object, ...], list[str]] = {}
        for permission in sorted(names):
            giving = tuple(
                held.binding.id
                for held in here
                if not (role := estate.role(held.binding.role)).known or role.has(permission)
            )
            rules = [rule for name in chain for rule in estate.denies(name)]
            limiting = tuple(
                (n, rule.by_group(permission))
                for n, rule in enumerate(rules)
                if rule.names(permission)
            )
            blocked = tuple(blocks(permission, b.version) for b, _ in asker.boundaries)
            noun = kinds.noun_of(permission)
            accessing = tuple(n for n, rule in enumerate(accesses) if rule.names(permission))
            key = (giving, limiting, accessing, blocked, noun)
            groups.setdefault(key, []).append(permission)
        asks = _asks(here, chain, asker)
        for permissions in groups.values():
            exact = kinds.noun_of(permissions[0]) == nouns.noun
            yield _Group(tuple(permissions), exact, own or asks)

    def decide(self, group: _Group, resource: Resource, chain: tuple[str, ...]) -> Decision:
        first = group.permissions[0]
        alone = group.alone or bool(self.asker.estate.gaps_about(resource.id))
        if alone:
            return self.asker.decide(first, Place(chain, exact=group.exact))
        key = (resource.scope, resource.kind, first)
        if key not in self.decided:
            self.decided[key] = self.asker.decide(first, Place(chain, exact=group.exact))
        return self.decided[key]


def _by_access(asker: Asker, chain: tuple[str, ...], nouns: kinds.Kind) -> set[str]:
    """Permissions that access policies name, outright or among those that roles give."""
    rules = [r for name in chain for r in asker.estate.accesses(name) if not r.denies]
    found = {p for rule in rules for p in map(_plain, rule.permissions) if "*" not in p}
    if any("*" in permission for rule in rules for permission in rule.permissions):
        known = asker.estate.permissions
        found |= {p for p in known if any(rule.names(p) for rule in rules)}
    return {permission for permission in found if kinds.noun_of(permission) in nouns.nouns}


def _plain(permission: str) -> str:
    host, _, rest = permission.partition("/")
    return f"{host.removesuffix('.googleapis.com')}.{rest}"


def _asks(here: list[Held], chain: tuple[str, ...], asker: Asker) -> bool:
    """Does any condition ask for the resource?"""
    texts = [held.binding.condition for held in here]
    texts += [rule.condition for name in chain for rule in asker.estate.denies(name)]
    accesses = (rule for name in chain for rule in asker.estate.accesses(name))
    texts += [text for rule in accesses for text in rule.conditions]
    return any("resource" in text for text in texts)


# --- grants ----------------------------------------------------------------------------------


class _Row(msgspec.Struct):
    decision: Decision
    actions: set[str] = msgspec.field(default_factory=set[str])


def _on_resource(plans: _Plans, resource: Resource) -> Iterator[Grant]:
    asker = plans.asker
    chain = asker.estate.chain(resource.id)
    rows: dict[tuple[Capability, Expr, object, tuple[str, ...]], _Row] = {}
    for group in plans.of(resource, chain):
        decision = plans.decide(group, resource, chain)
        if decision.verdict is Verdict.DENY:
            continue
        for residual, within in _parts(decision.residual, resource.id):
            for permission in group.permissions:
                capability = kinds.capability(permission)
                key = (capability, residual, decision.allowed_by, within)
                rows.setdefault(key, _Row(decision)).actions.add(permission)
    for (capability, residual, _, within), row in rows.items():
        yield Grant(
            principal=asker.name,
            resource=resource.id,
            kind=resource.kind,
            name=_called(resource),
            scope=resource.scope,
            provider="gcp",
            capability=capability,
            actions=tuple(sorted(row.actions)),
            verdict=verdict_of(residual),
            residual=residual,
            statements=row.decision.allowed_by,
            within=within,
            region=resource.region,
            assumes=row.decision.assumes,
        )


def _called(resource: Resource) -> str:
    """A service account is called by its address: its display name may say anything."""
    if resource.kind == "iam.googleapis.com/ServiceAccount":
        return resource.id.rpartition("/")[2].removesuffix(".iam.gserviceaccount.com")
    return resource.name


def _parts(residual: Expr, resource: str) -> Iterator[tuple[Expr, tuple[str, ...]]]:
    """Take the parts of a resource that a residual narrows it to out of the residual: what holds
    of the parts, and what is left of the whole where that is another way."""
    if isinstance(residual, AnyOf):
        narrowing = any_of(part for part in residual.parts if _beginnings(part))
        if narrowing not in (FALSE, residual):
            yield from _parts(narrowing, resource)
            yield any_of(part for part in residual.parts if not _beginnings(part)), ()
            return
    host = resource.removeprefix("//").partition("/")[0]
    conjuncts = residual.parts if isinstance(residual, AllOf) else (residual,)
    parts = [part for part in conjuncts if _beginnings(part)]
    if len(parts) != 1:
        yield residual, ()
        return
    within = tuple(f"//{host}/{escape(begin)}*" for begin in _beginnings(parts[0]))
    yield all_of(part for part in conjuncts if part is not parts[0]), within


def _beginnings(part: Expr) -> tuple[str, ...]:
    """The beginnings of names of which one has to be met, if that is all that is asked."""
    tests = part.parts if isinstance(part, AnyOf) else (part,)
    found = [part_of_name(test) if isinstance(test, Atom) else None for test in tests]
    return tuple(sorted(begin for begin in found if begin)) if all(found) else ()
