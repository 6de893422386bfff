"""Identity Center: its permission sets, and the groups that get them.

Each is a runtime of the account that owns the instance, which manages the organization. What it
acts as, the roles of the sets, lies in other accounts.
https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from modelreach_aws.answers import Answer, Answers
from modelreach_aws.parse.compute import add
from modelreach_aws.parse.delegated import let_in
from modelreach_aws.parse.facts import Facts
from modelreach_aws.parse.members import ReadRoles, trusted, unread
from modelreach_aws.parse.organization import Tree
from modelreach_aws.parse.place import Places

_CENTER: Final = "sso.amazonaws.com"
#: What administrators of it do by it.
_USES: Final = ("sso:*", "identitystore:*")
#: https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
_OF_SETS: Final = ":role/aws-reserved/sso.amazonaws.com/"
_PREFIX: Final = "AWSReservedSSO_"


def parse_center(answers: Answers, places: Places, tree: Tree, facts: Facts) -> None:
    """Turn what instances of Identity Center answered into runtimes, and who may use them."""
    roles = ReadRoles.of(facts.principals, _set_of)
    without: dict[str, bool] = {}
    for one, response in answers.of("sso-admin", "ListInstances"):
        without.setdefault(one.account, True)
        for entry in response.get("Instances", ()):
            without[one.account] = False
            _Instance(one, entry, answers, places, tree, roles, facts).parse()
    for one, services in trusted(answers):
        if _CENTER in services and without.get(one.account):
            _elsewhere(one, facts)


def _set_of(role: str) -> str:
    """Give the name of the permission set that a role is of; "" for none."""
    name = role.rpartition("/")[2]
    if _OF_SETS not in role or not name.startswith(_PREFIX):
        return ""
    return name.removeprefix(_PREFIX).rpartition("_")[0]


@dataclass(frozen=True, slots=True)
class _Instance:
    """One instance of Identity Center, in the account that owns it."""

    place: Answer
    entry: dict[str, Any]
    answers: Answers
    places: Places
    tree: Tree
    roles: ReadRoles
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
        unread(self.place, "sso:permission-set", self.arn, where - self.roles.read, self.facts)
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
            found = self.roles.named.get((account, name), ())
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
            self._let_in(permission_set)
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
        self._let_in(arn)

    def _let_in(self, arn: str) -> None:
        owner, where = self.place.account, (self.places, self.tree)
        let_in(owner, arn, _CENTER, _USES, *where, self.facts)


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
