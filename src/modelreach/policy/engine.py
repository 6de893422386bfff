"""The engine's door: what reach asks of a provider, and in which words it is answered.

Nothing specific to a provider passes through here. Each provider's package has one class that
answers `Engine` for one snapshot.
"""

# Annotations are values here, not texts: types are read from them at each start.

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Final, Protocol

import msgspec

from modelreach.model import Capability, Strength, Verdict
from modelreach.policy.decision import Decision, StatementRef
from modelreach.policy.expr import TRUE, Expr
from modelreach.policy.permissions import PermissionSet
from modelreach.policy.weakness import strength_of, weakness_of
from modelreach.snapshot import Credential, Principal, Runtime


class Grant(msgspec.Struct, frozen=True):
    """That a principal may do something with a resource, or with all that a pattern matches.

    `pattern`: `resource` is a glob over things that the snapshot does not list. `within` narrows
    a listed resource to parts of it (object prefixes). `actions` are in the provider's spelling.
    `statements` determine the verdict; `residual` is what it depends on; `assumes` notes
    restrictions that were not read.
    """

    principal: str
    resource: str
    kind: str
    name: str
    scope: str
    provider: str
    capability: Capability
    actions: tuple[str, ...]
    verdict: Verdict
    residual: Expr = TRUE
    statements: tuple[StatementRef, ...] = ()
    pattern: bool = False
    within: tuple[str, ...] = ()
    region: str = ""
    assumes: tuple[str, ...] = ()


class Support(msgspec.Struct, frozen=True):
    """One thing a pivot stands on: `subject` may do `action` to `object`, because of
    `statements`."""

    subject: str
    action: str
    object: str
    statements: tuple[StatementRef, ...]
    note: str = ""


#: The rule of a hop by which somebody who administers a scope acts as somebody in it whom another
#: scope names. Who that is, only the policies of the other scopes tell.
AS_ADMINISTRATOR: Final = "administrator"


class Pivot(msgspec.Struct, frozen=True):
    """A hop that changes identity, or that takes a scope over (`kind` is `administer`).

    `rule` is the id of the escalation rule ("" for plain trust); `via` is the compute or
    credential used on the way, when there is one; `tool` the tool of the release that alone
    takes the hop, by calling what runs as the target.
    """

    kind: str
    source: str
    target: str
    strength: Strength
    residual: Expr
    support: tuple[Support, ...]
    rule: str = ""
    via: str = ""
    note: str = ""
    tool: str = ""

    @property
    def certainty(self) -> Strength:
        """How certain it is: an influence is as certain as what it hangs on."""
        if self.strength is Strength.INFLUENCE:
            return strength_of(self.residual)
        return self.strength

    @property
    def weakness(self) -> int:
        """How weak it is: strength and certainty in one (see `policy.weakness`)."""
        return weakness_of(self.strength, self.certainty)


def called(principal: str, there: Runtime | None) -> Iterator[Pivot]:
    """Give the hops to what a runtime runs as, from a principal that calls it: that it does is
    what the manifest says, and no permission is asked."""
    for target in there.identities if there is not None else ():
        if there is not None and target != principal:
            yield Pivot(
                "tool",
                principal,
                target,
                Strength.CERTAIN,
                TRUE,
                (Support(principal, "", there.id, ()),),
                via=there.id,
                note=f"it calls {there.name or there.id}, which runs as it",
            )


class Opened(msgspec.Struct, frozen=True):
    """As whom the holder of a credential acts: `principal` ("" when nobody: `why` says why).

    `only`: with what actions begin that the credential is good for, when not for all.
    """

    principal: str
    why: str = ""
    only: str = ""


#: The name of a session in a token's subject and claims, where whoever opens it gives the name.
SESSION: Final = "*"


#: Stands in the name of a claim between that of the one that it is in and its own.
INNER: Final = "\x1f"


class Distance(Enum):
    """How far somebody is from who a token is of: anybody at all, of the same place (cluster,
    organization), or beside it (in the same namespace, account or repository)."""

    ANYBODY = "anybody"
    PLACE = "place"
    BESIDE = "beside"


class Stranger(msgspec.Struct, frozen=True):
    """Somebody else under a token's issuer: by which subject and claims, how far away, and who
    that is in words."""

    subject: str
    words: str
    distance: Distance
    claims: Mapping[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, "tuple[str, ...]"]
    )


class Presence(Enum):
    """Whether a snapshot lists an identity; `UNREAD` when what would tell of it was not read."""

    LISTED = "listed"
    ABSENT = "absent"
    UNREAD = "unread"


