"""What an organization's management account may do in its members: deploy sets of stacks, and act
as their root users.

Each is a runtime of the management account, and what it acts as lies in the members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from modelreach.snapshot import Principal, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.compute import add
from modelreach_aws.parse.delegated import let_in
from modelreach_aws.parse.facts import PROVIDER, Facts
from modelreach_aws.parse.organization import Tree, readers
from modelreach_aws.parse.place import Places

#: Who a service is to the organization, as it trusts it and makes somebody its administrator; and
#: what administrators do by it.
_STACKS: Final = "member.org.stacksets.cloudformation.amazonaws.com"
_DEPLOYING: Final = ("cloudformation:*",)
_ROOTS: Final = "iam.amazonaws.com"
_OPENING: Final = ("sts:AssumeRoot",)
#: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/CloudFormationStackSetsOrgAdminServiceRolePolicy.html
_DEPLOYS: Final = "stacksets-exec-"
_EVERYTHING: Final = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}


@dataclass(slots=True)
class ReadRoles:
    """Roles of other accounts by account and by what they are of; and the accounts of which any
    role was read."""

    named: dict[tuple[str, str], list[str]] = field(
        default_factory=dict[tuple[str, str], list[str]]
    )
    read: set[str] = field(default_factory=set[str])

    @staticmethod
    def of(principals: Iterable[Principal], name: Callable[[str], str]) -> ReadRoles:
        """Take all principals, and what gives of a role what it is of ("" for nothing)."""
        found = ReadRoles()
        for one in principals:
            if one.kind == "role":
                found.read.add(one.scope)
                if told := name(one.id):
                    found.named.setdefault((one.scope, told), []).append(one.id)
        return found


def trusted(answers: Answers) -> Iterator[tuple[Answer, set[str]]]:
    """Give the services that organizations trust, each with the management account's answer."""
    for one, response in answers.of("organizations", "ListAWSServiceAccessForOrganization"):
        listed = response.get("EnabledServicePrincipals", ())
        yield one, {str(entry.get("ServicePrincipal")) for entry in listed}


def unread(one: Answer, kind: str, subject: str, accounts: set[str], facts: Facts) -> None:
    """Say of accounts into which something leads that their roles were not read."""
    if accounts:
        some = ", ".join(sorted(accounts)[:3]) + (", …" if len(accounts) > 3 else "")
        facts.gap(
            one.account,
            f"runtimes:{kind}",
            "not-collected",
            region=one.region,
            subject=subject,
            message=f"its roles in {some} were not read: collect these accounts, too",
        )


def parse_members(answers: Answers, places: Places, tree: Tree, facts: Facts) -> None:
    """Turn what management accounts answered of their organization into runtimes."""
    roles = ReadRoles.of(facts.principals, _deploying)
    whole = {account for account, _ in readers(answers, tree)}
    _deployed(places, tree, roles, facts)
    for one, services in trusted(answers):
        if _STACKS in services:
            _organization(one, places, tree, roles, facts)
            _known(one, "organizations:organization", whole, facts)
    for one, response in answers.of("iam", "ListOrganizationsFeatures"):
        if "RootSessions" in response.get("EnabledFeatures", ()):
            _roots(one, places, tree, facts)
            _known(one, "organizations:account", whole, facts)


def _deploying(role: str) -> str:
    return _DEPLOYS if role.rpartition("/")[2].startswith(_DEPLOYS) else ""


def _members(account: str, tree: Tree) -> set[str]:
    return tree.members.get(tree.organization_of(account), set()) - {account}


def _deploying_in(account: str, tree: Tree, roles: ReadRoles) -> tuple[str, ...]:
    """Give the roles by which the organization of an account deploys stacks in its members."""
    found = (roles.named.get((one, _DEPLOYS), ()) for one in _members(account, tree))
    return tuple(sorted(role for some in found for role in some))


def _deployed(places: Places, tree: Tree, roles: ReadRoles, facts: Facts) -> None:
    """Sets of stacks that the organization deploys act by the roles in its members.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html#stacksets-concepts-stackset-permission-models
    """

    def acting(runtime: Runtime) -> Runtime:
        if runtime.attributes.get("permission_model") != "SERVICE_MANAGED":
            return runtime
        let_in(runtime.scope, runtime.id, _STACKS, _DEPLOYING, places, tree, facts)
        runs_as = _deploying_in(runtime.scope, tree, roles)
        return msgspec.structs.replace(runtime, identities=runs_as)

    facts.runtimes = [
        acting(one) if one.kind == "cloudformation:stack-set" else one for one in facts.runtimes
    ]


def _known(one: Answer, kind: str, whole: set[str], facts: Facts) -> None:
    """Say where it was not read which accounts are members."""
    if one.account not in whole:
        facts.gap(
            one.account,
            f"runtimes:{kind}",
            "not-collected",
            operation="organizations:ListAccountsForParent",
            permission="organizations:ListAccountsForParent",
            message="which accounts are members of the organization was not read",
        )


def _organization(one: Answer, places: Places, tree: Tree, roles: ReadRoles, facts: Facts) -> None:
    """Where the organization trusts sets of stacks, its management account deploys what it likes
    in every other account.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-activate-trusted-access.html
    """
    runs_as = _deploying_in(one.account, tree, roles)
    organization = tree.organization_of(one.account)
    partition = places.partition(one.account)
    arn = f"arn:{partition}:organizations::{one.account}:organization/{organization}"
    add(facts, one, arn, "organizations:organization", organization, runs_as=runs_as)
    let_in(one.account, arn, _STACKS, _DEPLOYING, places, tree, facts)
    without = _members(one.account, tree) - roles.read
    unread(one, "organizations:organization", arn, without, facts)


def _roots(one: Answer, places: Places, tree: Tree, facts: Facts) -> None:
    """The root user of each member account, as whom the management account may do single tasks. It
    needs no policy; what the organization forbids its account, it is forbidden, too.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    partition = places.partition(one.account)
    organization = tree.organization_of(one.account)
    for account in sorted(_members(one.account, tree)):
        root = f"arn:{partition}:iam::{account}:root"
        facts.principals.append(
            Principal(id=root, provider=PROVIDER, kind="root", scope=account, name="root user")
        )
        facts.apply(account, root, "identity", _EVERYTHING, name="what a root user may do")
        arn = f"arn:{partition}:organizations::{one.account}:account/{organization}/{account}"
        name = tree.names.get(account, account)
        add(facts, one, arn, "organizations:account", name, runs_as=(root,))
        let_in(one.account, arn, _ROOTS, _OPENING, places, tree, facts)
