"""Policies that are written to be thought about for ever: what an answer costs is bounded."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy import automaton, glob
from modelreach.policy.automaton import Automaton
from modelreach.policy.glob import Region, cells, covers

PIECES = ("a", "b", "*", "?", "ab", "*?")
GLOBS = st.lists(st.sampled_from(("a", "b", "*", "?", "/")), min_size=1, max_size=6).map("".join)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many steps automata take."""
    found: Counter[str] = Counter()
    step = Automaton.step

    def counting(self: Automaton, state: int, char: str) -> int:
        found["steps"] += 1
        return step(self, state, char)

    monkeypatch.setattr(Automaton, "step", counting)
    return found


def _wild(number: int, length: int) -> list[str]:
    chance = random.Random(1)
    return [
        "arn:aws:s3:::" + "".join(chance.choice(PIECES) for _ in range(length))
        for _ in range(number)
    ]


def test_what_is_left_of_hostile_denials_is_found_or_left_open(counted: Counter[str]) -> None:
    left = Region.of(("arn:aws:s3:::*",))
    for pattern in _wild(16, 40):
        left = left.minus(pattern)
        assert not left.decided or left.sample() is not None or left.is_empty()
    assert counted["steps"] < 100_000


def test_hostile_patterns_part_nothing(counted: Counter[str]) -> None:
    patterns = _wild(16, 40)
    assert min(pattern.count("*") for pattern in patterns) > automaton.MOST_STARS
    (cell,) = cells(patterns, "arn:aws:s3:::acme-*")
    assert cell.matching | cell.possibly
    assert all(covers(patterns[place], "arn:aws:s3:::acme-*") for place in cell.matching)
    assert counted["steps"] < 100_000


def test_there_are_never_too_many_cells() -> None:
    patterns = [f"*{letter}*" for letter in "abcdefghijkl"]
    found = cells(patterns, "*")
    assert len(found) <= 2 * glob.MAX_CELLS
    assert any(cell.possibly for cell in found)


def test_names_that_are_denied_one_by_one_are_not_compared() -> None:
    before = covers.cache_info().misses
    names = tuple(f"arn:aws:s3:::one-{number}/*" for number in range(400))
    assert len(Region.of(("*",), names).outside) == 400
    assert covers.cache_info().misses - before < 1200


@given(st.lists(GLOBS, max_size=8))
def test_the_widest_are_those_that_no_other_beats(globs: list[str]) -> None:
    canonical = {glob.canonical(one) for one in globs}
    assert glob._widest(canonical) == glob._minimal(canonical, covers)
