"""The tree of scopes: tenant, root, management groups, subscriptions, resource groups, units."""

from __future__ import annotations

from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Scope
from modelreach_azure.answers import Answers
from modelreach_azure.parse.facts import PROVIDER, Facts, boolean, fields, tags_of, text
from modelreach_azure.parse.ids import (
    MANAGEMENT_GROUP,
    RESOURCE_GROUP,
    ROOT,
    SUBSCRIPTION,
    arm_id,
    lower,
    subscription_of,
)
from modelreach_azure.select import at, items

_GROUPS: Final = f"/providers/{MANAGEMENT_GROUP}/"
#: Of a subscription; the nearest management group comes first.
_CHAIN: Final = "managementGroupAncestorsChain"


def parse_scopes(answers: Answers, facts: Facts) -> None:
    """Turn what tells of scopes into scopes, and those that cannot be read into gaps."""
    _tenant(answers, facts)
    containers = {arm_id(row.get("id")): row for row in answers.rows("resourcecontainers")}
    descendants = {
        arm_id(row.get("id")): row for row in answers.rows("managementGroups.descendants")
    }
    _management_groups(containers, descendants, facts)
    _subscriptions(answers, containers, descendants, facts)
    for identifier, row in containers.items():
        if lower(row.get("type")) == RESOURCE_GROUP:
            _add(
                facts,
                identifier,
                "resource-group",
                subscription_of(identifier),
                row,
                managed_by=arm_id(fields(row).get("managedBy")),
            )
    _administrative_units(answers, facts)


def _add(facts: Facts, identifier: str, kind: str, parent: str, row: Any, **more: Any) -> None:
    facts.scopes[identifier] = Scope(
        id=identifier,
        provider=PROVIDER,
        kind=kind,
        name=text(row.get("displayName")) or text(row.get("name")),
        parent=parent,
        tags=tags_of(row.get("tags")),
        attributes=attributes(**more),
    )


def _tenant(answers: Answers, facts: Facts) -> None:
    organizations = list(answers.rows("organization"))
    _add(
        facts,
        facts.tenant,
        "tenant",
        "",
        organizations[0] if organizations else {},
        restricted_credentials=_restricted(answers),
    )
    _add(facts, ROOT, "root", facts.tenant, {"name": "/"})


def _restricted(answers: Answers) -> list[str]:
    """Give what the tenant's policy forbids to add to applications.

    https://learn.microsoft.com/graph/api/resources/tenantappmanagementpolicy
    """
    found: list[str] = []
    for one in answers.asked("defaultAppManagementPolicy"):
        policy = one.response or {}
        if policy.get("isEnabled") is not True:
            continue
        for of, section in (
            ("application", "application"),
            ("servicePrincipal", "servicePrincipal"),
        ):
            restrictions = fields(policy, f"{section}Restrictions")
            for name in ("passwordCredentials", "keyCredentials"):
                found += [
                    f"{of}:{text(entry.get('restrictionType'))}"
                    for entry in items(restrictions, name)
                    if lower(entry.get("state") or "enabled") == "enabled"
                ]
    return found


def management_groups(row: dict[str, Any]) -> list[str]:
    """Give the management groups that a row of a container tells of: itself, or those above it.

    The nearest comes first.
    """
    if lower(row.get("type")) == MANAGEMENT_GROUP and row.get("id"):
        return [arm_id(row["id"])]
    return [f"{_GROUPS}{lower(one.get('name'))}" for one in items(fields(row), _CHAIN)]


def _management_groups(
    containers: dict[str, dict[str, Any]], descendants: dict[str, dict[str, Any]], facts: Facts
) -> None:
    _from_chains(containers, facts)
    for identifier, row in (descendants | containers).items():
        if not identifier.startswith(_GROUPS):
            continue
        parent = at(containers.get(identifier), "properties.details.parent.id") or at(
            descendants.get(identifier), "properties.parent.id"
        )
        named = {**row, "displayName": at(row, "properties.displayName")}
        _add(facts, identifier, "management-group", arm_id(parent) or ROOT, named)


def _from_chains(containers: dict[str, dict[str, Any]], facts: Facts) -> None:
    """Add groups that only the subscriptions below tell of."""
    for row in containers.values():
        above = management_groups(row) if lower(row.get("type")) == SUBSCRIPTION else []
        told = items(fields(row), _CHAIN)
        for group, parent, one in zip(above, [*above[1:], ROOT], told, strict=False):
            _add(facts, group, "management-group", parent, one)


def _subscriptions(
    answers: Answers,
    containers: dict[str, dict[str, Any]],
    descendants: dict[str, dict[str, Any]],
    facts: Facts,
) -> None:
    listed = {arm_id(row.get("id")): row for row in answers.rows("subscriptions")}
    told = {
        name: row for name, row in containers.items() if lower(row.get("type")) == SUBSCRIPTION
    }
    below = {name: row for name, row in descendants.items() if name == subscription_of(name) != ""}
    for identifier in sorted(listed.keys() | told.keys() | below.keys()):
        row = {**told.get(identifier, {}), **listed.get(identifier, {})}
        if lower(row.get("tenantId")) not in ("", facts.tenant):
            continue
        parent = _parent(told.get(identifier), below.get(identifier))
        named = row or {"displayName": at(below.get(identifier), "properties.displayName")}
        managing = [lower(one.get("tenantId")) for one in items(row, "managedByTenants")]
        _add(
            facts,
            identifier,
            "subscription",
            parent or ROOT,
            {**named, "tags": row.get("tags")},
            state=text(row.get("state")),
            managed_by_tenants=managing,
        )
        if not parent:
            facts.gap(
                facts.tenant,
                "hierarchy",
                "not-collected",
                subject=identifier,
                message="which management groups this subscription is in is not known",
            )
        if identifier not in listed and identifier not in told:
            _unread(facts, identifier)


def _parent(told: Any, below: Any) -> str:
    """Give the management group right above; Resource Graph lists it first of all above."""
    above = management_groups(told) if told else []
    return above[0] if above else arm_id(at(below, "properties.parent.id"))


def _unread(facts: Facts, identifier: str) -> None:
    facts.gap(
        facts.tenant,
        "subscription",
        "denied",
        subject=identifier,
        operation="arm:subscriptions",
        permission="Microsoft.Resources/subscriptions/read",
        message="this subscription exists and cannot be read",
    )


def _administrative_units(answers: Answers, facts: Facts) -> None:
    members: dict[str, list[str]] = {}
    for one, row in answers.placed("administrativeUnit.members"):
        members.setdefault(lower(one.parameters.get("id")), []).append(lower(row.get("id")))
    for row in answers.rows("administrativeUnits"):
        unit = lower(row.get("id"))
        _add(
            facts,
            f"/administrativeunits/{unit}",
            "administrative-unit",
            facts.tenant,
            row,
            members=members.get(unit, []),
            restricted=boolean(row.get("isMemberManagementRestricted")),
        )
