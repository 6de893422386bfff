"""Every rule leads where its hits say, and nowhere where its misses say or a need is missing."""

from __future__ import annotations

from typing import Any

import pytest

from modelreach.graph import WEAKNESS
from modelreach.model import Strength
from modelreach.policy.engine import Pivot
from modelreach.policy.escalation.rules import Hit, Miss, Rule, rules
from modelreach.policy.escalation.scenes import changed, permissions, spared
from modelreach.snapshot import Link, Runtime
from organisations.told import tried

ORG, FOLDER, PROJECT, OTHER = "organizations/1", "folders/2", "projects/p", "projects/q"
RULES = rules("modelreach.policy.gcp")
HITS = [
    pytest.param(rule, hit, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, hit in enumerate(rule.hits)
]
MISSES = [
    pytest.param(rule, miss, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, miss in enumerate(rule.misses)
]
SPARED = [
    pytest.param(rule, rule.hits[number], hit, id=f"{rule.id}-{number}-{action}")
    for rule in RULES
    for number, action, hit in spared(rule)
]
BUCKET = "//storage.googleapis.com/projects/_/buckets/models"
REPOSITORY = "//artifactregistry.googleapis.com/projects/p/locations/eu/repositories/images"
IMAGE = "eu-docker.pkg.dev/p/images/serve:latest"


def led(estate: Any, rule: Rule, hit: Hit) -> list[Pivot]:
    """Build the example's estate and give the hops by its rule."""
    caller = estate.account("caller")
    places = _places(estate, rule, hit)
    for name, value in hit.scope_attributes.items():
        policy = {"spec": {"rules": [{"enforce": value}]}}
        estate.attach(PROJECT, "constraint", policy, name)
    estate.covered("constraint")
    for number, permission in enumerate(permissions(hit)):
        role = estate.role(f"roles/test.role{number}", [permission.action])
        estate.bind(places[permission.place], role, caller, condition=permission.condition)
    return [pivot for pivot in estate.engine().pivots(caller) if pivot.rule == rule.id]


def _places(estate: Any, rule: Rule, hit: Hit) -> dict[str, str]:
    """Write down what a rule is aimed at, and give the places that examples speak of."""
    kind = rule.target.kind[0] if rule.target else "service-account"
    attributes = hit.attributes if rule.compute is None else {}
    target = estate.account("target", kind=kind, **attributes)
    account = f"//iam.googleapis.com/projects/p/serviceAccounts/{target.partition(':')[2]}"
    estate.resource(account, "iam.googleapis.com/ServiceAccount")
    linked = REPOSITORY if rule.id == "gcp-write-image" else BUCKET
    compute = "//x.googleapis.com/projects/p/things/compute"
    if rule.compute is not None:
        links = [
            Link(kind=k, target=IMAGE if linked == REPOSITORY else BUCKET)
            for k in rule.compute.links
        ]
        estate.runtimes.append(
            Runtime(
                id=compute,
                provider="gcp",
                kind=hit.kind or rule.compute.kind[0],
                scope=PROJECT,
                identities=(target,),
                links=tuple(links),
                attributes=hit.attributes,
            )
        )
        estate.resource(compute, rule.compute.kind[0])
    thing = {"organization": ORG, "folder": FOLDER}.get(
        rule.thing.kind[0] if rule.thing else "", PROJECT
    )
    above = {PROJECT: FOLDER, FOLDER: ORG}.get(thing, ORG)
    return {
        "target": account,
        "compute": compute,
        "linked": linked,
        "thing": thing,
        "scope": PROJECT,
        "above": above,
        "other": OTHER,
    }


@pytest.mark.parametrize(("rule", "hit"), HITS)
def test_a_hit_leads_there(estate: Any, rule: Rule, hit: Hit) -> None:
    found = led(estate, rule, hit)
    assert found
    assert {str(pivot.strength) for pivot in found} == {hit.strength}
    for pivot in found:
        assert all(s.statements for s in pivot.support), (
            "each hop names the binding that grants it"
        )
    ends = {pivot.target for pivot in found}
    if rule.yields == "scope":
        assert ends <= {ORG, FOLDER, PROJECT}
    else:
        assert ends == {"serviceAccount:target@p.iam.gserviceaccount.com"}


@pytest.mark.parametrize(("rule", "miss"), MISSES)
def test_a_miss_leads_nowhere(estate: Any, rule: Rule, miss: Miss) -> None:
    found = led(estate, rule, changed(rule, miss))
    assert [pivot for pivot in found if pivot.target not in ("projects/q",)] == []


@pytest.mark.parametrize(("rule", "whole", "hit"), SPARED)
def test_each_permission_of_a_hit_is_needed(estate: Any, rule: Rule, whole: Hit, hit: Hit) -> None:
    """Without one of them it leads nowhere, or less surely, or hangs on more, by another way."""
    before, after = led(type(estate)(), rule, whole), led(estate, rule, hit)
    told = {(pivot.strength, pivot.residual) for pivot in before}
    left = {(pivot.strength, pivot.residual) for pivot in after}
    weaker = all(WEAKNESS[p.strength] > WEAKNESS[Strength(whole.strength)] for p in after)
    assert weaker or left < told


def test_every_rule_has_a_hit_a_miss_and_a_page_of_its_provider() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.hits and rule.misses, rule.id
        assert rule.cite.startswith("https://docs.cloud.google.com/")


def _not_lost(estate: Any, rule: Rule, hit: Hit, tries: int) -> int:
    led(estate, rule, hit)
    found = tried(estate.snapshot(), "gcp", estate.account("caller"), tries)
    assert not any(found), (rule.id, found)
    return len(found)


@pytest.mark.parametrize(("rule", "hit"), HITS[::12])
def test_a_way_of_which_something_was_not_read_is_not_lost(
    estate: Any, rule: Rule, hit: Hit
) -> None:
    _not_lost(estate, rule, hit, 2)


@pytest.mark.soak
@pytest.mark.parametrize(("rule", "hit"), HITS)
def test_no_way_of_which_something_was_not_read_is_lost(estate: Any, rule: Rule, hit: Hit) -> None:
    assert _not_lost(estate, rule, hit, 20)
