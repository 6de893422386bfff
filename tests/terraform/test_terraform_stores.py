"""Stores in plans of AWS: what they are, and what the policies that speak of them let in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelreach.snapshot import SCHEMA, Scope, Snapshot

Json = dict[str, Any]
ACCOUNT, REGION = "123456789012", "eu-west-1"
AGENT = f"arn:aws:iam::{ACCOUNT}:role/agent"


def _document(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(actions: Any, resource: Any = "*", **more: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


@pytest.fixture
def plan(planned: Any) -> Any:
    """A plan that makes a role which may do everything with stores."""
    made = planned("aws", region=REGION)
    role = {"name": "agent", "path": "/", "assume_role_policy": _document()}
    made.change("aws_iam_role.agent", "create", after=role)
    services = ("es", "aoss", "s3vectors", "kinesis", "logs", "kendra", "rds-data", "rds-db")
    names = (*services, "redshift", "redshift-data", "redshift-serverless")
    every = _document(_allow([f"{name}:*" for name in names]))
    own = {"role": "agent", "name": "own", "policy": every}
    return made.change("aws_iam_role_policy.own", "create", after=own)


@pytest.fixture
def empty() -> Snapshot:
    scope = Scope(id=ACCOUNT, provider="aws", kind="account")
    return Snapshot(schema=SCHEMA, taken_at="2026-11-01T00:00:00Z", scopes=(scope,))


def _of(snapshot: Snapshot, arn: str) -> Json:
    (found,) = [one.attributes for one in snapshot.resources if one.id == arn]
    return dict(found)


@pytest.mark.parametrize("kind", ["aws_opensearch_domain", "aws_elasticsearch_domain"])
def test_a_domain_and_its_policy(
    kind: str, plan: Any, empty: Snapshot, apply: Any, may: Any
) -> None:
    arn = _arn("es", "domain/search")
    plan.change(f"{kind}.d", "create", after={"domain_name": "search"})
    deny = {**_allow("es:ESHttpPut", f"{arn}/*", Principal="*"), "Effect": "Deny"}
    policy = {"domain_name": "search", "access_policies": _document(deny)}
    plan.change(f"{kind}_policy.p", "create", after=policy)
    made = apply(plan, empty)
    assert _of(made, arn)["fine_grained"] is False
    assert may(made, AGENT, "es:ESHttpGet", f"{arn}/books/_search") == "allow"
    assert may(made, AGENT, "es:ESHttpPut", f"{arn}/books") == "deny"


def test_a_domain_with_users_of_its_own_in_a_network(
    plan: Any, empty: Snapshot, apply: Any, may: Any
) -> None:
    arn = _arn("es", "domain/search")
    after = {
        "domain_name": "search",
        "advanced_security_options": [{"enabled": True}],
        "vpc_options": [{"subnet_ids": ["subnet-1"]}],
        "encrypt_at_rest": [{"enabled": True, "kms_key_id": _arn("kms", "key/k")}],
    }
    made = apply(plan.change("aws_opensearch_domain.d", "create", after=after), empty)
    assert _of(made, arn) == {
        "fine_grained": True,
        "kms_key": _arn("kms", "key/k"),
        "vpc": "that of aws_opensearch_domain.d",
    }
    assert may(made, AGENT, "es:ESHttpGet", f"{arn}/books") == "unknown"


def _collection(plan: Any, data: Any, network: Any, **unknown: Any) -> Any:
    plan.change("aws_opensearchserverless_collection.c", "create", after={"name": "library"})
    for kind, type_, policy in (("access", "data", data), ("security", "network", network)):
        told = {} if policy is None else {"policy": json.dumps(policy)}
        plan.change(
            f"aws_opensearchserverless_{kind}_policy.{type_}",
            "create",
            after={"name": "p", "type": type_, **told},
            unknown={"policy": True} if policy is None else {},
        )
    encryption = {"name": "p", "type": "encryption", "policy": json.dumps({"Rules": []})}
    plan.change("aws_opensearchserverless_security_policy.e", "create", after=encryption)
    return plan


def _rules(**more: Any) -> list[Json]:
    rule = {"ResourceType": "collection", "Resource": ["collection/lib*"]}
    return [{"Rules": [rule], **more}]


@pytest.mark.parametrize(
    ("data", "network", "verdict"),
    [
        (_rules(Principal=[AGENT]), _rules(AllowFromPublic=True), "allow"),
        (_rules(Principal=[AGENT]), _rules(SourceVPCEs=["vpce-1"]), "conditional"),
        (_rules(Principal=[f"{AGENT}-2"]), _rules(AllowFromPublic=True), "deny"),
        (None, _rules(AllowFromPublic=True), "unknown"),
        (_rules(Principal=[AGENT]), None, "unknown"),
    ],
)
def test_a_collection_and_the_policies_that_speak_of_it(
    data: Any, network: Any, verdict: str, plan: Any, empty: Snapshot, apply: Any, may: Any
) -> None:
    made = apply(_collection(plan, data, network), empty)
    arn = _arn("aoss", "collection/aws_opensearchserverless_collection.c")
    assert may(made, AGENT, "aoss:APIAccessAll", arn) == verdict
    assert bool(made.gaps) is (data is None or network is None)


def test_a_data_access_policy_of_a_plan_opens_a_collection_that_is_there(
    plan: Any, empty: Snapshot, apply: Any, may: Any, planned: Any
) -> None:
    base = apply(_collection(plan, _rules(Principal=[]), _rules(AllowFromPublic=True)), empty)
    arn = _arn("aoss", "collection/aws_opensearchserverless_collection.c")
    assert may(base, AGENT, "aoss:APIAccessAll", arn) == "deny"
    after = {"name": "more", "type": "data", "policy": json.dumps(_rules(Principal=[AGENT]))}
    more = planned("aws", region=REGION)
    more.change("aws_opensearchserverless_access_policy.more", "create", after=after)
    opened = apply(more, base)
    assert may(opened, AGENT, "aoss:APIAccessAll", arn) == "allow"
    less = planned("aws", region=REGION)
    less.change("aws_opensearchserverless_access_policy.more", "delete", before=after)
    assert may(apply(less, opened), AGENT, "aoss:APIAccessAll", arn) == "deny"


_VECTORS = _arn("s3vectors", "bucket/books")
_GROUP = _arn("logs", "log-group:/prompts")


@pytest.mark.parametrize(
    ("kind", "after", "arn", "action", "policy"),
    [
        (
            "aws_s3vectors_vector_bucket",
            {"vector_bucket_name": "books"},
            _VECTORS,
            "s3vectors:GetVectors",
            ("aws_s3vectors_vector_bucket_policy", {"vector_bucket_arn": _VECTORS}, "policy"),
        ),
        (
            "aws_kinesis_stream",
            {"name": "events"},
            _arn("kinesis", "stream/events"),
            "kinesis:GetRecords",
            (
                "aws_kinesis_resource_policy",
                {"resource_arn": _arn("kinesis", "stream/events")},
                "policy",
            ),
        ),
        (
            "aws_cloudwatch_log_group",
            {"name": "/prompts", "kms_key_id": _arn("kms", "key/k")},
            _GROUP,
            "logs:FilterLogEvents",
            ("aws_cloudwatch_log_resource_policy", {"policy_name": "p"}, "policy_document"),
        ),
        (
            "aws_kendra_index",
            {"name": "manuals"},
            _arn("kendra", "index/aws_kendra_index.x"),
            "kendra:Query",
            None,
        ),
    ],
)
def test_other_stores_and_their_policies(
    kind: str,
    after: Json,
    arn: str,
    action: str,
    policy: tuple[str, Json, str] | None,
    plan: Any,
    empty: Snapshot,
    apply: Any,
    may: Any,
) -> None:
    plan.change(f"{kind}.x", "create", after={**after, "tags": {"data-class": "pii"}})
    asked = f"{arn}:*" if kind == "aws_cloudwatch_log_group" else f"{arn}/index/i"
    asked = asked if kind.startswith(("aws_c", "aws_s")) else arn
    made = apply(plan, empty)
    (found,) = [one for one in made.resources if one.id == arn]
    assert found.tags == {"data-class": "pii"}
    assert may(made, AGENT, action, asked) == "allow"
    if policy is not None:
        type_, about, path = policy
        deny = {**_allow(action, "*", Principal="*"), "Effect": "Deny"}
        plan.change(f"{type_}.p", "create", after={**about, path: _document(deny)})
        assert may(apply(plan, empty), AGENT, action, asked) == "deny"


def test_databases(plan: Any, empty: Snapshot, apply: Any, may: Any) -> None:
    by_iam = {"iam_database_authentication_enabled": True}
    for address, after in (
        ("aws_db_instance.o", {"identifier": "orders", "engine": "postgres", **by_iam}),
        ("aws_rds_cluster.a", {"cluster_identifier": "aurora", "enable_http_endpoint": True}),
        ("aws_rds_cluster.b", {"cluster_identifier": "other", **by_iam}),
        ("aws_rds_cluster_instance.i", {"identifier": "one", "cluster_identifier": "aurora"}),
        ("aws_redshift_cluster.w", {"cluster_identifier": "wh"}),
        ("aws_redshiftserverless_workgroup.g", {"workgroup_name": "ad-hoc"}),
    ):
        plan.change(address, "create", after=after)
    made = apply(plan, empty)
    assert {(one.kind, one.name) for one in made.resources} == {
        ("rds:db", "orders"),
        ("rds:db", "one"),
        ("rds:cluster", "aurora"),
        ("rds:cluster", "other"),
        ("rds-db:db-user", "users of orders"),
        ("rds-db:db-user", "users of other"),
        ("redshift:cluster", "wh"),
        ("redshift:dbuser", "users of wh"),
        ("redshift-serverless:workgroup", "ad-hoc"),
    }
    statement = "rds-data:ExecuteStatement"
    assert may(made, AGENT, statement, _arn("rds", "cluster:aurora")) == "allow"
    assert may(made, AGENT, statement, _arn("rds", "cluster:other")) == "conditional"
    login = _arn("redshift", "dbuser:wh/admin")
    assert may(made, AGENT, "redshift:GetClusterCredentials", login) == "allow"
