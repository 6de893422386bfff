"""Values that keep their hash: equal ones have the same, and none takes it to another process."""

from __future__ import annotations

import pickle

import pytest

from modelreach.policy.aws.statement import Condition, Patterns
from modelreach.policy.expr import Atom, AtomKind, Expr, all_of, any_of
from modelreach.policy.extent import Extent

ATOMS = [Atom(AtomKind.GAP, name) for name in "pq"]


@pytest.mark.parametrize(
    "one",
    [
        all_of(ATOMS),
        any_of((ATOMS[0], ~ATOMS[1])),
        Extent.globs(("s3:get*", "sqs:*")),
        Patterns(("a",), True),
        Condition("StringLike", "aws:PrincipalArn", ("x",)),
    ],
)
def test_what_keeps_its_hash_is_the_same_in_another_process(one: object) -> None:
    hash(one)
    again = pickle.loads(pickle.dumps(one))
    assert again == one
    assert hash(again) == hash(one)


def test_values_of_different_classes_are_not_the_same() -> None:
    both: list[Expr] = [all_of(ATOMS), any_of(ATOMS)]
    assert both[0] != both[1]
    assert both[0] == all_of(reversed(ATOMS))
