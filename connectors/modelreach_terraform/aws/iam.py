"""IAM: who there is, what their policies are, who trusts whom, and which credentials open them.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import AttributeValue, Credential, ManagedPolicy, Principal
from modelreach_terraform.aws.facts import attached, entity, uses
from modelreach_terraform.edits import Adds, Attach, Edit, Is, Joins, Only, Sets, Uses
from modelreach_terraform.told import LAST, RELATIONS, Row, Table, Told
from modelreach_terraform.values import UNKNOWN, at, is_unread, parsed, text

_Edits = Callable[[Told], Iterator[Edit]]
_IAM: Final = "arn:{partition}:iam::{account}"


def _entity(kind: str) -> dict[str, str]:
    return {
        "arn": f"{_IAM}:{kind}{{path|/}}{{name}}",
        "id": "{name}",
        "name": "{address}",
        "unique_id": "{address}",
    }


def _principal(told: Told, kind: str, **more: object) -> Principal:
    return Principal(
        id=told.text("arn"),
        provider="aws",
        kind=kind,
        scope=told.place["account"],
        name=told.text("name"),
        unique_id=told.text("unique_id") if not told.unread("unique_id") else "",
        tags=told.tags(),
        attributes=attributes(path=told.text("path") or "/", **more),  # type: ignore[arg-type]
    )


def _role(told: Told) -> Iterator[Edit]:
    arn = told.text("arn")
    path = told.text("path")
    linked = path.startswith("/aws-service-role/") or None
    yield Is(_fresh(_principal(told, "role", service_linked=linked), told))
    yield from attached(told, arn, "trust", "assume_role_policy", name="trust policy")
    yield from uses(told, arn, "boundary", "permissions_boundary")
    # Both lists say what there is of their kind, and no more; providers fill them in when the
    # configuration says nothing.
    if told.written("inline_policy"):
        yield from _inline(told, arn)
    if told.written("managed_policy_arns"):
        yield from _managed(arn, told.texts("managed_policy_arns"))


def _fresh(principal: Principal, told: Told) -> Principal:
    """Leave out an id that is only an address: AWS will choose it."""
    if principal.unique_id != told.address:
        return principal
    return Principal(
        id=principal.id,
        provider=principal.provider,
        kind=principal.kind,
        scope=principal.scope,
        name=principal.name,
        tags=principal.tags,
        attributes=principal.attributes,
    )


def _inline(told: Told, arn: str) -> Iterator[Edit]:
    """Give inline policies that are written within a role; such a block is of older providers."""
    for block in told.blocks("inline_policy"):
        name, document = text(at(block, "name")), parsed(at(block, "policy"))
        if is_unread(document):
            yield told.unknown("identity-policy", arn, f"its inline policy {name}".rstrip())
        elif name and document:
            yield Attach(arn, "identity", document, name)


def _managed(arn: str, policies: tuple[str, ...]) -> Iterator[Edit]:
    yield Only(policies, target=arn)
    for policy in policies:
        yield Uses(arn, "identity", policy)


def _user(told: Told) -> Iterator[Edit]:
    yield Is(_fresh(_principal(told, "user"), told))
    yield from uses(told, told.text("arn"), "boundary", "permissions_boundary")


def _group(told: Told) -> Iterator[Edit]:
    yield Is(_fresh(_principal(told, "group"), told))


def _policy(told: Told) -> Iterator[Edit]:
    arn, document = told.text("arn"), told.document("policy")
    known = told.world.policies.get(arn)
    version = known.default_version if known else "v1"
    fact = ManagedPolicy(
        id=arn,
        provider="aws",
        scope=told.place["account"],
        name=told.text("name"),
        default_version=version,
    )
    if document is UNKNOWN:
        yield Is(fact)
        yield told.unknown("identity-policy", arn, "what this policy allows")
    else:
        yield Is(fact, {version: document})


def _inline_of(kind: str) -> _Edits:
    def edits(told: Told) -> Iterator[Edit]:
        named = told.text(kind)
        if not named:
            yield told.unknown("principals", "", f"which {kind} it is of")
            return
        target = entity(told, kind, named)
        name = told.text("name") or told.address
        yield from attached(told, target, "identity", "policy", name=name)

    return edits


def _attachment_of(kind: str) -> _Edits:
    def edits(told: Told) -> Iterator[Edit]:
        named = told.text(kind)
        if not named:
            yield told.unknown("principals", "", f"which {kind} it is of")
            return
        yield from uses(told, entity(told, kind, named), "identity", "policy_arn")

    return edits


def _attached_to_many(told: Told) -> Iterator[Edit]:
    """`aws_iam_policy_attachment` is authoritative: nobody else has the policy.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_policy_attachment
    """
    named = [
        entity(told, kind, name)
        for kind in ("user", "role", "group")
        for name in told.texts(f"{kind}s")
    ]
    if policy := told.text("policy_arn"):
        yield Only(tuple(named), policy=policy)
    for kind, path in (("user", "users"), ("role", "roles"), ("group", "groups")):
        for name in told.texts(path):
            yield from uses(told, entity(told, kind, name), "identity", "policy_arn")
        if told.unread(path):
            yield told.unknown("principals", "", f"which {path} it is attached to")


def _exclusive(kind: str) -> _Edits:
    """Give the managed policies that a role, user or group has, and no others."""

    def edits(told: Told) -> Iterator[Edit]:
        target = entity(told, kind, told.text(f"{kind}_name"))
        yield from _managed(target, told.texts("policy_arns"))

    return edits


def _exclusive_inline(kind: str) -> _Edits:
    def edits(told: Told) -> Iterator[Edit]:
        target = entity(told, kind, told.text(f"{kind}_name"))
        yield Only(told.texts("policy_names"), target=target, managed=False)

    return edits


def _memberships(told: Told) -> Iterator[Edit]:
    groups = tuple(entity(told, "group", name) for name in told.texts("groups"))
    yield Joins(entity(told, "user", told.text("user")), groups)


def _members(told: Told) -> Iterator[Edit]:
    group = entity(told, "group", told.text("group"))
    for name in told.texts("users"):
        yield Joins(entity(told, "user", name), (group,))


def _profile(told: Told) -> Iterator[Edit]:
    arn = told.text("arn")
    for role in (told.text("role"), *told.texts("roles")):
        if role and arn:
            yield Adds(entity(told, "role", role), "instance_profiles", (arn,), "principals")
    if told.unread("role"):
        yield told.unknown("principals", arn, "which role is in this instance profile")


def _access_key(told: Told) -> Iterator[Edit]:
    """A key has a secret, which is not even looked at; its id AWS chooses."""
    yield Is(
        Credential(
            id=told.text("id") or told.address,
            provider="aws",
            kind="access-key",
            principal=entity(told, "user", told.text("user")),
            scope=told.place["account"],
            status=(told.text("status") or "Active").lower(),
            created=told.text("create_date"),
            expires="never",
        )
    )


def _password(told: Told) -> Iterator[Edit]:
    user = entity(told, "user", told.text("user"))
    yield Is(
        Credential(
            id=f"{user}#password",
            provider="aws",
            kind="password",
            principal=user,
            scope=told.place["account"],
            status="active",
        )
    )


def _oidc(told: Told) -> Iterator[Edit]:
    arn = told.text("arn")
    yield Is(
        Principal(
            id=arn,
            provider="aws",
            kind="oidc-provider",
            scope=told.place["account"],
            name=arn.partition("/")[2],
            tags=told.tags(),
            attributes=attributes(
                url=told.text("url").removeprefix("https://"),
                client_ids=told.texts("client_id_list") or None,
            ),
        )
    )


def _saml(told: Told) -> Iterator[Edit]:
    arn = told.text("arn")
    yield Is(
        Principal(
            id=arn,
            provider="aws",
            kind="saml-provider",
            scope=told.place["account"],
            name=arn.partition("/")[2],
            tags=told.tags(),
        )
    )
    yield Is(
        Credential(
            id=f"{arn}#metadata",
            provider="aws",
            kind="saml-metadata",
            principal=arn,
            scope=told.place["account"],
        )
    )


def _issuing(told: Told) -> Iterator[Edit]:
    """An account issues identity tokens while there is such a resource; as whom is known once it
    is applied.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_outbound_web_identity_federation
    """
    issuer = told.text("issuer_identifier")
    known: dict[str, AttributeValue] = {"token_issuer": issuer} if issuer else {}
    on: dict[str, AttributeValue] = {"issues_tokens": True, **known}
    yield Sets(told.place["account"], on, {"issues_tokens": False}, of="scopes")


def _read_policy(told: Told) -> Iterator[Edit]:
    """A data source knows the document of a policy that the base may not have."""
    arn, document = told.text("arn"), told.document("policy")
    if arn and isinstance(document, dict) and arn not in told.world.policies:
        owner = arn.split(":")[4]
        fact = ManagedPolicy(
            id=arn,
            provider="aws",
            scope=owner,
            name=told.text("name"),
            default_version="v1",
        )
        yield Is(fact, {"v1": document})


_ARN_IS_ID: Final = {"id": "{arn}"}

TABLE: Final[Table] = {
    "aws_iam_role": Row(_role, _entity("role")),
    "aws_iam_user": Row(_user, _entity("user")),
    "aws_iam_group": Row(_group, _entity("group")),
    "aws_iam_policy": Row(
        _policy, {"arn": f"{_IAM}:policy{{path|/}}{{name}}", "name": "{address}", **_ARN_IS_ID}
    ),
    "data.aws_iam_policy": Row(_read_policy),
    "aws_iam_role_policy": Row(_inline_of("role"), {"name": "{address}"}, RELATIONS),
    "aws_iam_user_policy": Row(_inline_of("user"), {"name": "{address}"}, RELATIONS),
    "aws_iam_group_policy": Row(_inline_of("group"), {"name": "{address}"}, RELATIONS),
    "aws_iam_role_policy_attachment": Row(_attachment_of("role"), phase=RELATIONS),
    "aws_iam_user_policy_attachment": Row(_attachment_of("user"), phase=RELATIONS),
    "aws_iam_group_policy_attachment": Row(_attachment_of("group"), phase=RELATIONS),
    "aws_iam_policy_attachment": Row(_attached_to_many, phase=RELATIONS),
    **{
        f"aws_iam_{kind}_policy_attachments_exclusive": Row(_exclusive(kind), phase=RELATIONS)
        for kind in ("role", "user", "group")
    },
    **{
        f"aws_iam_{kind}_policies_exclusive": Row(_exclusive_inline(kind), phase=LAST)
        for kind in ("role", "user", "group")
    },
    "aws_iam_user_group_membership": Row(_memberships, phase=RELATIONS),
    "aws_iam_group_membership": Row(_members, phase=RELATIONS),
    "aws_iam_instance_profile": Row(
        _profile,
        {
            "arn": f"{_IAM}:instance-profile{{path|/}}{{name}}",
            "name": "{address}",
            "id": "{name}",
        },
        RELATIONS,
    ),
    "aws_iam_access_key": Row(_access_key, phase=RELATIONS),
    "aws_iam_user_login_profile": Row(_password, phase=RELATIONS),
    "aws_iam_openid_connect_provider": Row(
        _oidc, {"arn": f"{_IAM}:oidc-provider/{{url!host}}", **_ARN_IS_ID}
    ),
    "aws_iam_outbound_web_identity_federation": Row(_issuing, phase=RELATIONS),
    "aws_iam_saml_provider": Row(_saml, {"arn": f"{_IAM}:saml-provider/{{name}}", **_ARN_IS_ID}),
}
