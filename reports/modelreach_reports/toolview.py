"""The tools of a release for the page: what is declared of each, and what each opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from modelreach.report import DiffReport, Report, ToolRow
from modelreach_reports.naming import Names
from modelreach_reports.safe import full, short

View = dict[str, Any]

#: More tools than a person looks through.
_SHOWN = 200
_LOOKS = {"new": "gained", "gone": "lost", "changed": "changed"}
_APPROVED = {"none": "none", "human": "by a human", "policy": "by a policy", "": "not declared"}


def tools(report: Report, names: Names) -> View:
    """Give the rows, those that opened most and are new first; and how many are left out."""
    states = ("new", "changed", "unchanged", "gone")
    rows = sorted(
        report.tools,
        key=lambda row: (-row.opens, *([states.index(row.state)] if row.state else []), row.id),
    )
    compared = isinstance(report, DiffReport)
    shown = [
        _row(row, names, compared) | {"rows": 0 if place else len(alike)}
        for alike in _alike(rows[:_SHOWN])
        for place, row in enumerate(alike)
    ]
    return {
        "tools": shown,
        "tools_note": _note(compared, max(len(rows) - _SHOWN, 0)),
    }


def _alike(rows: Sequence[ToolRow]) -> Iterable[list[ToolRow]]:
    """Put those together that act as one identity, and so reach the same: it is told once."""
    groups: dict[object, list[ToolRow]] = {}
    for row in rows:
        whom = row.principals or row.runs_as or row.id
        same = (row.state == "gone", whom, row.credential, _reaches(row))
        groups.setdefault(same, []).append(row)
    return groups.values()


def _note(compared: bool, more: int) -> str:
    told = ["The model reaches what its tools reach."]
    if compared:
        told.append(
            "A change is opened by the tools that fit it best, if all of them are new or act as "
            "somebody else."
        )
    told += [f"{more:,} more tools are in the JSON."] if more else []
    return " ".join(told)


def _row(row: ToolRow, names: Names, compared: bool) -> View:
    whom = ", ".join(names.thing(principal).label for principal in row.principals)
    by = f" (by {row.credential})" if row.credential else ""
    return {
        "name": short(row.id),
        "full": full(row.id),
        "state": row.state if compared else "",
        "look": _LOOKS.get(row.state, "before"),
        "kind": short(row.kind.replace("-", " ")),
        "effect": short(row.effect) or "not declared",
        "approval": short(_APPROVED.get(row.approval, row.approval)),
        "input": short(row.input_trust) or "not declared",
        "runs_as": short((whom or row.runs_as or "not declared") + by, 120),
        "reaches": _reaches(row),
        "opens": row.opens,
    }


def _reaches(row: ToolRow) -> str:
    parts = [f"resources: {row.resources:,}"]
    parts += [f"sensitive: {row.sensitive:,}"] if row.sensitive else []
    parts += [f"takes over: {row.administers:,}"] if row.administers else []
    return ", ".join(parts)
