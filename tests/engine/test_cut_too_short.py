"""What a report must not leave out: who, by which action, and what stays after a cut."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.pipeline import GateOptions
from modelreach.pipeline.scan import radius_report
from modelreach.report import ChangeRow, DiffReport

ESCALATE = {"Effect": "Allow", "Action": ["iam:PutRolePolicy", "iam:PassRole"], "Resource": "*"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def _allow(action: Any, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _side(world: Any, *statements: dict[str, Any]) -> Any:
    policies = [
        world.written(world.one, "identity", f"p{n}", (statement,))
        for n, statement in enumerate(statements)
    ]
    return world.side(world.drawn(policies=tuple(policies)))


def _states(report: DiffReport) -> dict[str, str]:
    return {row.rule: row.state for row in report.findings if row.rule in ("MR101", "MR102")}


# --- MR101 beside MR102 ----------------------------------------------------------------------


def test_a_grant_of_its_own_is_found_beside_the_taking_over(world: Any) -> None:
    """Taking the way to administration away leaves it."""
    reads = _allow("secretsmanager:GetSecretValue", world.secret)
    side = _side(world, ESCALATE, reads)
    assert side.case.taken(world.accounts[0])
    found = {finding.rule: finding for finding in side.findings}
    assert {"MR101", "MR102"} <= set(found)
    assert found["MR101"].subject == world.secret


def test_what_administration_itself_gives_is_one_finding(world: Any) -> None:
    side = _side(world, EVERYTHING)
    assert {f.rule for f in side.findings} & {"MR101", "MR102"} == {"MR102"}


def test_a_secret_that_is_reached_by_administration_now_has_not_gone(world: Any) -> None:
    reads = _side(world, _allow("secretsmanager:GetSecretValue", world.secret))
    administers = _side(world, EVERYTHING)
    assert _states(world.compare(reads, administers)) == {"MR102": "new"}
    assert _states(world.compare(administers, reads)) == {"MR101": "unchanged", "MR102": "gone"}


# --- which action ----------------------------------------------------------------------------


def _changes(world: Any, old: Any, new: Any) -> list[ChangeRow]:
    return [c for c in world.compare(old, new).changes if c.resource == world.secret]


def test_a_witness_shows_the_action_that_came(world: Any) -> None:
    reads = _allow("secretsmanager:GetSecretValue", world.secret)
    more = _allow(["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"], "*")
    for row in _changes(world, _side(world, reads), _side(world, more)):
        assert row.kind == "widened"
        assert row.witness[-1].action in row.actions


def test_a_witness_shows_the_action_that_went(world: Any) -> None:
    both = _allow(["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret"], "*")
    left = _allow("secretsmanager:PutSecretValue", "*")
    rows = _changes(world, _side(world, both), _side(world, left))
    assert {row.kind for row in rows} == {"narrowed"}
    assert {row.witness[-1].action for row in rows} == {"secretsmanager:UpdateSecret"}


# --- a radius --------------------------------------------------------------------------------


def test_a_grant_names_its_findings(world: Any) -> None:
    side = _side(world, _allow("secretsmanager:*", world.secret))
    report = radius_report(side, GateOptions())
    numbers = {row.subject: row.id for row in report.findings if row.rule == "MR101"}
    named = {row.resource: row.findings for row in report.grants if row.resource in numbers}
    assert named
    for resource, findings in named.items():
        assert numbers[resource] in findings


# --- as whom ---------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3])
def test_a_trigger_says_as_whom_before_it_says_how(world: Any, count: int) -> None:
    actions = [
        f"secretsmanager:{name}" for name in ("GetSecretValue", "PutSecretValue", "TagResource")
    ]
    report = world.compare(_side(world), _side(world, _allow(actions[:count], world.secret)))
    assert report.security_change is not None
    (row,) = (t for t in report.security_change.triggers if t.id == "SENSITIVE-REACHED")
    assert row.new.startswith(f"as {world.one}: ")
