"""Rows of the table of calls: what runs models and agents, on Bedrock, AgentCore and SageMaker.

Only what describes a runtime is asked for. `GetResourceApiKey`, `GetResourceOauth2Token` and
`GetWorkloadAccessToken` would give stored secrets and are never called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach_aws.call import Call, Where
from modelreach_aws.select import Parameters, Select, over

#: The name that a service's permissions begin with, where it is not that of its client.
_PREFIX: Final = {"bedrock-agent": "bedrock", "bedrock-agentcore-control": "bedrock-agentcore"}
_HERE: Final = "{region}:{account}"


def _call(service: str, operation: str, feeds: str, **more: Any) -> Call:
    permission = f"{_PREFIX.get(service, service)}:{operation}"
    return Call(service, operation, permission, feeds, Where.REGION, **more)


def _arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{_HERE}:{resource}"


def _both(*kinds: str) -> tuple[str, ...]:
    """Give the coverage kinds of what is a resource and a runtime."""
    return (*kinds, *_running(*kinds))


def _each(items: str, name: str) -> Select:
    """Select a call for each item, by the field that has the parameter's own name."""
    bind: dict[str, Any] = {name: name}
    return over(items, **bind)


def _running(*kinds: str) -> tuple[str, ...]:
    return tuple(f"runtimes:{kind}" for kind in kinds)


# --- Bedrock agents --------------------------------------------------------------------------

_AGENT = _both("bedrock:agent", "bedrock:agent-alias")
_AGENT_ARN: Final = _arn("bedrock", "agent/{agentId}")
_BASE = "bedrock:knowledge-base"
_BASE_ARN: Final = _arn("bedrock", "knowledge-base/{knowledgeBaseId}")
#: The working draft always exists; published versions only where the endpoint lists them.
_EACH_VERSION = {
    "ListAgents": over("agentSummaries", agentId="agentId", agentVersion="=DRAFT"),
    "ListAgentVersions": over(
        "agentVersionSummaries", agentId="^agentId", agentVersion="agentVersion"
    ),
}
_EACH_AGENT = {"ListAgents": over("agentSummaries", agentId="agentId")}
_EACH_BASE = {
    "ListKnowledgeBases": over("knowledgeBaseSummaries", knowledgeBaseId="knowledgeBaseId")
}


def _agent(operation: str, feeds: str, after: Mapping[str, Select], *kinds: str) -> Call:
    known = _running(*(kinds or ("bedrock:agent", "bedrock:agent-alias")))
    return _call("bedrock-agent", operation, feeds, kinds=known, subject=_AGENT_ARN, after=after)


def _base(operation: str, feeds: str, after: Mapping[str, Select]) -> Call:
    kinds = _running(_BASE)
    return _call("bedrock-agent", operation, feeds, kinds=kinds, subject=_BASE_ARN, after=after)


_AGENTS = (
    _call("bedrock-agent", "ListAgents", "agents", kinds=_AGENT),
    _agent("GetAgent", "the role and model of an agent's draft", _EACH_AGENT, "bedrock:agent"),
    _agent("ListAgentVersions", "published versions of an agent", _EACH_AGENT),
    _agent(
        "GetAgentVersion",
        "the role and model of a published version",
        {
            "ListAgentVersions": over(
                "agentVersionSummaries",
                lacking=("agentVersion", "DRAFT"),
                agentId="^agentId",
                agentVersion="agentVersion",
            )
        },
    ),
    _agent(
        "ListAgentAliases", "which version an alias leads to", _EACH_AGENT, "bedrock:agent-alias"
    ),
    _agent("ListAgentActionGroups", "action groups", _EACH_VERSION),
    _agent(
        "GetAgentActionGroup",
        "the function that an action group calls",
        {
            "ListAgentActionGroups": over(
                "actionGroupSummaries",
                agentId="^agentId",
                agentVersion="^agentVersion",
                actionGroupId="actionGroupId",
            )
        },
    ),
    _agent("ListAgentKnowledgeBases", "knowledge bases of an agent", _EACH_VERSION),
    _agent("ListAgentCollaborators", "agents that an agent calls", _EACH_VERSION),
    _call("bedrock-agent", "ListKnowledgeBases", "knowledge bases", kinds=_both(_BASE)),
    _base("GetKnowledgeBase", "the role and store of a knowledge base", _EACH_BASE),
    _base("ListDataSources", "data sources of a knowledge base", _EACH_BASE),
    _base(
        "GetDataSource",
        "where a knowledge base reads from",
        {
            "ListDataSources": over(
                "dataSourceSummaries",
                knowledgeBaseId="knowledgeBaseId",
                dataSourceId="dataSourceId",
            )
        },
    ),
)

