"""Policies that are too much to work out: what is not worked out is unknown, nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.iam.aws_managed_policies import aws_managed_policies_data
from msgspec.structs import replace

from modelreach.model import Verdict
from modelreach.policy import extent, glob, permissions
from modelreach.policy.aws import grants as single
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.engine import Grant
from modelreach.policy.expr import implies
from modelreach.policy.permissions import PermissionSet

SETTINGS = settings.get_profile("engine")
#: More stars than any name has parts.
WOVEN = "*a*b*c*d*e*f*g*"


def _engine(world: Any, *statements: dict[str, Any]) -> AwsEngine:
    written = world.written(world.one, "identity", "woven", statements)
    return AwsEngine(world.facts(world.drawn((written,))))


def _crossing(count: int, effect: str) -> Iterator[dict[str, Any]]:
    """Statements of which each parts what the others leave."""
    for at in range(count):
        first, second = chr(97 + at % 26), chr(97 + at // 26)
        yield {
            "Effect": effect,
            "Action": f"s3:{'Get' if at % 2 else 'Put'}Object",
            "Resource": f"arn:aws:s3:::*{first}*{second}*{first}*",
        }


def _on_bucket(engine: AwsEngine, world: Any, action: str) -> list[Grant]:
    return [
        grant
        for grant in engine.grants(world.one)
        if action in grant.actions and grant.resource == world.near_bucket
    ]


def _counted(engine: AwsEngine, name: str) -> set[tuple[str, str]]:
    """What a survey counts."""
    brief = engine.brief(name)
    answers = {pair for holding in brief.holdings for pair in holding.answer}
    answers |= {(grant.capability, grant.verdict) for grant in brief.alone}
    return {(str(capability), str(verdict)) for capability, verdict in answers}


def test_an_allow_is_not_hidden_by_many_wildcards(world: Any) -> None:
    inside = f"{world.near_bucket}/{WOVEN}"
    engine = _engine(world, {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": inside})
    (grant,) = _on_bucket(engine, world, "s3:DeleteObject")
    assert (grant.verdict, grant.within) == (Verdict.ALLOW, (inside,))
    assert _counted(engine, world.one) == {("write", "allow")}


def test_a_deny_with_many_wildcards_is_no_bug_of_a_survey(world: Any) -> None:
    engine = _engine(
        world,
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "s3:GetObject",
            "Resource": f"{world.near_bucket}/{WOVEN}",
        },
    )
    assert _counted(engine, world.one) == {("read", "allow")}


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_what_is_not_worked_out_is_neither_allowed_nor_denied(world: Any, effect: str) -> None:
    """Forty patterns that all cross: which names all of them leave, nobody works out."""
    whole = {"Effect": "Allow", "Action": "s3:*Object", "Resource": "*"}
    some = list(_crossing(40, effect))
    engine = _engine(world, *some, *([whole] if effect == "Deny" else []))
    told = _on_bucket(engine, world, "s3:GetObject")
    assert Verdict.UNKNOWN in {grant.verdict for grant in told}
    unknown = next(grant for grant in told if grant.verdict is Verdict.UNKNOWN)
    assert unknown.statements, "whoever reads it is told which statements these are"
    assert "too much to work out" in str(unknown.residual)
    assert ("read", "unknown") in _counted(engine, world.one)
    assert engine.decide(world.one, "s3:GetObject", f"{world.near_bucket}/*").verdict in (
        Verdict.UNKNOWN,
        Verdict.ALLOW,
    )


def test_what_is_allowed_anyway_stays_so(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns that only add to what is allowed everywhere take nothing away."""
    whole = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    single._cells.cache_clear()
    # That is enough for the one that means all.
    monkeypatch.setattr(glob, "MAX_STEPS", 1)
    engine = _engine(world, whole, *_crossing(8, "Allow"))
    told = _on_bucket(engine, world, "s3:GetObject")
    single._cells.cache_clear()
    assert {grant.verdict for grant in told} == {Verdict.ALLOW}


