"""Makes policy cases of a snapshot of Google Cloud, for its reference evaluator.

What the evaluator does not know (sets of workload identity pools, access policies, conditions on
permissions that are not in its table) is not decided rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from modelreach_reference.facts import Facts, Json, attributes, inner, listed, read
from modelreach_reference.gcp.evaluation import PERMISSIONS, answers, count_completions
from modelreach_reference.gcp.members import BASIC

#: More ways than this for a case to turn out are not tried.
MANY = 2_048
_MANAGER = "//cloudresourcemanager.googleapis.com/"
_ACTING = ("serviceAccount:", "user:", "group:", "principal:", "principalSet:", "domain:")


class GcpSnapshot:
    """An estate. `context` are attributes of requests that the deployment fixes."""

    def __init__(self, snapshot: Json, context: Json) -> None:
        self._facts = Facts(snapshot, "gcp")
        self._context = context

    def knows(self, subject: str) -> bool:
        """Is the subject one of Google Cloud's?"""
        return subject.startswith(_ACTING)

    def follows(self, subject: str) -> bool:
        """Can it be said what the subject may do? Not of one that has changed it for itself."""
        return "#" not in subject

    def asks(self, action: str) -> bool:
        """Is it a permission, `service.nouns.verb`?"""
        return action.count(".") > 1

    def stands(self, part: Json) -> bool:
        """Is there such a binding on the target, or a document that says it?"""
        said, target = read(str(part.get("statement"))), str(part.get("target"))
        if inner({"": said}, "").keys() >= {"role", "members"}:
            return any(_is_said(row, said) for row in self._facts.bindings.get(target, ()))
        return self._facts.stands_in(target, said)

    def answers(self, part: Json) -> set[str] | None:
        """Give what Google Cloud may answer, at the most favourable part of the resource that the
        step can be about; None when that cannot be decided here."""
        case = self._case(part)
        if case is None or _is_beyond(case):
            return None
        best: set[str] | None = None
        for request in _requests(case, str(part.get("statement"))):
            found = _answered({**case, "request": request})
            if found == {"allow"}:
                return found
            if found is not None and (best is None or "allow" in found):
                best = found
        return best

    def _case(self, part: Json) -> dict[str, Any] | None:
        facts = self._facts
        subject, resource = str(part.get("subject")), self._resource(str(part.get("object")))
        if subject not in facts.principals or not resource:
            return None
        chain = list(self._chain(resource))
        if any((place, "access-policy") in facts.attachments for place in chain):
            return None
        return {
            "request": {
                "principal": subject,
                "permission": str(part.get("action")),
                "resource": resource,
                "time": facts.taken_at,
                "context": dict(self._context),
            },
            "scopes": {name: _scope(row) for name, row in facts.scopes.items()},
            "resources": {
                name: _resource(facts.resources[name])
                for name in chain[:1]
                if name in facts.resources
            },
            "principals": {name: _principal(row) for name, row in facts.principals.items()},
            "roles": {name: role for name, role in facts.roles.items() if role is not None},
            "bindings": list(self._bindings(chain, subject)),
            "denies": list(self._denies(chain)),
            "boundaries": list(self._boundaries()),
            "gaps": [_gap(row) for row in facts.rows("gaps")],
        }

    def _resource(self, name: str) -> str:
        """A service account is a resource, too: that which acts as it. What is not listed in a
        scope is asked about there."""
        facts, name = self._facts, name.removesuffix("/*")
        if name in facts.scopes or name in facts.resources:
            return name
        if name not in facts.principals:
            return ""
        account = name.partition(":")[2]
        for other in facts.resources:
            if other.startswith("//iam.googleapis.com/") and other.endswith(f"/{account}"):
                return other
        return ""

    def _chain(self, resource: str) -> Iterator[str]:
        scopes = self._facts.scopes
        place = resource
        if place not in scopes:
            yield place
            place = str(self._facts.resources[resource].get("scope") or "")
        seen: set[str] = set()
        while place and place not in seen:
            seen.add(place)
            yield place
            place = str((scopes.get(place) or {}).get("parent") or "")

    def _bindings(self, chain: list[str], subject: str) -> Iterator[dict[str, Any]]:
        """Bindings that can mean the subject, and those by which others mean basic roles."""
        basic, mine = set(BASIC.values()), {subject, *self._facts.groups_of(subject)}
        for target, rows in self._facts.bindings.items():
            for row in rows:
                members = list(map(str, listed(row, "members")))
                meant = target in chain and any(_may_mean(one, mine) for one in members)
                if meant or row.get("role") in basic:
                    yield {
                        "target": target,
                        "role": str(row.get("role")),
                        "members": members,
                        "condition": str(row.get("condition") or ""),
                    }

    def _denies(self, chain: list[str]) -> Iterator[dict[str, Any]]:
        for (target, kind), documents in self._facts.attachments.items():
            if kind == "deny" and target in chain:
                for document in documents:
                    rules = [inner(rule, "denyRule") for rule in listed(document, "rules")]
                    yield {"target": target, "rules": [rule for rule in rules if rule]}

    def _boundaries(self) -> Iterator[dict[str, Any]]:
        for (target, kind), documents in self._facts.attachments.items():
            if kind == "boundary":
                yield from (_boundary(target, document) for document in documents)


