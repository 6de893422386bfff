"""What is gone over together is what it is one by one, and little of it is written out."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach import chokepoints, deployment, graph, outdone
from modelreach.judge.policy import JudgePolicy
from modelreach.judge.within import Opening
from modelreach.pipeline import (
    GateOptions,
    Release,
    Side,
    diff_report,
    evaluate,
    radius_report,
    summing,
)
from modelreach.pipeline.evaluate import Estates
from modelreach.policy import lots, providers
from modelreach.policy.engine import Engine, Grant
from modelreach.policy.lots import Lot, bits, places
from modelreach.policy.provider import Context, Opens
from modelreach.reach import reach
from modelreach.report_file import encode
from modelreach.snapshot import Facts, Snapshot
from organisations import PROVIDERS, deployments, manifest, plan, whole
from organisations.wild import wild

SEEDS = st.integers(0, 2**32)
NEEDS = """  needs:
    - {identity: runtime, actions: ["s3:GetObject", "sqs:*"], resources: ["arn:aws:s3:::*a*"]}
  tools: [{id: one, kind: code-interpreter, runsAs: runtime}]
"""


class _Single:
    """An engine that says of each resource by itself what holds of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        if name == "granted":
            raise AttributeError(name)
        return getattr(self._engine, name)


class _OneByOne(Estates):
    def _made(self, facts: Facts, context: Context, opens: Opens) -> dict[str, Engine]:
        engines = super()._made(facts, context, opens)
        made: dict[str, Any] = {name: _Single(engine) for name, engine in engines.items()}
        return made


def _sides(made: Snapshot, names: list[str], estates: Estates, more: str = "") -> list[Side]:
    found: list[Side] = []
    for name in names:
        text = manifest(name, cloud=providers.cloud_of(name, made)) + more
        release = Release(deployment.decode(text.encode(), place="m"), made)
        found.append(evaluate(release, JudgePolicy(), estates))
    return found


def _told(made: Snapshot, names: list[str], estates: Estates, more: str = "") -> list[Any]:
    sides = _sides(made, names, estates, more)
    reports = [encode(radius_report(side, GateOptions())) for side in sides]
    reports += [
        encode(diff_report(old, new, GateOptions()))
        for old, new in zip(sides, [*sides[1:], sides[0]], strict=True)
    ]
    return [*reports, *(chokepoints.gates(side.radius) for side in sides)]


def _compare(made: Snapshot, names: list[str], more: str = "") -> None:
    together = _told(made, names, Estates(), more)
    assert together == _told(made, names, _OneByOne(), more)


def _somebody(made: Snapshot, seed: int, count: int) -> list[str]:
    names = sorted(p.id for p in made.principals if p.kind in ("role", "user"))
    return Random(seed).sample(names, min(count, len(names)))


@settings(max_examples=2)
@given(seed=SEEDS)
def test_whatever_the_estate(seed: int) -> None:
    made = wild(Random(seed))
    _compare(made, _somebody(made, seed, 2), NEEDS)


@pytest.mark.soak
@settings(max_examples=1000)
@given(seed=SEEDS, more=st.sampled_from(["", NEEDS]))
def test_whatever_the_estate_at_length(seed: int, more: str) -> None:
    made = wild(Random(seed))
    _compare(made, _somebody(made, seed, 3), more)


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_made_up_organisation(provider: str) -> None:
    of = plan(principals=20, resources=60, accounts=2, deployments=6, providers=(provider, "aws"))
    made = whole(of)
    _compare(made, list(deployments(of, made))[:2], NEEDS)


@settings(max_examples=3)
@given(seed=SEEDS)
def test_no_resource_is_said_twice_of_somebody(seed: int) -> None:
    made = wild(Random(seed))
    engine = providers.engines(Facts(made))["aws"]
    for name in _somebody(made, seed, 10):
        found = lots.granted(engine, name)
        ids = [one for alike in found.alike for one in alike.ids]
        ids += sorted({grant.resource for grant in found.alone})
        assert len(ids) == len(set(ids))
        assert len(found.written_out()) == found.size


