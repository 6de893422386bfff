"""Expressions of a configuration, as far as they can be told without running it.

What is not understood is UNKNOWN: functions beside the few below, loops, what reads files.
https://developer.hashicorp.com/terraform/language/expressions
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from modelreach_terraform.hcl import Node, NotReadable, attributes, data_of, parse, text_of
from modelreach_terraform.values import UNKNOWN, Json, Unread, at, is_unread

#: Gives what a reference, as the steps of it, leads to.
Lookup = Callable[[tuple[str | int, ...]], Json]

_INTERPOLATION: Final = re.compile(r"(?<!\$)\$\{([^{}]*)\}")
_DEEPEST: Final = 64


def evaluated(expression: Node, lookup: Lookup) -> Json:
    """Give what an expression comes to; UNKNOWN where that cannot be told."""
    return _Evaluation(lookup).of(expression, 0)


class _Evaluation:
    """One evaluation; `lookup` knows everything that is outside of the expression."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def of(self, node: Node, depth: int) -> Json:
        """Give the value of a node."""
        maker = getattr(self, f"_{data_of(node)}", None)
        if maker is None or depth > _DEEPEST:
            return UNKNOWN
        return maker(node, depth + 1)

    def _expr_term(self, node: Node, depth: int) -> Json:
        inner = [child for child in node.children if data_of(child) not in ("", _SPACE)]
        return self.of(inner[0], depth) if len(inner) == 1 else UNKNOWN

    def _literal_value(self, node: Node, _depth: int) -> Json:
        return {"true": True, "false": False, "null": None}[text_of(node)]

    def _int_lit(self, node: Node, _depth: int) -> Json:
        return int(text_of(node))

    def _float_lit(self, node: Node, _depth: int) -> Json:
        return float(text_of(node))

    def _identifier(self, node: Node, _depth: int) -> Json:
        return self._lookup((text_of(node),))

    def _string(self, node: Node, depth: int) -> Json:
        parts = [one for one in node.children if data_of(one) == "string_part"]
        # A template of nothing but one value is that value.
        if len(parts) == 1 and data_of(parts[0].children[0]) == "interpolation":
            return self._part(parts[0], depth)
        return _joined([self._part(one, depth) for one in parts])

    def _part(self, node: Node, depth: int) -> Json:
        inner = node.children[0]
        if data_of(inner) == "interpolation":
            return self.of(inner.children[1], depth)
        if data_of(inner):
            return UNKNOWN
        written = str(inner)
        return written[1:] if written.startswith(("$${", "%%{")) else _unescaped(written)

    def _heredoc_template(self, node: Node, _depth: int) -> Json:
        return self._template("\n".join(text_of(node).split("\n")[1:-2]) + "\n")

    def _heredoc_template_trim(self, node: Node, _depth: int) -> Json:
        lines = text_of(node).split("\n")[1:-2]
        margin = min((len(one) - len(one.lstrip()) for one in lines if one.strip()), default=0)
        return self._template("\n".join(one[margin:] for one in lines) + "\n")

    def _template(self, written: str) -> Json:
        parts: list[Json] = []
        end = 0
        for found in _INTERPOLATION.finditer(written):
            parts += [written[end : found.start()], self._written(found[1])]
            end = found.end()
        rest = written[end:]
        if "%{" in rest or re.search(r"(?<!\$)\$\{", rest):
            return UNKNOWN
        value = _joined([*parts, rest])
        return value.replace("$${", "${") if isinstance(value, str) else value

    def _written(self, expression: str) -> Json:
        try:
            body = parse(f"x = {expression.strip()}\n").children[0]
        except NotReadable:
            return UNKNOWN
        return self.of(attributes(body).get("x"), 0)

    def _tuple(self, node: Node, depth: int) -> Json:
        return [self.of(one, depth) for one in node.children if _is_expression(one)]

    def _object(self, node: Node, depth: int) -> Json:
        made: dict[str, Json] = {}
        for element in node.children:
            if data_of(element) != "object_elem":
                continue
            key = self._key(element.children[0].children[0], depth)
            if not isinstance(key, str):
                return UNKNOWN
            made[key] = self.of(element.children[-1], depth)
        return made

    def _key(self, node: Node, depth: int) -> Json:
        inner = node.children[0] if data_of(node) == "expr_term" else node
        return (
            text_of(inner) if data_of(inner) in ("identifier", "keyword") else self.of(node, depth)
        )

    def _conditional(self, node: Node, depth: int) -> Json:
        parts = [one for one in node.children if _is_expression(one)]
        asked = self.of(parts[0], depth) if len(parts) == 3 else UNKNOWN
        if not isinstance(asked, bool):
            return UNKNOWN
        return self.of(parts[1] if asked else parts[2], depth)

    def _function_call(self, node: Node, depth: int) -> Json:
        name = text_of(node.children[0])
        given = next((one for one in node.children if data_of(one) == "arguments"), None)
        listed = [one for one in given.children if _is_expression(one)] if given else []
        values = [self.of(one, depth) for one in listed]
        function = _FUNCTIONS.get(name)
        return function(values) if function else UNKNOWN

    # --- references -------------------------------------------------------------------------

    def _get_attr_expr_term(self, node: Node, depth: int) -> Json:
        return self._referred(node, depth)

    def _index_expr_term(self, node: Node, depth: int) -> Json:
        return self._referred(node, depth)

    def _referred(self, node: Node, depth: int) -> Json:
        steps = self._steps(node, depth)
        return UNKNOWN if steps is None else self._lookup(tuple(steps))

    def _steps(self, node: Node, depth: int) -> list[str | int] | None:
        """Give the steps of a reference; None for what is not one."""
        match data_of(node):
            case "expr_term":
                inner = [child for child in node.children if data_of(child) not in ("", _SPACE)]
                return self._steps(inner[0], depth) if len(inner) == 1 else None
            case "identifier":
                return [text_of(node)]
            case "get_attr_expr_term":
                start = self._steps(node.children[0], depth)
                return None if start is None else [*start, text_of(node.children[1].children[1])]
            case "index_expr_term":
                start, key = self._steps(node.children[0], depth), self._index(node, depth)
                return None if start is None or key is None else [*start, key]
            case _:
                return None

    def _index(self, node: Node, depth: int) -> str | int | None:
        index = node.children[1]
        if data_of(index) == "short_index":
            return int(text_of(index.children[1]))
        key = self.of(index.children[1], depth)
        if isinstance(key, bool) or not isinstance(key, str | int):
            return None
        # Such a key is marked, to be told from the name of an attribute.
        return key if isinstance(key, int) else f"\0{key}"


