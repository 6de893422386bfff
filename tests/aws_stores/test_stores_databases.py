"""Databases: statements by the Data API, logins by IAM, and the databases themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import Facts

ACCOUNT, REGION = "111122223333", "eu-west-1"
AGENT = f"arn:aws:iam::{ACCOUNT}:role/agent"
Answers = dict[tuple[str, str], Any]
Grants = Callable[..., dict[str, dict[str, str]]]


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


CLUSTER, WAREHOUSE = _arn("rds", "cluster:aurora"), _arn("redshift", "cluster:wh")
USERS, OF_WAREHOUSE = _arn("rds-db", "dbuser:db-AAA"), _arn("redshift", "dbuser:wh")
WORKGROUP = _arn("redshift-serverless", "workgroup/w-1")


def _account(actions: Any, resource: Any = "*", data_api: bool = True) -> Answers:
    """Answers of an account with one database of each kind, and a role with one statement."""
    said = {"Effect": "Allow", "Action": actions, "Resource": resource}
    role = {
        "RoleName": "agent",
        "Arn": AGENT,
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "RolePolicyList": [
            {
                "PolicyName": "own",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [said]},
            }
        ],
    }
    instance = {
        "DBInstanceIdentifier": "orders",
        "DbiResourceId": "db-AAA",
        "IAMDatabaseAuthenticationEnabled": True,
    }
    cluster = {"DBClusterIdentifier": "aurora", "HttpEndpointEnabled": data_api}
    workgroup = {"workgroupArn": WORKGROUP, "workgroupName": "ad-hoc"}
    return {
        ("iam", "GetAccountAuthorizationDetails"): {"RoleDetailList": [role]},
        ("rds", "DescribeDBInstances"): {"DBInstances": [instance]},
        ("rds", "DescribeDBClusters"): {"DBClusters": [cluster]},
        ("redshift", "DescribeClusters"): {"Clusters": [{"ClusterIdentifier": "wh"}]},
        ("redshift-serverless", "ListWorkgroups"): {"workgroups": [workgroup]},
    }


def test_the_data_api_asks_a_cluster(snapshot: Any, grants: Grants) -> None:
    actions = ["rds-data:ExecuteStatement", "rds:DeleteDBCluster"]
    for resource in ("*", CLUSTER, _arn("rds", "cluster:*")):
        rows = grants(snapshot(_account(actions, resource)), AGENT)
        assert rows[CLUSTER] == dict.fromkeys(actions, "allow")
        off = grants(snapshot(_account(actions, resource, data_api=False)), AGENT)
        assert off[CLUSTER] == dict(zip(actions, ("conditional", "allow"), strict=True))


@pytest.mark.parametrize(
    ("action", "of"),
    [
        ("rds-data:ExecuteStatement", {CLUSTER}),
        ("redshift-data:ExecuteStatement", {WAREHOUSE, WORKGROUP}),
        ("redshift-data:*", {WAREHOUSE, WORKGROUP}),
        ("redshift-serverless:GetCredentials", {WORKGROUP}),
        ("redshift:GetClusterCredentials", {OF_WAREHOUSE}),
        ("rds-db:connect", {USERS}),
    ],
)
def test_what_an_action_is_about(action: str, of: set[str], snapshot: Any, grants: Grants) -> None:
    found = snapshot(_account(action))
    assert grants(found, AGENT).keys() == of
    engine = AwsEngine(Facts(found))
    patterns = engine.unlisted(engine.permissions(AGENT), ACCOUNT)
    named = {grant.kind for grant in patterns if "*" not in grant.kind}
    assert not named, "listed databases speak for the permission"


@pytest.mark.parametrize(
    ("action", "users"),
    [("rds-db:connect", USERS), ("redshift:GetClusterCredentials", OF_WAREHOUSE)],
)
def test_a_login_may_be_as_one_user(action: str, users: str, snapshot: Any) -> None:
    one = f"{users}/reader"
    (grant,) = AwsEngine(Facts(snapshot(_account(action, one)))).grants(AGENT)
    assert (grant.resource, grant.within, grant.actions) == (users, (one,), (action,))
    other = f"{users}-2/reader"
    assert AwsEngine(Facts(snapshot(_account(action, other)))).grants(AGENT) == ()
