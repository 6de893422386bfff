"""One piece of a permission set: actions x resources, where a condition holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from modelreach.policy.decision import StatementRef
from modelreach.policy.expr import TRUE, Expr, all_of, any_of, conjuncts, negate
from modelreach.policy.extent import ALL, Extent, parted
from modelreach.policy.glob import Region, escape
from modelreach.policy.logic import effort, follows, possible

_CACHE = 1 << 14


class Box(msgspec.Struct, frozen=True, gc=False):
    """Every action of `actions` on every resource of `resources`, where `condition` holds.

    `because` are the statements that grant it, sorted; they are no part of what the set is.
    `exact` is False where the box may hold more than is granted.
    """

    actions: Extent
    resources: Extent
    condition: Expr = TRUE
    because: tuple[StatementRef, ...] = ()
    exact: bool = True

    def is_empty(self) -> bool:
        """Does it surely hold nothing? In doubt: no."""
        return (
            possible(self.condition) is False
            or self.actions.is_empty()
            or self.resources.is_empty()
        )

    def holds(self, action: str, resource: str) -> bool:
        """Is the pair in the box, under its condition? `action` in lower case."""
        return self.actions.contains(action) and self.resources.contains(resource)

    def __le__(self, other: Box) -> bool:
        return (
            follows(other.condition, self.condition)
            and self.actions <= other.actions
            and self.resources <= other.resources
        )

    def meets(self, other: Box) -> bool:
        """May they have something in common, conditions aside? In doubt: yes."""
        if parted(self.actions.heads, other.actions.heads):
            return False
        return self.actions.meets(other.actions) and self.resources.meets(other.resources)

    def __and__(self, other: Box) -> Box:
        return self.common(other)[0]

    def __sub__(self, other: Box) -> tuple[Box, ...]:
        """Give the difference in at most three boxes that have nothing in common."""
        return self.less(other)[0]

    # Besides what they give these say how much work it is: the same for whoever asks. Where it is
    # too much, the box may hold more than it should, and says so.

    def common(self, other: Box) -> tuple[Box, int]:
        """Give what both hold."""
        actions, some = self.actions.common(other.actions)
        resources, more = self.resources.common(other.resources)
        condition = _cases(self.condition, other.condition)[0]
        found = Box(
            self.actions if actions is None else actions,
            self.resources if resources is None else resources,
            condition,
            together(self.because, other.because),
            self.exact and other.exact and actions is not None and resources is not None,
        )
        return found, some + more + effort(condition)

    def less(self, other: Box) -> tuple[tuple[Box, ...], int]:
        """Give the difference in at most three boxes that have nothing in common."""
        if other.resources == ALL:
            left, work = _less_anywhere(
                self.actions, self.condition, other.actions, other.condition
            )
            if left is None or self.resources.is_empty():
                return (self,), work
            because, exact = self.because, self.exact
            parts = (Box(a, self.resources, c, because, exact and sure) for a, c, sure in left)
            return tuple(parts), work
        if parted(self.actions.heads, other.actions.heads):
            return (self,), 1
        return self._less(other)

    def _less(self, other: Box) -> tuple[tuple[Box, ...], int]:
        actions, some = self.actions.common(other.actions)
        resources, more = self.resources.common(other.resources)
        work = some + more
        if actions is None or resources is None:
            return (replace(self, exact=False),), work
        if actions.is_empty() or resources.is_empty():
            return (self,), work
        both, rest = _cases(self.condition, other.condition)
        work += effort(both)
        if possible(both) is False:
            return (self,), work
        fewer, some = self.actions.less(other.actions)
        without, more = self.resources.less(other.resources)
        work += some + more + effort(rest)
        if fewer is None or without is None:
            return (replace(self, exact=False),), work
        pieces = (
            (fewer, self.resources, self.condition),
            (actions, without, self.condition),
            (actions, resources, rest),
        )
        made = (Box(*piece, self.because, self.exact) for piece in pieces)
        return tuple(piece for piece in made if not piece.is_empty()), work


#: What is left of actions, each part with its condition; None where all of them are.
_Left = tuple[tuple[Extent, Expr, bool], ...] | None


@lru_cache(_CACHE)
def _less_anywhere(
    actions: Extent, condition: Expr, taken: Extent, where: Expr
) -> tuple[_Left, int]:
    """Give what is left of actions under a condition when others are taken away on all resources
    (None where that is no difference), each part with whether it is exact; and how much work."""
    if parted(actions.heads, taken.heads):
        return None, 1
    common, work = actions.common(taken)
    if common is None:
        return ((actions, condition, False),), work
    if common.is_empty():
        return None, work
    both, rest = _cases(condition, where)
    work += effort(both)
    if possible(both) is False:
        return None, work
    fewer, more = actions.less(taken)
    work += more + effort(rest)
    if fewer is None:
        return ((actions, condition, False),), work
    pieces = ((fewer, condition), (common, rest))
    left = tuple(
        (piece, when, True)
        for piece, when in pieces
        if possible(when) is not False and not piece.is_empty()
    )
    return left, work


@lru_cache(_CACHE)
def _cases(first: Expr, second: Expr) -> tuple[Expr, Expr]:
    """Give `first` with and without `second`."""
    return all_of((first, second)), all_of((first, negate(second)))


def together(*reasons: tuple[StatementRef, ...]) -> tuple[StatementRef, ...]:
    """Give all the statements, sorted."""
    first, *others = reasons
    if not any(others):
        return first
    return tuple(sorted({ref for some in reasons for ref in some}))


# --- a small form --------------------------------------------------------------------------


def simplified(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Give the union of the boxes with as few as is easily had, in a fixed order."""
    kept = sorted((_checked(box) for box in boxes if not box.is_empty()), key=_order)
    before = len(kept) + 1
    while 1 < len(kept) < before:
        before = len(kept)
        merged = _absorbed(_merged(kept))
        if len(merged) < before:
            kept = sorted(merged, key=_order)
    return tuple(kept)


