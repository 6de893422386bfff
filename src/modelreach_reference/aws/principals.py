"""The Principal and NotPrincipal elements: whom they name, and how closely.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import cast

from modelreach_reference.aws.logic import NotUnderstood
from modelreach_reference.aws.request import IN_AN_ACCOUNT, Principal, PrincipalKind
from modelreach_reference.aws.shapes import as_list

PRINCIPAL_TYPES = frozenset({"AWS", "Federated", "Service", "CanonicalUser"})


class Named(IntEnum):
    """How closely a Principal element names the requester; the closer, the less limits it.

    ACCOUNT: names the account, which may then let its identities have it by their own policies.
    ROLE: names the role behind the session, so that what limits the role limits the grant.
    ITSELF: names the very principal of the request, or everyone.
    """

    NOT = 0
    ACCOUNT = 1
    ROLE = 2
    ITSELF = 3


def named_by(element: object, principal: Principal) -> Named:
    """Say how closely a Principal element names a principal: the closest of its entries."""
    if element == "*":
        return Named.ITSELF
    return max(
        (_named_by_entry(kind, entry, principal) for kind, entry in entries(element)),
        default=Named.NOT,
    )


def entries(element: object) -> list[tuple[str, str]]:
    """Give the entries of a Principal element with their types.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    if isinstance(element, str) and element.startswith("arn:"):
        # The grammar has an object here; a name by itself can only mean one thing.
        element = {"AWS": element}
    if not isinstance(element, Mapping) or not element:
        raise NotUnderstood("a Principal that is neither a name nor an object")
    found: list[tuple[str, str]] = []
    for kind, value in cast("Mapping[str, object]", element).items():
        found.extend((kind, _entry(kind, name)) for name in as_list(value))
    return found


def _entry(kind: str, name: object) -> str:
    """Check one entry: `*` is everyone, but only of type AWS, and never a part of a name."""
    if kind not in PRINCIPAL_TYPES or not isinstance(name, str) or not name:
        raise NotUnderstood(f"a principal of type `{kind}`")
    if ("*" in name or "?" in name) and (kind, name) != ("AWS", "*"):
        raise NotUnderstood(f"a wildcard within the principal `{name}`")
    return name.lower() if kind == "Service" else name


def _named_by_entry(kind: str, entry: str, principal: Principal) -> Named:
    match kind:
        case "AWS":
            return _named_by_aws(entry, principal)
        case "Service":
            return _itself_if(principal.kind is PrincipalKind.SERVICE, entry, principal)
        case "Federated":
            return _itself_if(
                principal.kind in (PrincipalKind.FEDERATED, PrincipalKind.SERVICE),
                entry,
                principal,
            )
        case _:
            return _itself_if(principal.kind is PrincipalKind.FEDERATED, entry, principal)


def _itself_if(right_kind: bool, entry: str, principal: Principal) -> Named:
    """Name whoever is in no account: services, providers, and accounts by their canonical id.

    Amazon Cognito is a provider whose name is a service's.
    """
    service = principal.kind is PrincipalKind.SERVICE
    name = principal.name.lower() if service else principal.name
    return Named.ITSELF if right_kind and entry == name else Named.NOT


def _named_by_aws(entry: str, principal: Principal) -> Named:
    """Say how closely an entry of type AWS names a principal.

    `{"AWS": "*"}` is the same as `*`. An account is named by its number or as its root. AWS keeps
    users and roles by unique ids like AROA...; those of deleted ones stay, and name nobody.
    """
    if entry == "*":
        return Named.ITSELF
    if principal.kind not in IN_AN_ACCOUNT:
        return Named.NOT
    of_role = principal.role_name is not None
    if _is_role(entry, principal) or (of_role and entry == principal.unique_id):
        return Named.ROLE
    if entry in (principal.name, principal.unique_id):
        return Named.ITSELF
    if _is_account(entry, principal):
        return Named.ITSELF if principal.kind is PrincipalKind.ROOT else Named.ACCOUNT
    return Named.NOT


def _is_account(entry: str, principal: Principal) -> bool:
    partition = principal.name.split(":")[1]
    return entry in (principal.account, f"arn:{partition}:iam::{principal.account}:root")


def _is_role(entry: str, principal: Principal) -> bool:
    """Say whether an entry names the role that the principal is, or is a session of.

    Without the path of the role the name has to do: it is unique in its account.
    """
    if principal.role_arn:
        return entry == principal.role_arn
    role = principal.role_name
    if role is None:
        return False
    partition = principal.name.split(":")[1]
    roles = f"arn:{partition}:iam::{principal.account}:role/"
    return entry.startswith(roles) and entry.split("/")[-1] == role


def spared_by(element: object, principal: Principal) -> bool:
    """Say whether a NotPrincipal element lists the requester: by itself or by its role.

    The account alone does not spare its users and roles. AWS recommends listing it as well, and
    says that without it the deny "might" hit the account: here it does not.
    """
    return named_by(element, principal) >= Named.ROLE
