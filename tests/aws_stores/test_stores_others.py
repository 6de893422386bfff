"""Vectors, streams, log groups and indexes: what policies that speak of parts of them give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from modelreach.collect.answers import Refusal
from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import Facts, Gap

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
AGENT = f"arn:aws:iam::{ACCOUNT}:role/agent"
GUEST = f"arn:aws:iam::{OTHER}:role/guest"
Answers = dict[tuple[str, str], Any]
Grants = Callable[..., dict[str, dict[str, str]]]


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


VECTORS, STREAM = _arn("s3vectors", "bucket/books"), _arn("kinesis", "stream/events")
GROUP, INDEX = _arn("logs", "log-group:/prompts"), _arn("kendra", "index/k-1")


def _document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(actions: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def _role(arn: str, *statements: Any) -> Answers:
    role = {
        "RoleName": arn.rsplit("/", 1)[-1],
        "Arn": arn,
        "AssumeRolePolicyDocument": _document(),
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": _document(*statements)}],
    }
    return {("iam", "GetAccountAuthorizationDetails"): {"RoleDetailList": [role]}}


def _stores(*statements: Any, tags: Any = None, **policies: Any) -> Answers:
    """Answers of an account with one store of each kind, and of whom it lets in."""
    listed = {"ResourceTagMappingList": [{"ResourceARN": GROUP, "Tags": [_TAG]}]}
    found = _role(AGENT, *statements) | {
        ("s3vectors", "ListVectorBuckets"): {
            "vectorBuckets": [{"vectorBucketName": "books", "vectorBucketArn": VECTORS}]
        },
        ("kinesis", "ListStreams"): {
            "StreamSummaries": [{"StreamName": "events", "StreamARN": STREAM}]
        },
        ("logs", "DescribeLogGroups"): {
            "logGroups": [{"logGroupName": "/prompts", "arn": f"{GROUP}:*"}]
        },
        ("kendra", "ListIndices"): {
            "IndexConfigurationSummaryItems": [{"Id": "k-1", "Name": "manuals"}]
        },
        ("resourcegroupstaggingapi", "GetResources"): tags or listed,
    }
    for service, document in policies.items():
        operation, parameters, said = _POLICIES[service]
        found[service, operation] = [(parameters, said(document))]
    return found


_TAG = {"Key": "data-class", "Value": "pii"}
_POLICIES: dict[str, Any] = {
    "s3vectors": (
        "GetVectorBucketPolicy",
        {"vectorBucketArn": VECTORS},
        lambda document: {"policy": document},
    ),
    "kinesis": (
        "GetResourcePolicy",
        {"ResourceARN": STREAM},
        lambda document: {"Policy": document},
    ),
    "logs": (
        "DescribeResourcePolicies",
        {},
        lambda document: {"resourcePolicies": [{"policyName": "p", "policyDocument": document}]},
    ),
}


def test_an_index_is_part_of_its_bucket_of_vectors(snapshot: Any) -> None:
    one = f"{VECTORS}/index/public"
    found = snapshot(_stores(_allow("s3vectors:QueryVectors", one)))
    (grant,) = AwsEngine(Facts(found)).grants(AGENT)
    assert (grant.resource, grant.within, str(grant.capability)) == (VECTORS, (one,), "read")


@pytest.mark.parametrize(
    ("resource", "reads"),
    [(f"{GROUP}:*", True), (f"{GROUP}*", True), (GROUP, False), ("*", True)],
)
def test_a_log_group_is_named_with_what_is_in_it(
    resource: str, reads: bool, snapshot: Any, grants: Grants
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html"""
    held = _allow(
        ["logs:GetLogEvents", "logs:FilterLogEvents", "logs:ListTagsForResource"], resource
    )
    rows = grants(snapshot(_stores(held)), AGENT)[GROUP]
    assert ("logs:FilterLogEvents" in rows) == ("logs:GetLogEvents" in rows) == reads
    assert ("logs:ListTagsForResource" in rows) == (resource != f"{GROUP}:*")


