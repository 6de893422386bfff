"""Conditions, read by hand: a small part of CEL, three-valued by trying.

https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

TOKEN = re.compile(
    r"\s*(?:(?P<word>[A-Za-z_]\w*)|(?P<number>\d+)|(?P<text>'[^'\\]*'|\"[^\"\\]*\")"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[!<>?:().,\[\]]))"
)

#: A name, and its parts.
Tree = tuple[Any, ...]


class Unreadable(Exception):
    """This is no expression."""


class Failed(Exception):
    """Evaluating failed, as CEL says it does for wrong types."""


class Open(Exception):
    """What is asked for is not known."""


@dataclass
class Asked:
    """What a condition may ask of, and what is known of it.

    `name` is None if not known; `begins` is then how it begins ("" if not known). `tags` is None
    if they were not read. `turn` says how what is not known turns out: by a name for it, and why.
    """

    turn: Callable[[str, str], bool]
    name: str | None = None
    begins: str = ""
    type: str | None = None
    tags: frozenset[str] | None = None
    about_tags: str = ""
    time: str = ""
    given: dict[str, str] = field(default_factory=dict[str, str])


def holds(text: str, asked: Asked) -> bool:
    """Does a condition hold, given how what is not known turns out?"""
    if not text.strip():
        return True
    try:
        tree = parsed(text)
    except (Unreadable, RecursionError):
        return asked.turn(f"condition {text}", "not understood")
    try:
        return truth(tree, text, asked)
    except Failed:
        return asked.turn(f"condition {text}", "not understood")


# --- reading -----------------------------------------------------------------------------------


@lru_cache(4096)
def parsed(text: str) -> Tree:
    """Read an expression."""
    if len(text) > 12_000:
        raise Unreadable(text)
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(text.rstrip()):
        found = TOKEN.match(text, place)
        if found is None:
            raise Unreadable(text)
        tokens.append((str(found.lastgroup), str(found[str(found.lastgroup)])))
        place = found.end()
    reader = Reader(tokens)
    tree = reader.choice()
    if reader.left():
        raise Unreadable(text)
    return tree


class Reader:
    """Takes tokens from the front."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens

    def left(self) -> bool:
        """Is there more?"""
        return bool(self.tokens)

    def sees(self, *signs: str) -> bool:
        """Is the next token one of these signs?"""
        return bool(self.tokens) and self.tokens[0][0] == "sign" and self.tokens[0][1] in signs

    def take(self, *signs: str) -> str:
        """Take the next token, one of these signs if any are given."""
        if not self.tokens or (signs and not self.sees(*signs)):
            raise Unreadable(str(signs))
        return self.tokens.pop(0)[1]

    def choice(self) -> Tree:
        """a ? b : c"""
        tree = self.any()
        if self.sees("?"):
            self.take()
            yes = self.any()
            self.take(":")
            return ("choice", tree, yes, self.choice())
        return tree

    def any(self) -> Tree:
        """a || b"""
        tree = self.all()
        while self.sees("||"):
            self.take()
            tree = ("or", tree, self.all())
        return tree

    def all(self) -> Tree:
        """a && b"""
        tree = self.relation()
        while self.sees("&&"):
            self.take()
            tree = ("and", tree, self.relation())
        return tree

    def relation(self) -> Tree:
        """a == b"""
        tree = self.unary()
        while self.sees("==", "!=", "<", "<=", ">", ">="):
            tree = ("compare", self.take(), tree, self.unary())
        return tree

    def unary(self) -> Tree:
        """!a"""
        if self.sees("!"):
            self.take()
            return ("not", self.unary())
        return self.member()

    def member(self) -> Tree:
        """a.b(c)"""
        tree = self.primary()
        while self.sees("."):
            self.take()
            kind, name = self.tokens.pop(0) if self.tokens else ("", "")
            if kind != "word":
                raise Unreadable(name)
            if self.sees("("):
                tree = ("call", name, tree, *self.arguments())
            else:
                tree = ("dot", tree, name)
        return tree

    def arguments(self) -> list[Tree]:
        """(a, b)"""
        self.take("(")
        found: list[Tree] = []
        while not self.sees(")"):
            found.append(self.choice())
            if not self.sees(")"):
                self.take(",")
        self.take(")")
        return found

    def primary(self) -> Tree:
        """A constant, a name, or something in brackets."""
        if self.sees("("):
            self.take()
            tree = self.choice()
            self.take(")")
            return tree
        if not self.tokens:
            raise Unreadable("end")
        kind, text = self.tokens.pop(0)
        if kind == "text":
            return ("value", text[1:-1])
        if kind == "number":
            return ("value", int(text))
        if kind == "word" and text in ("true", "false"):
            return ("value", text == "true")
        if kind == "word" and self.sees("("):
            return ("function", text, *self.arguments())
        if kind == "word":
            return ("name", text)
        raise Unreadable(text)


# --- evaluating --------------------------------------------------------------------------------


def truth(tree: Tree, text: str, asked: Asked) -> bool:
    """Is an expression true? An error on one side is absorbed by the other, if that settles it."""
    match tree:
        case ("or", left, right):
            return either(left, right, True, text, asked)
        case ("and", left, right):
            return either(left, right, False, text, asked)
        case ("not", inner):
            return not truth(inner, text, asked)
        case ("choice", first, yes, no):
            return truth(yes if truth(first, text, asked) else no, text, asked)
        case _:
            return leaf(tree, text, asked)


