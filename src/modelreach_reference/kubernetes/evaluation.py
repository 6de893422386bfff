"""May a user make a request: the documentation's sentences, one after the other.

A case is a cluster's roles and bindings as they are written, what of them was not read, a user
with groups, and a request. A request whose name is `None` may name anything.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from modelreach_reference.kubernetes.rules import allows, selected, well_formed

Case = Mapping[str, Any]
_ELSE = "a-name-that-no-rule-has"


def answers(case: Case, most: int = 4096) -> set[str]:
    """Give every answer that a case may have: `allow`, `deny`, both with what they hang on.

    `open`: there are requests by which it is allowed however what was not read turns out.
    """
    if count_completions(case) > most:
        raise ValueError("too many ways")
    unread = sorted(_unread(case))
    found: set[str] = set()
    for request, anybody, alone in product(_requests(case), _anonymous(case), _gets_alone(case)):
        turned = [
            _opens(case, request, anybody, dict(zip(unread, read, strict=True)), alone=alone)
            for read in product((False, True), repeat=len(unread))
        ]
        found |= {"allow" if one else "deny" for one in turned}
        if all(turned):
            found.add("open")
    return found


def count_completions(case: Case) -> int:
    """Give how many ways there are to try."""
    ways = len(list(_requests(case))) * len(_anonymous(case)) * len(_gets_alone(case))
    return ways * int(2 ** len(_unread(case)))


# --- requests ------------------------------------------------------------------------------------


def _requests(case: Case) -> Iterator[dict[str, Any]]:
    """A request whose name is not told may name anything that a rule names, or something else."""
    request = dict(case["request"])
    if request.get("name", "") is not None:
        yield request
        return
    names: set[str] = set()
    for role in case["roles"]:
        rules: Sequence[Any] = role.get("rules") or ()
        for rule in rules:
            named: Sequence[str] = (rule.get("resourceNames") or ()) if well_formed(rule) else ()
            names.update(named)
    if request.get("resource") == "namespaces":
        names.update(binding.get("namespace") or _ELSE for binding in case["bindings"])
    for name in (*sorted(names), _ELSE):
        yield {**request, "name": name}


def _anonymous(case: Case) -> tuple[bool, ...]:
    """Whether requests without credentials are let in; both where that is not known.

    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
    """
    return (False,) if case.get("anonymous") is False else (False, True)


def _gets_alone(case: Case) -> tuple[bool, ...]:
    """Whether a cluster opens streams of pods to who may get them and not create them: all did
    before 1.35; of later ones those of which it can be turned off may.

    https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/AuthorizePodWebsocketUpgradeCreatePermission/
    """
    if not _is_stream(case["request"]):
        return (False,)
    version = case.get("version")
    if version is None:
        return (False, True)
    if [int(part) for part in str(version).removeprefix("v").split(".")[:2]] < [1, 35]:
        return (True,)
    return (False,) if case.get("managed") else (False, True)


def _is_stream(request: Mapping[str, Any]) -> bool:
    """A GET of what a WebSocket is opened to."""
    asked = request.get("group"), request.get("resource"), request["verb"]
    parts = ("exec", "attach", "portforward")
    return asked == ("", "pods", "get") and request.get("subresource") in parts


# --- who ---------------------------------------------------------------------------------------


def _groups(case: Case) -> set[str]:
    """The groups that somebody is in, told or not.

    https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
    """
    name, found = case["user"]["name"], set(case["user"]["groups"])
    found.add("system:authenticated")
    if name.startswith("system:serviceaccount:"):
        namespace = name.split(":")[2]
        found |= {"system:serviceaccounts", f"system:serviceaccounts:{namespace}"}
    if name.startswith("system:node:"):
        found.add("system:nodes")
    return found


def _applies(binding: Mapping[str, Any], name: str, groups: set[str]) -> bool:
    """Does one of a binding's subjects mean this user?"""
    for subject in binding["subjects"]:
        if subject["kind"] == "User" and subject["name"] == name:
            return True
        if subject["kind"] == "Group" and subject["name"] in groups:
            return True
        if subject["kind"] == "ServiceAccount":
            # One without a namespace is of the binding's; a binding of the cluster has none.
            namespace = subject.get("namespace") or binding.get("namespace", "")
            if namespace and name == f"system:serviceaccount:{namespace}:{subject['name']}":
                return True
    return False


# --- what --------------------------------------------------------------------------------------


def _opens(
    case: Case,
    request: Mapping[str, Any],
    anybody: bool,
    turned: Mapping[str, bool],
    *,
    alone: bool,
) -> bool:
    """A stream is opened by who may get it and, unless getting it is enough, may create it."""
    if not _allowed(case, request, anybody, turned):
        return False
    enough = alone or not _is_stream(request)
    return enough or _allowed(case, {**request, "verb": "create"}, anybody, turned)


