"""What is taken out of an answer before anything sees it.

Collection never asks for a secret value, but some answers carry one beside what is needed: the
environment of a function, the command line of a container. Each such place is a row here. Names
are kept, values are not.
"""

from __future__ import annotations

from typing import Any, Final

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
}


def redacted(service: str, operation: str, response: dict[str, Any]) -> dict[str, Any]:
    """Take out of a response what the table names, in place, and give it back."""
    for path in TABLE.get((service, operation), ()):
        _take_out(response, path.split("."))
    return response


def _take_out(value: Any, path: list[str]) -> None:
    name, rest = path[0], path[1:]
    for key in _keys(value, name):
        if not rest:
            value[key] = REDACTED
        else:
            _take_out(value[key], rest)


def _keys(value: Any, name: str) -> list[Any]:
    if name == "[]":
        return list(range(len(value))) if isinstance(value, list) else []
    if not isinstance(value, dict):
        return []
    return list(value) if name == "*" else [name] * (name in value)
