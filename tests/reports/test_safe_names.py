"""Names from elsewhere are shown, but never obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach_reports.naming import identity_label
from modelreach_reports.safe import cells, end, escape, is_hidden, middle, visible


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("prod/db", "prod/db"),
        ("größe-表", "größe-表"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\ttab\r", "two\\nlines\\ttab\\r"),
        ("\x9b2J", "\\x9b2J"),
        ("gpj\u202e.exe", "gpj\\u202e.exe"),
        ("\u2066in\u2069", "\\u2066in\\u2069"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("no\u00a0break", "no\\xa0break"),
        ("line\u2028sep", "line\\u2028sep"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("half\ud800", "half\\ud800"),
        ("a\ufe0fb", "a\\ufe0fb"),
        ("[/red]", "[/red]"),
    ],
)
def test_hidden_characters_become_escapes(name: str, shown: str) -> None:
    assert visible(name) == shown


def test_ascii_only_escapes_the_rest() -> None:
    assert visible("größe", ascii_only=True) == "gr\\xf6\\xdfe"


@given(st.text(st.characters(), max_size=60))
def test_visible_hides_nothing_and_loses_nothing_printable(name: str) -> None:
    shown = visible(name)
    assert not any(is_hidden(char) for char in shown)
    assert visible(name, ascii_only=True).isascii()
    assert shown == "".join(escape(char) if is_hidden(char) else char for char in name)
    assert not any(unicodedata.category(char).startswith("C") for char in shown)


@given(st.text(max_size=60), st.integers(0, 30))
def test_shortened_names_fit(name: str, width: int) -> None:
    assert cells(middle(visible(name), width)) <= width
    assert cells(end(visible(name), max(width, 1))) <= max(width, 1)


@given(st.text(min_size=20, max_size=60), st.integers(12, 18))
def test_the_tail_is_kept(name: str, width: int) -> None:
    shown = visible(name)
    cut = middle(shown, width)
    head, _, tail = cut.rpartition("…")
    assert cut == shown or (shown.startswith(head.split("…")[0]) and shown.endswith(tail))


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("arn:aws:iam::111122223333:role/a/pods", "pods"),
        (
            f"arn:aws:iam::111122223333:role/pods#session=sha256:{'0' * 64}",
            "pods under a session policy",
        ),
        ("arn:aws:iam::111122223333:role/bot#any-policy", "bot with any policy"),
    ],
)
def test_an_identity_is_named_without_what_tells_it_apart(key: str, shown: str) -> None:
    assert identity_label(key) == shown