def _allowed(
    case: Case, request: Mapping[str, Any], anybody: bool, turned: Mapping[str, bool]
) -> bool:
    groups = _groups(case)
    if "system:masters" in groups:
        return True
    name = case["user"]["name"]
    if any(_grants(case, one, request, turned) for one in _bindings(case, request, name, groups)):
        return True
    nobody = {"system:unauthenticated"}
    found = _bindings(case, request, "system:anonymous", nobody)
    if anybody and any(_grants(case, one, request, turned) for one in found):
        return True
    return any(turned.get(f"bindings {scope}", False) for scope in _scopes(request))


def _scopes(request: Mapping[str, Any]) -> set[str]:
    """A request about a namespace that is there is made within it.

    https://kubernetes.io/docs/reference/access-authn-authz/rbac/#rolebinding-and-clusterrolebinding
    """
    unnamed = (
        "list",
        "watch",
        *(() if request.get("subresource") else ("create", "deletecollection")),
    )
    core = (request.get("group"), request.get("resource")) == ("", "namespaces")
    if core and request["verb"] not in unnamed:
        return {"", request.get("name") or ""}
    return {"", request.get("namespace", "")}


def _bindings(
    case: Case, request: Mapping[str, Any], name: str, groups: set[str]
) -> Iterator[Mapping[str, Any]]:
    """The bindings of a user that count where the request is: of the cluster, or of its
    namespace."""
    for binding in case["bindings"]:
        here = binding.get("namespace", "") in _scopes(request)
        if here and _applies(binding, name, groups):
            yield binding


def _grants(
    case: Case,
    binding: Mapping[str, Any],
    request: Mapping[str, Any],
    turned: Mapping[str, bool],
) -> bool:
    """Does what a binding refers to allow a request? A role that is not there grants nothing, and
    a binding of the cluster may not refer to a role of a namespace."""
    key = _referred(binding)
    if key is None:
        return False
    role = _role(case, key)
    if role is None:
        return turned.get(f"role {key}", False)
    if turned.get(f"rule {key}", False):
        return True
    return any(allows(rule, request) for rule in _rules(case, role, ()))


def _referred(binding: Mapping[str, Any]) -> str | None:
    reference, namespace = binding["roleRef"], binding.get("namespace", "")
    if reference["kind"] == "Role":
        return f"{namespace}/{reference['name']}" if namespace else None
    return f"/{reference['name']}"


def _role(case: Case, key: str) -> Mapping[str, Any] | None:
    for role in case["roles"]:
        if f"{role.get('namespace', '')}/{role['name']}" == key:
            found: Mapping[str, Any] = role
            return found
    return None


def _rules(
    case: Case, role: Mapping[str, Any], seen: tuple[str, ...]
) -> Iterator[Mapping[str, Any]]:
    """A role that aggregates has the rules of the cluster roles that its selectors choose,
    whatever stands in it.

    https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
    """
    if "aggregationRule" not in role:
        yield from (rule for rule in role.get("rules") or () if well_formed(rule))
        return
    if role["name"] in seen:
        return
    selectors = role["aggregationRule"]["clusterRoleSelectors"]
    for other in case["roles"]:
        cluster = not other.get("namespace")
        if cluster and other is not role and selected(selectors, other.get("labels") or {}):
            yield from _rules(case, other, (*seen, role["name"]))


# --- what is not known -------------------------------------------------------------------------


def _unread(case: Case) -> set[str]:
    """What may turn out either way: bindings and roles that were not read, and malformed rules."""
    found = {f"bindings {scope}" for scope in case["unread"]["bindings"]}
    for binding in case["bindings"]:
        key = _referred(binding)
        if key is None:
            continue
        role, scope = _role(case, key), key.partition("/")[0]
        if role is None:
            if {"", scope} & set(case["unread"]["roles"]):
                found.add(f"role {key}")
        elif any(not well_formed(rule) for rule in _written(case, role, ())):
            found.add(f"rule {key}")
    return found


def _written(case: Case, role: Mapping[str, Any], seen: tuple[str, ...]) -> Iterator[Any]:
    """All that is written in a role, and in those that it aggregates."""
    yield from role.get("rules") or ()
    if "aggregationRule" not in role or role["name"] in seen:
        return
    selectors = role["aggregationRule"]["clusterRoleSelectors"]
    for other in case["roles"]:
        cluster = not other.get("namespace")
        if cluster and other is not role and selected(selectors, other.get("labels") or {}):
            yield from _written(case, other, (*seen, role["name"]))
