"""Every fact of one estate at one time: canonical, versioned, free of secret values.

A snapshot is what `collect` writes and everything else reads. Its sections are flat tuples
of facts that name each other by id; policy documents are kept once each, as the raw JSON the
provider gave, under the digest of their canonical form.

`encode` sorts every section, so the same facts give the same bytes.
"""

# Annotations are values here, not texts: types are read from them at each start.

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, TypeVar, cast

import msgspec

from modelreach.digests import sha256
from modelreach.model import InputError

SCHEMA: Final = "modelreach.snapshot/1"

#: A scalar or list of scalars kept as a provider gave it, when the engine needs it.
AttributeValue = str | int | bool | tuple[str, ...]
Attributes = dict[str, AttributeValue]


class Fact(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Base of all facts: frozen, defaults left out on the wire, unknown fields refused."""


class Scope(Fact, frozen=True):
    """A place that holds others: organization, organizational unit, account, project…

    `id` is the provider's own id (AWS: `o-…`, `r-…`, `ou-…`, the 12-digit account id).
    `attributes` of an AWS account: `organization`, `management` (bool), `issues_tokens` (bool:
    whether its principals get identity tokens for use elsewhere) and `token_issuer` (their URL).
    """

    id: str
    provider: str
    kind: str
    name: str = ""
    parent: str = ""
    tags: dict[str, str] = {}
    attributes: Attributes = {}


class Principal(Fact, frozen=True):
    """Somebody who can act: user, role, group (which only carries grants), federated provider.

    `id` is the ARN. `unique_id` is what a policy shows when the principal was deleted
    (AIDA…/AROA…). `groups` are principal ids. Times are RFC 3339 UTC strings; `last_used` is
    "never" when the provider says so and "" when it is not known.
    """

    id: str
    provider: str
    kind: str
    scope: str
    name: str = ""
    unique_id: str = ""
    tags: dict[str, str] = {}
    groups: tuple[str, ...] = ()
    created: str = ""
    last_used: str = ""
    attributes: Attributes = {}


class Credential(Fact, frozen=True):
    """Something that opens a principal: access key, password, API key, certificate.

    Never the value. `expires` is "never" where the provider says there is no expiry.
    """

    id: str
    provider: str
    kind: str
    principal: str
    scope: str
    status: str = ""
    created: str = ""
    last_used: str = ""
    expires: str = ""
    rotated: str = ""
    attributes: Attributes = {}


class Resource(Fact, frozen=True):
    """Something that can be acted on. `kind` is `service:type`, such as `s3:bucket`.

    `attributes` known to the AWS engine: `kms_key` (ARN of the encrypting key), `ownership`,
    `block_public_policy`, `restrict_public_buckets`, `values_key` …
    """

    id: str
    provider: str
    kind: str
    scope: str
    region: str = ""
    name: str = ""
    tags: dict[str, str] = {}
    created: str = ""
    attributes: Attributes = {}


class Link(Fact, frozen=True):
    """A runtime's use of something else: `kind` is `invokes`, `reads`, `writes`, `stores-in`,
    `collaborates`, `pulls`, `guarded-by` …; `target` is an id in the snapshot or an address.
    """

    kind: str
    target: str


class Runtime(Fact, frozen=True):
    """Something that runs code or a model, and the identity that it runs as.

    `identities` are principal ids. `kind` is `service:type` (`bedrock:agent`,
    `lambda:function`, `ecs:task-definition`, `ec2:instance`, `sagemaker:endpoint`).
    """

    id: str
    provider: str
    kind: str
    scope: str
    region: str = ""
    name: str = ""
    version: str = ""
    identities: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    tags: dict[str, str] = {}
    attributes: Attributes = {}


AttachmentKind = Literal[
    "identity",
    "boundary",
    "trust",
    "resource",
    "scp",
    "rcp",
    "endpoint",
    "session",
    "acl",
    "grant",
    "deny",
    "access-policy",
    "constraint",
    "admission",
]


class Attachment(Fact, frozen=True):
    """That a policy document applies to a target, and as what.

    `document` is a key of `Snapshot.documents`; `policy` is the managed policy's id (ARN) or
    "" for an inline policy; `name` is what a person would look for.
    """

    target: str
    kind: AttachmentKind
    document: str
    name: str = ""
    policy: str = ""


class Binding(Fact, frozen=True):
    """That members hold a role over a scope or a resource: a grant as Google Cloud, Azure and
    Kubernetes write it.

    `target` is the id of a scope or resource; `role` that of a managed policy (a role without
    one is unknown, not empty). `members` are in the provider's spelling. `condition` is the
    provider's expression, as text. `status` tells a role that is only eligible from one held.
    """

    id: str
    provider: str
    target: str
    role: str
    members: tuple[str, ...] = ()
    condition: str = ""
    name: str = ""
    status: str = ""
    attributes: Attributes = {}


class ManagedPolicy(Fact, frozen=True):
    """A policy that has versions, or a role that bindings name. `versions` maps version id to
    document digest."""

    id: str
    provider: str
    scope: str
    name: str = ""
    default_version: str = ""
    versions: dict[str, str] = {}
    created: str = ""
    tags: dict[str, str] = {}


class Usage(Fact, frozen=True):
    """When a principal was last seen to use a service or an action of it.

    `action` is "" when the provider tracks only the service; `last_used` is "never" when
    tracked and not seen since `window_start`.
    """

    principal: str
    service: str
    action: str = ""
    last_used: str = ""
    window_start: str = ""


class Coverage(Fact, frozen=True):
    """That all facts of a kind in a scope and region were asked for, and whether all came.

    `kind` is a resource kind, or `principals`, `credentials`, `usage`, `scp`, `rcp`,
    `runtimes:<kind>`. No row for a kind means that it was not collected at all.
    """

    provider: str
    scope: str
    kind: str
    region: str = ""
    complete: bool = True


#: Kinds of gaps that only leave open when something was used: no decision asks that.
OF_USE = frozenset({"last-used", "usage"})


class Gap(Fact, frozen=True):
    """Something that could not be read, why, and what would close it.

    `kind` is as in `Coverage`, or `resource-policy`, `trust`, `boundary`, `identity-policy`,
    `tags`, `last-used` with `subject` naming the one thing whose facet is missing. `reason` is
    `denied`, `throttled`, `unsupported`, `unreachable`, `malformed`, `not-collected`, or
    `after-apply` for what a plan does not know yet.
    """

    provider: str
    scope: str
    kind: str
    reason: str
    region: str = ""
    subject: str = ""
    operation: str = ""
    permission: str = ""
    message: str = ""


class Origin(Fact, frozen=True):
    """Where in a configuration something is written that a plan makes, changes or keeps.

    `subject` is the id of what it is about. `part` tells which fact about it: the name of an
    attachment's policy, the role of a binding (then `member` is who holds it), "" for the thing
    itself. `address` is the configuration's own name for it. `action` is what the plan does:
    `create`, `update`, `delete`, `replace` or `no-op`. `file` and `line` are known where the
    configuration was at hand.
    """

    subject: str
    address: str
    part: str = ""
    member: str = ""
    action: str = ""
    file: str = ""
    line: int = 0


class Snapshot(Fact, frozen=True):
    """All facts of one estate at one time. `taken_at` is RFC 3339 UTC."""

    schema: Literal["modelreach.snapshot/1"] = msgspec.field(name="schema")
    taken_at: str
    tool: str = ""
    scopes: tuple[Scope, ...] = ()
    principals: tuple[Principal, ...] = ()
    credentials: tuple[Credential, ...] = ()
    resources: tuple[Resource, ...] = ()
    runtimes: tuple[Runtime, ...] = ()
    managed_policies: tuple[ManagedPolicy, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    bindings: tuple[Binding, ...] = ()
    usage: tuple[Usage, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    gaps: tuple[Gap, ...] = ()
    origins: tuple[Origin, ...] = ()
    documents: dict[str, msgspec.Raw] = {}


def document_id(raw: bytes) -> str:
    """Give the digest under which a policy document is kept: of its canonical JSON where it is
    JSON (so that spacing and key order make no difference), of the bytes where it is not.
    """
    import json

    with suppress(ValueError, RecursionError):
        raw = json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":")).encode()
    return "sha256:" + sha256(raw).hexdigest()


def document_bytes(document: object) -> bytes:
    """Give a policy document in the form that a snapshot keeps: compact JSON, keys as given.

    Takes the decoded document; a string that is not JSON stays a JSON string, and is reported
    as not understood when it is evaluated.
    """
    if isinstance(document, str):
        import json

        with suppress(ValueError, RecursionError):
            document = json.loads(document)
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return msgspec.json.encode(_spelled(document))


def _spelled(value: Any) -> Any:
    """Give plain values with halves of characters spelled out (`\\ud800`): JSON of a cloud may
    hold them, and no file can."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        pairs = cast("Any", value).items()
        return {_spelled(key): _spelled(inner) for key, inner in pairs}
    if isinstance(value, list | tuple):
        return [_spelled(inner) for inner in cast("list[Any]", value)]
    return value


def _keyed(fact: Fact) -> tuple[bytes, Fact]:
    """Give a fact and the bytes by which it is ordered."""
    try:
        return msgspec.json.encode(fact, order="sorted"), fact
    except UnicodeEncodeError:
        spelled = msgspec.convert(_spelled(msgspec.to_builtins(fact)), type(fact))
        return msgspec.json.encode(spelled, order="sorted"), spelled


_SECTIONS = (
    "scopes",
    "principals",
    "credentials",
    "resources",
    "runtimes",
    "managed_policies",
    "attachments",
    "bindings",
    "usage",
    "coverage",
    "gaps",
    "origins",
)


def canonical(snapshot: Snapshot) -> Snapshot:
    """Give the same facts, each section sorted and without duplicates."""

    def ordered(facts: Iterable[Fact]) -> tuple[Fact, ...]:
        unique = dict(map(_keyed, facts))
        return tuple(fact for _, fact in sorted(unique.items(), key=lambda item: item[0]))

    sections: dict[str, Any] = {name: ordered(getattr(snapshot, name)) for name in _SECTIONS}
    sections["documents"] = dict(sorted(snapshot.documents.items()))
    return msgspec.structs.replace(snapshot, **sections)


def encode(snapshot: Snapshot) -> bytes:
    """Give the canonical bytes of a snapshot (JSON, one line, sorted)."""
    return msgspec.json.encode(canonical(snapshot), order="sorted") + b"\n"


@lru_cache(maxsize=1)
def _decoder() -> msgspec.json.Decoder[Snapshot]:
    return msgspec.json.Decoder(Snapshot)


def decode(raw: bytes, *, place: str) -> Snapshot:
    """Read a snapshot. `place` names the file in errors.

    Raises `InputError` when the bytes are truncated, foreign, or of another version.
    """
    hint = "write one with `modelreach collect PROVIDER -o FILE`"
    try:
        if not raw.isascii():
            # Documents are kept as they are written: nobody else would look.
            raw.decode()
        return _decoder().decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        other = _other_version(raw)
        why = other or _first_line(error) if raw.strip() else "it is empty"
        message = f"this is not a `{SCHEMA}` file ({why})"
        raise InputError(message, place=place, hint=hint) from None


class _Versioned(msgspec.Struct):
    schema: str


def _other_version(raw: bytes) -> str:
    """Say of which version a snapshot is, where that is another one: then its facts may mean what
    this program does not know, and none of them is read."""
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = msgspec.json.decode(raw, type=_Versioned).schema
        if found != SCHEMA and found.startswith(SCHEMA.rpartition("/")[0] + "/"):
            return f"it is of the version `{found}`"
    return ""


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def merge(parts: Iterable[Snapshot], *, taken_at: str, tool: str) -> Snapshot:
    """Put what several connectors or accounts gave into one snapshot."""
    sections: dict[str, list[Any]] = {name: [] for name in _SECTIONS}
    documents: dict[str, msgspec.Raw] = {}
    for part in parts:
        for name in _SECTIONS:
            sections[name].extend(getattr(part, name))
        documents.update(part.documents)
    fields: dict[str, Any] = {name: tuple(facts) for name, facts in sections.items()}
    return canonical(
        Snapshot(schema=SCHEMA, taken_at=taken_at, tool=tool, documents=documents, **fields)
    )


def documents_of(*documents: Mapping[str, bytes]) -> dict[str, msgspec.Raw]:
    """Give a `documents` section from digest to JSON bytes."""
    return {key: msgspec.Raw(value) for part in documents for key, value in part.items()}


class Variety(msgspec.Struct, frozen=True, order=True, array_like=True):
    """That a section has facts of a provider and kind ("" where such have none), and the id of one
    of them."""

    provider: str
    section: str
    kind: str
    example: str


#: The sections whose facts are of a provider, and what somebody holds or is hangs on them.
_OF_PROVIDERS = (
    "scopes",
    "principals",
    "credentials",
    "resources",
    "runtimes",
    "managed_policies",
    "bindings",
)


def varieties(snapshot: Snapshot) -> tuple[Variety, ...]:
    """Give of what providers and kinds there are facts, sorted, each with its first example."""
    return tuple(
        Variety(provider, section, kind, example)
        for section in _OF_PROVIDERS
        for (provider, kind), example in sorted(_first_of(getattr(snapshot, section)).items())
    )


def varieties_of(scopes: Iterable[Scope]) -> tuple[Variety, ...]:
    """Give of what providers and kinds there are scopes."""
    return tuple(Variety(p, "scopes", k, i) for (p, k), i in sorted(_first_of(scopes).items()))


def _first_of(facts: Iterable[Any]) -> dict[tuple[str, str], str]:
    first: dict[tuple[str, str], str] = {}
    for fact in facts:
        key = (fact.provider, getattr(fact, "kind", ""))
        known = first.get(key)
        if known is None or fact.id < known:
            first[key] = fact.id
    return first


_T = TypeVar("_T")


class Part(msgspec.Struct, frozen=True):
    """The facts of one scope itself, not of those below it. `attachments` are those on its
    principals and resources; those on scopes, and on what is not listed, are of the part ""."""

    principals: tuple[Principal, ...] = ()
    credentials: tuple[Credential, ...] = ()
    resources: tuple[Resource, ...] = ()
    runtimes: tuple[Runtime, ...] = ()
    managed_policies: tuple[ManagedPolicy, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    coverage: tuple[Coverage, ...] = ()


#: What is derived, by name and by the digest of what it is derived from.
Derived = dict[str, dict[bytes, bytes]]


class Excerpt(msgspec.Struct, frozen=True, array_like=True):
    """Some facts of a section of a part, as a JSON list, and ids that it does not have: under the
    digest of the `whole` section, so that they hold wherever that is the same."""

    part: str
    section: str
    whole: bytes
    facts: bytes
    lacks: tuple[str, ...] = ()


class Stamp(msgspec.Struct, frozen=True):
    """Stands for all that decisions hang on: code and catalogues by their `version`, and the facts
    by the digest of the `estate`."""

    version: str
    estate: bytes


class Facts:
    """A snapshot's facts by id. Built once, shared by all that read the snapshot.

    A snapshot from a store answers in the same way, and reads a scope when it is first asked for:
    whoever wants to touch only what it needs looks facts up, and goes through `part`s.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.principals: Mapping[str, Principal] = {f.id: f for f in snapshot.principals}
        self.resources: Mapping[str, Resource] = {f.id: f for f in snapshot.resources}
        self.scopes: Mapping[str, Scope] = {f.id: f for f in snapshot.scopes}
        self.runtimes: Mapping[str, Runtime] = {f.id: f for f in snapshot.runtimes}
        self.managed_policies: Mapping[str, ManagedPolicy] = {
            f.id: f for f in snapshot.managed_policies
        }
        self.credentials: Mapping[str, tuple[Credential, ...]] = _grouped(
            snapshot.credentials, lambda fact: fact.principal
        )
        self.attachments: Mapping[str, tuple[Attachment, ...]] = _grouped(
            snapshot.attachments, lambda fact: fact.target
        )
        self.bindings: Mapping[str, tuple[Binding, ...]] = _grouped(
            snapshot.bindings, lambda fact: fact.target
        )
        self.usage: Mapping[str, tuple[Usage, ...]] = _grouped(
            snapshot.usage, lambda fact: fact.principal
        )

    @cached_property
    def _parts(self) -> dict[str, Part]:
        return {name: as_part(sections) for name, sections in parted(self.snapshot).items()}

    @property
    def parts(self) -> tuple[str, ...]:
        """The scopes that have facts of their own, and "" for what is of none."""
        return tuple(sorted({"", *self._parts}))

    def part(self, scope: str) -> Part:
        """Give the facts of one scope."""
        return self._parts.get(scope, Part())

    #: Will little be asked of each scope? Then a store may read facts one by one.
    sparing = False

    def section(self, scope: str, name: str) -> tuple[Any, ...]:
        """Give one section of a scope's facts, as `part` has it."""
        found: tuple[Any, ...] = getattr(self.part(scope), name)
        return found

    def cherish(self, ids: Iterable[str]) -> None:
        """Say which things are asked about from everywhere: what is said of them stays when a
        scope's facts are let go of."""

    def let_go(self) -> None:
        """Let a store let go of what was read of scopes; it is read again when it is asked for."""

    def remembered(self, scope: str, name: str, make: Callable[[], _T], kind: type[_T]) -> _T:
        """Give what is derived from one part and nothing else. `name` says what, and in which
        version; a store keeps it (as `kind`, in JSON) for the next time."""
        return make()

    def remembered_of(self, source: bytes, name: str, kind: type[_T]) -> _T | None:
        """Give what was derived from a part whose facts had this digest; None when it is not
        known any more."""
        return None

    def remembers(self, scope: str, name: str) -> bool:
        """Is something kept that was derived from a part?"""
        return False

    def handed_over(self) -> Derived:
        """Give what was derived since and is not kept yet, to be kept by somebody else."""
        return {}

    def take_over(self, derived: Derived) -> None:
        """Take what somebody else derived from the same facts, for `keep` to keep."""

    def excerpts(self, section: str, ids: Iterable[str]) -> tuple[Excerpt, ...]:
        """Give the facts of these ids apart, for a run that asks about no others of a section."""
        return ()

    def holds(self, excerpt: Excerpt) -> bool:
        """Is the section of which these are some facts as it was?"""
        return False

    def take_excerpts(self, excerpts: Iterable[Excerpt]) -> None:
        """Take some facts without reading the rest of their sections, where these are as they
        were."""

    #: Under what may be kept what is worked out of an account on the way to decisions; None where
    #: so much is decided that it is not worth its place.
    stamp: Stamp | None = None

    #: Whether anything can be kept from one run to the next.
    keeps = False

    def keep(self) -> None:
        """Let a store keep what was derived since."""

    def recalled(self, name: str, key: str) -> bytes | None:
        """Give what was kept under a name and key; None when nothing was."""
        return None

    def memorise(self, name: str, key: str, raw: bytes) -> None:
        """Have something kept under a name and key, in the place of what was."""

    def forget(self, what: str, version: str) -> None:
        """Have all dropped that was kept of something by other versions: names are made of what
        it is, the version and more."""

    def digest_of(self, scope: str) -> bytes:
        """Give a digest of a part's facts, documents by their digests, without what tells when
        somebody was last seen; b"" where none is known."""
        return b""

    def listing(self, scope: str) -> bytes:
        """Give a digest of a part's resources, under which `listed` finds their ids; b"" for
        none."""
        return b""

    def listed(self, listing: bytes) -> tuple[str, ...] | None:
        """Give the ids of a part's resources, sorted, by their digest in this snapshot or in
        another one that is kept with it; None when it is not known any more."""
        return None

    @cached_property
    def varieties(self) -> tuple[Variety, ...]:
        """Of what providers and kinds there are facts."""
        return varieties(self.snapshot)

    def tagged(self, tag: str) -> tuple[Principal, ...]:
        """Give the principals that have a tag, by id."""
        found = (one for one in self.principals.values() if tag in one.tags)
        return tuple(sorted(found, key=lambda one: one.id))


def facts_of(snapshot: Snapshot) -> Facts:
    """Give a snapshot's facts by id: those of a store as the store has them."""
    own = getattr(snapshot, "facts", None)
    return own if isinstance(own, Facts) else Facts(snapshot)


def as_part(sections: Mapping[str, Iterable[Fact]]) -> Part:
    """Give the part of these sections; those that it does not have are left out."""
    known: dict[str, Any] = {
        name: tuple(facts) for name, facts in sections.items() if name in Part.__struct_fields__
    }
    return Part(**known)


def parted(snapshot: Snapshot) -> dict[str, dict[str, list[Fact]]]:
    """Give the facts by scope and section. What is said of a thing lies where the thing does;
    scopes and gaps, and what is said of them or of something that is not listed, under "".
    """
    home: dict[str, str] = {}
    things: tuple[tuple[Resource | Runtime | Principal, ...], ...]
    things = (snapshot.resources, snapshot.runtimes, snapshot.principals)
    home.update((fact.id, fact.scope) for facts in things for fact in facts)

    def where(section: str, fact: Any) -> str:
        if section in _OF_ALL:
            return ""
        about = _ABOUT.get(section)
        place: str = home.get(getattr(fact, about), "") if about else fact.scope
        return place

    found: dict[str, dict[str, list[Fact]]] = {}
    for section in _SECTIONS:
        for fact in getattr(snapshot, section):
            found.setdefault(where(section, fact), {}).setdefault(section, []).append(fact)
    return found


#: Sections that are kept whole; and by which of its parts a fact is about something else.
_OF_ALL = ("scopes", "gaps", "origins")
_ABOUT = {"attachments": "target", "bindings": "target", "usage": "principal"}


_F = TypeVar("_F", bound=Fact)


def _grouped(facts: Iterable[_F], key: Callable[[_F], str]) -> dict[str, tuple[_F, ...]]:
    groups: dict[str, list[_F]] = {}
    for fact in facts:
        groups.setdefault(key(fact), []).append(fact)
    return {name: tuple(members) for name, members in groups.items()}
