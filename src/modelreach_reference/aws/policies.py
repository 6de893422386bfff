"""The policies that bind a request, with what each of their statements says to it.

Whom a kind of policy binds is decided here: what does not bind the requester is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelreach_reference.aws.grants import Grant, read_grants
from modelreach_reference.aws.logic import NotUnderstood, Truth
from modelreach_reference.aws.principals import Named
from modelreach_reference.aws.public import is_public
from modelreach_reference.aws.rcp_services import RCP_SERVICES
from modelreach_reference.aws.request import (
    IN_AN_ACCOUNT,
    MalformedRecord,
    PrincipalKind,
    Request,
)
from modelreach_reference.aws.shapes import as_list, as_object
from modelreach_reference.aws.statements import Layer, Statement, applies, naming, read_document


@dataclass(frozen=True, slots=True)
class Judged:
    """What a statement says to the request: what it does, whether it applies, whom it names.

    What is not understood might name the requester most closely.
    """

    effect: str
    applies: Truth
    named: Named


Level = list[Judged]


@dataclass(frozen=True, slots=True)
class Policies:
    """The statements of every policy that binds the request, layer by layer.

    A layer that may be missing is `None` when it is: then nothing is asked of it.
    `closed_to_public` says that the resource's policy is public and its bucket restricts that.
    """

    identity: Level
    resource: Level
    boundary: Level | None
    session: Level | None
    endpoint: Level | None
    scps: list[Level]
    rcps: list[Level]
    stores: list[Level]
    grants: list[Grant]
    closed_to_public: bool


def read_policies(record: Mapping[str, object], request: Request) -> Policies:
    """Read and judge the policies of a record; raise `MalformedRecord` if there are none."""
    if not isinstance(record.get("policies"), Mapping):
        raise MalformedRecord("`policies` is not an object")
    given = as_object(record.get("policies"))
    reader = _Reader(given, as_object(record.get("settings")), request)
    return Policies(
        identity=reader.identity(),
        resource=reader.resource(),
        boundary=reader.boundary(),
        session=reader.session(),
        endpoint=reader.optional("endpoint", Layer.ENDPOINT),
        scps=reader.scps(),
        rcps=reader.rcps(),
        stores=reader.stores(),
        grants=read_grants(reader.given.get("grants")),
        closed_to_public=reader.closed_to_public(),
    )


_NEVER_LOCKED = (
    "s3:getbucketpolicy",
    "s3:putbucketpolicy",
    "s3:deletebucketpolicy",
    "sqs:getqueueattributes",
    "sqs:setqueueattributes",
)


@dataclass(frozen=True, slots=True)
class _Reader:
    """The policies of a record as they are given, the settings beside them, and the request."""

    given: Mapping[str, object]
    settings: Mapping[str, object]
    request: Request

    def identity(self) -> Level:
        """Only principals of an account have policies of their own.

        No policy can be attached to the root user. If a case gives it one, a deny in it counts.
        """
        given = self.given.get("identity")
        return self._statements(given, Layer.IDENTITY) if self._in_account() else []

    def boundary(self) -> Level | None:
        """Only users and roles have a permissions boundary; a session has its role's.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        """
        return self.optional("boundaries", Layer.BOUNDARY) if self._own() else None

    def session(self) -> Level | None:
        """Session policies are given to sessions when they begin.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
        """
        return self.optional("session", Layer.SESSION) if self._in_account() else None

    def resource(self) -> Level:
        """Read the policy of the resource, which for a role is its trust policy.

        The root user of the owner may always see and change the policy of a bucket or queue:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
        """
        root = self.request.principal.kind is PrincipalKind.ROOT
        if root and self.request.same_account and self.request.action.lower() in _NEVER_LOCKED:
            return []
        layer = Layer.TRUST if self.request.is_about_trust else Layer.RESOURCE
        return self._statements(self.given.get("resource"), layer)

    def scps(self) -> list[Level]:
        """SCPs bind users, roles and the root user of a member account.

        They bind neither service-linked roles nor the management account:
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
        """
        spared = self.request.principal.is_service_linked
        bound = self._in_account() and not spared and not self._is_set("management_account")
        return self._levels("scps", Layer.SCP) if bound else []

    def rcps(self) -> list[Level]:
        """RCPs bind everyone at the resources of some services in member accounts.

        They do not bind service-linked roles, nor anyone at keys that AWS manages, and leave
        kms:RetireGrant alone:
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
        https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
        """
        request = self.request
        spared = (
            request.principal.is_service_linked
            or request.action.lower() == "kms:retiregrant"
            or self._is_set("resource_in_management_account")
            or self._is_set("resource_managed_by_aws")
        )
        bound = request.service in RCP_SERVICES and not spared
        return self._levels("rcps", Layer.RCP) if bound else []

    def stores(self) -> list[Level]:
        """Read what a store asks of those who want what it holds, and of nobody else.

        https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html
        https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html
        """
        return self._levels("store", Layer.STORE) if self.request.is_for_contents else []

    def closed_to_public(self) -> bool:
        """Say whether RestrictPublicBuckets closes the bucket, as its policy is public.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
        """
        restricted = self._is_set("restrict_public_buckets") and self.request.service == "s3"
        return restricted and is_public(self.given.get("resource"), self.request)

    def optional(self, name: str, layer: Layer) -> Level | None:
        """Read a layer that may be missing."""
        documents = self.given.get(name)
        return None if documents in (None, []) else self._statements(documents, layer)

    def _in_account(self) -> bool:
        return self.request.principal.kind in IN_AN_ACCOUNT

    def _own(self) -> bool:
        return self._in_account() and self.request.principal.kind is not PrincipalKind.ROOT

    def _is_set(self, name: str) -> bool:
        return self.settings.get(name) is True

    def _levels(self, name: str, layer: Layer) -> list[Level]:
        """Read the policies of every level of an organisation, root first."""
        levels = as_list(self.given.get(name) or [])
        return [self._statements(as_object(one).get("policies"), layer) for one in levels]

    def _statements(self, documents: object, layer: Layer) -> Level:
        """Judge the statements of a document, of a list of documents, or none."""
        if documents is None:
            return []
        return [
            self._judged(statement)
            for document in as_list(documents)
            for statement in read_document(document, layer)
        ]

    def _judged(self, statement: Statement) -> Judged:
        bounded = self._own() and self.given.get("boundaries") not in (None, [])
        truth = applies(statement, self.request, bounded=bounded)
        try:
            named = naming(statement, self.request)
        except NotUnderstood:
            named = Named.ITSELF
        return Judged(statement.effect, truth, named)
