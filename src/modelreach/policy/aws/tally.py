"""How many grants by pattern a principal has, statement by statement.

In the algebra, statements of identity policies that have no service in common do not meet, nor do
those of which neither lies within the other as long as limits and denials tell no resources apart.
So what a principal has is put together of what each *bundle* of statements that may meet comes to
by itself. A bundle is counted once for all of an account whose limits are the same. What becomes
of a single statement then hangs on its actions and conditions only, whatever its resources, and is
worked out once for all accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.classes import unclear
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.counted import Counter, Kinds, Plain, Row, plain
from modelreach.policy.aws.effective import Limits, extent_of, faults_of
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.held import Holding, limiting
from modelreach.policy.aws.layers import AppliedPolicy, Policies
from modelreach.policy.aws.outline import Line, outlined
from modelreach.policy.aws.policy_set import Asking, asking
from modelreach.policy.aws.statement import ANYTHING, PolicyDocument, Statement
from modelreach.policy.expr import Expr
from modelreach.policy.extent import ALL, Extent
from modelreach.policy.permissions import MAX_BOXES

#: How many documents, and how many bundles, are kept: those of some accounts.
_MOST = 1 << 13


class _Piece(msgspec.Struct, frozen=True, eq=False):
    """A statement: a number for what it says, what it asks (None: nothing), what it is about
    (resources None: that varies), and the services that it speaks of (None: any)."""

    statement: Statement
    number: int
    asking: Asking | None
    allows: bool
    actions: Extent
    resources: Extent | None
    heads: frozenset[str] | None


class _Told(msgspec.Struct, frozen=True, eq=False):
    """A statement of a policy, with what is made of what it asks (None: nothing)."""

    piece: _Piece
    policy: AppliedPolicy
    asked: object

    @property
    def told(self) -> object:
        """What it comes to: equal for those that come to the same."""
        number = self.piece.number
        return number if self.asked is None else (number, self.asked)


class _Within(msgspec.Struct, frozen=True, eq=False):
    """What limits principals. `number` is one for it and their account, `anywhere` one for all
    accounts; None where it tells resources apart."""

    number: int
    limits: Limits
    anywhere: int | None


class _Counted(msgspec.Struct, frozen=True, eq=False):
    """What a bundle comes to, and in how many pieces that was at most."""

    rows: tuple[tuple[int, Kinds], ...]
    most: int


#: What is left of a statement, its resources aside, and in how many pieces that was at most.
_Left = tuple[tuple[tuple[Extent, Expr], ...], int]


class Tally:
    """Counts for the principals of one estate."""

    def __init__(self, estate: Estate) -> None:
        self._held = Holding()
        self._counter = Counter(estate)
        self._pieces: dict[int, tuple[PolicyDocument, tuple[_Piece, ...] | None]] = {}
        self._rows: dict[Row, int] = {}
        self._limits: dict[object, _Within] = {}
        self._known: dict[object, _Counted] = {}
        self._left: dict[object, _Left] = {}
        self._anywhere: dict[object, int] = {}

    def count(self, asker: Asker) -> int:
        """Give how many grants `unlisted` would write out of what a principal holds."""
        if len(self._known) >= _MOST:
            # Never in the midst of somebody: equal rows have to have equal numbers.
            self._known.clear()
            self._rows.clear()
            self._limits.clear()
        counted = None if unclear(asker) else self._counted(asker)
        if counted is None or sum(one.most for one in counted) > MAX_BOXES:
            # What is too much for the algebra is so for all statements together.
            return self._counter.count(self._held.of(asker), asker.principal.scope)
        rows: dict[int, Kinds] = {}
        for one in counted:
            for row, kinds in one.rows:
                known = rows.get(row)
                rows[row] = kinds if known is None or known is kinds else known | kinds
        return sum(map(len, rows.values()))

    def _counted(self, asker: Asker) -> list[_Counted] | None:
        """Give what each bundle of a principal's statements comes to; None where a statement was
        not understood: whose it is then shows in what it comes to."""
        context = asker.estate.context(asker.caller, asker.principal, "", "", asker.fixed)
        own = self._said(asker.layers.identity, context)
        within = self._within(asker, context)
        if own is None or within is None:
            return None
        denied = [one for one in own if not one.piece.allows]
        level = within.anywhere is not None and all(one.piece.resources is ALL for one in denied)
        bundles = _bundles([one for one in own if one.piece.allows], level)
        return [self._of_bundle(asker, within, bundle, denied, level) for bundle in bundles]

    def _said(self, policies: Policies, context: Context) -> list[_Told] | None:
        found: list[_Told] = []
        for policy in policies:
            pieces = self._of(policy.document)
            if pieces is None:
                return None
            for piece in pieces:
                asked = None if piece.asking is None else piece.asking.told(context)
                found.append(_Told(piece, policy, asked))
        return found

    def _within(self, asker: Asker, context: Context) -> _Within | None:
        said: list[object] = []
        for layer in limiting(asker):
            found = self._said(layer, context)
            if found is None:
                return None
            said += (None, *(one.told for one in found))
        content = tuple(said)
        key = asker.principal.scope, content
        known = self._limits.get(key)
        if known is None:
            limits = self._held.limits(asker)
            number = self._anywhere.setdefault(content, len(self._anywhere))
            known = _Within(len(self._limits), limits, number if _level(limits) else None)
            self._limits[key] = known
        return known

    def _of_bundle(
        self,
        asker: Asker,
        within: _Within,
        bundle: Sequence[_Told],
        denied: list[_Told],
        level: bool,
    ) -> _Counted:
        concerned = [one for one in denied if any(_meet(one.piece, that.piece) for that in bundle)]
        barred = frozenset([one.told for one in concerned])
        key = within.number, frozenset([one.told for one in bundle]), barred
        known = self._known.get(key)
        if known is None:
            boxes, most = (
                self._alone(asker, within, bundle[0], concerned, barred)
                if level and len(bundle) == 1 and bundle[0].piece.resources is not None
                else self._together(asker, within, (*bundle, *concerned))
            )
            known = self._known[key] = self._numbered(boxes, asker.principal.scope, most)
        return known

    def _together(
        self, asker: Asker, within: _Within, bundle: Iterable[_Told]
    ) -> tuple[Iterable[Plain], int]:
        some = ((one.policy, one.piece.statement) for one in bundle)
        permissions, most = self._held.of_some(asker, some, within.limits)
        return map(plain, permissions.boxes), most

    def _alone(
        self,
        asker: Asker,
        within: _Within,
        one: _Told,
        concerned: list[_Told],
        barred: frozenset[object],
    ) -> tuple[Iterable[Plain], int]:
        """Give what one statement comes to where nothing tells resources apart."""
        piece, said = one.piece, one.piece.statement
        key = within.anywhere, piece.actions, said.conditions, said.variables, one.asked, barred
        known = self._left.get(key)
        if known is None:
            boxes, most = self._together(asker, within, (one, *concerned))
            if len(self._left) >= _MOST:
                self._left.clear()
            left = tuple((actions, condition) for actions, _, condition in boxes)
            known = self._left[key] = left, most
        assert piece.resources is not None
        left, most = known
        return ((actions, piece.resources, condition) for actions, condition in left), most

    def _numbered(self, boxes: Iterable[Plain], account: str, most: int) -> _Counted:
        number = self._rows
        rows = self._counter.rows(boxes, account)
        numbered = ((number.setdefault(row, len(number)), kinds) for row, kinds in rows.items())
        return _Counted(tuple(numbered), most)

    def _of(self, document: PolicyDocument) -> tuple[_Piece, ...] | None:
        known = self._pieces.get(id(document))
        if known is None:
            if len(self._pieces) >= _MOST:
                self._pieces.clear()
            clear = not any(map(faults_of, document.statements))
            pieces = tuple(map(_piece, outlined(document).lines)) if clear else None
            # The document is kept with them, so its id stays taken.
            known = self._pieces[id(document)] = (document, pieces)
        return known[1]


def _piece(line: Line) -> _Piece:
    outline, said = line.outline, line.outline.statement
    actions = extent_of(said.actions)
    resources = None if outline.open else extent_of(said.resources or ANYTHING)
    if resources is not None and (resources.is_empty() or not resources.decided):
        resources = None
    asked = asking(said) if outline.keys else None
    return _Piece(said, line.number, asked, outline.allows, actions, resources, actions.heads)


def _level(limits: Limits) -> bool:
    """Do limits tell no resources apart?"""
    boxes = (*limits.denied, *(box for layer in limits.allowed for box in layer.boxes))
    return all(box.resources == ALL for box in boxes)


def _meet(one: _Piece, other: _Piece) -> bool:
    """Have statements a service in common?"""
    if one.heads is None or other.heads is None:
        return True
    return not one.heads.isdisjoint(other.heads)


def _bundles(allowed: Iterable[_Told], level: bool) -> list[list[_Told]]:
    """Put statements together of which boxes may meet, directly or by way of others. `level`:
    nothing tells resources apart."""
    bundles: list[list[_Told]] = []
    for one in allowed:
        near: list[list[_Told]] = []
        apart: list[list[_Told]] = []
        for bundle in bundles:
            met = any(_near(one.piece, that.piece, level) for that in bundle)
            (near if met else apart).append(bundle)
        bundles = [*apart, [one, *(that for bundle in near for that in bundle)]]
    return bundles


def _near(one: _Piece, other: _Piece, level: bool) -> bool:
    """May a box of one statement lie within one of the other?"""
    if not _meet(one, other):
        return False
    mine, theirs = one.resources, other.resources
    return not level or mine is None or theirs is None or _nested(mine, theirs)


def _nested(one: Extent, other: Extent) -> bool:
    """May one of them lie within the other? In doubt: yes."""
    return _may_hold(one, other) or _may_hold(other, one)


@lru_cache(1 << 14)
def _may_hold(one: Extent, other: Extent) -> bool:
    sample = other.sample()
    return sample is None or one.contains(sample)
