"""What limits the caller limits every rule: conditions, boundaries, organisation, ownership."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from modelreach.graph import explore
from modelreach.model import Strength, Verdict
from modelreach.policy.aws.decide import decide
from modelreach.policy.engine import Pivot
from modelreach.policy.expr import conjuncts
from modelreach.reach import reach
from modelreach.snapshot import (
    Attachment,
    ManagedPolicy,
    Principal,
    Resource,
    Runtime,
    Scope,
)

ACCOUNT, OTHER = "111122223333", "444455556666"
ME = f"arn:aws:iam::{ACCOUNT}:user/me"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:job"
LAMBDA = "lambda.amazonaws.com"


def allow(*actions: str, on: str = "*", **conditions: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return {**found, "Condition": conditions} if conditions else found


def deny(*actions: str, **conditions: Any) -> dict[str, Any]:
    return {**allow(*actions, **conditions), "Effect": "Deny"}


def trusts(service: str, **conditions: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return {**found, "Condition": conditions} if conditions else found


def principal(name: str, **more: Any) -> Principal:
    account, rest = name.split(":")[4:]
    kind, short = rest.split("/")[0], rest.rsplit("/", 1)[-1]
    return Principal(id=name, provider="aws", kind=kind, scope=account, name=short, **more)


@pytest.fixture
def estate(scenes: Any) -> Any:
    """An account with a user and a role that Lambda may run as."""
    found = scenes.Estate()
    found.add("scopes", Scope(id=ACCOUNT, provider="aws", kind="account"))
    found.add("principals", principal(ME))
    found.add("principals", principal(ROLE))
    found.attach(ROLE, "identity", [allow("s3:GetObject")])
    return found


NEW_FUNCTION = ("lambda:CreateFunction", "lambda:InvokeFunction")


def hops(estate: Any, rule: str, source: str = ME) -> list[Pivot]:
    return [pivot for pivot in estate.engine().pivots(source) if pivot.rule == rule]


# --- conditions ------------------------------------------------------------------------------


def test_the_service_that_a_role_is_passed_to_is_known(estate: Any) -> None:
    to = {"StringEquals": {"iam:PassedToService": LAMBDA}}
    estate.attach(ME, "identity", [allow("iam:PassRole", on=ROLE, **to), allow(*NEW_FUNCTION)])
    estate.attach(ROLE, "trust", [trusts(LAMBDA)])
    (hop,) = hops(estate, "lambda-new-function")
    assert hop.strength is Strength.CERTAIN
    assert [support.action for support in hop.support] == [
        "iam:PassRole",
        "lambda:CreateFunction",
        "lambda:InvokeFunction",
        "sts:AssumeRole",
    ]
    assert all(support.statements for support in hop.support)


def test_an_open_condition_makes_the_hop_conditional_on_it(estate: Any) -> None:
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    estate.attach(ME, "identity", [allow("iam:PassRole", on=ROLE, **mfa), allow(*NEW_FUNCTION)])
    estate.attach(ROLE, "trust", [trusts(LAMBDA)])
    (hop,) = hops(estate, "lambda-new-function")
    assert hop.strength is Strength.CONDITIONAL
    assert conjuncts(hop.residual) == ("Bool aws:MultiFactorAuthPresent true",)


def test_a_trust_for_another_account_does_not_let_the_service_run_as_the_role(estate: Any) -> None:
    estate.attach(ME, "identity", [allow("iam:PassRole", *NEW_FUNCTION)])
    estate.attach(ROLE, "trust", [trusts(LAMBDA, StringEquals={"aws:SourceAccount": OTHER})])
    assert hops(estate, "lambda-new-function") == []


def test_a_trust_for_this_account_does(estate: Any) -> None:
    estate.attach(ME, "identity", [allow("iam:PassRole", *NEW_FUNCTION)])
    estate.attach(ROLE, "trust", [trusts(LAMBDA, StringEquals={"aws:SourceAccount": ACCOUNT})])
    (hop,) = hops(estate, "lambda-new-function")
    assert hop.strength is Strength.CERTAIN


@pytest.mark.parametrize(
    ("pattern", "leads"),
    [
        (f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:*", True),
        (f"arn:aws:lambda:*:{ACCOUNT}:*", True),
        (f"arn:aws:lambda:eu-west-1:{OTHER}:function:*", False),
        (f"arn:aws:ecs:eu-west-1:{ACCOUNT}:*", False),
    ],
)
def test_a_trust_can_ask_for_whom_the_service_runs(estate: Any, pattern: str, leads: bool) -> None:
    estate.attach(ME, "identity", [allow("iam:PassRole", *NEW_FUNCTION)])
    estate.attach(ROLE, "trust", [trusts(LAMBDA, ArnLike={"aws:SourceArn": pattern})])
    found = [hop.strength for hop in hops(estate, "lambda-new-function")]
    assert found == [Strength.CERTAIN if leads else Strength.CONDITIONAL]


def test_tags_of_the_compute_are_known_to_conditions(estate: Any) -> None:
    instance = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1"
    tagged: dict[str, Any] = {"StringEquals": {"ssm:resourceTag/team": "blue"}}
    estate.attach(ME, "identity", [allow("ssm:StartSession", **tagged)])
    for number, team in enumerate(("blue", "red")):
        estate.add(
            "runtimes",
            Runtime(
                id=f"{instance}{number}",
                provider="aws",
                kind="ec2:instance",
                scope=ACCOUNT,
                identities=(f"{ROLE}{number}",),
                tags={"team": team},
            ),
        )
    assert [hop.target for hop in hops(estate, "ssm-start-session")] == [f"{ROLE}0"]


# --- limits from above -----------------------------------------------------------------------


def test_an_explicit_deny_ends_it(estate: Any) -> None:
    estate.attach(ME, "identity", [allow("iam:PassRole", "lambda:*"), deny("iam:PassRole")])
    estate.attach(ROLE, "trust", [trusts(LAMBDA)])
    assert hops(estate, "lambda-new-function") == []


def test_a_boundary_ends_it(estate: Any) -> None:
    estate.attach(ME, "identity", [allow("iam:PassRole", "lambda:*")])
    estate.attach(ROLE, "trust", [trusts(LAMBDA)])
    estate.attach(ME, "boundary", [allow("lambda:*")])
    assert hops(estate, "lambda-new-function") == []


def test_a_service_control_policy_ends_it(estate: Any) -> None:
    estate.attach(ME, "identity", [allow("iam:PassRole", "lambda:*")])
    estate.attach(ROLE, "trust", [trusts(LAMBDA)])
    estate.attach(ACCOUNT, "scp", [allow("*"), deny("lambda:CreateFunction")])
    assert hops(estate, "lambda-new-function") == []


def test_what_one_gives_oneself_stays_within_the_boundary(estate: Any) -> None:
    estate.attach(ME, "identity", [allow("iam:PutUserPolicy", on=ME)])
    estate.attach(ME, "boundary", [allow("iam:PutUserPolicy", "s3:*")])
    engine = estate.engine()
    (hop,) = (p for p in engine.pivots(ME) if p.rule == "iam-put-user-policy")
    after = hop.target
    assert engine.decide(after, "s3:GetObject", "arn:aws:s3:::b/k").verdict is Verdict.ALLOW
    assert engine.decide(after, "ec2:RunInstances", "*").verdict is Verdict.DENY
    assert not any(p.kind == "administer" for p in engine.pivots(after))


def test_who_joins_a_group_keeps_its_boundary_and_its_own_policies(estate: Any) -> None:
    group = f"arn:aws:iam::{ACCOUNT}:group/admins"
    estate.add("principals", principal(group))
    estate.attach(group, "identity", [allow("s3:*", "ec2:*")])
    estate.attach(ME, "identity", [allow("iam:AddUserToGroup", on=group), allow("sqs:*")])
    estate.attach(ME, "boundary", [allow("iam:*", "s3:*", "sqs:*")])
    engine = estate.engine()
    (hop,) = (p for p in engine.pivots(ME) if p.rule == "iam-join-group")
    after = hop.target
    assert engine.decide(after, "s3:GetObject", "arn:aws:s3:::b/k").verdict is Verdict.ALLOW
    assert engine.decide(after, "sqs:ListQueues", "*").verdict is Verdict.ALLOW
    assert engine.decide(after, "ec2:StartInstances", "*").verdict is Verdict.DENY


def test_who_lifts_its_boundary_has_what_its_policies_say(estate: Any) -> None:
    boundary = [allow("iam:DeleteUserPermissionsBoundary")]
    estate.attach(ME, "identity", [allow("s3:*"), *boundary])
    estate.attach(ME, "boundary", boundary)
    engine = estate.engine()
    (hop,) = (p for p in engine.pivots(ME) if p.rule == "iam-lift-own-boundary")
    assert hop.strength is Strength.CONDITIONAL
    assert conjuncts(hop.residual) == ("provided that the boundary is lifted",)
    bucket = "arn:aws:s3:::b/k"
    assert engine.decide(ME, "s3:GetObject", bucket).verdict is Verdict.DENY
    assert engine.decide(hop.target, "s3:GetObject", bucket).verdict is Verdict.ALLOW
    assert engine.permissions(hop.target).contains("s3:GetObject", bucket)


def test_a_bedrock_key_opens_bedrock_and_nothing_else(estate: Any) -> None:
    user = f"arn:aws:iam::{ACCOUNT}:user/bot"
    estate.add("principals", principal(user))
    estate.attach(user, "identity", [allow("bedrock:*", "s3:*")])
    estate.attach(ME, "identity", [allow("iam:CreateServiceSpecificCredential", on=user)])
    engine = estate.engine()
    (hop,) = (p for p in engine.pivots(ME) if p.rule == "iam-bedrock-api-key")
    after = hop.target
    assert engine.decide(after, "bedrock:InvokeModel", "*").verdict is Verdict.ALLOW
    assert engine.decide(after, "bedrock:InvokeAgent", "*").verdict is Verdict.DENY
    assert engine.decide(after, "s3:GetObject", "arn:aws:s3:::b/k").verdict is Verdict.DENY
    assert not engine.permissions(after).contains("s3:GetObject", "arn:aws:s3:::b/k")


def test_a_session_policy_of_an_association_limits_the_target_role(estate: Any) -> None:
    pods = f"arn:aws:iam::{ACCOUNT}:role/pods"
    association = f"arn:aws:eks:eu-west-1:{ACCOUNT}:podidentityassociation/main/a-1"
    estate.add("principals", principal(pods))
    estate.attach(pods, "identity", [allow("sts:AssumeRole", "sts:TagSession")])
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    knows = {"StringEquals": {"sts:ExternalId": "x-1"}}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": root, "Condition": knows}
    estate.attach(ROLE, "trust", [trust])
    estate.attach(ROLE, "identity", [allow("dynamodb:*")])
    estate.attach(association, "session", [allow("s3:*")])
    runtime = Runtime(
        id=association,
        provider="aws",
        kind="eks:pod-identity-association",
        scope=ACCOUNT,
        identities=(ROLE,),
        attributes={"role": pods, "external_id": "x-1"},
    )
    estate.add("runtimes", runtime)
    engine = estate.engine()
    (hop,) = (p for p in engine.pivots(pods) if p.rule == "eks-pod-identity-chain")
    assert hop.strength is Strength.CERTAIN
    assert engine.decide(hop.target, "s3:GetObject", "arn:aws:s3:::b/k").verdict is Verdict.ALLOW
    assert engine.decide(hop.target, "dynamodb:Scan", "*").verdict is Verdict.DENY


def test_several_session_policies_allow_together_and_each_may_deny(estate: Any) -> None:
    association = f"arn:aws:eks:eu-west-1:{ACCOUNT}:podidentityassociation/main/a-1"
    estate.attach(ROLE, "identity", [allow("*")])
    estate.attach(association, "session", [allow("s3:*"), deny("s3:PutObject")])
    estate.attach(association, "session", [allow("sqs:*")])
    runtime = Runtime(
        id=association,
        provider="aws",
        kind="eks:pod-identity-association",
        scope=ACCOUNT,
        identities=(ROLE,),
    )
    estate.add("runtimes", runtime)
    engine = estate.engine()
    (name,) = engine.runtime(association).identities
    said = {
        action: engine.decide(name, action, "*").verdict
        for action in ("s3:GetObject", "sqs:SendMessage", "s3:PutObject", "dynamodb:Scan")
    }
    allowed = [action for action, verdict in said.items() if verdict is Verdict.ALLOW]
    assert allowed == ["s3:GetObject", "sqs:SendMessage"]
    assert engine.principal(name).id == name


# --- ownership -------------------------------------------------------------------------------


def test_a_role_of_another_account_cannot_be_passed(estate: Any) -> None:
    foreign = f"arn:aws:iam::{OTHER}:role/worker"
    estate.add("principals", principal(foreign))
    estate.attach(foreign, "trust", [trusts(LAMBDA)])
    estate.attach(ME, "identity", [allow("iam:PassRole", "lambda:*")])
    assert hops(estate, "lambda-new-function") == []


@pytest.mark.parametrize("path", ["aws-service-role/x.amazonaws.com", "aws-reserved/sso.x"])
def test_what_aws_owns_can_be_neither_passed_nor_edited(estate: Any, path: str) -> None:
    owned = f"arn:aws:iam::{ACCOUNT}:role/{path}/kept"
    estate.add("principals", principal(owned))
    estate.attach(owned, "trust", [trusts(LAMBDA)])
    estate.attach(
        ME, "identity", [allow("iam:PassRole", "lambda:*", "iam:UpdateAssumeRolePolicy", on="*")]
    )
    assert {p.target for p in estate.engine().pivots(ME) if p.rule} == {ROLE}


def test_a_policy_of_aws_has_no_version_of_ones_own(estate: Any) -> None:
    raw = estate.document([allow("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")])
    name = "arn:aws:iam::aws:policy/Given"
    more = estate.document([allow("*")])
    estate.add(
        "managed_policies",
        ManagedPolicy(
            id=name,
            provider="aws",
            scope="aws",
            default_version="v1",
            versions={"v1": raw, "v2": more},
        ),
    )
    estate.add("attachments", Attachment(target=ME, kind="identity", document=raw, policy=name))
    assert list(estate.engine().pivots(ME)) == []


def test_another_accounts_function_policy_can_let_the_caller_change_it(estate: Any) -> None:
    function = f"arn:aws:lambda:eu-west-1:{OTHER}:function:job"
    foreign = f"arn:aws:iam::{OTHER}:role/worker"
    estate.add("principals", principal(foreign))
    _function(estate, function, foreign, OTHER)
    lets = {"Effect": "Allow", "Action": "lambda:*", "Principal": {"AWS": ME}}
    estate.attach(function, "resource", [{**lets, "Resource": function}])
    assert hops(estate, "lambda-update-code") == []
    estate.attach(ME, "identity", [allow("lambda:UpdateFunctionCode", on=function)])
    (hop,) = hops(estate, "lambda-update-code")
    assert (hop.target, hop.via, hop.strength) == (foreign, function, Strength.CERTAIN)


def _function(estate: Any, name: str, role: str, account: str) -> None:
    estate.add(
        "resources", Resource(id=name, provider="aws", kind="lambda:function", scope=account)
    )
    estate.add(
        "runtimes",
        Runtime(
            id=name, provider="aws", kind="lambda:function", scope=account, identities=(role,)
        ),
    )


# --- strength --------------------------------------------------------------------------------


def test_influence_never_hides_a_surer_way_and_is_never_merged_with_it(estate: Any) -> None:
    agent = f"arn:aws:bedrock-agentcore:eu-west-1:{ACCOUNT}:runtime/a-1"
    estate.add(
        "runtimes",
        Runtime(
            id=agent,
            provider="aws",
            kind="bedrock-agentcore:runtime",
            scope=ACCOUNT,
            identities=(ROLE,),
        ),
    )
    actions = (
        "bedrock-agentcore:InvokeAgentRuntime",
        "bedrock-agentcore:InvokeAgentRuntimeCommand",
    )
    estate.attach(ME, "identity", [allow(*actions)])
    engine = estate.engine()
    found = {p.rule: p.strength for p in engine.pivots(ME)}
    assert found == {
        "agentcore-invoke-runtime": Strength.INFLUENCE,
        "agentcore-runtime-command": Strength.CERTAIN,
    }
    graph = explore([ME], engine.pivots)
    assert graph.paths[ROLE].strength is Strength.CERTAIN


def test_what_is_only_influenced_says_so_to_its_end(estate: Any) -> None:
    agent = f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:agent-alias/A/B"
    estate.add(
        "runtimes",
        Runtime(id=agent, provider="aws", kind="bedrock:agent", scope=ACCOUNT, identities=(ROLE,)),
    )
    estate.attach(ME, "identity", [allow("bedrock:InvokeAgent", on=agent)])
    radius = reach([ME], {"aws": estate.engine()})
    assert radius.identities[ROLE].path.strength is Strength.INFLUENCE


def test_a_change_is_followed_once(estate: Any) -> None:
    """Who may give itself any policy may do so again as what it became; that ends somewhere."""
    estate.attach(ME, "identity", [allow("iam:*User*", "iam:*Group*", "iam:*Boundary*")])
    estate.attach(ME, "boundary", [allow("iam:*")])
    for name in ("a", "b"):
        group = f"arn:aws:iam::{ACCOUNT}:group/{name}"
        estate.add("principals", principal(group))
        estate.attach(group, "identity", [allow("iam:AddUserToGroup", "s3:*")])
    graph = explore([ME], estate.engine().pivots)
    assert len(graph.paths) < 12
    assert len(graph.paths) == len(set(graph.paths))


def test_users_that_lack_a_password_are_not_said_to_have_one(estate: Any) -> None:
    """Without having read credentials it cannot be told: then that is what is said."""
    user = f"arn:aws:iam::{ACCOUNT}:user/ann"
    estate.add("principals", principal(user))
    estate.attach(ME, "identity", [allow("iam:UpdateLoginProfile", on=user)])
    (hop,) = hops(estate, "iam-update-login-profile")
    assert hop.strength is Strength.UNKNOWN
    assert conjuncts(hop.residual) == (f"not read: whether {user} has a password",)


# --- cost ------------------------------------------------------------------------------------


def _decisions(engine: Any, source: str) -> int:
    """How many decisions the hops from a source take."""
    code, count = decide.__code__, 0

    def count_calls(frame: Any, event: str, _: Any) -> None:
        nonlocal count
        count += event == "call" and frame.f_code is code

    sys.setprofile(count_calls)
    try:
        engine.pivots(source)
    finally:
        sys.setprofile(None)
    return count


def test_who_has_none_of_the_actions_costs_next_to_nothing(estate: Any) -> None:
    _many_roles(estate)
    estate.attach(ME, "identity", [allow("s3:*", "lambda:CreateFunction", "ec2:Describe*")])
    engine = estate.engine()
    engine.permissions(ME)
    # Does it administer the account? Nothing else is asked.
    assert _decisions(engine, ME) <= 2


def test_a_role_that_may_be_passed_is_asked_about_and_no_other(estate: Any) -> None:
    _many_roles(estate)
    estate.attach(ROLE, "trust", [trusts(LAMBDA)])
    estate.attach(ME, "identity", [allow("iam:PassRole", on=ROLE), allow(*NEW_FUNCTION)])
    engine = estate.engine()
    assert {p.target for p in engine.pivots(ME)} == {ROLE}
    assert _decisions(engine, ME) < 12


def _many_roles(estate: Any) -> None:
    for number in range(400):
        name = f"{ROLE}-{number}"
        estate.add("principals", principal(name))
        estate.attach(name, "trust", [trusts(LAMBDA)])


MADE = f"arn:aws:iam::{ACCOUNT}:role/app-*"
FENCE = f"arn:aws:iam::{ACCOUNT}:policy/fence"


def _ends(engine: Any) -> set[str]:
    found = {pivot.target for pivot in engine.pivots(ME) if pivot.rule == "iam-make-role"}
    assert {hop.target for hop in engine.outline(ME).every} >= found, "in brief it is the same"
    return found


def _fenced(estate: Any, *statements: dict[str, Any]) -> str:
    """Add a policy for use as a boundary."""
    digest = estate.document(statements)
    estate.add(
        "managed_policies",
        ManagedPolicy(
            id=FENCE,
            provider="aws",
            scope=ACCOUNT,
            name="fence",
            default_version="v1",
            versions={"v1": digest},
        ),
    )
    return str(digest)


def test_a_role_that_one_makes_may_do_everything(estate: Any) -> None:
    estate.attach(ME, "identity", [allow("iam:CreateRole", "iam:PutRolePolicy", on=MADE)])
    engine = estate.engine()
    assert _ends(engine) == {f"{ME}#any-policy"}
    assert engine.administration(f"{ME}#any-policy") is not None


def test_a_boundary_of_the_caller_does_not_bind_what_it_makes(estate: Any) -> None:
    estate.attach(ME, "identity", [allow("*")])
    estate.attach(ME, "boundary", [allow("iam:CreateRole", "iam:AttachRolePolicy")])
    engine = estate.engine()
    assert _ends(engine) == {f"{ME}#made"}
    thing = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:x-abcdef"
    read = "secretsmanager:GetSecretValue"
    assert engine.decide(ME, read, thing).verdict is Verdict.DENY
    assert engine.decide(f"{ME}#any-policy", read, thing).verdict is Verdict.DENY
    assert engine.decide(f"{ME}#made", read, thing).verdict is Verdict.ALLOW


@pytest.mark.parametrize("how", ["allowed", "not denied"])
def test_what_has_to_be_made_within_a_boundary_is_bound_by_it(estate: Any, how: str) -> None:
    asked = {"iam:PermissionsBoundary": FENCE}
    own = allow("iam:CreateRole", "iam:PutRolePolicy", on=MADE)
    if how == "allowed":
        estate.attach(ME, "identity", [{**own, "Condition": {"StringEquals": asked}}])
    else:
        barred = deny("iam:CreateRole", "iam:PutRolePolicy", ArnNotEquals=asked)
        estate.attach(ME, "identity", [own, barred])
    _fenced(estate, allow("s3:*"))
    engine = estate.engine()
    assert _ends(engine) == {f"{ME}#made-within=fence"}
    within = f"{ME}#made-within=fence"
    assert engine.decide(within, "s3:GetObject", "arn:aws:s3:::b/k").verdict is Verdict.ALLOW
    assert engine.decide(within, "iam:CreateUser", ME).verdict is Verdict.DENY
    assert engine.administration(within) is None


def test_a_policy_of_the_organization_binds_what_is_made(estate: Any) -> None:
    estate.attach(ME, "identity", [allow("iam:*")])
    estate.attach(ACCOUNT, "scp", [allow("*"), deny("iam:CreateRole", "iam:CreateUser")])
    assert _ends(estate.engine()) == set()


def test_what_is_made_needs_the_policy_and_the_role_of_one_name(estate: Any) -> None:
    other = f"arn:aws:iam::{ACCOUNT}:role/web-*"
    estate.attach(ME, "identity", [allow("iam:CreateRole", on=MADE)])
    estate.attach(ME, "identity", [allow("iam:PutRolePolicy", on=other)])
    assert _ends(estate.engine()) == set()
    estate.attach(ME, "identity", [allow("iam:PutRolePolicy", on="arn:aws:iam::*:role/*-x")])
    assert _ends(estate.engine()) == {f"{ME}#any-policy"}


_MEMBERS = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
_SOURCES = {"StringEquals": {"aws:SourceOrgID": "o-1"}}
_BELOW = {"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-1/r-1/*"}}


@pytest.mark.parametrize(
    ("principal_", "asked", "strength"),
    [
        ("*", _MEMBERS, None),
        ({"Service": LAMBDA}, _SOURCES, Strength.CERTAIN),
        ({"Service": LAMBDA}, _BELOW, Strength.CERTAIN),
        ({"Service": LAMBDA}, {"StringEquals": {"aws:SourceOrgID": "o-2"}}, None),
    ],
    ids=["is no member", "for one of the organization", "for one below", "for others"],
)
def test_a_service_works_for_the_organization_and_is_not_of_it(
    scenes: Any, principal_: Any, asked: Any, strength: Strength | None
) -> None:
    """Its requests tell the organization of whom it works for, under keys of their own."""
    found = scenes.Estate()
    found.add("scopes", Scope(id="o-1", provider="aws", kind="organization"))
    found.add("scopes", Scope(id="r-1", provider="aws", kind="root", parent="o-1"))
    found.add(
        "scopes",
        Scope(
            id=ACCOUNT,
            provider="aws",
            kind="account",
            parent="r-1",
            attributes={"organization": "o-1"},
        ),
    )
    found.add("principals", principal(ME))
    found.add("principals", principal(ROLE))
    found.attach(ME, "identity", [allow("iam:PassRole", "lambda:*")])
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": asked}
    found.attach(ROLE, "trust", [{**trust, "Principal": principal_}])
    engine = found.engine()
    hops = [p for p in engine.pivots(ME) if p.rule == "lambda-new-function"]
    assert [hop.strength for hop in hops] == ([strength] if strength else [])


_PODS = {"Service": "pods.eks.amazonaws.com"}


@pytest.mark.parametrize(
    ("actions", "tags", "verdict"),
    [
        (["sts:AssumeRole", "sts:TagSession"], {}, Verdict.CONDITIONAL),
        (["sts:AssumeRole", "sts:TagSession"], {"kubernetes-namespace": "b"}, Verdict.CONDITIONAL),
        ("sts:*", {}, Verdict.CONDITIONAL),
        ("sts:AssumeRole", {}, Verdict.DENY),
        ("sts:AssumeRole", {"kubernetes-namespace": "a"}, Verdict.ALLOW),
    ],
)
def test_a_session_may_be_tagged_where_the_trust_lets_it(
    estate: Any, actions: Any, tags: dict[str, str], verdict: Verdict
) -> None:
    """EKS tags the sessions of pods with their namespace; a tag of the session stands in for the
    role's own of that key."""
    pod = f"arn:aws:iam::{ACCOUNT}:role/pod"
    estate.add("principals", principal(pod, tags=tags))
    estate.attach(pod, "trust", [{"Effect": "Allow", "Action": actions, "Principal": _PODS}])
    tagged = {"StringEquals": {"aws:PrincipalTag/kubernetes-namespace": "a"}}
    estate.attach(pod, "identity", [{**allow("s3:GetObject"), "Condition": tagged}])
    found = estate.engine().decide(pod, "s3:GetObject", "arn:aws:s3:::b/k")
    assert found.verdict is verdict


