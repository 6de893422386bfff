"""Whose use is asked about: the roles that runtimes name, those of models first, not all of them.

A report on one role is a job of its own, so their number is bounded; the rest stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from modelreach_aws.select import Parameters

if TYPE_CHECKING:
    from modelreach_aws.answers import Answer

#: How many roles of an account are asked about.
AT_MOST: Final = 200
_MODELS: Final = frozenset({"bedrock", "bedrock-agent", "bedrock-agentcore-control", "sagemaker"})
_OTHERS: Final = frozenset(
    {"lambda", "ecs", "eks", "apprunner", "batch", "stepfunctions", "codebuild", "glue"}
)
_ROLE: Final = re.compile(r"arn:[^:]+:iam::\d{12}:role/(?!aws-service-role/)[^\s]+")


def roles_of_runtimes(answers: Iterable[Answer]) -> list[str]:
    """Give the roles that runtimes of one account name: those of models first, else sorted."""
    found: dict[str, int] = {}
    for one in answers:
        rank = 0 if one.service in _MODELS else 1
        if one.service not in _MODELS | _OTHERS or one.response is None:
            continue
        for role in _roles_in(one.response):
            if role.split(":")[4] == one.account:
                found[role] = min(found.get(role, rank), rank)
    return sorted(found, key=lambda role: (found[role], role))


def _roles_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            if _ROLE.fullmatch(value):
                yield value
        case dict():
            for inner in value.values():
                yield from _roles_in(inner)
        case list():
            for inner in value:
                yield from _roles_in(inner)


def runtime_roles(answers: Iterable[Answer], _region: str) -> Iterator[Parameters]:
    """Select the roles of one account that a report on their use is made for."""
    for role in roles_of_runtimes(answers)[:AT_MOST]:
        yield {"Arn": role}


def unused_findings(answers: Iterable[Answer], region: str) -> Iterator[Parameters]:
    """Select the findings of a region's analyzers on unused permissions of these roles."""
    known = list(answers)
    wanted = set(roles_of_runtimes(known)[:AT_MOST])
    for one in sorted(known, key=lambda one: one.key):
        asked = one.region, one.service, one.operation
        if asked != (region, "accessanalyzer", "ListFindingsV2"):
            continue
        for finding in (one.response or {}).get("findings", ()):
            if finding.get("findingType") == "UnusedPermission" and _open(finding, wanted):
                yield {"analyzerArn": one.parameters["analyzerArn"], "id": finding["id"]}


def _open(finding: dict[str, Any], wanted: set[str]) -> bool:
    return finding.get("status") == "ACTIVE" and finding.get("resource") in wanted
