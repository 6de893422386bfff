"""Bedrock flows: each version runs its nodes as its own role; an alias says which version runs.

https://docs.aws.amazon.com/bedrock/latest/userguide/flows-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.bedrock import guardrail, knowledge_base
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.runtimes import identities, links
from modelreach_aws.parse.things import bucket, thing
from modelreach_aws.select import at

_SERVICE: Final = "bedrock-agent"
_DRAFT: Final = "DRAFT"


def parse_flows(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what Bedrock answered into flows, their versions and aliases."""
    for one, response in answers.of(_SERVICE, "ListFlows"):
        for summary in response.get("flowSummaries", ()):
            _flow(one, summary, answers, places, facts)


def _flow(
    one: Answer, summary: dict[str, Any], answers: Answers, places: Places, facts: Facts
) -> None:
    asked = {"flowIdentifier": summary["id"]}
    arn = summary.get("arn") or places.arn(one, "bedrock", f"flow/{summary['id']}")
    tags = answers.response(one, "ListTagsForResource", {"resourceArn": arn}).get("tags")
    draft = answers.response(one, "GetFlow", asked)
    common = thing(one, "bedrock:flow", arn, summary.get("name"), tags)
    facts.resources.append(
        Resource(
            **common,
            created=moment(summary.get("createdAt")),
            attributes=attributes(kms_key=draft.get("customerEncryptionKeyArn")),
        )
    )
    versions = {_DRAFT: _version(one, common, _DRAFT, draft, places, facts)}
    listed = answers.response(one, "ListFlowVersions", asked).get("flowVersionSummaries", ())
    for number in sorted(entry["version"] for entry in listed):
        if number != _DRAFT:
            about = answers.response(one, "GetFlowVersion", {**asked, "flowVersion": number})
            made = {**common, "id": f"{arn}:{number}", "kind": "bedrock:flow-version"}
            versions[number] = _version(one, made, number, about, places, facts)
    aliases = answers.response(one, "ListFlowAliases", asked)
    for alias in aliases.get("flowAliasSummaries", ()):
        _alias(one, alias, arn, versions, facts)


def _version(
    one: Answer,
    common: dict[str, Any],
    version: str,
    about: dict[str, Any],
    places: Places,
    facts: Facts,
) -> Runtime:
    nodes = list(_nodes(about.get("definition") or {}))
    runtime = Runtime(
        **common,
        version=version,
        identities=identities(about.get("executionRoleArn")),
        links=links(*(pair for node in nodes for pair in _node_links(node, places, one))),
        attributes=attributes(
            nodes=[str(node.get("type", "")) for node in nodes],
            inline_code=any(at(node, "configuration.inlineCode") for node in nodes) or None,
            models=list(_models(nodes)),
        ),
    )
    facts.runtimes.append(runtime)
    return runtime


def _nodes(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the nodes of a flow, those of its loops included."""
    for node in definition.get("nodes") or ():
        yield node
        yield from _nodes(at(node, "configuration.loop.definition") or {})


def _node_links(node: dict[str, Any], places: Places, one: Answer) -> Iterator[tuple[str, object]]:
    about = node.get("configuration") or {}
    base = at(about, "knowledgeBase.knowledgeBaseId")
    yield "invokes", at(about, "lambdaFunction.lambdaArn")
    yield "invokes", at(about, "lex.botAliasArn")
    yield "collaborates", at(about, "agent.agentAliasArn")
    yield "reads", knowledge_base(places, one, base) if base else None
    yield "uses", at(about, "prompt.sourceConfiguration.resource.promptArn")
    for kind, name in (("writes", "storage"), ("reads", "retrieval")):
        found = at(about, f"{name}.serviceConfiguration.s3.bucketName")
        yield kind, bucket(places, one, found)
    for name in ("prompt", "knowledgeBase"):
        yield "guarded-by", guardrail(places, one, at(about, f"{name}.guardrailConfiguration"))


def _models(nodes: list[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        for path in ("prompt.sourceConfiguration.inline.modelId", "knowledgeBase.modelId"):
            model = at(node.get("configuration"), path)
            if model:
                yield str(model)


def _alias(
    one: Answer,
    alias: dict[str, Any],
    flow: str,
    versions: dict[str, Runtime],
    facts: Facts,
) -> None:
    common = thing(one, "bedrock:flow-alias", alias["arn"], alias.get("name"))
    routes = alias.get("routingConfiguration") or ()
    routed = sorted(entry["flowVersion"] for entry in routes if entry.get("flowVersion"))
    behind = [versions[number] for number in routed if number in versions]
    facts.resources.append(Resource(**common, created=moment(alias.get("createdAt"))))
    facts.runtimes.append(
        Runtime(
            **common,
            version=",".join(routed),
            identities=identities(*(role for one in behind for role in one.identities)),
            links=links(*(("routes-to", one.id) for one in behind)),
            attributes=attributes(flow=flow),
        )
    )
