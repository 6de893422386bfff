"""What a principal's policies say of one action: its *slice*, which many principals have alike.

Most principals differ in what they may do to data, and hardly in what lets them become others. So
what a question about one action hangs on is written down as a number: two principals with the same
number for an action, asked about the same thing of their account, get the same answer, unless
the thing's own policy tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

import msgspec

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.classes import unclear
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.evaluate import relevant
from modelreach.policy.aws.held import AT_A_GLANCE, held
from modelreach.policy.aws.layers import Policies
from modelreach.policy.aws.outline import outline
from modelreach.policy.aws.policy_set import Asking, asking
from modelreach.policy.aws.statement import PolicyDocument, Statement
from modelreach.policy.box import Box
from modelreach.policy.decision import Decision


class Told(msgspec.Struct, frozen=True):
    """By what a principal's policies tell things apart for an action: patterns, and tags.
    `varying`: by something else, too. `text` is all that they say of the context, in lower case.
    """

    globs: tuple[str, ...]
    tags: tuple[str, ...]
    varying: bool
    text: str

    @property
    def asks_owner(self) -> bool:
        """Do they ask who owns a thing?"""
        return "resourceaccount" in self.text or "resourceorg" in self.text

    @property
    def anywhere(self) -> bool:
        """Do they say the same in any account, and of its things?"""
        return not self.asks_owner and not any(_DIGIT.search(glob) for glob in self.globs)


_DIGIT = re.compile("[0-9]")


def told_by(statements: Iterable[Statement]) -> Told:
    """Give by what statements tell things apart."""
    said = tuple(statements)
    outlines = [outline(statement) for statement in said]
    globs = {glob for one in outlines for glob in one.globs}
    tags = {tag for one in outlines for tag in one.tags}
    text = " ".join(
        text.lower()
        for statement in said
        for condition in statement.conditions
        for text in (condition.key, *condition.values)
    )
    varying = any(one.open for one in outlines)
    return Told(tuple(sorted(globs)), tuple(sorted(tags)), varying, text)


#: A statement as far as one action goes: a number for what it says, and what it asks.
_Line = tuple[int, Asking]


class Slices(msgspec.Struct, eq=False):
    """The slices of principals, and what was worked out for each."""

    numbers: dict[object, int] = msgspec.field(default_factory=dict[object, int])
    boxes: dict[int, tuple[Box, ...]] = msgspec.field(default_factory=dict[int, tuple[Box, ...]])
    told: dict[int, Told] = msgspec.field(default_factory=dict[int, Told])
    answers: dict[object, Decision] = msgspec.field(default_factory=dict[object, Decision])
    has_on: dict[tuple[int, str], bool] = msgspec.field(
        default_factory=dict[tuple[int, str], bool]
    )
    samples: dict[object, tuple[str, ...]] = msgspec.field(
        default_factory=dict[object, tuple[str, ...]]
    )
    aimed: dict[object, int | None] = msgspec.field(default_factory=dict[object, "int | None"])
    _said: dict[object, int] = msgspec.field(default_factory=dict[object, int])
    _lines: dict[tuple[int, str], tuple[PolicyDocument, tuple[_Line, ...]]] = msgspec.field(
        default_factory=dict[tuple[int, str], tuple[PolicyDocument, tuple[_Line, ...]]]
    )

    def lines(self, document: PolicyDocument, action: str) -> tuple[_Line, ...]:
        """Give what a document says of an action (in lower case)."""
        key = (id(document), action)
        found = self._lines.get(key)
        if found is None:
            lines = tuple((self._number(s), asking(s)) for s in relevant(document, action))
            # The document is kept with them, so its id stays taken.
            found = self._lines[key] = (document, lines)
        return found[1]

    def _number(self, statement: Statement) -> int:
        said = (
            statement.effect,
            statement.resources,
            statement.principals,
            statement.conditions,
            statement.variables,
            statement.not_understood,
        )
        return self._said.setdefault(said, len(self._said))


class Sliced(msgspec.Struct, dict=True, eq=False):
    """One principal's policies, by action."""

    asker: Asker
    slices: Slices
    _numbers: dict[str, int] = msgspec.field(default_factory=dict[str, int])

    def number(self, action: str) -> int:
        """Give the number of the slice of an action (any case)."""
        found = self._numbers.get(action)
        if found is None:
            key = self._key(action.lower())
            found = self.slices.numbers.setdefault(key, len(self.slices.numbers))
            self._numbers[action] = found
        return found

    def _key(self, action: str) -> object:
        if self._unclear:
            return self.asker.name, action
        found: list[object] = [self._who, action]
        for level in self._levels:
            found.append(None)
            for policy in level:
                for number, asked in self.slices.lines(policy.document, action):
                    found.append(number)
                    if asked.keys:
                        found.append(asked.told(self._context))
        return tuple(found)

    def boxes(self, action: str) -> tuple[Box, ...]:
        """Give what the principal may do of one action: that part of its effective permissions."""
        number = self.number(action)
        found = self.slices.boxes.get(number)
        if found is None:
            found = self.slices.boxes[number] = held(self.asker, action.lower(), AT_A_GLANCE).boxes
        return found

    def told(self, action: str) -> Told | None:
        """Give by what the policies tell things apart for an action; None where that varies."""
        number = self.number(action)
        found = self.slices.told.get(number)
        if found is None:
            found = self.slices.told[number] = self._told(action.lower())
        return None if found.varying else found

    def _told(self, action: str) -> Told:
        return told_by(
            statement
            for level in self._levels
            for policy in level
            for statement in relevant(policy.document, action)
        )

    @cached_property
    def _unclear(self) -> bool:
        return unclear(self.asker)

    @cached_property
    def _levels(self) -> tuple[Policies, ...]:
        mine = self.asker.layers
        return (mine.identity, mine.boundaries or (), mine.session or (), *(mine.scps or ()))

    @cached_property
    def _who(self) -> tuple[object, ...]:
        mine, caller = self.asker.layers, self.asker.caller
        return (
            self.asker.principal.kind,
            caller.kind,
            caller.arn.partition(":")[2].partition(":")[0],
            caller.service_linked,
            caller.management_account,
            mine.boundaries is None,
            bool(mine.boundaries),
            mine.session is None,
            mine.scps is None,
        )

    @cached_property
    def _context(self) -> Context:
        asker = self.asker
        return asker.estate.context(asker.caller, asker.principal, "", "", asker.fixed)
