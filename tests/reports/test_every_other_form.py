"""What is drawn on a terminal, and tickets: every registered form survives every name.

A row of any type is filled with the name in each of its texts, so that a new field or type needs
no example to be tried.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec import inspect

from modelreach import plugins
from modelreach.evidence_report import EvidenceReport
from modelreach.report import DecisionRow, DiffReport, FindingRow, Hop, Ticket
from modelreach.report_file import decode_ticket
from modelreach_reports.safe import cells

KNOWN = [
    "\x1b[2J\x1b]8;;http://evil\x07",
    "gpj.\u202eexe",
    "line\r\nbreak",
    "`code` </script><img src=x onerror=alert(1)> [a](http://evil)",
    "n" * 4000,
    "=1+1",
    "[/red]",
]
NAMES = st.one_of(st.sampled_from(KNOWN), st.text(max_size=20))


#: Words of a closed list, though the types do not say so.
CLOSED = {"sensitivity": "high"}


def filled(type_: Any, text: str) -> Any:
    """Give a value of a type with the text in every text of it."""
    return msgspec.convert(_plain(inspect.type_info(type_), text), type_)


def _plain(info: Any, text: str) -> Any:
    match info:
        case inspect.StrType():
            return text
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.IntType() | inspect.FloatType():
            return 1
        case inspect.BoolType():
            return True
        case inspect.NoneType():
            return None
        case inspect.UnionType(types=types):
            return _plain(types[0], text)
        case inspect.VarTupleType(item_type=item):
            return [_plain(item, text)]
        case inspect.DictType(key_type=key, value_type=value):
            return {_plain(key, text): _plain(value, text)}
        case inspect.StructType(cls=cls, fields=fields):
            return {
                field.encode_name: CLOSED[field.name]
                if field.name in CLOSED
                else _plain(field.type, text)
                for field in fields
                if (cls, field.name) != (Hop, "also")
            }
    raise AssertionError(f"no value is known for {info}")


Draw = Callable[[str, int], bytes]


def _report(text: str) -> DiffReport:
    return filled(DiffReport, text)  # type: ignore[no-any-return]


DRAWN: dict[str, Draw] = {
    "decision": lambda text, width: plugins.terminal("decision")(
        filled(DecisionRow, text), width=width
    ),
    "evidence": lambda text, width: plugins.terminal("evidence")(
        filled(EvidenceReport, text), width=width, show_all=True
    ),
    "finding": lambda text, width: plugins.terminal("finding")(
        _report(text), filled(FindingRow, text), width=width
    ),
    "gate": lambda text, width: plugins.terminal("gate")(
        _report(text), width=width, show_all=True
    ),
    "report": lambda text, width: plugins.terminal("report")(
        _report(text), width=width, show_all=True
    ),
    "witness": lambda text, width: plugins.terminal("witness")(
        _report(text), (filled(Hop, text),), width=width
    ),
}


def hidden(shown: str) -> set[str]:
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {char for char in shown if unicodedata.category(char) in kinds and char != "\n"}


def test_every_form_is_here() -> None:
    assert set(DRAWN) == set(plugins.names(plugins.TERMINAL))
    assert set(plugins.names(plugins.TICKETS)) == {"json", "md"}


@pytest.mark.parametrize("form", sorted(DRAWN))
def test_what_is_drawn_is_inert_and_fits(form: str) -> None:
    @settings(max_examples=6, deadline=None, database=None)
    @given(name=NAMES, width=st.integers(80, 120))
    def campaign(name: str, width: int) -> None:
        shown = DRAWN[form](name, width).decode()
        assert not hidden(shown)
        assert max(map(cells, shown.splitlines())) <= width

    campaign()


@settings(max_examples=6, deadline=None, database=None)
@given(name=NAMES)
def test_tickets_are_inert(name: str) -> None:
    ticket = filled(Ticket, name)
    raw = plugins.ticket_form("json")(ticket)
    assert decode_ticket(raw) == ticket
    shown = plugins.ticket_form("md")(ticket).decode()
    assert not hidden(shown)
    tokens = MarkdownIt("commonmark").enable("table").parse(shown)
    flat = [part for token in tokens for part in [token, *(token.children or [])]]
    assert not {token.type for token in flat} & {"link_open", "image", "html_block", "html_inline"}
