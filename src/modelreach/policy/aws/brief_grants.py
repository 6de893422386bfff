"""What one principal holds of listed resources, without a word of why: capabilities and verdicts.

The same classes as in `classes`, and the same evaluator. What principals of an account hold of one
service is kept under what their policies say of it; the answer for a class under all that it hangs
on (`brief_keys`), so that other principals and accounts of which all that is equal get the same.
What does not fit into such a key is asked anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from modelreach.policy.aws import grants as single
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.bays import Bay
from modelreach.policy.aws.brief_keys import Mine, Numbers, Theirs, Told, Unkeyed
from modelreach.policy.aws.classes import (
    Class,
    NamedHere,
    alike,
    bays,
    named_elsewhere,
    named_here,
    unclear,
)
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.named import asks_who
from modelreach.policy.aws.questions import Questions
from modelreach.policy.aws.shelf import Shelf
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.aws.spoken import Saying, Spoken
from modelreach.policy.brief import Answer
from modelreach.policy.engine import Grant
from modelreach.snapshot import Resource

#: Of how many accounts it is kept what is held there: principals come account by account.
_ACCOUNTS = 16
_MOST = 1 << 18


class OfShelf(msgspec.Struct, frozen=True):
    """A `Holding`: that a principal has this of the resources of a shelf, by bits."""

    kind: str
    answer: Answer
    shelf: Shelf
    mask: int

    @property
    def group(self) -> tuple[Shelf, int]:
        """Equal for the same resources."""
        return self.shelf, self.mask

    @property
    def among(self) -> tuple[str, ...]:
        """All of the shelf."""
        return self.shelf.ids

    @property
    def ids(self) -> tuple[str, ...]:
        """The resources that it is held over, in order."""
        return tuple(self.shelf.of(self.mask))


class Asked(msgspec.Struct, frozen=True):
    """A class that each principal asks about: a policy of the resource asks who it is."""

    one: Class
    spoken: Spoken


class Parts(msgspec.Struct, frozen=True):
    """Classes of what principals with the same policies may touch: those that are answered for
    all of them, those that each asks about, and the odd resources (None: it asks about all).
    `alone` are grants on odd resources that all of them have."""

    answered: tuple[OfShelf, ...]
    asked: tuple[Asked, ...]
    odd: tuple[str, ...] | None
    alone: tuple[Grant, ...] = ()


#: A shelf and who asks.
_OfShelf = tuple[Shelf, int]


class _Account(msgspec.Struct):
    """What is kept of one account: what is held of a bay by what policies say, what the side of
    the resource says by shelf, and whether that is the same for all."""

    bays: dict[tuple[object, ...], Parts] = msgspec.field(
        default_factory=dict[tuple[object, ...], Parts]
    )
    theirs: dict[tuple[Shelf, int], Theirs] = msgspec.field(
        default_factory=dict[tuple[Shelf, int], Theirs]
    )
    for_all: dict[Shelf, bool] = msgspec.field(default_factory=dict[Shelf, bool])


class Holdings:
    """Gives what principals hold, each different question decided once."""

    def __init__(self, shelving: Shelving) -> None:
        self._shelving = shelving
        self._numbers = Numbers()
        self._questions = Questions(self._numbers)
        self._answers: dict[tuple[object, ...], Answer] = {}
        self._accounts: dict[str, _Account] = {}

    def parts(self, asker: Asker, *, anybody: bool) -> Parts:
        """Give the classes of what a principal may touch, and what is odd. With `anybody`, those
        stay to be asked about where a policy of the resource asks who in particular calls; what
        is given is then the same for all who have the same policies."""
        if unclear(asker):
            return Parts((), (), None)
        saying, named = Saying(asker), named_here(asker)
        mine = Mine(self._numbers, asker, saying.levels)
        known = self._account(asker.principal.scope)
        answered: list[OfShelf] = []
        asked: list[Asked] = []
        odd: list[str] = list(named_elsewhere(asker, self._shelving))
        for bay in bays(asker, self._shelving, saying, named):
            if not saying.allows(bay.service) and (bay.foreign or not _in(bay, named)):
                continue
            key = (bay, mine.who, *self._signature(mine, bay)) if anybody else None
            found = None if key is None else known.bays.get(key)
            if found is None:
                whose = _Whose(mine, known, anybody=anybody)
                found = self._of_bay(whose, bay, saying.of(bay.service), named)
                if key is not None:
                    known.bays[key] = found
            answered += found.answered
            asked += found.asked
            odd += found.odd or ()
        same = [name for name in odd if _same_for_all(asker.estate, name)] if anybody else []
        alone = single.one_by_one(asker, same) if same else ()
        left = tuple(sorted({*odd}.difference(same)))
        return Parts(tuple(answered), tuple(asked), left, alone)

    def _account(self, account: str) -> _Account:
        found = self._accounts.pop(account, None)
        if found is None:
            found = _Account()
            if len(self._accounts) >= _ACCOUNTS:
                del self._accounts[next(iter(self._accounts))]
        # The last one used stands last.
        self._accounts[account] = found
        return found

    def _signature(self, mine: Mine, bay: Bay) -> tuple[int, ...]:
        own = mine.signature(bay.service)
        return (*own, *mine.signature("kms")) if bay.needs_keys else own

    def _of_bay(self, whose: _Whose, bay: Bay, spoken: Spoken, named: NamedHere) -> Parts:
        asker = whose.mine.asker
        answered: list[OfShelf] = []
        asked: list[Asked] = []
        odd: list[str] = []
        for one in alike(asker, bay, spoken, named, odd):
            if whose.anybody and not whose.same_for_all(one.shelf):
                asked.append(Asked(one, spoken))
            elif found := self._held(whose, one, spoken):
                answered.append(found)
        return Parts(tuple(answered), tuple(asked), tuple(odd))

    def of(self, asker: Asker, parts: Parts, alone: list[Grant]) -> Iterator[OfShelf]:
        """Give what a principal holds, by class; grants on what is odd go to `alone`."""
        alone.extend(parts.alone)
        yield from parts.answered
        if parts.asked:
            mine = Mine(self._numbers, asker, Saying(asker).levels)
            whose = _Whose(mine, self._account(asker.principal.scope), anybody=False)
            for one in parts.asked:
                if found := self._held(whose, one.one, one.spoken):
                    yield found
        if parts.odd is None or parts.odd:
            alone.extend(single.one_by_one(asker, parts.odd))

    def _held(self, whose: _Whose, one: Class, spoken: Spoken) -> OfShelf | None:
        asker = whose.mine.asker
        first = asker.estate.facts.resources[one.first]
        answer = self._answer(whose, one, spoken, first)
        return OfShelf(first.kind, answer, one.shelf, one.mask) if answer else None

    def _answer(self, whose: _Whose, one: Class, spoken: Spoken, first: Resource) -> Answer:
        asker = whose.mine.asker
        if one.entwined:
            return _asked(asker, first)
        try:
            told = whose.mine.told(one, spoken, whose.theirs(one))
        except Unkeyed:
            return _asked(asker, first)
        if one.shelf.key or told.theirs.parted:
            # The answer hangs on what policies say of the key, too, or of parts of what is in the
            # resource.
            return self._anew(asker, told, one, first)
        known = self._answers.get(told.key)
        if known is None:
            known = self._anew(asker, told, one, first)
            if len(self._answers) >= _MOST:
                self._answers.clear()
            self._answers[told.key] = known
        return known

    def _anew(self, asker: Asker, told: Told, one: Class, first: Resource) -> Answer:
        if told.theirs.parted:
            return _asked(asker, first)
        try:
            return self._questions.answer(asker, told, one)
        except Unkeyed:
            return _asked(asker, first)


def _in(bay: Bay, named: NamedHere) -> bool:
    """Does anything in a bay name the principal?"""
    return any(bay.names(key, names) for key, names in named.items())


def _asked(asker: Asker, first: Resource) -> Answer:
    found = {(grant.capability, grant.verdict) for grant in single.on_resource(asker, first)}
    return tuple(sorted(found))


class _Whose:
    """Who asks; with `anybody`, for all who have the same policies."""

    def __init__(self, mine: Mine, known: _Account, *, anybody: bool) -> None:
        self.mine, self.anybody = mine, anybody
        self._known = known

    def same_for_all(self, shelf: Shelf) -> bool:
        """Do the policies of the resources of a shelf, and of their key, ask nobody who in
        particular it is?"""
        found = self._known.for_all.get(shelf)
        if found is None:
            estate = self.mine.asker.estate
            found = self._known.for_all[shelf] = not (
                _asks(estate, shelf.ids[0]) or (shelf.key and _asks(estate, shelf.key))
            )
        return found

    def theirs(self, one: Class) -> Theirs:
        """Give what the side of the resource says; where that is the same for all resources of a
        shelf and for all who may ask, it is worked out once. Raises `Unkeyed`."""
        shelf = one.shelf
        if not (shelf.steady and (self.anybody or shelf.silent)):
            return self.mine.theirs(one)
        key = (shelf, self.mine.who)
        found = self._known.theirs.get(key)
        if found is None:
            found = self._known.theirs[key] = self.mine.theirs(one)
        return found


def _same_for_all(estate: Estate, name: str) -> bool:
    """Do the policies of an odd resource, and of its key, ask nobody who in particular it is?"""
    key = str(estate.facts.resources[name].attributes.get("kms_key", ""))
    concerned = (name, key) if key else (name,)
    return not any(
        one not in estate.facts.resources or _granted(estate, one) or _asks(estate, one)
        for one in concerned
    )


def _granted(estate: Estate, name: str) -> bool:
    return bool(estate.resource_layers(name, estate.facts.resources[name].scope).grants)


def _asks(estate: Estate, name: str) -> bool:
    resource = estate.facts.resources[name]
    layers = estate.resource_layers(name, resource.scope)
    if layers.inner:
        return True
    said = (
        statement
        for policy in (*layers.resource, *layers.acl)
        for statement in policy.document.statements
    )
    return any(map(asks_who, said))
