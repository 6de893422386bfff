"""Makes policy cases of a snapshot, so that the reference evaluator can be asked about an estate.

Reads the snapshot's JSON, not the program's types. Each request is put as openly as it can be:
only what the snapshot fixes of its context is fixed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import cast

from modelreach_reference.aws import MalformedRecord, TooManyCompletions, count_completions
from modelreach_reference.aws_cases.agreement import as_sessions, reference_answers

Json = Mapping[str, object]

#: More ways than this to complete a context are not tried.
MANY = 3_000


#: Keys that only requests of services have.
_OF_SERVICES = ("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths")

#: What somebody has who may give itself any policy.
_ANYTHING = {"Sid": "AnyPolicy", "Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(frozen=True)
class _Became:
    """A principal, and what it has changed for itself: any policy, one more group, no boundary;
    or a role that it has made, which has any policy and no boundary."""

    base: str
    free: bool = False
    bounded: bool = True
    groups: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str) -> _Became | None:
        """Read a name; None if it is after a change that cannot be followed here."""
        start = name.find("#", name.rfind("/") + 1)
        if start < 0:
            return cls(name)
        base, change = name[:start], name[start + 1 :]
        if change == "any-policy":
            return cls(base, free=True)
        if change == "made":
            return cls(base, free=True, bounded=False)
        if change == "no-boundary":
            return cls(base, bounded=False)
        if change.startswith("group=") and "#" not in change:
            return cls(base, groups=(change.removeprefix("group="),))
        return None


class AwsSnapshot:
    """An estate. `context` are condition keys that the deployment sends with every request."""

    def __init__(self, snapshot: Json, context: Json) -> None:
        self._context = context
        self._documents = cast("Mapping[str, object]", snapshot.get("documents") or {})
        self._principals = _by_id(snapshot, "principals")
        self._resources = _by_id(snapshot, "resources")
        self._scopes = _by_id(snapshot, "scopes")
        self._attached: dict[tuple[str, str], list[object]] = {}
        for one in _rows(snapshot, "attachments"):
            key = (str(one.get("target")), str(one.get("kind")))
            document = self._documents.get(str(one.get("document")))
            self._attached.setdefault(key, []).append(document)

    def knows(self, subject: str) -> bool:
        """Is the subject an AWS principal or service?"""
        return subject.startswith("arn:aws") or subject.endswith((".amazonaws.com", ".com.cn"))

    def follows(self, subject: str) -> bool:
        """Can it be said what the subject may do? One that has changed what holds for it has a
        name with its change behind it, and not every change can be followed here."""
        return _Became.of(subject) is not None

    def asks(self, action: str) -> bool:
        """Is it an action, `service:Name`?"""
        return ":" in action

    def stands(self, part: Json) -> bool:
        """Does a policy on the target have exactly this statement?"""
        target = str(part.get("target"))
        try:
            wanted = _canonical(json.loads(str(part.get("statement"))))
        except ValueError:
            return False
        became = _Became.of(str(part.get("subject")))
        if became is not None and became.free and not target:
            return wanted == _canonical(_ANYTHING)
        return any(
            wanted == _canonical(found)
            for (where, _), documents in self._attached.items()
            if where == target
            for document in documents
            for found in _statements(document)
        )

    def answers(self, part: Json) -> set[str] | None:
        """Give what AWS may answer, at the most favourable of the resources that the step can be
        about; None when nothing can be decided."""
        subject, action = str(part.get("subject")), str(part.get("action"))
        object_ = str(part.get("object"))
        best: set[str] | None = None
        for resource in _candidates(object_, str(part.get("statement") or "")):
            found = self._asked(subject, action, resource, object_)
            if found == {"allow"}:
                return found
            if found is not None and (best is None or "allow" in found):
                best = found
        return best

    def _asked(self, subject: str, action: str, resource: str, object_: str) -> set[str] | None:
        record = self._record(subject, action, resource, object_)
        try:
            if sum(map(count_completions, as_sessions(record))) > MANY:
                return None
            return {str(answer) for answer in reference_answers(record)}
        except (MalformedRecord, TooManyCompletions):
            return None

    def _record(self, name: str, action: str, resource: str, object_: str) -> Json:
        became = _Became.of(name) or _Became(name)
        subject = became.base
        about = action.partition(":")[0] == "sts"
        account = self._scope(object_) or _account(resource) or _account(subject)
        policies: dict[str, object] = {
            "identity": self._identity(became),
            "boundaries": (self._on(subject, "boundary") if became.bounded else []) or None,
            "resource": self._on(object_, "trust" if about else "resource") or None,
            "scps": self._levels(_account(subject), "scp"),
            "rcps": self._levels(_account(resource) or self._scope(object_), "rcp"),
        }
        return {
            "mode": "exists",
            "request": {
                "principal": subject,
                "action": action,
                "resource": resource,
                "resource_account": account,
                "context": self._known(subject, object_, policies),
            },
            "policies": policies,
            "settings": self._settings(subject, object_),
        }

    def _settings(self, subject: str, object_: str) -> Json:
        resource = _attributes(self._resources.get(object_))
        return {
            "unique_id": str((self._principals.get(subject) or {}).get("unique_id") or ""),
            "management_account": self._manages(_account(subject)),
            "resource_in_management_account": self._manages(self._scope(object_)),
            "restrict_public_buckets": resource.get("restrict_public_buckets") is True,
        }

    # --- policies --------------------------------------------------------------------------

    def _on(self, target: str, kind: str) -> list[object]:
        return self._attached.get((target, kind), [])

    def _identity(self, became: _Became) -> list[object]:
        groups = cast(
            "Iterable[object]", (self._principals.get(became.base) or {}).get("groups") or ()
        )
        if became.free:
            # It may write over what denies in its own policies, too.
            return [{"Version": "2012-10-17", "Statement": [_ANYTHING]}]
        return [
            document
            for holder in (became.base, *map(str, groups), *became.groups)
            for document in self._on(holder, "identity")
        ]

    def _levels(self, account: str, kind: str) -> list[Json]:
        chain: list[Json] = []
        place = account
        while place and place in self._scopes:
            policies = self._on(place, kind)
            if policies:
                chain.insert(0, {"target": place, "policies": policies})
            place = str(self._scopes[place].get("parent") or "")
        return chain

    # --- context ---------------------------------------------------------------------------

    def _known(self, subject: str, object_: str, policies: Json) -> dict[str, object]:
        """What is fixed of the request; a key that is known to be absent is null."""
        known: dict[str, object] = dict(self._context)
        if subject.startswith("arn:"):
            is_user = ":user/" in subject
            known |= {
                "aws:PrincipalArn": subject,
                "aws:PrincipalAccount": _account(subject),
                "kms:CallerAccount": _account(subject),
                "aws:PrincipalType": "User" if is_user else "AssumedRole",
                "aws:PrincipalIsAWSService": "false",
                **dict.fromkeys(_OF_SERVICES),
                "aws:username": subject.rpartition("/")[2] if is_user else None,
            }
            known |= self._organisation("aws:PrincipalOrgID", _account(subject))
            tags = (self._principals.get(subject) or {}).get("tags")
            if subject in self._principals and not self._tagged(subject):
                known |= _tags("aws:PrincipalTag/", tags, policies)
        if object_ in self._resources:
            owner = self._scope(object_)
            known |= {"aws:ResourceAccount": owner, "s3:ResourceAccount": owner}
            known |= _tags("aws:ResourceTag/", self._resources[object_].get("tags"), policies)
        return known

    def _tagged(self, role: str) -> bool:
        """May sessions of it be tagged by whoever opens them?"""
        return any(
            _lets(found, "sts:tagsession")
            for document in self._on(role, "trust")
            for found in _statements(document)
        )

    def _organisation(self, key: str, account: str) -> dict[str, object]:
        found = _attributes(self._scopes.get(account)).get("organization")
        return {key: found} if found else {}

    def _manages(self, account: str) -> bool:
        return _attributes(self._scopes.get(account)).get("management") is True

    def _scope(self, name: str) -> str:
        for facts in (self._resources, self._principals):
            if name in facts:
                return str(facts[name].get("scope") or "")
        return ""


def _candidates(object_: str, statement: str) -> Iterator[str]:
    """Resources that a step can be about: the object, something in it, and what the statement
    names, with every wildcard filled in."""
    is_bucket = object_.startswith("arn:") and object_.split(":", 5)[2] == "s3"
    yield _filled(object_)
    if is_bucket and "/" not in object_:
        yield f"{object_}/x"
    for pattern in _resources(statement):
        # A bare `*` is every resource: the object itself is one, and was asked about.
        if pattern != "*":
            yield _filled(pattern)


def _resources(statement: str) -> list[str]:
    if not statement:
        return []
    try:
        read: object = json.loads(statement)
    except ValueError:
        return []
    return _texts(cast("Json", read).get("Resource")) if isinstance(read, Mapping) else []


def _texts(value: object) -> list[str]:
    listed = cast("list[object]", value) if isinstance(value, list) else [value]
    return [str(one) for one in listed if one]


def _filled(pattern: str) -> str:
    """Fill wildcards in, so that what is asked about is one resource."""
    return pattern.replace("*", "x").replace("?", "x")


def _account(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def _tags(prefix: str, tags: object, policies: Json) -> dict[str, object]:
    """The tags that there are, and as absent those that a policy asks about beyond them."""
    given = cast("Mapping[str, str]", tags or {})
    asked = re.findall(re.escape(prefix) + r'([^"}]+)', json.dumps(policies), re.IGNORECASE)
    have = {name.lower() for name in given}
    absent = {f"{prefix}{name}": None for name in asked if name.lower() not in have}
    return {**absent, **{f"{prefix}{name}": value for name, value in given.items()}}


def _statements(document: object) -> list[object]:
    if not isinstance(document, Mapping):
        return []
    found: object = cast("Json", document).get("Statement") or []
    return cast("list[object]", found) if isinstance(found, list) else [found]


def _lets(statement: object, action: str) -> bool:
    """Does a statement allow an action (in lower case), conditions aside?"""
    if not isinstance(statement, Mapping):
        return False
    said = cast("Json", statement)
    if said.get("Effect") != "Allow":
        return False
    negated = "NotAction" in said
    patterns = _texts(said.get("NotAction" if negated else "Action"))
    return negated is not any(fnmatchcase(action, one.lower()) for one in patterns)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _rows(snapshot: Json, section: str) -> Iterable[Json]:
    return cast("Iterable[Json]", snapshot.get(section) or ())


def _by_id(snapshot: Json, section: str) -> dict[str, Json]:
    return {str(row["id"]): row for row in _rows(snapshot, section)}


def _attributes(row: Json | None) -> Json:
    return cast("Json", (row or {}).get("attributes") or {})
