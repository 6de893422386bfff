"""Renderers: a report in, bytes out; pure, deterministic, and safe with hostile names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelreach.report import Report


@dataclass(frozen=True, slots=True)
class Format:
    """A renderer: a function from report to bytes, and the file name endings that choose it."""

    suffixes: tuple[str, ...]
    function: Callable[[Report], bytes]

    def __call__(self, report: Report) -> bytes:
        """Give the report in this form. Raises `MissingExtra` when its packages are absent."""
        return self.function(report)
