"""Bindings and roles: who holds which role where, and what the role may do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from shlex import quote
from typing import Any, Final

from msgspec.structs import replace

from modelreach.collect.facts import attributes
from modelreach.snapshot import Binding, ManagedPolicy
from modelreach_gcp.estate import Estate
from modelreach_gcp.mentions import WITHOUT_CONDITION, allow_policies, roles_named
from modelreach_gcp.names import full_name, scope_name
from modelreach_gcp.parse.facts import PROVIDER, Facts, digest
from modelreach_gcp.parse.resources import targeted
from modelreach_gcp.parse.things import Things
from modelreach_gcp.select import at, listed, text, texts

_NUMBERED: Final = re.compile(r"//iam\.googleapis\.com/projects/[^/]+/serviceAccounts/\d+")
_ROLE: Final = "iam.googleapis.com/Role"


def parse_bindings(estate: Estate, things: Things, facts: Facts) -> None:
    """Give the bindings of every allow policy, on what each is attached to."""
    made: dict[str, Binding] = {}
    for name, asset, policy in allow_policies(estate.answers):
        target = estate.scope(scope_name(name))
        if not target:
            target = things.account_name(estate.spelled(full_name(name)))
            targeted(target, asset, estate, facts)
            _unnamed(target, estate, facts)
        for item in listed(policy, "bindings"):
            _add(_binding(target, item), made)
        for message in sorted(_misunderstood(policy)):
            scope = target if target in estate.places else estate.project_of(target)
            home = scope or next(iter(estate.roots), "")
            facts.gap(home, "bindings", "malformed", subject=target, message=message)
    facts.bindings.extend(made.values())


def _unnamed(target: str, estate: Estate, facts: Facts) -> None:
    """Say that a policy is on an account of which only the number is known."""
    if _NUMBERED.fullmatch(target):
        facts.gap(
            estate.project_of(target) or next(iter(estate.roots), ""),
            "principals",
            "not-collected",
            subject=target,
            message="which service account has this number was not told",
        )


def _binding(target: str, item: dict[str, Any]) -> Binding:
    found = item.get("condition")
    condition = found if isinstance(found, dict) else {}
    expression, role = text(condition.get("expression")), text(item.get("role"))
    mark = f"#{digest(expression)}" if expression else ""
    return Binding(
        id=f"{target}#{role}{mark}",
        provider=PROVIDER,
        target=target,
        role=role,
        members=tuple(sorted(set(texts(item.get("members"))))),
        condition=expression,
        attributes=attributes(condition_title=text(condition.get("title"))),
    )


def _add(binding: Binding, made: dict[str, Binding]) -> None:
    """Put what is said twice together: a policy may have several bindings of one role."""
    known = made.get(binding.id, binding)
    members = tuple(sorted({*known.members, *binding.members}))
    made[binding.id] = replace(known, members=members)


def _misunderstood(policy: Mapping[str, Any]) -> set[str]:
    """Give what of a policy is not understood: then more may be allowed than is known.

    A role with a condition has another name in a policy that was not asked for in version 3:
    https://cloud.google.com/iam/docs/policies#versions
    """
    found: set[str] = set()
    items = policy.get("bindings", [])
    for item in items if isinstance(items, list) else [None]:
        if not _formed(item):
            found.add("a binding is not of the form that bindings have")
        elif WITHOUT_CONDITION.fullmatch(text(at(item, "role"))):
            found.add("a conditional role came without its condition: ask for policy version 3")
    return found


def _formed(item: object) -> bool:
    if not isinstance(item, dict) or not text(item.get("role")):
        return False
    members, condition = item.get("members", []), item.get("condition")
    understood = condition is None or (
        isinstance(condition, dict) and isinstance(condition.get("expression", ""), str)
    )
    return understood and isinstance(members, list) and len(texts(members)) == len(members)


def parse_roles(estate: Estate, things: Things, facts: Facts) -> None:
    """Give the definition of each role, and a gap for one that has none."""
    asked = {
        text(one.parameters.get("name")) for one, _ in estate.answers.of("iam.v1", "roles.get")
    }
    known: set[str] = set()
    for thing in things.of(_ROLE):
        name = thing.text("name") or thing.name.removeprefix("//iam.googleapis.com/")
        # Only a role that was asked for by name, and lists no permission, has none.
        if name not in asked and "includedPermissions" not in thing.data:
            continue
        known.add(name)
        facts.roles.append(_role(name, thing.data, estate, facts))
    refused = {
        text(one.parameters.get("name")): one.refused
        for one in estate.answers.asked("iam.v1", "roles.get")
    }
    for role in roles_named(estate.answers):
        if role not in known:
            why = refused.get(role)
            facts.gap(
                _owner(role, estate) or next(iter(estate.roots), ""),
                "roles",
                why.reason if why else "not-collected",
                subject=role,
                operation="iam.v1:roles.get" if why else "",
                permission="iam.roles.get" if why and why.reason == "denied" else "",
                message=f"export it with: {command(role)}",
            )


def _role(name: str, data: Mapping[str, Any], estate: Estate, facts: Facts) -> ManagedPolicy:
    document: dict[str, Any] = {
        "includedPermissions": sorted(set(texts(data.get("includedPermissions"))))
    }
    document |= {key: data[key] for key in ("stage", "deleted") if data.get(key)}
    return ManagedPolicy(
        id=name,
        provider=PROVIDER,
        scope=_owner(name, estate),
        name=text(data.get("title")),
        default_version="1",
        versions={"1": facts.document(document)},
    )


def _owner(role: str, estate: Estate) -> str:
    return estate.scope(role.rpartition("/roles/")[0]) if "/roles/" in role else ""


def command(role: str) -> str:
    """Give the command that exports a role."""
    owner, _, name = role.rpartition("/roles/")
    kind, _, place = owner.partition("/")
    where = {
        "projects": f" --project={quote(place)}",
        "organizations": f" --organization={quote(place)}",
    }
    described = quote(name if owner else role)
    return f"gcloud iam roles describe {described}{where.get(kind, '')} --format=json"
