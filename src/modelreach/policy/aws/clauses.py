"""Reads the Condition element of a statement: operators, keys and values.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from modelreach.policy.aws.operators import OPERATORS, fits
from modelreach.policy.aws.statement import Condition, Quantifier

_NAMES = {name.lower(): name for name in OPERATORS}
_SETS = {
    "forallvalues": Quantifier.FOR_ALL_VALUES,
    "foranyvalue": Quantifier.FOR_ANY_VALUE,
}
_RESERVED = re.compile("[\ufdd0\ufdd1]")

Report = Callable[[str], None]


def parse_conditions(written: object, variables: bool, report: Report) -> tuple[Condition, ...]:
    """Give the conditions that could be read; report every one that could not."""
    if not isinstance(written, dict):
        report("Condition is not an object")
        return ()
    found: list[Condition] = []
    block = cast("dict[str, Any]", written)
    _check_repeats(block, report)
    for operator, tests in block.items():
        found.extend(_tests(operator, tests, variables, report))
    return tuple(found)


def _check_repeats(block: object, report: Report) -> None:
    repeated = cast("tuple[str, ...]", getattr(block, "repeated", ()))
    if repeated:
        report(f"written more than once in Condition: {', '.join(repeated)[:80]}")


def parse_operator(written: str) -> tuple[Quantifier, str, bool] | None:
    """Give set operator, operator in AWS's spelling, and IfExists; None if it is none.

    Operator names are read whatever their case: AWS keeps policies with `bool`.
    """
    before, colon, rest = written.lower().rpartition(":")
    named = rest.removesuffix("ifexists")
    name, if_exists = _NAMES.get(named), named != rest
    quantifier = _SETS.get(before) if colon else Quantifier.NONE
    if name is None or quantifier is None:
        return None
    if name == "Null" and (if_exists or quantifier is not Quantifier.NONE):
        return None
    return quantifier, name, if_exists


def _tests(operator: object, tests: object, variables: bool, report: Report) -> list[Condition]:
    parsed = parse_operator(operator) if isinstance(operator, str) else None
    if parsed is None:
        report(f"condition operator `{str(operator)[:80]}` is not known")
        return []
    if not isinstance(tests, dict):
        report(f"condition operator `{operator}` is not followed by an object")
        return []
    quantifier, name, if_exists = parsed
    found: list[Condition] = []
    block = cast("dict[object, object]", tests)
    _check_repeats(block, report)
    for key, value in block.items():
        if not isinstance(key, str) or ":" not in key:
            report(f"condition key `{str(key)[:80]}` names no service")
            continue
        values = _values(name, key, value, variables, report)
        if values is not None:
            found.append(_condition(name, key, values, quantifier, if_exists))
    return found


@lru_cache(1 << 13)
def _condition(
    operator: str, key: str, values: tuple[str, ...], quantifier: Quantifier, if_exists: bool
) -> Condition:
    """Give a condition; the same one for all documents that have it."""
    return Condition(operator, key, values, quantifier, if_exists)


def _values(
    operator: str, key: str, written: object, variables: bool, report: Report
) -> tuple[str, ...] | None:
    entries = cast("list[object]", written) if isinstance(written, list) else [written]
    values = tuple(_value(entry) for entry in entries)
    known = tuple(value for value in values if value is not None)
    if not known or len(known) < len(values):
        report(f"a value of condition key `{key[:80]}` is not a string, number or boolean")
        return None
    for value in known:
        if not (variables and "${" in value) and not fits(operator, value):
            report(f"`{value[:80]}` is no value for {operator} (key `{key[:80]}`)")
            return None
    return known


def _value(entry: object) -> str | None:
    """Give a value as JSON writes it; None for what cannot be a value."""
    if isinstance(entry, bool):
        return "true" if entry else "false"
    if isinstance(entry, str):
        return None if _RESERVED.search(entry) else entry
    if isinstance(entry, int | float):
        try:
            return str(entry)
        except ValueError:  # more digits than Python turns into text
            return None
    return None
