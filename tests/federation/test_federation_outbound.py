"""Identity tokens of STS into Azure and Google Cloud: both halves, or none."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from modelreach import deployment
from modelreach.judge.finding import Finding
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline.answer import Answer, Shown, decode, encode
from modelreach.pipeline.evaluate import Estates, Release, evaluate
from modelreach.policy.engine import Pivot
from modelreach.policy.lots import Grants
from modelreach.policy.permissions import PermissionSet
from modelreach.policy.providers import engines
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import (
    Attachment,
    Facts,
    Principal,
    Scope,
    Snapshot,
    document_id,
    merge,
)
from organisations.outbound import (
    ACCOUNT,
    ANY,
    CLAIMS,
    EXCHANGE,
    GET,
    ISSUER,
    NOW,
    OBJECT,
    ON,
    POOL,
    ROLE,
    account,
    allow,
    project,
    snapshot,
    tenant,
)

AUDIENCE = f"https:{POOL}/providers/sts"
OFF: dict[str, Any] = {"issues_tokens": False}
TO_AZURE = {"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": EXCHANGE}}


def radius(*parts: Snapshot, start: str = ROLE) -> BlastRadius:
    return reach([start], engines(Facts(merge(parts, taken_at=NOW, tool=""))))


def hop(*parts: Snapshot, start: str = ROLE) -> Pivot | None:
    """Give the hop to the identity of the tenant; None when there is none."""
    found = radius(*parts, start=start).identities.get(OBJECT)
    return None if found is None else found.path.pivots[-1]


def read(*parts: Snapshot) -> set[str]:
    """Give how sure it is that the bucket is read."""
    found = radius(*parts).accesses
    return {str(one.verdict) for one in found if one.grant.scope == "projects/p"}


def findings(*parts: Snapshot) -> list[Finding]:
    release = Release(deployment.of_principal(ROLE, "aws"), merge(parts, taken_at=NOW, tool=""))
    found = evaluate(release, JudgePolicy(), Estates()).findings
    return [one for one in found if one.rule in ("MR401", "MR402")]


# --- Azure ---------------------------------------------------------------------------------


def test_a_role_that_gets_a_token_is_let_in_under_its_own_arn() -> None:
    found = hop(account(ANY), tenant())
    assert found is not None
    assert (found.kind, str(found.strength)) == ("federation", "certain")
    trust, token = found.support
    assert '"subject": "arn:aws:iam::111122223333:role/ml/desk"' in trust.statements[0].text
    assert (token.subject, token.action, token.object) == (ROLE, GET, ACCOUNT)
    assert token.statements[0].policy == "tokens"
    assert findings(account(ANY), tenant()) == []


@pytest.mark.parametrize(
    ("told", "statement", "trust"),
    [
        (OFF, ANY, {}),
        (ON, {**ANY, "Action": "sts:AssumeRole"}, {}),
        (ON, {**ANY, "Effect": "Deny"}, {}),
        (ON, ANY, {"issuer": ISSUER.replace("a1", "b2")}),
        (ON, ANY, {"subject": f"arn:aws:sts::{ACCOUNT}:assumed-role/desk/session"}),
        (ON, ANY, {"subject": ROLE.replace("ml/", "")}),
        (ON, ANY, {"subject": ROLE.upper()}),
        ({**OFF, "token_issuer": f"https://{ISSUER}"}, ANY, {}),
    ],
    ids=["off", "not allowed", "denied", "issuer", "session", "no path", "case", "turned off"],
)
def test_half_of_it_leads_nowhere(told: Any, statement: Any, trust: Any) -> None:
    assert hop(account(statement, told=told), tenant(**trust)) is None


@pytest.mark.parametrize(
    ("condition", "strength"),
    [
        (TO_AZURE, "certain"),
        ({"StringLike": {"sts:IdentityTokenAudience": "api://*"}}, "certain"),
        ({"StringEquals": {"sts:IdentityTokenAudience": "https://api.example"}}, ""),
        ({"NumericLessThanEquals": {"sts:DurationSeconds": "300"}}, "certain"),
        ({"NumericGreaterThan": {"sts:DurationSeconds": "900"}}, "certain"),
        ({"NumericGreaterThan": {"sts:DurationSeconds": "3600"}}, ""),
        ({"StringEquals": {"sts:SigningAlgorithm": "RS256"}}, "certain"),
        ({"StringEquals": {"sts:SigningAlgorithm": "ES384"}}, ""),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}, "certain"),
        ({"StringEquals": {"aws:RequestTag/team": "ml"}}, "conditional"),
        ({"Null": {"aws:TagKeys": "false"}}, "conditional"),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, "conditional"),
    ],
)
def test_conditions_on_the_token(condition: Any, strength: str) -> None:
    found = hop(account(allow(**condition)), tenant())
    assert (str(found.strength) if found else "") == strength


def test_a_condition_on_the_audience_is_settled_by_what_the_credential_takes() -> None:
    other = tenant(audience="https://api.example")
    assert hop(account(allow(**TO_AZURE)), other) is None
    assert hop(account(ANY), other) is not None


def test_what_the_account_was_not_asked_is_unknown() -> None:
    found = hop(account(ANY, told={}), tenant())
    assert found is not None
    assert str(found.strength) == "unknown"
    unread = "whether account 111122223333 is the issuer a1b2c3d4"
    assert unread in repr(found.residual)
    elsewhere = tenant(issuer="oidc.example")
    assert hop(account(ANY, told={}), elsewhere) is None


def test_an_account_that_is_an_issuer_of_which_the_name_was_not_told() -> None:
    found = hop(account(ANY, told={"issues_tokens": True}), tenant())
    assert found is not None
    assert str(found.strength) == "unknown"
    assert findings(account(told={"issues_tokens": True}), tenant()) == []


def test_an_issuer_that_is_known_to_be_another_account_is_not_this_one() -> None:
    other = snapshot(
        scopes=(Scope(id="444455556666", provider="aws", kind="account", attributes=ON),)
    )
    assert hop(account(ANY, told={}), other, tenant()) is None


def test_a_user_that_gets_a_token() -> None:
    user = f"arn:aws:iam::{ACCOUNT}:user/ann"
    own = account()
    raw = json.dumps({"Statement": ANY}).encode()
    whole = msgspec.structs.replace(
        own,
        principals=(Principal(id=user, provider="aws", kind="user", scope=ACCOUNT, name="ann"),),
        attachments=(Attachment(target=user, kind="identity", document=document_id(raw)),),
        documents={document_id(raw): msgspec.Raw(raw)},
    )
    assert hop(whole, tenant(user), start=user) is not None


def test_who_gives_itself_policies_gets_a_token() -> None:
    """The role may not ask for tokens, and may let itself."""
    put = {"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": ROLE}
    found = hop(account(put), tenant())
    assert found is not None
    assert found.source.startswith(f"{ROLE}#any-policy")


def test_service_control_policies_count() -> None:
    raw = json.dumps({"Statement": {**ANY, "Effect": "Deny"}}).encode()
    limit = snapshot(
        attachments=(
            Attachment(target=ACCOUNT, kind="scp", document=document_id(raw), name="no tokens"),
        ),
        documents={document_id(raw): msgspec.Raw(raw)},
    )
    assert hop(account(ANY), limit, tenant()) is None


def test_a_role_of_aws_does_not_take_it() -> None:
    """AWS takes no identity token of its own, whatever a trust says."""
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
    target = f"arn:aws:iam::{ACCOUNT}:role/inner"
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    raw = json.dumps({"Statement": trust}).encode()
    place: dict[str, Any] = {"provider": "aws", "scope": ACCOUNT}
    inner = snapshot(
        principals=(
            Principal(id=provider, kind="oidc-provider", **place),
            Principal(id=target, kind="role", name="inner", **place),
        ),
        attachments=(Attachment(target=target, kind="trust", document=document_id(raw)),),
        documents={document_id(raw): msgspec.Raw(raw)},
    )
    assert target not in radius(account(ANY), inner, tenant()).identities


# --- Google Cloud --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ("", {"allow"}),
        (f"{CLAIMS}.aws_account == '{ACCOUNT}'", {"allow"}),
        (f"{CLAIMS}['aws_account'] == '444455556666'", set()),
        (f"assertion.sub.startsWith('arn:aws:iam::{ACCOUNT}:role/ml/')", {"allow"}),
        (f"assertion['sub'] == '{ROLE}'", {"allow"}),
        ("attribute.account == '444455556666'", set()),
        (f"{CLAIMS}.principal_id == '{ROLE}'", {"allow"}),
        (f"{CLAIMS}.principal_id == '{ROLE}-2'", set()),
        (f"{CLAIMS}.lambda_source_function_arn == 'arn:aws:lambda:x'", {"conditional"}),
    ],
)
def test_a_pool_asks_claims_of_claims(condition: str, verdict: set[str]) -> None:
    assert read(account(ANY), project(condition)) == verdict


def test_a_set_of_the_pool_by_the_account() -> None:
    assert read(account(ANY), project(member=f"attribute.account/{ACCOUNT}")) == {"allow"}
    assert read(account(ANY), project(member="attribute.account/444455556666")) == set()


def test_a_subject_that_is_longer_than_a_pool_takes() -> None:
    longest = 127 - len(f"{ROLE}|")
    for more, verdict in (longest, {"allow"}), (longest + 1, set[str]()):
        mapping = ("google.subject=assertion.sub + '|" + "x" * more + "'",)
        member = f"subject/{ROLE}|{'x' * more}"
        assert read(account(ANY), project(member=member, attribute_mapping=mapping)) == verdict


@pytest.mark.parametrize(
    ("audience", "about", "verdict"),
    [
        (AUDIENCE, {}, {"allow"}),
        (EXCHANGE, {}, set()),
        ("mine", {"audiences": ("mine",)}, {"allow"}),
        (AUDIENCE, {"audiences": ("mine",)}, set()),
    ],
)
def test_an_audience_of_a_pool(audience: str, about: Any, verdict: set[str]) -> None:
    condition = {"StringEquals": {"sts:IdentityTokenAudience": audience}}
    assert read(account(allow(**condition)), project(**about)) == verdict


def test_a_condition_of_aws_stays_one_in_google_cloud() -> None:
    condition = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    assert read(account(allow(**condition)), project()) == {"conditional"}


# --- what is judged ------------------------------------------------------------------------


@pytest.mark.parametrize("half", [account(ANY, told=OFF), account()], ids=["off", "no policy"])
def test_a_credential_for_a_role_that_gets_no_token(half: Snapshot) -> None:
    (one,) = findings(half, tenant())
    assert (one.rule, one.subject, str(one.severity)) == ("MR401", OBJECT, "medium")
    assert "`desk` shows it no token" in one.message
    assert GET in one.fix
    assert "pod" not in " ".join(one.evidence)


def test_a_token_on_a_condition_is_no_half() -> None:
    assert findings(account(allow(Bool={"aws:SecureTransport": "true"})), tenant()) == []


def test_of_an_account_that_was_not_asked_nothing_is_left() -> None:
    assert findings(account(told={}), tenant()) == []


def test_a_pool_for_every_role_of_the_account_is_wide() -> None:
    (one,) = findings(account(ANY), project(member="*"))
    assert (one.rule, str(one.severity)) == ("MR402", "medium")
    assert f"any role of account {ACCOUNT} that gets tokens" in one.message
    exact = f"assertion.sub == '{ROLE}'"
    assert findings(account(ANY), project(exact, member="*")) == []


# --- what is kept --------------------------------------------------------------------------


def test_a_token_that_depends_on_something_is_kept_as_it_is() -> None:
    condition = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    whole = Facts(merge([account(allow(**condition)), tenant()], taken_at=NOW, tool=""))
    engine = engines(whole)["aws"]
    shown = [Shown(token) for token in engine.tokens(ROLE)]
    role = engine.principal(ROLE)
    assert role is not None
    answer = Answer("aws", role, (), Grants((), ()), PermissionSet(), (), tuple(shown))
    again = decode(encode(answer))
    assert again is not None
    assert [one.token for one in again.tokens] == [one.token for one in shown]
    assert "SourceVpce" in repr([one.token.when for one in again.tokens])
