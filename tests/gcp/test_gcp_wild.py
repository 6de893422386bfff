"""Whatever occurs in an estate: what is told of a principal is what each question is answered."""

from __future__ import annotations

from importlib import import_module
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.model import Capability, Verdict
from modelreach.policy.gcp import kinds
from modelreach.policy.gcp.asker import Asker, Place
from modelreach.policy.gcp.cases import snapshot
from modelreach.policy.gcp.engine import GcpEngine
from modelreach.policy.gcp.estate import Estate
from modelreach.snapshot import Facts, Resource
from modelreach_reference.gcp.evaluation import PERMISSIONS
from modelreach_reference.gcp_cases import random_case
from modelreach_reference.gcp_cases.generate import FAR, NEAR

# The first one raises the limit of recursion, which hypothesis minds within a test.
import_module("celpy").Environment()

_KINDS = {
    "//storage.googleapis.com/projects/_/buckets/": "storage.googleapis.com/Bucket",
    "//secretmanager.googleapis.com/projects/11/secrets/": "secretmanager.googleapis.com/Secret",
}


def _case(seed: int) -> dict[str, Any]:
    """A case with more that is alike, or almost."""
    rng, case = Random(seed), random_case(seed)
    for start, kind in _KINDS.items():
        for name in rng.sample(["data2", "data-x", "key", "keys"], 2):
            scope = rng.choice([NEAR, FAR]) if "storage" in kind else NEAR
            tags = rng.choice([[], ["1/env/prod"]])
            fact = {"id": start + name, "kind": kind, "scope": scope, "tags": tags}
            case["resources"][start + name] = fact
    extra = random_case(f"more/{seed}")["bindings"][0]
    target = rng.choice(list(case["resources"]))
    case["bindings"].append({**extra, "role": rng.choice(list(case["roles"])), "target": target})
    return case


def _compare(seed: int) -> int:
    case = _case(seed)
    made = snapshot(case)
    engine, estate, compared = GcpEngine(Facts(made)), Estate(Facts(made)), 0
    unread = {gap.kind for gap in made.gaps} & {"groups", "bindings"}
    for principal in (p for p in made.principals if p.kind != "group" and not unread):
        asker, grants = Asker.of(estate, principal, {}), engine.grants(principal.id)
        for resource in made.resources:
            for permission in _about(resource):
                exact = kinds.noun_of(permission) == kinds.kind_of(resource.kind).noun
                place = Place(estate.chain(resource.id), exact=exact)
                decision = asker.decide(permission, place)
                rows = [g for g in grants if g.resource == resource.id and permission in g.actions]
                told = {row.verdict for row in rows}
                wanted = {decision.verdict} - {Verdict.DENY}
                # What a role that was not read gives is told of the role.
                if not any(row.within for row in rows) and (told or not _doubtful(asker)):
                    assert told == wanted, (principal.id, resource.id, permission)
                compared += bool(wanted)
    return compared


def _about(resource: Resource) -> list[str]:
    kind = kinds.kind_of(resource.kind)
    return [
        permission
        for permission in PERMISSIONS
        if kinds.noun_of(permission) in kind.nouns
        and not kinds.on_parent(permission, kind)
        and kinds.capability(permission) is not Capability.ASSUME
    ]


def _doubtful(asker: Asker) -> bool:
    held = (one for bindings in asker.held.values() for one in bindings)
    return any(not asker.estate.role(one.binding.role).known for one in held)


@settings(max_examples=20)
@given(seed=st.integers(0, 1_000_000_000))
def test_grants_are_what_each_question_is_answered(seed: int) -> None:
    _compare(seed)


@pytest.mark.soak
def test_many_estates() -> None:
    assert sum(map(_compare, range(5000))) > 30_000
