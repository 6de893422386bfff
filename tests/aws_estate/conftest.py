"""Accounts with every kind of credential and compute, answered to the real SDK over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from credentials import server
from modelreach.plugins import CollectOptions
from modelreach.snapshot import Snapshot
from modelreach_aws import AwsConnector

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "111122223333"
OTHER = "444455556666"
REGION = "eu-west-1"
NOW = "2026-11-24T00:00:00Z"
CANARY = "hush-canary-value"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/runs"
TARGET = f"arn:aws:iam::{ACCOUNT}:role/target"
NODES = f"arn:aws:iam::{ACCOUNT}:role/nodes"
ISSUER = f"oidc.eks.{REGION}.amazonaws.com/id/AAAA"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def trust(**principal: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(name: str, document: dict[str, Any], *profiles: str) -> dict[str, Any]:
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": f"AROA{name.upper()}",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "CreateDate": "2026-06-01T00:00:00Z",
        "AssumeRolePolicyDocument": json.dumps(document),
        "InstanceProfileList": [
            {
                "Path": "/",
                "InstanceProfileName": profile,
                "InstanceProfileId": f"AIPA{profile.upper()}",
                "Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{profile}",
                "CreateDate": "2026-06-01T00:00:00Z",
                "Roles": [],
            }
            for profile in profiles
        ],
    }


def _irsa(subject: str, operator: str = "StringEquals") -> dict[str, Any]:
    document = trust(Federated=f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}")
    document["Statement"][0]["Action"] = "sts:AssumeRoleWithWebIdentity"
    if subject:
        document["Statement"][0]["Condition"] = {
            operator: {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}
        }
    return document


def _identities() -> dict[Any, Any]:
    user = {
        "Path": "/",
        "UserName": "ann",
        "UserId": "AIDAANN",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/ann",
        "CreateDate": "2026-01-01T00:00:00Z",
    }
    return {
        ("iam", "GetAccountAuthorizationDetails"): {
            "UserDetailList": [user],
            "RoleDetailList": [
                role("runs", trust(Service="lambda.amazonaws.com"), "box"),
                role("target", trust(AWS=ROLE)),
                role("nodes", trust(Service="ec2.amazonaws.com"), "node"),
                role("pods", _irsa("system:serviceaccount:ml:agent")),
                role("every-pod", _irsa("")),
                role("some-pods", _irsa("system:serviceaccount:ml:*", "StringLike")),
            ],
            "IsTruncated": False,
        },
        ("iam", "ListSigningCertificates"): {
            "Certificates": [
                {
                    "UserName": "ann",
                    "CertificateId": "CERT1",
                    "CertificateBody": CANARY,
                    "Status": "Active",
                    "UploadDate": "2024-01-01T00:00:00Z",
                }
            ],
            "IsTruncated": False,
        },
        ("iam", "ListSSHPublicKeys"): {
            "SSHPublicKeys": [
                {
                    "UserName": "ann",
                    "SSHPublicKeyId": "APKA1",
                    "Status": "Inactive",
                    "UploadDate": "2024-02-01T00:00:00Z",
                }
            ],
            "IsTruncated": False,
        },
        ("iam", "GetSAMLProvider"): {
            "SAMLMetadataDocument": f"<EntityDescriptor>{CANARY}</EntityDescriptor>",
            "Tags": [{"Key": "team", "Value": "ml"}],
        },
        ("iam", "ListSAMLProviders"): {
            "SAMLProviderList": [
                {
                    "Arn": f"arn:aws:iam::{ACCOUNT}:saml-provider/corp",
                    "ValidUntil": "2027-01-01T00:00:00Z",
                    "CreateDate": "2020-01-01T00:00:00Z",
                }
            ]
        },
    }


def _keys() -> dict[Any, Any]:
    return {
        ("apigateway", "GetApiKeys"): {
            "items": [
                {
                    "id": "key1",
                    "name": "partner",
                    "value": CANARY,
                    "enabled": True,
                    "createdDate": "2025-01-01T00:00:00Z",
                    "stageKeys": ["api1/prod"],
                }
            ]
        },
        ("appsync", "ListGraphqlApis"): {
            "graphqlApis": [
                {
                    "name": "chat",
                    "apiId": "a1",
                    "arn": arn("appsync", "apis/a1"),
                    "authenticationType": "API_KEY",
                }
            ]
        },
        ("appsync", "ListApiKeys"): {
            "apiKeys": [
                {"id": f"da2-{CANARY}", "expires": 1798761600},
                {"id": f"da2-{CANARY}-2", "expires": 1798761600},
            ]
        },
        ("rolesanywhere", "ListTrustAnchors"): {
            "trustAnchors": [
                {
                    "trustAnchorId": "t1",
                    "trustAnchorArn": arn("rolesanywhere", "trust-anchor/t1"),
                    "name": "plant",
                    "enabled": True,
                    "source": {
                        "sourceType": "CERTIFICATE_BUNDLE",
                        "sourceData": {"x509CertificateData": CANARY},
                    },
                }
            ]
        },
        ("rolesanywhere", "ListTagsForResource"): {"tags": [{"key": "team", "value": "ml"}]},
        ("rolesanywhere", "ListProfiles"): {
            "profiles": [
                {
                    "profileId": "p1",
                    "profileArn": arn("rolesanywhere", "profile/p1"),
                    "name": "machines",
                    "enabled": True,
                    "roleArns": [ROLE],
                    "sessionPolicy": json.dumps({"Version": "2012-10-17", "Statement": []}),
                    "durationSeconds": 3600,
                }
            ]
        },
        ("cognito-identity", "ListIdentityPools"): {
            "IdentityPools": [{"IdentityPoolId": "eu:1", "IdentityPoolName": "visitors"}]
        },
        ("cognito-identity", "DescribeIdentityPool"): {
            "IdentityPoolId": "eu:1",
            "IdentityPoolName": "visitors",
            "AllowUnauthenticatedIdentities": True,
        },
        ("cognito-identity", "GetIdentityPoolRoles"): {
            "IdentityPoolId": "eu:1",
            "Roles": {"unauthenticated": ROLE, "authenticated": TARGET},
        },
    }


def _compute() -> dict[Any, Any]:
    return {
        ("apprunner", "ListServices"): _two_pages,
        ("apprunner", "DescribeService"): _service,
        ("batch", "DescribeJobDefinitions"): {
            "jobDefinitions": [
                {
                    "jobDefinitionName": "train",
                    "jobDefinitionArn": arn("batch", "job-definition/train:3"),
                    "revision": 3,
                    "type": "container",
                    "containerProperties": {
                        "image": "example.org/train:1",
                        "jobRoleArn": ROLE,
                        "executionRoleArn": TARGET,
                        "command": ["--token", CANARY],
                        "environment": [{"name": "TOKEN", "value": CANARY}],
                    },
                }
            ]
        },
        ("stepfunctions", "ListStateMachines"): {
            "stateMachines": [
                {
                    "stateMachineArn": arn("states", "stateMachine:flow"),
                    "name": "flow",
                    "type": "STANDARD",
                    "creationDate": "2026-01-01T00:00:00Z",
                }
            ]
        },
        ("stepfunctions", "DescribeStateMachine"): {
            "stateMachineArn": arn("states", "stateMachine:flow"),
            "name": "flow",
            "definition": json.dumps(
                {
                    "States": {
                        "A": {"Resource": arn("lambda", "function:tool"), "Secret": CANARY},
                        "B": {"Resource": "arn:aws:states:::bedrock:invokeModel"},
                    }
                }
            ),
            "roleArn": ROLE,
            "type": "STANDARD",
            "creationDate": "2026-01-01T00:00:00Z",
        },
        ("codebuild", "ListProjects"): {"projects": ["build"]},
        ("codebuild", "BatchGetProjects"): {
            "projects": [
                {
                    "name": "build",
                    "arn": arn("codebuild", "project/build"),
                    "serviceRole": ROLE,
                    "source": {"type": "GITHUB", "buildspec": CANARY, "location": "https://x/y"},
                    "environment": {
                        "type": "LINUX_CONTAINER",
                        "image": "aws/codebuild/standard:7.0",
                        "computeType": "BUILD_GENERAL1_SMALL",
                        "environmentVariables": [{"name": "TOKEN", "value": CANARY}],
                    },
                }
            ]
        },
        ("glue", "GetJobs"): {
            "Jobs": [
                {
                    "Name": "clean",
                    "Role": "runs",
                    "Command": {"Name": "glueetl", "ScriptLocation": "s3://scripts/clean.py"},
                    "DefaultArguments": {"--password": CANARY},
                }
            ]
        },
        ("glue", "GetDevEndpoints"): {
            "DevEndpoints": [{"EndpointName": "dev", "RoleArn": ROLE, "Status": "READY"}]
        },
        ("cloudformation", "DescribeStacks"): {
            "Stacks": [
                {
                    "StackId": arn("cloudformation", "stack/app/1"),
                    "StackName": "app",
                    "StackStatus": "CREATE_COMPLETE",
                    "CreationTime": "2026-01-01T00:00:00Z",
                    "RoleARN": ROLE,
                    "Parameters": [{"ParameterKey": "Password", "ParameterValue": CANARY}],
                    "Outputs": [{"OutputKey": "Key", "OutputValue": CANARY}],
                }
            ]
        },
        ("cloudformation", "ListStackSets"): {
            "Summaries": [{"StackSetName": "base", "StackSetId": "base:1", "Status": "ACTIVE"}]
        },
        ("cloudformation", "DescribeStackSet"): {
            "StackSet": {
                "StackSetName": "base",
                "StackSetId": "base:1",
                "StackSetARN": arn("cloudformation", "stackset/base:1"),
                "Status": "ACTIVE",
                "PermissionModel": "SELF_MANAGED",
                "AdministrationRoleARN": ROLE,
                "ExecutionRoleName": "runs",
                "TemplateBody": CANARY,
                "Parameters": [{"ParameterKey": "Password", "ParameterValue": CANARY}],
            }
        },
        ("scheduler", "ListSchedules"): {
            "Schedules": [{"Name": "nightly", "GroupName": "default", "Target": {"Arn": "x"}}]
        },
        ("scheduler", "GetSchedule"): {
            "Arn": arn("scheduler", "schedule/default/nightly"),
            "Name": "nightly",
            "GroupName": "default",
            "State": "ENABLED",
            "Target": {
                "Arn": arn("lambda", "function:tool"),
                "RoleArn": ROLE,
                "Input": CANARY,
            },
        },
        ("datapipeline", "ListPipelines"): {
            "pipelineIdList": [{"id": "df-1", "name": "old"}],
            "hasMoreResults": False,
        },
        ("datapipeline", "GetPipelineDefinition"): {
            "pipelineObjects": [
                {
                    "id": "Default",
                    "name": "Default",
                    "fields": [
                        {"key": "role", "stringValue": "runs"},
                        {"key": "resourceRole", "stringValue": "box"},
                        {"key": "*password", "stringValue": CANARY},
                    ],
                }
            ],
            "parameterValues": [{"id": "myPassword", "stringValue": CANARY}],
        },
    }


def _two_pages(parameters: dict[str, Any]) -> dict[str, Any]:
    """The SDK has no paginator for this operation."""
    number = "2" if parameters.get("NextToken") else "1"
    entry = {
        "ServiceName": f"web{number}",
        "ServiceArn": arn("apprunner", f"service/web{number}/{number}"),
    }
    more = {} if number == "2" else {"NextToken": "more"}
    return {"ServiceSummaryList": [entry], **more}


def _service(parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "Service": {
            "ServiceName": parameters["ServiceArn"].split("/")[1],
            "ServiceArn": parameters["ServiceArn"],
            "Status": "RUNNING",
            "InstanceConfiguration": {"InstanceRoleArn": ROLE},
            "SourceConfiguration": {
                "ImageRepository": {
                    "ImageIdentifier": "example.org/web:1",
                    "ImageRepositoryType": "ECR",
                    "ImageConfiguration": {
                        "RuntimeEnvironmentVariables": {"TOKEN": CANARY},
                        "RuntimeEnvironmentSecrets": {"DB": arn("secretsmanager", "secret:db")},
                    },
                },
                "AuthenticationConfiguration": {"AccessRoleArn": TARGET},
            },
        }
    }


def _instances() -> dict[Any, Any]:
    cluster, definition = arn("ecs", "cluster/main"), arn("ecs", "task-definition/serve:1")
    return {
        ("autoscaling", "DescribeAutoScalingGroups"): {
            "AutoScalingGroups": [
                {
                    "AutoScalingGroupName": "fleet",
                    "AutoScalingGroupARN": arn(
                        "autoscaling", "autoScalingGroup:1:autoScalingGroupName/fleet"
                    ),
                    "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "$Latest"},
                },
                {
                    "AutoScalingGroupName": "old",
                    "AutoScalingGroupARN": arn(
                        "autoscaling", "autoScalingGroup:2:autoScalingGroupName/old"
                    ),
                    "LaunchConfigurationName": "lc",
                },
            ]
        },
        ("autoscaling", "DescribeLaunchConfigurations"): {
            "LaunchConfigurations": [
                {
                    "LaunchConfigurationName": "lc",
                    "ImageId": "ami-1",
                    "IamInstanceProfile": "node",
                    "UserData": CANARY,
                }
            ]
        },
        ("ec2", "DescribeLaunchTemplates"): {
            "LaunchTemplates": [
                {
                    "LaunchTemplateId": "lt-1",
                    "LaunchTemplateName": "boxes",
                    "DefaultVersionNumber": 1,
                    "LatestVersionNumber": 2,
                }
            ]
        },
        ("ec2", "DescribeLaunchTemplateVersions"): {
            "LaunchTemplateVersions": [
                _version(1, "box", True, 2),
                _version(2, "node", False, 1),
            ]
        },
        ("ecs", "ListClusters"): {"clusterArns": [cluster]},
        ("ecs", "ListServices"): {"serviceArns": [arn("ecs", "service/main/web")]},
        ("ecs", "DescribeServices"): {
            "services": [
                {
                    "serviceArn": arn("ecs", "service/main/web"),
                    "clusterArn": cluster,
                    "taskDefinition": definition,
                    "enableExecuteCommand": True,
                }
            ]
        },
        ("ecs", "ListTasks"): {"taskArns": [arn("ecs", "task/main/1")]},
        ("ecs", "DescribeTasks"): {
            "tasks": [
                {
                    "taskArn": arn("ecs", "task/main/1"),
                    "clusterArn": cluster,
                    "taskDefinitionArn": definition,
                    "enableExecuteCommand": False,
                }
            ]
        },
        ("ecs", "DescribeTaskDefinition"): {
            "taskDefinition": {
                "taskDefinitionArn": definition,
                "family": "serve",
                "revision": 1,
                "taskRoleArn": ROLE,
                "executionRoleArn": TARGET,
                "containerDefinitions": [],
            }
        },
    }


def _version(number: int, profile: str, default: bool, hops: int) -> dict[str, Any]:
    return {
        "LaunchTemplateId": "lt-1",
        "VersionNumber": number,
        "DefaultVersion": default,
        "LaunchTemplateData": {
            "ImageId": "ami-1",
            "UserData": CANARY,
            "IamInstanceProfile": {"Name": profile},
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": hops},
        },
    }


_ACCESS = "arn:aws:eks::aws:cluster-access-policy"


def _kubernetes() -> dict[Any, Any]:
    cluster = arn("eks", "cluster/main")
    return {
        ("eks", "ListClusters"): {"clusters": ["main"]},
        ("eks", "DescribeCluster"): {
            "cluster": {
                "name": "main",
                "arn": cluster,
                "version": "1.34",
                "roleArn": TARGET,
                "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
                "accessConfig": {"authenticationMode": "API"},
            }
        },
        ("eks", "ListPodIdentityAssociations"): {
            "associations": [{"clusterName": "main", "associationId": "a-1"}]
        },
        ("eks", "DescribePodIdentityAssociation"): {
            "association": {
                "clusterName": "main",
                "namespace": "ml",
                "serviceAccount": "agent",
                "associationId": "a-1",
                "associationArn": arn("eks", "podidentityassociation/main/a-1"),
                "roleArn": ROLE,
                "targetRoleArn": TARGET,
                "externalId": "x",
                "disableSessionTags": True,
                "policy": json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
                        ],
                    }
                ),
            }
        },
        ("eks", "ListNodegroups"): {"nodegroups": ["n1"]},
        ("eks", "DescribeNodegroup"): {
            "nodegroup": {
                "nodegroupName": "n1",
                "nodegroupArn": arn("eks", "nodegroup/main/n1/1"),
                "clusterName": "main",
                "nodeRole": NODES,
                "launchTemplate": {"id": "lt-1", "version": "2"},
            }
        },
        ("eks", "ListFargateProfiles"): {"fargateProfileNames": ["f1"]},
        ("eks", "DescribeFargateProfile"): {
            "fargateProfile": {
                "fargateProfileName": "f1",
                "fargateProfileArn": arn("eks", "fargateprofile/main/f1/1"),
                "clusterName": "main",
                "podExecutionRoleArn": TARGET,
                "selectors": [{"namespace": "batch"}],
            }
        },
        ("eks", "ListAccessEntries"): {"accessEntries": [ROLE]},
        ("eks", "DescribeAccessEntry"): {
            "accessEntry": {
                "principalArn": ROLE,
                "username": "ops",
                "kubernetesGroups": ["readers", "deployers"],
            }
        },
        ("eks", "ListAssociatedAccessPolicies"): {
            "associatedAccessPolicies": [
                {
                    "policyArn": f"{_ACCESS}/AmazonEKSClusterAdminPolicy",
                    "accessScope": {"type": "cluster"},
                }
            ]
        },
    }


class Jobs:
    """The report on a role: not ready at first, then in two pages."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}

    def start(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"JobId": str(uuid5(NAMESPACE_URL, parameters["Arn"]))}

    def report(self, parameters: dict[str, Any]) -> dict[str, Any]:
        job = parameters["JobId"]
        self.asked[job] = self.asked.get(job, 0) + 1
        begun = {"JobCreationDate": "2026-11-23T00:00:00Z"}
        if self.asked[job] == 1:
            return {"JobStatus": "IN_PROGRESS", "ServicesLastAccessed": [], **begun}
        done = {"JobStatus": "COMPLETED", "JobCompletionDate": "2026-11-23T00:00:01Z", **begun}
        if not parameters.get("Marker"):
            page = [_service_use("s3", "2026-11-01T00:00:00Z", GetObject="2026-11-01T00:00:00Z")]
            return {**done, "ServicesLastAccessed": page, "IsTruncated": True, "Marker": "m"}
        page = [_service_use("sqs", "", SendMessage=""), _service_use("kms", "")]
        return {**done, "ServicesLastAccessed": page, "IsTruncated": False}


