"""What holds of every release in every cloud, whatever occurs there: of its radius, and of how it
compares with the same estate less something that could not be read."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach import deployment
from modelreach.accesses import Access
from modelreach.graph import WEAKNESS
from modelreach.judge.policy import JudgePolicy
from modelreach.judge.rules.sensitive import SensitiveReach
from modelreach.judge.sensitivity import EXPOSING
from modelreach.model import Strength
from modelreach.pipeline import GateOptions, Release, evaluate, radius_report
from modelreach.pipeline.evaluate import Estates, Side
from modelreach.report import RadiusReport
from modelreach.report_file import encode
from modelreach.snapshot import Snapshot, merge
from organisations import manifest, wild, wild_azure, wild_gcp, wild_kubernetes
from organisations.told import wrongly_told

# The first one raises the limit of recursion, which hypothesis minds within a test.
import_module("celpy").Environment()

WILD: dict[str, Callable[[Random], Snapshot]] = {
    "aws": wild.wild,
    "azure": wild_azure.wild,
    "gcp": wild_gcp.wild,
    "kubernetes": wild_kubernetes.wild,
}
SEEDS = st.integers(0, 1_000_000_000)
GATE = GateOptions()
#: Kinds of principals that no release runs as.
_NOBODY = {"group", "user"}
each_cloud = pytest.mark.parametrize("cloud", sorted(WILD))


def _starts(made: Snapshot, cloud: str, rng: Random, many: int = 1) -> list[str]:
    found = sorted(
        one.id
        for one in made.principals
        if one.provider == cloud and one.kind not in _NOBODY and "$" not in one.id
    )
    return rng.sample(found, min(many, len(found)))


def _side(made: Snapshot, cloud: str, *starts: str, whole: bool = False) -> Side:
    raw = manifest(starts[0], cloud=cloud)
    for number, start in enumerate(starts[1:]):
        more = f'identities: [{{id: more-{number}, cloud: {cloud}, principal: "{start}"}}, '
        raw = raw.replace("identities: [", more)
    release = Release(deployment.decode(raw.encode(), place="m"), made)
    return evaluate(release, JudgePolicy(), Estates(), whole=whole)


# --- a radius ----------------------------------------------------------------------------------


def _shuffled(made: Snapshot, rng: Random) -> Snapshot:
    mixed = {
        name: tuple(rng.sample(facts, len(facts)))
        for name in made.__struct_fields__
        if isinstance(facts := getattr(made, name), tuple)
    }
    return replace(made, **mixed)


def _same_in_company(made: Snapshot, cloud: str, rng: Random) -> None:
    """In another order, and beside clouds that have nothing to do with it."""
    others = [WILD[name](Random(rng.random())) for name in sorted(WILD) if name != cloud]
    more = merge([made, *rng.sample(others, 2)], taken_at=made.taken_at, tool=made.tool)
    for start in _starts(made, cloud, rng):
        alone, among = (
            radius_report(_side(one, cloud, start), GATE) for one in (made, _shuffled(more, rng))
        )
        assert encode(_own(among, cloud)) == encode(_own(alone, cloud))


def _own(report: RadiusReport, cloud: str) -> RadiusReport:
    """Give a report without the gaps of other clouds, and what their places are called."""
    gaps = tuple(gap for gap in report.gaps if gap.provider == cloud)
    scopes = tuple(scope for scope in report.scopes if scope.provider == cloud)
    return replace(report, gaps=gaps, scopes=scopes)


Reached = dict[tuple[str, str], tuple[int, ...]]


def _reached(side: Side) -> Reached:
    found: Reached = {}
    for access in side.radius.accesses:
        for action in access.grant.actions:
            key = access.grant.resource, action
            found[key] = min(_how(access), found.get(key, (9,)))
    return found


def _how(access: Access) -> tuple[int, ...]:
    influenced = access.path.strength is Strength.INFLUENCE
    return int(influenced), ("allow", "conditional", "unknown").index(str(access.verdict))


def _together(made: Snapshot, cloud: str, rng: Random) -> None:
    """Who runs as two reaches what each of them reaches, as surely as the surer one."""
    starts = _starts(made, cloud, rng, 2)
    both = _side(made, cloud, *starts, whole=True)
    each = [_side(made, cloud, start, whole=True) for start in starts]
    wanted: Reached = {}
    for side in each:
        for key, how in _reached(side).items():
            wanted[key] = min(how, wanted.get(key, how))
    assert _reached(both) == wanted
    identities = {name for side in each for name in side.radius.identities}
    assert set(both.radius.identities) == identities
    for name, one in both.radius.identities.items():
        ways = [
            side.radius.identities[name].path for side in each if name in side.radius.graph.paths
        ]
        assert WEAKNESS[one.path.strength] == min(WEAKNESS[way.strength] for way in ways)


@each_cloud
@settings(max_examples=2)
@given(seed=SEEDS)
def test_a_radius_is_the_same_in_any_order_and_company(cloud: str, seed: int) -> None:
    _same_in_company(WILD[cloud](Random(seed)), cloud, Random(seed))


@each_cloud
@settings(max_examples=2)
@given(seed=SEEDS)
def test_two_identities_reach_what_each_of_them_reaches(cloud: str, seed: int) -> None:
    _together(WILD[cloud](Random(seed)), cloud, Random(seed))


# --- what is found -------------------------------------------------------------------------------


def _by_influence(side: Side) -> set[str]:
    """What a finding says is reached by influence, and nothing else."""
    found = (f for f in side.findings if f.rule == SensitiveReach.ID and f.access is not None)
    accesses = (f.access for f in found if f.access and not f.access.grant.pattern)
    return {a.grant.resource for a in accesses if a.path.strength is Strength.INFLUENCE}


def _acted_on(side: Side) -> set[str]:
    return {
        access.grant.resource
        for access in side.radius.accesses
        if access.path.strength is not Strength.INFLUENCE
        and access.grant.capability in EXPOSING
        and not side.case.by_administration(access)
    }


def test_a_finding_tells_of_who_acts_before_who_is_influenced() -> None:
    """To be influenced is milder, however sure it is."""
    made = wild.wild(Random(3))
    side = _side(made, "aws", "arn:aws:iam::111111111111:role/a?b/two", whole=True)
    assert _by_influence(side)
    assert not _by_influence(side) & _acted_on(side)


# --- what was not read --------------------------------------------------------------------------


def _never_milder(made: Snapshot, cloud: str, rng: Random) -> int:
    told = [wrongly_told(made, cloud, start, rng) for start in _starts(made, cloud, rng, 2)]
    found = [one for one in told if one is not None]
    assert not any(found), found
    return len(found)


@each_cloud
@settings(max_examples=4)
@given(seed=SEEDS)
def test_what_was_not_read_is_not_lost(cloud: str, seed: int) -> None:
    _never_milder(WILD[cloud](Random(seed)), cloud, Random(seed))


# --- at length -----------------------------------------------------------------------------------


@pytest.mark.soak
@each_cloud
def test_many_radii(cloud: str) -> None:
    for seed in range(400):
        made = WILD[cloud](Random(seed))
        _same_in_company(made, cloud, Random(seed))
        _together(made, cloud, Random(seed))


@pytest.mark.soak
@each_cloud
def test_much_that_was_not_read(cloud: str) -> None:
    told = sum(
        _never_milder(WILD[cloud](Random(seed)), cloud, Random(seed)) for seed in range(1500)
    )
    assert told > 1000
