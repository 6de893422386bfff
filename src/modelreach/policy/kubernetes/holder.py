"""One subject of a cluster as the prober of escalation rules asks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from modelreach.model import Verdict
from modelreach.policy.decision import Decision
from modelreach.policy.escalation.prober import Unread
from modelreach.policy.kubernetes.decide import CLUSTER_SCOPED, decide
from modelreach.policy.kubernetes.estate import OUTWARD, Estate, Granted, acting
from modelreach.policy.kubernetes.names import (
    Action,
    account_id,
    cluster_of,
    namespace_of,
    resource_id,
    user_id,
)
from modelreach.policy.kubernetes.rules import unnamed
from modelreach.snapshot import AttributeValue, Principal, Resource, Runtime, Scope


class Subject(msgspec.Struct, frozen=True):
    """Answers `escalation.prober.Holder` for one principal."""

    estate: Estate
    principal: Principal

    @property
    def name(self) -> str:
        """The principal's id."""
        return self.principal.id

    def places(self, action: str) -> tuple[str, ...]:
        """Where something may grant it the action."""
        parsed = Action.parse(action)
        if parsed is None:
            return ()
        return tuple(sorted(set(self._places(parsed))))

    def _places(self, action: Action) -> Iterator[str]:
        estate, cluster = self.estate, cluster_of(self.name)
        if estate.master(self.principal):
            yield cluster
            return
        for granted in estate.held(self.principal):
            if granted.rule.about(action):
                yield from self._objects(action, granted)
        if estate.any_unread("roles"):
            subjects = (*estate.subjects(self.principal), *estate.anonymous(cluster))
            for binding in estate.unknown_roles(subjects):
                yield binding.target
        yield from estate.unread_in("bindings", cluster)

    def _objects(self, action: Action, granted: Granted) -> Iterator[str]:
        target, names = granted.binding.target, granted.rule.names
        if not names:
            yield target
        elif not unnamed(action):
            of_cluster = action.plural in CLUSTER_SCOPED
            scopes = (target,) if of_cluster else self.estate.within(target)
            for scope in scopes:
                # Some uses need any such object of a place.
                yield scope
                yield from (_object(action.plural, scope, name) for name in names)

    def decide(self, action: str, thing: str, context: Mapping[str, tuple[str, ...]]) -> Decision:
        """May it do that? Of a place: to any object of it."""
        found = decide(self.estate, self.principal, action, thing, context)
        if found.verdict is not Verdict.CONDITIONAL or thing not in self.estate.facts.scopes:
            return found
        parsed = None if "name" in context else Action.parse(action)
        answers = (
            decide(self.estate, self.principal, action, name)
            for name in (self._named(parsed, thing) if parsed is not None else ())
        )
        return next((one for one in answers if one.verdict is Verdict.ALLOW), found)

    def _named(self, action: Action, scope: str) -> Iterator[str]:
        """The listed objects of a place that its rules name for an action."""
        facts = self.estate.facts
        for granted in self.estate.held(self.principal):
            for name in granted.rule.names if granted.rule.about(action) else ():
                one = _object(action.plural, scope, name)
                if one in facts.resources or one in facts.runtimes or one in facts.principals:
                    yield one

    def principals(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Principal]:
        """Principals that are, or lie within, one of the places."""
        found = {
            p.id: p
            for place in places
            for scope in self.estate.within(place)
            for kind in kinds
            for p in self.estate.principals.get((scope, kind), ())
        }
        named = (self.estate.facts.principals.get(place) for place in places)
        found |= {p.id: p for p in named if p is not None and p.kind in kinds}
        return [principal for _, principal in sorted(found.items())]

    def runtimes(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Runtime]:
        """Runtimes that are, or lie within, one of the places."""
        found = {
            r.id: r
            for place in places
            for scope in self.estate.within(place)
            for kind in kinds
            for r in self.estate.runtimes.get((scope, kind), ())
        }
        named = (self.estate.facts.runtimes.get(place) for place in places)
        found |= {r.id: r for r in named if r is not None and r.kind in kinds}
        return [self._acting(runtime) for _, runtime in sorted(found.items())]

    def _acting(self, runtime: Runtime) -> Runtime:
        """A runtime as whoever gets into it acts: as nobody, where it has no token of its account
        and none for others."""
        known = (self.estate.principal(name) for name in runtime.identities)
        if acting(runtime) == runtime.identities:
            return runtime
        out = (f"{p.id}{OUTWARD}" for p in known if p is not None and self.estate.leads_out(p))
        return replace(runtime, identities=tuple(out))

    def linked(
        self, kinds: tuple[str, ...], links: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Runtime]:
        """Runtimes with a link to something that is, or lies within, one of the places."""
        around = {*places, *(scope for place in places for scope in self.estate.within(place))}
        cluster = cluster_of(self.name)
        found = {
            runtime.id: runtime
            for link in links
            for place in around
            for runtime in self.estate.linked.get((link, place), ())
            if runtime.kind in kinds and cluster_of(runtime.id) == cluster
        }
        return [self._acting(runtime) for _, runtime in sorted(found.items())]

    def things(
        self, kinds: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Resource | Scope]:
        """Objects, and namespaces, that are or lie within one of the places; and the cluster, that
        something in one of its namespaces may open."""
        facts = self.estate.facts
        found: dict[str, Resource | Scope] = {}
        for place in places:
            around = (cluster_of(place),) if "cluster" in kinds else ()
            for scope in (*around, *self.estate.within(place)):
                fact = facts.scopes.get(scope)
                if fact is not None and fact.kind in kinds:
                    found[fact.id] = self._described(fact)
                for kind in kinds:
                    held = self.estate.resources.get((scope, kind), ())
                    found |= {r.id: r for r in held if not _refused(r)}
            one = facts.resources.get(place)
            if one is not None and one.kind in kinds and not _refused(one):
                found[one.id] = one
        return [thing for _, thing in sorted(found.items())]

    def _described(self, scope: Scope) -> Scope:
        """A cluster with what its cloud tells of who enters it."""
        cloud = self.estate.cloud_of(scope.id)
        if cloud is None or cloud.kind != "eks:cluster":
            return scope
        mode = cloud.fact.attributes.get("authentication", "")
        return replace(
            scope, attributes={**scope.attributes, "arn": cloud.id, "authentication": mode}
        )

    def known(self, name: str) -> Principal | None:
        """The principal behind an id."""
        return self.estate.principal(name)

    def scope_attribute(self, scope: str, name: str) -> AttributeValue | Unread | None:
        """An attribute of a namespace, or of its cluster."""
        for place in (scope, cluster_of(scope)):
            fact = self.estate.facts.scopes.get(place)
            if fact is not None and name in fact.attributes:
                return fact.attributes[name]
        return None


def _refused(resource: Resource) -> bool:
    """Is it a secret whose token the API server takes no more?

    https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-legacy-token-invalid-since
    """
    return bool(resource.attributes.get("legacy_invalid_since"))


def _object(plural: str, scope: str, name: str) -> str:
    """The id of a thing of this name."""
    cluster, namespace = cluster_of(scope), namespace_of(scope).rsplit("/", 1)[-1]
    if plural == "serviceaccounts" and namespace:
        return account_id(cluster, namespace, name)
    if plural == "users":
        return user_id(cluster, name)
    return resource_id(cluster, namespace, plural, name)
