"""The report on paper: PDF for a board, the same parts in the same order as the page.

Set by typst, which needs no browser and no fonts of the machine: the same report gives the same
bytes everywhere. Names go in as JSON strings, never as markup. The file is tagged, and checked
against PDF/UA-1 while it is made.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Any

import msgspec

from modelreach.model import MissingExtra, ModelreachError
from modelreach.report import RadiusReport, Report
from modelreach_reports import Format, plain_layout
from modelreach_reports.graph import drawing
from modelreach_reports.html import picture_of
from modelreach_reports.layout import Engine
from modelreach_reports.pageview import page
from modelreach_reports.safe import escape, short

#: Paper has room for fewer; the page, the JSON and the CSV have more.
FINDINGS, ROWS = 200, 400
_ROOM = {
    "findings": FINDINGS,
    **dict.fromkeys(("changes", "takeovers", "summed_up", "gaps"), ROWS),
}

#: What the fonts that typst brings can show. The rest is shown as escapes: typst 0.15 stops at
#: some scripts that it has no font for, and a machine's own fonts would give other bytes.
_SHOWN = (
    *((0x20, 0x7E), (0xA1, 0x24F), (0x370, 0x4FF), (0x2010, 0x2027), (0x2030, 0x2040)),
    *((0x2044, 0x2052), (0x20A0, 0x20C0), (0x2190, 0x23FF), (0x2500, 0x262F)),
)
_OTHER = re.compile(
    "[^" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _SHOWN) + "]|[\u0483-\u0489]"
)


def printable(text: str) -> str:
    """Give a text with every character as an escape that no font of typst's shows."""
    return _OTHER.sub(lambda match: escape(match.group()), text)


def _render(report: Report) -> bytes:
    svg, note = picture_of(report, _engine())
    shown = {**_cut(page(report)), "picture_note": note, "date": _date(report)}
    return composed("page.typ", shown, _picture(svg))


def _render_graph(report: Report) -> bytes:
    shown = {"title": _title(report), "date": _date(report)}
    return composed("graph.typ", shown, _picture(drawing(report, _engine())))


def _engine() -> Engine | None:
    """The way to lay out that asks no fonts of the machine, where it works."""
    try:
        return plain_layout.load()
    except plain_layout.NotUsable:
        return None


def _picture(svg: str) -> dict[str, bytes]:
    lines = map(printable, svg.split("\n"))
    return {"graph.svg": "\n".join(lines).encode()}


def _title(report: Report) -> str:
    release = report.release if isinstance(report, RadiusReport) else report.new
    return f"Access graph of {short(release.name)} {short(release.version)}"


def _cut(view: dict[str, Any]) -> dict[str, Any]:
    """Leave out what paper has no room for, and say so."""
    del view["explorer"]
    for part, most in _ROOM.items():
        rows = view[part]
        if len(rows) > most:
            more = f"{len(rows) - most} more of the page are left out on paper."
            view[part] = rows[:most]
            view[f"{part}_note"] = f"{more} {view[f'{part}_note']}".strip()
    return view


def _date(report: Report) -> tuple[int, ...] | None:
    """The day that the estate was seen, as nothing here reads a clock."""
    release = report.release if isinstance(report, RadiusReport) else report.new
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T.*", release.taken_at)
    return tuple(map(int, found.groups())) if found else None


def composed(template: str, shown: object, more: dict[str, bytes], *, form: str = "pdf") -> bytes:
    """Set a template of ours with these values; `more` are files that it reads.

    Raises `MissingExtra` without typst, and `ModelreachError` where it cannot set the page.
    """
    typst = _typst()
    values = msgspec.json.encode(_printable(shown))
    sources = {"main.typ": _template(template), "page.json": values, **more}
    standards = ["ua-1"] if form == "pdf" else []
    try:
        made = typst.compile(
            sources, format=form, ignore_system_fonts=True, pdf_standards=standards
        )
    except typst.TypstError as error:
        raise ModelreachError(f"the report cannot be set on paper: {error}") from error
    return bytes(made)


def _typst() -> ModuleType:
    try:
        import typst
    except ImportError as error:
        raise MissingExtra("pdf", "format `pdf`") from error
    module: ModuleType = typst
    return module


@cache
def _template(name: str) -> bytes:
    return files("modelreach_reports").joinpath("page", name).read_bytes()


def _printable(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return value


render = Format((".pdf",), _render)
render_graph = Format((".graph.pdf",), _render_graph)
