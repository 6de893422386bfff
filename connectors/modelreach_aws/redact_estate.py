"""What is taken out of the answers about credentials and other compute: see `redact`."""

from __future__ import annotations

from typing import Final

_CODE: Final = (
    "Service.SourceConfiguration.CodeRepository.CodeConfiguration.CodeConfigurationValues"
)
_IMAGE: Final = "Service.SourceConfiguration.ImageRepository.ImageConfiguration"

#: The container of a job definition, wherever its type puts it.
_CONTAINERS: Final = (
    "jobDefinitions.[].containerProperties",
    "jobDefinitions.[].nodeProperties.nodeRangeProperties.[].container",
    "jobDefinitions.[].ecsProperties.taskProperties.[].containers.[]",
    "jobDefinitions.[].nodeProperties.nodeRangeProperties.[].ecsProperties.taskProperties.[]"
    ".containers.[]",
    "jobDefinitions.[].eksProperties.podProperties.containers.[]",
    "jobDefinitions.[].eksProperties.podProperties.initContainers.[]",
)
_OF_CONTAINERS: Final = (
    "environment.[].value",
    "env.[].value",
    "command",
    "args",
    "logConfiguration.options.*",
)

ESTATE_TABLE: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("iam", "ListSigningCertificates"): ("Certificates.[].CertificateBody",),
    ("iam", "GetSAMLProvider"): ("SAMLMetadataDocument",),
    ("apigateway", "GetApiKeys"): ("items.[].value",),
    # The id of an AppSync key is what a client sends: it is the key.
    # https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#api-key-authorization
    ("appsync", "ListApiKeys"): ("apiKeys.[].id",),
    ("rolesanywhere", "ListTrustAnchors"): (
        "trustAnchors.[].source.sourceData.x509CertificateData",
    ),
    ("apprunner", "DescribeService"): (
        f"{_CODE}.RuntimeEnvironmentVariables.*",
        f"{_CODE}.BuildCommand",
        f"{_CODE}.StartCommand",
        f"{_IMAGE}.RuntimeEnvironmentVariables.*",
        f"{_IMAGE}.StartCommand",
    ),
    ("batch", "DescribeJobDefinitions"): (
        "jobDefinitions.[].parameters.*",
        *(f"{place}.{value}" for place in _CONTAINERS for value in _OF_CONTAINERS),
    ),
    ("codebuild", "BatchGetProjects"): (
        "projects.[].environment.environmentVariables.[].value",
        "projects.[].source.buildspec",
        "projects.[].source.auth",
        "projects.[].secondarySources.[].buildspec",
        "projects.[].secondarySources.[].auth",
        "projects.[].webhook",
    ),
    ("glue", "GetJobs"): (
        "Jobs.[].DefaultArguments.*",
        "Jobs.[].NonOverridableArguments.*",
        "Jobs.[].CodeGenConfigurationNodes",
    ),
    ("glue", "GetDevEndpoints"): ("DevEndpoints.[].Arguments.*",),
    ("cloudformation", "DescribeStacks"): (
        "Stacks.[].Parameters.[].ParameterValue",
        "Stacks.[].Parameters.[].ResolvedValue",
        "Stacks.[].Outputs.[].OutputValue",
    ),
    ("cloudformation", "DescribeStackSet"): (
        "StackSet.TemplateBody",
        "StackSet.Parameters.[].ParameterValue",
        "StackSet.Parameters.[].ResolvedValue",
    ),
    ("autoscaling", "DescribeLaunchConfigurations"): ("LaunchConfigurations.[].UserData",),
    ("ec2", "DescribeLaunchTemplateVersions"): (
        "LaunchTemplateVersions.[].LaunchTemplateData.UserData",
    ),
    ("scheduler", "GetSchedule"): ("Target.Input",),
    ("datapipeline", "GetPipelineDefinition"): ("parameterObjects", "parameterValues"),
    ("eks", "DescribeCluster"): (
        "cluster.certificateAuthority",
        "cluster.connectorConfig.activationCode",
    ),
}

#: Texts that may hold anything and of which only the ARNs in them are kept, as a list.
ARNS_ONLY: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("stepfunctions", "DescribeStateMachine"): ("definition",),
}

#: Lists of named values of which only those with these names are kept: path, name, names.
ONLY_NAMED: Final[dict[tuple[str, str], tuple[str, str, frozenset[str]]]] = {
    ("datapipeline", "GetPipelineDefinition"): (
        "pipelineObjects.[].fields",
        "key",
        frozenset({"role", "resourceRole", "type"}),
    ),
}
