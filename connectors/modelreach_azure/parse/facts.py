"""Facts of Azure under construction, and how values of its answers are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from modelreach.collect.facts import Gathering, attributes, rfc3339
from modelreach.snapshot import (
    AttributeValue,
    Binding,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
)

PROVIDER: Final = "azure"


class Facts(Gathering):
    """Everything that the parsers of one run have found so far, of one tenant."""

    def __init__(self, tenant: str, now: str) -> None:
        super().__init__(PROVIDER)
        self.tenant = tenant
        self.now = now
        self.scopes: dict[str, Scope] = {}
        self.principals: dict[str, Principal] = {}
        self.resources: dict[str, Resource] = {}
        self.runtimes: dict[str, Runtime] = {}
        self.policies: dict[str, ManagedPolicy] = {}
        self.bindings: dict[str, Binding] = {}

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

    def snapshot(self, *, tool: str) -> Snapshot:
        """Give what was found as a canonical snapshot."""
        return self._whole(
            taken_at=self.now,
            tool=tool,
            scopes=self.scopes.values(),
            principals=self.principals.values(),
            resources=self.resources.values(),
            runtimes=self.runtimes.values(),
            managed_policies=self.policies.values(),
            bindings=self.bindings.values(),
        )


def tags_of(tags: object) -> dict[str, str]:
    """Give tags as text; null is an empty value."""
    if not isinstance(tags, dict):
        return {}
    return {str(name): "" if value is None else str(value) for name, value in tags.items()}


def moment(value: object) -> str:
    """Give a time as RFC 3339 UTC, "" for none. Key Vault gives seconds since 1970."""
    if isinstance(value, int) and not isinstance(value, bool):
        return rfc3339(datetime.fromtimestamp(value, UTC)) if 0 < value < 253402300800 else ""
    text = "" if value is None else str(value)
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return ""
    if found is None or found.year < 1970:
        return ""
    return rfc3339(found)


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
