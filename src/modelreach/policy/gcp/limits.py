"""Policies that only take access away: deny policies, and principal access boundaries.

https://docs.cloud.google.com/iam/docs/deny-overview
https://docs.cloud.google.com/iam/docs/principal-access-boundary-policies
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec.structs import replace

from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.gcp.enforcement import DEFAULT, qualified
from modelreach.policy.gcp.members import allowed
from modelreach.policy.glob import match


class _Condition(msgspec.Struct, rename="camel", omit_defaults=True):
    expression: str = ""


class _DenyRule(msgspec.Struct, rename="camel", omit_defaults=True):
    denied_principals: list[str] = []
    exception_principals: list[str] = []
    denied_permissions: list[str] = []
    exception_permissions: list[str] = []
    denial_condition: _Condition | None = None


class _Rule(msgspec.Struct, rename="camel", omit_defaults=True):
    deny_rule: _DenyRule | None = None
    description: str = ""


class _DenyPolicy(msgspec.Struct, rename="camel", omit_defaults=True):
    rules: list[_Rule] = []


class DenyRule(msgspec.Struct, frozen=True):
    """One rule of a deny policy; principals in the spelling of bindings, permissions as globs in
    that of IAM v2."""

    principals: tuple[str, ...]
    excepted: tuple[str, ...]
    permissions: tuple[str, ...]
    spared: tuple[str, ...]
    condition: str
    ref: StatementRef
    problem: str = ""

    def names(self, permission: str) -> bool:
        """Does the rule deny this permission, as far as names go?"""
        name = qualified(permission)
        return _any(self.permissions, name) and not _any(self.spared, name)

    def by_group(self, permission: str) -> bool:
        """Is the permission only one of a group that the rule names, so that whether it is denied
        hangs on whether deny policies support it? One that is named by itself is supported.

        https://docs.cloud.google.com/iam/docs/deny-permissions-support
        """
        return not self.problem and qualified(permission) not in self.permissions


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return any(_named(pattern, name) for pattern in patterns)


@lru_cache(1 << 16)
def _named(pattern: str, name: str) -> bool:
    """`service/*.*` and `service/noun.*` are groups of permissions.

    https://docs.cloud.google.com/iam/docs/deny-overview#deny-permission-groups
    """
    return pattern == name or ("*" in pattern and match(pattern, name))


def deny_rules(raw: bytes | None, name: str, target: str, digest: str) -> tuple[DenyRule, ...]:
    """Give the rules of a deny policy; one that cannot be read may deny anything to anybody."""
    try:
        if raw is None:
            raise ValueError("it is missing")
        policy = msgspec.json.decode(raw, type=_DenyPolicy)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        ref = StatementRef(Layer.DENY, name, target, digest, 0, "", "Deny", "")
        return (DenyRule(("allUsers",), (), ("*",), (), "", ref, "the deny policy is malformed"),)
    return tuple(
        _deny_rule(written, StatementRef(Layer.DENY, name, target, digest, index, "", "Deny", ""))
        for index, written in enumerate(policy.rules)
        if written.deny_rule is not None
    )


def _deny_rule(written: _Rule, ref: StatementRef) -> DenyRule:
    rule = written.deny_rule or _DenyRule()
    text = msgspec.json.encode(rule, order="sorted").decode()
    return DenyRule(
        tuple(allowed(member) for member in rule.denied_principals),
        tuple(allowed(member) for member in rule.exception_principals),
        tuple(rule.denied_permissions),
        tuple(rule.exception_permissions),
        rule.denial_condition.expression if rule.denial_condition else "",
        replace(ref, sid=written.description, text=text),
    )


# --- boundaries ------------------------------------------------------------------------------


class _BoundaryRule(msgspec.Struct, rename="camel", omit_defaults=True):
    resources: list[str] = []
    effect: str = "ALLOW"


class _Details(msgspec.Struct, rename="camel", omit_defaults=True):
    rules: list[_BoundaryRule] = []
    enforcement_version: str = ""


class _BoundaryPolicy(msgspec.Struct, rename="camel", omit_defaults=True):
    details: _Details = msgspec.field(default_factory=_Details)


class _PolicyBinding(msgspec.Struct, rename="camel", omit_defaults=True):
    condition: _Condition | None = None


class _Bound(msgspec.Struct, rename="camel", omit_defaults=True):
    binding: _PolicyBinding = msgspec.field(default_factory=_PolicyBinding)
    policy: _BoundaryPolicy | None = None


class Boundary(msgspec.Struct, frozen=True):
    """A principal access boundary as it is bound to a set of principals.

    `resources` are ids of scopes (None: the policy was not read); `condition` is that of the
    binding.
    """

    name: str
    resources: tuple[str, ...] | None
    version: int
    condition: str
    ref: StatementRef


def boundary(raw: bytes | None, name: str, target: str, digest: str) -> Boundary:
    """Give a bound boundary from its document."""
    ref = StatementRef(Layer.BOUNDARY, name, target, digest, 0, "", "Allow", "")
    try:
        found = msgspec.json.decode(raw or b"", type=_Bound)
    except (msgspec.MsgspecError, RecursionError):
        return Boundary(name, None, DEFAULT, "", ref)
    condition = found.binding.condition.expression if found.binding.condition else ""
    if found.policy is None:
        return Boundary(name, None, DEFAULT, condition, ref)
    resources = tuple(
        scope_id(resource) for rule in found.policy.details.rules for resource in rule.resources
    )
    text = msgspec.json.encode(found.policy.details, order="sorted").decode()
    told = StatementRef(Layer.BOUNDARY, name, target, digest, 0, "", "Allow", text)
    version = _version(found.policy.details.enforcement_version)
    return Boundary(name, resources, version, condition, told)


def _version(text: str) -> int:
    """`latest` and none at all are the default; what is no number is taken to block most."""
    if text in ("", "latest"):
        return DEFAULT
    return int(text) if text.isdecimal() and len(text) < 4 else DEFAULT + 1


def scope_id(name: str) -> str:
    """Give the id of a scope from its full resource name; anything else as it is."""
    return name.removeprefix("//cloudresourcemanager.googleapis.com/")


# --- access policies -------------------------------------------------------------------------


class _AccessRule(msgspec.Struct, rename="camel", omit_defaults=True):
    effect: str = ""
    principals: list[str] = []
    excluded_principals: list[str] = []
    operation: dict[str, list[str]] = {}
    conditions: dict[str, _Condition] = {}


class _AccessDetails(msgspec.Struct, rename="camel", omit_defaults=True):
    rules: list[_AccessRule] = []


class _AccessPolicy(msgspec.Struct, rename="camel", omit_defaults=True):
    details: _AccessDetails = msgspec.field(default_factory=_AccessDetails)


class _AccessBound(msgspec.Struct, rename="camel", omit_defaults=True):
    binding: _PolicyBinding = msgspec.field(default_factory=_PolicyBinding)
    policy: _AccessPolicy | None = None


class AccessRule(msgspec.Struct, frozen=True):
    """One rule of an access policy (IAM v3): allows or denies, like a binding or a deny rule.

    https://docs.cloud.google.com/iam/docs/reference/rest/v3/AccessPolicyRule
    """

    denies: bool
    principals: tuple[str, ...]
    excepted: tuple[str, ...]
    permissions: tuple[str, ...]
    spared: tuple[str, ...]
    conditions: tuple[str, ...]
    ref: StatementRef
    problem: str = ""

    def names(self, permission: str) -> bool:
        """Does the rule speak of this permission, as far as names go?"""
        name = qualified(permission)
        return _any(self.permissions, name) and not _any(self.spared, name)


def access_rules(raw: bytes | None, name: str, target: str, digest: str) -> tuple[AccessRule, ...]:
    """Give the rules of a bound access policy; one that cannot be read may allow and deny."""
    try:
        found = msgspec.json.decode(raw or b"", type=_AccessBound)
    except (msgspec.MsgspecError, RecursionError):
        found = _AccessBound()
    if found.policy is None:
        ref = StatementRef(Layer.ACCESS_POLICY, name, target, digest, 0, "", "Allow", "")
        why = "the access policy was not read"
        return tuple(
            AccessRule(denies, ("allUsers",), (), ("*",), (), (), ref, why)
            for denies in (False, True)
        )
    shared = found.binding.condition.expression if found.binding.condition else ""
    return tuple(
        _access_rule(rule, shared, index, (name, target, digest))
        for index, rule in enumerate(found.policy.details.rules)
    )


def _access_rule(
    rule: _AccessRule, shared: str, index: int, place: tuple[str, str, str]
) -> AccessRule:
    denies = rule.effect == "DENY"
    effect = "Deny" if denies else "Allow"
    text = msgspec.json.encode(rule, order="sorted").decode()
    conditions = (shared, *(c.expression for _, c in sorted(rule.conditions.items())))
    return AccessRule(
        denies,
        tuple(allowed(member) for member in rule.principals),
        tuple(allowed(member) for member in rule.excluded_principals),
        tuple(rule.operation.get("permissions", [])),
        tuple(rule.operation.get("excludedPermissions", [])),
        tuple(text for text in conditions if text),
        StatementRef(Layer.ACCESS_POLICY, *place, index, "", effect, text),
        "" if rule.effect in ("ALLOW", "DENY") else f"its effect is {rule.effect or 'missing'}",
    )
