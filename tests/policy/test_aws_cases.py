"""Policy cases: ours agree, other people's shapes are read, disagreement is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelreach.model import InputError
from modelreach.policy.aws.case_record import Expected
from modelreach.policy.aws.cases import CaseResult, as_line, run_cases, summarise
from modelreach.policy.decision import Outcome

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policy" / "aws"
FILES = sorted(FIXTURES.glob("*.jsonl"))


def test_there_are_files_and_the_shared_rules_are_among_them() -> None:
    lines = [json.loads(line) for path in FILES for line in path.read_text().splitlines()]
    names = [line["id"] for line in lines]
    assert len(set(names)) == len(names)
    assert sum(name.startswith("sem/") for name in names) == 113
    assert len(names) > 250


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_our_cases_agree(path: Path) -> None:
    results = list(run_cases(path.read_text().splitlines()))
    assert [as_line(one) for one in results if one.agrees is not True] == []
    assert summarise(results).agreed == len(results)


USER = "arn:aws:iam::111111111111:user/u"
FULL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
GATED = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceVpc": "v"}},
    },
}


def run(record: dict[str, Any]) -> CaseResult:
    request = {"principal": USER, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}
    whole = {"request": request | record.pop("request", {})} | record
    (result,) = run_cases([json.dumps(whole)])
    return result


@pytest.mark.parametrize("expected", ["allow", "Allowed", "ALLOW"])
def test_a_bare_case(expected: str) -> None:
    result = run({"policies": {"identity": FULL}, "expected": expected})
    assert (result.id, result.verdict, result.agrees) == ("line 1", Outcome.ALLOW, True)
    assert [one.policy for one in result.determining] == ["identity[0]"]


@pytest.mark.parametrize(
    ("expected", "agrees"),
    [
        ("deny", True),
        ("implicit_deny", True),
        ("ImplicitlyDenied", True),
        ("explicit_deny", False),
        ("allow", False),
        ("whatever", False),
        (None, None),
    ],
)
def test_what_agrees_with_an_implicit_deny(expected: str | None, agrees: bool | None) -> None:
    assert run({"expected": expected}).agrees is agrees


@pytest.mark.parametrize(
    "context",
    [
        {"aws:SourceVpc": "v"},
        {"AWS:SOURCEVPC": ["v"]},
        [{"ContextKeyName": "aws:SourceVpc", "ContextKeyValues": ["v"]}],
    ],
)
def test_shapes_of_a_context(context: object) -> None:
    record = {"request": {"context": context}, "policies": {"identity": [GATED]}}
    assert run(record).verdict is Outcome.ALLOW


def test_numbers_and_booleans_in_a_context() -> None:
    condition = {"NumericEquals": {"s3:max-keys": 5}, "Bool": {"aws:SecureTransport": True}}
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    record = {
        "request": {"context": {"s3:max-keys": 5, "aws:SecureTransport": True, "a:b": None}},
        "policies": {"identity": [{"Statement": statement}]},
    }
    assert run(record).verdict is Outcome.ALLOW


@pytest.mark.parametrize(
    "identity", [FULL, [FULL], json.dumps(FULL), [{"name": "mine", "policy": FULL}]]
)
def test_shapes_of_policies(identity: object) -> None:
    assert run({"policies": {"identity": identity}}).verdict is Outcome.ALLOW


@pytest.mark.parametrize(
    ("scps", "verdict"),
    [
        (None, Outcome.ALLOW),
        ([], Outcome.ALLOW),
        ([{"target": "r", "policies": [FULL]}], Outcome.ALLOW),
        ([{"orgIdentifier": "r", "policies": [{"name": "f", "policy": FULL}]}], Outcome.ALLOW),
        ([[FULL]], Outcome.ALLOW),
        ([FULL], Outcome.ALLOW),
        ([{"target": "r", "policies": []}], Outcome.IMPLICIT_DENY),
        ([[]], Outcome.IMPLICIT_DENY),
    ],
)
def test_shapes_of_levels(scps: object, verdict: Outcome) -> None:
    assert run({"policies": {"identity": FULL, "scps": scps}}).verdict is verdict


@pytest.mark.parametrize(
    "request_",
    [
        {"principal": {"AWS": USER}},
        {"resource": {"resource": "arn:aws:s3:::b/k", "accountId": "111111111111"}},
        {"resource_account": 111111111111},
        {"resource": "anything", "wildcard_only": True},
        {"extra": [1, 2]},
    ],
)
def test_shapes_of_a_request(request_: dict[str, Any]) -> None:
    assert run({"request": request_, "policies": {"identity": FULL}}).verdict is Outcome.ALLOW


def test_the_account_of_the_resource_is_read_from_its_arn() -> None:
    foreign = {"resource": "arn:aws:sqs:us-east-1:222222222222:q", "action": "sqs:SendMessage"}
    assert run({"request": foreign, "policies": {"identity": FULL}}).verdict is (
        Outcome.IMPLICIT_DENY
    )


def test_modes() -> None:
    def verdict(mode: str, **more: Any) -> Outcome:
        return run({"mode": mode, "policies": {"identity": GATED}, **more}).verdict

    given = {"request": {"context": {"aws:SourceVpc": "w"}}}
    assert verdict("strict") is Outcome.IMPLICIT_DENY
    assert verdict("exists") is Outcome.CONDITIONAL
    assert verdict("exists", **given) is Outcome.IMPLICIT_DENY
    assert verdict("discovery", **given) is Outcome.CONDITIONAL
    strict = {"settings": {"more": {"strictContextKeys": ["/^aws:source/"]}}}
    assert verdict("discovery", **given, **strict) is Outcome.IMPLICIT_DENY
    assert verdict("unheard-of") is Outcome.IMPLICIT_DENY


@pytest.mark.parametrize(
    ("constraint", "verdict"),
    [
        ("aws:SourceVpc=v", Outcome.ALLOW),
        ("aws:SourceVpc = 'w'", Outcome.IMPLICIT_DENY),
        ({"StringLike": {"aws:SourceVpc": "w*"}}, Outcome.IMPLICIT_DENY),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "v*"}}}, Outcome.CONDITIONAL),
        (
            {"key": "aws:SourceVpc", "operator": "StringNotEquals", "values": ["v"]},
            Outcome.IMPLICIT_DENY,
        ),
        ({"key": "aws:SourceVpc", "value": "v"}, Outcome.CONDITIONAL),
        ("what is this", Outcome.CONDITIONAL),
        ({"what": "is this"}, Outcome.CONDITIONAL),
        (7, Outcome.CONDITIONAL),
    ],
)
def test_constraints(constraint: object, verdict: Outcome) -> None:
    record = {"mode": "exists", "constraints": [constraint], "policies": {"identity": GATED}}
    assert run(record).verdict is verdict


def test_bucket_tags_count_unless_the_settings_say_they_are_not_enabled() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/p": "x"}}
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    record: dict[str, Any] = {
        "request": {"context": {"aws:ResourceTag/p": "x"}},
        "policies": {"identity": [{"Statement": statement}]},
    }
    assert run(dict(record)).verdict is Outcome.ALLOW
    off: dict[str, Any] = {"settings": {"s3": {"bucketAbacEnabled": False}}}
    assert run(record | off).verdict is Outcome.IMPLICIT_DENY


def test_skipped_disputed_and_excluded_cases_do_not_count() -> None:
    lines: list[dict[str, Any]] = [
        {"id": "a", "expected": "allow"},
        {"id": "b", "expected": "allow", "skip": True},
        {"id": "c", "expected": "allow", "disputed": True},
        {"id": "d", "expected": "allow", "exclude_from_score": True},
        {"id": "e"},
    ]
    request = {"principal": USER, "action": "s3:GetObject", "resource": "*"}
    results = list(run_cases([json.dumps(line | {"request": request}) for line in lines]))
    summary = summarise(results)
    assert (summary.cases, summary.agreed, summary.disagreed) == (5, 0, 1)
    assert (summary.skipped, summary.not_counted) == (1, 3)


def test_a_result_as_a_line() -> None:
    line = as_line(run({"id": "x", "policies": {"identity": GATED}, "mode": "exists"}))
    assert line == {
        "id": "x",
        "verdict": "conditional",
        "expected": None,
        "agrees": None,
        "determining": [
            {
                "layer": "identity",
                "policy": "identity[0]",
                "target": "",
                "index": 0,
                "sid": "",
                "effect": "Allow",
            }
        ],
        "residual": "StringEquals aws:SourceVpc v",
        "blocked_by": [],
        "not_understood": [],
        "notes": [],
        "skipped": False,
        "counted": True,
    }


def test_any_context_agrees_with_allow_but_a_strict_case_wants_it_certain() -> None:
    record: dict[str, Any] = {"policies": {"identity": GATED}, "expected": "allow"}
    assert run(record | {"mode": "exists"}).agrees is True
    unread: dict[str, Any] = {"policies": {"identity": "{"}, "expected": "allow"}
    assert run(unread | {"mode": "exists"}).agrees is False
    assert run({"expected": "unknown", "policies": {"identity": "{"}}).agrees is True
    assert Expected("unknown") is Expected.UNKNOWN


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "[" * 100_000,
        "{}",
        '{"request":{"principal":"anonymous"}}',
        '{"request":{"principal":"anonymous","action":"s3:GetObject"}}',
        '{"request":{"principal":7,"action":"s3:GetObject","resource":"*"}}',
    ],
)
def test_a_line_that_is_no_case_is_named(line: str) -> None:
    with pytest.raises(InputError, match="line 2"):
        list(run_cases(["", line]))


# --- what is said of a case that is not quite one -----------------------------------------------


def _case(**more: Any) -> str:
    request = {"principal": f"arn:aws:iam::{'1' * 12}:user/u", "action": "s3:GetObject"}
    record = {"id": "c", "request": {**request, "resource": "arn:aws:s3:::data/k"}, **more}
    return json.dumps(record)


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"policies": {"boundary": []}}, "policies.boundary is not read"),
        ({"wildcard_only": True}, "wildcard_only is not read"),
        ({"identity": []}, "identity is not read"),
    ],
)
def test_a_field_that_is_not_read_is_told(more: dict[str, Any], note: str) -> None:
    (result,) = run_cases([_case(expected="implicit_deny", **more)])
    assert result.notes == (note,)
    assert result.agrees is True


@pytest.mark.parametrize("more", [{"expected": "alow"}, {"expected": "deny", "mode": "stict"}])
def test_a_word_that_is_none_is_no_agreement(more: dict[str, Any]) -> None:
    (result,) = run_cases([_case(**more)])
    assert result.agrees is False
    assert any("not one of" in note for note in result.notes)


def test_an_account_at_an_endpoint_of_s3_is_taken_for_its_root_user_and_that_is_said() -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    named = {**statement, "Principal": {"AWS": "1" * 12}}
    identity = {"Version": "2012-10-17", "Statement": [statement]}

    def asked(*statements: object) -> CaseResult:
        policies = {"identity": [identity], "endpoint": [{"Statement": statements}]}
        (result,) = run_cases([_case(policies=policies)])
        return result

    result = asked(named)
    assert result.verdict is Outcome.IMPLICIT_DENY
    assert any("interface endpoint" in note for note in result.notes)
    assert asked(named, {**statement, "Principal": "*"}).verdict is Outcome.ALLOW