# --- Bedrock flows ---------------------------------------------------------------------------

_FLOW_KINDS = ("bedrock:flow", "bedrock:flow-alias")
_FLOW_ARN: Final = _arn("bedrock", "flow/{flowIdentifier}")
_EACH_FLOW = {"ListFlows": over("flowSummaries", flowIdentifier="id")}


def _flow(operation: str, feeds: str, after: Mapping[str, Select]) -> Call:
    kinds = _running(*_FLOW_KINDS)
    return _call("bedrock-agent", operation, feeds, kinds=kinds, subject=_FLOW_ARN, after=after)


_FLOWS = (
    _call("bedrock-agent", "ListFlows", "flows", kinds=_both(*_FLOW_KINDS)),
    _flow("GetFlow", "the role and nodes of a flow's draft", _EACH_FLOW),
    _flow("ListFlowVersions", "published versions of a flow", _EACH_FLOW),
    _flow(
        "GetFlowVersion",
        "the role and nodes of a published version",
        {
            "ListFlowVersions": over(
                "flowVersionSummaries",
                lacking=("version", "DRAFT"),
                flowIdentifier="^flowIdentifier",
                flowVersion="version",
            )
        },
    ),
    _flow("ListFlowAliases", "which version of a flow an alias leads to", _EACH_FLOW),
    _call(
        "bedrock-agent",
        "ListTagsForResource",
        "tags",
        facet="tags",
        subject="{resourceArn}",
        after={
            "GetAgent": over("agent", resourceArn="agentArn"),
            "GetKnowledgeBase": over("knowledgeBase", resourceArn="knowledgeBaseArn"),
            "ListFlows": over("flowSummaries", resourceArn="arn"),
        },
    ),
)

# --- models, guardrails and logging of Bedrock -------------------------------------------------

_LOGGING: Final = "bedrock:model-invocation-logging"
_MODELS = (
    _call("bedrock", "ListGuardrails", "guardrails", kinds=("bedrock:guardrail",)),
    _call("bedrock", "ListCustomModels", "custom models", kinds=("bedrock:custom-model",)),
    _call(
        "bedrock",
        "GetCustomModel",
        "the training data and key of a custom model",
        facet="details",
        subject="{modelIdentifier}",
        after={"ListCustomModels": over("modelSummaries", modelIdentifier="modelArn")},
    ),
    _call("bedrock", "ListImportedModels", "imported models", kinds=("bedrock:imported-model",)),
    _call(
        "bedrock",
        "GetImportedModel",
        "where an imported model came from, and its key",
        facet="details",
        subject="{modelIdentifier}",
        after={"ListImportedModels": over("modelSummaries", modelIdentifier="modelArn")},
    ),
    _call(
        "bedrock",
        "GetResourcePolicy",
        "policies of guardrails and custom models",
        facet="resource-policy",
        subject="{resourceArn}",
        after={
            "ListGuardrails": over("guardrails", resourceArn="arn"),
            "ListCustomModels": over("modelSummaries", resourceArn="modelArn"),
        },
        absent=frozenset({"ResourceNotFoundException"}),
    ),
    _call(
        "bedrock",
        "GetModelInvocationLoggingConfiguration",
        "where prompts and answers are logged",
        kinds=(_LOGGING,),
    ),
    # A finished job runs as nobody any more.
    _call(
        "bedrock",
        "ListModelInvocationJobs",
        "running batch jobs, their roles, inputs and outputs",
        kinds=_running("bedrock:model-invocation-job"),
        fixed={"statusEquals": "InProgress"},
    ),
    _call(
        "bedrock",
        "ListMarketplaceModelEndpoints",
        "marketplace models",
        kinds=_running("bedrock:marketplace-model-endpoint"),
    ),
    _call(
        "bedrock",
        "GetMarketplaceModelEndpoint",
        "the role of a marketplace model",
        kinds=_running("bedrock:marketplace-model-endpoint"),
        subject="{endpointArn}",
        after={
            "ListMarketplaceModelEndpoints": over(
                "marketplaceModelEndpoints", endpointArn="endpointArn"
            )
        },
    ),
)

