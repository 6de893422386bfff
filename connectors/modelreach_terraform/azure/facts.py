"""What facts of Azure have in common when they come from a plan: ids, and who a resource is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Credential, Link, Principal, Resource
from modelreach_terraform.edits import Edit, Is
from modelreach_terraform.told import Told
from modelreach_terraform.values import at, is_unread, text, texts

ROLES: Final = "/providers/microsoft.authorization/roledefinitions/"
_GROUP: Final = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+")
_SUBSCRIPTION: Final = re.compile(r"/subscriptions/[^/]+")


def lower(value: str) -> str:
    """Give an id in the one spelling that facts have, without a slash at the end."""
    made = value.strip().lower()
    return made.rstrip("/") or ("/" if made else "")


def scope_of(identifier: str) -> str:
    """Give the scope that holds a thing: its resource group, else subscription, else the root."""
    found = _GROUP.match(identifier)
    if found and found.group() != identifier:
        return found.group()
    outer = _SUBSCRIPTION.match(identifier)
    return outer.group() if outer else "/"


def role_id(value: str) -> str:
    """Give a role's id without the scope that is written before it."""
    made = lower(value)
    _, found, guid = made.rpartition("/roledefinitions/")
    return f"{ROLES}{guid}" if found else made


def common(told: Told, kind: str, identifier: str, name: str = "") -> dict[str, Any]:
    """Give the fields that resources and runtimes share."""
    return {
        "id": identifier,
        "provider": "azure",
        "kind": kind,
        "scope": scope_of(identifier),
        "region": told.text("location").replace(" ", "").lower(),
        "name": name or told.text("name"),
        "tags": told.tags(),
    }


def links(kind: str, *targets: str) -> tuple[Link, ...]:
    """Give a link to each target that is one."""
    return tuple(
        Link(kind=kind, target=one.lower() if one.lower().startswith("/subscriptions/") else one)
        for one in targets
        if one
    )


def identities(told: Told) -> tuple[str, ...]:
    """Give the object ids of a resource's identities, system- and user-assigned."""
    found: set[str] = set()
    block = next(told.blocks("identity"), {})
    if "systemassigned" in text(block.get("type")).lower():
        found.add(lower(told.text("identity.principal_id")))
    assigned = block.get("identity_ids")
    if is_unread(assigned):
        assigned = told.get("identity.0.identity_ids")
    for identifier in texts(assigned):
        held = told.world.resources.get(lower(identifier))
        principal = held.attributes.get("principal") if held else ""
        found.add(str(principal or lower(identifier)))
    return tuple(sorted(found - {""}))


def own_identity(told: Told, identifier: str) -> Iterator[Edit]:
    """Give the principal that a resource with an identity of its own is."""
    block = next(told.blocks("identity"), {})
    if "systemassigned" not in text(block.get("type")).lower():
        return
    principal = lower(told.text("identity.principal_id"))
    if principal:
        yield Is(managed(told, principal, identifier, "system"))


def unknown_identities(told: Told, kind: str, identifier: str) -> Iterator[Edit]:
    """Give a gap where it is not known which identities a resource is given."""
    block = next(told.blocks("identity"), {})
    assigned = block.get("identity_ids")
    if is_unread(assigned) and is_unread(told.get("identity.0.identity_ids")):
        yield told.unknown(f"runtimes:{kind}", identifier, "as which identities it runs")


def managed(told: Told, principal: str, resource: str, how: str, app_id: str = "") -> Principal:
    """Give the principal of a managed identity."""
    return Principal(
        id=principal,
        provider="azure",
        kind="managed-identity",
        scope=told.place["tenant"],
        name=told.text("name"),
        unique_id=app_id,
        attributes=attributes(
            app_id=app_id,
            resource=resource,
            managed=how,
            sp_type="ManagedIdentity",
            enabled=True,
        ),
    )


def key(resource: Resource, kind: str, name: str, works: bool) -> Is:
    """Give one of the keys of a resource; its value is not even looked at."""
    return Is(
        Credential(
            id=f"{resource.id}/keys/{name}",
            provider="azure",
            kind=kind,
            principal=resource.id,
            scope=resource.scope,
            status="active" if works else "disabled",
            expires="never",
            attributes=attributes(name=name, age="unknown"),
        )
    )


def public_network(told: Told) -> str | None:
    """Give who may come in by the network, as far as it is told."""
    found = told.flag("public_network_access_enabled")
    if found is None:
        return None
    for path in ("network_acls", "network_rules"):
        if text(at(next(told.blocks(path), {}), "default_action")) == "Deny" and found:
            return "selected"
    return "enabled" if found else "disabled"
