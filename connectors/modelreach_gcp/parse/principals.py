"""Principals: service accounts, and everybody whom a policy names.

https://cloud.google.com/iam/docs/principal-identifiers
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from modelreach.collect.facts import attributes
from modelreach.snapshot import Principal
from modelreach_gcp.estate import Estate
from modelreach_gcp.mentions import bindings, policy_principals
from modelreach_gcp.names import account, agent_of, default_of
from modelreach_gcp.parse.facts import PROVIDER, Facts
from modelreach_gcp.parse.things import Things
from modelreach_gcp.select import listed, text, texts

_KUBERNETES: Final = re.compile(r"serviceAccount:[^@]+\.svc\.id\.goog\[[^]]+/[^]]+\]")
_AGENT: Final = re.compile(
    r"principal://agents\.[^/]+/resources/aiplatform/projects/([^/]+)/locations/[^/]+/"
    r"reasoningEngines/[^/]+"
)
_DENIED_ACCOUNT: Final = re.compile(
    r"principal://iam\.googleapis\.com/projects/[^/]+/serviceAccounts/(.+@.+)"
)
_DENIED_USER: Final = re.compile(r"principal://goog/subject/(.+@.+)")
_DENIED_GROUP: Final = re.compile(r"principalSet://goog/group/(.+@.+)")


def parse_principals(estate: Estate, things: Things, facts: Facts) -> None:
    """Give service accounts, all whom policies and groups name, and who is in which group."""
    for thing in things.of("iam.googleapis.com/ServiceAccount"):
        email = thing.text("email") or thing.name.rpartition("/")[2]
        if "@" not in email:
            continue
        default, _ = default_of(email)
        facts.principals[account(email)] = Principal(
            id=account(email),
            provider=PROVIDER,
            kind="service-account",
            scope=thing.scope,
            name=thing.text("displayName"),
            unique_id=thing.text("uniqueId"),
            attributes=attributes(
                disabled=bool(thing.get("disabled")) if thing.get("name") else None,
                email=email,
                number=estate.number(thing.scope),
                default=default,
            ),
        )
    for member in sorted(set(_named(estate))):
        mention(member, estate, facts)
    _groups(estate, facts)


def _named(estate: Estate) -> Iterator[str]:
    for binding in bindings(estate.answers):
        yield from texts(binding.get("members"))
    for principal in policy_principals(estate.answers):
        yield allowed_form(principal)


def allowed_form(principal: str) -> str:
    """Give the member of allow policies that a deny policy names in its own way.
    https://cloud.google.com/iam/docs/principal-identifiers#v2"""
    for pattern, kind in (
        (_DENIED_ACCOUNT, "serviceAccount"),
        (_DENIED_USER, "user"),
        (_DENIED_GROUP, "group"),
    ):
        if found := pattern.fullmatch(principal):
            return f"{kind}:{found[1]}"
    return principal


def mention(member: str, estate: Estate, facts: Facts) -> None:
    """Give the principal that a member is, unless it is a set, deleted, or known."""
    if member in facts.principals or not member:
        return
    kind, _, name = member.partition(":")
    made: Principal | None = None
    match kind:
        case "serviceAccount" if _KUBERNETES.fullmatch(member):
            made = _principal(member, "federated", _pool_scope(name, estate), name=name)
        case "serviceAccount" if "@" in name:
            made = _account(member, name, estate)
        case "user" | "group" if name:
            made = _principal(member, kind, _home(estate), name=name)
        case "principal":
            made = _federated(member, estate)
        case _:
            return
    facts.principals[member] = made


def _principal(member: str, kind: str, scope: str, *, name: str, **more: str | bool) -> Principal:
    return Principal(
        id=member,
        provider=PROVIDER,
        kind=kind,
        scope=scope,
        name=name,
        attributes=attributes(**more),
    )


def _account(member: str, email: str, estate: Estate) -> Principal:
    number, service = agent_of(email)
    if service:
        scope = estate.scope(f"projects/{number}")
        home = scope if scope in estate.places else _home(estate)
        return _principal(
            member, "service-agent", home, name=service, number=number, service=service
        )
    default, project = default_of(email)
    owner = estate.scope(f"projects/{project or _project_of(email)}")
    known = owner in estate.below
    return _principal(
        member,
        "service-account",
        owner if known else _home(estate),
        name=email,
        email=email,
        default=default,
        **({} if known else {"foreign": True}),
    )


def _project_of(email: str) -> str:
    return email.partition("@")[2].removesuffix(".iam.gserviceaccount.com")


def _federated(member: str, estate: Estate) -> Principal:
    name = member.rpartition("/")[2]
    if found := _AGENT.fullmatch(member):
        scope = estate.scope(f"projects/{found[1]}")
        return _principal(member, "agent-identity", scope, name=name)
    return _principal(member, "federated", _pool_scope(member, estate), name=name)


def _pool_scope(name: str, estate: Estate) -> str:
    """Give the project of a pool: `P.svc.id.goog[…]`, or the number in a principal's name."""
    found = re.match(r"([^.\[]+)\.svc\.id\.goog", name) or re.search(r"/projects/([^/]+)/", name)
    scope = estate.scope(f"projects/{found[1]}") if found else ""
    return scope if scope in estate.places else _home(estate)


def _home(estate: Estate) -> str:
    """Give the scope of those who are of no project: the first that is read."""
    return estate.roots[0] if estate.roots else next(iter(sorted(estate.places)), "")


def _groups(estate: Estate, facts: Facts) -> None:
    resources = {
        text(one.parameters.get("groupKey.id")): text(response.get("name"))
        for one, response in estate.answers.of("cloudidentity.v1", "groups.lookup")
    }
    inside: dict[str, set[str]] = {}
    for one, response in estate.answers.of("cloudidentity.v1", "groups.memberships.list"):
        group = f"group:{text(one.parameters.get('_group'))}"
        mention(group, estate, facts)
        for membership in listed(response, "memberships"):
            member = _member(membership)
            mention(member, estate, facts)
            if member in facts.principals:
                inside.setdefault(member, set()).add(group)
    for name, groups in inside.items():
        facts.principals[name] = replace(facts.principals[name], groups=tuple(sorted(groups)))
    for email, resource in resources.items():
        member = f"group:{email}"
        mention(member, estate, facts)
        known = facts.principals[member]
        facts.principals[member] = replace(
            known, attributes={**known.attributes, **attributes(resource=resource)}
        )


def _member(membership: dict[str, object]) -> str:
    """Give the member of a membership. Accounts of services are told by their type, and where
    that is not said, by their domain."""
    key = membership.get("preferredMemberKey")
    email = text(key.get("id")) if isinstance(key, dict) else ""
    match membership.get("type"):
        case "GROUP":
            kind = "group"
        case "SERVICE_ACCOUNT":
            kind = "serviceAccount"
        case "USER":
            kind = "user"
        case _:
            kind = "serviceAccount" if email.endswith(".gserviceaccount.com") else "user"
    return f"{kind}:{email}" if email else ""