# --- AgentCore ---------------------------------------------------------------------------------

_CONTROL: Final = "bedrock-agentcore-control"
_RUNTIMES = ("bedrock-agentcore:runtime", "bedrock-agentcore:runtime-endpoint")
_HARNESSES = ("bedrock-agentcore:harness", "bedrock-agentcore:harness-endpoint")
_GATEWAY = "bedrock-agentcore:gateway"


def _core(operation: str, feeds: str, **more: Any) -> Call:
    return _call(_CONTROL, operation, feeds, **more)


def _core_of(
    resource: str, kinds: tuple[str, ...], operation: str, feeds: str, after: Mapping[str, Select]
) -> Call:
    subject = _arn("bedrock-agentcore", resource)
    return _core(operation, feeds, kinds=_running(*kinds), subject=subject, after=after)


def _runtime(operation: str, feeds: str, after: Mapping[str, Select]) -> Call:
    return _core_of("runtime/{agentRuntimeId}", _RUNTIMES, operation, feeds, after)


def _harness(operation: str, feeds: str, after: Mapping[str, Select]) -> Call:
    return _core_of("harness/{harnessId}", _HARNESSES, operation, feeds, after)


_EACH_RUNTIME = over("agentRuntimes", agentRuntimeId="agentRuntimeId")
_EACH_HARNESS = over("harnesses", harnessId="harnessId")
_EACH_GATEWAY = over("items", gatewayIdentifier="gatewayId")

_CORE_RUNTIMES = (
    _core("ListAgentRuntimes", "AgentCore runtimes", kinds=_both(*_RUNTIMES)),
    _runtime(
        "GetAgentRuntime",
        "the role and image of a runtime's versions, names of environment variables",
        {
            "ListAgentRuntimes": _EACH_RUNTIME,
            "ListAgentRuntimeVersions": over(
                "agentRuntimes",
                agentRuntimeId="agentRuntimeId",
                agentRuntimeVersion="agentRuntimeVersion",
            ),
        },
    ),
    _runtime(
        "ListAgentRuntimeVersions", "versions of a runtime", {"ListAgentRuntimes": _EACH_RUNTIME}
    ),
    _runtime(
        "ListAgentRuntimeEndpoints",
        "which version an endpoint leads to",
        {"ListAgentRuntimes": _EACH_RUNTIME},
    ),
    _core("ListHarnesses", "harnesses", kinds=_both(*_HARNESSES)),
    _harness(
        "GetHarness",
        "the role, model and tools of a harness, names of environment variables",
        {
            "ListHarnesses": _EACH_HARNESS,
            "ListHarnessVersions": over(
                "harnessVersions", harnessId="harnessId", harnessVersion="harnessVersion"
            ),
        },
    ),
    _harness("ListHarnessVersions", "versions of a harness", {"ListHarnesses": _EACH_HARNESS}),
    _harness(
        "ListHarnessEndpoints",
        "which version of a harness an endpoint leads to",
        {"ListHarnesses": _EACH_HARNESS},
    ),
)

