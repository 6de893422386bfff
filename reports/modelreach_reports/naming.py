"""Short, harmless names for what a report mentions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from modelreach.report import (
    ChangeRow,
    DiffReport,
    GrantRow,
    IdentityRow,
    NameRow,
    RadiusReport,
    Report,
    Ticket,
)
from modelreach_reports.safe import visible
from modelreach_reports.spelling import (
    noun_of_kind,
    place_of_pattern,
)

_QUOTED = re.compile(r"`([^`]*)`")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Up to a blank, without the punctuation of the sentence.
_WORD = r"[^\s`,;()]*[^\s`,;():.]"
#: Ids of every provider as they stand in a sentence, not quoted.
_BARE = re.compile(
    rf"""(?<![`\w/-])(?:
        arn:{_WORD}
        | {_UUID.pattern}/credentials/{_UUID.pattern}
        | {_UUID.pattern}(?![\w/-])
        | /(?:subscriptions|providers)/{_WORD}
        | (?<!:)//[a-z]{_WORD}
        | (?:serviceAccount|user|group):[^\s`,;()]+@{_WORD}
        | principal(?:Set)?://{_WORD}
        | k8s/{_WORD}
    )""",
    re.VERBOSE,
)


#: Ids that name what holds a thing, as a path; no patterns.
_PATH = re.compile(r"(?:/|k8s/)[^* ]+")


class Thing(msgspec.Struct, frozen=True):
    """A node of a witness, ready to be shown. `id` is as in the report, the rest is harmless."""

    id: str
    label: str
    kind: str
    scope: str
    sensitive: bool = False


class Names:
    """What the things in one report, or ticket, are called."""

    def __init__(self, report: Report | Ticket) -> None:
        self._scopes = {row.id: row for row in report.scopes}
        self._things: dict[str, Thing] = {}
        for resource in _resources(report):
            if resource.resource not in self._scopes:
                self._add_resource(resource)
        self._tell_apart()
        for identity in _identities(report):
            self._add_identity(identity)
        for tool in () if isinstance(report, Ticket) else report.tools:
            key, kind = f"tool:{tool.id}", f"{kind_words(tool.kind)} tool".strip()
            self._things[key] = Thing(key, visible(tool.id), kind, scope="")
        for release in _releases(report):
            self._things.setdefault(
                release, Thing(release, visible(release), "deployment", scope="")
            )

    def _add_resource(self, row: ChangeRow | GrantRow) -> None:
        key, kind = key_of(row), kind_words(row.resource_kind)
        sensitive = is_sensitive(row.sensitivity)
        label = self._placed(row) if row.pattern else _resource_label(row)
        self._things[key] = Thing(key, label, kind, row.scope, sensitive)

    def _placed(self, row: ChangeRow | GrantRow) -> str:
        """Give what a pattern is called, with the name of its scope in place of a bare number."""
        label, scope = _resource_label(row), self._scopes.get(row.scope)
        number = row.scope.rpartition("/")[2]
        if scope is None or not scope.name or not number.isdigit():
            return label
        return re.sub(rf"(?<=\bin )\w+ {number}\b", lambda _: visible(scope.name), label)

    def _tell_apart(self) -> None:
        """Name what holds a thing, too, where several of a kind have one name: secrets of vaults,
        of namespaces, of projects."""
        alike = Counter((thing.kind, thing.label) for thing in self._things.values())
        for key, thing in self._things.items():
            holders = thing.id.split("/")[:-1] if _PATH.fullmatch(thing.id) else []
            if alike[thing.kind, thing.label] > 1 and len(holders) > 2:
                label = f"{visible(holders[-2])}/{thing.label}"
                self._things[key] = replace(thing, label=label)

    def _add_identity(self, row: IdentityRow | NameRow) -> None:
        kind = kind_words(row.kind)
        label = visible(row.name) if _UUID.fullmatch(row.id) and row.name else ""
        self._things[row.id] = Thing(row.id, label or identity_label(row.id), kind, row.scope)

    def thing(self, key: str) -> Thing:
        """Give how to show whatever a hop mentions; what is not listed is named by its id."""
        found = self._things.get(key)
        if found is not None:
            return found
        if key in self._scopes:
            return Thing(key, self.scope(key), visible(self._scopes[key].kind), key)
        kind, account = _arn_kind(key)
        acting = kind in ("role", "user", "group", "root")
        return Thing(key, identity_label(key) if acting else _tail_label(key), kind, account)

    def scope(self, key: str) -> str:
        """Give what a person calls an account: its name, and its number where it has one."""
        row = self._scopes.get(key)
        if row is None:
            return visible(key)
        number = row.id if row.id.isdigit() or not row.name else ""
        return " ".join(visible(part) for part in (row.provider, row.name, number) if part)

    def holder(self, key: str) -> str:
        """Give the scope that holds another, such as the subscription of a resource group or the
        cluster of a namespace; "" where the report names none."""
        parts = key.split("/")
        above = ("/".join(parts[:length]) for length in range(2, len(parts)))
        return next((one for one in above if one in self._scopes), "")

    def prose(self, text: str) -> str:
        """Give a sentence with the ids in it replaced by names."""
        bare = _BARE.sub(lambda match: self._short(match.group()), text)
        return _QUOTED.sub(lambda match: f"`{self._short(match.group(1))}`", bare)

    def _short(self, key: str) -> str:
        if key in self._scopes:
            name = self._scopes[key].name
            return name if name and not key.isdigit() else f"{name} {key}".strip()
        known = key in self._things or called(key) is not key
        return self.thing(key).label if known else key

    def told(self, key: str) -> str:
        """Give what anything is called: a thing, a scope, or a word of the manifest as it is."""
        return visible(self._short(key))

    def owner(self, key: str) -> str:
        """Give what something is called that a policy or a role is on: a scope by its name."""
        row = self._scopes.get(key)
        return identity_label(key) if row is None else f"{kind_words(row.kind)} {self.told(key)}"

    def place(self, key: str) -> str:
        """Give the short form of `scope`: the name if there is one."""
        row = self._scopes.get(key)
        return visible(f"{row.provider} {row.name}" if row is not None and row.name else key)


def _resources(report: Report | Ticket) -> Sequence[ChangeRow | GrantRow]:
    if isinstance(report, Ticket):
        return report.reached
    return report.changes if isinstance(report, DiffReport) else report.grants


def _identities(report: Report | Ticket) -> Sequence[IdentityRow | NameRow]:
    if isinstance(report, DiffReport):
        return report.identities_old + report.identities_new
    return report.identities


def _releases(report: Report | Ticket) -> tuple[str, ...]:
    if isinstance(report, RadiusReport):
        return (report.release.name,)
    return report.old.name, report.new.name


def is_sensitive(sensitivity: str) -> bool:
    """Does it matter in particular that this is reached?"""
    return sensitivity in ("medium", "high")


def kind_words(kind: str) -> str:
    """Give `s3:bucket` as `s3 bucket`."""
    noun = noun_of_kind(kind) if ".googleapis.com" in kind else ""
    kind = noun or kind.removeprefix("iam.googleapis.com:").replace(".googleapis.com/*", "")
    return visible(kind.replace(":", " ").replace("-", " ").replace("*", "").strip())


def tail_of_arn(key: str) -> str:
    """Give the part of an ARN that names the thing; anything else as it is."""
    parts = key.split(":", 5)
    return parts[5] if len(parts) == 6 and parts[0] == "arn" and parts[5] else key


def _arn_kind(key: str) -> tuple[str, str]:
    parts = key.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return "", ""
    if _is_in_bucket(key):
        return "s3", ""
    first = parts[5].replace(":", "/").split("/")[0]
    kind = first if parts[2] == "iam" else f"{parts[2]} {first}" if "/" in parts[5] else parts[2]
    return visible(kind), visible(parts[4])


def _is_in_bucket(key: str) -> bool:
    """Is this a bucket or an object of one? Their ARNs begin with the bucket, and not with a type:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""
    return re.match(r"arn:[^:]*:s3:::", key) is not None