def _checked(box: Box) -> Box:
    sure = possible(box.condition) and box.actions.decided and box.resources.decided
    return box if sure or not box.exact else replace(box, exact=False)


def _merged(boxes: list[Box]) -> list[Box]:
    """Merge boxes that differ in one place only and come from the same statements.

    From different statements they stay apart: a merged box could not say which one grants what.
    """
    if len({(box.because, box.exact) for box in boxes}) == len(boxes):
        return boxes
    boxes = _joined(boxes, lambda b: (b.actions, b.resources), _either_condition)
    boxes = _joined(boxes, lambda b: (b.actions, b.condition), _either_resource)
    return _joined(boxes, lambda b: (b.resources, b.condition), _either_action)


def _joined(
    boxes: list[Box], alike: Callable[[Box], object], join: Callable[[list[Box]], Box]
) -> list[Box]:
    groups: dict[object, list[Box]] = {}
    for box in boxes:
        groups.setdefault((alike(box), box.because, box.exact), []).append(box)
    return [group[0] if len(group) == 1 else join(group) for group in groups.values()]


def _either_condition(group: list[Box]) -> Box:
    return replace(group[0], condition=any_of(box.condition for box in group))


def _either_resource(group: list[Box]) -> Box:
    regions = [region for box in group for region in box.resources.regions]
    return replace(group[0], resources=Extent.of(regions))


def _either_action(group: list[Box]) -> Box:
    regions = [region for box in group for region in box.actions.regions]
    return replace(group[0], actions=Extent.of(regions))


def _absorbed(boxes: list[Box]) -> list[Box]:
    """Drop what lies within another box; of equal boxes one is left, with all statements."""
    return [box for group in _near(boxes) for box in _widest(group)]


