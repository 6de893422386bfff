"""What is refused, late, or not an answer becomes a gap, and the run goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import UnknownServiceError

from modelreach.model import NothingCollected
from modelreach.snapshot import Gap, Snapshot
from modelreach_aws import refusals, session

REGION, LIST = "eu-west-1", "ListTopics"
Collect = Callable[..., Snapshot]


def gaps_of(snapshot: Snapshot, operation: str) -> list[Gap]:
    return [gap for gap in snapshot.gaps if gap.operation == operation]


def complete(snapshot: Snapshot, kind: str) -> bool:
    rows = [one.complete for one in snapshot.coverage if one.kind == kind]
    assert rows
    return all(rows)


@pytest.mark.parametrize(
    ("service", "operation", "code", "kind", "permission"),
    [
        ("secretsmanager", "ListSecrets", "AccessDeniedException", "secretsmanager:secret", ""),
        ("s3", "ListBuckets", "AccessDenied", "s3:bucket", "s3:ListAllMyBuckets"),
        ("sns", "ListTopics", "AuthorizationError", "sns:topic", ""),
        ("ec2", "DescribeInstances", "UnauthorizedOperation", "ec2:instance", ""),
        ("lambda", "ListFunctions", "AccessDeniedException", "lambda:function", ""),
        (
            "bedrock-agent",
            "ListAgents",
            "AccessDeniedException",
            "bedrock:agent",
            "bedrock:ListAgents",
        ),
    ],
)
def test_a_denied_list(
    stranger: Any,
    wire: Any,
    collect: Collect,
    service: str,
    operation: str,
    code: str,
    kind: str,
    permission: str,
) -> None:
    wire.refuse(service, operation, code, 403)
    snapshot = collect()
    gap = next(gap for gap in gaps_of(snapshot, f"{service}:{operation}") if gap.kind == kind)
    assert gap.reason == "denied"
    assert gap.permission == (permission or f"{service}:{operation}")
    assert gap.message == f"refused by the test: {operation}"
    assert not complete(snapshot, kind)
    assert complete(snapshot, "principals")
    assert wire.count(service, operation) == 1, "a refusal is not tried again"


def test_a_call_that_an_older_sdk_does_not_know(
    stranger: Any, wire: Any, collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger("secretsmanager").create_secret(Name="prod/db", SecretString="x")
    known = dict(session._operations())
    monkeypatch.setattr(session, "_operations", lambda: {**known, "sns": known["sns"] - {LIST}})
    snapshot = collect()
    gap = next(gap for gap in gaps_of(snapshot, f"sns:{LIST}") if gap.kind == "sns:topic")
    assert gap.reason == "unsupported"
    assert gap.message == (
        f"the installed boto3 does not know sns:{LIST}; boto3 {refusals.NEEDED_SDK} and newer do"
    )
    assert gap.permission == "", "no permission would close it"
    assert not complete(snapshot, "sns:topic")
    assert [one.name for one in snapshot.resources] == ["prod/db"]


def test_a_service_that_an_older_sdk_does_not_know() -> None:
    error = UnknownServiceError(service_name="agentcore", known_service_names=["s3"])
    told = refusals.refusal(error)
    assert told.reason == "unsupported"
    assert "does not know agentcore; boto3" in told.message


def test_the_sdk_that_is_named_is_the_one_that_is_asked_for() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'aws = ["boto3>={refusals.NEEDED_SDK}"]' in text


def test_a_denied_facet_leaves_the_thing_itself(
    stranger: Any, wire: Any, collect: Collect
) -> None:
    secret = stranger("secretsmanager").create_secret(Name="prod/db", SecretString="x")["ARN"]
    wire.refuse("secretsmanager", "GetResourcePolicy", "AccessDeniedException", 403)
    snapshot = collect()
    (gap,) = gaps_of(snapshot, "secretsmanager:GetResourcePolicy")
    assert (gap.kind, gap.subject, gap.region) == ("resource-policy", secret, REGION)
    assert gap.permission == "secretsmanager:GetResourcePolicy"
    assert secret in {one.id for one in snapshot.resources}
    assert complete(snapshot, "secretsmanager:secret")


def test_denied_credentials_name_the_user(stranger: Any, wire: Any, collect: Collect) -> None:
    user = stranger("iam").create_user(UserName="ann", Path="/people/")["User"]["Arn"]
    wire.refuse("iam", "ListAccessKeys", "AccessDenied", 403)
    snapshot = collect()
    (gap,) = gaps_of(snapshot, "iam:ListAccessKeys")
    assert (gap.kind, gap.subject) == ("credentials", user)
    assert not complete(snapshot, "credentials")


_TOKENS = "GetOutboundWebIdentityFederationInfo"
_ISSUER = "https://a1b2c3d4-0000-4000-8000-000000000000.tokens.sts.global.api.aws"


def _told(on: str) -> str:
    inner = f"<IssuerIdentifier>{_ISSUER}</IssuerIdentifier>{on}"
    return f"<{_TOKENS}Response><{_TOKENS}Result>{inner}</{_TOKENS}Result></{_TOKENS}Response>"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            _told("<JwtVendingEnabled>true</JwtVendingEnabled>"),
            {"issues_tokens": True, "token_issuer": _ISSUER},
        ),
        (
            _told("<JwtVendingEnabled>false</JwtVendingEnabled>"),
            {"issues_tokens": False, "token_issuer": _ISSUER},
        ),
        ("FeatureDisabled", {"issues_tokens": False}),
        (_told(""), {}),
        ("AccessDenied", {}),
    ],
    ids=["on", "turned off", "never on", "half an answer", "denied"],
)
def test_whether_an_account_issues_tokens(
    stranger: Any, wire: Any, collect: Collect, said: str, told: dict[str, Any]
) -> None:
    if said.startswith("<"):
        wire.say("iam", _TOKENS, said)
    else:
        wire.refuse("iam", _TOKENS, said, 404 if said == "FeatureDisabled" else 403)
    snapshot = collect()
    (account,) = (one for one in snapshot.scopes if one.kind == "account")
    known = {name: account.attributes.get(name) for name in ("issues_tokens", "token_issuer")}
    assert {name: value for name, value in known.items() if value is not None} == told
    gaps = [(gap.kind, gap.subject, gap.permission) for gap in gaps_of(snapshot, f"iam:{_TOKENS}")]
    denied = [("token-issuer", account.id, f"iam:{_TOKENS}")]
    assert gaps == (denied if said == "AccessDenied" else [])


_ALL_OF_ECR = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "*"}
_NARROW = ["ecr:ReplicateImage", "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"]
_SCOPE = "ecr:GetAccountSetting"


@pytest.mark.parametrize(
    ("statement", "scope", "told", "missing"),
    [
        (_ALL_OF_ECR, "V2", "ecr:*", []),
        (_ALL_OF_ECR, "V1", _NARROW, []),
        (_ALL_OF_ECR, "", _NARROW, [_SCOPE]),
        ({**_ALL_OF_ECR, "Action": _NARROW[0]}, "", _NARROW[0], []),
        ({**_ALL_OF_ECR, "Action": "ecr:Batch*"}, "V1", _NARROW[1:2], []),
        ({**_ALL_OF_ECR, "Action": "ecr:BatchGetImage"}, "V1", None, []),
    ],
    ids=["wide", "narrow", "not read", "either way", "part of it", "nothing of it"],
)
def test_what_a_registry_says_is_said_of_each_repository(
    stranger: Any,
    wire: Any,
    collect: Collect,
    statement: dict[str, Any],
    scope: str,
    told: Any,
    missing: list[str],
) -> None:
    arns = [
        stranger("ecr").create_repository(repositoryName=name)["repository"]["repositoryArn"]
        for name in ("one", "two")
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    wire.say("ecr", "GetRegistryPolicy", {"registryId": "1", "policyText": policy})
    if scope:
        wire.say("ecr", "GetAccountSetting", {"name": "REGISTRY_POLICY_SCOPE", "value": scope})
    else:
        wire.refuse("ecr", "GetAccountSetting", "AccessDeniedException", 403)
    snapshot = collect()
    found = {one.target: one.document for one in snapshot.attachments if one.kind == "resource"}
    assert sorted(found) == sorted(arns)
    for digest in found.values():
        said = json.loads(bytes(snapshot.documents[digest]))["Statement"]
        assert [one["Action"] for one in said] == ([] if told is None else [told])
    gaps = [(one.operation, one.subject) for one in snapshot.gaps if one.kind == "resource-policy"]
    assert sorted(gaps) == sorted((operation, arn) for operation in missing for arn in arns)


def test_a_registry_that_is_not_read_leaves_a_gap_of_each_repository(
    stranger: Any, wire: Any, collect: Collect
) -> None:
    ecr = stranger("ecr")
    arn = ecr.create_repository(repositoryName="one")["repository"]["repositoryArn"]
    wire.refuse("ecr", "GetRegistryPolicy", "AccessDeniedException", 403)
    (gap,) = gaps_of(collect(), "ecr:GetRegistryPolicy")
    assert (gap.kind, gap.subject) == ("resource-policy", arn)
    assert gap.permission == "ecr:GetRegistryPolicy"
    assert wire.count("ecr", "GetAccountSetting") == 0


def test_denied_iam_leaves_the_rest(stranger: Any, wire: Any, collect: Collect) -> None:
    stranger("secretsmanager").create_secret(Name="prod/db", SecretString="x")
    wire.refuse("iam", "GetAccountAuthorizationDetails", "AccessDenied", 403)
    snapshot = collect()
    (gap,) = gaps_of(snapshot, "iam:GetAccountAuthorizationDetails")
    assert (gap.kind, gap.permission) == ("principals", "iam:GetAccountAuthorizationDetails")
    assert [one.name for one in snapshot.resources] == ["prod/db"]
    assert not complete(snapshot, "principals")


def test_throttled_out(stranger: Any, wire: Any, collect: Collect) -> None:
    wire.refuse("kms", "ListKeys", "ThrottlingException")
    snapshot = collect()
    (gap,) = gaps_of(snapshot, "kms:ListKeys")
    assert gap.reason == "throttled"
    assert gap.permission == "", "no permission would close it"
    assert wire.count("kms", "ListKeys") == 2


def test_an_error_of_the_service(stranger: Any, wire: Any, collect: Collect) -> None:
    wire.refuse("sqs", "ListQueues", "InternalFailure", 500)
    (gap,) = gaps_of(collect(), "sqs:ListQueues")
    assert gap.reason == "unreachable"


def test_an_operation_nobody_knows(stranger: Any, wire: Any, collect: Collect) -> None:
    wire.refuse("ecr", "DescribeRepositories", "UnknownOperationException")
    (gap,) = gaps_of(collect(), "ecr:DescribeRepositories")
    assert gap.reason == "unsupported"


@pytest.mark.parametrize(
    ("service", "operation", "body"),
    [
        ("secretsmanager", "ListSecrets", '{"SecretList": [{"ARN": "arn:aws'),
        ("kms", "ListKeys", ""),
        ("lambda", "ListFunctions", "[]"),
        ("sns", "ListTopics", "<ListTopicsResponse><ListTopicsResult><Topics><member>"),
    ],
)
def test_half_an_answer_is_not_an_empty_one(
    stranger: Any, wire: Any, collect: Collect, service: str, operation: str, body: str
) -> None:
    wire.say(service, operation, body)
    gaps = gaps_of(collect(), f"{service}:{operation}")
    assert gaps
    assert {gap.reason for gap in gaps} == {"malformed"}


def test_an_unexpected_shape_is_malformed(stranger: Any, wire: Any, collect: Collect) -> None:
    stranger("iam").create_user(UserName="ann")
    wire.say(
        "iam",
        "GetAccountAuthorizationDetails",
        "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult>"
        "<UserDetailList><member><Path>/</Path></member></UserDetailList>"
        "</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>",
    )
    snapshot = collect()
    (gap,) = gaps_of(snapshot, "iam:GetAccountAuthorizationDetails")
    assert gap.reason == "malformed"
    assert not complete(snapshot, "principals")


def _impatient(wire: Any, collect: Collect) -> Snapshot:
    """Collect with one answer that comes too late: it alone, however slow the machine is."""
    late: set[str] = set()
    for timeout in (0.1, 1.0, 10.0):
        wire.made.clear()
        wire.stall("dynamodb", "ListTables", 10 * timeout)
        with suppress(NothingCollected):
            snapshot = collect(timeout=timeout)
            late = {gap.operation for gap in snapshot.gaps if gap.reason == "unreachable"}
            if late == {"dynamodb:ListTables"}:
                return snapshot
    raise AssertionError(f"late, too: {late}")


def test_a_late_answer_is_waited_for_and_given_up(
    stranger: Any, wire: Any, collect: Collect
) -> None:
    snapshot = _impatient(wire, collect)
    assert wire.count("dynamodb", "ListTables") == 2
    (gap,) = gaps_of(snapshot, "dynamodb:ListTables")
    assert gap.reason == "unreachable"
    assert not complete(snapshot, "dynamodb:table")


def test_a_later_page_refused_keeps_the_first(stranger: Any, wire: Any, collect: Collect) -> None:
    pages = iter(
        [
            (200, {"SecretList": [{"ARN": "arn:aws:x:one", "Name": "one"}], "NextToken": "t"}),
            (403, {"__type": "AccessDeniedException", "message": "no more"}),
        ]
    )

    def page() -> Any:
        import json

        status, body = next(pages)
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": "1"}
        return status, headers, json.dumps(body).encode()

    wire.answers["secretsmanager", "ListSecrets"] = page
    snapshot = collect()
    assert "one" in {resource.name for resource in snapshot.resources}
    assert gaps_of(snapshot, "secretsmanager:ListSecrets")[0].message == "no more"
    assert not complete(snapshot, "secretsmanager:secret")


def test_a_policy_that_is_not_json(stranger: Any, wire: Any, collect: Collect) -> None:
    secret = stranger("secretsmanager").create_secret(Name="s", SecretString="x")["ARN"]
    answer = {"ARN": secret, "Name": "s", "ResourcePolicy": '{"Version": '}
    wire.say("secretsmanager", "GetResourcePolicy", answer)
    snapshot = collect()
    gap = next(gap for gap in snapshot.gaps if gap.reason == "malformed")
    assert (gap.kind, gap.subject) == ("resource-policy", secret)
    (attachment,) = [one for one in snapshot.attachments if one.target == secret]
    assert bytes(snapshot.documents[attachment.document]) == b'"{\\"Version\\": "'


def test_a_boundary_that_the_details_leave_out_is_fetched(
    stranger: Any, wire: Any, collect: Collect, policy_text: Any, trust_text: Any
) -> None:
    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    role = stranger("iam").create_role(
        RoleName="r",
        AssumeRolePolicyDocument=trust_text("ec2.amazonaws.com"),
        PermissionsBoundary=boundary,
    )["Role"]["Arn"]
    wire.say(
        "iam",
        "GetPolicy",
        f"<GetPolicyResponse><GetPolicyResult><Policy><Arn>{boundary}</Arn>"
        "<PolicyName>ReadOnlyAccess</PolicyName><DefaultVersionId>v7</DefaultVersionId>"
        "</Policy></GetPolicyResult></GetPolicyResponse>",
    )
    wire.say(
        "iam",
        "GetPolicyVersion",
        "<GetPolicyVersionResponse><GetPolicyVersionResult><PolicyVersion>"
        f"<Document>{policy_text('s3:Get*')}</Document><VersionId>v7</VersionId>"
        "</PolicyVersion></GetPolicyVersionResult></GetPolicyVersionResponse>",
    )
    snapshot = collect()
    (bound,) = [one for one in snapshot.attachments if one.kind == "boundary"]
    assert (bound.target, bound.policy, bound.name) == (role, boundary, "ReadOnlyAccess")
    (policy,) = snapshot.managed_policies
    assert policy.versions == {"v7": bound.document}


def test_a_boundary_that_is_refused_is_a_gap_of_the_role(
    stranger: Any, wire: Any, collect: Collect, trust_text: Any
) -> None:
    role = stranger("iam").create_role(
        RoleName="r",
        AssumeRolePolicyDocument=trust_text("ec2.amazonaws.com"),
        PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess",
    )["Role"]["Arn"]
    wire.refuse("iam", "GetPolicy", "AccessDenied", 403)
    (gap,) = gaps_of(collect(), "iam:GetPolicy")
    assert (gap.kind, gap.subject, gap.reason) == ("boundary", role, "denied")
    assert gap.permission == "iam:GetPolicy"


def test_no_identity_and_no_iam_is_nothing(wire: Any, collect: Collect) -> None:
    wire.refuse("sts", "GetCallerIdentity", "ExpiredToken", 403)
    wire.refuse("iam", "GetAccountAuthorizationDetails", "ExpiredToken", 403)
    with pytest.raises(NothingCollected, match="refused by the test") as raised:
        collect()
    assert "modelreach permissions aws" in raised.value.hint


def test_iam_alone_tells_the_account(stranger: Any, wire: Any, collect: Collect) -> None:
    stranger("iam").create_user(UserName="ann")
    wire.refuse("sts", "GetCallerIdentity", "AccessDenied", 403)
    snapshot = collect()
    assert [one.id for one in snapshot.scopes] == [stranger.account]
    assert gaps_of(snapshot, "sts:GetCallerIdentity")[0].reason == "denied"


def test_nobody_there_is_nothing(collect: Collect) -> None:
    start = time.monotonic()
    with pytest.raises(NothingCollected):
        collect(endpoint_url="http://127.0.0.1:9", timeout=0.5)
    assert time.monotonic() - start < 60


def test_no_credentials_is_nothing(collect: Collect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NothingCollected, match="credentials"):
        collect()


def test_same_gaps_give_the_same_bytes(stranger: Any, wire: Any, collect: Collect) -> None:
    from modelreach.snapshot import encode

    wire.refuse("kms", "ListKeys", "AccessDeniedException", 403)
    wire.refuse("sqs", "ListQueues", "InternalFailure", 500)
    assert encode(collect()) == encode(collect())
