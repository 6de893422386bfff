"""Rates, intervals and tests: scipy's and statsmodels' where they have them.

Neither has Newcombe's interval for paired proportions; that and Holm's correction are written
here. Both packages are of the `evidence` extra and are imported when something is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from itertools import accumulate
from math import sqrt
from typing import Any

import msgspec

from modelreach.model import MissingExtra

Interval = tuple[float, float]


class Pairs(msgspec.Struct, frozen=True):
    """Cases by how they went before and now. `newly` broke only now, `mended` only before.

    Counts are whole except where a table is scaled up to see how many cases would be needed.
    """

    both: float
    newly: float
    mended: float
    neither: float

    @property
    def cases(self) -> float:
        """How many cases there are."""
        return self.both + self.newly + self.mended + self.neither

    @property
    def old(self) -> float:
        """How many broke before."""
        return self.both + self.mended

    @property
    def new(self) -> float:
        """How many break now."""
        return self.both + self.newly


def wilson(broken: float, cases: float, confidence: float) -> Interval:
    """Give Wilson's score interval of one rate; everything when there is no case."""
    if not cases:
        return 0.0, 1.0
    low, high = _proportion().proportion_confint(
        broken, cases, alpha=1 - confidence, method="wilson"
    )
    return max(0.0, float(low)), min(1.0, float(high))


def newcombe(
    new: float, new_cases: float, old: float, old_cases: float, confidence: float
) -> Interval:
    """Give Newcombe's hybrid score interval of the difference of two unpaired rates.

    R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10.
    """
    if not new_cases or not old_cases:
        return -1.0, 1.0
    low, high = _proportion().confint_proportions_2indep(
        new, new_cases, old, old_cases, method="newcomb", compare="diff", alpha=1 - confidence
    )
    return float(low), float(high)


def newcombe_paired(pairs: Pairs, confidence: float) -> Interval:
    """Give Newcombe's hybrid score interval of the difference of two paired rates.

    R. G. Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10: Wilson's intervals of
    both rates, joined by the correlation of the pairs with its continuity correction.
    """
    cases = pairs.cases
    if not cases:
        return -1.0, 1.0
    new, old = pairs.new / cases, pairs.old / cases
    new_low, new_high = wilson(pairs.new, cases, confidence)
    old_low, old_high = wilson(pairs.old, cases, confidence)
    phi = _correlation(pairs)
    down = _joined(new - new_low, old_high - old, phi)
    up = _joined(new_high - new, old - old_low, phi)
    return max(-1.0, new - old - down), min(1.0, new - old + up)


def _joined(one: float, other: float, phi: float) -> float:
    return sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _correlation(pairs: Pairs) -> float:
    cases = pairs.cases
    margins = pairs.new * (cases - pairs.new) * pairs.old * (cases - pairs.old)
    if margins <= 0:
        return 0.0
    excess = pairs.both * pairs.neither - pairs.newly * pairs.mended
    if excess > 0:
        excess = max(excess - cases / 2, 0.0)
    return excess / sqrt(margins)


def mcnemar(newly: int, mended: int) -> float:
    """Give the exact one-sided p-value that no more cases broke newly than were mended."""
    if not newly + mended:
        return 1.0
    test = _scipy().binomtest(newly, newly + mended, 0.5, alternative="greater")
    return float(test.pvalue)


def fisher(new: int, new_cases: int, old: int, old_cases: int) -> float:
    """Give the exact one-sided p-value that the new rate is no higher than the old one."""
    if not new_cases or not old_cases:
        return 1.0
    table = [[new, new_cases - new], [old, old_cases - old]]
    return float(_scipy().fisher_exact(table, alternative="greater").pvalue)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Give the p-values after Holm's correction for asking so many questions at once.

    S. Holm, Scandinavian Journal of Statistics 6 (1979) 65-70. Written here: statsmodels' looks
    for garbage in all of the process each time, which takes seconds in a large one.
    """
    count = len(p_values)
    rising = sorted(range(count), key=p_values.__getitem__)
    raised = (p_values[place] * (count - rank) for rank, place in enumerate(rising))
    adjusted = dict(zip(rising, accumulate(raised, max), strict=True))
    return tuple(min(1.0, adjusted[place]) for place in range(count))


def _scipy() -> Any:
    return _loaded("scipy.stats")


def _proportion() -> Any:
    return _loaded("statsmodels.stats.proportion")


@cache
def _loaded(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("modelreach"):
            raise
        raise MissingExtra("evidence", "comparing evaluation reports") from error
