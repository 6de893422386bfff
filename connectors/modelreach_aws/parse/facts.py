"""Facts of AWS under construction, and how its times and tags are read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from modelreach.collect.facts import Gathering, rfc3339
from modelreach.snapshot import (
    AttachmentKind,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
)

PROVIDER: Final = "aws"

#: What a gap says is missing when a document of that kind is not understood.
_FACETS: Final[Mapping[str, str]] = {
    "identity": "identity-policy",
    "boundary": "boundary",
    "trust": "trust",
    "resource": "resource-policy",
    "grant": "resource-policy",
}


class Facts(Gathering):
    """Everything that the parsers of one run have found so far."""

    def __init__(self) -> None:
        super().__init__(PROVIDER)
        self.scopes: list[Scope] = []
        self.principals: list[Principal] = []
        self.resources: list[Resource] = []
        self.runtimes: list[Runtime] = []
        self.policies: list[ManagedPolicy] = []

    def apply(
        self,
        scope: str,
        target: str,
        kind: AttachmentKind,
        document: object,
        *,
        name: str = "",
        policy: str = "",
        region: str = "",
    ) -> None:
        """Say that a document applies to a target. One that is not a JSON object leaves a gap."""
        self.attach(target, kind, document, name=name, policy=policy)
        if not isinstance(decoded(document), dict):
            self.gap(
                scope,
                _FACETS.get(kind, kind),
                "malformed",
                region=region,
                subject=target,
                message=f"the document of {policy or name or kind} is not a JSON object",
            )

    def snapshot(self, *, taken_at: str, tool: str) -> Snapshot:
        """Give what was found as a canonical snapshot."""
        return self._whole(
            taken_at=taken_at,
            tool=tool,
            scopes=self.scopes,
            principals=self.principals,
            resources=self.resources,
            runtimes=self.runtimes,
            managed_policies=self.policies,
        )


def decoded(document: object) -> object:
    """Give a document decoded where it is JSON text, unchanged where it is not."""
    if isinstance(document, str):
        with suppress(ValueError, RecursionError):
            return json.loads(document)
    return document


def tags_of(tags: object) -> dict[str, str]:
    """Give tags in whichever of AWS's forms they come: pairs by several names, or a map."""
    if isinstance(tags, Mapping):
        return {str(name): str(value) for name, value in tags.items()}
    found: dict[str, str] = {}
    for tag in tags if isinstance(tags, list) else ():
        name = tag.get("Key", tag.get("TagKey", tag.get("key")))
        value = tag.get("Value", tag.get("TagValue", tag.get("value")))
        if name is not None:
            found[str(name)] = "" if value is None else str(value)
    return found


def moment(value: object) -> str:
    """Give a time as RFC 3339 UTC, "" for none. Epoch seconds, as some attributes are, count."""
    text = "" if value is None else str(value)
    if re.fullmatch(r"\d{9,11}", text):
        return rfc3339(datetime.fromtimestamp(int(text), UTC))
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return ""
    return "" if found is None else rfc3339(found)
