"""Google Cloud behind the engine's door: one snapshot, with what the deployment fixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

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
from modelreach.policy.gcp import grants as granting
from modelreach.policy.gcp import pivots as pivoting
from modelreach.policy.gcp.admission import admits, naming, tokens
from modelreach.policy.gcp.asker import Asker, Fixed, Place
from modelreach.policy.gcp.became import became
from modelreach.policy.gcp.clusters import of_clusters
from modelreach.policy.gcp.estate import Estate
from modelreach.policy.gcp.explain import explain_deny
from modelreach.policy.gcp.held import held
from modelreach.policy.gcp.holder import Holder
from modelreach.policy.gcp.tools import tools
from modelreach.policy.gcp.unlisted import unlisted
from modelreach.policy.permissions import PermissionSet
from modelreach.policy.presence import Where, presence
from modelreach.policy.provider import Opens
from modelreach.snapshot import Credential, Facts, Principal, Runtime

#: What the permissions begin with that a credential can use, where it cannot use all.
_GOOD_FOR: Final = {"hmac-key": "storage.", "api-key": "aiplatform."}

_POOL: Final = "iam.googleapis.com/WorkloadIdentityPool"
#: Kinds of facts that tell which accounts there are, and who may come as one.
_ADMITTING: Final = frozenset({"principals", "bindings", _POOL, f"{_POOL}Provider"})


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
        """The fact behind a member, in either spelling of a Kubernetes account; of what one would
        become by a change, under that name."""
        change = became(principal)
        found = self._estate.principal(change.base if change else principal)
        if found is None or change is None:
            return found
        return msgspec.structs.replace(found, id=principal, kind="escalated")

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
        asker = self._asker(principal).told(context or {})
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
        """As whom the holder of a credential acts.

        https://docs.cloud.google.com/storage/docs/authentication/hmackeys
        https://docs.cloud.google.com/docs/authentication/api-keys#bound-keys
        """
        return Opened(credential.principal, only=_GOOD_FOR.get(credential.kind, ""))

    def tools(self, runtime: str) -> Iterable[Pivot]:
        """A hop for each identity that a runtime's tools run as."""
        return tuple(tools(self._estate, runtime))

    def calls(self, principal: str, runtime: str) -> Iterable[Pivot]:
        """A hop to each identity that a runtime runs as which the principal calls."""
        return tuple(called(principal, self.runtime(runtime)))

    def tokens(self, principal: str) -> Iterable[Token]:
        """A service account can show an identity token of its own."""
        found = self._estate.principal(principal)
        if found is None or became(principal):
            return ()
        groups = (one for one in self._estate.who(found).sure if one.startswith("group:"))
        return (*tokens(found, groups), *of_clusters(Holder(self._asker(principal))))

    def possible(self, principal: str) -> Iterable[Token]:
        """Nothing has to be said for an account to show its token."""
        return ()

    def admits(self, token: Token, source: str) -> Iterable[Pivot]:
        """A hop to whom the identity pools let a token in as."""
        found = tuple(admits(self._estate, token, source))
        for one in found:
            name = one.principal.id
            if name not in self._estate.facts.principals and self._estate.come(one.principal):
                self._askers.pop(name, None)
        return tuple(one.pivot for one in found if one.principal.id != source)

    def naming(self, token: Token) -> Iterable[Support]:
        """The bindings that name whom a token is of, in pools that do not let it in."""
        return tuple(naming(self._estate, token))

    def halves(self, principal: str) -> Iterable[Half]:
        """None but by tokens."""
        return ()

    def presence(self, name: str) -> Presence:
        """Is an account in the snapshot, or was its project not read?"""
        project = name.rpartition("@")[2].removesuffix(".iam.gserviceaccount.com")
        where = Where("gcp", f"projects/{project}", _ADMITTING)
        listed = self._estate.principal(name) is not None
        return presence(self._estate.facts, name, where, listed=listed)

    def pivots(self, principal: str) -> Iterable[Pivot]:
        """Every identity that can be become, and scope that can be taken over, in one hop."""
        return tuple(pivoting.pivots(self._asker(principal), self._opens))

    def _asker(self, name: str) -> Asker:
        if name not in self._askers:
            change = became(name)
            found = self._estate.principal(change.base if change else name)
            if found is None:
                raise KeyError(name)
            self._askers[name] = Asker.of(self._estate, found, self._fixed, change)
        return self._askers[name]
