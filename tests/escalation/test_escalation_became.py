"""Names of what principals could become are read back, and are never those of real ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy.aws.became import Became, How, became

NAME = st.from_regex(r"[\w+=,.@-]{1,20}", fullmatch=True)
PATH = st.from_regex(r"(/[!-~]{0,12})?/", fullmatch=True)
KIND = st.sampled_from(["user", "role", "group"])


@st.composite
def arns(draw: st.DrawFn) -> str:
    return f"arn:aws:iam::111122223333:{draw(KIND)}{draw(PATH)}{draw(NAME)}"


@given(arns())
def test_a_real_name_is_what_it_is(name: str) -> None:
    assert became(name) is None


@given(arns(), st.sampled_from([How.MEMBER, How.LIMITED, How.SESSION, How.MADE_WITHIN]), NAME)
def test_a_name_is_read_back(base: str, how: How, what: str) -> None:
    change = Became(base, how, what)
    assert became(change.name) == change


@given(arns(), NAME, st.integers(1, 999))
def test_so_is_that_of_a_version(base: str, policy: str, number: int) -> None:
    change = Became(base, How.VERSION, policy, f"v{number}")
    assert became(change.name) == change


@given(arns(), NAME, NAME, st.integers(1, 999))
def test_so_is_that_of_a_version_in_a_group(
    base: str, policy: str, group: str, number: int
) -> None:
    change = Became(base, How.VERSION, policy, f"v{number}", joined=group)
    assert became(change.name) == change
    assert became(f"{base}#group={group}") == Became(base, How.MEMBER, group)


@pytest.mark.parametrize("how", [How.ANY_POLICY, How.NO_BOUNDARY, How.MADE])
def test_so_are_those_without_more(how: How) -> None:
    change = Became("arn:aws:iam::111122223333:user/a", how)
    assert became(change.name) == change


def test_an_unknown_suffix_is_nobody() -> None:
    assert became("arn:aws:iam::111122223333:user/a#something") is None
