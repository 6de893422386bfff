"""What an MCP server answers to `tools/list`: its functions, and its own hints about them.

The file is named after the server (`bigquery.tools.json` is about `bigquery`). Hints are the
server's word and nothing more; the weakest counts, and a function without hints may do anything.
https://modelcontextprotocol.io/specification/2025-06-18/server/tools
https://modelcontextprotocol.io/specification/2025-06-18/schema#toolannotations
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from modelreach.draft.files import SourceFile, mapping
from modelreach.draft.said import Rank
from modelreach_manifests.reading import Words, below, inside, joined, text, tool

_WIDER: Final = {"read": 0, "write": 1, "delete": 2}


class McpTools:
    """Reads the functions of one server."""

    what = "tools/list of an MCP server"

    def recognises(self, file: SourceFile) -> bool:
        """Is it a list of functions, each with the schema of what it takes?"""
        return bool(_functions(file))

    def read(self, file: SourceFile) -> Words:
        """Give the server as a tool with its functions, a digest of them, and what they do."""
        functions = _functions(file)
        at = "result.tools" if inside(file.only, "result") else "tools"
        one = tool(file.stem)
        yield one.says("kind", "mcp", at)
        more = text(file.only, "result", "nextCursor") or text(file.only, "nextCursor")
        note = "this is one page of several" if more else ""
        names = sorted(text(function, "name") for function in functions)
        yield one.says("tools", names, at, unknown=note)
        if not more:
            yield one.says("toolsetSha256", toolset_digest(functions), at, Rank.INFERRED)
        effects = {text(f, "name"): _effect(below(f, "annotations")) for f in functions}
        if all(effects.values()):
            widest = max(effects.values(), key=_WIDER.__getitem__)
            because = ", ".join(name for name, effect in effects.items() if effect == widest)
            place = joined(at, because, "annotations")
            yield one.says("effect", widest, place, Rank.INFERRED, name="by its own hints")
        if any(below(f, "annotations").get("openWorldHint") is True for f in functions):
            yield one.says("returnsUntrusted", True, joined(at, "openWorldHint"), Rank.INFERRED)


def _functions(file: SourceFile) -> tuple[Mapping[str, Any], ...]:
    listed = inside(file.only, "result", "tools") or inside(file.only, "tools")
    if listed is None and len(file.documents) == 1:
        listed = file.documents[0]
    if not isinstance(listed, list):
        return ()
    found = tuple(mapping(one) for one in listed)
    told = all(text(one, "name") and isinstance(one.get("inputSchema"), dict) for one in found)
    return found if told else ()


def toolset_digest(functions: tuple[Mapping[str, Any], ...]) -> str:
    """Give the SHA-256 of the functions: compact JSON with sorted keys, in the order of names."""
    ordered = sorted(functions, key=lambda one: text(one, "name"))
    raw = json.dumps(ordered, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(raw.encode()).hexdigest()


def _effect(hints: Mapping[str, Any]) -> str:
    """What a function says that it does; "" when it does not say."""
    if hints.get("readOnlyHint") is True:
        return "read"
    destructive = hints.get("destructiveHint")
    if destructive is True:
        return "delete"
    return "write" if destructive is False and hints.get("readOnlyHint") is False else ""
