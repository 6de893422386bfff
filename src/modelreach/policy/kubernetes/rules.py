"""The rules of a role, compiled from its document, and which requests each is about.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
"""

from __future__ import annotations

from collections.abc import Iterator

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


class _Given(_Written, frozen=True):
    """A rule that a cloud gives, which may say more than one of a cluster."""

    below: bool = False
    but: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


class PolicyRule(msgspec.Struct, frozen=True):
    """One rule. `groups` are API groups, with `core` for the empty one; `names` restrict it when
    there are any. `index` counts from 0 within the role. Of rules that a cloud gives: `below`
    means every part of an object that has a path of its own, too, and `but` names what is not
    meant, as `GROUP:RESOURCE`, `GROUP:*` for a whole group; it counts `outside` these namespaces.
    """

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...]
    urls: tuple[str, ...]
    index: int
    text: str
    below: bool = False
    but: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()

    def about(self, action: Action) -> bool:
        """Is the rule about this kind of request, names aside?"""
        if not _among(action.verb, self.verbs):
            return False
        if action.group == URL:
            return any(_url(pattern, action.resource) for pattern in self.urls)
        if self.but and not self.but.isdisjoint(_names(action)):
            return False
        resource = action.resource.partition("/")[0] if self.below else action.resource
        return _among(action.group, self.groups) and any(
            _resource(pattern, resource) for pattern in self.resources
        )


def _names(action: Action) -> tuple[str, str, str]:
    """How an exception may name a request: its resource, what that is a part of, its group."""
    group, resource = action.group, action.resource
    return f"{group}:{resource}", f"{group}:{resource.partition('/')[0]}", f"{group}:*"


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


class Requirement(msgspec.Struct, frozen=True):
    """One expression of a label selector."""

    key: str
    operator: str
    values: tuple[str, ...] | None = None


class Selector(msgspec.Struct, frozen=True):
    """A label selector."""

    matchLabels: dict[str, str] | None = None  # noqa: N815
    matchExpressions: tuple[Requirement, ...] | None = None  # noqa: N815


class _Aggregation(msgspec.Struct, frozen=True):
    clusterRoleSelectors: list[msgspec.Raw]  # noqa: N815


class _Role(msgspec.Struct, frozen=True):
    rules: msgspec.Raw = msgspec.Raw(b"null")
    aggregationRule: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815


class Compiled(msgspec.Struct, frozen=True):
    """A role's rules. `selectors` are those of its aggregation (None when it has none), `problems`
    what of it was not understood."""

    rules: tuple[PolicyRule, ...]
    selectors: tuple[Selector, ...] | None = None
    problems: tuple[str, ...] = ()


_NOTHING = b"null"


def compile_role(raw: bytes, *, given: bool = False) -> Compiled:
    """Read a role's document, or (`given`) one that a cloud gives. What is not understood is a
    problem, and never grants."""
    try:
        role = msgspec.json.decode(raw, type=_Role)
    except (msgspec.MsgspecError, RecursionError):
        return Compiled((), problems=("the role is not a JSON object",))
    problems: list[str] = []
    rules = tuple(_rules(bytes(role.rules), problems, _Given if given else _Written))
    selectors = _selectors(bytes(role.aggregationRule), problems)
    return Compiled(rules, selectors, tuple(problems))


def _rules(raw: bytes, problems: list[str], form: type[_Written]) -> Iterator[PolicyRule]:
    if raw == _NOTHING:
        return
    try:
        written = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        problems.append("`rules` is not a list")
        return
    for index, one in enumerate(written):
        rule = _rule(bytes(one), index, form)
        if rule is None:
            problems.append(f"rule {index + 1} is not well formed")
        else:
            yield rule


def _rule(raw: bytes, index: int, form: type[_Written]) -> PolicyRule | None:
    try:
        rule = msgspec.json.decode(raw, type=form)
        text = msgspec.json.encode(msgspec.json.decode(raw), order="sorted").decode()
    except (msgspec.MsgspecError, RecursionError):
        return None
    return PolicyRule(
        groups=tuple(group or CORE for group in rule.apiGroups or ()),
        resources=rule.resources or (),
        verbs=rule.verbs or (),
        names=rule.resourceNames or (),
        urls=rule.nonResourceURLs or (),
        index=index,
        text=text,
        below=isinstance(rule, _Given) and rule.below,
        but=frozenset(rule.but) if isinstance(rule, _Given) else frozenset(),
        outside=frozenset(rule.outside) if isinstance(rule, _Given) else frozenset(),
    )


def _selectors(raw: bytes, problems: list[str]) -> tuple[Selector, ...] | None:
    if raw == _NOTHING:
        return None
    try:
        written = msgspec.json.decode(raw, type=_Aggregation).clusterRoleSelectors
    except (msgspec.MsgspecError, RecursionError):
        problems.append("`aggregationRule` is not well formed")
        return ()
    return tuple(_understood(written, problems))


def _understood(written: list[msgspec.Raw], problems: list[str]) -> Iterator[Selector]:
    for one in written:
        try:
            yield msgspec.json.decode(one, type=Selector)
        except (msgspec.MsgspecError, RecursionError):
            problems.append("a selector of `aggregationRule` is not well formed")


def selects(selector: Selector, labels: dict[str, str]) -> bool:
    """Does a label selector pick what has these labels? An unknown operator picks nothing.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements
    """
    wanted = selector.matchLabels or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_meets(one, labels) for one in selector.matchExpressions or ())


def _meets(one: Requirement, labels: dict[str, str]) -> bool:
    there, values = labels.get(one.key), one.values or ()
    match one.operator:
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
