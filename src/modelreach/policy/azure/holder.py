"""One principal as escalation rules ask about it: where it has something, and what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.conditions import attribute_key
from modelreach.policy.azure.decide import Asked, asked, decide
from modelreach.policy.azure.estate import Held, strings
from modelreach.policy.azure.ids import is_arm
from modelreach.policy.azure.roles import Plane
from modelreach.policy.decision import Decision
from modelreach.policy.escalation.prober import UNREAD, Unread
from modelreach.snapshot import AttributeValue, Link, Principal, Resource, Runtime, Scope


class AzureHolder(msgspec.Struct, frozen=True):
    """Answers `modelreach.policy.escalation.prober.Holder`."""

    asker: Asker

    @property
    def name(self) -> str:
        """The principal's id."""
        return self.asker.name

    def places(self, action: str) -> tuple[str, ...]:
        """The targets of the bindings that may grant an action; vaults and clusters that decide by
        themselves are asked about where they lie."""
        questions = asked(action)
        found = {
            self._place(held)
            for held in self.asker.held
            for question in questions
            if _may_grant(held, question)
        }
        if action.lower().startswith("data:microsoft.keyvault/"):
            found.update(self.asker.estate.vaults_naming(self.asker.members))
        return tuple(sorted(found))

    def _place(self, held: Held) -> str:
        """Permissions of an application hold for the whole tenant."""
        if held.binding.role.startswith("/approles/"):
            return self.asker.estate.tenant
        return held.binding.target

    def decide(self, action: str, thing: str, context: Mapping[str, tuple[str, ...]]) -> Decision:
        """Put a question to the engine."""
        known = {attribute_key(key): values for key, values in context.items()}
        return decide(self.asker, action, self.asker.estate.addressed(thing), known)

    def principals(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Principal]:
        """Principals in the tenant, in an administrative unit, one object, or managed identities
        of what lies in a scope: those who hold anything."""
        estate = self.asker.estate
        names: set[str] = set()
        for place in places:
            if place == estate.tenant:
                names.update(estate.leading)
            elif is_arm(place):
                names.update(estate.identities_in(place))
            else:
                scope = estate.facts.scopes.get(place)
                members = strings(scope.attributes.get("members", ())) if scope else (place,)
                names.update(name for name in members if name in estate.leading)
        for name in sorted(names):
            principal = self.known(name)
            if principal is not None and principal.kind in kinds:
                yield principal

    def runtimes(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Runtime]:
        """Runtimes in the places."""
        for name in self._within(places):
            runtime = self.asker.estate.facts.runtimes.get(name)
            if runtime is not None and runtime.kind in kinds:
                yield runtime

    def linked(
        self, kinds: tuple[str, ...], links: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Runtime]:
        """Runtimes with a link to something in the places, by its id and not by its address."""
        inside = set(self._within(places))
        for runtime in self.asker.estate.azure_runtimes:
            linked = tuple(map(self._addressed, runtime.links if runtime.kind in kinds else ()))
            if any(link.kind in links and link.target in inside for link in linked):
                yield replace(runtime, links=linked)

    def _addressed(self, link: Link) -> Link:
        return replace(link, target=self.asker.estate.addressed(link.target))

    def things(
        self, kinds: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Resource | Scope]:
        """Resources, and scopes, in the places."""
        estate = self.asker.estate
        for name in self._within(places):
            resource = estate.facts.resources.get(name)
            if resource is not None and resource.kind in kinds:
                yield resource
        for place in sorted(set(places)):
            scope = estate.scope(place)
            if scope is not None and scope.kind in kinds:
                yield scope

    def _within(self, places: tuple[str, ...]) -> tuple[str, ...]:
        """What lies in the places; with an unknown hierarchy, what may."""
        estate = self.asker.estate
        found: set[str] = set()
        for place in places:
            if is_arm(place):
                found.update(resource.id for resource in estate.resources_in(place))
        return tuple(sorted(found))

    def known(self, name: str) -> Principal | None:
        """The principal behind an id, with what follows from its application's settings."""
        found = self.asker.estate.facts.principals.get(name)
        if found is None or found.provider != "azure":
            return None
        return _described(found, self.asker)

    def scope_attribute(self, scope: str, name: str) -> AttributeValue | Unread | None:
        """An attribute of a scope, or of the closest above it that has it."""
        estate = self.asker.estate
        for place in (*estate.scopes_of(scope), estate.tenant):
            fact = estate.facts.scopes.get(place)
            if fact is not None and name in fact.attributes:
                return fact.attributes[name]
        return None


def _may_grant(held: Held, question: Asked) -> bool:
    """May a binding grant the action, conditions aside?"""
    in_arm = is_arm(held.binding.target)
    if in_arm is not (question.plane in (Plane.CONTROL, Plane.DATA)):
        return False
    if question.plane is Plane.APPLICATION and not held.binding.role.startswith(
        f"/approles/{question.application}/"
    ):
        return False
    return held.role is None or bool(held.role.granting(question.plane, question.name))


def _described(principal: Principal, asker: Asker) -> Principal:
    """Say of a service principal whether a credential can be added to it.

    The lock of its application forbids that on the service principal alone: on the application
    itself, where that is in the tenant, it stays possible.
    https://learn.microsoft.com/entra/identity-platform/howto-configure-app-instance-property-locks
    """
    if principal.kind not in ("service-principal", "agent-blueprint"):
        return principal
    locked = set(strings(principal.attributes.get("credential_lock", ())))
    here = bool(principal.attributes.get("application"))
    closed = not here and bool(locked & {"allProperties", "credentialsWithUsageVerify"})
    owners = strings(principal.attributes.get("owners", ()))
    application = asker.estate.facts.principals.get(
        str(principal.attributes.get("application", ""))
    )
    if application is not None:
        owners += strings(application.attributes.get("owners", ()))
    owned: Any = asker.principal.id in owners
    about = (principal.id, str(principal.attributes.get("application", "")), asker.estate.tenant)
    if not owned and any(asker.estate.gap("owners", name) for name in about if name):
        owned = UNREAD
    attributes = {**principal.attributes, "credentials_closed": closed, "owned": owned}
    return msgspec.structs.replace(principal, attributes=attributes)
