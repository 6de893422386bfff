"""Random cases over one small estate: who asks for what, and policies of every kind around it.

The same seed gives the same case.
"""

from __future__ import annotations

import random
from typing import Any, TypeVar

from modelreach_reference.gcp.evaluation import PERMISSIONS
from modelreach_reference.gcp.members import POOL

Record = dict[str, Any]
_Item = TypeVar("_Item")

ORG, FOLDER, NEAR, FAR = "organizations/1", "folders/2", "projects/p", "projects/q"
BUCKET = "//storage.googleapis.com/projects/_/buckets/data"
OTHER = "//storage.googleapis.com/projects/_/buckets/other"
SECRET = "//secretmanager.googleapis.com/projects/11/secrets/key"  # noqa: S105 - a name
SERVICE = "//run.googleapis.com/projects/p/locations/eu/services/s"
ML = "serviceAccount:ml@p.iam.gserviceaccount.com"
AWAY = "serviceAccount:away@q.iam.gserviceaccount.com"
AGENT = "serviceAccount:service-11@gcp-sa-aiplatform.iam.gserviceaccount.com"
ANN = "user:ann@x.com"
RUNNER = f"principal:{POOL}/subject/runner"
KNOWN = f"principal:{POOL}/subject/known"
INNER, OUTER, THIRD = "group:inner@x.com", "group:outer@x.com", "group:third@x.com"
SCOPES = (ORG, FOLDER, NEAR, FAR)
RESOURCES = (BUCKET, OTHER, SECRET, SERVICE)

MEMBERS = (
    *(ML, ML, ML, AWAY, AGENT, ANN, RUNNER, KNOWN, INNER, OUTER, THIRD, "allUsers"),
    *("allAuthenticatedUsers", "domain:x.com", "domain:y.com", f"deleted:{ML}?uid=1", ""),
    *(
        "projectOwner:p",
        "projectEditor:p",
        "projectViewer:p",
        "projectEditor:q",
        "projectOwner:11",
    ),
    "principalSet://cloudresourcemanager.googleapis.com/projects/11/type/ServiceAccount",
    "principalSet://cloudresourcemanager.googleapis.com/folders/2/type/ServiceAccount",
    "principalSet://cloudresourcemanager.googleapis.com/organizations/1/type/ServiceAgent",
    *(f"principalSet:{POOL}/*", f"principalSet:{POOL}/attribute.repository/acme/api"),
    f"principalSet:{POOL}/attribute.branch/main",
)
DENIED = (
    *("principalSet://goog/public:all", "principalSet://goog/public:all"),
    "principal://iam.googleapis.com/projects/-/serviceAccounts/ml@p.iam.gserviceaccount.com",
    "principal://goog/subject/ann@x.com",
    *("principalSet://goog/group/inner@x.com", "principalSet://goog/group/third@x.com"),
    "principalSet://cloudresourcemanager.googleapis.com/projects/11/type/ServiceAccount",
    f"principalSet:{POOL}/attribute.repository/acme/api",
    "deleted:principal://goog/subject/ann@x.com?uid=1",
)
PATTERNS = (
    *("storage.googleapis.com/objects.get", "storage.googleapis.com/objects.*"),
    *("storage.googleapis.com/*.*", "storage.googleapis.com/*.get", "storage.objects.get"),
    *("secretmanager.googleapis.com/*.*", "secretmanager.googleapis.com/versions.access"),
    *("run.googleapis.com/services.get", "iam.googleapis.com/serviceAccounts.*"),
    *("cloudresourcemanager.googleapis.com/projects.*", "compute.googleapis.com/*.*"),
)
LEAVES = (
    "resource.name.startsWith('projects/_/buckets/data')",
    "resource.name.startsWith('projects/_/buckets/data/objects/in/')",
    "resource.name.startsWith('projects/_/buckets/x')",
    "resource.name == 'projects/_/buckets/data'",
    "resource.name != 'projects/11/secrets/key'",
    "resource.name.endsWith('s')",
    "resource.type == 'storage.googleapis.com/Object'",
    "resource.type != 'storage.googleapis.com/Bucket'",
    "resource.service == 'storage.googleapis.com'",
    "resource.matchTag('1/env', 'prod')",
    "resource.matchTag('1/env', 'test')",
    "resource.hasTagKey('1/team')",
    "request.time < timestamp('2026-01-01T00:00:00Z')",
    "request.time < timestamp('2027-01-01T00:00:00Z')",
    "timestamp('2026-01-01T00:00:00Z') <= request.time",
    "request.path == '/x'",
    "request.path != '/x'",
    "request.host.startsWith('a')",
    "destination.port > 22",
    "destination.port <= 22",
    "request.time.getHours('Europe/Berlin') < 18",
    "true",
    "false",
    "resource.name > 5",
    "resource.name",
    "'x' == 'x'",
    "1 < 'x'",
)
BROKEN = ("a &&", "((", "resource.", "request.path = '/x'", "'unclosed")
TAG_LEAVES = tuple(leaf for leaf in LEAVES if "Tag" in leaf)


