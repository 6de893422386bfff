"""What holds data and what protects it: buckets, secrets, keys, tables, queues, topics and others,
and their policies.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource
from modelreach_terraform.aws.facts import attached, common
from modelreach_terraform.edits import Adds, Attach, Edit, Is, Sets
from modelreach_terraform.told import RELATIONS, Row, Table, Told
from modelreach_terraform.values import at, text

_POLICY: Final = "resource policy"
#: As the policy of a registry is called where it applies to a repository, by `collect` too.
OF_REGISTRY: Final = "registry policy"
_HERE: Final = "{region}:{account}"
#: What a bucket has since April 2023 unless told otherwise.
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
_BLOCKED: Final = dict.fromkeys(
    (
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    ),
    True,
)


def key_arn(told: Told, named: str) -> str:
    """Give the ARN of what is called the key: an ARN, an id, or an alias of one that is known."""
    if not named:
        return ""
    short = named.split(":", 5)[5] if named.startswith("arn:") else named
    if short.startswith("alias/"):
        for one in told.world.resources.values():
            aliases = one.attributes.get("aliases", ())
            if one.kind == "kms:key" and isinstance(aliases, tuple) and short in aliases:
                return one.id
    elif named.startswith("arn:"):
        return named
    resource = short if "/" in short else f"key/{short}"
    place = told.place
    return f"arn:{place['partition']}:kms:{place['region']}:{place['account']}:{resource}"


def _resource(told: Told, kind: str, name: str, **more: Any) -> Is:
    return Is(
        Resource(**common(told, kind, told.text("arn"), name), attributes=attributes(**more))
    )


def _bucket(told: Told) -> Iterator[Edit]:
    name = told.text("bucket")
    arn = told.text("arn")
    known = told.world.resources.get(arn)
    rule = next(told.blocks("server_side_encryption_configuration"), {})
    default = at(rule, "rule.apply_server_side_encryption_by_default")
    yield _resource(
        told,
        "s3:bucket",
        name,
        **({} if known else {**_BLOCKED, "ownership": "BucketOwnerEnforced"}),
        encryption=text(at(default, "sse_algorithm")),
        kms_key=key_arn(told, text(at(default, "kms_master_key_id"))),
    )
    # Until version 4 of the provider the policy was written here; since then it is told here.
    if told.written("policy"):
        yield from attached(told, arn, "resource", "policy", name=_POLICY)


def _of_bucket(told: Told) -> str:
    named = told.text("bucket")
    if named.startswith("arn:") or not named:
        return named
    return f"arn:{told.place['partition']}:s3:::{named}"


def _bucket_policy(told: Told) -> Iterator[Edit]:
    yield from attached(told, _of_bucket(told), "resource", "policy", name=_POLICY)


def _public_access(told: Told) -> Iterator[Edit]:
    """Without such a configuration nothing is blocked, unlike in a bucket that is new."""
    found = {name: told.flag(name) is True for name in _BLOCKED}
    yield Sets(_of_bucket(told), found, dict.fromkeys(_BLOCKED, False))


def _ownership(told: Told) -> Iterator[Edit]:
    rule = text(at(next(told.blocks("rule"), {}), "object_ownership"))
    yield Sets(_of_bucket(told), {"ownership": rule})


def _encryption(told: Told) -> Iterator[Edit]:
    default = at(next(told.blocks("rule"), {}), "apply_server_side_encryption_by_default")
    found = attributes(
        encryption=text(at(default, "sse_algorithm")),
        kms_key=key_arn(told, text(at(default, "kms_master_key_id"))),
    )
    yield Sets(_of_bucket(told), found, {"encryption": "AES256"})


def _secret(told: Told) -> Iterator[Edit]:
    yield _resource(
        told,
        "secretsmanager:secret",
        told.text("name"),
        kms_key=key_arn(told, told.text("kms_key_id")),
        rotation=told.flag("rotation_enabled") is True,
    )
    if told.written("policy"):
        yield from attached(told, told.text("arn"), "resource", "policy", name=_POLICY)


def _rotation(told: Told) -> Iterator[Edit]:
    yield Sets(told.text("secret_id"), {"rotation": True}, {"rotation": False})


def _key(told: Told) -> Iterator[Edit]:
    arn = told.text("arn")
    known = told.world.resources.get(arn)
    name = known.name if known else told.text("key_id")
    yield _resource(
        told,
        "kms:key",
        name,
        manager="CUSTOMER",
        state="Enabled" if told.flag("is_enabled") is not False else "Disabled",
        usage=told.text("key_usage") or "ENCRYPT_DECRYPT",
        multi_region=told.flag("multi_region") is True,
    )
    if told.written("policy") and told.get("policy"):
        yield from attached(told, arn, "resource", "policy", name=_POLICY)
    elif known is None:
        yield Attach(arn, "resource", _default_policy(told), _POLICY)


def _default_policy(told: Told) -> Mapping[str, Any]:
    """The policy of a key that is given none: the account's own policies decide.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    root = f"arn:{told.place['partition']}:iam::{told.place['account']}:root"
    return {
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": root},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }


def _key_policy(told: Told) -> Iterator[Edit]:
    arn = key_arn(told, told.text("key_id"))
    yield from attached(told, arn, "resource", "policy", name=_POLICY)


def _grant(told: Told) -> Iterator[Edit]:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html"""
    arn = key_arn(told, told.text("key_id"))
    name = told.text("name") or told.text("grant_id") or told.address
    document: dict[str, Any] = {
        "GrantId": told.text("grant_id") or told.address,
        "Name": told.text("name"),
        "GranteePrincipal": told.text("grantee_principal"),
        "RetiringPrincipal": told.text("retiring_principal"),
        "IssuingAccount": f"arn:{told.place['partition']}:iam::{told.place['account']}:root",
        "Operations": list(told.texts("operations")),
    }
    constraints = {
        element: found
        for block in told.blocks("constraints")
        for name_, element in (
            ("encryption_context_equals", "EncryptionContextEquals"),
            ("encryption_context_subset", "EncryptionContextSubset"),
        )
        if (found := block.get(name_))
    }
    if constraints:
        document["Constraints"] = constraints
    if not arn or told.unread("grantee_principal"):
        yield told.unknown("resource-policy", arn, "to whom, or of which key, this is a grant")
        return
    yield Attach(arn, "grant", {k: v for k, v in document.items() if v}, name)


def _parameter(told: Told) -> Iterator[Edit]:
    yield _resource(
        told,
        "ssm:parameter",
        told.text("name"),
        type=told.text("type"),
        tier=told.text("tier") or "Standard",
        kms_key=key_arn(told, told.text("key_id")),
    )


def _table(told: Told) -> Iterator[Edit]:
    yield _resource(
        told,
        "dynamodb:table",
        told.text("name"),
        kms_key=text(at(next(told.blocks("server_side_encryption"), {}), "kms_key_arn")),
        stream=told.text("stream_arn") if not told.unread("stream_arn") else "",
    )


def _queue(told: Told) -> Iterator[Edit]:
    yield _resource(
        told,
        "sqs:queue",
        told.text("name"),
        kms_key=key_arn(told, told.text("kms_master_key_id")),
    )
    if told.written("policy"):
        yield from attached(told, told.text("arn"), "resource", "policy", name=_POLICY)


def _queue_policy(told: Told) -> Iterator[Edit]:
    url = told.text("queue_url")
    name, account = url.rpartition("/")[2], told.place["account"]
    place = told.place
    arn = (
        url
        if url.startswith("arn:")
        else (f"arn:{place['partition']}:sqs:{place['region']}:{account}:{name}" if name else "")
    )
    yield from attached(told, arn, "resource", "policy", name=_POLICY)


def _topic(told: Told) -> Iterator[Edit]:
    yield _resource(
        told,
        "sns:topic",
        told.text("name"),
        kms_key=key_arn(told, told.text("kms_master_key_id")),
    )
    arn = told.text("arn")
    if told.written("policy"):
        yield from attached(told, arn, "resource", "policy", name=_POLICY)
    elif arn not in told.world.resources:
        yield Attach(arn, "resource", _own_account(told, arn), _POLICY)


def _own_account(told: Told, arn: str) -> Mapping[str, Any]:
    """The policy of a topic that is given none: everybody of its own account.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    actions = (
        "GetTopicAttributes",
        "SetTopicAttributes",
        "AddPermission",
        "RemovePermission",
        "DeleteTopic",
        "Subscribe",
        "ListSubscriptionsByTopic",
        "Publish",
    )
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Effect": "Allow",
                "Sid": "__default_statement_ID",
                "Principal": {"AWS": "*"},
                "Action": [f"SNS:{name}" for name in actions],
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": told.place["account"]}},
            }
        ],
    }


