"""What is reached and not listed, in numbers and in words: what is in scopes that can be taken
over, and who has the same no better.

Every form that lists what is reached says so, that nobody takes the list for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelreach.report import DiffReport, RadiusReport, Report, SummedUpRow, Ticket
from modelreach_reports.naming import Names
from modelreach_reports.safe import full, middle

#: What is counted of a scope, and how a table titles it.
COLUMNS = (
    ("Resources", "resources"),
    ("of them sensitive", "sensitive"),
    ("Identities reached", "identities"),
    ("Grants by pattern", "patterns"),
)
_LONGEST = 200


def summed_up_words(report: Report | Ticket) -> str:
    """Say how much there is of which not all is listed, and what is; empty where all is."""
    return " ".join(filter(None, (_by_taking(report), no_better_words(report))))


def _by_taking(report: Report | Ticket) -> str:
    if not report.summed_up:
        return ""
    counts = [counted_words(report, "resources", "resource")] * _any(report, "resources")
    if _any(report, "patterns") or not counts:
        counts.append(f"{counted_words(report, 'patterns', 'grant')} by pattern")
    listed = "what is sensitive is" if _is_alone(report) else "changes of what is sensitive are"
    return (
        f"In what can be taken over: {', '.join(counts)}. "
        f"Of these only {listed} listed; the rest is counted."
    )


def no_better_words(report: Report | Ticket) -> str:
    """Say how many grants are not listed as better ones on the same things are; empty for none."""
    number = report.no_better if isinstance(report, RadiusReport) else 0
    if not number:
        return ""
    ways = "1 other grant is" if number == 1 else f"{number:,} other grants are"
    return f"Each thing is listed with the best ways to it; {ways} no better, and left out."


def _any(report: Report | Ticket, key: str) -> bool:
    return any(getattr(row, key) for row in report.summed_up)


def counted_words(report: Report | Ticket, key: str, noun: str, arrow: str = "→") -> str:
    """Give how many of something all scopes that can be taken over have together, old and new."""
    old, new = (_sum(report.summed_up, key, side) for side in ("old", "new"))
    plural = noun if new == 1 else f"{noun}s"
    return f"{_told(old, new, arrow, compared=not _is_alone(report))} {plural}"


def summed_up(report: Report, names: Names, most: int) -> list[dict[str, Any]]:
    """Give a row for each scope that can be taken over, at most so many."""
    compared = not _is_alone(report)
    rows: dict[str, list[SummedUpRow]] = {}
    for row in report.summed_up:
        rows.setdefault(row.scope, []).append(row)
    return [
        {
            "scope": middle(names.scope(scope), _LONGEST),
            "scope_full": full(scope),
            "cells": [
                _told(_sum(own, key, "old"), _sum(own, key, "new"), "→", compared=compared)
                for _, key in COLUMNS
            ],
        }
        for scope, own in sorted(rows.items())[:most]
    ]


def _is_alone(report: Report | Ticket) -> bool:
    """Is there one side only?"""
    return not isinstance(report, DiffReport | Ticket)


def _sum(rows: Sequence[SummedUpRow], key: str, side: str) -> int:
    """A radius has no sides; it is what is new."""
    return sum(getattr(row, key) for row in rows if (row.side or "new") == side)


def _told(old: int, new: int, arrow: str, *, compared: bool) -> str:
    return f"{old:,} {arrow} {new:,}" if compared and old != new else f"{new:,}"
