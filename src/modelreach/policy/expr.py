"""What a verdict depends on: boolean expressions over things that are not known.

An expression is `TRUE`, `FALSE`, an `Atom`, its negation, or a conjunction or disjunction of
expressions; negation is pushed down to the atoms. Build with `all_of`, `any_of` and `~`, which
simplify; equal expressions compare equal and render alike whatever order they were built in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import product

import msgspec


class AtomKind(StrEnum):
    """Why an atom is open: a request context that is not fixed, a fact that was not read, or
    a statement that was not understood. The last two make a verdict unknown."""

    CONTEXT = "context"
    GAP = "gap"
    OPAQUE = "opaque"


class Expr(msgspec.Struct, frozen=True, gc=False):
    """Base of all expressions; immutable and hashable. They are keys of caches all the time, so
    that a hash is worked out once."""

    def __and__(self, other: Expr) -> Expr:
        return all_of((self, other))

    def __or__(self, other: Expr) -> Expr:
        return any_of((self, other))

    def __invert__(self) -> Expr:
        return negate(self)


class Const(Expr, frozen=True, cache_hash=True, gc=False):
    """Settled."""

    value: bool


TRUE = Const(True)
FALSE = Const(False)


class Atom(Expr, frozen=True, order=True, cache_hash=True, gc=False):
    """One thing that is not known.

    CONTEXT: the test `operator` of context key `key` (as AWS spells it) against `values`; true
    when the test is met. GAP and OPAQUE: `key` says what is missing, `values` the detail.
    """

    kind: AtomKind
    key: str
    operator: str = ""
    values: tuple[str, ...] = ()


class Not(Expr, frozen=True, cache_hash=True, gc=False):
    """The negation of an atom (of nothing else)."""

    atom: Atom


class AllOf(Expr, frozen=True, cache_hash=True, gc=False):
    """All parts hold. At least two parts, none of them an `AllOf`, sorted."""

    parts: tuple[Expr, ...]


class AnyOf(Expr, frozen=True, cache_hash=True, gc=False):
    """At least one part holds. At least two parts, none of them an `AnyOf`, sorted."""

    parts: tuple[Expr, ...]


_ORDER: dict[type[Expr], int] = {Const: 0, Atom: 1, Not: 2, AllOf: 3, AnyOf: 4}


@lru_cache(1 << 12)
def _rank(expr: Expr) -> tuple[int, str]:
    return _ORDER[type(expr)], repr(expr)


def _join(parts: Iterable[Expr], joined: type[AllOf] | type[AnyOf], unit: Const) -> Expr:
    zero = FALSE if unit == TRUE else TRUE
    flat: set[Expr] = set()
    for part in parts:
        if isinstance(part, Const):
            if part.value is not unit.value:
                return zero
            continue
        flat.update(part.parts if isinstance(part, joined) else (part,))
    if len(flat) < 2:
        return flat.pop() if flat else unit
    if any(negate(part) in flat for part in flat if isinstance(part, Atom | Not)):
        return zero
    kept = [part for part in flat if not _absorbed(part, joined, flat)]
    if not kept:
        return unit
    if len(kept) == 1:
        return kept[0]
    return joined(tuple(sorted(kept, key=_rank)))


def _absorbed(part: Expr, joined: type[AllOf] | type[AnyOf], beside: set[Expr]) -> bool:
    """Absorption: a AND (a OR b) is a; a OR (a AND b) is a."""
    if (isinstance(part, AnyOf) and joined is AllOf) or (
        isinstance(part, AllOf) and joined is AnyOf
    ):
        return any(inner in beside for inner in part.parts)
    return False


def all_of(parts: Iterable[Expr]) -> Expr:
    """Give the simplified conjunction; TRUE of nothing."""
    return _join(parts, AllOf, TRUE)


def each_of(parts: Iterable[Expr]) -> Expr:
    """Give on what several requests hang together, simplified; TRUE of none.

    Each is made for itself, perhaps at another hour or from another network: parts that contradict
    each other are kept side by side, and only one that can never hold makes it FALSE.
    """
    listed = tuple(part for part in parts if part != TRUE)
    found = all_of(listed)
    if found != FALSE or FALSE in listed:
        return found
    flat = {one for part in listed for one in (part.parts if isinstance(part, AllOf) else (part,))}
    return AllOf(tuple(sorted(flat, key=_rank)))


def any_of(parts: Iterable[Expr]) -> Expr:
    """Give the simplified disjunction; FALSE of nothing."""
    return _join(parts, AnyOf, FALSE)


def negate(expr: Expr) -> Expr:
    """Give the negation, pushed down to the atoms."""
    match expr:
        case Const(value):
            return FALSE if value else TRUE
        case Atom():
            return Not(expr)
        case Not(atom):
            return atom
        case AllOf(parts):
            return any_of(negate(part) for part in parts)
        case AnyOf(parts):
            return all_of(negate(part) for part in parts)
        case _:
            raise TypeError(f"not an expression: {expr!r}")


def atoms(expr: Expr) -> Iterator[Atom]:
    """Give every atom, with repeats."""
    match expr:
        case Atom():
            yield expr
        case Not(atom):
            yield atom
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from atoms(part)
        case _:
            return


def assign(expr: Expr, value: Callable[[Atom], bool | None]) -> Expr:
    """Give the expression with the atoms settled for which `value` answers other than None."""
    match expr:
        case Atom():
            known = value(expr)
            return expr if known is None else (TRUE if known else FALSE)
        case Not(atom):
            known = value(atom)
            return expr if known is None else (FALSE if known else TRUE)
        case AllOf(parts):
            return all_of(assign(part, value) for part in parts)
        case AnyOf(parts):
            return any_of(assign(part, value) for part in parts)
        case _:
            return expr


_TABLE_LIMIT = 10


def satisfiable(expr: Expr) -> bool:
    """Can it hold, taking the atoms as independent? In doubt (too many atoms): yes."""
    if isinstance(expr, Const):
        return expr.value
    names = sorted(set(atoms(expr)))
    if len(names) > _TABLE_LIMIT:
        return True
    for row in product((True, False), repeat=len(names)):
        known = dict(zip(names, row, strict=True))
        if assign(expr, known.__getitem__) == TRUE:
            return True
    return False


def implies(first: Expr, second: Expr) -> bool:
    """Does `second` hold whenever `first` does? In doubt the answer is no."""
    if first in (second, FALSE) or second == TRUE:
        return True
    return _implies(first, second)


@lru_cache(1 << 12)
def _implies(first: Expr, second: Expr) -> bool:
    both = all_of((first, negate(second)))
    if len(set(atoms(both))) > _TABLE_LIMIT:
        return False
    return not satisfiable(both)


_NEGATED = {
    "StringEquals": "StringNotEquals",
    "StringLike": "StringNotLike",
    "ArnLike": "ArnNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
}


@lru_cache(1 << 12)
def render(expr: Expr) -> str:
    """Give the expression in words of the policy language, on one line."""
    match expr:
        case Const(value):
            return "always" if value else "never"
        case Atom(AtomKind.CONTEXT, key, operator, values):
            return f"{operator} {key} {_listed(values)}".strip()
        case Atom(AtomKind.GAP, key, _, values):
            return f"not read: {key}{_bracketed(values)}"
        case Atom(AtomKind.OPAQUE, key, _, values):
            return f"not understood: {key}{_bracketed(values)}"
        case Not(Atom(AtomKind.CONTEXT, key, operator, values)) if operator in _NEGATED:
            return f"{_NEGATED[operator]} {key} {_listed(values)}".rstrip()
        case Not(atom):
            return f"not ({render(atom)})"
        case AllOf(parts):
            return " and ".join(_nested(part, AnyOf) for part in parts)
        case AnyOf(parts):
            return " or ".join(_nested(part, AllOf) for part in parts)
        case _:
            raise TypeError(f"not an expression: {expr!r}")


def _nested(part: Expr, other: type[Expr]) -> str:
    return f"({render(part)})" if isinstance(part, other) else render(part)


def _listed(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else "[" + ", ".join(values) + "]" if values else ""


def _bracketed(values: tuple[str, ...]) -> str:
    return f" ({', '.join(values)})" if values else ""


@lru_cache(1 << 12)
def conjuncts(expr: Expr) -> tuple[str, ...]:
    """Give what must hold, one rendered line each."""
    if expr == TRUE:
        return ()
    return tuple(render(part) for part in (expr.parts if isinstance(expr, AllOf) else (expr,)))


def is_open(expr: Expr, *kinds: AtomKind) -> bool:
    """Does the expression hang on an atom of one of these kinds?"""
    return any(atom.kind in kinds for atom in atoms(expr))
