"""What an agent of Amazon Bedrock is, whichever way it is written: an answer of the API,
CloudFormation, or Terraform, all in the API's spelling.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_Agent.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_AgentActionGroup.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from modelreach.draft.said import Rank, Said
from modelreach_manifests.reading import (
    Member,
    Words,
    below,
    identity,
    inside,
    joined,
    meta,
    model,
    prompt,
    rows,
    text,
    tool,
)

RUNTIME: Final = "runtime"
#: Action groups that Bedrock brings itself.
_BUILT_IN: Final = {
    "AMAZON.CodeInterpreter": ("code-interpreter", "execute"),
    "ANTHROPIC.Computer": ("computer-use", "execute"),
    "ANTHROPIC.Bash": ("computer-use", "execute"),
    "ANTHROPIC.TextEditor": ("computer-use", "write"),
}
_CONFIRMED: Final = {"ENABLED": "human", "DISABLED": "none"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that is written as a reference: what of it is known, and what is missing."""

    value: str
    missing: str = ""


Resolve = Callable[[object, str], Reference]


def plain(value: object, _kind: str = "") -> Reference:
    """Give a value that is written out."""
    return Reference(value if isinstance(value, str) else "")


def resolved(member: Member, field: str, found: Reference, at: str) -> Iterator[Said]:
    """Give a value that may be a reference, with what is missing of it."""
    if found.value:
        rank = Rank.INFERRED if found.missing else Rank.IMPORTED
        yield member.says(field, found.value, at, rank, unknown=found.missing)
    elif found.missing:
        yield member.asks(field, found.missing, at)


def agent(found: Mapping[str, Any], at: str, resolve: Resolve = plain) -> Words:
    """Give what an agent says of the release."""
    yield model("provider", "aws-bedrock", at, Rank.INFERRED)
    if name := text(found, "agentName"):
        yield meta("name", name, joined(at, "agentName"))
    if (version := text(found, "agentVersion") or text(found, "version")) not in ("", "DRAFT"):
        yield meta("version", version, joined(at, "agentVersion"))
    called = resolve(found.get("foundationModel"), "")
    if called.value:
        yield model("id", called.value, joined(at, "foundationModel"), unknown=called.missing)
    if instruction := text(found, "instruction"):
        yield from prompt(instruction, joined(at, "instruction"))
    yield from role(found.get("agentResourceRoleArn"), joined(at, "agentResourceRoleArn"), resolve)
    yield from _guardrail(below(found, "guardrailConfiguration"), at, resolve)
    for place, group in rows(found, "actionGroups"):
        yield from action_group(group, joined(at, "actionGroups", place), resolve)
    for place, base in rows(found, "knowledgeBases"):
        yield from knowledge_base(base, joined(at, "knowledgeBases", place), resolve)


def role(value: object, at: str, resolve: Resolve = plain) -> Iterator[Said]:
    """Give the role that a runtime of AWS acts as."""
    found = resolve(value, "role")
    if not found.value and not found.missing:
        return
    one = identity(RUNTIME)
    yield one.says("cloud", "aws", at, Rank.INFERRED)
    yield from resolved(one, "principal", found, at)
    yield one.says("credential", "assumed-role", at, Rank.INFERRED)


def _guardrail(found: Mapping[str, Any], at: str, resolve: Resolve) -> Iterator[Said]:
    ref = resolve(found.get("guardrailIdentifier"), "guardrail")
    if not ref.value and not ref.missing:
        return
    one, place = Member("guardrails", "guardrail"), joined(at, "guardrailConfiguration")
    yield one.says("provider", "aws-bedrock", place, Rank.INFERRED)
    yield from resolved(one, "ref", ref, joined(place, "guardrailIdentifier"))
    if version := text(found, "guardrailVersion"):
        yield one.says("version", version, joined(place, "guardrailVersion"))


def action_group(group: Mapping[str, Any], at: str, resolve: Resolve = plain) -> Iterator[Said]:
    """Give the tools of an action group: each of its functions, else the group as one."""
    signature = text(group, "parentActionGroupSignature") or text(group, "parentActionSignature")
    name = text(group, "actionGroupName")
    if signature == "AMAZON.UserInput" or text(group, "actionGroupState") == "DISABLED":
        return
    if signature in _BUILT_IN:
        kind, effect = _BUILT_IN[signature]
        one = tool(name)
        place = joined(at, "parentActionGroupSignature")
        yield one.says("kind", kind, place)
        yield one.says("target", signature, place)
        yield one.says("effect", effect, place, Rank.INFERRED)
        yield one.says("runsAs", RUNTIME, at, Rank.INFERRED)
        return
    functions = _functions(group)
    for number, function in functions:
        place_of = joined(at, "functionSchema", "functions", number)
        one = tool(text(function, "name") or name)
        yield from _executed(one, group, at, resolve)
        if approval := _CONFIRMED.get(text(function, "requireConfirmation") or "DISABLED"):
            told = bool(text(function, "requireConfirmation"))
            rank = Rank.IMPORTED if told else Rank.INFERRED
            yield one.says("approval", approval, joined(place_of, "requireConfirmation"), rank)
    if not functions:
        yield from _executed(tool(name), group, at, resolve)


def _functions(group: Mapping[str, Any]) -> tuple[tuple[int, Mapping[str, Any]], ...]:
    """The functions of a group; Terraform has them one level deeper, and one as itself."""
    found = rows(group, "functionSchema", "functions")
    deeper = below(group, "functionSchema", "memberFunctions")
    one = below(deeper, "functions")
    return found or rows(deeper, "functions") or (((0, one),) if one else ())


def _executed(one: Member, group: Mapping[str, Any], at: str, resolve: Resolve) -> Iterator[Said]:
    place = joined(at, "actionGroupExecutor")
    yield one.says("kind", "function", at)
    if text(group, "actionGroupExecutor", "customControl"):
        yield one.says("target", "RETURN_CONTROL", place, unknown="what the caller does then")
    else:
        target = resolve(inside(group, "actionGroupExecutor", "lambda"), "function")
        yield from resolved(one, "target", target, joined(place, "lambda"))
    yield one.says("runsAs", RUNTIME, at, Rank.INFERRED)


def knowledge_base(base: Mapping[str, Any], at: str, resolve: Resolve = plain) -> Iterator[Said]:
    """Give a knowledge base as a source of data."""
    found = resolve(base.get("knowledgeBaseId"), "knowledge-base")
    if not found.value:
        return
    one = Member("dataSources", found.value.rpartition("/")[2])
    place = joined(at, "knowledgeBaseId")
    if found.value.startswith("arn:"):
        yield from resolved(one, "resource", found, place)
    else:
        yield one.says(
            "resource",
            f"arn:aws:bedrock:unknown:unknown:knowledge-base/{found.value}",
            place,
            Rank.INFERRED,
            unknown="its region and account",
        )
    yield one.says("access", "read", place, Rank.INFERRED)
