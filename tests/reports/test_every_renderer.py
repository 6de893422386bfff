"""Every registered form of output, by entry point, survives every name that a cloud may give.

The tables below name every entry point: one that is new has to be given its check. What a form has
to hold beyond this is in the tests of its own.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from modelreach import plugins
from modelreach.report import Report
from modelreach.report_file import decode
from modelreach_reports.layout import MissingLibraries

Poison = Callable[[str, str], Report]

KNOWN = [
    "</script><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "[/red]",
    "\x1b[2J\x1b]8;;http://evil\x07",
    "gpj.\u202eexe\u2066\u2069",
    "line\r\nbreak\n# heading\n|cell|",
    "n" * 4000,
    '"><svg/onload=alert(1)>',
    "]]> &amp; <!-- -->",
    "'}) DETACH DELETE (n) //",
    "```\n[x](javascript:alert(1))",
    "a:b\\",
]
NAMES = st.one_of(st.sampled_from(KNOWN), st.text(max_size=30))


def hidden(shown: str) -> set[str]:
    """What no output may hold, apart from line feeds and the tabs that indent."""
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {char for char in shown if unicodedata.category(char) in kinds and char not in "\n\t"}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from (str(key), *texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def of_text(raw: bytes, report: Report) -> Iterable[str]:
    return raw.decode().splitlines()


def of_json(raw: bytes, report: Report) -> Iterable[str]:
    assert decode(raw) == report
    return [raw.decode()]


def of_somebodys_json(raw: bytes, report: Report) -> Iterable[str]:
    return texts(json.loads(raw))


class Page(HTMLParser):
    """The words of a page, which has no handler of events and one script."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("img", "iframe", "object", "embed", "link", "base")
        assert not any(name.startswith("on") for name, _ in attrs)
        assert not any(str(value).startswith("javascript:") for _, value in attrs)
        self.scripts += tag == "script" and dict(attrs).get("type", "") in ("", "module")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def of_html(raw: bytes, report: Report) -> Iterable[str]:
    page = Page()
    page.feed(raw.decode())
    page.close()
    assert page.scripts == 1
    return page.words


def of_xml(raw: bytes, report: Report) -> Iterable[str]:
    tree = ElementTree.fromstring(raw)
    assert not {element.tag.rpartition("}")[2] for element in tree.iter()} & {"script", "image"}
    yield from tree.itertext()
    for element in tree.iter():
        assert not any(name.startswith("on") for name in element.attrib)
        yield from element.attrib.values()


def uncomputed(cells: Iterable[str]) -> Iterable[str]:
    """Cells that no spreadsheet computes."""
    for cell in cells:
        assert not cell.lstrip(" ").startswith(tuple("=+-@＝＋－＠"))
        yield cell


def of_csv(raw: bytes, report: Report) -> Iterable[str]:
    rows = list(csv.reader(io.StringIO(raw.decode()), strict=True))
    assert len({len(row) for row in rows}) == 1
    return uncomputed(cell for row in rows for cell in row)


def of_parquet(raw: bytes, report: Report) -> Iterable[str]:
    frame = pandas.read_parquet(io.BytesIO(raw))
    return uncomputed(str(cell) for row in frame.itertuples(index=False) for cell in row)


def of_xlsx(raw: bytes, report: Report) -> Iterable[str]:
    assert not any("external" in name.lower() for name in ZipFile(io.BytesIO(raw)).namelist())
    sheets = load_workbook(io.BytesIO(raw)).worksheets
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert not any(cell.data_type == "f" or cell.hyperlink for cell in cells)
    return uncomputed(str(cell.value or "") for cell in cells)


def of_png(raw: bytes, report: Report) -> Iterable[str]:
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    return []


def of_pdf(raw: bytes, report: Report) -> Iterable[str]:
    assert raw.startswith(b"%PDF-")
    assert not re.search(rb"/(?:JavaScript|JS|Launch|OpenAction|URI)\b", raw)
    return []


CHECKS: dict[str, Callable[[bytes, Report], Iterable[str]]] = {
    "csv": of_csv,
    "cyclonedx": of_somebodys_json,
    "dot": of_text,
    "gexf": of_xml,
    "graph-pdf": of_pdf,
    "graphml": of_xml,
    "html": of_html,
    "json": of_json,
    "junit": of_xml,
    "md": of_text,
    "neo4j": of_text,
    "ocsf": of_somebodys_json,
    "ocsf-detection": of_somebodys_json,
    "opengraph": of_somebodys_json,
    "opengraph-extension": of_somebodys_json,
    "parquet": of_parquet,
    "pdf": of_pdf,
    "png": of_png,
    "prom": of_text,
    "sarif": of_somebodys_json,
    "svg": of_xml,
    "text": of_text,
    "xlsx": of_xlsx,
}
#: No name from a cloud gets into these, or none that can be read back here.
SILENT = {"graph-pdf", "opengraph-extension", "pdf", "png"}
#: These draw pictures, which takes its time.
SLOW = {"dot", "graph-pdf", "html", "pdf", "png", "svg"}


def test_every_renderer_has_its_check() -> None:
    assert set(CHECKS) == set(plugins.names(plugins.RENDERERS))


def files(form: str, report: Report) -> dict[str, bytes]:
    try:
        made = plugins.renderer(form)(report)
        return {form: made} if isinstance(made, bytes) else dict(made)
    except MissingLibraries as error:
        assert error.hint, "what is missing is said"
        return {}


@pytest.mark.parametrize("side", ["diff", "radius"])
@pytest.mark.parametrize("form", sorted(CHECKS))
def test_names_are_harmless(form: str, side: str, poison: Poison) -> None:
    @settings(max_examples=2 if form in SLOW else 5, deadline=None, database=None)
    @given(name=NAMES)
    def campaign(name: str) -> None:
        report = poison(side, name)
        for raw in files(form, report).values():
            assert not any(hidden(text) for text in CHECKS[form](raw, report))

    campaign()


@pytest.mark.parametrize("form", sorted(set(CHECKS) - SILENT))
def test_names_are_recognisable(form: str, poison: Poison) -> None:
    report = poison("diff", "\x1b[5mq7z")
    shown = " ".join(
        text for raw in files(form, report).values() for text in CHECKS[form](raw, report)
    )
    plain = re.sub(r"\\+", r"\\", shown.replace("&#92;", "\\"))
    assert re.search(r"\\(x1b|u001b)\\?\[5mq7z", plain)


@pytest.mark.parametrize("form", sorted(CHECKS))
def test_names_of_any_length_leave_it_of_a_size(form: str, poison: Poison) -> None:
    """A name of 4,000 characters before each of some 300 texts, each shown a few times."""
    if form in SLOW:
        return
    size = sum(map(len, files(form, poison("radius", "n" * 4000)).values()))
    assert size < 12_000_000