def _service_use(name: str, last: str, **actions: str) -> dict[str, Any]:
    when = {"LastAuthenticated": last} if last else {}
    tracked = [
        {"ActionName": action, **({"LastAccessedTime": time} if time else {})}
        for action, time in actions.items()
    ]
    return {
        "ServiceName": name.upper(),
        "ServiceNamespace": name,
        "TrackedActionsLastAccessed": tracked,
        **when,
    }


def _usage() -> dict[Any, Any]:
    jobs = Jobs()
    analyzer = arn("access-analyzer", "analyzer/unused")
    return {
        ("iam", "GenerateServiceLastAccessedDetails"): jobs.start,
        ("iam", "GetServiceLastAccessedDetails"): jobs.report,
        ("accessanalyzer", "ListAnalyzers"): {
            "analyzers": [
                {
                    "arn": analyzer,
                    "name": "unused",
                    "type": "ACCOUNT_UNUSED_ACCESS",
                    "createdAt": "2026-01-01T00:00:00Z",
                    "status": "ACTIVE",
                    "configuration": {"unusedAccess": {"unusedAccessAge": 90}},
                }
            ]
        },
        ("accessanalyzer", "ListFindingsV2"): {
            "findings": [
                {
                    "id": "f1",
                    "findingType": "UnusedPermission",
                    "resource": ROLE,
                    "status": "ACTIVE",
                },
                {
                    "id": "f2",
                    "findingType": "UnusedPermission",
                    "resource": f"arn:aws:iam::{ACCOUNT}:role/of-nothing",
                    "status": "ACTIVE",
                },
            ]
        },
        ("accessanalyzer", "GetFindingV2"): {
            "id": "f1",
            "resource": ROLE,
            "analyzedAt": "2026-11-23T00:00:00Z",
            "findingDetails": [
                {
                    "unusedPermissionDetails": {
                        "serviceNamespace": "dynamodb",
                        "actions": [{"action": "DeleteTable"}],
                    }
                },
                {"unusedPermissionDetails": {"serviceNamespace": "kms"}},
            ],
        },
    }


