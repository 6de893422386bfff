"""Conditions of role assignments and of role definitions: from text to a tree.

A condition is a boolean expression over `ActionMatches{…}`, `SubOperationMatches{…}`, `Exists` and
comparisons of attributes with values, sets of values or other attributes. Where `AND` and `OR`
stand side by side, Azure wants parentheses; a text without them is not understood here.
https://learn.microsoft.com/azure/role-based-access-control/conditions-format
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

MAX_LENGTH = 65_536
MAX_DEPTH = 60


class NotUnderstood(ValueError):
    """The text is no condition that is known here; the message says why."""


class Attribute(msgspec.Struct, frozen=True):
    """`@Source[name]`, as written: `source` is resource, request, principal or environment."""

    source: str
    name: str

    @property
    def text(self) -> str:
        """How a person writes it."""
        return f"@{self.source.capitalize()}[{self.name}]"


Values = tuple[str, ...]


class Matches(msgspec.Struct, frozen=True):
    """`ActionMatches{'…'}`: is the action that is asked for one of these?"""

    patterns: tuple[str, ...]


class SubOperation(msgspec.Struct, frozen=True):
    """`SubOperationMatches{'…'}`: is this the part of the action that is asked for?"""

    names: tuple[str, ...]


class Exists(msgspec.Struct, frozen=True):
    """`Exists @…[…]`: has the attribute a value?"""

    attribute: Attribute


class Compare(msgspec.Struct, frozen=True):
    """`left operator right`. `quantifier` is "" or such as `ForAnyOfAnyValues`."""

    left: Attribute | Values
    operator: str
    right: Attribute | Values
    quantifier: str = ""


class Negated(msgspec.Struct, frozen=True):
    """The part does not hold."""

    part: Node


class Together(msgspec.Struct, frozen=True):
    """All parts hold, or (`every` is False) at least one does."""

    parts: tuple[Node, ...]
    every: bool


Node = Matches | SubOperation | Exists | Compare | Negated | Together

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<open>\() | (?P<close>\)) | (?P<left>\{) | (?P<right>\}) | (?P<comma>,)
  | (?P<and>&&) | (?P<or>\|\|) | (?P<not>!)
  | (?P<attribute>@[A-Za-z]+\[[^\]]*\])
  | (?P<text>'(?:[^'\\]|\\.)*')
  | (?P<guid>[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}(?![0-9A-Za-z]))
  | (?P<number>-?\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z][A-Za-z0-9]*(?::[A-Za-z][A-Za-z0-9]*)?)
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"and": "and", "or": "or", "not": "not"}
_SOURCES = {"resource", "request", "principal", "environment"}
_ACTION = {"actionmatches", "suboperationmatches"}
QUANTIFIERS = {
    "foranyofanyvalues": "ForAnyOfAnyValues",
    "forallofanyvalues": "ForAllOfAnyValues",
    "foranyofallvalues": "ForAnyOfAllValues",
    "forallofallvalues": "ForAllOfAllValues",
}
#: Operators that say yes, in lower case, as they are documented.
OPERATORS = {
    name.lower(): name
    for name in (
        *("StringEquals", "StringEqualsIgnoreCase", "StringStartsWith", "StringLike"),
        *("StringStartsWithIgnoreCase", "StringLikeIgnoreCase"),
        *("StringMatches", "StringMatchesIgnoreCase"),
        *("NumericEquals", "NumericLessThan", "NumericLessThanEquals"),
        *("NumericGreaterThan", "NumericGreaterThanEquals"),
        *("DateTimeEquals", "DateTimeLessThan", "DateTimeLessThanEquals"),
        *("DateTimeGreaterThan", "DateTimeGreaterThanEquals"),
        *("BoolEquals", "GuidEquals", "IpMatch"),
    )
}
#: Operators that say no, with the one that they deny.
NEGATIONS = {
    name.lower(): positive
    for name, positive in (
        *(("StringNotEquals", "StringEquals"), ("StringNotLike", "StringLike")),
        ("StringNotEqualsIgnoreCase", "StringEqualsIgnoreCase"),
        *(("StringNotStartsWith", "StringStartsWith"), ("StringNotMatches", "StringMatches")),
        ("StringNotStartsWithIgnoreCase", "StringStartsWithIgnoreCase"),
        ("StringNotLikeIgnoreCase", "StringLikeIgnoreCase"),
        ("StringNotMatchesIgnoreCase", "StringMatchesIgnoreCase"),
        *(("NumericNotEquals", "NumericEquals"), ("DateTimeNotEquals", "DateTimeEquals")),
        *(("BoolNotEquals", "BoolEquals"), ("GuidNotEquals", "GuidEquals")),
        ("IpNotMatch", "IpMatch"),
    )
}


@lru_cache(1 << 12)
def parse(text: str) -> Node:
    """Give the tree of a condition. Raises `NotUnderstood`, whatever the text is."""
    if len(text) > MAX_LENGTH:
        raise NotUnderstood("the condition is longer than any that Azure keeps")
    reader = _Reader(_tokens(text))
    node = reader.expression(0)
    if reader.kind:
        raise NotUnderstood(f"`{_short(reader.text)}` follows where the condition has ended")
    return node


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None or token.lastgroup is None:
            raise NotUnderstood(f"`{_short(text[place:])}` is no part of a condition")
        if token.lastgroup == "word":
            found.append((_WORDS.get(token[0].lower(), "word"), token[0]))
        elif token.lastgroup != "space":
            found.append((token.lastgroup, token[0]))
        place = token.end()
    return found


def _short(text: str) -> str:
    return text[:20]


class _Reader:
    """Recursive descent over the tokens."""

    __slots__ = ("_place", "_tokens")

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def kind(self) -> str:
        """The kind of the next token; "" at the end."""
        return self._tokens[self._place][0] if self._place < len(self._tokens) else ""

    @property
    def text(self) -> str:
        """The next token as written."""
        return self._tokens[self._place][1] if self.kind else ""

    def _take(self, kind: str) -> str:
        if self.kind != kind:
            raise NotUnderstood(f"`{_short(self.text) or 'the end'}` stands where a {kind} should")
        text = self.text
        self._place += 1
        return text

    def expression(self, depth: int) -> Node:
        """Parts that are all joined in the same way."""
        if depth > MAX_DEPTH:
            raise NotUnderstood("the condition is nested too deeply")
        parts = [self._part(depth)]
        joint = self.kind
        while self.kind in ("and", "or"):
            if self.kind != joint:
                raise NotUnderstood("AND and OR stand side by side without parentheses")
            self._take(joint)
            parts.append(self._part(depth))
        return parts[0] if len(parts) == 1 else Together(tuple(parts), joint == "and")

    def _part(self, depth: int) -> Node:
        negated = False
        while self.kind == "not":
            self._take("not")
            negated = not negated
        node = self._plain(depth)
        return Negated(node) if negated else node

    def _plain(self, depth: int) -> Node:
        if self.kind == "open":
            self._take("open")
            node = self.expression(depth + 1)
            self._take("close")
            return node
        if self.kind == "word" and self.text.lower() in _ACTION:
            name = self._take("word").lower()
            values = self._set()
            return Matches(values) if name == "actionmatches" else SubOperation(values)
        if self.kind == "word" and self.text.lower() == "exists":
            self._take("word")
            return Exists(self._attribute())
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._operand()
        word = self._take("word")
        head, colon, tail = word.lower().rpartition(":")
        if colon and head not in QUANTIFIERS:
            raise NotUnderstood(f"`{_short(word)}` is no operator")
        right = self._operand()
        return _compared(left, tail, right, QUANTIFIERS[head] if colon else "")

    def _operand(self) -> Attribute | Values:
        match self.kind:
            case "attribute":
                return self._attribute()
            case "left":
                return self._set()
            case _:
                return (self._value(),)

    def _attribute(self) -> Attribute:
        text = self._take("attribute")
        source, _, name = text[1:-1].partition("[")
        if source.lower() not in _SOURCES or not name.strip():
            raise NotUnderstood(f"`{_short(text)}` is no attribute")
        return Attribute(source.lower(), name.strip())

    def _set(self) -> Values:
        self._take("left")
        values = [self._value()]
        while self.kind == "comma":
            self._take("comma")
            values.append(self._value())
        self._take("right")
        return tuple(values)

    def _value(self) -> str:
        match self.kind:
            case "text":
                return self._take("text")[1:-1]
            case "number" | "guid":
                return self._take(self.kind)
            case "word" if self.text.lower() in ("true", "false"):
                return self._take("word").lower()
            case _:
                raise NotUnderstood(
                    f"`{_short(self.text) or 'the end'}` stands where a value should"
                )


def _compared(
    left: Attribute | Values, name: str, right: Attribute | Values, quantifier: str
) -> Node:
    """Negations are told as what they deny."""
    if name in OPERATORS:
        return Compare(left, OPERATORS[name], right, quantifier)
    if name not in NEGATIONS:
        raise NotUnderstood(f"`{_short(name)}` is no operator")
    if not quantifier:
        return Negated(Compare(left, NEGATIONS[name], right))
    # not(x equals y) for some or all x and y: the other quantifiers, denied.
    return Negated(Compare(left, NEGATIONS[name], right, _DUAL[quantifier]))


_DUAL = {
    "ForAnyOfAnyValues": "ForAllOfAllValues",
    "ForAllOfAllValues": "ForAnyOfAnyValues",
    "ForAllOfAnyValues": "ForAnyOfAllValues",
    "ForAnyOfAllValues": "ForAllOfAnyValues",
}