# --- what somebody reaches who is reached -----------------------------------------------------


def _resources(found: Iterable[str]) -> list[str]:
    return sorted(set(found))


@pytest.mark.parametrize("many", [0, 10**9])
@settings(max_examples=2)
@given(seed=SEEDS)
def test_what_a_key_opens_is_what_its_holder_reaches(many: int, seed: int) -> None:
    """It is put together from what is reached anyway, whoever is asked about first."""
    made = wild(Random(seed))
    engines = providers.engines(Facts(made))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "MANY", many)
        patch.setattr(outdone, "MANY", many)
        wide = reach(_somebody(made, seed, 1), engines)
        opening = Opening(wide, engines)
        names = [*wide.identities, *_somebody(made, seed + 1, 2)]
        for name in Random(seed).sample(names, min(4, len(names))):
            found, takeovers = opening.of(name)
            alone = reach([name], engines)
            assert takeovers == sorted(alone.takeovers)
            assert _resources(one for part in found.parts.values() for one in part.ids) == (
                _resources(access.grant.resource for access in alone.accesses)
            )
            listed = [scope for scope in found.patterns if scope not in takeovers]
            assert _resources(
                one for scope in listed for one in found.words.of(found.patterns[scope][0])
            ) == (
                _resources(
                    access.grant.resource
                    for access in alone.patterns
                    if access.grant.scope not in takeovers
                )
            )


# --- how much of it is written out ------------------------------------------------------------


def test_what_a_whole_account_is_reached_by_is_not_written_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = plan(principals=60, resources=400, accounts=1, deployments=60, seed=10)
    made, estates, seen = whole(of), Estates(), list[Grant]()
    plain = lots.written

    def counted(grant: Grant, lot: Lot, place: int) -> Grant:
        seen.append(grant)
        return plain(grant, lot, place)

    monkeypatch.setattr("modelreach.accesses.written", counted)
    monkeypatch.setattr(lots, "written", counted)
    names = deployments(of, made)
    taking = next(name for name in names if name.endswith("search-base-batch-sagemaker-00017"))
    (wide,) = _sides(made, [taking], estates)
    assert wide.radius.takeovers
    every = len(wide.radius.accesses)
    assert every > 7000
    assert len(seen) <= len(wide.findings)
    seen.clear()
    told = len(radius_report(wide, GateOptions()).grants)
    assert len(seen) <= told
    seen.clear()
    (narrow,) = _sides(made, [names[0]], estates)
    diff_report(narrow, wide, GateOptions())
    assert len(seen) < every


def test_a_wide_radius_lists_the_best_ways_to_what_is_sensitive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a scope that is taken over, each thing by each action, and not by everybody who may."""
    of = plan(principals=60, resources=100, accounts=1, deployments=60, seed=10)
    made = whole(of)
    names = deployments(of, made)
    taking = next(name for name in names if name.endswith("search-base-batch-sagemaker-00017"))
    (side,) = _sides(made, [taking], Estates())
    every = radius_report(side, GateOptions())
    monkeypatch.setattr(summing, "MANY", 3)
    few = radius_report(side, GateOptions())
    assert side.radius.takeovers
    assert len(few.grants) < len(every.grants)
    assert set(few.grants) < set(every.grants)
    ways = {(row.resource, action) for row in every.grants for action in row.actions}
    assert ways == {(row.resource, action) for row in few.grants for action in row.actions}
    assert (few.no_better, every.no_better) == (len(every.grants) - len(few.grants), 0)
    few, every = (replace(one, grants=(), matrix=(), no_better=0) for one in (few, every))
    assert few == every


@given(found=st.sets(st.integers(0, 300)))
def test_bits_are_the_numbers_that_they_were_made_of(found: set[int]) -> None:
    assert list(places(bits(sorted(found)))) == sorted(found)