INSTANCE = "arn:aws:sso:::instance/ssoins-1"
SET = "arn:aws:sso:::permissionSet/ssoins-1/ps-1"


def _center() -> dict[Any, Any]:
    return {
        ("sso-admin", "ListInstances"): {
            "Instances": [
                {
                    "InstanceArn": INSTANCE,
                    "IdentityStoreId": "d-1",
                    "OwnerAccountId": ACCOUNT,
                }
            ]
        },
        ("sso-admin", "ListPermissionSets"): {"PermissionSets": [SET]},
        ("sso-admin", "DescribePermissionSet"): {
            "PermissionSet": {"Name": "Admin", "PermissionSetArn": SET}
        },
        ("sso-admin", "ListAccountsForProvisionedPermissionSet"): {"AccountIds": [ACCOUNT]},
        ("sso-admin", "ListAccountAssignments"): {
            "AccountAssignments": [
                {"PrincipalType": "GROUP", "PrincipalId": "g-1"},
                {"PrincipalType": "USER", "PrincipalId": "u-1"},
            ]
        },
        ("organizations", "ListAWSServiceAccessForOrganization"): {
            "EnabledServicePrincipals": [{"ServicePrincipal": "sso.amazonaws.com"}]
        },
        ("iam", "ListOrganizationsFeatures"): {
            "OrganizationId": "o-1",
            "EnabledFeatures": ["RootCredentialsManagement", "RootSessions"],
        },
    }


