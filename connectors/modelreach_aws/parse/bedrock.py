"""Bedrock agents: each version runs as its own role, and an alias says which version answers.

The working draft is the agent itself; a published version has the agent's ARN with `:N`, which
is ours, for AWS gives versions no ARN.
https://docs.aws.amazon.com/bedrock/latest/userguide/deploy-agent.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modelreach.snapshot import Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import PROVIDER, Facts, attributes, moment, tags_of
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.runtimes import identities, links
from modelreach_aws.select import at

_SERVICE: Final = "bedrock-agent"
_DRAFT: Final = "DRAFT"


def parse_bedrock(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what Bedrock answered into agents, their versions and aliases, and knowledge bases."""
    for one, response in answers.of(_SERVICE, "ListAgents"):
        for summary in response.get("agentSummaries", ()):
            _agent(one, summary, answers, places, facts)
    for one, response in answers.of(_SERVICE, "ListKnowledgeBases"):
        for summary in response.get("knowledgeBaseSummaries", ()):
            _knowledge_base(one, summary["knowledgeBaseId"], answers, places, facts)


def _agent(
    one: Answer, summary: dict[str, Any], answers: Answers, places: Places, facts: Facts
) -> None:
    asked = {"agentId": summary["agentId"]}
    draft = answers.response(one, "GetAgent", asked).get("agent", {})
    arn = draft.get("agentArn") or places.arn(one, "bedrock", f"agent/{summary['agentId']}")
    name = summary.get("agentName", "")
    found = answers.response(one, "ListTagsForResource", {"resourceArn": arn}).get("tags")
    tags = tags_of(found)
    facts.resources.append(
        Resource(
            id=arn,
            provider=PROVIDER,
            kind="bedrock:agent",
            scope=one.account,
            region=one.region,
            name=name,
            tags=tags,
            created=moment(draft.get("createdAt")),
            attributes=attributes(kms_key=draft.get("customerEncryptionKeyArn")),
        )
    )
    versions = {_DRAFT: _version(one, arn, asked, _DRAFT, draft, tags, answers, facts)}
    listed = answers.response(one, "ListAgentVersions", asked).get("agentVersionSummaries", ())
    for number in sorted(entry["agentVersion"] for entry in listed):
        if number != _DRAFT:
            which = {**asked, "agentVersion": number}
            about = answers.response(one, "GetAgentVersion", which).get("agentVersion", {})
            versions[number] = _version(one, arn, asked, number, about, tags, answers, facts)
    _aliases(one, asked, versions, answers, places, facts)


def _version(
    one: Answer,
    arn: str,
    asked: dict[str, str],
    version: str,
    about: dict[str, Any],
    tags: dict[str, str],
    answers: Answers,
    facts: Facts,
) -> Runtime:
    which = {**asked, "agentVersion": version}
    runtime = Runtime(
        id=arn if version == _DRAFT else f"{arn}:{version}",
        provider=PROVIDER,
        kind="bedrock:agent",
        scope=one.account,
        region=one.region,
        name=about.get("agentName", ""),
        version=version,
        identities=identities(about.get("agentResourceRoleArn")),
        links=links(*_tools(one, which, about, answers)),
        tags=tags,
        attributes=attributes(model=about.get("foundationModel")),
    )
    facts.runtimes.append(runtime)
    return runtime


def _tools(
    one: Answer, which: dict[str, str], about: dict[str, Any], answers: Answers
) -> Iterator[tuple[str, object]]:
    """Give what a version uses: functions, knowledge bases, other agents, its guardrail."""
    yield "guarded-by", at(about, "guardrailConfiguration.guardrailIdentifier")
    yield "invokes", at(about, "promptOverrideConfiguration.overrideLambda")
    yield "invokes", at(about, "customOrchestration.executor.lambda")
    groups = answers.response(one, "ListAgentActionGroups", which)
    for group in groups.get("actionGroupSummaries", ()):
        asked = {**which, "actionGroupId": group["actionGroupId"]}
        found = answers.response(one, "GetAgentActionGroup", asked).get("agentActionGroup", {})
        if found.get("actionGroupState") != "DISABLED":
            yield "invokes", at(found, "actionGroupExecutor.lambda")
    bases = answers.response(one, "ListAgentKnowledgeBases", which)
    for base in bases.get("agentKnowledgeBaseSummaries", ()):
        if base.get("knowledgeBaseState") != "DISABLED":
            yield "reads", _base_arn(one, base["knowledgeBaseId"], answers)
    others = answers.response(one, "ListAgentCollaborators", which)
    for other in others.get("agentCollaboratorSummaries", ()):
        yield "collaborates", at(other, "agentDescriptor.aliasArn")


