"""Policy cases of Azure, as the reference evaluator reads them, put to the engine.

A case becomes a snapshot, so that what is tried is all of the engine and not a part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from modelreach.policy.azure.engine import AzureEngine
from modelreach.policy.decision import Decision
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Binding,
    Facts,
    Gap,
    ManagedPolicy,
    Principal,
    Resource,
    Scope,
    Snapshot,
    document_bytes,
    document_id,
)

_TENANT = "tenant"
_KINDS = {
    "/subscriptions/": "subscription",
    "/providers/microsoft.management/": "management-group",
}


def run_case(case: Mapping[str, Any]) -> Decision:
    """Give the engine's answer to a case."""
    engine = AzureEngine(facts_of(case))
    context = {key: (value,) for key, value in case["context"].items()}
    return engine.decide(case["principal"], case["action"], case["resource"], context)


def facts_of(case: Mapping[str, Any]) -> Facts:
    """Make the snapshot that a case tells of."""
    documents: dict[str, msgspec.Raw] = {}

    def kept(content: object) -> str:
        raw = document_bytes(content)
        digest = document_id(raw)
        documents[digest] = msgspec.Raw(raw)
        return digest

    roles = tuple(
        ManagedPolicy(
            id=name,
            provider="azure",
            scope="/",
            name=name,
            default_version="current",
            versions={"current": kept({"permissions": blocks})},
        )
        for name, blocks in case["roles"].items()
        if blocks is not None
    )
    denies = tuple(
        Attachment(
            target=deny["scope"].lower(),
            kind="deny",
            document=kept({key: value for key, value in deny.items() if key != "scope"}),
            name=f"deny {number}",
        )
        for number, deny in enumerate(case["denies"])
    )
    snapshot = Snapshot(
        schema=SCHEMA,
        taken_at="2026-01-01T00:00:00Z",
        scopes=tuple(_scopes(case)),
        principals=tuple(_principals(case)),
        resources=tuple(_resources(case)),
        managed_policies=roles,
        bindings=tuple(_bindings(case)),
        attachments=denies,
        gaps=tuple(_gap(group) for group in case["unread_groups"]),
        documents=documents,
    )
    return Facts(snapshot)


def _scopes(case: Mapping[str, Any]) -> list[Scope]:
    named = {*case["parents"], *case["locks"]}
    found = [
        Scope(id=_TENANT, provider="azure", kind="tenant"),
        Scope(id="/", provider="azure", kind="root", parent=_TENANT),
    ]
    for name in sorted(named):
        if "/providers/microsoft.storage/" in name:
            continue
        kind = "resource-group"
        if "/resourcegroups/" not in name:
            kind = next(word for start, word in _KINDS.items() if name.startswith(start))
        parent = case["parents"].get(name) or name.rpartition("/resourcegroups/")[0]
        locks = tuple(case["locks"].get(name, ()))
        attributes: dict[str, Any] = {"locks": locks} if locks else {}
        found.append(
            Scope(id=name, provider="azure", kind=kind, parent=parent, attributes=attributes)
        )
    return found


def _resources(case: Mapping[str, Any]) -> list[Resource]:
    return [
        Resource(
            id=name,
            provider="azure",
            kind="microsoft.storage/storageaccounts",
            scope=name.split("/providers/")[0],
            attributes={"locks": tuple(levels)},
        )
        for name, levels in case["locks"].items()
        if "/providers/microsoft.storage/" in name
    ]


def _principals(case: Mapping[str, Any]) -> list[Principal]:
    groups = {group for found in case["groups"].values() for group in found}
    groups |= set(case["unread_groups"])
    names = {case["principal"], *case["groups"], *groups}
    own = "user" if case.get("person") else "managed-identity"
    return [
        Principal(
            id=name,
            provider="azure",
            kind="group" if name in groups else own,
            scope=_TENANT,
            groups=tuple(case["groups"].get(name, ())),
        )
        for name in sorted(names)
    ]


def _bindings(case: Mapping[str, Any]) -> list[Binding]:
    return [
        Binding(
            id=f"{one['scope']}#{number}",
            provider="azure",
            target=one["scope"].lower(),
            role=one["role"],
            members=(one["principal"],),
            condition=one.get("condition", ""),
            status=one.get("status", "active"),
        )
        for number, one in enumerate(case["assignments"])
    ]


def _gap(group: str) -> Gap:
    return Gap(provider="azure", scope=_TENANT, kind="groups", reason="denied", subject=group)
