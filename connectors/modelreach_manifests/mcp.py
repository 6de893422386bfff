"""Servers of the Model Context Protocol, as clients configure them.

One shape in many files: `mcpServers` (Claude Desktop, Claude Code, Cursor, Windsurf, Gemini CLI),
`servers` (VS Code), `mcp_servers` (Codex, TOML), `context_servers` (Zed). A server is one tool;
what it offers is known from its `tools/list` alone.
https://modelcontextprotocol.io/docs/develop/connect-local-servers
https://code.visualstudio.com/docs/copilot/reference/mcp-configuration
https://developers.openai.com/codex/mcp
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach.draft.files import SourceFile
from modelreach.draft.said import CREDENTIAL, Rank, Said, Secret
from modelreach.draft.secrets import clean_url
from modelreach_manifests.credentials import Credential, of_headers, of_variables
from modelreach_manifests.launched import floats, hidden, is_fetched, is_read_only, program
from modelreach_manifests.reading import (
    Member,
    Words,
    below,
    environment,
    identity,
    inside,
    joined,
    rows,
    text,
    texts,
    tool,
)

_URLS: Final = ("url", "serverUrl", "httpUrl", "uri")
_TRANSPORTS: Final = {
    "http": "streamable-http",
    "streamable-http": "streamable-http",
    "streamableHttp": "streamable-http",
    "streamable_http": "streamable-http",
    "sse": "sse",
    "stdio": "stdio",
    "local": "stdio",
    "ws": "websocket",
}
_HEADERS: Final = ("headers", "http_headers", "env_http_headers", "requestInit.headers")
_UNASKED: Final = ("autoApprove", "alwaysAllow", "autoAllow")
_OFFERED: Final = ("tools", "enabledTools", "enabled_tools", "includeTools", "allowedTools")
_WITHHELD: Final = ("disabledTools", "disabled_tools", "excludeTools")


class McpConfiguration:
    """Reads the servers that a client is configured to use."""

    what = "MCP configuration"

    def recognises(self, file: SourceFile) -> bool:
        """Is there a mapping of servers, each with a command or an address?"""
        return any(True for _ in _servers(file.only))

    def read(self, file: SourceFile) -> Words:
        """Give each server as a tool, and what it runs with by name."""
        for at, name, server in _servers(file.only):
            yield from _server(at, name, server)
        for place, asked in rows(file.only, "inputs"):
            if asked.get("password") is True:
                yield Secret(joined("inputs", place, text(asked, "id")))


def _servers(top: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for key, value in top.items():
        last = key.rpartition(".")[2]
        if last in ("mcpServers", "mcp_servers", "context_servers", "servers"):
            for name in below(value):
                server = below(value, name)
                if _is_server(server):
                    yield joined(*filter(None, (at, key, name))), name, server
        elif last == "mcp" and not at:
            yield from _servers(below(value), key)
        elif key == "projects" and not at:
            for project in below(value):
                yield from _servers(below(value, project), joined(key, project))


def _is_server(server: Mapping[str, Any]) -> bool:
    started = text(server, "command") or text(server, "command", "path")
    addressed = any(text(server, key) for key in _URLS)
    return bool(started or addressed or _command_list(server))


def _command_list(server: Mapping[str, Any]) -> tuple[str, ...]:
    return texts(server, "command")


def _server(at: str, name: str, server: Mapping[str, Any]) -> Words:
    one = tool(name)
    yield one.says("kind", "mcp", at)
    yield from _target(one, server, at)
    yield from _transport(one, server, at)
    yield from _credential(one, server, at)
    yield from _functions(one, server, at)
    yield from _approval(one, server, at)
    if is_read_only(_arguments(server)):
        yield one.says("effect", "read", joined(at, "args"), Rank.INFERRED)


def _arguments(server: Mapping[str, Any]) -> tuple[str, ...]:
    listed = _command_list(server)
    return texts(server, "args") or texts(server, "command", "args") or listed[1:]


def _target(one: Member, server: Mapping[str, Any], at: str) -> Words:
    off = server.get("disabled") is True or server.get("enabled") is False
    note = "it is disabled there" if off else ""
    for key in _URLS:
        if url := text(server, key):
            address, left_out = clean_url(url, joined(at, key))
            if address:
                yield one.says("target", address, joined(at, key), unknown=note)
            yield from (Secret(place) for place in left_out)
            return
    arguments = _arguments(server)
    command = text(server, "command") or text(server, "command", "path")
    command = command or next(iter(_command_list(server)), "")
    started = program(command, arguments)
    if started and is_fetched(command) and floats(started):
        note = "; ".join(filter(None, (note, "which version of it is started")))
    if started:
        yield one.says("target", started, joined(at, "args"), unknown=note)
    yield from (Secret(joined(at, "args", option)) for option in hidden(arguments))


def _transport(one: Member, server: Mapping[str, Any], at: str) -> Iterator[Said]:
    for key in ("type", "transport"):
        if known := _TRANSPORTS.get(text(server, key)):
            yield one.says("transport", known, joined(at, key))
            return
    if not any(text(server, key) for key in _URLS):
        yield one.says("transport", "stdio", at, Rank.INFERRED)


def _credential(one: Member, server: Mapping[str, Any], at: str) -> Words:
    variables = tuple(below(server, "env"))
    yield from environment(variables, joined(at, "env"))
    headers: list[str] = []
    for key in _HEADERS:
        names = tuple(below(server, *key.split(".")))
        headers += names
        yield from environment(names, joined(at, key))
    yield from (Secret(joined(at, key)) for key in ("envFile", "env_file") if text(server, key))
    found = of_headers(headers) or of_variables((*variables, *texts(server, "env_vars")))
    bearer = text(server, "bearer_token_env_var")
    if bearer:
        yield Secret(joined(at, "bearer_token_env_var"))
        found = found or Credential("bearer_token_env_var", "saas", "oauth-token")
    if inside(server, "oauth") or inside(server, "auth"):
        yield Secret(joined(at, "oauth" if inside(server, "oauth") else "auth"))
        found = found or Credential("OAuth", "saas", "oauth-token")
    if found is not None:
        yield from with_credential(one, found, at)


def with_credential(one: Member, found: Credential, at: str) -> Iterator[Said]:
    """Give the identity that a tool's credential opens, of which only the name is known."""
    runs_as = identity(one.id + CREDENTIAL)
    yield runs_as.says("cloud", found.cloud, at, Rank.INFERRED)
    yield runs_as.asks("principal", f"whom `{found.name}` of tool `{one.id}` opens", at)
    if found.kind:
        yield runs_as.says("credential", found.kind, at, Rank.INFERRED)
    yield one.says("runsAs", runs_as.id, at, Rank.INFERRED)


def _functions(one: Member, server: Mapping[str, Any], at: str) -> Iterator[Said]:
    withheld = [name for key in _WITHHELD for name in texts(server, key)]
    note = f"without {', '.join(withheld)}" if withheld else ""
    for key in _OFFERED:
        names = texts(server, key)
        if names and "*" not in names:
            yield one.says("tools", sorted(set(names) - set(withheld)), joined(at, key), name=note)
            return


def _approval(one: Member, server: Mapping[str, Any], at: str) -> Iterator[Said]:
    """A client asks before a tool is used, unless it is told not to for some: these count."""
    for key in _UNASKED:
        if names := texts(server, key):
            yield one.says("approval", "none", joined(at, key), name=f"for {', '.join(names)}")
            return
    if server.get("trust") is True or server.get(_UNASKED[0]) is True:
        yield one.says("approval", "none", joined(at, "trust"))