def _organization() -> dict[Any, Any]:
    return {
        ("organizations", "DescribeOrganization"): {
            "Organization": {"Id": "o-1", "MasterAccountId": ACCOUNT}
        },
        ("organizations", "ListRoots"): {"Roots": [{"Id": "r-1", "Name": "Root"}]},
        ("organizations", "ListAccountsForParent"): {
            "Accounts": [{"Id": ACCOUNT, "Name": "main"}, {"Id": OTHER, "Name": "other"}]
        },
        ("organizations", "ListDelegatedAdministrators"): {
            "DelegatedAdministrators": [{"Id": OTHER}]
        },
        ("organizations", "ListDelegatedServicesForAccount"): {
            "DelegatedServices": [{"ServicePrincipal": "guardduty.amazonaws.com"}]
        },
    }


def everything() -> dict[Any, Any]:
    return {
        **_identities(),
        **_keys(),
        **_compute(),
        **_instances(),
        **_kubernetes(),
        **_usage(),
        **_organization(),
        **_center(),
    }


@pytest.fixture(scope="session", autouse=True)
def environment(calling_aws: Callable[..., Any]) -> Iterator[None]:
    """Credentials of the first account, and nothing of the machine's own configuration."""
    with calling_aws(f"AKIAREADS{ACCOUNT}", REGION):
        yield


