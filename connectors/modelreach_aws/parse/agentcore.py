"""AgentCore runtimes and harnesses: each version has its role, an endpoint says which one answers.

A runtime is its latest version, for that is where its default endpoint leads; a version has the
runtime's ARN with `:N`, which is ours.
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agent-runtime-versioning.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Link, Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.parse.runtimes import identities, links
from modelreach_aws.parse.things import policy, thing
from modelreach_aws.select import at

SERVICE: Final = "bedrock-agentcore-control"


def parse_agentcore(answers: Answers, facts: Facts) -> None:
    """Turn what AgentCore answered into runtimes and harnesses, their versions and endpoints."""
    for one, response in answers.of(SERVICE, "ListAgentRuntimes"):
        for entry in response.get("agentRuntimes", ()):
            _runtime(one, entry, answers, facts)
    for one, response in answers.of(SERVICE, "ListHarnesses"):
        for entry in response.get("harnesses", ()):
            _harness(one, entry, answers, facts)


def tags(answers: Answers, one: Answer, arn: str) -> object:
    """Give the tags of something of AgentCore."""
    return answers.response(one, "ListTagsForResource", {"resourceArn": arn}).get("tags")


def authorizer(about: dict[str, Any]) -> str:
    """Say how callers are let in: by a token of an identity provider, or by IAM."""
    return "CUSTOM_JWT" if at(about, "authorizerConfiguration.customJWTAuthorizer") else "AWS_IAM"


def attach_policy(answers: Answers, one: Answer, arn: str, facts: Facts) -> None:
    """Attach the resource policy of a runtime, endpoint or gateway, if it has one."""
    found = answers.response(one, "GetResourcePolicy", {"resourceArn": arn})
    policy(facts, one, arn, found.get("policy"))


# --- runtimes --------------------------------------------------------------------------------


def _runtime(one: Answer, entry: dict[str, Any], answers: Answers, facts: Facts) -> None:
    arn, asked = entry["agentRuntimeArn"], {"agentRuntimeId": entry["agentRuntimeId"]}
    name = entry.get("agentRuntimeName")
    latest = answers.response(one, "GetAgentRuntime", asked)
    common = thing(one, "bedrock-agentcore:runtime", arn, name, tags(answers, one, arn))
    facts.resources.append(Resource(**common, created=moment(latest.get("createdAt"))))
    attach_policy(answers, one, arn, facts)
    facts.runtimes.append(
        _ran(common, latest, str(latest.get("agentRuntimeVersion", "")) or _version(entry))
    )
    listed = answers.response(one, "ListAgentRuntimeVersions", asked).get("agentRuntimes", ())
    versions: dict[str, Runtime] = {}
    for number in sorted({_version(other) for other in listed}):
        about = answers.response(one, "GetAgentRuntime", {**asked, "agentRuntimeVersion": number})
        made = {**common, "id": f"{arn}:{number}", "kind": "bedrock-agentcore:runtime-version"}
        versions[number] = _ran(made, about, number)
    facts.runtimes.extend(versions.values())
    endpoints = answers.response(one, "ListAgentRuntimeEndpoints", asked)
    for endpoint in endpoints.get("runtimeEndpoints", ()):
        where = endpoint["agentRuntimeEndpointArn"]
        front = _Front("bedrock-agentcore:runtime-endpoint", where, str(endpoint.get("name", "")))
        _front(one, front, endpoint, arn, versions, facts)
        attach_policy(answers, one, where, facts)


def _version(entry: dict[str, Any]) -> str:
    return str(entry.get("agentRuntimeVersion", ""))


def _ran(common: dict[str, Any], about: dict[str, Any], version: str) -> Runtime:
    return Runtime(
        **common,
        version=version,
        identities=identities(about.get("roleArn")),
        links=links(*_runtime_links(about)),
        attributes=attributes(
            status=about.get("status"),
            network=at(about, "networkConfiguration.networkMode"),
            protocol=at(about, "protocolConfiguration.serverProtocol"),
            authorizer=authorizer(about) if about else None,
            environment=about.get("environmentVariables") or (),
        ),
    )


def _runtime_links(about: dict[str, Any]) -> Iterator[tuple[str, object]]:
    artifact = about.get("agentRuntimeArtifact") or {}
    yield "pulls", at(artifact, "containerConfiguration.containerUri")
    place = at(artifact, "codeConfiguration.code.s3") or {}
    if place.get("bucket"):
        yield "pulls", f"s3://{place['bucket']}/{place.get('prefix', '')}"
    yield "uses", at(about, "workloadIdentityDetails.workloadIdentityArn")
    yield from _files(about.get("filesystemConfigurations"))


def _files(configurations: object) -> Iterator[tuple[str, object]]:
    """Give the access points of file systems that are mounted."""
    for entry in configurations if isinstance(configurations, list) else ():
        for name in ("s3FilesAccessPoint", "efsAccessPoint"):
            yield "reads", at(entry, f"{name}.accessPointArn")


# --- endpoints -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Front:
    """What callers use in place of a version."""

    kind: str
    arn: str
    name: str


def _front(
    one: Answer,
    front: _Front,
    entry: dict[str, Any],
    owner: str,
    versions: dict[str, Runtime],
    facts: Facts,
) -> None:
    """Add an endpoint. While it moves, the version that is live still answers."""
    live = str(entry.get("liveVersion") or entry.get("targetVersion") or "")
    behind = versions.get(live)
    common = thing(one, front.kind, front.arn, front.name)
    facts.resources.append(Resource(**common, created=moment(entry.get("createdAt"))))
    facts.runtimes.append(
        Runtime(
            **common,
            version=live,
            identities=behind.identities if behind else (),
            links=(Link(kind="routes-to", target=behind.id),) if behind else (),
            attributes=attributes(
                runtime=owner,
                status=entry.get("status"),
                target_version=entry.get("targetVersion"),
                model=behind.attributes.get("model") if behind else None,
            ),
        )
    )


# --- harnesses -------------------------------------------------------------------------------


def _harness(one: Answer, entry: dict[str, Any], answers: Answers, facts: Facts) -> None:
    arn, asked = entry["arn"], {"harnessId": entry["harnessId"]}
    latest = answers.response(one, "GetHarness", asked).get("harness", {})
    common = thing(
        one,
        "bedrock-agentcore:harness",
        arn,
        entry.get("harnessName"),
        tags(answers, one, arn),
    )
    facts.resources.append(Resource(**common, created=moment(entry.get("createdAt"))))
    version = str(latest.get("harnessVersion") or entry.get("harnessVersion") or "")
    facts.runtimes.append(_harnessed(common, latest, version))
    listed = answers.response(one, "ListHarnessVersions", asked).get("harnessVersions", ())
    versions: dict[str, Runtime] = {}
    for number in sorted({str(other["harnessVersion"]) for other in listed}):
        found = answers.response(one, "GetHarness", {**asked, "harnessVersion": number})
        made = {**common, "id": f"{arn}:{number}", "kind": "bedrock-agentcore:harness-version"}
        versions[number] = _harnessed(made, found.get("harness", {}), number)
    facts.runtimes.extend(versions.values())
    endpoints = answers.response(one, "ListHarnessEndpoints", asked)
    for endpoint in endpoints.get("endpoints", ()):
        name = str(endpoint.get("endpointName", ""))
        front = _Front("bedrock-agentcore:harness-endpoint", endpoint["arn"], name)
        _front(one, front, endpoint, arn, versions, facts)


def _harnessed(common: dict[str, Any], about: dict[str, Any], version: str) -> Runtime:
    models: list[dict[str, Any]] = [*(about.get("model") or {}).values(), {}]
    model = models[0]
    return Runtime(
        **common,
        version=version,
        identities=identities(about.get("executionRoleArn")),
        links=links(
            ("uses", model.get("apiKeyArn")), *_tools(about), *_parts(about), *_hooks(about)
        ),
        attributes=attributes(
            status=about.get("status"),
            model=model.get("modelId"),
            network=at(
                about,
                "environment.agentCoreRuntimeEnvironment.networkConfiguration.networkMode",
            ),
            authorizer=authorizer(about) if about else None,
            tools=[str(tool.get("type", "")) for tool in about.get("tools") or ()],
            environment=about.get("environmentVariables") or (),
        ),
    )


def _tools(about: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for tool in about.get("tools") or ():
        configuration = tool.get("config") or {}
        yield "invokes", at(configuration, "remoteMcp.url")
        yield "invokes", at(configuration, "agentCoreBrowser.browserArn")
        yield "invokes", at(configuration, "agentCoreGateway.gatewayArn")
        yield "uses", at(configuration, "agentCoreGateway.outboundAuth.oauth.providerArn")
        yield "invokes", at(configuration, "agentCoreCodeInterpreter.codeInterpreterArn")


def _parts(about: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Give what a harness is made of: image, skills, memory, the runtime that it runs in."""
    yield "pulls", at(about, "environmentArtifact.containerConfiguration.containerUri")
    for skill in about.get("skills") or ():
        yield "pulls", at(skill, "s3.uri")
        yield "pulls", at(skill, "git.url")
        yield "uses", at(skill, "git.auth.credentialArn")
    for kind in ("agentCoreMemoryConfiguration", "managedMemoryConfiguration"):
        yield "stores-in", at(about, f"memory.{kind}.arn")
    runtime = at(about, "environment.agentCoreRuntimeEnvironment") or {}
    yield "uses", runtime.get("agentRuntimeArn")
    yield from _files(runtime.get("filesystemConfigurations"))


def _hooks(about: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for hook in about.get("hooks") or ():
        for found in hook.values():
            target = (found or {}).get("target") or {}
            yield "invokes", at(target, "lambda.arn")
            yield "writes", at(target, "sns.arn")
            yield "writes", at(target, "eventBridge.arn")