@SETTINGS
@given(data=st.data())
def test_with_any_bound_nothing_is_lost_and_nothing_made_up(
    world: Any, data: st.DataObject
) -> None:
    """What is decided one by one is the law: a bound may make an answer unknown, and no other."""
    drawn = data.draw(world.estates())
    bound = data.draw(st.integers(0, 40))
    principal = data.draw(st.sampled_from(world.principals))
    with pytest.MonkeyPatch.context() as patch:
        single._cells.cache_clear()
        patch.setattr(glob, "MAX_STEPS", bound)
        bounded = AwsEngine(world.facts(drawn)).grants(principal)
    single._cells.cache_clear()
    free = AwsEngine(world.facts(drawn)).grants(principal)
    for grant in free:
        same = [one for one in bounded if _about(one) & _about(grant)]
        assert same, grant
    for grant in bounded:
        if grant.verdict is not Verdict.UNKNOWN:
            theirs = [one for one in free if _about(one) & _about(grant)]
            assert any(implies(one.residual, grant.residual) for one in theirs), grant


def _about(grant: Grant) -> set[tuple[str, str]]:
    return {(grant.resource, action) for action in grant.actions}


@SETTINGS
@given(data=st.data())
def test_with_any_bound_a_set_only_grows_and_says_so(world: Any, data: st.DataObject) -> None:
    drawn = data.draw(world.estates())
    principal = data.draw(st.sampled_from(world.principals))
    free = AwsEngine(world.facts(drawn)).permissions(principal)
    bound = data.draw(st.integers(1, 60))
    with pytest.MonkeyPatch.context() as patch:
        for cached in (extent._less, extent._meet, extent._simplest):
            cached.cache_clear()
        patch.setattr(permissions, "MAX_WORK", bound)
        patch.setattr(extent, "MAX_WORK", bound)
        bounded = AwsEngine(world.facts(drawn)).permissions(principal)
    for cached in (extent._less, extent._meet, extent._simplest):
        cached.cache_clear()
    # What is in doubt is never taken away from anything: that is left out of the question.
    whole = PermissionSet(tuple(replace(box, exact=True) for box in bounded.boxes))
    assert free <= whole
    assert not bounded.exact or bounded <= free


def test_grants_by_pattern_are_unknown_where_denials_were_not_taken_away(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = (
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "dynamodb:Get*", "Resource": "arn:aws:dynamodb:*:*:table/a*"},
    )
    sure = _engine(world, *statements)
    told = sure.unlisted(sure.permissions(world.one), world.accounts[0])
    assert {grant.verdict for grant in told} == {Verdict.ALLOW}
    monkeypatch.setattr(permissions, "MAX_WORK", 0)
    unsure = _engine(world, *statements)
    held = unsure.permissions(world.one)
    told = unsure.unlisted(held, world.accounts[0])
    assert {grant.verdict for grant in told} == {Verdict.UNKNOWN}
    assert unsure.brief(world.one).patterns == len(told)


def test_what_aws_itself_keeps_is_worked_out(world: Any) -> None:
    """Twenty managed policies of its own on one role, some of the largest among them."""
    kept = json.loads(aws_managed_policies_data)
    names = (
        *("ReadOnlyAccess", "SecurityAudit", "AmazonSageMakerFullAccess", "PowerUserAccess"),
        *("AWSBackupFullAccess", "SageMakerStudioProjectUserRolePolicy"),
        *("AWSGlueConsoleFullAccess", "AmazonBedrockFullAccess", "AWSLambda_FullAccess"),
        *("CloudWatchFullAccess", "AmazonEC2FullAccess", "AmazonS3FullAccess", "ViewOnlyAccess"),
        *("AWSCompromisedKeyQuarantineV3", "IAMFullAccess", "AmazonRDSFullAccess"),
        *("AWSCloudFormationFullAccess", "AmazonECS_FullAccess", "AmazonDynamoDBFullAccess"),
        "AWSElasticDisasterRecoveryLaunchActionsPolicy",
    )
    documents = {name: kept[name]["Document"]["Statement"] for name in names if name in kept}
    assert len(documents) > 16
    written = tuple(
        world.written(
            world.one, "identity", name, tuple(said) if isinstance(said, list) else (said,)
        )
        for name, said in documents.items()
    )
    engine = AwsEngine(world.facts(world.drawn(written)))
    assert engine.permissions(world.one).exact
    assert all("too much" not in str(grant.residual) for grant in engine.grants(world.one))
