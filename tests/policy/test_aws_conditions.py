"""Conditions by example: settled answers, and what is left when a key is open."""

from __future__ import annotations

import pytest

from modelreach.policy.aws.clauses import parse_conditions
from modelreach.policy.aws.conditions import atom_truth, conditions_expr, settle
from modelreach.policy.aws.context import CLOSED, OPEN, Context, Facts, request_context, spelled
from modelreach.policy.aws.matching import resource_matches
from modelreach.policy.aws.principals import Caller
from modelreach.policy.aws.statement import Patterns
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, render

Block = dict[str, dict[str, object]]
T = "aws:PrincipalTag/t"


def left(block: Block, context: Context = OPEN, *, variables: bool = True) -> Expr:
    faults: list[str] = []
    read = parse_conditions(block, variables, faults.append)
    assert not faults
    return conditions_expr(read, context, variables=variables)


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "met"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEqualsIgnoreCase", "Straße", "sTRASSE", False),
        ("StringLike", "a*c?", "abcd", True),
        ("StringLike", "a*c?", "abc", False),
        ("NumericEquals", "1e2", "100", True),
        ("NumericLessThan", "1", "-1", True),
        ("NumericLessThan", "1", "", False),
        ("NumericGreaterThan", "9", "10", True),
        ("DateEquals", "2018-08-10T00:00:00Z", "1533859200", True),
        ("DateEquals", "2018-08-10T00:00:00.500Z", "1533859200.5", True),
        ("DateEquals", "2018-08-10T02:00:00+02:00", "2018-08-10T00:00Z", True),
        ("DateLessThan", "2018-08", "2018-07-31", True),
        ("DateGreaterThan", "2018", "tomorrow", False),
        ("Bool", "TRUE", "true", True),
        ("Bool", "false", "no", False),
        ("BinaryEquals", "YQ==", "YQ==", True),
        ("BinaryEquals", "YQ==", "a", False),
        ("IpAddress", "192.0.2.0/24", "192.0.2.255", True),
        ("IpAddress", "192.0.2.0/24", "192.0.3.0", False),
        ("IpAddress", "192.0.2.7", "192.0.2.7/32", True),
        ("IpAddress", "192.0.2.0/25", "192.0.2.0/24", False),
        ("IpAddress", "2001:db8::/32", "2001:DB8:0:1::", True),
        ("ArnEquals", "arn:aws:iam::*:role/*", "arn:aws:iam::1:role/a/b:c", True),
        ("ArnLike", "arn:aws:s3:*", "arn:aws:s3:::bucket", True),
        ("ArnLike", "arn:aws:*:bucket", "arn:aws:s3:::bucket", False),
        ("ArnLike", "*", "bucket", False),
        ("ArnLike", "*", "arn:aws:s3:::bucket", True),
    ],
)
def test_operators(operator: str, wanted: str, given: str, met: bool) -> None:
    context = Context.of({T: given}, closed=True)
    assert left({operator: {T: wanted}}, context) == (TRUE if met else FALSE)


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        ({"StringEquals": {"AWS:sourcevpc": ["b", "a"]}}, "StringEquals aws:SourceVpc [a, b]"),
        ({"StringNotEquals": {T: "a"}}, f"StringNotEquals {T} a"),
        ({"StringNotEqualsIfExists": {T: "a"}}, f"StringNotEquals {T} a"),
        ({"StringEqualsIfExists": {T: "a"}}, f"Null {T} true or StringEquals {T} a"),
        (
            {"ArnEquals": {"aws:sourcearn": "arn:aws:s3:::*"}},
            "ArnLike aws:SourceArn arn:aws:s3:::*",
        ),
        ({"ForAnyValue:StringLike": {"aws:TagKeys": "a"}}, "ForAnyValue:StringLike aws:TagKeys a"),
        (
            {"ForAllValues:StringNotLike": {"aws:TagKeys": "a"}},
            "not (ForAnyValue:StringLike aws:TagKeys a)",
        ),
        (
            {"ForAnyValue:StringNotEqualsIfExists": {"aws:TagKeys": "a"}},
            "not (ForAllValues:StringEquals aws:TagKeys a)",
        ),
        ({"ForAllValues:StringEqualsIfExists": {T: "a"}}, f"ForAllValues:StringEquals {T} a"),
        ({"Null": {T: ["true", "false"]}}, "always"),
        ({"Null": {T: False}}, f"not (Null {T} true)"),
        ({"Bool": {"aws:SecureTransport": True}}, "Bool aws:SecureTransport true"),
        ({"StringEquals": {T: "${aws:username}"}}, f"StringEquals {T} ${{aws:username}}"),
        ({"StringLike": {T: "${*}a*"}}, f"StringLike {T} ${{*}}a*"),
    ],
)
def test_what_is_left_of_an_open_key(block: Block, shown: str) -> None:
    assert render(left(block)) == shown


