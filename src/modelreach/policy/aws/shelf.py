"""One shelf: resources that differ in nothing but their name, and how patterns lie to them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import msgspec

from modelreach.policy import lots
from modelreach.policy.aws.catalogue import Action
from modelreach.policy.aws.matching import goes_on
from modelreach.policy.aws.outline import Line, Outline
from modelreach.policy.glob import canonical, is_literal, literal_prefix, match
from modelreach.policy.lots import Lot
from modelreach.snapshot import Facts

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


class Forms(msgspec.Struct, frozen=True):
    """The forms in which the resources of a shelf are asked about: themselves, and what lies in
    them after each of the `separators`, with the actions for each; `number` is the same for those
    that are equal.

    What lies inside has two cells, as one pattern may mean a part of it: the rest, and that part.
    So cell 0 is the resource, and after separator n lie the cells 2n + 1 and 2n + 2.
    """

    number: int
    separators: tuple[str, ...]
    actions: tuple[tuple[Action, ...], ...]

    @property
    def every(self) -> int:
        """A bit for each cell."""
        return (2 << 2 * len(self.separators)) - 1

    def of_cell(self, cell: int) -> tuple[Action, ...]:
        """Give the actions of a cell."""
        return self.actions[(cell + 1) // 2]

    def region(self, name: str, cell: int) -> str:
        """Give how a resource is asked about in a cell."""
        return f"{name}{self.separators[(cell - 1) // 2]}*" if cell else name


class Shelf(msgspec.Struct, eq=False):
    """Resources that differ in their name only. `ids` are sorted; bit i of a mask is `ids[i]`.

    `sign` is a number for all that its resources have in common, the same for shelves of which
    that is equal; `forms` are those in which its resources are asked about. `limits` is what
    resource control policies say of them, by level, `own` what their own policies do; `key` is
    the encryption key that reading them needs, too, "" for none. `steady`: the side of the
    resources says the same of each of them; `silent`: and it says so to everybody. `lot` is what
    stands here for those who go over grants, once somebody asked.
    """

    service: str
    sign: int
    ids: tuple[str, ...]
    forms: Forms
    own_policy: bool
    asking: str
    limits: tuple[tuple[Line, ...], ...]
    own: tuple[Outline, ...]
    key: str
    steady: bool
    silent: bool
    _places: dict[str, int] | None = None
    _by_tags: dict[tuple[str, ...], tuple[int, ...]] = msgspec.field(
        default_factory=dict[tuple[str, ...], tuple[int, ...]]
    )
    _by_account: dict[str, int] | None = None
    _heads: tuple[frozenset[tuple[str, ...]], int] | None = None
    _naming: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    lot: Lot | None = None

    @property
    def whole(self) -> int:
        """The bits of all."""
        return (1 << len(self.ids)) - 1

    def cut(self, glob: str) -> Cut:
        """Give how a pattern tells the resources apart, and what is in them."""
        glob, exact = canonical(glob), 0
        inside = [Inside(0, 0)] * len(self.forms.separators)
        for begun in self._with_heads(glob):
            exact |= self._match(begun)
            for place, separator in enumerate(self.forms.separators):
                more = self._lies(begun, separator)
                inside[place] = Inside(
                    inside[place].all | more.all, inside[place].some | more.some
                )
        touched, some = exact, 0
        for one in inside:
            touched |= one.all | one.some
            some |= one.some
        masks = {exact, *(one.all for one in inside), *(one.some for one in inside)}
        trivial = (0, self.whole)
        telling = tuple(sorted(m for m in masks if m not in trivial))
        return Cut(touched, some, telling, exact, tuple(inside))

    def _with_heads(self, glob: str) -> tuple[str, ...]:
        """Give a pattern with what its stars before the name (mostly the region) stand for on this
        shelf, so that it begins as names do; itself where they might stand for a colon, too."""
        *head, name = glob.split(":", 5)
        starts = ":".join(head)
        if len(head) < 5 or "*" not in starts or "?" in starts:
            return (glob,)
        if self._heads is None:
            self._heads = _heads_of(self.ids)
        heads, colons = self._heads
        if name.count(":") < colons + (":" in self.forms.separators):
            return (glob,)
        return tuple(":".join((*one, name)) for one in heads if all(map(match, head, one)))

    def _match(self, glob: str) -> int:
        prefix = literal_prefix(glob)
        first, last = self._range(prefix)
        if glob.endswith("*") and is_literal(glob[:-1]):
            return _run(first, last)
        return lots.bits(i for i in range(first, last) if match(glob, self.ids[i]))

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
            elif goes_on(glob, start):
                parts.append(place)
        return Inside(lots.bits(inside), lots.bits(parts))

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

    def bit(self, name: str) -> int:
        """Give the bit of a resource; 0 of one that does not stand here."""
        place = self._place(name)
        return 0 if place is None else 1 << place

    def naming(self, key: str, names: Iterable[str]) -> int:
        """Give the bits of the resources that name somebody, as far as they stand here; `names`
        are all that name this one."""
        found = self._naming.get(key)
        if found is None:
            places = (self._place(name) for name in names)
            found = self._naming[key] = lots.bits(place for place in places if place is not None)
        return found

    def by_tags(self, names: tuple[str, ...], facts: Facts) -> tuple[int, ...]:
        """Give the bits of the resources by the values of these tags (names in lower case)."""
        found = self._by_tags.get(names)
        if found is None:
            groups: dict[tuple[str | None, ...], list[int]] = {}
            for place, name in enumerate(self.ids):
                tags = {key.lower(): value for key, value in facts.resources[name].tags.items()}
                groups.setdefault(tuple(map(tags.get, names)), []).append(place)
            found = self._by_tags[names] = tuple(map(lots.bits, groups.values()))
        return found

    def of_account(self, account: str, facts: Facts) -> int:
        """Give the bits of the resources that an account owns."""
        if self._by_account is None:
            groups: dict[str, list[int]] = {}
            for place, name in enumerate(self.ids):
                groups.setdefault(facts.resources[name].scope, []).append(place)
            self._by_account = {owner: lots.bits(places) for owner, places in groups.items()}
        return self._by_account.get(account, 0)

    def first(self, mask: int) -> str:
        """Give the id of a mask's first bit."""
        return self.ids[(mask & -mask).bit_length() - 1]

    def of(self, mask: int) -> Iterator[str]:
        """Give the ids of a mask's bits, in order."""
        ids = self.ids
        return (ids[place] for place in lots.places(mask))


def _heads_of(ids: Iterable[str]) -> tuple[frozenset[tuple[str, ...]], int]:
    """Give what stands before the names, and how many colons a name has at most."""
    parts = [name.split(":", 5) for name in ids]
    if any(len(one) < 6 for one in parts):
        return frozenset(), len(max(ids, key=len))
    return frozenset(tuple(one[:5]) for one in parts), max(one[5].count(":") for one in parts)


def _run(first: int, last: int) -> int:
    return ((1 << (last - first)) - 1) << first if last > first else 0
