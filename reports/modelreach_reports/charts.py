"""Small charts of a number over time: steps, since an audit's numbers hold until the next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

_WIDTH: Final = 560
_HEIGHT: Final = 96
_TOP: Final = 10
_SPARK: Final = (120, 24)


class Chart(msgspec.Struct, frozen=True):
    """A chart, as the template draws it. `line` is the path; below `floor` nothing is drawn.
    `marks` are where approvals are; `blind` are stretches in which something was not read."""

    title: str
    line: str
    marks: tuple[int, ...]
    blind: tuple[tuple[int, int], ...]
    first: int
    last: int
    lowest: int
    highest: int
    width: int = _WIDTH
    height: int = _HEIGHT

    @property
    def label(self) -> str:
        """All that it shows, in words."""
        return (
            f"{self.title}: {self.first} at first, {self.last} now, "
            f"between {self.lowest} and {self.highest}"
        )

    @property
    def way(self) -> str:
        return "up" if self.last > self.first else "down" if self.last < self.first else "level"


class Clock(msgspec.Struct, frozen=True):
    """Where a time is, from left to right."""

    begin: float
    end: float

    @staticmethod
    def over(times: Sequence[str]) -> Clock:
        return Clock(seconds(times[0]), seconds(times[-1]))

    def place(self, moment: str) -> int:
        span = self.end - self.begin
        share = (seconds(moment) - self.begin) / span if span > 0 else 1.0
        return round(min(max(share, 0.0), 1.0) * _WIDTH)


def seconds(moment: str) -> float:
    """Give a time of RFC 3339 as seconds since 1970."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def chart(
    title: str,
    points: Sequence[tuple[int, int]],
    marks: Iterable[int],
    blind: Iterable[tuple[int, int]],
) -> Chart | None:
    """Give a chart of (place, value), or none when there is nothing to draw: values below
    zero stand for not known and leave the line out."""
    known = [value for _, value in points if value >= 0]
    if not known:
        return None
    low, high = min(known), max(known)
    return Chart(
        title=title,
        line=_steps([(x, _height(v, high) if v >= 0 else None) for x, v in points], _WIDTH),
        marks=tuple(sorted({*marks})),
        blind=tuple(blind),
        first=known[0],
        last=known[-1],
        lowest=low,
        highest=high,
    )


def _height(value: int, highest: int) -> int:
    share = value / highest if highest else 0.0
    return round(_HEIGHT - share * (_HEIGHT - _TOP))


def _steps(points: Sequence[tuple[int, int | None]], end: int) -> str:
    """Give the path; equal neighbours are one stroke: a year is as small as its changes."""
    parts: list[str] = []
    at: int | None = None
    for x, y in points:
        if y == at:
            continue
        if at is None:
            parts.append(f"M{x} {y}")
        elif y is None:
            parts.append(f"H{x}")
        else:
            parts.append(f"H{x}V{y}")
        at = y
    if at is not None:
        parts.append(f"H{end}")
    return "".join(parts)


def spark(values: Sequence[int]) -> str:
    """Give the path of a line that fits into a row of text: 120 wide, 24 high."""
    width, height = _SPARK
    high = max(values, default=0)
    if len(values) < 2:
        return ""
    step = width / (len(values) - 1)
    places = [
        (round(number * step), round(height - 2 - (value / high if high else 0) * (height - 4)))
        for number, value in enumerate(values)
    ]
    return _steps(places, width)
