"""Documents are taken apart without failing, and nothing malformed widens or hides anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.model import Verdict
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.decide import AppliedPolicy, Caller, Layers, Request, decide
from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.statement import ANYTHING, Effect, Patterns, PolicyDocument, Principals
from modelreach.policy.decision import Layer


def one(**elements: object) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | elements
    kept = {name: value for name, value in statement.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [kept]}


def faults(**elements: object) -> tuple[str, ...]:
    (statement,) = compile_document(one(**elements)).statements
    return statement.not_understood


def test_a_plain_statement_is_taken_apart() -> None:
    raw = one(Sid="s", Action=["S3:Get*", "*"], Resource=["arn:aws:s3:::b/*"])
    (statement,) = compile_document(json.dumps(raw).encode()).statements
    assert statement.effect is Effect.ALLOW
    assert statement.sid == "s"
    assert statement.actions == Patterns(("s3:get*", "*"))
    assert statement.resources == Patterns(("arn:aws:s3:::b/*",))
    assert statement.principals is None
    assert statement.variables
    assert json.loads(statement.text) == raw["Statement"][0]
    assert statement.not_understood == ()


def test_bytes_text_and_object_read_alike() -> None:
    raw = one(Condition={"Bool": {"aws:SecureTransport": True}})
    text = json.dumps(raw)
    assert compile_document(raw) == compile_document(text) == compile_document(text.encode())


def test_one_statement_needs_no_list_and_no_version_means_no_variables() -> None:
    raw = {"Statement": one()["Statement"][0]}
    (statement,) = compile_document(raw).statements
    assert not statement.variables


def test_account_ids_become_root_arns_and_star_means_everyone() -> None:
    named = {
        "AWS": ["111111111111", "arn:aws-cn:iam::222222222222:root", "AIDAEXAMPLE"],
        "Service": "S3.amazonaws.com",
        "Federated": "accounts.google.com",
        "CanonicalUser": ["79a5"],
    }
    (statement,) = compile_document(one(Principal=named)).statements
    assert statement.principals == Principals(
        aws=(
            "arn:aws:iam::111111111111:root",
            "arn:aws-cn:iam::222222222222:root",
            "AIDAEXAMPLE",
        ),
        services=("s3.amazonaws.com",),
        federated=("accounts.google.com",),
        canonical_users=("79a5",),
    )
    for everyone in ("*", {"AWS": "*"}, {"AWS": ["*"]}):
        (statement,) = compile_document(one(Principal=everyone)).statements
        assert statement.principals == Principals(everyone=True)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"x"',
        b'{"Version":"2012-10-17"}',
        b'{"Statement":3}',
        b'{"Statement":[1]}',
        b'{"Statement":[[]]}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b" " * 1_000_001,
        b"{" + b'"Statement":1' + b"9" * 5000 + b"}",
        None,
        3,
        object(),
        [],
        {"Statement": [{}] * 10_001},
    ],
)
def test_a_document_without_a_statement_to_blame_has_a_problem(raw: object) -> None:
    assert compile_document(raw).problems


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ({"Action": None}, "neither Action nor NotAction"),
        ({"Action": 3}, "Action is neither"),
        ({"Action": ["s3:Get*", None]}, "Action is neither"),
        ({"Action": []}, "Action is empty"),
        ({"Action": "GetObject"}, "names no service"),
        ({"NotAction": "s3:*"}, "both Action and NotAction"),
        ({"Resource": {"a": 1}}, "Resource is neither"),
        ({"Resource": "bucket"}, "is not an ARN"),
        ({"Resource": "arn:aws:s3"}, "is not an ARN"),
        ({"Resource": "arn:aws:s3:::a\ufdd0"}, "Resource is neither"),
        ({"NotResource": "*"}, "both Resource and NotResource"),
        ({"Sid": 3}, "Sid is not a string"),
        ({"Foo": 1}, "element `Foo` is not known"),
        ({"action": "s3:*"}, "element `action` is not known"),
        ({"Principal": "me"}, "Principal is neither"),
        ({"Principal": {}}, "Principal is neither"),
        ({"Principal": {"AWS": []}}, "principal `AWS` is neither"),
        ({"Principal": {"Aws": "*"}}, "element `Aws` is not known"),
        ({"Principal": {"AWS": "a b"}}, "is not an ARN, an account or a unique id"),
        ({"Principal": {"AWS": "arn:aws:iam::111111111111:user/*"}}, "wildcard"),
        ({"Principal": {"Service": "*"}}, "kind Service is `*`"),
        ({"Principal": "*", "NotPrincipal": "*"}, "both Principal and NotPrincipal"),
        ({"Condition": []}, "Condition is not an object"),
        ({"Condition": {"StringEqualz": {"a:b": "c"}}}, "`StringEqualz` is not known"),
        ({"Condition": {"ForSome:StringEquals": {"a:b": "c"}}}, "is not known"),
        ({"Condition": {"NullIfExists": {"a:b": "true"}}}, "is not known"),
        # A letter that is an `s` to whoever looks at letters apart from case, and none to AWS.
        ({"Condition": {"ForAllValue\u017f:StringEquals": {"a:b": "c"}}}, "is not known"),
        ({"Condition": {"StringEqualsIfExi\u017fts": {"a:b": "c"}}}, "is not known"),
        ({"Condition": {":StringEquals": {"a:b": "c"}}}, "is not known"),
        ({"Condition": {"StringEquals": "x"}}, "is not followed by an object"),
        ({"Condition": {"StringEquals": {"b": "c"}}}, "names no service"),
        ({"Condition": {"StringEquals": {"a:b": None}}}, "is not a string"),
        ({"Condition": {"StringEquals": {"a:b": []}}}, "is not a string"),
        ({"Condition": {"StringEquals": {"a:b": ["x", {"y": 1}]}}}, "is not a string"),
        ({"Condition": {"NumericEquals": {"a:b": "ten"}}}, "`ten` is no value"),
        ({"Condition": {"DateEquals": {"a:b": "2020-13-01"}}}, "is no value"),
        ({"Condition": {"Bool": {"a:b": "yes"}}}, "is no value"),
        ({"Condition": {"Null": {"a:b": 1}}}, "is no value"),
        ({"Condition": {"IpAddress": {"a:b": "10.0.0.0/33"}}}, "is no value"),
        ({"Condition": {"BinaryEquals": {"a:b": "§"}}}, "is no value"),
    ],
)
def test_what_is_malformed_is_named(elements: dict[str, object], said: str) -> None:
    assert any(said in fault for fault in faults(**elements)), faults(**elements)


def test_a_variable_is_a_value_of_every_operator() -> None:
    assert faults(Condition={"NumericLessThan": {"s3:max-keys": "${aws:PrincipalTag/n}"}}) == ()


def test_a_missing_effect_counts_as_allow_and_as_deny() -> None:
    both = compile_document(one(Effect="deny")).statements
    assert {statement.effect for statement in both} == {Effect.ALLOW, Effect.DENY}
    assert all(statement.not_understood for statement in both)


def test_unread_parts_cover_everything() -> None:
    (statement,) = compile_document(one(Action=3, Resource="x")).statements
    assert statement.actions == statement.resources == ANYTHING


def test_names_written_twice_are_faults() -> None:
    text = '{"Statement":[{"Effect":"Deny","Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    (statement,) = compile_document(text).statements
    assert any("more than once" in fault for fault in statement.not_understood)
    twice = '{"StringEquals":{"a:b":"c"},"StringEquals":{"a:b":"d"}}'
    text = f'{{"Statement":[{{"Effect":"Allow","Action":"s3:*","Condition":{twice}}}]}}'
    (statement,) = compile_document(text).statements
    assert any("more than once" in fault for fault in statement.not_understood)


def test_statements_that_share_a_sid_are_not_understood() -> None:
    raw = one(Sid="a")
    raw["Statement"] = [*raw["Statement"], one(Sid="a")["Statement"][0], one()["Statement"][0]]
    found = compile_document(raw).statements
    assert [bool(statement.not_understood) for statement in found] == [True, True, False]


def test_an_unknown_version_or_element_marks_every_statement() -> None:
    for extra in ({"Version": "2030-01-01"}, {"Version": 3}, {"Extra": 1}):
        assert all(
            statement.not_understood for statement in compile_document(one() | extra).statements
        )


# --- what is malformed neither allows nor denies for certain ---------------------------------

FULL = compile_document(one(Action="*"))
CALLER = Caller.of("arn:aws:iam::111111111111:user/u")


def verdict(*documents: PolicyDocument) -> Verdict:
    policies = tuple(
        AppliedPolicy(document, Layer.IDENTITY, str(index))
        for index, document in enumerate(documents)
    )
    asked = Request(
        CALLER, "s3:GetObject", "arn:aws:s3:::b/k", context=Context.of({}, closed=True)
    )
    return decide(asked, Layers(identity=policies)).verdict


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
ELEMENTS = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
    "Else",
]


@given(JSON | st.binary(max_size=60) | st.text(max_size=60))
def test_fuzz_never_raises(raw: object) -> None:
    assert isinstance(compile_document(raw), PolicyDocument)


@given(st.sampled_from(ELEMENTS), JSON)
def test_a_spoilt_allow_is_never_an_allow_unless_understood(name: str, value: object) -> None:
    spoilt = compile_document(one(**{name: value}))
    if any(statement.not_understood for statement in spoilt.statements) or spoilt.problems:
        assert verdict(spoilt) in (Verdict.UNKNOWN, Verdict.DENY)


@given(st.sampled_from(ELEMENTS), JSON)
def test_a_spoilt_deny_is_never_dropped(name: str, value: object) -> None:
    spoilt = compile_document(one(**{"Effect": "Deny", name: value}))
    marked = [statement for statement in spoilt.statements if statement.not_understood]
    if marked and all(statement.actions == ANYTHING for statement in marked):
        assert verdict(FULL, spoilt) in (Verdict.UNKNOWN, Verdict.DENY)


@given(st.binary(max_size=40))
def test_an_unreadable_document_leaves_the_answer_unknown(raw: bytes) -> None:
    document = compile_document(raw)
    if document.problems:
        assert verdict(FULL, document) is Verdict.UNKNOWN
        assert verdict(document) is Verdict.UNKNOWN