_SPACE: Final = "new_line_or_comment"


def _is_expression(node: Node) -> bool:
    return data_of(node) not in ("", _SPACE)


def _unescaped(written: str) -> str:
    with suppress(ValueError):
        return str(json.loads(f'"{written}"'))
    return written


def _joined(parts: list[Json]) -> Json:
    """Give texts and numbers as one text."""
    if any(isinstance(one, Unread) for one in parts):
        return UNKNOWN
    if not all(isinstance(one, str | int | float) for one in parts):
        return UNKNOWN
    return "".join(_shown(one) for one in parts)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _encoded(values: list[Json]) -> Json:
    """What is not known within a document is for whoever reads the document."""
    return values[0] if len(values) == 1 else UNKNOWN


def _same(values: list[Json]) -> Json:
    return values[0] if len(values) == 1 else UNKNOWN


def _concat(values: list[Json]) -> Json:
    if not all(isinstance(one, list) for one in values):
        return UNKNOWN
    return [item for one in values for item in one]


def _merge(values: list[Json]) -> Json:
    if not all(isinstance(one, dict) for one in values):
        return UNKNOWN
    return {key: value for one in values for key, value in one.items()}


def _format(values: list[Json]) -> Json:
    if any(map(is_unread, values)) or not values or not isinstance(values[0], str):
        return UNKNOWN
    parts = re.split(r"%[sdv]", values[0])
    if len(parts) != len(values) or "%" in "".join(parts):
        return UNKNOWN
    shown = [_shown(one) for one in values[1:]]
    return "".join(one for pair in zip(parts, [*shown, ""], strict=True) for one in pair)


def _join(values: list[Json]) -> Json:
    if len(values) != 2 or not isinstance(values[0], str) or not isinstance(values[1], list):
        return UNKNOWN
    joined = _joined(values[1])
    return UNKNOWN if joined is UNKNOWN else values[0].join(_shown(one) for one in values[1])


_FUNCTIONS: Final[dict[str, Callable[[list[Json]], Json]]] = {
    "jsonencode": _encoded,
    "jsondecode": _encoded,
    "tolist": _same,
    "toset": _same,
    "tostring": _same,
    "concat": _concat,
    "merge": _merge,
    "format": _format,
    "join": _join,
}


def descended(value: Json, steps: tuple[str | int, ...]) -> Json:
    """Give what is at the steps within a value."""
    for step in steps:
        if isinstance(value, Unread):
            return value
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else UNKNOWN
        elif isinstance(value, dict):
            value = value.get(step.removeprefix("\0"), UNKNOWN)
        else:
            value = at(value, step.removeprefix("\0")) if isinstance(value, list) else UNKNOWN
    return value