@pytest.mark.parametrize(
    ("service", "action", "target", "inside"),
    [
        ("s3vectors", "s3vectors:GetVectors", VECTORS, "/*"),
        ("kinesis", "kinesis:GetRecords", STREAM, ""),
        ("logs", "logs:FilterLogEvents", GROUP, ":*"),
    ],
)
def test_policies_let_other_accounts_in(
    service: str, action: str, target: str, inside: str, snapshot: Any, grants: Grants
) -> None:
    policy = _document(_allow(action, target + inside, Principal={"AWS": OTHER}))
    home = _stores(_allow("s3:*"), **{service: policy})
    both = snapshot(home, **{f"a{OTHER}": _role(GUEST, _allow(action))})
    assert grants(both, GUEST) == {target: {action: "allow"}}
    assert grants(both, AGENT) == {}


def test_an_index_of_kendra_is_asked(snapshot: Any, grants: Grants) -> None:
    rows = grants(snapshot(_stores(_allow(["kendra:Retrieve", "kendra:DeleteIndex"]))), AGENT)
    assert rows == {INDEX: {"kendra:Retrieve": "allow", "kendra:DeleteIndex": "allow"}}


def test_tags_that_were_not_read_together_are_not_known(snapshot: Any, grants: Grants) -> None:
    tagged = {"StringEquals": {"aws:ResourceTag/data-class": "pii"}}
    held = _allow("logs:FilterLogEvents", Condition=tagged)
    assert grants(snapshot(_stores(held)), AGENT)[GROUP] == {"logs:FilterLogEvents": "allow"}
    refused = snapshot(_stores(held, tags=Refusal("denied", "AccessDeniedException")))
    assert grants(refused, AGENT)[GROUP] == {"logs:FilterLogEvents": "conditional"}
    assert [gap.permission for gap in refused.gaps] == ["tag:GetResources"]


def test_listed_stores_speak_for_patterns(snapshot: Any) -> None:
    """What a permission means of stores that were listed is told of these, not by its pattern."""
    held = _allow(["logs:Get*", "kendra:Query", "kinesis:GetRecords", "s3vectors:GetVectors"])
    engine = AwsEngine(Facts(snapshot(_stores(held))))
    kinds = {grant.kind for grant in engine.unlisted(engine.permissions(AGENT), ACCOUNT)}
    assert kinds == {"logs:*"}, "other things of the service were not listed"


@pytest.mark.parametrize("missed", ["tags", "resource-policy"])
def test_what_was_missed_in_one_region_is_not_known_there_only(
    missed: str, snapshot: Any, grants: Grants
) -> None:
    untagged = {"StringNotEquals": {"aws:ResourceTag/data-class": "pii"}}
    held = _allow("logs:FilterLogEvents", Condition=untagged)
    made = snapshot(_stores(held, tags={"ResourceTagMappingList": []}))
    (group,) = [one for one in made.resources if one.id == GROUP]
    there = "us-east-1"
    other = msgspec.structs.replace(group, id=GROUP.replace(REGION, there), region=there)
    whole = "tag:{}:{}:*" if missed == "tags" else "logs:{}:{}:log-group:*"
    subject = f"arn:aws:{whole.format(there, ACCOUNT)}"
    gap = Gap("aws", ACCOUNT, missed, "denied", region=there, subject=subject)
    both = msgspec.structs.replace(made, resources=(*made.resources, other), gaps=(gap,))
    rows = grants(both, AGENT)
    brief = AwsEngine(Facts(both)).brief(AGENT)
    assert {one.resource for one in brief.alone} == {other.id}, "it is asked about by itself"
    assert rows[GROUP] == {"logs:FilterLogEvents": "allow"}
    if missed == "tags":
        assert rows[other.id] == {"logs:FilterLogEvents": "conditional"}
        return
    engine = AwsEngine(Facts(both))
    assert str(engine.decide(AGENT, "logs:GetLogEvents", f"{GROUP}:*").verdict) == "deny"
    assert str(engine.decide(AGENT, "logs:GetLogEvents", f"{other.id}:*").verdict) == "unknown"
