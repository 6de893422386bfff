"""Which part of a resource a grant is on."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.policy.aws.engine import AwsEngine

NEAR = "arn:aws:s3:::near"


def _allow(*resources: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": list(resources), **more}


def _within(world: Any, **statements: dict[str, Any]) -> set[tuple[str, ...]]:
    """The parts of the bucket that role `one` may read, with a policy of each kind."""
    targets = {"resource": NEAR}
    policies = tuple(
        world.written(targets.get(kind, world.one), kind, kind, (statement,))
        for kind, statement in statements.items()
    )
    bounded = frozenset({world.one} if "boundary" in statements else ())
    drawn = world.drawn(policies, bounded=bounded)
    return {grant.within for grant in AwsEngine(world.facts(drawn)).grants(world.one)}


def _of_bucket(*resources: str) -> dict[str, Any]:
    return _allow(*resources, Principal={"AWS": "arn:aws:iam::111111111111:role/one"})


@pytest.mark.parametrize(
    ("statements", "within"),
    [
        ({"identity": _allow(f"{NEAR}/*")}, ()),
        ({"identity": _allow("*")}, ()),
        ({"identity": _allow(f"{NEAR}/x*")}, (f"{NEAR}/x*",)),
        ({"identity": _allow(f"{NEAR}/x*", f"{NEAR}/*")}, ()),
        ({"identity": _allow(f"{NEAR}/x*"), "boundary": _allow("*")}, (f"{NEAR}/x*",)),
        ({"identity": _allow("*"), "boundary": _allow(f"{NEAR}/x*")}, (f"{NEAR}/x*",)),
        ({"resource": _of_bucket(f"{NEAR}/x"), "boundary": _allow(f"{NEAR}/*")}, (f"{NEAR}/x",)),
    ],
    ids=["all", "anything", "a part", "part and all", "unlimited", "limited", "by the bucket"],
)
def test_the_part(world: Any, statements: dict[str, Any], within: tuple[str, ...]) -> None:
    assert _within(world, **statements) == {within}


def test_nothing_where_grant_and_limit_do_not_meet(world: Any) -> None:
    statements = {"identity": _allow(f"{NEAR}/x*"), "boundary": _allow(f"{NEAR}/y*")}
    assert _within(world, **statements) == set()


def test_a_boundary_that_was_not_read_is_taken_not_to_restrict(world: Any) -> None:
    """Where it is decided and where it is held alike."""
    policies = (world.written(world.one, "identity", "own", (_allow("*"),)),)
    drawn = world.drawn(policies, bounded=frozenset({world.one}))
    engine = AwsEngine(world.facts(drawn))
    assert engine.decide(world.one, "s3:GetObject", f"{NEAR}/x").verdict == "allow"
    assert not engine.permissions(world.one).is_empty()
