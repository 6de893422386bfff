"""Small clusters for the tests: two namespaces, roles as they are written, bindings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from modelreach.policy.kubernetes.engine import KubernetesEngine
from modelreach.policy.kubernetes.names import account_id, group_id, resource_id, user_id
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Binding,
    Coverage,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_id,
)

CLUSTER = "k8s/prod"
RBAC = "rbac.authorization.k8s.io"


@dataclass
class Cluster:
    """A cluster that is written down step by step; `snapshot` gives what was written."""

    name: str = CLUSTER
    attributes: dict[str, Any] = field(default_factory=dict)
    namespaces: dict[str, dict[str, str]] = field(default_factory=lambda: {"ml": {}, "web": {}})
    principals: list[Principal] = field(default_factory=list)
    roles: list[ManagedPolicy] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    runtimes: list[Runtime] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    documents: dict[str, msgspec.Raw] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)

    def scope(self, namespace: str = "") -> str:
        return f"{self.name}/{namespace}" if namespace else self.name

    def account(self, name: str, namespace: str = "ml", **attributes: Any) -> str:
        found = account_id(self.name, namespace, name)
        self._principal(found, "service-account", self.scope(namespace), name, attributes)
        return found

    def user(self, name: str, groups: Sequence[str] = (), **attributes: Any) -> str:
        found = user_id(self.name, name)
        kind = "node" if name.startswith("system:node:") else "user"
        self._principal(found, kind, self.name, name, attributes, groups)
        return found

    def group(self, name: str) -> str:
        found = group_id(self.name, name)
        self._principal(found, "group", self.name, name, {})
        return found

    def _principal(
        self,
        name: str,
        kind: str,
        scope: str,
        short: str,
        attributes: Mapping[str, Any],
        groups: Sequence[str] = (),
    ) -> None:
        self.principals.append(
            Principal(
                id=name,
                provider="kubernetes",
                kind=kind,
                scope=scope,
                name=short,
                groups=tuple(group_id(self.name, g) for g in groups),
                attributes=dict(attributes),
            )
        )

    def role(
        self,
        name: str,
        rules: Any,
        namespace: str = "",
        *,
        labels: Mapping[str, str] | None = None,
        aggregation: Any = None,
    ) -> str:
        kind = f"roles.{RBAC}" if namespace else f"clusterroles.{RBAC}"
        found = resource_id(self.name, namespace, kind, name)
        document: dict[str, Any] = {"rules": rules}
        if aggregation is not None:
            document["aggregationRule"] = aggregation
        raw = json.dumps(document).encode()
        digest = document_id(raw)
        self.documents[digest] = msgspec.Raw(raw)
        self.roles.append(
            ManagedPolicy(
                id=found,
                provider="kubernetes",
                scope=self.scope(namespace),
                name=name,
                default_version="1",
                versions={"1": digest},
                tags=dict(labels or {}),
            )
        )
        return found

    def bind(self, role: str, *members: str, namespace: str = "") -> None:
        kind = f"rolebindings.{RBAC}" if namespace else f"clusterrolebindings.{RBAC}"
        name = f"b{len(self.bindings)}"
        self.bindings.append(
            Binding(
                id=resource_id(self.name, namespace, kind, name),
                provider="kubernetes",
                target=self.scope(namespace),
                role=role,
                members=members,
            )
        )

    def let(
        self,
        member: str,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str = "",
        names: Sequence[str] = (),
    ) -> None:
        """Give one permission by a role of its own."""
        rule: dict[str, Any] = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        if names:
            rule["resourceNames"] = list(names)
        role = self.role(f"r{len(self.roles)}", [rule], namespace)
        self.bind(role, member, namespace=namespace)

    def resource(self, plural: str, name: str, namespace: str = "ml", **attributes: Any) -> str:
        found = resource_id(self.name, namespace, plural, name)
        self.resources.append(
            Resource(
                id=found,
                provider="kubernetes",
                kind=f"kubernetes:{plural}",
                scope=self.scope(namespace),
                name=name,
                attributes=dict(attributes),
            )
        )
        return found

    def runtime(
        self,
        plural: str,
        name: str,
        account: str,
        namespace: str = "ml",
        links: Sequence[Any] = (),
        **attributes: Any,
    ) -> str:
        found = resource_id(self.name, namespace, plural, name)
        self.runtimes.append(
            Runtime(
                id=found,
                provider="kubernetes",
                kind=f"kubernetes:{plural}",
                scope=self.scope(namespace),
                name=name,
                identities=(account,),
                links=tuple(links),
                attributes=dict(attributes),
            )
        )
        return found

    def admission(self, name: str, document: Any) -> str:
        """Say what may refuse requests; text stands for what is not understood."""
        kind = "validatingwebhookconfigurations.admissionregistration.k8s.io"
        raw = json.dumps(document).encode()
        self.documents[document_id(raw)] = msgspec.Raw(raw)
        found = self.resource(kind, name, "")
        self.attachments.append(
            Attachment(
                target=self.name,
                kind="admission",
                document=document_id(raw),
                name=name,
                policy=found,
            )
        )
        return found

    def gap(self, kind: str, namespace: str = "", subject: str = "") -> None:
        self.gaps.append(
            Gap(
                provider="kubernetes",
                scope=self.scope(namespace),
                kind=kind,
                reason="denied",
                subject=subject,
            )
        )

    @property
    def snapshot(self) -> Snapshot:
        scopes = [
            Scope(
                id=self.name,
                provider="kubernetes",
                kind="cluster",
                name=self.name.partition("/")[2],
                attributes=dict(self.attributes),
            )
        ]
        scopes += [
            Scope(
                id=self.scope(name),
                provider="kubernetes",
                kind="namespace",
                name=name,
                parent=self.name,
                tags=labels,
            )
            for name, labels in self.namespaces.items()
        ]
        return Snapshot(
            schema=SCHEMA,
            taken_at="2026-11-25T00:00:00Z",
            scopes=tuple(scopes),
            principals=tuple(self.principals),
            managed_policies=tuple(self.roles),
            bindings=tuple(self.bindings),
            attachments=tuple(self.attachments),
            resources=tuple(self.resources),
            runtimes=tuple(self.runtimes),
            coverage=tuple(self.coverage),
            gaps=tuple(self.gaps),
            documents=dict(self.documents),
        )

    @property
    def engine(self) -> KubernetesEngine:
        return KubernetesEngine(Facts(self.snapshot))

    def may(self, who: str, action: str, thing: str, name: str = "") -> str:
        context = {"name": (name,)} if name else {}
        return str(self.engine.decide(who, action, thing, context).verdict)

    def hops(self, who: str) -> set[tuple[str, str]]:
        return {(pivot.target, str(pivot.strength)) for pivot in self.engine.pivots(who)}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def clusters() -> type[Cluster]:
    return Cluster
