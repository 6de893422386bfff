"""What is taken out of an answer before anything sees it.

Collection never asks for a secret value, but some answers carry one beside what is needed: the
environment of a function, the command line of a container. Each such place is a row here. Names
are kept, values are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from modelreach_aws.redact_estate import ARNS_ONLY, ESTATE_TABLE, ONLY_NAMED
from modelreach_aws.redact_models import MODELS_TABLE

REDACTED: Final = "(redacted)"

#: By service and operation: paths of values. `[]` is each item of a list, `*` each value of a
#: map; what the path leads to is taken out whole.
TABLE: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("lambda", "ListFunctions"): (
        "Functions.[].Environment.Variables.*",
        "Functions.[].Environment.Error",
        "Functions.[].ImageConfigResponse",
    ),
    ("ecs", "DescribeTaskDefinition"): (
        "taskDefinition.containerDefinitions.[].environment.[].value",
        "taskDefinition.containerDefinitions.[].command",
        "taskDefinition.containerDefinitions.[].entryPoint",
        "taskDefinition.containerDefinitions.[].healthCheck",
        "taskDefinition.containerDefinitions.[].dockerLabels.*",
        "taskDefinition.containerDefinitions.[].logConfiguration.options.*",
        "taskDefinition.containerDefinitions.[].firelensConfiguration.options.*",
        "taskDefinition.containerDefinitions.[].extraHosts",
        "taskDefinition.containerDefinitions.[].credentialSpecs",
        "taskDefinition.proxyConfiguration.properties.[].value",
        "taskDefinition.volumes.[].dockerVolumeConfiguration.driverOpts.*",
    ),
    ("ecs", "DescribeTasks"): ("tasks.[].overrides",),
    ("sagemaker", "DescribeModel"): (
        "PrimaryContainer.Environment.*",
        "Containers.[].Environment.*",
    ),
    ("bedrock-agent", "GetAgent"): (
        "agent.instruction",
        "agent.promptOverrideConfiguration.promptConfigurations",
    ),
    ("bedrock-agent", "GetAgentVersion"): (
        "agentVersion.instruction",
        "agentVersion.promptOverrideConfiguration.promptConfigurations",
    ),
    ("bedrock-agent", "GetAgentActionGroup"): (
        "agentActionGroup.apiSchema.payload",
        "agentActionGroup.parentActionGroupSignatureParams.*",
    ),
    ("bedrock-agent", "ListAgentCollaborators"): (
        "agentCollaboratorSummaries.[].collaborationInstruction",
    ),
    ("bedrock-agent", "GetKnowledgeBase"): (
        "knowledgeBase.storageConfiguration.pineconeConfiguration.connectionString",
    ),
    ("bedrock-agent", "GetDataSource"): (
        "dataSource.dataSourceConfiguration.managedKnowledgeBaseConnectorConfiguration"
        ".connectorParameters",
        "dataSource.vectorIngestionConfiguration",
    ),
    ("rds", "DescribeDBInstances"): ("DBInstances.[].PendingModifiedValues.MasterUserPassword",),
    ("rds", "DescribeDBClusters"): ("DBClusters.[].PendingModifiedValues.MasterUserPassword",),
    ("redshift", "DescribeClusters"): ("Clusters.[].PendingModifiedValues.MasterUserPassword",),
    ("opensearch", "DescribeDomain"): (
        "DomainStatus.AdvancedSecurityOptions.SAMLOptions",
        "DomainStatus.AdvancedSecurityOptions.JWTOptions",
        "DomainStatus.AdvancedOptions",
    ),
    **ESTATE_TABLE,
    **MODELS_TABLE,
}
_ARN: Final = re.compile(r"arn:[\w-]+:[\w-]+:[\w-]*:\d*:[\w+=,.@/:-]+")


def redacted(service: str, operation: str, response: dict[str, Any]) -> dict[str, Any]:
    """Take out of a response what the tables name, in place, and give it back."""
    key = service, operation
    for path in TABLE.get(key, ()):
        _change(response, path.split("."), lambda _: REDACTED)
    for path in ARNS_ONLY.get(key, ()):
        _change(response, path.split("."), _arns_in)
    if key in ONLY_NAMED:
        path, name, kept = ONLY_NAMED[key]
        _change(response, path.split("."), lambda value: _named(value, name, kept))
    return response


def _arns_in(value: Any) -> list[str]:
    """Give the ARNs in a text; of what is such a list already, the list."""
    texts = value if isinstance(value, list) else [value]
    return sorted({arn for text in texts for arn in _ARN.findall(str(text))})


def _named(value: Any, name: str, kept: frozenset[str]) -> list[Any]:
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and entry.get(name) in kept]


def _change(value: Any, path: list[str], changed: Callable[[Any], Any]) -> None:
    name, rest = path[0], path[1:]
    for key in _keys(value, name):
        if rest:
            _change(value[key], rest, changed)
        else:
            value[key] = changed(value[key])


def _keys(value: Any, name: str) -> list[Any]:
    if name == "[]":
        return list(range(len(value))) if isinstance(value, list) else []
    if not isinstance(value, dict):
        return []
    return list(value) if name == "*" else [name] * (name in value)
