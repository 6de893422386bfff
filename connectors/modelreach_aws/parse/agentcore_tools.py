"""What agents on AgentCore work with: gateways and their targets, tools with a role, memories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.agentcore import SERVICE, attach_policy, tags
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.runtimes import identities, links
from modelreach_aws.parse.things import bucket, object_in, thing
from modelreach_aws.select import at

_PROVIDERS: Final = ("oauthCredentialProvider", "apiKeyCredentialProvider")


def parse_agentcore_tools(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what AgentCore answered into gateways, code interpreters, browsers and memories."""
    for one, response in answers.of(SERVICE, "ListGateways"):
        for entry in response.get("items", ()):
            _gateway(one, entry, answers, places, facts)
    for one, response in answers.of(SERVICE, "ListCodeInterpreters"):
        for entry in response.get("codeInterpreterSummaries", ()):
            arn, name = entry["codeInterpreterArn"], entry["codeInterpreterId"]
            about = answers.response(one, "GetCodeInterpreter", {"codeInterpreterId": name})
            common = _common(one, "code-interpreter", arn, entry, answers)
            _tool(common, about, links(*_mounted(about)), facts)
    for one, response in answers.of(SERVICE, "ListBrowsers"):
        for entry in response.get("browserSummaries", ()):
            arn, name = entry["browserArn"], entry["browserId"]
            about = answers.response(one, "GetBrowser", {"browserId": name})
            place = at(about, "recording.s3Location") or {}
            recording = object_in(places, one, place.get("bucket"), place.get("prefix"))
            common = _common(one, "browser", arn, entry, answers)
            _tool(common, about, links(("writes", recording), *_mounted(about)), facts)
    for one, response in answers.of(SERVICE, "ListMemories"):
        for entry in response.get("memories", ()):
            _memory(one, entry, answers, places, facts)


def _common(
    one: Answer, kind: str, arn: str, entry: dict[str, Any], answers: Answers
) -> dict[str, Any]:
    found = tags(answers, one, arn)
    return thing(one, f"bedrock-agentcore:{kind}", arn, entry.get("name"), found)


# --- gateways --------------------------------------------------------------------------------


def _gateway(
    one: Answer, entry: dict[str, Any], answers: Answers, places: Places, facts: Facts
) -> None:
    """Add a gateway. It calls its targets as its own role:
    https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-prerequisites-permissions.html
    """
    asked = {"gatewayIdentifier": entry["gatewayId"]}
    about = answers.response(one, "GetGateway", asked)
    default = places.arn(one, "bedrock-agentcore", f"gateway/{entry['gatewayId']}")
    arn = about.get("gatewayArn") or default
    common = _common(one, "gateway", arn, entry, answers)
    targets = list(_targets(one, asked, answers))
    facts.resources.append(
        Resource(
            **common,
            created=moment(entry.get("createdAt")),
            attributes=attributes(
                kms_key=about.get("kmsKeyArn"), authorizer=entry.get("authorizerType")
            ),
        )
    )
    attach_policy(answers, one, arn, facts)
    facts.runtimes.append(
        Runtime(
            **common,
            identities=identities(about.get("roleArn")),
            links=links(
                *_own_links(about),
                *(pair for target in targets for pair in _target_links(one, places, target)),
            ),
            attributes=attributes(
                status=entry.get("status"),
                authorizer=entry.get("authorizerType"),
                protocol=entry.get("protocolType"),
                policy_engine=at(about, "policyEngineConfiguration.arn"),
                policy_mode=at(about, "policyEngineConfiguration.mode"),
                targets=[str(target.get("name", "")) for target in targets],
                credentials=[
                    str(way.get("credentialProviderType", ""))
                    for target in targets
                    for way in target.get("credentialProviderConfigurations") or ()
                ],
            ),
        )
    )


def _targets(one: Answer, asked: dict[str, str], answers: Answers) -> Iterator[dict[str, Any]]:
    for summary in answers.response(one, "ListGatewayTargets", asked).get("items", ()):
        which = {**asked, "targetId": summary["targetId"]}
        yield {**summary, **answers.response(one, "GetGatewayTarget", which)}


