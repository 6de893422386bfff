"""What holds of parsing, whatever was answered: order, repetition, refusals, nonsense."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.collect.answers import Refusal
from modelreach.snapshot import encode
from modelreach_gcp import sources
from modelreach_gcp.answers import Answer
from modelreach_gcp.keep import answer
from modelreach_gcp.names import full_name, in_spelling, scope_name
from modelreach_gcp.parse import parse
from modelreach_gcp.parse.principals import allowed_form

NOW = "2026-11-24T00:00:00Z"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def answers(whole: Any) -> tuple[Answer, ...]:
    found: tuple[Answer, ...] = sources.read((Path(whole.recording),), now=NOW)[1]
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_answers_makes_no_difference(
    answers: tuple[Answer, ...], whole: Any, seed: int
) -> None:
    shuffled = list(answers)
    random.Random(seed).shuffle(shuffled)
    assert encode(parse(shuffled, NOW)) == encode(whole.snapshot)


def test_answers_that_come_twice_make_no_difference(
    answers: tuple[Answer, ...], whole: Any
) -> None:
    assert encode(parse((*answers, *answers), NOW)) == encode(whole.snapshot)


def test_a_refusal_of_any_call_is_told_and_takes_nothing_else_away(
    answers: tuple[Answer, ...], whole: Any
) -> None:
    """Each answer refused in turn: there is a gap more, and no binding that was not there."""
    known = {one.id for one in whole.snapshot.bindings}
    for refused in answers:
        if refused.response is None:
            continue
        other = Answer(
            refused.place,
            refused.service,
            refused.method,
            refused.parameters,
            None,
            Refusal("denied", "PERMISSION_DENIED", "no"),
        )
        snapshot = parse([other if one is refused else one for one in answers], NOW)
        assert [gap for gap in snapshot.gaps if gap.reason == "denied"], refused.key
        assert {one.id for one in snapshot.bindings} <= known, refused.key


def _nonsense(response: dict[str, Any], value: Any) -> dict[str, Any]:
    """Give a response with every field of every item replaced."""
    return {
        name: [dict.fromkeys(item, value) for item in items if isinstance(item, dict)]
        if isinstance(items, list)
        else value
        for name, items in response.items()
    }


@pytest.mark.parametrize("value", [None, 3, "x", [], [None], {"x": []}, [[]], True])
def test_nonsense_in_any_answer_does_not_end_the_run(
    answers: tuple[Answer, ...], value: Any
) -> None:
    nonsense = [
        answer(
            one.place, one.call, one.parameters, _nonsense(one.response or {}, value), one.error
        )
        for one in answers
    ]
    assert encode(parse(nonsense, NOW))


@pytest.mark.parametrize(
    "bindings",
    [
        {"role": "roles/x"},
        ["roles/x"],
        [{"members": ["user:a@x"]}],
        [{"role": 3, "members": ["user:a@x"]}],
        [{"role": "roles/x", "members": "user:a@x"}],
        [{"role": "roles/x", "members": ["user:a@x", 3]}],
        [{"role": "roles/x", "members": ["user:a@x"], "condition": "x == 1"}],
        [{"role": "roles/x", "members": ["user:a@x"], "condition": {"expression": {}}}],
    ],
)
def test_a_binding_that_is_not_understood_is_a_gap(bindings: Any) -> None:
    """It may allow what is not known: nothing there reads as "no access"."""
    item = {"resource": "//cloudresourcemanager.googleapis.com/projects/p"}
    results = {"results": [{**item, "policy": {"bindings": bindings}}]}
    call = ("cloudasset.v1", "searchAllIamPolicies")
    snapshot = parse([answer("projects/p", call, {"scope": "projects/p"}, results)], NOW)
    assert [(gap.scope, gap.subject) for gap in snapshot.gaps if gap.reason == "malformed"] == [
        ("projects/p", "projects/p")
    ]


@given(JSON)
def test_any_json_for_an_answer_is_taken(value: Any) -> None:
    for service, method, items in (
        ("cloudasset.v1", "searchAllResources", "results"),
        ("cloudasset.v1", "searchAllIamPolicies", "results"),
        ("cloudasset.v1", "assets.list", "assets"),
        ("iam.v2", "policies.get", "rules"),
        ("aiplatform.v1", "projects.locations.endpoints.list", "endpoints"),
    ):
        one = answer("projects/p", (service, method), {"scope": "projects/p"}, {items: value})
        assert encode(parse([one], NOW))


@given(st.sampled_from(["storage", "secretmanager", "iam", "aiplatform"]), st.text(max_size=8))
def test_spelling_is_stable(service: str, rest: str) -> None:
    """A name that is spelled as its service does stays so."""
    numbers, ids = {"123": "my-project"}, {"my-project": "123"}
    for project in ("123", "my-project", "other"):
        name = f"//{service}.googleapis.com/projects/{project}/things/{rest}"
        once = in_spelling(name, numbers, ids)
        assert in_spelling(once, numbers, ids) == once
        assert full_name(once) == once
        assert scope_name(once) == ""


@pytest.mark.parametrize(
    ("denied", "allowed"),
    [
        (
            "principal://iam.googleapis.com/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com",
            "serviceAccount:a@p.iam.gserviceaccount.com",
        ),
        ("principal://goog/subject/ann@acme.example", "user:ann@acme.example"),
        ("principalSet://goog/group/team@acme.example", "group:team@acme.example"),
        ("principalSet://goog/public:all", "principalSet://goog/public:all"),
        ("deleted:principal://goog/subject/x?uid=1", "deleted:principal://goog/subject/x?uid=1"),
    ],
)
def test_who_a_deny_policy_names(denied: str, allowed: str) -> None:
    assert allowed_form(denied) == allowed
