"""The changes (or grants) as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelreach.model import MissingExtra
from modelreach.report import ChangeRow, GrantRow, Report
from modelreach_reports import Format
from modelreach_reports.safe import end, visible
from modelreach_reports.story import ranked_rows
from modelreach_reports.words import where_words

_SHARED = (
    "identity",
    "provider",
    "scope",
    "resource",
    "resource_kind",
    "resource_name",
    "pattern",
    "capability",
    "actions",
    "verdict",
    "depends_on",
    "strength",
    "sensitivity",
    "sensitive_because",
)
_CHANGE = ("kind", *_SHARED, "old_verdict", "new_verdict", "caused_by", "findings")
_WITNESS = ("path", "granted_by", "statement")

#: What a spreadsheet takes for the start of a formula, in its wide forms too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
#: Excel cuts a cell at 32,767 characters.
_LONGEST = 32_000


def neutral(text: str) -> str:
    """Give the text such that no spreadsheet computes it: on one line, `'` before a formula."""
    shown = end(visible(text), _LONGEST)
    return f"'{shown}" if text.lstrip(" ").startswith(_FORMULA) else shown


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return neutral(" ".join(str(part) for part in value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return neutral(str(value))


def _row(row: ChangeRow | GrantRow, columns: Sequence[str]) -> dict[str, str]:
    cells = {name: _cell(getattr(row, name)) for name in columns}
    cells["path"] = neutral(" > ".join(hop.object for hop in row.witness))
    last = row.witness[-1] if row.witness else None
    cells["granted_by"] = (
        neutral(where_words(last.layer, last.policy, last.target, last.sid)) if last else ""
    )
    cells["statement"] = neutral(last.statement) if last else ""
    return cells


def _render(report: Report) -> bytes:
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise MissingExtra("tables", "format `csv`") from error
    rows = ranked_rows(report)
    columns = _CHANGE if report.schema == "modelreach.diff/1" else _SHARED
    cells: list[dict[str, Any]] = [_row(row, columns) for row in rows]
    frame = DataFrame(cells, columns=[*columns, *_WITNESS], dtype=str)
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8", "replace")


render_csv = Format((".csv",), _render)
