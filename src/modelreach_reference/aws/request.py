"""The request of a policy case: who wants to do what to which resource, in which context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import cast

from modelreach_reference.aws.text import Context


class MalformedRecord(ValueError):
    """The record is not a policy case, so that there is no question to answer."""


class PrincipalKind(Enum):
    """What a requester can be.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """

    ROOT = "account root user"
    USER = "IAM user"
    ROLE = "IAM role"
    ROLE_SESSION = "assumed-role session"
    USER_SESSION = "federated user session"
    FEDERATED = "identity that an OIDC or SAML provider vouches for"
    SERVICE = "AWS service"
    ANONYMOUS = "nobody known"


IN_AN_ACCOUNT = frozenset(
    {
        PrincipalKind.ROOT,
        PrincipalKind.USER,
        PrincipalKind.ROLE,
        PrincipalKind.ROLE_SESSION,
        PrincipalKind.USER_SESSION,
    }
)
"""Who has an account, and with it identity policies and service control policies."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the name as the record has it, and for an ARN its account and last part.

    `role_arn` is the role that is, or is behind, this principal, if its path is known.
    """

    kind: PrincipalKind
    name: str
    account: str = ""
    path: str = ""
    unique_id: str = ""
    role_arn: str = ""

    @property
    def role_name(self) -> str | None:
        """The name of that role, whose path may not be known.

        A role name is unique in its account whatever its path, and a session ARN has no path:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
        """
        if self.kind is PrincipalKind.ROLE:
            return self.path.split("/")[-1]
        if self.kind is PrincipalKind.ROLE_SESSION:
            return self.path.split("/")[1]
        return None

    @property
    def is_service_linked(self) -> bool:
        """Whether this is a service-linked role.

        Their path is reserved. A session does not show it, but their names are alike as well:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
        """
        if self.role_arn:
            return ":role/aws-service-role/" in self.role_arn
        return self.path.startswith("assumed-role/AWSServiceRoleFor")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; what `context` does not have is not in the request."""

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Context

    @property
    def same_account(self) -> bool:
        """Whether requester and resource are in one account."""
        return self.principal.account == self.resource_account

    @property
    def service(self) -> str:
        """The service prefix of the action, in lower case."""
        return self.action.split(":")[0].lower()

    @property
    def is_about_trust(self) -> bool:
        """Whether the policy of the resource is the trust policy of a role.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
        """
        return self.service == "sts" and self._is_for("iam", "role/")

    @property
    def is_for_contents(self) -> bool:
        """Is it for what a store holds, of which the store itself decides, too?"""
        service, _, verb = self.action.lower().partition(":")
        match service:
            case "es":
                return verb.startswith("eshttp") or verb == "escrossclusterget"
            case "aoss":
                return verb == "apiaccessall"
            case _:
                return service == "rds-data"

    @property
    def needs_resource_policy(self) -> bool:
        """Whether nobody gets at the resource whom its own policy does not allow: roles and keys.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
        https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
        """
        return self.is_about_trust or self._is_for("kms", "key/")

    def _is_for(self, service: str, prefix: str) -> bool:
        parts = self.resource.split(":", 5)
        return len(parts) == 6 and parts[2] == service and parts[5].startswith(prefix)


def read_request(record: Mapping[str, object]) -> Request:
    """Read the request of a record; raise `MalformedRecord` if it has none."""
    request = _mapping(record.get("request"), "request")
    settings = _mapping(record.get("settings") or {}, "settings")
    principal = _with_settings(read_principal(_text(request, "principal")), settings)
    resource = _text(request, "resource")
    account = request.get("resource_account")
    return Request(
        principal=principal,
        action=_text(request, "action"),
        resource=resource,
        resource_account=str(account) if account else _account_of(resource, principal),
        context=read_context(_mapping(request.get("context") or {}, "context")),
    )


def _with_settings(principal: Principal, settings: Mapping[str, object]) -> Principal:
    """Add what the name does not say: the path of a session's role, and the unique id.

    Only users and roles have one by which policies name them:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    """
    unique_id, role_arn = settings.get("unique_id"), settings.get("role_arn")
    if principal.kind is PrincipalKind.ROLE:
        role_arn = principal.name
    has_id = principal.kind is PrincipalKind.USER or principal.role_name is not None
    return replace(
        principal,
        unique_id=unique_id if has_id and isinstance(unique_id, str) else "",
        role_arn=role_arn if isinstance(role_arn, str) else "",
    )


def read_principal(name: str) -> Principal:
    """Say what kind of principal a name is."""
    if name == "anonymous":
        return Principal(PrincipalKind.ANONYMOUS, name)
    if not name.startswith("arn:"):
        service = name.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        return Principal(PrincipalKind.SERVICE if service else PrincipalKind.FEDERATED, name)
    parts = name.split(":", 5)
    if len(parts) < 6:
        raise MalformedRecord(f"the principal `{name}` is not an ARN")
    kind = _kind_of_arn(parts[2], parts[5])
    if kind is None:
        raise MalformedRecord(f"the principal `{name}` is of no known kind")
    return Principal(kind, name, parts[4], parts[5])


def _kind_of_arn(service: str, path: str) -> PrincipalKind | None:
    if path == "root":
        return PrincipalKind.ROOT
    segments = path.split("/")
    if "" in segments:
        return None
    match (service, segments):
        case ("iam", ["user", _, *_]):
            return PrincipalKind.USER
        case ("iam", ["role", _, *_]):
            return PrincipalKind.ROLE
        case ("sts", ["assumed-role", _, _]):
            return PrincipalKind.ROLE_SESSION
        case ("sts", ["federated-user", _]):
            return PrincipalKind.USER_SESSION
        case ("iam", ["oidc-provider" | "saml-provider", _, *_]):
            return PrincipalKind.FEDERATED
        case _:
            return None


def _account_of(resource: str, principal: Principal) -> str:
    """Give the account that the ARN names; an ARN without one is taken for the caller's own."""
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4] else principal.account


def read_context(context: Mapping[str, object]) -> Context:
    """Read the context; key names are not case-sensitive, a key without values is absent.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
    """
    read = {key.lower(): _values(value) for key, value in context.items()}
    return {key: values for key, values in read.items() if values}


def _values(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        items = cast("Iterable[object]", value)
        return tuple(text for item in items for text in _values(item))
    return (scalar(value),)


def scalar(value: object) -> str:
    """Give a string, number or Boolean as policies write it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            raise MalformedRecord("a context value is neither text, number, Boolean nor a list")


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise MalformedRecord(f"`{what}` is not an object")
    return cast("Mapping[str, object]", value)


def _text(request: Mapping[str, object], key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str):
        raise MalformedRecord(f"`{key}` is not a text")
    return value
