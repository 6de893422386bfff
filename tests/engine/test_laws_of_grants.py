"""What a principal is said to hold is what the decision engine answers, action by action."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.model import Verdict
from modelreach.policy.aws import catalogue
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.kinds import probes
from modelreach.policy.engine import Grant
from modelreach.policy.expr import implies
from modelreach.policy.glob import match

SETTINGS = settings.get_profile("engine")

#: What is asked about inside a resource: parts that the policies tell apart, and some they do not.
INSIDE = ("x", "xy", "other")
SERVICES = {"s3:bucket": "s3", "secretsmanager:secret": "secretsmanager", "sqs:queue": "sqs"}


def _places(resource: str, kind: str, action: str) -> list[str]:
    """The ARNs on which an action is asked: the resource, or things in it."""
    found: list[str] = []
    for probe in probes(resource, kind):
        if any(one.name == action for one in probe.actions):
            inner = [probe.region.replace("*", part) for part in INSIDE]
            found += [resource] if probe.exact else inner
    return found


def _covering(grants: tuple[Grant, ...], resource: str, action: str, place: str) -> list[Grant]:
    return [
        grant
        for grant in grants
        if grant.resource == resource
        and action in grant.actions
        and (not grant.within or any(match(part, place) for part in grant.within))
    ]


@SETTINGS
@given(data=st.data())
def test_whatever_is_decided_is_granted(world: Any, data: st.DataObject) -> None:
    engine = AwsEngine(world.facts(data.draw(world.estates())))
    principal = data.draw(st.sampled_from(world.principals))
    resource = data.draw(st.sampled_from(sorted(world.resources)))
    kind, _ = world.resources[resource]
    grants = engine.grants(principal)
    for action in catalogue.actions(SERVICES[kind]):
        for place in _places(resource, kind, action.name):
            decision = engine.decide(principal, action.name, place)
            found = _covering(grants, resource, action.name, place)
            if decision.verdict is Verdict.DENY:
                continue
            assert found, (action.name, place, decision)
            assert any(implies(decision.residual, grant.residual) for grant in found)


@SETTINGS
@given(data=st.data())
def test_whatever_is_granted_is_decided(world: Any, data: st.DataObject) -> None:
    engine = AwsEngine(world.facts(data.draw(world.estates())))
    principal = data.draw(st.sampled_from(world.principals))
    for grant in engine.grants(principal):
        assert grant.verdict is not Verdict.DENY
        assert grant.statements
        for action in grant.actions[:4]:
            places = _places(grant.resource, grant.kind, action)
            inside = [p for p in places if not grant.within or p in _all_in(grant, places)]
            decided = [engine.decide(principal, action, place) for place in inside]
            verdicts = {(one.verdict, one.residual) for one in decided}
            assert (grant.verdict, grant.residual) in verdicts, (action, grant, inside)


def _all_in(grant: Grant, places: list[str]) -> set[str]:
    return {place for place in places if any(match(part, place) for part in grant.within)}


@SETTINGS
@given(data=st.data())
def test_a_principal_that_nobody_grants_anything_holds_nothing(
    world: Any, data: st.DataObject
) -> None:
    drawn = data.draw(world.estates())
    silent = drawn.but(
        policies=tuple(
            type(p)(p.target, p.kind, p.name, tuple({**s, "Effect": "Deny"} for s in p.statements))
            for p in drawn.policies
        )
    )
    engine = AwsEngine(world.facts(silent))
    for principal in world.principals:
        assert engine.grants(principal) == ()
        assert engine.permissions(principal).is_empty()
        assert list(engine.pivots(principal)) == []


@SETTINGS
@given(data=st.data())
def test_what_is_held_is_never_less_than_what_its_own_policies_decide(
    world: Any, data: st.DataObject
) -> None:
    """On a resource of the account without a policy of its own, held and decided are the same."""
    drawn = data.draw(world.estates())
    own = drawn.but(policies=tuple(p for p in drawn.policies if p.kind != "resource"))
    engine = AwsEngine(world.facts(own))
    principal = data.draw(st.sampled_from((world.one, world.two, world.ann)))
    held = engine.permissions(principal)
    for action, place in (
        ("secretsmanager:GetSecretValue", world.secret),
        ("s3:GetObject", f"{world.near_bucket}/x"),
        ("s3:PutObject", f"{world.near_bucket}/other"),
        ("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{world.accounts[0]}:jobs"),
    ):
        decision = engine.decide(principal, action, place)
        boxes = [
            box
            for box in held.boxes
            if box.actions.contains(action.lower()) and box.resources.contains(place)
        ]
        assert bool(boxes) or decision.verdict is Verdict.DENY, (action, place, decision)
        if any(implies(decision.residual, box.condition) is False for box in boxes):
            continue
        if not boxes:
            assert decision.verdict is Verdict.DENY


@SETTINGS
@given(data=st.data())
def test_nobody_knows_a_stranger(world: Any, data: st.DataObject) -> None:
    engine = AwsEngine(world.facts(data.draw(world.estates())))
    with pytest.raises(KeyError):
        engine.decide(f"{world.one}-stranger", "s3:GetObject", "*")


def test_a_resource_whose_policy_is_not_understood_may_let_anybody_in(world: Any) -> None:
    """It is told of everybody, whatever other policies are there: nobody knows what it says."""
    broken = world.written(world.near_bucket, "resource", "broken", ("no statement",))
    engine = AwsEngine(world.facts(world.drawn((broken,))))
    decision = engine.decide(world.one, "s3:GetObject", f"{world.near_bucket}/x")
    assert decision.verdict is Verdict.UNKNOWN
    told = [grant for grant in engine.grants(world.one) if "s3:GetObject" in grant.actions]
    assert [(grant.resource, grant.verdict) for grant in told] == [
        (world.near_bucket, Verdict.UNKNOWN)
    ]