_GATEWAYS = (
    _core("ListGateways", "gateways", kinds=_both(_GATEWAY)),
    _core_of(
        "gateway/{gatewayIdentifier}",
        (_GATEWAY,),
        "GetGateway",
        "the role and authorizer of a gateway",
        {"ListGateways": _EACH_GATEWAY},
    ),
    _core_of(
        "gateway/{gatewayIdentifier}",
        (_GATEWAY,),
        "ListGatewayTargets",
        "targets of a gateway",
        {"ListGateways": _EACH_GATEWAY},
    ),
    _core_of(
        "gateway/{gatewayIdentifier}",
        (_GATEWAY,),
        "GetGatewayTarget",
        "what a target calls, and with which stored credential",
        {
            "ListGatewayTargets": over(
                "items", gatewayIdentifier="^gatewayIdentifier", targetId="targetId"
            )
        },
    ),
)


def _tool(what: str, operation: str, kind: str, feeds: str) -> tuple[Call, Call]:
    """Give the rows of a tool that has an execution role. Those of AWS's own have none."""
    full = f"bedrock-agentcore:{kind}"
    name = f"{what}Id"
    return (
        _core(f"List{operation}s", feeds, kinds=_both(full), fixed={"type": "CUSTOM"}),
        _core_of(
            f"{kind}-custom/{{{name}}}",
            (full,),
            f"Get{operation}",
            f"the role and network of {feeds}",
            {f"List{operation}s": _each(f"{what}Summaries", name)},
        ),
    )


_TOOLS = (
    *_tool("codeInterpreter", "CodeInterpreter", "code-interpreter", "code interpreters"),
    *_tool("browser", "Browser", "browser", "browsers"),
    _core("ListMemories", "memories", kinds=_both("bedrock-agentcore:memory")),
    _core_of(
        "memory/{memoryId}",
        ("bedrock-agentcore:memory",),
        "GetMemory",
        "the role and key of a memory",
        {"ListMemories": over("memories", memoryId="id", view="=without_decryption")},
    ),
)


def _stored(operation: str, kind: str, feeds: str) -> tuple[Call, Call]:
    """Give the rows of what keeps secrets of third parties: their names and ages."""
    full = f"bedrock-agentcore:{kind}-credential-provider"
    resource = f"token-vault/default/{kind.replace('-', '')}credentialprovider/{{name}}"
    return (
        _core(f"List{operation}CredentialProviders", feeds, kinds=(full, "credentials")),
        _core(
            f"Get{operation}CredentialProvider",
            f"the secret that keeps one of the {feeds}; never its value",
            kinds=("credentials",),
            subject=_arn("bedrock-agentcore", resource),
            after={
                f"List{operation}CredentialProviders": over("credentialProviders", name="name")
            },
        ),
    )


_IDENTITY = (
    _core(
        "ListWorkloadIdentities",
        "workload identities",
        kinds=("bedrock-agentcore:workload-identity",),
    ),
    *_stored("ApiKey", "api-key", "stored third-party API keys"),
    *_stored("Oauth2", "oauth2", "stored third-party OAuth2 clients"),
    _core(
        "GetResourcePolicy",
        "policies of runtimes, endpoints and gateways",
        facet="resource-policy",
        subject="{resourceArn}",
        after={
            "ListAgentRuntimes": over("agentRuntimes", resourceArn="agentRuntimeArn"),
            "ListAgentRuntimeEndpoints": over(
                "runtimeEndpoints", resourceArn="agentRuntimeEndpointArn"
            ),
            "GetGateway": over("", resourceArn="gatewayArn"),
        },
        absent=frozenset({"ResourceNotFoundException"}),
    ),
    _core(
        "ListTagsForResource",
        "tags",
        facet="tags",
        subject="{resourceArn}",
        after={
            "ListAgentRuntimes": over("agentRuntimes", resourceArn="agentRuntimeArn"),
            "ListHarnesses": over("harnesses", resourceArn="arn"),
            "GetGateway": over("", resourceArn="gatewayArn"),
            "ListCodeInterpreters": over(
                "codeInterpreterSummaries", resourceArn="codeInterpreterArn"
            ),
            "ListBrowsers": over("browserSummaries", resourceArn="browserArn"),
            "ListMemories": over("memories", resourceArn="arn"),
            "ListApiKeyCredentialProviders": over(
                "credentialProviders", resourceArn="credentialProviderArn"
            ),
            "ListOauth2CredentialProviders": over(
                "credentialProviders", resourceArn="credentialProviderArn"
            ),
        },
    ),
)

