"""Each of these notices a change to the evaluator that no other quick test noticed.

Found by mutation testing (docs/reference/mutation-testing.md); what a policy case can say is in
fixtures/policy/aws/mutants.jsonl.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from modelreach.model import Verdict
from modelreach.policy.aws.clauses import parse_conditions
from modelreach.policy.aws.conditions import atom_truth, condition_expr, conditions_expr, settle
from modelreach.policy.aws.context import CLOSED, Context
from modelreach.policy.aws.decide import (
    AppliedPolicy,
    Caller,
    CallerKind,
    KeyGrant,
    Layers,
    Request,
    Unread,
    decide,
)
from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.evaluate import evaluate
from modelreach.policy.aws.operators import OPERATORS, arn_like, moment
from modelreach.policy.aws.principals import Way, spared_session, ways
from modelreach.policy.aws.statement import Condition, Principals, Quantifier
from modelreach.policy.decision import Decision, Layer, Outcome
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, any_of, atoms

A = "111111111111"
USER = Caller.of(f"arn:aws:iam::{A}:user/u")
ROLE = Caller.of(f"arn:aws:iam::{A}:role/r")
OBJECT = "arn:aws:s3:::data/k"


def applied(layer: Layer, raw: object, target: str = "t") -> AppliedPolicy:
    return AppliedPolicy(compile_document(raw), layer, "p", target, "digest")


def statement(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "*", "Resource": "*"} | more


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def ask(layers: Layers, caller: Caller = USER, context: Context = CLOSED) -> Decision:
    return decide(Request(caller, "s3:GetObject", OBJECT, A, context), layers)


def ask_of(layer: Layer, layers: Layers) -> Decision:
    """Ask about what a layer speaks of: whom a role trusts is told of taking it on only."""
    if layer is not Layer.TRUST:
        return ask(layers)
    role = f"arn:aws:iam::{A}:role/other"
    return decide(Request(USER, "sts:AssumeRole", role, A, CLOSED), layers)


# --- what is told of faults ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("sid", "target", "told"),
    [
        ({"Sid": "x"}, "t", "identity policy p on t, statement x: element `Y` is not known"),
        ({}, "t", "identity policy p on t, statement 1: element `Y` is not known"),
        ({}, "", "identity policy p, statement 1: element `Y` is not known"),
    ],
)
def test_where_a_fault_is(sid: dict[str, Any], target: str, told: str) -> None:
    raw = document(statement(Action="ec2:*"), statement(Y=1, **sid))
    decision = ask(Layers(identity=(applied(Layer.IDENTITY, raw, target),)))
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.not_understood == (told,)


def test_an_unreadable_document_is_a_doubt_of_an_allow_and_of_a_deny() -> None:
    broken = applied(Layer.RESOURCE, "{")
    decision = ask(Layers(resource=(broken,)))
    assert decision.verdict is Verdict.UNKNOWN
    place, problems = "resource policy p on t", ("the document is not JSON",)
    assert set(atoms(decision.residual)) == {
        Atom(AtomKind.OPAQUE, place, "Allow", problems),
        Atom(AtomKind.OPAQUE, place, "Deny", problems),
    }
    assert decision.not_understood == (f"{place}: the document is not JSON",)
    for found in (decision.allowed_by, decision.denied_by):
        (reference,) = found
        assert (reference.layer, reference.policy, reference.target) == (Layer.RESOURCE, "p", "t")
        assert (reference.document, reference.index, reference.sid) == ("digest", 0, "")
        assert (reference.effect, reference.text) == ("", "")


# --- who asks ------------------------------------------------------------------------------


@pytest.mark.parametrize("principal", ["anonymous", "*", ""])
def test_spellings_of_nobody(principal: str) -> None:
    assert Caller.of(principal).kind is CallerKind.ANONYMOUS


@pytest.mark.parametrize(
    ("principal", "kind", "name", "session"),
    [
        (f"arn:aws:iam::{A}:user/a/b/u", CallerKind.USER, "u", ""),
        (f"arn:aws:iam::{A}:role/a/b/r", CallerKind.ROLE, "r", ""),
        (f"arn:aws:sts::{A}:assumed-role/r/s", CallerKind.SESSION, "r", "s"),
        (f"arn:aws:iam::{A}:something/else", CallerKind.USER, "else", ""),
    ],
)
def test_names_of_callers(principal: str, kind: CallerKind, name: str, session: str) -> None:
    caller = Caller.of(principal)
    assert (caller.kind, caller.name, caller.session) == (kind, name, session)
    assert caller.service_linked is False


def test_the_root_user_of_another_partition_is_itself_by_its_account_id() -> None:
    root = Caller.of(f"arn:aws-us-gov:iam::{A}:root")
    named = Principals(aws=(f"arn:aws:iam::{A}:root",))
    assert [way for way, _ in ways(named, root)] == [Way.ROOT]
    assert [way for way, _ in ways(named, USER)] == [Way.ACCOUNT]


# --- values --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),  # POSIX time has no leap seconds
        ("2024-01-01t00:00:00z", "2024-01-01T00:00:00Z"),  # as RFC 3339 allows
        ("2024-01-01T00:00:00", "2024-01-01T00:00:00Z"),
        (" 2024 ", "2024-01-01"),
        ("2024-01-01T00:00:00+0230", "2023-12-31T21:30:00Z"),
    ],
)
def test_spellings_of_a_moment(text: str, same: str) -> None:
    assert moment(text) is not None
    assert moment(text) == moment(same)


# --- what a decision says ------------------------------------------------------------------

HEDGED: dict[str, Any] = {"Condition": {"StringEquals": {"aws:SourceVpc": "v"}}}


def test_an_allow_says_what_was_not_understood_beside_it() -> None:
    raw = document(statement(Y=1), statement())
    decision = ask(Layers(identity=(applied(Layer.IDENTITY, raw),)))
    assert (decision.verdict, decision.residual) == (Verdict.ALLOW, TRUE)
    assert [note.rpartition(": ")[2] for note in decision.not_understood] == [
        "element `Y` is not known"
    ]


def test_an_explicit_deny_says_what_was_not_understood_beside_it() -> None:
    raw = document(statement(), statement("Deny"), statement(Y=1))
    decision = ask(Layers(identity=(applied(Layer.IDENTITY, raw),)))
    assert (decision.verdict, decision.residual) == (Verdict.DENY, FALSE)
    assert decision.outcome is Outcome.EXPLICIT_DENY
    assert len(decision.not_understood) == 1


def test_a_deny_that_undoes_the_only_allow_is_explicit() -> None:
    raw = document(statement(**HEDGED), statement("Deny", **HEDGED), statement("Deny", Y=1))
    decision = ask(Layers(identity=(applied(Layer.IDENTITY, raw),)), context=Context.of({}))
    assert (decision.verdict, decision.outcome) == (Verdict.DENY, Outcome.EXPLICIT_DENY)
    assert [one.index for one in decision.denied_by] == [1, 2]
    assert len(decision.not_understood) == 1


def test_an_implicit_deny_says_what_was_not_understood_beside_it() -> None:
    raw = document(statement(Y=1))
    nothing = applied(Layer.BOUNDARY, document(statement(Action="ec2:*")))
    layers = Layers(identity=(applied(Layer.IDENTITY, raw),), boundaries=(nothing,))
    decision = ask(layers)
    assert (decision.verdict, decision.residual) == (Verdict.DENY, FALSE)
    assert len(decision.not_understood) == 1


def test_two_doubts_are_as_unknown_as_one() -> None:
    raw = document(statement(Y=1), statement(Z=1))
    decision = ask(Layers(identity=(applied(Layer.IDENTITY, raw),)))
    assert decision.verdict is Verdict.UNKNOWN
    assert len(decision.not_understood) == 2


def test_the_way_that_lacks_least_is_the_one_that_is_told() -> None:
    """Identity policy and boundary are missing, or the resource policy alone."""
    boundary = (applied(Layer.BOUNDARY, document(statement(Action="ec2:*"))),)
    other = applied(Layer.RESOURCE, document(statement(Action="ec2:*", Principal="*")))
    decision = ask(Layers(boundaries=boundary, resource=(other,)))
    assert decision.blocked_by == (Layer.RESOURCE,)


# --- how a principal is meant --------------------------------------------------------------


def test_a_role_meant_by_account_and_session_is_meant_in_both_ways() -> None:
    session = f"arn:aws:sts::{A}:assumed-role/r/s"
    named = Principals(aws=(f"arn:aws:iam::{A}:root", session))
    assert [way for way, _ in ways(named, ROLE)] == [Way.SESSION, Way.ACCOUNT]


def test_a_session_that_is_fixed_is_not_spared_for_another_session() -> None:
    named = Principals(aws=(f"arn:aws:sts::{A}:assumed-role/r/other",), negated=True)
    assert spared_session(named, Caller.of(f"arn:aws:sts::{A}:assumed-role/r/s")) is FALSE


# --- what is left of a condition -----------------------------------------------------------


def test_a_boolean_is_left_in_small_letters() -> None:
    (condition,) = parse_conditions({"Bool": {"aws:SecureTransport": " TRUE"}}, True, print)
    left = condition_expr(condition, Context.of({}))
    assert left == Atom(AtomKind.CONTEXT, "aws:SecureTransport", "Bool", ("true",))


def test_a_comparison_with_nothing_but_absent_variables_is_never_met() -> None:
    context = Context.of({}, absent=["aws:username"])
    block = {"StringEquals": {"aws:SourceVpc": "${aws:username}"}}
    (condition,) = parse_conditions(block, True, print)
    assert condition_expr(condition, context) is FALSE
    (turned,) = parse_conditions({"StringNotEquals": block["StringEquals"]}, True, print)
    assert condition_expr(turned, context) is TRUE


def test_variables_are_expanded_unless_told_otherwise() -> None:
    context = Context.of({"aws:username": "u", "aws:PrincipalTag/t": "u"}, closed=True)
    block = {"StringEquals": {"aws:PrincipalTag/t": "${aws:username}"}}
    conditions = parse_conditions(block, True, print)
    assert conditions_expr(conditions, context) is TRUE
    assert conditions_expr(conditions, context, variables=False) is FALSE


# --- what could not be read ----------------------------------------------------------------

KEY = f"arn:aws:kms:us-east-1:{A}:key/k"


@pytest.mark.parametrize("layer", [Layer.RESOURCE, Layer.TRUST, Layer.ACL, Layer.GRANT])
def test_whatever_might_have_allowed_leaves_a_gap(layer: Layer) -> None:
    decision = ask_of(layer, Layers(unread=(Unread(layer, "what"),)))
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.residual == Atom(AtomKind.GAP, "what", "", (layer.value,))


def test_an_assumption_without_any_trust_policy_is_stopped_by_that() -> None:
    request = Request(USER, "sts:AssumeRole", f"arn:aws:iam::{A}:role/other", A, CLOSED)
    full = (applied(Layer.IDENTITY, document(statement())),)
    assert decide(request, Layers(identity=full)).blocked_by == (Layer.TRUST,)


# --- grants --------------------------------------------------------------------------------


def test_a_certain_grant_is_the_only_witness_beside_an_open_policy() -> None:
    hedged = (applied(Layer.RESOURCE, document(statement(Principal="*", **HEDGED))),)
    grant = KeyGrant(USER.arn, ("DescribeKey",), "g", KEY)
    request = Request(USER, "kms:DescribeKey", KEY, A, Context.of({}))
    decision = decide(request, Layers(resource=hedged, grants=(grant,)))
    assert decision.verdict is Verdict.ALLOW
    assert [one.layer for one in decision.allowed_by] == [Layer.GRANT]


def test_a_grant_that_cannot_meet_what_limits_it_is_named() -> None:
    key = "kms:EncryptionContext:app"
    grant = KeyGrant(USER.arn, ("Decrypt",), "g", KEY, context_subset=(("app", "x"),))
    gated = document(statement(Condition={"StringEquals": {key: "y"}}))
    layers = Layers(grants=(grant,), scps=((applied(Layer.SCP, gated),),))
    decision = decide(Request(USER, "kms:Decrypt", KEY, A, Context.of({})), layers)
    assert decision.verdict is Verdict.DENY
    assert Layer.GRANT in decision.blocked_by


# --- statements where they do not belong, and their references -----------------------------


@pytest.mark.parametrize(
    ("layer", "entry", "told"),
    [
        (
            Layer.IDENTITY,
            statement(Principal={"AWS": A}),
            "there is a Principal in a policy that has none",
        ),
        (
            Layer.IDENTITY,
            {"Effect": "Allow", "Action": "*"},
            "there is neither Resource nor NotResource",
        ),
        (Layer.RESOURCE, statement(), "there is neither Principal nor NotPrincipal"),
        (
            Layer.TRUST,
            statement(NotPrincipal={"AWS": A}),
            "there is a NotPrincipal in a trust policy",
        ),
    ],
)
def test_a_statement_in_the_wrong_place_is_named_as_such(
    layer: Layer, entry: dict[str, Any], told: str
) -> None:
    policies = (applied(layer, document(statement("Deny", Action="ec2:*"), entry)),)
    own = layer is Layer.IDENTITY
    layers = Layers(identity=policies) if own else Layers(resource=policies)
    decision = ask_of(layer, layers)
    assert decision.verdict is Verdict.UNKNOWN
    place = f"{layer.value} policy p on t, statement 1"
    assert decision.residual == Atom(AtomKind.OPAQUE, place, "Allow", (told,))
    assert [one.index for one in decision.allowed_by] == [1]


@pytest.mark.parametrize(
    "named", [{"Principal": {"AWS": USER.arn}}, {"NotPrincipal": {"AWS": ROLE.arn}}]
)
def test_a_statement_of_a_resource_policy_is_named(named: dict[str, Any]) -> None:
    raw = document(statement(Action="ec2:*", Principal="*"), statement(**named))
    decision = ask(Layers(resource=(applied(Layer.RESOURCE, raw),)))
    assert decision.verdict is Verdict.ALLOW
    assert [(one.layer, one.index) for one in decision.allowed_by] == [(Layer.RESOURCE, 1)]


def test_a_fault_in_a_resource_policy_is_placed() -> None:
    raw = document(statement(Principal="*", Y=1))
    decision = ask(Layers(resource=(applied(Layer.RESOURCE, raw),)))
    (atom,) = atoms(decision.residual)
    assert atom.key == "resource policy p on t, statement 0"


# --- conditions with an open variable: every completion, of a small world ------------------

TAG, NAME, STAR = "aws:PrincipalTag/t", "aws:username", "aws:PrincipalTag/star"
KNOWN = [None, (), ("",), ("a",), ("a", "ab"), ("*a",), ("1",), ("arn:aws:s3:::a",)]
NAMES = [(), ("a",), ("*",), ("1",)]
OPEN_VALUES = [
    ("${aws:username}",),
    ("a${aws:username}", "b"),
    ("${aws:username, 'a'}",),
    ("${aws:username}${aws:username}", "${aws:PrincipalTag/none}"),
    ("${aws:PrincipalTag/star}${aws:username}",),
    ("arn:aws:s3:::${aws:username}",),
    ("*${aws:username}*",),
    ("${aws:PrincipalTag/none}",),
]
SOME_OPERATORS = [
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "ArnNotEquals",
]


def completed(context: Context) -> list[Context]:
    """Give every way to fill in the keys that are open, of those that the world has."""
    tags = KNOWN[2:5] if context.values(TAG) is None else [context.values(TAG)]
    return [
        context.joined({TAG: tag or (), NAME: name}, closed=True)
        for tag, name in product(tags, NAMES)
    ]


@pytest.mark.parametrize("operator", SOME_OPERATORS)
@pytest.mark.parametrize("quantifier", list(Quantifier))
def test_what_is_left_agrees_with_every_completion(operator: str, quantifier: Quantifier) -> None:
    for values, known, if_exists in product(OPEN_VALUES, KNOWN, (False, True)):
        condition = Condition(operator, TAG, values, quantifier, if_exists)
        fixed = {STAR: "*"} | ({} if known is None else {TAG: known})
        context = Context.of(fixed, absent=["aws:PrincipalTag/none"])
        left = condition_expr(condition, context)
        for full in completed(context):
            assert settle(left, full) is condition_expr(condition, full), (condition, full)


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike"])
def test_an_open_variable_between_texts_is_listed(operator: str) -> None:
    """What a variable may be for a known value: all of it, and nothing else."""

    def left(wanted: str, given: str) -> Expr:
        condition = Condition(operator, TAG, (wanted,))
        return condition_expr(condition, Context.of({TAG: given}))

    def names(*values: str) -> Expr:
        return Atom(AtomKind.CONTEXT, NAME, "StringEquals", values)

    assert left("${aws:username}", "abc") == names("abc")
    assert left("a${aws:username}", "abc") == names("bc")
    assert left("${aws:username}c", "abc") == names("ab")
    assert left("a${aws:username}c", "abc") == names("b")
    assert left("${aws:username}${aws:username}", "abab") == names("ab")
    assert left("${aws:username}-${aws:username}", "ab-ab") == names("ab")
    assert left("x${aws:username}", "abc") is FALSE
    assert left("${aws:username}x", "abc") is FALSE
    absent = Atom(AtomKind.CONTEXT, NAME, "Null", ("true",))
    assert left("${aws:username, 'abc'}", "abc") == any_of((names("abc"), absent))
    assert left("${aws:username}*", "ab") == (
        names("", "a", "ab") if operator == "StringLike" else FALSE
    )
    assert left("*${aws:username}", "ab") == (
        names("", "ab", "b") if operator == "StringLike" else FALSE
    )


def test_an_open_variable_is_listed_as_far_as_it_is_short() -> None:
    def left(wanted: str, given: str, operator: str = "StringLike") -> Expr:
        return condition_expr(Condition(operator, TAG, (wanted,)), Context.of({TAG: given}))

    def pattern(operator: str, *values: str) -> Expr:
        return Atom(AtomKind.CONTEXT, NAME, operator, values)

    sixteen = tuple("a" * count for count in range(16))
    assert left("${aws:username}*", "a" * 15) == pattern("StringEquals", *sixteen)
    more = "${aws:username}*"
    assert left(more, "a" * 16) == pattern("MatchesWith", more, "a" * 16)
    long = "a" * 45 + "-k-" + "a" * 45
    assert left("*-${aws:username}-*", long) == (
        pattern("MatchesWith", "*-${aws:username}-*", long)
    )
    both = "${aws:username}${aws:userid}"
    assert left(both, "ab") == pattern("MatchesWith", both, "ab")
    assert left(both, "ab", "StringEquals") == pattern("MatchesWithExactly", both, "ab")
    assert left(f"x{both}", "ab") is FALSE
    assert left(f"*x{both}", "1xab", "StringEquals") is FALSE


def test_an_absent_variable_beside_an_open_one_matches_nothing() -> None:
    context = Context.of({TAG: "a"}, absent=["aws:PrincipalTag/none"])
    condition = Condition("StringEquals", TAG, ("${aws:PrincipalTag/none}${aws:username}",))
    assert condition_expr(condition, context) is FALSE


def test_a_key_that_is_there_is_not_asked_for_again() -> None:
    operator, values = "NumericLessThanEquals", ("${aws:username}",)
    condition = Condition(operator, TAG, values, Quantifier.NONE, True)
    left = condition_expr(condition, Context.of({TAG: "1"}))
    assert left == Atom(AtomKind.CONTEXT, TAG, operator, values)


# --- who is told to have stopped it --------------------------------------------------------


def test_of_a_certain_deny_only_certain_statements_are_told() -> None:
    raw = document(statement(), statement("Deny", **HEDGED), statement("Deny"))
    layers = Layers(identity=(applied(Layer.IDENTITY, raw),))
    decision = ask(layers, context=Context.of({}))
    assert [one.index for one in decision.denied_by] == [2]


def test_what_is_conditional_says_what_was_assumed() -> None:
    full = (applied(Layer.IDENTITY, document(statement(**HEDGED))),)
    layers = Layers(identity=full, unread=(Unread(Layer.SCP, "what"),))
    decision = ask(layers, context=Context.of({}))
    assert decision.verdict is Verdict.CONDITIONAL
    assert decision.assumes == ("scp not read: what; it is taken not to restrict",)
    assert decision.blocked_by == ()


def test_what_is_unknown_says_what_is_lacking() -> None:
    decision = ask(Layers(identity=(applied(Layer.IDENTITY, document(statement(Y=1))),)))
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.blocked_by == (Layer.IDENTITY,)


def test_what_aws_itself_refuses_is_told_as_such() -> None:
    root = Caller.of(A)
    role = f"arn:aws:iam::{A}:role/r"
    trust = (applied(Layer.TRUST, document(statement(Principal={"AWS": A}))),)
    assumed = decide(Request(root, "sts:AssumeRole", role, A, CLOSED), Layers(resource=trust))
    assert assumed.blocked_by == (Layer.SERVICE,)
    linked = f"arn:aws:iam::{A}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
    full = (applied(Layer.IDENTITY, document(statement())),)
    changed = decide(Request(USER, "iam:PutRolePolicy", linked, A, CLOSED), Layers(identity=full))
    assert changed.blocked_by == (Layer.SERVICE,)


def test_the_layer_that_is_told_is_that_of_the_policy() -> None:
    other = applied(Layer.RESOURCE, document(statement(Action="ec2:*", Principal="*")))
    full = (applied(Layer.IDENTITY, document(statement())),)
    request = Request(USER, "sts:AssumeRole", ROLE.arn, A, CLOSED)
    decision = decide(request, Layers(identity=full, resource=(other,)))
    assert decision.blocked_by == (Layer.RESOURCE,)


def test_a_service_has_no_identity_policies() -> None:
    denies = (applied(Layer.IDENTITY, document(statement("Deny"))),)
    named: dict[str, Any] = {"Principal": {"Service": "x.amazonaws.com"}}
    allows = (applied(Layer.RESOURCE, document(statement(**named))),)
    decision = ask(Layers(identity=denies, resource=allows), Caller.of("x.amazonaws.com"))
    assert decision.verdict is Verdict.ALLOW


def test_a_role_is_meant_by_its_name_where_its_session_is_another() -> None:
    session = f"arn:aws:sts::{A}:assumed-role/r/s"
    named = applied(Layer.RESOURCE, document(statement(Principal={"AWS": [session, ROLE.arn]})))
    context = Context.of({"sts:RoleSessionName": "other"}, closed=True)
    assert ask(Layers(resource=(named,)), ROLE, context).verdict is Verdict.ALLOW


def test_a_fault_of_a_statement_with_not_principal_is_placed() -> None:
    raw = document(statement("Deny", NotPrincipal={"AWS": ROLE.arn}, Y=1))
    said = evaluate(
        (applied(Layer.RESOURCE, raw),),
        Request(USER, "s3:GetObject", OBJECT, A, CLOSED),
        "s3:getobject",
    )
    (deny,) = said.denies
    (atom,) = atoms(deny.when)
    assert atom.key == "resource policy p on t, statement 0"


def test_without_a_boundary_not_principal_spares() -> None:
    raw = document(statement("Deny", NotPrincipal={"AWS": USER.arn}))
    request = Request(USER, "s3:GetObject", OBJECT, A, CLOSED)
    policies = (applied(Layer.RESOURCE, raw),)
    assert evaluate(policies, request, "s3:getobject").denies == []
    assert len(evaluate(policies, request, "s3:getobject", bounded=True).denies) == 1


@pytest.mark.parametrize(
    ("principal", "caller"),
    [
        (USER.arn, Caller(USER.arn, A, CallerKind.USER, "u")),
        (ROLE.arn, Caller(ROLE.arn, A, CallerKind.ROLE, "r", role_arn=ROLE.arn)),
        (
            f"arn:aws:iam::{A}:role/a:b/r",
            Caller(
                f"arn:aws:iam::{A}:role/a:b/r",
                A,
                CallerKind.ROLE,
                "r",
                role_arn=f"arn:aws:iam::{A}:role/a:b/r",
            ),
        ),
        (A, Caller(f"arn:aws:iam::{A}:root", A, CallerKind.ROOT)),
        ("x.amazonaws.com", Caller("x.amazonaws.com", "", CallerKind.SERVICE)),
        ("12345", Caller("12345", "", CallerKind.CANONICAL)),
        ("abcdefabcdef", Caller("abcdefabcdef", "", CallerKind.CANONICAL)),
        ("arn:x", Caller("arn:x", "", CallerKind.CANONICAL)),
        ("urn:a:b:c:d:e", Caller("urn:a:b:c:d:e", "", CallerKind.CANONICAL)),
    ],
)
def test_a_caller_is_what_its_name_says_and_no_more(principal: str, caller: Caller) -> None:
    assert Caller.of(principal) == caller
    managed = Caller.of(principal, management_account=True)
    assert managed.management_account is (caller.account != "")


# --- what is assumed of an endpoint --------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "action", "principal", "assumed"),
    [
        (Layer.ENDPOINT, "s3:getobject", {"AWS": A}, 1),
        (Layer.ENDPOINT, "dynamodb:getitem", {"AWS": A}, 1),
        (Layer.ENDPOINT, "s3:getobject", "*", 0),
        (Layer.ENDPOINT, "s3:getobject", {"AWS": USER.arn}, 0),
        (Layer.ENDPOINT, "s3:getobject", {"AWS": "2" * 12}, 0),
        (Layer.ENDPOINT, "sqs:sendmessage", {"AWS": A}, 0),
        (Layer.RESOURCE, "s3:getobject", {"AWS": A}, 0),
    ],
)
def test_only_an_account_at_a_gateway_endpoint_is_assumed_to_be_its_root_user(
    layer: Layer, action: str, principal: Any, assumed: int
) -> None:
    policy = applied(layer, document(statement(Principal=principal)))
    said = evaluate((policy,), Request(USER, action, OBJECT, A, CLOSED), action)
    assert len(said.assumed) == assumed
    assert all("gateway endpoint" in note for note in said.assumed)


# --- stars that are no wildcards -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "team", "met"),
    [
        ("a*-b", "a*", "b", True),
        ("aX-b", "a*", "b", False),
        ("a-b", "a", "b", True),
        ("-", "", "", True),
        ("a?-b", "a?", "b", True),
        ("${a-b", "${a", "b", True),
        ("${$}{a-b", "${a", "b", False),
    ],
)
def test_a_residual_is_settled_by_the_text_and_not_by_a_pattern(
    text: str, name: str, team: str, *, met: bool
) -> None:
    """With two variables open, what is left keeps pattern and text; both are filled in later."""
    condition = Condition("StringEquals", "aws:SourceIdentity", ("${aws:username}-${aws:userid}",))
    opened = Context.of({"aws:SourceIdentity": (text,)})
    left = condition_expr(condition, opened)
    (atom,) = atoms(left)
    known = Context.of({"aws:username": (name,), "aws:userid": (team,)})
    assert atom_truth(atom, known) is met
    assert settle(left, known) == (TRUE if met else FALSE)


def test_an_empty_text_meets_what_is_filled_in_with_nothing() -> None:
    condition = Condition("StringEquals", "aws:SourceIdentity", ("${aws:username}${aws:userid}",))
    left = condition_expr(condition, Context.of({"aws:SourceIdentity": ("",)}))
    nothing = Context.of({"aws:username": ("",), "aws:userid": ("",)})
    assert settle(left, nothing) is TRUE


def test_beside_an_open_variable_a_plain_value_stays_plain() -> None:
    condition = Condition("StringEquals", "aws:SourceIdentity", ("a*b", "${aws:username}"))
    left = condition_expr(condition, Context.of({"aws:SourceIdentity": ("aXb",)}))
    (atom,) = atoms(left)
    assert (atom.key, atom.values) == ("aws:username", ("aXb",))


@pytest.mark.parametrize("operator", ["ArnLike", "ArnEquals"])
def test_a_star_in_a_name_that_is_filled_in_matches_only_itself(operator: str) -> None:
    condition = Condition(operator, "aws:PrincipalArn", ("arn:aws:iam::1:user/${aws:username}",))
    for user, met in (("a*", TRUE), ("ab", FALSE)):
        given = {"aws:PrincipalArn": (f"arn:aws:iam::1:user/{user}",), "aws:username": ("a*",)}
        assert condition_expr(condition, Context.of(given)) is met


def test_a_short_arn_pattern_leaves_the_rest_free_and_adds_nothing_to_it() -> None:
    assert arn_like("arn:aws:i*", "arn:aws:iam::1:user/a")
    assert arn_like("arn:aws:iam:*:1:*", "arn:aws:iam::1:user/a")
    assert not arn_like("arn:aws:iamX*", "arn:aws:iam::1:user/a")


@pytest.mark.parametrize(
    "name", sorted(name for name, one in OPERATORS.items() if not one.negated)
)
def test_what_is_left_is_said_in_the_word_of_the_policy(name: str) -> None:
    assert OPERATORS[name].positive == {"ArnEquals": "ArnLike"}.get(name, name)
