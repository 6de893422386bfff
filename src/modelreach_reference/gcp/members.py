"""Whom a member means, straight from the table of identifiers.

https://docs.cloud.google.com/iam/docs/principal-identifiers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

BASIC = {
    "projectOwner": "roles/owner",
    "projectEditor": "roles/editor",
    "projectViewer": "roles/viewer",
}
POOL = "//iam.googleapis.com/projects/11/locations/global/workloadIdentityPools/ci"

Turn = Callable[[str, str], bool]
Case = Mapping[str, Any]


def means(member: str, case: Case, turn: Turn) -> bool:
    """Does a member mean the one who asks, given how what is not known turns out?"""
    who = case["principals"][case["request"]["principal"]]
    name, kind = who["id"], who["kind"]
    if member == name or member == "allUsers":
        return True
    if member == "allAuthenticatedUsers":
        return kind in ("user", "service-account", "service-agent")
    if member.startswith("domain:"):
        return bool(kind == "user" and name.endswith("@" + member.removeprefix("domain:")))
    if member.startswith("group:"):
        return in_group(member, case, turn)
    if member.partition(":")[0] in BASIC:
        return holds_basic_role(member, case, turn)
    if member.startswith("principalSet://cloudresourcemanager.googleapis.com/"):
        return in_scope(member, who, case)
    if member.startswith(f"principalSet:{POOL}/") and name.startswith(f"principal:{POOL}/"):
        return in_pool(member.removeprefix(f"principalSet:{POOL}/"), who, turn)
    return False


def in_group(group: str, case: Case, turn: Turn) -> bool:
    """Is it in a group, or in one nested in it? If members were not read, it may be."""
    who = case["principals"][case["request"]["principal"]]
    seen: set[str] = set()
    waiting = list(who["groups"])
    while waiting:
        here = waiting.pop()
        if here == group:
            return True
        if here not in seen:
            seen.add(here)
            waiting += case["principals"].get(here, {}).get("groups", [])
    unread = [gap["subject"] for gap in case["gaps"] if gap["kind"] == "groups"]
    if "" in unread or any(leads(one, group, case) for one in unread):
        return turn(f"members of {group}", "not read")
    return False


def leads(inner: str, outer: str, case: Case) -> bool:
    """Are members of one group members of the other?"""
    waiting, seen = [inner], set[str]()
    while waiting:
        here = waiting.pop()
        if here == outer:
            return True
        if here not in seen:
            seen.add(here)
            waiting += case["principals"].get(here, {}).get("groups", [])
    return False


def holds_basic_role(member: str, case: Case, turn: Turn) -> bool:
    """Does it hold the basic role on that project? Holding it from above may or may not count."""
    word, _, project = member.partition(":")
    scope = next(
        (
            s["id"]
            for s in case["scopes"].values()
            if project in (s["id"].removeprefix("projects/"), s.get("number"))
        ),
        "",
    )
    if not scope:
        return False
    from_above = False
    for binding in case["bindings"]:
        if binding["role"] != BASIC[word]:
            continue
        plain = [m for m in binding["members"] if m.partition(":")[0] not in BASIC]
        if any(means(m, case, _surely) for m in plain if not m.startswith("principalSet:" + POOL)):
            if binding["target"] == scope:
                return True
            from_above = from_above or binding["target"] in above(scope, case)
    return from_above and turn(f"whether {member} means who inherits it", "not understood")


def above(scope: str, case: Case) -> list[str]:
    """The scope and all above it."""
    path: list[str] = []
    while scope and scope not in path:
        path.append(scope)
        scope = case["scopes"].get(scope, {}).get("parent", "")
    return path


def in_scope(member: str, who: Mapping[str, Any], case: Case) -> bool:
    """Is it a service account, or agent, of that project, folder or organization?"""
    place, _, kind = member.removeprefix(
        "principalSet://cloudresourcemanager.googleapis.com/"
    ).partition("/type/")
    wanted = {"ServiceAccount": "service-account", "ServiceAgent": "service-agent"}.get(kind)
    names: set[str] = set()
    for scope in above(who["scope"], case):
        names |= {scope, f"projects/{case['scopes'].get(scope, {}).get('number', '-')}"}
    return bool(wanted == who["kind"] and place in names)


def in_pool(rest: str, who: Mapping[str, Any], turn: Turn) -> bool:
    """Is it in a set of the pool?"""
    if rest == "*":
        return True
    name, _, value = rest.partition("/")
    known = who.get("attributes", {}).get(name)
    return known == value if known is not None else turn(f"{name} == '{value}'", "open")


def plain(member: str) -> str:
    """A principal of a deny policy in the spelling of allow policies."""
    for theirs, ours in (
        ("principal://goog/subject/", "user:"),
        ("principal://iam.googleapis.com/projects/-/serviceAccounts/", "serviceAccount:"),
        ("principalSet://goog/group/", "group:"),
    ):
        if member.startswith(theirs):
            return ours + member.removeprefix(theirs)
    return "allUsers" if member == "principalSet://goog/public:all" else member


def _surely(_what: str, _why: str) -> bool:
    """Who is only perhaps a member is not one."""
    return False
