"""How often the comparison cries wolf on an unchanged model, and how often it sees a worse one.

Whole releases are drawn and judged by `compare_evidence` itself. Run by `make soak` with `-s` to
see the table; docs/explanation/evidence.md has it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, sqrt

import pytest

from modelreach.evidence import Attempt, Comparison, Evidence, Outcome, Retest, compare_evidence
from modelreach.evidence.statistics import mcnemar

ALPHA, MARGIN = 0.05, 0.05
SIZES = (20, 100, 300)
RUNS = 2000
#: A rate of an unchanged model that is above the nominal one by chance alone lies below this.
LIMIT = ALPHA + 3 * sqrt(ALPHA * (1 - ALPHA) / RUNS)


@dataclass(frozen=True)
class World:
    """Rates before and now, and how many of the cases an unchanged model answers alike: pairs
    that flip by chance are what an exact paired test has to bear."""

    before: float
    now: float
    alike: float
    categories: int = 1
    paired: bool = True

    def __str__(self) -> str:
        form = f"{self.categories} categories" if self.categories > 1 else "1 category"
        kind = f"paired, {self.alike:.0%} alike" if self.paired else "unpaired"
        return f"{self.before:.0%} -> {self.now:.0%}, {form}, {kind}"


UNCHANGED = [
    World(0.05, 0.05, 0.0),
    World(0.05, 0.05, 0.8),
    World(0.20, 0.20, 0.0),
    World(0.20, 0.20, 0.8),
    World(0.50, 0.50, 0.0),
    World(0.05, 0.05, 0.0, paired=False),
    World(0.50, 0.50, 0.0, paired=False),
    World(0.20, 0.20, 0.0, categories=6),
    World(0.50, 0.50, 0.0, categories=6),
]
WORSE = [
    World(0.05, 0.10, 0.8),
    World(0.05, 0.15, 0.8),
    World(0.05, 0.25, 0.8),
    World(0.05, 0.15, 0.0, paired=False),
    World(0.05, 0.25, 0.0, paired=False),
]


def _sides(world: World, cases: int, draw: random.Random) -> tuple[Evidence, Evidence]:
    old: list[Attempt] = []
    new: list[Attempt] = []
    for category in range(world.categories):
        for case in range(cases):
            first, second = draw.random(), draw.random()
            if world.paired and draw.random() < world.alike:
                second = first
            for side, drawn, rate in ((old, first, world.before), (new, second, world.now)):
                outcome = Outcome.BROKEN if drawn < rate else Outcome.HELD
                side.append(Attempt(str(case), str(category), outcome))
    return _evidence("old", old, world), _evidence("new", new, world)


def _evidence(name: str, attempts: list[Attempt], world: World) -> Evidence:
    return Evidence(
        tool="t",
        tool_version="",
        suite="",
        source=name,
        digest=name,
        targets=(),
        date="",
        pairable=world.paired,
        attempts=tuple(attempts),
        retests=tuple((str(one), Retest.OTHER) for one in range(world.categories)),
    )


def _verdicts(world: World, cases: int, runs: int = RUNS) -> Counter[Comparison]:
    """Count the verdicts on whole releases: a regression in any category is one."""
    draw = random.Random(f"{world} {cases}")
    counted: Counter[Comparison] = Counter()
    for _ in range(runs):
        old, new = _sides(world, cases, draw)
        found = {one.verdict for one in compare_evidence([old], [new], margin=MARGIN, alpha=ALPHA)}
        order = (Comparison.REGRESSION, Comparison.NOT_ENOUGH, Comparison.NON_INFERIOR)
        counted[next(one for one in order if one in found)] += 1
    return counted


def _line(world: World, cases: int, counted: Counter[Comparison]) -> str:
    total = sum(counted.values())
    shares = "".join(
        f"{counted[verdict] / total:>12.1%}"
        for verdict in (Comparison.REGRESSION, Comparison.NON_INFERIOR, Comparison.NOT_ENOUGH)
    )
    return f"{cases:>5}  {world!s:<44}{shares}"


HEAD = f"{'cases':>5}  {'release':<44}{'worse':>12}{'no worse':>12}{'not enough':>12}"


@pytest.mark.soak
@pytest.mark.parametrize("cases", SIZES)
def test_an_unchanged_model_is_called_worse_no_more_often_than_agreed(cases: int) -> None:
    print("", HEAD, sep="\n")
    for world in UNCHANGED:
        runs = RUNS if world.categories == 1 else RUNS // 8
        counted = _verdicts(world, cases, runs)
        print(_line(world, cases, counted))
        limit = ALPHA + 3 * sqrt(ALPHA * (1 - ALPHA) / runs)
        assert counted[Comparison.REGRESSION] / runs <= limit, world


@pytest.mark.soak
@pytest.mark.parametrize("cases", SIZES)
def test_a_worse_model_is_seen_and_never_waved_through(cases: int) -> None:
    print("", HEAD, sep="\n")
    for world in WORSE:
        counted = _verdicts(world, cases)
        print(_line(world, cases, counted))
        assert counted[Comparison.NON_INFERIOR] / RUNS <= LIMIT, world
        if cases >= 100 and world.now - world.before >= 0.2:
            assert counted[Comparison.REGRESSION] / RUNS > 0.8, world


def _exactly(cases: int, newly: float, mended: float) -> Iterator[tuple[float, int, int]]:
    """Give every table of pairs that differ, with its probability."""
    for b in range(cases + 1):
        for c in range(cases + 1 - b):
            ways = comb(cases, b) * comb(cases - b, c)
            yield ways * newly**b * mended**c * (1 - newly - mended) ** (cases - b - c), b, c


@pytest.mark.parametrize("cases", [5, 12, 20, 40])
@pytest.mark.parametrize("flips", [0.02, 0.1, 0.4, 1.0])
def test_the_false_alarm_rate_counted_out(cases: int, flips: float) -> None:
    """No simulation: the sum over all tables that could come of an unchanged model."""
    half = flips / 2
    tables = list(_exactly(cases, half, half))
    assert sum(share for share, _, _ in tables) == pytest.approx(1)
    worse = {(b, c) for _, b, c in tables if mcnemar(b, c) <= ALPHA}
    alarms = sum(share for share, b, c in tables if (b, c) in worse)
    assert alarms <= ALPHA
    assert alarms > 0 or cases * flips < 2
