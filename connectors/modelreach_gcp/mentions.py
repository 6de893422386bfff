"""What policies mention: roles, groups and other members."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from modelreach_gcp.answers import Answers
from modelreach_gcp.estate import LIST, POLICIES
from modelreach_gcp.select import listed, texts

#: Calls whose answer is an allow policy.
POLICY_GETS: Final = (
    ("cloudresourcemanager.v3", "organizations.getIamPolicy"),
    ("cloudresourcemanager.v3", "folders.getIamPolicy"),
    ("cloudresourcemanager.v3", "projects.getIamPolicy"),
    ("iam.v1", "projects.serviceAccounts.getIamPolicy"),
    ("storage.v1", "buckets.getIamPolicy"),
)
#: How deny policies and boundaries write a group.
_GROUP_SET: Final = re.compile(r"principalSet://goog/group/(.+)")
#: A role of a policy that was read without its conditions: it is no role.
WITHOUT_CONDITION: Final = re.compile(r".*_withcond_[0-9a-f]+")


def allow_policies(answers: Answers) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give every allow policy with the name of what it is attached to, and its type ("" for none).

    A name is as the call had it: a full resource name, a scope, or a relative name.
    """
    for _, response in answers.of(*POLICIES):
        for item in listed(response, "results"):
            if isinstance(policy := item.get("policy"), dict):
                yield str(item.get("resource", "")), str(item.get("assetType", "")), policy
    for _, response in answers.of(*LIST):
        for item in listed(response, "assets"):
            if isinstance(policy := item.get("iamPolicy"), dict):
                yield str(item.get("name", "")), str(item.get("assetType", "")), policy
    for call in POLICY_GETS:
        for one, response in answers.of(*call):
            name = one.parameters.get("resource", one.parameters.get("bucket", ""))
            yield _named(call[0], str(name)), "", response


def _named(service: str, name: str) -> str:
    match service:
        case "iam.v1":
            return f"//iam.googleapis.com/{name}"
        case "storage.v1":
            return f"//storage.googleapis.com/{name}"
        case _:
            return name


def bindings(answers: Answers) -> Iterator[dict[str, Any]]:
    """Give every binding of an allow policy."""
    for _, _, policy in allow_policies(answers):
        yield from listed(policy, "bindings")


def roles_named(answers: Answers) -> list[str]:
    """Give the roles that allow policies name, but for what only looks like one."""
    named = {str(binding.get("role", "")) for binding in bindings(answers)}
    return sorted(role for role in named if role and not WITHOUT_CONDITION.fullmatch(role))


def groups_named(answers: Answers) -> list[str]:
    """Give the e-mail addresses of groups that allow, deny and access policies name."""
    found = {
        member.removeprefix("group:")
        for binding in bindings(answers)
        for member in texts(binding.get("members"))
        if member.startswith("group:")
    }
    for principal in policy_principals(answers):
        if group := _GROUP_SET.fullmatch(principal):
            found.add(group[1])
    return sorted(found)


def policy_principals(answers: Answers) -> Iterator[str]:
    """Give the principals that deny policies and access policies name."""
    for _, policy in answers.of("iam.v2", "policies.get"):
        for rule in listed(policy, "rules"):
            denied = rule.get("denyRule")
            for name in ("deniedPrincipals", "exceptionPrincipals"):
                yield from texts(denied.get(name) if isinstance(denied, dict) else None)
    for _, response in answers.of("iam.v3", "accessPolicies.list"):
        for policy in listed(response, "accessPolicies"):
            details = policy.get("details")
            for rule in listed(details, "rules") if isinstance(details, dict) else ():
                for name in ("principals", "excludedPrincipals"):
                    yield from texts(rule.get(name))
