"""Decisions beyond what a policy case can say: gaps, witnesses, what blocks, laws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach.model import Verdict
from modelreach.policy.aws.context import CLOSED, Context, request_context
from modelreach.policy.aws.decide import (
    AppliedPolicy,
    Caller,
    KeyGrant,
    Layers,
    Request,
    Unread,
    decide,
    explain_deny,
)
from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.region import decide_any
from modelreach.policy.decision import Decision, Layer, Outcome
from modelreach.policy.expr import AtomKind, atoms, render

A, B = "111111111111", "222222222222"
USER = Caller.of(f"arn:aws:iam::{A}:user/u")
ROLE = Caller.of(f"arn:aws:iam::{A}:role/r")
OTHER = Caller.of(f"arn:aws:iam::{B}:role/b")
BUCKET = "arn:aws:s3:::data/k"
KEY = f"arn:aws:kms:us-east-1:{A}:key/k1"
TARGET = f"arn:aws:iam::{A}:role/target"


def statement(effect: str = "Allow", action: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": "*"} | more


def policy(layer: Layer, *statements: dict[str, Any], name: str = "p") -> AppliedPolicy:
    raw = {"Version": "2012-10-17", "Statement": list(statements)}
    return AppliedPolicy(compile_document(raw), layer, name, "target", "digest")


def identity(*statements: dict[str, Any]) -> tuple[AppliedPolicy, ...]:
    return (policy(Layer.IDENTITY, *statements),)


def resource(*statements: dict[str, Any]) -> tuple[AppliedPolicy, ...]:
    return (policy(Layer.RESOURCE, *statements),)


def ask(
    layers: Layers,
    caller: Caller = USER,
    action: str = "s3:GetObject",
    on: str = BUCKET,
    context: Context | None = None,
) -> Decision:
    known = request_context(caller) if context is None else context
    return decide(Request(caller, action, on, A, known), layers)


FULL = identity(statement())


def test_an_allow_names_its_statement() -> None:
    layers = Layers(
        identity=identity(statement(action="ec2:*"), statement(action="s3:*", Sid="x"))
    )
    decision = ask(layers)
    assert (decision.verdict, decision.outcome) == (Verdict.ALLOW, Outcome.ALLOW)
    (reference,) = decision.allowed_by
    assert (reference.layer, reference.index, reference.sid) == (Layer.IDENTITY, 1, "x")
    assert (reference.policy, reference.target, reference.document) == ("p", "target", "digest")
    assert '"s3:*"' in reference.text
    assert explain_deny(decision) == ()


def test_only_certain_statements_witness_a_certain_allow() -> None:
    hedged = statement(Condition={"StringEquals": {"aws:SourceVpc": "v"}})
    decision = ask(Layers(identity=identity(hedged, statement())))
    assert [reference.index for reference in decision.allowed_by] == [1]


def test_across_accounts_both_sides_are_witnesses() -> None:
    named = statement(Principal={"AWS": OTHER.arn})
    decision = ask(Layers(identity=FULL, resource=resource(named)), OTHER)
    assert {reference.layer for reference in decision.allowed_by} == {
        Layer.IDENTITY,
        Layer.RESOURCE,
    }


def test_an_explicit_deny_names_its_statement_and_layer() -> None:
    denies = (policy(Layer.SCP, statement(), statement("Deny", "s3:*", Sid="no")),)
    decision = ask(Layers(identity=FULL, scps=(denies,)))
    assert decision.outcome is Outcome.EXPLICIT_DENY
    assert [(one.layer, one.sid) for one in decision.denied_by] == [(Layer.SCP, "no")]
    assert decision.blocked_by == (Layer.SCP,)
    (line,) = explain_deny(decision)
    assert "scp policy p on target" in line
    assert "statement no" in line


def test_a_condition_that_stays_open_is_the_residual() -> None:
    hedged = statement(Condition={"Bool": {"aws:SecureTransport": "true"}})
    denied = statement("Deny", Condition={"StringNotEquals": {"aws:SourceVpc": "v"}})
    decision = ask(Layers(identity=identity(hedged, denied)))
    assert decision.verdict is Verdict.CONDITIONAL
    assert render(decision.residual) == (
        "Bool aws:SecureTransport true and StringEquals aws:SourceVpc v"
    )
    assert [one.index for one in decision.allowed_by] == [0]
    assert [one.index for one in decision.denied_by] == [1]
    assert explain_deny(decision) == (
        "it is denied unless: Bool aws:SecureTransport true",
        "it is denied unless: StringEquals aws:SourceVpc v",
    )


@pytest.mark.parametrize(
    ("layers", "caller", "blocked"),
    [
        (Layers(), USER, (Layer.IDENTITY,)),
        (
            Layers(identity=FULL, boundaries=(policy(Layer.BOUNDARY, statement(action="ec2:*")),)),
            USER,
            (Layer.BOUNDARY,),
        ),
        (
            Layers(identity=FULL, session=(policy(Layer.SESSION, statement(action="ec2:*")),)),
            ROLE,
            (Layer.SESSION,),
        ),
        (Layers(identity=FULL, scps=((),)), USER, (Layer.SCP,)),
        (Layers(scps=((),)), USER, (Layer.SCP, Layer.IDENTITY)),
        (Layers(identity=FULL, rcps=((),)), USER, (Layer.RCP,)),
        (
            Layers(
                identity=FULL,
                endpoint=(policy(Layer.ENDPOINT, statement(action="ec2:*", Principal="*")),),
            ),
            USER,
            (Layer.ENDPOINT,),
        ),
        (Layers(identity=FULL), OTHER, (Layer.RESOURCE,)),
        (Layers(), OTHER, (Layer.IDENTITY, Layer.RESOURCE)),
        (Layers(), Caller.of("anonymous"), (Layer.RESOURCE,)),
    ],
)
def test_what_blocks_an_implicit_deny(
    layers: Layers, caller: Caller, blocked: tuple[Layer, ...]
) -> None:
    decision = ask(layers, caller)
    assert decision.outcome is Outcome.IMPLICIT_DENY
    assert decision.blocked_by == blocked
    assert len(explain_deny(decision)) == len(blocked)


def test_an_assumption_of_a_role_is_blocked_by_its_trust_policy() -> None:
    trust = (policy(Layer.TRUST, statement(Principal={"Service": "ec2.amazonaws.com"})),)
    layers = Layers(identity=FULL, resource=trust)
    decision = ask(layers, ROLE, "sts:AssumeRole", TARGET)
    assert decision.blocked_by == (Layer.TRUST,)
    assert "trust policy" in explain_deny(decision)[0]


# --- what was not read, what was not understood -----------------------------------------------


def test_an_unread_resource_policy_may_have_allowed() -> None:
    unread = Layers(unread=(Unread(Layer.RESOURCE, "bucket policy of data"),))
    decision = ask(unread)
    assert decision.verdict is Verdict.UNKNOWN
    assert render(decision.residual) == "not read: bucket policy of data (resource)"
    assert explain_deny(decision) == (
        "it cannot be told: not read: bucket policy of data (resource)",
    )


def test_an_unread_resource_policy_does_not_hide_an_allow_but_is_noted() -> None:
    gap = Unread(Layer.RESOURCE, "bucket policy of data")
    decision = ask(Layers(identity=FULL, unread=(gap,)))
    assert decision.verdict is Verdict.ALLOW
    assert any("bucket policy of data" in note for note in decision.assumes)


def test_an_unread_resource_policy_across_accounts_still_needs_the_own_side() -> None:
    gap = (Unread(Layer.RESOURCE, "bucket policy"),)
    assert ask(Layers(unread=gap), OTHER).verdict is Verdict.DENY
    assert ask(Layers(identity=FULL, unread=gap), OTHER).verdict is Verdict.UNKNOWN


def test_an_unread_trust_policy_leaves_an_assumption_unknown() -> None:
    layers = Layers(identity=FULL, unread=(Unread(Layer.TRUST, "trust policy of target"),))
    assert ask(layers, ROLE, "sts:AssumeRole", TARGET).verdict is Verdict.UNKNOWN
    assert ask(Layers(identity=FULL), ROLE, "sts:AssumeRole", TARGET).verdict is Verdict.DENY


def test_an_unread_identity_policy_may_have_allowed() -> None:
    layers = Layers(unread=(Unread(Layer.IDENTITY, "policies of u"),))
    assert ask(layers).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("layer", [Layer.SCP, Layer.RCP, Layer.BOUNDARY, Layer.ENDPOINT])
def test_an_unread_limit_is_only_noted(layer: Layer) -> None:
    decision = ask(Layers(identity=FULL, unread=(Unread(layer, "all of them"),)))
    assert decision.verdict is Verdict.ALLOW
    (note,) = decision.assumes
    assert "all of them" in note
    assert ask(Layers(unread=(Unread(layer, "all of them"),))).verdict is Verdict.DENY


ODD = {"StringEqualz": {"aws:username": "u"}}


def test_a_statement_that_is_not_understood_leaves_the_answer_unknown() -> None:
    allow = ask(Layers(identity=identity(statement(Condition=ODD))))
    deny = ask(Layers(identity=(*FULL, *identity(statement("Deny", Condition=ODD)))))
    for decision in (allow, deny):
        assert decision.verdict is Verdict.UNKNOWN
        assert {atom.kind for atom in atoms(decision.residual)} == {AtomKind.OPAQUE}
        assert any("StringEqualz" in fault for fault in decision.not_understood)


def test_what_is_unknown_and_what_is_open_together_is_unknown_only_if_it_has_to_be() -> None:
    hedged = statement(Condition={"StringEquals": {"aws:SourceVpc": "v"}})
    either = ask(Layers(identity=identity(statement(Condition=ODD), hedged)))
    assert either.verdict is Verdict.CONDITIONAL
    both = ask(Layers(identity=identity(hedged, statement("Deny", Condition=ODD))))
    assert both.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("layer", "spoilt"),
    [
        (Layer.IDENTITY, {"Principal": "*"}),
        (Layer.IDENTITY, {"Resource": None}),
        (Layer.RESOURCE, {}),
    ],
)
def test_a_statement_in_the_wrong_place_is_not_understood(
    layer: Layer, spoilt: dict[str, Any]
) -> None:
    kept = {name: value for name, value in (statement() | spoilt).items() if value is not None}
    found = (policy(layer, kept),)
    layers = Layers(identity=found) if layer is Layer.IDENTITY else Layers(resource=found)
    assert ask(layers).verdict is Verdict.UNKNOWN


# --- callers and services ----------------------------------------------------------------------


def test_a_role_named_by_session_hangs_on_the_name_of_its_session() -> None:
    named = statement(Principal={"AWS": f"arn:aws:sts::{A}:assumed-role/r/ci"})
    decision = ask(Layers(resource=resource(named)), ROLE)
    assert render(decision.residual) == "StringEquals sts:RoleSessionName ci"
    assert ask(Layers(resource=resource(named)), ROLE, context=CLOSED).verdict is Verdict.DENY
    given = Context.of({"sts:RoleSessionName": "ci"}, closed=True)
    assert ask(Layers(resource=resource(named)), ROLE, context=given).verdict is Verdict.ALLOW


def test_a_role_named_by_role_and_session_is_meant_either_way() -> None:
    names = [f"arn:aws:sts::{A}:assumed-role/r/ci", ROLE.arn]
    found = resource(statement(Principal={"AWS": names}))
    assert ask(Layers(resource=found), ROLE).verdict is Verdict.ALLOW
    limit = (policy(Layer.BOUNDARY, statement(action="ec2:*")),)
    bounded = ask(Layers(resource=found, boundaries=limit), ROLE)
    assert render(bounded.residual) == "StringEquals sts:RoleSessionName ci"


def test_an_external_id_is_a_condition_not_a_barrier() -> None:
    named = statement(
        Principal={"AWS": OTHER.arn}, Condition={"StringEquals": {"sts:ExternalId": "abc"}}
    )
    layers = Layers(identity=FULL, resource=(policy(Layer.TRUST, named),))
    decision = ask(layers, OTHER, "sts:AssumeRole", TARGET)
    assert render(decision.residual) == "StringEquals sts:ExternalId abc"


def test_a_key_grant_allows_and_is_the_witness() -> None:
    grant = KeyGrant(ROLE.arn, ("Decrypt",), "g", KEY, context_subset=(("app", "x"),))
    layers = Layers(grants=(grant,))
    decision = ask(layers, ROLE, "kms:Decrypt", KEY)
    assert render(decision.residual) == "StringEquals kms:EncryptionContext:app x"
    given = Context.of({"kms:EncryptionContext:app": "x"}, closed=True)
    decision = ask(layers, ROLE, "kms:Decrypt", KEY, given)
    assert [(one.layer, one.policy, one.target) for one in decision.allowed_by] == [
        (Layer.GRANT, "g", KEY)
    ]
    assert ask(layers, ROLE, "kms:Decrypt", KEY, CLOSED).verdict is Verdict.DENY
    assert ask(layers, ROLE, "s3:GetObject").verdict is Verdict.DENY


def test_access_control_lists_give_unless_they_are_ignored() -> None:
    acl = (policy(Layer.ACL, statement(action="s3:GetObject", Principal="*")),)
    anonymous = Caller.of("anonymous")
    assert ask(Layers(acl=acl), anonymous).verdict is Verdict.ALLOW
    assert ask(Layers(acl=acl, acls_ignored=True), anonymous).verdict is Verdict.DENY


def test_the_owner_of_a_resource_without_account_is_the_callers() -> None:
    asked = Request(USER, "s3:GetObject", BUCKET)
    assert decide(asked, Layers(identity=FULL)).verdict is Verdict.ALLOW


# --- laws ---------------------------------------------------------------------------------------

CONDITIONS: list[dict[str, Any]] = [
    {},
    {"StringEquals": {"aws:SourceVpc": "v"}},
    {"StringNotEquals": {"aws:SourceVpc": "v"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringEqualz": {"aws:username": "u"}},
]


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    return statement(
        draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["*", "s3:*", "s3:Get*", "ec2:*"])),
        Resource=draw(st.sampled_from(["*", "arn:aws:s3:::data/*", "arn:aws:s3:::other/*"])),
        Condition=draw(st.sampled_from(CONDITIONS)),
    )


blocks = st.lists(statements(), max_size=4)
ORDER = [Verdict.DENY, Verdict.UNKNOWN, Verdict.CONDITIONAL, Verdict.ALLOW]


@given(blocks, st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(block: list[dict[str, Any]], chance: Any) -> None:
    shuffled = [*block, *block]
    chance.shuffle(shuffled)
    first, second = (
        ask(Layers(identity=tuple(policy(Layer.IDENTITY, one, name=repr(one)) for one in some)))
        for some in (block, shuffled)
    )
    assert first == second


@given(blocks)
def test_an_allow_never_takes_away_and_a_deny_never_gives(block: list[dict[str, Any]]) -> None:
    before = ask(Layers(identity=identity(*block))).verdict
    more = ask(Layers(identity=identity(*block, statement()))).verdict
    less = ask(Layers(identity=identity(*block, statement("Deny", "s3:*")))).verdict
    assert ORDER.index(more) >= ORDER.index(before) or more is Verdict.UNKNOWN
    assert less is Verdict.DENY


@given(blocks, blocks)
def test_a_boundary_or_scp_never_adds_access(
    block: list[dict[str, Any]], limit: list[dict[str, Any]]
) -> None:
    free = ask(Layers(identity=identity(*block)))
    bounded = ask(Layers(identity=identity(*block), boundaries=(policy(Layer.BOUNDARY, *limit),)))
    under = ask(Layers(identity=identity(*block), scps=((policy(Layer.SCP, *limit),),)))
    for limited in (bounded, under):
        if free.verdict is Verdict.DENY:
            assert limited.verdict is Verdict.DENY
        if limited.verdict is Verdict.ALLOW:
            assert free.verdict is Verdict.ALLOW


@given(blocks, st.sampled_from([(), ("v",), ("w",)]), st.sampled_from([(), ("true",), ("false",)]))
def test_a_conditional_answer_agrees_with_every_completion(
    block: list[dict[str, Any]], vpc: tuple[str, ...], secure: tuple[str, ...]
) -> None:
    layers = Layers(identity=identity(*block))
    free = ask(layers).verdict
    full = request_context(USER).joined({"aws:SourceVpc": vpc, "aws:SecureTransport": secure})
    settled = ask(layers, context=full).verdict
    assert settled is not Verdict.CONDITIONAL
    if free is Verdict.ALLOW:
        assert settled is Verdict.ALLOW
    if free is Verdict.DENY:
        assert settled is Verdict.DENY


# --- requests about any of many resources --------------------------------------------------


def any_of_them(on: str, layers: Layers) -> Decision:
    return decide_any(Request(USER, "s3:GetObject", on, A, request_context(USER)), layers)


def test_a_part_that_is_allowed_is_enough() -> None:
    layers = Layers(identity=identity(statement(Resource="arn:aws:s3:::data/public/*")))
    assert any_of_them("arn:aws:s3:::data/*", layers).verdict is Verdict.ALLOW
    assert any_of_them("arn:aws:s3:::other/*", layers).verdict is Verdict.DENY


def test_layers_have_to_meet_in_one_resource() -> None:
    allowed = identity(statement(Resource="arn:aws:s3:::data/a/*"))
    limit = policy(Layer.BOUNDARY, statement(Resource="arn:aws:s3:::data/b/*"))
    layers = Layers(identity=allowed, boundaries=(limit,))
    assert any_of_them("arn:aws:s3:::data/*", layers).verdict is Verdict.DENY


def test_what_is_denied_whole_is_denied_explicitly() -> None:
    denied = statement("Deny", Resource="arn:aws:s3:::data/*")
    layers = Layers(identity=identity(statement(), denied))
    assert any_of_them("arn:aws:s3:::data/x/*", layers).outcome is Outcome.EXPLICIT_DENY
    assert any_of_them("*", layers).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("action", "on", "verdict"),
    [
        ("s3:PutBucketPolicy", "arn:aws:s3:::data", Verdict.ALLOW),
        ("s3:DeleteBucketPolicy", "arn:aws:s3:::data", Verdict.ALLOW),
        ("sqs:SetQueueAttributes", f"arn:aws:sqs:us-east-1:{A}:q", Verdict.ALLOW),
        ("s3:GetObject", BUCKET, Verdict.DENY),
    ],
)
def test_the_root_user_of_an_owner_is_never_locked_out_of_a_policy(
    action: str, on: str, verdict: Verdict
) -> None:
    locked = Layers(resource=resource(statement("Deny", Principal="*")))
    assert ask(locked, Caller.of(A), action, on).verdict is verdict
    assert ask(replace(locked, identity=FULL), USER, action, on).verdict is Verdict.DENY
    assert ask(locked, Caller.of(B), action, on).verdict is Verdict.DENY
    limited = replace(locked, scps=(identity(statement("Deny")),))
    assert ask(limited, Caller.of(A), action, on).verdict is Verdict.DENY
