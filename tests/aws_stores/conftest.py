"""Stores of an AWS account: answered to the real SDK over HTTP, or parsed as if they had been."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from credentials import server
from modelreach.plugins import CollectOptions
from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import Facts, Snapshot
from modelreach_aws import AwsConnector
from modelreach_aws.answers import answer
from modelreach_aws.calls import call_of, fixed_parameters
from modelreach_aws.parse import parse

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, OTHER = "111122223333", "444455556666"
REGION = "eu-west-1"
NOW = "2026-11-24T00:00:00Z"
CANARY = "hush-canary-value"

Json = dict[str, Any]
Key = tuple[str, str]


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Any, resource: Any = "*", **more: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def identities(account: str = ACCOUNT, **policies: Json) -> Json:
    """Account details: a role for each name, with one inline policy."""
    return {
        "RoleDetailList": [
            {
                "Path": "/",
                "RoleName": name,
                "RoleId": f"AROA{name.upper()}{account}",
                "Arn": role(name, account),
                "CreateDate": "2026-06-01T00:00:00Z",
                "AssumeRolePolicyDocument": json.dumps(
                    document(
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                        }
                    )
                ),
                "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": json.dumps(policy)}],
            }
            for name, policy in policies.items()
        ],
        "IsTruncated": False,
    }


def domain(name: str, **more: Any) -> Json:
    return {
        "DomainStatus": {
            "DomainId": f"{ACCOUNT}/{name}",
            "DomainName": name,
            "ARN": arn("es", f"domain/{name}"),
            "EngineVersion": "OpenSearch_2.19",
            "ClusterConfig": {},
            **more,
        }
    }


#: A list of answers by call, one for each of several parameters.
Answers = Mapping[tuple[str, str], Any]


def parsed(answers: Answers, account: str = ACCOUNT) -> Iterable[Any]:
    """Give answers as collection makes them: a response, or responses by their parameters."""
    for (service, operation), said in answers.items():
        fixed = dict(fixed_parameters(service, operation))
        call = call_of(service, operation, fixed)
        assert call is not None
        region = REGION if call.where.value == "region" else ""
        for parameters, response in said if isinstance(said, list) else [({}, said)]:
            refused = response if not isinstance(response, dict) else None
            yield answer(
                account,
                region,
                service,
                operation,
                {**fixed, **parameters},
                None if refused else response,
                refused,
            )


Snap = Callable[..., Snapshot]


@pytest.fixture(scope="session")
def snapshot() -> Snap:
    """Parses answers of one account, or of several by their numbers."""

    def made(answers: Answers, **others: Answers) -> Snapshot:
        found = list(parsed(answers))
        for account, more in others.items():
            found += parsed(more, account.removeprefix("a"))
        return parse(found, NOW)

    return made


@pytest.fixture(scope="session")
def grants() -> Callable[..., dict[str, dict[str, str]]]:
    """Gives what a principal may do: verdicts by resource and action."""

    def found(snapshot: Snapshot, principal: str) -> dict[str, dict[str, str]]:
        rows: dict[str, dict[str, str]] = {}
        for grant in AwsEngine(Facts(snapshot)).grants(principal):
            for action in grant.actions:
                rows.setdefault(grant.resource, {})[action] = str(grant.verdict)
        return rows

    return found


@pytest.fixture(scope="session", autouse=True)
def environment(calling_aws: Callable[..., Any]) -> Iterator[None]:
    """Credentials of the account, and nothing of the machine's own configuration."""
    with calling_aws(f"AKIAREADS{ACCOUNT}", REGION):
        yield


def everything() -> dict[Key, Any]:
    """What an account with one of every store answers."""
    from_anybody = allow("es:ESHttp*", f"{arn('es', 'domain/search')}/*", Principal={"AWS": "*"})
    return _others() | {
        ("iam", "GetAccountAuthorizationDetails"): identities(agent=document(allow("es:*"))),
        ("opensearch", "ListDomainNames"): {
            "DomainNames": [{"DomainName": "search", "EngineType": "OpenSearch"}]
        },
        ("opensearch", "DescribeDomain"): domain(
            "search",
            AccessPolicies=json.dumps(document(from_anybody)),
            AdvancedSecurityOptions={
                "Enabled": True,
                "SAMLOptions": {"Enabled": True, "RolesKey": CANARY},
            },
            VPCOptions={"VPCId": "vpc-1"},
            EncryptionAtRestOptions={"Enabled": True, "KmsKeyId": arn("kms", "key/k")},
        ),
        ("opensearch", "ListTags"): {"TagList": [{"Key": "data-class", "Value": "pii"}]},
        ("opensearchserverless", "ListCollections"): _collections,
        ("opensearchserverless", "ListTagsForResource"): {"tags": [{"key": "t", "value": "1"}]},
        ("opensearchserverless", "ListAccessPolicies"): {
            "accessPolicySummaries": [{"type": "data", "name": "books"}]
        },
        ("opensearchserverless", "GetAccessPolicy"): {
            "accessPolicyDetail": {
                "type": "data",
                "name": "books",
                "policy": [
                    {
                        "Rules": [
                            {
                                "ResourceType": "index",
                                "Resource": ["index/lib*/*"],
                                "Permission": ["aoss:ReadDocument"],
                            }
                        ],
                        "Principal": [role("agent")],
                    }
                ],
            }
        },
        ("opensearchserverless", "ListSecurityPolicies"): {
            "securityPolicySummaries": [{"type": "network", "name": "open"}]
        },
        ("opensearchserverless", "GetSecurityPolicy"): {
            "securityPolicyDetail": {
                "type": "network",
                "name": "open",
                "policy": [
                    {
                        "Rules": [
                            {"ResourceType": "collection", "Resource": ["collection/library"]}
                        ],
                        "AllowFromPublic": True,
                    }
                ],
            }
        },
    }


