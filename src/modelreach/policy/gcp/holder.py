"""One principal of Google Cloud as the prober of escalation rules asks it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from modelreach.policy.decision import Decision
from modelreach.policy.escalation.prober import UNREAD, Unread
from modelreach.policy.gcp.asker import Asker, Place
from modelreach.policy.gcp.became import How
from modelreach.policy.gcp.constraints import in_force
from modelreach.snapshot import AttributeValue, Principal, Resource, Runtime, Scope


class Holder(msgspec.Struct):
    """Answers `escalation.prober.Holder` for one principal.

    `taken` are scopes that it takes over for certain: what lies below them is told with them.
    """

    asker: Asker
    taken: set[str] = msgspec.field(default_factory=set[str])
    _places: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, "tuple[str, ...]"]
    )

    @property
    def name(self) -> str:
        """The principal's id."""
        return self.asker.name

    def places(self, action: str) -> tuple[str, ...]:
        """Where a binding gives it the action.

        A role without a definition might; that it may be anything is told of the role itself, and
        not once more for every rule that there is.
        """
        if action not in self._places:
            self._places[action] = tuple(sorted(self._giving(action)))
        return self._places[action]

    def _giving(self, action: str) -> Iterator[str]:
        estate = self.asker.estate
        for target, bindings in self.asker.held.items():
            roles = (estate.role(held.binding.role) for held in bindings)
            if any(role.has(action) for role in roles):
                yield target

    def decide(self, action: str, thing: str, context: Mapping[str, tuple[str, ...]]) -> Decision:
        """May it do that?"""
        estate = self.asker.estate
        principal = estate.facts.principals.get(thing)
        name = estate.account_resource(principal) if principal is not None else thing
        return self.asker.told(context).decide(action, Place(estate.chain(estate.scope(name))))

    def principals(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Principal]:
        """Principals that are, or lie within, one of the places; not of scopes taken over."""
        estate = self.asker.estate
        found: dict[str, Principal] = {}
        for place in places:
            if estate.is_scope(place):
                for scope in self._under(place):
                    for kind in kinds:
                        found |= {p.id: p for p in estate.principals.get((scope, kind), ())}
                continue
            account = estate.account_of(place)
            if account is not None and account.kind in kinds and not self.is_told(account.scope):
                found[account.id] = account
        return [principal for _, principal in sorted(found.items())]

    def _under(self, place: str) -> Iterator[str]:
        if not self.is_told(place):
            yield from (s for s in self.asker.estate.under(place) if not self.is_told(s))

    def is_told(self, scope: str) -> bool:
        """Does a scope lie in one that is taken over, so that it is told with that?"""
        return bool(self.taken) and not self.taken.isdisjoint(self.asker.estate.path(scope))

    def runtimes(self, kinds: tuple[str, ...], places: tuple[str, ...]) -> Iterable[Runtime]:
        """Runtimes that are, or lie within, one of the places."""
        estate = self.asker.estate
        found: dict[str, Runtime] = {}
        for place in places:
            if estate.is_scope(place):
                for scope in estate.under(place):
                    for kind in kinds:
                        found |= {r.id: r for r in estate.runtimes.get((scope, kind), ())}
                continue
            one = estate.facts.runtimes.get(place)
            if one is not None and one.kind in kinds:
                found[one.id] = one
        return [self._with_models(runtime) for _, runtime in sorted(found.items())]

    def _with_models(self, runtime: Runtime) -> Runtime:
        """Give an endpoint what its models pull, too; images as the repositories they are in."""
        runtimes = self.asker.estate.facts.runtimes
        links = list(runtime.links)
        for link in runtime.links:
            model = runtimes.get(link.target) if link.kind == "routes-to" else None
            links += model.links if model else ()
        kept = (msgspec.structs.replace(link, target=place_of(link.target)) for link in links)
        return msgspec.structs.replace(runtime, links=tuple(dict.fromkeys(kept)))

    def linked(
        self, kinds: tuple[str, ...], links: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Runtime]:
        """Runtimes with a link to something that is, or lies within, one of the places."""
        estate = self.asker.estate
        wanted = set(places)
        for runtime in self._linking(kinds, links):
            targets = (link.target for link in runtime.links if link.kind in links)
            if any(not wanted.isdisjoint(estate.chain(target)) for target in targets):
                yield runtime

    def _linking(self, kinds: tuple[str, ...], links: tuple[str, ...]) -> Iterator[Runtime]:
        for (_, kind), runtimes in sorted(self.asker.estate.runtimes.items()):
            if kind in kinds:
                for runtime in runtimes:
                    linking = self._with_models(runtime)
                    if any(link.kind in links for link in linking.links):
                        yield linking

    def things(
        self, kinds: tuple[str, ...], places: tuple[str, ...]
    ) -> Iterable[Resource | Scope]:
        """Resources and scopes that are, or lie within, one of the places; not of those taken."""
        estate = self.asker.estate
        found: dict[str, Resource | Scope] = {}
        for place in places:
            if not estate.is_scope(place):
                one = estate.facts.resources.get(place)
                if one is not None and one.kind in kinds:
                    found[one.id] = one
                continue
            for name in self._under(place):
                scope = estate.facts.scopes.get(name)
                if scope is not None and scope.kind in kinds:
                    found[name] = scope
                for kind in kinds:
                    resources = estate.resources.get(name, {}).get(kind, ())
                    found |= {resource.id: resource for resource in resources}
        return [thing for _, thing in sorted(found.items())]

    def known(self, name: str) -> Principal | None:
        """The principal behind a member."""
        found = self.asker.estate.principal(name)
        return None if found is None or self.is_told(found.scope) else found

    def scope_attribute(self, scope: str, name: str) -> AttributeValue | Unread | None:
        """A constraint as it is in force on a scope, unless it is lifted first."""
        if self.asker.lifts(How.NO_CONSTRAINT, scope) and ".disable" in name:
            return False
        found = in_force(self.asker.estate, scope, name)
        return UNREAD if found is None else found


_DOCKER = re.compile(r"(?:https?://)?([a-z0-9-]+)-docker\.pkg\.dev/([^/]+)/([^/:@]+)")
_GCR = re.compile(r"(?:https?://)?((?:[a-z]+\.)?gcr\.io)/((?:[^/]+:)?[^/:@]+)")
#: Where the hosts of Container Registry keep their images now.
#: https://docs.cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo
_GCR_PLACES = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}


def place_of(address: str) -> str:
    """Give the repository that an image is in; anything else as it is."""
    found = _DOCKER.match(address)
    if found is not None:
        return _repository(*found.groups())
    old = _GCR.match(address)
    if old is not None and old[1] in _GCR_PLACES:
        return _repository(_GCR_PLACES[old[1]], old[2], old[1])
    return address


def _repository(location: str, project: str, name: str) -> str:
    return (
        f"//artifactregistry.googleapis.com/projects/{project}/locations/{location}"
        f"/repositories/{name}"
    )
