"""Asks the evaluator about classes, each different question once.

A question is what the statements that speak of some actions say, by level, and how the evaluation
treats those actions: with all that equal, the answer is the same, whatever the actions and the
resource are called.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from modelreach.model import Capability, Verdict
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.brief_keys import Numbers, Told, Unkeyed
from modelreach.policy.aws.catalogue import Action
from modelreach.policy.aws.classes import Class
from modelreach.policy.aws.encryption import with_key
from modelreach.policy.aws.principals import CallerKind
from modelreach.policy.aws.services import (
    TRUST_ACTIONS,
    belongs_to_aws,
    is_free,
    needs_resource_policy,
    under_rcps,
)
from modelreach.policy.brief import Answer
from modelreach.policy.decision import Decision
from modelreach.policy.glob import cells
from modelreach.snapshot import Resource

_MOST = 1 << 18

#: What a statement says of an action: on which level, whether it allows, what is left of its
#: conditions, and how it means who asks.
_Voice = tuple[int, bool, int, int]
_Question = tuple[object, ...]
_Treatment = tuple[bool, ...]
#: Actions that the evaluation treats alike, with how.
_Alike = tuple[_Treatment, list[Action]]


class _Heard(msgspec.Struct, frozen=True):
    """What one statement says of some actions (as bits)."""

    actions: int
    voice: _Voice


class Questions:
    """Answers by question."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._known: dict[_Question, Decision] = {}
        self._treatments = _Treatments()

    def answer(self, asker: Asker, told: Told, one: Class) -> Answer:
        """Give what a principal has of the resources of a class."""
        found: set[tuple[Capability, Verdict]] = set()
        forms = one.shelf.forms
        first = asker.estate.facts.resources[one.first]
        for cell in _cells(one):
            actions = forms.of_cell(cell)
            place = _Place(one, first, cell)
            limited = bool(told.theirs.limits)
            treatments = self._treatments.of(place, asker.caller.kind, limited=limited)
            for voices, mask in self._groups(told, cell, len(actions)).items():
                if not any(allows for _, allows, _, _ in voices):
                    continue
                groups: dict[_Treatment, list[Action]] = {}
                for at, action in enumerate(actions):
                    if mask >> at & 1:
                        groups.setdefault(treatments[at], []).append(action)
                for alike in groups.items():
                    found.update(self._decided(asker, told, voices, alike, place))
        return tuple(sorted(found))

    def _groups(self, told: Told, cell: int, count: int) -> dict[frozenset[_Voice], int]:
        """Group the actions of a cell by the statements that speak of them there."""
        groups: list[tuple[int, tuple[_Voice, ...]]] = [((1 << count) - 1, ())]
        for heard in self._heard(told, cell):
            parted: list[tuple[int, tuple[_Voice, ...]]] = []
            for mask, voices in groups:
                if mask & heard.actions:
                    parted.append((mask & heard.actions, (*voices, heard.voice)))
                if mask & ~heard.actions:
                    parted.append((mask & ~heard.actions, voices))
            groups = parted
        found: dict[frozenset[_Voice], int] = {}
        for mask, voices in groups:
            key = frozenset(voices)
            found[key] = found.get(key, 0) | mask
        return found

    def _heard(self, told: Told, cell: int) -> Iterator[_Heard]:
        theirs = told.theirs
        for level, said in enumerate((*told.levels, *theirs.limits)):
            for number in said:
                saying, when = self._numbers.apart(number)
                if saying.actions[cell]:
                    yield _Heard(saying.actions[cell], (level, saying.allows, when, -1))
        for level, own in ((-1, theirs.own), (-2, theirs.acl)):
            for number, means in own:
                saying, when = self._numbers.apart(number)
                if saying.actions[cell]:
                    yield _Heard(saying.actions[cell], (level, saying.allows, when, means))

    def _decided(
        self,
        asker: Asker,
        told: Told,
        voices: frozenset[_Voice],
        alike: _Alike,
        place: _Place,
    ) -> Iterator[tuple[Capability, Verdict]]:
        treatment, actions = alike
        theirs = told.theirs
        question = (
            told.who,
            len(told.levels),
            len(theirs.limits),
            theirs.traits,
            treatment,
            voices,
        )
        decision = self._known.get(question)
        if decision is None:
            first = place.first
            decision = asker.decide(actions[0].name, place.sample(), first.id, first.scope)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[question] = decision
        if decision.verdict is Verdict.DENY:
            return
        reading: dict[str, Verdict] = {}
        for action in actions:
            if action.capability is not Capability.READ:
                yield action.capability, decision.verdict
                continue
            if action.service not in reading:
                keyed = with_key(asker, place.first, action, decision)
                reading[action.service] = keyed.verdict
            if reading[action.service] is not Verdict.DENY:
                yield action.capability, reading[action.service]


def _cells(one: Class) -> Iterator[int]:
    """The cells that are asked about: a part of what is inside only where a pattern means one."""
    bit = one.mask & -one.mask
    forms = one.shelf.forms
    if forms.of_cell(0):
        yield 0
    for place in range(len(forms.separators)):
        yield 2 * place + 1
        if any(cut.inside[place].some & bit for cut in one.cuts.values()):
            yield 2 * place + 2


class _Place(msgspec.Struct, frozen=True):
    """A cell of a class, as its first resource shows it."""

    one: Class
    first: Resource
    cell: int

    @property
    def region(self) -> str:
        """The resource, or all that is in it."""
        return self.one.shelf.forms.region(self.first.id, self.cell)

    def sample(self) -> str:
        """Give an ARN of the cell. Raises `Unkeyed` where that was not settled."""
        if self.cell == 0:
            return self.first.id
        bit = self.one.mask & -self.one.mask
        inside = (self.cell - 1) // 2
        parting = [g for g, cut in self.one.cuts.items() if cut.inside[inside].some & bit]
        within = self.cell == 2 * inside + 2
        found = cells(parting, self.region)
        for cell in found:
            if bool(cell.matching) == within and not cell.possibly:
                return cell.sample
        raise Unkeyed


#: What a name may have that the evaluation asks for: see `services`.
_TELLING = (
    *(":alias/aws/", ":role/aws-reserved/", ":role/aws-service-role/", ":iam::aws:policy/"),
    *(":key/", ":role/"),
)


class _Treatments:
    """How the evaluation treats actions, worked out once for all names that it treats alike."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[_Treatment, ...]] = {}

    def of(self, place: _Place, kind: CallerKind, *, limited: bool) -> tuple[_Treatment, ...]:
        """Give the treatment of each action of a cell."""
        forms, region = place.one.shelf.forms, place.region
        telling = tuple(part in region for part in _TELLING)
        key = (forms.number, (place.cell + 1) // 2, kind, limited, telling)
        found = self._known.get(key)
        if found is None:
            names = (action.name.lower() for action in forms.of_cell(place.cell))
            found = self._known[key] = tuple(
                (
                    limited and under_rcps(name),
                    belongs_to_aws(name, region),
                    needs_resource_policy(name, region),
                    is_free(name, kind),
                    name in TRUST_ACTIONS,
                )
                for name in names
            )
        return found
