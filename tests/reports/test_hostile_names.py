"""Every form of output survives every name that a cloud may give a thing."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from modelreach.report import DiffReport, Report
from modelreach.report_file import decode
from modelreach_reports import graph, html, json, markdown, plain_layout, tables, text
from modelreach_reports.gating import render_gate
from modelreach_reports.safe import cells
from modelreach_reports.witness import render_finding

Poison = Callable[[str, str], Report]
Read = Callable[[bytes], dict[str, Any]]

KNOWN = [
    "</script><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "[/red][bold]",
    "\x1b[2J\x1b]8;;http://evil\x07",
    "\x9b31m\x85\x00",
    "gpj.\u202eexe\u2066\u2069",
    "line\r\nbreak\n# heading\n|cell|",
    "n" * 4000,
    "`code` ``` @everyone #1 ![i](http://evil/x) <b>",
    "\\|![i](http://evil/x)",
    "{{ 7*7 }}{% raw %}",
    '"><svg/onload=alert(1)>',
    "\\N \\G \\l <B> &amp; <!-- --> --> ]]>",
    "@SUM(A1)",
    "\t=1+1",
    "％20\u3000表情👩‍👩‍👧",
]
NAMES = st.one_of(st.sampled_from(KNOWN), st.text(max_size=40))
CAMPAIGN = settings(max_examples=40, deadline=None, print_blob=True)
FEW = settings(CAMPAIGN, max_examples=20)


both = pytest.mark.parametrize("side", ["diff", "radius"])


def hidden(shown: str) -> set[str]:
    """What must not be in any output, apart from the line feed."""
    kinds = {"Cc", "Cf", "Zl", "Zp"}
    return {char for char in shown if unicodedata.category(char) in kinds and char != "\n"}


def unstyled(shown: str) -> str:
    return re.sub("\x1b\\[[0-9;]*m", "", shown)


@both
@CAMPAIGN
@given(name=NAMES, width=st.integers(60, 140), everything=st.booleans())
def test_text_is_inert_and_fits(
    side: str, poison: Poison, name: str, width: int, everything: bool
) -> None:
    bad = poison(side, name)
    plain = text.render(bad, width=width, show_all=everything).decode()
    assert not hidden(plain)
    assert max(cells(line) for line in plain.splitlines()) <= width
    coloured = text.render(bad, width=width, show_all=everything, color=True).decode()
    assert unstyled(coloured) == plain
    assert text.render(bad, width=width, ascii_only=True).isascii()


@FEW
@given(name=NAMES, width=st.integers(60, 140), everything=st.booleans())
def test_the_gate_is_inert_and_fits(
    poison: Poison, name: str, width: int, everything: bool
) -> None:
    shown = render_gate(poison("diff", name), width=width, show_all=everything).decode()
    assert not hidden(shown)
    assert max(cells(line) for line in shown.splitlines()) <= width


@CAMPAIGN
@given(name=NAMES)
def test_witnesses_are_inert(poison: Poison, name: str) -> None:
    bad = poison("diff", name)
    assert isinstance(bad, DiffReport)
    shown = render_finding(bad, bad.findings[2]).decode()
    assert not hidden(shown)
    assert max(cells(line) for line in shown.splitlines()) <= 80


class Page(HTMLParser):
    """Collects what a browser would build."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.kinds: list[str | None] = []
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.scripts: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self.kinds.append(dict(attrs).get("type"))
        self.attributes.update(name for name, _ in attrs)
        self.links.update(value or "" for name, value in attrs if name in ("href", "src"))

    def handle_data(self, data: str) -> None:
        (self.scripts if self.tags[-1:] == ["script"] else self.words).append(data)


SVG_TAGS = {"svg", "g", "title", "path", "polygon", "text"}
HTML_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "script"),
    *("section", "article", "h1", "h2", "h3", "p", "a", "ul", "ol", "li", "div", "span", "wbr"),
    *("strong", "small", "b", "code", "br", "table", "thead", "tbody", "tr", "th", "td"),
    *("dl", "dt", "dd", "details", "summary", "input", "output"),
    *("nav", "label", "select", "option", "button", "tfoot"),
}

#: The parts of a page that it links to itself.
PARTS = {f"#{part}" for part in ("matrix", "graph", "findings", "due", "reach", "unread")}
PARTS |= {"#waivers", "#inputs", "#sign", "#tools"}


