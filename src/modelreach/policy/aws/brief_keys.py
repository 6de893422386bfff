"""What the answer for a class hangs on, small: the keys under which answers are kept.

Statements, conditions and what the side of a resource says are numbered by what they say, so that
keys are made of numbers: other principals and accounts of which all that is equal have equal keys.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.classes import Class
from modelreach.policy.aws.conditions import conditions_expr
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.grants import spoken_of
from modelreach.policy.aws.layers import Layers, Policies
from modelreach.policy.aws.outline import Line, Outline, speech
from modelreach.policy.aws.own_policy import relation
from modelreach.policy.aws.principals import ways
from modelreach.policy.aws.public import is_public
from modelreach.policy.aws.shelf import Forms
from modelreach.policy.aws.spoken import Documents, Spoken
from modelreach.policy.expr import TRUE, Expr
from modelreach.policy.glob import match

_HALF = 32


class Unkeyed(Exception):
    """That an answer hangs on more than a key says."""


class Saying(msgspec.Struct, frozen=True):
    """That a statement allows, or denies, some actions (as bits) in each cell of the forms."""

    allows: bool
    actions: tuple[int, ...]


#: What statements say with what is left of their conditions, each pair as one number; sorted.
Said = tuple[int, ...]
#: The same of a resource's own policies, with how they mean who asks.
Own = tuple[tuple[int, int], ...]


class Theirs(msgspec.Struct, frozen=True):
    """What the side of the resource says to a principal: its own policies and access control
    lists, resource control policies by level, and `traits` that the evaluation asks about.

    `number` is the same where all that is equal. `parted`: an own policy means a part of what is
    in the resource only.
    """

    number: int
    own: Own
    acl: Own
    limits: tuple[Said, ...]
    traits: tuple[bool, ...]
    parted: bool


class Told(msgspec.Struct, frozen=True):
    """All that the answer for a class hangs on: who asks, what each level of its policies says,
    and what the side of the resource says."""

    who: int
    levels: tuple[Said, ...]
    theirs: Theirs

    @property
    def key(self) -> tuple[object, ...]:
        """Equal where the answer is."""
        return self.who, self.theirs.number, self.levels


class Numbers:
    """Numbers what statements, conditions and others say."""

    def __init__(self) -> None:
        self._whens: dict[Expr, int] = {TRUE: 0}
        self._left: dict[tuple[object, ...], int] = {}
        self._sayings: dict[Saying, int] = {}
        self._said: dict[tuple[int, int, int], int] = {}
        self._list: list[Saying] = []
        self._others: dict[object, int] = {}

    def other(self, thing: object) -> int:
        """Give a number for anything."""
        return self._others.setdefault(thing, len(self._others))

    def when(self, line: Line, context: Context) -> int:
        """Give a number for what is left of a line's conditions; 0 where nothing is."""
        one = line.outline
        key = (line.asks, *((context.values(k), context.variable(k)) for k in one.keys))
        found = self._left.get(key)
        if found is None:
            said = one.statement
            left = conditions_expr(said.conditions, context, variables=said.variables)
            found = self._left[key] = self._whens.setdefault(left, len(self._whens))
        return found

    def saying(self, line: Line, lies: int, forms: Forms) -> int:
        """Give a number for what a line says of resources to which it lies in this way (a bit for
        each cell); -1 where that is nothing."""
        key = (line.says, lies, forms.number)
        found = self._said.get(key)
        if found is None:
            found = self._said[key] = self._saying(line.outline, lies, forms)
        return found

    def _saying(self, one: Outline, lies: int, forms: Forms) -> int:
        actions = tuple(
            spoken_of(one.statement.actions, forms.of_cell(cell)) if lies >> cell & 1 else 0
            for cell in range(forms.every.bit_length())
        )
        if not any(actions):
            return -1
        made = Saying(one.allows, actions)
        found = self._sayings.get(made)
        if found is None:
            found = self._sayings[made] = len(self._list)
            self._list.append(made)
        return found

    def apart(self, number: int) -> tuple[Saying, int]:
        """Give what a number in `Said` stands for: what is said, and the number of what is left
        of its conditions."""
        return self._list[number >> _HALF], number & (1 << _HALF) - 1


