"""Which accounts administer a service for the whole organization, and what is theirs by it.

Such an account uses what is of the service as if it were its own. That is said by a policy on the
thing, in AWS's own words, so that both sides have to allow.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_admin.html
"""

from __future__ import annotations

import msgspec

from modelreach_aws.answers import Answers
from modelreach_aws.parse.facts import Facts
from modelreach_aws.parse.organization import Tree
from modelreach_aws.parse.place import Places


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


def let_in(
    owner: str,
    target: str,
    service: str,
    uses: tuple[str, ...],
    places: Places,
    tree: Tree,
    facts: Facts,
) -> None:
    """Say that the accounts which administer a service for the owner's organization may use a
    thing of the owner in these ways."""
    organization, partition = tree.organization_of(owner), places.partition(owner)
    delegated = [
        f"arn:{partition}:iam::{scope.id}:root"
        for scope in facts.scopes
        if service in _services(scope.attributes.get("delegated_administrator"))
        and tree.organization_of(scope.id) == organization
    ]
    if delegated:
        statement = {
            "Sid": "DelegatedAdministrator",
            "Effect": "Allow",
            "Principal": {"AWS": sorted(delegated)},
            "Action": list(uses),
            "Resource": "*",
        }
        document = {"Version": "2012-10-17", "Statement": statement}
        facts.apply(owner, target, "resource", document, name=f"administrators of {service}")


def _services(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()
