"""Makes cases of a snapshot of Azure, for its reference evaluator.

Permissions of Microsoft Graph and access policies of Key Vault are decided here, as they are
lists: whoever is on them has what they say. Roles of the directory are not decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from modelreach_reference.azure import answers, count_completions
from modelreach_reference.azure.conditions import asked_about
from modelreach_reference.facts import Facts, Json, attributes, inner, listed, read, says

#: More ways than this for a case to turn out are not tried.
MANY = 3_000
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ROLE = "/providers/microsoft.authorization/roledefinitions/"
_GRAPH = "graph:"
_DIRECTORY = "microsoft.directory/"
#: https://learn.microsoft.com/azure/key-vault/general/rbac-migration#access-policy-to-azure-role-mapping
_VERBS = {"getsecret": "get", "setsecret": "set", "readmetadata": "list"}


class AzureSnapshot:
    """An estate. `context` are attributes of requests that the deployment fixes."""

    def __init__(self, snapshot: Json, context: Json) -> None:
        self._facts = Facts(snapshot, "azure")
        self._context = context

    def knows(self, subject: str) -> bool:
        """Is the subject one of Entra ID's, or an Azure resource?"""
        name = subject.partition("#")[0]
        return bool(_UUID.fullmatch(name)) or subject.startswith("/subscriptions/")

    def follows(self, subject: str) -> bool:
        """Can it be said what the subject may do? Not of one that has changed it for itself."""
        return "#" not in subject

    def asks(self, action: str) -> bool:
        """Is it an operation of ARM, or a permission of Graph?"""
        return "/" in action or action.startswith(_GRAPH)

    def stands(self, part: Json) -> bool:
        """Is there such an assignment on the target, whose role says it, or such a document?"""
        said, target = read(str(part.get("statement"))), str(part.get("target"))
        sid = str(part.get("sid") or "")
        for row in self._facts.bindings.get(target, ()):
            role = self._facts.roles.get(str(row.get("role")))
            if str(row.get("id")).rsplit("/", 1)[-1] == sid and says(role, said):
                return True
        return self._facts.stands_in(target, said)

    def answers(self, part: Json) -> set[str] | None:
        """Give what Azure may answer; None when that cannot be decided here."""
        action = str(part.get("action"))
        if action.startswith(_DIRECTORY):
            return None
        if action.startswith(_GRAPH):
            return self._of_graph(str(part.get("subject")), action.removeprefix(_GRAPH))
        if part.get("layer") == "access-policy":
            return self._of_vault(part)
        return self._of_arm(part)

    def _members(self, subject: str) -> set[str]:
        return {subject, *self._facts.groups_of(subject)}

    def _of_graph(self, subject: str, permission: str) -> set[str]:
        """An application permission is held by whom it is assigned to.

        https://learn.microsoft.com/graph/permissions-overview
        """
        members = self._members(subject)
        for row in self._facts.rows("bindings"):
            role = inner(self._facts.roles, str(row.get("role")))
            active = str(row.get("status") or "active") == "active" and role.get("isEnabled", True)
            if (
                role.get("value") == permission
                and active
                and members & set(listed(row, "members"))
            ):
                return {"allow"}
        return {"deny"}

    def _of_vault(self, part: Json) -> set[str] | None:
        said = inner({"": read(str(part.get("statement")))}, "")
        vault = self._facts.resources.get(str(part.get("target")))
        if not said or attributes(vault).get("rbac") is True:
            return {"deny"}
        if said.get("applicationId"):
            return None
        noun, _, verb = str(part.get("action")).removesuffix("/action").lower().rpartition("/")
        given = listed(inner(said, "permissions"), noun.rpartition("/")[2])
        wanted = {verb, _VERBS.get(verb, verb), "all"}
        allowed = said.get("objectId") in self._members(str(part.get("subject")))
        return {"allow" if allowed and wanted & {str(v).lower() for v in given} else "deny"}

    def _of_arm(self, part: Json) -> set[str] | None:
        resource = str(part.get("object")).lower()
        if not resource.startswith("/"):
            return None
        case = self._case(str(part.get("subject")), str(part.get("action")), resource)
        if _is_about_itself(case):
            return None
        best: set[str] | None = None
        for context in _parts(case):
            found = _answered({**case, "context": context})
            if found == {"allow"}:
                return found
            if found is not None and (best is None or "allow" in found):
                best = found
        return best

    def _case(self, subject: str, action: str, resource: str) -> dict[str, Any]:
        members = self._members(subject)
        parents = {
            name.lower(): str(row.get("parent") or "").lower()
            for name, row in self._facts.scopes.items()
            if row.get("kind") in ("subscription", "management-group")
        }
        places = set(_places(resource, parents))
        assignments = list(self._assignments(places))
        used = {one["role"] for one in assignments}
        return {
            "action": action,
            "resource": resource,
            "principal": subject,
            "person": _is_person(self._facts.principals.get(subject)),
            "parents": parents,
            "groups": {
                name: listed(self._facts.principals.get(name), "groups") for name in members
            },
            "unread_groups": sorted(self._unread() & {one["principal"] for one in assignments}),
            "roles": {name: self._blocks(name) for name in used},
            "assignments": assignments,
            "denies": list(self._denies(places)),
            "locks": {place: levels for place in places if (levels := self._locks(place))},
            "context": dict(self._context),
        }

    def _blocks(self, role: str) -> list[Json] | None:
        found = self._facts.roles.get(role)
        return None if found is None else listed(found, "permissions")

    def _assignments(self, places: set[str]) -> Iterator[dict[str, Any]]:
        for place in sorted(places):
            for row in self._facts.bindings.get(place, ()):
                if _ROLE in str(row.get("role")).lower():
                    for member in listed(row, "members"):
                        yield {
                            "role": str(row.get("role")),
                            "principal": str(member),
                            "scope": place,
                            "condition": str(row.get("condition") or ""),
                            "status": str(row.get("status") or "active"),
                        }

    def _denies(self, places: set[str]) -> Iterator[dict[str, Any]]:
        for place in sorted(places):
            for document in self._facts.attachments.get((place, "deny"), ()):
                yield {**(document or {}), "scope": place}

    def _locks(self, place: str) -> list[str]:
        row = self._facts.scopes.get(place) or self._facts.resources.get(place)
        return list(map(str, listed(attributes(row), "locks")))

    def _unread(self) -> set[str]:
        gaps = self._facts.rows("gaps")
        return {str(row.get("subject")) for row in gaps if row.get("kind") == "groups"}


def _is_person(row: Json | None) -> bool:
    user = row is not None and row.get("kind") == "user"
    return user and not attributes(row).get("agent_user")


def _answered(case: dict[str, Any]) -> set[str] | None:
    return set(answers(case).found) if count_completions(case) <= MANY else None


def _parts(case: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What is known of the request, and of each part of the resource that a condition names."""
    yield case["context"]
    for one in case["assignments"]:
        for name, values in asked_about(one["condition"]).items():
            if name.startswith("resource[") and name.endswith(":name]"):
                yield from ({**case["context"], name: value} for value in values)


def _is_about_itself(case: dict[str, Any]) -> bool:
    """Does a condition ask which role is assigned to whom? A witness does not say that."""
    return any("roleassignments:" in one["condition"].lower() for one in case["assignments"])


def _places(resource: str, parents: dict[str, str]) -> Iterator[str]:
    """The resource and everything that it lies in."""
    yield "/"
    place = resource
    while place and place != "/":
        yield place
        above = parents.get(place)
        place = above if above is not None else place.rpartition("/")[0]
