"""What the roles of runtimes were seen to use, and since when anybody was looking.

IAM's report counts attempts, denied ones too, and tracks actions of some services only: an action
that it does not list was not tracked, which is not the same as unused.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from modelreach.snapshot import Usage
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.facts import Facts, moment
from modelreach_aws.roles import AT_MOST, roles_of_runtimes

#: Days that IAM's report goes back at least, in regions where it was there that long.
TRACKED_DAYS: Final = 400


def parse_usage(answers: Answers, facts: Facts) -> None:
    """Turn reports on use into usage, and those that are missing into gaps."""
    created = {principal.id: principal.created for principal in facts.principals}
    jobs = {
        (one.account, response.get("JobId")): str(one.parameters["Arn"])
        for one, response in answers.of("iam", "GenerateServiceLastAccessedDetails")
    }
    reported: set[tuple[str, str, str]] = set()
    for one in answers.asked("iam", "GetServiceLastAccessedDetails"):
        role = jobs.get((one.account, one.parameters.get("JobId")), "")
        if _ready(one, role, facts):
            response = one.response or {}
            start = _window(response, created.get(role, ""))
            found = tuple(_reported(role, response, start))
            reported.update((use.principal, use.service, use.action) for use in found)
            facts.usage.extend(found)
    _analyzed(answers, reported, facts)
    _left_out(answers, facts)


def _ready(one: Answer, role: str, facts: Facts) -> bool:
    """Is the report there? Whatever kept it away leaves a gap at its role."""
    response = one.response or {}
    failed = response.get("JobStatus") == "FAILED"
    if one.refused or failed:
        denied = one.refused is not None and one.refused.reason == "denied"
        operation = "iam:GetServiceLastAccessedDetails"
        facts.gap(
            one.account,
            "usage",
            one.refused.reason if one.refused else "not-collected",
            subject=role,
            operation=operation,
            permission=operation if denied else "",
            message=one.refused.message if one.refused else _failure(response),
        )
    return bool(role) and bool(response) and not failed


def _failure(response: dict[str, Any]) -> str:
    return str((response.get("Error") or {}).get("Message", "the report failed"))


def _window(response: dict[str, Any], created: str) -> str:
    """Give since when use was tracked: a role was not there before it was made."""
    done = moment(response.get("JobCompletionDate") or response.get("JobCreationDate"))
    if not done:
        return created
    return max(_days_before(done, TRACKED_DAYS), created)


def _days_before(time: str, days: int) -> str:
    return moment((datetime.fromisoformat(time) - timedelta(days=days)).isoformat())


def _reported(role: str, response: dict[str, Any], start: str) -> Iterator[Usage]:
    for service in response.get("ServicesLastAccessed", ()):
        name = service.get("ServiceNamespace", "")
        last = moment(service.get("LastAuthenticated")) or "never"
        yield Usage(principal=role, service=name, last_used=last, window_start=start)
        for action in service.get("TrackedActionsLastAccessed") or ():
            yield Usage(
                principal=role,
                service=name,
                action=f"{name}:{action.get('ActionName', '')}",
                last_used=moment(action.get("LastAccessedTime")) or "never",
                window_start=start,
            )


def _analyzed(answers: Answers, reported: set[tuple[str, str, str]], facts: Facts) -> None:
    """Findings of Access Analyzer, where IAM's own report does not speak of the same.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings-view.html
    """
    ages = {
        (one.account, analyzer.get("arn")): _age(analyzer)
        for one, response in answers.of("accessanalyzer", "ListAnalyzers")
        for analyzer in response.get("analyzers", ())
    }
    for one, response in answers.of("accessanalyzer", "GetFindingV2"):
        age = ages.get((one.account, one.parameters["analyzerArn"]))
        seen = moment(response.get("analyzedAt"))
        start = _days_before(seen, age) if age and seen else ""
        for use in _found(str(response.get("resource", "")), response, start):
            if (use.principal, use.service, use.action) not in reported:
                facts.usage.append(use)


def _age(analyzer: dict[str, Any]) -> int | None:
    unused = (analyzer.get("configuration") or {}).get("unusedAccess") or {}
    age = unused.get("unusedAccessAge")
    return age if isinstance(age, int) else None


def _found(role: str, response: dict[str, Any], start: str) -> Iterator[Usage]:
    for detail in response.get("findingDetails", ()):
        unused = detail.get("unusedPermissionDetails") or {}
        service = unused.get("serviceNamespace", "")
        if not service:
            continue
        actions = unused.get("actions") or ()
        if not actions:
            last = moment(unused.get("lastAccessed")) or "never"
            yield Usage(principal=role, service=service, last_used=last, window_start=start)
        for action in actions:
            name = str(action.get("action", ""))
            yield Usage(
                principal=role,
                service=service,
                action=name if ":" in name else f"{service}:{name}",
                last_used=moment(action.get("lastAccessed")) or "never",
                window_start=start,
            )


def _left_out(answers: Answers, facts: Facts) -> None:
    by_account: dict[str, list[Answer]] = {}
    for one in answers.all:
        by_account.setdefault(one.account, []).append(one)
    for account, own in by_account.items():
        left = len(roles_of_runtimes(own)) - AT_MOST
        if left > 0:
            facts.gap(
                account,
                "usage",
                "not-collected",
                operation="iam:GenerateServiceLastAccessedDetails",
                message=f"{left} further roles of runtimes were not asked about",
            )