class Side(Enum):
    """Which half of a way is there: the policies of whom it would lead on, the trust of whom it
    would lead to, or what lists who enters, by its name or by itself."""

    POLICY = "policy"
    TRUST = "trust"
    BY_NAME = "by name"
    ITSELF = "itself"


class Half(msgspec.Struct, frozen=True):
    """One half of a way, to or from somebody who is named in full.

    By `side` `source` may become `target`, or is let in by it; of lists of who enters, `source`
    lies in what `via` lists it for. `target` is an id of the provider `to`, and may be written as
    `named`. `found`: whether it is there; unread where only its own provider can tell. `left`: the
    other half is missing, so that it leads nowhere. `support` is what the half stands on.
    """

    side: Side
    source: str
    target: str
    to: str
    support: tuple[Support, ...] = ()
    found: Presence = Presence.UNREAD
    left: bool = True
    via: str = ""
    named: str = ""


class Token(msgspec.Struct, frozen=True):
    """By what a principal shows elsewhere who it is: one half of a federation.

    `issuer` is that of an OIDC token, without scheme; `aws:ACCOUNT` for a signed AWS request;
    `eks:CLUSTER-ARN` for what EKS itself vouches for; a workload identity pool of GKE by its
    name. `audiences` are those that it can carry; none means any. A claim within a claim is named
    by both, with `INNER` between them. `aims` is the id that the token's side says it is for (""
    for whoever lets it in), `to` the provider of that id. `when` has to hold for its own side to
    give it.
    `strangers` are others under the same issuer, the farthest first: a trust that lets one of
    them in is wider than it has to be. `session`: the subject
    ends in the name of a session (`SESSION`), which may be any. `support` is what the token's
    side stands on.
    """

    issuer: str
    subject: str
    audiences: tuple[str, ...] = ()
    claims: Mapping[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, "tuple[str, ...]"]
    )
    aims: str = ""
    to: str = ""
    strangers: tuple[Stranger, ...] = ()
    session: bool = False
    support: tuple[Support, ...] = ()
    when: Expr = TRUE


class Engine(Protocol):
    """A provider's answers for one snapshot."""

    provider: str

    def principal(self, principal: str) -> Principal | None:
        """The fact behind an id, or None when the snapshot does not have it."""
        ...

    def decide(
        self,
        principal: str,
        action: str,
        resource: str,
        context: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Decision:
        """May this principal do that to exactly this resource?"""
        ...

    def grants(self, principal: str) -> tuple[Grant, ...]:
        """Everything the principal may do to listed resources, itself and no further."""
        ...

    def permissions(self, principal: str) -> PermissionSet:
        """What its own policies let it do, symbolically, after every limit from above."""
        ...

    def unlisted(self, permissions: PermissionSet, scope: str) -> tuple[Grant, ...]:
        """The part of a permission set, held in a scope, that listed resources do not show."""
        ...

    def scope_kind(self, scope: str) -> str:
        """What kind of place a scope is: account, project, subscription, cluster…"""
        ...

    def runtime(self, name: str) -> Runtime | None:
        """The runtime fact behind an id, or None."""
        ...

    def tools(self, runtime: str) -> Iterable[Pivot]:
        """A hop for each identity that a runtime's tools run as."""
        ...

    def calls(self, principal: str, runtime: str) -> Iterable[Pivot]:
        """A hop from a principal that calls a runtime as its tool to each identity that this runs
        as, where it may call it."""
        ...

    def explain(self, decision: Decision) -> tuple[str, ...]:
        """Which layers stopped a request that is denied, and what would have to change."""
        ...

    def opened_by(self, credential: Credential) -> Opened:
        """As whom the holder of a credential acts."""
        ...

    def tokens(self, principal: str) -> Iterable[Token]:
        """By what a principal can show to others who it is."""
        ...

    def possible(self, principal: str) -> Iterable[Token]:
        """What a principal could show as well, if its own side said so."""
        ...

    def admits(self, token: Token, source: str) -> Iterable[Pivot]:
        """A hop from `source` to each identity of this provider that lets a token in."""
        ...

    def naming(self, token: Token) -> Iterable[Support]:
        """The grants that name whom a token is of, though nothing lets it in there."""
        ...

    def halves(self, principal: str) -> Iterable[Half]:
        """What one side says: that the principal may become somebody elsewhere, or is let in by
        somebody whom it may not become; and who else comes in where it is. Whether the other side
        says so, each tells."""
        ...

    def presence(self, name: str) -> Presence:
        """Does the snapshot have this identity, or could it not tell?"""
        ...

    def pivots(self, principal: str) -> Iterable[Pivot]:
        """Every other identity or scope the principal can become or take over in one hop."""
        ...