def _own_links(about: dict[str, Any]) -> Iterator[tuple[str, object]]:
    yield "uses", at(about, "workloadIdentityDetails.workloadIdentityArn")
    yield "invokes", at(about, "customTransformConfiguration.lambda.arn")
    for entry in about.get("interceptorConfigurations") or ():
        yield "invokes", at(entry, "interceptor.lambda.arn")


def _target_links(
    one: Answer, places: Places, target: dict[str, Any]
) -> Iterator[tuple[str, object]]:
    """Give what a target calls, what describes it, and the stored credentials it calls with."""
    mcp = at(target, "targetConfiguration.mcp") or {}
    yield "invokes", at(mcp, "lambda.lambdaArn")
    yield "invokes", at(mcp, "mcpServer.endpoint")
    api = at(mcp, "apiGateway.restApiId")
    if api:
        partition = places.partition(one.account)
        yield "invokes", f"arn:{partition}:apigateway:{one.region}::/restapis/{api}"
    for path in (
        "openApiSchema.s3.uri",
        "smithyModel.s3.uri",
        "lambda.toolSchema.s3.uri",
        "mcpServer.mcpToolSchema.s3.uri",
    ):
        yield "pulls", at(mcp, path)
    http = at(target, "targetConfiguration.http") or {}
    yield "invokes", at(http, "agentcoreRuntime.arn")
    yield "invokes", at(http, "passthrough.endpoint")
    yield "invokes", at(target, "targetConfiguration.inference.provider.endpoint")
    for way in target.get("credentialProviderConfigurations") or ():
        for name in _PROVIDERS:
            yield "uses", at(way, f"credentialProvider.{name}.providerArn")


# --- tools and memories ------------------------------------------------------------------------


def _tool(
    common: dict[str, Any], about: dict[str, Any], found: tuple[Any, ...], facts: Facts
) -> None:
    """Add a code interpreter or a browser: whoever opens a session in it works as its role."""
    facts.resources.append(Resource(**common, created=moment(about.get("createdAt"))))
    facts.runtimes.append(
        Runtime(
            **common,
            identities=identities(about.get("executionRoleArn")),
            links=found,
            attributes=attributes(
                status=about.get("status"),
                network=at(about, "networkConfiguration.networkMode"),
            ),
        )
    )


def _mounted(about: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for entry in about.get("filesystemConfigurations") or ():
        for name in ("s3FilesConfiguration", "efsConfiguration"):
            yield "reads", at(entry, f"{name}.accessPointArn")
    for entry in about.get("certificates") or ():
        yield "reads", at(entry, "location.secretsManager.secretArn")


def _memory(
    one: Answer, entry: dict[str, Any], answers: Answers, places: Places, facts: Facts
) -> None:
    name = entry.get("id", "")
    asked = {"memoryId": name, "view": "without_decryption"}
    about = answers.response(one, "GetMemory", asked).get("memory", {})
    default = places.arn(one, "bedrock-agentcore", f"memory/{name}")
    arn = entry.get("arn") or about.get("arn") or default
    found = tags(answers, one, arn)
    common = thing(one, "bedrock-agentcore:memory", arn, about.get("name") or name, found)
    facts.resources.append(
        Resource(
            **common,
            created=moment(entry.get("createdAt")),
            attributes=attributes(kms_key=about.get("encryptionKeyArn")),
        )
    )
    facts.runtimes.append(
        Runtime(
            **common,
            identities=identities(about.get("memoryExecutionRoleArn")),
            links=links(*_delivered(one, places, about)),
            attributes=attributes(
                status=entry.get("status"),
                strategies=[str(way.get("type", "")) for way in about.get("strategies") or ()],
            ),
        )
    )


def _delivered(one: Answer, places: Places, about: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Give where a memory sends what it remembers."""
    for way in about.get("strategies") or ():
        path = "configuration.selfManagedConfiguration.invocationConfiguration"
        call = at(way, path) or {}
        yield "writes", call.get("topicArn")
        yield "writes", bucket(places, one, call.get("payloadDeliveryBucketName"))
    for stream in at(about, "streamDeliveryResources.resources") or ():
        yield "writes", at(stream, "kinesis.dataStreamArn")
