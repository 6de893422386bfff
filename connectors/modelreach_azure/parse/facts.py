"""Facts under construction: sections that grow, and documents kept once each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

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
    canonical,
    document_bytes,
    document_id,
    documents_of,
)

PROVIDER: Final = "azure"


class Facts:
    """Everything that the parsers of one run have found so far, of one tenant."""

    def __init__(self, tenant: str, now: str) -> None:
        self.tenant = tenant
        self.now = now
        self.scopes: dict[str, Scope] = {}
        self.principals: dict[str, Principal] = {}
        self.credentials: list[Credential] = []
        self.resources: dict[str, Resource] = {}
        self.runtimes: dict[str, Runtime] = {}
        self.policies: dict[str, ManagedPolicy] = {}
        self.attachments: list[Attachment] = []
        self.bindings: dict[str, Binding] = {}
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

    def attach(
        self, target: str, kind: AttachmentKind, document: object, *, name: str, policy: str = ""
    ) -> None:
        """Say that a document applies to a target."""
        digest = self.document(document)
        self.attachments.append(
            Attachment(target=target, kind=kind, document=digest, name=name, policy=policy)
        )

    def role(self, identifier: str, scope: str, name: str, document: object) -> None:
        """Say what a role that bindings name allows."""
        self.policies[identifier] = ManagedPolicy(
            id=identifier,
            provider=PROVIDER,
            scope=scope,
            name=name,
            default_version="current",
            versions={"current": self.document(document)},
        )

    def bind(
        self,
        identifier: str,
        target: str,
        role: str,
        member: str,
        *,
        status: str = "active",
        condition: str = "",
        **more: AttributeValue | None,
    ) -> None:
        """Say that a member holds a role over a target."""
        self.bindings[identifier] = Binding(
            id=identifier,
            provider=PROVIDER,
            target=target,
            role=role,
            members=(member,) if member else (),
            condition=condition,
            status=status,
            attributes=attributes(**more),
        )

    def gap(self, scope: str, kind: str, reason: str, **more: str) -> None:
        """Say that something could not be read."""
        self.gaps.append(Gap(provider=PROVIDER, scope=scope, kind=kind, reason=reason, **more))

    def snapshot(self, *, tool: str) -> Snapshot:
        """Give what was found as a canonical snapshot."""
        return canonical(
            Snapshot(
                schema=SCHEMA,
                taken_at=self.now,
                tool=tool,
                scopes=tuple(self.scopes.values()),
                principals=tuple(self.principals.values()),
                credentials=tuple(self.credentials),
                resources=tuple(self.resources.values()),
                runtimes=tuple(self.runtimes.values()),
                managed_policies=tuple(self.policies.values()),
                attachments=tuple(self.attachments),
                bindings=tuple(self.bindings.values()),
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


def tags_of(tags: object) -> dict[str, str]:
    """Give tags as text; null is an empty value."""
    if not isinstance(tags, dict):
        return {}
    return {str(name): "" if value is None else str(value) for name, value in tags.items()}


def moment(value: object) -> str:
    """Give a time as RFC 3339 UTC, "" for none. Key Vault gives seconds since 1970."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _rfc3339(datetime.fromtimestamp(value, UTC)) if 0 < value < 253402300800 else ""
    text = "" if value is None else str(value)
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return ""
    if found is None or found.year < 1970:
        return ""
    return _rfc3339(found if found.tzinfo else found.replace(tzinfo=UTC))


def _rfc3339(found: datetime) -> str:
    return found.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def text(value: object) -> str:
    """Give text, "" for what is none."""
    return value if isinstance(value, str) else ""


def fields(row: dict[str, Any], name: str = "properties") -> dict[str, Any]:
    """Give a structure of a row, empty where it has none."""
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def boolean(value: object) -> bool | None:
    """Give a flag, None for what is none."""
    return value if isinstance(value, bool) else None
