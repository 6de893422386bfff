"""How many more cases would decide, if the rates stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from modelreach.evidence.statistics import (
    Pairs,
    fisher,
    mcnemar,
    newcombe,
    newcombe_paired,
)

#: Beyond that many cases it is not a matter of number.
MOST = 100_000


def pairs_needed(pairs: Pairs, margin: float, level: float, confidence: float) -> int | None:
    """Give how many more pairs would show the release no worse, or worse; None when none would.

    `level` is what the p-value has to reach after Holm's correction.
    """
    have = int(pairs.cases)

    def decided(cases: int) -> bool:
        times = cases / have
        larger = Pairs(
            pairs.both * times, pairs.newly * times, pairs.mended * times, pairs.neither * times
        )
        if newcombe_paired(larger, confidence)[1] <= margin:
            return True
        return mcnemar(int(larger.newly), ceil(larger.mended)) <= level

    return _first(decided, have)


def cases_needed(
    old: tuple[int, int],
    new: tuple[int, int],
    margin: float,
    level: float,
    confidence: float,
) -> int | None:
    """Give the same for unpaired rates `(broken, cases)`: how many more on each side."""
    fewest = min(old[1], new[1])

    def decided(cases: int) -> bool:
        before, after = old[0] / old[1] * cases, new[0] / new[1] * cases
        if newcombe(after, cases, before, cases, confidence)[1] <= margin:
            return True
        return fisher(int(after), cases, ceil(before), cases) <= level

    return _first(decided, fewest)


def _first(decided: Callable[[int], bool], have: int) -> int | None:
    """Give how many more than `have` decide; found by doubling, then by halving.

    Counts are whole, so more cases may by chance decide less; what is given does decide.
    """
    few, many = have, have + 1
    while not decided(many):
        few, many = many, have + 2 * (many - have)
        if many > MOST:
            return None
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if decided(middle) else (middle, many)
    return many - have
