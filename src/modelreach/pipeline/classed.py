"""How many resources of each class an identity reaches: the cells of a report's matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from modelreach.model import Verdict
from modelreach.pipeline.evaluate import Side
from modelreach.policy import providers
from modelreach.policy.brief import Brevity
from modelreach.policy.engine import Engine, Grant
from modelreach.policy.lots import Lot
from modelreach.reach import verdict_of
from modelreach.report import AdminRow, GrantRow, MatrixCell

#: An identity, and a class of resources.
_Key = tuple[str, str]


class _Cell(msgspec.Struct, frozen=True):
    """The resources of a cell, by lot and by name."""

    masks: dict[Lot, int] = msgspec.field(default_factory=dict["Lot", int])
    names: set[str] = msgspec.field(default_factory=set[str])

    def add(self, lot: Lot, mask: int) -> None:
        """Add some of a lot."""
        self.masks[lot] = self.masks.get(lot, 0) | mask

    def count(self) -> int:
        """Count them: no resource is in two lots of what somebody holds."""
        if not self.names:
            return sum(mask.bit_count() for mask in self.masks.values())
        return len(self.names.union(*(lot.of(mask) for lot, mask in self.masks.items())))


class _Cells(msgspec.Struct, frozen=True):
    """The resources of a cell, and those of them whose reach could not be judged."""

    all: _Cell = msgspec.field(default_factory=_Cell)
    unknown: _Cell = msgspec.field(default_factory=_Cell)


class _Held(msgspec.Struct, frozen=True):
    """Resources of a kind, and whether some of what is had of them could not be judged."""

    kind: str
    ids: Iterable[str]
    unknown: bool


def matrix(old: Side, new: Side) -> tuple[MatrixCell, ...]:
    """Count what either side reaches, by identity and class."""
    before, after = _cells(old), _cells(new)
    none = _Cells()
    return tuple(
        MatrixCell(
            identity=identity,
            resource_class=name,
            old=before.get((identity, name), none).all.count(),
            new=after.get((identity, name), none).all.count(),
            unknown=after.get((identity, name), none).unknown.count(),
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
        key = grant.principal, grant.kind
        cell = by_kind.get(key)
        if cell is None:
            name = providers.resource_class(grant.kind)
            cell = by_kind[key] = _cell(cells, grant.principal, name)
        cell.all.add(piece.lot, piece.mask)
        if piece.access.verdict is Verdict.UNKNOWN:
            cell.unknown.add(piece.lot, piece.mask)
    for name in radius.outdone:
        identity = radius.identities[name]
        unsure = verdict_of(identity.path) is Verdict.UNKNOWN
        for held in _held(side.case.engines[identity.principal.provider], name, unsure=unsure):
            _add(cells, name, held)
    for takeover in radius.takeovers.values():
        source = takeover.path.pivots[-1].source
        _cell(cells, source, "administration").all.names.add(takeover.scope)
    return cells


def _held(engine: Engine, name: str, *, unsure: bool) -> Iterator[_Held]:
    """Give all that somebody holds of listed resources, of which the radius has only what somebody
    else does not hold."""
    if not isinstance(engine, Brevity):
        grants: Iterable[Grant] = engine.grants(name)
    else:
        brief = engine.brief(name)
        grants = brief.alone
        for holding in brief.holdings:
            unknown = any(verdict is Verdict.UNKNOWN for _, verdict in holding.answer)
            yield _Held(holding.kind, holding.ids, unsure or unknown)
    for grant in grants:
        unknown = grant.verdict is Verdict.UNKNOWN
        yield _Held(grant.kind, (grant.resource,), unsure or unknown)


def _add(cells: dict[_Key, _Cells], name: str, held: _Held) -> None:
    cell = _cell(cells, name, providers.resource_class(held.kind))
    cell.all.names.update(held.ids)
    if held.unknown:
        cell.unknown.names.update(held.ids)


def _cell(cells: dict[_Key, _Cells], name: str, resource_class: str) -> _Cells:
    return cells.setdefault((name, resource_class), _Cells())
