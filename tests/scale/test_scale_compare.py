"""What a release gains that takes an account over is told once, by the account, and nobody works
out who of its identities holds each part of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from modelreach import deployment
from modelreach.diff import Change
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, Side, diff_report, evaluate, patterns
from modelreach.pipeline.compare import summed_up
from modelreach.pipeline.evaluate import Estates
from modelreach.pipeline.patterns import pattern_changes
from modelreach.policy.engine import Grant
from modelreach.reach import Access
from organisations import deployments, manifest, plan, whole

PLAN = plan(principals=30, resources=20, accounts=1, deployments=30, seed=5)


@pytest.fixture(scope="module")
def sides() -> tuple[Side, Side]:
    """A release that takes nothing over, and the one with fewest identities that does."""
    made, estates = whole(PLAN), Estates()
    found: list[Side] = []
    for name in deployments(PLAN, made):
        release = Release(deployment.decode(manifest(name).encode(), place="m"), made)
        found.append(evaluate(release, JudgePolicy(), estates))
    found.sort(key=lambda side: len(side.radius.identities))
    taking = next(side for side in found if side.radius.takeovers)
    return next(side for side in found if not side.radius.takeovers), taking


@pytest.mark.soak
@pytest.mark.parametrize("back", [False, True])
def test_what_is_told_already_is_not_looked_for(sides: tuple[Side, Side], back: bool) -> None:
    pair = (sides[1], sides[0]) if back else sides

    def told(change: Change) -> bool:
        return summed_up(change.kind, change.shown.grant, pair[1], pair)

    every = list(pattern_changes(*pair, told=lambda _kind, _grant: False))
    quick = list(
        pattern_changes(*pair, told=lambda kind, grant: summed_up(kind, grant, pair[1], pair))
    )
    assert any(map(told, every))
    assert quick == [change for change in every if not told(change)]


def test_nobody_is_asked_for_who_holds_what_is_told(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Grant] = []
    told = patterns._Holders.of

    def counted(holders: patterns._Holders, grant: Grant) -> Iterator[Access]:
        asked.append(grant)
        return told(holders, grant)

    monkeypatch.setattr(patterns._Holders, "of", counted)
    report = diff_report(*sides, GateOptions())
    assert report.admin_of_new
    taken = {row.scope for row in report.admin_of_new}
    assert not [grant for grant in asked if grant.scope in taken]


def test_a_thing_is_rated_once(sides: tuple[Side, Side]) -> None:
    case = sides[1].case
    grant: Grant = case.radius.accesses[0].grant
    assert case.rated(grant) is case.rated(replace(grant, principal="somebody else"))
