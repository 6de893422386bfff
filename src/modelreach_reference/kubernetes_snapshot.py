"""Makes cases of a snapshot of clusters, for the reference evaluator of Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from modelreach_reference.facts import Facts, Json, attributes, inner, listed, read, says
from modelreach_reference.kubernetes import answers, count_completions

#: More ways than this for a case to turn out are not tried.
MANY = 4_096
_ID = re.compile(r"(k8s/[^/]+)(?:/(.*))?", re.DOTALL)
_ACCOUNT = re.compile(r"system:serviceaccount:([^:]+):([^:]+)")
_MASTERS = "system:masters"
_ROLES = re.compile(r"(?P<namespace>[^/]*)/(?:cluster)?roles\.[^/]+/(?P<name>.+)")
_UNNAMED = ("create", "deletecollection")


class KubernetesSnapshot:
    """Clusters. What the deployment fixes of requests does not matter to RBAC."""

    def __init__(self, snapshot: Json, _: Json) -> None:
        self._facts = Facts(snapshot, "kubernetes")
        scopes = cast("list[Json]", snapshot.get("scopes") or [])
        self._clouded = any(scope.get("provider") != "kubernetes" for scope in scopes)

    def knows(self, subject: str) -> bool:
        """Is the subject in a cluster?"""
        return subject.startswith("k8s/")

    def follows(self, subject: str) -> bool:
        """Can it be said what the subject may do? Not of one that has changed it for itself."""
        return "#" not in subject

    def asks(self, action: str) -> bool:
        """Is it `group:resource:verb`, and no path of the API server?"""
        return action.count(":") == 2 and not action.startswith("url:")

    def stands(self, part: Json) -> bool:
        """Is there such a binding on the target, whose role says it?"""
        said, target = read(str(part.get("statement"))), str(part.get("target"))
        if said is None:
            return part.get("policy") == _MASTERS or self._mounts(part)
        for row in self._facts.bindings.get(target, ()):
            if _last(row.get("id")) == part.get("sid") and self._says(str(row.get("role")), said):
                return True
        return self._facts.stands_in(target, said)

    def _mounts(self, part: Json) -> bool:
        """Has what runs there the object in it?

        https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets
        """
        if part.get("policy") != "mounts":
            return False
        return any(
            row.get("id") == part.get("target")
            and any(
                link.get("target") == part.get("object") and link.get("kind") in ("env", "mounts")
                for link in cast("list[Json]", row.get("links") or [])
            )
            for row in self._facts.rows("runtimes")
        )

    def _says(self, role: str, said: object) -> bool:
        """A role that aggregates says what others say."""
        document = self._facts.roles.get(role)
        if "aggregationRule" not in inner({"": document}, ""):
            return says(document, said)
        return any(
            says(other, said)
            for name, other in self._facts.roles.items()
            if name.startswith(role.partition("//")[0])
        )

    def answers(self, part: Json) -> set[str] | None:
        """Give what the API server may answer, where an object is not named for the one that is
        named best; None when that cannot be decided here."""
        case = self._case(part)
        if case is None or count_completions(case) > MANY:
            return None
        found = answers(case)
        if case["request"]["name"] is None and "open" in found:
            return {"allow"}
        if found != {"allow"} and self._may_hold_more(str(part.get("subject"))):
            return None
        return found - {"open"}

    def _may_hold_more(self, subject: str) -> bool:
        """May a cloud give it what no binding of the cluster says? Service accounts are nobody
        there."""
        return self._clouded and _split(subject)[1].startswith("user:")

    def _case(self, part: Json) -> dict[str, Any] | None:
        cluster, who = _split(str(part.get("subject")))
        place, thing = _split(str(part.get("object")))
        if not who or place != cluster:
            return None
        name, groups = _user(who), self._facts.groups_of(str(part.get("subject")))
        about = attributes(self._facts.scopes.get(cluster))
        return {
            "user": {
                "name": name,
                "groups": [_split(one)[1].removeprefix("group:") for one in groups],
            },
            "request": _request(str(part.get("action")), thing),
            "roles": list(self._roles(cluster)),
            "bindings": list(self._bindings(cluster)),
            "unread": {
                "bindings": self._unread(cluster, "bindings"),
                "roles": self._unread(cluster, "roles"),
            },
            "anonymous": about.get("anonymous"),
            "version": about.get("version"),
            "managed": any(about.get(name) for name in ("arn", "resource_id")),
        }

    def _roles(self, cluster: str) -> Iterator[dict[str, Any]]:
        labels = {
            str(row["id"]): inner(row, "tags") for row in self._facts.rows("managed_policies")
        }
        for role, document in self._facts.roles.items():
            place, rest = _split(role)
            found = _ROLES.fullmatch(rest)
            if place != cluster or found is None or document is None:
                continue
            yield {
                "name": found["name"],
                "namespace": found["namespace"],
                "labels": dict(labels[role]),
                **{key: value for key, value in inner({"": document}, "").items() if value},
            }

    def _bindings(self, cluster: str) -> Iterator[dict[str, Any]]:
        for target, rows in self._facts.bindings.items():
            place, namespace = _split(target)
            for row in rows if place == cluster else ():
                found = _ROLES.fullmatch(_split(str(row.get("role")))[1])
                if found is not None:
                    kind = "Role" if found["namespace"] else "ClusterRole"
                    yield {
                        "namespace": namespace,
                        "roleRef": {"kind": kind, "name": found["name"]},
                        "subjects": [_subject(str(one)) for one in listed(row, "members")],
                    }

    def _unread(self, cluster: str, kind: str) -> list[str]:
        scopes = [
            _split(str(row.get("scope")))
            for row in self._facts.rows("gaps")
            if row.get("kind") == kind
        ]
        return [namespace for place, namespace in scopes if place == cluster]


def _split(name: str) -> tuple[str, str]:
    """The cluster of an id, and the rest."""
    found = _ID.fullmatch(name)
    return (found[1], found[2] or "") if found else ("", name)


def _last(name: object) -> str:
    return str(name).rpartition("/")[2]


def _user(who: str) -> str:
    return who if _ACCOUNT.fullmatch(who) else who.removeprefix("user:")


def _subject(member: str) -> dict[str, str]:
    who = _split(member)[1]
    account = _ACCOUNT.fullmatch(who)
    if account:
        return {"kind": "ServiceAccount", "namespace": account[1], "name": account[2]}
    kind, _, name = who.partition(":")
    return {"kind": kind.capitalize(), "name": name}


def _request(action: str, thing: str) -> dict[str, Any]:
    """What the step asks for: an object, any of its namespace, or any of the cluster."""
    group, resource, verb = action.split(":")
    kind, _, sub = resource.partition("/")
    plural = kind if group == "core" else f"{kind}.{group}"
    namespace, what, name = _object(thing)
    unnamed = verb in _UNNAMED and not sub
    found: dict[str, Any] = {
        "verb": verb.replace("!", ":"),
        "group": "" if group == "core" else group,
        "resource": kind,
        "namespace": namespace,
        "name": "" if unnamed else name if what == plural and name else None,
    }
    return found | ({"subresource": sub} if sub else {})


def _object(thing: str) -> tuple[str, str, str | None]:
    """The namespace, the kind and the name of what an id is of."""
    account = _ACCOUNT.fullmatch(thing)
    if account:
        return account[1], "serviceaccounts", account[2]
    for kind in ("user", "group"):
        if thing.startswith(f"{kind}:"):
            return "", f"{kind}s", thing.partition(":")[2]
    namespace, _, rest = thing.partition("/")
    plural, _, name = rest.partition("/")
    return namespace, plural, name or None
