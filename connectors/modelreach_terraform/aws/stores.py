"""Stores that are searched, streamed to or queried, and the policies that speak of them.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/opensearch_domain
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from modelreach.collect import collections
from modelreach.collect.facts import attributes
from modelreach.snapshot import AttachmentKind, Resource
from modelreach_terraform.aws.facts import attached, common
from modelreach_terraform.aws.storage import by_arn, key_arn
from modelreach_terraform.edits import Attach, Edit, Is
from modelreach_terraform.told import RELATIONS, Row, Table, Told
from modelreach_terraform.values import UNKNOWN, text

_POLICY: Final = "resource policy"


def _arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def _is(told: Told, kind: str, name: str, **more: Any) -> Is:
    return Is(
        Resource(**common(told, kind, told.text("arn"), name), attributes=attributes(**more))
    )


def _first(told: Told, block: str) -> dict[str, Any]:
    return next(told.blocks(block), {})


def _domain(told: Told) -> Iterator[Edit]:
    arn, network = told.text("arn"), _first(told, "vpc_options")
    known = told.world.resources.get(arn)
    vpc = text(network.get("vpc_id")) or str(known.attributes.get("vpc", "") if known else "")
    yield _is(
        told,
        "es:domain",
        told.text("domain_name"),
        engine=told.text("engine_version"),
        fine_grained=_first(told, "advanced_security_options").get("enabled") is True,
        kms_key=key_arn(told, text(_first(told, "encrypt_at_rest").get("kms_key_id"))),
        # Of subnets that are given it is not told in which network they lie.
        vpc=(vpc or f"that of {told.address}") if network else "",
    )
    if told.written("access_policies"):
        yield from attached(told, arn, "resource", "access_policies", name=_POLICY)


def _domain_policy(told: Told) -> Iterator[Edit]:
    arn = told.filled(_arn("es", "domain/{domain_name}"))
    yield from attached(told, arn, "resource", "access_policies", name=_POLICY)


def _collection(told: Told) -> Iterator[Edit]:
    yield _is(told, "aoss:collection", told.text("name"), kms_key=told.text("kms_key_arn"))


def _data_access(told: Told) -> Iterator[Edit]:
    if told.text("type") in ("", "data"):
        yield from _said(told, "access-policy", "data access policy", collections.data_access)


def _security(told: Told) -> Iterator[Edit]:
    """Those about encryption let nobody in."""
    if told.text("type") == "network":
        yield from _said(told, "endpoint", "network policy", collections.network)


def _said(
    told: Told,
    kind: AttachmentKind,
    what: str,
    said: Callable[[collections.Policy, str, str], dict[str, Any] | None],
) -> Iterator[Edit]:
    """Give what a policy says of each collection of its account and region."""
    account, region = told.place["account"], told.place["region"]
    document = told.document("policy")
    policy = None if document is UNKNOWN else collections.read(document)
    for arn, one in sorted(told.world.resources.items()):
        if one.kind != "aoss:collection" or (one.scope, one.region) != (account, region):
            continue
        if policy is None:
            facet = "access-policy" if kind == "access-policy" else "network-policy"
            yield told.unknown(facet, arn, f"a {what}")
        elif found := said(policy, one.name, arn):
            yield Attach(arn, kind, found, f"{told.text('name')} {what}")


def _named(kind: str, arn: str, name: str, key: str = "") -> Callable[[Told], Iterator[Edit]]:
    """Give a thing of which nothing else is told than its name, tags and key."""

    def edits(told: Told) -> Iterator[Edit]:
        known = attributes(kms_key=key_arn(told, told.text(key)) if key else "")
        one = common(told, kind, told.text(arn), told.text(name))
        yield Is(Resource(**one, attributes=known))

    return edits


def _log_policy(told: Told) -> Iterator[Edit]:
    """Give what a policy says of every log group of its account and region, or of one."""
    account, region = told.place["account"], told.place["region"]
    only = told.text("resource_arn").removesuffix(":*")
    for arn, one in sorted(told.world.resources.items()):
        if one.kind != "logs:log-group" or (one.scope, one.region) != (account, region):
            continue
        if only in ("", arn):
            yield from attached(told, arn, "resource", "policy_document", name=_POLICY)


def _instance(told: Told) -> Iterator[Edit]:
    name = told.text("identifier")
    yield _is(
        told,
        "rds:db",
        name,
        cluster=told.text("cluster_identifier"),
        engine=told.text("engine"),
        kms_key=key_arn(told, told.text("kms_key_id")),
        public=told.flag("publicly_accessible") is True,
    )
    yield from _users(told, name, "{resource_id}")


def _cluster(told: Told) -> Iterator[Edit]:
    name = told.text("cluster_identifier")
    yield _is(
        told,
        "rds:cluster",
        name,
        data_api=told.flag("enable_http_endpoint") is True,
        engine=told.text("engine"),
        kms_key=key_arn(told, told.text("kms_key_id")),
    )
    yield from _users(told, name, "{cluster_resource_id}")


def _users(told: Told, name: str, of: str) -> Iterator[Edit]:
    """The users of a database that takes tokens of IAM instead of passwords."""
    if told.flag("iam_database_authentication_enabled") is True:
        arn = told.filled(_arn("rds-db", f"dbuser:{of}"))
        yield Is(Resource(**common(told, "rds-db:db-user", arn, f"users of {name}")))


def _warehouse(told: Told) -> Iterator[Edit]:
    name = told.text("cluster_identifier")
    yield _is(
        told,
        "redshift:cluster",
        name,
        kms_key=key_arn(told, told.text("kms_key_id")),
        public=told.flag("publicly_accessible") is True,
    )
    users = told.filled(_arn("redshift", "dbuser:{cluster_identifier}"))
    yield Is(Resource(**common(told, "redshift:dbuser", users, f"users of {name}")))


_DOMAIN_ARN: Final = _arn("es", "domain/{domain_name}")

TABLE: Final[Table] = {
    **dict.fromkeys(
        ("aws_opensearch_domain", "aws_elasticsearch_domain"),
        Row(_domain, {"arn": _DOMAIN_ARN, "id": _DOMAIN_ARN}),
    ),
    **dict.fromkeys(
        ("aws_opensearch_domain_policy", "aws_elasticsearch_domain_policy"),
        Row(_domain_policy, phase=RELATIONS),
    ),
    # AWS chooses the id of a collection, which is in its ARN.
    "aws_opensearchserverless_collection": Row(
        _collection, {"arn": _arn("aoss", "collection/{address}"), "id": "{address}"}
    ),
    "aws_opensearchserverless_access_policy": Row(_data_access, phase=RELATIONS),
    "aws_opensearchserverless_security_policy": Row(_security, phase=RELATIONS),
    "aws_s3vectors_vector_bucket": Row(
        _named("s3vectors:vector-bucket", "vector_bucket_arn", "vector_bucket_name"),
        {"vector_bucket_arn": _arn("s3vectors", "bucket/{vector_bucket_name}")},
    ),
    "aws_s3vectors_vector_bucket_policy": Row(by_arn("vector_bucket_arn"), phase=RELATIONS),
    "aws_kinesis_stream": Row(
        _named("kinesis:stream", "arn", "name"),
        {"arn": _arn("kinesis", "stream/{name}"), "id": _arn("kinesis", "stream/{name}")},
    ),
    "aws_kinesis_resource_policy": Row(by_arn("resource_arn"), phase=RELATIONS),
    "aws_cloudwatch_log_group": Row(
        _named("logs:log-group", "arn", "name", "kms_key_id"),
        {"arn": _arn("logs", "log-group:{name}"), "id": "{name}", "name": "{address}"},
    ),
    "aws_cloudwatch_log_resource_policy": Row(_log_policy, phase=RELATIONS),
    "aws_db_instance": Row(
        _instance,
        {
            "arn": _arn("rds", "db:{identifier}"),
            "identifier": "{address}",
            "resource_id": "{address}",
        },
    ),
    "aws_rds_cluster_instance": Row(
        _named("rds:db", "arn", "identifier", "kms_key_id"),
        {"arn": _arn("rds", "db:{identifier}"), "identifier": "{address}"},
    ),
    "aws_rds_cluster": Row(
        _cluster,
        {
            "arn": _arn("rds", "cluster:{cluster_identifier}"),
            "cluster_identifier": "{address}",
            "cluster_resource_id": "{address}",
        },
    ),
    "aws_redshift_cluster": Row(
        _warehouse, {"arn": _arn("redshift", "cluster:{cluster_identifier}")}
    ),
    "aws_redshiftserverless_workgroup": Row(
        _named("redshift-serverless:workgroup", "arn", "workgroup_name"),
        {"arn": _arn("redshift-serverless", "workgroup/{address}")},
    ),
    "aws_kendra_index": Row(
        _named("kendra:index", "arn", "name"),
        {"arn": _arn("kendra", "index/{address}"), "id": "{address}"},
    ),
}
