"""Policies that are written to be thought about for ever: what an answer costs is bounded."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy import automaton, glob
from modelreach.policy.automaton import Automaton
from modelreach.policy.glob import Region, cells, covers, shared_cells

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


def test_hostile_patterns_are_parted_or_left_open(counted: Counter[str]) -> None:
    patterns = _wild(16, 40)
    assert min(pattern.count("*") for pattern in patterns) > automaton.MOST_STARS
    found = cells(patterns, "arn:aws:s3:::acme-*")
    assert any(cell.possibly for cell in found)
    for cell in found:
        assert all(glob.match(patterns[place], cell.sample) for place in cell.matching)
    assert counted["steps"] < 200_000


def test_what_is_left_open_does_not_hang_on_who_asked_before() -> None:
    patterns = [f"*{one}*{other}*" for one in "abcd" for other in "efg"]
    glob._search.cache_clear()
    glob._made.cache_clear()
    first = cells(patterns, "x/*")
    assert any(cell.possibly for cell in first)
    assert cells(patterns, "x/*") == first
    glob._search.cache_clear()
    assert cells(patterns, "x/*") == first


def test_patterns_of_one_statement_are_parted_in_as_many_cells_as_there_are_patterns() -> None:
    """Of a dozen words that a name may have, each with each other, there are 4,096 cells."""
    words = tuple(f"*{word}*" for word in ("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op"))
    found = shared_cells((words, ("*z*",)), "x/*")
    assert len(found) == 2 * (len(words) + 1)
    assert not any(cell.possibly for cell in found)


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


@given(st.lists(st.lists(GLOBS, min_size=1, max_size=3), min_size=1, max_size=3))
def test_globs_that_say_the_same_part_as_each_by_itself_does(groups: list[list[str]]) -> None:
    """Cell by cell of all globs, told only by which groups match: the plain way is the law."""
    within = "a*"
    flat = [one for group in groups for one in group]
    owner = [place for place, group in enumerate(groups) for _ in group]
    plain = {frozenset(owner[place] for place in cell.matching) for cell in cells(flat, within)}
    shared = shared_cells(tuple(map(tuple, groups)), within)
    assert {cell.matching for cell in shared} == plain
    for cell in shared:
        assert cell.region.contains(cell.sample)
        matching = {owner[at] for at, one in enumerate(flat) if glob.match(one, cell.sample)}
        assert matching == cell.matching
