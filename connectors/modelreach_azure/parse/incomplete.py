"""Coverage and gaps: what was asked for, what was refused, and what would close the gap."""

from __future__ import annotations

from typing import Final

from modelreach.collect.answers import Refusal
from modelreach.snapshot import Coverage
from modelreach_azure.answers import Answer, Answers
from modelreach_azure.call import Call
from modelreach_azure.calls import call_of
from modelreach_azure.parse.facts import PROVIDER, Facts
from modelreach_azure.parse.ids import ROOT, lower

#: Kinds that belong to the whole tree and not to each subscription.
_OF_THE_ROOT: Final = frozenset({"roles"})
_NO_ROLE: Final = ("/oauth2scopes/",)
#: The app role of those that define none.
_DEFAULT_ROLE: Final = "00000000-0000-0000-0000-000000000000"
#: More kinds than this are told of as `resources`.
_MANY: Final = 10
#: What else is not known of a subscription when even its role assignments are refused: Resource
#: Graph leaves out what the caller may not read, and says nothing.
_SIGNAL: Final = "roleAssignments"


def parse_incomplete(answers: Answers, facts: Facts) -> None:
    """Turn refusals into gaps, and everything that was asked into coverage."""
    complete: dict[tuple[str, str], bool] = {}
    subscriptions = _subscriptions(facts)
    for one in answers.all:
        call = call_of(one.service, one.operation)
        if call is None or _told_from_below(one, answers, facts):
            continue
        for scope in _scopes(one, call, subscriptions, facts):
            for kind in _kinds(call):
                where = ROOT if kind in _OF_THE_ROOT else scope
                key = where, kind
                complete[key] = complete.get(key, True) and one.refused is None
        if one.refused:
            _gaps(one, call, one.refused, subscriptions, facts)
    _hidden(answers, subscriptions, complete, facts)
    _root(answers, complete)
    for (scope, kind), whole in complete.items():
        facts.coverage.append(Coverage(provider=PROVIDER, scope=scope, kind=kind, complete=whole))
    _roles_that_miss(facts)


def _told_from_below(one: Answer, answers: Answers, facts: Facts) -> bool:
    """Was what a management group refused told by a subscription in it, which inherits it?"""
    _, of_group, operation = one.operation.rpartition("managementGroup.")
    return (
        bool(of_group)
        and one.refused is not None
        and any(
            other.refused is None and one.place in _above(other.place, facts)
            for other in answers.asked(operation)
        )
    )


def _above(scope: str, facts: Facts) -> set[str]:
    found: set[str] = set()
    while scope in facts.scopes and scope not in found:
        found.add(scope)
        scope = facts.scopes[scope].parent
    return found


def _subscriptions(facts: Facts) -> list[str]:
    unread = {gap.subject for gap in facts.gaps if gap.kind == "subscription"}
    return sorted(
        one.id
        for one in facts.scopes.values()
        if one.kind == "subscription" and one.id not in unread
    )


def _kinds(call: Call) -> tuple[str, ...]:
    return call.kinds or (call.facet,)


def _scopes(one: Answer, call: Call, subscriptions: list[str], facts: Facts) -> list[str]:
    """Give the scopes that an answer is about: a query without a place is about all of them."""
    if one.place:
        return [one.place]
    if bound := one.parameters.get("subscriptions"):
        asked = {f"/subscriptions/{guid}" for guid in bound.split(",")}
        subscriptions = [name for name in subscriptions if name in asked]
    if call.service.value == "resourcegraph" and "hierarchy" not in call.kinds:
        return subscriptions
    return [facts.tenant]


def _gaps(
    one: Answer, call: Call, refused: Refusal, subscriptions: list[str], facts: Facts
) -> None:
    """Say for each scope and kind what is missing.

    A query for everything of every subscription leaves one gap a subscription and not one a kind:
    what it covers is in the coverage.
    """
    subject = call.subject.format_map({k: lower(v) for k, v in one.parameters.items()})
    kinds = _kinds(call) if len(_kinds(call)) < _MANY else ("resources",)
    for scope in _scopes(one, call, subscriptions, facts) or [facts.tenant]:
        for kind in kinds:
            _gap(facts, ROOT if kind in _OF_THE_ROOT else scope, kind, call, refused, subject)


def _gap(
    facts: Facts, scope: str, kind: str, call: Call, refused: Refusal, subject: str = ""
) -> None:
    words = ": ".join(filter(None, (refused.code, refused.message)))
    facts.gap(
        scope,
        kind,
        refused.reason,
        subject=subject,
        operation=f"{call.service.value}:{call.operation}",
        permission=call.permission,
        message=words,
    )


def _hidden(
    answers: Answers,
    subscriptions: list[str],
    complete: dict[tuple[str, str], bool],
    facts: Facts,
) -> None:
    """Take a subscription whose own role assignments are refused for one that is seen in part."""
    for one in answers.asked(_SIGNAL):
        if one.refused is None or one.place not in subscriptions:
            continue
        for scope, kind in complete:
            if scope == one.place:
                complete[scope, kind] = False
        call = call_of(one.service, one.operation)
        if call is not None:
            _gap(facts, one.place, "resources", call, one.refused)


def _root(answers: Answers, complete: dict[tuple[str, str], bool]) -> None:
    """What is assigned at the root shows in every scope below it."""
    below = [*answers.asked("roleAssignments"), *answers.asked("managementGroup.roleAssignments")]
    if below:
        complete[ROOT, "bindings"] = any(one.refused is None for one in below)
    for where, kind in (
        ("denyAssignments", "deny"),
        ("roleEligibilityScheduleInstances", "eligible"),
    ):
        found = [*answers.asked(where), *answers.asked(f"managementGroup.{where}")]
        if found:
            complete[ROOT, kind] = any(one.refused is None for one in found)


def _roles_that_miss(facts: Facts) -> None:
    """Name each role that is held and not known: what it allows is unknown."""
    held = {
        binding.role
        for binding in facts.bindings.values()
        if not binding.role.startswith(_NO_ROLE) and not binding.role.endswith(_DEFAULT_ROLE)
    }
    for role in sorted(held - facts.policies.keys()):
        facts.gap(
            facts.tenant if role.startswith(("/rolemanagement/", "/approles/")) else ROOT,
            "roles",
            "not-collected",
            subject=role,
            permission=_permission_for(role),
            message="somebody holds this role, and what it allows was not told",
        )


def _permission_for(role: str) -> str:
    if role.startswith("/rolemanagement/"):
        return "RoleManagement.Read.Directory"
    if role.startswith("/approles/"):
        return "Application.Read.All"
    return "Microsoft.Authorization/roleDefinitions/read"
