"""The one table of calls: what is asked of AWS, with which permission, and what it feeds.

The collection walks this table, `modelreach permissions aws` prints its permissions and the
reference page is checked against it, so that the three cannot drift apart. It needs no SDK.

IAM action names differ from operation names more often than one would think; the source is the
service authorization reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from modelreach_aws.call import Call as Call
from modelreach_aws.call import Where as Where
from modelreach_aws.calls_estate import ESTATE_CALLS
from modelreach_aws.calls_models import MODEL_CALLS
from modelreach_aws.calls_organization import ORGANIZATION_CALLS
from modelreach_aws.calls_stores import STORE_CALLS
from modelreach_aws.select import Select, once, over, policies_left_out

_SCP: Final = "SERVICE_CONTROL_POLICY"
_RCP: Final = "RESOURCE_CONTROL_POLICY"
_ORGANIZED: Final = ("scp", "rcp")


def _iam(operation: str, feeds: str, **more: Any) -> Call:
    return Call("iam", operation, f"iam:{operation}", feeds, Where.ACCOUNT, **more)


def _org(operation: str, feeds: str, kinds: tuple[str, ...] = _ORGANIZED, **more: Any) -> Call:
    permission = f"organizations:{operation}"
    return Call("organizations", operation, permission, feeds, Where.ACCOUNT, kinds=kinds, **more)


def _s3(operation: str, action: str, feeds: str, facet: str, *absent: str) -> Call:
    return Call(
        "s3",
        operation,
        f"s3:{action}",
        feeds,
        Where.ACCOUNT,
        facet=facet,
        subject="arn:{partition}:s3:::{Bucket}",
        after={"ListBuckets": over("Buckets", Bucket="Name")},
        absent=frozenset(absent),
    )


def _regional(service: str, operation: str, feeds: str, **more: Any) -> Call:
    return Call(service, operation, f"{service}:{operation}", feeds, Where.REGION, **more)


_SESSION = (
    Call(
        "sts",
        "GetCallerIdentity",
        "sts:GetCallerIdentity",
        "the account and partition",
        Where.SESSION,
        kinds=("principals",),
    ),
    Call(
        "sts",
        "AssumeRole",
        "sts:AssumeRole",
        "credentials of another account (`--assume-role` only)",
        Where.SESSION,
        kinds=("principals",),
    ),
    Call(
        "account",
        "ListRegions",
        "account:ListRegions",
        "the regions that are enabled",
        Where.SESSION,
        fixed={"RegionOptStatusContains": ["ENABLED", "ENABLED_BY_DEFAULT"]},
        kinds=("regions",),
    ),
    Call(
        "ec2",
        "DescribeRegions",
        "ec2:DescribeRegions",
        "the regions that are enabled, when ListRegions is refused",
        Where.SESSION,
        kinds=("regions",),
    ),
)

_EACH_USER = {"GetAccountAuthorizationDetails": over("UserDetailList", UserName="UserName")}

_IAM = (
    _iam(
        "GetAccountAuthorizationDetails",
        "users, groups, roles, policies with their versions, trust, boundaries, role last used",
        kinds=("principals",),
        fixed={"Filter": ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]},
        page_size=1000,
    ),
    _iam("ListAccountAliases", "the account's label", facet="name", subject="{account}"),
    # Turned off it answers as where there is nothing to read.
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOutboundWebIdentityFederationInfo.html
    _iam(
        "GetOutboundWebIdentityFederationInfo",
        "whether its principals get identity tokens for use elsewhere, and of which issuer",
        facet="token-issuer",
        subject="{account}",
        absent=frozenset({"FeatureDisabled", "FeatureDisabledException"}),
    ),
    _iam(
        "GetPolicy",
        "policies that the details leave out, such as AWS managed boundaries",
        facet="identity-policy",
        subject="{PolicyArn}",
        after={"GetAccountAuthorizationDetails": policies_left_out},
    ),
    _iam(
        "GetPolicyVersion",
        "the document of a policy that the details leave out",
        facet="identity-policy",
        subject="{PolicyArn}",
        after={
            "GetPolicy": over("Policy", PolicyArn="Arn", VersionId="DefaultVersionId"),
        },
    ),
    _iam("ListOpenIDConnectProviders", "OIDC providers", kinds=("principals",)),
    _iam(
        "GetOpenIDConnectProvider",
        "the URL and audiences of an OIDC provider",
        facet="details",
        subject="{OpenIDConnectProviderArn}",
        after={
            "ListOpenIDConnectProviders": over(
                "OpenIDConnectProviderList", OpenIDConnectProviderArn="Arn"
            )
        },
    ),
    _iam("ListSAMLProviders", "SAML providers", kinds=("principals",)),
    _iam(
        "ListAccessKeys",
        "access keys: status and age",
        kinds=("credentials",),
        subject="user:{UserName}",
        after=_EACH_USER,
    ),
    _iam(
        "GetAccessKeyLastUsed",
        "when an access key was last used",
        facet="last-used",
        subject="{AccessKeyId}",
        after={"ListAccessKeys": over("AccessKeyMetadata", AccessKeyId="AccessKeyId")},
    ),
    _iam(
        "GetLoginProfile",
        "console passwords and their age",
        kinds=("credentials",),
        subject="user:{UserName}",
        after=_EACH_USER,
        absent=frozenset({"NoSuchEntity"}),
    ),
    _iam(
        "GetUser",
        "when a console password was last used",
        facet="last-used",
        subject="user:{UserName}",
        after={"GetLoginProfile": over("LoginProfile", UserName="UserName")},
    ),
    _iam(
        "ListServiceSpecificCredentials",
        "API keys of Bedrock, CodeCommit, Keyspaces: status, age, expiry",
        kinds=("credentials",),
        fixed={"AllUsers": True},
    ),
)

_UNDER_PARENT = {
    "ListRoots": over("Roots", ParentId="Id"),
    "ListOrganizationalUnitsForParent": over("OrganizationalUnits", ParentId="Id"),
}
_IN_ORGANIZATION = {"DescribeOrganization": over("Organization")}


def _policies(kind: str, policy_type: str, what: str) -> Call:
    return _org(
        "ListPolicies",
        what,
        (kind,),
        fixed={"Filter": policy_type},
        after=_IN_ORGANIZATION,
    )


_ORGANIZATIONS = (
    _org(
        "DescribeOrganization",
        "the organization and its management account",
        absent=frozenset({"AWSOrganizationsNotInUseException"}),
    ),
    _org("ListRoots", "the root of the organization", after=_IN_ORGANIZATION),
    _org("ListOrganizationalUnitsForParent", "organizational units", after=_UNDER_PARENT),
    _org("ListAccountsForParent", "where accounts are placed", after=_UNDER_PARENT),
    _policies("scp", _SCP, "service control policies"),
    _policies("rcp", _RCP, "resource control policies"),
    _org(
        "DescribePolicy",
        "the text of a control policy",
        subject="{PolicyId}",
        after={"ListPolicies": over("Policies", PolicyId="Id")},
    ),
    _org(
        "ListTargetsForPolicy",
        "what a control policy is attached to",
        subject="{PolicyId}",
        after={"ListPolicies": over("Policies", PolicyId="Id")},
    ),
)

_S3 = (
    Call(
        "s3",
        "ListBuckets",
        "s3:ListAllMyBuckets",
        "buckets",
        Where.ACCOUNT,
        kinds=("s3:bucket",),
        page_size=1000,
    ),
    _s3("GetBucketLocation", "GetBucketLocation", "the region of a bucket", "region"),
    _s3(
        "GetBucketPolicy",
        "GetBucketPolicy",
        "bucket policies",
        "resource-policy",
        "NoSuchBucketPolicy",
    ),
    _s3("GetBucketTagging", "GetBucketTagging", "tags", "tags", "NoSuchTagSet"),
    _s3(
        "GetPublicAccessBlock",
        "GetBucketPublicAccessBlock",
        "whether public policies are blocked",
        "public-access",
        "NoSuchPublicAccessBlockConfiguration",
    ),
    _s3(
        "GetBucketOwnershipControls",
        "GetBucketOwnershipControls",
        "whether ACLs count",
        "ownership",
        "OwnershipControlsNotFoundError",
    ),
    _s3(
        "GetBucketEncryption",
        "GetEncryptionConfiguration",
        "the key that a bucket is encrypted with",
        "encryption",
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
)

_EACH_SECRET = {"ListSecrets": over("SecretList", SecretId="ARN")}
_SECRETS = (
    _regional(
        "secretsmanager",
        "ListSecrets",
        "secrets: names, tags, keys; never values",
        kinds=("secretsmanager:secret",),
        page_size=100,
    ),
    _regional(
        "secretsmanager",
        "GetResourcePolicy",
        "secret policies",
        facet="resource-policy",
        subject="{SecretId}",
        after=_EACH_SECRET,
    ),
)


def _key(operation: str, feeds: str, facet: str, **fixed: str) -> Call:
    return _regional(
        "kms",
        operation,
        feeds,
        facet=facet,
        subject="arn:{partition}:kms:{region}:{account}:key/{KeyId}",
        fixed=fixed,
        after={"ListKeys": over("Keys", KeyId="KeyId")},
    )


_KMS = (
    _regional("kms", "ListKeys", "keys", kinds=("kms:key",), page_size=1000),
    _regional("kms", "ListAliases", "key aliases", kinds=("kms:alias",)),
    _key("DescribeKey", "who manages a key, and its state", "details"),
    # The only policy name there is, and an endpoint may insist on it.
    _key("GetKeyPolicy", "key policies", "resource-policy", PolicyName="default"),
    _key("ListGrants", "grants, which give access beside every policy", "resource-policy"),
    _key("ListResourceTags", "tags", "tags"),
)

_PARAMETER_ARN = "arn:{partition}:ssm:{region}:{account}:parameter/{ResourceId.bare}"
_SSM = (
    _regional(
        "ssm",
        "DescribeParameters",
        "parameters: names, types, keys; never values",
        kinds=("ssm:parameter",),
        page_size=50,
    ),
    _regional(
        "ssm",
        "ListTagsForResource",
        "tags",
        facet="tags",
        subject=_PARAMETER_ARN,
        fixed={"ResourceType": "Parameter"},
        after={"DescribeParameters": over("Parameters", ResourceId="Name")},
    ),
    # Only advanced parameters can be shared:
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-shared-parameters.html
    _regional(
        "ssm",
        "GetResourcePolicies",
        "policies of shared parameters",
        facet="resource-policy",
        subject="{ResourceArn}",
        after={
            "DescribeParameters": over(
                "Parameters", having=("Tier", "Advanced"), ResourceArn="ARN"
            )
        },
    ),
)

_EACH_TABLE = {"DescribeTable": over("Table", ResourceArn="TableArn")}
_DYNAMODB = (
    _regional("dynamodb", "ListTables", "tables", kinds=("dynamodb:table",)),
    _regional(
        "dynamodb",
        "DescribeTable",
        "the ARN and key of a table",
        facet="details",
        subject="arn:{partition}:dynamodb:{region}:{account}:table/{TableName}",
        after={"ListTables": over("TableNames", TableName=".")},
    ),
    _regional(
        "dynamodb",
        "ListTagsOfResource",
        "tags",
        facet="tags",
        subject="{ResourceArn}",
        after=_EACH_TABLE,
    ),
    _regional(
        "dynamodb",
        "GetResourcePolicy",
        "table policies",
        facet="resource-policy",
        subject="{ResourceArn}",
        after=_EACH_TABLE,
        absent=frozenset({"PolicyNotFoundException"}),
    ),
)

_EACH_QUEUE = {"ListQueues": over("QueueUrls", QueueUrl=".")}
_QUEUE_ARN = "arn:{partition}:sqs:{region}:{account}:{QueueUrl.last}"
_SQS = (
    _regional("sqs", "ListQueues", "queues", kinds=("sqs:queue",), page_size=1000),
    _regional(
        "sqs",
        "GetQueueAttributes",
        "queue policies and keys",
        facet="resource-policy",
        subject=_QUEUE_ARN,
        fixed={
            "AttributeNames": ["QueueArn", "Policy", "KmsMasterKeyId", "CreatedTimestamp"],
        },
        after=_EACH_QUEUE,
    ),
    _regional("sqs", "ListQueueTags", "tags", facet="tags", subject=_QUEUE_ARN, after=_EACH_QUEUE),
)

_SNS = (
    _regional("sns", "ListTopics", "topics", kinds=("sns:topic",)),
    _regional(
        "sns",
        "GetTopicAttributes",
        "topic policies and keys",
        facet="resource-policy",
        subject="{TopicArn}",
        after={"ListTopics": over("Topics", TopicArn="TopicArn")},
    ),
    _regional(
        "sns",
        "ListTagsForResource",
        "tags",
        facet="tags",
        subject="{ResourceArn}",
        after={"ListTopics": over("Topics", ResourceArn="TopicArn")},
    ),
)

_EACH_FUNCTION = {"ListFunctions": over("Functions", FunctionName="FunctionArn")}
_LAMBDA = (
    _regional(
        "lambda",
        "ListFunctions",
        "functions: execution roles, names of environment variables",
        kinds=("lambda:function", "runtimes:lambda:function"),
    ),
    _regional(
        "lambda",
        "GetPolicy",
        "function policies",
        facet="resource-policy",
        subject="{FunctionName}",
        after=_EACH_FUNCTION,
        absent=frozenset({"ResourceNotFoundException"}),
    ),
    _regional(
        "lambda",
        "ListTags",
        "tags",
        facet="tags",
        subject="{Resource}",
        after={"ListFunctions": over("Functions", Resource="FunctionArn")},
    ),
    _regional(
        "lambda",
        "ListFunctionUrlConfigs",
        "function URLs and whether they ask for authentication",
        facet="url",
        subject="{FunctionName}",
        after=_EACH_FUNCTION,
    ),
)

_ECR = (
    _regional("ecr", "DescribeRepositories", "repositories", kinds=("ecr:repository",)),
    _regional(
        "ecr",
        "GetRepositoryPolicy",
        "repository policies",
        facet="resource-policy",
        subject="arn:{partition}:ecr:{region}:{account}:repository/{repositoryName}",
        after={"DescribeRepositories": over("repositories", repositoryName="repositoryName")},
        absent=frozenset({"RepositoryPolicyNotFoundException"}),
    ),
    _regional(
        "ecr",
        "GetRegistryPolicy",
        "what a registry's policy says of its repositories",
        facet="resource-policy",
        subject="arn:{partition}:ecr:{region}:{account}:repository/*",
        after={"DescribeRepositories": once("repositories")},
        absent=frozenset({"RegistryPolicyNotFoundException"}),
    ),
    _regional(
        "ecr",
        "GetAccountSetting",
        "of which actions a registry's policy speaks",
        facet="resource-policy",
        subject="arn:{partition}:ecr:{region}:{account}:repository/*",
        fixed={"name": "REGISTRY_POLICY_SCOPE"},
        after={"GetRegistryPolicy": once("policyText")},
    ),
    _regional(
        "ecr",
        "ListTagsForResource",
        "tags",
        facet="tags",
        subject="{resourceArn}",
        after={"DescribeRepositories": over("repositories", resourceArn="repositoryArn")},
    ),
)

_TASKS = ("runtimes:ecs:task-definition",)
_EACH_CLUSTER = {"ListClusters": over("clusterArns", cluster=".")}
_ECS = (
    _regional("ecs", "ListClusters", "clusters", kinds=("ecs:cluster", *_TASKS)),
    _regional(
        "ecs",
        "ListServices",
        "services",
        kinds=_TASKS,
        subject="{cluster}",
        after=_EACH_CLUSTER,
    ),
    _regional(
        "ecs",
        "DescribeServices",
        "the task definition of a service",
        kinds=_TASKS,
        subject="{cluster}",
        # The limit is ten services a call.
        after={
            "ListServices": over("serviceArns", batch=("services", 10), cluster="^cluster"),
        },
    ),
    _regional(
        "ecs",
        "ListTasks",
        "running tasks",
        kinds=_TASKS,
        subject="{cluster}",
        after=_EACH_CLUSTER,
    ),
    _regional(
        "ecs",
        "DescribeTasks",
        "the task definition of a running task",
        kinds=_TASKS,
        subject="{cluster}",
        after={"ListTasks": over("taskArns", batch=("tasks", 100), cluster="^cluster")},
    ),
    _regional(
        "ecs",
        "DescribeTaskDefinition",
        "task and execution roles, names of environment variables",
        kinds=_TASKS,
        subject="{taskDefinition}",
        fixed={"include": ["TAGS"]},
        after={
            "DescribeServices": over("services", taskDefinition="taskDefinition"),
            "DescribeTasks": over("tasks", taskDefinition="taskDefinitionArn"),
        },
    ),
)

_EC2 = (
    _regional(
        "ec2",
        "DescribeInstances",
        "instances and their instance profiles",
        kinds=("ec2:instance", "runtimes:ec2:instance"),
        page_size=1000,
    ),
)

CALLS: Final[tuple[Call, ...]] = (
    *_SESSION,
    *_IAM,
    *_ORGANIZATIONS,
    *_S3,
    *_SECRETS,
    *_KMS,
    *_SSM,
    *_DYNAMODB,
    *_SQS,
    *_SNS,
    *_LAMBDA,
    *_ECR,
    *_ECS,
    *_EC2,
    *STORE_CALLS,
    *MODEL_CALLS,
    *ESTATE_CALLS,
    *ORGANIZATION_CALLS,
)


def _by_operation() -> dict[tuple[str, str], tuple[Call, ...]]:
    found: dict[tuple[str, str], tuple[Call, ...]] = {}
    for call in CALLS:
        key = call.service, call.operation
        found[key] = (*found.get(key, ()), call)
    return found


_BY_OPERATION: Final = _by_operation()


def call_of(service: str, operation: str, parameters: Mapping[str, Any]) -> Call | None:
    """Give the row that a call was made from, None for one that this table does not have."""
    for call in _BY_OPERATION.get((service, operation), ()):
        if all(parameters.get(name) == value for name, value in call.fixed.items()):
            return call
    return None


def fixed_parameters(service: str, operation: str) -> Mapping[str, Any]:
    """Give the parameters that every call of an operation has."""
    found = _BY_OPERATION.get((service, operation), ())
    return found[0].fixed if found else {}


def further(service: str, operation: str) -> Iterable[tuple[Call, Select]]:
    """Give the calls that an answer of this operation leads to."""
    for call in CALLS:
        if call.service == service and operation in call.after:
            yield call, call.after[operation]
