"""A snapshot in a store, read account by account when it is first asked about."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from os import PathLike
from typing import Any, Final, TypeVar, cast

import msgspec

from modelreach.digests import blake2b, sha256
from modelreach.model import InputError
from modelreach.snapshot import (
    OF_USE,
    SCHEMA,
    Attachment,
    Binding,
    Coverage,
    Credential,
    Derived,
    Excerpt,
    Fact,
    Facts,
    Gap,
    ManagedPolicy,
    Origin,
    Part,
    Principal,
    Resource,
    Runtime,
    Scope,
    Snapshot,
    Usage,
    Variety,
    canonical,
    encode,
    parted,
    varieties,
    varieties_of,
)
from modelreach.store.file import Kept, Section, Store
from modelreach.store.sought import GROUPED, Documents, Ids, Singly, Sought

_T = TypeVar("_T")
_SECTIONS: Final[dict[str, type[Fact]]] = {
    "scopes": Scope,
    "principals": Principal,
    "credentials": Credential,
    "resources": Resource,
    "runtimes": Runtime,
    "managed_policies": ManagedPolicy,
    "attachments": Attachment,
    "bindings": Binding,
    "usage": Usage,
    "coverage": Coverage,
    "gaps": Gap,
    "origins": Origin,
}
_DOCUMENTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Id(msgspec.Struct):
    id: str


_IDS = msgspec.json.Decoder(tuple[_Id, ...])
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_TAGGED = msgspec.json.Decoder(dict[str, list[str]])
_VARIETIES = msgspec.json.Decoder(tuple[Variety, ...])

_SOUGHT = ("principals", "resources", "runtimes", "managed_policies", *GROUPED)


@cache
def _reader(section: str) -> msgspec.json.Decoder[tuple[Any, ...]]:
    kind: Any = _SECTIONS[section]
    return msgspec.json.Decoder(tuple[kind, ...])


@cache
def _reader_of_one(section: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_SECTIONS[section])


#: Sections of which some are read alone where few are asked for; they name no documents.
_SINGLY = ("principals", "resources", "runtimes")
#: Sections whose facts name documents.
_NAME_DOCUMENTS = ("attachments", "managed_policies")
#: All that a part may have; what stands for something has a sign before its name.
_KNOWN = frozenset((*_SECTIONS, "documents"))

#: Stands for sections of which some tells of use: no decision asks when somebody was last seen.
_STEADY = "#steady"
_PASSING = ("credentials", "gaps", "principals")
#: What no decision asks about; documents are named by their digests, and which are common changes
#: with other parts.
_UNASKED = frozenset({"documents", "origins", "usage"})

#: Tags with this beginning are looked for in whole estates, and have an index.
_OUR_TAGS = "modelreach:"


# --- writing -----------------------------------------------------------------------------------


def write(path: str | PathLike[str], snapshot: Snapshot) -> Kept:
    """Add a snapshot to a store, which is made when there is none. Raises `InputError`."""
    store = Store(path, make=True)
    try:
        whole = canonical(snapshot)
        digest = "sha256:" + sha256(encode(whole)).hexdigest()
        store.add(digest, whole.taken_at, whole.tool, _sections(whole))
        return next(kept for kept in store.snapshots() if kept.digest == digest)
    finally:
        store.close()


def _sections(whole: Snapshot) -> Iterator[tuple[str, str, int, bytes]]:
    parts = parted(whole)
    names = sorted({"", *parts})
    homes: dict[str, set[str]] = {}
    for part, sections in parts.items():
        for digest in _documents_of(sections):
            homes.setdefault(digest, set()).add(part)
    strays: list[tuple[int, int]] = []
    tags: dict[str, list[str]] = {}
    for place, part in enumerate(names):
        sections = parts.get(part, {})
        for section, facts in sorted(sections.items()):
            yield part, section, len(facts), msgspec.json.encode(facts, order="sorted")
        yield part, _STEADY, 1, _steady(sections)
        own = {d: whole.documents[d] for d in _own(part, sections, homes, whole)}
        if own:
            yield part, "documents", len(own), msgspec.json.encode(own, order="sorted")
        strays += [(_hash(name), place) for name in _names(sections) if not _tells(name, part)]
        for fact in sections.get("principals", ()):
            assert isinstance(fact, Principal)
            for tag in fact.tags:
                if tag.startswith(_OUR_TAGS):
                    tags.setdefault(tag, []).append(fact.id)
    yield "", "#strays", len(strays), b"".join(struct.pack("<QI", *one) for one in sorted(strays))
    yield "", "#tagged", len(tags), msgspec.json.encode(tags, order="sorted")
    found = varieties(whole)
    yield "", "#varieties", len(found), msgspec.json.encode(found)


def _steady(sections: Mapping[str, Any]) -> bytes:
    """Give a digest of the sections that tell of use, without what they tell of it."""
    steady = (
        [told for fact in sections.get(name, ()) if (told := _apart_from_use(fact))]
        for name in _PASSING
    )
    return sha256(*(msgspec.json.encode(said, order="sorted") for said in steady)).digest()


def _apart_from_use(fact: Fact) -> Fact | None:
    if isinstance(fact, Gap):
        return None if fact.kind in OF_USE else fact
    assert isinstance(fact, Principal | Credential)
    return msgspec.structs.replace(fact, last_used="") if fact.last_used else fact


def _documents_of(sections: Mapping[str, Any]) -> set[str]:
    found = {attachment.document for attachment in sections.get("attachments", ())}
    for policy in sections.get("managed_policies", ()):
        found.update(policy.versions.values())
    return found


def _own(
    part: str, sections: Mapping[str, Any], homes: Mapping[str, set[str]], whole: Snapshot
) -> list[str]:
    """The documents that only this part has; those of several, and of none, are common."""
    if part:
        used = _documents_of(sections)
        return sorted(d for d in used if d in whole.documents and homes[d] == {part})
    return sorted(d for d in whole.documents if len(homes.get(d, ())) != 1 or homes[d] == {""})


def _names(sections: Mapping[str, Any]) -> Iterator[str]:
    for section in ("principals", "resources", "runtimes", "managed_policies"):
        yield from (fact.id for fact in sections.get(section, ()))
    yield from (fact.principal for fact in sections.get("credentials", ()))


def _tells(name: str, part: str) -> bool:
    """Does an id say by itself of which part it is?"""
    return not part or part in _tokens(name)


def _tokens(name: str) -> list[str]:
    return name.replace("/", ":").split(":")


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), size=8).digest(), "little")


# --- reading -----------------------------------------------------------------------------------


class StoredSnapshot:
    """Answers as a `Snapshot` does. A section is read from all accounts when it is asked for as a
    whole; `facts` reads only the accounts that it is asked about."""

    def __init__(self, store: Store, kept: Kept) -> None:
        self.schema = SCHEMA
        self.digest = kept.digest
        self.taken_at = kept.taken_at
        self.tool = kept.tool
        self._store = store
        self.facts = StoredFacts(store, kept, self)

    @staticmethod
    def open(path: str | PathLike[str], which: str = "") -> StoredSnapshot:
        """Open one snapshot of a store. Raises `InputError`."""
        store = Store(path)
        return StoredSnapshot(store, store.find(which))

    def __getattr__(self, name: str) -> Any:
        if name not in _SECTIONS:
            raise AttributeError(name)
        found = self.facts.everywhere(name)
        setattr(self, name, found)
        return found

    @property
    def documents(self) -> Mapping[str, msgspec.Raw]:
        """The documents of all that was read so far; whoever knows a digest has read it from
        there."""
        return self.facts.documents

    def checked(self) -> Snapshot:
        """Give all of it as a snapshot in memory. Raises `InputError` when its digest is another
        one than the store says: then somebody has changed what is in it."""
        whole = self.whole()
        if "sha256:" + sha256(encode(whole)).hexdigest() != self.digest:
            raise InputError(
                "these are not the facts of the digest that the store has for them",
                place=self._store.path,
                hint="it was changed after it was written; collect anew",
            )
        return whole

    def whole(self) -> Snapshot:
        """Give all of it as a snapshot in memory."""
        sections = {name: getattr(self, name) for name in _SECTIONS}
        self.facts.load_all()
        documents = dict(sorted(self.facts.documents.items()))
        made = Snapshot(
            schema=SCHEMA,
            taken_at=self.taken_at,
            tool=self.tool,
            documents=documents,
            **sections,
        )
        return canonical(made)

    def beside(self, digest: str) -> Snapshot | None:
        """Give another snapshot of the same store; None where there is none of this digest."""
        kept = next((one for one in self._store.snapshots() if one.digest == digest), None)
        return None if kept is None else StoredSnapshot(self._store, kept).as_snapshot()

    def as_snapshot(self) -> Snapshot:
        """Give it under the type whose questions it answers."""
        return cast("Snapshot", self)


def whole_of(snapshot: Snapshot) -> Snapshot:
    """Give a snapshot in memory, with all that is in it. Raises `InputError` when a store holds
    another one than it says."""
    stored: object = snapshot
    return stored.checked() if isinstance(stored, StoredSnapshot) else snapshot


def beside(snapshot: Snapshot, digest: str) -> Snapshot | None:
    """Give the snapshot of this digest that is kept in the same store; None where there is none,
    and for a snapshot that is of no store."""
    stored: object = snapshot
    return stored.beside(digest) if isinstance(stored, StoredSnapshot) else None


class StoredFacts(Facts):
    """Facts by id; of an account a section is read when something in it is first looked up."""

    def __init__(self, store: Store, kept: Kept, snapshot: StoredSnapshot) -> None:
        self._store = store
        self._manifest: dict[str, dict[str, Section]] = {}
        for section in store.manifest(kept):
            self._manifest.setdefault(section.part, {})[section.section] = section
        self._loaded: dict[str, dict[str, tuple[Any, ...]]] = {}
        self._taken: set[tuple[str, str]] = set()  # parts and sections that are held by id
        #: Of each section the parts that have it, and of which it is not held.
        self._untaken: dict[str, set[str]] = {}
        for part, sections in self._manifest.items():
            for name in sections:
                self._untaken.setdefault(name, set()).add(part)
        store.refuse_unknown(n for n in self._untaken if n not in _KNOWN and n[:1] != "#")
        self._singly: dict[tuple[str, str], Singly] = {}
        #: Ids that sections are known not to have, without having been read.
        self._lacks: dict[tuple[str, str], set[str]] = {}
        self._read_once: set[str] = set()
        self._whole: dict[str, Part] = {}
        self._names = tuple(sorted({"", *self._manifest}))
        self._kept: dict[str, dict[bytes, bytes]] = {}
        self._derived: Derived = {}
        self._sources: dict[str, bytes] = {}
        self._forgotten: set[tuple[str, str]] = set()
        self.documents = Documents(self._documents_in)
        self._partly: dict[tuple[str, str], set[str]] = {}
        self._ids: dict[tuple[str, str], Ids] = {}
        self._cherished: set[str] = set()
        self.snapshot = snapshot.as_snapshot()
        self._by_name: dict[str, Sought[Any]] = {
            name: Sought(name, self.seek, self.load) for name in _SOUGHT
        }
        self.principals = self._by_name["principals"]
        self.resources = self._by_name["resources"]
        self.runtimes = self._by_name["runtimes"]
        self.managed_policies = self._by_name["managed_policies"]
        self.credentials = self._by_name["credentials"]
        self.attachments = self._by_name["attachments"]
        self.bindings = self._by_name["bindings"]
        self.usage = self._by_name["usage"]
        self._read_all("")
        scopes = self._facts("", "scopes")
        self.scopes = {scope.id: scope for scope in scopes}

    @property
    def parts(self) -> tuple[str, ...]:
        """The scopes that have facts of their own, and "" for what is of none."""
        return self._names

    @property
    def read_parts(self) -> tuple[str, ...]:
        """The parts of which facts were read so far."""
        return tuple(sorted(self._read_once))

    def part(self, scope: str) -> Part:
        """Give the facts of one scope."""
        if scope not in self._manifest and scope:
            return Part()
        if scope not in self._whole:
            found = {name: self._read(scope, name) for name in Part.__struct_fields__}
            self._whole[scope] = Part(**found)
        return self._whole[scope]

    def section(self, scope: str, name: str) -> tuple[Any, ...]:
        """Give one section of a scope's facts."""
        return self._read(scope, name) if scope in self._manifest or not scope else ()

    def tagged(self, tag: str) -> tuple[Principal, ...]:
        """Give the principals that have a tag."""
        if not tag.startswith(_OUR_TAGS):
            return super().tagged(tag)
        section = self._manifest[""].get("#tagged")
        raw = self._store.blob(section.digest) if section else b"{}"
        names = self._store.decoded(raw, _TAGGED).get(tag, ())
        found = map(self.principals.get, sorted(names))
        return tuple(principal for principal in found if principal is not None)

    @cached_property
    def varieties(self) -> tuple[Variety, ...]:
        """Of what providers and kinds there are facts, as was written down beside them; where that
        was not, what scopes tell, as all else would have to be read."""
        section = self._manifest[""].get("#varieties")
        if section is None:
            return varieties_of(self.scopes.values())
        return self._store.decoded(self._store.blob(section.digest), _VARIETIES)

    def everywhere(self, section: str) -> tuple[Any, ...]:
        """Give a section of all parts."""
        held = (part for part in self._names if section in self._manifest.get(part, ()))
        return tuple(fact for part in held for fact in self._read(part, section))

    def load(self, section: str) -> None:
        """Take a section of every part in."""
        for part in self._names:
            self._take(part, section)

    def load_all(self) -> None:
        """Read every part."""
        for part in self._names:
            self._read_all(part)

    def remembered(self, scope: str, name: str, make: Callable[[], _T], kind: type[_T]) -> _T:
        """Give what was derived from a part before; derive and keep it when it was not."""
        source = self._source(scope)
        known = self.remembered_of(source, name, kind)
        if known is not None:
            return known
        made = make()
        self._derived.setdefault(name, {})[source] = msgspec.json.encode(made)
        # Such things are derived of all parts, one after the other.
        self._let_go_of(scope)
        return made

    def remembered_of(self, source: bytes, name: str, kind: type[_T]) -> _T | None:
        """Give what was derived from a part whose facts had this digest; None when it is not
        known any more."""
        raw = self._derived.get(name, {}).get(source)
        if raw is None:
            packed = self._all_kept(name).get(source)
            raw = None if packed is None else self._store.recovered(packed)
        try:
            return None if raw is None else msgspec.json.decode(raw, type=kind)
        except (msgspec.MsgspecError, RecursionError):
            return None  # It is derived again.

    def remembers(self, scope: str, name: str) -> bool:
        """Is something kept that was derived from a part?"""
        return self._source(scope) in self._all_kept(name)

    def _all_kept(self, name: str) -> dict[bytes, bytes]:
        if name not in self._kept:
            self._kept[name] = self._store.all_derived(name)
        return self._kept[name]

    def handed_over(self) -> Derived:
        """Give what was derived since and is not kept yet, to be kept by somebody else."""
        found, self._derived = self._derived, {}
        for name in found:
            self._kept.pop(name, None)
        return found

    def take_over(self, derived: Derived) -> None:
        """Take what somebody else derived from the same facts, for `keep` to keep."""
        for name, found in derived.items():
            self._derived.setdefault(name, {}).update(found)

    keeps = True

    def recalled(self, name: str, key: str) -> bytes | None:
        """Give what was kept under a name and key; None when nothing was."""
        packed = self._store.derived(name, key.encode())
        return None if packed is None else self._store.recovered(packed)

    def memorise(self, name: str, key: str, raw: bytes) -> None:
        """Have something kept under a name and key, in the place of what was."""
        self._derived.setdefault(name, {})[key.encode()] = raw

    def forget(self, what: str, version: str) -> None:
        """Drop all that other versions kept of something."""
        if (what, version) not in self._forgotten:
            self._forgotten.add((what, version))
            self._store.forget_derived(what, version)

    def digest_of(self, scope: str) -> bytes:
        """Give a digest of a part's facts, when somebody was last seen aside; of a part that is
        not there as of an empty one."""
        return self._source(scope)

    def listing(self, scope: str) -> bytes:
        """Give a digest of a part's resources; b"" for none."""
        section = self._manifest.get(scope, {}).get("resources")
        return b"" if section is None else section.digest

    def listed(self, listing: bytes) -> tuple[str, ...] | None:
        """Give the ids of the resources under a digest, sorted."""
        if not listing:
            return ()
        raw = self._store.known_blob(listing)
        if raw is None:
            return None
        return tuple(sorted(one.id for one in self._store.decoded(raw, _IDS)))

    def keep(self) -> None:
        """Keep what was derived since."""
        self._store.keep_all(self.handed_over())

    def _source(self, scope: str) -> bytes:
        if scope not in self._sources:
            self._sources[scope] = self._source_of(scope)
        return self._sources[scope]

    def _source_of(self, scope: str) -> bytes:
        sections = self._manifest.get(scope, {})
        unasked = _UNASKED.union(_PASSING) if _STEADY in sections else _UNASKED
        asked = (
            name.encode() + b"\0" + section.digest
            for name, section in sorted(sections.items())
            if name == _STEADY or not (name.startswith("#") or name in unasked)
        )
        return sha256(*asked).digest()

    # --- reading ---------------------------------------------------------------------------

    def _facts(self, part: str, section: str) -> tuple[Any, ...]:
        known = self._manifest.get(part, {}).get(section)
        if known is None:
            return ()
        written = self._singly.pop((part, section), None)
        raw = written.raw if written else self._store.blob(known.digest)
        return self._store.decoded(raw, _reader(section))

    def _read_all(self, part: str) -> None:
        for section in Part.__struct_fields__:
            self._read(part, section)
        for section in _SOUGHT:
            self._take(part, section)

    def _read(self, part: str, section: str) -> tuple[Any, ...]:
        """Give a section of a part."""
        loaded = self._loaded.setdefault(part, {})
        if section not in loaded:
            facts = loaded[section] = self._facts(part, section)
            if facts:
                self._read_once.add(part)
            if section in _NAME_DOCUMENTS and "documents" not in loaded:
                loaded["documents"] = self.documents.take(part)
        return loaded[section]

    def _documents_in(self, part: str) -> Mapping[str, msgspec.Raw]:
        """Give a part's documents: whoever knows a digest has read a section that names it."""
        known = self._manifest.get(part, {}).get("documents")
        if known is None:
            return {}
        return self._store.decoded(self._store.blob(known.digest), _DOCUMENTS)

    def seek(self, name: str, section: str) -> None:
        """Take a section of the parts in that an id may be of."""
        left = self._untaken.get(section)
        if not left:
            return
        for token in _tokens(name):
            if token in left:
                self._seek_in(token, section, name)
        if left and self._strays[0]:
            for place in self._astray(name):
                if self._names[place] in left:
                    self._seek_in(self._names[place], section, name)

    def _seek_in(self, part: str, section: str, name: str) -> None:
        """Take a section of a part in that may have an id: only what others ask about, where the
        id is one of those."""
        place = part, section
        if place in self._taken or name in self._partly.get(place, ()):
            return
        if name in self._lacks.get(place, ()):
            return
        if place in self._ids and name not in self._ids[place]:
            return
        held = section in self._loaded.get(part, ()) or not self._may_go(part)
        if held or name not in self._cherished:
            if held or not self._takes_one(part, section, name):
                self._take(part, section)
            return
        facts = self._facts(part, section)
        self._take_some(part, section, facts)
        self.documents.take_some(part, self._named_by_some(part, {section: facts}))

    def _takes_one(self, part: str, section: str, name: str) -> bool:
        """Take in one fact of a section of which little is asked, if it is there; False where all
        of the section has to be taken in."""
        place = part, section
        if not self.sparing or section not in _SINGLY:
            return False
        if place not in self._singly:
            self._singly[place] = self._written(part, section)
        written = self._singly[place]
        if written.enough:
            return False
        raw = written.find(name)
        if raw is not None:
            self._read_once.add(part)
            self._by_name[section].take((self._store.decoded(raw, _reader_of_one(section)),))
        return True

    def _written(self, part: str, section: str) -> Singly:
        raw = self._store.blob(self._manifest[part][section].digest)
        ids = (one.id for one in self._store.decoded(raw, _IDS))
        facts: list[msgspec.Raw] = self._store.decoded(raw, _RAWS)
        return Singly(raw, dict(zip(ids, facts, strict=True)))

    def _take(self, part: str, section: str) -> None:
        """Take a section of a part in by id."""
        place = part, section
        if place in self._taken:
            return
        self._taken.add(place)
        self._untaken.get(section, set()).discard(part)
        facts = self._read(part, section)
        self._by_name[section].take(facts, self._partly.pop(place, ()))
        if section == "credentials":
            self._beside(facts)

    def _take_some(self, part: str, section: str, facts: tuple[Any, ...]) -> None:
        """Take in what others ask about, of a section that is not held."""
        place, sought = (part, section), self._by_name[section]
        if place not in self._ids:
            self._ids[place] = Ids(sought.ids(facts))
        known = self._partly.setdefault(place, set())
        wanted = self._cherished.intersection(sought.ids(facts))
        if not wanted:
            return
        self._read_once.add(part)
        some = tuple(fact for fact in facts if getattr(fact, sought.key) in wanted)
        sought.take(some, known)
        known |= wanted
        if section == "credentials":
            self._beside(some)

    def _beside(self, credentials: tuple[Credential, ...]) -> None:
        """Take in as well what other parts say of those whose credentials these are."""
        for name in {one.principal for one in credentials}:
            self.seek(name, "credentials")

    # --- some facts alone -------------------------------------------------------------------

    def excerpts(self, section: str, ids: Iterable[str]) -> tuple[Excerpt, ...]:
        """Give the facts of these ids apart, for a run that asks about no others of a section."""
        facts: dict[str, list[Any]] = {}
        lacks: dict[str, list[str]] = {}
        for name in ids:
            fact = self._by_name[section].get(name)
            if fact is not None:
                facts.setdefault(fact.scope, []).append(fact)
                continue
            for part in _tokens(name):
                if part in self._manifest:
                    lacks.setdefault(part, []).append(name)
        return tuple(
            Excerpt(
                part,
                section,
                whole.digest,
                msgspec.json.encode(facts.get(part, ())),
                tuple(lacks.get(part, ())),
            )
            for part in sorted({*facts, *lacks})
            if (whole := self._manifest.get(part, {}).get(section)) is not None
        )

    def holds(self, excerpt: Excerpt) -> bool:
        """Is the section of which these are some facts as it was?"""
        whole = self._manifest.get(excerpt.part, {}).get(excerpt.section)
        return whole is not None and whole.digest == excerpt.whole

    def take_excerpts(self, excerpts: Iterable[Excerpt]) -> None:
        """Take some facts without reading the rest of their sections, where these are as they
        were."""
        for one in filter(self.holds, excerpts):
            if one.section not in _SINGLY or (one.part, one.section) in self._taken:
                continue
            try:
                facts = _reader(one.section).decode(one.facts)
            except (msgspec.MsgspecError, RecursionError):
                continue
            if facts:
                self._read_once.add(one.part)
            self._by_name[one.section].take(facts)
            self._lacks.setdefault((one.part, one.section), set()).update(one.lacks)

    # --- letting go ------------------------------------------------------------------------

    def cherish(self, ids: Iterable[str]) -> None:
        """Keep what is said of these things, as they are asked about from everywhere."""
        self._cherished.update(ids)

    def let_go(self) -> None:
        """Let go of what was read of scopes, but for what others ask about. It is read again when
        it is asked for."""
        self._singly.clear()
        for part in tuple(self._loaded):
            self._let_go_of(part)

    def _may_go(self, part: str) -> bool:
        """What is of all, and what the provider itself brings, is asked about all the time."""
        return bool(part) and part in self.scopes

    def _let_go_of(self, part: str) -> None:
        if not self._may_go(part):
            return
        self._whole.pop(part, None)
        loaded = self._loaded.pop(part, {})
        digests = loaded.pop("documents", ())
        for section, facts in loaded.items():
            place = part, section
            if place in self._taken:
                self._taken.remove(place)
                self._untaken_again(part, section)
                self._partly[place] = self._by_name[section].let_go(facts, self._cherished)
            elif section in self._by_name:
                self._take_some(part, section, facts)
        if digests:
            self.documents.let_go(part, digests, self._named_by_some(part, loaded))

    def _untaken_again(self, part: str, section: str) -> None:
        if section in self._manifest.get(part, ()):
            self._untaken[section].add(part)

    def _named_by_some(self, part: str, loaded: Mapping[str, tuple[Any, ...]]) -> set[str]:
        """Give the digests of the documents of what others ask about."""
        found: set[str] = set()
        for section in _NAME_DOCUMENTS:
            key, kept = self._by_name[section].key, self._partly.get((part, section), ())
            some = [fact for fact in loaded.get(section, ()) if getattr(fact, key) in kept]
            found |= _documents_of({section: some})
        return found

    @cached_property
    def _strays(self) -> tuple[array[int], array[int]]:
        section = self._manifest[""].get("#strays")
        raw = self._store.blob(section.digest) if section else b""
        pairs = list(struct.iter_unpack("<QI", raw))
        return (
            array("Q", (one for one, _ in pairs)),
            array("L", (place for _, place in pairs)),
        )

    def _astray(self, name: str) -> Iterator[int]:
        """The places of the parts of ids that do not say it themselves."""
        hashes, places = self._strays
        wanted = _hash(name)
        at = bisect_left(hashes, wanted)
        while at < len(hashes) and hashes[at] == wanted:
            yield places[at]
            at += 1