def _near(boxes: list[Box]) -> Iterable[list[Box]]:
    """Part the boxes into groups, in their order, that have no service of an action in common."""
    groups: dict[str, dict[int, Box]] = {}
    for place, box in enumerate(boxes):
        heads = box.actions.heads
        if heads is None:
            return [boxes]
        group = {place: box}
        for head in heads:
            group.update(groups.get(head, {}))
        for head in {one for box in group.values() for one in box.actions.heads or ()}:
            groups[head] = group
    kept = {id(group): group for group in groups.values()}
    return [[group[place] for place in sorted(group)] for group in kept.values()]


def _widest(boxes: list[Box]) -> list[Box]:
    if len(boxes) == 1:
        return boxes
    kept: list[Box] = []
    for box in boxes:
        wider = next((i for i, that in enumerate(kept) if _within(box, that)), None)
        if wider is None:
            kept = [that for that in kept if not _within(that, box)]
            kept.append(box)
        elif _within(kept[wider], box):
            that = kept[wider]
            kept[wider] = replace(that, because=together(that.because, box.because))
    return kept


def _within(box: Box, other: Box) -> bool:
    """Does the other box hold this one? Most pairs are told apart by what they start with, or by
    a sample."""
    if parted(box.actions.heads, other.actions.heads):
        return False
    if _misses(other.actions, box.actions) or _misses(other.resources, box.resources):
        return False
    return (other.exact or not box.exact) and box <= other


def _misses(extent: Extent, other: Extent) -> bool:
    """Does an extent not hold a sample of another?"""
    if extent is ALL or extent is other:
        return False
    sample = other.sample()
    return sample is not None and not extent.contains(sample)


def _order(box: Box) -> tuple[object, ...]:
    return (_spelled(box.actions), _spelled(box.resources), _told(box.condition), box.because)


@lru_cache(_CACHE)
def _told(condition: Expr) -> str:
    return repr(condition)


@lru_cache(_CACHE)
def _spelled(extent: Extent) -> tuple[object, ...]:
    return tuple((region.inside, region.outside) for region in extent.regions)


# --- in words of the policy language -------------------------------------------------------


class Rendered(msgspec.Struct, frozen=True):
    """A box as a statement would put it: any of `actions` but none of `not_actions`, on any of
    `resources` but none of `not_resources`, where all lines of `conditions` hold.

    `one_statement` says whether a single statement can say it (a statement has no exceptions but
    those from everything). Globs that must all match are joined with ` & `, which no statement
    can say.
    """

    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    conditions: tuple[str, ...]
    one_statement: bool


def render_box(box: Box) -> tuple[Rendered, ...]:
    """Give the box in words of the policy language, in as many parts as it takes."""
    lines = conjuncts(box.condition)
    return tuple(
        Rendered(*actions, *resources, lines, _sayable(*actions) and _sayable(*resources))
        for actions in _listed(box.actions)
        for resources in _listed(box.resources)
    )


_AS_VARIABLE = {ord(escape(char)): f"${{{char}}}" for char in "*?"}
_Listed = tuple[tuple[str, ...], tuple[str, ...]]


def _listed(extent: Extent) -> tuple[_Listed, ...]:
    """Give globs and exceptions: one pair if every exception can be told of all the globs."""
    exceptions = {glob for region in extent.regions for glob in region.outside}
    if all(_spares(glob, region) for region in extent.regions for glob in exceptions):
        return ((tuple(map(_joint, extent.regions)), tuple(sorted(map(_shown, exceptions)))),)
    return tuple(
        ((_joint(region),), tuple(map(_shown, region.outside))) for region in extent.regions
    )


def _spares(glob: str, region: Region) -> bool:
    return glob in region.outside or (region & Region((glob,))).is_empty()


def _joint(region: Region) -> str:
    return " & ".join(map(_shown, region.inside))


def _shown(glob: str) -> str:
    """Spell literal wildcards as policies do."""
    return glob.translate(_AS_VARIABLE)


def _sayable(globs: tuple[str, ...], exceptions: tuple[str, ...]) -> bool:
    return not any(" & " in glob for glob in globs) and (not exceptions or globs == ("*",))
