"""The changes (or grants) as CSV, Excel and Parquet, safe to open in a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from modelreach.model import MissingExtra
from modelreach.report import ChangeRow, GrantRow, Report, SummedUpRow, ranked_findings
from modelreach_reports import Format
from modelreach_reports.naming import Names
from modelreach_reports.phrases import finding_words
from modelreach_reports.safe import end, visible
from modelreach_reports.story import ranked_rows
from modelreach_reports.words import stops, where_words

if TYPE_CHECKING:
    from pandas import DataFrame

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
_CHANGE = (
    "kind",
    *_SHARED,
    "old_verdict",
    "new_verdict",
    "caused_by",
    "findings",
    "tools",
    "opened_by",
)
_GRANT = (*_SHARED, "findings", "tools")
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
    cells["path"] = neutral(" > ".join(stops(row.witness)))
    last = row.witness[-1] if row.witness else None
    cells["granted_by"] = (
        neutral(where_words(last.layer, last.policy, last.target, last.sid)) if last else ""
    )
    cells["statement"] = neutral(last.statement) if last else ""
    return cells


def _frame(report: Report, form: str) -> DataFrame:
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise MissingExtra("tables", f"format `{form}`") from error
    rows = ranked_rows(report)
    columns = _CHANGE if report.schema == "modelreach.diff/2" else _GRANT
    cells: list[dict[str, Any]] = [_row(row, columns) for row in rows]
    return DataFrame(cells, columns=[*columns, *_WITNESS], dtype=str)


def _csv(report: Report) -> bytes:
    text: str = _frame(report, "csv").to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8", "replace")


def _parquet(report: Report) -> bytes:
    frame = _frame(report, "parquet")
    try:
        import pyarrow  # noqa: F401 - what pandas writes it with
    except ImportError as error:
        raise MissingExtra("parquet", "format `parquet`") from error
    out = BytesIO()
    frame.to_parquet(out, index=False, engine="pyarrow")
    return out.getvalue()


def _xlsx(report: Report) -> bytes:
    frame = _frame(report, "xlsx")
    try:
        import openpyxl  # noqa: F401 - what pandas writes it with
        from pandas import ExcelWriter
    except ImportError as error:
        raise MissingExtra("tables", "format `xlsx`") from error
    out = BytesIO()
    sheets = {"reach": frame, "findings": _findings(report), "not read": _gaps(report)}
    if report.summed_up:
        sheets["taken over"] = _summed_up(report)
    with ExcelWriter(out, engine="openpyxl") as book:
        for name, rows in sheets.items():
            rows.to_excel(book, index=False, sheet_name=name, freeze_panes=(1, 0))
            _fit(book.sheets[name], rows)
    return _timeless(out.getvalue())


#: In characters; and how many rows are looked at for it.
_WIDEST = 60
_LOOKED_AT = 200


def _fit(sheet: Any, rows: DataFrame) -> None:
    """Give each column the width of what is in it, and a filter."""
    from openpyxl.utils import get_column_letter

    for number, name in enumerate(rows.columns, 1):
        longest = max((len(str(cell)) for cell in rows[name].head(_LOOKED_AT)), default=0)
        width = min(max(longest, len(name) + 2), _WIDEST)
        sheet.column_dimensions[get_column_letter(number)].width = width + 2
    sheet.auto_filter.ref = sheet.dimensions


_FINDING = ("id", "severity", "state", "rule", "subject", "subject_kind", "identity")
_GAP = (
    *("provider", "scope", "region", "kind", "subject", "operation", "reason", "permission"),
    *("leaves_unknown", "side"),
)


def _findings(report: Report) -> DataFrame:
    from pandas import DataFrame

    names = Names(report)
    cells = [
        {name: _cell(getattr(row, name)) for name in _FINDING}
        | {
            "finding": neutral(finding_words(row, names).replace("`", "")),
            "fix": neutral(names.prose(row.fix).replace("`", "")),
            "waived_until": _cell(row.waived.expires if row.waived else ""),
        }
        for row in ranked_findings(report)
    ]
    return DataFrame(cells, columns=[*_FINDING, "finding", "fix", "waived_until"], dtype=str)


def _gaps(report: Report) -> DataFrame:
    """What was not read, and what that leaves unknown."""
    from pandas import DataFrame

    cells = [{name: _cell(getattr(gap, name)) for name in _GAP} for gap in report.gaps]
    return DataFrame(cells, columns=list(_GAP), dtype=str)


def _summed_up(report: Report) -> DataFrame:
    """What is in scopes that can be taken over, of which not all has a row of its own."""
    from pandas import DataFrame

    cells = [
        {key: _count(getattr(row, key)) for key in SummedUpRow.__struct_fields__}
        for row in report.summed_up
    ]
    return DataFrame(cells)


def _count(value: object) -> object:
    return value if isinstance(value, int) else _cell(value)


#: When a workbook says that it was written: equal reports give equal bytes.
_WRITTEN = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def _timeless(raw: bytes) -> bytes:
    """Give a workbook without the moment at which it was written."""
    out = BytesIO()
    with ZipFile(BytesIO(raw)) as before, ZipFile(out, "w", ZIP_DEFLATED) as after:
        for name in sorted(before.namelist()):
            content = before.read(name)
            if name == "docProps/core.xml":
                content = _WRITTEN.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            after.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, ZIP_DEFLATED)
    return out.getvalue()


render_csv = Format((".csv",), _csv)
parquet = Format((".parquet",), _parquet)
xlsx = Format((".xlsx",), _xlsx)
