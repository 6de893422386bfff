"""Whatever stands where an answer should have something else: a snapshot, and never a crash."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.snapshot import decode, encode
from modelreach_azure import sources
from modelreach_azure.answers import Answer, answer
from modelreach_azure.calls import CALLS, call_of, further
from modelreach_azure.parse import parse
from modelreach_azure.parse.scopes import management_groups
from modelreach_azure.select import rows

NOW = "2026-11-24T00:00:00Z"
RECORDING = Path(__file__).parents[2] / "fixtures" / "azure_agent" / "recording"
FOREIGN: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, -1, 10**30, 1.5, "", "/", "//", "a/b", "\ud800", "\x1b[2J\u202e"),
        *([], {}, [[]], [None], [{}], [1], {"id": None}, {"id": [], "properties": []}),
        {"value": "value"},
        ["text"],
        "9999-99-99T99:99:99Z",
        "0001-01-01T00:00:00Z",
        "/subscriptions//resourceGroups//providers//",
        "/providers/Microsoft.Management/managementGroups/",
        "x" * 3000,
    ]
)


def recorded() -> tuple[Answer, ...]:
    _, found = sources.read([RECORDING], now="")
    return tuple(one for one in found if (one.response or {}).get("value"))


ANSWERS = recorded()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*path, key))


PLACES = [(number, path) for number, one in enumerate(ANSWERS) for path in places(one.response)]


def changed(one: Answer, path: tuple[Any, ...], value: Any) -> Answer:
    response = json.loads(json.dumps(one.response))
    holder = response
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    made = answer(one.tenant, one.place, one.service, one.operation, one.parameters, response)
    return msgspec.structs.replace(made, error=one.error)


@given(st.lists(st.tuples(st.sampled_from(PLACES), FOREIGN), min_size=1, max_size=4))
@settings(max_examples=120)
def test_anything_anywhere(changes: list[tuple[tuple[int, tuple[Any, ...]], Any]]) -> None:
    answers = dict(enumerate(ANSWERS))
    for (number, path), value in changes:
        try:
            answers[number] = changed(answers[number], path, value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    raw = encode(parse(answers.values(), NOW))
    assert encode(decode(raw, place="snapshot")) == raw
    leads_on(answers.values())


def leads_on(answers: Iterable[Answer]) -> None:
    """Take everything that answers lead to, as the collection does."""
    found = tuple(answers)
    for one in found:
        call = call_of(one.service, one.operation)
        assert call is not None
        for _, select in further(call):
            list(select(one.parameters, one.response or {}))
        for row in rows(one.response):
            management_groups(row)
    for call in CALLS:
        if call.lastly is not None:
            list(call.lastly(found))


@pytest.mark.parametrize("value", [None, [], {}, "text", 1, [None], [[]], ["x"], {"value": {}}])
@pytest.mark.parametrize("operation", sorted({one.operation for one in ANSWERS}))
def test_every_list_may_be_anything(operation: str, value: Any) -> None:
    answers = [
        changed(one, ("value",), value) if one.operation == operation else one for one in ANSWERS
    ]
    encode(parse(answers, NOW))


@given(st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_the_order_of_answers_makes_no_difference(random: Any) -> None:
    shuffled = list(ANSWERS)
    random.shuffle(shuffled)
    assert encode(parse(shuffled, NOW)) == encode(parse(ANSWERS, NOW))


def test_rows_that_are_told_twice_make_no_difference() -> None:
    doubled = []
    for one in ANSWERS:
        rows = (one.response or {})["value"]
        doubled.append(msgspec.structs.replace(one, response={"value": [*rows, *rows]}))
    assert encode(parse(doubled, NOW)) == encode(parse(ANSWERS, NOW))
