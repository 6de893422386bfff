"""Makes names from elsewhere harmless: what a cloud calls a thing is hostile input.

Everything invisible, reordering or controlling is shown as an escape (`\\x1b`, `\\u202e`), so a
reader still recognises the name and no terminal, browser or spreadsheet obeys it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Categories that draw nothing of their own or control the rest: controls, formats (bidi
#: overrides, zero-width), surrogates, private use, unassigned, line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

#: Letters, marks and blanks that are drawn as nothing: fillers, variation selectors, blank cell.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0").union(
    map(chr, range(0xFE00, 0xFE10)), map(chr, range(0xE0100, 0xE01F0))
)

_PLAIN = re.compile(r"[ -~]*\Z")


def is_hidden(char: str) -> bool:
    """Does a character hide, move or control what is around it?"""
    category = unicodedata.category(char)
    return category in _INVISIBLE or char in _BLANK or (category == "Zs" and char != " ")


def escape(char: str) -> str:
    """Give a character as a person would write it in a string literal."""
    code = ord(char)
    if code < 0x100:
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@lru_cache(maxsize=65536)
def visible(text: str, *, ascii_only: bool = False) -> str:
    """Give the text on one line with every hidden character shown as an escape.

    With `ascii_only` so is every character outside ASCII.
    """
    if _PLAIN.match(text):
        return text
    return "".join(
        escape(char) if is_hidden(char) or (ascii_only and char > "~") else char for char in text
    )


def cells(text: str) -> int:
    """Give how many columns a terminal needs at most; combining marks count as one."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _head(text: str, width: int) -> str:
    used = 0
    for place, char in enumerate(text):
        used += cells(char)
        if used > width:
            return text[:place]
    return text


def middle(text: str, width: int, *, ellipsis: str = "…") -> str:
    """Shorten in the middle to that many columns, keeping more of the tail, where names differ."""
    if cells(text) <= width:
        return text
    room = width - cells(ellipsis)
    if room < 2:
        return _head(text, max(width, 0))
    front = room // 3
    back = _head(text[::-1], room - front)[::-1]
    return _head(text, front) + ellipsis + back


def end(text: str, width: int, *, ellipsis: str = "…") -> str:
    """Shorten at the end to that many columns; for sentences, whose beginning matters."""
    if cells(text) <= width:
        return text
    head = _head(text, max(width - cells(ellipsis), 0))
    words, blank, last = head.rpartition(" ")
    tidy = words if blank and cells(last) < 9 and len(words) > len(last) else head
    return tidy + ellipsis


#: A name or sentence in a table, and one that is shown on demand.
LONGEST, LONGEST_FULL = 120, 2048


def short(text: str, width: int = LONGEST) -> str:
    """Give a text for a table: harmless, and cut in the middle to that many columns."""
    return middle(visible(text), width)


def full(text: str) -> str:
    """Give a text as it is shown on demand: harmless, and nearly whole."""
    return middle(visible(text), LONGEST_FULL)


def json_bytes(found: object) -> bytes:
    """Give JSON of a form of somebody else's: sorted, and valid whatever is in its texts."""
    import json

    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True)
    return (text + "\n").encode(errors="backslashreplace")
