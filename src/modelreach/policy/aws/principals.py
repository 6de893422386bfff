"""Who a Principal element means, and how it comes to mean a caller.

How matters: in the caller's own account a policy that names the role is limited by the role's
boundary, one that names the session is not, and one that names the account delegates to IAM.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from modelreach.policy.aws.statement import Principals
from modelreach.policy.expr import TRUE, Atom, AtomKind, Expr, any_of


class CallerKind(StrEnum):
    """What makes the request. `ROLE` is a role in any of its sessions."""

    USER = "user"
    ROLE = "role"
    SESSION = "session"
    FEDERATED_USER = "federated user"
    ROOT = "root"
    SERVICE = "service"
    FEDERATED = "federated"
    CANONICAL = "canonical user"
    ANONYMOUS = "anonymous"


class Caller(msgspec.Struct, frozen=True):
    """One principal that makes requests. Build with `Caller.of`.

    `arn` is the principal as policies name it (for services the service name). `name` is the
    role's or user's name without path, `session` the session's name. `role_arn` is that of the
    role behind a session or role. `unique_id` is the AIDA… or AROA… id. `management_account`
    says that the account is the organisation's management account.
    """

    arn: str
    account: str
    kind: CallerKind
    name: str = ""
    session: str = ""
    role_arn: str = ""
    unique_id: str = ""
    service_linked: bool = False
    management_account: bool = False

    @staticmethod
    def of(
        principal: str,
        *,
        unique_id: str = "",
        role_arn: str = "",
        management_account: bool = False,
    ) -> Caller:
        """Take an ARN, a service name, an identity provider, a canonical id or `anonymous`.

        `role_arn` gives the role of a session where it is known: the ARN of a session lacks the
        role's path.
        """
        parts = principal.split(":", 5)
        if parts[0] == "arn" and len(parts) == 6:
            return _of_arn(principal, parts, unique_id, role_arn, management_account)
        if len(principal) == 12 and principal.isdigit():
            root = f"arn:aws:iam::{principal}:root"
            return Caller(root, principal, CallerKind.ROOT, management_account=management_account)
        return Caller(principal, "", _kind_of_name(principal))


_PROVIDERS = {"accounts.google.com", "graph.facebook.com", "www.amazon.com"}


def _kind_of_name(principal: str) -> CallerKind:
    if principal in ("anonymous", "*", ""):
        return CallerKind.ANONYMOUS
    if principal in _PROVIDERS:
        return CallerKind.FEDERATED
    if "." in principal:
        return CallerKind.SERVICE
    return CallerKind.CANONICAL


def _of_arn(
    arn: str, parts: list[str], unique_id: str, role_arn: str, management_account: bool
) -> Caller:
    partition, account = parts[1], parts[4]
    kind, _, rest = parts[5].partition("/")
    name, session = rest.rsplit("/", 1)[-1], ""
    found = _KINDS.get(kind, CallerKind.USER)
    service_linked = False
    if found is CallerKind.SESSION:
        name, _, session = rest.partition("/")
        if not role_arn:  # then the name has to do: the ARN of a session lacks the path
            service_linked = name.startswith("AWSServiceRoleFor")
            role_arn = f"arn:{partition}:iam::{account}:role/{name}"
    elif found is CallerKind.ROLE:
        role_arn = arn
    else:
        role_arn = ""
    # Anybody may choose a path that merely holds this one.
    service_linked = service_linked or ":role/aws-service-role/" in role_arn
    return Caller(
        arn, account, found, name, session, role_arn, unique_id, service_linked, management_account
    )


_KINDS = {
    "user": CallerKind.USER,
    "role": CallerKind.ROLE,
    "assumed-role": CallerKind.SESSION,
    "federated-user": CallerKind.FEDERATED_USER,
    "root": CallerKind.ROOT,
    "oidc-provider": CallerKind.FEDERATED,
    "saml-provider": CallerKind.FEDERATED,
}


class Way(StrEnum):
    """How a Principal element comes to mean the caller, most direct first."""

    SESSION = "session"
    USER = "user"
    SERVICE = "service"
    FEDERATED = "federated"
    ROOT = "root"
    EVERYONE = "everyone"
    ROLE = "role"
    ACCOUNT = "account"


Ways = tuple[tuple[Way, Expr], ...]
_SURE: dict[Way, Ways] = {way: ((way, TRUE),) for way in Way}


def ways(principals: Principals | None, caller: Caller) -> Ways:
    """Give how the element means the caller, with what that depends on; empty if it does not.

    None (no element) means everyone. For NotPrincipal see `spared`.
    """
    if principals is None or principals.everyone:
        return _SURE[Way.EVERYONE]
    named = _named(principals, caller)
    if named is not None and named is not Way.ROLE and named is not Way.ACCOUNT:
        return _SURE[named]
    some = _some_sessions(principals, caller) if caller.kind is CallerKind.ROLE else ()
    return some + (_SURE[named] if named is not None else ())


def spared(principals: Principals, caller: Caller) -> bool:
    """Is the caller one of those whom NotPrincipal spares?

    Naming the account alone spares its root user only. Naming the role spares its sessions: "we
    strongly recommend that you explicitly include [...] both the ARN for a role and the ARN for
    the account containing that role".
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if principals.everyone:
        return True
    named = _named(principals, caller)
    return named is not None and named is not Way.ACCOUNT


