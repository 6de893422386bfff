"""Whatever occurs in a tenant: what is told of a principal is what each question would be
answered, and that is what the reference says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.model import Verdict
from modelreach.policy.azure import operations
from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.decide import Asked, decided
from modelreach.policy.azure.engine import AzureEngine
from modelreach.policy.azure.estate import Estate
from modelreach.policy.azure.ids import enclosing, type_of
from modelreach.policy.azure.operations import Operation
from modelreach.policy.azure.roles import DATA, Plane
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Grant
from modelreach.policy.glob import match
from modelreach.snapshot import Facts, Resource, Snapshot, encode
from modelreach_reference.azure import answers, count_completions
from modelreach_reference.azure_cases.agreement import Agreement, agreement
from modelreach_reference.azure_snapshot import AzureSnapshot
from organisations.wild_azure import ASKERS, KINDS, PLACES, SECOND, TENANT, wild

SEEDS = st.integers(0, 1_000_000_000)
_BY_KEY = re.compile("opens all data|keeps a key")
_SURE = (Verdict.ALLOW, Verdict.CONDITIONAL, Verdict.UNKNOWN, Verdict.DENY)
_BY_THEMSELVES = ("microsoft.keyvault/vaults", "microsoft.containerservice/managedclusters")


def _asked(asker: Asker, op: Operation, name: str) -> Decision:
    return decided(asker, Asked(op.plane, op.lower), name)


def _by_itself(name: str) -> bool:
    return any(type_of(place) in _BY_THEMSELVES for place in enclosing(name))


# --- what is listed ----------------------------------------------------------------------------


def _told(grants: tuple[Grant, ...], resource: Resource, op: Operation) -> set[Verdict] | None:
    """What roles give of an operation, as it is told; None where it is told by part."""
    rows = [g for g in grants if g.resource == resource.id and op.spelled in g.actions]
    rows = [g for g in rows if not any(map(_BY_KEY.search, g.assumes))]
    return None if any(row.within for row in rows) else {row.verdict for row in rows}


def _compare_listed(made: Snapshot, rng: Random) -> None:
    engine, estate = AzureEngine(Facts(made)), Estate(Facts(made))
    for name in ASKERS[:2]:
        asker, grants = Asker.of(estate, name, {}), engine.grants(name)
        for resource in made.resources:
            inside = any(p in estate.facts.resources for p in list(enclosing(resource.id))[1:])
            if inside and resource.id not in asker.by_target:
                continue
            known = operations.of_kind(resource.kind)
            for op in rng.sample(known, min(len(known), 4)):
                decision = _asked(asker, op, resource.id)
                told = _told(grants, resource, op)
                said = bool(decision.allowed_by) and decision.verdict is not Verdict.DENY
                keys = op.plane is Plane.DATA and decision.verdict is not Verdict.ALLOW
                if told is None or (said and keys and not told):
                    continue
                wanted = {decision.verdict} if said else set[Verdict]()
                assert told == wanted, (name, resource.id, op.spelled)


@settings(max_examples=8)
@given(seed=SEEDS)
def test_grants_are_what_each_question_is_answered(seed: int) -> None:
    rng = Random(seed)
    _compare_listed(wild(rng), rng)


# --- the reference -----------------------------------------------------------------------------


def _compare_reference(made: Snapshot, rng: Random) -> int:
    estate, reference = Estate(Facts(made)), AzureSnapshot(json.loads(encode(made)), {})
    compared = 0
    for name in ASKERS:
        asker = Asker.of(estate, name, {})
        for resource in rng.sample(made.resources, min(len(made.resources), 5)):
            for op in rng.sample(operations.of_kind(resource.kind), 2):
                if op.plane is Plane.DATA and _by_itself(resource.id):
                    continue
                case = reference._case(name, op.spelled, resource.id)
                if count_completions(case) <= 128:
                    verdict = str(_asked(asker, op, resource.id).verdict)
                    found = agreement(verdict, answers(case))
                    assert found is not Agreement.NONE, (name, resource.id, op.spelled, verdict)
                    compared += 1
    return compared


@settings(max_examples=6)
@given(seed=SEEDS)
def test_the_reference_says_the_same_of_an_estate(seed: int) -> None:
    rng = Random(seed)
    made = wild(rng)
    if not made.gaps:
        _compare_reference(made, rng)


# --- what is not listed ------------------------------------------------------------------------


def _meant(grant: Grant, op: Operation, name: str) -> bool:
    """Does a grant by pattern mean an operation on something?"""
    asked = (DATA if op.plane is Plane.DATA else "") + op.lower
    limits = [limit.lower().partition(" ")[::2] for limit in grant.within]
    for word, glob in limits:
        within = match(glob, name if glob.startswith("/") else asked)
        if within is (word == "except"):
            return False
    globs = (action.lower() for action in grant.actions)
    return match(grant.resource, name) and any(
        match(glob, asked) and glob.startswith(DATA) is (op.plane is Plane.DATA) for glob in globs
    )


def _unlisted(rng: Random) -> Iterator[tuple[Operation, str]]:
    known = [op for kind in KINDS for op in operations.of_kind(kind)]
    for op in rng.sample(known, 20):
        for place in (*PLACES, f"{SECOND}/resourcegroups/new"):
            yield op, f"{place}/providers/{op.kind}/novel"


def _compare_unlisted(made: Snapshot, rng: Random) -> None:
    engine, estate = AzureEngine(Facts(made)), Estate(Facts(made))
    for name in ASKERS[:2]:
        asker = Asker.of(estate, name, {})
        patterns = engine.unlisted(engine.permissions(name), TENANT)
        for op, novel in _unlisted(rng):
            if op.plane is Plane.DATA and _by_itself(novel):
                continue
            told = {p.verdict for p in patterns if _meant(p, op, novel)}
            best = min(told, key=_SURE.index, default=Verdict.DENY)
            assert best is _asked(asker, op, novel).verdict, (name, op.spelled, novel)


@settings(max_examples=20)
@given(seed=SEEDS)
def test_patterns_are_what_each_question_is_answered(seed: int) -> None:
    rng = Random(seed)
    _compare_unlisted(wild(rng, calm=True), rng)


@pytest.mark.soak
def test_many_tenants() -> None:
    compared = 0
    for seed in range(3000):
        rng = Random(seed)
        made = wild(rng)
        _compare_listed(made, rng)
        compared += 0 if made.gaps else _compare_reference(made, rng)
        _compare_unlisted(wild(rng, calm=True), rng)
    assert compared > 30_000
