"""Kubernetes behind the engine's door: the clusters of one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

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
from modelreach.policy.kubernetes import grants as granting
from modelreach.policy.kubernetes.decide import decide
from modelreach.policy.kubernetes.entry import entered
from modelreach.policy.kubernetes.estate import PROVIDER, Estate, acting
from modelreach.policy.kubernetes.halves import halves
from modelreach.policy.kubernetes.held import held
from modelreach.policy.kubernetes.names import cluster_of, namespace_of
from modelreach.policy.kubernetes.pivots import pivots
from modelreach.policy.kubernetes.tokens import possible, tokens
from modelreach.policy.permissions import PermissionSet
from modelreach.snapshot import Credential, Facts, Principal, Runtime


class KubernetesEngine:
    """Answers `modelreach.policy.engine.Engine` for the clusters of a snapshot."""

    provider = PROVIDER

    def __init__(self, facts: Facts) -> None:
        self._estate = Estate(facts)
        self._held: dict[str, PermissionSet] = {}

    def principal(self, principal: str) -> Principal | None:
        """The fact behind an id, or behind a name without a cluster where there is one."""
        return self._estate.principal(principal)

    def decide(
        self,
        principal: str,
        action: str,
        resource: str,
        context: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Decision:
        """May this principal do that? `name` of the context names an object in a scope.

        Raises KeyError when the snapshot does not have the principal.
        """
        return decide(self._estate, self._known(principal), action, resource, context or {})

    def _known(self, name: str) -> Principal:
        found = self._estate.principal(name)
        if found is None:
            raise KeyError(name)
        return found

    def grants(self, principal: str) -> tuple[Grant, ...]:
        """Everything the principal may do to listed objects, itself and no further."""
        return granting.grants(self._estate, self._known(principal))

    def permissions(self, principal: str) -> PermissionSet:
        """What its roles let it do, symbolically."""
        if principal not in self._held:
            self._held[principal] = held(self._estate, self._known(principal))
        return self._held[principal]

    def unlisted(self, permissions: PermissionSet, scope: str) -> tuple[Grant, ...]:
        """The part of a permission set that listed objects do not show, by pattern."""
        return granting.unlisted(self._estate, permissions, scope)

    def scope_kind(self, scope: str) -> str:
        """Namespace or cluster."""
        found = self._estate.facts.scopes.get(scope)
        return found.kind if found is not None else "cluster"

    def runtime(self, name: str) -> Runtime | None:
        """The runtime behind an id."""
        found = self._estate.facts.runtimes.get(name)
        if found is None or found.provider != PROVIDER:
            return None
        return replace(found, identities=acting(found))

    def tools(self, runtime: str) -> Iterable[Pivot]:
        """What runs in a cluster has no tools of its own: its manifest says what it calls."""
        return ()

    def calls(self, principal: str, runtime: str) -> Iterable[Pivot]:
        """A hop to each identity that a runtime runs as which the principal calls."""
        return tuple(called(principal, self.runtime(runtime)))

    def explain(self, decision: Decision) -> tuple[str, ...]:
        """Why a request is denied, and what would have to change."""
        if not decision.blocked_by:
            return ()
        return (
            "no role that it or its groups hold there allows it: a role binding in the namespace, "
            "or a cluster role binding, needs to give it one that does",
        )

    def opened_by(self, credential: Credential) -> Opened:
        """As whom the holder of a token acts."""
        return Opened(credential.principal)

    def tokens(self, principal: str) -> Iterable[Token]:
        """The tokens that a service account's pods can show to a cloud."""
        return tuple(tokens(self._estate, self._known(principal)))

    def possible(self, principal: str) -> Iterable[Token]:
        """The tokens that a pod could mount besides."""
        return tuple(possible(self._estate, self._known(principal)))

    def admits(self, token: Token, source: str) -> Iterable[Pivot]:
        """A hop to each user as whom an identity of a cloud enters a cluster of that cloud."""
        found = tuple(
            one
            for cloud in self._estate.clouds
            for one in entered(cloud, token, source, self._estate.names)
        )
        for one in found:
            self._estate.enter(one)
        return tuple(one.pivot for one in found)

    def naming(self, token: Token) -> Iterable[Support]:
        """Nor does it name tokens of others."""
        return ()

    def halves(self, principal: str) -> Iterable[Half]:
        """Whom the principal's cluster lets in besides, who may not be there."""
        clouds = (one for one in self._estate.clouds if one.cluster == cluster_of(principal))
        return tuple(half for cloud in clouds for half in halves(cloud, principal))

    def presence(self, name: str) -> Presence:
        """Is it here, or was it not read?"""
        if self._estate.principal(name) is not None:
            return Presence.LISTED
        scope = namespace_of(name) or cluster_of(name)
        read = self._estate.complete("principals", scope, cluster_of(name))
        return Presence.ABSENT if read else Presence.UNREAD

    def pivots(self, principal: str) -> Iterable[Pivot]:
        """Everybody that can be become, and scope that can be taken over, in one hop."""
        return tuple(pivots(self._estate, self._known(principal)))
