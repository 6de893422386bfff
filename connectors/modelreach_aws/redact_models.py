"""What is taken out of the answers about models and agents: see `redact`.

Prompts and instructions go too: they are long, they may hold secrets, and no reach depends on
their text.
"""

from __future__ import annotations

from typing import Final

_NODE: Final = "definition.nodes.[].configuration"
#: A loop's own nodes; AWS lets no loop stand in a loop.
_INNER: Final = f"{_NODE}.loop.definition.nodes.[].configuration"
_OF_NODES: Final = (
    "inlineCode.code",
    "prompt.sourceConfiguration.inline.templateConfiguration",
    "prompt.sourceConfiguration.inline.additionalModelRequestFields",
    "knowledgeBase.promptTemplate",
    "knowledgeBase.orchestrationConfiguration",
    "condition.conditions",
    "loopController.continueCondition",
)
_FLOW: Final = tuple(f"{node}.{path}" for node in (_NODE, _INNER) for path in _OF_NODES)

_TARGET: Final = "targetConfiguration"
_HARNESS_MODELS: Final = ("bedrock", "openAi", "gemini", "liteLlm")

MODELS_TABLE: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("bedrock-agent", "GetFlow"): _FLOW,
    ("bedrock-agent", "GetFlowVersion"): _FLOW,
    ("bedrock", "GetCustomModel"): (
        "hyperParameters.*",
        "trainingDataConfig.invocationLogsConfig.requestMetadataFilters",
    ),
    ("bedrock-agentcore-control", "GetAgentRuntime"): (
        "environmentVariables.*",
        "hooksConfiguration",
    ),
    ("bedrock-agentcore-control", "GetHarness"): (
        "harness.environmentVariables.*",
        "harness.systemPrompt",
        "harness.tools.[].config.remoteMcp.headers.*",
        "harness.tools.[].config.inlineFunction",
        "harness.truncation",
        *(f"harness.model.{name}ModelConfig.additionalParams" for name in _HARNESS_MODELS),
    ),
    ("bedrock-agentcore-control", "GetGateway"): ("protocolConfiguration.mcp.instructions",),
    ("bedrock-agentcore-control", "GetGatewayTarget"): (
        f"{_TARGET}.mcp.openApiSchema.inlinePayload",
        f"{_TARGET}.mcp.smithyModel.inlinePayload",
        f"{_TARGET}.mcp.lambda.toolSchema.inlinePayload",
        f"{_TARGET}.mcp.mcpServer.mcpToolSchema.inlinePayload",
        f"{_TARGET}.mcp.apiGateway.apiGatewayToolConfiguration",
        f"{_TARGET}.mcp.connector.configurations",
        f"{_TARGET}.http.agentcoreRuntime.schema",
        f"{_TARGET}.http.passthrough.schema",
        f"{_TARGET}.http.passthrough.staticQueryParameters.*",
        f"{_TARGET}.http.connector.parameters.*",
        "credentialProviderConfigurations.[].credentialProvider.oauthCredentialProvider"
        ".customParameters.*",
        "authorizationData",
    ),
    ("bedrock-agentcore-control", "ListGatewayTargets"): ("items.[].authorizationData",),
    ("bedrock-agentcore-control", "GetMemory"): (
        "memory.strategies.[].configuration.extraction",
        "memory.strategies.[].configuration.consolidation",
        "memory.strategies.[].configuration.reflection",
        "memory.strategies.[].memoryRecordSchema",
    ),
    ("bedrock-agentcore-control", "GetOauth2CredentialProvider"): (
        "oauth2ProviderConfigOutput.customOauth2ProviderConfig.privateKeyJwtConfig"
        ".additionalHeaderClaims.*",
        "oauth2ProviderConfigOutput.customOauth2ProviderConfig.privateKeyJwtConfig"
        ".additionalPayloadClaims.*",
    ),
    ("sagemaker", "DescribeModel"): (
        "PrimaryContainer.Environment.*",
        "Containers.[].Environment.*",
        "DeploymentRecommendation",
    ),
    ("sagemaker", "DescribeInferenceComponent"): (
        "Specification.Container.Environment.*",
        "Specifications.[].Container.Environment.*",
    ),
    ("sagemaker", "DescribePipeline"): ("PipelineDefinition",),
    ("sagemaker", "DescribeTrainingJob"): (
        "Environment.*",
        "HyperParameters.*",
        "AlgorithmSpecification.ContainerArguments",
        "AlgorithmSpecification.ContainerEntrypoint",
        "DebugRuleConfigurations.[].RuleParameters.*",
        "ProfilerRuleConfigurations.[].RuleParameters.*",
        "DebugHookConfig.HookParameters.*",
        "ProfilerConfig.ProfilingParameters.*",
    ),
    ("sagemaker", "DescribeProcessingJob"): (
        "Environment.*",
        "AppSpecification.ContainerArguments",
        "AppSpecification.ContainerEntrypoint",
    ),
    ("sagemaker", "DescribeTransformJob"): ("Environment.*",),
}