def test_who_has_joined_a_group_may_put_another_version_of_its_policy_in_force(
    estate: Any,
) -> None:
    group = f"arn:aws:iam::{ACCOUNT}:group/ops"
    estate.add("principals", principal(group))
    little, much = (estate.document([allow(one)]) for one in ("s3:ListAllMyBuckets", "s3:*"))
    kept = f"arn:aws:iam::{ACCOUNT}:policy/kept"
    estate.add(
        "managed_policies",
        ManagedPolicy(
            id=kept,
            provider="aws",
            scope=ACCOUNT,
            name="kept",
            default_version="v2",
            versions={"v2": little, "v1": much},
        ),
    )
    held = Attachment(target=group, kind="identity", document=little, name="kept", policy=kept)
    estate.add("attachments", held)
    estate.attach(ME, "identity", [allow("iam:AddUserToGroup", "iam:SetDefaultPolicyVersion")])
    estate.attach(ME, "identity", [allow("sqs:SendMessage")])
    engine = estate.engine()
    both = f"{ME}#group=ops#policy=kept#v1"
    hops = [p for p in engine.pivots(f"{ME}#group=ops") if p.target == both]
    assert [(hop.rule, hop.strength) for hop in hops] == [
        ("iam-older-own-policy-version", Strength.CONDITIONAL)
    ]
    assert both in {hop.target for hop in engine.outline(f"{ME}#group=ops").every}
    for action in ("s3:PutObject", "sqs:SendMessage"):
        assert engine.decide(both, action, "arn:aws:s3:::b/k").verdict is Verdict.ALLOW
    assert engine.decide(f"{ME}#group=ops", "s3:PutObject", "*").verdict is Verdict.DENY
    assert [
        p.target for p in engine.pivots(both) if p.rule == "iam-older-own-policy-version"
    ] == []
    reached = reach([ME], {"aws": engine}).identities
    assert both in reached


_QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"
_TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:news"


@pytest.mark.parametrize(
    ("effect", "condition", "verdict"),
    [
        ("Allow", {"ArnEquals": {"aws:SourceArn": _TOPIC}}, Verdict.DENY),
        ("Allow", {"StringEquals": {"aws:SourceAccount": ACCOUNT}}, Verdict.DENY),
        ("Allow", {"StringEquals": {"aws:SourceOrgID": "o-1"}}, Verdict.DENY),
        ("Allow", {"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, Verdict.ALLOW),
        ("Deny", {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}, Verdict.DENY),
        ("Deny", {"Null": {"aws:SourceArn": "false"}}, Verdict.ALLOW),
    ],
)
def test_only_a_service_tells_for_which_thing_it_calls(
    estate: Any, effect: str, condition: Any, verdict: Verdict
) -> None:
    """A queue that takes what a topic sends is not open to who has no topic to call for it."""
    estate.add("resources", Resource(id=_QUEUE, provider="aws", kind="sqs:queue", scope=ACCOUNT))
    open_ = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": _QUEUE}
    statements = [{**open_, "Effect": effect, "Condition": condition}]
    estate.attach(_QUEUE, "resource", statements + ([open_] if effect == "Deny" else []))
    engine = estate.engine()
    assert engine.decide(ME, "sqs:SendMessage", _QUEUE).verdict is verdict
    grants = [one for one in engine.grants(ME) if one.resource == _QUEUE]
    assert bool(grants) is (verdict is not Verdict.DENY)


@pytest.mark.parametrize(("account", "verdict"), [(ACCOUNT, "conditional"), (OTHER, "deny")])
def test_a_key_for_callers_of_an_account_is_for_no_others(
    scenes: Any, account: str, verdict: str
) -> None:
    """So the policies of keys say it that a service uses for everybody of an account."""
    found = scenes.Estate()
    for one in (ACCOUNT, OTHER):
        found.add("scopes", Scope(id=one, provider="aws", kind="account"))
    me = f"arn:aws:iam::{account}:role/reader"
    found.add("principals", principal(me))
    found.attach(me, "identity", [allow("*")])
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k"
    found.add("resources", Resource(id=key, provider="aws", kind="kms:key", scope=ACCOUNT))
    asked = {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    policy = {**allow("kms:Decrypt"), "Principal": {"AWS": "*"}}
    found.attach(key, "resource", [{**policy, "Condition": {"StringEquals": asked}}])
    assert str(found.engine().decide(me, "kms:Decrypt", key).verdict) == verdict


def test_whose_a_bucket_is_settles_the_key_of_s3_that_asks_it(scenes: Any) -> None:
    found = scenes.Estate()
    found.add("principals", principal(ME))
    asked = {"StringEquals": {"s3:ResourceAccount": ACCOUNT}}
    found.attach(ME, "identity", [{**allow("s3:GetObject"), "Condition": asked}])
    for account, name in ((ACCOUNT, "own"), (OTHER, "theirs")):
        found.add("scopes", Scope(id=account, provider="aws", kind="account"))
        arn = f"arn:aws:s3:::{name}"
        found.add("resources", Resource(id=arn, provider="aws", kind="s3:bucket", scope=account))
        open_ = {**allow("s3:*", on=f"{arn}/*"), "Principal": {"AWS": ME}}
        found.attach(arn, "resource", [open_] if account == OTHER else [])
    engine = found.engine()
    held = {one.resource: str(one.verdict) for one in engine.grants(ME)}
    assert held == {"arn:aws:s3:::own": "allow"}
    assert str(engine.decide(ME, "s3:GetObject", "arn:aws:s3:::theirs/k").verdict) == "deny"


def test_what_is_needed_apart_may_be_done_apart(estate: Any) -> None:
    """A role is passed from one network, the function called from another: two requests, each of
    which can be made. What both hang on is said, and not that it never holds."""
    vpc = {"aws:SourceVpc": "vpc-1"}
    inside = allow("iam:PassRole", "lambda:CreateFunction", StringEquals=vpc)
    estate.attach(ME, "identity", [inside, allow("lambda:InvokeFunction", StringNotEquals=vpc)])
    estate.attach(ROLE, "trust", [trusts(LAMBDA)])
    (hop,) = (p for p in estate.engine().pivots(ME) if p.rule == "lambda-new-function")
    assert hop.strength is Strength.CONDITIONAL
    asked = ("StringEquals aws:SourceVpc vpc-1", "StringNotEquals aws:SourceVpc vpc-1")
    assert conjuncts(hop.residual) == asked
