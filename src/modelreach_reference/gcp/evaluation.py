"""The order of the documentation, step by step, once for each way in which things turn out.

https://docs.cloud.google.com/iam/docs/policy-types
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from modelreach_reference.gcp.conditions import Asked, holds
from modelreach_reference.gcp.members import Turn, above, means, plain

Case = Mapping[str, Any]

#: Permissions of the cases: since which version a boundary can block them, and on what they are
#: checked, as `resource.type` of a condition (None: it is not told to conditions).
PERMISSIONS: dict[str, tuple[int | None, str | None]] = {
    "storage.objects.get": (1, "storage.googleapis.com/Object"),
    "storage.objects.create": (2, "storage.googleapis.com/Object"),
    "storage.buckets.get": (1, "storage.googleapis.com/Bucket"),
    "storage.buckets.list": (1, "storage.googleapis.com/Bucket"),
    "secretmanager.versions.access": (4, "secretmanager.googleapis.com/SecretVersion"),
    "secretmanager.secrets.get": (4, "secretmanager.googleapis.com/Secret"),
    "iam.serviceAccounts.actAs": (3, None),
    "run.services.get": (1, None),
    "compute.instances.get": (None, "compute.googleapis.com/Instance"),
    "resourcemanager.projects.get": (2, "cloudresourcemanager.googleapis.com/Project"),
}
#: Of a permission that is not in the table nothing is told to conditions.
_NO_ROW: tuple[int | None, str | None] = (None, None)
_PROJECT = "cloudresourcemanager.googleapis.com/Project"
_OWN: dict[str, tuple[str, dict[str, str]]] = {
    "storage.googleapis.com/Bucket": ("storage.buckets", {"storage.objects": "/objects/"}),
    "secretmanager.googleapis.com/Secret": (
        "secretmanager.secrets",
        {"secretmanager.versions": "/versions/"},
    ),
    "run.googleapis.com/Service": ("run.services", {}),
}


def answers(case: Case, most: int = 4096) -> set[str]:
    """Give every answer that a case may have: `allow`, `deny`, both with what they hang on.

    `open`: there are requests by which it is allowed however what was not read turns out.
    """
    keys = sorted(_unknowns(case))
    if 2 ** len(keys) > most:
        raise ValueError("too many ways")
    gaps = [key for key in keys if key[1] != "open"]
    opens = [key for key in keys if key[1] == "open"]
    found: set[str] = set()
    for request in product((False, True), repeat=len(opens)):
        turned = [
            _decided(case, dict(zip(opens + gaps, (*request, *read), strict=True)))
            for read in product((False, True), repeat=len(gaps))
        ]
        found |= {"allow" if one else "deny" for one in turned}
        if all(turned):
            found.add("open")
    return found


def count_completions(case: Case) -> int:
    """Count the ways in which what is not known may turn out."""
    return int(2 ** len(_unknowns(case)))


def _unknowns(case: Case) -> set[tuple[str, str]]:
    """Everything that some way through the case asks for and that is not known."""
    keys: set[tuple[str, str]] = set()

    def turned(way: bool) -> Turn:
        def turn(what: str, why: str) -> bool:
            keys.add((what, why))
            return way

        return turn

    for way in (False, True):
        _all_parts(case, turned(way))
    return keys


def _all_parts(case: Case, turn: Turn) -> None:
    """Ask everything, so that all is seen that is not known."""
    list(_denials(case, turn))
    list(_grants(case, turn))
    _bounded(case, turn)


def _decided(case: Case, ways: Mapping[tuple[str, str], bool]) -> bool:
    def turn(what: str, why: str) -> bool:
        return ways.get((what, why), False)

    who = case["principals"][case["request"]["principal"]]
    if who.get("disabled"):
        return False
    # Every part is asked, though the first often settles it: this is the slow way.
    within, denied, granted = (
        _bounded(case, turn),
        any(list(_denials(case, turn))),
        any(list(_grants(case, turn))),
    )
    return within and not denied and granted


def _chain(case: Case) -> list[str]:
    resource = case["request"]["resource"]
    if resource in case["scopes"]:
        return above(resource, case)
    return [resource, *above(case["resources"][resource]["scope"], case)]


# --- what allows -------------------------------------------------------------------------------


def _grants(case: Case, turn: Turn) -> Iterator[bool]:
    chain, permission = _chain(case), case["request"]["permission"]
    for binding in case["bindings"]:
        if binding["target"] in chain:
            meant = [means(member, case, turn) for member in binding["members"]]
            given = _gives(binding["role"], permission, case, turn)
            met = holds(binding["condition"], _asked(case, turn)) if given is not None else False
            yield any(meant) and bool(given) and met
    for gap in case["gaps"]:
        if gap["kind"] == "bindings" and gap["scope"] in chain:
            yield turn(f"allow policy of {gap['scope']}", "not read")


def _gives(role: str, permission: str, case: Case, turn: Turn) -> bool | None:
    """Does a role give a permission? None: surely not."""
    definition = case["roles"].get(role)
    if definition is None:
        return turn(f"what {role} gives", "not read")
    if definition.get("deleted") or definition.get("stage") == "DISABLED":
        return None
    return True if permission in definition["includedPermissions"] else None


# --- what denies -------------------------------------------------------------------------------


#: What a group of permissions in a deny policy leaves open.
SUPPORTED = "whether deny policies support what a group of permissions names"


def _denials(case: Case, turn: Turn) -> Iterator[bool]:
    chain, permission = _chain(case), _qualified(case["request"]["permission"])
    for policy in case["denies"]:
        if policy["target"] not in chain:
            continue
        for rule in policy["rules"]:
            names = any(_matches(p, permission) for p in rule.get("deniedPermissions", []))
            spares = any(_matches(p, permission) for p in rule.get("exceptionPermissions", []))
            if not names or spares:
                continue
            meant = [means(plain(m), case, turn) for m in rule.get("deniedPrincipals", [])]
            excepted = [means(plain(m), case, turn) for m in rule.get("exceptionPrincipals", [])]
            condition = rule.get("denialCondition", {}).get("expression", "")
            met = holds(condition, _asked(case, turn))
            denies = any(meant) and not any(excepted) and met
            named = permission in rule.get("deniedPermissions", [])
            yield denies and (named or turn(SUPPORTED, "not understood"))
    for gap in case["gaps"]:
        if gap["kind"] == "deny" and gap["scope"] in chain:
            yield not turn(f"deny policies of {gap['scope']} let it pass", "not read")


def _qualified(permission: str) -> str:
    service, _, rest = permission.partition(".")
    host = "cloudresourcemanager" if service == "resourcemanager" else service
    return f"{host}.googleapis.com/{rest}"


def _matches(pattern: str, permission: str) -> bool:
    """`service/*.*`, `service/noun.*`, `service/*.verb`, or the permission itself."""
    theirs, ours = pattern.split("/"), permission.split("/")
    if len(theirs) != 2 or theirs[0] != ours[0]:
        return False
    wanted, given = theirs[1].split("."), ours[1].split(".")
    return len(wanted) == len(given) and all(
        w in ("*", g) for w, g in zip(wanted, given, strict=True)
    )


# --- boundaries --------------------------------------------------------------------------------


def _bounded(case: Case, turn: Turn) -> bool:
    """Do the boundaries let it pass?"""
    who = case["principals"][case["request"]["principal"]]
    sets = above(who["scope"], case)
    if who["kind"] == "user":
        sets = [name for name in sets if name.startswith("organizations/")]
    bound = [boundary for boundary in case["boundaries"] if boundary["target"] in sets]
    mine = [b for b in bound if _binds(b, who, turn)]
    chain, permission = _chain(case), case["request"]["permission"]
    eligible = any(set(b["resources"]) & set(chain) for b in mine)
    since = PERMISSIONS.get(permission, _NO_ROW)[0]
    blocked = any(since is not None and since <= b["version"] for b in mine)
    passes = [
        turn(f"boundaries of {gap['scope']} let it pass", "not read")
        for gap in case["gaps"]
        if gap["kind"] == "boundary" and gap["scope"] in sets
    ]
    return (eligible or not blocked) and all(passes)


def _binds(boundary: Mapping[str, Any], who: Mapping[str, Any], turn: Turn) -> bool:
    types = {
        "service-account": "iam.googleapis.com/ServiceAccount",
        "service-agent": "iam.googleapis.com/ServiceAccount",
        "user": "iam.googleapis.com/WorkspaceIdentity",
    }
    given = {"principal.subject": who["id"].partition(":")[2]}
    if who["kind"] in types:
        given["principal.type"] = types[who["kind"]]
    return holds(boundary["condition"], Asked(turn, given=given))


# --- what conditions may ask -------------------------------------------------------------------


def _asked(case: Case, turn: Turn) -> Asked:
    request = case["request"]
    name, begins, kind = _told(case)
    chain = _chain(case)
    unread = any(gap["kind"] == "tags" and gap["scope"] in chain for gap in case["gaps"])
    return Asked(
        turn,
        name,
        begins,
        kind,
        None if unread else _tags(case, chain),
        f"tags of {chain[0]}",
        request["time"],
        dict(request["context"]),
    )


def _told(case: Case) -> tuple[str | None, str, str | None]:
    """`resource.name`, how it begins if it is not known, and `resource.type`. `part` of a request
    names what of the resource is asked about, such as an object of a bucket."""
    resource, permission = case["request"]["resource"], case["request"]["permission"]
    if "part" in case["request"]:
        return case["request"]["part"], "", PERMISSIONS.get(permission, _NO_ROW)[1]
    noun, _, verb = permission.rpartition(".")
    kind = PERMISSIONS.get(permission, _NO_ROW)[1]
    if resource in case["scopes"]:
        return (resource, "", _PROJECT if resource.startswith("projects/") else None)
    fact = case["resources"][resource]
    own, parts = _OWN.get(fact["kind"], ("", {}))
    relative = resource.removeprefix("//").partition("/")[2]
    if noun == own and verb in ("list", "create"):
        return fact["scope"], "", _PROJECT
    if kind is None:
        return None, "", None
    if noun == own:
        return relative, "", kind
    if noun in parts:
        return None, relative + parts[noun], kind
    return None, "", kind


def _tags(case: Case, chain: list[str]) -> frozenset[str]:
    """Own tags, and those of what it lies in for keys of which it has none."""
    found: dict[str, str] = {}
    for name in chain:
        facts: Any = case["scopes"].get(name) or case["resources"].get(name)
        tags: list[str] = facts.get("tags", []) if facts else []
        for tag in tags:
            found.setdefault(tag.rpartition("/")[0], tag)
    return frozenset(found.values())
