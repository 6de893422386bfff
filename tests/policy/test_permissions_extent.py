"""Unions of regions against membership of sample strings."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy.extent import ALL, NONE, Extent
from modelreach.policy.glob import Region, match

TEXTS = ["".join(letters) for size in range(7) for letters in product("abc", repeat=size)]

some = st.lists(st.text(alphabet="ab*?", max_size=3), max_size=2)
regions = st.builds(Region.of, some, some)
extents = st.lists(regions, max_size=4).map(Extent.of)


def members(extent: Extent) -> set[str]:
    return {
        text
        for text in TEXTS
        if any(
            all(match(one, text) for one in region.inside)
            and not any(match(one, text) for one in region.outside)
            for region in extent.regions
        )
    }


@given(st.lists(regions, max_size=4))
def test_the_simple_form_is_the_same_set(given_: list[Region]) -> None:
    made = Extent.of(given_)
    assert members(made) == members(Extent(tuple(given_)))
    assert made == Extent.of(reversed(given_)) == Extent.of(made.regions)


@given(extents, extents)
def test_operations_agree_with_membership(a: Extent, b: Extent) -> None:
    assert members(a | b) == members(a) | members(b)
    assert members(a & b) == members(a) & members(b)
    assert members(a - b) == members(a) - members(b)
    assert (a <= b) is (members(a) <= members(b))
    assert a.meets(b) is bool(members(a) & members(b))
    assert a.same_as(b) is (members(a) == members(b))
    assert a.decided


@given(extents)
def test_samples_are_members(a: Extent) -> None:
    sample = a.sample()
    assert a.is_empty() is (sample is None) is not bool(members(a))
    assert sample is None or a.contains(sample)


def test_constants() -> None:
    assert ALL.contains("")
    assert NONE.is_empty()
    assert ALL - ALL == NONE
    assert Extent.globs(["*"], outside=["a*"]) | Extent.globs(["a*"]) == ALL
