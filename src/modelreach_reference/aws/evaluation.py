"""The decision: which policies bind a request, and what they say together.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from modelreach_reference.aws.grants import Grant, read_grants
from modelreach_reference.aws.principals import Named
from modelreach_reference.aws.public import is_public
from modelreach_reference.aws.rcp_services import RCP_SERVICES
from modelreach_reference.aws.request import (
    IN_AN_ACCOUNT,
    MalformedRecord,
    PrincipalKind,
    Request,
    read_request,
)
from modelreach_reference.aws.shapes import as_list, as_object
from modelreach_reference.aws.statements import (
    Layer,
    Statement,
    applies,
    naming,
    read_document,
)


class Answer(StrEnum):
    """What AWS would do; the last if that turns on a statement that AWS would refuse."""

    ALLOW = "allow"
    IMPLICIT_DENY = "implicit_deny"
    EXPLICIT_DENY = "explicit_deny"
    NOT_UNDERSTOOD = "not_understood"


class Reading(StrEnum):
    """How to read the statements of which it is not understood whether they apply."""

    AS_NOTHING = "none applies"
    AS_ALLOWS = "those that may allow apply"
    AS_DENIES = "those that may deny apply"


@dataclass(frozen=True, slots=True)
class Policies:
    """The statements of every policy around a request, layer by layer.

    A layer that may be missing is `None` when it is: then nothing is asked of it.
    `closed_to_public` says that the resource's policy is public and its bucket restricts that.
    """

    identity: list[Statement]
    resource: list[Statement]
    boundary: list[Statement] | None
    session: list[Statement] | None
    endpoint: list[Statement] | None
    scps: list[list[Statement]]
    rcps: list[list[Statement]]
    grants: list[Grant]
    closed_to_public: bool


def evaluate(record: Mapping[str, object]) -> str:
    """Answer a policy case: `allow`, `implicit_deny`, `explicit_deny` or `not_understood`.

    The context of the record is taken to be whole: a key that it does not have is not in the
    request. Raises `MalformedRecord` if the record is no policy case.
    """
    request = read_request(record)
    policies = read_policies(record, request)
    answers = {decide(request, policies, reading) for reading in Reading}
    return (answers.pop() if len(answers) == 1 else Answer.NOT_UNDERSTOOD).value


def read_policies(record: Mapping[str, object], request: Request) -> Policies:
    """Read the policies of a record; raise `MalformedRecord` if there are none to read."""
    given = record.get("policies")
    if not isinstance(given, Mapping):
        raise MalformedRecord("`policies` is not an object")
    layers = cast("Mapping[str, object]", given)
    resource_layer = Layer.TRUST if _is_trust(request) else Layer.RESOURCE
    settings = _Settings.read(record)
    restricted = settings.restrict_public_buckets and request.service == "s3"
    return Policies(
        identity=_statements(layers.get("identity"), Layer.IDENTITY),
        resource=_statements(layers.get("resource"), resource_layer),
        boundary=_optional(layers.get("boundaries"), Layer.BOUNDARY),
        session=_optional(layers.get("session"), Layer.SESSION),
        endpoint=_optional(layers.get("endpoint"), Layer.ENDPOINT),
        scps=[] if settings.management_account else _levels(layers.get("scps"), Layer.SCP),
        rcps=[] if settings.spared_by_rcps else _levels(layers.get("rcps"), Layer.RCP),
        grants=read_grants(layers.get("grants")),
        closed_to_public=restricted and is_public(layers.get("resource")),
    )


@dataclass(frozen=True, slots=True)
class _Settings:
    """What a record says about the accounts and the resource besides its policies."""

    management_account: bool
    spared_by_rcps: bool
    restrict_public_buckets: bool

    @staticmethod
    def read(record: Mapping[str, object]) -> _Settings:
        """Read the settings.

        SCPs do not bind the management account; RCPs neither its resources nor keys that AWS
        manages:
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
        """
        settings = as_object(record.get("settings"))
        return _Settings(
            settings.get("management_account") is True,
            settings.get("resource_in_management_account") is True
            or settings.get("resource_managed_by_aws") is True,
            settings.get("restrict_public_buckets") is True,
        )


def _statements(documents: object, layer: Layer) -> list[Statement]:
    """Read a document, a list of documents, or none."""
    if documents is None:
        return []
    return [
        statement
        for document in as_list(documents)
        for statement in read_document(document, layer)
    ]


def _optional(documents: object, layer: Layer) -> list[Statement] | None:
    return None if documents is None or documents == [] else _statements(documents, layer)


def _levels(levels: object, layer: Layer) -> list[list[Statement]]:
    """Read the policies of every level of an organisation, root first."""
    if not isinstance(levels or [], list):
        raise MalformedRecord("the levels of an organisation are not a list")
    read: list[list[Statement]] = []
    for level in cast("list[object]", levels or []):
        if not isinstance(level, Mapping):
            raise MalformedRecord("a level of an organisation is not an object")
        read.append(_statements(cast("Mapping[str, object]", level).get("policies"), layer))
    return read


def _is_trust(request: Request) -> bool:
    """Whether the resource policy is the trust policy of a role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
    """
    return request.service == "sts" and _is_resource(request, "iam", "role/")


def _is_resource(request: Request, service: str, prefix: str) -> bool:
    parts = request.resource.split(":", 5)
    return len(parts) == 6 and parts[2] == service and parts[5].startswith(prefix)


def decide(request: Request, policies: Policies, reading: Reading) -> Answer:
    """Decide one request under one reading of what is not understood.

    In the order of AWS: an explicit deny of any policy; then the resource control policies, the
    service control policies and the endpoint policy must allow; then something must grant.
    """
    if _needs_no_permission(request):
        return Answer.ALLOW
    asked = _Question(request, policies, reading)
    if asked.is_denied():
        return Answer.EXPLICIT_DENY
    if asked.is_within_limits() and asked.is_granted():
        return Answer.ALLOW
    return Answer.IMPLICIT_DENY


def _needs_no_permission(request: Request) -> bool:
    """Everyone with AWS credentials may ask who it is, even where a policy denies it.

    Likewise users, and the root user, may always have a session token of their own:
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
    """
    kind = request.principal.kind
    match request.action.lower():
        case "sts:getcalleridentity":
            return kind in IN_AN_ACCOUNT
        case "sts:getsessiontoken":
            return kind in (PrincipalKind.USER, PrincipalKind.ROOT)
        case _:
            return False


@dataclass(frozen=True, slots=True)
class _Question:
    """One request, its policies, and how to read what is not understood."""

    request: Request
    policies: Policies
    reading: Reading

    # Which policies bind the request.

    @property
    def _has_identity(self) -> bool:
        """Only principals of an account have policies of their own."""
        return self.request.principal.kind in IN_AN_ACCOUNT

    @property
    def _boundary(self) -> list[Statement] | None:
        """Only users and roles have a permissions boundary; a session has its role's.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        """
        may_have = self._has_identity and self.request.principal.kind is not PrincipalKind.ROOT
        return self.policies.boundary if may_have else None

    @property
    def _session(self) -> list[Statement] | None:
        return self.policies.session if self._has_identity else None

    @property
    def _scps(self) -> list[list[Statement]]:
        """SCPs bind users, roles and the root user of an account, not service-linked roles.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
        """
        bound = self._has_identity and not self.request.principal.is_service_linked
        return self.policies.scps if bound else []

    @property
    def _rcps(self) -> list[list[Statement]]:
        """RCPs bind everyone at the resources of some services, not service-linked roles.

        kms:RetireGrant is left out by name:
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
        https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
        """
        request = self.request
        supported = request.service in RCP_SERVICES
        spared = request.principal.is_service_linked or (
            request.action.lower() == "kms:retiregrant"
        )
        return self.policies.rcps if supported and not spared else []

    # What a list of statements says.

    def _applying(self, statements: Iterable[Statement], effect: str) -> list[Statement]:
        """Give the statements of one effect that apply, under this reading."""
        return [
            statement
            for statement in statements
            if effect in statement.effects and self._applies(statement, effect)
        ]

    def _applies(self, statement: Statement, effect: str) -> bool:
        truth = applies(statement, self.request, bounded=self._boundary is not None)
        if truth is not None:
            return truth
        readings = {"Allow": Reading.AS_ALLOWS, "Deny": Reading.AS_DENIES}
        return self.reading is readings[effect]

    def _allows(self, statements: Iterable[Statement] | None) -> bool:
        """Say whether a layer allows: some statement does, or there is no such layer."""
        return statements is None or bool(self._applying(statements, "Allow"))

    # The steps.

    def is_denied(self) -> bool:
        """An explicit deny in any policy that binds the request decides."""
        layers = [
            self.policies.identity if self._has_identity else [],
            self.policies.resource,
            self._boundary or [],
            self._session or [],
            self.policies.endpoint or [],
            *self._scps,
            *self._rcps,
        ]
        return any(self._applying(layer, "Deny") for layer in layers)

    def is_within_limits(self) -> bool:
        """Every level of the organisation and the endpoint must allow.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
        https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
        """
        levels = [*self._scps, *self._rcps]
        return all(self._allows(level) for level in levels) and self._allows(
            self.policies.endpoint
        )

    def is_granted(self) -> bool:
        """Something must grant: who must, depends on the accounts and on the resource.

        Across accounts both sides must. Within one either suffices, but keys and roles have a
        policy that must allow. Who is in no account needs the resource policy and nothing else.
        """
        if self._is_root_assuming_a_role():
            return False
        if any(grant.permits(self.request) for grant in self.policies.grants):
            return True
        named = self._named()
        if not self._has_identity:
            return named is Named.ITSELF
        if not self.request.same_account:
            return named is not Named.NOT and self._identity_grants()
        if named is Named.ITSELF or (named is Named.ROLE and self._is_within_own_limits()):
            return True
        if self._needs_resource_policy():
            return named is not Named.NOT and self._identity_grants()
        return self._identity_grants()

    def _is_root_assuming_a_role(self) -> bool:
        """No policy can let a root user assume a role.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        """
        return self.request.principal.kind is PrincipalKind.ROOT and _is_trust(self.request)

    def _named(self) -> Named:
        """Say how closely the resource policy names the requester where it allows.

        For a user or a session that is named itself, the limits of its own do not matter; for the
        role behind the session they do; an account passes the decision on:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
        """
        if self._is_shut_out():
            return Named.NOT
        allowing = self._applying(self.policies.resource, "Allow")
        return max((self._naming(statement) for statement in allowing), default=Named.NOT)

    def _is_shut_out(self) -> bool:
        """A restricted public bucket is for AWS services and for its own account.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
        """
        own = self._has_identity and self.request.same_account
        service = self.request.principal.kind is PrincipalKind.SERVICE
        return self.policies.closed_to_public and not own and not service

    def _naming(self, statement: Statement) -> Named:
        understood = applies(statement, self.request, bounded=self._boundary is not None)
        return Named.ITSELF if understood is None else naming(statement, self.request)

    def _is_within_own_limits(self) -> bool:
        """Say whether the boundary and the session policy allow, where there are any."""
        return self._allows(self._boundary) and self._allows(self._session)

    def _identity_grants(self) -> bool:
        """Say whether the requester's own policies allow, within its own limits.

        The root user needs none. A federated user session has nothing without a session policy:
        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
        """
        kind = self.request.principal.kind
        if kind is PrincipalKind.USER_SESSION and self._session is None:
            return False
        own = kind is PrincipalKind.ROOT or self._allows(self.policies.identity)
        return own and self._is_within_own_limits()

    def _needs_resource_policy(self) -> bool:
        """Roles and KMS keys are reached by nobody whom their own policy does not allow.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
        https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
        """
        return _is_trust(self.request) or _is_resource(self.request, "kms", "key/")
