"""YAML that says where it is wrong: file, line, and the field that was probably meant.

The safe subset, without implicit dates; a key given twice and a field that is not known are
errors, since both would silently change what a security gate sees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec
import yaml
from yaml import Node

from modelreach import yaml_tree
from modelreach.model import InputError


class _Loader(yaml.SafeLoader):
    """The safe subset; dates stay text, and only `true` and `false` are booleans (YAML 1.2), so
    that a key such as `on` stays a word."""


_Loader.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (
        kept := [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
        ]
    )
}
for _first in "tTfF":
    _Loader.yaml_implicit_resolvers.setdefault(_first, []).append(
        ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"))
    )


#: For readers of files that are no manifests.
Loader = _Loader

#: PyYAML takes a second for that much.
_MOST_SLOW = 1 << 17


class _QuickLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same words, by libyaml where it is there."""


_QuickLoader.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

_T = TypeVar("_T")


def shipped(raw: bytes, type_: type[_T]) -> _T:
    """Read YAML that is part of the program, at once and without places in its errors."""
    return msgspec.convert(yaml.load(raw, _QuickLoader), type_)  # noqa: S506 - it is a safe one


def decode(
    raw: bytes, type_: type[_T], *, place: str, what: str, hint: str, fields: Sequence[str]
) -> tuple[_T, Node]:
    """Read YAML into a type; also give the tree, for `line_of`.

    `what` names what the file should be, `fields` are all field names that it may have (for
    "did you mean"). Raises `InputError` with file and line.
    """
    tree = compose(raw, place)
    if not isinstance(tree, yaml.MappingNode):
        why = "a mapping was expected" if raw.strip() else "it is empty"
        raise InputError(f"this is not {what}: {why}", place=place, hint=hint)
    yaml_tree.held(tree, place)
    _refuse_duplicates(tree, place)
    try:
        plain: object = _Loader("").construct_document(tree)  # pyright: ignore[reportUnknownMemberType]
    except yaml_tree.BROKEN as error:
        problem = str(error).splitlines()[0]
        raise InputError(f"this YAML cannot be read ({problem})", place=place) from None
    try:
        return msgspec.convert(plain, type_), tree
    except msgspec.ValidationError as error:
        raise _explained(str(error), type_, tree, place, hint, fields) from None


def compose(raw: bytes, place: str) -> Node:
    """Give the node tree. Raises `InputError` with the line where it is not YAML."""
    try:
        tree: Node | None = _composed(raw)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"not valid YAML: {problem}", place=f"{place}:{line}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        problem = str(error).splitlines()[0]
        raise InputError(f"not valid YAML: {problem}", place=place) from None
    return tree if tree is not None else yaml.ScalarNode("tag:yaml.org,2002:null", "")


def words_at_top(raw: bytes) -> dict[str, str]:
    """Give the words that a mapping has by their keys; none of what is no mapping, or no YAML."""
    try:
        tree = compose(raw, "")
    except InputError:
        return {}
    pairs = tree.value if isinstance(tree, yaml.MappingNode) else ()
    return {
        key.value: value.value
        for key, value in pairs
        if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)
    }


def _composed(raw: bytes) -> Node | None:
    """Give the tree by libyaml, and in what it stumbles over by PyYAML itself, whose messages are
    the clearer ones, where that does not take long."""
    try:
        return yaml.compose(raw, Loader=_QuickLoader)
    except (yaml.YAMLError, UnicodeDecodeError):
        if len(raw) > _MOST_SLOW:
            raise
        return yaml.compose(raw, Loader=_Loader)


def _refuse_duplicates(node: Node, place: str) -> None:
    waiting = [node]
    seen_nodes: set[int] = set()
    while waiting:
        current = waiting.pop()
        if id(current) in seen_nodes:
            continue
        seen_nodes.add(id(current))
        if isinstance(current, yaml.SequenceNode):
            waiting.extend(current.value)
        if not isinstance(current, yaml.MappingNode):
            continue
        seen: dict[str, int] = {}
        for key, value in current.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                raise InputError(
                    f"key `{name}` is given twice (first on line {seen[name]})",
                    place=f"{place}:{line}",
                )
            seen[name] = line
            waiting.append(value)


_PATH = re.compile(r" - at `(?:key in )?(\$[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


def _explained(
    message: str, type_: type, tree: Node, place: str, hint: str, fields: Sequence[str]
) -> InputError:
    found = _PATH.search(message)
    path = found.group(1) if found else "$"
    text = message[: found.start()] if found else message
    line = line_of(tree, path)
    if unknown := _UNKNOWN.search(text):
        name = unknown.group(1)
        line = line_of(tree, f"{path}.{name}", of_key=True)
        text = f"unknown field `{name}`"
        hint = _meant(name, type_, path, fields) or hint
    elif text.startswith("Invalid enum value"):
        from modelreach.words_of import words_at

        words = words_at(type_, path)
        hint = "one of " + ", ".join(f"`{word}`" for word in words) if words else hint
    elif "got `float`" in text or ("got `int`" in text and "`str`" in text):
        hint = "put quotes around it, so that YAML keeps it as text"
    where = f" at `{path[2:]}`" if path != "$" else ""
    return InputError(f"{_lowered(text)}{where}", place=f"{place}:{line}", hint=hint)


def _meant(name: str, type_: type, path: str, fields: Sequence[str]) -> str:
    """Say which field was likely meant: one of the same place, else where such a one has its."""
    from difflib import get_close_matches

    from modelreach.words_of import fields_at, place_of

    if near := get_close_matches(name, fields_at(type_, path), n=1):
        return f"did you mean `{near[0]}`?"
    for field in get_close_matches(name, fields, n=1):
        return f"did you mean `{place_of(type_, field) or field}`?"
    return ""


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def line_of(node: Node, path: str, *, of_key: bool = False) -> int:
    """Give the line on which the value (or its key) at a path such as `$.spec.tools[0].id` stands;
    the line of the nearest ancestor where the path leads nowhere."""
    line = node.start_mark.line + 1 if node.start_mark else 1
    for step in re.findall(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", path):
        name, index = step
        following: Node | None = None
        if name and isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == name:
                    following = value
                    line = (key if of_key else value).start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and index.isdigit():
            following = node.value[int(index)] if int(index) < len(node.value) else None
            line = following.start_mark.line + 1 if following else line
        if following is None:
            return line
        node = following
    return line
