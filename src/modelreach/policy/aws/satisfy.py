"""Can a residual hold at all? What one key cannot be at the same time counts.

The atoms are tried out one by one (true, then false); after each the tests that fall on one key
are checked against each other by looking for a value that passes them all. Where the search is
not complete, the answer is yes: an access is never argued away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from modelreach.policy import glob
from modelreach.policy.aws.clauses import parse_operator
from modelreach.policy.aws.matching import PATTERN
from modelreach.policy.aws.operators import OPERATORS, moment, network, number, truth
from modelreach.policy.aws.statement import Quantifier
from modelreach.policy.aws.variables import template
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Const, Expr, assign, atoms

if TYPE_CHECKING:
    from modelreach.policy.aws.operators import Network

_MOST_STEPS = 4000


@lru_cache(1 << 15)
def satisfiable(expr: Expr) -> bool:
    """Is there a request context for which the expression holds? In doubt: yes."""
    if isinstance(expr, Const):
        return expr.value
    budget = [_MOST_STEPS]
    return _search(expr, (), budget)


Reader = Callable[[str], Decimal | None]
_Literal = tuple[Atom, bool]


def _search(expr: Expr, chosen: tuple[_Literal, ...], budget: list[int]) -> bool:
    if expr is FALSE:
        return False
    if expr is TRUE or budget[0] <= 0:
        return True
    budget[0] -= 1
    atom = min(atoms(expr))
    for value in (True, False):
        taken = (*chosen, (atom, value))
        if not _consistent(taken, atom.key.lower()):
            continue
        left = assign(expr, {atom: value}.get)
        if _search(left, taken, budget):
            return True
    return False


def _consistent(chosen: Iterable[_Literal], key: str) -> bool:
    literals = [
        one for one in chosen if one[0].key.lower() == key and one[0].kind is AtomKind.CONTEXT
    ]
    return _key_can(tuple(literals)) if len(literals) > 1 else True


# --- one key ---------------------------------------------------------------------------------


class _Test(msgspec.Struct, frozen=True):
    """A test of one value, to be passed (`wanted`) or failed."""

    operator: str
    values: tuple[str, ...]
    wanted: bool

    def holds(self, given: str) -> bool:
        test = OPERATORS[self.operator].test
        return any(test(value, given) for value in self.values) is self.wanted


class _Tests(msgspec.Struct):
    """The literals of one key, sorted: what every value has to pass, and what some value has.

    `single` says that a test without set operator is among them: there is then one value only.
    """

    every: list[_Test]
    some: list[_Test]
    absent: bool | None = None
    single: bool = False
    contradiction: bool = False


@lru_cache(1 << 15)
def _key_can(literals: tuple[_Literal, ...]) -> bool:
    """Is there a value (or a set of values, or absence) with which all the literals come true?"""
    tests = _sorted_out(literals)
    if tests.contradiction:
        return False
    if tests.absent is not True and _present(tests):
        return True
    return tests.absent is not False and not tests.some


def _sorted_out(literals: tuple[_Literal, ...]) -> _Tests:
    tests = _Tests([], [])
    for atom, wanted in literals:
        if atom.operator == "Null":
            _absence(tests, (truth(atom.values[0]) is True) is wanted)
            continue
        parsed = parse_operator(atom.operator)
        values = None if atom.operator.startswith(PATTERN) else _resolved(atom)
        if parsed is None or values is None:
            if wanted and parsed is not None and parsed[0] is not Quantifier.FOR_ALL_VALUES:
                _absence(tests, False)  # a test that is met needs a value
            continue
        _place(tests, parsed[0], _Test(parsed[1], values, wanted))
    return tests


def _absence(tests: _Tests, absent: bool) -> None:
    if tests.absent is not None and tests.absent is not absent:
        tests.contradiction = True
    tests.absent = absent


def _resolved(atom: Atom) -> tuple[str, ...] | None:
    """Give the values as text or globs; None if one depends on another key."""
    parsed = parse_operator(atom.operator)
    wild = parsed is not None and OPERATORS[parsed[1]].wild
    filled = [template(value, wild, True) for value in atom.values]
    if any(one.names() for one in filled):
        return None
    return tuple(one.filled(lambda _: None) or "" for one in filled)


def _place(tests: _Tests, quantifier: Quantifier, test: _Test) -> None:
    """`ForAllValues` that fails is a value that fails; `ForAnyValue` that fails is all that do."""
    match quantifier:
        case Quantifier.NONE:
            tests.single = True
            (tests.some if test.wanted else tests.every).append(test)
        case Quantifier.FOR_ANY_VALUE:
            (tests.some if test.wanted else tests.every).append(test)
        case Quantifier.FOR_ALL_VALUES:
            (tests.every if test.wanted else tests.some).append(test)


def _present(tests: _Tests) -> bool:
    if tests.single:
        return _value_can([*tests.every, *tests.some])
    if not tests.some:
        return _value_can(tests.every)
    return all(_value_can([*tests.every, test]) for test in tests.some)


# --- one value -------------------------------------------------------------------------------

_PATTERNED = {"StringEquals", "StringLike", "ArnLike"}
_FREE = ("x", "", "true", "false", "0", "arn:aws:x:x:x:x")


def _value_can(tests: list[_Test]) -> bool:
    """Is there a text that passes every test?"""
    if not tests:
        return True
    for text in _candidates(tests):
        if all(test.holds(text) for test in tests):
            return True
    return not _complete(tests)


def _candidates(tests: list[_Test]) -> Iterator[str]:
    for test in tests:
        yield from (glob.plain(value) for value in test.values)
        if test.operator == "StringEqualsIgnoreCase":
            yield from (value.upper() for value in test.values)
            yield from (value.lower() for value in test.values)
    yield from _FREE
    yield from _near_numbers(tests, "Numeric", number)
    yield from _near_numbers(tests, "Date", moment)
    yield from _addresses(tests)
    yield from _sampled(tests)


def _near_numbers(tests: list[_Test], kind: str, reader: Reader) -> Iterator[str]:
    """One number in each interval between the bounds, and the bounds."""
    bounds: set[Decimal] = set()
    for test in tests:
        if test.operator.startswith(kind):
            read = (reader(value) for value in test.values)
            bounds.update(one for one in read if one is not None)
    ordered = sorted(bounds)
    for low, high in pairwise(ordered):
        yield f"{(low + high) / 2:f}"
    for bound in ordered:
        yield f"{bound:f}"
    if ordered:
        yield f"{ordered[0] - 1:f}"
        yield f"{ordered[-1] + 1:f}"


def _addresses(tests: list[_Test]) -> Iterator[str]:
    """The first address of each range and the first beyond it: membership changes only there."""
    for test in tests:
        for value in test.values if test.operator == "IpAddress" else ():
            given = network(value)
            if given is not None:
                yield str(given.network_address)
                yield from _beyond(given)
    if any(test.operator == "IpAddress" for test in tests):
        yield "0.0.0.0"  # noqa: S104 - an example of an address, nothing listens
        yield "::"


def _beyond(given: Network) -> Iterator[str]:
    if int(given.broadcast_address) + 1 < 1 << given.max_prefixlen:
        yield str(given.broadcast_address + 1)


def _sampled(tests: list[_Test]) -> Iterator[str]:
    for region in _regions(tests):
        sample = region.sample()
        if sample is not None:
            yield sample


def _regions(tests: list[_Test]) -> Iterator[glob.Region]:
    """The texts that the text tests leave, one region for each choice among several values."""
    barred = [pattern for test in tests if not test.wanted for pattern in _patterns(test)]
    wanted = [
        list(_patterns(test)) for test in tests if test.wanted and test.operator in _PATTERNED
    ]
    choices: list[tuple[str, ...]] = [()]
    for patterns in wanted:
        choices = [(*done, pattern) for done in choices for pattern in patterns][:_MOST_CHOICES]
    for choice in choices:
        yield glob.Region.of(choice, barred)


_MOST_CHOICES = 64


def _patterns(test: _Test) -> Iterator[str]:
    if test.operator == "StringEquals":
        yield from map(glob.escape, test.values)
    elif test.operator in ("StringLike", "ArnLike"):
        yield from test.values


def _complete(tests: list[_Test]) -> bool:
    """Was the search for a value complete, so that finding none means there is none?"""
    if any(_is_finite(test) for test in tests) or _apart(tests):
        return True
    kinds = {_kind(test.operator) for test in tests}
    if kinds <= {"String"}:
        return all(region.decided for region in _regions(tests)) and _few(tests)
    return kinds <= {"Numeric"} or kinds <= {"Date"} or kinds <= {"Ip"} or kinds <= {"Bool"}


def _apart(tests: list[_Test]) -> bool:
    """Do the patterns to be matched have no text in common, read as globs?

    What ArnLike matches, the same pattern matches as a glob; not the other way round.
    """
    wanted = [test for test in tests if test.wanted]
    return _few(wanted) and all(region.is_empty() for region in _regions(wanted))


def _is_finite(test: _Test) -> bool:
    """Do only the values themselves pass it?"""
    wild = test.operator in ("StringLike", "ArnLike")
    literal = wild and all(map(glob.is_literal, test.values))
    return test.wanted and (test.operator == "StringEquals" or literal)


def _few(tests: list[_Test]) -> bool:
    product = 1
    for test in tests:
        product *= max(len(test.values), 1) if test.wanted else 1
    return product <= _MOST_CHOICES


def _kind(operator: str) -> str:
    for kind in ("Numeric", "Date", "Bool"):
        if operator.startswith(kind):
            return kind
    if operator in ("StringEquals", "StringLike"):
        return "String"
    return "Ip" if operator == "IpAddress" else operator
