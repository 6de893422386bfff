"""The rules of a role, compiled from its document, and which requests each is about.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from modelreach.policy.kubernetes.names import CORE, URL, Action

#: Verbs of requests that name no object. Those on a subresource (`pods/exec`) do.
#: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
_UNNAMED = frozenset({"create", "deletecollection"})
#: Verbs whose name is only known from a field selector on `metadata.name`.
SELECTED = frozenset({"list", "watch"})


class _Written(msgspec.Struct, frozen=True):
    apiGroups: tuple[str, ...] | None = None  # noqa: N815 - as it is written
    resources: tuple[str, ...] | None = None
    verbs: tuple[str, ...] | None = None
    resourceNames: tuple[str, ...] | None = None  # noqa: N815
    nonResourceURLs: tuple[str, ...] | None = None  # noqa: N815


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One rule. `groups` are API groups, with `core` for the empty one; `names` restrict it when
    there are any. `index` counts from 0 within the role."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...]
    urls: tuple[str, ...]
    index: int
    text: str

    def about(self, action: Action) -> bool:
        """Is the rule about this kind of request, names aside?"""
        if not _among(action.verb, self.verbs):
            return False
        if action.group == URL:
            return any(_url(pattern, action.resource) for pattern in self.urls)
        return _among(action.group, self.groups) and any(
            _resource(pattern, action.resource) for pattern in self.resources
        )


def unnamed(action: Action) -> bool:
    """Does a request of this kind name no object, so that a rule with names never allows it?"""
    return action.verb in _UNNAMED and "/" not in action.resource


def _among(one: str, allowed: tuple[str, ...]) -> bool:
    return "*" in allowed or one in allowed


def _resource(pattern: str, resource: str) -> bool:
    """`pods` is no subresource; `*` is all of them; `*/scale` is one of any resource; `pods/*` is
    not a pattern, and names nothing that there is."""
    if pattern in ("*", resource):
        return True
    head, slash, sub = pattern.partition("/")
    return bool(slash) and head == "*" and resource.partition("/")[2] == sub


def _url(pattern: str, path: str) -> bool:
    """Only a whole `*`, or one at the end, is a wildcard.
    https://kubernetes.io/docs/reference/access-authn-authz/rbac/#role-examples"""
    return pattern == path or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A role's rules. `selectors` are those of its aggregation (None when it has none), `problems`
    what of it was not understood."""

    rules: tuple[PolicyRule, ...]
    selectors: tuple[dict[str, Any], ...] | None = None
    problems: tuple[str, ...] = ()


def compile_role(raw: bytes) -> Compiled:
    """Read a role's document. What is not understood is a problem, and never grants."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return Compiled((), problems=("the role is not JSON",))
    if not isinstance(found, dict):
        return Compiled((), problems=("the role is not an object",))
    rules: list[PolicyRule] = []
    problems: list[str] = []
    written = found.get("rules")
    for index, one in enumerate(written if isinstance(written, list) else []):
        rule = _rule(one, index)
        if rule is None:
            problems.append(f"rule {index + 1} is not well formed")
        else:
            rules.append(rule)
    if written is not None and not isinstance(written, list):
        problems.append("`rules` is not a list")
    return Compiled(tuple(rules), _selectors(found, problems), tuple(problems))


def _rule(one: object, index: int) -> PolicyRule | None:
    try:
        rule = msgspec.convert(one, _Written)
    except (msgspec.ValidationError, RecursionError):
        return None
    return PolicyRule(
        groups=tuple(group or CORE for group in rule.apiGroups or ()),
        resources=rule.resources or (),
        verbs=rule.verbs or (),
        names=rule.resourceNames or (),
        urls=rule.nonResourceURLs or (),
        index=index,
        text=json.dumps(one, sort_keys=True, separators=(",", ":")),
    )


def _selectors(role: dict[str, Any], problems: list[str]) -> tuple[dict[str, Any], ...] | None:
    rule = role.get("aggregationRule")
    if rule is None:
        return None
    selectors = rule.get("clusterRoleSelectors") if isinstance(rule, dict) else None
    if selectors is None or not isinstance(selectors, list):
        problems.append("`aggregationRule` is not well formed")
        return ()
    good = tuple(one for one in selectors if isinstance(one, dict))
    if len(good) < len(selectors):
        problems.append("a selector of `aggregationRule` is not well formed")
    return good


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Does a label selector pick what has these labels? One that is not understood picks nothing.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements
    """
    wanted = selector.get("matchLabels") or {}
    if not isinstance(wanted, dict) or any(labels.get(k) != v for k, v in wanted.items()):
        return False
    return all(_expression(one, labels) for one in _listed(selector.get("matchExpressions")))


def _listed(found: object) -> Iterator[object]:
    yield from found if isinstance(found, list) else ()


def _expression(one: object, labels: dict[str, str]) -> bool:
    if not isinstance(one, dict):
        return False
    key, values = one.get("key"), one.get("values") or []
    there = labels.get(str(key))
    match one.get("operator"):
        case "In":
            return there in values
        case "NotIn":
            return there not in values
        case "Exists":
            return there is not None
        case "DoesNotExist":
            return there is None
        case _:
            return False