#: Ids that say of themselves what they are called, by provider; the last group is the name.
_SPELLED = (
    re.compile(r"k8s/[^/]+/system:serviceaccount:([^:]+):(.+)"),
    re.compile(r"k8s/[^/]+/(?:user|group):(.+)"),
    re.compile(r"k8s/[^/]+/[^/]*/[^/]+/(.+)"),
    re.compile(r"k8s/[^/]+/([^/]+)"),
    re.compile(r"k8s/([^/]+)"),
    re.compile(r"serviceAccount:([^@]+@[^.@]+)\.iam\.gserviceaccount\.com"),
    re.compile(r"(?:serviceAccount|user|group|domain):(.+)"),
    re.compile(r"principal(?:Set)?://.*/([^/]+/[^/]+)"),
    re.compile(r"(?://[^/]+|/subscriptions|/providers)/.*?([^/]+)"),
    re.compile(rf"{_UUID.pattern}/credentials/(.+)"),
)


def called(key: str) -> str:
    """Give the part of an id that names the thing: of an ARN, a full resource name, an ARM id, a
    member of a binding, a thing in a cluster; anything else as it is."""
    tail = tail_of_arn(key)
    if tail is not key:
        return tail
    for spelled in _SPELLED:
        found = spelled.fullmatch(key)
        if found is not None:
            return "/".join(found.groups())
    return key


