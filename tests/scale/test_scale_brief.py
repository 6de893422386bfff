"""A principal in brief is what its grants, its hops and its patterns come to when written out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from modelreach.graph import WEAKNESS
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.brief import Brief, Hop
from modelreach.policy.engine import Grant
from modelreach.snapshot import (
    SCHEMA,
    Attachment,
    Facts,
    Principal,
    Resource,
    Scope,
    Snapshot,
    document_id,
)
from organisations import plan, whole
from organisations.corner import OTHER, OWN, Json, bucket
from organisations.crowd import ANYTHING, ROLES, crowds

Row = tuple[str, str, str]


def _rows(grants: Iterator[Grant] | tuple[Grant, ...]) -> set[Row]:
    return {(grant.resource, str(grant.capability), str(grant.verdict)) for grant in grants}


def _hops(brief: Brief) -> Iterator[Hop]:
    yield from brief.hops
    yield from brief.common
    for hop in brief.aimed:
        if hop.target.split("#")[0] != brief.itself:
            yield hop


def _compare(made: Snapshot, names: list[str]) -> tuple[int, int]:
    """Compare brief and written out; give how many hops and grants there were."""
    quick, slow = AwsEngine(Facts(made)), AwsEngine(Facts(made))
    hops = rows = 0
    for name in names:
        brief = quick.brief(name)
        surest: dict[tuple[str, bool], int] = {}
        for pivot in slow.pivots(name):
            key = (pivot.target, pivot.kind == "administer")
            weakness = WEAKNESS[pivot.strength]
            surest[key] = min(weakness, surest.get(key, weakness))
        told: dict[tuple[str, bool], int] = {}
        for hop in _hops(brief):
            if hop.target != name:
                key = (hop.target, hop.administers)
                told[key] = min(WEAKNESS[hop.strength], told.get(key, 9))
        assert told == surest, (name, set(told.items()) ^ set(surest.items()))
        held = _rows(brief.alone) | {
            (resource, str(capability), str(verdict))
            for one in brief.holdings
            for capability, verdict in one.answer
            for resource in one.ids
        }
        assert held == _rows(slow.grants(name)), name
        account = name.split(":")[4]
        assert brief.patterns == len(slow.unlisted(slow.permissions(name), account)), name
        hops, rows = hops + len(surest), rows + len(held)
    return hops, rows


def _everybody(made: Snapshot) -> list[str]:
    names = sorted(p.id for p in made.principals if p.kind != "group")
    roles = [name for name in names if ":role/" in name]
    return names + [f"{name}#any-policy" for name in roles[:2]] + [f"{roles[0]}#no-boundary"]


@pytest.mark.parametrize("seed", [1])
def test_a_made_up_organisation(seed: int) -> None:
    made = whole(plan(principals=45, resources=200, accounts=3, seed=seed))
    hops, rows = _compare(made, _everybody(made))
    assert hops > 100
    assert rows > 300


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_made_up_organisations(seed: int) -> None:
    made = whole(plan(principals=300, accounts=6, seed=seed))
    _compare(made, _everybody(made))


# --- whatever the policies ---------------------------------------------------------------------


@settings(max_examples=7)
@given(made=crowds())
def test_whatever_the_policies(made: Snapshot) -> None:
    _compare(made, _everybody(made))


@pytest.mark.soak
@settings(max_examples=3000)
@given(made=crowds())
def test_whatever_the_policies_at_length(made: Snapshot) -> None:
    _compare(made, _everybody(made))


def test_a_limit_that_asks_who_calls_parts_roles_with_the_same_policies() -> None:
    """A resource control policy of the other account stops one of two equal roles."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    like = {"ArnLike": {"aws:PrincipalArn": ROLES[0]}}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    said: list[tuple[str, Any, Json]] = [
        (ROLES[0], "identity", everything),
        (ROLES[1], "identity", everything),
        (ROLES[7], "trust", {**trust, "Principal": {"AWS": f"arn:aws:iam::{OWN}:root"}}),
        (OTHER, "rcp", {**everything, "Principal": "*"}),
        (OTHER, "rcp", {**ANYTHING, "Effect": "Deny", "Condition": like}),
    ]
    raws = [json.dumps({"Version": "2012-10-17", "Statement": [one]}).encode() for *_, one in said]
    made = Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-23T09:00:00Z",
        scopes=tuple(Scope(id=one, provider="aws", kind="account") for one in (OWN, OTHER)),
        principals=tuple(
            Principal(id=name, provider="aws", kind="role", scope=name.split(":")[4])
            for name in (ROLES[0], ROLES[1], ROLES[7])
        ),
        attachments=tuple(
            Attachment(target=target, kind=kind, document=document_id(raw), name=kind)
            for (target, kind, _), raw in zip(said, raws, strict=True)
        ),
        documents={document_id(raw): msgspec.Raw(raw) for raw in raws},
    )
    for names in ([ROLES[0], ROLES[1]], [ROLES[1], ROLES[0]]):
        _compare(made, names)


def test_a_key_whose_policy_asks_who_calls_parts_roles_with_the_same_policies() -> None:
    """The bucket says nothing, and the policy of its key lets one of two equal roles read."""
    key = f"arn:aws:kms:eu-west-1:{OWN}:key/one"
    root = {"AWS": f"arn:aws:iam::{OWN}:root"}
    like = {"ArnLike": {"aws:PrincipalArn": ROLES[0]}}
    identity = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
    opens = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": root}
    said: list[tuple[str, Any, Json]] = [
        (ROLES[0], "identity", identity),
        (ROLES[1], "identity", identity),
        (key, "resource", {**opens, "Condition": like}),
    ]
    raws = [json.dumps({"Version": "2012-10-17", "Statement": [one]}).encode() for *_, one in said]
    made = Snapshot(
        schema=SCHEMA,
        taken_at="2026-11-23T09:00:00Z",
        scopes=(Scope(id=OWN, provider="aws", kind="account"),),
        principals=tuple(
            Principal(id=name, provider="aws", kind="role", scope=OWN) for name in ROLES[:2]
        ),
        resources=(
            Resource(id=key, provider="aws", kind="kms:key", scope=OWN, region="eu-west-1"),
            bucket("data-1", attributes={"kms_key": key}),
            bucket("data-2"),
        ),
        attachments=tuple(
            Attachment(target=target, kind=kind, document=document_id(raw), name=kind)
            for (target, kind, _), raw in zip(said, raws, strict=True)
        ),
        documents={document_id(raw): msgspec.Raw(raw) for raw in raws},
    )
    for names in (ROLES[:2], ROLES[1::-1]):
        _compare(made, names)
