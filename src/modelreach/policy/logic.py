"""Can a condition hold at all, and does one follow from another? Exact within a stated bound.

Atoms count as independent of each other. Unlike the quick answers of `expr`, these tell "no"
from "not settled", because the set algebra has to say when it grew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from modelreach.policy.expr import (
    FALSE,
    TRUE,
    AllOf,
    AnyOf,
    Atom,
    Const,
    Expr,
    Not,
    all_of,
    assign,
    atoms,
    negate,
)

MAX_SPLITS = 2_000
#: Atoms that are looked at, over all cases.
MAX_ATOMS = 20_000
#: How much more work that is than to read an atom once.
_LOOK = 8
_CACHE = 1 << 15


def possible(expr: Expr) -> bool | None:
    """Is there a way to settle the atoms so that it holds? None: not settled within the bound."""
    return _sought(expr)[0]


def effort(expr: Expr) -> int:
    """Give how much work it is to tell whether it is possible, whoever asked first."""
    return _sought(expr)[1]


@lru_cache(_CACHE)
def _sought(expr: Expr) -> tuple[bool | None, int]:
    search = _Search()
    return search.possible(expr), sum(1 for _ in atoms(expr)) + (MAX_ATOMS - search.atoms) * _LOOK


@lru_cache(_CACHE)
def follows(second: Expr, first: Expr) -> bool:
    """Does `second` hold whenever `first` does? In doubt: no."""
    if second in (TRUE, first) or first == FALSE:
        return True
    return possible(all_of((first, negate(second)))) is False


class _Search:
    """Case by case on the commonest atom, with a count of the cases."""

    __slots__ = ("atoms", "left")

    def __init__(self) -> None:
        self.left = MAX_SPLITS
        self.atoms = MAX_ATOMS

    def possible(self, expr: Expr) -> bool | None:
        match expr:
            case Const(value):
                return value
            case AnyOf(parts):
                return _either(map(self.possible, parts))
            case AllOf(parts):
                return self._together(parts)
            case _:
                return True

    def _together(self, parts: tuple[Expr, ...]) -> bool | None:
        """What stands alone in a conjunction has no choice; the rest is tried case by case."""
        choices = [part for part in parts if isinstance(part, AnyOf)]
        forced = dict(_settled(part) for part in parts if isinstance(part, Atom | Not))
        if forced:
            return self.possible(all_of(assign(part, forced.get) for part in choices))
        if self.left <= 0 or self.atoms <= 0:
            return None
        self.left -= 1
        counts = Counter(atom for part in choices for atom in atoms(part))
        self.atoms -= counts.total()
        atom = min(counts, key=lambda atom: (-counts[atom], atom))
        cases = ({atom: True}, {atom: False})
        return _either(
            self.possible(all_of(assign(part, case.get) for part in choices)) for case in cases
        )


def _either(answers: Iterable[bool | None]) -> bool | None:
    unsettled = False
    for answer in answers:
        if answer:
            return True
        unsettled |= answer is None
    return None if unsettled else False


def _settled(part: Expr) -> tuple[Atom, bool]:
    if isinstance(part, Atom):
        return part, True
    if isinstance(part, Not):
        return part.atom, False
    raise TypeError(f"neither an atom nor its negation: {part!r}")
