"""Conditions, three-valued: met, not met, or what has to hold.

What is left is made of positive atoms and their negations, so that a condition and its opposite
cancel: `StringNotEquals` is the negation of the atom `StringEquals`, which is false for an absent
key; `…IfExists` is the atom or `Null key true`, but adds nothing to a set operator; and the set
operators mirror each other: `ForAllValues:StringNotEquals` is the negation of
`ForAnyValue:StringEquals`.

Values of an atom are always written as a policy of version 2012-10-17 would write them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
https://repost.aws/questions/QU9HFmDzP0QGuU-fd7rS6B7w/foranyvalue-stringequalsifexists-behaving-unexpectedly
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from modelreach.policy.aws.clauses import parse_operator
from modelreach.policy.aws.context import OPEN, Context, spelled
from modelreach.policy.aws.matching import (
    PATTERN,
    literal,
    partly_filled,
    text_matches,
)
from modelreach.policy.aws.operators import OPERATORS, Operator, truth
from modelreach.policy.aws.statement import Condition, Quantifier
from modelreach.policy.aws.variables import Template, template
from modelreach.policy.expr import (
    FALSE,
    TRUE,
    Atom,
    AtomKind,
    Const,
    Expr,
    all_of,
    any_of,
    assign,
    negate,
)

_TEXT = {"StringEquals", "StringLike"}


def condition_expr(condition: Condition, context: Context, *, variables: bool = True) -> Expr:
    """Give TRUE or FALSE where the context settles the condition, else what has to hold.

    `variables` says that the policy's version expands policy variables.
    """
    if condition.operator == "Null":
        return _null(condition, context)
    read = _read(condition, variables)
    given = context.values(condition.key)
    if given is None:
        return _open(condition, read, context) if read.keys else _left(condition, read)
    wanted: Sequence[str] = read.texts
    if read.keys:
        if any(context.variable(key) is None for key in read.keys):
            return _half_open(condition, read, given, context)
        filled = [one.filled(lambda part: literal(part, context)) for one in read.templates]
        wanted = [text for text in filled if text is not None]
    return TRUE if _met(condition, read.operator, wanted, given) else FALSE


class _Read(msgspec.Struct, frozen=True, eq=False):
    """A condition taken apart: its values, and the keys of the variables in them; where there are
    none, the values are `texts`."""

    operator: Operator
    templates: tuple[Template, ...]
    keys: tuple[str, ...]
    texts: tuple[str, ...]


@lru_cache(1 << 13)
def _read(condition: Condition, variables: bool) -> _Read:
    operator = OPERATORS[condition.operator]
    templates = tuple(template(value, operator.wild, variables) for value in condition.values)
    keys = tuple(dict.fromkeys(key for one in templates for key in one.names()))
    texts = () if keys else tuple(one.filled(lambda _: None) or "" for one in templates)
    return _Read(operator, templates, keys, texts)


@lru_cache(1 << 13)
def _left(condition: Condition, read: _Read) -> Expr:
    """Give what is left of a condition without variables on a key of which nothing is known."""
    return _open(condition, read, OPEN)


def conditions_expr(
    conditions: Iterable[Condition], context: Context, *, variables: bool = True
) -> Expr:
    """Give when all conditions of a statement are met."""
    found: list[Expr] = []
    for condition in conditions:
        one = condition_expr(condition, context, variables=variables)
        if one is FALSE:
            return FALSE
        if one is not TRUE:
            found.append(one)
    return all_of(found) if found else TRUE


def _null(condition: Condition, context: Context) -> Expr:
    given = context.values(condition.key)
    absent = _absent(condition.key) if given is None else (FALSE if given else TRUE)
    wanted = {truth(value) for value in condition.values}
    sides = [absent if want else negate(absent) for want in wanted if want is not None]
    return any_of(sides)


def _absent(key: str) -> Atom:
    return Atom(AtomKind.CONTEXT, spelled(key), "Null", ("true",))


# --- a key whose values are known -----------------------------------------------------------


def _met(
    condition: Condition, operator: Operator, wanted: Sequence[str], given: tuple[str, ...]
) -> bool:
    if condition.quantifier is Quantifier.NONE:
        if not given and condition.if_exists:
            return True
        hit = any(operator.test(want, value) for value in given for want in wanted)
        return hit is not operator.negated
    hits = [any(operator.test(want, value) for want in wanted) for value in _elements(given)]
    if condition.quantifier is Quantifier.FOR_ANY_VALUE:
        return any(hit is not operator.negated for hit in hits)
    return all(hit is not operator.negated for hit in hits)


def _elements(given: tuple[str, ...]) -> tuple[str, ...]:
    """Set operators take "a null data set, such as an empty string" for no values."""
    return () if given == ("",) else given


def _half_open(
    condition: Condition, read: _Read, given: tuple[str, ...], context: Context
) -> Expr:
    """The values are known, but a variable they are compared with is not."""
    operator = read.operator
    if operator.positive not in _TEXT:
        left = _open(condition, read, context)
        return _settled_without(left, condition, given)
    if not given:
        return TRUE if _met(condition, operator, [], given) else FALSE

    def hit(value: str) -> Expr:
        return any_of(text_matches(one, value, context) for one in read.templates)

    if condition.quantifier is Quantifier.NONE:
        found = any_of(hit(value) for value in given)
        return negate(found) if operator.negated else found
    hits = [hit(value) for value in _elements(given)]
    sides = [negate(one) for one in hits] if operator.negated else hits
    return any_of(sides) if condition.quantifier is Quantifier.FOR_ANY_VALUE else all_of(sides)


def _settled_without(left: Expr, condition: Condition, given: tuple[str, ...]) -> Expr:
    """Settle what the condition key alone settles: that it is there or not."""
    absent = _absent(condition.key)
    found = assign(left, lambda atom: not given if atom == absent else None)
    if given:
        return found
    return TRUE if _met(condition, OPERATORS[condition.operator], [], given) else FALSE


# --- a key of which nothing is known --------------------------------------------------------


def _open(condition: Condition, read: _Read, context: Context) -> Expr:
    operator = read.operator
    left = [partly_filled(one, context) for one in read.templates]
    values = tuple(sorted({str(one) for one in left if one is not None}))
    if operator.positive == "Bool":
        values = tuple(sorted({value.strip().lower() for value in values}))
    found = _atom(condition, operator, values)
    if not condition.if_exists or operator.negated or condition.quantifier is not Quantifier.NONE:
        return found
    return any_of((found, _absent(condition.key)))


_MIRROR = {
    Quantifier.NONE: Quantifier.NONE,
    Quantifier.FOR_ANY_VALUE: Quantifier.FOR_ALL_VALUES,
    Quantifier.FOR_ALL_VALUES: Quantifier.FOR_ANY_VALUE,
}


def _atom(condition: Condition, operator: Operator, values: tuple[str, ...]) -> Expr:
    quantifier = condition.quantifier
    if operator.negated:
        quantifier = _MIRROR[quantifier]
    if not values and quantifier is not Quantifier.FOR_ALL_VALUES:
        positive: Expr = FALSE
    else:
        prefix = f"{quantifier.value}:" if quantifier.value else ""
        name = prefix + operator.positive
        positive = Atom(AtomKind.CONTEXT, spelled(condition.key), name, values)
    return negate(positive) if operator.negated else positive


# --- settling what is left ------------------------------------------------------------------


def atom_truth(atom: Atom, context: Context) -> bool | None:
    """Is the atom true in this context? None where the context does not say."""
    found = _atom_expr(atom, context)
    return found.value if isinstance(found, Const) else None


def _atom_expr(atom: Atom, context: Context) -> Expr:
    if atom.kind is not AtomKind.CONTEXT:
        return atom
    if atom.operator.startswith(PATTERN):
        pattern, text = atom.values
        plain = template(text, False, True).filled(lambda _: "") or ""
        return text_matches(template(pattern, atom.operator == PATTERN, True), plain, context)
    condition = atom_condition(atom)
    return atom if condition is None else condition_expr(condition, context)


def atom_condition(atom: Atom) -> Condition | None:
    """Give the condition that the atom states; None if it is none."""
    parsed = parse_operator(atom.operator)
    if parsed is None:
        return None
    quantifier, name, if_exists = parsed
    return Condition(name, atom.key, atom.values, quantifier, if_exists)


def settle(expr: Expr, context: Context) -> Expr:
    """Give the expression with everything settled that the context settles."""
    return assign(expr, lambda atom: atom_truth(atom, context))
