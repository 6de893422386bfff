"""Permissions as sets of (action, resource, condition), with an algebra.

What is new is `new - old`; what a principal may do is one expression over its layers. A set is a
finite union of boxes; each box says which statements grant it. Patterns stay symbolic until
`expand_actions` is asked to spell them out.

Exactness. All operations are exact, but for bounds (those of `glob`, `extent` and `logic`, and
`MAX_BOXES` and `MAX_WORK`), which count what is done and never how long it takes. Above
a bound the result is too large rather than too small, and the boxes concerned say so
(`Box.exact`). A box that is not exact is never subtracted, so that doubt cannot make a difference
smaller either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Protocol

import msgspec
from msgspec.structs import replace

from modelreach.policy.box import Box, Rendered, render_box, simplified
from modelreach.policy.expr import TRUE, Atom, Expr, any_of, assign
from modelreach.policy.extent import ALL, NONE, Extent
from modelreach.policy.glob import Region, literal_prefix
from modelreach.policy.logic import follows

__all__ = [
    "ALL",
    "EMPTY",
    "EVERYTHING",
    "NONE",
    "Box",
    "Catalogue",
    "Comparison",
    "Extent",
    "Kind",
    "Named",
    "PermissionSet",
    "Rendered",
    "compare",
    "expand_actions",
    "render_box",
]

MAX_BOXES = 2_000
#: Of one intersection or difference: see `extent`.
MAX_WORK = 4_000_000


class PermissionSet(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A set of (action, resource) pairs, each under a condition: a union of boxes.

    Build with `of`. `==`, `<=` compare the sets, not their spelling nor their statements; in
    doubt they say no. Sets are not hashable.
    """

    boxes: tuple[Box, ...] = ()

    @staticmethod
    def of(boxes: Iterable[Box]) -> PermissionSet:
        """Give the union of the boxes in a small form."""
        return PermissionSet(simplified(boxes))

    @property
    def exact(self) -> bool:
        """Is the set surely no larger than what is granted?"""
        return all(box.exact for box in self.boxes)

    def is_empty(self) -> bool:
        """Does it surely hold nothing? In doubt: no."""
        return not self.boxes

    def contains(
        self, action: str, resource: str, assignment: Callable[[Atom], bool] | None = None
    ) -> bool:
        """Is the pair granted once `assignment` settles the atoms (without it: in any case)?"""
        condition = self.condition_for(action, resource)
        if assignment is not None:
            condition = assign(condition, assignment)
        return follows(condition, TRUE)

    def condition_for(self, action: str, resource: str) -> Expr:
        """Give what must hold for the pair to be granted; FALSE when it never is."""
        name = action.lower()
        return any_of(box.condition for box in self.boxes if box.holds(name, resource))

    def actions_on(self, resource: str) -> tuple[Box, ...]:
        """Give the boxes that hold this resource, narrowed to it."""
        only = Extent((Region.only(resource),))
        held = [box for box in self.boxes if box.resources.contains(resource)]
        return tuple(replace(box, resources=only) for box in held)

    def restrict(
        self, actions: Extent = ALL, resources: Extent = ALL, condition: Expr = TRUE
    ) -> PermissionSet:
        """Give the part of the set within these limits, with its own statements."""
        return self & PermissionSet((Box(actions, resources, condition),))

    def assuming(self, known: Callable[[Atom], bool | None]) -> PermissionSet:
        """Give the set with the atoms settled for which `known` answers other than None."""
        return PermissionSet.of(
            replace(box, condition=assign(box.condition, known)) for box in self.boxes
        )

    def without_reasons(self) -> PermissionSet:
        """Give the set without statements; boxes that only those kept apart are merged."""
        return PermissionSet.of(replace(box, because=()) for box in self.boxes)

    def __or__(self, other: PermissionSet) -> PermissionSet:
        return PermissionSet.of(self.boxes + other.boxes)

    def __and__(self, other: PermissionSet) -> PermissionSet:
        return self.common(other)[0]

    def common(self, other: PermissionSet, work: int | None = None) -> tuple[PermissionSet, int]:
        """Give what both hold, and in how many pieces that was at most. `work` is how much may be
        done for it (None: `MAX_WORK`)."""
        if any(box == _ANYTHING for box in other.boxes):
            return self, len(self.boxes)
        common: list[Box] = []
        left = MAX_WORK if work is None else work
        for box in self.boxes:
            for that in other.boxes:
                if box.meets(that):
                    piece, more = box.common(that)
                    left -= more
                    common.extend(() if piece.is_empty() else (piece,))
            if len(common) > MAX_BOXES or left < 0:
                whole = PermissionSet(tuple(replace(box, exact=False) for box in self.boxes))
                return whole, len(common)
        return PermissionSet.of(common), len(common)

    def __sub__(self, other: PermissionSet) -> PermissionSet:
        return self.less(other)[0]

    def less(self, other: PermissionSet, work: int | None = None) -> tuple[PermissionSet, int]:
        """Give what this holds and the other does not, and in how many pieces that was at most.
        `work` is how much may be done for it (None: `MAX_WORK`)."""
        kept, most = self.boxes, len(self.boxes)
        left = MAX_WORK if work is None else work
        for taken in other.boxes:
            less: list[Box] = []
            for box in kept:
                parts, more = box.less(taken) if taken.exact else ((box,), 0)
                left -= more
                less += parts
                if left < 0:
                    break
            most = max(most, len(less))
            if len(less) > MAX_BOXES or left < 0:
                return PermissionSet(tuple(replace(box, exact=False) for box in kept)), most
            kept = tuple(less)
        if not other.exact:
            kept = tuple(_doubted(box, other) for box in kept)
        return PermissionSet.of(kept), most

    def __le__(self, other: PermissionSet) -> bool:
        return (self - other).is_empty()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PermissionSet):
            return NotImplemented
        return self.boxes == other.boxes or (self <= other and other <= self)

    __hash__ = None  # type: ignore[assignment]  # equality is of meaning, not of spelling