@both
@FEW
@given(name=NAMES)
def test_pages_hold_only_our_elements(side: str, poison: Poison, name: str) -> None:
    shown = html.render(poison(side, name)).decode()
    assert not hidden(shown)
    page = Page()
    page.feed(shown)
    page.close()
    assert set(page.tags) <= HTML_TAGS | SVG_TAGS
    assert page.tags.count("script") - 1 == page.tags.count("style") == 1
    assert page.kinds == ["application/json", None]
    assert not any(attribute.startswith("on") for attribute in page.attributes)
    assert "style" not in page.attributes
    assert {link for link in page.links if not link.startswith("#f-")} <= PARTS


ENGINES = {"any": None, "plain": plain_layout.load()}


@both
@pytest.mark.parametrize("engine", ENGINES)
@FEW
@given(name=NAMES)
def test_pictures_hold_only_our_elements(
    side: str, poison: Poison, engine: str, name: str
) -> None:
    raw = graph.drawing(poison(side, name), ENGINES[engine])
    assert not hidden(raw)
    tree = ElementTree.fromstring(raw)
    assert {element.tag.split("}")[1] for element in tree.iter()} <= SVG_TAGS
    names = {key for element in tree.iter() for key in element.attrib}
    assert not any(key.lower().startswith("on") or "href" in key for key in names)


@both
@CAMPAIGN
@given(name=NAMES)
def test_dot_keeps_its_shape(side: str, poison: Poison, read_dot: Read, name: str) -> None:
    raw = graph.render_dot(poison(side, name))
    assert not hidden(raw.decode().replace("\t", ""))
    bad, good = read_dot(raw), read_dot(graph.render_dot(poison(side, "x")))
    assert {key: len(bad[key]) for key in bad} == {key: len(good[key]) for key in good}


@both
@CAMPAIGN
@given(name=NAMES)
def test_spreadsheets_compute_nothing(side: str, poison: Poison, name: str) -> None:
    report = poison(side, name)
    shown = tables.render_csv(report).decode()
    assert not hidden(shown)
    rows = list(csv.reader(io.StringIO(shown)))
    expected = report.changes if isinstance(report, DiffReport) else report.grants
    assert len(rows) == 1 + len(expected)
    assert {len(row) for row in rows} == {len(rows[0])}
    cells_ = [cell for row in rows for cell in row]
    assert not any(cell.lstrip(" ").startswith(tuple("=+-@＝＋－＠")) for cell in cells_)


OURS = re.compile(r"<!-- modelreach:[A-Za-z0-9._-]* -->|</?details>|</?summary>")


@both
@CAMPAIGN
@given(name=NAMES)
def test_markdown_is_inert(side: str, poison: Poison, name: str) -> None:
    shown = markdown.render(poison(side, name)).decode()
    assert not hidden(shown)
    assert len(shown) < 65_536
    reader = MarkdownIt("commonmark").enable("table")
    flat = [part for token in reader.parse(shown) for part in [token, *(token.children or [])]]
    assert not {token.type for token in flat} & {"link_open", "image", "fence", "code_block"}
    written = "".join(token.content for token in flat if token.type.startswith("html"))
    left = re.sub(OURS, "", written).replace("Changes of reach", "").replace("Reach", "")
    assert not re.sub(r"\d+ reasons?", "", left).strip()
    spoken = "\0".join(token.content for token in flat if token.type == "text")
    assert not re.search(r"[@#]\w|://|www\.", spoken)
    tables_ = [token for token in flat if token.type == "tr_open"]
    good = reader.parse(markdown.render(poison(side, "x")).decode())
    assert len(tables_) == len([token for token in good if token.type == "tr_open"])


@both
@CAMPAIGN
@given(name=NAMES)
def test_json_says_the_same_in_printable_characters(side: str, poison: Poison, name: str) -> None:
    bad = poison(side, name)
    raw = json.render(bad)
    assert decode(raw) == bad
    assert not hidden(raw.decode())


def test_names_stay_recognisable(poison: Poison) -> None:
    bad = poison("diff", "\x1b[31m")
    forms = (text.render, html.render, graph.render_svg, tables.render_csv, markdown.render)
    for form in forms:
        assert "\\x1b[31m" in form(bad).decode().replace("&#92;", "\\").replace(
            "\\\\x1b\\[", "\\x1b["
        )
