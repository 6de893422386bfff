"""Deny policies, boundaries, access policies and organization policies, as documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from modelreach.snapshot import AttachmentKind
from modelreach_gcp.estate import Estate
from modelreach_gcp.names import scope_name
from modelreach_gcp.parse.facts import Facts
from modelreach_gcp.select import at, listed, text

_BOUNDARIES: Final = "organizations.locations.principalAccessBoundaryPolicies"
#: Constraints that decide over keys, accounts and federation; the others are not kept.
#: https://cloud.google.com/resource-manager/docs/organization-policy/restricting-service-accounts
CONSTRAINTS: Final = re.compile(
    r"iam\.(managed\..*|disableServiceAccount(KeyCreation|KeyUpload|Creation)"
    r"|disableCrossProjectServiceAccountUsage|automaticIamGrantsForDefaultServiceAccounts"
    r"|serviceAccountKeyExpiryHours|serviceAccountKeyExposureResponse"
    r"|workloadIdentityPoolProviders|workloadIdentityPoolAwsAccounts|allowedPolicyMemberDomains)"
)
_DENIED_AT: Final = re.compile(r"policies/([^/]+)/denypolicies/(.+)")


def parse_attachments(estate: Estate, facts: Facts) -> None:
    """Give every policy that is no allow policy."""
    _deny(estate, facts)
    _bound(estate, facts, _BOUNDARIES, "principalAccessBoundaryPolicies", "boundary")
    _bound(estate, facts, "accessPolicies", "accessPolicies", "access-policy")
    _constraints(estate, facts)


def _deny(estate: Estate, facts: Facts) -> None:
    for one, policy in estate.answers.of("iam.v2", "policies.get"):
        name = text(policy.get("name")) or text(one.parameters.get("name"))
        scope = attached_to(name, estate)
        label = text(policy.get("displayName")) or name.rpartition("/")[2]
        if scope:
            facts.attach(scope, "deny", _without_etag(policy), name=label, policy=name)
            continue
        facts.gap(
            one.place,
            "deny",
            "malformed",
            subject=name,
            message="what this deny policy is attached to could not be told",
        )


def attached_to(name: str, estate: Estate) -> str:
    """Give the scope that the name of a deny policy says, encoded once or twice; "" for none."""
    found = _DENIED_AT.fullmatch(name)
    return estate.scope(scope_name("//" + unquote(unquote(found[1])))) if found else ""


def _bound(estate: Estate, facts: Facts, resource: str, items: str, kind: AttachmentKind) -> None:
    """Give an attachment for each binding of a policy: to a set of principals, or a resource."""
    policies = {
        text(policy.get("name")): policy
        for _, response in estate.answers.of("iam.v3", f"{resource}.list")
        for policy in listed(response, items)
    }
    for one, response in estate.answers.of("iam.v3", f"{resource}.searchPolicyBindings"):
        for binding in listed(response, "policyBindings"):
            name = text(binding.get("policy")) or text(one.parameters.get("name"))
            document: dict[str, Any] = {"binding": _without_etag(binding)}
            policy = policies.get(name)
            if policy is not None:
                document["policy"] = _without_etag(policy)
            label = (
                text(binding.get("displayName")) or text(binding.get("name")).rpartition("/")[2]
            )
            facts.attach(_target(binding, estate), kind, document, name=label, policy=name)


def _target(binding: Mapping[str, Any], estate: Estate) -> str:
    named = text(at(binding, "target.principalSet")) or text(at(binding, "target.resource"))
    return estate.scope(scope_name(named)) or named


def _without_etag(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Give a policy without what changes when nothing in it does."""
    return {name: value for name, value in policy.items() if name not in ("etag", "updateTime")}


def _constraints(estate: Estate, facts: Facts) -> None:
    for one, response in estate.answers.of("orgpolicy.v2", "policies.list"):
        for policy in listed(response, "policies"):
            where, _, constraint = text(policy.get("name")).rpartition("/policies/")
            if not CONSTRAINTS.fullmatch(constraint):
                continue
            kept = {key: policy[key] for key in ("name", "spec", "dryRunSpec") if key in policy}
            scope = estate.scope(scope_name(where)) or one.place
            facts.attach(scope, "constraint", kept, name=constraint, policy=constraint)
