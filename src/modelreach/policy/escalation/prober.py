"""One principal as it tries the rules of a provider whose permissions come as roles over scopes.

Candidates are found from the places where the principal has what is needed, never by going
through everything; each need is then put to the provider's engine, so that conditions, denials
and boundaries bind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from modelreach.model import Strength, Verdict
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import Met, provided, strength_of
from modelreach.policy.escalation.rules import Compute, Need, On, Rule, Setting, Way
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, each_of
from modelreach.snapshot import AttributeValue, Principal, Resource, Runtime, Scope


class Unread:
    """That an attribute was not read."""


UNREAD = Unread()


class Holder(Protocol):
    """What a prober asks of the provider about one principal. Ids are those of facts."""

    @property
    def name(self) -> str:
        """The principal's id."""
        ...

    def places(self, action: str) -> tuple[str, ...]:
        """The scopes and resources on which something grants it the action, conditions aside: at
        a glance, without a decision; sorted. Any that may grant it for want of knowledge too."""
        ...

    def decide(self, action: str, thing: str, context: Mapping[str, tuple[str, ...]]) -> Decision:
        """May it do that to this scope, resource, runtime or principal?"""
        ...

    def principals(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Principal]:
        """Principals of these kinds that are, or lie within, one of the places; sorted by id."""
        ...

    def runtimes(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Runtime]:
        """Runtimes likewise."""
        ...

    def linked(
        self, kinds: tuple[str, ...], links: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Runtime]:
        """Runtimes of these kinds with a link, of one of these kinds, to something that is, or
        lies within, one of the places; sorted by id."""
        ...

    def things(
        self, kinds: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Resource | Scope]:
        """Resources, and scopes, of these kinds likewise."""
        ...

    def known(self, name: str) -> Principal | None:
        """The principal behind an id that a runtime names, or None."""
        ...

    def scope_attribute(self, scope: str, name: str) -> AttributeValue | Unread | None:
        """An attribute of a scope as it is in force there (inherited), None where it has none."""
        ...


class Aim(msgspec.Struct, frozen=True):
    """One use of a rule: at whom, by which compute (and what it is linked to), on which thing."""

    principal: Principal | None = None
    runtime: Runtime | None = None
    thing: Resource | Scope | None = None
    linked: str = ""

    @property
    def scope(self) -> str:
        """The scope that it happens in."""
        if isinstance(self.thing, Scope):
            return self.thing.id
        fact = self.thing or self.runtime or self.principal
        return fact.scope if fact is not None else ""

    @property
    def via(self) -> str:
        """The compute or thing that is used on the way."""
        if isinstance(self.thing, Scope):
            return ""
        fact = self.runtime or self.thing
        return fact.id if fact is not None else ""


