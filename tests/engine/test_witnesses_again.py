"""What the engine shows of drawn estates, the reference evaluator does not contradict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach import snapshot
from modelreach.pipeline import GateOptions
from modelreach.pipeline.scan import radius_report
from modelreach.pipeline.witnesses import Witnesses
from modelreach_reference.witness import Checked, Outcome, check

Json = dict[str, Any]
ESCALATE = {"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": "*"}


def shown(world: Any, drawn: Any) -> tuple[Json, list[list[Json]]]:
    said = msgspec.json.decode(
        msgspec.json.encode(radius_report(world.side(drawn), GateOptions()))
    )
    told = [*said["grants"], *said["identities"], *said["admin_of"], *said["findings"]]
    estate = json.loads(snapshot.encode(drawn.snapshot()))
    return estate, [row["witness"] for row in told if not row.get("pattern")]


def held(world: Any, drawn: Any) -> tuple[Json, list[list[Json]]]:
    """The estate, and the ways to all that is held: a report sums up what a takeover gives."""
    accesses = world.side(drawn).radius.accesses
    estate = json.loads(snapshot.encode(drawn.snapshot()))
    written = map(Witnesses().of_access, accesses)
    return estate, [msgspec.to_builtins(way) for way in written]


def failing(estate: Json, ways: list[list[Json]]) -> Iterator[Checked]:
    for way in ways:
        yield from (one for one in check(estate, way) if one.outcome is Outcome.FAILS)


@settings(max_examples=12)
@given(data=st.data())
def test_no_witness_is_contradicted(world: Any, data: st.DataObject) -> None:
    drawn = data.draw(world.estates())
    estate, ways = shown(world, drawn)
    assert list(failing(estate, [*ways, *held(world, drawn)[1]])) == []


def test_a_trust_that_is_left_says_no_more_than_that_it_stands(world: Any) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": world.one}}
    drawn = world.drawn(policies=(world.written(world.far, "trust", "trust", (trust,)),))
    estate, ways = shown(world, drawn)
    checked = [one for way in ways for one in check(estate, way)]
    assert any(one.step.endswith(world.far) for one in checked)
    assert {one.outcome for one in checked} == {Outcome.HOLDS}


def test_who_gives_itself_any_policy_is_followed(world: Any) -> None:
    drawn = world.drawn(policies=(world.written(world.one, "identity", "p", (ESCALATE,)),))
    estate, ways = shown(world, drawn)
    checked = [one for way in ways for one in check(estate, way)]
    assert any("#any-policy" in one.step for one in checked)
    assert {one.outcome for one in checked} == {Outcome.HOLDS}


@pytest.mark.parametrize("change", ["any-policy", "group=everybody", "no-boundary"])
def test_nobody_is_there_after_a_change_that_no_hop_makes(world: Any, change: str) -> None:
    drawn = world.drawn(policies=(world.written(world.one, "identity", "p", (ESCALATE,)),))
    estate, ways = held(world, drawn)
    way = next(way for way in ways if len(way) > 2)
    alone = [way[0], {**way[-1], "subject": f"{world.one}#{change}"}]
    assert list(failing(estate, [alone]))


def test_a_change_that_cannot_be_followed_is_not_decided(world: Any) -> None:
    drawn = world.drawn(policies=(world.written(world.one, "identity", "p", (ESCALATE,)),))
    estate, ways = held(world, drawn)
    limited = f"{world.one}#session=1"
    way = next(way for way in ways if len(way) > 2)
    after = [{**way[0], "object": limited}, {**way[-1], "subject": limited}]
    assert {one.outcome for one in check(estate, after)} == {Outcome.UNCHECKED}
