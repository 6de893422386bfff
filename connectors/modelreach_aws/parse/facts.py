"""Facts under construction: sections that grow, and documents kept once each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    AttachmentKind,
    AttributeValue,
    Coverage,
    Credential,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    Usage,
    canonical,
    document_bytes,
    document_id,
    documents_of,
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


class Facts:
    """Everything that the parsers of one run have found so far."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.principals: list[Principal] = []
        self.credentials: list[Credential] = []
        self.resources: list[Resource] = []
        self.runtimes: list[Runtime] = []
        self.policies: list[ManagedPolicy] = []
        self.attachments: list[Attachment] = []
        self.usage: list[Usage] = []
        self.coverage: list[Coverage] = []
        self.gaps: list[Gap] = []
        self._documents: dict[str, bytes] = {}
        self._digests: dict[bytes, str] = {}

    def document(self, document: object) -> str:
        """Keep a document, and give its digest. Equal documents are kept once."""
        raw = document_bytes(document)
        digest = self._digests.get(raw)
        if digest is None:
            digest = self._digests[raw] = document_id(raw)
            # Equal but for key order: which form is kept must not depend on who came first.
            self._documents[digest] = min(self._documents.get(digest, raw), raw)
        return digest

    def text(self, digest: str) -> bytes:
        """Give a document that was kept."""
        return self._documents[digest]

    def attach(
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
        digest = self.document(document)
        self.attachments.append(
            Attachment(target=target, kind=kind, document=digest, name=name, policy=policy)
        )
        if not isinstance(decoded(document), dict):
            self.gap(
                scope,
                _FACETS.get(kind, kind),
                "malformed",
                region=region,
                subject=target,
                message=f"the document of {policy or name or kind} is not a JSON object",
            )

    def gap(self, scope: str, kind: str, reason: str, **more: str) -> None:
        """Say that something could not be read."""
        self.gaps.append(Gap(provider=PROVIDER, scope=scope, kind=kind, reason=reason, **more))

    def snapshot(self, *, taken_at: str, tool: str) -> Snapshot:
        """Give what was found as a canonical snapshot."""
        return canonical(
            Snapshot(
                schema=SCHEMA,
                taken_at=taken_at,
                tool=tool,
                scopes=tuple(self.scopes),
                principals=tuple(self.principals),
                credentials=tuple(self.credentials),
                resources=tuple(self.resources),
                runtimes=tuple(self.runtimes),
                managed_policies=tuple(self.policies),
                attachments=tuple(self.attachments),
                usage=tuple(self.usage),
                coverage=tuple(self.coverage),
                gaps=tuple(self.gaps),
                documents=documents_of(self._documents),
            )
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


def attributes(**values: AttributeValue | Iterable[str] | None) -> dict[str, AttributeValue]:
    """Give attributes without those that are not known or empty; False is a value."""
    found: dict[str, AttributeValue] = {}
    for name, value in values.items():
        if value is None or value == "":
            continue
        if not isinstance(value, str | int | bool):
            value = tuple(sorted(set(value)))
            if not value:
                continue
        found[name] = value
    return found


def moment(value: object) -> str:
    """Give a time as RFC 3339 UTC, "" for none. Epoch seconds, as some attributes are, count."""
    text = "" if value is None else str(value)
    if re.fullmatch(r"\d{9,11}", text):
        return _rfc3339(datetime.fromtimestamp(int(text), UTC))
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return ""
    if found is None:
        return ""
    return _rfc3339(found if found.tzinfo else found.replace(tzinfo=UTC))


def _rfc3339(found: datetime) -> str:
    return found.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