def test_without_variables_a_dollar_brace_stays_text() -> None:
    found = left({"StringEquals": {T: "${aws:username}"}}, variables=False)
    context = Context.of({T: "${aws:username}", "aws:username": "u"}, closed=True)
    assert settle(found, context) == TRUE
    assert left({"StringEquals": {T: "${aws:username}"}}, context, variables=False) == TRUE


def test_a_known_key_turns_a_comparison_with_an_open_variable_around() -> None:
    context = Context.of({"aws:ResourceTag/p": "x"})
    found = left({"StringEquals": {"aws:ResourceTag/p": "${aws:PrincipalTag/p}"}}, context)
    assert render(found) == "StringEquals aws:PrincipalTag/p x"
    found = left({"StringNotEquals": {"aws:ResourceTag/p": "${aws:PrincipalTag/p, 'x'}"}}, context)
    assert render(found) == (
        "not (Null aws:PrincipalTag/p true) and StringNotEquals aws:PrincipalTag/p x"
    )


def test_a_multivalued_key_is_no_variable() -> None:
    context = Context.of({T: "a", "aws:TagKeys": ["a", "b"]}, closed=True)
    assert left({"StringEquals": {T: "${aws:TagKeys}"}}, context) == FALSE


def test_an_empty_text_is_no_value_to_a_set_operator() -> None:
    context = Context.of({"aws:TagKeys": ""}, closed=True)
    assert left({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}, context) == TRUE
    assert left({"ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}}, context) == FALSE


@pytest.mark.parametrize(
    ("pattern", "resource", "shown"),
    [
        (
            "arn:aws:s3:::h/${aws:username}/*",
            "arn:aws:s3:::h/bob/k",
            "StringEquals aws:username bob",
        ),
        (
            "arn:aws:s3:::h/${aws:username}/*",
            "arn:aws:s3:::h/bob/k/l",
            "StringEquals aws:username [bob, bob/k]",
        ),
        ("arn:aws:s3:::h/${aws:username}", "arn:aws:s3:::g/bob", "never"),
        (
            "arn:aws:s3:::h/${aws:username, 'bob'}",
            "arn:aws:s3:::h/bob",
            "Null aws:username true or StringEquals aws:username bob",
        ),
        (
            "arn:aws:s3:::${s3:prefix}${s3:prefix}",
            "arn:aws:s3:::abab",
            "StringEquals s3:prefix ab",
        ),
        (
            "*${aws:username}*",
            "arn:aws:s3:::h/bob",
            "MatchesWith aws:username [*${aws:username}*, arn:aws:s3:::h/bob]",
        ),
    ],
)
def test_which_values_of_an_open_variable_fit_a_resource(
    pattern: str, resource: str, shown: str
) -> None:
    assert render(resource_matches(Patterns((pattern,)), resource, True, OPEN)) == shown


def test_known_variables_beside_open_ones_are_filled_in() -> None:
    pattern = Patterns(("arn:aws:s3:::h/${aws:username}${s3:prefix}*",))
    context = Context.of({"aws:username": "a*"})
    found = resource_matches(pattern, "arn:aws:s3:::h/a*b", True, context)
    assert render(found) == "StringEquals s3:prefix [, b]"
    assert resource_matches(pattern, "arn:aws:s3:::h/ab", True, context) == FALSE


def test_what_is_not_a_condition_is_not_settled() -> None:
    gap = Atom(AtomKind.GAP, "the key policy of k")
    assert atom_truth(gap, CLOSED) is None
    odd = Atom(AtomKind.CONTEXT, T, "Sounds", ("a",))
    assert atom_truth(odd, CLOSED) is None


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("AWS:sourceIP", "aws:SourceIp"),
        ("aws:principaltag/Team", "aws:PrincipalTag/Team"),
        ("s3:prefix", "s3:prefix"),
        ("kms:EncryptionContext:App/x", "kms:EncryptionContext:App/x"),
    ],
)
def test_spelling_of_keys(written: str, key: str) -> None:
    assert spelled(written) == key


