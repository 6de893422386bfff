"""Rows of the table of calls: every credential, what was used, and all other compute.

The models' own runtimes are in another module; `calls` joins them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modelreach_aws.call import Call, Where
from modelreach_aws.roles import runtime_roles, unused_findings
from modelreach_aws.select import Select, over

#: The name that a service's permissions begin with, where it is not that of its client.
_PREFIX: Final = {
    "accessanalyzer": "access-analyzer",
    "stepfunctions": "states",
}
#: Operations whose permission has another name.
#: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamaccessanalyzer.html
#: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
_ACTION: Final = {
    "ListFindingsV2": "ListFindings",
    "GetFindingV2": "GetFinding",
    "GetApiKeys": "GET",
}


def _call(service: str, operation: str, feeds: str, where: Where, **more: Any) -> Call:
    permission = f"{_PREFIX.get(service, service)}:{_ACTION.get(operation, operation)}"
    return Call(service, operation, permission, feeds, where, **more)


def _account(service: str, operation: str, feeds: str, **more: Any) -> Call:
    return _call(service, operation, feeds, Where.ACCOUNT, **more)


def _region(service: str, operation: str, feeds: str, **more: Any) -> Call:
    return _call(service, operation, feeds, Where.REGION, **more)


_EACH_USER = {"GetAccountAuthorizationDetails": over("UserDetailList", UserName="UserName")}

_CREDENTIALS = (
    _account(
        "iam",
        "GetSAMLProvider",
        "tags of SAML providers; their metadata are dropped",
        facet="tags",
        subject="{SAMLProviderArn}",
        after={"ListSAMLProviders": over("SAMLProviderList", SAMLProviderArn="Arn")},
    ),
    _account(
        "iam",
        "ListSigningCertificates",
        "signing certificates: status and age",
        kinds=("iam:signing-certificate",),
        subject="user:{UserName}",
        after=_EACH_USER,
    ),
    _account(
        "iam",
        "ListSSHPublicKeys",
        "SSH keys for CodeCommit: status and age",
        kinds=("iam:ssh-key",),
        subject="user:{UserName}",
        after=_EACH_USER,
    ),
    _region(
        "apigateway",
        "GetApiKeys",
        "API keys of API Gateway: status, age, stages; never values",
        kinds=("apigateway:api-key",),
        fixed={"includeValues": False},
        page_size=500,
    ),
    _region(
        "appsync",
        "ListGraphqlApis",
        "GraphQL APIs",
        kinds=("appsync:graphqlapi", "appsync:api-key"),
    ),
    _region(
        "appsync",
        "ListApiKeys",
        "API keys of AppSync: expiry; their ids are their values, and are dropped",
        kinds=("appsync:api-key",),
        subject="arn:{partition}:appsync:{region}:{account}:apis/{apiId}",
        after={
            "ListGraphqlApis": over("graphqlApis", apiId="apiId"),
        },
    ),
    _region(
        "rolesanywhere",
        "ListTrustAnchors",
        "certificate authorities that roles may be assumed with",
        kinds=("rolesanywhere:trust-anchor",),
    ),
    _region(
        "rolesanywhere",
        "ListProfiles",
        "the roles that a certificate opens, and their session policies",
        kinds=("rolesanywhere:profile",),
    ),
    _region(
        "rolesanywhere",
        "ListTagsForResource",
        "tags",
        facet="tags",
        subject="{resourceArn}",
        after={
            "ListTrustAnchors": over("trustAnchors", resourceArn="trustAnchorArn"),
            "ListProfiles": over("profiles", resourceArn="profileArn"),
        },
    ),
    _region(
        "cognito-identity",
        "ListIdentityPools",
        "identity pools",
        kinds=("cognito-identity:identitypool",),
        fixed={"MaxResults": 60},
    ),
    _region(
        "cognito-identity",
        "DescribeIdentityPool",
        "whether an identity pool lets in whoever comes",
        facet="details",
        subject="arn:{partition}:cognito-identity:{region}:{account}:identitypool/{IdentityPoolId}",
        after={"ListIdentityPools": over("IdentityPools", IdentityPoolId="IdentityPoolId")},
    ),
    _region(
        "cognito-identity",
        "GetIdentityPoolRoles",
        "the roles that an identity pool hands out",
        facet="details",
        subject="arn:{partition}:cognito-identity:{region}:{account}:identitypool/{IdentityPoolId}",
        after={"ListIdentityPools": over("IdentityPools", IdentityPoolId="IdentityPoolId")},
    ),
)

_USAGE = (
    _account(
        "iam",
        "GenerateServiceLastAccessedDetails",
        "what the roles of runtimes were last used for: starts the report",
        kinds=("usage",),
        subject="{Arn}",
        fixed={"Granularity": "ACTION_LEVEL"},
        lastly=runtime_roles,
    ),
    _account(
        "iam",
        "GetServiceLastAccessedDetails",
        "what the roles of runtimes were last used for, by action",
        kinds=("usage",),
        after={"GenerateServiceLastAccessedDetails": over("", JobId="JobId")},
        busy=("JobStatus", "IN_PROGRESS"),
    ),
    _region(
        "accessanalyzer",
        "ListAnalyzers",
        "whether unused access is analyzed",
        kinds=("usage",),
    ),
    _region(
        "accessanalyzer",
        "ListFindingsV2",
        "roles and keys with unused access",
        kinds=("usage",),
        subject="{analyzerArn}",
        after={
            "ListAnalyzers": over(
                "analyzers", having=("type", "ACCOUNT_UNUSED_ACCESS"), analyzerArn="arn"
            )
        },
    ),
    _region(
        "accessanalyzer",
        "GetFindingV2",
        "the unused actions of roles of runtimes",
        kinds=("usage",),
        subject="{analyzerArn}",
        lastly=unused_findings,
    ),
)

_DELEGATED = (
    _account(
        "organizations",
        "ListDelegatedAdministrators",
        "accounts that administer a service for the organization",
        kinds=("delegated-administrators",),
        after={"DescribeOrganization": over("Organization")},
    ),
    _account(
        "organizations",
        "ListDelegatedServicesForAccount",
        "the services that an account administers",
        kinds=("delegated-administrators",),
        subject="{AccountId}",
        after={"ListDelegatedAdministrators": over("DelegatedAdministrators", AccountId="Id")},
    ),
)


def _compute(service: str, operation: str, feeds: str, kind: str, **more: Any) -> Call:
    kinds = (kind, f"runtimes:{kind}")
    return _region(service, operation, feeds, kinds=kinds, **more)


def _detail(
    service: str, operation: str, feeds: str, kind: str, subject: str, after: Mapping[str, Select]
) -> Call:
    return _region(
        service, operation, feeds, kinds=(f"runtimes:{kind}",), subject=subject, after=after
    )


def _on_cluster(operation: str, feeds: str, kind: str) -> Call:
    return _detail("eks", operation, feeds, kind, _CLUSTER_ARN, {"ListClusters": _EACH_CLUSTER})


_CLUSTER_ARN: Final = "arn:{partition}:eks:{region}:{account}:cluster/{clusterName}"
_EACH_CLUSTER: Final = over("clusters", clusterName=".")

_EKS = (
    _compute("eks", "ListClusters", "Kubernetes clusters", "eks:cluster"),
    _detail(
        "eks",
        "DescribeCluster",
        "the token issuer and role of a cluster",
        "eks:cluster",
        "arn:{partition}:eks:{region}:{account}:cluster/{name}",
        {"ListClusters": over("clusters", name=".")},
    ),
    _on_cluster(
        "ListPodIdentityAssociations",
        "service accounts that roles are given to",
        "eks:pod-identity-association",
    ),
    _detail(
        "eks",
        "DescribePodIdentityAssociation",
        "the role, target role and session policy of a service account",
        "eks:pod-identity-association",
        "arn:{partition}:eks:{region}:{account}:podidentityassociation/{clusterName}/{associationId}",
        {
            "ListPodIdentityAssociations": over(
                "associations", clusterName="^clusterName", associationId="associationId"
            )
        },
    ),
    _on_cluster("ListNodegroups", "node groups", "eks:nodegroup"),
    _detail(
        "eks",
        "DescribeNodegroup",
        "the role of a node group",
        "eks:nodegroup",
        _CLUSTER_ARN,
        {"ListNodegroups": over("nodegroups", clusterName="^clusterName", nodegroupName=".")},
    ),
    _on_cluster("ListFargateProfiles", "Fargate profiles", "eks:fargate-profile"),
    _detail(
        "eks",
        "DescribeFargateProfile",
        "the role that pods are started with",
        "eks:fargate-profile",
        _CLUSTER_ARN,
        {
            "ListFargateProfiles": over(
                "fargateProfileNames", clusterName="^clusterName", fargateProfileName="."
            )
        },
    ),
    _on_cluster("ListAccessEntries", "who may enter a cluster", "eks:cluster"),
    _detail(
        "eks",
        "DescribeAccessEntry",
        "as which user, in which groups, somebody enters a cluster",
        "eks:cluster",
        _CLUSTER_ARN,
        {"ListAccessEntries": over("accessEntries", clusterName="^clusterName", principalArn=".")},
    ),
    _detail(
        "eks",
        "ListAssociatedAccessPolicies",
        "what somebody may do in a cluster",
        "eks:cluster",
        _CLUSTER_ARN,
        {"ListAccessEntries": over("accessEntries", clusterName="^clusterName", principalArn=".")},
    ),
)

_COMPUTE = (
    _compute("apprunner", "ListServices", "App Runner services", "apprunner:service"),
    _detail(
        "apprunner",
        "DescribeService",
        "the role and image of a service",
        "apprunner:service",
        "{ServiceArn}",
        {"ListServices": over("ServiceSummaryList", ServiceArn="ServiceArn")},
    ),
    _compute(
        "batch",
        "DescribeJobDefinitions",
        "job definitions: roles, names of environment variables",
        "batch:job-definition",
        fixed={"status": "ACTIVE"},
        page_size=100,
    ),
    _compute("stepfunctions", "ListStateMachines", "state machines", "states:state-machine"),
    _detail(
        "stepfunctions",
        "DescribeStateMachine",
        "the role of a state machine, and what it calls",
        "states:state-machine",
        "{stateMachineArn}",
        {"ListStateMachines": over("stateMachines", stateMachineArn="stateMachineArn")},
    ),
    _compute("codebuild", "ListProjects", "build projects", "codebuild:project"),
    _detail(
        "codebuild",
        "BatchGetProjects",
        "the roles of build projects, names of environment variables",
        "codebuild:project",
        "arn:{partition}:codebuild:{region}:{account}:project",
        {"ListProjects": over("projects", batch=("names", 100))},
    ),
    _compute("glue", "GetJobs", "Glue jobs and their roles", "glue:job"),
    _compute(
        "glue",
        "GetDevEndpoints",
        "Glue development endpoints and their roles",
        "glue:dev-endpoint",
    ),
    _compute(
        "cloudformation",
        "DescribeStacks",
        "stacks and the roles they act as",
        "cloudformation:stack",
    ),
    _compute(
        "cloudformation",
        "ListStackSets",
        "sets of stacks",
        "cloudformation:stack-set",
        fixed={"Status": "ACTIVE"},
    ),
    _detail(
        "cloudformation",
        "DescribeStackSet",
        "the roles of a set of stacks",
        "cloudformation:stack-set",
        "arn:{partition}:cloudformation:{region}:{account}:stackset/{StackSetName}",
        {"ListStackSets": over("Summaries", StackSetName="StackSetName")},
    ),
    _compute(
        "autoscaling",
        "DescribeAutoScalingGroups",
        "groups of instances and what they are launched from",
        "autoscaling:group",
        page_size=100,
    ),
    _region(
        "autoscaling",
        "DescribeLaunchConfigurations",
        "instance profiles of launch configurations",
        kinds=("runtimes:autoscaling:group",),
        page_size=100,
    ),
    _compute("ec2", "DescribeLaunchTemplates", "launch templates", "ec2:launch-template"),
    _detail(
        "ec2",
        "DescribeLaunchTemplateVersions",
        "instance profiles of launch templates",
        "ec2:launch-template",
        "arn:{partition}:ec2:{region}:{account}:launch-template/{LaunchTemplateId}",
        {"DescribeLaunchTemplates": over("LaunchTemplates", LaunchTemplateId="LaunchTemplateId")},
    ),
    _compute("scheduler", "ListSchedules", "schedules", "scheduler:schedule"),
    _detail(
        "scheduler",
        "GetSchedule",
        "the role of a schedule and what it starts",
        "scheduler:schedule",
        "arn:{partition}:scheduler:{region}:{account}:schedule/{GroupName}/{Name}",
        {"ListSchedules": over("Schedules", GroupName="GroupName", Name="Name")},
    ),
    _compute("datapipeline", "ListPipelines", "data pipelines", "datapipeline:pipeline"),
    _detail(
        "datapipeline",
        "GetPipelineDefinition",
        "the roles of a data pipeline",
        "datapipeline:pipeline",
        "arn:{partition}:datapipeline:{region}:{account}:pipeline/{pipelineId}",
        {"ListPipelines": over("pipelineIdList", pipelineId="id")},
    ),
)

ESTATE_CALLS: Final[tuple[Call, ...]] = (
    *_CREDENTIALS,
    *_DELEGATED,
    *_COMPUTE,
    *_EKS,
    *_USAGE,
)
