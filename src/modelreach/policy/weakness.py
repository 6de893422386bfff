"""How weak a hop or a way is, in one number: does it act or only influence, and how certain is it?

Acting goes before influencing, whatever each hangs on: who acts as somebody has what it has, who
feeds or prompts somebody hopes that it is done. Among ways that are alike in this, the more
certain one goes first. So a weakness is a number in that order:

| acts | | influences | |
|---|---|---|---|
| 0 | certain | 3 | certain |
| 1 | conditional | 4 | conditional |
| 2 | unknown | 5 | unknown |

That order says which of two ways is told. It does not say which of them serves beyond: one that
acts under a condition (1) goes before one that surely influences (3), and behind an influence it
is the latter that is better (3 before 4). Neither is as sure as the other in both, so a search
keeps both; `AS_WEAK` and `AS_SURE` say what is.
"""

from __future__ import annotations

from typing import Final

from modelreach.model import Strength
from modelreach.policy.expr import TRUE, AtomKind, Expr, is_open

#: How many weaknesses there are.
LEVELS: Final = 6
#: From here on they are those of influences.
INFLUENCED: Final = 3
#: Certainties from sure to unsure: those of weaknesses by their place, less `INFLUENCED`.
CERTAINTIES: Final = (Strength.CERTAIN, Strength.CONDITIONAL, Strength.UNKNOWN)
_PLACE = {certainty: place for place, certainty in enumerate(CERTAINTIES)}


def strength_of(residual: Expr) -> Strength:
    """Give how sure a hop is that holds where the residual does."""
    if residual == TRUE:
        return Strength.CERTAIN
    if is_open(residual, AtomKind.GAP, AtomKind.OPAQUE):
        return Strength.UNKNOWN
    return Strength.CONDITIONAL


def weakness_of(strength: Strength, certainty: Strength) -> int:
    """Give how weak something is of a strength, and of a certainty if it is an influence."""
    if strength is Strength.INFLUENCE:
        return INFLUENCED + _PLACE[certainty]
    return _PLACE[strength]


def strength_at(weakness: int) -> Strength:
    """Give the strength of something so weak."""
    return Strength.INFLUENCE if weakness >= INFLUENCED else CERTAINTIES[weakness]


def certainty_at(weakness: int) -> Strength:
    """Give the certainty of something so weak."""
    return CERTAINTIES[weakness % INFLUENCED]


def _along(one: int, other: int) -> int:
    influenced = max(one, other) // INFLUENCED * INFLUENCED
    return influenced + max(one % INFLUENCED, other % INFLUENCED)


def _is_as_sure(one: int, other: int) -> bool:
    """Is one as sure as the other, in both respects?"""
    return _along(one, other) == other


_EACH = range(LEVELS)
#: How weak a way is that goes on by a hop, by the weakness of both.
ALONG: Final = tuple(tuple(_along(one, other) for other in _EACH) for one in _EACH)
#: What is as sure as each weakness, itself included.
AS_SURE: Final = tuple(tuple(one for one in _EACH if _is_as_sure(one, to)) for to in _EACH)
#: What is as weak as each weakness, itself included, as bits.
AS_WEAK: Final = tuple(sum(1 << to for to in _EACH if _is_as_sure(one, to)) for one in _EACH)


def _leading(mask: int) -> tuple[int, ...]:
    among = [one for one in _EACH if mask >> one & 1]
    return tuple(one for one in among if not any(_is_as_sure(x, one) for x in among if x != one))


#: Of weaknesses as bits, those that none of the others is as sure as: the one to be told first.
LEADING: Final = tuple(_leading(mask) for mask in range(1 << LEVELS))
