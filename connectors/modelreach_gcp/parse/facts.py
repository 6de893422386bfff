"""Facts under construction: sections that grow, and documents kept once each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    AttachmentKind,
    AttributeValue,
    Binding,
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
from modelreach_gcp.select import text as text

PROVIDER: Final = "gcp"


class Facts:
    """Everything that the parsers of one run have found so far."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.principals: dict[str, Principal] = {}
        self.credentials: list[Credential] = []
        self.resources: dict[str, Resource] = {}
        self.runtimes: list[Runtime] = []
        self.roles: list[ManagedPolicy] = []
        self.attachments: list[Attachment] = []
        self.bindings: list[Binding] = []
        self.usage: list[Usage] = []
        self.coverage: list[Coverage] = []
        self.gaps: list[Gap] = []
        self._documents: dict[str, bytes] = {}

    def document(self, document: object) -> str:
        """Keep a document, and give its digest. Equal documents are kept once."""
        raw = document_bytes(document)
        digest = document_id(raw)
        self._documents[digest] = min(self._documents.get(digest, raw), raw)
        return digest

    def attach(
        self, target: str, kind: AttachmentKind, document: object, *, name: str, policy: str
    ) -> None:
        """Say that a document applies to a target."""
        digest = self.document(document)
        self.attachments.append(
            Attachment(target=target, kind=kind, document=digest, name=name, policy=policy)
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
                principals=tuple(self.principals.values()),
                credentials=tuple(self.credentials),
                resources=tuple(self.resources.values()),
                runtimes=tuple(self.runtimes),
                managed_policies=tuple(self.roles),
                attachments=tuple(self.attachments),
                bindings=tuple(self.bindings),
                usage=tuple(self.usage),
                coverage=tuple(self.coverage),
                gaps=tuple(self.gaps),
                documents=documents_of(self._documents),
            )
        )


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


def digest(text: str) -> str:
    """Give a short digest of a text, to tell it from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def moment(value: object) -> str:
    """Give a time in whole seconds as RFC 3339 UTC, "" for none."""
    try:
        found = datetime.fromisoformat(text(value).replace("Z", "+00:00"))
    except ValueError:
        return ""
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
