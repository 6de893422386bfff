"""Globs: examples, hostile patterns, and the laws against an enumeration of short strings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy import automaton, glob
from modelreach.policy.glob import EVERYWHERE, NOWHERE, Region

# `c` stands in no pattern: it plays every character that no pattern names.
ALPHABET = "abc"
LONGEST = 8


def slow_match(pattern: str, text: str) -> bool:
    """Glob matching as its definition reads."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(slow_match(pattern[1:], text[skip:]) for skip in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and slow_match(pattern[1:], text[1:])


@lru_cache
def short_strings() -> tuple[str, ...]:
    def of(length: int) -> Iterator[str]:
        return ("".join(letters) for letters in product(ALPHABET, repeat=length))

    return tuple(text for length in range(LONGEST + 1) for text in of(length))


@lru_cache(4096)
def language(pattern: str) -> frozenset[str]:
    return frozenset(text for text in short_strings() if slow_match(pattern, text))


globs = st.text(alphabet="ab*?", max_size=4)
some_globs = st.lists(globs, max_size=3)


def members(region: Region) -> set[str]:
    inside = [language(pattern) for pattern in region.inside]
    return set(short_strings()).intersection(*inside).difference(*map(language, region.outside))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("s3:get*", "s3:getobject", True),
        ("s3:get*", "s3:putobject", False),
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("a*a", "a", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("arn:aws:s3:::b/*/k", "arn:aws:s3:::b/1/2/k", True),
        ("*ab*ab*", "abab", True),
        ("*ab*ab*", "aba", False),
        ("*a?b*", "aaab", True),
        ("*??", "a", False),
        ("a.b[c]", "a.b[c]", True),
        ("a.b", "axb", False),
        ("a\\*", "a\\*", True),
        ("*", "a*b?c\n", True),
    ],
)
def test_match_examples(pattern: str, text: str, expected: bool) -> None:
    assert glob.match(pattern, text) is expected


def test_escaped_wildcards_are_characters() -> None:
    star = "b/" + glob.escape("*") + "/*"
    assert glob.match(star, "b/*/k")
    assert not glob.match(star, "b/x/k")
    assert glob.literal_prefix(star) == "b/*/"
    assert glob.is_literal(glob.escape("a*?"))
    assert glob.covers("b/*", star)
    assert not glob.covers(star, "b/*/*")
    assert Region.of((star,)).sample() == "b/*/x"
    assert Region.only("a*").contains("a*")
    assert not Region.only("a*").contains("ab")


@pytest.mark.parametrize(
    ("pattern", "prefix", "literal"),
    [("s3:Get*", "s3:Get", False), ("a?b", "a", False), ("ab", "ab", True), ("*", "", False)],
)
def test_literal_prefix(pattern: str, prefix: str, literal: bool) -> None:
    assert glob.literal_prefix(pattern) == prefix
    assert glob.is_literal(pattern) is literal


@given(pattern=st.text(alphabet="ab*?", max_size=7), text=st.text(alphabet="abc", max_size=9))
def test_match_agrees_with_the_definition(pattern: str, text: str) -> None:
    assert glob.match(pattern, text) is slow_match(pattern, text)
    assert glob.match(glob.canonical(pattern), text) is slow_match(pattern, text)
    assert text.startswith(glob.literal_prefix(pattern)) or not glob.match(pattern, text)


@given(a=globs, b=globs)
def test_two_globs_agree_with_enumeration(a: str, b: str) -> None:
    assert glob.intersects(a, b) is bool(language(a) & language(b))
    assert glob.covers(a, b) is (language(b) <= language(a))


def test_all_pairs_of_small_globs_agree_with_enumeration() -> None:
    texts = ["".join(letters) for size in range(9) for letters in product("ac", repeat=size)]
    small = ["".join(items) for size in range(5) for items in product("a*?", repeat=size)]
    held = {one: frozenset(text for text in texts if slow_match(one, text)) for one in small}
    for a, b in product(small, repeat=2):
        assert glob.intersects(a, b) is not held[a].isdisjoint(held[b]), (a, b)
        assert glob.covers(a, b) is (held[b] <= held[a]), (a, b)


@given(inside=some_globs, outside=some_globs)
def test_regions_agree_with_enumeration(inside: list[str], outside: list[str]) -> None:
    region = Region.of(inside, outside)
    assert members(region) == members(Region(tuple(inside), tuple(outside)))
    assert region.decided
    sample = region.sample()
    assert region.is_empty() is (sample is None)
    assert region.is_empty() or region.contains(sample or "")
    assert region.is_empty() is not bool(members(region))
    assert (region == NOWHERE) is region.is_empty()


@given(first=st.tuples(some_globs, some_globs), second=st.tuples(some_globs, some_globs))
def test_region_operations_agree_with_enumeration(
    first: tuple[list[str], list[str]], second: tuple[list[str], list[str]]
) -> None:
    a, b = Region.of(*first), Region.of(*second)
    assert members(a & b) == members(a) & members(b)
    pieces = [members(piece) for piece in a - b]
    assert set[str]().union(*pieces) == members(a) - members(b)
    assert (a <= b) is (members(a) <= members(b))
    assert all(not piece.is_empty() for piece in a - b)


@given(patterns=st.lists(globs, max_size=4), within=globs)
def test_cells_part_the_strings(patterns: list[str], within: str) -> None:
    parted = glob.cells(patterns, within)
    expected: dict[frozenset[int], set[str]] = {}
    for text in language(within):
        key = frozenset(i for i, pattern in enumerate(patterns) if text in language(pattern))
        expected.setdefault(key, set()).add(text)
    assert {cell.matching: members(cell.region) for cell in parted} == expected
    for cell in parted:
        assert cell.region.contains(cell.sample)
        assert not cell.possibly
    assert parted == glob.cells(patterns, within)


