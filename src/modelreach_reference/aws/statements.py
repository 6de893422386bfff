"""Statements: whether one applies to a request, element by element.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import cast

from modelreach_reference.aws.conditions import conditions_hold
from modelreach_reference.aws.logic import NotUnderstood, Truth, all_hold, ask
from modelreach_reference.aws.principals import Named, named_by, spared_by
from modelreach_reference.aws.request import Request
from modelreach_reference.aws.shapes import as_list, as_object
from modelreach_reference.aws.text import matches, wildcards, with_variables

VERSIONS = ("2012-10-17", "2008-10-17")
ELEMENTS = frozenset(
    {
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
        *("Resource", "NotResource", "Condition"),
    }
)
EFFECTS = ("Allow", "Deny")


class Layer(Enum):
    """Where a policy is attached, which decides what its statements must and may have."""

    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SCP = "service control policy"
    RCP = "resource control policy"
    RESOURCE = "resource policy"
    TRUST = "role trust policy"
    ENDPOINT = "VPC endpoint policy"
    STORE = "policy of a store"


NAMES_PRINCIPALS = frozenset({Layer.RESOURCE, Layer.TRUST, Layer.ENDPOINT, Layer.RCP, Layer.STORE})
ONE_RESOURCE = frozenset({Layer.RESOURCE, Layer.TRUST})
"""Attached to one resource, which is what their statements mean when they name none."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one policy; `elements` is empty if it is not an object at all.

    One whose Effect cannot be read stands for two, one of either effect.
    """

    layer: Layer
    version: str
    effect: str
    elements: Mapping[str, object]
    sid_is_shared: bool = False


def read_document(document: object, layer: Layer) -> Iterator[Statement]:
    """Give the statements of a policy; what is not a policy is one unreadable statement."""
    policy = as_object(document)
    statements = [as_object(item) for item in as_list(policy.get("Statement"))]
    sids = [statement.get("Sid") for statement in statements]
    for statement in statements:
        sid = statement.get("Sid")
        shared = bool(sid) and sids.count(sid) > 1
        for effect in _effects(statement):
            yield Statement(layer, _version(policy), effect, statement, shared)


def _effects(statement: Mapping[str, object]) -> tuple[str, ...]:
    effect = statement.get("Effect")
    return (effect,) if isinstance(effect, str) and effect in EFFECTS else EFFECTS


def _version(policy: Mapping[str, object]) -> str:
    """Give the language version: 2008-10-17 if none is given, "" for a policy AWS would refuse.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
    """
    version = policy.get("Version", "2008-10-17")
    if set(policy) - {"Version", "Id", "Statement"}:
        return ""
    return version if isinstance(version, str) and version in VERSIONS else ""


def applies(statement: Statement, request: Request, *, bounded: bool) -> Truth:
    """Say whether a statement applies to a request: if all of its elements do.

    `bounded` says that the requester has a permissions boundary.
    """
    return all_hold(_elements(statement, request, bounded=bounded))


def is_understood(statement: Statement, request: Request) -> bool:
    """Say whether AWS would have accepted a statement, wherever the request comes in."""
    return None not in _elements(statement, request, bounded=False)


def _elements(statement: Statement, request: Request, *, bounded: bool) -> list[Truth]:
    """Say of every element of a statement, and of every condition, whether it applies."""
    return [
        ask(lambda: _is_well_formed(statement)),
        ask(lambda: _covers_action(statement, request)),
        ask(lambda: _covers_resource(statement, request)),
        ask(lambda: _covers_principal(statement, request, bounded=bounded)),
        *_conditions(statement, request),
    ]


def _is_well_formed(statement: Statement) -> bool:
    """Look at what is not about the request.

    A Sid is text, and the only one of its policy:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
    """
    elements = statement.elements
    if not statement.version or set(elements) - ELEMENTS:
        raise NotUnderstood("an unknown version or element")
    if statement.sid_is_shared or not isinstance(elements.get("Sid", ""), str):
        raise NotUnderstood("a Sid that is not text, or used twice")
    if elements.get("Effect") != statement.effect:
        raise NotUnderstood("an Effect that is neither Allow nor Deny")
    return True


def _covers_action(statement: Statement, request: Request) -> bool:
    """Action names and their prefixes ignore the case, and may have wildcards.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    return _covers(statement.elements, "Action", lambda text: _action_fits(text, request.action))


