"""Patterns: `*`, `?` and policy variables, matched piece by piece from left to right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from modelreach_reference.aws.logic import NotUnderstood

Context = Mapping[str, tuple[str, ...]]
"""Every value of each context key that the request has; key names in lower case."""


class Wild(Enum):
    """What stands for more than itself in a pattern."""

    RUN = "*"
    ONE = "?"


Token = str | Wild
Pattern = Sequence[Token]


def matches(pattern: Pattern, text: str) -> bool:
    """Say whether the whole text fits the pattern.

    `*` is any run of characters, also none, `?` exactly one, everything else is itself:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    reached = {0}
    for token in pattern:
        if not reached:
            return False
        reached = _after(token, reached, text)
    return len(text) in reached


def _after(token: Token, reached: set[int], text: str) -> set[int]:
    """Give the places in the text that can be reached from these places by this token."""
    if token is Wild.RUN:
        return set(range(min(reached), len(text) + 1))
    if token is Wild.ONE:
        return {place + 1 for place in reached if place < len(text)}
    return {place + len(token) for place in reached if text.startswith(token, place)}


def wildcards(text: str) -> Pattern:
    """Read a text in which `*` and `?` are wildcards and nothing else is special."""
    pattern: list[Token] = []
    plain = ""
    for character in text:
        if character in "*?":
            pattern += [plain, Wild(character)]
            plain = ""
        else:
            plain += character
    return [*pattern, plain]


def literal(text: str) -> Pattern:
    """Read a text in which nothing is special."""
    return [text]


def with_variables(text: str, context: Context, *, wild: bool) -> Pattern | None:
    """Read a text with policy variables; `None` if a variable has no value in this request.

    What a variable stands for is text, never a wildcard; `${*}`, `${?}` and `${$}` are those
    characters themselves. A variable without a value matches nothing, unless it has a default:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    read = wildcards if wild else literal
    pattern: list[Token] = []
    rest = text
    while "${" in rest:
        before, rest = rest.split("${", 1)
        pattern.extend(read(before))
        body, rest = _variable_body(rest)
        value = _variable_value(body, context)
        if value is None:
            return None
        pattern.extend(literal(value))
    pattern.extend(read(rest))
    return pattern


def _variable_body(rest: str) -> tuple[str, str]:
    """Split what follows `${` into the variable and what comes after its closing brace."""
    end = "'}" if ", '" in rest.split("}", 1)[0] else "}"
    if end not in rest:
        raise NotUnderstood("a variable without its closing brace or quote")
    body, after = rest.split(end, 1)
    return body + end[:-1], after


def _variable_value(body: str, context: Context) -> str | None:
    """Give what a variable stands for.

    A key with several values cannot be used as a variable:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    if body in ("*", "?", "$"):
        return body
    name, comma, default = body.partition(", ")
    if not name or (comma and not _quoted(default)):
        raise NotUnderstood(f"the variable `{body}`")
    values = context.get(name.lower(), ())
    if len(values) == 1:
        return values[0]
    return default[1:-1] if comma and not values else None


def _quoted(text: str) -> bool:
    return len(text) >= 2 and text[0] == text[-1] == "'"