def spared_session(principals: Principals, caller: Caller) -> Expr:
    """When is a role, whose session is not fixed, in a session that NotPrincipal spares?"""
    some = _some_sessions(principals, caller) if caller.kind is CallerKind.ROLE else ()
    return any_of(depends for _, depends in some)


def _named(principals: Principals, caller: Caller) -> Way | None:
    match caller.kind:
        case CallerKind.SERVICE:
            if caller.arn.lower() in principals.services:
                return Way.SERVICE
            return Way.FEDERATED if caller.arn in principals.federated else None
        case CallerKind.FEDERATED:
            return Way.FEDERATED if caller.arn in principals.federated else None
        case CallerKind.CANONICAL:
            return Way.ACCOUNT if caller.arn in principals.canonical_users else None
        case CallerKind.ANONYMOUS:
            return None
        case _:
            return _named_in_account(principals.aws, caller) if principals.aws else None


def _named_in_account(names: tuple[str, ...], caller: Caller) -> Way | None:
    found: Way | None = None
    for name in names:
        way = _way_of_name(name, caller)
        if way in (Way.SESSION, Way.USER, Way.ROOT):
            return way
        if way is Way.ROLE or found is None:
            found = way
    return found


def _way_of_name(name: str, caller: Caller) -> Way | None:
    kind = caller.kind
    if name == caller.arn:
        return _OWN[kind]
    if not name.startswith("arn:"):
        if not caller.unique_id or name != caller.unique_id:
            return None
        return Way.USER if kind is CallerKind.USER else Way.ROLE
    parts = name.split(":", 5)
    if len(parts) < 6 or parts[4] != caller.account:
        return None
    if parts[5] == "root":
        return Way.ROOT if kind is CallerKind.ROOT else Way.ACCOUNT
    if kind is CallerKind.SESSION and _is_role(parts[5], caller):
        return Way.ROLE
    return None


_OWN = {
    CallerKind.USER: Way.USER,
    CallerKind.ROLE: Way.ROLE,
    CallerKind.SESSION: Way.SESSION,
    CallerKind.FEDERATED_USER: Way.SESSION,
    CallerKind.ROOT: Way.ROOT,
}


def _is_role(named: str, caller: Caller) -> bool:
    """Is it the role of the session? Role names are unique in an account, whatever the path."""
    return named.startswith("role/") and named.rsplit("/", 1)[-1] == caller.name


def _some_sessions(principals: Principals, caller: Caller) -> Ways:
    """A role whose session is not fixed is meant by the name of a session if it takes it."""
    sessions = [name for name in principals.aws if ":assumed-role/" in name]
    if not sessions:
        return ()
    start = f":{caller.account}:assumed-role/{caller.name}/"
    names = tuple(sorted(name.partition(start)[2] for name in sessions if start in name))
    if not names:
        return ()
    return ((Way.SESSION, Atom(AtomKind.CONTEXT, "sts:RoleSessionName", "StringEquals", names)),)
