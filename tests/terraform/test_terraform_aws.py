"""Plans of AWS that Terraform made with the real provider: applied offline they give what reading
the account gives after the same was really done.

`plans/NAME/plan.json` is what `terraform show -json` printed for `plans/NAME/main.tf`, in an
account that was as `_before` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelreach.snapshot import Snapshot, encode

Json = dict[str, Any]
Reaches = Callable[..., set[tuple[str, ...]]]
ACCOUNT = "123456789012"
CANARY = b"hush-canary-value"
_IAM = f"arn:aws:iam::{ACCOUNT}"


def _document(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(actions: Any, resource: Any = "*", **more: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def _trust(**who: Any) -> str:
    return _document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": who})


def _role(aws: Any, name: str, *, path: str = "/", boundary: str = "", **who: Any) -> None:
    more = {"PermissionsBoundary": boundary} if boundary else {}
    aws.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=_trust(**who), **more)


_IMAGE = {"ImageUri": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/x:1"}


# --- what was, and what is done -----------------------------------------------------------------


def _mixed_before(aws: Any) -> None:
    aws.s3.create_bucket(Bucket="customer-data")
    _role(aws, "agent", Service="lambda.amazonaws.com")
    _role(aws, "old", Service="ec2.amazonaws.com")
    aws.iam.create_policy(PolicyName="p", PolicyDocument=_document(_allow("s3:ListBucket")))
    aws.iam.attach_role_policy(RoleName="agent", PolicyArn=f"{_IAM}:policy/p")
    gone = _document(_allow("sqs:*"))
    aws.iam.put_role_policy(RoleName="agent", PolicyName="gone", PolicyDocument=gone)
    aws.sqs.create_queue(QueueName="q")


def _mixed_done(aws: Any) -> None:
    bot = f"{_IAM}:user/bot"
    aws.iam.create_user(UserName="bot")
    aws.iam.create_access_key(UserName="bot")
    aws.iam.update_assume_role_policy(RoleName="agent", PolicyDocument=_trust(AWS=bot))
    aws.iam.delete_role_policy(RoleName="agent", PolicyName="gone")
    aws.iam.delete_role(RoleName="old")
    _role(aws, "newer", Service="ec2.amazonaws.com")
    read = _allow(
        ["s3:ListBucket", "s3:GetObject"],
        ["arn:aws:s3:::customer-data", "arn:aws:s3:::customer-data/*"],
    )
    aws.iam.create_policy_version(
        PolicyArn=f"{_IAM}:policy/p", PolicyDocument=_document(read), SetAsDefault=True
    )
    aws.iam.attach_role_policy(RoleName="newer", PolicyArn=f"{_IAM}:policy/p")
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    send = _allow("sqs:SendMessage", queue, Principal={"AWS": bot})
    url = aws.sqs.get_queue_url(QueueName="q")["QueueUrl"]
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _document(send)})
    aws.get("lambda").create_function(
        FunctionName="f", Role=f"{_IAM}:role/agent", PackageType="Image", Code=_IMAGE
    )
    aws.get("lambda").add_permission(
        FunctionName="f", StatementId="bot", Action="lambda:InvokeFunction", Principal=bot
    )


def _modules_before(aws: Any) -> None:
    _role(aws, "byhand", Service="lambda.amazonaws.com")
    aws.iam.create_group(GroupName="people")
    aws.iam.create_user(UserName="ann")
    aws.iam.create_policy(PolicyName="shared", PolicyDocument=_document(_allow("sns:Publish")))


def _modules_done(aws: Any) -> None:
    aws.s3.create_bucket(Bucket="customer-data")
    tags = [{"Key": "classification", "Value": "confidential"}]
    aws.s3.put_bucket_tagging(Bucket="customer-data", Tagging={"TagSet": tags})
    aws.iam.add_user_to_group(GroupName="people", UserName="ann")
    read = _document(_allow("s3:GetObject", "arn:aws:s3:::customer-data/*"))
    for name in ("triage", "reply"):
        _role(aws, name, path="/agents/", Service="ec2.amazonaws.com")
        aws.iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=read)
        aws.iam.create_instance_profile(InstanceProfileName=name)
        aws.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        aws.iam.attach_role_policy(RoleName=name, PolicyArn=f"{_IAM}:policy/shared")
    bucket = "arn:aws:s3:::customer-data"
    many = _allow(["s3:ListBucket", "s3:PutObject"], [bucket, f"{bucket}/*"], Sid="List")
    for number in range(2):
        name = f"many-{number}"
        aws.iam.create_policy(PolicyName=name, PolicyDocument=_document(many))
        aws.iam.attach_group_policy(GroupName="people", PolicyArn=f"{_IAM}:policy/{name}")


def _policies_before(aws: Any) -> None:
    aws.iam.create_user(UserName="bot")
    _role(aws, "app", Service="lambda.amazonaws.com")
    aws.s3.create_bucket(Bucket="open-data")
    aws.sns.create_topic(Name="old")


def _policies_done(aws: Any) -> None:
    bot = {"AWS": f"{_IAM}:user/bot"}
    limit = _document(_allow(["s3:*", "secretsmanager:*"]))
    aws.iam.create_policy(PolicyName="limit", PolicyDocument=limit)
    _role(aws, "bounded", boundary=f"{_IAM}:policy/limit", **bot)
    every = _document(_allow(["s3:*", "sqs:*"]))
    aws.iam.put_role_policy(RoleName="bounded", PolicyName="all", PolicyDocument=every)
    aws.iam.update_assume_role_policy(RoleName="app", PolicyDocument=_trust(**bot))
    aws.s3.put_public_access_block(
        Bucket="open-data",
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "BlockPublicPolicy": False,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": False,
        },
    )
    read = _allow("s3:GetObject", "arn:aws:s3:::open-data/*", Principal=bot)
    aws.s3.put_bucket_policy(Bucket="open-data", Policy=_document(read))
    aws.secretsmanager.create_secret(Name="db", SecretString=CANARY.decode())
    get = _allow("secretsmanager:GetSecretValue", Principal={"AWS": f"{_IAM}:role/app"})
    aws.secretsmanager.put_resource_policy(SecretId="db", ResourcePolicy=_document(get))
    key = aws.kms.create_key(Description="main")["KeyMetadata"]["KeyId"]
    aws.kms.create_alias(AliasName="alias/main", TargetKeyId=key)
    aws.dynamodb.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    aws.iam.create_login_profile(UserName="bot", Password=CANARY.decode())
    aws.iam.create_access_key(UserName="bot")
    all_of = _document(_allow(["s3:*", "sqs:*", "kms:Decrypt", "dynamodb:*"]))
    aws.iam.put_user_policy(UserName="bot", PolicyName="all", PolicyDocument=all_of)
    aws.sns.delete_topic(TopicArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:old")


_SERVICES = ("ecs-tasks", "sagemaker", "ec2", "lambda")


def _runs_before(aws: Any) -> None:
    _role(aws, "task", Service=[f"{name}.amazonaws.com" for name in _SERVICES])
    aws.iam.create_instance_profile(InstanceProfileName="vm")
    aws.iam.add_role_to_instance_profile(InstanceProfileName="vm", RoleName="task")


def _runs_done(aws: Any) -> None:
    role = f"{_IAM}:role/task"
    run = _document(_allow("s3:*"))
    aws.iam.put_role_policy(RoleName="task", PolicyName="run", PolicyDocument=run)
    aws.ecs.create_cluster(clusterName="main")
    aws.get("lambda").create_function(
        FunctionName="f",
        Role=role,
        PackageType="Image",
        Code=_IMAGE,
        Environment={"Variables": {"API_KEY": CANARY.decode()}},
    )
    image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/llm:1"
    aws.sagemaker.create_model(
        ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": image}
    )
    variant = {
        "VariantName": "a",
        "ModelName": "m",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.t2.medium",
    }
    aws.sagemaker.create_endpoint_config(EndpointConfigName="m", ProductionVariants=[variant])
    aws.sagemaker.create_endpoint(EndpointName="m", EndpointConfigName="m")
    aws.ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Name": "vm"},
    )


@dataclass(frozen=True)
class Scenario:
    """A plan, what makes the account that it is for, and the same change made by hand."""

    name: str
    before: Callable[[Any], None]
    done: Callable[[Any], None]
    principals: tuple[str, ...]


SCENARIOS = (
    Scenario("mixed", _mixed_before, _mixed_done, ("role/agent", "role/newer", "user/bot")),
    Scenario(
        "modules",
        _modules_before,
        _modules_done,
        ("role/agents/triage", "role/agents/reply", "user/ann", "role/byhand"),
    ),
    Scenario(
        "policies", _policies_before, _policies_done, ("user/bot", "role/app", "role/bounded")
    ),
    Scenario("runs", _runs_before, _runs_done, ("role/task",)),
)


@dataclass(frozen=True)
class Run:
    """A scenario that was run: the account before and after, and what the plan makes of it."""

    scenario: Scenario
    base: Snapshot
    after: Snapshot


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda one: str(one.name))
def run(request: pytest.FixtureRequest, aws: Any) -> Run:
    """Make the account, read it, do the same as the plan by hand, and read it again."""
    scenario: Scenario = request.param
    aws.forget()
    scenario.before(aws)
    base = aws.collect()
    scenario.done(aws)
    return Run(scenario, base, aws.collect())


@pytest.fixture
def changed(run: Run, apply: Any, plans: Path) -> Snapshot:
    """The account as it will be by the plan, with the configuration at hand."""
    folder = plans / run.scenario.name
    made: Snapshot = apply(folder / "plan.json", run.base, source=str(folder))
    return made


def test_a_plan_reaches_what_is_reached_after_the_change(
    run: Run, changed: Snapshot, reaches: Reaches
) -> None:
    for name in run.scenario.principals:
        principal = f"{_IAM}:{name}"
        assert reaches(changed, principal) == reaches(run.after, principal), name


def test_a_plan_changes_what_is_reached(run: Run, changed: Snapshot, reaches: Reaches) -> None:
    known = {one.id for one in run.base.principals}
    principals = [f"{_IAM}:{name}" for name in run.scenario.principals]
    old = [reaches(run.base, name) for name in principals if name in known]
    assert [reaches(changed, name) for name in principals] != old


def test_it_has_the_same_things_and_nobody_else(run: Run, changed: Snapshot) -> None:
    for section in ("principals", "managed_policies"):
        mine = {one.id for one in getattr(changed, section)}
        assert mine == {one.id for one in getattr(run.after, section)}
    kinds = [sorted(one.kind for one in side.resources) for side in (changed, run.after)]
    assert kinds[0] == kinds[1]


def test_no_secret_is_in_the_snapshot(run: Run, changed: Snapshot, plans: Path) -> None:
    raw = (plans / run.scenario.name / "plan.json").read_bytes()
    assert CANARY not in encode(changed)
    if run.scenario.name in ("policies", "runs"):
        assert CANARY in raw


def test_without_the_configuration_what_is_not_known_is_unknown(
    run: Run, apply: Any, plans: Path, reaches: Reaches
) -> None:
    """Nobody reaches less than afterwards for certain: what may be there is unknown, or a gap."""
    made: Snapshot = apply(plans / run.scenario.name / "plan.json", run.base)
    subjects = {gap.subject for gap in made.gaps if gap.reason == "after-apply"}
    for name in run.scenario.principals:
        principal = f"{_IAM}:{name}"
        told = {row[:5] for row in reaches(made, principal)}
        missing = {row for row in reaches(run.after, principal) if row[:5] not in told}
        unsure = subjects & {row[1] for row in missing} | subjects & {row[2] for row in missing}
        assert not missing or unsure, (name, missing)
