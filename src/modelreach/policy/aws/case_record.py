"""Reads a policy case: a request, its policies, and what is expected of the decision.

Cases are written by people and by other engines' exporters. Missing fields mean nothing, and
values are taken in the shapes that are met: one policy for a list of one, `{name, policy}` for a
policy, numbers and booleans for texts. Fields of a request or of policies that are not known are
told, for what they were to say is missing from the question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, cast

import msgspec

from modelreach.model import InputError
from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.layers import AppliedPolicy, Inner, KeyGrant, Layers, Policies
from modelreach.policy.aws.principals import Caller
from modelreach.policy.aws.services import TRUST_ACTIONS
from modelreach.policy.decision import Layer

Record = Mapping[str, Any]


class Mode(StrEnum):
    """What a case asks.

    STRICT: the context is exactly the one given. EXISTS: is there a context, given the keys that
    are given? DISCOVERY: is there a context at all? Only keys that the settings name as strict
    are then taken as given; the others fill policy variables in, but settle no condition.
    """

    STRICT = "strict"
    EXISTS = "exists"
    DISCOVERY = "discovery"


class Expected(StrEnum):
    """What a case expects. DENY stands for either kind."""

    ALLOW = "allow"
    DENY = "deny"
    IMPLICIT_DENY = "implicit_deny"
    EXPLICIT_DENY = "explicit_deny"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


class Case(msgspec.Struct, frozen=True):
    """One policy case, read."""

    id: str
    name: str
    mode: Mode
    caller: Caller
    action: str
    resource: str
    resource_account: str
    layers: Layers
    context: Mapping[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict[str, tuple[str, ...]]
    )
    strict_keys: tuple[str, ...] = ()
    constraints: tuple[object, ...] = ()
    expected: Expected | None = None
    skip: bool = False
    scored: bool = True
    wildcard_only: bool = False
    not_read: tuple[str, ...] = ()
    misread: tuple[str, ...] = ()


def read_case(line: str | bytes, number: int) -> Case | None:
    """Take a line of a case file; give the case, or None for a blank line.

    Raises InputError for a line that is no JSON object or lacks principal, action or resource.
    """
    if not line.strip():
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("is not JSON", place=f"line {number}") from error
    if not isinstance(record, dict):
        raise InputError("is not a JSON object", place=f"line {number}")
    return _case(cast("Record", record), f"line {number}")


def _case(record: Record, place: str) -> Case:
    request, settings = _object(record.get("request")), _object(record.get("settings"))
    action = _text(request.get("action"))
    caller = Caller.of(
        _principal(request.get("principal"), place),
        unique_id=_text(settings.get("unique_id")),
        role_arn=_text(settings.get("role_arn")),
        management_account=settings.get("management_account") is True,
    )
    resource, account = _resource(request, place)
    if not action:
        raise InputError("the request has no action", place=place)
    return Case(
        id=_text(record.get("id")) or place,
        name=_text(record.get("name")),
        mode=_mode(record.get("mode")),
        caller=caller,
        action=action,
        resource=resource,
        resource_account=account or caller.account,
        layers=_layers(_object(record.get("policies")), settings, action),
        context=_without_tags(_context(request.get("context")), action, settings),
        strict_keys=_strict_keys(settings),
        constraints=tuple(_list(record.get("constraints"))),
        expected=_expected(record.get("expected")),
        skip=bool(record.get("skip")),
        scored=not record.get("exclude_from_score") and not record.get("disputed"),
        wildcard_only=request.get("wildcard_only") is True,
        not_read=tuple(_not_read(record)),
        misread=tuple(_misread(record)),
    )


_REQUEST = {"principal", "action", "resource", "resource_account", "context", "wildcard_only"}
_POLICIES = {
    *("identity", "resource", "boundaries", "scps", "rcps", "session", "endpoint"),
    *("grants", "acl", "store"),
}


def _not_read(record: Record) -> Iterator[str]:
    """Name the fields that say nothing where they stand."""
    for name, known in (("request", _REQUEST), ("policies", _POLICIES)):
        yield from (f"{name}.{key}" for key in sorted(_object(record.get(name)).keys() - known))
    yield from sorted(record.keys() & (_REQUEST | _POLICIES))


def _misread(record: Record) -> Iterator[str]:
    """Say what of the mode and of what is expected is none of the words for it."""
    mode, expected = record.get("mode"), record.get("expected")
    if mode and _text(mode).lower() not in set(Mode):
        yield f"mode is `{mode}`, not one of {', '.join(Mode)}"
    if expected and _expected(expected) is None:
        yield f"expected is `{expected}`, not one of {', '.join(Expected)}"


def _object(value: object) -> Record:
    return cast("Record", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    if value is None:
        return []
    return cast("list[object]", value) if isinstance(value, list) else [value]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mode(value: object) -> Mode:
    try:
        return Mode(_text(value).lower() or Mode.STRICT)
    except ValueError:
        return Mode.STRICT


_EXPECTED = {
    "allow": Expected.ALLOW,
    "allowed": Expected.ALLOW,
    "deny": Expected.DENY,
    "denied": Expected.DENY,
    "implicitdeny": Expected.IMPLICIT_DENY,
    "implicitlydenied": Expected.IMPLICIT_DENY,
    "explicitdeny": Expected.EXPLICIT_DENY,
    "explicitlydenied": Expected.EXPLICIT_DENY,
    "conditional": Expected.CONDITIONAL,
    "unknown": Expected.UNKNOWN,
}


def _expected(value: object) -> Expected | None:
    return _EXPECTED.get(re.sub(r"[^a-z]", "", _text(value).lower()))


def _principal(value: object, place: str) -> str:
    for inner in _object(value).values():
        value = inner
    named = _text(value)
    if not named:
        raise InputError("the request has no principal", place=place)
    return named


def _resource(request: Record, place: str) -> tuple[str, str]:
    """Give the resource's ARN (`*` where the action has none) and its account."""
    written = request.get("resource")
    inside = _object(written)
    arn = _text(inside.get("resource") or inside.get("arn")) if inside else _text(written)
    account = request.get("resource_account") or inside.get("accountId")
    owner = str(account) if isinstance(account, str | int) else ""
    if request.get("wildcard_only") is True:
        return "*", owner
    if not arn:
        raise InputError("the request has no resource", place=place)
    parts = arn.split(":", 5)
    return arn, owner or (parts[4] if len(parts) == 6 and parts[4].isdigit() else "")