def either(left: Tree, right: Tree, settles: bool, text: str, asked: Asked) -> bool:
    """Is either side `settles`? Then the whole is."""
    return (
        settles
        if settles in (truth(left, text, asked), truth(right, text, asked))
        else not settles
    )


def leaf(tree: Tree, text: str, asked: Asked) -> bool:
    """Is a test true? One that fails is not understood; one that is open turns out one way."""
    try:
        value = result(tree, asked)
    except Open:
        return opened(tree, asked)
    except Failed:
        return asked.turn(f"{spelled(tree)} of {text}", "not understood")
    if not isinstance(value, bool):
        return asked.turn(f"{spelled(tree)} of {text}", "not understood")
    return value


def opened(tree: Tree, asked: Asked) -> bool:
    """How a test of something that is not known turns out."""
    match tree:
        case ("call", ("matchTag" | "hasTagKey"), ("name", "resource"), *_):
            return asked.turn(f"{asked.about_tags}: {spelled(tree)}", "not read")
        case ("call", "startsWith", ("dot", ("name", "resource"), "name"), ("value", str(start))):
            if asked.begins.startswith(start) and asked.begins:
                return True
            if asked.begins and not start.startswith(asked.begins):
                return False
        case ("compare", ("==" | "!=") as sign, ("dot", ("name", "resource"), "name"), other):
            if (
                asked.begins
                and isinstance(other[1], str)
                and not other[1].startswith(asked.begins)
            ):
                return bool(sign == "!=")
        case _:
            pass
    match tree:
        case ("compare", "!=", left, right):
            return not asked.turn(spelled(("compare", "==", left, right)), "open")
        case ("compare", ">", left, right):
            return not asked.turn(spelled(("compare", "<=", left, right)), "open")
        case ("compare", ">=", left, right):
            return not asked.turn(spelled(("compare", "<", left, right)), "open")
        case _:
            return asked.turn(spelled(tree), "open")


def result(tree: Tree, asked: Asked) -> object:
    """What an expression comes to."""
    match tree:
        case ("value", value):
            return value
        case ("function", "timestamp", ("value", str(text))):
            return moment(text)
        case ("dot", _, _):
            return attribute(spelled(tree), asked)
        case ("call", "matchTag", ("name", "resource"), key, value):
            return f"{result(key, asked)}/{result(value, asked)}" in tags(asked)
        case ("call", "hasTagKey", ("name", "resource"), key):
            return any(tag.rpartition("/")[0] == result(key, asked) for tag in tags(asked))
        case ("call", "getHours", _, *_):
            raise Open
        case ("call", ("startsWith" | "endsWith" | "contains") as name, inner, start):
            whole, part = result(inner, asked), result(start, asked)
            if not isinstance(whole, str) or not isinstance(part, str):
                raise Failed
            return {
                "startsWith": whole.startswith(part),
                "endsWith": whole.endswith(part),
                "contains": part in whole,
            }[str(name)]
        case ("compare", sign, left, right):
            return compared(str(sign), result(left, asked), result(right, asked))
        case ("or" | "and" | "not" | "choice", *_):
            return truth(tree, spelled(tree), asked)
        case _:
            raise Open


def compared(sign: str, left: object, right: object) -> bool:
    """Compare two values; of two kinds they cannot be."""
    if type(left) is not type(right):
        raise Failed
    same = bool(left == right)
    if sign in ("==", "!="):
        return same if sign == "==" else not same
    less = bool(cast(Any, left) < right)
    return {"<": less, "<=": less or same, ">": not less and not same, ">=": not less}[sign]


def attribute(path: str, asked: Asked) -> object:
    """The value of an attribute."""
    known: dict[str, object] = dict(asked.given)
    if asked.name is not None:
        known["resource.name"] = asked.name
    if asked.type is not None:
        known["resource.type"] = asked.type
        known["resource.service"] = asked.type.partition("/")[0]
    if asked.time:
        known["request.time"] = moment(asked.time)
    if path not in known:
        raise Open
    return known[path]


def tags(asked: Asked) -> frozenset[str]:
    """The tags of the resource."""
    if asked.tags is None:
        raise Open
    return asked.tags


def moment(text: str) -> datetime:
    """A time."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Failed from None


def spelled(tree: Tree) -> str:
    """An expression as text."""
    match tree:
        case ("value", bool(value)):
            return str(value).lower()
        case ("value", str(text)):
            return f"'{text}'"
        case ("value", value):
            return str(value)
        case ("name", name):
            return str(name)
        case ("dot", inner, name):
            return f"{spelled(inner)}.{name}"
        case ("call", name, inner, *arguments):
            return f"{spelled(inner)}.{name}({', '.join(map(spelled, arguments))})"
        case ("function", name, *arguments):
            return f"{name}({', '.join(map(spelled, arguments))})"
        case ("compare", sign, left, right):
            return f"{spelled(left)} {sign} {spelled(right)}"
        case (name, *parts):
            return f"{name}({', '.join(map(spelled, parts))})"
        case _:
            return ""
