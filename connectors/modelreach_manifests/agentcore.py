"""Amazon Bedrock AgentCore as the API answers: GetAgentRuntime, GetGateway, GetGatewayTarget.

https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_GetAgentRuntime.html
https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_GetGatewayTarget.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach.draft.files import SourceFile
from modelreach.draft.said import Rank, Said, Secret
from modelreach.draft.secrets import clean_url
from modelreach_manifests.bedrock_words import Resolve, plain, role
from modelreach_manifests.credentials import Credential
from modelreach_manifests.mcp import with_credential
from modelreach_manifests.reading import (
    Words,
    below,
    environment,
    identity,
    inside,
    joined,
    meta,
    model,
    model_variables,
    of_spec,
    rows,
    text,
    tool,
)

_PROVIDED: Final = {"OAUTH": "oauth-token", "API_KEY": "api-key"}


class AgentCore:
    """Reads runtimes, gateways and their targets."""

    what = "answer of the AgentCore API"

    def recognises(self, file: SourceFile) -> bool:
        """Is it about a runtime, a gateway, or a target of one?"""
        top = file.only
        return bool(text(top, "agentRuntimeArn") or text(top, "gatewayArn"))

    def read(self, file: SourceFile) -> Words:
        """Give what the answer says."""
        top = file.only
        if text(top, "agentRuntimeArn"):
            yield from runtime(top, "")
        elif inside(top, "targetConfiguration") is not None:
            yield from _target(top)
        else:
            yield from _gateway(top)


def runtime(found: Mapping[str, Any], at: str, resolve: Resolve = plain) -> Words:
    """Give what a runtime says of the release; also of one in a template."""
    if name := text(found, "agentRuntimeName"):
        yield meta("name", name, joined(*filter(None, (at, "agentRuntimeName"))))
    if version := text(found, "agentRuntimeVersion"):
        yield meta("version", version, joined(*filter(None, (at, "agentRuntimeVersion"))))
    place = joined(*filter(None, (at, "roleArn")))
    yield from role(found.get("roleArn"), place, resolve)
    variables = tuple(below(found, "environmentVariables"))
    yield from environment(variables, joined(*filter(None, (at, "environmentVariables"))))
    if why := model_variables(variables):
        yield model("id", "unknown", "", Rank.UNKNOWN, unknown=why)
    yield from _exposure(found, at)


def _exposure(found: Mapping[str, Any], at: str) -> Iterator[Said]:
    """Whoever calls a runtime signs as an IAM identity, or shows a token of its issuer."""
    own = inside(found, "authorizerConfiguration", "customJWTAuthorizer") is not None
    place = joined(*filter(None, (at, "authorizerConfiguration")))
    rank = Rank.IMPORTED if own else Rank.INFERRED
    yield of_spec("exposure", "authenticated", True, place if own else at, rank)


def _gateway(found: Mapping[str, Any]) -> Words:
    one = tool(text(found, "name") or "gateway")
    yield one.says("kind", "mcp", "gatewayArn")
    yield one.says("target", text(found, "gatewayArn"), "gatewayArn")
    if arn := text(found, "roleArn"):
        runs_as = identity(f"{one.id}-role")
        yield runs_as.says("cloud", "aws", "roleArn", Rank.INFERRED)
        yield runs_as.says("principal", arn, "roleArn")
        yield runs_as.says("credential", "assumed-role", "roleArn", Rank.INFERRED)
        yield one.says("runsAs", runs_as.id, "roleArn")


def _target(found: Mapping[str, Any]) -> Words:
    one = tool(text(found, "name") or "target")
    configured = below(found, "targetConfiguration", "mcp")
    at = "targetConfiguration.mcp"
    function = text(configured, "lambda", "lambdaArn")
    server = text(configured, "mcpServer", "endpoint")
    yield one.says("kind", "function" if function else "mcp" if server else "http", at)
    if function:
        yield one.says("target", function, joined(at, "lambda.lambdaArn"))
    elif server:
        address, left_out = clean_url(server, joined(at, "mcpServer.endpoint"))
        yield one.says("target", address, joined(at, "mcpServer.endpoint"))
        yield from (Secret(place) for place in left_out)
    offered = [
        text(row, "name") for _, row in rows(configured, "lambda", "toolSchema", "inlinePayload")
    ]
    if offered:
        yield one.says("tools", sorted(filter(None, offered)), joined(at, "lambda.toolSchema"))
    for place, way in rows(found, "credentialProviderConfigurations"):
        where = joined("credentialProviderConfigurations", place)
        kind = text(way, "credentialProviderType")
        if kind in _PROVIDED:
            yield from with_credential(one, Credential(kind, "saas", _PROVIDED[kind]), where)
            yield Secret(joined(where, "credentialProvider"))