_ANYTHING = Box(ALL, ALL)
EMPTY = PermissionSet()
EVERYTHING = PermissionSet((_ANYTHING,))


def _doubted(box: Box, other: PermissionSet) -> Box:
    """A box is in doubt where something that is itself in doubt was not taken away."""
    kept = (that for that in other.boxes if not that.exact)
    return replace(box, exact=box.exact and not any(box.meets(that) for that in kept))


# --- comparing -----------------------------------------------------------------------------


class Kind(StrEnum):
    """How a set changed. Widened and narrowed have something in common with what was."""

    SAME = "same"
    GAINED = "gained"
    LOST = "lost"
    WIDENED = "widened"
    NARROWED = "narrowed"
    MIXED = "mixed"


class Comparison(msgspec.Struct, frozen=True):
    """The difference of two sets. `exact` is False where a bound made a side too large."""

    kind: Kind
    gained: PermissionSet
    lost: PermissionSet

    @property
    def exact(self) -> bool:
        """Is nothing in `gained` or `lost` in doubt?"""
        return self.gained.exact and self.lost.exact


def compare(old: PermissionSet, new: PermissionSet) -> Comparison:
    """Say what `new` has on top of `old`, what it lacks, and what kind of change that is."""
    gained, lost = new - old, old - new
    return Comparison(_kind(old, new, gained, lost), gained, lost)


def _kind(
    old: PermissionSet, new: PermissionSet, gained: PermissionSet, lost: PermissionSet
) -> Kind:
    if gained.is_empty() and lost.is_empty():
        return Kind.SAME
    if lost.is_empty():
        return Kind.GAINED if old.is_empty() else Kind.WIDENED
    if gained.is_empty():
        return Kind.LOST if new.is_empty() else Kind.NARROWED
    return Kind.MIXED


# --- spelling out --------------------------------------------------------------------------


class Named(Protocol):
    """Something of a catalogue that has a name."""

    @property
    def name(self) -> str:
        """The provider's spelling."""
        ...


class Catalogue(Protocol):
    """What `expand_actions` asks of a provider's list of actions."""

    def matching(self, glob: str) -> Iterable[Named]:
        """Give the actions that a lower-case glob matches, whatever their case."""
        ...


def expand_actions(actions: Extent | Region, catalogue: Catalogue) -> tuple[str, ...]:
    """Give the actions of the catalogue that are meant, sorted, in the provider's spelling."""
    regions = actions.regions if isinstance(actions, Extent) else (actions,)
    names: set[str] = set()
    for region in regions:
        narrowest = max(region.inside, key=lambda glob: len(literal_prefix(glob)))
        found = (action.name for action in catalogue.matching(narrowest))
        names.update(name for name in found if region.contains(name.lower()))
    return tuple(sorted(names))
