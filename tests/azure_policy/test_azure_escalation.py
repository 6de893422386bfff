"""Each escalation rule leads where its examples say, and not where they say that it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from modelreach.policy.escalation.rules import Hit, Miss, Rule, rules
from modelreach.snapshot import Gap, Link
from organisations.told import told_of, tried
from organisations.unread import Unread

RULES = rules("modelreach.policy.azure")
_LINKED = {
    "azure-registry-push": "microsoft.containerregistry/registries",
    "azure-model-files": "microsoft.storage/storageaccounts",
    "azure-policy-definition": "microsoft.authorization/policydefinitions",
}


class Scene:
    """A tenant with one target, one compute or thing, as a hit tells it."""

    def __init__(self, tenant: Any, rule: Rule, hit: Hit) -> None:
        self.tenant, self.rule, self.hit = tenant, rule, hit
        self.target = tenant.strong
        self.places = {
            "scope": tenant.rg,
            "above": tenant.sub,
            "other": tenant.rg2,
            "tenant": tenant.tenant,
            "target": self.target,
        }
        self._people()
        if rule.compute is not None:
            self._compute(hit.kind or rule.compute.kind[0])
        elif rule.thing is not None and rule.thing.kind != ("tenant",):
            self._thing(hit.kind or rule.thing.kind[0])
        for written in hit.may:
            self._allow(written)

    def _people(self) -> None:
        tenant, rule, hit = self.tenant, self.rule, self.hit
        kind = hit.kind if rule.target and hit.kind else rule.target.kind[0] if rule.target else ""
        attributes = {"application": tenant.app} if kind == "service-principal" else {}
        if rule.target is not None:
            attributes |= {key: self._value(value) for key, value in hit.attributes.items()}
        tenant.principal(self.target, kind or "managed-identity", **attributes)
        # The target holds something where the caller holds nothing.
        tenant.assign("Reader", tenant.sub2, self.target)
        unit = "/administrativeunits/80000000-0000-0000-0000-000000000001"
        tenant.scope(unit, "administrative-unit", tenant.tenant, members=(self.target,))
        self.places["unit"] = unit

    def _value(self, value: Any) -> Any:
        if isinstance(value, tuple | list):
            return tuple(self.tenant.model if one == "caller" else one for one in value)
        return value

    def _compute(self, kind: str) -> None:
        tenant = self.tenant
        name = _id(tenant.rg, kind)
        tenant.runtime(name, [self.target], **self.hit.attributes)
        self.places["compute"] = name
        assert self.rule.compute is not None
        if self.rule.compute.links:
            linked = _id(tenant.rg, _LINKED[self.rule.id], "linked")
            tenant.resource(linked)
            self.places["linked"] = linked
            facts = tenant.sections["runtimes"]
            kind_of_link = self.rule.compute.links[0]
            links = (Link(kind=kind_of_link, target=_address(linked)),)
            facts[-1] = replace(facts[-1], links=links)

    def _thing(self, kind: str) -> None:
        assert self.rule.thing is not None
        name = _id(self.tenant.rg, kind)
        leads = {self.rule.thing.leads: self.target} if self.rule.thing.leads else {}
        self.tenant.resource(name, **leads, **self.hit.attributes)
        self.places["thing"] = name

    def _allow(self, written: str) -> None:
        action, _, place = written.partition(" on ")
        if action.startswith(("graph:", "app:")):
            owner, _, value = action.removeprefix("graph:").removeprefix("app:").rpartition("/")
            self.tenant.permit(value, **({"app": owner} if owner else {}))
        elif action.startswith("microsoft.directory/"):
            self.tenant.directory(re.sub(r"\W", "-", action), [action], self._place(place, "app"))
        else:
            data = action.startswith("data:")
            block = {"dataActions" if data else "actions": [action.removeprefix("data:")]}
            document = {"permissions": [block]}
            self.tenant.assign(f"custom {action}", self._place(place), document=document)

    def _place(self, word: str, other: str = "rg2") -> str:
        if word == "other":
            return str(getattr(self.tenant, other))
        return str(self.places[word or "scope"])

    def pivots(self) -> list[Any]:
        found = self.tenant.engine().pivots(self.tenant.model)
        return [pivot for pivot in found if pivot.rule == self.rule.id]

    @property
    def leads_to(self) -> str:
        return str(self.tenant.tenant if self.rule.yields == "scope" else self.target)


def _id(group: str, kind: str, name: str = "it") -> str:
    namespace, *types = kind.split("/")
    return f"{group}/providers/{namespace}" + "".join(f"/{one}/{name}" for one in types)


def _address(linked: str) -> str:
    name = linked.rsplit("/", 1)[-1]
    return f"{name}.azurecr.io/model:1" if "containerregistry" in linked else linked


def _hits() -> Iterator[Any]:
    for rule in RULES:
        for number, hit in enumerate(rule.hits):
            yield pytest.param(rule, hit, id=f"{rule.id}-{number}")


def _misses() -> Iterator[Any]:
    for rule in RULES:
        for number, miss in enumerate(rule.misses):
            yield pytest.param(rule, miss, id=f"{rule.id}-{number}")


@pytest.mark.parametrize(("rule", "hit"), [*_hits()])
def test_a_rule_leads_where_it_says(tenant: Any, rule: Rule, hit: Hit) -> None:
    scene = Scene(tenant, rule, hit)
    (pivot,) = (p for p in scene.pivots() if p.target == scene.leads_to)
    assert pivot.strength == hit.strength
    assert all(support.statements for support in pivot.support)


@pytest.mark.parametrize(("rule", "miss"), [*_misses()])
def test_a_rule_leads_nowhere_else(tenant: Any, rule: Rule, miss: Miss) -> None:
    assert Scene(tenant, rule, _changed(rule.hits[miss.hit], miss)).pivots() == []


def _changed(hit: Hit, miss: Miss) -> Hit:
    changes = {
        name: value
        for name in ("may", "kind", "attributes")
        if (value := getattr(miss, name)) is not None
    }
    if miss.without:
        kept = tuple(m for m in hit.may if m.partition(" on ")[0] != miss.without)
        assert kept != hit.may, miss.without
        changes["may"] = kept
    return replace(hit, **changes)


def test_every_rule_has_examples_of_both_kinds() -> None:
    assert [rule.id for rule in RULES if not rule.hits or not rule.misses] == []


def test_identifiers_of_rules_are_unique() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_a_deployment_alone_is_no_escalation(tenant: Any) -> None:
    tenant.runtime(tenant.vm, [tenant.other])
    tenant.resource(f"{tenant.rg}/providers/microsoft.managedidentity/userassignedidentities/y")
    document = {"permissions": [{"actions": ["Microsoft.Resources/deployments/*"]}]}
    tenant.assign("deployer", tenant.sub, document=document)
    assert tenant.pivots() == {}


def test_a_registry_is_named_by_its_id(tenant: Any) -> None:
    """By the address of its image nobody knows in which subscription it was not listed."""
    rule = next(rule for rule in RULES if rule.id == "azure-registry-push")
    scene = Scene(tenant, rule, rule.hits[0])
    registry = _id(tenant.rg, "microsoft.containerregistry/registries", "linked")
    (pivot,) = scene.pivots()
    assert registry in {support.object for support in pivot.support}
    less = replace(
        tenant.snapshot(),
        resources=tuple(one for one in tenant.snapshot().resources if one.id != registry),
        gaps=(
            Gap(
                provider="azure",
                scope=tenant.sub,
                kind="microsoft.containerregistry/registries",
                reason="denied",
            ),
        ),
    )
    assert told_of(tenant.snapshot(), Unread(less, less.gaps[0]), "azure", tenant.model) == []


def _not_lost(tenant: Any, rule: Rule, hit: Hit, tries: int) -> int:
    Scene(tenant, rule, hit)
    found = tried(tenant.snapshot(), "azure", tenant.model, tries)
    assert not any(found), (rule.id, found)
    return len(found)


@pytest.mark.parametrize(("rule", "hit"), [*_hits()][::12])
def test_a_way_of_which_something_was_not_read_is_not_lost(
    tenant: Any, rule: Rule, hit: Hit
) -> None:
    _not_lost(tenant, rule, hit, 2)


@pytest.mark.soak
@pytest.mark.parametrize(("rule", "hit"), [*_hits()])
def test_no_way_of_which_something_was_not_read_is_lost(tenant: Any, rule: Rule, hit: Hit) -> None:
    assert _not_lost(tenant, rule, hit, 20)