def test_cells_of_a_bucket() -> None:
    patterns = ["arn:aws:s3:::data/*", "arn:aws:s3:::data/private/*", "arn:aws:s3:::other/*", "*"]
    parted = glob.cells(patterns, "arn:aws:s3:::data/*")
    assert [(sorted(cell.matching), cell.sample) for cell in parted] == [
        ([0, 1, 3], "arn:aws:s3:::data/private/x"),
        ([0, 3], "arn:aws:s3:::data/x"),
    ]


def test_too_many_cells_are_flagged_and_still_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glob, "MAX_CELLS", 4)
    patterns = [f"*{letter}*" for letter in "abcde"]
    parted = glob.cells(patterns, "*")
    assert len(parted) == 4
    for text in short_strings():
        matching = {i for i, pattern in enumerate(patterns) if glob.match(pattern, text)}
        homes = [cell for cell in parted if cell.region.contains(text)]
        assert len(homes) == 1
        assert homes[0].matching <= matching <= homes[0].matching | homes[0].possibly
    assert any(cell.possibly for cell in parted)


def test_an_unsettled_search_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automaton, "MAX_STATES", 3)
    monkeypatch.setattr(glob, "_search", glob._search.__wrapped__)
    region = Region(("*a*b*c*", "*c*b*a*"), ("*c*", "*abx*"))
    assert not region.decided
    assert not region.is_empty()
    assert region.sample() is None


@pytest.mark.parametrize(
    ("inside", "outside", "sample"),
    [
        (("arn:aws:s3:::b/*",), (), "arn:aws:s3:::b/x"),
        (("s3:get*",), (), "s3:getx"),
        (("app-*", "*-prod"), (), "app-prod"),
        (("a*", "*a"), ("a",), "aa"),
        (("*",), ("*x*",), ""),
        (("?*",), ("*x*",), "y"),
    ],
)
def test_samples_read_naturally(
    inside: tuple[str, ...], outside: tuple[str, ...], sample: str
) -> None:
    assert Region.of(inside, outside).sample() == sample


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        (("s3:*", "s3:get*"), (), Region(("s3:get*",))),
        (("s3:*", "ec2:*"), (), NOWHERE),
        (("s3:*",), ("ec2:*", "s3:get*", "s3:getobject"), Region(("s3:*",), ("s3:get*",))),
        (("s3:get*",), ("s3:*",), NOWHERE),
        (("*",), (), EVERYWHERE),
        ((), (), EVERYWHERE),
        (("a***?",), (), Region(("a?*",))),
        (("a*",), ("a", "a?*"), NOWHERE),
    ],
)
def test_regions_simplify(
    inside: tuple[str, ...], outside: tuple[str, ...], expected: Region
) -> None:
    assert Region.of(inside, outside) == expected


@given(pattern=globs, one=st.text("abc", max_size=4), other=st.text("abc", max_size=4))
def test_what_is_left_of_a_glob_says_what_may_follow(pattern: str, one: str, other: str) -> None:
    if glob.left_of(pattern, one) == glob.left_of(pattern, other):
        for text in short_strings()[:121]:
            assert slow_match(pattern, one + text) is slow_match(pattern, other + text)


def test_beginnings_that_no_star_remembers_leave_the_same() -> None:
    pattern = "x:*-b-??-*"
    assert glob.left_of(pattern, "x:some/") == glob.left_of(pattern, "x:other-name/")
    assert glob.left_of(pattern, "x:some-b-") != glob.left_of(pattern, "x:some/")
    assert glob.left_of(pattern, "y") == 0


HOSTILE = [
    ("*a" * 5 + "*b", "a" * 5000),
    ("*" * 10_000 + "b", "a" * 5000),
    ("*a" * 10_000, "a" * 9_999),
    ("?" * 5_000 + "*", "a" * 4_999),
    ("*a" + "?" * 1_000 + "b", "a" * 3_000),
    ("a?" * 500 + "*" + "a?" * 500, "a" * 2_001),
    ("*" + "a?" * 500 + "b*", "a" * 2_000),
]


@pytest.mark.parametrize(("pattern", "text"), HOSTILE)
def test_hostile_globs_end(pattern: str, text: str) -> None:
    start = time.process_time()
    glob.match(pattern, text)
    glob.match(pattern, text + "b")
    assert time.process_time() - start < 20


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in HOSTILE])
@pytest.mark.parametrize("other", ["*b*a*", "*?a?*?b", "a*" * 300])
def test_hostile_pairs_end(pattern: str, other: str) -> None:
    start = time.process_time()
    assert glob.intersects(pattern, other) is glob.intersects(other, pattern)
    glob.covers(pattern, other)
    glob.covers(other, pattern)
    Region.of((pattern, other), ("*ab*", "*ba*")).is_empty()
    assert time.process_time() - start < 20


def test_caches_are_bounded() -> None:
    for cached in (glob.covers, glob.intersects, glob._search, glob._shape, glob._made):
        assert cached.cache_info().maxsize is not None


def test_matching_is_linear_in_the_text_without_question_marks() -> None:
    def took(size: int) -> float:
        start = time.process_time()
        for _ in range(20):
            glob.match("*ab*cd*ef*", "ab" * size + "cd" * size)
        return time.process_time() - start

    took(1000)
    assert took(40_000) < 60 * max(took(4_000), 1e-4)
