"""CycloneDX bills of materials of models: the model, its services and its data.

https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelreach.draft.files import SourceFile
from modelreach.draft.said import Rank, Said, Secret
from modelreach.draft.secrets import clean_url
from modelreach_manifests.credentials import Credential
from modelreach_manifests.mcp import with_credential
from modelreach_manifests.reading import (
    Member,
    Words,
    joined,
    meta,
    model,
    number,
    rows,
    text,
    texts,
    tool,
)

#: Flow of data as the service has it -> what the release does. Both ways is more than reading.
_ACCESS: Final = {"inbound": "write", "outbound": "read", "bi-directional": "write"}


class CycloneDx:
    """Reads a bill of materials."""

    what = "CycloneDX ML-BOM"

    def recognises(self, file: SourceFile) -> bool:
        """Does it say that it is one?"""
        return text(file.only, "bomFormat") == "CycloneDX"

    def read(self, file: SourceFile) -> Words:
        """Give the application, its model, the services that it uses, and its data."""
        top = file.only
        for field in ("name", "version"):
            if value := text(top, "metadata", "component", field):
                yield meta(field, value, f"metadata.component.{field}")
        models = [
            (place, one)
            for place, one in rows(top, "components")
            if text(one, "type") == "machine-learning-model"
        ]
        for place, one in models[:1]:
            yield from _model(one, joined("components", place), len(models))
        for place, one in rows(top, "components"):
            if text(one, "type") == "data" and text(one, "name"):
                yield from _data(one, joined("components", place))
        for place, one in rows(top, "services"):
            yield from _service(one, joined("services", place))


def _model(one: Mapping[str, Any], at: str, count: int) -> Iterator[Said]:
    name, version = text(one, "name"), text(one, "version")
    note = f"this is one of {count} models" if count > 1 else ""
    if name:
        rank = Rank.INFERRED if version else Rank.IMPORTED
        yield model(
            "id", "-".join(filter(None, (name, version))), joined(at, "name"), rank, unknown=note
        )
    if publisher := text(one, "publisher"):
        why = f"where it is served; its publisher is {publisher}"
        yield model("provider", "unknown", joined(at, "publisher"), Rank.UNKNOWN, unknown=why)
    for _, digest in rows(one, "hashes"):
        if text(digest, "alg") == "SHA-256" and re.fullmatch(
            r"[0-9a-f]{64}", text(digest, "content")
        ):
            yield model("digest", text(digest, "content"), joined(at, "hashes"))
    for place, told in rows(one, "properties"):
        tokens = number(told, "value")
        if text(told, "name").endswith("contextWindowTokens") and tokens is not None:
            yield model("contextWindowTokens", tokens, joined(at, "properties", place))


def _data(one: Mapping[str, Any], at: str) -> Words:
    source = Member("dataSources", text(one, "name"))
    yield source.says(
        "resource", text(one, "name"), joined(at, "name"), Rank.INFERRED, unknown="where it is"
    )
    for _, told in rows(one, "data"):
        if level := text(told, "classification"):
            yield source.says("classification", level, joined(at, "data"))


def _service(one: Mapping[str, Any], at: str) -> Words:
    name = text(one, "name") or text(one, "bom-ref")
    addresses = texts(one, "endpoints")
    address, left_out = clean_url(addresses[0], joined(at, "endpoints")) if addresses else ("", ())
    yield from (Secret(place) for place in left_out)
    member = tool(name)
    is_mcp = re.search(r"(?:^|[^a-z])mcp(?:[^a-z]|$)", f"{name} {address}".lower()) is not None
    yield member.says("kind", "mcp" if is_mcp else "http", at, Rank.INFERRED)
    if address:
        yield member.says("target", address, joined(at, "endpoints"))
    if one.get("authenticated") is True:
        yield from with_credential(member, Credential("authenticated", "saas"), at)
    if one.get("x-trust-boundary") is True:
        yield member.says("returnsUntrusted", True, joined(at, "x-trust-boundary"), Rank.INFERRED)
    for place, flow in rows(one, "data"):
        if level := text(flow, "classification"):
            where = joined(at, "data", place)
            source = Member("dataSources", name)
            yield source.says("resource", address or name, joined(at, "endpoints"))
            yield source.says("classification", level, where)
            if access := _ACCESS.get(text(flow, "flow")):
                yield source.says("access", access, where, Rank.INFERRED)
            return
