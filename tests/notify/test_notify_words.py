"""What people read in chats and mails, whatever clouds call their things."""

from __future__ import annotations

import html
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.notify.chat import message
from modelreach.notify.words import headline

HOSTILE = (
    "<!channel> @here <https://evil.example|ok> `x` ``` *b* &amp;",
    "two\nlines\r\x1b[31mred",
    "\u202etxt.exe",
    "x" * 4_000,
)


def test_the_gravest_comes_first_and_well_again_last(telling: Any) -> None:
    told = telling.told
    events = (
        told("ledger can be read again", kind="read-again", recovery=True),
        told("`agent` gained list on `logs`"),
        told("reads a secret", kind="finding-new", rule="MR301", severity="critical"),
        told("the gate fails: 1 critical finding", kind="gate-failed"),
    )
    text = message(telling(*events))
    assert text.splitlines() == [
        "```",
        "support-agent/prod 2.0.0: the gate fails, 3 changes, 1 well again",
        "",
        "gate-failed: the gate fails: 1 critical finding",
        "finding-new: CRITICAL reads a secret",
        "gained: 'agent' gained list on 'logs'",
        "read-again: ledger can be read again",
        "```",
    ]


def test_recovery_alone_is_told_as_recovery(telling: Any) -> None:
    well = telling.told("the gate passes", kind="gate-passed", recovery=True)
    line = headline(telling(well, verdict="pass"))
    assert line == "support-agent/prod 2.0.0: the gate passes, 1 well again"


def test_much_is_cut_and_said_to_be(telling: Any) -> None:
    events = [telling.told(f"number {number}", item=str(number)) for number in range(500)]
    text = message(telling(*events))
    assert "… and 488 more: modelreach history show 3f9c2a51be07" in text
    assert len(text) < 2_000


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_nothing_in_a_chat(telling: Any, name: str) -> None:
    _check(message(telling(telling.told(name), deployment=name)))


@settings(max_examples=30)
@given(names=st.lists(st.text(max_size=600), min_size=1, max_size=14))
def test_nothing_breaks_out(telling_of: Any, names: list[str]) -> None:
    _check(message(telling_of(names)))


@pytest.fixture(scope="module")
def telling_of() -> Any:
    from modelreach.state import Event, Telling

    def make(names: list[str]) -> Telling:
        events = tuple(Event(kind="gained", item=name, message=name) for name in names)
        return Telling(
            schema="modelreach.notification/1",
            id="1",
            deployment=names[0],
            version="1",
            audit="a",
            at="",
            taken_at="",
            baseline="",
            previous="",
            verdict="fail",
            reasons=(),
            events=events,
        )

    return make


def _check(text: str) -> None:
    inner = text.removeprefix("```\n").removesuffix("\n```")
    assert text == f"```\n{inner}\n```"
    assert "`" not in inner
    assert not set("<>") & set(inner)
    assert html.escape(html.unescape(inner), quote=False) == inner, "no escape is cut in two"
    assert all(
        char == "\n" or char.isprintable() or char.isspace() for char in inner if char < "\x80"
    )
    assert not set("\x1b\r\u202e") & set(inner)
    assert len(text) <= 2_000
