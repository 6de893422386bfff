"""A wide reach is what it is when everybody is followed and asked in full: the same ways with the
same witnesses, the same best access to everything, the same findings and numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach import deployment, graph, outdone
from modelreach.accesses import Access
from modelreach.diff import index
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, Side, diff_report, evaluate, summing
from modelreach.pipeline.classed import matrix
from modelreach.pipeline.evaluate import Estates
from modelreach.pipeline.patterns import held
from modelreach.pipeline.rows import figures
from modelreach.pipeline.summing import summed_up_rows
from modelreach.policy import lots, providers
from modelreach.policy.aws.brief_grants import OfShelf
from modelreach.policy.brief import outlining
from modelreach.policy.engine import Grant
from modelreach.policy.lots import Lot
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import Principal, Snapshot, document_id, facts_of
from organisations import manifest, plan, whole
from organisations.corner import OTHER, OWN, ROLE, corner, table
from organisations.crowd import BARRED, EVERYTHING, GUARDED, ROLES, USERS, crowds
from organisations.wild import wild
from organisations.wild_rulers import ruled

ADMIN = "role/landing-zone-admin"


@contextmanager
def _many(number: int) -> Iterator[None]:
    """Take so many as many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "MANY", number)
        patch.setattr(outdone, "MANY", number)
        yield


def _radii(made: Snapshot, starts: Iterable[str]) -> tuple[BlastRadius, BlastRadius]:
    """The wide one, and in full."""
    found: list[BlastRadius] = []
    for many in (0, 10**9):
        with _many(many):
            found.append(reach(starts, providers.engines(facts_of(made))))
    return found[0], found[1]


def _compare(wide: BlastRadius, full: BlastRadius) -> None:
    assert list(wide.graph.paths) == list(full.graph.paths)
    assert wide.graph.paths == full.graph.paths
    assert wide.takeovers == full.takeovers
    assert index(wide.accesses) == index(full.accesses)
    assert set(wide.graph.pivots) == set(full.graph.pivots)
    told = {(a.grant.resource, a.grant.capability, a.grant.actions) for a in wide.patterns}
    every = {(a.grant.resource, a.grant.capability, a.grant.actions) for a in full.patterns}
    assert told <= every
    left = sum(one.patterns for one in wide.outdone.values())
    assert len(wide.patterns) + left == len(full.patterns)


@settings(max_examples=4)
@given(made=crowds(ruled=True))
def test_whatever_the_policies(made: Snapshot) -> None:
    for start in (ROLES[0], ROLES[1], USERS[0]):
        _compare(*_radii(made, [start]))


@pytest.mark.soak
@settings(max_examples=2000)
@given(made=crowds(ruled=True))
def test_whatever_the_policies_at_length(made: Snapshot) -> None:
    for start in (ROLES[0], ROLES[1], USERS[0]):
        _compare(*_radii(made, [start]))


# --- made-up organisations ---------------------------------------------------------------------


def _side(made: Snapshot, start: str, many: int) -> Side:
    release = Release(deployment.decode(manifest(start).encode(), place="m"), made)
    with _many(many):
        return evaluate(release, JudgePolicy(), Estates())


@pytest.mark.parametrize("seed", [3, *(pytest.param(n, marks=pytest.mark.soak) for n in range(9))])
def test_an_administrator_of_an_organisation(seed: int) -> None:
    assert _same_as_in_full(whole(plan(principals=28, resources=80, accounts=3, seed=seed)))


@pytest.mark.parametrize("said", [[GUARDED[0]], [EVERYTHING, BARRED[0]]])
@pytest.mark.parametrize("seed", [3, *(pytest.param(n, marks=pytest.mark.soak) for n in range(9))])
def test_an_administrator_who_has_to_have_a_second_factor(seed: int, said: list[Any]) -> None:
    """What it does by that power hangs on the same, so that it outdoes whom it becomes: whether
    all is allowed with one, or all denied without."""
    made = whole(plan(principals=16, resources=30, accounts=2, seed=seed))
    document = {"Version": "2012-10-17", "Statement": said}
    raw = json.dumps(document).encode()
    attachments = tuple(
        replace(one, document=document_id(raw), policy="")
        if one.kind == "identity" and one.target.endswith(ADMIN)
        else one
        for one in made.attachments
    )
    documents = {**made.documents, document_id(raw): msgspec.Raw(raw)}
    assert _same_as_in_full(replace(made, attachments=attachments, documents=documents))


