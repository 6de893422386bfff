"""Calls about what an organization's management account may do in all its accounts: Identity
Center, the services that the organization trusts, and sessions of root users.

They are made in the management account only. Member accounts are refused most of them, and have
none of the things that they tell of.
https://docs.aws.amazon.com/singlesignon/latest/userguide/organization-instances-identity-center.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from modelreach_aws.call import Call, Where
from modelreach_aws.select import Parameters, over

if TYPE_CHECKING:
    from modelreach_aws.answers import Answer

_SETS: Final = "runtimes:sso:permission-set"
_GROUPS: Final = "runtimes:identitystore:group"
_TRUSTED: Final = "runtimes:organizations:organization"
_ROOTS: Final = "runtimes:organizations:account"
_EACH_SET: Final = over("PermissionSets", PermissionSetArn=".", InstanceArn="^InstanceArn")


def managing(answers: Iterable[Answer], _region: str) -> Iterator[Parameters]:
    """Select one call in the account that manages its organization; and where it was refused to
    say which does."""
    for one in answers:
        if one.call == ("organizations", "DescribeOrganization"):
            manager = ((one.response or {}).get("Organization") or {}).get("MasterAccountId")
            if manager == one.account or one.refused:
                yield {}


def _center(operation: str, feeds: str, kinds: tuple[str, ...], **more: Any) -> Call:
    return Call(
        "sso-admin", operation, f"sso:{operation}", feeds, Where.REGION, kinds=kinds, **more
    )


ORGANIZATION_CALLS: Final[tuple[Call, ...]] = (
    _center("ListInstances", "the instance of Identity Center", (_SETS, _GROUPS), lastly=managing),
    _center(
        "ListPermissionSets",
        "permission sets",
        (_SETS, _GROUPS),
        subject="{InstanceArn}",
        after={"ListInstances": over("Instances", InstanceArn="InstanceArn")},
    ),
    _center(
        "DescribePermissionSet",
        "the name of a permission set, by which its roles are known",
        (_SETS, _GROUPS),
        subject="{PermissionSetArn}",
        after={"ListPermissionSets": _EACH_SET},
    ),
    Call(
        "sso-admin",
        "ListTagsForResource",
        "sso:ListTagsForResource",
        "tags",
        Where.REGION,
        facet="tags",
        subject="{ResourceArn}",
        after={
            "ListPermissionSets": over(
                "PermissionSets", ResourceArn=".", InstanceArn="^InstanceArn"
            )
        },
    ),
    _center(
        "ListAccountsForProvisionedPermissionSet",
        "the accounts in which a permission set has its roles",
        (_SETS, _GROUPS),
        subject="{PermissionSetArn}",
        after={"ListPermissionSets": _EACH_SET},
    ),
    _center(
        "ListAccountAssignments",
        "the groups that get a permission set in an account",
        (_GROUPS,),
        subject="{PermissionSetArn}",
        after={
            "ListAccountsForProvisionedPermissionSet": over(
                "AccountIds",
                AccountId=".",
                PermissionSetArn="^PermissionSetArn",
                InstanceArn="^InstanceArn",
            )
        },
    ),
    Call(
        "organizations",
        "ListAWSServiceAccessForOrganization",
        "organizations:ListAWSServiceAccessForOrganization",
        "the services that the organization trusts, such as sets of stacks",
        Where.ACCOUNT,
        kinds=(_TRUSTED,),
        lastly=managing,
        absent=frozenset({"AWSOrganizationsNotInUseException"}),
    ),
    Call(
        "iam",
        "ListOrganizationsFeatures",
        "iam:ListOrganizationsFeatures",
        "whether root users of member accounts can be acted as",
        Where.ACCOUNT,
        kinds=(_ROOTS,),
        lastly=managing,
        # https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOrganizationsFeatures.html
        absent=frozenset(
            {
                "OrganizationNotFoundException",
                "OrganizationNotFound",
                "ServiceAccessNotEnabledException",
                "ServiceAccessNotEnabled",
            }
        ),
    ),
)
