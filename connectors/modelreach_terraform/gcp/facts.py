"""What facts of Google Cloud have in common when they come from a plan: names and members."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Binding, Principal, Resource
from modelreach_terraform.edits import Edit, Is
from modelreach_terraform.told import Told
from modelreach_terraform.world import World

#: Services that write projects by number in the names of their resources.
_BY_NUMBER: Final = frozenset({"aiplatform.googleapis.com", "secretmanager.googleapis.com"})
_PROJECT: Final = re.compile(r"(?<=/projects/)[^/]+")
_AGENT: Final = re.compile(
    r"(?P<number>\d+)@(?P<service>cloudservices|cloudbuild)\.gserviceaccount\.com"
    r"|service-(?P<number2>\d+)@(?P<service2>[\w-]+)(?:\.iam)?\.gserviceaccount\.com"
)
_DEFAULT: Final = re.compile(r"(\d+)-compute@developer\.gserviceaccount\.com")


def spelled(name: str, told: Told) -> str:
    """Give a full resource name with its project as facts have it: by number for some services, by
    id for the others, where it is known."""
    service = name[2:].partition("/")[0]
    found = _PROJECT.search(name)
    if not found or found[0] == "_":
        return name
    for scope in told.world.scopes.values():
        project, number = scope.id.removeprefix("projects/"), scope.attributes.get("number")
        if scope.kind == "project" and found[0] in (project, number):
            wanted = number if service in _BY_NUMBER else project
            return _PROJECT.sub(str(wanted or found[0]), name, count=1)
    return name


def resource(told: Told, kind: str, name: str, *, label: str = "", **more: Any) -> Is:
    """Give a resource by its full name."""
    return Is(
        Resource(
            id=name,
            provider="gcp",
            kind=kind,
            scope=told.place["scope"],
            region=located(told),
            name=label or name.rpartition("/")[2],
            tags=told.tags(),
            attributes=attributes(**more),
        )
    )


def located(told: Told) -> str:
    """Give where a thing is, "" for everywhere."""
    where = told.text("location", "region", "zone").rpartition("/")[2].lower()
    return "" if where in ("global", "-") else where


def digest(text: str) -> str:
    """Give a short digest of a text, to tell it from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def binding(target: str, role: str, members: Iterable[str], condition: str, title: str) -> Binding:
    """Give a binding, named as facts name it: by target, role and condition."""
    mark = f"#{digest(condition)}" if condition else ""
    return Binding(
        id=f"{target}#{role}{mark}",
        provider="gcp",
        target=target,
        role=role,
        members=tuple(sorted(set(members))),
        condition=condition,
        attributes=attributes(condition_title=title),
    )


def home(world: World) -> str:
    """Give the scope of those who are of no project: the topmost that there is."""
    scopes = [one for one in world.scopes.values() if one.provider == "gcp"]
    order = {"organization": 0, "folder": 1, "project": 2}
    ranked = sorted(scopes, key=lambda one: (order.get(one.kind, 3), one.id))
    return ranked[0].id if ranked else ""


def mentioned(told: Told, members: Iterable[str]) -> Iterator[Edit]:
    """Give the principals that members are, unless they are sets, deleted, or known.

    https://cloud.google.com/iam/docs/principal-identifiers
    """
    for member in members:
        if member not in told.world.principals:
            made = _principal(told, member)
            if made is not None:
                yield Is(made)


def _principal(told: Told, member: str) -> Principal | None:
    kind, _, name = member.partition(":")
    match kind:
        case "serviceAccount" if ".svc.id.goog[" in name:
            return _of(member, "federated", _project(told, name.partition(".svc")[0]), name)
        case "serviceAccount" if "@" in name:
            return _account(told, member, name)
        case "user" | "group" if name:
            return _of(member, kind, home(told.world), name)
        case "principal":
            found = re.search(r"/projects/([^/]+)/", member)
            scope = _project(told, found[1] if found else "")
            return _of(member, "federated", scope, member.rpartition("/")[2])
        case _:
            return None


def _of(member: str, kind: str, scope: str, name: str, **more: Any) -> Principal:
    return Principal(
        id=member,
        provider="gcp",
        kind=kind,
        scope=scope,
        name=name,
        attributes=attributes(**more),
    )


def _account(told: Told, member: str, email: str) -> Principal:
    if found := _AGENT.fullmatch(email):
        number = found["number"] or found["number2"]
        service = found["service"] or found["service2"]
        scope = _project(told, number)
        return _of(member, "service-agent", scope, service, number=number, service=service)
    default = _DEFAULT.fullmatch(email)
    project = default[1] if default else email.partition("@")[2].partition(".iam.")[0]
    scope = _project(told, project)
    known = scope.removeprefix("projects/") == project or default is not None
    return _of(
        member,
        "service-account",
        scope,
        email,
        email=email,
        default="compute" if default else "",
        foreign=None if known and scope in told.world.scopes else True,
    )


def _project(told: Told, named: str) -> str:
    """Give the scope of a project by id or number; of one that is not known, the topmost."""
    for scope in told.world.scopes.values():
        known = (scope.id.removeprefix("projects/"), scope.attributes.get("number"))
        if scope.kind == "project" and named and named in known:
            return scope.id
    return home(told.world)