def _same_as_in_full(made: Snapshot, start: str = "") -> bool:
    """Say of an administrator the same; was anybody outdone?"""
    start = start or next(p.id for p in made.principals if p.id.endswith(ADMIN))
    wide, full = _side(made, start, 0), _side(made, start, 10**9)
    _compare(wide.radius, full.radius)
    assert wide.findings == full.findings
    assert summed_up_rows(wide) == summed_up_rows(full)
    assert figures(wide) == figures(full)
    assert held(wide) == held(full)
    assert matrix(wide, wide) == matrix(full, full)
    assert wide.gaps == full.gaps
    return bool(wide.radius.outdone)


def test_releases_compare_as_in_full() -> None:
    """Also where the other one reaches somebody whom this one does not."""
    made = whole(plan(principals=16, resources=40, accounts=3, seed=3))
    start = next(p.id for p in made.principals if p.id.endswith(ADMIN))
    other = max(
        (_side(made, p.id, 10**9) for p in made.principals if p.id.endswith("-build")),
        key=lambda side: len(side.radius.identities),
    )
    reports = [
        (diff_report(other, side, GateOptions()), diff_report(side, other, GateOptions()))
        for side in (_side(made, start, 0), _side(made, start, 10**9))
    ]
    for wide, full in zip(*reports, strict=True):
        assert wide.changes == full.changes
        assert wide.findings == full.findings
        assert wide.summed_up == full.summed_up
        assert wide.summary == full.summary


def test_what_is_counted_is_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds who are outdone hold thousands of things each: bits are enough to count them."""
    made = whole(plan(principals=28, resources=80, accounts=3, seed=3))
    start = next(p.id for p in made.principals if p.id.endswith(ADMIN))
    wide, full = _side(made, start, 0), _side(made, start, 10**9)
    assert wide.radius.outdone

    def ids(_: OfShelf) -> tuple[str, ...]:
        raise AssertionError

    monkeypatch.setattr(OfShelf, "ids", property(ids))
    assert matrix(wide, wide) == matrix(full, full)


def _ruler_of_one(made: Snapshot) -> str:
    """Somebody who takes one account over, and has more of what the organization shares."""
    return next(p.id for p in made.principals if p.id.endswith(f"200000024604:{ADMIN}"))


def test_each_thing_is_listed_with_the_best_ways_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands may have the same thing: of each action the surest and shortest way is listed."""
    made = whole(plan(principals=20, resources=60, accounts=5, seed=3))
    side, listed, left = _side(made, _ruler_of_one(made), 10**9), list[list[Access]](), list[int]()
    for many in (0, 10**9):
        monkeypatch.setattr(summing, "MANY", many)
        told = summing.told(side)
        listed.append([one for one in told.accesses if not one.grant.pattern])
        left.append(told.no_better)
    best, every = listed
    assert 0 < len(best) < len(every)
    assert left == [len(every) - len(best), 0]
    assert {(a.grant, a.path) for a in best} <= {(a.grant, a.path) for a in every}
    assert _ranks(best) == _ranks(every)


def _ranks(accesses: list[Access]) -> dict[tuple[str, str], object]:
    return {
        (resource, action): reached.rank
        for resource, ways in index(accesses).items()
        for action, reached in ways.items()
    }


