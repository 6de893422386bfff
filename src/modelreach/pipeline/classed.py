"""How many resources of each class an identity reaches: the cells of a report's matrix."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

import msgspec

from modelreach.model import Verdict
from modelreach.pipeline.evaluate import Side
from modelreach.policy import providers
from modelreach.policy.brief import Brevity
from modelreach.policy.engine import Engine, Grant
from modelreach.reach import verdict_of
from modelreach.report import AdminRow, GrantRow, MatrixCell

#: An identity, and a class of resources.
_Key = tuple[str, str]


class _Cell(msgspec.Struct, frozen=True):
    """The resources of a cell: some of many, as bits, and others by name. No resource is in two of
    these."""

    # By the place of the tuple in memory, which is kept with it.
    some: dict[int, tuple[tuple[str, ...], int]] = msgspec.field(
        default_factory=dict[int, "tuple[tuple[str, ...], int]"]
    )
    names: set[str] = msgspec.field(default_factory=set[str])

    def add(self, among: tuple[str, ...], mask: int) -> None:
        """Add some of many."""
        _, known = self.some.get(id(among), (among, 0))
        self.some[id(among)] = among, known | mask

    def has(self, name: str) -> bool:
        """Is a resource one of them?"""
        if name in self.names:
            return True
        for among, mask in self.some.values():
            place = bisect_left(among, name)
            if name in among[place : place + 1] and mask >> place & 1:
                return True
        return False

    def count(self) -> int:
        """Count them."""
        return len(self.names) + sum(mask.bit_count() for _, mask in self.some.values())


class _Cells(msgspec.Struct, frozen=True):
    """The resources of a cell, and those of them whose reach could not be judged."""

    all: _Cell = msgspec.field(default_factory=_Cell)
    unknown: _Cell = msgspec.field(default_factory=_Cell)


def matrix(old: Side, new: Side, unseen: Iterable[str] = ()) -> tuple[MatrixCell, ...]:
    """Count what either side reaches, by identity and class. `unseen` are resources of which the
    new side cannot tell: who reached one is not said to reach it no more."""
    before, after = _cells(old), _cells(new)
    none, hidden = _Cells(), tuple(unseen)
    return tuple(
        MatrixCell(
            identity=identity,
            resource_class=name,
            old=before.get((identity, name), none).all.count(),
            new=after.get((identity, name), none).all.count(),
            unknown=after.get((identity, name), none).unknown.count()
            + sum(before.get((identity, name), none).all.has(one) for one in hidden),
        )
        for identity, name in sorted(before.keys() | after.keys())
    )


def listed(grants: Iterable[GrantRow], takeovers: Iterable[AdminRow]) -> tuple[MatrixCell, ...]:
    """Count what a radius lists, by identity and class; what it holds by pattern is no thing."""
    cells: dict[_Key, _Cells] = {}
    for row in grants:
        if not row.pattern:
            cell = _cell(cells, row.identity, providers.resource_class(row.resource_kind))
            cell.all.names.add(row.resource)
            if row.verdict == Verdict.UNKNOWN:
                cell.unknown.names.add(row.resource)
    for taken in takeovers:
        _cell(cells, taken.identity, "administration").all.names.add(taken.scope)
    return tuple(
        MatrixCell(
            identity=identity,
            resource_class=name,
            old=0,
            new=cell.all.count(),
            unknown=cell.unknown.count(),
        )
        for (identity, name), cell in sorted(cells.items())
    )


def _cells(side: Side) -> dict[_Key, _Cells]:
    cells: dict[_Key, _Cells] = {}
    radius = side.radius
    by_kind: dict[_Key, _Cells] = {}
    for piece in radius.accesses.pieces:
        grant = piece.access.grant
        if grant.principal in radius.outdone:
            continue
        key = grant.principal, grant.kind
        cell = by_kind.get(key)
        if cell is None:
            name = providers.resource_class(grant.kind)
            cell = by_kind[key] = _cell(cells, grant.principal, name)
        cell.all.add(piece.lot.ids, piece.mask)
        if piece.access.verdict is Verdict.UNKNOWN:
            cell.unknown.add(piece.lot.ids, piece.mask)
    for name in radius.outdone:
        identity = radius.identities[name]
        unsure = verdict_of(identity.path) is Verdict.UNKNOWN
        _count_all(cells, side.case.engines[identity.principal.provider], name, unsure=unsure)
    for takeover in radius.takeovers.values():
        source = takeover.path.pivots[-1].source
        _cell(cells, source, "administration").all.names.add(takeover.scope)
    return cells


def _count_all(cells: dict[_Key, _Cells], engine: Engine, name: str, *, unsure: bool) -> None:
    """Count all that somebody holds of listed resources, of which the radius has only what
    somebody else does not hold."""
    grants: Iterable[Grant]
    if isinstance(engine, Brevity):
        brief = engine.brief(name)
        grants = brief.alone
        for holding in brief.holdings:
            cell = _cell(cells, name, providers.resource_class(holding.kind))
            cell.all.add(holding.among, holding.mask)
            if unsure or any(verdict is Verdict.UNKNOWN for _, verdict in holding.answer):
                cell.unknown.add(holding.among, holding.mask)
    else:
        grants = engine.grants(name)
    for grant in grants:
        cell = _cell(cells, name, providers.resource_class(grant.kind))
        cell.all.names.add(grant.resource)
        if unsure or grant.verdict is Verdict.UNKNOWN:
            cell.unknown.names.add(grant.resource)


def _cell(cells: dict[_Key, _Cells], name: str, resource_class: str) -> _Cells:
    return cells.setdefault((name, resource_class), _Cells())