def test_what_a_caller_and_its_surroundings_fix() -> None:
    user = Caller.of("arn:aws:iam::111111111111:user/p/u", unique_id="AIDA1")
    facts = Facts(
        principal_org="o-1",
        principal_paths=("o-1/r-1/",),
        principal_tags={"Team": "x"},
        resource_account="222222222222",
        resource_org="",
        others={"aws:SourceVpc": "vpc-1"},
    )
    context = request_context(user, facts)
    assert context.values("aws:PrincipalArn") == (user.arn,)
    assert context.values("aws:PrincipalAccount") == ("111111111111",)
    assert context.values("aws:username") == ("u",)
    assert context.values("aws:userid") == ("AIDA1",)
    assert context.values("aws:PrincipalType") == ("User",)
    assert context.values("aws:PrincipalIsAWSService") == ("false",)
    assert context.values("aws:PrincipalOrgID") == ("o-1",)
    assert context.values("aws:PrincipalOrgPaths") == ("o-1/r-1/",)
    assert context.values("aws:PrincipalTag/TEAM") == ("x",)
    assert context.values("aws:PrincipalTag/other") == ()
    assert context.values("aws:ResourceAccount") == ("222222222222",)
    assert context.values("aws:ResourceOrgID") == context.values("aws:ResourceOrgPaths") == ()
    assert context.values("aws:ResourceTag/a") is None
    assert context.values("aws:SourceVpc") == ("vpc-1",)
    for chosen in ("sts:ExternalId", "aws:RequestTag/a", "aws:SecureTransport", "aws:SourceIp"):
        assert context.values(chosen) is None
    closed = request_context(user, closed=True)
    assert closed.values("sts:ExternalId") == ()


def test_what_other_callers_fix() -> None:
    session = Caller.of(
        "arn:aws:sts::111111111111:assumed-role/r/s",
        unique_id="AROA1",
        role_arn="arn:aws:iam::111111111111:role/p/r",
    )
    context = request_context(session)
    assert context.values("aws:PrincipalArn") == ("arn:aws:iam::111111111111:role/p/r",)
    assert context.values("aws:userid") == ("AROA1:s",)
    assert context.values("aws:username") == ()
    service = request_context(Caller.of("sns.amazonaws.com"), Facts(principal_org="o-1"))
    assert service.values("aws:PrincipalIsAWSService") == ("true",)
    assert service.values("aws:PrincipalServiceName") == ("sns.amazonaws.com",)
    assert service.values("aws:PrincipalOrgID") is None
    root = request_context(Caller.of("111111111111"))
    assert root.values("aws:userid") == ("111111111111",)
    assert root.values("aws:PrincipalType") == ("Account",)
    role = request_context(Caller.of("arn:aws:iam::111111111111:role/r", unique_id="AROA1"))
    assert role.values("aws:userid") is None