class RoleProber(msgspec.Struct):
    """Answers `mechanism.Prober` by asking a holder."""

    holder: Holder
    _places: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, "tuple[str, ...]"]
    )
    _asked: dict[object, Decision] = msgspec.field(default_factory=dict[object, Decision])

    @property
    def source(self) -> str:
        """Who tries."""
        return self.holder.name

    def ways(self, rule: Rule) -> tuple[Way, ...]:
        """The ways all of whose actions it has somewhere."""
        return tuple(
            way for way in rule.ways if all(self._where(need.action) for need in way.needs)
        )

    def _where(self, action: str) -> tuple[str, ...]:
        if action not in self._places:
            self._places[action] = self.holder.places(action)
        return self._places[action]

    # --- aims ------------------------------------------------------------------------------

    def aims(self, rule: Rule) -> Iterator[Aim]:
        """Every use that may succeed: of what lies where the needs on it are had."""
        if rule.compute is not None:
            yield from self._of_computes(rule)
        elif rule.thing is not None:
            places = self._narrowed(rule, ("thing", "scope"))
            for thing in self.holder.things(rule.thing.kind, places):
                opened = str(thing.attributes.get(rule.thing.leads, ""))
                yield Aim(self.holder.known(opened) if opened else None, thing=thing)
        elif rule.target is not None:
            for principal in self._targets(rule, self._narrowed(rule, ("target", "scope"))):
                yield Aim(principal)

    def _of_computes(self, rule: Rule) -> Iterator[Aim]:
        compute = rule.compute
        if compute is None:
            return
        for runtime in self._runtimes(rule, compute):
            targets = [p for name in runtime.identities if (p := self.holder.known(name))]
            links = [link.target for link in runtime.links if link.kind in compute.links]
            for principal in targets:
                if rule.target is not None and principal.kind not in rule.target.kind:
                    continue
                if not compute.links:
                    yield Aim(principal, runtime)
                for linked in links:
                    yield Aim(principal, runtime, linked=linked)

    def _runtimes(self, rule: Rule, compute: Compute) -> Iterable[Runtime]:
        places = self._narrowed(rule, ("compute", "scope"))
        if places or not compute.links:
            return self.holder.runtimes(compute.kind, places)
        places = self._narrowed(rule, ("linked",))
        return self.holder.linked(compute.kind, compute.links, places)

    def _targets(self, rule: Rule, places: tuple[str, ...]) -> Iterator[Principal]:
        if rule.target is not None:
            found = self.holder.principals(rule.target.kind, places)
            yield from (p for p in found if p.id != self.source)

    def _narrowed(self, rule: Rule, on: tuple[On, ...]) -> tuple[str, ...]:
        """Where the caller has the first need that is on such a thing: nothing else can be an
        aim. Needs of ways count where there is no other."""
        needs = [need for need in rule.needs if need.on in on]
        if needs:
            return self._where(needs[0].action)
        of_ways = [need for way in rule.any_of for need in way.needs if need.on in on]
        return tuple(sorted({place for need in of_ways for place in self._where(need.action)}))

    def yielded(self, rule: Rule, aim: Aim) -> str:
        """Whom or what a use leads to."""
        if rule.yields == "scope":
            return aim.scope
        return aim.principal.id if aim.principal is not None else ""

    # --- a hop -----------------------------------------------------------------------------

    def pivot(self, rule: Rule, way: Way, aim: Aim) -> Pivot | None:
        """The hop by one way; None when something that it needs is not so."""
        surrounded = self._surrounded(rule, way, aim)
        met = None if surrounded == FALSE else self._met(way.needs, aim)
        if met is None:
            return None
        supports, residual = met[0], each_of((surrounded, met[1]))
        for depends in (rule.depends, way.depends):
            if depends:
                residual = each_of((residual, provided(depends)))
        strength = strength_of(residual)
        return Pivot(
            "administer" if rule.yields == "scope" else rule.kind,
            self.source,
            self.yielded(rule, aim),
            Strength.INFLUENCE if rule.strength == "influence" else strength,
            residual,
            supports,
            rule.id,
            aim.via,
            f"{rule.title} (by way of {aim.via})" if aim.via else rule.title,
        )

    def _surrounded(self, rule: Rule, way: Way, aim: Aim) -> Expr:
        parts: list[Expr] = []
        if rule.target is not None and aim.principal is not None:
            parts.append(_holds(rule.target.setting, _reader(aim.principal), aim.principal.id))
        if rule.compute is not None and aim.runtime is not None:
            parts.append(_holds(rule.compute.setting, _reader(aim.runtime), aim.runtime.id))
        if rule.thing is not None and aim.thing is not None:
            parts.append(_holds(rule.thing.setting, _reader(aim.thing), aim.thing.id))
        scope = aim.scope
        parts += [
            _holds(setting, lambda name: self.holder.scope_attribute(scope, name), scope)
            for setting in (rule.scope, way.scope)
            if setting
        ]
        return all_of(parts)

    def _met(self, needs: Iterable[Need], aim: Aim) -> Met | None:
        supports: list[Support] = []
        residuals: list[Expr] = []
        for need in needs:
            found = self._answer(need, aim)
            if found is None:
                return None
            supports.extend(found[0])
            residuals.append(found[1])
        return tuple(supports), each_of(residuals)

    def _answer(self, need: Need, aim: Aim) -> Met | None:
        """The best answer to one need: the first that is certain, else the first at all."""
        best: Met | None = None
        for thing in self._things(need, aim):
            decision = self._decide(need, thing)
            if decision.verdict is Verdict.DENY:
                continue
            support = Support(self.source, need.action, thing, decision.allowed_by, need.note)
            found: Met = ((support,), decision.residual)
            if decision.verdict is Verdict.ALLOW:
                return found
            best = best or found
        return best

    def _decide(self, need: Need, thing: str) -> Decision:
        key = (need.action, thing, tuple(sorted(need.context.items())))
        if key not in self._asked:
            context = {name: (value,) for name, value in need.context.items()}
            self._asked[key] = self.holder.decide(need.action, thing, context)
        return self._asked[key]

    def _things(self, need: Need, aim: Aim) -> Iterator[str]:
        match need.on:
            case "self":
                yield self.source
            case "target" if aim.principal is not None:
                yield aim.principal.id
            case "compute" if aim.runtime is not None:
                yield aim.runtime.id
            case "thing" if aim.thing is not None:
                yield aim.thing.id
            case "linked" if aim.linked:
                yield aim.linked
            case "scope":
                yield aim.scope
            case "anywhere":
                yield from (aim.scope, *self._where(need.action))
            case _:
                return


def _reader(fact: Principal | Runtime | Resource | Scope) -> _Read:
    return lambda name: fact.name if name == "name" else fact.attributes.get(name)


class _Read(Protocol):
    def __call__(self, name: str, /) -> AttributeValue | Unread | None: ...


def _holds(setting: Setting, read: _Read, where: str) -> Expr:
    """Is a setting given? What was not read leaves it open."""
    parts: list[Expr] = []
    for name in setting.has:
        parts.append(~_tested(read(name), (None, "", False, ()), name, where))
    for name, value in setting.where.items():
        parts.append(_tested(read(name), (value,), name, where))
    for name, values in setting.unless.items():
        parts.append(~_tested(read(name), values, name, where))
    return all_of(parts)


def _tested(
    found: AttributeValue | Unread | None,
    values: tuple[AttributeValue | None, ...],
    name: str,
    where: str,
) -> Expr:
    if isinstance(found, Unread):
        return Atom(AtomKind.GAP, f"{name} of {where}")
    return TRUE if found in values else FALSE