def random_case(seed: int | str) -> Record:
    """Give the case of a seed."""
    rng = random.Random(f"gcp/{seed}")  # noqa: S311 - repeatable, not secret
    permission = rng.choice(list(PERMISSIONS))
    principal = rng.choice((ML, ML, ML, AWAY, AGENT, ANN, RUNNER, KNOWN))
    resource = _resource(rng, permission)
    roles = _roles(rng, permission)
    return {
        "request": {
            "principal": principal,
            "permission": permission,
            "resource": resource,
            "time": "2026-06-01T00:00:00Z",
            "context": {"request.path": "/x"} if rng.random() < 0.2 else {},
        },
        "scopes": _scopes(rng),
        "resources": _resources(rng),
        "principals": _principals(rng),
        "roles": roles,
        "bindings": [_binding(rng, roles, principal, resource) for _ in range(rng.randint(1, 5))],
        "denies": [_deny(rng) for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))],
        "boundaries": [_boundary(rng) for _ in range(rng.choice((0, 0, 0, 1, 2)))],
        "gaps": [_gap(rng) for _ in range(rng.choice((0, 0, 0, 0, 1)))],
    }


def _resource(rng: random.Random, permission: str) -> str:
    """Mostly something that the permission is about."""
    service = permission.partition(".")[0]
    fitting = [name for name in RESOURCES if name.startswith(f"//{service}.")]
    return rng.choice(fitting) if fitting and rng.random() < 0.8 else rng.choice(SCOPES)


def _some(rng: random.Random, items: tuple[_Item, ...], most: int) -> list[_Item]:
    return [rng.choice(items) for _ in range(rng.randint(1, most))]


def _tags(rng: random.Random) -> list[str]:
    return rng.choice(([], [], [], ["1/env/prod"], ["1/env/test"], ["1/env/prod", "1/team/a"]))


def _scopes(rng: random.Random) -> Record:
    def scope(name: str, parent: str, number: str = "") -> Record:
        found: Record = {"id": name, "parent": parent, "tags": _tags(rng)}
        return found | ({"number": number} if number else {})

    near = rng.choice((FOLDER, FOLDER, ORG))
    listed = (
        scope(ORG, ""),
        scope(FOLDER, ORG),
        scope(NEAR, near, "11"),
        scope(FAR, ORG, "22"),
    )
    return {one["id"]: one for one in listed}


_KINDS = {
    BUCKET: "storage.googleapis.com/Bucket",
    OTHER: "storage.googleapis.com/Bucket",
    SECRET: "secretmanager.googleapis.com/Secret",
    SERVICE: "run.googleapis.com/Service",
}


def _resources(rng: random.Random) -> Record:
    return {
        name: {
            "id": name,
            "kind": kind,
            "scope": FAR if name == OTHER else NEAR,
            "tags": _tags(rng),
        }
        for name, kind in _KINDS.items()
    }


