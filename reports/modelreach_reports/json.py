"""The report as JSON, safe to print: invisible characters are written as `\\uXXXX`.

The document is the same JSON value as `modelreach.report_file.encode` gives.
"""

from __future__ import annotations

import re

from modelreach.report import Report
from modelreach.report_file import encode
from modelreach_reports import Format


def _escaped(match: re.Match[str]) -> str:
    from modelreach_reports.safe import is_hidden

    char = match.group()
    if not is_hidden(char):
        return char
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _render(report: Report) -> bytes:
    made = encode(report)
    if made.isascii() and b"\x7f" not in made:
        return made
    # Outside strings JSON is ASCII, so whatever is hidden stands within a string.
    return re.sub(r"[^\x00-\x7e]", _escaped, made.decode()).encode()


render = Format((".json",), _render)
