"""Which residuals can hold at all."""

from __future__ import annotations

import pytest

from modelreach.policy.aws.clauses import parse_conditions
from modelreach.policy.aws.conditions import conditions_expr
from modelreach.policy.aws.context import OPEN
from modelreach.policy.aws.satisfy import satisfiable
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, all_of, any_of


def can(*blocks: dict[str, dict[str, object]]) -> bool:
    faults: list[str] = []
    read = [parse_conditions(block, True, faults.append) for block in blocks]
    assert not faults
    return satisfiable(all_of(conditions_expr(block, OPEN) for block in read))


K, L = "aws:PrincipalTag/k", "aws:TagKeys"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"StringEquals": {K: "a"}}, {"StringEquals": {K: "b"}}, False),
        ({"StringEquals": {K: ["a", "b"]}}, {"StringEquals": {K: ["b", "c"]}}, True),
        ({"StringEquals": {K: "a"}}, {"StringEquals": {"AWS:principaltag/K": "b"}}, False),
        ({"StringEquals": {K: "a"}}, {"StringNotEquals": {K: ["a", "b"]}}, False),
        ({"StringEquals": {K: "a"}}, {"StringEqualsIgnoreCase": {K: "A"}}, True),
        ({"StringEquals": {K: "a"}}, {"StringNotEqualsIgnoreCase": {K: "A"}}, False),
        ({"StringLike": {K: "a*"}}, {"StringLike": {K: "*b"}}, True),
        ({"StringLike": {K: "a*"}}, {"StringLike": {K: "b*"}}, False),
        ({"StringLike": {K: "a*"}}, {"StringNotLike": {K: "a?*"}}, True),
        ({"StringLike": {K: "a?"}}, {"StringNotLike": {K: "??"}}, False),
        ({"StringLike": {K: "a?"}}, {"StringNotLike": {K: "a*"}}, False),
        ({"StringLike": {K: "*"}}, {"Null": {K: "true"}}, False),
        ({"StringNotLike": {K: "*"}}, {"Null": {K: "true"}}, True),
        ({"StringNotLike": {K: "*"}}, {"Null": {K: "false"}}, False),
        ({"Null": {K: "true"}}, {"Null": {K: "false"}}, False),
        ({"Bool": {K: "true"}}, {"Bool": {K: "false"}}, False),
        ({"Bool": {K: "true"}}, {"StringEquals": {K: "true"}}, True),
        ({"NumericLessThan": {K: "2"}}, {"NumericGreaterThan": {K: "1"}}, True),
        ({"NumericLessThan": {K: "2"}}, {"NumericGreaterThanEquals": {K: "2"}}, False),
        ({"NumericLessThanEquals": {K: "2"}}, {"NumericNotEquals": {K: "2"}}, True),
        ({"NumericEquals": {K: "2"}}, {"NumericNotEquals": {K: "2.0"}}, False),
        ({"NumericEquals": {K: "2"}}, {"StringEquals": {K: "2.0"}}, True),
        ({"DateLessThan": {K: "2020-01-01"}}, {"DateGreaterThan": {K: "2021"}}, False),
        ({"DateLessThan": {K: "2021"}}, {"DateGreaterThan": {K: "2020-12-31T23:59:58Z"}}, True),
        ({"IpAddress": {K: "10.0.0.0/8"}}, {"NotIpAddress": {K: "10.0.0.0/7"}}, False),
        ({"IpAddress": {K: "10.0.0.0/7"}}, {"NotIpAddress": {K: "10.0.0.0/8"}}, True),
        ({"IpAddress": {K: "255.255.255.0/24"}}, {"NotIpAddress": {K: "255.255.255.0/25"}}, True),
        ({"IpAddress": {K: "10.0.0.0/8"}}, {"IpAddress": {K: "2001:db8::/32"}}, False),
        ({"ArnLike": {K: "arn:aws:s3:::a"}}, {"ArnLike": {K: "arn:aws:s3:::b*"}}, False),
        ({"ArnLike": {K: "arn:aws:s3:::a*"}}, {"ArnLike": {K: "arn:aws:*:::*b"}}, True),
        ({"StringEquals": {K: "${aws:username}"}}, {"Null": {K: "true"}}, False),
        ({"StringEquals": {K: "${aws:username}"}}, {"StringEquals": {K: "a"}}, True),
        ({"ForAnyValue:StringEquals": {L: "a"}}, {"ForAnyValue:StringEquals": {L: "b"}}, True),
        ({"ForAllValues:StringEquals": {L: "a"}}, {"ForAnyValue:StringEquals": {L: "b"}}, False),
        ({"ForAllValues:StringEquals": {L: "a"}}, {"ForAllValues:StringEquals": {L: "b"}}, True),
        ({"ForAllValues:StringNotLike": {L: "*"}}, {"Null": {L: "false"}}, False),
        ({"ForAnyValue:StringNotEquals": {L: "a"}}, {"ForAllValues:StringLike": {L: "a"}}, False),
    ],
)
def test_pairs(
    first: dict[str, dict[str, object]], second: dict[str, dict[str, object]], expected: bool
) -> None:
    assert can(first, second) is expected
    assert can(second, first) is expected


def test_three_that_only_together_exclude_each_other() -> None:
    blocks: list[dict[str, dict[str, object]]] = [
        {"StringEquals": {K: ["a", "b"]}},
        {"StringNotEquals": {K: "a"}},
        {"StringNotEquals": {K: "b"}},
    ]
    assert not can(*blocks)
    assert can(*blocks[:2])


def test_disjunctions_are_searched() -> None:
    def atom(value: str) -> Atom:
        return Atom(AtomKind.CONTEXT, K, "StringEquals", (value,))

    either = any_of((atom("a"), atom("b")))
    assert satisfiable(all_of((either, ~atom("a"))))
    assert not satisfiable(all_of((either, ~atom("a"), ~atom("b"))))


def test_constants_and_things_not_read() -> None:
    assert satisfiable(TRUE)
    assert not satisfiable(FALSE)
    assert satisfiable(Atom(AtomKind.GAP, "x") & Atom(AtomKind.OPAQUE, "x"))
