"""What one rule allows, and which labels a selector chooses.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

Record = Mapping[str, Any]

_FIELDS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")


def well_formed(rule: Any) -> bool:
    """Is this a rule at all: lists of texts?"""
    if not isinstance(rule, dict):
        return False
    return all(_texts(cast("Record", rule).get(field)) for field in _FIELDS)


def _texts(found: Any) -> bool:
    if not isinstance(found, list):
        return found is None
    return all(isinstance(one, str) for one in cast("Sequence[Any]", found))


def allows(rule: Mapping[str, Any], request: Record) -> bool:
    """Does a rule allow a request?"""
    verbs: Sequence[str] = rule.get("verbs") or []
    if "*" not in verbs and request["verb"] not in verbs:
        return False
    if "path" in request:
        paths: Sequence[str] = rule.get("nonResourceURLs") or []
        return any(_path(one, request["path"]) for one in paths)
    groups: Sequence[str] = rule.get("apiGroups") or []
    if "*" not in groups and request["group"] not in groups:
        return False
    resources: Sequence[str] = rule.get("resources") or []
    if not any(_resource(one, request) for one in resources):
        return False
    names: Sequence[str] = rule.get("resourceNames") or []
    return not names or _name(names, request)


def _resource(written: str, request: Record) -> bool:
    """`pods` is not `pods/log`; `*` is everything; `*/scale` is that of every resource."""
    asked, sub = str(request["resource"]), str(request.get("subresource", ""))
    if written == "*":
        return True
    if not sub:
        return written == asked
    return written in (f"{asked}/{sub}", f"*/{sub}")


def _name(names: Sequence[str], request: Record) -> bool:
    """A request to create an object, or to delete all, has no name yet."""
    unnamed = request["verb"] in ("create", "deletecollection")
    if unnamed and not request.get("subresource"):
        return False
    return request.get("name", "") in names


def _path(written: str, path: str) -> bool:
    """Only a star at the end stands for anything."""
    if written.endswith("*"):
        return path.startswith(written[:-1])
    return written == path


def selected(selectors: Sequence[Record], labels: Mapping[str, str]) -> bool:
    """Does one of the selectors choose what has these labels?"""
    return any(_selects(one, labels) for one in selectors)


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    tests: Sequence[Record] = selector.get("matchExpressions") or []
    for test in tests:
        there, values = labels.get(test["key"]), list[str](test.get("values") or [])
        met = {
            "In": there in values,
            "NotIn": there not in values,
            "Exists": there is not None,
            "DoesNotExist": there is None,
        }[test["operator"]]
        if not met:
            return False
    return True
