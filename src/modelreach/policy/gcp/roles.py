"""Roles as sets of permissions.

A role without a definition, or with one that cannot be read, is unknown: it may give anything.
https://docs.cloud.google.com/iam/docs/reference/rest/v1/roles
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

BASIC: Mapping[str, str] = {
    "roles/owner": "projectOwner",
    "roles/editor": "projectEditor",
    "roles/viewer": "projectViewer",
}
"""Basic roles, each with the convenience member that stands for who holds it on a project.
https://docs.cloud.google.com/storage/docs/access-control/iam#convenience-values"""


@dataclass(frozen=True, slots=True)
class Role:
    """A role: `permissions` in Google's spelling, sorted; None when they are not known.

    `by_noun` has them by service and noun: `storage.objects`.
    """

    id: str
    permissions: tuple[str, ...] | None
    _all: frozenset[str] = field(default=frozenset(), repr=False)
    by_noun: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def known(self) -> bool:
        """Is it known what it gives?"""
        return self.permissions is not None

    def has(self, permission: str) -> bool:
        """Does it surely give this permission?"""
        return permission in self._all


class _Definition(msgspec.Struct, rename="camel"):
    """As roles.get gives it; other fields do not matter here."""

    included_permissions: list[str] = []
    stage: str = ""
    deleted: bool = False


def role(name: str, definition: bytes | None) -> Role:
    """Give a role from its definition (None: there is none).

    A role that is deleted or disabled gives nothing.
    https://docs.cloud.google.com/iam/docs/creating-custom-roles#disabling-custom-role
    """
    if definition is None:
        return Role(name, None)
    try:
        found = msgspec.json.decode(definition, type=_Definition)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return Role(name, None)
    if found.deleted or found.stage == "DISABLED":
        return Role(name, ())
    permissions = tuple(sorted(set(found.included_permissions)))
    return Role(name, permissions, frozenset(permissions), _by_noun(permissions))


def _by_noun(permissions: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for permission in permissions:
        groups.setdefault(permission.rpartition(".")[0], []).append(permission)
    return {noun: tuple(members) for noun, members in groups.items()}
