"""Which accounts administer a service for the whole organization."""

from __future__ import annotations

import msgspec

from modelreach_aws.answers import Answers
from modelreach_aws.parse.facts import Facts


def parse_delegated(answers: Answers, facts: Facts) -> None:
    """Add to each account's scope the services that it administers for the others.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
    """
    services: dict[str, set[str]] = {}
    for one, response in answers.of("organizations", "ListDelegatedServicesForAccount"):
        for entry in response.get("DelegatedServices", ()):
            account = str(one.parameters["AccountId"])
            services.setdefault(account, set()).add(entry.get("ServicePrincipal", ""))
    facts.scopes = [
        msgspec.structs.replace(
            scope,
            attributes={**scope.attributes, "delegated_administrator": tuple(sorted(found))},
        )
        if scope.kind == "account" and (found := services.get(scope.id))
        else scope
        for scope in facts.scopes
    ]
