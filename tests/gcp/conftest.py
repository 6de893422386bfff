"""Small estates of Google Cloud, written in a few words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from modelreach.policy.gcp.engine import GcpEngine
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    AttachmentKind,
    Attributes,
    Binding,
    Coverage,
    Credential,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
    documents_of,
)

ORG, FOLDER, PROJECT, OTHER = "organizations/1", "folders/2", "projects/p", "projects/q"
NOW = "2026-11-25T12:00:00Z"
VIEWER = "roles/storage.objectViewer"
ROLES = {
    VIEWER: ("storage.objects.get", "storage.objects.list"),
    "roles/storage.admin": (
        *("storage.buckets.get", "storage.buckets.list", "storage.buckets.setIamPolicy"),
        *("storage.objects.create", "storage.objects.get", "storage.objects.list"),
    ),
    "roles/secretmanager.secretAccessor": ("secretmanager.versions.access",),
    "roles/iam.serviceAccountTokenCreator": (
        *("iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"),
        *("iam.serviceAccounts.implicitDelegation", "iam.serviceAccounts.signBlob"),
        "iam.serviceAccounts.signJwt",
    ),
    "roles/viewer": ("storage.buckets.list", "resourcemanager.projects.get"),
    "roles/editor": (
        *("storage.buckets.list", "iam.serviceAccounts.actAs", "iam.serviceAccountKeys.create"),
        "resourcemanager.projects.get",
    ),
    "roles/owner": (
        *("storage.buckets.list", "iam.serviceAccounts.actAs", "iam.serviceAccountKeys.create"),
        *("resourcemanager.projects.get", "resourcemanager.projects.setIamPolicy"),
    ),
    "roles/storage.legacyBucketOwner": ("storage.buckets.get", "storage.objects.create"),
}


def sa(name: str, project: str = "p") -> str:
    return f"serviceAccount:{name}@{project}.iam.gserviceaccount.com"


def bucket(name: str) -> str:
    return f"//storage.googleapis.com/projects/_/buckets/{name}"


def secret(name: str, number: str = "11") -> str:
    return f"//secretmanager.googleapis.com/projects/{number}/secrets/{name}"


@dataclass
class Estate:
    """A snapshot in the making: an organization, a folder in it, project `p` there, and project
    `q` beside the folder."""

    scopes: dict[str, Scope] = field(default_factory=dict)
    principals: dict[str, Principal] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    runtimes: list[Runtime] = field(default_factory=list)
    credentials: list[Credential] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    roles: dict[str, bytes] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    taken_at: str = NOW

    def __post_init__(self) -> None:
        self.scope(ORG, "organization", "")
        self.scope(FOLDER, "folder", ORG)
        self.scope(PROJECT, "project", FOLDER, number="11")
        self.scope(OTHER, "project", ORG, number="22")
        self.covered("groups", ORG)
        for name, permissions in ROLES.items():
            self.role(name, permissions)

    def scope(self, name: str, kind: str, parent: str, **attributes: Any) -> None:
        self.scopes[name] = Scope(
            id=name, provider="gcp", kind=kind, parent=parent, attributes=attributes
        )

    def account(
        self,
        name: str,
        project: str = PROJECT,
        kind: str = "service-account",
        groups: Iterable[str] = (),
        **attributes: Any,
    ) -> str:
        member = sa(name, project.removeprefix("projects/")) if ":" not in name else name
        self.principals[member] = Principal(
            id=member,
            provider="gcp",
            kind=kind,
            scope=project,
            name=name,
            groups=tuple(groups),
            attributes=attributes,
        )
        return member

    def resource(self, name: str, kind: str, scope: str = PROJECT, **attributes: Any) -> str:
        self.resources[name] = Resource(
            id=name,
            provider="gcp",
            kind=kind,
            scope=scope,
            name=name.rsplit("/", 1)[-1],
            attributes=attributes,
        )
        return name

    def bucket(self, name: str, scope: str = PROJECT, **attributes: Any) -> str:
        return self.resource(bucket(name), "storage.googleapis.com/Bucket", scope, **attributes)

    def secret(self, name: str, scope: str = PROJECT, number: str = "11") -> str:
        return self.resource(secret(name, number), "secretmanager.googleapis.com/Secret", scope)

    def role(self, name: str, permissions: Iterable[str], **more: Any) -> str:
        self.roles[name] = document_bytes({"includedPermissions": list(permissions), **more})
        return name

    def bind(
        self, target: str, role: str, *members: str, condition: str = "", title: str = ""
    ) -> None:
        attributes: Attributes = {"condition_title": title} if title else {}
        self.bindings.append(
            Binding(
                id=f"{target}#{role}#{len(self.bindings)}",
                provider="gcp",
                target=target,
                role=role,
                members=members,
                condition=condition,
                attributes=attributes,
            )
        )

    def attach(self, target: str, kind: AttachmentKind, document: object, name: str) -> None:
        raw = document if isinstance(document, bytes) else document_bytes(document)
        digest = document_id(raw)
        self.documents[digest] = raw
        self.attachments.append(
            Attachment(target=target, kind=kind, document=digest, name=name, policy=name)
        )

    def deny(self, target: str, *rules: dict[str, Any], name: str = "guard") -> None:
        self.attach(target, "deny", {"rules": [{"denyRule": rule} for rule in rules]}, name)

    def boundary(
        self,
        target: str,
        *resources: str,
        version: str = "4",
        condition: str = "",
        name: str = "fence",
    ) -> None:
        details = {
            "enforcementVersion": version,
            "rules": [{"effect": "ALLOW", "resources": [_full(r) for r in resources]}],
        }
        binding = {"condition": {"expression": condition}} if condition else {}
        document = {"binding": binding, "policy": {"details": details}}
        self.attach(target, "boundary", document, name)

    def gap(self, kind: str, scope: str, subject: str = "", reason: str = "denied") -> None:
        self.gaps.append(
            Gap(
                provider="gcp",
                scope=scope,
                kind=kind,
                reason=reason,
                subject=subject,
                operation="test",
            )
        )

    def covered(self, kind: str, scope: str = PROJECT) -> None:
        self.coverage.append(Coverage(provider="gcp", scope=scope, kind=kind))

    def snapshot(self) -> Snapshot:
        documents = {document_id(raw): raw for raw in self.roles.values()} | self.documents
        return Snapshot(
            schema=SCHEMA,
            taken_at=self.taken_at,
            scopes=tuple(self.scopes.values()),
            principals=tuple(self.principals.values()),
            credentials=tuple(self.credentials),
            resources=tuple(self.resources.values()),
            runtimes=tuple(self.runtimes),
            managed_policies=tuple(
                ManagedPolicy(
                    id=name,
                    provider="gcp",
                    scope="",
                    default_version="1",
                    versions={"1": document_id(raw)},
                )
                for name, raw in self.roles.items()
            ),
            attachments=tuple(self.attachments),
            bindings=tuple(self.bindings),
            coverage=tuple(self.coverage),
            gaps=tuple(self.gaps),
            documents=documents_of(documents),
        )

    def engine(self, **fixed: tuple[str, ...]) -> GcpEngine:
        return GcpEngine(Facts(self.snapshot()), fixed)

    def verdict(self, who: str, permission: str, resource: str) -> str:
        return str(self.engine().decide(who, permission, resource).verdict)


def _full(scope: str) -> str:
    return scope if scope.startswith("//") else f"//cloudresourcemanager.googleapis.com/{scope}"


@pytest.fixture
def estate() -> Estate:
    return Estate()


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()
