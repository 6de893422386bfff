"""Ids as facts spell them: lower case, and where a thing is, read off its ARM id.

ARM ids, object ids and role names are compared without case, and the same one comes in several:
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

from __future__ import annotations

import re
from typing import Final

MANAGEMENT_GROUP: Final = "microsoft.management/managementgroups"
SUBSCRIPTION: Final = "microsoft.resources/subscriptions"
RESOURCE_GROUP: Final = "microsoft.resources/subscriptions/resourcegroups"
ROOT: Final = "/"
_ROLES: Final = "/providers/microsoft.authorization/roledefinitions/"
_GROUP: Final = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+")
_ABOVE: Final = re.compile(rf"/providers/{MANAGEMENT_GROUP}/[^/]+")


def lower(value: object) -> str:
    """Give an id in the one spelling, "" for none."""
    return "" if value is None else str(value).strip().lower()


def arm_id(value: object) -> str:
    """Give an ARM id or scope, without a slash at the end; the root scope is `/`."""
    text = lower(value)
    return text.rstrip("/") or (ROOT if text else "")


def subscription_of(identifier: str) -> str:
    """Give the subscription that an id is in, "" for none."""
    found = re.match(r"/subscriptions/[^/]+", identifier.lower())
    return found.group() if found else ""


def scope_of(identifier: str) -> str:
    """Give the scope that holds a thing: its resource group, else subscription or management
    group, else the root."""
    for pattern in (_GROUP, _ABOVE):
        found = pattern.match(identifier)
        if found and found.group() != identifier:
            return found.group()
    return subscription_of(identifier) or ROOT


def type_of(identifier: str) -> str:
    """Give the ARM type that an id tells, "" where it tells none."""
    _, _, rest = identifier.rpartition("/providers/")
    parts = rest.split("/")
    return "/".join([parts[0], *parts[1::2]]) if rest and len(parts) > 2 else ""


def role_id(value: object) -> str:
    """Give a role's id without the scope that is written before it: GUIDs are unique."""
    text = lower(value)
    _, found, guid = text.rpartition("/roledefinitions/")
    return f"{_ROLES}{guid}" if found else text


def directory_role(value: object) -> str:
    """Give the id of a directory role."""
    return f"/rolemanagement/directory/roledefinitions/{lower(value)}"


def app_role(app_id: object, role: object) -> str:
    """Give the id of an app role of an application."""
    return f"/approles/{lower(app_id)}/{lower(role)}"
