"""Resources put together on shelves: those that differ in nothing but their name.

What is decided about one of a shelf holds for all of it, as far as the same patterns match them:
so a principal's questions are asked once a class, not once a resource. Which patterns match which
resources of a shelf is kept as bits. The decision engine stays the only one that decides; this
says which questions must have the same answer.

A resource that could be told apart otherwise (something of it was not read, a grant lies on it,
its policy treats parts of it differently) is `odd`: it stands on no shelf, and is asked about
alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from modelreach.policy.aws import kinds
from modelreach.policy.aws.document import compile_document
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.matching import meets
from modelreach.policy.aws.statement import Principals, Statement
from modelreach.policy.glob import is_literal, literal_prefix, match
from modelreach.snapshot import Attachment, Facts, Resource

#: Stands for the resource's own id in its policy.
_ITSELF = "arn:x:x:x:x:\xff\xfe\xfd\xff"
#: Stands for the account that asks, where a policy names it.
_ASKING = "asking"
_BEYOND = chr(0x10FFFF)


class Inside(msgspec.Struct, frozen=True):
    """How a pattern lies to what is in each resource of a shelf: the bits of those of which it
    matches everything inside, and of those of which it matches a part."""

    all: int
    some: int


class Cut(msgspec.Struct, frozen=True):
    """What a pattern does to a shelf: the bits of all that it touches, of those of which it
    touches a part of the inside only, and the masks by which it tells the resources apart.
    `exact` are the bits of those that it matches, `inside` says the rest by separator."""

    touched: int
    partly: int
    masks: tuple[int, ...]
    exact: int
    inside: tuple[Inside, ...]


class Shelf(msgspec.Struct, eq=False):
    """Resources that differ in their name only. `ids` are sorted; bit i of a mask is `ids[i]`.

    `separators` are those after which the names of what lies inside go on. `sign` is a number for
    all that its resources have in common, the same for shelves of which that is equal.
    """

    service: str
    sign: int
    ids: tuple[str, ...]
    separators: tuple[str, ...]
    own_policy: bool
    asking: str
    _cuts: dict[str, Cut] = msgspec.field(default_factory=dict[str, "Cut"])
    _places: dict[str, int] | None = None
    _by_tags: dict[tuple[str, ...], tuple[int, ...]] = msgspec.field(
        default_factory=dict[tuple[str, ...], tuple[int, ...]]
    )
    _by_account: dict[str, int] | None = None
    _naming: dict[str, int] = msgspec.field(default_factory=dict[str, int])

    @property
    def whole(self) -> int:
        """The bits of all."""
        return (1 << len(self.ids)) - 1

    def cut(self, glob: str) -> Cut:
        """Give how a pattern tells the resources apart, and what is in them."""
        found = self._cuts.get(glob)
        if found is None:
            found = self._cuts[glob] = self._cut(glob)
        return found

    def _cut(self, glob: str) -> Cut:
        exact = self._match(glob)
        inside = [self._lies(glob, separator) for separator in self.separators]
        touched, some = exact, 0
        for one in inside:
            touched |= one.all | one.some
            some |= one.some
        masks = {exact, *(one.all for one in inside), *(one.some for one in inside)}
        trivial = (0, self.whole)
        telling = tuple(sorted(m for m in masks if m not in trivial))
        return Cut(touched, some, telling, exact, tuple(inside))

    def _match(self, glob: str) -> int:
        prefix = literal_prefix(glob)
        first, last = self._range(prefix)
        if glob.endswith("*") and is_literal(glob[:-1]):
            return _run(first, last)
        return _bits(i for i in range(first, last) if match(glob, self.ids[i]))

    def _range(self, prefix: str) -> tuple[int, int]:
        if not prefix:
            return 0, len(self.ids)
        return bisect_left(self.ids, prefix), bisect_left(self.ids, prefix + _BEYOND)

    def _lies(self, glob: str, separator: str) -> Inside:
        prefix = literal_prefix(glob)
        first, last = self._range(prefix)
        if glob.endswith("*") and is_literal(glob[:-1]):
            # All whose names go on as the pattern wants; of what the pattern names, a part.
            whole = _run(first, last)
            return Inside(whole | self._ending(prefix, separator), self._owner(prefix, separator))
        places = [*range(first, last), *self._before(prefix, separator)]
        everything = glob.endswith("*")
        inside: list[int] = []
        parts: list[int] = []
        for place in places:
            start = self.ids[place] + separator
            if everything and match(glob, start):
                inside.append(place)
            elif meets(glob, start + "*"):
                parts.append(place)
        return Inside(_bits(inside), _bits(parts))

    def _ending(self, prefix: str, separator: str) -> int:
        """The bit of the resource that the prefix names, with the separator."""
        if not prefix.endswith(separator):
            return 0
        place = self._place(prefix[: -len(separator)])
        return 0 if place is None else 1 << place

    def _owner(self, prefix: str, separator: str) -> int:
        """The bits of resources within which the prefix lies."""
        found = 0
        for place in self._before(prefix, separator):
            if len(self.ids[place]) + len(separator) < len(prefix):
                found |= 1 << place
        return found

    def _before(self, prefix: str, separator: str) -> Iterator[int]:
        """Give the places of the resources that the prefix goes on from."""
        end = prefix.find(separator)
        while end >= 0:
            place = self._place(prefix[:end])
            if place is not None:
                yield place
            end = prefix.find(separator, end + 1)

    def _place(self, name: str) -> int | None:
        if self._places is None:
            self._places = {name: place for place, name in enumerate(self.ids)}
        return self._places.get(name)

    def naming(self, key: str, names: Iterable[str]) -> int:
        """Give the bits of the resources that name somebody, as far as they stand here; `names`
        are all that name this one."""
        found = self._naming.get(key)
        if found is None:
            places = (self._place(name) for name in names)
            found = self._naming[key] = _bits(place for place in places if place is not None)
        return found

    def by_tags(self, names: tuple[str, ...], facts: Facts) -> tuple[int, ...]:
        """Give the bits of the resources by the values of these tags (names in lower case)."""
        found = self._by_tags.get(names)
        if found is None:
            groups: dict[tuple[str | None, ...], list[int]] = {}
            for place, name in enumerate(self.ids):
                tags = {key.lower(): value for key, value in facts.resources[name].tags.items()}
                groups.setdefault(tuple(map(tags.get, names)), []).append(place)
            found = self._by_tags[names] = tuple(map(_bits, groups.values()))
        return found

    def of_account(self, account: str, facts: Facts) -> int:
        """Give the bits of the resources that an account owns."""
        if self._by_account is None:
            groups: dict[str, list[int]] = {}
            for place, name in enumerate(self.ids):
                groups.setdefault(facts.resources[name].scope, []).append(place)
            self._by_account = {owner: _bits(places) for owner, places in groups.items()}
        return self._by_account.get(account, 0)

    def first(self, mask: int) -> str:
        """Give the id of a mask's first bit."""
        return self.ids[(mask & -mask).bit_length() - 1]

    def of(self, mask: int) -> Iterator[str]:
        """Give the ids of a mask's bits, in order."""
        ids = self.ids
        for start, bits in _words(mask):
            while bits:
                low = bits & -bits
                yield ids[start + low.bit_length() - 1]
                bits ^= low


