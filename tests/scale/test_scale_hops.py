"""Hops that are decided once for things which no policy tells apart are those of each thing."""

from __future__ import annotations

import pytest

from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.needs import Questions, Thing
from modelreach.policy.engine import Pivot
from modelreach.snapshot import Facts, Snapshot
from organisations import plan, whole


def _itself(_self: Questions, _action: str, thing: Thing, _told: object) -> object:
    return thing


def _hops(made: Snapshot) -> list[tuple[Pivot, ...]]:
    engine = AwsEngine(Facts(made))
    names = sorted(p.id for p in made.principals if p.kind != "group")
    return [tuple(engine.pivots(name)) for name in names]


@pytest.mark.parametrize("seed", [1])
def test_a_made_up_organisation(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = whole(plan(principals=45, resources=150, accounts=3, seed=seed))
    quick = _hops(made)
    monkeypatch.setattr(Questions, "_alike", _itself)
    assert quick == _hops(made)
    assert sum(map(len, quick)) > 100


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3, 9))
def test_many_made_up_organisations(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = whole(plan(principals=300, accounts=5, seed=seed))
    quick = _hops(made)
    monkeypatch.setattr(Questions, "_alike", _itself)
    assert quick == _hops(made)
