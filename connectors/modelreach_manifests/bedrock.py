"""Amazon Bedrock agents as the API answers: GetAgent, GetAgentVersion, action groups, knowledge
bases.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_GetAgent.html
"""

from __future__ import annotations

from typing import Final

from modelreach.draft.files import SourceFile
from modelreach_manifests.bedrock_words import action_group, agent, knowledge_base
from modelreach_manifests.reading import Words, below, rows, text

_AGENTS: Final = ("agent", "agentVersion")
_LISTS: Final = ("agentActionGroupSummaries", "actionGroupSummaries")
_BASES: Final = "agentKnowledgeBaseSummaries"


class BedrockAgent:
    """Reads answers of the `bedrock-agent` API."""

    what = "answer of the Bedrock agents API"

    def recognises(self, file: SourceFile) -> bool:
        """Is it one of the answers that tell of an agent?"""
        top = file.only
        agents = any(text(top, key, "agentName") for key in _AGENTS)
        group = text(top, "agentActionGroup", "actionGroupName")
        listed = any(rows(top, key) for key in (*_LISTS, _BASES))
        return bool(agents or group or listed)

    def read(self, file: SourceFile) -> Words:
        """Give what the answer says."""
        top = file.only
        for key in _AGENTS:
            if text(top, key, "agentName"):
                yield from agent(below(top, key), key)
        if group := below(top, "agentActionGroup"):
            yield from action_group(group, "agentActionGroup")
        for key in _LISTS:
            for place, one in rows(top, key):
                yield from action_group(one, f"{key}[{place}]")
        for place, base in rows(top, _BASES):
            yield from knowledge_base(base, f"{_BASES}[{place}]")