# --- SageMaker ---------------------------------------------------------------------------------

_SERVED = ("sagemaker:endpoint", "sagemaker:inference-component")
_COMPONENT = "sagemaker:inference-component"


def _models_served(
    _parameters: Mapping[str, Any], response: Mapping[str, Any]
) -> Iterator[Parameters]:
    """Select the models of all variants, shadow variants and instance pools included."""
    names: set[str] = set()
    for section in ("ProductionVariants", "ShadowProductionVariants"):
        for variant in response.get(section) or ():
            pools = variant.get("InstancePools") or ()
            found = [variant.get("ModelName"), *(pool.get("ModelNameOverride") for pool in pools)]
            names.update(name for name in found if name)
    yield from ({"ModelName": name} for name in sorted(names))


def _sage(operation: str, feeds: str, **more: Any) -> Call:
    return _call("sagemaker", operation, feeds, **more)


def _sage_of(
    resource: str, kinds: tuple[str, ...], operation: str, feeds: str, after: Mapping[str, Select]
) -> Call:
    subject = _arn("sagemaker", resource)
    return _sage(operation, feeds, kinds=_running(*kinds), subject=subject, after=after)


_ENDPOINTS = (
    _sage("ListEndpoints", "endpoints", kinds=_both("sagemaker:endpoint"), page_size=100),
    _sage_of(
        "endpoint/{EndpointName}",
        _SERVED,
        "DescribeEndpoint",
        "the configuration of an endpoint",
        {"ListEndpoints": over("Endpoints", EndpointName="EndpointName")},
    ),
    _sage_of(
        "endpoint-config/{EndpointConfigName}",
        _SERVED,
        "DescribeEndpointConfig",
        "the models of an endpoint, and the role of its inference components",
        {"DescribeEndpoint": over("", EndpointConfigName="EndpointConfigName")},
    ),
    _sage("ListModels", "models", kinds=_both("sagemaker:model"), page_size=100),
    _sage_of(
        "model/{ModelName}",
        (*_SERVED, "sagemaker:model"),
        "DescribeModel",
        "the execution role of a model, where its data and image are",
        {
            "ListModels": over("Models", ModelName="ModelName"),
            "DescribeEndpointConfig": _models_served,
            "DescribeInferenceComponent": over("Specification", ModelName="ModelName"),
        },
    ),
    _sage(
        "ListInferenceComponents", "inference components", kinds=_both(_COMPONENT), page_size=100
    ),
    _sage_of(
        "inference-component/{InferenceComponentName}",
        (_COMPONENT,),
        "DescribeInferenceComponent",
        "the model or image of an inference component",
        {
            "ListInferenceComponents": over(
                "InferenceComponents", InferenceComponentName="InferenceComponentName"
            )
        },
    ),
)

_STUDIO = (
    _sage(
        "ListNotebookInstances",
        "notebook instances",
        kinds=_both("sagemaker:notebook-instance"),
        page_size=100,
    ),
    _sage_of(
        "notebook-instance/{NotebookInstanceName}",
        ("sagemaker:notebook-instance",),
        "DescribeNotebookInstance",
        "the role of a notebook instance, its network and root access",
        {
            "ListNotebookInstances": over(
                "NotebookInstances", NotebookInstanceName="NotebookInstanceName"
            )
        },
    ),
    _sage("ListDomains", "Studio domains", kinds=_both("sagemaker:domain")),
    _sage_of(
        "domain/{DomainId}",
        ("sagemaker:domain", "sagemaker:user-profile"),
        "DescribeDomain",
        "the roles that a domain gives to its users and spaces",
        {"ListDomains": over("Domains", DomainId="DomainId")},
    ),
    _sage("ListUserProfiles", "user profiles of Studio", kinds=_both("sagemaker:user-profile")),
    _sage_of(
        "user-profile/{DomainId}/{UserProfileName}",
        ("sagemaker:user-profile",),
        "DescribeUserProfile",
        "the role of a user profile",
        {
            "ListUserProfiles": over(
                "UserProfiles", DomainId="DomainId", UserProfileName="UserProfileName"
            )
        },
    ),
)