def test_what_those_hold_who_are_outdone_is_not_written_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an organization shares, each of them holds by itself: it stays together."""
    made = whole(plan(principals=20, resources=60, accounts=5, seed=3))
    start = _ruler_of_one(made)
    wrote = list[str]()

    def written(grant: Grant, lot: Lot, place: int) -> Grant:
        wrote.append(grant.principal)
        return write(grant, lot, place)

    write = lots.written
    monkeypatch.setattr(lots, "written", written)
    with _many(0):
        radius = reach([start], providers.engines(facts_of(made)))
    held = {one.path.end: one.grants for one in radius.accesses.held}
    assert any(held[name].alike for name in radius.outdone)
    assert wrote == []


def test_somebody_outdone_is_outdone_by_whom_the_witness_goes_by() -> None:
    made = whole(plan(principals=40, resources=120, accounts=3, seed=3))
    start = next(p.id for p in made.principals if p.id.endswith(ADMIN))
    radius = _side(made, start, 0).radius
    for name, one in radius.outdone.items():
        path = radius.graph.paths[name]
        assert one.by in {pivot.source for pivot in path.pivots}
        assert radius.identities[one.by].principal.scope == radius.identities[name].principal.scope


@pytest.mark.parametrize("name", ["aws"])
def test_hops_to_some_are_those_of_all(name: str) -> None:
    made = whole(plan(principals=40, resources=120, accounts=3, seed=3))
    engine = providers.engines(facts_of(made))[name]
    brief = outlining(providers.engines(facts_of(made))[name])
    assert brief is not None
    for principal in sorted(p.id for p in made.principals if p.kind != "group"):
        every = tuple(engine.pivots(principal))
        some = frozenset(sorted({pivot.target for pivot in every})[::2])
        wanted = tuple(pivot for pivot in every if pivot.target in some)
        assert brief.towards(principal, some) == wanted


# --- what is summed up -------------------------------------------------------------------------


def _everything(action: str = "*", resource: str | list[str] = "*") -> dict[str, Any]:
    said = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [said]}


def _trusting(*whom: str) -> dict[str, Any]:
    said = {"Effect": "Allow", "Principal": {"AWS": whom}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [said]}


def _role(name: str, scope: str) -> Principal:
    arn = f"arn:aws:iam::{scope}:role/{name}"
    return Principal(id=arn, provider="aws", kind="role", scope=scope, name=name)


def _two_taken() -> Snapshot:
    """An administrator who becomes that of another account, and a worker whose patterns lie in
    both and in a third one; a role of the other account names the worker."""
    worker, admin, log = _role("worker", OWN), _role("admin", OTHER), _role("log", OTHER)
    queues = [f"arn:aws:sqs:eu-west-1:{one}:jobs-*" for one in (OWN, OTHER, "333333333333")]
    made = corner(
        [],
        [_everything()],
        [
            (worker.id, "identity", _everything("sqs:SendMessage", queues)),
            (worker.id, "trust", _trusting(OWN)),
            (admin.id, "identity", _everything()),
            (admin.id, "trust", _trusting(OWN)),
            (log.id, "trust", _trusting(worker.id)),
        ],
    )
    return replace(made, principals=(*made.principals, worker, admin, log))


def test_patterns_are_summed_up_where_they_lie() -> None:
    """Not where their holder lies: some may be of another account that is taken over."""
    wide, full = _side(_two_taken(), ROLE, 0), _side(_two_taken(), ROLE, 10**9)
    assert f"arn:aws:iam::{OWN}:role/worker" in wide.radius.outdone
    assert len(full.radius.takeovers) == 2
    assert summed_up_rows(wide) == summed_up_rows(full)


def test_what_is_denied_in_the_way_that_an_administrator_calls() -> None:
    """It may give itself a policy by a second factor, and use that without: to be denied with one
    leaves it less than it leaves whom it becomes."""
    limit = _everything("dynamodb:*")
    limit["Statement"][0] |= {"Effect": "Deny", "Condition": GUARDED[0]["Condition"]}
    guarded = {"Version": "2012-10-17", "Statement": [GUARDED[0]]}
    limits = [(OWN, "scp", _everything()), (OWN, "scp", limit)]
    made = corner([table("data")], [guarded], limits)
    wide, full = _radii(made, [ROLE])
    assert table("data").id in {access.grant.resource for access in full.accesses}
    _compare(wide, full)


@settings(max_examples=2)
@given(seed=st.integers(0, 1_000_000_000))
def test_administrators_of_any_estate(seed: int) -> None:
    rng = Random(seed)
    _same_as_in_full(*ruled(wild(rng), rng))


@pytest.mark.soak
def test_administrators_of_many_estates() -> None:
    rng = Random(7)
    outdone = sum(_same_as_in_full(*ruled(wild(rng), rng)) for _ in range(1500))
    assert outdone > 400
