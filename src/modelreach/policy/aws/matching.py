"""Does a pattern with variables match a text? Where a variable is open: for which values?

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from modelreach.policy import glob
from modelreach.policy.aws.context import Context, spelled
from modelreach.policy.aws.statement import Patterns
from modelreach.policy.aws.variables import Template, Variable, template, written
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, any_of, negate

PATTERN = "MatchesWith"
"""Operator of an atom that says: the text (second value) matches the pattern (first value) once
its variables are filled in. Used only where the values cannot be listed."""

_MOST_TRIES = 4096
_MOST_VALUES = 16


def literal(part: Variable, context: Context) -> str | None:
    """Give the text of a variable: None if it has none. Only for keys that are not open.

    Nothing is equal to or like a variable whose key is absent and that has no default; a
    multivalued key cannot be used as a variable.
    """
    values = context.variable(part.key)
    if not values:
        return part.default
    return values[0] if len(values) == 1 else None


def is_open(parts: Template, context: Context) -> bool:
    """Does a variable depend on a key of which nothing is known?"""
    return any(context.variable(key) is None for key in parts.names())


def partly_filled(parts: Template, context: Context) -> Template | None:
    """Give the template with only its open variables left; None if it can match nothing."""
    found: list[str | Variable] = []
    for part in parts.parts:
        if isinstance(part, Variable) and context.variable(part.key) is not None:
            text = literal(part, context)
            if text is None:
                return None
            found.append(glob.escape(text) if parts.wild else text)
        else:
            found.append(part)
    return Template.of(found, parts.wild)


def text_matches(parts: Template, text: str, context: Context) -> Expr:
    """Give when the filled-in template matches the text: exactly, or as a glob when `wild`."""
    if is_open(parts, context):
        left = partly_filled(parts, context)
        return FALSE if left is None else _values_for(left, text)
    filled = parts.filled(lambda part: literal(part, context))
    if filled is None:
        return FALSE
    return TRUE if (glob.match(filled, text) if parts.wild else filled == text) else FALSE


@lru_cache(16384)
def _values_for(parts: Template, text: str) -> Expr:
    """Give what the open variables have to be for the template to match the text."""
    globs = [
        "*" if isinstance(part, Variable) else part if parts.wild else glob.escape(part)
        for part in parts.parts
    ]
    if not glob.match("".join(globs), text):
        return FALSE
    named = {part.key.lower() for part in parts.parts if isinstance(part, Variable)}
    found = _enumerated(parts, text) if len(named) == 1 else None
    if found is not None:
        return found
    first = next(part for part in parts.parts if isinstance(part, Variable))
    shown = (str(parts), written(text))
    operator = PATTERN if parts.wild else f"{PATTERN}Exactly"
    return Atom(AtomKind.CONTEXT, spelled(first.key), operator, shown)


def _enumerated(parts: Template, text: str) -> Expr | None:
    """List the values of the one variable; None when there are too many to try or to tell."""
    key = next(part.key for part in parts.parts if isinstance(part, Variable))
    tries = _substrings(parts, text)
    if tries is None:
        return None
    values = sorted(value for value in tries if _fits(parts, partial(_always, value), text))
    if len(values) > _MOST_VALUES:
        return None
    found: list[Expr] = []
    if values:
        shown = tuple(written(value) for value in values)
        found.append(Atom(AtomKind.CONTEXT, spelled(key), "StringEquals", shown))
    if _fits(parts, _default, text):
        found.append(Atom(AtomKind.CONTEXT, spelled(key), "Null", ("true",)))
    return any_of(found)


def _always(value: str, _: Variable) -> str:
    return value


def _default(part: Variable) -> str | None:
    return part.default


def _fits(parts: Template, value: Callable[[Variable], str | None], text: str) -> bool:
    filled = parts.filled(value)
    if filled is None:
        return False
    return glob.match(filled, text) if parts.wild else filled == text


def _substrings(parts: Template, text: str) -> set[str] | None:
    """Give what the variable's first place may cover; None when that is too much to try."""
    first = parts.parts[0]
    starts = range(len(text) + 1)
    if isinstance(first, Variable):
        starts = range(1)
    elif not parts.wild or glob.is_literal(first):
        starts = range(len(first), len(first) + 1)
    once = sum(isinstance(part, Variable) for part in parts.parts) == 1
    ends = range(len(text) + 1)
    if once and isinstance(parts.parts[-1], Variable):
        ends = range(len(text), len(text) + 1)
    if len(starts) * len(ends) > _MOST_TRIES:
        return None
    return {text[start:end] for start in starts for end in ends if end >= start}


@lru_cache(1 << 16)
def opened(glob: str, variables: bool = True) -> str:
    """Give a pattern with its policy variables left open."""
    parts = template(glob, True, variables).parts
    return "".join("*" if isinstance(part, Variable) else part for part in parts)


@lru_cache(1 << 16)
def meets(pattern: str, region: str) -> bool:
    """May a pattern mean ARNs of a region (a glob, too), part by part?

    Where both have the six parts of an ARN, a `*` in the region part does not stand for half of
    the ARN, as the text alone would allow: `arn:aws:dynamodb:*:1:table/a*` means nothing in
    `arn:aws:dynamodb:eu-west-1:1:table/b/*`, though `…:table/b/x:1:table/a` is such a text.
    """
    mine, theirs = pattern.split(":", 5), region.split(":", 5)
    if len(mine) < 6 or len(theirs) < 6:
        return glob.intersects(pattern, region)
    return all(map(glob.intersects, mine, theirs))


def goes_on(pattern: str, start: str) -> bool:
    """May a pattern mean ARNs that go on from a start (plain text)? As `meets` of `start*`."""
    mine, theirs = _parts(pattern), start.split(":", 5)
    if len(mine) < 6 or len(theirs) < 6:
        return meets(pattern, start + "*")
    head, star, _ = mine[5].partition("*")
    if "?" in head or "*" in start or "?" in start:
        return meets(pattern, start + "*")
    rest = theirs[5]
    if not (head.startswith(rest) or (star and rest.startswith(head))):
        return False
    return all(map(glob.match, mine[:5], theirs[:5]))


@lru_cache(1 << 14)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split(":", 5))


def resource_matches(
    patterns: Patterns | None, resource: str, variables: bool, context: Context
) -> Expr:
    """Give when the Resource or NotResource element covers the resource. None covers all."""
    if patterns is None:
        return TRUE
    found = _covered(patterns.globs, resource, variables, context)
    return negate(found) if patterns.negated else found


def _covered(globs: tuple[str, ...], resource: str, variables: bool, context: Context) -> Expr:
    later: list[str] = []
    for pattern in globs:
        if variables and "${" in pattern:
            later.append(pattern)
        elif pattern == "*" or glob.match(pattern, resource):
            return TRUE
    if not later:
        return FALSE
    return any_of(text_matches(template(one, True, True), resource, context) for one in later)


@lru_cache(1 << 16)
def _action_in(globs: tuple[str, ...], action: str) -> bool:
    return any(pattern == "*" or glob.match(pattern, action) for pattern in globs)


def action_matches(patterns: Patterns, action: str) -> bool:
    """Does the Action or NotAction element cover the action (in lower case)?"""
    return _action_in(patterns.globs, action) is not patterns.negated
