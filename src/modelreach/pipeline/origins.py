"""Where a configuration has what a report speaks of, where a plan was applied to an estate.

Hops of witnesses are told by their statements: which policy on what, which role held by whom.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from modelreach.report import DiffReport, Hop, OriginRow, RadiusReport, SecurityChange
from modelreach.snapshot import Origin

_R = TypeVar("_R", DiffReport, RadiusReport)
_Row = TypeVar("_Row", bound=msgspec.Struct)
#: Parts of reports that are rows with a witness.
_WITNESSED = (
    "changes",
    "findings",
    "grants",
    "identities",
    "identities_old",
    "identities_new",
    "admin_of",
    "admin_of_old",
    "admin_of_new",
)


def located(report: _R, origins: Iterable[Origin]) -> _R:
    """Give a report with the origin of each hop that has one; without origins, the report."""
    index = _Index(origins)
    if index.empty:
        return report
    told: dict[str, Any] = {
        name: tuple(index.row(row) for row in getattr(report, name))
        for name in _WITNESSED
        if hasattr(report, name)
    }
    change = getattr(report, "security_change", None)
    if isinstance(change, SecurityChange):
        triggers = tuple(index.row(row) for row in change.triggers)
        told["security_change"] = msgspec.structs.replace(change, triggers=triggers)
    return msgspec.structs.replace(report, **told)


class _Index:
    """Origins by what they are about."""

    def __init__(self, origins: Iterable[Origin]) -> None:
        self._of: dict[str, list[Origin]] = {}
        for origin in origins:
            self._of.setdefault(origin.subject, []).append(origin)

    @property
    def empty(self) -> bool:
        """Is there none?"""
        return not self._of

    def row(self, row: _Row) -> _Row:
        """Give a row with the origins of its witness."""
        witness: tuple[Hop, ...] = getattr(row, "witness", ())
        return msgspec.structs.replace(row, witness=tuple(map(self._hop, witness)))

    def _hop(self, hop: Hop) -> Hop:
        also = tuple(map(self._hop, hop.also))
        origin = self._find(hop)
        found = origin or msgspec.UNSET
        return msgspec.structs.replace(hop, also=also, origin=found)

    def _find(self, hop: Hop) -> OriginRow | None:
        """Of several the plan's own doing counts before what it keeps, and who is meant before
        whoever else holds the same."""
        known = self._of.get(hop.target, ()) if hop.target else ()
        fitting = [one for one in known if one.part and one.part == hop.policy]
        meant = [one for one in fitting if one.member in ("", hop.subject)] or fitting
        if not meant and not hop.layer and hop.kind != "start":
            meant = [one for one in self._of.get(hop.object, ()) if not one.part]
        ranked = sorted(meant, key=lambda one: (one.action == "no-op", one.address))
        if not ranked:
            return None
        first = ranked[0]
        return OriginRow(
            address=first.address, action=first.action, file=first.file, line=first.line
        )
