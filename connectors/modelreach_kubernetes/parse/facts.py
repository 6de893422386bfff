"""The facts of one cluster while they are gathered, and how its things are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from modelreach.collect.facts import Gathering
from modelreach.snapshot import (
    Binding,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
)
from modelreach_kubernetes.estate import Object

PROVIDER: Final = "kubernetes"


class Facts(Gathering):
    """Facts of one cluster. `cluster` is the id of its scope."""

    def __init__(self, cluster: str) -> None:
        super().__init__(PROVIDER)
        self.cluster = cluster
        self.scopes: list[Scope] = []
        self.principals: dict[str, Principal] = {}
        self.resources: list[Resource] = []
        self.runtimes: list[Runtime] = []
        self.roles: list[ManagedPolicy] = []
        self.bindings: list[Binding] = []
        self.admitting: dict[str, Any] = {}
        self.admitted: list[Object] = []

    def scope(self, namespace: str) -> str:
        """The scope of a namespace; of none, the cluster."""
        return f"{self.cluster}/{namespace}" if namespace else self.cluster

    def id(self, namespace: str, plural: str, name: str) -> str:
        """The id of a thing."""
        return f"{self.cluster}/{namespace}/{plural}/{name}"

    def account(self, namespace: str, name: str) -> str:
        """The id of a service account."""
        return f"{self.cluster}/system:serviceaccount:{namespace}:{name}"

    def snapshot(self, *, taken_at: str) -> Snapshot:
        """Give what was found as a canonical snapshot."""
        return self._whole(
            taken_at=taken_at,
            tool="",
            scopes=self.scopes,
            principals=self.principals.values(),
            resources=self.resources,
            runtimes=self.runtimes,
            managed_policies=self.roles,
            bindings=self.bindings,
        )


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