def _action_fits(text: str, action: str) -> bool:
    if text != "*" and ":" not in text:
        raise NotUnderstood(f"the action `{text}`")
    return matches(wildcards(text.lower()), action.lower())


def _covers_resource(statement: Statement, request: Request) -> bool:
    """Resource ARNs are case-sensitive, may have wildcards, and variables since 2012-10-17.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html
    """
    named = {"Resource", "NotResource"} & set(statement.elements)
    if not named and statement.layer in ONE_RESOURCE:
        return True
    return _covers(
        statement.elements, "Resource", lambda text: _resource_fits(text, statement, request)
    )


def _resource_fits(text: str, statement: Statement, request: Request) -> bool:
    complete = "*" in text or text.count(":") >= 5
    if text != "*" and not (text.startswith("arn:") and complete):
        raise NotUnderstood(f"the resource `{text}`")
    if statement.version != "2012-10-17":
        return matches(wildcards(text), request.resource)
    pattern = with_variables(text, request.context, wild=True)
    return pattern is not None and matches(pattern, request.resource)


def _covers(elements: Mapping[str, object], name: str, fits: Callable[[str], bool]) -> bool:
    """Decide an element of which there is a Not form: exactly one of the two must be there."""
    if (name in elements) == (f"Not{name}" in elements):
        raise NotUnderstood(f"both {name} and Not{name}, or neither")
    listed = _texts(elements.get(name, elements.get(f"Not{name}")))
    if not listed:
        raise NotUnderstood(f"a statement without any {name}")
    fitting = [fits(text) for text in listed]
    return any(fitting) == (name in elements)


def _texts(value: object) -> list[str]:
    items = as_list(value)
    if not all(isinstance(item, str) for item in items):
        raise NotUnderstood("an entry that is not a text")
    return cast("list[str]", items)


def _covers_principal(statement: Statement, request: Request, *, bounded: bool) -> bool:
    """Decide Principal and NotPrincipal.

    Identity policies have neither. NotPrincipal does not go into role trust policies, and with
    Deny always hits who has a permissions boundary. With Allow it is not supported any more; where
    an old policy has it, it lets in everybody but those named:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if "NotPrincipal" not in statement.elements:
        return naming(statement, request) is not Named.NOT
    if "Principal" in statement.elements or statement.layer not in NAMES_PRINCIPALS:
        raise NotUnderstood("a NotPrincipal where none may be")
    if statement.layer in (Layer.TRUST, Layer.RCP):
        raise NotUnderstood("a NotPrincipal where AWS does not support it")
    spared = spared_by(statement.elements["NotPrincipal"], request.principal)
    return (bounded and statement.effect == "Deny") or not spared


def naming(statement: Statement, request: Request) -> Named:
    """Say how closely the Principal element of a statement names the requester.

    The policy of an identity is for that identity. A resource control policy speaks of everyone,
    and the one that AWS attaches by default is often written down without its Principal.
    """
    principal = statement.elements.get("Principal")
    if statement.layer not in NAMES_PRINCIPALS:
        named = statement.elements.get("Principal", "*")
        denies_all = statement.effect == "Deny" and named in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        if "Principal" in statement.elements and not denies_all:
            raise NotUnderstood("a Principal in a policy of an identity")
        return Named.ITSELF
    if principal is None and (
        statement.layer is Layer.RCP or "NotPrincipal" in statement.elements
    ):
        return Named.ITSELF
    named = named_by(principal, request.principal)
    if named is Named.ACCOUNT and _is_gateway(statement, request):
        return Named.NOT
    return named


def _is_gateway(statement: Statement, request: Request) -> bool:
    """Whether the policy is of a gateway endpoint, where an account means its root user only.

    A case does not say of what kind its endpoint is: those of S3 and DynamoDB are taken to be
    gateways, which only these two services have.
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    return statement.layer is Layer.ENDPOINT and request.service in ("s3", "dynamodb")


def _conditions(statement: Statement, request: Request) -> list[Truth]:
    if "Condition" not in statement.elements:
        return []
    return conditions_hold(
        statement.elements["Condition"],
        request.context,
        variables=statement.version == "2012-10-17",
    )
