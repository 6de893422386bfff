"""Whether conditions can hold, and follow from each other, against truth tables."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.policy import logic
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, any_of, assign
from modelreach.policy.logic import follows, possible

ATOMS = [Atom(AtomKind.CONTEXT, name) for name in "pqrst"]
ROWS = [dict(zip(ATOMS, row, strict=True)) for row in product((True, False), repeat=5)]

exprs: st.SearchStrategy[Expr] = st.recursive(
    st.sampled_from([*ATOMS, *(~atom for atom in ATOMS), TRUE, FALSE]),
    lambda parts: (
        st.lists(parts, max_size=4).map(all_of) | st.lists(parts, max_size=4).map(any_of)
    ),
    max_leaves=16,
)


def rows(expr: Expr) -> list[bool]:
    return [assign(expr, row.__getitem__) == TRUE for row in ROWS]


@given(exprs)
def test_possible_agrees_with_the_truth_table(expr: Expr) -> None:
    assert possible(expr) is any(rows(expr))


@given(exprs, exprs)
def test_follows_agrees_with_the_truth_table(first: Expr, second: Expr) -> None:
    expected = all(b for a, b in zip(rows(first), rows(second), strict=True) if a)
    assert follows(second, first) is expected


def pigeons(count: int) -> Expr:
    """More pigeons than holes: impossible, and hard to see."""
    holes = count - 1
    sits = [
        [Atom(AtomKind.CONTEXT, f"{pigeon}/{hole}") for hole in range(holes)]
        for pigeon in range(count)
    ]
    housed = [any_of(row) for row in sits]
    apart = [
        any_of((~sits[one][hole], ~sits[other][hole]))
        for hole in range(holes)
        for one in range(count)
        for other in range(one)
    ]
    return all_of((*housed, *apart))


def test_a_hard_contradiction_is_found_or_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert possible(pigeons(4)) is False
    monkeypatch.setattr(logic, "MAX_SPLITS", 5)
    hard = pigeons(6)
    assert possible(hard) is None
    assert not follows(FALSE, hard)
