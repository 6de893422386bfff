"""How a pattern lies to a shelf, by bits, is how it lies to each of the names."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelreach.policy.aws.matching import goes_on, meets
from modelreach.policy.aws.shelf import Forms, Shelf
from modelreach.policy.glob import match

NAMES = ["a", "ab", "ab/c", "b", "b:1:t/a", "a:b", "b/ab", "1:t/a"]
IDS = st.builds(
    "arn:aws:x:{}:{}:t/{}".format,
    st.sampled_from("rs"),
    st.sampled_from("12"),
    st.sampled_from(NAMES),
)
GLOBS = st.builds(
    "{}:{}:{}:{}".format,
    st.sampled_from(["arn:aws:x", "arn:*:x", "arn:aws:*", "arn:aws:?"]),
    st.sampled_from(["r", "*", "", "?", "r*"]),
    st.sampled_from(["1", "*"]),
    st.sampled_from(
        ["t/*", "t/a", "t/a*", "t/ab*", "t/?b*", "t/ab/*", "t/a/i/*", "t/*/c", "t/a:*", "*", "*b*"]
    ),
) | st.sampled_from(["arn:aws:x*", "*/ab", "*:t/a*", "arn:aws:x:*t/a/*", "arn:aws:x:r:1"])


def _shelf(ids: set[str], separators: tuple[str, ...]) -> Shelf:
    forms = Forms(0, separators, ((),) * (1 + len(separators)))
    return Shelf("x", 0, tuple(sorted(ids)), forms, False, "", (), (), "", True, True)


def _ids(shelf: Shelf, mask: int) -> set[str]:
    return set(shelf.of(mask))


def _compare(ids: set[str], separators: tuple[str, ...], glob: str) -> None:
    shelf = _shelf(ids, separators)
    cut = shelf.cut(glob)
    assert _ids(shelf, cut.exact) == {name for name in ids if match(glob, name)}
    for separator, inside in zip(separators, cut.inside, strict=True):
        every = {n for n in ids if glob.endswith("*") and match(glob, n + separator)}
        part = {n for n in ids if meets(glob, f"{n}{separator}*")} - every
        assert _ids(shelf, inside.all) == every
        assert _ids(shelf, inside.some) == part
    touched = cut.exact
    for inside in cut.inside:
        touched |= inside.all | inside.some
    assert cut.touched == touched


CUTS = given(
    ids=st.sets(IDS, min_size=1, max_size=12),
    separators=st.sampled_from([(), ("/",), (":",), ("/", ":")]),
    glob=GLOBS,
)


@settings(max_examples=200)
@CUTS
@example(ids={"arn:aws:x:r:1:t/b:1:t/a"}, separators=(), glob="arn:aws:x:*:1:t/a*")
def test_a_cut_is_what_is_matched_one_by_one(
    ids: set[str], separators: tuple[str, ...], glob: str
) -> None:
    _compare(ids, separators, glob)


@pytest.mark.soak
@settings(max_examples=20000)
@CUTS
def test_a_cut_is_what_is_matched_one_by_one_at_length(
    ids: set[str], separators: tuple[str, ...], glob: str
) -> None:
    _compare(ids, separators, glob)


@settings(max_examples=200)
@given(start=IDS, separator=st.sampled_from("/:"), glob=GLOBS)
def test_what_goes_on_from_a_start_meets_it(start: str, separator: str, glob: str) -> None:
    assert goes_on(glob, start + separator) == meets(glob, f"{start}{separator}*")
