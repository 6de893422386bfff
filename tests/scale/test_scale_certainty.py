"""Every command says the same of a release, whatever occurs in an estate: what a survey counts is
what a scan lists, each identity by the way that goes first of all ways to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach import deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.model import base_of
from modelreach.pipeline import Release, evaluate
from modelreach.pipeline.evaluate import Estates, Side
from modelreach.pipeline.many import Many
from modelreach.policy.providers import resource_class
from modelreach.reach import verdict_of
from modelreach.snapshot import Snapshot
from organisations import manifest, wild, wild_azure, wild_gcp, wild_kubernetes

# The first one raises the limit of recursion, which hypothesis minds within a test.
import_module("celpy").Environment()

WILD: dict[str, Callable[[Random], Snapshot]] = {
    "aws": wild.wild,
    "azure": wild_azure.wild,
    "gcp": wild_gcp.wild,
    "kubernetes": wild_kubernetes.wild,
}
SEEDS = st.integers(0, 1_000_000_000)
RANK = ("allow", "conditional", "unknown")
STRENGTHS = ("certain", "conditional", "unknown", "influence")
#: Kinds of principals that no release runs as.
_NOBODY = {"group", "user"}
each_cloud = pytest.mark.parametrize("cloud", sorted(WILD))

Said = dict[str, object]


def _starts(made: Snapshot, cloud: str) -> list[str]:
    return sorted(
        one.id
        for one in made.principals
        if one.provider == cloud and one.kind not in _NOBODY and "$" not in one.id
    )


def _surveyed(made: Snapshot, cloud: str, starts: list[str]) -> Iterator[Said]:
    many = Many(made, "", JudgePolicy())
    read = (deployment.decode(manifest(one, cloud=cloud).encode(), place="m") for one in starts)
    for row in many.survey([(one, "m", b"") for one in read], lambda _: None):
        yield {
            "identities": {how: number for how, number in row.identities.items() if number},
            "administers": row.administers,
            "patterns": row.patterns,
            "reach": {
                (kind, str(capability)): {v: n for v in RANK if (n := getattr(count, v))}
                for kind, capabilities in row.reach.items()
                for capability, count in capabilities.items()
            },
        }


def _scanned(side: Side) -> Said:
    radius, listed = side.radius, side.case.facts.resources
    surest: dict[tuple[str, str, str], int] = {}
    elsewhere: set[tuple[str, str]] = set()
    for access in radius.accesses:
        grant = access.grant
        if grant.resource not in listed:
            elsewhere.add((grant.principal, grant.resource))
            continue
        key = resource_class(grant.kind), str(grant.capability), grant.resource
        place = RANK.index(str(access.verdict))
        surest[key] = min(place, surest.get(key, place))
    reach: dict[tuple[str, str], Counter[str]] = {}
    for (kind, capability, _), place in surest.items():
        reach.setdefault((kind, capability), Counter())[RANK[place]] += 1
    strengths: dict[str, int] = {}
    for name, identity in radius.identities.items():
        place = STRENGTHS.index(str(identity.path.strength))
        strengths[base_of(name)] = min(place, strengths.get(base_of(name), place))
    return {
        "identities": dict(Counter(STRENGTHS[place] for place in strengths.values())),
        "administers": {
            scope: str(verdict_of(takeover.path)) for scope, takeover in radius.takeovers.items()
        },
        "patterns": len(radius.patterns) + len(elsewhere),
        "reach": {key: dict(count) for key, count in reach.items()},
    }


def _compare(made: Snapshot, cloud: str, starts: list[str]) -> int:
    estates, influenced = Estates(), 0
    for start, said in zip(starts, _surveyed(made, cloud, starts), strict=True):
        raw = manifest(start, cloud=cloud).encode()
        release = Release(deployment.decode(raw, place="m"), made)
        side = evaluate(release, JudgePolicy(), estates, whole=True)
        assert said == _scanned(side), start
        influenced += "influence" in str(said["identities"])
    return influenced


def test_what_is_behind_an_influence_keeps_its_conditions() -> None:
    made = wild.wild(Random(12))
    assert _compare(made, "aws", ["arn:aws:iam::222222222222:role/run/one-1"])


@each_cloud
@settings(max_examples=2)
@given(seed=SEEDS)
def test_a_survey_counts_what_a_scan_lists(cloud: str, seed: int) -> None:
    made = WILD[cloud](Random(seed))
    starts = _starts(made, cloud)
    _compare(made, cloud, Random(seed).sample(starts, min(4, len(starts))))


@pytest.mark.soak
@each_cloud
def test_many_surveys_count_what_scans_list(cloud: str) -> None:
    influenced = 0
    for seed in range(600):
        made = WILD[cloud](Random(seed))
        influenced += _compare(made, cloud, _starts(made, cloud))
    assert influenced or cloud == "azure"
