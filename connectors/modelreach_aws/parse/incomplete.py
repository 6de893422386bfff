"""Coverage and gaps: what was asked for, what was refused, and what would close the gap."""

from __future__ import annotations

from typing import Final

from modelreach.snapshot import Coverage
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.calls import Call, Where, call_of
from modelreach_aws.parse.facts import PROVIDER, Facts
from modelreach_aws.parse.organization import Tree, readers
from modelreach_aws.parse.place import Places

#: Coverage kinds that are about the reading itself and not about facts.
_NOT_COVERED: Final = frozenset({"regions"})
_FROM_ABOVE: Final = frozenset({"scp", "rcp"})
#: A policy that several principals refer to leaves a gap for each of them, made in `iam`.
#: The report on a role is known by the number of its job only, and told of in `usage`. What a
#: registry says is said of each of its repositories, and missed of each: `registries`. So it is
#: with policies that speak of collections: `collections`.
_REPORTED_BY_SUBJECT: Final = frozenset(
    {
        *("GetPolicy", "GetPolicyVersion", "GetServiceLastAccessedDetails"),
        *("GetRegistryPolicy", "GetAccountSetting"),
        *("ListAccessPolicies", "GetAccessPolicy", "ListSecurityPolicies", "GetSecurityPolicy"),
    }
)


def parse_incomplete(answers: Answers, places: Places, tree: Tree, facts: Facts) -> None:
    """Turn refusals into gaps, and everything that was asked into coverage."""
    known = {name for _, members in readers(answers, tree) for name in members}
    complete = dict.fromkeys(((name, "", kind) for name in known for kind in _FROM_ABOVE), True)
    for one in answers.all:
        call = call_of(one.service, one.operation, one.parameters)
        if call is None or _told_otherwise(one, known) or _fallen_back(one, answers):
            continue
        _cover(one, call, complete)
        if one.refused:
            _gaps(one, call, places, facts)
    for (scope, region, kind), whole in complete.items():
        facts.coverage.append(
            Coverage(provider=PROVIDER, scope=scope, region=region, kind=kind, complete=whole)
        )


def _told_otherwise(one: Answer, known: set[str]) -> bool:
    """Did another account tell what this one was refused: the organization as a whole?"""
    return one.service == "organizations" and one.refused is not None and one.account in known


def _fallen_back(one: Answer, answers: Answers) -> bool:
    """Was a refusal to list regions made good by the other way to list them?"""
    return one.operation == "ListRegions" and any(
        other.account == one.account for other, _ in answers.of("ec2", "DescribeRegions")
    )


def _cover(one: Answer, call: Call, complete: dict[tuple[str, str, str], bool]) -> None:
    if call.where is Where.SESSION and not one.refused:
        return
    for kind in call.kinds:
        if kind not in _NOT_COVERED:
            key = one.account, one.region, kind
            complete[key] = complete.get(key, True) and one.refused is None


def _gaps(one: Answer, call: Call, places: Places, facts: Facts) -> None:
    refusal = one.refused
    if refusal is None or call.operation in _REPORTED_BY_SUBJECT:
        return
    subject = places.subject(call.subject, one) if call.subject else _whole(one)
    for kind in (call.facet,) if call.facet else call.kinds:
        facts.gap(
            one.account,
            kind,
            refusal.reason,
            region=one.region,
            subject=subject,
            operation=f"{call.service}:{call.operation}",
            # Nothing else is closed by a permission.
            permission=call.permission if refusal.reason == "denied" else "",
            message=refusal.message,
        )


def _whole(one: Answer) -> str:
    """Give what a refused session was to be; the other calls without subject are about all."""
    return str(one.parameters.get("RoleArn", one.parameters.get("Profile", "")))
