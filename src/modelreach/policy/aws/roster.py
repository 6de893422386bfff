"""The principals and runtimes of one account, put together by what an escalation rule can tell.

Whom a rule can be aimed at is often everybody in an account. Two roles that the same services may
run as, with the same attributes, are told apart only by the patterns of whoever aims: what holds
for one of a *set* that the same patterns match, holds for the other. The bits are those of the
account's principals (or runtimes) in the order of their ids, and are kept no longer than this
account's facts are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

import msgspec

from modelreach.policy.aws.aims import untouchable
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.layers import Policies
from modelreach.policy.aws.limiting import parted_by_limits
from modelreach.policy.aws.outline import outlines
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.glob import is_literal, literal_prefix, match
from modelreach.snapshot import Attachment, Principal, Runtime

_BEYOND = chr(0x10FFFF)


class Sorted(msgspec.Struct):
    """Ids in order, by bits."""

    ids: tuple[str, ...]
    _places: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    _by_glob: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    _listed: dict[int, tuple[str, ...]] = msgspec.field(
        default_factory=dict[int, "tuple[str, ...]"]
    )

    def __post_init__(self) -> None:
        self._places = {name: place for place, name in enumerate(self.ids)}

    def bits(self, names: Iterable[str]) -> int:
        """Give the bits of these ids, as far as they are here."""
        places = [self._places[name] for name in names if name in self._places]
        array = bytearray((len(self.ids) + 7) // 8)
        for place in places:
            array[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(array, "little")

    def bit(self, name: str) -> int:
        """Give the bit of an id; 0 when it is not here."""
        place = self._places.get(name)
        return 0 if place is None else 1 << place

    def matching(self, glob: str) -> int:
        """Give the bits of what a pattern matches."""
        found = self._by_glob.get(glob)
        if found is None:
            found = self._by_glob[glob] = self._matching(glob)
        return found

    def _matching(self, glob: str) -> int:
        prefix = literal_prefix(glob)
        first, last = bisect_left(self.ids, prefix), bisect_left(self.ids, prefix + _BEYOND)
        if glob.endswith("*") and is_literal(glob[:-1]):
            return ((1 << (last - first)) - 1) << first if last > first else 0
        return self.bits(name for name in self.ids[first:last] if match(glob, name))

    def first(self, mask: int) -> str:
        """Give the id of a mask's first bit."""
        return self.ids[(mask & -mask).bit_length() - 1]

    def of(self, mask: int) -> tuple[str, ...]:
        """Give the ids of a mask's bits, in order; the same tuple for the same mask."""
        found = self._listed.get(mask)
        if found is None:
            digits = bin(mask)[:1:-1]
            found = tuple(self.ids[at] for at, digit in enumerate(digits) if digit == "1")
            self._listed[mask] = found
        return found

    def parted(self, masks: Iterable[int], globs: Iterable[str]) -> list[int]:
        """Part masks by what patterns match."""
        parts = [mask for mask in masks if mask]
        for by in map(self.matching, globs):
            parts = [piece for part in parts for piece in (part & by, part & ~by) if piece]
        return parts


