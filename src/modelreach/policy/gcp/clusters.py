"""What an identity can show to clusters of GKE: itself, with what IAM lets it do within them.

A cluster asks RBAC first, and where that does not allow a request, IAM: by the permission
`container.RESOURCE.VERB` of its project.
https://docs.cloud.google.com/kubernetes-engine/docs/how-to/role-based-access-control
https://docs.cloud.google.com/iam/docs/roles-permissions/container
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from modelreach.model import Verdict
from modelreach.policy.decision import Decision, StatementRef
from modelreach.policy.engine import Support, Token
from modelreach.policy.expr import Expr
from modelreach.policy.gcp.holder import Holder

#: What `container` has besides objects of clusters.
_OF_CLOUD = frozenset({"clusters", "operations", "hostServiceAgent", "nodePools", "apiServices"})
_VERBS: Final = {
    "get": ("get",),
    "list": ("list", "watch"),
    "create": ("create",),
    "update": ("update", "patch"),
    "delete": ("delete", "deletecollection"),
    "bind": ("bind",),
    "escalate": ("escalate",),
}
#: Permissions on what of an object has a path of its own.
_PARTS: Final = {
    "exec": ("exec", ("create", "get")),
    "attach": ("attach", ("create", "get")),
    "portForward": ("portforward", ("create", "get")),
    "proxy": ("proxy", ("create", "get", "update", "patch", "delete")),
    "getLogs": ("log", ("get",)),
    "evict": ("eviction", ("create",)),
    "createToken": ("token", ("create",)),
}


def of_clusters(holder: Holder) -> Iterator[Token]:
    """Give what an identity can show to each cluster of GKE that IAM lets it do anything in,
    apart by what that hangs on."""
    estate, name = holder.asker.estate, holder.name
    if not estate.clusters:
        return
    permissions = [
        (permission, rule)
        for permission, rule in _rules(estate.permissions)
        if holder.places(permission)
    ]
    if not permissions:
        return
    for runtime in estate.clusters:
        held = [
            (permission, rule, decision)
            for permission, rule in permissions
            if (decision := holder.decide(permission, runtime, {})).verdict is not Verdict.DENY
        ]
        apart: dict[Expr, list[tuple[str, dict[str, object], Decision]]] = {}
        for one in held:
            apart.setdefault(one[2].residual, []).append(one)
        yield from (_token(name, runtime, when, same) for when, same in apart.items())


@lru_cache(8)
def _rules(permissions: tuple[str, ...]) -> tuple[tuple[str, dict[str, object]], ...]:
    """Give those of all permissions that are about objects of clusters, each with its rule."""
    found = ((permission, _rule(permission)) for permission in permissions)
    return tuple((permission, rule) for permission, rule in found if rule is not None)


def _token(
    name: str, cluster: str, when: Expr, held: list[tuple[str, dict[str, object], Decision]]
) -> Token:
    refs: tuple[StatementRef, ...] = tuple(
        sorted({ref for _, _, decision in held for ref in decision.allowed_by})
    )
    first = held[0][0] + (f" and {len(held) - 1} more" if len(held) > 1 else "")
    rules = json.dumps([rule for _, rule, _ in held])
    return Token(
        issuer=f"gke:{cluster}",
        subject=name.partition(":")[2],
        claims={"rules": (rules,)},
        support=(Support(name, first, cluster, refs),),
        when=when,
    )


def _rule(permission: str) -> dict[str, object] | None:
    """Give a permission as a rule of a cluster; None of one that is about something else. The
    group of the resource is not in its name, so that any is taken."""
    service, _, rest = permission.partition(".")
    resource, _, verb = rest.partition(".")
    if service != "container" or not verb or resource in _OF_CLOUD:
        return None
    if verb in _VERBS:
        return {"apiGroups": ["*"], "resources": [resource.lower()], "verbs": list(_VERBS[verb])}
    if verb in _PARTS:
        part, verbs = _PARTS[verb]
        return {
            "apiGroups": ["*"],
            "resources": [f"{resource.lower()}/{part}"],
            "verbs": list(verbs),
        }
    return None