def identity_label(key: str) -> str:
    """Give the name of a role or user without its path; `root` for an account."""
    tail = tail_of_arn(key)
    if tail is key:
        plain, _, change = key.partition("#")
        how = change.partition("=")[0].replace("-", " ")
        return visible(f"{called(plain)} with {how}" if how else called(key))
    name, _, change = (tail.rsplit("/", 1)[-1] or tail).partition("#")
    if change.startswith("session="):
        return visible(f"{name} under a session policy")
    return visible(f"{name} with {change.replace('-', ' ')}" if change else name)


def key_of(row: ChangeRow | GrantRow) -> str:
    """Give what tells the resource of a row from others: one pattern may mean several kinds, and
    things of several scopes."""
    return f"{row.resource} {row.resource_kind} {row.scope}" if row.pattern else row.resource


def _tail_label(key: str) -> str:
    tail = tail_of_arn(key)
    if tail is key or _is_in_bucket(key):
        return visible(called(key))
    kind = tail.replace("/", ":").partition(":")[0]
    return visible(tail.removeprefix(f"{kind}:").removeprefix(f"{kind}/") or tail)


def _resource_label(row: ChangeRow | GrantRow) -> str:
    if row.pattern:
        return visible(pattern_label(row.resource, row.resource_kind, row.within))
    return visible(row.resource_name or called(row.resource))


def pattern_label(pattern: str, kind: str, exceptions: Sequence[str] = ()) -> str:
    """Say in words that a grant is over things which the snapshot does not list."""
    scope = place_of_pattern(pattern)
    if scope is not None:
        named, family = noun_of_kind(kind), re.split("[.:]", kind)[0].strip("*")
        family = "" if family == "kubernetes" else family
        thing = f"any {named}" if named else f"anything of {family}" if family else "anything"
        return f"{thing} in {scope}"
    service, _, noun = kind.replace("/", ":", 1).partition(":")
    noun = noun.rpartition("/")[2].strip("*")
    tail = tail_of_arn(pattern).removeprefix(f"{noun}:").removeprefix(f"{noun}/")
    if tail.endswith("/*") and tail.count("*") == 1 and tail.startswith("/"):
        place = tail.removesuffix("/*").rpartition("/")[2]
        label = f"any {noun} in {place}" if noun else f"anything in {place}"
    elif tail not in ("*", ""):
        globbed = "*" in tail or "?" in tail
        label = f"any {noun or service.strip('*')} like {tail}" if globbed else tail
    elif noun:
        label = f"any {noun}"
    else:
        label = f"anything in {service}" if service.strip("*") else "anything"
    return label + "".join(f", {exception}" for exception in exceptions[:1])
