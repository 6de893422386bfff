"""What of a plan makes the changes of a report: resources by address, and where they stand."""

from __future__ import annotations

from collections import Counter

from modelreach.report import ChangeRow, DiffReport, Hop, OriginRow


def planned(report: DiffReport) -> tuple[tuple[OriginRow, int], ...]:
    """Give the resources that changes come from with how many each brings, most first. Nothing
    where no plan was applied."""
    counted = Counter(origin for row in report.changes for origin in set(_origins(row)))
    return tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0].address)))


def _origins(row: ChangeRow) -> list[OriginRow]:
    """Give what the plan changes of a way; what it keeps of it where it changes nothing."""
    found = [one for hop in row.witness for one in _of_hop(hop)]
    return [one for one in found if one.action != "no-op"] or found[-1:]


def _of_hop(hop: Hop) -> list[OriginRow]:
    own = [hop.origin] if isinstance(hop.origin, OriginRow) else []
    return own + [one.origin for one in hop.also if isinstance(one.origin, OriginRow)]


def place_of(origin: OriginRow) -> str:
    """Give file and line, "" where they are not known."""
    return f"{origin.file}:{origin.line}" if origin.file else ""
