"""What one principal holds of listed resources, without a word of why: capabilities and verdicts.

The same classes as in `classes`, and the same evaluator. An answer is kept under all that it
hangs on: what the statements that may apply say, how their patterns lie to the resources, what is
left of their conditions for this caller, and what the shelf says. Other principals and accounts of
which all that is equal get the same answer. What does not fit into such a key is asked anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from modelreach.policy.aws import grants as single
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.classes import alike, unclear
from modelreach.policy.aws.conditions import conditions_expr
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.evaluate import misplaced
from modelreach.policy.aws.layers import AppliedPolicy, Layers, Policies
from modelreach.policy.aws.matching import opened
from modelreach.policy.aws.named import asks_who
from modelreach.policy.aws.outline import outlines
from modelreach.policy.aws.principals import ways
from modelreach.policy.aws.shelves import Shelf, Shelving
from modelreach.policy.aws.statement import PolicyDocument, Statement
from modelreach.policy.brief import Answer
from modelreach.policy.engine import Grant


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
    def ids(self) -> tuple[str, ...]:
        """The resources that it is held over, in order."""
        return tuple(self.shelf.of(self.mask))


class Parts(msgspec.Struct, frozen=True):
    """Classes of what principals with the same policies may touch: those that are answered for
    all of them, those that each asks about, and the odd resources (None: it asks about all)."""

    answered: tuple[OfShelf, ...]
    asked: tuple[tuple[Shelf, int], ...]
    odd: tuple[str, ...] | None


class Unkeyed(Exception):
    """That an answer hangs on more than a key says."""


class Holdings:
    """Gives what principals hold, each different question decided once."""

    def __init__(self, shelving: Shelving) -> None:
        self._shelving = shelving
        self._answers: dict[tuple[object, ...], Answer] = {}
        self._shapes: dict[object, int] = {}
        self._shape_of: dict[int, tuple[Statement, int]] = {}
        self._spoken: dict[tuple[int, str], tuple[PolicyDocument, tuple[Statement, ...]]] = {}
        self._for_all: dict[Shelf, bool] = {}

    def parts(self, asker: Asker, *, anybody: bool) -> Parts:
        """Give the classes of what a principal may touch, and what is odd. They are answered where
        no policy of a resource has a say; with `anybody`, where none asks who in particular calls.
        """
        if unclear(asker):
            return Parts((), (), None)
        odd: list[str] = []
        answered: list[OfShelf] = []
        asked: list[tuple[Shelf, int]] = []
        mine = _Mine(self, asker)
        estate = asker.estate
        for shelf, part, _ in alike(asker, self._shelving, odd):
            first = estate.facts.resources[shelf.first(part)]
            theirs = estate.resource_layers(first.id, first.scope)
            if (shelf.own_policy or theirs.rcps) and not (anybody and self._of_all(shelf, theirs)):
                asked.append((shelf, part))
            elif answer := self._answer(asker, mine, shelf, part):
                answered.append(OfShelf(first.kind, answer, shelf, part))
        return Parts(tuple(answered), tuple(asked), tuple(odd))

    def _of_all(self, shelf: Shelf, theirs: Layers) -> bool:
        """Do the policies of the resources of a shelf ask nobody who in particular it is?"""
        found = self._for_all.get(shelf)
        if found is None:
            policies = (*theirs.resource, *theirs.acl)
            said = (statement for policy in policies for statement in policy.document.statements)
            found = self._for_all[shelf] = not (theirs.grants or any(map(asks_who, said)))
        return found

    def of(self, asker: Asker, parts: Parts, alone: list[Grant]) -> Iterator[OfShelf]:
        """Give what a principal holds, by class; grants on what is odd go to `alone`."""
        yield from parts.answered
        mine = _Mine(self, asker)
        for shelf, part in parts.asked:
            if answer := self._answer(asker, mine, shelf, part):
                first = asker.estate.facts.resources[shelf.first(part)]
                yield OfShelf(first.kind, answer, shelf, part)
        if parts.odd is None or parts.odd:
            alone.extend(single.one_by_one(asker, parts.odd))

    def _answer(self, asker: Asker, mine: _Mine, shelf: Shelf, part: int) -> Answer:
        try:
            key = mine.key(shelf, part)
        except Unkeyed:
            return _asked(asker, shelf, part)
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = _asked(asker, shelf, part)
        return known

    # --- statements ------------------------------------------------------------------------

    def shape(self, statement: Statement) -> int:
        """Give a number for effect and actions of a statement."""
        found = self._shape_of.get(id(statement))
        if found is None:
            said = (statement.effect, statement.actions)
            number = self._shapes.setdefault(said, len(self._shapes))
            found = self._shape_of[id(statement)] = (statement, number)
        return found[1]

    def spoken(self, document: PolicyDocument, service: str) -> tuple[Statement, ...]:
        """Give the statements of a document that speak of a service."""
        key = (id(document), service)
        found = self._spoken.get(key)
        if found is None:
            lines = zip(document.statements, outlines(document), strict=True)
            said = tuple(
                statement
                for statement, line in lines
                if line.services is None or service in line.services
            )
            found = self._spoken[key] = (document, said)
        return found[1]


def _asked(asker: Asker, shelf: Shelf, part: int) -> Answer:
    first = asker.estate.facts.resources[shelf.first(part)]
    found = {(grant.capability, grant.verdict) for grant in single.on_resource(asker, first)}
    return tuple(sorted(found))


class _Mine:
    """One principal's side of the keys."""

    def __init__(self, known: Holdings, asker: Asker) -> None:
        self._known, self._asker = known, asker
        self._conditions: dict[int, object] = {}
        caller = asker.caller
        self._who = (
            caller.kind,
            caller.service_linked,
            caller.management_account,
            asker.layers.boundaries is None,
            asker.layers.session is None,
        )
        mine = asker.layers
        self._levels: tuple[Policies, ...] = (
            mine.identity,
            mine.boundaries or (),
            mine.session or (),
            *(mine.scps or ()),
        )
        self._context = self._in_context("", "")

    def _in_context(self, resource: str, account: str) -> Context:
        asker = self._asker
        return asker.estate.context(asker.caller, asker.principal, resource, account, asker.fixed)

    def key(self, shelf: Shelf, part: int) -> tuple[object, ...]:
        """Give all that the answer for a class hangs on. Raises `Unkeyed`."""
        estate = self._asker.estate
        first = estate.facts.resources[shelf.first(part)]
        if first.attributes.get("kms_key"):
            raise Unkeyed
        found: list[object] = [
            shelf.sign,
            first.scope == self._asker.caller.account,
            self._who,
        ]
        place = _Place(shelf, part & -part, first.id, first.scope)
        for level in self._levels:
            found.append(None)
            for policy in level:
                self._say(policy, place, found)
        theirs = estate.resource_layers(first.id, first.scope)
        for policy in (*theirs.resource, *theirs.acl):
            self._theirs(policy, place, found)
        for level in theirs.rcps or ():
            found.append(None)
            for policy in level:
                self._say(policy, place, found)
                self._theirs(policy, place, found)
        return tuple(found)

    def _say(self, policy: AppliedPolicy, place: _Place, found: list[object]) -> None:
        for statement in self._known.spoken(policy.document, place.shelf.service):
            lies = place.lies(statement)
            if lies == 0:
                continue
            if statement.not_understood or misplaced(policy.layer, statement):
                raise Unkeyed
            found.append((self._known.shape(statement), lies, self._when(statement, place)))

    def _theirs(self, policy: AppliedPolicy, place: _Place, found: list[object]) -> None:
        """The shelf says what a resource's own policy says; whom it means, and when, is said
        here."""
        for statement in policy.document.statements:
            named = statement.principals
            if statement.not_understood or named is None or named.negated:
                raise Unkeyed
            means = ways(named, self._asker.caller)
            found.append((means, self._when(statement, place) if means else None))

    def _when(self, statement: Statement, place: _Place) -> object:
        """Give what is left of a statement's conditions; None where it has none."""
        if not statement.conditions:
            return None
        known = id(statement)
        if known in self._conditions:
            return self._conditions[known]
        of_resource = _asks_of_resource(statement)
        context = self._in_context(place.resource, place.account) if of_resource else self._context
        when = conditions_expr(statement.conditions, context, variables=statement.variables)
        if not of_resource:
            self._conditions[known] = when
        return when


def _asks_of_resource(statement: Statement) -> bool:
    return any(
        "resource" in text.lower()
        for condition in statement.conditions
        for text in (condition.key, *condition.values)
    )


class _Place(msgspec.Struct):
    """Where a class stands: its shelf, the bit of its first resource, that one and its account."""

    shelf: Shelf
    bit: int
    resource: str
    account: str

    def lies(self, statement: Statement) -> int:
        """Give how a statement's patterns lie to the resource and to what is in it, as bits; 0
        where they mean nothing of it. Raises `Unkeyed` where they mean a part."""
        resources = statement.resources
        forms = 1 + len(self.shelf.separators)
        if resources is None:
            return (1 << forms) - 1
        found = 0
        for glob in resources.globs:
            found |= self._of_glob(opened(glob, statement.variables), forms)
        return ((1 << forms) - 1) & ~found if resources.negated else found

    def _of_glob(self, glob: str, forms: int) -> int:
        if glob == "*":
            return (1 << forms) - 1
        cut = self.shelf.cut(glob)
        if cut.partly & self.bit:
            raise Unkeyed
        found = 1 if cut.exact & self.bit else 0
        for place, inside in enumerate(cut.inside):
            if inside.all & self.bit:
                found |= 2 << place
        return found
