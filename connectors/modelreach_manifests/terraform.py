"""Terraform files that make a Bedrock agent or an AgentCore runtime.

What a file refers to is followed to its name where it stands in the same file; for everything
else there is `modelreach collect`.
https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/bedrockagent_agent
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from modelreach.draft.files import SourceFile, mapping
from modelreach.draft.said import Said
from modelreach_manifests.agentcore import runtime
from modelreach_manifests.bedrock_words import Reference, action_group, agent, knowledge_base
from modelreach_manifests.reading import Words, below, inside, joined, text

_AGENT: Final = "aws_bedrockagent_agent"
_GROUP: Final = "aws_bedrockagent_agent_action_group"
_BASE: Final = "aws_bedrockagent_agent_knowledge_base_association"
_RUNTIME: Final = "aws_bedrockagentcore_agent_runtime"
_ARNS: Final = {
    "aws_iam_role": ("name", "arn:aws:iam::unknown:role/"),
    "aws_lambda_function": ("function_name", "arn:aws:lambda:unknown:unknown:function:"),
}
_FOLLOWED: Final = frozenset({"foundationModel", "agentResourceRoleArn", "roleArn"})
_REFERENCE: Final = re.compile(r"\$\{(?:(data)\.)?([a-z][a-z0-9_]*)\.([\w-]+)\.(\w+)\}")
_FILE: Final = re.compile(r"\$\{file\(\"(?:\$\{path\.module\}/)?([^\"$]+)\"\)\}")


class Terraform:
    """Reads the agents of a Terraform file."""

    what = "Terraform file"

    def recognises(self, file: SourceFile) -> bool:
        """Does it make an agent?"""
        return any(kind in (_AGENT, _RUNTIME) for kind, _, _ in _resources(file))

    def read(self, file: SourceFile) -> Words:
        """Give what the agent says, with its action groups and knowledge bases."""
        yield from (replace(word, at=_snake(word.at)) for word in _words(file))


def _words(file: SourceFile) -> Words:
    found = list(_resources(file))
    names = _Names({(kind, name): body for kind, name, body in found})
    for kind, name, body in found:
        at = f"{kind}.{name}"
        if kind == _AGENT:
            yield from agent(_written_out(body), at, names.resolve)
            yield from _prompt(body, at)
        elif kind == _RUNTIME:
            yield from runtime(_written_out(body), at, names.resolve)
        elif kind == _GROUP:
            yield from action_group(body, at, names.resolve)
        elif kind == _BASE:
            yield from knowledge_base(body, at, names.resolve)


def _resources(file: SourceFile) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each resource as type, name and arguments, these in the spelling of the API."""
    blocks = inside(file.only, "resource")
    for block in blocks if isinstance(blocks, list) else [blocks]:
        for kind in mapping(block):
            named = inside(block, kind)
            for one in named if isinstance(named, list) else [named]:
                for name in mapping(one):
                    yield _bare(kind), _bare(name), below(_spelled(inside(one, name)))


def _bare(value: str) -> str:
    """Give a text without the quotes that HCL has around it."""
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1].replace('\\"', '"').replace("\\n", "\n") if quoted else value


def _spelled(value: object) -> object:
    """Give arguments in the API's spelling; a block that is there once is itself."""
    if isinstance(value, str):
        return _bare(value)
    if isinstance(value, list):
        inner = [_spelled(one) for one in value]
        return inner[0] if len(inner) == 1 and isinstance(inner[0], dict) else inner
    if not isinstance(value, dict):
        return value
    return {
        _camel(_bare(key)): _spelled(inner)
        for key, inner in value.items()
        if isinstance(key, str) and not key.startswith("__")
    }


def _snake(at: str) -> str:
    """Give a place in the spelling of Terraform."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found.group(1).lower()}", at)


def _written_out(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the arguments that are written out, and those that references are followed of."""
    return {
        key: value
        for key, value in body.items()
        if key in _FOLLOWED or not isinstance(value, str) or "${" not in value
    }


def _camel(name: str) -> str:
    if name != name.lower():
        return name
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def _prompt(body: Mapping[str, Any], at: str) -> Iterator[Said]:
    """A prompt that lies in a file of its own."""
    found = _FILE.fullmatch(text(body, "instruction"))
    if found is not None:
        path = ("spec", "model", "systemPrompt", "ref")
        yield Said(path, found.group(1), joined(at, "instruction"))


@dataclass(frozen=True, slots=True)
class _Names:
    """The resources of a file, to follow references to."""

    resources: Mapping[tuple[str, str], Mapping[str, Any]]

    def resolve(self, value: object, kind: str) -> Reference:
        """Give what is known of a value, and what is missing of it."""
        if not isinstance(value, str):
            return Reference("")
        if "${" not in value:
            return Reference(value)
        found = _REFERENCE.fullmatch(value)
        if found is None:
            return Reference("", "what Terraform works out")
        data, type_, name, _ = found.groups()
        field, head = _ARNS.get(type_, ("", ""))
        called = (
            text(self.resources.get((type_, name)), _camel(field)) if field and not data else ""
        )
        if not called or "${" in called:
            return Reference("", f"what `{type_}.{name}` is")
        return Reference(head + called, f"region and account of `{type_}.{name}`")
