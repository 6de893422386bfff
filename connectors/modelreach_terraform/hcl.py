"""Configuration files as blocks and expressions, with the lines that they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from modelreach.model import MissingExtra

#: A node of the syntax tree, or a token.
Node = Any


class NotReadable(Exception):
    """That a file is not written in the language."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its kind and labels, where it is, and what is in it."""

    labels: tuple[str, ...]
    file: str
    line: int
    body: Node

    def attribute(self, path: str) -> Node:
        """Give the expression at a dotted path, where numbers lead into repeated blocks; None
        where there is none, or where how many blocks there are is only known when it runs."""
        body, names = self.body, path.split(".")
        while len(names) > 2 and names[1].isdecimal():
            inner = list(_blocks(body, names[0]))
            number = int(names[1])
            if number >= len(inner) or any(_blocks(body, "dynamic")):
                return None
            body, names = inner[number], names[2:]
        return attributes(body).get(names[0]) if len(names) == 1 else None


def blocks(text: str, file: str) -> Iterator[Block]:
    """Give the blocks of a file. Raises `NotReadable`, or `MissingExtra` without a parser."""
    for node in parse(text).children[0].children:
        if data_of(node) == "block":
            body = next(child for child in node.children if data_of(child) == "body")
            yield Block(tuple(_labels(node)), file, node.meta.line, body)


def parse(text: str) -> Node:
    """Give the syntax tree of a file."""
    try:
        import hcl2
        from lark.exceptions import LarkError
    except ModuleNotFoundError as error:
        raise MissingExtra("terraform", "reading a configuration") from error
    try:
        return hcl2.parses_to_tree(text if text.endswith("\n") else text + "\n")
    except (LarkError, RecursionError):
        raise NotReadable from None


def attributes(body: Node) -> dict[str, Node]:
    """Give the expressions of a body by name."""
    return {
        text_of(child.children[0]): child.children[-1]
        for child in body.children
        if data_of(child) == "attribute"
    }


def data_of(node: Node) -> str:
    """Give what kind of node it is, "" for a token."""
    return str(getattr(node, "data", ""))


def text_of(node: Node) -> str:
    """Give the text of an identifier, keyword or token."""
    while getattr(node, "children", None):
        node = node.children[0]
    return str(node)


def _blocks(body: Node, name: str) -> Iterator[Node]:
    for child in body.children:
        if data_of(child) == "block" and text_of(child.children[0]) == name:
            yield next(one for one in child.children if data_of(one) == "body")


def _labels(block: Node) -> Iterator[str]:
    for child in block.children:
        data = data_of(child)
        if data == "body" or not data:
            return
        if data == "string":
            parts = (one for one in child.children if data_of(one) == "string_part")
            yield "".join(text_of(one) for one in parts)
        elif data in ("identifier", "keyword"):
            yield text_of(child)
