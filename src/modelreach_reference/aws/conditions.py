"""The Condition element: operators, set operators, IfExists, and what an absent key means.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial

from modelreach_reference.aws import values
from modelreach_reference.aws.logic import NotUnderstood, Truth, ask
from modelreach_reference.aws.shapes import as_list, as_object, is_object
from modelreach_reference.aws.text import (
    Context,
    Pattern,
    literal,
    matches,
    wildcards,
    with_variables,
)

Test = Callable[[str], bool]
"""Whether one value of the request fits one value of the policy."""


class Over(Enum):
    """Over which values of the request an operator asks its question."""

    ONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator taken apart: `over`:[Not]`name`[IfExists]."""

    over: Over
    name: str
    negated: bool
    if_exists: bool


NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
"""Each negated operator, and the one that it negates."""

PLAIN = frozenset(
    {
        *NEGATED.values(),
        *("NumericLessThan", "NumericLessThanEquals"),
        *("NumericGreaterThan", "NumericGreaterThanEquals"),
        *("DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"),
        *("Bool", "BinaryEquals", "Null"),
    }
)


SPELLED = {name.lower(): name for name in (*PLAIN, *NEGATED, *(over.value for over in Over))}
"""The names as AWS spells them. Policies that spell them in another case are accepted."""


def read_operator(text: str) -> Operator:
    """Take an operator apart; raise `NotUnderstood` if AWS has no such operator."""
    prefix, colon, rest = text.lower().rpartition(":")
    name = SPELLED.get(rest.removesuffix("ifexists"), "")
    over = SPELLED.get(prefix, text)
    if name not in (*PLAIN, *NEGATED) or (colon and over not in ("ForAllValues", "ForAnyValue")):
        raise NotUnderstood(f"the condition operator `{text}`")
    if name == "Null" and text.lower() != "null":
        raise NotUnderstood("a Null operator with a set operator or IfExists")
    return Operator(Over(over), NEGATED.get(name, name), name in NEGATED, rest[-8:] == "ifexists")


def conditions_hold(condition: object, context: Context, *, variables: bool) -> list[Truth]:
    """Say of every key below every operator of a Condition element whether it holds.

    All of them must, operators and keys below one operator alike:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    """
    if not is_object(condition):
        return [None]
    return [
        truth
        for operator, keys in as_object(condition).items()
        for truth in _block(operator, keys, context, variables=variables)
    ]


def _block(name: str, keys: object, context: Context, *, variables: bool) -> list[Truth]:
    if not is_object(keys):
        return [None]
    return [
        ask(lambda: bool(read_operator(name))),
        *(
            ask(partial(_holds, name, key, wanted, context, variables=variables))
            for key, wanted in as_object(keys).items()
        ),
    ]


def _holds(name: str, key: str, wanted: object, context: Context, *, variables: bool) -> bool:
    """Say whether one key passes one operator."""
    operator = read_operator(name)
    found = context.get(key.lower(), ())
    texts = read_values(wanted)
    if operator.name == "Null":
        return any(values.boolean(text) == (not found) for text in texts)
    tests = [_test(operator.name, text, context, variables=variables) for text in texts]
    if operator.over is Over.ONE:
        return _holds_for_one(operator, found, tests)
    return _holds_for_set(operator, [value for value in found if value], tests)


def _holds_for_one(operator: Operator, found: Sequence[str], tests: Sequence[Test]) -> bool:
    """Decide an operator without a set operator.

    Without the key a plain operator is false, a negated one true, and with IfExists both are
    true. Several values in the policy are alternatives; a negated operator wants none of them.
    Several values in the request need a set operator, and AWS does not say what happens without
    one: here any of them may fit.
    """
    if not found:
        return operator.negated or operator.if_exists
    fits = any(test(value) for value in found for test in tests)
    return fits != operator.negated


def _holds_for_set(operator: Operator, found: Sequence[str], tests: Sequence[Test]) -> bool:
    """Decide ForAllValues and ForAnyValue.

    Without the key, or with only empty values, ForAllValues is true and ForAnyValue false. The
    page on set operators says so without exception, so IfExists adds nothing to either.
    """
    fits = [any(test(value) for test in tests) != operator.negated for value in found]
    return all(fits) if operator.over is Over.ALL else any(fits)


def read_values(wanted: object) -> list[str]:
    """Read the value of a condition key: text, number, Boolean, or a list of those.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    texts = [_scalar(item) for item in as_list(wanted)]
    if not texts:
        raise NotUnderstood("a condition key without any value")
    return texts


def _scalar(item: object) -> str:
    match item:
        case bool():
            return "true" if item else "false"
        case str() | int() | float():
            return str(item)
        case _:
            raise NotUnderstood("a condition value that is neither text, number nor Boolean")


def _test(name: str, text: str, context: Context, *, variables: bool) -> Test:
    """Give the comparison of one operator with one policy value."""
    if name.startswith("String"):
        return _string_test(name, text, context, variables=variables)
    if name.startswith("Arn"):
        return _arn_test(text, context, variables=variables)
    return values.typed_test(name, text)


def _string_test(name: str, text: str, context: Context, *, variables: bool) -> Test:
    """Compare text. Only StringLike knows wildcards, only IgnoreCase ignores the case."""
    pattern = _pattern(text, context, variables=variables, wild=name == "StringLike")
    if pattern is None:
        return lambda _: False
    if name != "StringEqualsIgnoreCase":
        return lambda value: matches(pattern, value)
    lowered = [token.lower() if isinstance(token, str) else token for token in pattern]
    return lambda value: matches(lowered, value.lower())


def _pattern(text: str, context: Context, *, variables: bool, wild: bool) -> Pattern | None:
    if variables:
        return with_variables(text, context, wild=wild)
    return wildcards(text) if wild else literal(text)


def _arn_test(text: str, context: Context, *, variables: bool) -> Test:
    """Compare ARNs: each of the six parts between colons by itself, with wildcards.

    ArnEquals and ArnLike are the same; the sixth part is the rest, with colons and all. `*` alone
    fits every ARN.
    """
    if text == "*":
        return lambda value: len(value.split(":", 5)) == 6
    parts = [_pattern(part, context, variables=variables, wild=True) for part in _arn_parts(text)]
    patterns = [part for part in parts if part is not None]

    def test(value: str) -> bool:
        arn = value.split(":", 5)
        return len(arn) == len(parts) == len(patterns) == 6 and all(
            matches(pattern, part) for pattern, part in zip(patterns, arn, strict=True)
        )

    return test


def _arn_parts(text: str) -> list[str]:
    """Split an ARN pattern at its first five colons that are not inside a variable."""
    parts = [""]
    depth = 0
    for place, character in enumerate(text):
        depth += (text[place : place + 2] == "${") - (character == "}" and depth > 0)
        if character == ":" and depth == 0 and len(parts) < 6:
            parts.append("")
        else:
            parts[-1] += character
    return parts
