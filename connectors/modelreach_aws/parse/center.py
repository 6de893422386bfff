"""What an organization's management account may do in its accounts: permission sets of Identity
Center and who gets them, sets of stacks that the organization deploys, and root users.

Each of them is a runtime of the management account, and what it acts as lies in other accounts.
An account that was made an administrator of the service may use it as if it were its own: that is
said by a policy on the runtime, in AWS's own words.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_admin.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from modelreach.snapshot import Principal, Runtime
from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.compute import add
from modelreach_aws.parse.facts import PROVIDER, Facts
from modelreach_aws.parse.organization import Tree, readers
from modelreach_aws.parse.place import Places

#: Who a service is to the organization, as it trusts it and makes somebody its administrator.
_CENTER: Final = "sso.amazonaws.com"
_STACKS: Final = "member.org.stacksets.cloudformation.amazonaws.com"
_ROOTS: Final = "iam.amazonaws.com"
#: What its administrators do by it.
_USES: Final = {
    _CENTER: ("sso:*", "identitystore:*"),
    _STACKS: ("cloudformation:*",),
    _ROOTS: ("sts:AssumeRoot",),
}
#: https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
_OF_SETS: Final = ":role/aws-reserved/sso.amazonaws.com/"
_SET_PREFIX: Final = "AWSReservedSSO_"
#: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/CloudFormationStackSetsOrgAdminServiceRolePolicy.html
_DEPLOYS: Final = "stacksets-exec-"
_EVERYTHING: Final = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}


@dataclass(slots=True)
class _Roles:
    """The roles that are of a permission set, by account and its name; and those by which sets of
    stacks are deployed, by account."""

    of_sets: dict[tuple[str, str], list[str]] = field(
        default_factory=dict[tuple[str, str], list[str]]
    )
    deploying: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    read: set[str] = field(default_factory=set[str])

    @staticmethod
    def of(principals: Iterable[Principal]) -> _Roles:
        found = _Roles()
        for one in principals:
            if one.kind != "role":
                continue
            found.read.add(one.scope)
            name = one.id.rpartition("/")[2]
            if _OF_SETS in one.id and name.startswith(_SET_PREFIX):
                permission_set = name.removeprefix(_SET_PREFIX).rpartition("_")[0]
                found.of_sets.setdefault((one.scope, permission_set), []).append(one.id)
            elif name.startswith(_DEPLOYS):
                found.deploying.setdefault(one.scope, []).append(one.id)
        return found


def parse_center(answers: Answers, places: Places, tree: Tree, facts: Facts) -> None:
    """Turn what was answered in management accounts into runtimes, and what leads to them."""
    roles = _Roles.of(facts.principals)
    whole = {account for account, _ in readers(answers, tree)}
    without: dict[str, bool] = {}
    for one, response in answers.of("sso-admin", "ListInstances"):
        without.setdefault(one.account, True)
        for entry in response.get("Instances", ()):
            without[one.account] = False
            _Instance(one, entry, answers, places, tree, roles, facts).parse()
    for one, response in answers.of("organizations", "ListAWSServiceAccessForOrganization"):
        trusted = {e.get("ServicePrincipal") for e in response.get("EnabledServicePrincipals", ())}
        if _CENTER in trusted and without.get(one.account):
            _elsewhere(one, facts)
        if _STACKS in trusted:
            _organization(one, places, tree, roles, facts)
            _known(one, "organizations:organization", whole, facts)
    for one, response in answers.of("iam", "ListOrganizationsFeatures"):
        if "RootSessions" in response.get("EnabledFeatures", ()):
            _roots(one, places, tree, facts)
            _known(one, "organizations:account", whole, facts)


@dataclass(frozen=True, slots=True)
class _Instance:
    """One instance of Identity Center, in the account that owns it."""

    place: Answer
    entry: dict[str, Any]
    answers: Answers
    places: Places
    tree: Tree
    roles: _Roles
    facts: Facts

    @property
    def arn(self) -> str:
        return str(self.entry.get("InstanceArn", ""))

    def parse(self) -> None:
        groups: dict[str, list[str]] = {}
        where: set[str] = set()
        asked = {"InstanceArn": self.arn}
        sets = self.answers.response(self.place, "ListPermissionSets", asked)
        for name in sets.get("PermissionSets", ()):
            where |= self._set(str(name), groups)
        _unread(self.place, "sso:permission-set", self.arn, where - self.roles.read, self.facts)
        for group, runs_as in sorted(groups.items()):
            self._group(group, runs_as)

    def _set(self, permission_set: str, groups: dict[str, list[str]]) -> set[str]:
        """A set is its roles in the accounts that it is provisioned to, which are given."""
        asked = {"InstanceArn": self.arn, "PermissionSetArn": permission_set}
        about = self.answers.response(self.place, "DescribePermissionSet", asked)
        entry = about.get("PermissionSet") or {}
        name = str(entry.get("Name", ""))
        listed = self.answers.response(
            self.place, "ListAccountsForProvisionedPermissionSet", asked
        )
        where = {str(account) for account in listed.get("AccountIds", ())}
        runs_as: list[str] = []
        for account in sorted(where):
            found = self.roles.of_sets.get((account, name), [])
            runs_as += found
            for group in self._assigned({**asked, "AccountId": account}):
                groups.setdefault(group, []).extend(found)
        add(
            self.facts,
            self.place,
            permission_set,
            "sso:permission-set",
            name,
            runs_as=tuple(sorted(runs_as)),
            tags=self._tags(permission_set),
            created=entry.get("CreatedDate"),
            instance=self.arn,
        )
        # https://docs.aws.amazon.com/singlesignon/latest/userguide/delegated-admin.html
        if self.place.account not in where:
            _delegate(self.place, permission_set, _CENTER, self.places, self.tree, self.facts)
        return where

    def _tags(self, permission_set: str) -> object:
        asked = {"InstanceArn": self.arn, "ResourceArn": permission_set}
        return self.answers.response(self.place, "ListTagsForResource", asked).get("Tags")

    def _assigned(self, asked: dict[str, str]) -> Iterator[str]:
        response = self.answers.response(self.place, "ListAccountAssignments", asked)
        for entry in response.get("AccountAssignments", ()):
            if entry.get("PrincipalType") == "GROUP":
                yield str(entry.get("PrincipalId", ""))

    def _group(self, group: str, runs_as: list[str]) -> None:
        partition = self.places.partition(self.place.account)
        arn = f"arn:{partition}:identitystore:::group/{group}"
        store = self.entry.get("IdentityStoreId", "")
        owner = self.place.account
        add(
            self.facts,
            self.place,
            arn,
            "identitystore:group",
            group,
            runs_as=tuple(sorted(set(runs_as))),
            store=f"arn:{partition}:identitystore::{owner}:identitystore/{store}",
        )
        _delegate(self.place, arn, _CENTER, self.places, self.tree, self.facts)


def _unread(one: Answer, kind: str, subject: str, accounts: set[str], facts: Facts) -> None:
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


def _elsewhere(one: Answer, facts: Facts) -> None:
    """Say that there is an instance of Identity Center, which only its region tells of, and that
    it is in none that was read.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/regions.html
    """
    for kind in ("sso:permission-set", "identitystore:group"):
        facts.gap(
            one.account,
            f"runtimes:{kind}",
            "not-collected",
            operation="sso-admin:ListInstances",
            message="the organization trusts Identity Center, and no region that was read has its "
            "instance: read that one, too",
        )


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


def _organization(one: Answer, places: Places, tree: Tree, roles: _Roles, facts: Facts) -> None:
    """Where the organization trusts sets of stacks, its management account deploys what it likes
    in every other account.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-activate-trusted-access.html
    """
    members = sorted(_members(one, tree))
    runs_as = tuple(sorted(r for account in members for r in roles.deploying.get(account, ())))
    organization = tree.organization_of(one.account)
    partition = places.partition(one.account)
    arn = f"arn:{partition}:organizations::{one.account}:organization/{organization}"
    add(facts, one, arn, "organizations:organization", organization, runs_as=runs_as)
    _delegate(one, arn, _STACKS, places, tree, facts)
    _unread(one, "organizations:organization", arn, {*members} - roles.read, facts)
    facts.runtimes = [
        _deploying(runtime, one, runs_as)
        if runtime.kind == "cloudformation:stack-set" and runtime.scope == one.account
        else runtime
        for runtime in facts.runtimes
    ]
    for runtime in facts.runtimes:
        if _is_deployed(runtime, one):
            _delegate(one, runtime.id, _STACKS, places, tree, facts)


def _is_deployed(runtime: Runtime, one: Answer) -> bool:
    managed = runtime.attributes.get("permission_model") == "SERVICE_MANAGED"
    return bool(managed and runtime.scope == one.account)


def _deploying(runtime: Runtime, one: Answer, runs_as: tuple[str, ...]) -> Runtime:
    if not _is_deployed(runtime, one):
        return runtime
    return msgspec.structs.replace(runtime, identities=runs_as)


def _roots(one: Answer, places: Places, tree: Tree, facts: Facts) -> None:
    """The root user of each member account, as whom the management account may do single tasks. It
    needs no policy; what the organization forbids its account, it is forbidden, too.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    partition = places.partition(one.account)
    organization = tree.organization_of(one.account)
    for account in sorted(_members(one, tree)):
        root = f"arn:{partition}:iam::{account}:root"
        facts.principals.append(
            Principal(id=root, provider=PROVIDER, kind="root", scope=account, name="root user")
        )
        facts.apply(account, root, "identity", _EVERYTHING, name="what a root user may do")
        arn = f"arn:{partition}:organizations::{one.account}:account/{organization}/{account}"
        name = tree.names.get(account, account)
        add(facts, one, arn, "organizations:account", name, runs_as=(root,))
        _delegate(one, arn, _ROOTS, places, tree, facts)


def _members(one: Answer, tree: Tree) -> set[str]:
    return tree.members.get(tree.organization_of(one.account), set()) - {one.account}


def _delegate(
    one: Answer, target: str, service: str, places: Places, tree: Tree, facts: Facts
) -> None:
    """Say that accounts which administer a service for the organization have what is its."""
    organization = tree.organization_of(one.account)
    partition = places.partition(one.account)
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
            "Action": list(_USES[service]),
            "Resource": "*",
        }
        document = {"Version": "2012-10-17", "Statement": statement}
        facts.apply(one.account, target, "resource", document, name=f"administrators of {service}")


def _services(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()
