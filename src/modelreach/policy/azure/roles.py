"""Role definitions, taken apart into permission blocks.

Each block stands for itself: its `notActions` take nothing from another block or role, and its
condition binds no other. `actions` are of the control plane and `dataActions` of what a resource
holds; neither ever speaks of the other.
https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

import msgspec

from modelreach.policy.azure.conditions import as_glob
from modelreach.policy.glob import is_literal, match

#: How an action on what a resource holds is spelled, so that no control-plane `*` means it.
DATA = "data:"
#: How a permission of Microsoft Graph is spelled, and one of any other application.
GRAPH, APPLICATION = "graph:", "app:"


class Plane(StrEnum):
    """Which of a block's lists speaks of an action."""

    CONTROL = "control"
    DATA = "data"
    DIRECTORY = "directory"
    APPLICATION = "application"


class Globs(msgspec.Struct, frozen=True):
    """Action patterns: literal names, and globs by the text that they begin with."""

    literals: frozenset[str] = frozenset()
    globs: tuple[str, ...] = ()

    @staticmethod
    def of(patterns: Iterable[str]) -> Globs:
        """Give the patterns, whatever their case."""
        globs = sorted({as_glob(pattern) for pattern in patterns})
        literal = frozenset(glob for glob in globs if is_literal(glob))
        return Globs(literal, tuple(glob for glob in globs if glob not in literal))

    def hold(self, action: str) -> bool:
        """Does one of the patterns match the action (in lower case)?"""
        if action in self.literals:
            return True
        for glob in self.globs:  # noqa: SIM110 - on the hot path
            if match(glob, action):
                return True
        return False

    @property
    def all(self) -> tuple[str, ...]:
        """Every pattern, as a glob."""
        return (*sorted(self.literals), *self.globs)


class Block(msgspec.Struct, frozen=True):
    """One permission block on one plane. `problem` says why it was not understood: it may then
    grant anything."""

    plane: Plane
    actions: Globs
    not_actions: Globs = Globs()
    condition: str = ""
    index: int = 0
    text: str = ""
    problem: str = ""

    def grants(self, action: str) -> bool:
        """Does the block speak of an action, in lower case and without a prefix?"""
        if self.problem:
            return True
        return self.actions.hold(action) and not self.not_actions.hold(action)


@dataclass(frozen=True, slots=True)
class Role:
    """A role definition, and the digest of its document."""

    id: str
    name: str
    document: str
    blocks: tuple[Block, ...]
    custom: bool = False
    _granting: dict[tuple[Plane, str], tuple[Block, ...]] = field(
        default_factory=dict[tuple[Plane, str], "tuple[Block, ...]"], compare=False, repr=False
    )

    def granting(self, plane: Plane, action: str) -> tuple[Block, ...]:
        """Give the blocks that speak of an action (in lower case, without a prefix)."""
        key = (plane, action)
        found = self._granting.get(key)
        if found is None:
            found = tuple(b for b in self.blocks if b.plane is plane and b.grants(action))
            self._granting[key] = found
        return found


class _Permission(msgspec.Struct, rename="camel"):
    actions: list[str] | None = None
    not_actions: list[str] | None = None
    data_actions: list[str] | None = None
    not_data_actions: list[str] | None = None
    condition: str | None = None
    allowed_resource_actions: list[str] | None = None
    excluded_resource_actions: list[str] | None = None


_PLANES = (
    (Plane.CONTROL, "actions", "not_actions"),
    (Plane.DATA, "data_actions", "not_data_actions"),
    (Plane.DIRECTORY, "allowed_resource_actions", "excluded_resource_actions"),
)


@lru_cache(1 << 13)
def blocks_of(raw: bytes) -> tuple[Block, ...]:
    """Take the permissions of a role definition, or of a deny assignment, apart.

    A document, or a block, that is not as documented may grant anything: it is given as a block
    with a `problem` on every plane.
    """
    try:
        document: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return _anything("the definition is not JSON", 0)
    if not isinstance(document, dict):
        return _anything("the definition is no object", 0)
    written = cast("dict[str, Any]", document)
    if "value" in written and "permissions" not in written:
        return _app_role(written, raw)
    if written.get("isEnabled") is False:
        return ()
    listed = written.get("permissions", written.get("rolePermissions"))
    if not isinstance(listed, list):
        return _anything("the definition has no list of permissions", 0)
    entries = cast("list[object]", listed)
    return tuple(block for index, entry in enumerate(entries) for block in _blocks(entry, index))


def _blocks(entry: object, index: int) -> tuple[Block, ...]:
    try:
        permission = msgspec.convert(entry, _Permission)
    except (msgspec.ValidationError, RecursionError) as error:
        return _anything(f"permission block {index + 1}: {str(error)[:120]}", index)
    text = msgspec.json.encode(entry).decode("utf-8", "replace")
    found: list[Block] = []
    for plane, granted, excepted in _PLANES:
        actions, but = getattr(permission, granted), getattr(permission, excepted) or ()
        if plane is Plane.DIRECTORY:
            actions, but = map(_of_directory, actions or ()), map(_of_directory, but)
        globs = Globs.of(actions or ())
        if globs.all:
            condition = permission.condition or ""
            found.append(Block(plane, globs, Globs.of(but), condition, index, text))
    return tuple(found)


def _of_directory(action: str) -> str:
    """Give the pattern of a directory action: `allProperties` is every property, `allTasks` every
    task.
    https://learn.microsoft.com/entra/identity/role-based-access-control/custom-overview
    """
    name = action.lower().removesuffix("/alltasks")
    head, all_properties, tail = name.partition("/allproperties")
    every_task = name != action.lower()
    if all_properties:
        return f"{head}/*" if every_task else f"{head}/*{tail}"
    return f"{name}/*" if every_task else name


def _app_role(document: dict[str, Any], raw: bytes) -> tuple[Block, ...]:
    """An application permission: its value is the one thing that it grants."""
    value = document.get("value")
    if not isinstance(value, str):
        return _anything("the permission has no value", 0)
    if not value or document.get("isEnabled") is False:
        return ()
    text = raw.decode("utf-8", "replace")
    return (Block(Plane.APPLICATION, Globs(frozenset({value.lower()})), text=text),)


def _anything(problem: str, index: int) -> tuple[Block, ...]:
    anything = Globs(frozenset(), ("*",))
    return tuple(Block(plane, anything, index=index, problem=problem) for plane in Plane)


def values_of(raw: bytes) -> tuple[str, ...]:
    """Give every action pattern of a definition as it is written."""
    try:
        document: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return ()
    found: list[str] = []
    waiting: list[Any] = [document]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, dict):
            waiting.extend(cast("dict[str, Any]", entry).values())
        elif isinstance(entry, list):
            waiting.extend(cast("list[object]", entry))
        elif isinstance(entry, str) and "/" in entry:
            found.append(entry)
    return tuple(found)