def _base_arn(one: Answer, name: str, answers: Answers) -> str:
    about = answers.response(one, "GetKnowledgeBase", {"knowledgeBaseId": name})
    return str(at(about, "knowledgeBase.knowledgeBaseArn") or name)


def _aliases(
    one: Answer,
    asked: dict[str, str],
    versions: dict[str, Runtime],
    answers: Answers,
    places: Places,
    facts: Facts,
) -> None:
    found = answers.response(one, "ListAgentAliases", asked)
    for alias in found.get("agentAliasSummaries", ()):
        resource = f"agent-alias/{asked['agentId']}/{alias['agentAliasId']}"
        routed = sorted(
            entry["agentVersion"]
            for entry in alias.get("routingConfiguration", ())
            if entry.get("agentVersion")
        )
        behind = [versions[number] for number in routed if number in versions]
        common: dict[str, Any] = {
            "id": places.arn(one, "bedrock", resource),
            "provider": PROVIDER,
            "scope": one.account,
            "region": one.region,
            "name": alias.get("agentAliasName", ""),
        }
        facts.resources.append(Resource(**common, kind="bedrock:agent-alias"))
        facts.runtimes.append(
            Runtime(
                **common,
                kind="bedrock:agent",
                version=",".join(routed),
                identities=identities(*(role for one in behind for role in one.identities)),
                links=links(*(("invokes", one.id) for one in behind)),
            )
        )


def _knowledge_base(
    one: Answer, name: str, answers: Answers, places: Places, facts: Facts
) -> None:
    asked = {"knowledgeBaseId": name}
    about = answers.response(one, "GetKnowledgeBase", asked).get("knowledgeBase", {})
    arn = about.get("knowledgeBaseArn") or places.arn(one, "bedrock", f"knowledge-base/{name}")
    tags = answers.response(one, "ListTagsForResource", {"resourceArn": arn}).get("tags")
    common: dict[str, Any] = {
        "id": arn,
        "provider": PROVIDER,
        "kind": "bedrock:knowledge-base",
        "scope": one.account,
        "region": one.region,
        "name": about.get("name", ""),
        "tags": tags_of(tags),
    }
    facts.resources.append(Resource(**common, created=moment(about.get("createdAt"))))
    facts.runtimes.append(
        Runtime(
            **common,
            identities=identities(about.get("roleArn")),
            links=links(
                *_stores(about.get("storageConfiguration", {})), *_sources(one, asked, answers)
            ),
        )
    )


def _stores(configuration: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Give the store, whichever of the kinds it is, and the secret that opens it."""
    for store in configuration.values():
        if isinstance(store, dict):
            for name in ("collectionArn", "domainArn", "resourceArn", "graphArn", "indexArn"):
                yield "stores-in", store.get(name)
            yield "stores-in", store.get("vectorBucketArn")
            yield "reads", store.get("credentialsSecretArn")


def _sources(one: Answer, asked: dict[str, str], answers: Answers) -> Iterator[tuple[str, object]]:
    listed = answers.response(one, "ListDataSources", asked)
    for summary in listed.get("dataSourceSummaries", ()):
        which = {**asked, "dataSourceId": summary["dataSourceId"]}
        found = answers.response(one, "GetDataSource", which)
        configuration = at(found, "dataSource.dataSourceConfiguration") or {}
        yield "reads", at(configuration, "s3Configuration.bucketArn")
        for source in configuration.values():
            yield "reads", at(source, "sourceConfiguration.credentialsSecretArn")
