"""The generator covers what it claims, the shrinker shrinks, and every completion is found."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from functools import cache
from typing import Any

import pytest

from modelreach_reference.aws import (
    Answer,
    MalformedRecord,
    TooManyCompletions,
    count_completions,
    evaluate,
    evaluate_open,
)
from modelreach_reference.aws.conditions import NEGATED, PLAIN
from modelreach_reference.aws.request import PrincipalKind, read_request
from modelreach_reference.aws_cases import (
    Agreement,
    agreement,
    closed_case,
    features,
    malformed_case,
    open_case,
    reference_answers,
    shrink,
)
from modelreach_reference.aws_cases.conditions import KEYS

Record = dict[str, Any]


@cache
def _cases() -> list[Record]:
    """Made when they are asked for: every process of the suite reads this file."""
    return [closed_case(number) for number in range(3000)]


@cache
def _seen() -> Counter[str]:
    return Counter(feature for case in _cases() for feature in features(case))


def test_every_outcome_is_frequent() -> None:
    outcomes = Counter(evaluate(case) for case in _cases())
    assert set(outcomes) == {"allow", "implicit_deny", "explicit_deny"}
    assert min(outcomes.values()) > 0.15 * len(_cases())


def test_broken_cases_are_often_undecidable_and_often_not() -> None:
    outcomes = Counter(evaluate(malformed_case(number)) for number in range(1000))
    assert outcomes["not_understood"] > 60
    assert outcomes["allow"] > 60


@pytest.mark.parametrize("operator", sorted({*PLAIN, *NEGATED}))
def test_every_operator_is_seen_in_every_form(operator: str) -> None:
    forms = [name for name in _seen() if name.split(":")[-1].removesuffix("IfExists") == operator]
    assert sum(_seen()[name] for name in forms) >= 10
    if operator != "Null":
        assert any(name.endswith("IfExists") for name in forms)
        assert any("ForAllValues" in name for name in forms)
        assert any("ForAnyValue" in name for name in forms)


@pytest.mark.parametrize(
    "feature",
    [
        *("layer:identity", "layer:resource", "layer:boundaries", "layer:scps", "layer:rcps"),
        *("layer:session", "layer:endpoint", "layer:grants", "accounts:one", "accounts:two"),
        *("element:NotAction:Allow", "element:NotAction:Deny", "element:NotResource:Allow"),
        *("element:NotResource:Deny", "element:NotPrincipal:Deny", "element:Condition:Allow"),
        *("principal:*", "principal:AWS", "principal:Service", "principal:Federated"),
        *("principal:CanonicalUser", "version:2008-10-17", "version:none"),
        *("variable:resource", "variable:condition", "default:resource", "default:condition"),
        *("escape:resource", "escape:condition", "topic:s3", "topic:kms", "topic:sts"),
        *("setting:management_account", "setting:restrict_public_buckets"),
    ],
)
def test_every_feature_is_seen(feature: str) -> None:
    assert _seen()[feature] >= 25


def test_every_kind_of_principal_asks() -> None:
    kinds = Counter(read_request(case).principal.kind for case in _cases())
    assert set(kinds) == set(PrincipalKind)


def test_every_completion_is_covered() -> None:
    """What a random completion of an open case answers is among the answers to the open case."""
    tried = 0
    for number in range(250):
        record: Record = open_case(number)
        if count_completions(record) > 80:
            continue
        answers = evaluate_open(record)
        for turn in range(4):
            assert evaluate(_completed(record, turn)) in answers, record["id"]
            tried += 1
    assert tried > 500


def _completed(record: Record, turn: int) -> Record:
    context = record["request"]["context"]
    fixed = {key.lower() for key in context}
    more = {
        key.name: [key.given[turn % len(key.given)]] if turn else None
        for key in KEYS
        if key.name.lower() not in fixed
    }
    return {**record, "request": {**record["request"], "context": {**context, **more}}}


def test_an_open_key_may_be_anything_that_matters(case: Any, document: Any) -> None:
    def answers(condition: object, **context: object) -> set[str]:
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
        return evaluate_open(case(identity=[document(statement)], context=context))

    both = {"allow", "implicit_deny"}
    assert answers({"StringLike": {"k": "a*"}}) == both
    assert answers({"StringLike": {"k": "a*"}}, K="b") == {"implicit_deny"}
    assert answers({"StringEquals": {"k": "a"}}, k=None) == {"implicit_deny"}
    assert answers({"NumericLessThan": {"k": "5"}, "NumericGreaterThan": {"K": 4}}) == both
    assert answers({"NumericLessThan": {"k": "5"}, "NumericGreaterThan": {"K": 5}}) == {
        "implicit_deny"
    }
    assert answers({"StringEquals": {"k": "${l}"}}, l="x") == both
    assert answers({"StringEquals": {"k": "${l}"}, "StringNotEquals": {"l": "${k}"}}) == {
        "implicit_deny"
    }
    assert answers({"ForAllValues:StringEquals": {"k": "a"}, "Null": {"k": "false"}}) == both
    assert (
        answers({"ForAnyValue:StringEquals": {"k": "a"}, "ForAnyValue:StringLike": {"K": "b*"}})
        == both
    )
    assert answers({"Bool": {"k": "true"}, "BoolIfExists": {"K": "false"}}) == {"implicit_deny"}
    assert answers({"IpAddress": {"k": "10.0.0.0/8"}, "NotIpAddress": {"K": "10.0.0.0/9"}}) == both


def test_too_many_completions_are_refused(case: Any, document: Any) -> None:
    keys = {f"k{number}": ["a*", "b*", "c?"] for number in range(9)}
    statement = {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringLike": keys},
    }
    with pytest.raises(TooManyCompletions):
        evaluate_open(case(identity=[document(statement)]))


@pytest.mark.parametrize(
    ("verdict", "answers", "mode", "expected"),
    [
        ("allow", {"allow"}, "strict", Agreement.FULL),
        ("allow", {"allow", "implicit_deny"}, "exists", Agreement.NONE),
        ("implicit_deny", {"explicit_deny"}, "strict", Agreement.NONE),
        ("implicit_deny", {"explicit_deny"}, "exists", Agreement.FULL),
        ("conditional", {"allow", "explicit_deny"}, "exists", Agreement.FULL),
        ("conditional", {"allow"}, "exists", Agreement.WEAKER),
        ("conditional", {"allow"}, "strict", Agreement.NONE),
        ("unknown", {"not_understood"}, "strict", Agreement.FULL),
        ("unknown", {"allow"}, "strict", Agreement.NONE),
        ("allow", {"not_understood"}, "strict", Agreement.NONE),
    ],
)
def test_agreement(verdict: str, answers: set[str], mode: str, expected: Agreement) -> None:
    assert agreement({"mode": mode}, verdict, answers) is expected


def test_a_role_asks_by_any_of_its_sessions(case: Any, document: Any) -> None:
    role = "arn:aws:iam::111111111111:role/p/r"
    session = "arn:aws:sts::111111111111:assumed-role/r/s"
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": session}}
    record = case(role, identity=[], resource=document(allow))
    assert reference_answers(record) == {"implicit_deny"}
    assert reference_answers({**record, "mode": "exists"}) == {"allow", "implicit_deny"}


def test_shrinking_keeps_what_matters_and_no_more() -> None:
    found = next(case for case in _cases() if evaluate(case) == "explicit_deny")
    small = shrink(found, lambda record: evaluate(record) == "explicit_deny")
    assert evaluate(small) == "explicit_deny"
    assert json.dumps(small).count("Effect") == 1
    assert len(json.dumps(small)) < 700


GARBAGE: list[object] = [
    *(None, True, -1.5, "", "*", "${", "${a, 'b}", "::::::", "\ud800", "9" * 400, "1e999999999"),
    *([], {}, [None], {"a": None}, [[["x"]]], {"AWS": {"a": 1}}, float("nan"), float("inf")),
]


def _places(part: Any) -> list[tuple[Any, Any]]:
    """Give every place in a case at which something else could stand."""
    keys = list(part) if isinstance(part, dict) else range(len(part))
    own = [(part, key) for key in keys]
    inner = [part[key] for key in keys if isinstance(part[key], dict | list)]
    return own + [place for found in inner for place in _places(found)]


@pytest.mark.parametrize("seed", range(4))
def test_garbage_is_answered_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    refused = 0
    for number in range(150):
        record: Record = json.loads(json.dumps(closed_case(number)))
        for _ in range(rng.randint(1, 3)):
            part, key = rng.choice(_places(record))
            part[key] = copy.deepcopy(rng.choice(GARBAGE))
        try:
            assert evaluate(record) in {*Answer}
            assert count_completions(record) > 200 or evaluate_open(record) <= {*Answer}
        except MalformedRecord:
            refused += 1
    assert refused < 60
