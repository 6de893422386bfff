"""Bedrock agents: each version runs as its own role, and an alias says which version answers.

The working draft is the agent itself; a published version has the agent's ARN with `:N`, which
is ours, for AWS gives versions no ARN. Only what an alias routes to can be invoked.
https://docs.aws.amazon.com/bedrock/latest/userguide/deploy-agent.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Resource, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.parse.place import Places
from modelreach_aws.parse.runtimes import identities, links
from modelreach_aws.parse.things import object_in, thing
from modelreach_aws.select import at

_SERVICE: Final = "bedrock-agent"
_DRAFT: Final = "DRAFT"


def parse_bedrock(answers: Answers, places: Places, facts: Facts) -> None:
    """Turn what Bedrock answered into agents, their versions and aliases."""
    for one, response in answers.of(_SERVICE, "ListAgents"):
        for summary in response.get("agentSummaries", ()):
            _Agent(one, summary, answers, places, facts).parse()


def guardrail(places: Places, one: Answer, configuration: object) -> str:
    """Give the ARN of a guardrail with its version, "" for none."""
    name = str(at(configuration, "guardrailIdentifier") or "")
    if not name:
        return ""
    arn = name if name.startswith("arn:") else places.arn(one, "bedrock", f"guardrail/{name}")
    version = at(configuration, "guardrailVersion")
    return f"{arn}:{version}" if version else arn


def knowledge_base(places: Places, one: Answer, name: object) -> str:
    """Give the ARN of a knowledge base by its id."""
    return places.arn(one, "bedrock", f"knowledge-base/{name}")


class _Agent:
    """One agent under construction."""

    def __init__(
        self,
        one: Answer,
        summary: dict[str, Any],
        answers: Answers,
        places: Places,
        facts: Facts,
    ) -> None:
        self._one, self._answers, self._places, self._facts = one, answers, places, facts
        self._id = summary["agentId"]
        self._asked = {"agentId": self._id}
        self._draft = answers.response(one, "GetAgent", self._asked).get("agent", {})
        self._arn = self._draft.get("agentArn") or places.arn(one, "bedrock", f"agent/{self._id}")
        self._name = summary.get("agentName", "")
        asked = {"resourceArn": self._arn}
        self._tags = answers.response(one, "ListTagsForResource", asked).get("tags")

    def parse(self) -> None:
        """Add the agent, what it runs as in each version, and its aliases."""
        self._facts.resources.append(
            Resource(
                **thing(self._one, "bedrock:agent", self._arn, self._name, self._tags),
                created=moment(self._draft.get("createdAt")),
                attributes=attributes(kms_key=self._draft.get("customerEncryptionKeyArn")),
            )
        )
        versions = {_DRAFT: self._version(_DRAFT, self._draft)}
        listed = self._answers.response(self._one, "ListAgentVersions", self._asked)
        summaries = listed.get("agentVersionSummaries", ())
        for number in sorted(entry["agentVersion"] for entry in summaries):
            if number != _DRAFT:
                which = {**self._asked, "agentVersion": number}
                found = self._answers.response(self._one, "GetAgentVersion", which)
                versions[number] = self._version(number, found.get("agentVersion", {}))
        aliases = self._answers.response(self._one, "ListAgentAliases", self._asked)
        for alias in aliases.get("agentAliasSummaries", ()):
            self._alias(alias, versions)

    def _version(self, version: str, about: dict[str, Any]) -> Runtime:
        which = {**self._asked, "agentVersion": version}
        draft = version == _DRAFT
        kind = "bedrock:agent" if draft else "bedrock:agent-version"
        arn = self._arn if draft else f"{self._arn}:{version}"
        groups = list(self._groups(which))
        runtime = Runtime(
            **thing(self._one, kind, arn, about.get("agentName") or self._name, self._tags),
            version=version,
            identities=identities(about.get("agentResourceRoleArn")),
            links=links(*self._tools(which, about), *self._group_links(groups)),
            attributes=attributes(
                agent=None if draft else self._arn,
                model=about.get("foundationModel"),
                collaboration=about.get("agentCollaboration"),
                code_interpreter=_signed(groups, "AMAZON.CodeInterpreter") or None,
                signatures=[str(at(group, "parentActionSignature") or "") for group in groups],
                returns_control=[
                    str(group.get("actionGroupName", ""))
                    for group in groups
                    if at(group, "actionGroupExecutor.customControl") == "RETURN_CONTROL"
                ],
            ),
        )
        self._facts.runtimes.append(runtime)
        return runtime

    def _groups(self, which: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Give the action groups of a version that are not switched off."""
        listed = self._answers.response(self._one, "ListAgentActionGroups", which)
        for summary in listed.get("actionGroupSummaries", ()):
            asked = {**which, "actionGroupId": summary["actionGroupId"]}
            found = self._answers.response(self._one, "GetAgentActionGroup", asked)
            group = found.get("agentActionGroup", {})
            if group.get("actionGroupState", summary.get("actionGroupState")) != "DISABLED":
                yield group

    def _group_links(self, groups: list[dict[str, Any]]) -> Iterator[tuple[str, object]]:
        """Give the functions that action groups call.

        What returns control to the caller calls none, and AWS's own signatures run apart from
        the account: https://docs.aws.amazon.com/bedrock/latest/userguide/agents-code-interpretation.html
        """
        for group in groups:
            yield "invokes", at(group, "actionGroupExecutor.lambda")
            place = at(group, "apiSchema.s3") or {}
            key = place.get("s3ObjectKey")
            yield "pulls", object_in(self._places, self._one, place.get("s3BucketName"), key)

    def _tools(self, which: dict[str, str], about: dict[str, Any]) -> Iterator[tuple[str, object]]:
        """Give what a version uses beside its action groups."""
        found = guardrail(self._places, self._one, about.get("guardrailConfiguration"))
        yield "guarded-by", found
        yield "invokes", at(about, "promptOverrideConfiguration.overrideLambda")
        yield "invokes", at(about, "customOrchestration.executor.lambda")
        bases = self._answers.response(self._one, "ListAgentKnowledgeBases", which)
        for base in bases.get("agentKnowledgeBaseSummaries", ()):
            if base.get("knowledgeBaseState") != "DISABLED":
                yield "reads", knowledge_base(self._places, self._one, base["knowledgeBaseId"])
        others = self._answers.response(self._one, "ListAgentCollaborators", which)
        for other in others.get("agentCollaboratorSummaries", ()):
            yield "collaborates", at(other, "agentDescriptor.aliasArn")

    def _alias(self, alias: dict[str, Any], versions: dict[str, Runtime]) -> None:
        arn = self._places.arn(
            self._one, "bedrock", f"agent-alias/{self._id}/{alias['agentAliasId']}"
        )
        common = thing(self._one, "bedrock:agent-alias", arn, alias.get("agentAliasName"))
        routes = alias.get("routingConfiguration") or ()
        routed = sorted(entry["agentVersion"] for entry in routes if entry.get("agentVersion"))
        behind = [versions[number] for number in routed if number in versions]
        self._facts.resources.append(
            Resource(
                **common,
                created=moment(alias.get("createdAt")),
                attributes=attributes(agent=self._arn),
            )
        )
        models = {str(one.attributes.get("model", "")) for one in behind}
        self._facts.runtimes.append(
            Runtime(
                **common,
                version=",".join(routed),
                identities=identities(*(role for one in behind for role in one.identities)),
                links=links(
                    *(("routes-to", one.id) for one in behind),
                    *(("uses", entry.get("provisionedThroughput")) for entry in routes),
                ),
                attributes=attributes(
                    agent=self._arn,
                    model=models.pop() if len(models) == 1 else None,
                    invocations=alias.get("aliasInvocationState"),
                ),
            )
        )


def _signed(groups: list[dict[str, Any]], signature: str) -> bool:
    return any(group.get("parentActionSignature") == signature for group in groups)
