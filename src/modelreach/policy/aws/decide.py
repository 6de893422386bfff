"""The decision: every layer in AWS's order, with the statements that determine the answer.

An explicit deny anywhere wins. Service and resource control policies have to allow on every
level, endpoint policies have to allow. Then, in the caller's own account, an identity policy or a
resource policy has to allow (for KMS keys and roles always the resource's policy); across
accounts both. A store with access control of its own has to let in as well. Boundary and session
policy limit what identity policies give, and what a resource policy gives to a role; they do not
limit what it gives to a user or session by name.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from modelreach.model import Verdict
from modelreach.policy.aws.conditions import condition_expr
from modelreach.policy.aws.evaluate import Clause, Said, either, evaluate
from modelreach.policy.aws.explain import explain_deny
from modelreach.policy.aws.layers import (
    AppliedPolicy,
    Inner,
    KeyGrant,
    Layers,
    Policies,
    Request,
    Unread,
)
from modelreach.policy.aws.principals import Caller, CallerKind, Way, ways
from modelreach.policy.aws.public import is_public
from modelreach.policy.aws.satisfy import satisfiable
from modelreach.policy.aws.services import (
    ENCRYPTING,
    TRUST_ACTIONS,
    asks_the_store,
    belongs_to_aws,
    is_free,
    needs_resource_policy,
    opened_by_the_store,
    under_rcps,
)
from modelreach.policy.aws.statement import Condition, Principals
from modelreach.policy.decision import Decision, Layer, Outcome, StatementRef
from modelreach.policy.expr import (
    FALSE,
    TRUE,
    AllOf,
    AnyOf,
    Atom,
    AtomKind,
    Const,
    Expr,
    Not,
    all_of,
    any_of,
    negate,
)

__all__ = [
    "AppliedPolicy",
    "Caller",
    "CallerKind",
    "KeyGrant",
    "Layers",
    "Request",
    "Unread",
    "decide",
    "explain_deny",
]

_IDENTITIES = {
    CallerKind.USER,
    CallerKind.ROLE,
    CallerKind.SESSION,
    CallerKind.FEDERATED_USER,
    CallerKind.ROOT,
}
# What is named first when several ways to be allowed lack equally much.
_NEAREST = (
    Layer.IDENTITY,
    Layer.BOUNDARY,
    Layer.SESSION,
    Layer.TRUST,
    Layer.RESOURCE,
    Layer.GRANT,
)
_FREE = Decision(Verdict.ALLOW, Outcome.ALLOW)


def decide(request: Request, layers: Layers) -> Decision:
    """Answer the request. Raises nothing: what cannot be settled is in the residual."""
    action = request.action.lower()
    if is_free(action, request.caller.kind):
        return _FREE
    return _Case(request, layers, action).decision()


#: https://docs.aws.amazon.com/general/latest/gr/rande.html#partitions
_PARTITIONS = frozenset(
    {
        *("aws", "aws-cn", "aws-us-gov", "aws-eusc"),
        *("aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"),
    }
)


def _in_other_partition(request: Request) -> bool:
    """Is the resource in a partition in which the caller's credentials are worth nothing?

    https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
    """
    mine, theirs = request.caller.arn.split(":", 2), request.resource.split(":", 2)
    if mine[0] != "arn" or theirs[0] != "arn" or mine[1] == theirs[1]:
        return False
    return theirs[1] in _PARTITIONS


#: What the root user of a resource's owner may do, whatever the resource's own policy denies.
#: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
_UNLOCKING = frozenset(
    {
        *("s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"),
        *("sqs:getqueueattributes", "sqs:setqueueattributes"),
    }
)


class _Stage(msgspec.Struct):
    """A limit: what it is, and when it lets the request through."""

    layer: Layer
    passes: Expr


class _Path(msgspec.Struct):
    """One way to be allowed: what has to hold together, by layer, and because of what."""

    stages: list[_Stage]
    because: list[Clause] = msgspec.field(default_factory=list[Clause])

    @property
    def when(self) -> Expr:
        parts: list[Expr] = []
        for stage in self.stages:
            if stage.passes is FALSE:
                return FALSE
            if stage.passes is not TRUE:
                parts.append(stage.passes)
        return all_of(parts) if parts else TRUE


class _Case:
    """One request with the answers of all its layers."""

    __slots__ = (
        "action",
        "boundary",
        "bounded",
        "caller",
        "endpoint",
        "has_identity",
        "identity",
        "inner",
        "layers",
        "limits",
        "request",
        "resource",
        "said",
        "session",
    )

    def __init__(self, request: Request, layers: Layers, action: str) -> None:
        self.request, self.layers, self.action = request, layers, action
        self.caller = request.caller
        self.has_identity = self.caller.kind in _IDENTITIES
        # Boundaries are for users and roles; the root user cannot have one.
        entity = self.has_identity and self.caller.kind is not CallerKind.ROOT
        self.bounded = entity and bool(layers.boundaries)
        self.said: list[Said] = []
        self.limits = self._organisation()
        self.identity = self._hear(layers.identity if self.has_identity else ())
        self.boundary = self._optional(layers.boundaries if self.bounded else None)
        self.session = self._optional(layers.session)
        self.resource = self._hear((*self._own(), *self._acls()))
        if self.caller.kind is CallerKind.ROOT and action in TRUST_ACTIONS:
            # The root user cannot call AssumeRole, whatever a trust policy says.
            # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
            self.limits.append(_Stage(Layer.SERVICE, FALSE))
        if belongs_to_aws(action, request.resource) or _in_other_partition(request):
            self.limits.append(_Stage(Layer.SERVICE, FALSE))
        self.inner: list[Clause] = []
        if layers.inner and asks_the_store(action):
            self.limits += map(self._within, layers.inner)
        if layers.endpoint:
            self.limits.append(_Stage(Layer.ENDPOINT, self._hear(layers.endpoint).allow))

    # --- hearing the layers -----------------------------------------------------------------

    def _hear(self, policies: Policies) -> Said:
        said = evaluate(policies, self.request, self.action, bounded=self.bounded)
        self.said.append(said)
        return said

    def _optional(self, policies: Policies | None) -> Said | None:
        return self._hear(policies) if policies and self.has_identity else None

    def _within(self, inner: Inner) -> _Stage:
        """What a store asks besides: its policies let, or the surroundings, or nobody read it."""
        said = self._hear(inner.policies)
        self.inner += said.allows
        return _Stage(inner.layer, either((inner.when, said.allow, *self._gaps(inner.layer))))

    def _organisation(self) -> list[_Stage]:
        stages: list[_Stage] = []
        if self._under_scps():
            stages += [
                _Stage(Layer.SCP, self._hear(level).allow) for level in self.layers.scps or ()
            ]
        if self._under_rcps():
            stages += [
                _Stage(Layer.RCP, self._hear(level).allow) for level in self.layers.rcps or ()
            ]
        return stages

    def _under_scps(self) -> bool:
        """SCPs bind users, roles and root of member accounts, but no service-linked role.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
        """
        caller = self.caller
        return self.has_identity and not caller.service_linked and not caller.management_account

    def _under_rcps(self) -> bool:
        """RCPs bind whoever asks for resources of member accounts, services too.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
        """
        layers = self.layers
        exempt = layers.resource_managed_by_aws or layers.resource_in_management_account
        return not exempt and not self.caller.service_linked and under_rcps(self.action)

    def _own(self) -> Policies:
        """Give the resource's own policies. Whom a role trusts says who may take it on, and
        nothing of what may be done to it: IAM takes no other actions in a trust policy.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
        """
        if self.action in TRUST_ACTIONS:
            return self.layers.resource
        if self.action in _UNLOCKING and self._is_owner():
            return ()
        return tuple(one for one in self.layers.resource if one.layer is not Layer.TRUST)

    def _is_owner(self) -> bool:
        """Is it the root user of the account that owns the resource?"""
        return self.caller.kind is CallerKind.ROOT and self._same_account()

    def _acls(self) -> Policies:
        return () if self.layers.acls_ignored else self.layers.acl

    # --- ways to be allowed -----------------------------------------------------------------

    def _paths(self) -> list[_Path]:
        within = self.has_identity and self._same_account()
        found = [*(self._paths_within() if within else self._paths_across()), *self._grant_paths()]
        for path in found if self.inner else ():
            path.because = [*path.because, *self.inner]
        return found

    def _same_account(self) -> bool:
        owner = self.request.resource_account
        return not owner or owner == self.caller.account

    def _paths_within(self) -> list[_Path]:
        direct, role, account = self._by_way()
        found = [self._granted(direct, [])]
        if role:
            found.append(self._granted(role, self._caps()))
        own = self._identity_stages()
        if not needs_resource_policy(self.action, self.request.resource):
            found.append(_Path(own, self.identity.allows))
        elif account:
            path = self._granted(account, own)
            path.because = [*path.because, *self.identity.allows]
            found.append(path)
        found.extend(self._not_read([]))
        return found

    def _paths_across(self) -> list[_Path]:
        """Another account's resource: its policy and the caller's own account have to allow."""
        clauses = [] if self._shut_to_public() else self.resource.allows
        if opened_by_the_store(self.action):
            clauses = [*clauses, *self.inner]
        own = self._identity_stages() if self.has_identity else []
        path = self._granted(clauses, own)
        if self.has_identity:
            path.because = [*path.because, *self.identity.allows]
        return [path, *self._not_read(own)]

    def _granted(self, clauses: Sequence[Clause], own: list[_Stage]) -> _Path:
        layer = self._resource_layer()
        given = either(clause.when for clause in clauses)
        return _Path([*own, _Stage(layer, given)], list(clauses))

    def _resource_layer(self) -> Layer:
        policies = self.layers.resource
        if policies:
            return policies[0].layer
        return Layer.TRUST if self.action in TRUST_ACTIONS else Layer.RESOURCE

    def _by_way(self) -> tuple[list[Clause], list[Clause], list[Clause]]:
        direct: list[Clause] = []
        role: list[Clause] = []
        account: list[Clause] = []
        for clause in self.resource.allows:
            kept = role if clause.way is Way.ROLE else direct
            (account if clause.way is Way.ACCOUNT else kept).append(clause)
        return direct, role, account

    def _caps(self) -> list[_Stage]:
        stages: list[_Stage] = []
        if self.boundary is not None:
            stages.append(_Stage(Layer.BOUNDARY, self.boundary.allow))
        if self.session is not None:
            stages.append(_Stage(Layer.SESSION, self.session.allow))
        elif self.caller.kind is CallerKind.FEDERATED_USER:
            # Without a session policy a federated user session has no permissions of its own.
            # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
            stages.append(_Stage(Layer.SESSION, FALSE))
        return stages

    def _identity_stages(self) -> list[_Stage]:
        """The root user has every permission of its account without any policy."""
        root = self.caller.kind is CallerKind.ROOT
        given = TRUE if root else either((self.identity.allow, *self._gaps(Layer.IDENTITY)))
        return [_Stage(Layer.IDENTITY, given), *self._caps()]

    def _gaps(self, *layers: Layer) -> list[Expr]:
        return [
            Atom(AtomKind.GAP, gap.what, "", (gap.layer.value,))
            for gap in self.layers.unread
            if gap.layer in layers
        ]

    def _not_read(self, own: list[_Stage]) -> list[_Path]:
        """A resource policy that was not read might have allowed."""
        trust = (Layer.TRUST,) if self.action in TRUST_ACTIONS else ()
        store = (Layer.ACCESS_POLICY,) if opened_by_the_store(self.action) else ()
        gaps = self._gaps(Layer.RESOURCE, *trust, *store, Layer.ACL, Layer.GRANT)
        return [_Path([*own, _Stage(self._resource_layer(), gap)]) for gap in gaps]

    def _grant_paths(self) -> list[_Path]:
        """A KMS grant gives its operations without any policy."""
        if not self.action.startswith("kms:"):
            return []
        return [
            _Path([_Stage(Layer.GRANT, when)], [Clause(when, grant)])
            for grant in self.layers.grants
            for when in (self._grant_when(grant),)
            if when is not FALSE
        ]

    def _grant_when(self, grant: KeyGrant) -> Expr:
        operation = self.action.partition(":")[2]
        if operation not in {name.lower() for name in grant.operations}:
            return FALSE
        named = Principals(services=(grant.grantee,), aws=(grant.grantee,))
        if not ways(named, self.caller):
            return FALSE
        if operation not in ENCRYPTING:
            return TRUE
        if grant.context_equals and self._has_other_context(grant):
            return FALSE
        pairs = (*grant.context_equals, *grant.context_subset)
        return all_of(
            condition_expr(
                Condition("StringEquals", f"kms:EncryptionContext:{name}", (value,)),
                self.request.context,
                variables=False,
            )
            for name, value in pairs
        )

    def _has_other_context(self, grant: KeyGrant) -> bool:
        """Is there more in the encryption context than the pairs that it has to be equal to?

        https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
        """
        prefix = "kms:encryptioncontext:"
        named = {prefix + name.lower() for name, _ in grant.context_equals}
        return any(
            values and key.startswith(prefix) and key not in named
            for key, values in self.request.context.known.items()
        )

    def _shut_to_public(self) -> bool:
        """RestrictPublicBuckets leaves a public bucket to AWS services and its own account.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
        """
        if not self.layers.public_restricted or self.caller.kind is CallerKind.SERVICE:
            return False
        return any(is_public(policy.document) for policy in self.layers.resource)

    # --- the answer -------------------------------------------------------------------------

    def decision(self) -> Decision:
        denies = [clause for said in self.said for clause in said.denies]
        denied = either(clause.when for clause in denies)
        notes = tuple(sorted({note for said in self.said for note in said.not_understood}))
        if denied is TRUE:
            sure = [clause for clause in denies if clause.when is TRUE]
            return _denied(sure or denies, notes)
        paths = self._paths()
        limits = _Path(self.limits).when
        granted = FALSE if limits is FALSE else either(path.when for path in paths)
        allowed = granted if limits is TRUE else all_of((limits, granted))
        residual = allowed if denied is FALSE else all_of((allowed, negate(denied)))
        if isinstance(residual, Const) or not satisfiable(residual):
            return self._settled(residual is TRUE, allowed, denies, paths, notes)
        unsure = _pessimistic(residual)
        unknown = not satisfiable(unsure)
        return Decision(
            Verdict.UNKNOWN if unknown else Verdict.CONDITIONAL,
            Outcome.UNKNOWN if unknown else Outcome.CONDITIONAL,
            residual,
            _references(
                clause for path in paths if path.when is not FALSE for clause in path.because
            ),
            _references(denies),
            self._blockers(paths) if unknown else (),
            self._assumptions(),
            notes,
        )

    def _settled(
        self,
        allowed: bool,
        granted: Expr,
        denies: list[Clause],
        paths: list[_Path],
        notes: tuple[str, ...],
    ) -> Decision:
        if allowed:
            because = (path.because for path in paths if path.when is TRUE)
            sure = [clause for one in because for clause in one if clause.when is TRUE]
            mixed = (clause for path in paths for clause in path.because)
            given = _references(sure or mixed)
            return Decision(
                Verdict.ALLOW,
                Outcome.ALLOW,
                TRUE,
                given,
                assumes=self._assumptions(),
                not_understood=notes,
            )
        if granted is not FALSE and satisfiable(granted):
            return _denied(denies, notes)
        return Decision(
            Verdict.DENY,
            Outcome.IMPLICIT_DENY,
            FALSE,
            blocked_by=self._blockers(paths),
            assumes=self._assumed(),
            not_understood=notes,
        )

    def _blockers(self, paths: list[_Path]) -> tuple[Layer, ...]:
        """Name the limits that do not pass, and of the ways to be allowed what each lacks."""
        found = [one.layer for one in self.limits if _pessimistic(one.passes) is FALSE]
        lacking = [[*map(_NEAREST.index, self._lacking(path))] for path in paths]
        nearest = [_NEAREST[place] for place in min(lacking, key=lambda one: (len(one), one))]
        if not found and not nearest:
            found = [stage.layer for path in paths for stage in path.stages]
        return tuple(dict.fromkeys(found + nearest))

    def _lacking(self, path: _Path) -> list[Layer]:
        return [stage.layer for stage in path.stages if _pessimistic(stage.passes) is FALSE]

    def _assumptions(self) -> tuple[str, ...]:
        unread = {
            f"{gap.layer} not read: {gap.what}; it is taken not to restrict"
            for gap in self.layers.unread
            # What a store asks, and was not read, is in the residual.
            if gap.layer not in {inner.layer for inner in self.layers.inner}
        }
        return (*sorted(unread), *self._assumed())

    def _assumed(self) -> tuple[str, ...]:
        return tuple(sorted({note for said in self.said for note in said.assumed}))


def _denied(denies: list[Clause], notes: tuple[str, ...]) -> Decision:
    layers = dict.fromkeys(clause.policy.layer for clause in denies)
    return Decision(
        Verdict.DENY,
        Outcome.EXPLICIT_DENY,
        FALSE,
        denied_by=_references(denies),
        blocked_by=tuple(layers),
        not_understood=notes,
    )


def _references(clauses: Iterable[Clause]) -> tuple[StatementRef, ...]:
    return tuple(sorted({clause.reference() for clause in clauses}))


def _pessimistic(expr: Expr) -> Expr:
    """Take everything that was not read or not understood to give no access."""
    match expr:
        case Atom(kind) | Not(Atom(kind)):
            return expr if kind is AtomKind.CONTEXT else FALSE
        case AllOf(parts):
            return all_of(map(_pessimistic, parts))
        case AnyOf(parts):
            return any_of(map(_pessimistic, parts))
        case _:
            return expr