def _repository(told: Told) -> Iterator[Edit]:
    key = text(at(next(told.blocks("encryption_configuration"), {}), "kms_key"))
    yield _resource(told, "ecr:repository", told.text("name"), kms_key=key_arn(told, key))


def by_arn(path: str, document: str = "policy") -> Callable[[Told], Iterator[Edit]]:
    """Give what a policy on something says that is told by its ARN."""

    def edits(told: Told) -> Iterator[Edit]:
        arn = told.text(path)
        if not arn:
            yield told.unknown("resource-policy", "", "what this policy is on")
        else:
            yield from attached(told, arn, "resource", document, name=_POLICY)

    return edits


def _repository_policy(told: Told) -> Iterator[Edit]:
    place, name = told.place, told.text("repository")
    arn = f"arn:{place['partition']}:ecr:{place['region']}:{place['account']}:repository/{name}"
    yield from attached(told, arn, "resource", "policy", name=_POLICY)


def _registry_policy(told: Told) -> Iterator[Edit]:
    """Give what the policy of a registry says: of each repository in it.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html
    """
    account, region = told.place["account"], told.place["region"]
    for name, one in sorted(told.world.resources.items()):
        if one.kind == "ecr:repository" and (one.scope, one.region) == (account, region):
            yield from attached(told, name, "resource", "policy", name=OF_REGISTRY)