@dataclass
class Run:
    """A collection: what came of it, what was asked, and the recording."""

    snapshot: Snapshot
    made: frozenset[tuple[str, str]]
    parameters: list[tuple[str, str, dict[str, Any]]]
    recording: Path


def run(estate: dict[str, dict[Any, Any]], folder: Path, **options: Any) -> Run:
    with server.serving(estate) as serving:
        wanted: dict[str, Any] = {
            "now": NOW,
            "endpoint_url": serving.url,
            "regions": (REGION,),
            "timeout": 30.0,
            "record": folder / "recording",
        }
        snapshot = AwsConnector(attempts=2).collect(CollectOptions(**(wanted | options)))
        made = frozenset((service, operation) for _, service, operation in serving.made)
        return Run(snapshot, made, serving.parameters, folder / "recording")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An account with one of everything."""
    return run({ACCOUNT: everything()}, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def collecting_in() -> Callable[..., Run]:
    """Collects an estate, and records in a folder."""
    return run


Collecting = Callable[..., Run]


@pytest.fixture
def collecting(tmp_path: Path) -> Collecting:
    """Collects an estate of the test's own."""
    return lambda estate, **options: run(estate, tmp_path, **options)


@pytest.fixture(scope="session")
def one_of_everything() -> Callable[[], dict[Any, Any]]:
    """Gives the answers of an account with one of everything, to be changed."""
    return everything


@pytest.fixture(scope="session")
def refused() -> Any:
    """Makes an error that the server answers with."""
    return server.Refused