def _others() -> dict[Key, Any]:
    vectors, stream = arn("s3vectors", "bucket/books"), arn("kinesis", "stream/events")
    group = arn("logs", "log-group:/prompts")
    reading = allow("s3vectors:QueryVectors", f"{vectors}/*", Principal={"AWS": OTHER})
    return {
        ("s3vectors", "ListVectorBuckets"): {
            "vectorBuckets": [
                {
                    "vectorBucketName": "books",
                    "vectorBucketArn": vectors,
                    "creationTime": "2026-01-01T00:00:00Z",
                }
            ]
        },
        ("s3vectors", "GetVectorBucketPolicy"): {"policy": json.dumps(document(reading))},
        ("s3vectors", "ListTagsForResource"): {"tags": {"t": "1"}},
        ("kinesis", "ListStreams"): {
            "StreamNames": ["events"],
            "StreamSummaries": [{"StreamName": "events", "StreamARN": stream}],
            "HasMoreStreams": False,
        },
        ("kinesis", "GetResourcePolicy"): {
            "Policy": json.dumps(document(allow("kinesis:Get*", stream, Principal={"AWS": OTHER})))
        },
        ("logs", "DescribeLogGroups"): {
            "logGroups": [
                {
                    "logGroupName": "/prompts",
                    "arn": f"{group}:*",
                    "logGroupArn": group,
                    "kmsKeyId": arn("kms", "key/k"),
                }
            ]
        },
        ("logs", "DescribeResourcePolicies"): {
            "resourcePolicies": [
                {
                    "policyName": name,
                    "policyDocument": json.dumps(document(allow("logs:*", Principal=who))),
                }
                for name, who in (
                    ("services", {"Service": "es.amazonaws.com"}),
                    ("accounts", {"AWS": OTHER}),
                )
            ]
        },
        ("kendra", "ListIndices"): {
            "IndexConfigurationSummaryItems": [{"Name": "manuals", "Id": "k-1"}]
        },
        ("resourcegroupstaggingapi", "GetResources"): {
            "ResourceTagMappingList": [
                {"ResourceARN": one, "Tags": [_TAG]}
                for one in (stream, group, arn("kendra", "index/k-1"), _WORKGROUP)
            ]
        },
        **_databases(),
    }


_TAG = {"Key": "t", "Value": "1"}
_WORKGROUP = arn("redshift-serverless", "workgroup/w-1")


def _databases() -> dict[Key, Any]:
    secret = {"PendingModifiedValues": {"MasterUserPassword": CANARY}}
    return {
        ("rds", "DescribeDBInstances"): {
            "DBInstances": [
                {
                    "DBInstanceIdentifier": "orders",
                    "DBInstanceArn": arn("rds", "db:orders"),
                    "DbiResourceId": "db-AAA",
                    "Engine": "postgres",
                    "IAMDatabaseAuthenticationEnabled": True,
                    "TagList": [_TAG],
                    **secret,
                }
            ]
        },
        ("rds", "DescribeDBClusters"): {
            "DBClusters": [
                {
                    "DBClusterIdentifier": "aurora",
                    "DBClusterArn": arn("rds", "cluster:aurora"),
                    "DbClusterResourceId": "cluster-BBB",
                    "Engine": "aurora-postgresql",
                    "HttpEndpointEnabled": True,
                    "TagList": [_TAG],
                    **secret,
                }
            ]
        },
        ("redshift", "DescribeClusters"): {
            "Clusters": [{"ClusterIdentifier": "wh", "Tags": [_TAG], **secret}]
        },
        ("redshift-serverless", "ListWorkgroups"): {
            "workgroups": [{"workgroupArn": _WORKGROUP, "workgroupName": "ad-hoc"}]
        },
    }


def _collections(parameters: Json) -> Json:
    """Two pages: the SDK has no paginator for this operation."""
    name = "scrap" if parameters.get("nextToken") else "library"
    entry = {"id": name, "name": name, "arn": arn("aoss", f"collection/{name}")}
    more = {} if parameters.get("nextToken") else {"nextToken": "more"}
    return {"collectionSummaries": [entry], **more}


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An account with one of every store, read over HTTP; the snapshot and the recording."""
    folder = tmp_path_factory.mktemp("stores") / "recording"
    with server.serving({ACCOUNT: everything()}) as serving:
        options = CollectOptions(
            now=NOW, endpoint_url=serving.url, regions=(REGION,), timeout=30.0, record=folder
        )
        return AwsConnector(attempts=2).collect(options), folder, serving.made
