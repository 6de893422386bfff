"""Account authorization details, typed: the backbone of what is known of an AWS account.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from typing import Any

import msgspec

#: A policy document: decoded, or text that could not be.
Document = Any


class _Detail(msgspec.Struct, frozen=True, rename="pascal"):
    """Base: the provider's field names on the wire, fields that we do not read ignored."""


class Tag(_Detail, frozen=True):
    key: str
    value: str = ""


class Inline(_Detail, frozen=True):
    policy_name: str
    policy_document: Document


class Attached(_Detail, frozen=True):
    policy_arn: str
    policy_name: str = ""


class Boundary(_Detail, frozen=True):
    permissions_boundary_arn: str = ""


class LastUsed(_Detail, frozen=True):
    last_used_date: str = ""
    region: str = ""


class InstanceProfile(_Detail, frozen=True):
    arn: str


class UserDetail(_Detail, frozen=True):
    arn: str
    user_name: str
    user_id: str = ""
    path: str = "/"
    create_date: str = ""
    user_policy_list: tuple[Inline, ...] = ()
    group_list: tuple[str, ...] = ()
    attached_managed_policies: tuple[Attached, ...] = ()
    permissions_boundary: Boundary | None = None
    tags: tuple[Tag, ...] = ()


class GroupDetail(_Detail, frozen=True):
    arn: str
    group_name: str
    group_id: str = ""
    path: str = "/"
    create_date: str = ""
    group_policy_list: tuple[Inline, ...] = ()
    attached_managed_policies: tuple[Attached, ...] = ()


class RoleDetail(_Detail, frozen=True):
    arn: str
    role_name: str
    role_id: str = ""
    path: str = "/"
    create_date: str = ""
    assume_role_policy_document: Document = None
    instance_profile_list: tuple[InstanceProfile, ...] = ()
    role_policy_list: tuple[Inline, ...] = ()
    attached_managed_policies: tuple[Attached, ...] = ()
    permissions_boundary: Boundary | None = None
    tags: tuple[Tag, ...] = ()
    role_last_used: LastUsed | None = None


class PolicyVersion(_Detail, frozen=True):
    version_id: str
    document: Document = None
    is_default_version: bool = False


class PolicyDetail(_Detail, frozen=True):
    arn: str
    policy_name: str = ""
    default_version_id: str = ""
    create_date: str = ""
    policy_version_list: tuple[PolicyVersion, ...] = ()

    @property
    def name(self) -> str:
        """The policy's name; of its ARN where the endpoint leaves it out."""
        return self.policy_name or self.arn.rpartition("/")[2]


class Details(_Detail, frozen=True):
    """All of it."""

    user_detail_list: tuple[UserDetail, ...] = ()
    group_detail_list: tuple[GroupDetail, ...] = ()
    role_detail_list: tuple[RoleDetail, ...] = ()
    policies: tuple[PolicyDetail, ...] = ()


def details(response: dict[str, Any]) -> Details:
    """Give the details of a response. Raises `msgspec.ValidationError`."""
    return msgspec.convert(response, Details)