def _may_touch(glob: str, ids: Sequence[str]) -> bool:
    """May a pattern touch one of these (sorted) ids, or what is in it?"""
    prefix = literal_prefix(glob)
    place = bisect_left(ids, prefix)
    if place < len(ids) and ids[place].startswith(prefix):
        return True
    return place > 0 and any(
        prefix[:end] == ids[at]
        for end, char in enumerate(prefix)
        if char in "/:"
        for at in (bisect_left(ids, prefix[:end]),)
        if at < len(ids)
    )


def _run(first: int, last: int) -> int:
    return ((1 << (last - first)) - 1) << first if last > first else 0


def _bits(places: Iterable[int]) -> int:
    found = sorted(set(places))
    if not found:
        return 0
    array = bytearray((found[-1] >> 3) + 1)
    for place in found:
        array[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(array, "little")


def _words(mask: int) -> Iterator[tuple[int, int]]:
    """Cut a mask into pieces that are quick to take bits from."""
    if mask.bit_length() <= 64:
        yield 0, mask
        return
    array = mask.to_bytes((mask.bit_length() + 63) // 64 * 8, "little")
    for start in range(0, len(array), 8):
        word = int.from_bytes(array[start : start + 8], "little")
        if word:
            yield start * 8, word


# --- putting resources on shelves ------------------------------------------------------------


class Stock(msgspec.Struct, frozen=True):
    """The shelves by service, and the resources that stand on none."""

    shelves: dict[str, tuple[Shelf, ...]]
    odd: frozenset[str]


class Shelving:
    """Puts the resources of an estate on shelves, an account at a time."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._accounts: dict[str, Stock] = {}
        self._named: dict[tuple[str, str], Stock] = {}
        self._written: dict[tuple[str, str], _Written | None] = {}
        self._homes: dict[str, tuple[object, ...]] = {}
        self._signs: dict[tuple[object, ...], int] = {}

    def account(self, account: str) -> Stock:
        """Give the shelves of one account's resources."""
        if account not in self._accounts:
            ids = (
                name
                for service in self._estate.services_of(account)
                for name in self._estate.resources_of(account, service)
            )
            self._accounts[account] = self._stock(ids, account)
        return self._accounts[account]

    def let_in(
        self, account: str, partition: str, allowed: Callable[[str], Sequence[str]]
    ) -> Iterator[Stock]:
        """Give the shelves of what policies let everyone have, whoever owns it, and of what else
        they let the account have: of each service of which something is touched by the patterns
        that `allowed` gives for it."""
        named = self._estate.named
        everyone = set(named.resources.get("*", ()))
        for key, asking in (("*", ""), (f"arn:{partition}:iam::{account}:root", account)):
            for service, ids in named.resources_by_service(key).items():
                if not any(_may_touch(glob, ids) for glob in allowed(service)):
                    continue
                if (key, service) not in self._named:
                    rest = ids if key == "*" else [name for name in ids if name not in everyone]
                    self._named[key, service] = self._stock(rest, asking)
                yield self._named[key, service]

    def named_alone(self, keys: Iterable[str], account: str) -> frozenset[str]:
        """Give the resources that a principal's own names open, and neither `*` nor the
        account's."""
        shared = self._estate.named.resources
        found: set[str] = set()
        for key in keys:
            if key != "*" and not key.endswith(":root"):
                found.update(shared.get(key, ()))
        if found:
            found.difference_update(shared.get("*", ()))
            for key in keys:
                if key.endswith(f"::{account}:root"):
                    found.difference_update(shared.get(key, ()))
        return frozenset(found)

    def _stock(self, names: Iterable[str], asking: str) -> Stock:
        """`asking` is the account that asks, "" for any."""
        groups: dict[tuple[object, ...], list[str]] = {}
        odd: set[str] = set()
        for name in names:
            resource = self._estate.facts.resources[name]
            sign = self._sign(resource, asking)
            if sign is None:
                odd.add(name)
            else:
                groups.setdefault(sign, []).append(name)
        shelves: dict[str, list[Shelf]] = {}
        for sign, ids in groups.items():
            service = str(sign[0]).partition(":")[0]
            separators = _separators(ids[0], str(sign[0]))
            number = self._signs.setdefault(sign, len(self._signs))
            own = bool(sign[_OWN])
            shelf = Shelf(service, number, tuple(sorted(ids)), separators, own, asking)
            shelves.setdefault(service, []).append(shelf)
        return Stock({service: tuple(on) for service, on in shelves.items()}, frozenset(odd))

    def sign_of(self, resource: Resource) -> int | None:
        """Give a number for all that tells a resource apart for its own account, beside its name
        and tags; None of an odd one."""
        found = self._sign(resource, resource.scope)
        return None if found is None else self._signs.setdefault(found, len(self._signs))

    def _sign(self, resource: Resource, asking: str) -> tuple[object, ...] | None:
        """Give all that tells resources apart, beside their names and tags; None of an odd one."""
        name, estate = resource.id, self._estate
        if not is_literal(name) or _ITSELF in name or name in estate.gaps_by_subject:
            return None
        policies: list[tuple[object, ...]] = []
        for attachment in estate.facts.attachments.get(name, ()):
            written = self._own(attachment, resource, asking)
            if written is None:
                return None
            policies.append(written)
        attributes = resource.attributes
        key = str(attributes.get("kms_key", ""))
        return (
            resource.kind,
            kinds.types_of(resource.id, resource.kind),
            ":key/" in name,
            ":alias/aws/" in name,
            tuple(policies),
            self.home(resource.scope),
            bool(attributes.get("restrict_public_buckets")),
            bool(attributes.get("ignore_public_acls")),
            attributes.get("ownership") == "BucketOwnerEnforced",
            attributes.get("manager") == "AWS",
            (key, resource.region) if key in estate.facts.resources else (),
        )

    def home(self, account: str) -> tuple[object, ...]:
        """Give all that the owner's place in the organisation means for a decision."""
        if account not in self._homes:
            estate = self._estate
            scope = estate.facts.scopes.get(account)
            path = estate.path_of(account)
            self._homes[account] = (
                path[:-1],
                tuple(
                    one
                    for one in path
                    if any(a.kind == "rcp" for a in estate.facts.attachments.get(one, ()))
                ),
                scope is None,
                scope and scope.attributes.get("organization"),
                bool(scope and scope.attributes.get("management")),
                bool(scope and scope.attributes.get("restrict_public_buckets")),
            )
        return self._homes[account]

    def _own(
        self, attachment: Attachment, resource: Resource, asking: str
    ) -> tuple[object, ...] | None:
        """Give what a resource's own policy says to an account, its own name aside; None where
        that is odd."""
        if attachment.kind not in ("resource", "acl"):
            return None
        raw = self._estate.facts.snapshot.documents.get(attachment.document)
        text = (bytes(raw) if raw is not None else b"").decode("utf-8", "replace")
        if _ITSELF in text:
            return None
        key = (text.replace(resource.id, _ITSELF), asking)
        if key not in self._written:
            self._written[key] = _read(*key)
        written = self._written[key]
        if written is None:
            return None
        name = resource.id
        others = tuple((match(glob, name), *_relations(glob, name)) for glob in written.others)
        return attachment.kind, written.statements, others


#: The place of the own policies in a sign.
_OWN = 4


class _Written(msgspec.Struct, frozen=True):
    """What a resource's policy says to an account, the resource's own name left open. `others`
    are patterns in it that do not hold that name."""

    statements: tuple[Statement, ...]
    others: tuple[str, ...]


def _read(text: str, asking: str) -> _Written | None:
    """None where a policy may treat resources differently though only the name differs."""
    document = compile_document(text.encode())
    if document.problems or any(map(_tells, document.statements)):
        return None
    meant = [s for s in document.statements if concerns(s, asking)]
    globs = {glob for s in meant for glob in _globs(s)}
    if any(_ITSELF in glob and _partial(glob) for glob in globs):
        return None
    return _Written(
        tuple(_bare(s, asking) for s in meant),
        tuple(sorted(g for g in globs if _ITSELF not in g and g != "*")),
    )


def concerns(statement: Statement, asking: str) -> bool:
    """May a statement of a resource's policy mean users or roles of an account ("": of any)?"""
    named = statement.principals
    if named is None or named.everyone or named.negated:
        return True
    return any(_names(name, asking) for name in named.aws)


def _names(name: str, asking: str) -> bool:
    return not asking or not name.startswith("arn:") or _account_of(name) == asking


def _account_of(name: str) -> str:
    parts = name.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def _bare(statement: Statement, asking: str) -> Statement:
    """A statement without its place, and without those whom it names in vain; the account that
    asks is the same word for all."""
    named = statement.principals
    if named is not None and not named.negated:
        own, asker = f":{asking}:", f":{_ASKING}:"
        aws = tuple(n.replace(own, asker) for n in named.aws if _names(n, asking))
        named = Principals(aws=aws, everyone=named.everyone)
    return replace(statement, index=0, sid="", text="", principals=named)


def _tells(statement: Statement) -> bool:
    """Does something in a statement hang on the name other than its Resource element?"""
    if statement.not_understood:
        return True
    if statement.variables and any("${" in g for g in _globs(statement)):
        return True
    named = statement.principals
    texts = [value for condition in statement.conditions for value in condition.values]
    texts += [condition.key for condition in statement.conditions]
    if named is not None:
        texts += [*named.aws, *named.services, *named.federated, *named.canonical_users]
    return any(_ITSELF in text for text in texts)


def _globs(statement: Statement) -> tuple[str, ...]:
    return statement.resources.globs if statement.resources else ()


def _partial(glob: str) -> bool:
    return any(_relation(glob, _ITSELF + separator) == "part" for separator in "/:")


def _relations(glob: str, name: str) -> tuple[str, ...]:
    return tuple(_relation(glob, name + separator) for separator in "/:")


def _relation(glob: str, start: str) -> str:
    """How a pattern lies to all that goes on from a start: all, part or none of it."""
    if glob.endswith("*") and match(glob, start):
        return "all"
    return "part" if meets(glob, start + "*") else "none"


def _separators(name: str, kind: str) -> tuple[str, ...]:
    """The separators after which what lies inside goes on, by the catalogue."""
    probes = kinds.probes(name, kind)
    return tuple(probe.region[-2] for probe in probes if not probe.exact)
