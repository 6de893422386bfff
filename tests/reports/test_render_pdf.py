"""The report on paper: what the page says, in its order; tagged, vector, the same bytes."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from modelreach.model import MissingExtra, ModelreachError
from modelreach.report import DiffReport, Report
from modelreach_reports import html, pdf

Poison = Callable[[str, str], Report]


def read(raw: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(raw))


def words(raw: bytes) -> str:
    """The text of all pages, as a search would see it: runs of blanks count as one."""
    return " ".join(" ".join(page.extract_text() for page in read(raw).pages).split())


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def paper(gated_report: DiffReport) -> bytes:
    return pdf.render(gated_report)


def test_paper_has_the_parts_of_the_page_in_its_order(
    gated_report: DiffReport, paper: bytes
) -> None:
    page = html.render(gated_report).decode()
    titles = [
        re.sub(r"<.*?>|\s+", " ", title).split("  ")[0].strip()
        for title in re.findall(r"<h2[^>]*>(.*?)(?:<span|</h2>)", page)
    ]
    shown = squeezed(words(paper))
    places = [shown.index(squeezed(titles[0]))]
    for title in titles[1:]:
        places.append(shown.index(squeezed(title), places[-1]))
    assert len(titles) == 13
    assert all(squeezed(finding.id + "·") in shown for finding in gated_report.findings)
    assert squeezed(gated_report.new.snapshot_digest) in shown


def test_paper_is_tagged_and_its_pictures_are_lines(paper: bytes) -> None:
    found = read(paper)
    root: Any = found.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert "support-agent 1.4.0 → 2.0.0" in str(found.metadata and found.metadata.title)
    metadata: Any = root["/Metadata"]
    assert b"pdfuaid:part>1<" in metadata.get_data()
    assert not any(len(page.images) for page in found.pages)
    assert "lake-reader" in words(paper)


def test_the_same_report_gives_the_same_bytes_on_any_day(
    gated_report: DiffReport, paper: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert pdf.render(gated_report) == paper
    assert b"20261123" in paper


def test_a_radius_fits_on_paper_too(radius_report: Report) -> None:
    shown = words(pdf.render(radius_report))
    assert "Everything that is reached" in shown
    assert "Every change" not in shown


def test_the_picture_alone_is_one_page(diff_report: DiffReport) -> None:
    found = read(pdf.render_graph(diff_report))
    assert len(found.pages) == 1
    assert "lake-reader" in found.pages[0].extract_text()


def test_paper_is_cut_and_says_so(wide_report: Callable[[int], DiffReport]) -> None:
    raw = pdf.render(wide_report(450))
    last = " ".join(page.extract_text() for page in read(raw).pages[-8:])
    assert "50 more of the page are left out on paper" in " ".join(last.split())


def test_what_no_font_shows_is_an_escape() -> None:
    assert pdf.printable("naïve → Ω Ж − ▲") == "naïve → Ω Ж − ▲"
    assert pdf.printable("表\u0301🙂ن") == "\\u8868\\u0301\\U0001f642\\u0646"


def test_every_character_that_is_let_through_has_a_glyph() -> None:
    shown = [chr(code) for first, last in pdf._SHOWN for code in range(first, last + 1)]
    text = " ".join(pdf.printable(char) for char in shown if char.isprintable())
    assert "\\u" not in text.replace("\\u04", "", 7)
    view = {"title": text, "date": None}
    picture = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    pdf.composed("graph.typ", view, {"graph.svg": picture})


KNOWN = {
    "</script><img src=x onerror=alert(1)>": "</script><img",
    '#eval("1") $x$ *b* `c` @ref <label>': '#eval("1")$x$*b*',
    "[/red]\x1b[31m": "[/red]\\x1b[31m",
    "gpj.\u202eexe": "gpj.\\u202eexe",
    "line\r\nbreak\n= heading": "line\\r\\nbreak\\n=heading",
    "表情👩‍👩‍👧ن\u0301": "\\u8868\\u60c5",
}


def test_hostile_names_stay_recognisable_on_paper(poison: Poison) -> None:
    shown = read(pdf.render(poison("diff", " ".join(KNOWN))))
    first = squeezed(" ".join(page.extract_text() for page in shown.pages[:3]))
    assert [word for word in KNOWN.values() if word.replace(" ", "") not in first] == []


def test_very_long_names_stay_within_the_paper(poison: Poison) -> None:
    shown = read(pdf.render(poison("diff", "n" * 4000)))
    assert len(shown.pages) < 60
    assert "n" * 20 in squeezed(shown.pages[0].extract_text())


@settings(max_examples=6)
@given(name=st.text(max_size=60))
def test_any_name_can_be_set(name: str, poison: Poison) -> None:
    assert pdf.render(poison("radius", name)).startswith(b"%PDF-")


@pytest.mark.soak
@settings(max_examples=400)
@given(name=st.text(max_size=200))
def test_any_name_can_be_set_again_and_again(name: str, poison: Poison) -> None:
    assert pdf.render(poison("diff", name)).startswith(b"%PDF-")


def test_without_typst_the_extra_is_named(
    diff_report: DiffReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingExtra) as raised:
        pdf.render(diff_report)
    assert raised.value.hint == "pip install 'modelreach[pdf]'"


def test_a_template_that_is_wrong_is_an_error_of_ours() -> None:
    with pytest.raises(ModelreachError, match="cannot be set on paper"):
        pdf.composed("graph.typ", {}, {})


def test_without_graphviz_paper_says_that_the_picture_is_missing(
    diff_report: DiffReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    shown = read(pdf.render(diff_report)).pages[0].extract_text()
    assert "pip install 'modelreach[graph]'" in shown.replace("’", "'")


def test_a_moment_that_is_none_is_left_out(diff_report: DiffReport) -> None:
    new = msgspec.structs.replace(diff_report.new, taken_at="some day")
    assert b"CreationDate" not in pdf.render(msgspec.structs.replace(diff_report, new=new))
