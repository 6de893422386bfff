"""Conditions, evaluated where everything that they ask is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from itertools import product

from modelreach_reference.azure.wildcards import action_matches, text_matches

_PIECES = re.compile(
    r"\s*(&&|\|\||!|[(){},]|@\w+\[[^\]]*\]|'(?:\\.|[^'\\])*'|[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}"
    r"[0-9A-Fa-f]{12}\b|-?\d+(?:\.\d+)?|[A-Za-z]\w*(?::[A-Za-z]\w*)?)",
    re.DOTALL,
)
SUB_OPERATION = "sub-operation"


class Malformed(Exception):
    """It is no condition."""


def pieces(text: str) -> list[str]:
    """Cut a condition into its pieces."""
    found: list[str] = []
    place = 0
    text = text.strip()
    while place < len(text):
        piece = _PIECES.match(text, place)
        if piece is None:
            raise Malformed(text[place : place + 10])
        found.append(piece[1])
        place = piece.end()
    return found


def asked_about(text: str) -> dict[str, list[str]]:
    """Give the attributes that a condition asks about, each with values to try."""
    try:
        listed = pieces(text)
    except Malformed:
        return {}
    values = [piece.strip("'") for piece in listed if piece[0] == "'" or piece[0].isdigit()]
    found: dict[str, list[str]] = {}
    for piece, after in zip(listed, [*listed, ""][1:], strict=True):
        if piece.startswith("@"):
            found.setdefault(piece[1:].lower(), []).extend(_tried(after.lower(), values))
        if piece.lower() == "suboperationmatches":
            found[SUB_OPERATION] = _tried("", values)
    return found


def _tried(operator: str, values: list[str]) -> list[str]:
    """Values that tell apart whatever they may be compared with by an operator."""
    if "numeric" in operator:
        numbers = [int(value) for value in values if value.lstrip("-").isdigit()]
        return [str(number + step) for number in (0, *numbers) for step in (-1, 0, 1)]
    if "bool" in operator:
        return ["true", "false"]
    found = ["any-other"]
    for value in values:
        plain = value.replace("*", "").replace("?", "q")
        found += [value, value.lower(), value.upper(), plain, plain + "z", "z" + plain]
    return found


def holds(text: str, action: str, known: Mapping[str, str]) -> bool:
    """Does a condition hold? Raises Malformed when it is none."""
    if not text.strip():
        return True
    left = pieces(text)
    value = _any(left, action, known)
    if left:
        raise Malformed(left[0])
    return value


def _any(left: list[str], action: str, known: Mapping[str, str]) -> bool:
    """A run of parts with one word between them all; two words side by side mean nothing."""
    values = [_part(left, action, known)]
    words: set[str] = set()
    while left and left[0].lower() in ("and", "&&", "or", "||"):
        words.add("or" if left.pop(0).lower() in ("or", "||") else "and")
        values.append(_part(left, action, known))
    if len(words) > 1:
        raise Malformed("and beside or")
    return any(values) if words == {"or"} else all(values)


def _part(left: list[str], action: str, known: Mapping[str, str]) -> bool:
    if not left:
        raise Malformed("the end")
    first = left[0].lower()
    if first in ("not", "!"):
        left.pop(0)
        return not _part(left, action, known)
    if first == "(":
        left.pop(0)
        value = _any(left, action, known)
        _expect(left, ")")
        return value
    if first in ("actionmatches", "suboperationmatches"):
        left.pop(0)
        listed = _set(left)
        if first == "actionmatches":
            return any(action_matches(pattern, action) for pattern in listed)
        return known[SUB_OPERATION].lower() in [name.lower() for name in listed]
    if first == "exists":
        left.pop(0)
        _attribute(left, known)
        return True
    return _comparison(left, known)


def _expect(left: list[str], sign: str) -> None:
    if not left or left.pop(0) != sign:
        raise Malformed(sign)


def _set(left: list[str]) -> list[str]:
    _expect(left, "{")
    values = [_value(left)]
    while left and left[0] == ",":
        left.pop(0)
        values.append(_value(left))
    _expect(left, "}")
    return values


def _value(left: list[str]) -> str:
    if not left:
        raise Malformed("the end")
    piece = left.pop(0)
    if piece.startswith("'"):
        return piece[1:-1]
    if piece[0].isdigit() or piece[0] == "-" or piece.lower() in ("true", "false"):
        return piece.lower() if piece.lower() in ("true", "false") else piece
    if re.fullmatch(r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}", piece):
        return piece
    raise Malformed(piece)


def _attribute(left: list[str], known: Mapping[str, str]) -> str:
    if not left or not left[0].startswith("@"):
        raise Malformed("an attribute")
    name = left.pop(0)[1:].lower()
    if name.split("[")[0] not in ("resource", "request", "principal", "environment"):
        raise Malformed(name)
    return known[name]


def _operand(left: list[str], known: Mapping[str, str]) -> list[str]:
    if not left:
        raise Malformed("the end")
    if left[0].startswith("@"):
        return [_attribute(left, known)]
    return _set(left) if left[0] == "{" else [_value(left)]


def _comparison(left: list[str], known: Mapping[str, str]) -> bool:
    ours = _operand(left, known)
    if not left:
        raise Malformed("the end")
    quantifier, _, name = left.pop(0).lower().rpartition(":")
    theirs = _operand(left, known)
    if quantifier not in ("", *_QUANTIFIERS):
        raise Malformed(quantifier)
    outer, inner = _QUANTIFIERS.get(quantifier, (any, any))
    negative = "not" in name
    if negative and not quantifier:
        # One value on each side: it is not so, whichever way it is put.
        outer, inner = all, all
    compare = name.replace("not", "", 1) if negative else name
    if compare not in _KINDS:
        raise Malformed(name)
    table = {(a, b): _compare(compare, a, b) != negative for a, b in product(ours, theirs)}
    return outer(inner(table[a, b] for b in theirs) for a in ours)


_QUANTIFIERS = {
    "foranyofanyvalues": (any, any),
    "forallofanyvalues": (all, any),
    "foranyofallvalues": (any, all),
    "forallofallvalues": (all, all),
}
_KINDS = {
    *("stringequals", "stringequalsignorecase", "stringstartswith", "stringlike"),
    *("stringstartswithignorecase", "stringlikeignorecase"),
    *("numericequals", "numericlessthan", "numericlessthanequals", "numericgreaterthan"),
    *("numericgreaterthanequals", "datetimeequals", "datetimelessthan"),
    *("datetimelessthanequals", "datetimegreaterthan", "datetimegreaterthanequals"),
    *("boolequals", "guidequals"),
}


def _compare(kind: str, a: str, b: str) -> bool:
    if kind.endswith("ignorecase"):
        return _compare(kind.removesuffix("ignorecase"), a.lower(), b.lower())
    match kind:
        case "stringequals":
            return a == b
        case "stringstartswith":
            return a.startswith(b)
        case "stringlike":
            return text_matches(b, a)
        case "boolequals":
            return a.lower() == b.lower()
        case "guidequals":
            return a.lower().replace("-", "") == b.lower().replace("-", "")
        case _:
            return _ordered(kind, a, b)


def _ordered(kind: str, a: str, b: str) -> bool:
    try:
        if kind.startswith("numeric"):
            difference: float | Fraction = Fraction(a) - Fraction(b)
        else:
            difference = (_time(a) - _time(b)).total_seconds()
    except (ValueError, TypeError) as error:
        raise Malformed(a) from error
    word = kind.removeprefix("numeric").removeprefix("datetime")
    return {
        "equals": difference == 0,
        "lessthan": difference < 0,
        "lessthanequals": difference <= 0,
        "greaterthan": difference > 0,
        "greaterthanequals": difference >= 0,
    }[word]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
