"""Lines of a terminal: spans with an ink, laid out by us, coloured by rich only when asked.

Nothing here interprets markup, so no name can be read as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from modelreach_reports.safe import cells, end, middle, visible

if TYPE_CHECKING:
    from rich.style import Style


class Ink(StrEnum):
    """What a span means; the value is the rich style that shows it on dark and light grounds."""

    PLAIN = ""
    STRONG = "bold"
    FAINT = "dim"
    GAINED = "red"
    LOST = "dim green"
    CHANGED = "yellow"
    UNKNOWN = "magenta"
    SENSITIVE = "bold red"
    BAD = "bold white on red"
    WARN = "bold black on yellow"
    GOOD = "bold black on green"


Span = tuple[str, Ink]
Line = tuple[Span, ...]

BLANK: Line = ()


class Glyphs(msgspec.Struct, frozen=True):
    """The signs of a terminal that shows UTF-8."""

    arrow: str = "→"
    minus: str = "−"
    dot: str = "·"
    ellipsis: str = "…"
    branch: str = "├─ "
    last: str = "└─ "
    bar: str = "│  "
    blank: str = "   "


ASCII = Glyphs("->", "-", "-", "...", "|- ", "`- ", "|  ", "   ")


class Look(msgspec.Struct, frozen=True):
    """How to show it: columns, colour, ASCII only, all changes or what matters most."""

    width: int = 80
    color: bool = False
    ascii_only: bool = False
    show_all: bool = False

    @property
    def glyphs(self) -> Glyphs:
        """The signs for this terminal."""
        return ASCII if self.ascii_only else Glyphs()

    def name(self, text: str, width: int) -> str:
        """Give a name in at most that many columns, its tail kept."""
        shown = visible(text, ascii_only=self.ascii_only)
        return middle(shown, width, ellipsis=self.glyphs.ellipsis)

    def phrase(self, text: str, width: int) -> str:
        """Give a sentence in at most that many columns, its beginning kept."""
        shown = visible(text, ascii_only=self.ascii_only)
        return end(shown, width, ellipsis=self.glyphs.ellipsis)

    def several(self, words: Sequence[str], width: int) -> str:
        """Give as many of the words as there is room for, and how many more there are."""
        for kept in range(len(words), 0, -1):
            more = f" +{len(words) - kept}" if kept < len(words) else ""
            told = visible(", ".join(words[:kept]) + more, ascii_only=self.ascii_only)
            if cells(told) <= width:
                return told
        return self.phrase(", ".join(words), width)


def length(line: Iterable[Span]) -> int:
    """Give the columns that a line takes."""
    return sum(cells(text) for text, _ in line)


def pad(text: str, width: int) -> str:
    """Fill up with blanks to that many columns."""
    return text + " " * (width - cells(text))


def wrap(text: str, width: int) -> Iterator[str]:
    """Break a harmless text at blanks, and within a word that is wider than the line."""
    row = ""
    for word in text.split(" "):
        while cells(word) > width:
            if row:
                yield row
                row = ""
            cut = _cut(word, width)
            yield word[:cut]
            word = word[cut:]
        if row and cells(row) + 1 + cells(word) > width:
            yield row
            row = word
        else:
            row = f"{row} {word}" if row else word
    if row:
        yield row


def _cut(word: str, width: int) -> int:
    used = 0
    for place, char in enumerate(word):
        used += cells(char)
        if used > width:
            return max(place, 1)
    return len(word)


def hanging(
    lead: Sequence[Span],
    text: str,
    look: Look,
    ink: Ink = Ink.PLAIN,
    *,
    under: Sequence[Span] | None = None,
) -> Iterator[Line]:
    """Give `lead` and then the text, continued under itself, or after `under` as often."""
    indent = length(lead)
    beneath = ((" " * indent, Ink.PLAIN),) if under is None else tuple(under)
    shown = visible(text, ascii_only=look.ascii_only)
    rows = list(wrap(shown, max(look.width - indent, 20))) or [""]
    for number, row in enumerate(rows):
        yield (*(beneath if number else lead), (row, ink))


def shortened(lines: Sequence[Line], rows: int, look: Look) -> Sequence[Line]:
    """Give at most that many lines; the last one says by an ellipsis that there was more."""
    if len(lines) <= rows:
        return lines
    *before, (text, ink) = lines[rows - 1]
    shown = look.phrase(f"{text} {look.glyphs.ellipsis}", look.width - length(before))
    return [*lines[: rows - 1], (*before, (shown, ink))]


@lru_cache
def _style(ink: Ink) -> Style:
    from rich.style import Style

    return Style.parse(ink.value)


def _coloured(line: Line) -> str:
    from rich.color import ColorSystem

    return "".join(
        _style(ink).render(text, color_system=ColorSystem.STANDARD) if ink.value else text
        for text, ink in line
    )


def _fitted(line: Line, look: Look) -> Line:
    """Cut a line that is too wide after all: nothing may break the tree of a terminal."""
    if length(line) <= look.width:
        return line
    room, kept = look.width, []
    for text, ink in line:
        shown = end(text, room, ellipsis=look.glyphs.ellipsis)
        kept.append((shown, ink))
        room -= cells(shown)
        if shown != text or room <= 0:
            break
    return tuple(kept)


def _trimmed(line: Line) -> Line:
    while line and not line[-1][0].rstrip():
        line = line[:-1]
    return (*line[:-1], (line[-1][0].rstrip(), line[-1][1])) if line else line


def paint(lines: Iterable[Line], look: Look) -> bytes:
    """Give the bytes of the lines, without blanks at their ends."""
    rows = []
    for wide in lines:
        line = _trimmed(_fitted(wide, look))
        rows.append(_coloured(line) if look.color else "".join(text for text, _ in line))
    return ("\n".join(rows) + "\n").encode("utf-8", "replace")