class Roster:
    """One account's principals and runtimes, by what tells them apart."""

    def __init__(self, estate: Estate, shelving: Shelving, account: str) -> None:
        self._estate, self._shelving, self._account = estate, shelving, account
        kinds = ("user", "role", "group")
        self._principals = {p.id: p for k in kinds for p in estate.principals_of(account, k)}
        self.principals = Sorted(tuple(sorted(self._principals)))
        self._trusting: dict[str, int] = {}
        self._sets: dict[str, tuple[int, ...]] = {}
        self._runtimes: dict[str, tuple[Sorted, tuple[int, ...]]] = {}
        self._bits: dict[object, int] = {}
        self._identities: dict[tuple[str, int], tuple[str, ...]] = {}
        self._running: dict[str, frozenset[str]] | None = None
        self._signs: dict[str, object] = {}
        self._by_tags: dict[tuple[str, str], tuple[int, ...]] = {}
        self._asking: tuple[tuple[Policies, int], ...] | None = None

    def trusting(self, keys: Iterable[str]) -> int:
        """Give the bits of the principals whose trust may let one of these in."""
        found = 0
        for key in keys:
            if key not in self._trusting:
                names = self._estate.named.trusting_in(self._account, key)
                self._trusting[key] = self.principals.bits(names)
            found |= self._trusting[key]
        return found

    def having(self, attribute: str) -> int:
        """Give the bits of those of which an attribute is not empty."""
        return self._that(attribute, lambda p: bool(p.attributes.get(attribute)))

    @property
    def bounded(self) -> int:
        """The bits of those that have a permissions boundary."""
        return self._that(("bounded",), self._estate.bounded)

    def _that(self, key: object, holds: Callable[[Principal], bool]) -> int:
        if key not in self._bits:
            those = (name for name, p in self._principals.items() if holds(p))
            self._bits[key] = self.principals.bits(those)
        return self._bits[key]

    def by_tags(self, names: Sequence[str]) -> tuple[int, ...]:
        """Give the bits of the principals by the values of these tags (in lower case)."""
        groups: dict[tuple[str | None, ...], list[str]] = {}
        for name, principal in self._principals.items():
            tags = {key.lower(): value for key, value in principal.tags.items()}
            groups.setdefault(tuple(map(tags.get, names)), []).append(name)
        return tuple(map(self.principals.bits, groups.values()))

    @property
    def trusting_some(self) -> int:
        """The bits of those whose trust asks who in particular calls."""
        some = self._estate.named.trusting_some
        return self._that(("trusting_some",), lambda p: p.id in some)

    @property
    def unread(self) -> int:
        """The bits of those of which something was not read."""
        gaps = self._estate.gaps_by_subject
        return self._that(("unread",), lambda p: p.id in gaps)

    @property
    def untouchable(self) -> int:
        """The bits of those that can be neither edited nor passed."""
        return self._that(("untouchable",), untouchable)

    @property
    def asking(self) -> tuple[tuple[Policies, int], ...]:
        """The trusts that ask who in particular calls, with the bits of whose they are."""
        if self._asking is None:
            groups: dict[tuple[str, ...], list[str]] = {}
            estate = self._estate
            for name in self.principals.of(self.trusting_some):
                trust = estate.attached(name, "trust")
                groups.setdefault(tuple(policy.digest for policy in trust), []).append(name)
            self._asking = tuple(
                (estate.attached(names[0], "trust"), self.principals.bits(names))
                for names in groups.values()
            )
        return self._asking

    def sets(self, kind: str) -> tuple[int, ...]:
        """Give the principals of a kind by sets of which nothing but patterns and tags tells one
        from the other."""
        if kind not in self._sets:
            groups: dict[object, list[str]] = {}
            for principal in self._estate.principals_of(self._account, kind):
                groups.setdefault(sign(principal, self._estate), []).append(principal.id)
            self._sets[kind] = tuple(map(self.principals.bits, groups.values()))
        return self._sets[kind]

    def running(self, principal: str) -> frozenset[str]:
        """Give the kinds of the account's runtimes that name a principal: as whom they run as, or
        in an attribute."""
        if self._running is None:
            found: dict[str, set[str]] = {}
            for runtime in self._estate.facts.section(self._account, "runtimes"):
                for name in (*runtime.identities, *runtime.attributes.values()):
                    if isinstance(name, str):
                        found.setdefault(name, set()).add(runtime.kind)
            self._running = {name: frozenset(kinds) for name, kinds in found.items()}
        return self._running.get(principal, frozenset())

    def sign(self, principal: Principal) -> object:
        """Give all that tells a principal from those of other accounts as well, its name and tags
        aside: beside its sign, its account where its trust may mean it by something else."""
        known = self._signs.get(principal.id)
        if known is None:
            trust = self._estate.attached(principal.id, "trust")
            plain = not any(
                policy.document.problems or statement.conditions or statement.not_understood
                for policy in trust
                for statement in policy.document.statements or ()
            )
            found = sign(principal, self._estate)
            known = self._signs[principal.id] = found if plain else (found, self._account)
        return known

    def runtimes(self, kind: str) -> tuple[Sorted, tuple[int, ...]]:
        """Give the runtimes of a kind, and their sets."""
        if kind not in self._runtimes:
            groups: dict[object, list[str]] = {}
            found = self._estate.runtimes_of(self._account, kind)
            for runtime in found:
                groups.setdefault(self._sign_of_runtime(runtime), []).append(runtime.id)
            ids = Sorted(tuple(sorted(runtime.id for runtime in found)))
            self._runtimes[kind] = ids, tuple(map(ids.bits, groups.values()))
        return self._runtimes[kind]

    def runtimes_by_tags(self, kind: str, text: str) -> tuple[int, ...]:
        """Give the bits of the runtimes of a kind by the tags of which a text has the name."""
        known = self._by_tags.get((kind, text))
        if known is None:
            known = self._by_tags[kind, text] = self._runtimes_by_tags(kind, text)
        return known

    def _runtimes_by_tags(self, kind: str, text: str) -> tuple[int, ...]:
        ids, _ = self.runtimes(kind)
        groups: dict[object, list[str]] = {}
        facts = self._estate.facts
        for name in ids.ids:
            listed = facts.resources.get(name)
            tags = (*facts.runtimes[name].tags.items(), *(listed.tags.items() if listed else ()))
            told = frozenset((k, v) for k, v in tags if k.lower() in text)
            groups.setdefault(told, []).append(name)
        return tuple(map(ids.bits, groups.values()))

    def identities(self, kind: str, mask: int) -> tuple[str, ...]:
        """Give whom these runtimes run as; the same tuple for the same mask."""
        key = (kind, mask)
        if key not in self._identities:
            ids = self._runtimes[kind][0].of(mask)
            facts = self._estate.facts.runtimes
            self._identities[key] = tuple(sorted({n for i in ids for n in facts[i].identities}))
        return self._identities[key]

    def _sign_of_runtime(self, runtime: Runtime) -> object:
        """Give all that a rule can tell of a runtime, its tags aside; its id where that is too
        much."""
        estate, name = self._estate, runtime.id
        listed = estate.facts.resources.get(name)
        number = None if listed is None else self._shelving.sign_of(listed)
        if name in estate.gaps_by_subject or number is None:
            return name
        attributes = tuple(sorted((key, str(v)) for key, v in runtime.attributes.items()))
        return number, runtime.region, attributes, self._tags_asked_by_itself(runtime)

    def _tags_asked_by_itself(self, runtime: Runtime) -> object:
        """Give the tags of a runtime whose own policy may ask about them."""
        own = self._estate.attached(runtime.id, "resource")
        if not any(one.of_resource for policy in own for one in outlines(policy.document)):
            return ()
        listed = self._estate.facts.resources.get(runtime.id)
        both = (runtime.tags, listed.tags if listed else {})
        return tuple(tuple(sorted(tags.items())) for tags in both)


def sign(principal: Principal, estate: Estate) -> object:
    """Give all that a rule can tell of a principal, its tags aside; its id where that is too
    much."""
    name = principal.id
    attached = [a for a in estate.facts.attachments.get(name, ()) if a.kind != "identity"]
    if name in estate.gaps_by_subject or any(_odd(one, estate) for one in attached):
        return name
    credentials = [c.kind for c in estate.facts.credentials.get(name, ())]
    return (
        tuple(sorted(key for key, value in principal.attributes.items() if value)),
        tuple((one.kind, one.document) for one in attached),
        tuple(sorted(credentials)),
        parted_by_limits(principal, estate),
    )


def _odd(attachment: Attachment, estate: Estate) -> bool:
    """May a document tell its target from another one that it is attached to?"""
    raw = estate.facts.snapshot.documents.get(attachment.document)
    if raw is None or attachment.kind not in ("trust", "boundary"):
        return True
    text = bytes(raw).lower()
    # In JSON, any letter may be written as an escape.
    return attachment.kind == "trust" and (b"resource" in text or b"\\u" in text)