def _alias(told: Told) -> Iterator[Edit]:
    arn = key_arn(told, told.text("target_key_id"))
    if arn:
        yield Adds(arn, "aliases", (told.text("name"),))


def _arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{_HERE}:{resource}"


_TABLE_ARN: Final = _arn("dynamodb", "table/{name}")

TABLE: Final[Table] = {
    "aws_s3_bucket": Row(
        _bucket,
        {"arn": "arn:{partition}:s3:::{bucket}", "id": "{bucket}", "bucket": "{address}"},
    ),
    "aws_s3_bucket_policy": Row(_bucket_policy, phase=RELATIONS),
    "aws_s3_bucket_public_access_block": Row(_public_access, phase=RELATIONS),
    "aws_s3_bucket_ownership_controls": Row(_ownership, phase=RELATIONS),
    "aws_s3_bucket_server_side_encryption_configuration": Row(_encryption, phase=RELATIONS),
    "aws_secretsmanager_secret": Row(
        _secret,
        # AWS adds six characters, which nobody knows yet; policies match them by `-??????`.
        {
            "arn": _arn("secretsmanager", "secret:{name}-______"),
            "id": _arn("secretsmanager", "secret:{name}-______"),
            "name": "{address}",
        },
    ),
    "aws_secretsmanager_secret_policy": Row(by_arn("secret_arn"), phase=RELATIONS),
    "aws_secretsmanager_secret_rotation": Row(_rotation, phase=RELATIONS),
    "aws_kms_key": Row(
        _key, {"arn": _arn("kms", "key/{address}"), "key_id": "{address}", "id": "{address}"}
    ),
    "aws_kms_alias": Row(
        _alias, {"arn": _arn("kms", "{name}"), "id": "{name}", "name": "{address}"}, RELATIONS
    ),
    "aws_kms_key_policy": Row(_key_policy, phase=RELATIONS),
    "aws_kms_grant": Row(_grant, phase=RELATIONS),
    "aws_ssm_parameter": Row(_parameter, {"arn": _arn("ssm", "parameter/{name}"), "id": "{name}"}),
    "aws_dynamodb_table": Row(_table, {"arn": _TABLE_ARN, "id": "{name}"}),
    "aws_dynamodb_resource_policy": Row(by_arn("resource_arn"), phase=RELATIONS),
    "aws_sqs_queue": Row(
        _queue,
        {
            "arn": _arn("sqs", "{name}"),
            "id": "https://sqs.{region}.amazonaws.com/{account}/{name}",
            "url": "https://sqs.{region}.amazonaws.com/{account}/{name}",
            "name": "{address}",
        },
    ),
    "aws_sqs_queue_policy": Row(_queue_policy, phase=RELATIONS),
    "aws_sns_topic": Row(
        _topic, {"arn": _arn("sns", "{name}"), "id": _arn("sns", "{name}"), "name": "{address}"}
    ),
    "aws_sns_topic_policy": Row(by_arn("arn"), phase=RELATIONS),
    "aws_ecr_repository": Row(
        _repository, {"arn": _arn("ecr", "repository/{name}"), "id": "{name}"}
    ),
    "aws_ecr_repository_policy": Row(_repository_policy, phase=RELATIONS),
    "aws_ecr_registry_policy": Row(_registry_policy, phase=RELATIONS),
}
