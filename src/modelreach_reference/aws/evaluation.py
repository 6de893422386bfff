"""The decision: what the policies that bind a request say together.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from modelreach_reference.aws.policies import Judged, Level, Policies, read_policies
from modelreach_reference.aws.principals import Named
from modelreach_reference.aws.request import IN_AN_ACCOUNT, PrincipalKind, Request, read_request


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


def evaluate(record: Mapping[str, object]) -> str:
    """Answer a policy case: `allow`, `implicit_deny`, `explicit_deny` or `not_understood`.

    The context of the record is taken to be whole: a key that it does not have is not in the
    request. What is denied however a refused statement is read is denied; then only what is
    understood says whether explicitly. Raises `MalformedRecord` if the record is no policy case.
    """
    request = read_request(record)
    policies = read_policies(record, request)
    answers = [decide(request, policies, reading) for reading in Reading]
    allowed = {answer is Answer.ALLOW for answer in answers}
    return (answers[0] if len(allowed) == 1 else Answer.NOT_UNDERSTOOD).value


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
    """One request, the policies that bind it, and how to read what is not understood."""

    request: Request
    policies: Policies
    reading: Reading

    def _applying(self, level: Level, effect: str) -> list[Judged]:
        """Give the statements of one effect that apply, under this reading."""
        doubtful = Reading.AS_ALLOWS if effect == "Allow" else Reading.AS_DENIES
        return [
            statement
            for statement in level
            if effect == statement.effect
            and (self.reading is doubtful if statement.applies is None else statement.applies)
        ]

    def _allows(self, level: Level | None) -> bool:
        """Say whether a layer allows: some statement does, or there is no such layer."""
        return level is None or bool(self._applying(level, "Allow"))

    def is_denied(self) -> bool:
        """An explicit deny in any policy that binds the request decides."""
        policies = self.policies
        levels = [
            policies.identity,
            policies.resource,
            policies.boundary or [],
            policies.session or [],
            policies.endpoint or [],
            *policies.scps,
            *policies.rcps,
            *policies.stores,
        ]
        return any(self._applying(level, "Deny") for level in levels)

    def is_within_limits(self) -> bool:
        """Every level of the organisation, the store and the endpoint must allow.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
        https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
        """
        policies = self.policies
        levels = [*policies.scps, *policies.rcps, *policies.stores, policies.endpoint]
        return all(self._allows(level) for level in levels)

    def is_granted(self) -> bool:
        """Something must grant: who must, depends on the accounts and on the resource.

        Across accounts both sides must. Within one either suffices, but keys and roles have a
        policy that must allow. Who is in no account needs the resource policy and nothing else.
        """
        if self._is_root_assuming_a_role() or self._changes_what_aws_owns():
            return False
        if any(grant.permits(self.request) for grant in self.policies.grants):
            return True
        named = self._named()
        if self.request.principal.kind not in IN_AN_ACCOUNT:
            return named is Named.ITSELF
        if not self.request.same_account:
            return named is not Named.NOT and self._identity_grants()
        if named is Named.ITSELF or (named is Named.ROLE and self._is_within_own_limits()):
            return True
        if self.request.needs_resource_policy:
            return named is not Named.NOT and self._identity_grants()
        return self._identity_grants()

    def _is_root_assuming_a_role(self) -> bool:
        """No policy can let a root user assume a role.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        """
        return self.request.principal.kind is PrincipalKind.ROOT and self.request.is_about_trust

    def _changes_what_aws_owns(self) -> bool:
        """Nobody can change AWS's own policies, roles and key aliases; they can be looked at.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
        https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html
        """
        service, _, verb = self.request.action.lower().partition(":")
        resource = self.request.resource
        if service == "kms":
            return ":alias/aws/" in resource and verb.endswith("alias")
        if service != "iam":
            return False
        if ":iam::aws:policy/" in resource:
            changes = ("create", "delete", "setdefault", "tag", "untag")
            return verb.startswith(changes) and "policy" in verb
        if verb.startswith(("get", "list", "simulate", "generateservicelastaccessed")):
            return False
        if ":role/aws-reserved/" in resource:
            return True
        by_services = verb.endswith("servicelinkedrole") or verb == "updateroledescription"
        return ":role/aws-service-role/" in resource and not by_services

    def _named(self) -> Named:
        """Say how closely the resource policy names the requester where it allows.

        For a user or a session that is named itself, the limits of its own do not matter; for the
        role behind the session they do; an account passes the decision on:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
        """
        if self._is_shut_out():
            return Named.NOT
        allowing = self._applying(self.policies.resource, "Allow")
        if self.request.action.lower() == "aoss:apiaccessall" and not self.request.same_account:
            # Collections have no other policies that name anybody.
            allowing += [one for level in self.policies.stores for one in level if one.applies]
        return max((statement.named for statement in allowing), default=Named.NOT)

    def _is_shut_out(self) -> bool:
        """A restricted public bucket is for AWS services and for its own account.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
        """
        kind = self.request.principal.kind
        own = kind in IN_AN_ACCOUNT and self.request.same_account
        return self.policies.closed_to_public and not own and kind is not PrincipalKind.SERVICE

    def _is_within_own_limits(self) -> bool:
        """Say whether the boundary and the session policy allow, where there are any."""
        return self._allows(self.policies.boundary) and self._allows(self.policies.session)

    def _identity_grants(self) -> bool:
        """Say whether the requester's own policies allow, within its own limits.

        The root user needs none. A federated user session has nothing without a session policy:
        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
        """
        kind = self.request.principal.kind
        if kind is PrincipalKind.USER_SESSION and self.policies.session is None:
            return False
        own = kind is PrincipalKind.ROOT or self._allows(self.policies.identity)
        return own and self._is_within_own_limits()
