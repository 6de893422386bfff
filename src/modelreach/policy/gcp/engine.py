"""Google Cloud behind the engine's door: one snapshot, with what the deployment fixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelreach.policy.decision import Decision
from modelreach.policy.engine import Grant, Opened, Pivot
from modelreach.policy.gcp import grants as granting
from modelreach.policy.gcp.asker import Asker, Fixed, Place
from modelreach.policy.gcp.estate import Estate
from modelreach.policy.gcp.explain import explain_deny
from modelreach.policy.gcp.held import held
from modelreach.policy.gcp.unlisted import unlisted
from modelreach.policy.permissions import PermissionSet
from modelreach.policy.provider import Opens
from modelreach.snapshot import Credential, Facts, Principal, Runtime


class GcpEngine:
    """Answers `modelreach.policy.engine.Engine` for the Google Cloud part of a snapshot.

    `fixed` are attributes of conditions that the deployment declares, such as `request.path`;
    `request.time` stands in for the time of the snapshot.
    """

    provider = "gcp"

    def __init__(self, facts: Facts, fixed: Fixed | None = None, opens: Opens = ()) -> None:
        self._estate = Estate(facts)
        self._opens = opens
        self._fixed: Fixed = dict(fixed or {})
        self._askers: dict[str, Asker] = {}
        self._held: dict[str, PermissionSet] = {}
        self._grants: dict[str, tuple[Grant, ...]] = {}

    def principal(self, principal: str) -> Principal | None:
        """The fact behind a member, in either spelling of a Kubernetes account."""
        return self._estate.principal(principal)

    def decide(
        self,
        principal: str,
        action: str,
        resource: str,
        context: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Decision:
        """May this principal do that to this resource or scope?

        Raises KeyError when the snapshot does not have the principal.
        """
        estate = self._estate
        name = estate.scope(resource)
        asker = self._asker(principal)
        if context:
            asker = Asker(estate, asker.principal, asker.who, {**self._fixed, **context})
        permission = estate.spelled.get(action.lower(), action)
        return asker.decide(permission, Place(estate.chain(name)))

    def grants(self, principal: str) -> tuple[Grant, ...]:
        """Everything the principal may do to listed resources, itself and no further."""
        if principal not in self._grants:
            self._grants[principal] = granting.grants(self._asker(principal))
        return self._grants[principal]

    def permissions(self, principal: str) -> PermissionSet:
        """What its bindings let it do, after deny policies and boundaries."""
        if principal not in self._held:
            self._held[principal] = held(self._asker(principal))
        return self._held[principal]

    def unlisted(self, permissions: PermissionSet, scope: str) -> tuple[Grant, ...]:
        """The part of a permission set that listed resources do not show, by scope."""
        return unlisted(permissions, self._estate)

    def runtime(self, name: str) -> Runtime | None:
        """The runtime behind a full resource name."""
        found = self._estate.facts.runtimes.get(name)
        return found if found is not None and found.provider == "gcp" else None

    def scope_kind(self, scope: str) -> str:
        """Organization, folder or project."""
        found = self._estate.facts.scopes.get(scope)
        return found.kind if found else "project"

    def explain(self, decision: Decision) -> tuple[str, ...]:
        """Which layers stopped a request that is denied, and what would have to change."""
        return explain_deny(decision)

    def opened_by(self, credential: Credential) -> Opened:
        """As whom the holder of a credential acts."""
        return Opened(credential.principal)

    def tools(self, runtime: str) -> Iterable[Pivot]:
        """A hop for each identity that a runtime's tools run as."""
        return ()

    def pivots(self, principal: str) -> Iterable[Pivot]:
        """Every identity that can be become, and scope that can be taken over, in one hop."""
        return ()

    def _asker(self, name: str) -> Asker:
        if name not in self._askers:
            found = self._estate.principal(name)
            if found is None:
                raise KeyError(name)
            self._askers[name] = Asker.of(self._estate, found, self._fixed)
        return self._askers[name]