def _principals(rng: random.Random) -> Record:
    def one(name: str, kind: str, scope: str, groups: list[str] | None = None) -> Record:
        return {"id": name, "kind": kind, "scope": scope, "groups": groups or []}

    own = rng.choice(([], [], [INNER], [OUTER], [INNER, THIRD]))
    listed: list[Record] = [
        one(ML, "service-account", NEAR, own),
        one(AWAY, "service-account", FAR, own),
        one(AGENT, "service-agent", NEAR),
        one(ANN, "user", ORG, own),
        one(RUNNER, "federated", NEAR),
        one(KNOWN, "federated", NEAR) | {"attributes": {"attribute.repository": "acme/api"}},
        one(INNER, "group", ORG, rng.choice(([], [OUTER]))),
        one(OUTER, "group", ORG),
        one(THIRD, "group", ORG),
    ]
    if rng.random() < 0.03:
        listed[0]["disabled"] = True
    return {str(found["id"]): found for found in listed}


_STATES: tuple[Record, ...] = ({}, {}, {}, {}, {"deleted": True}, {"stage": "DISABLED"})


def _roles(rng: random.Random, wanted: str) -> Record:
    permissions = tuple(PERMISSIONS)
    names = (
        *("roles/owner", "roles/editor", "roles/viewer", "roles/a", "roles/b"),
        "projects/p/roles/own",
    )
    found: Record = {}
    for name in names:
        given = sorted({*_some(rng, permissions, 4), *([wanted] if rng.random() < 0.6 else [])})
        state = rng.choice(_STATES) if name.startswith("projects/") else {}
        found[name] = {"includedPermissions": given, **state}
    return found


def _binding(rng: random.Random, roles: Record, principal: str, resource: str) -> Record:
    role = rng.choice(list(roles)) if rng.random() < 0.95 else "roles/unheard-of"
    return {
        "target": rng.choice((*SCOPES, *SCOPES, *RESOURCES, resource, resource)),
        "role": role,
        "members": _some(rng, (*MEMBERS, *[principal] * 8), 3),
        "condition": ""
        if "owner" in role or rng.random() < 0.5
        else random_condition(rng, LEAVES),
    }


def random_condition(rng: random.Random, leaves: tuple[str, ...], depth: int = 2) -> str:
    """Write a condition of tests, joined in all the ways that there are."""
    if rng.random() < 0.02:
        return rng.choice(BROKEN)
    if depth == 0 or rng.random() < 0.4:
        return rng.choice(leaves)
    left, right = (random_condition(rng, leaves, depth - 1) for _ in range(2))
    if left in BROKEN or right in BROKEN:
        return left
    match rng.randint(0, 7):
        case 0:
            return f"!({left})"
        case 1:
            return f"({left}) ? ({right}) : {rng.choice(leaves)}"
        case 2 | 3 | 4:
            return f"({left}) || ({right})"
        case _:
            return f"({left}) && ({right})"


def _deny(rng: random.Random) -> Record:
    rules: list[Record] = []
    for _ in range(rng.randint(1, 2)):
        rule: Record = {
            "deniedPrincipals": _some(rng, DENIED, 2),
            "deniedPermissions": _some(rng, PATTERNS, 3),
        }
        if rng.random() < 0.3:
            rule["exceptionPrincipals"] = _some(rng, DENIED[2:], 2)
        if rng.random() < 0.2:
            rule["exceptionPermissions"] = _some(rng, PATTERNS, 1)
        if rng.random() < 0.3:
            rule["denialCondition"] = {"expression": random_condition(rng, TAG_LEAVES)}
        rules.append(rule)
    return {"target": rng.choice(SCOPES), "rules": rules}


def _boundary(rng: random.Random) -> Record:
    conditions = (
        *("", "", "", "principal.subject == 'ml@p.iam.gserviceaccount.com'"),
        "principal.type == 'iam.googleapis.com/ServiceAccount'",
    )
    return {
        "target": rng.choice(SCOPES),
        "resources": _some(rng, SCOPES, 2),
        "version": rng.randint(1, 4),
        "condition": rng.choice(conditions),
    }


def _gap(rng: random.Random) -> Record:
    kind = rng.choice(("bindings", "deny", "boundary", "groups", "tags"))
    subject = rng.choice((INNER, OUTER, "")) if kind == "groups" else ""
    return {"kind": kind, "scope": rng.choice(SCOPES), "subject": subject}
