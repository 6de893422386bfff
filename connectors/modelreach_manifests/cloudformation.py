"""CloudFormation templates with a Bedrock agent or an AgentCore runtime.

A reference within the template is followed to the name of what it refers to; account and region
are not in a template, and stay unknown.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-bedrock-agent.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-bedrockagentcore-runtime.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from modelreach.draft.files import SourceFile
from modelreach_manifests.agentcore import runtime
from modelreach_manifests.bedrock_words import Reference, agent
from modelreach_manifests.reading import Words, below, joined, text, texts

_AGENT: Final = "AWS::Bedrock::Agent"
_RUNTIME: Final = "AWS::BedrockAgentCore::Runtime"
#: Type of resource -> the property that names it, and its ARN up to there.
_ARNS: Final = {
    "AWS::IAM::Role": ("RoleName", "arn:aws:iam::unknown:role/"),
    "AWS::Lambda::Function": ("FunctionName", "arn:aws:lambda:unknown:unknown:function:"),
    "AWS::Serverless::Function": ("FunctionName", "arn:aws:lambda:unknown:unknown:function:"),
    "AWS::Bedrock::Guardrail": ("Name", ""),
}


class CloudFormation:
    """Reads the agents of a template."""

    what = "CloudFormation template"

    def recognises(self, file: SourceFile) -> bool:
        """Does it make an agent?"""
        return bool(_agents(file.only))

    def read(self, file: SourceFile) -> Words:
        """Give what the first agent of the template says; others are no part of the release."""
        template = _Template(below(file.only, "Resources"))
        logical = _agents(file.only)[0]
        found = below(file.only, "Resources", logical)
        at = joined("Resources", logical, "Properties")
        properties = below(_lowered(found.get("Properties")))
        if text(found, "Type") == _AGENT:
            words = agent(properties, at, template.resolve)
        else:
            words = runtime(properties, at, template.resolve)
        for word in words:
            yield replace(word, at=_raised(word.at))


def _raised(at: str) -> str:
    """Give a place in the spelling of a template."""
    return re.sub(r"\.([a-z])", lambda found: f".{found.group(1).upper()}", at)


def _agents(top: Mapping[str, Any]) -> list[str]:
    resources = below(top, "Resources")
    kinds = (_AGENT, _RUNTIME)
    return [name for name in resources if text(resources, name, "Type") in kinds]


def _lowered(value: object) -> object:
    """Give properties in the API's spelling: `AgentName` is `agentName` there."""
    if isinstance(value, list):
        return [_lowered(one) for one in value]
    if not isinstance(value, dict):
        return value
    names = {key: _lower(key) if isinstance(key, str) else key for key in value}
    own = any(key in value for key in ("Ref", "Condition")) or any(
        isinstance(key, str) and key.startswith("Fn::") for key in value
    )
    return value if own else {names[key]: _lowered(inner) for key, inner in value.items()}


def _lower(name: str) -> str:
    """A property's name, but not that of an environment variable."""
    return name if name.isupper() or "_" in name else name[:1].lower() + name[1:]


@dataclass(frozen=True, slots=True)
class _Template:
    """The resources of a template, to follow references to."""

    resources: Mapping[str, Any]

    def resolve(self, value: object, kind: str) -> Reference:
        """Give what is known of a value, and what is missing of it."""
        if isinstance(value, str):
            return Reference(value)
        function = below(value)
        logical = text(function, "Ref") or next(iter(texts(function, "Fn::GetAtt")), "")
        if logical:
            return self._followed(logical)
        sub = text(function, "Fn::Sub") or next(iter(texts(function, "Fn::Sub")), "")
        return (
            _substituted(sub)
            if sub
            else Reference("", "what the template works out" if function else "")
        )

    def _followed(self, logical: str) -> Reference:
        found = below(self.resources, logical)
        if not found:
            return Reference("", f"the value of parameter `{logical}`")
        field, head = _ARNS.get(text(found, "Type"), ("", ""))
        name = text(found, "Properties", field) if field else ""
        if not name or not head:
            return Reference("", f"what the template makes as `{logical}`")
        where = "account" if head.count("unknown") == 1 else "region and account"
        return Reference(head + name, f"{where} of `{logical}`, which the template makes")


def _substituted(pattern: str) -> Reference:
    """Give a text with what the template fills in; only the partition is known well enough."""
    value = pattern.replace("${AWS::Partition}", "aws")
    names = re.findall(r"\$\{([^}]*)\}", value)
    return Reference(re.sub(r"\$\{[^}]*\}", "unknown", value), ", ".join(names))
