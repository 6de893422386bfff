"""AWS behind the engine's door: one snapshot, with what the deployment fixes of the context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from modelreach.policy.aws import catalogue, classes
from modelreach.policy.aws import pivots as pivoting
from modelreach.policy.aws.acts_as import acts_as
from modelreach.policy.aws.asker import Asker, Fixed
from modelreach.policy.aws.bearer import bearer
from modelreach.policy.aws.became import How, became
from modelreach.policy.aws.credentials import Opens, credential_pivots, opened
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.explain import explain_deny
from modelreach.policy.aws.federation import admits, tokens
from modelreach.policy.aws.halves import halves
from modelreach.policy.aws.held import held
from modelreach.policy.aws.outbound import missing, outbound
from modelreach.policy.aws.shared_grants import SharedGrants
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.aws.tools import calls, tools
from modelreach.policy.aws.touch import Touch, named, touches
from modelreach.policy.aws.unlisted import unlisted
from modelreach.policy.brief import Brief, Outline
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Grant, Half, Opened, Pivot, Presence, Support, Token
from modelreach.policy.expr import Expr
from modelreach.policy.lots import Grants
from modelreach.policy.permissions import PermissionSet
from modelreach.policy.presence import Where, presence
from modelreach.snapshot import Credential, Facts, Principal, Runtime

if TYPE_CHECKING:
    from modelreach.policy.aws.brief import Briefs
    from modelreach.policy.aws.outdone import Outdoing

#: Kinds of facts that tell which roles there are, and whose tokens they let in.
_ADMITTING = frozenset({"principals", "trust", "details"})


class AwsEngine:
    """Answers `modelreach.policy.engine.Engine` for the AWS part of a snapshot.

    `fixed` are condition keys that the deployment declares, such as `aws:SourceVpce`. `opens` are
    secrets, by glob, with the principals whose credentials the user says they hold.
    """

    provider = "aws"

    def __init__(self, facts: Facts, fixed: Fixed | None = None, opens: Opens = ()) -> None:
        self._estate = Estate(facts)
        self._opens = opens
        self._fixed: Fixed = dict(fixed or {})
        self._askers: dict[str, Asker] = {}
        self._recent: tuple[str, Asker] | None = None
        self._held: dict[str, PermissionSet] = {}
        self._grants: dict[str, Grants] = {}
        self._pivots: dict[str, tuple[Pivot, ...]] = {}
        self._outlines: dict[str, Outline] = {}
        self._shelving = Shelving(self._estate)
        self._shared = SharedGrants(self._estate)

    def principal(self, principal: str) -> Principal | None:
        """The fact behind an ARN; of a session, its role."""
        found = self._estate.principal(principal)
        if found is not None and became(principal):
            return _escalated(found, principal)
        return found

    def decide(
        self,
        principal: str,
        action: str,
        resource: str,
        context: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Decision:
        """May this principal do that to this resource (a pattern: to any such resource)?

        Raises KeyError when the snapshot does not have the principal.
        """
        listed = self._listed(resource)
        facts = self._estate.facts
        owner = facts.resources.get(listed) or facts.principals.get(listed)
        account = owner.scope if owner else _account_of(resource)
        asker = self._asker(principal)
        known = catalogue.find(action)
        return asker.decide(
            action,
            resource,
            listed,
            account or asker.principal.scope,
            context,
            among_many=known is None or bool(known.targets),
        )

    def grants(self, principal: str) -> tuple[Grant, ...]:
        """Everything the principal may do to listed resources, itself and no further."""
        return self.granted(principal).written_out()

    def granted(self, principal: str) -> Grants:
        """Give the same, once for all resources for which it holds alike."""
        if principal not in self._grants:
            asker = self._asker(principal)
            self._grants[principal] = classes.granted(asker, self._shelving, shared=self._shared)
        return self._grants[principal]

    def brief(self, principal: str) -> Brief:
        """Give what the principal comes to in numbers: the same answers, without their reasons."""
        return self._briefs.of(self._passing(principal), self._secrets)

    def let_go(self) -> None:
        """Let go of what is known of single accounts: see `Brevity`."""
        self._recent = None
        self._askers.clear()
        self._shared.let_go()
        self._estate.let_go()

    def outline(self, principal: str) -> Outline:
        """Give whom the principal becomes in one hop: the same hops, without their reasons."""
        if principal not in self._outlines:
            self._outlines[principal] = self._briefs.outline(
                self._passing(principal), self._secrets
            )
        return self._outlines[principal]

    def administration(self, principal: str) -> Pivot | None:
        """Give the taking over of the principal's account; None when it cannot."""
        return pivoting.administers(self._passing(principal))

    def towards(self, principal: str, targets: frozenset[str]) -> tuple[Pivot, ...]:
        """Give the hops of the principal that lead to these."""
        if principal in self._pivots:
            return tuple(p for p in self._pivots[principal] if p.target in targets)
        return tuple(self._hops(principal, targets))

    def outdoes(self, one: str, other: str, given: Expr) -> bool:
        """Has one at least all that another one of its account holds, but for what is `beyond`?"""
        return not self._briefs.limits_ask_who and self._outdoing.outdoes(
            self._asker(one), self._passing(other), given
        )

    def beyond(self, principal: str, but: frozenset[str]) -> tuple[Grants, tuple[Grant, ...]]:
        """Give what the principal holds where a resource tells callers apart, and in accounts
        other than these and its own."""
        return self._outdoing.beyond(self._passing(principal), but)

    def patterns(self, principal: str) -> dict[str, int]:
        """How many grants by pattern the principal holds in each account other than its own."""
        return self._outdoing.patterns(self._passing(principal))

    def outlined(self, principal: str) -> tuple[Touch, frozenset[str], frozenset[str]]:
        """What the principal's policies may touch, in outline, and the accounts and buckets that
        they name; nothing of one that is not here."""
        if self._estate.principal(principal) is None:
            return (), frozenset(), frozenset()
        asker = self._passing(principal)
        return touches(asker), *named(asker)

    def permissions(self, principal: str) -> PermissionSet:
        """What its own policies let it do, after boundary and organisation policies."""
        if principal not in self._held:
            self._held[principal] = held(self._asker(principal))
        return self._held[principal]

    def unlisted(self, permissions: PermissionSet, scope: str) -> tuple[Grant, ...]:
        """The part of a permission set that listed resources do not show, by pattern."""
        return unlisted(permissions, scope, self._estate)

    def runtime(self, name: str) -> Runtime | None:
        """The runtime behind an ARN, with the names of whom its code acts as."""
        found = self._estate.facts.runtimes.get(name)
        if found is None or found.provider != "aws":
            return None
        return msgspec.structs.replace(found, identities=acts_as(self._estate, found))

    def scope_kind(self, scope: str) -> str:
        """Accounts are what is taken over."""
        return "account"

    def explain(self, decision: Decision) -> tuple[str, ...]:
        """Which layers stopped a request that is denied, and what would have to change."""
        return explain_deny(decision)

    def opened_by(self, credential: Credential) -> Opened:
        """As whom the holder of a credential acts: its principal, within what the key is for."""
        return bearer(self, credential)

    def tools(self, runtime: str) -> Iterable[Pivot]:
        """A hop for each identity that a runtime's tools run as."""
        return tuple(tools(self._estate, runtime, self._fixed))

    def calls(self, principal: str, runtime: str) -> Iterable[Pivot]:
        """A hop to each identity that a runtime runs as which the principal may call."""
        return tuple(calls(self._estate, principal, runtime, self._fixed))

    def tokens(self, principal: str) -> Iterable[Token]:
        """A role can show its session elsewhere, and identity tokens where it gets them."""
        found = self._estate.principal(principal)
        if found is None:
            return ()
        signed = () if became(principal) else tokens(found)
        if not self._estate.asked_elsewhere:
            return tuple(signed)
        return (*signed, *outbound(self._passing(principal)))

    def possible(self, principal: str) -> Iterable[Token]:
        """The identity tokens that are asked for elsewhere, and that it does not get."""
        found = self._estate.principal(principal)
        if found is None or became(principal) or not self._estate.asked_elsewhere:
            return ()
        return tuple(missing(self._passing(principal)))

    def admits(self, token: Token, source: str) -> Iterable[Pivot]:
        """A hop to each role whose trust lets a token in."""
        return tuple(admits(self._estate, token, source, self._fixed))

    def naming(self, token: Token) -> Iterable[Support]:
        """What names a token lets it in, or its provider is not there."""
        return ()

    def halves(self, principal: str) -> Iterable[Half]:
        """What one side alone says of roles of other accounts."""
        if became(principal) or self._estate.principal(principal) is None:
            return ()
        return tuple(halves(self._passing(principal), self.presence))

    def presence(self, name: str) -> Presence:
        """Is a role in the snapshot, or was its account not read?"""
        where = Where("aws", _account_of(name), _ADMITTING)
        listed = self._estate.principal(name) is not None
        return presence(self._estate.facts, name, where, listed=listed)

    def pivots(self, principal: str) -> Iterable[Pivot]:
        """Every identity that can be become, and account that can be taken over, in one hop."""
        if principal not in self._pivots:
            self._pivots[principal] = tuple(self._hops(principal))
        return self._pivots[principal]

    def _hops(self, principal: str, targets: frozenset[str] | None = None) -> Iterator[Pivot]:
        asker = self._asker(principal)
        own = tuple(pivoting.pivots(asker, targets))
        credentials = credential_pivots(asker, self._secrets, own)
        yield from (p for p in (*own, *credentials) if targets is None or p.target in targets)

    # What only surveys and wide reaches ask for is loaded when they do.

    @cached_property
    def _briefs(self) -> Briefs:
        from modelreach.policy.aws.brief import Briefs

        return Briefs(self._estate, self._shelving)

    @cached_property
    def _outdoing(self) -> Outdoing:
        from modelreach.policy.aws.outdone import Outdoing

        return Outdoing(self._estate, self._shelving, self._shared)

    @cached_property
    def _secrets(self) -> dict[str, tuple[str, ...]]:
        return opened(self._estate, self._opens)

    def _passing(self, name: str) -> Asker:
        """Give a principal as it asks, without keeping it: for those that are asked about once."""
        if self._recent is None or self._recent[0] != name:
            known = self._askers.get(name)
            self._recent = name, known or Asker.of(self._estate, self._found(name), self._fixed)
        return self._recent[1]

    def _found(self, name: str) -> str:
        """Give the id of a principal; what it would become keeps its name."""
        found = self._estate.principal(name)
        return found.id if found is not None and not became(name) else name

    def _asker(self, name: str) -> Asker:
        if name not in self._askers:
            self._askers[name] = Asker.of(self._estate, self._found(name), self._fixed)
        return self._askers[name]

    def _listed(self, arn: str) -> str:
        """The listed resource or principal that an ARN is, or is part of; "" when none."""
        facts = self._estate.facts
        if arn in facts.resources or arn in facts.principals:
            return arn
        for end in range(len(arn) - 1, 0, -1):
            if arn[end] in "/:" and arn[:end] in facts.resources:
                return arn[:end]
        return ""


def _escalated(principal: Principal, name: str) -> Principal:
    """A principal under the name of what it would have become; a session of it is no more."""
    change = became(name)
    limited = change is not None and change.how is How.SESSION
    return msgspec.structs.replace(
        principal, id=name, kind=principal.kind if limited else "escalated"
    )


def _account_of(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""
