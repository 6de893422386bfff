"""Conditions, evaluated as far as the request settles them.

What is not known of a request stays an atom of the result, so that a condition is true, false, or
depends on what is named. Values are compared as Azure documents it; regular expressions and
address ranges are never tried, and stay open.
https://learn.microsoft.com/azure/role-based-access-control/conditions-format
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256

import msgspec

from modelreach.policy.azure.abac import (
    Attribute,
    Compare,
    Exists,
    Matches,
    Negated,
    Node,
    NotUnderstood,
    SubOperation,
    Together,
    Values,
    parse,
)
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, any_of, negate
from modelreach.policy.glob import escape, match

#: The key under which the part of an action that is asked for may be fixed.
SUB_OPERATION = "suboperation"


class Request(msgspec.Struct, frozen=True):
    """What a condition may ask about. `matches` answers `ActionMatches`; `known` are attributes by
    `source[name]` in lower case."""

    matches: Callable[[tuple[str, ...]], bool]
    known: Mapping[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, tuple[str, ...]]
    )


def action_matches(action: str) -> Callable[[tuple[str, ...]], bool]:
    """Give the answer to `ActionMatches` for one action, in lower case."""
    return lambda patterns: any(match(as_glob(pattern), action) for pattern in patterns)


def as_glob(pattern: str) -> str:
    """Give the glob of an action pattern: `*` is its only wildcard, case makes no difference.
    https://learn.microsoft.com/azure/role-based-access-control/role-definitions"""
    return pattern.lower().replace("?", escape("?"))


def attribute_key(text: str) -> str:
    """Give the key of an attribute as a person writes it: with or without the `@`."""
    return text.removeprefix("@").lower()


def condition_expr(text: str, request: Request) -> Expr:
    """Give what a condition comes to; an atom that it was not understood when it was not."""
    if not text.strip():
        return TRUE
    try:
        return _expr(parse(text), request)
    except NotUnderstood as reason:
        # The digest keeps two conditions apart that begin alike.
        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return Atom(AtomKind.OPAQUE, "condition", digest, (text[:200], str(reason)))


def _expr(node: Node, request: Request) -> Expr:
    match node:
        case Together(parts, every):
            return (all_of if every else any_of)(_expr(part, request) for part in parts)
        case Negated(part):
            return negate(_expr(part, request))
        case Matches(patterns):
            return TRUE if request.matches(patterns) else FALSE
        case SubOperation(names):
            return _sub_operation(names, request)
        case Exists(attribute):
            return _exists(attribute, request)
        case Compare():
            return _compared(node, request)


def _sub_operation(names: tuple[str, ...], request: Request) -> Expr:
    known = request.known.get(SUB_OPERATION)
    if known is None:
        return any_of(Atom(AtomKind.CONTEXT, "@SubOperation", "is", (name,)) for name in names)
    asked = {name.lower() for name in known}
    return TRUE if asked & {name.lower() for name in names} else FALSE


def _known(attribute: Attribute, request: Request) -> tuple[str, ...] | None:
    return request.known.get(attribute_key(attribute.text))


def _exists(attribute: Attribute, request: Request) -> Expr:
    known = _known(attribute, request)
    if known is None:
        return Atom(AtomKind.CONTEXT, attribute.text, "Exists")
    return TRUE if known else FALSE


def _compared(node: Compare, request: Request) -> Expr:
    left, right = _values(node.left, request), _values(node.right, request)
    if not isinstance(left, tuple) or not isinstance(right, tuple):
        return _open(node, left, right)
    if node.operator in _UNTRIED or not left or not right:
        return _open(node, left, right)
    compare = _COMPARE[node.operator]
    try:
        found = _quantified(node.quantifier, left, right, compare)
    except (ValueError, InvalidOperation):
        reason = f"{node.operator} of {', '.join(left)[:80]} and {', '.join(right)[:80]}"
        return Atom(AtomKind.OPAQUE, "condition", "", (reason,))
    return TRUE if found else FALSE


def _values(side: Attribute | Values, request: Request) -> Values | str:
    """The values of a side, or how it is written when they are not known."""
    if not isinstance(side, Attribute):
        return side
    known = _known(side, request)
    return side.text if known is None else known


def _open(node: Compare, left: Values | str, right: Values | str) -> Expr:
    operator = f"{node.quantifier}:{node.operator}" if node.quantifier else node.operator
    values = (right,) if isinstance(right, str) else right
    if isinstance(left, str):
        return Atom(AtomKind.CONTEXT, left, operator, values)
    if isinstance(right, str) and not node.quantifier and node.operator in _EITHER_WAY:
        return Atom(AtomKind.CONTEXT, right, operator, left)
    written = node.left.text if isinstance(node.left, Attribute) else ""
    return Atom(AtomKind.CONTEXT, written or ", ".join(left), operator, values)


_EITHER_WAY = {
    *("StringEquals", "StringEqualsIgnoreCase", "NumericEquals"),
    *("DateTimeEquals", "BoolEquals", "GuidEquals"),
}
_UNTRIED = {"StringMatches", "StringMatchesIgnoreCase", "IpMatch"}


def _quantified(
    quantifier: str, left: Values, right: Values, compare: Callable[[str, str], bool]
) -> bool:
    """Without a quantifier, one pair that compares is enough: there is one value on each side."""
    every_left = quantifier.startswith("ForAllOf")
    every_right = quantifier.endswith("AllValues")
    over_right = all if every_right else any
    over_left = all if every_left else any
    return over_left(over_right([compare(one, other) for other in right]) for one in left)


def _like(text: str, pattern: str) -> bool:
    """`*` and `?` are wildcards, unless a backslash stands before them."""
    glob, place = "", 0
    while place < len(pattern):
        quoted = pattern[place] == "\\" and pattern[place + 1 : place + 2] in ("*", "?", "\\")
        place += quoted
        glob += escape(pattern[place]) if quoted else pattern[place]
        place += 1
    return match(glob, text)


def _folded(compare: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    return lambda one, other: compare(one.lower(), other.lower())


def _guid(text: str) -> str:
    return text.replace("-", "").strip("{}").lower()


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def _number(text: str) -> Decimal:
    found = Decimal(text)
    if not found.is_finite():
        raise ValueError("not a number")
    return found


_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda a, b: a == b,
    "StringEqualsIgnoreCase": _folded(lambda a, b: a == b),
    "StringStartsWith": str.startswith,
    "StringStartsWithIgnoreCase": _folded(str.startswith),
    "StringLike": _like,
    "StringLikeIgnoreCase": _folded(_like),
    "NumericEquals": lambda a, b: _number(a) == _number(b),
    "NumericLessThan": lambda a, b: _number(a) < _number(b),
    "NumericLessThanEquals": lambda a, b: _number(a) <= _number(b),
    "NumericGreaterThan": lambda a, b: _number(a) > _number(b),
    "NumericGreaterThanEquals": lambda a, b: _number(a) >= _number(b),
    "DateTimeEquals": lambda a, b: _time(a) == _time(b),
    "DateTimeLessThan": lambda a, b: _time(a) < _time(b),
    "DateTimeLessThanEquals": lambda a, b: _time(a) <= _time(b),
    "DateTimeGreaterThan": lambda a, b: _time(a) > _time(b),
    "DateTimeGreaterThanEquals": lambda a, b: _time(a) >= _time(b),
    "BoolEquals": _folded(lambda a, b: a == b),
    "GuidEquals": lambda a, b: _guid(a) == _guid(b),
}
