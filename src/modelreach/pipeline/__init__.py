"""The sentence: snapshot and release in, radius, difference and findings out, as a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelreach.gate.verdict import GateOptions
from modelreach.pipeline.compare import diff_of, diff_report
from modelreach.pipeline.evaluate import Release, Side, evaluate

if TYPE_CHECKING:
    from modelreach.pipeline.scan import radius_of, radius_report

__all__ = [
    "GateOptions",
    "Release",
    "Side",
    "diff_of",
    "diff_report",
    "evaluate",
    "radius_of",
    "radius_report",
]


def __getattr__(name: str) -> object:
    # A comparison has no need of it.
    if name not in ("radius_of", "radius_report"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from modelreach.pipeline import scan

    return getattr(scan, name)