class Mine:
    """One principal's side of the keys."""

    def __init__(self, numbers: Numbers, asker: Asker, documents: Documents) -> None:
        self.numbers, self.asker = numbers, asker
        self._documents = documents
        self._whens: dict[int, int] = {}
        self._signatures: dict[str, tuple[int, ...]] = {}
        self._context = self.in_context("", "")
        caller = asker.caller
        self.who = numbers.other(
            (
                caller.kind,
                caller.arn.partition(":")[2].partition(":")[0],
                caller.service_linked,
                caller.management_account,
                bool(asker.layers.boundaries),
                bool(asker.layers.session),
            )
        )

    def in_context(self, resource: str, account: str) -> Context:
        """Give the context of questions about a resource."""
        asker = self.asker
        return asker.estate.context(asker.caller, asker.principal, resource, account, asker.fixed)

    def signature(self, service: str) -> tuple[int, ...]:
        """Give numbers that are the same for principals of an account whose policies say the same
        of a service, with the same of what their conditions ask of a principal."""
        found = self._signatures.get(service)
        if found is None:
            numbers: list[int] = []
            for level in self._documents:
                for _, document in level:
                    said = document.of(service)
                    if said.lines:
                        numbers.append(said.number)
                        numbers.extend(map(self._asked, said.asking))
                numbers.append(0)
            found = self._signatures[service] = tuple(numbers)
        return found

    def _asked(self, line: Line) -> int:
        """Give a number for what the principal's side of the context makes of a line. What has
        variables in its patterns is asked about alone, whatever they are."""
        if not line.outline.of_resource:
            return self.when(line) if line.asks else 0
        context, keys = self._context, line.outline.keys
        return self.numbers.other(tuple((context.values(k), context.variable(k)) for k in keys))

    def told(self, one: Class, spoken: Spoken, theirs: Theirs) -> Told:
        """Give all that the answer for a class hangs on. Raises `Unkeyed`."""
        place = _Place(self, one)
        levels = tuple(place.said(level, spoken.faulty) for level in spoken.levels)
        return Told(self.who, levels, theirs)

    def theirs(self, one: Class) -> Theirs:
        """Give what the side of the resource says. Raises `Unkeyed`."""
        estate, shelf = self.asker.estate, one.shelf
        first = estate.facts.resources[one.first]
        layers = estate.resource_layers(first.id, first.scope)
        if any(policy.document.problems for level in layers.rcps or () for policy in level):
            raise Unkeyed
        place = _Place(self, one)
        own, parted = place.own(layers.resource)
        acl, too = place.own(layers.acl)
        limits = tuple(place.limits(level) for level in shelf.limits)
        caller = self.asker.caller
        near = first.id.split(":", 2)[:2] == caller.arn.split(":", 2)[:2]
        traits = (*_traits(layers, own=first.scope == caller.account), near)
        number = self.numbers.other((shelf.sign, own, acl, limits, traits))
        return Theirs(number, own, acl, limits, traits, parted or too)

    def when(self, line: Line) -> int:
        """Give a number for what is left of conditions that ask nothing of the resource."""
        found = self._whens.get(line.asks)
        if found is None:
            found = self._whens[line.asks] = self.numbers.when(line, self._context)
        return found


def _traits(layers: Layers, *, own: bool) -> tuple[bool, ...]:
    return (
        own,
        layers.acls_ignored,
        layers.resource_managed_by_aws,
        layers.resource_in_management_account,
        layers.public_restricted and any(is_public(p.document) for p in layers.resource),
    )


class _Place:
    """A class as statements lie to it."""

    def __init__(self, mine: Mine, one: Class) -> None:
        self._mine, self._class = mine, one
        self._forms = one.shelf.forms
        self._bit = one.mask & -one.mask
        self._context: Context | None = None

    def said(self, lines: Iterable[Line], faulty: frozenset[int] = frozenset()) -> Said:
        """Give what lines say of the class."""
        found: set[int] = set()
        for line in lines:
            lies = self._lies(line.outline)
            if lies == 0:
                continue
            said = self._mine.numbers.saying(line, lies, self._forms)
            if said < 0:
                continue
            if line.number in faulty:
                raise Unkeyed
            found.add(said << _HALF | self._when(line))
        return tuple(sorted(found))

    def _lies(self, one: Outline) -> int:
        """Give how patterns lie to the resource and to what is in it, a bit for each cell."""
        every = self._forms.every
        if one.whole:
            return 0 if one.negated else every
        found = 0
        for glob in one.globs:
            cut = self._class.cuts.get(glob)
            if cut is None:
                continue
            if cut.exact & self._bit:
                found |= 1
            for place, inside in enumerate(cut.inside):
                if inside.all & self._bit:
                    found |= 6 << 2 * place
                elif inside.some & self._bit:
                    found |= 4 << 2 * place
        return every & ~found if one.negated else found

    def _when(self, line: Line) -> int:
        if not line.asks:
            return 0
        if not line.outline.of_resource:
            return self._mine.when(line)
        if self._context is None:
            name = self._class.first
            owner = self._mine.asker.estate.facts.resources[name].scope
            self._context = self._mine.in_context(name, owner)
        return self._mine.numbers.when(line, self._context)

    def limits(self, level: Iterable[Line]) -> Said:
        """Give what a level of resource control policies says; they mean everybody."""
        lines = [line for line in level if self._lies(line.outline)]
        for line in lines:
            named = line.outline.statement.principals
            if line.outline.statement.not_understood or named is None or named.negated:
                raise Unkeyed
            if not named.everyone:
                raise Unkeyed
        return self.said(lines)

    def own(self, policies: Policies) -> tuple[Own, bool]:
        """Give what a resource's own policies say, and whether they part what is in it."""
        found: set[tuple[int, int]] = set()
        parted = False
        numbers, caller = self._mine.numbers, self._mine.asker.caller
        for policy in policies:
            for line in speech(policy.document, self._class.shelf.service).lines:
                said = line.outline.statement
                named = said.principals
                if said.not_understood or named is None or named.negated:
                    raise Unkeyed
                means = ways(named, caller)
                if not means:
                    continue
                lies, part = self._own_lies(line.outline)
                parted = parted or part
                number = numbers.saying(line, lies, self._forms)
                if number >= 0:
                    found.add((number << _HALF | self._when(line), numbers.other(means)))
        return tuple(sorted(found)), parted

    def _own_lies(self, one: Outline) -> tuple[int, bool]:
        """Give how an own policy's patterns lie to the resource and to what is in it, and whether
        they mean a part of that only."""
        every, name = self._forms.every, self._class.first
        if one.whole:
            return 0 if one.negated else every, False
        found, part = 0, False
        if any(match(glob, name) for glob in one.globs):
            found |= 1
        for place, separator in enumerate(self._forms.separators):
            lies = {relation(glob, name + separator) for glob in one.globs}
            if "all" in lies:
                found |= 6 << 2 * place
            elif "part" in lies:
                part = True
        return every & ~found if one.negated else found, part
