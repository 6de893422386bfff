"""A2A agent cards: of the release itself, or of another agent that it uses as a tool.

https://a2a-protocol.org/latest/specification/#441-agentcard
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach.draft.files import SourceFile
from modelreach.draft.said import Rank, Said, Secret
from modelreach.draft.secrets import clean_url
from modelreach_manifests.credentials import Credential
from modelreach_manifests.mcp import with_credential
from modelreach_manifests.reading import Words, below, inside, meta, of_spec, rows, text, tool

_KINDS: Final = {
    "oauth2": "oauth-token",
    "openidconnect": "oauth-token",
    "apikey": "api-key",
    "mutualtls": "certificate",
    "http": "oauth-token",
}


class AgentCard:
    """Reads an agent card."""

    what = "A2A agent card"

    def recognises(self, file: SourceFile) -> bool:
        """Has it skills and capabilities, and an address?"""
        card = file.only
        shaped = isinstance(card.get("skills"), list) and isinstance(
            card.get("capabilities"), dict
        )
        return shaped and bool(text(card, "name")) and bool(_address(card)[0])

    def read(self, file: SourceFile) -> Words:
        """Give what the card says of the release; of another agent, the agent as a tool."""
        return _as_tool(file.only) if file.about == "tool" else _as_release(file.only)


def _address(card: Mapping[str, Any]) -> tuple[str, str]:
    for place, interface in rows(card, "supportedInterfaces"):
        if url := text(interface, "url"):
            return url, f"supportedInterfaces[{place}].url"
    return text(card, "url"), "url"


def _transport(card: Mapping[str, Any]) -> str:
    bindings = [text(one, "protocolBinding") for _, one in rows(card, "supportedInterfaces")]
    return next(filter(None, bindings), text(card, "preferredTransport"))


def _secured(card: Mapping[str, Any]) -> bool:
    return bool(inside(card, "securityRequirements") or inside(card, "security"))


def _as_release(card: Mapping[str, Any]) -> Words:
    yield meta("name", text(card, "name"), "name")
    if version := text(card, "version"):
        yield meta("version", version, "version")
    if team := text(card, "provider", "organization"):
        owner = ("metadata", "owner", "team")
        yield Said(owner, team, "provider.organization", Rank.INFERRED)
    yield of_spec("exposure", "channels", ["a2a"], _address(card)[1], Rank.INFERRED)
    if _secured(card):
        yield of_spec("exposure", "authenticated", True, "securityRequirements")
    _, left_out = clean_url(*_address(card))
    yield from (Secret(place) for place in left_out)


def _as_tool(card: Mapping[str, Any]) -> Words:
    one = tool(text(card, "name"))
    address, left_out = clean_url(*_address(card))
    yield one.says("kind", "a2a", "")
    yield one.says("target", address, _address(card)[1])
    yield from (Secret(place) for place in left_out)
    if transport := _transport(card):
        yield one.says("transport", transport, "supportedInterfaces")
    names = [text(skill, "id") or text(skill, "name") for _, skill in rows(card, "skills")]
    if any(names):
        yield one.says("tools", sorted(filter(None, names)), "skills")
    yield from _credential(card)


def _credential(card: Mapping[str, Any]) -> Iterator[Said]:
    one = tool(text(card, "name"))
    for name in below(card, "securitySchemes"):
        scheme = below(card, "securitySchemes", name)
        kinds = [text(scheme, "type"), *(key.removesuffix("SecurityScheme") for key in scheme)]
        for kind in kinds:
            credential = _KINDS.get(kind.lower().removesuffix("auth"))
            if credential:
                found = Credential(name, "saas", credential)
                yield from with_credential(one, found, f"securitySchemes.{name}")
                return
