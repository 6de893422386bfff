"""How much of the difference of two numbers cannot be told."""

from __future__ import annotations

import msgspec

from modelreach.report import DiffReport, Figures

#: Which of a side's numbers says of how many things it cannot tell.
_UNSEEN = {"resources": "unseen", "sensitive": "unseen_sensitive"}


class Unsure(msgspec.Struct, frozen=True):
    """Of `number` things one side cannot tell; `known` put right what else their absence would
    make of the difference."""

    number: int = 0
    known: int = 0


def unsure(report: DiffReport, key: str) -> Unsure:
    """Give it for one of the figures."""
    old, new = (_of(figures, key) for figures in (report.summary.old, report.summary.new))
    return Unsure(old + new, new - old)


def _of(figures: Figures, key: str) -> int:
    found: int = getattr(figures, _UNSEEN[key]) if key in _UNSEEN else 0
    return found
