"""Collection over HTTP: what moto has is what the snapshot says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from modelreach.snapshot import Snapshot, encode

ACCOUNT = "123456789012"
REGION = "eu-west-1"
Collect = Callable[..., Snapshot]


def by_id(facts: Any) -> dict[str, Any]:
    return {fact.id: fact for fact in facts}


def test_identities(estate: str, plain: Any) -> None:
    snapshot = plain.snapshot
    people = by_id(snapshot.principals)
    user = people[f"arn:aws:iam::{ACCOUNT}:user/people/ann"]
    assert user.kind == "user"
    assert user.tags == {"team": "ml"}
    assert user.groups == (f"arn:aws:iam::{ACCOUNT}:group/team",)
    role = people[estate]
    assert role.kind == "role"
    assert role.tags == {"stage": "prod"}
    assert role.last_used == "never"
    assert role.attributes["instance_profiles"] == (
        f"arn:aws:iam::{ACCOUNT}:instance-profile/box",
    )
    provider = people[f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.org"]
    assert provider.kind == "oidc-provider"
    assert provider.attributes["client_ids"] == ("sts.amazonaws.com",)


def test_attachments_of_identities(estate: str, plain: Any) -> None:
    snapshot = plain.snapshot
    found = {(one.target, one.kind, one.name, one.policy) for one in snapshot.attachments}
    policies = f"arn:aws:iam::{ACCOUNT}:policy"
    assert {
        (estate, "identity", "secrets", ""),
        (estate, "identity", "reads", f"{policies}/reads"),
        (estate, "boundary", "limit", f"{policies}/limit"),
        (estate, "trust", "trust policy", ""),
        (f"arn:aws:iam::{ACCOUNT}:group/team", "identity", "team-inline", ""),
    } <= found
    reads = by_id(snapshot.managed_policies)[f"{policies}/reads"]
    assert sorted(reads.versions) == ["v1", "v2"]
    assert reads.default_version == "v2"
    attached = next(one for one in snapshot.attachments if one.policy == reads.id)
    assert attached.document == reads.versions["v2"]
    assert (
        json.loads(bytes(snapshot.documents[attached.document]))["Statement"][0]["Action"]
        == "s3:Get*"
    )


def test_credentials(plain: Any) -> None:
    found = {one.kind: one for one in plain.snapshot.credentials}
    assert found["access-key"].principal == f"arn:aws:iam::{ACCOUNT}:user/people/ann"
    assert found["access-key"].status == "active"
    assert found["access-key"].last_used == "never"
    assert found["access-key"].expires == "never"
    assert found["password"].last_used == "never"
    assert found["password"].created.endswith("Z")


def test_bucket(estate: str, plain: Any) -> None:
    snapshot = plain.snapshot
    bucket = by_id(snapshot.resources)["arn:aws:s3:::training-data"]
    key = next(one for one in snapshot.resources if one.kind == "kms:key")
    assert (bucket.kind, bucket.region, bucket.scope) == ("s3:bucket", REGION, ACCOUNT)
    assert bucket.tags == {"data-class": "pii"}
    assert bucket.attributes["block_public_policy"] is True
    assert bucket.attributes["restrict_public_buckets"] is False
    assert bucket.attributes["kms_key"] == key.id
    assert resource_kinds(snapshot, bucket.id) == ["resource"]


def resource_kinds(snapshot: Snapshot, target: str) -> list[str]:
    return sorted(one.kind for one in snapshot.attachments if one.target == target)


def test_data_services(estate: str, plain: Any) -> None:
    snapshot = plain.snapshot
    kinds = {one.kind: one for one in snapshot.resources}
    assert {
        "s3:bucket",
        "secretsmanager:secret",
        "kms:key",
        "ssm:parameter",
        "dynamodb:table",
        "sqs:queue",
        "sns:topic",
        "lambda:function",
        "ecr:repository",
        "ec2:instance",
        "sagemaker:endpoint",
        "bedrock:agent",
        "bedrock:knowledge-base",
        "sagemaker:model",
        "ecs:service",
        "ecs:cluster",
    } == set(kinds)
    names = {one.name for one in snapshot.resources}
    assert {
        "prod/db",
        "/prod/token",
        "plain",
        "customers",
        "jobs",
        "news",
        "models/agent",
    } <= names
    token = by_id(snapshot.resources)[f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/prod/token"]
    assert token.attributes["type"] == "SecureString"
    assert kinds["kms:key"].attributes["aliases"] == ("alias/data",)
    assert resource_kinds(snapshot, kinds["kms:key"].id) == ["grant", "resource"]
    for kind in ("secretsmanager:secret", "sqs:queue", "sns:topic", "lambda:function"):
        assert resource_kinds(snapshot, kinds[kind].id) == ["resource"], kind
    assert kinds["ecr:repository"].name == "models/agent"
    assert kinds["dynamodb:table"].tags == {"t": "1"}
    assert kinds["sqs:queue"].tags == {"q": "1"}
    assert kinds["sns:topic"].tags == {"s": "1"}
    assert kinds["secretsmanager:secret"].tags == {"class": "secret"}


def test_grant_is_a_document(estate: str, plain: Any) -> None:
    snapshot = plain.snapshot
    grant = next(one for one in snapshot.attachments if one.kind == "grant")
    document = json.loads(bytes(snapshot.documents[grant.document]))
    assert document["GranteePrincipal"] == estate
    assert document["Operations"] == ["Decrypt"]


def test_runtimes(estate: str, plain: Any) -> None:
    snapshot = plain.snapshot
    found = {one.kind: one for one in snapshot.runtimes}
    assert sorted(found) == [
        "bedrock:agent",
        "bedrock:knowledge-base",
        "ec2:instance",
        "ecs:service",
        "ecs:task-definition",
        "lambda:function",
        "sagemaker:endpoint",
        "sagemaker:model",
    ]
    for runtime in found.values():
        assert runtime.identities == (estate,), runtime.kind
    assert found["lambda:function"].attributes["environment"] == ("TOKEN",)
    task = found["ecs:task-definition"]
    assert task.attributes["execution_role"] == estate
    assert task.attributes["environment"] == ("API_KEY",)
    assert [link.kind for link in task.links] == ["pulls", "reads"]
    assert found["bedrock:agent"].version == "DRAFT"
    model = {link.target for link in found["sagemaker:endpoint"].links}
    assert "s3://training-data/m1.tar.gz" in model
    assert [link.kind for link in found["bedrock:knowledge-base"].links] == ["stores-in", "uses"]


def test_account_has_its_alias_and_coverage(estate: str, plain: Any) -> None:
    snapshot = plain.snapshot
    (account,) = snapshot.scopes
    assert (account.id, account.kind, account.name) == (ACCOUNT, "account", "ml-prod")
    covered = {(one.kind, one.region): one.complete for one in snapshot.coverage}
    assert covered["principals", ""] is True
    assert covered["s3:bucket", ""] is True
    assert covered["secretsmanager:secret", REGION] is True
    assert covered["scp", ""] is True, "an account without organization has no policies above it"
    assert covered["runtimes:bedrock:agent", REGION] is False
    assert covered["credentials", ""] is False


def test_what_moto_does_not_answer_is_a_gap(plain: Any) -> None:
    gaps = {(gap.operation, gap.reason) for gap in plain.snapshot.gaps}
    assert ("iam:ListServiceSpecificCredentials", "unsupported") in gaps
    assert ("bedrock-agent:ListAgentVersions", "unsupported") in gaps
    # A service that moto has not heard of, it takes for a bucket of S3.
    assert {reason for _, reason in gaps} <= {"unsupported", "unreachable"}


def test_two_runs_give_the_same_bytes(estate: str, collect: Collect) -> None:
    assert encode(collect(max_workers=1)) == encode(collect(max_workers=8))


def test_documents_are_kept_once(stranger: Any, collect: Collect, policy_text: Any) -> None:
    iam = stranger("iam")
    trust = policy_text("sts:AssumeRole")
    for number in range(5):
        iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=trust)
    snapshot = collect()
    assert len([one for one in snapshot.attachments if one.kind == "trust"]) == 5
    assert len(snapshot.documents) == 1


def test_progress_names_account_region_and_service(plain: Any) -> None:
    start = f"aws {ACCOUNT} {REGION} secretsmanager … "
    assert any(line.startswith(start) for line in plain.progress)
    last = plain.progress[-1].rpartition(" ")[2]
    done, _, total = last.partition("/")
    assert done == total
