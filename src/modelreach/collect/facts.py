"""Facts under construction: sections that grow, and documents kept once each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

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


class Gathering:
    """What the parsers of one run have found so far, whatever the provider.

    A provider's own class has the sections in which one thing may come up twice, by id or as a
    list, and gives them to `_whole`.
    """

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.credentials: list[Credential] = []
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
        self, target: str, kind: AttachmentKind, document: object, *, name: str, policy: str = ""
    ) -> None:
        """Say that a document applies to a target."""
        digest = self.document(document)
        self.attachments.append(
            Attachment(target=target, kind=kind, document=digest, name=name, policy=policy)
        )

    def gap(self, scope: str, kind: str, reason: str, **more: str) -> None:
        """Say that something could not be read."""
        self.gaps.append(
            Gap(provider=self.provider, scope=scope, kind=kind, reason=reason, **more)
        )

    def _whole(
        self,
        *,
        taken_at: str,
        tool: str,
        scopes: Iterable[Scope],
        principals: Iterable[Principal],
        resources: Iterable[Resource],
        runtimes: Iterable[Runtime],
        managed_policies: Iterable[ManagedPolicy],
        bindings: Iterable[Binding] = (),
    ) -> Snapshot:
        """Give what was found as a canonical snapshot."""
        return canonical(
            Snapshot(
                schema=SCHEMA,
                taken_at=taken_at,
                tool=tool,
                scopes=tuple(scopes),
                principals=tuple(principals),
                credentials=tuple(self.credentials),
                resources=tuple(resources),
                runtimes=tuple(runtimes),
                managed_policies=tuple(managed_policies),
                attachments=tuple(self.attachments),
                bindings=tuple(bindings),
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


def rfc3339(moment: datetime) -> str:
    """Give a time as RFC 3339 in UTC and whole seconds; one without a zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
