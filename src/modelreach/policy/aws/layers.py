"""What a decision is made from: the request, and the policies of every layer that apply to it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import msgspec

from modelreach.policy.aws.context import OPEN, Context
from modelreach.policy.aws.principals import Caller
from modelreach.policy.aws.statement import PolicyDocument, Statement
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.expr import FALSE, Expr


class AppliedPolicy(msgspec.Struct, frozen=True, gc=False):
    """A document as it applies to a target. See `StatementRef` for the names."""

    document: PolicyDocument
    layer: Layer
    name: str
    target: str = ""
    digest: str = ""
    managed_by: str = ""

    def reference(self, statement: Statement) -> StatementRef:
        """Give the reference that names a statement of this policy."""
        return StatementRef(
            self.layer,
            self.name,
            self.target,
            self.digest,
            statement.index,
            statement.sid,
            statement.effect.value,
            statement.text,
            self.managed_by,
        )


Policies = tuple[AppliedPolicy, ...]


class KeyGrant(msgspec.Struct, frozen=True, gc=False):
    """A grant on a KMS key. `operations` are as KMS names them (`Decrypt`, `RetireGrant`).

    Its encryption context has to be equal to `context_equals`, or to have `context_subset`.
    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
    """

    grantee: str
    operations: tuple[str, ...]
    name: str = ""
    key: str = ""
    context_equals: tuple[tuple[str, str], ...] = ()
    context_subset: tuple[tuple[str, str], ...] = ()
    digest: str = ""
    text: str = ""

    @property
    def layer(self) -> Layer:
        """Grants are a layer of their own."""
        return Layer.GRANT

    def reference(self) -> StatementRef:
        """Give the reference that names the grant."""
        return StatementRef(
            Layer.GRANT, self.name, self.key, self.digest, 0, "", "Allow", self.text
        )


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A layer that could not be read: which, and what was not read (for people)."""

    layer: Layer
    what: str


class Inner(msgspec.Struct, frozen=True, gc=False):
    """What a store itself asks besides: policies of its own that have to allow, and what of the
    surroundings would do instead of them. What of `layer` was not read may let in, too."""

    layer: Layer
    policies: Policies = ()
    when: Expr = FALSE


class Layers(msgspec.Struct, frozen=True, gc=False):
    """The policies of each layer. None or nothing means that the layer takes no part; a level of
    `scps` or `rcps` without policies allows nothing.

    `scps` and `rcps` hold one tuple a level, root first: every level has to allow. `resource`
    is the resource's policy (of a role: its trust policy); `acl` holds access control lists
    written as policies. `public_restricted` is RestrictPublicBuckets of S3 Block Public Access,
    `acls_ignored` says that IgnorePublicAcls or BucketOwnerEnforced is on.
    `inner` is what a store asks of those who want what it holds: all of it has to let them.
    `resource_managed_by_aws` and `resource_in_management_account` exempt the resource from RCPs.
    """

    identity: Policies = ()
    resource: Policies = ()
    boundaries: Policies | None = None
    scps: tuple[Policies, ...] | None = None
    rcps: tuple[Policies, ...] | None = None
    session: Policies | None = None
    endpoint: Policies | None = None
    grants: tuple[KeyGrant, ...] = ()
    acl: Policies = ()
    unread: tuple[Unread, ...] = ()
    inner: tuple[Inner, ...] = ()
    public_restricted: bool = False
    acls_ignored: bool = False
    resource_managed_by_aws: bool = False
    resource_in_management_account: bool = False


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request. `resource` is an exact ARN, or `*` for actions that have no resource.

    `resource_account` is the account that owns the resource; "" stands for the caller's.
    """

    caller: Caller
    action: str
    resource: str
    resource_account: str = ""
    context: Context = OPEN
