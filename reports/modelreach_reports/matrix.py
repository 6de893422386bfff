"""The matrix identity x resource class, before and after: where the reach grew, at a glance."""

from __future__ import annotations

from collections import Counter
from typing import Any

from modelreach.report import MatrixCell, RadiusReport, Report
from modelreach_reports.naming import Names
from modelreach_reports.safe import middle, visible

#: A matrix with more rows or columns is no longer taken in at a glance.
_ROWS, _COLUMNS = 40, 14


def cells_of(report: Report) -> tuple[MatrixCell, ...]:
    """Give the cells of a report; of an older radius, which has none, count them by kind."""
    if not isinstance(report, RadiusReport):
        return report.summary.matrix
    if report.matrix:
        return report.matrix
    known: Counter[tuple[str, str]] = Counter()
    unknown: Counter[tuple[str, str]] = Counter()
    for key, verdict in sorted(
        {
            ((row.identity, row.resource_kind, row.resource), row.verdict)
            for row in report.grants
            if not row.pattern
        }
    ):
        (unknown if verdict == "unknown" else known)[key[0], key[1]] += 1
    return tuple(
        MatrixCell(
            identity=identity,
            resource_class=kind.split(":")[-1],
            old=0,
            new=known[identity, kind],
            unknown=unknown[identity, kind],
        )
        for identity, kind in sorted(known.keys() | unknown.keys())
    )


def matrix(report: Report, names: Names) -> dict[str, Any]:
    """Give columns, rows with their cells and totals, and a note on what is left out."""
    table: dict[str, dict[str, list[int]]] = {}
    for cell in cells_of(report):
        counts = table.setdefault(cell.identity, {}).setdefault(cell.resource_class, [0, 0, 0])
        for place, count in enumerate((cell.old, cell.new, cell.unknown)):
            counts[place] += count
    compared = not isinstance(report, RadiusReport)
    classes = {key for row in table.values() for key in row}
    columns = _ranked({key: _column(table, key) for key in classes})
    identities = _ranked({identity: _total(row) for identity, row in table.items()})
    shown, picked = columns[:_COLUMNS], identities[:_ROWS]
    rows = [_row(identity, table[identity], shown, names, compared) for identity in picked]
    return {
        "columns": [middle(visible(column), 40) for column in shown],
        "rows": rows,
        "totals": _totals(table, shown, compared) if len(identities) > 1 else [],
        "note": _note(len(identities) - len(picked), len(columns) - len(shown))
        + _summed_up(report),
    }


def _column(table: dict[str, dict[str, list[int]]], key: str) -> list[int]:
    return _total({identity: row[key] for identity, row in table.items() if key in row})


def _total(row: dict[str, list[int]]) -> list[int]:
    return [sum(counts[place] for counts in row.values()) for place in range(3)]


def _ranked(totals: dict[str, list[int]]) -> list[str]:
    """Most growth first, then most reach."""
    return sorted(totals, key=lambda key: (totals[key][0] - totals[key][1], -totals[key][1], key))


def _note(rows: int, columns: int) -> str:
    parts = [f"{rows:,} identities"] * (rows > 0) + [f"{columns:,} classes"] * (columns > 0)
    return f" {' and '.join(parts)} with less growth are left out; totals count them." * bool(
        parts
    )


def _summed_up(report: Report) -> str:
    """Of a radius what is listed is counted, so whatever is not listed is not."""
    if not isinstance(report, RadiusReport) or not report.summed_up:
        return ""
    return " Of what can be taken over only what is listed below counts here, the sensitive."


def _totals(
    table: dict[str, dict[str, list[int]]], columns: list[str], compared: bool
) -> list[dict[str, str]]:
    sums = [_column(table, column) for column in columns]
    sums.append(_total({identity: _total(row) for identity, row in table.items()}))
    cells = [_cell(counts, compared) for counts in sums]
    return [{**cell, "look": f"total {cell['look']}"} for cell in cells]


def _row(
    identity: str,
    counts: dict[str, list[int]],
    columns: list[str],
    names: Names,
    compared: bool,
) -> dict[str, Any]:
    cells = [_cell(counts.get(column, [0, 0, 0]), compared) for column in columns]
    total = _cell(_total(counts), compared)
    total["look"] = f"total {total['look']}"
    thing = names.thing(identity)
    return {
        "label": middle(thing.label, 60),
        "full": middle(visible(identity), 2048),
        "cells": [*cells, total],
    }


def _cell(counts: list[int], compared: bool) -> dict[str, str]:
    old, new, unknown = counts
    both = f"{old:,} → {new:,}" if compared and old != new else f"{new:,}"
    words = both if old or new else ""
    if unknown:
        words = f"{words} ? {unknown:,}".strip()
        return {"words": words, "look": "open"}
    if not words:
        return {"words": "", "look": ""}
    look = "even" if old == new or not compared else "more" if new > old else "less"
    return {"words": words, "look": look}
