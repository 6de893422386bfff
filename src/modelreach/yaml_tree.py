"""What a tree of YAML may be before values are made of it: no burden, no loop, and only such
values as JSON has, too.

Of little text YAML makes much (a list that is named ten times in a list that is named ten times),
and values that no comparison, report or policy can hold: halves of characters, numbers that are no
number, keys that are lists. A person who reads the file sees none of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any, Final

import yaml
from yaml import Node

from modelreach.model import InputError

#: Beyond that it is no configuration, or one that is meant to be a burden.
MOST_VALUES: Final = 400_000
DEEPEST: Final = 100
#: What the making of a value raises where a tag says of it what it is not.
BROKEN: Final = (
    *(yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError),
    RecursionError,
)
_YAML: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_YAML}merge"
_TEXT: Final = f"{_YAML}str"
_KINDS: Final = frozenset(
    f"{_YAML}{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq", "merge")
)
_WORDS: Final = frozenset(("true", "false", "yes", "no", "on", "off"))
#: The longest that a number is written, and the largest whole one that every reader takes.
_LONGEST: Final = 40
_LARGEST: Final = 1 << 63


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Gives a lone `=` as text, for which no value of its own was ever made.
    https://yaml.org/type/value.html
    """


_Loader.add_constructor(f"{_YAML}value", yaml.SafeLoader.construct_yaml_str)  # pyright: ignore[reportUnknownMemberType] - half typed


def documents(raw: bytes | str, place: str) -> Iterator[Any]:
    """Give what each document of a file says that is in nobody's words but YAML's own. Raises
    `InputError` for a burden, and one of `BROKEN` for what is no YAML."""
    loader: Any = _Loader(raw)
    try:
        while loader.check_node():
            tree = loader.get_node()
            measured(tree, place, most=max(MOST_VALUES, len(raw)))
            yield loader.construct_document(tree)
    finally:
        loader.dispose()


def measured(node: Node, place: str, *, most: int = MOST_VALUES) -> None:
    """Raise `InputError` with the line for what is too large, written out at every mention of it,
    for what is nested too deeply, and for what holds itself."""
    _Measure(place, most).of(node, 0)


class _Measure:
    def __init__(self, place: str, most: int) -> None:
        self._place, self._most = place, most
        self._sizes: dict[int, int] = {}

    def of(self, node: Node, depth: int) -> int:
        known = self._sizes.get(id(node))
        if known == 0:
            raise _refused("something in it holds itself", node, self._place)
        if known is not None:
            return known
        if depth > DEEPEST:
            raise _refused("something in it is nested too deeply", node, self._place)
        self._sizes[id(node)] = 0
        size = 1 + sum(self.of(part, depth + 1) for part in parts(node))
        if size > self._most:
            why = f"written out, it holds more than {self._most:,} values"
            raise _refused(why, node, self._place)
        self._sizes[id(node)] = size
        return size


def parts(node: Node) -> list[Node]:
    """Give the keys and values that a node holds itself."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def held(node: Node, place: str) -> None:
    """Raise `InputError` with the line for what `measured` does, and for a value that JSON does
    not have."""
    measured(node, place)
    waiting, seen = [node], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        waiting.extend(parts(current))
        if problem := _problem(current):
            raise _refused(*problem, place)


def _problem(node: Node) -> tuple[str, Node] | None:
    """Give what is wrong with a value, and where it stands."""
    if node.tag not in _KINDS:
        return f"a value with the tag `{node.tag.removeprefix(_YAML)}` is not read here", node
    if isinstance(node, yaml.MappingNode):
        return next((said for key, _ in node.value if (said := _problem_of_key(key))), None)
    if not isinstance(node, yaml.ScalarNode):
        return None
    why = _problem_of_scalar(node.tag.removeprefix(_YAML), node.value)
    return (why, node) if why else None


def _problem_of_key(key: Node) -> tuple[str, Node] | None:
    if key.tag in (_TEXT, _MERGE):
        return None
    return ("a key is text; put quotes around it", key)


def _problem_of_scalar(kind: str, text: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        return "half of a character is no text (a surrogate alone)"
    match kind:
        case "bool" if text.lower() not in _WORDS:
            return "this is neither `true` nor `false`"
        case "int" | "float" if len(text) > _LONGEST:
            return f"no number is written with more than {_LONGEST} characters"
        case "int" | "float":
            return _problem_of_number(kind, text)
        case _:
            return ""


def _problem_of_number(kind: str, text: str) -> str:
    try:
        value = yaml.SafeLoader("").construct_object(  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            yaml.ScalarNode(f"{_YAML}{kind}", text)
        )
        number = float(value)  # pyright: ignore[reportUnknownArgumentType]
    except BROKEN:
        return "this is no number"
    if not isfinite(number):
        return "a number that is none, or without end, cannot be compared"
    return "no whole number is as large" if kind == "int" and abs(number) >= _LARGEST else ""


def _refused(why: str, node: Node, place: str) -> InputError:
    return InputError(
        why, place=f"{place}:{node.start_mark.line + 1}" if node.start_mark else place
    )
