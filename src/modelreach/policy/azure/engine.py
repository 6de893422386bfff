"""Azure and Entra behind the engine's door: one snapshot, with what the deployment fixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from modelreach.policy.azure import decide as deciding
from modelreach.policy.azure import grants as granting
from modelreach.policy.azure.asker import Asker, Fixed
from modelreach.policy.azure.became import became
from modelreach.policy.azure.clusters import of_clusters
from modelreach.policy.azure.conditions import attribute_key
from modelreach.policy.azure.estate import Estate
from modelreach.policy.azure.explain import explain
from modelreach.policy.azure.federation import admits, tokens
from modelreach.policy.azure.held import held
from modelreach.policy.azure.pivots import pivots
from modelreach.policy.azure.tools import tools
from modelreach.policy.azure.unlisted import unlisted
from modelreach.policy.decision import Decision
from modelreach.policy.engine import (
    Grant,
    Half,
    Opened,
    Pivot,
    Presence,
    Support,
    Token,
    called,
)
from modelreach.policy.permissions import PermissionSet
from modelreach.policy.presence import Where, presence
from modelreach.policy.provider import Opens
from modelreach.snapshot import Credential, Facts, Principal, Runtime

#: Kinds of facts that tell which identities there are, and whose tokens they let in.
_ADMITTING = frozenset({"principals", "applications", "trust"})


class AzureEngine:
    """Answers `modelreach.policy.engine.Engine` for the Azure part of a snapshot.

    `fixed` are attributes that the deployment declares, such as `@Environment[isPrivateLink]`.
    `opens` are secrets, by glob, with the principals whose credentials the user says they hold.
    """

    provider = "azure"

    def __init__(self, facts: Facts, fixed: Fixed | None = None, opens: Opens = ()) -> None:
        self._estate = Estate(facts)
        self._opens = opens
        self._fixed = _keyed(fixed or {})
        self._askers: dict[str, Asker] = {}
        self._held: dict[str, PermissionSet] = {}
        self._grants: dict[str, tuple[Grant, ...]] = {}

    def principal(self, principal: str) -> Principal | None:
        """Who is meant by an object id, an app id, or the id of a user-assigned identity."""
        change = became(principal)
        found = self._estate.principal(change.base if change else principal)
        if found is not None and change:
            return msgspec.structs.replace(found, id=principal, kind="escalated")
        return found

    def decide(
        self,
        principal: str,
        action: str,
        resource: str,
        context: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Decision:
        """May this principal do that to this resource, scope or object?

        Raises KeyError when the snapshot does not have the principal.
        """
        return deciding.decide(self._asker(principal), action, resource, _keyed(context or {}))

    def grants(self, principal: str) -> tuple[Grant, ...]:
        """Everything the principal may do to listed resources, itself and no further."""
        if principal not in self._grants:
            self._grants[principal] = granting.grants(self._asker(principal))
        return self._grants[principal]

    def permissions(self, principal: str) -> PermissionSet:
        """What its roles let it do, after deny assignments."""
        if principal not in self._held:
            self._held[principal] = held(self._asker(principal))
        return self._held[principal]

    def unlisted(self, permissions: PermissionSet, scope: str) -> tuple[Grant, ...]:
        """The part of a permission set that listed resources do not show, by pattern."""
        return unlisted(permissions, self._estate)

    def scope_kind(self, scope: str) -> str:
        """What a scope is: subscription, resource group, management group, tenant."""
        found = self._estate.scope(scope)
        return found.kind if found else "scope"

    def explain(self, decision: Decision) -> tuple[str, ...]:
        """What stopped a request that is denied, and what would have to change."""
        return explain(decision)

    def runtime(self, name: str) -> Runtime | None:
        """The runtime behind an ARM id."""
        found = self._estate.facts.runtimes.get(name.lower())
        return found if found is not None and found.provider == "azure" else None

    def opened_by(self, credential: Credential) -> Opened:
        """As whom the holder of a credential acts; keys of resources act as nobody."""
        found = self._estate.principal(credential.principal)
        if found is None:
            return Opened("", "it opens the resource itself and is nobody's")
        if found.attributes.get("enabled") is False:
            return Opened("", "its principal is disabled")
        return Opened(found.id)

    def tools(self, runtime: str) -> Iterable[Pivot]:
        """A hop for each identity that a runtime's tools run as."""
        return tuple(tools(self._estate, runtime.lower()))

    def calls(self, principal: str, runtime: str) -> Iterable[Pivot]:
        """A hop to each identity that a runtime runs as which the principal calls."""
        return tuple(called(principal, self.runtime(runtime)))

    def tokens(self, principal: str) -> Iterable[Token]:
        """By what an identity shows elsewhere who it is."""
        found = self.principal(principal)
        if found is None:
            return ()
        own = () if became(principal) else tokens(self._estate, found)
        return (*own, *of_clusters(self._asker(principal)))

    def possible(self, principal: str) -> Iterable[Token]:
        """Nothing has to be said for an identity to show its token."""
        return ()

    def admits(self, token: Token, source: str) -> Iterable[Pivot]:
        """A hop to each identity whose federated credentials let a token in."""
        return tuple(admits(self._estate, token, source))

    def naming(self, token: Token) -> Iterable[Support]:
        """A federated credential that names a token lets it in."""
        return ()

    def halves(self, principal: str) -> Iterable[Half]:
        """None but by tokens."""
        return ()

    def presence(self, name: str) -> Presence:
        """Is an identity in the snapshot, or was its tenant not read?"""
        where = Where("azure", self._estate.tenant, _ADMITTING)
        listed = self._estate.principal(name) is not None
        return presence(self._estate.facts, name, where, listed=listed)

    def pivots(self, principal: str) -> Iterable[Pivot]:
        """Every identity that can be become, and scope that can be taken over, in one hop."""
        return tuple(pivots(self._asker(principal), self._opens))

    def _asker(self, name: str) -> Asker:
        if name not in self._askers:
            self._askers[name] = Asker.of(self._estate, name, self._fixed)
        return self._askers[name]


def _keyed(given: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {attribute_key(key): values for key, values in given.items()}
