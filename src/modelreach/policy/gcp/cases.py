"""Policy cases: one request and everything around it in one record, decided by the engine.

A record has `request` (principal, permission, resource, time, context), `scopes`, `resources` and
`principals` by id, `roles` (definitions by id), `bindings`, `denies`, `boundaries` and `gaps`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from modelreach.policy.decision import Decision
from modelreach.policy.gcp.engine import GcpEngine
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    AttachmentKind,
    Binding,
    Coverage,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
    documents_of,
)

Record = Mapping[str, Any]
_MANAGER = "//cloudresourcemanager.googleapis.com/"


def decide(record: Record) -> Decision:
    """Give the engine's decision on a case."""
    request = record["request"]
    context = {name: (value,) for name, value in request["context"].items()}
    engine = GcpEngine(Facts(snapshot(record)), context)
    return engine.decide(request["principal"], request["permission"], request["resource"])


def snapshot(record: Record) -> Snapshot:
    """Give the estate of a case as a snapshot."""
    documents: dict[str, bytes] = {}

    def kept(document: object) -> str:
        raw = document_bytes(document)
        documents[document_id(raw)] = raw
        return document_id(raw)

    attachments = [
        _attachment("deny", deny["target"], n, kept({"rules": _deny_rules(deny["rules"])}))
        for n, deny in enumerate(record["denies"])
    ]
    attachments += [
        _attachment("boundary", bound["target"], n, kept(_bound(bound)))
        for n, bound in enumerate(record["boundaries"])
    ]
    roles = [_role(name, kept(found)) for name, found in record["roles"].items()]
    return Snapshot(
        schema=SCHEMA,
        taken_at=record["request"]["time"],
        scopes=tuple(map(_scope, record["scopes"].values())),
        principals=tuple(map(_principal, record["principals"].values())),
        resources=tuple(map(_resource, record["resources"].values())),
        managed_policies=tuple(roles),
        attachments=tuple(attachments),
        bindings=tuple(_binding(n, found) for n, found in enumerate(record["bindings"])),
        coverage=tuple(Coverage(provider="gcp", scope=s, kind="groups") for s in record["scopes"]),
        gaps=tuple(_gap(found) for found in record["gaps"]),
        documents=documents_of(documents),
    )


def _deny_rules(rules: Iterable[Record]) -> list[dict[str, Any]]:
    return [{"denyRule": rule} for rule in rules]


def _bound(bound: Record) -> dict[str, Any]:
    rule = {"effect": "ALLOW", "resources": [_MANAGER + name for name in bound["resources"]]}
    condition = {"expression": bound["condition"]} if bound["condition"] else {}
    details = {"rules": [rule], "enforcementVersion": str(bound["version"])}
    return {
        "binding": {"condition": condition} if condition else {},
        "policy": {"details": details},
    }


def _attachment(kind: AttachmentKind, target: str, number: int, digest: str) -> Attachment:
    name = f"{kind}-{number}"
    return Attachment(target=target, kind=kind, document=digest, name=name, policy=name)


def _role(name: str, digest: str) -> ManagedPolicy:
    return ManagedPolicy(
        id=name, provider="gcp", scope="", default_version="1", versions={"1": digest}
    )


def _scope(found: Record) -> Scope:
    kind = {"organizations": "organization", "folders": "folder"}.get(
        found["id"].partition("/")[0], "project"
    )
    attributes: dict[str, Any] = {"tags": tuple(found["tags"])}
    if "number" in found:
        attributes["number"] = found["number"]
    return Scope(
        id=found["id"], provider="gcp", kind=kind, parent=found["parent"], attributes=attributes
    )


def _principal(found: Record) -> Principal:
    attributes = dict(found.get("attributes", {}))
    if found.get("disabled"):
        attributes["disabled"] = True
    return Principal(
        id=found["id"],
        provider="gcp",
        kind=found["kind"],
        scope=found["scope"],
        groups=tuple(found["groups"]),
        attributes=attributes,
    )


def _resource(found: Record) -> Resource:
    return Resource(
        id=found["id"],
        provider="gcp",
        kind=found["kind"],
        scope=found["scope"],
        attributes={"tags": tuple(found["tags"])},
    )


def _binding(number: int, found: Record) -> Binding:
    return Binding(
        id=f"{found['target']}#{found['role']}#{number}",
        provider="gcp",
        target=found["target"],
        role=found["role"],
        members=tuple(found["members"]),
        condition=found["condition"],
    )


def _gap(found: Record) -> Gap:
    return Gap(
        provider="gcp",
        scope=found["scope"],
        kind=found["kind"],
        reason="denied",
        subject=found["subject"],
    )