def _job(kind: str, word: str) -> tuple[Call, Call]:
    """Give the rows of a kind of job. Only running ones are listed: a finished one runs as nobody,
    and an account may have had a hundred thousand of them.
    """
    full = f"sagemaker:{kind}-job"
    name = f"{word}JobName"
    return (
        _sage(
            f"List{word}Jobs",
            f"running {kind} jobs",
            kinds=_running(full),
            fixed={"StatusEquals": "InProgress"},
            page_size=100,
        ),
        _sage_of(
            f"{kind}-job/{{{name}}}",
            (full,),
            f"Describe{word}Job",
            f"the role, data and image of a running {kind} job",
            {f"List{word}Jobs": _each(f"{word}JobSummaries", name)},
        ),
    )


_EACH_GROUP = over("ModelPackageGroupSummaryList", ModelPackageGroupName="ModelPackageGroupName")
_WORK = (
    _sage("ListPipelines", "pipelines", kinds=_both("sagemaker:pipeline"), page_size=100),
    _sage_of(
        "pipeline/{PipelineName}",
        ("sagemaker:pipeline",),
        "DescribePipeline",
        "the role of a pipeline",
        {"ListPipelines": over("PipelineSummaries", PipelineName="PipelineName")},
    ),
    *_job("training", "Training"),
    *_job("processing", "Processing"),
    *_job("transform", "Transform"),
    _sage(
        "ListModelPackageGroups",
        "groups of model packages",
        kinds=("sagemaker:model-package-group", "sagemaker:model-package"),
        page_size=100,
    ),
    # Only what may be deployed.
    _sage(
        "ListModelPackages",
        "approved model packages",
        kinds=("sagemaker:model-package",),
        subject=_arn("sagemaker", "model-package-group/{ModelPackageGroupName}"),
        fixed={"ModelApprovalStatus": "Approved"},
        after={"ListModelPackageGroups": _EACH_GROUP},
        page_size=100,
    ),
    _sage(
        "GetModelPackageGroupPolicy",
        "policies of groups of model packages",
        facet="resource-policy",
        subject=_arn("sagemaker", "model-package-group/{ModelPackageGroupName}"),
        after={"ListModelPackageGroups": _EACH_GROUP},
        # What it answers where there is no policy; the name is one that was just listed.
        absent=frozenset({"ValidationException", "ResourceNotFound"}),
    ),
    _sage(
        "ListTags",
        "tags",
        facet="tags",
        subject="{ResourceArn}",
        after={
            "ListEndpoints": over("Endpoints", ResourceArn="EndpointArn"),
            "ListModels": over("Models", ResourceArn="ModelArn"),
            "ListInferenceComponents": over(
                "InferenceComponents", ResourceArn="InferenceComponentArn"
            ),
            "ListNotebookInstances": over("NotebookInstances", ResourceArn="NotebookInstanceArn"),
            "ListPipelines": over("PipelineSummaries", ResourceArn="PipelineArn"),
        },
    ),
)

MODEL_CALLS: Final[tuple[Call, ...]] = (
    *_ENDPOINTS,
    *_STUDIO,
    *_WORK,
    *_AGENTS,
    *_FLOWS,
    *_MODELS,
    *_CORE_RUNTIMES,
    *_GATEWAYS,
    *_TOOLS,
    *_IDENTITY,
)
