"""Renderers: a report in, bytes out; pure, deterministic, and safe with hostile names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from modelreach.report import Report

Rendered = TypeVar("Rendered", bytes, Mapping[str, bytes])


class Format(msgspec.Struct, Generic[Rendered], frozen=True):
    """A renderer: a function from report to bytes, or to the files of a folder by name; and the
    file name endings that choose it."""

    suffixes: tuple[str, ...]
    function: Callable[[Report], Rendered]

    def __call__(self, report: Report) -> Rendered:
        """Give the report in this form. Raises `MissingExtra` when its packages are absent."""
        return self.function(report)