# --- context -------------------------------------------------------------------------------


def _context(written: object) -> dict[str, tuple[str, ...]]:
    """Take an object, or a list of entries as the IAM policy simulator takes them."""
    if isinstance(written, dict):
        pairs: Iterable[tuple[object, object]] = cast("dict[object, object]", written).items()
    else:
        entries = [_object(entry) for entry in _list(written)]
        pairs = [(one.get("ContextKeyName"), one.get("ContextKeyValues")) for one in entries]
    return {
        key: tuple(_scalar(one) for one in _list(value))
        for key, value in pairs
        if isinstance(key, str) and value is not None
    }


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _without_tags(
    context: dict[str, tuple[str, ...]], action: str, settings: Record
) -> dict[str, tuple[str, ...]]:
    """Tags of a bucket are no condition keys unless the bucket has ABAC enabled.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
    """
    if not action.lower().startswith("s3:") or _find(settings, "abac") is not False:
        return context
    return {
        key: value
        for key, value in context.items()
        if not key.lower().startswith(("aws:resourcetag/", "s3:buckettag/"))
    }


def _find(settings: Record, word: str) -> object:
    """Give the setting whose name has the word in it, at the top or one level below."""
    for name, value in settings.items():
        if word in name.lower():
            return value
        for inner_name, inner in _object(value).items():
            if word in inner_name.lower():
                return inner
    return None


def _strict_keys(settings: Record) -> tuple[str, ...]:
    return tuple(key for key in _list(_find(settings, "strict")) if isinstance(key, str))


# --- policies ------------------------------------------------------------------------------


def _layers(policies: Record, settings: Record, action: str) -> Layers:
    layer = Layer.TRUST if action.lower() in TRUST_ACTIONS else Layer.RESOURCE
    return Layers(
        identity=_applied(policies.get("identity"), Layer.IDENTITY),
        resource=_applied(policies.get("resource"), layer),
        boundaries=_applied(policies.get("boundaries"), Layer.BOUNDARY),
        scps=_levels(policies.get("scps"), Layer.SCP),
        rcps=_levels(policies.get("rcps"), Layer.RCP),
        session=_applied(policies.get("session"), Layer.SESSION),
        endpoint=_applied(policies.get("endpoint"), Layer.ENDPOINT),
        grants=tuple(_grant(_object(entry)) for entry in _list(policies.get("grants"))),
        acl=_applied(policies.get("acl"), Layer.ACL),
        inner=tuple(
            Inner(Layer.ACCESS_POLICY, level)
            for level in _levels(policies.get("store"), Layer.ACCESS_POLICY) or ()
        ),
        public_restricted=settings.get("restrict_public_buckets") is True,
        acls_ignored=settings.get("acls_ignored") is True,
        resource_managed_by_aws=settings.get("resource_managed_by_aws") is True,
        resource_in_management_account=settings.get("resource_in_management_account") is True,
    )


def _applied(written: object, layer: Layer, target: str = "") -> Policies:
    found: list[AppliedPolicy] = []
    for index, entry in enumerate(_list(written)):
        wrapped = _object(entry)
        document: object = entry
        name = f"{layer}[{index}]"
        if "Statement" not in wrapped and "policy" in wrapped:
            document, name = wrapped["policy"], _text(wrapped.get("name")) or name
        found.append(AppliedPolicy(compile_document(document), layer, name, target))
    return tuple(found)


def _levels(written: object, layer: Layer) -> tuple[Policies, ...] | None:
    if written is None:
        return None
    levels: list[Policies] = []
    for index, entry in enumerate(_list(written)):
        level = _object(entry)
        target = _text(level.get("target") or level.get("orgIdentifier")) or f"level {index}"
        inside = entry if _is_bare(entry) else level.get("policies")
        levels.append(_applied(inside, layer, target))
    return tuple(levels)


def _is_bare(entry: object) -> bool:
    """Is the level given by its policies alone, without its name?"""
    return isinstance(entry, list) or "Statement" in _object(entry)


def _grant(entry: Record) -> KeyGrant:
    constraints = _object(entry.get("constraints") or entry.get("Constraints"))
    operations = entry.get("operations") or entry.get("Operations")
    return KeyGrant(
        grantee=_text(entry.get("grantee") or entry.get("GranteePrincipal")),
        operations=tuple(_text(name) for name in _list(operations)),
        name=_text(entry.get("id") or entry.get("GrantId")) or "grant",
        context_equals=_pairs(constraints.get("EncryptionContextEquals")),
        context_subset=_pairs(constraints.get("EncryptionContextSubset")),
    )


def _pairs(written: object) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, _scalar(value)) for name, value in _object(written).items()))
