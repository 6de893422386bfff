"""The sentence: snapshot and release in, radius, difference and findings out, as a report."""

from __future__ import annotations

from modelreach.gate.verdict import GateOptions
from modelreach.pipeline.compare import diff_report
from modelreach.pipeline.evaluate import Release, Side, evaluate
from modelreach.pipeline.scan import radius_report

__all__ = ["GateOptions", "Release", "Side", "diff_report", "evaluate", "radius_report"]
