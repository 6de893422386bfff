"""Accounts and where they are: the organization, its units, and the policies from above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import AttachmentKind, Scope
from modelreach_aws.answers import Answers
from modelreach_aws.parse.facts import PROVIDER, Facts

_ORGANIZATIONS: Final = "organizations"
_KINDS: Final[dict[str, AttachmentKind]] = {
    "SERVICE_CONTROL_POLICY": "scp",
    "RESOURCE_CONTROL_POLICY": "rcp",
}


@dataclass(slots=True)
class Tree:
    """What is known of the organizations: `parents` and `names` by id, `organization` and
    `management` by account, and for each organization the accounts that read the whole of it."""

    parents: dict[str, str] = field(default_factory=dict[str, str])
    names: dict[str, str] = field(default_factory=dict[str, str])
    organizations: dict[str, str] = field(default_factory=dict[str, str])
    management: dict[str, str] = field(default_factory=dict[str, str])
    members: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def organization_of(self, account: str) -> str:
        """Give the organization of an account, "" where none is known."""
        return self.organizations.get(account, "")


def parse_organization(answers: Answers, facts: Facts) -> Tree:
    """Turn the organization's answers into scopes and attachments; give the tree."""
    tree = _tree(answers, facts)
    _accounts(answers, tree, facts)
    for one, response in answers.of(_ORGANIZATIONS, "ListPolicies"):
        kind = _KINDS.get(str(one.parameters.get("Filter")))
        for policy in response.get("Policies", ()):
            if kind:
                asked = {"PolicyId": policy["Id"]}
                about = answers.response(one, "DescribePolicy", asked).get("Policy", {})
                targets = answers.response(one, "ListTargetsForPolicy", asked)
                _attach(one.account, kind, policy, about.get("Content"), targets, facts)
    return tree


def _attach(
    account: str,
    kind: AttachmentKind,
    policy: dict[str, Any],
    content: object,
    targets: dict[str, Any],
    facts: Facts,
) -> None:
    if content is None:
        return
    for target in targets.get("Targets", ()):
        facts.apply(
            account,
            target["TargetId"],
            kind,
            content,
            name=policy.get("Name", ""),
            policy=policy.get("Arn", ""),
        )


def _tree(answers: Answers, facts: Facts) -> Tree:
    tree = Tree()
    for one, response in answers.of(_ORGANIZATIONS, "DescribeOrganization"):
        organization = response.get("Organization", {})
        name = organization.get("Id", "")
        tree.organizations[one.account] = name
        tree.management[name] = organization.get("MasterAccountId", "")
        _scope(facts, name, "organization", name, "")
    for one, response in answers.of(_ORGANIZATIONS, "ListRoots"):
        for root in response.get("Roots", ()):
            organization = tree.organization_of(one.account)
            tree.members.setdefault(organization, set())
            _scope(facts, root["Id"], "root", root.get("Name", ""), organization)
    for one, response in answers.of(_ORGANIZATIONS, "ListOrganizationalUnitsForParent"):
        for unit in response.get("OrganizationalUnits", ()):
            parent = str(one.parameters["ParentId"])
            _scope(facts, unit["Id"], "organizational-unit", unit.get("Name", ""), parent)
    for one, response in answers.of(_ORGANIZATIONS, "ListAccountsForParent"):
        organization = tree.organization_of(one.account)
        for account in response.get("Accounts", ()):
            tree.parents[account["Id"]] = str(one.parameters["ParentId"])
            tree.names[account["Id"]] = account.get("Name", "")
            tree.organizations.setdefault(account["Id"], organization)
            tree.members.setdefault(organization, set()).add(account["Id"])
    return tree


def _scope(facts: Facts, name: str, kind: str, label: str, parent: str) -> None:
    facts.scopes.append(Scope(id=name, provider=PROVIDER, kind=kind, name=label, parent=parent))


def _accounts(answers: Answers, tree: Tree, facts: Facts) -> None:
    aliases = {
        one.account: alias
        for one, response in answers.of("iam", "ListAccountAliases")
        for alias in response.get("AccountAliases", ())
    }
    issuing = dict(_issuing(answers))
    collected = {one.account for one in answers.all if one.account}
    for account in sorted(collected | tree.organizations.keys()):
        organization = tree.organization_of(account)
        manager = tree.management.get(organization)
        facts.scopes.append(
            Scope(
                id=account,
                provider=PROVIDER,
                kind="account",
                name=aliases.get(account) or tree.names.get(account, ""),
                parent=tree.parents.get(account, organization),
                attributes=attributes(
                    organization=organization,
                    management=(manager == account) if manager else None,
                    **issuing.get(account, {}),
                ),
            )
        )


def _issuing(answers: Answers) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each account that told it with whether it issues identity tokens, and as whom.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
    """
    for one in answers.all:
        if one.call == ("iam", "GetOutboundWebIdentityFederationInfo") and not one.refused:
            told = {"JwtVendingEnabled": False} if one.response is None else one.response
            on, issuer = told.get("JwtVendingEnabled"), told.get("IssuerIdentifier")
            if isinstance(on, bool):
                yield one.account, {"issues_tokens": on, "token_issuer": str(issuer or "")}


def readers(answers: Answers, tree: Tree) -> Iterator[tuple[str, set[str]]]:
    """Give each account that read its whole organization, with the accounts that are in it."""
    refused = {one.account for one in answers.all if one.service == _ORGANIZATIONS and one.refused}
    for one, response in answers.of(_ORGANIZATIONS, "ListRoots"):
        if one.account not in refused and response.get("Roots"):
            yield one.account, tree.members.get(tree.organization_of(one.account), set())