def _boundary(target: str, document: object) -> dict[str, Any]:
    details = inner(inner(document, "policy"), "details")
    version = str(details.get("enforcementVersion") or "")
    return {
        "target": target,
        "condition": inner(inner(document, "binding"), "condition").get("expression", ""),
        "version": int(version) if version.isdecimal() else max(_VERSIONS),
        "resources": [
            str(name).removeprefix(_MANAGER)
            for rule in listed(details, "rules")
            for name in listed(rule, "resources")
        ],
    }


#: Members that mean more than themselves.
_WIDE = ("all", "domain:", "project", "principalSet:", "principalHierarchy:", "group:")


def _may_mean(member: str, mine: set[str]) -> bool:
    if member.startswith("group:"):
        return member in mine
    return member in mine or member.startswith(_WIDE)


def _requests(case: dict[str, Any], statement: str) -> Iterator[dict[str, Any]]:
    """The request about the resource, and about each part of it that the statement names."""
    request = case["request"]
    yield request
    condition = str(inner({"": read(statement)}, "").get("condition") or "")
    relative = str(request["resource"]).removeprefix("//").partition("/")[2]
    for _, name in _QUOTED.findall(condition):
        if relative and name.startswith(f"{relative}/"):
            yield {**request, "part": f"{name}x" if name.endswith("/") else name}


_QUOTED = re.compile(r"""(["'])(.*?)\1""")


def _answered(case: dict[str, Any]) -> set[str] | None:
    try:
        return answers(case) - {"open"} if count_completions(case) <= MANY else None
    except (KeyError, ValueError):
        return None


_VERSIONS = [since for since, _ in PERMISSIONS.values() if since is not None]


def _is_said(row: Json, said: Json) -> bool:
    return (
        row.get("role") == said.get("role")
        and set(listed(said, "members")) <= set(listed(row, "members"))
        and str(row.get("condition") or "") == str(said.get("condition") or "")
        and str(row.get("status") or "active") == "active"
    )


def _is_beyond(case: dict[str, Any]) -> bool:
    """Does it hang on something that the evaluator has no table or rule for?"""
    members = {member for row in case["bindings"] for member in row["members"]}
    if any(
        member.startswith(("principalSet://iam.", "principalHierarchy:")) for member in members
    ):
        return True
    if case["request"]["permission"] in PERMISSIONS:
        return False
    conditions = [row["condition"] for row in case["bindings"]]
    conditions += [
        rule.get("denialCondition", {}).get("expression", "")
        for deny in case["denies"]
        for rule in deny["rules"]
    ]
    chain = _above(case["principals"][case["request"]["principal"]]["scope"], case)
    told = any(_TYPED.search(condition) for condition in conditions)
    return told or any(row["target"] in chain for row in case["boundaries"])


#: Of what kind a resource is stands in the table.
_TYPED = re.compile(r"resource\.(?:type|service)")


def _above(scope: str, case: dict[str, Any]) -> list[str]:
    found: list[str] = []
    while scope and scope not in found:
        found.append(scope)
        scope = case["scopes"].get(scope, {}).get("parent", "")
    return found


def _scope(row: Json) -> dict[str, Any]:
    told = attributes(row)
    found = {"id": row["id"], "parent": str(row.get("parent") or "")}
    found["tags"] = _tags(told)
    return found | ({"number": str(told["number"])} if "number" in told else {})


def _resource(row: Json) -> dict[str, Any]:
    told = attributes(row)
    scope = str(row.get("scope"))
    return {"id": row["id"], "kind": row["kind"], "scope": scope, "tags": _tags(told)}


def _tags(told: Json) -> list[Any]:
    return listed(told, "tags") or listed(told, "effective_tags")


def _principal(row: Json) -> dict[str, Any]:
    told = attributes(row)
    return {
        "id": row["id"],
        "kind": row["kind"],
        "scope": str(row.get("scope") or ""),
        "groups": listed(row, "groups"),
        "disabled": told.get("disabled") is True,
        "attributes": told,
    }


def _gap(row: Json) -> dict[str, str]:
    return {name: str(row.get(name) or "") for name in ("kind", "scope", "subject")}
