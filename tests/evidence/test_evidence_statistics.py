"""The statistics against published examples, and against slow enumeration."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.evidence.statistics import (
    Pairs,
    fisher,
    holm,
    mcnemar,
    newcombe,
    newcombe_paired,
    wilson,
)


@pytest.mark.parametrize(
    ("broken", "cases", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(broken: int, cases: int, low: float, high: float) -> None:
    assert wilson(broken, cases, 0.95) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
        ((10, 10, 0, 10), 0.6075, 1.0000),
    ],
)
def test_newcombe_as_published(table: tuple[int, int, int, int], low: float, high: float) -> None:
    assert newcombe(*table, 0.95) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("pairs", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998) 2635-2650, table III, method 10
        (Pairs(36, 12, 2, 0), 0.0569, 0.3404),
        (Pairs(20, 12, 2, 16), 0.0562, 0.3292),
    ],
)
def test_paired_newcombe_as_published(pairs: Pairs, low: float, high: float) -> None:
    assert newcombe_paired(pairs, 0.95) == pytest.approx((low, high), abs=5e-5)


def test_fisher_on_the_lady_who_tasted_tea() -> None:
    assert fisher(3, 4, 1, 4) == pytest.approx(17 / 70)


def test_holm_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()


_COUNTS = st.integers(min_value=0, max_value=9)


@given(_COUNTS, _COUNTS)
def test_mcnemar_is_the_share_of_all_coin_tosses(newly: int, mended: int) -> None:
    tosses = newly + mended
    as_bad = sum(comb(tosses, heads) for heads in range(newly, tosses + 1))
    assert mcnemar(newly, mended) == pytest.approx(float(Fraction(as_bad, 2**tosses)))


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_fisher_is_the_share_of_all_ways_to_deal(a: int, b: int, data: st.DataObject) -> None:
    new, old = data.draw(st.integers(0, a)), data.draw(st.integers(0, b))
    deals = list(combinations(range(a + b), new + old))
    as_bad = sum(sum(place < a for place in deal) >= new for deal in deals)
    assert fisher(new, a, old, b) == pytest.approx(as_bad / len(deals))


@settings(max_examples=10)
@given(st.lists(st.sampled_from([0.0, 0.001, 0.02, 0.3, 1.0]), max_size=4))
def test_holm_is_what_its_closed_tests_say(values: list[float]) -> None:
    """A hypothesis falls when every set of hypotheses that holds it falls by Bonferroni."""
    places = range(len(values))
    sets = [set(s) for size in range(1, len(values) + 1) for s in combinations(places, size)]
    slow = [
        max(min(1.0, len(s) * min(values[i] for i in s)) for s in sets if place in s)
        for place in places
    ]
    assert holm(values) == pytest.approx(tuple(slow))


@given(_COUNTS, st.integers(1, 200))
def test_wilson_holds_the_rates_that_the_score_test_accepts(broken: int, extra: int) -> None:
    cases = broken + extra
    low, high = wilson(broken, cases, 0.95)
    z = NormalDist().inv_cdf(0.975)
    for edge in (low, high):
        if 0 < edge < 1 and edge * cases > 1e-6:
            score = abs(broken / cases - edge) / sqrt(edge * (1 - edge) / cases)
            assert score == pytest.approx(z, rel=1e-6)


@given(_COUNTS, _COUNTS, _COUNTS, _COUNTS)
def test_the_paired_interval_holds_the_difference_and_turns_with_the_sides(
    both: int, newly: int, mended: int, neither: int
) -> None:
    pairs = Pairs(both, newly, mended, neither)
    if not pairs.cases:
        assert newcombe_paired(pairs, 0.95) == (-1, 1)
        return
    low, high = newcombe_paired(pairs, 0.95)
    assert -1 <= low <= (newly - mended) / pairs.cases <= high <= 1
    turned = newcombe_paired(Pairs(both, mended, newly, neither), 0.95)
    assert turned == pytest.approx((-high, -low))


@given(_COUNTS, _COUNTS)
def test_no_case_says_nothing(broken: int, cases: int) -> None:
    broken = min(broken, cases)
    assert wilson(0, 0, 0.95) == (0, 1)
    assert newcombe(broken, cases, 0, 0, 0.95) == (-1, 1)
    assert fisher(broken, cases, 0, 0) == 1 == mcnemar(0, 0)


@pytest.mark.parametrize("mended", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("both", [0.0, 0.3])
def test_what_is_worse_by_the_margin_rarely_passes_for_no_worse(
    mended: float, both: float
) -> None:
    """Counted out over all tables of twenty pairs, at a margin that twenty can show."""
    cases, margin = 20, 0.3
    newly = mended + margin
    rest = 1 - both - newly - mended
    passed = 0.0
    for a, b, c in product(range(cases + 1), repeat=3):
        d = cases - a - b - c
        chance = (
            _ways(cases, a, b, c) * both**a * newly**b * mended**c * rest**d if d >= 0 else 0.0
        )
        if chance > 1e-9 and newcombe_paired(Pairs(a, b, c, d), 0.95)[1] <= margin:
            passed += chance
    assert passed <= 0.05


def _ways(cases: int, a: int, b: int, c: int) -> int:
    return comb(cases, a) * comb(cases - a, b) * comb(cases - a - b, c)
