"""The facts of one cluster while they are gathered, and how its things are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from modelreach.snapshot import (
    Attributes,
    Binding,
    Coverage,
    Credential,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    document_bytes,
    document_id,
)
from modelreach_kubernetes.estate import Object

PROVIDER: Final = "kubernetes"


@dataclass(slots=True)
class Facts:
    """Facts of one cluster. `cluster` is the id of its scope."""

    cluster: str
    scopes: list[Scope] = field(default_factory=list[Scope])
    principals: dict[str, Principal] = field(default_factory=dict[str, Principal])
    credentials: list[Credential] = field(default_factory=list[Credential])
    resources: list[Resource] = field(default_factory=list[Resource])
    runtimes: list[Runtime] = field(default_factory=list[Runtime])
    roles: list[ManagedPolicy] = field(default_factory=list[ManagedPolicy])
    bindings: list[Binding] = field(default_factory=list[Binding])
    coverage: list[Coverage] = field(default_factory=list[Coverage])
    gaps: list[Gap] = field(default_factory=list[Gap])
    documents: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def scope(self, namespace: str) -> str:
        """The scope of a namespace; of none, the cluster."""
        return f"{self.cluster}/{namespace}" if namespace else self.cluster

    def id(self, namespace: str, plural: str, name: str) -> str:
        """The id of a thing."""
        return f"{self.cluster}/{namespace}/{plural}/{name}"

    def account(self, namespace: str, name: str) -> str:
        """The id of a service account."""
        return f"{self.cluster}/system:serviceaccount:{namespace}:{name}"

    def keep(self, document: object) -> str:
        """Keep a document, and give its digest."""
        raw = document_bytes(document)
        digest = document_id(raw)
        self.documents[digest] = raw
        return digest


@dataclass(frozen=True, slots=True)
class Named:
    """What every object says of itself."""

    kind: str
    name: str
    namespace: str
    labels: dict[str, str]
    annotations: dict[str, str]
    created: str

    @staticmethod
    def of(item: Object) -> Named:
        """Read an object's metadata; what is not text is left out."""
        about = item.get("metadata")
        metadata: Mapping[str, Any] = about if isinstance(about, Mapping) else {}
        return Named(
            str(item.get("kind", "")),
            text(metadata.get("name")),
            text(metadata.get("namespace")),
            _texts(metadata.get("labels")),
            _texts(metadata.get("annotations")),
            text(metadata.get("creationTimestamp")),
        )


def text(value: object) -> str:
    """Give a text; "" for anything else."""
    return value if isinstance(value, str) else ""


def _texts(found: object) -> dict[str, str]:
    if not isinstance(found, Mapping):
        return {}
    return {str(key): value for key, value in found.items() if isinstance(value, str)}


def mappings(found: object) -> Iterator[Mapping[str, Any]]:
    """Give the mappings of a list; what else is in it is passed over."""
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping):
            yield one


def attributes(**given: str | bool | tuple[str, ...] | None) -> Attributes:
    """Give the attributes that are known."""
    return {name: value for name, value in given.items() if value not in (None, "", ())}
