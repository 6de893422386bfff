"""What a file says, as plain values: JSON (with comments), YAML, TOML or HCL, told from its looks.

The file may come from anywhere, and may hold secrets: no error quotes what stands in it. A key
that is given twice is an error, since one reader takes the first and another the last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

import yaml
from yaml import Node

from modelreach import strict_yaml, yaml_tree
from modelreach.model import InputError, MissingExtra

#: Beyond that it is no configuration, or one that is meant to be a burden.
_MOST_BYTES: Final = 8 << 20
_MOST_VALUES: Final = yaml_tree.MOST_VALUES
#: A reader in plain Python takes seconds for more than that.
_MOST_SLOW: Final = 1 << 20
_DEEPEST: Final = yaml_tree.DEEPEST


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: what people call it, what it says (one value; several in YAML), and what it is
    about: the release itself or one of its tools."""

    name: str
    documents: tuple[object, ...]
    form: Literal["json", "yaml", "toml", "hcl"]
    about: Literal["release", "tool"] = "release"
    stem: str = field(default="")

    @property
    def only(self) -> Mapping[str, Any]:
        """The one mapping that it is; nothing when it is something else."""
        return mapping(self.documents[0]) if len(self.documents) == 1 else {}


def mapping(value: object) -> Mapping[str, Any]:
    """Give a mapping with texts as keys; an empty one of anything else."""
    if not isinstance(value, dict):
        return {}
    found: dict[Any, Any] = cast(Any, value)
    return {key: inner for key, inner in found.items() if isinstance(key, str)}


def parsed(name: str, raw: bytes, about: Literal["release", "tool"] = "release") -> SourceFile:
    """Read a file. Raises `InputError` for what is too large, cut short, or no such form."""
    if len(raw) > _MOST_BYTES:
        raise InputError(f"this file is larger than {_MOST_BYTES >> 20} MB", place=name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"this is no UTF-8 (byte {error.start})", place=name) from None
    form = _form(name, text)
    try:
        documents = _READERS[form](text, name)
    except RecursionError:
        raise InputError("something in it is nested too deeply", place=name) from None
    _measured(documents, name)
    base = re.split(r"[\\/]", name)[-1]
    return SourceFile(name, documents, form, about, base.lstrip(".").partition(".")[0])


def _form(name: str, text: str) -> Literal["json", "yaml", "toml", "hcl"]:
    ending = name.lower().rpartition(".")[2]
    if ending == "tf":
        return "hcl"
    if ending == "toml":
        return "toml"
    start = text.lstrip()[:1]
    return "json" if start in ("{", "[") or ending in ("json", "jsonc") else "yaml"


# --- JSON ----------------------------------------------------------------------------------


class _Twice(Exception):
    """A key was given twice."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _json(text: str, name: str) -> tuple[object, ...]:
    try:
        return (json.loads(text, object_pairs_hook=_distinct),)
    except _Twice:
        raise _given_twice(name) from None
    except ValueError as error:
        line = getattr(error, "lineno", 1)
    if len(text) > _MOST_SLOW or not re.search(r"//|/\*|,\s*[\]}]", text):
        raise InputError("this JSON is malformed or cut short", place=f"{name}:{line}")
    return (_with_comments(text, name, line),)


def _with_comments(text: str, name: str, line: int) -> object:
    """Read JSON as editors write it: with comments, and commas at the end."""
    try:
        import json5
    except ModuleNotFoundError:
        raise MissingExtra("manifest", "JSON with comments") from None
    loads = cast(Callable[..., object], json5.loads)
    try:
        return loads(text, object_pairs_hook=_distinct)
    except _Twice:
        raise _given_twice(name) from None
    except ValueError:
        raise InputError("this JSON is malformed or cut short", place=f"{name}:{line}") from None


def _given_twice(name: str) -> InputError:
    return InputError(
        "a key is given twice", place=name, hint="readers differ in which of them they take"
    )


# --- YAML ----------------------------------------------------------------------------------


class _Tagged(strict_yaml.Loader):
    """CloudFormation's short functions as the long ones; other tags are passed over.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
    """


def _tagged(loader: _Tagged, suffix: str, node: Node) -> object:
    value: object
    if isinstance(node, yaml.ScalarNode):
        value = str(node.value)
    elif isinstance(node, yaml.SequenceNode):
        value = [loader.construct_object(one, deep=True) for one in node.value]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    else:
        value = loader.construct_mapping(cast(yaml.MappingNode, node), deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        return {"Fn::GetAtt": value.split(".", 1)}
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Tagged.add_multi_constructor("!", _tagged)  # pyright: ignore[reportUnknownMemberType]


def _yaml(text: str, name: str) -> tuple[object, ...]:
    try:
        trees = list(cast(Any, yaml.compose_all(text, Loader=_Tagged)))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError("this YAML is malformed or cut short", place=f"{name}:{line}") from None
    except (yaml.YAMLError, ValueError):
        raise InputError("this YAML is malformed or cut short", place=name) from None
    found: list[object] = []
    for tree in (tree for tree in trees if tree is not None):
        yaml_tree.measured(tree, name)
        _refuse_given_twice(tree, name)
        loader = _Tagged("")
        try:
            found.append(loader.construct_document(tree))  # pyright: ignore[reportUnknownMemberType]
        except yaml_tree.BROKEN:
            raise InputError("this YAML cannot be read", place=name) from None
    return tuple(found)


def _refuse_given_twice(tree: Node, name: str) -> None:
    waiting, seen = [tree], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting.extend(yaml_tree.parts(node))
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(keys)) < len(keys):
                raise _given_twice(f"{name}:{node.start_mark.line + 1}")


def _too_many(name: str) -> InputError:
    return InputError(f"it holds more than {_MOST_VALUES} values", place=name)


# --- TOML and HCL --------------------------------------------------------------------------


def _toml(text: str, name: str) -> tuple[object, ...]:
    import tomllib

    try:
        return (tomllib.loads(text),)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{name}:{line.group(1)}" if line else name
        raise InputError("this TOML is malformed or cut short", place=place) from None


def _hcl(text: str, name: str) -> tuple[object, ...]:
    try:
        import hcl2
    except ModuleNotFoundError:
        raise MissingExtra("manifest", "a Terraform file") from None
    if len(text) > _MOST_SLOW:
        raise InputError(f"this file is larger than {_MOST_SLOW >> 20} MB", place=name)
    loads = cast(Callable[[str], object], hcl2.loads)  # pyright: ignore[reportUnknownMemberType]
    try:
        return (loads(text if text.endswith("\n") else text + "\n"),)
    except RecursionError:
        raise
    except Exception as error:  # the parser has errors of several libraries
        line = getattr(error, "line", None)
        place = f"{name}:{line}" if isinstance(line, int) and line > 0 else name
        raise InputError("this HCL is malformed or cut short", place=place) from None


_READERS: Mapping[str, Callable[[str, str], tuple[object, ...]]] = {
    "json": _json,
    "yaml": _yaml,
    "toml": _toml,
    "hcl": _hcl,
}


def _measured(documents: tuple[object, ...], name: str) -> None:
    """Raise `InputError` when there are too many values, or they lie too deep."""
    waiting: list[tuple[object, int]] = [(one, 0) for one in documents]
    count = 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if count > _MOST_VALUES:
            raise _too_many(name)
        if depth > _DEEPEST:
            raise InputError("something in it is nested too deeply", place=name)
        inner: list[object] = []
        if isinstance(value, dict):
            inner = list(cast(dict[Any, object], value).values())
        elif isinstance(value, list):
            inner = cast(list[object], value)
        waiting.extend((one, depth + 1) for one in inner)
