"""On which facts the answer about one principal hangs, beyond those of its own account.

Another account matters to a principal only by its surface: the resources and roles whose own
policies let others in, keys, and secrets that open somebody. Where no surface changed, a change
in one account is nobody else's matter; where one did, it matters to those whose policies may touch
what changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.named import VERSION as NAMES
from modelreach.policy.aws.named import NamesOfPart, names_of_part
from modelreach.policy.aws.outline import outlines
from modelreach.policy.glob import intersects, is_literal
from modelreach.snapshot import Attachment, Fact, Facts, Part, Principal, Resource, Runtime

VERSION = "aws-surface/1"


class SurfaceOfPart(msgspec.Struct):
    """What others may hang on in one part: ids with a digest of all that is said of them.
    `outward` are other parts that its facts mention, `absent` what they mention and is nowhere.
    """

    things: dict[str, str] = {}
    outward: list[str] = []
    mentioned: list[str] = []


class Surface:
    """The surfaces of all parts."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._parts = {
            part: facts.remembered(part, VERSION, lambda: _of_part(facts, part), SurfaceOfPart)  # noqa: B023 - called at once
            for part in facts.parts
        }
        facts.keep()
        self.things = {id_: d for part in self._parts.values() for id_, d in part.things.items()}
        self.digest = _digest(msgspec.json.encode(self.things, order="sorted"))

    def outward(self, account: str) -> tuple[str, ...]:
        """Give the parts that an account's facts mention."""
        part = self._parts.get(account)
        return tuple(part.outward) if part else ()

    def mentioned(self, account: str) -> tuple[str, ...]:
        """Give the ids in an account's facts that do not say where they are."""
        part = self._parts.get(account)
        return tuple(part.mentioned) if part else ()


#: Begins the digest of what may be had without any policy of one's own: a key with grants on it.
FOR_ALL = "!"

#: What a principal's policies may touch: services (None: any) with patterns.
Touch = tuple[tuple[tuple[str, ...] | None, tuple[str, ...]], ...]


def touches(asker: Asker) -> Touch:
    """Give what the policies of a principal allow, in outline."""
    found: dict[tuple[tuple[str, ...] | None, tuple[str, ...]], None] = {}
    for policy in asker.layers.identity:
        for line in outlines(policy.document):
            if line.allows:
                services = None if line.services is None else tuple(sorted(line.services))
                found[services, line.reach] = None
        if policy.document.problems:
            found[None, ("*",)] = None
    if asker.layers.unread:
        found[None, ("*",)] = None
    return tuple(found)


def concerned(touch: Touch, names: Iterable[str]) -> bool:
    """May a principal with these policies touch one of these?"""
    return any(_touched(touch, name) for name in names)


def _touched(touch: Touch, name: str) -> bool:
    service = name.split(":", 3)[2] if name.count(":") >= 3 else ""
    meant = {"iam": {"iam", "sts"}}.get(service, {service})
    return any(
        services is None or meant & set(services)
        for services, globs in touch
        if any(glob == "*" or intersects(glob, f"{name}*") for glob in globs)
    )


def spelled(touch: Touch) -> Iterator[str]:
    """Give the patterns of a touch."""
    for _, globs in touch:
        yield from globs


def buckets(touch: Touch) -> tuple[str, ...]:
    """Give the buckets that policies name outright: whether somebody has them matters."""
    heads = {glob.split("/")[0] for glob in spelled(touch) if ":s3:::" in glob}
    return tuple(sorted(head for head in heads if is_literal(head)))


# --- one part ---------------------------------------------------------------------------------


def _of_part(facts: Facts, scope: str) -> SurfaceOfPart:
    part = facts.part(scope)
    names = facts.remembered(scope, NAMES, lambda: names_of_part(facts, scope), NamesOfPart)
    exposed = {
        target
        for index in (names.trusts, names.resources)
        for name, targets in index.items()
        if _foreign(name, scope)
        for target in targets
    }
    exposed |= set(names.opening) | {id_ for ids in names.issuers.values() for id_ in ids}
    exposed |= {resource.id for resource in part.resources if resource.kind == "kms:key"}
    said = _Said(part)
    outward, mentioned = _mentions(part, set(facts.parts) - {scope, ""})
    things = {name: said.of(name) for name in sorted(exposed)}
    return SurfaceOfPart(things, outward, mentioned)


def _foreign(name: str, account: str) -> bool:
    """May a name mean somebody of another account? Services run as others, and are none."""
    parts = name.split(":", 5)
    if len(parts) == 6:
        return parts[4] != account or ":oidc-provider/" in name or ":saml-provider/" in name
    return not name.endswith((".amazonaws.com", ".amazonaws.com.cn"))


class _Said:
    """Digests of all that a part says of a thing, and of its key."""

    def __init__(self, part: Part) -> None:
        self._facts: dict[str, list[Fact]] = {}
        things: tuple[tuple[Principal | Resource | Runtime, ...], ...]
        things = (part.principals, part.resources, part.runtimes)
        for thing in (one for facts in things for one in facts):
            self._facts.setdefault(thing.id, []).append(thing)
        for attachment in part.attachments:
            self._facts.setdefault(attachment.target, []).append(attachment)

    def of(self, name: str) -> str:
        facts = list(self._facts.get(name, ()))
        for fact in self._facts.get(name, ()):
            if isinstance(fact, Resource):
                facts += self._facts.get(str(fact.attributes.get("kms_key", "")), ())
        kept = [f for f in facts if not isinstance(f, Attachment) or f.kind != "identity"]
        digest = _digest(b"".join(msgspec.json.encode(fact, order="sorted") for fact in kept))
        granted = any(isinstance(fact, Attachment) and fact.kind == "grant" for fact in kept)
        return f"{FOR_ALL}{digest}" if granted else digest


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def _mentions(part: Part, others: set[str]) -> tuple[list[str], list[str]]:
    """Give the other parts that facts mention, and buckets that they mention."""
    found: set[str] = set()
    loose: set[str] = set()
    for text in _texts(part):
        if text.startswith("s3://") or ":s3:::" in text:
            bucket = text.removeprefix("s3://").rpartition(":::")[2].split("/")[0]
            loose.add(f"arn:aws:s3:::{bucket}")
        found.update(others.intersection(text.replace("/", ":").split(":")))
    return sorted(found), sorted(loose)


def _texts(part: Part) -> Iterator[str]:
    for runtime in part.runtimes:
        yield from runtime.identities
        yield from (link.target for link in runtime.links)
        yield from _values(runtime.attributes)
    for resource in part.resources:
        yield from _values(resource.attributes)
    for principal in part.principals:
        yield from principal.groups
        yield from _values(principal.attributes)
    yield from (credential.principal for credential in part.credentials)


def _values(attributes: Mapping[str, object]) -> Iterator[str]:
    for value in attributes.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from (str(one) for one in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
