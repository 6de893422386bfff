"""Random cases over a small cluster: roles, bindings and aggregations of every form, and what of
them was not read.

The same seed gives the same case.
"""

from __future__ import annotations

import random
from typing import Any, TypeVar

Record = dict[str, Any]
_Item = TypeVar("_Item")

NAMESPACES = ("ml", "web")
GROUPS = ("", "", "", "apps", "rbac.authorization.k8s.io")
#: Resource, its group, and whether it belongs to the cluster.
RESOURCES = (
    *(("pods", "", False), ("secrets", "", False), ("serviceaccounts", "", False)),
    *(("deployments", "apps", False), ("nodes", "", True), ("namespaces", "", True)),
    ("clusterroles", "rbac.authorization.k8s.io", True),
)
SUBRESOURCES = ("exec", "log", "token", "scale")
STREAMS = ("exec", "attach", "portforward")
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
NAMES = ("a", "b", "app")
PATHS = ("/healthz", "/healthz/ready", "/metrics", "/api")
LABELS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"to": "view"},
    {"to": "edit"},
    {"to": "edit", "by": "me"},
)
USERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("system:serviceaccount:ml:app", ()),
    ("system:serviceaccount:ml:app", ()),
    ("system:serviceaccount:web:app", ()),
    ("ann", ("staff",)),
    ("ann", ()),
    ("bob", ("staff", "system:masters")),
    ("system:node:n1", ("system:nodes",)),
)
_BROKEN: tuple[Any, ...] = ({"verbs": "get", "apiGroups": [""], "resources": ["pods"]}, 7, None)


def random_case(seed: str) -> Record:
    """Give the case of a seed."""
    rng = random.Random(seed)  # noqa: S311 - repeatable
    request = _request(rng)
    name, groups = rng.choice(USERS)
    roles = [_role(rng, request, number) for number in range(rng.randint(1, 4))]
    return {
        "user": {"name": name, "groups": list(groups)},
        "request": request,
        "roles": roles,
        "bindings": [_binding(rng, roles, name) for _ in range(rng.randint(1, 4))],
        "unread": {
            "bindings": _sometimes(rng, ("", *NAMESPACES)),
            "roles": _sometimes(rng, ("", *NAMESPACES)),
        },
        "anonymous": rng.choice((None, False, False)),
        "version": rng.choice((None, "v1.34.2", "v1.35.0", "v1.36.1")),
        "managed": rng.random() < 0.5,
    }


def _sometimes(rng: random.Random, items: tuple[_Item, ...]) -> list[_Item]:
    return [rng.choice(items)] if rng.random() < 0.12 else []


def _request(rng: random.Random) -> Record:
    if rng.random() < 0.12:
        return {"verb": rng.choice(("get", "post")), "path": rng.choice(PATHS)}
    resource, group, of_cluster = rng.choice(RESOURCES)
    found: Record = {
        "verb": rng.choice((*VERBS, "impersonate")),
        "group": group,
        "resource": resource,
        "namespace": "" if of_cluster else rng.choice(("", *NAMESPACES, *NAMESPACES)),
    }
    if rng.random() < 0.25:
        found["subresource"] = rng.choice(SUBRESOURCES)
    if rng.random() < 0.08:
        stream = {"group": "", "resource": "pods", "subresource": rng.choice(STREAMS)}
        namespace = rng.choice(("", *NAMESPACES))
        found |= {**stream, "verb": rng.choice(("get", "get", "create")), "namespace": namespace}
    unnamed = found["verb"] in ("create", "deletecollection") and "subresource" not in found
    names = NAMESPACES if resource == "namespaces" else NAMES
    found["name"] = "" if unnamed else rng.choice((None, None, *names))
    if found["verb"] in ("list", "watch"):
        found["name"] = None
    return found


def _role(rng: random.Random, request: Record, number: int) -> Record:
    of_cluster = rng.random() < 0.6
    found: Record = {"name": f"r{number}", "rules": [_rule(rng, request) for _ in range(2)]}
    if not of_cluster:
        return {**found, "namespace": rng.choice(NAMESPACES)}
    found["labels"] = dict(rng.choice(LABELS))
    if rng.random() < 0.2:
        found["aggregationRule"] = {"clusterRoleSelectors": [_selector(rng)]}
    return found


def _selector(rng: random.Random) -> Record:
    if rng.random() < 0.5:
        return {"matchLabels": {"to": rng.choice(("view", "edit"))}}
    operator = rng.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    values = [rng.choice(("view", "edit"))] if operator in ("In", "NotIn") else []
    key = rng.choice(("to", "by"))
    return {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}


def _rule(rng: random.Random, request: Record) -> Any:
    """A rule that is often near the request."""
    if rng.random() < 0.04:
        return rng.choice(_BROKEN)
    if rng.random() < 0.15:
        paths = [rng.choice((*PATHS, "*", "/healthz/*", "/health*"))]
        return {"verbs": [rng.choice(("get", "*"))], "nonResourceURLs": paths}
    asked = request.get("resource", "pods")
    resource, group, _ = rng.choice(RESOURCES)
    near = rng.random() < 0.6
    resource = asked if near else resource
    sub = request.get("subresource", rng.choice(SUBRESOURCES))
    written = rng.choice((resource, resource, f"{resource}/{sub}", "*", f"*/{sub}", "pods/*"))
    found: Record = {
        "verbs": [rng.choice((request["verb"], request["verb"], "*", rng.choice(VERBS)))],
        "apiGroups": [rng.choice((request.get("group", ""), group, "*", rng.choice(GROUPS)))],
        "resources": [written, *((resource,) if rng.random() < 0.3 else ())],
    }
    if rng.random() < 0.35:
        found["resourceNames"] = rng.sample(NAMES, rng.randint(1, 2))
    return found


def _binding(rng: random.Random, roles: list[Record], user: str) -> Record:
    role = rng.choice(roles)
    kind = "Role" if role.get("namespace") else "ClusterRole"
    reference = {"kind": kind, "name": role["name"]}
    if rng.random() < 0.1:
        reference = {"kind": rng.choice(("Role", "ClusterRole")), "name": "missing"}
    found: Record = {"roleRef": reference, "subjects": [_subject(rng, user)]}
    if rng.random() < 0.25:
        found["subjects"].append(_subject(rng, user))
    if rng.random() < 0.65:
        own = role.get("namespace") or rng.choice(NAMESPACES)
        found["namespace"] = own if rng.random() < 0.8 else rng.choice(NAMESPACES)
    return found


def _subject(rng: random.Random, user: str) -> Record:
    if rng.random() < 0.15:
        return {"kind": "User", "name": user}
    account: Record = {"kind": "ServiceAccount", "name": "app"}
    choices: tuple[Record, ...] = (
        {**account, "namespace": "ml"},
        {**account, "namespace": "web"},
        account,
        {"kind": "User", "name": "ann"},
        {"kind": "User", "name": "*"},
        {"kind": "Group", "name": "staff"},
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "Group", "name": "system:serviceaccounts"},
        {"kind": "Group", "name": "system:serviceaccounts:ml"},
        {"kind": "Group", "name": "system:nodes"},
        {"kind": "Group", "name": "system:unauthenticated"},
        {"kind": "User", "name": "system:anonymous"},
    )
    return dict(rng.choice(choices))
