"""What connectors do alike: calls at once, what is recorded and read back, facts and documents."""

from __future__ import annotations

import json
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelreach.collect import recording, sources
from modelreach.collect.answers import ABSENT, Answers, Refusal, encodable, gap_of, parameters_key
from modelreach.collect.calling import call_all
from modelreach.collect.extras import needing
from modelreach.collect.facts import Gathering, attributes
from modelreach.model import InputError, MissingExtra
from modelreach.snapshot import AttributeValue

NOW = "2026-11-24T00:00:00Z"


class One(msgspec.Struct, frozen=True):
    """An answer of a provider that there is not."""

    place: str
    name: str
    response: dict[str, Any] | None = None

    @property
    def call(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def key(self) -> tuple[str, ...]:
        return self.place, self.name


class Manifest(msgspec.Struct, frozen=True):
    format: str
    taken_at: str
    files: tuple[str, ...]


class File(msgspec.Struct, frozen=True):
    format: str
    taken_at: str
    answers: tuple[One, ...]


FORMAT = recording.Format("nimbus", Manifest, File, lambda file: file.answers)
FORM = sources.Form(
    expected="expected a recording",
    one_each="give one",
    recorded=FORMAT.read,
    exported=lambda content, place: [One(place, "exported")] if content == [1, 2] else None,
    about=lambda one: f"{one.name} of {one.place}",
    lines=True,
)


def recorded(folder: Path, *answers: One, taken_at: str = NOW) -> Path:
    recording.prepare(folder)
    groups = recording.by_place(answers, lambda one: one.place)
    files = {
        f"{place}.json": File(FORMAT.of_files, taken_at, tuple(found))
        for place, found in groups.items()
    }
    manifest = Manifest(FORMAT.of_manifests, taken_at, tuple(sorted(files)))
    recording.write(folder, files, manifest)
    return folder


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), unique=True))
def test_what_was_asked_is_found_in_one_order(asked: list[tuple[str, str]]) -> None:
    made = [One(place, name, {"n": n} if n % 2 else None) for n, (place, name) in enumerate(asked)]
    found, turned = Answers(made), Answers(reversed(made))
    assert found.all == turned.all == tuple(sorted(made, key=lambda one: one.key))
    for name in "xyz":
        assert found.asked(name) == tuple(one for one in found.all if one.name == name)
        assert [one for one, _ in found.of(name)] == [
            one for one in found.asked(name) if one.response is not None
        ]


@pytest.mark.parametrize("most", [1, 3])
def test_calls_lead_to_calls_and_never_too_many_at_once(most: int) -> None:
    waiting, landed = deque(range(8)), list[int]()
    at_once, peak = 0, 0

    def start() -> tuple[int, Future[int]] | None:
        nonlocal at_once, peak
        if not waiting:
            return None
        at_once += 1
        peak = max(peak, at_once)
        task = waiting.popleft()
        return task, pool.submit(lambda: task * 10)

    def land(task: int, result: int) -> None:
        nonlocal at_once
        at_once -= 1
        assert result == task * 10
        landed.append(task)
        if task < 100:
            waiting.append(task + 100)

    with ThreadPoolExecutor(4) as pool:
        call_all(most, start, land)
    assert sorted(landed) == [*range(8), *range(100, 108)]
    assert peak == most


def test_what_a_call_raises_ends_the_calls() -> None:
    begun = list[int]()

    def start() -> tuple[int, Future[int]]:
        begun.append(1)
        failed = Future[int]()
        failed.set_exception(ZeroDivisionError())
        return 1, failed

    with pytest.raises(ZeroDivisionError):
        call_all(2, start, lambda task, result: None)
    assert begun == [1, 1]


def test_a_recording_is_read_back(tmp_path: Path) -> None:
    made = One("a", "x", {"k": [1]}), One("a", "y"), One("b", "x")
    folder = recorded(tmp_path / "r", *reversed(made))
    assert sources.read([folder], FORM) == (NOW, made)
    again = recorded(tmp_path / "again", *made)
    for path in folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_the_latest_recording_tells_the_time(tmp_path: Path) -> None:
    early = recorded(tmp_path / "early", One("a", "x"), taken_at="2026-01-01T00:00:00Z")
    late = recorded(tmp_path / "late", One("b", "x"), taken_at="2026-02-01T00:00:00Z")
    assert sources.read([late, early], FORM)[0] == "2026-02-01T00:00:00Z"


def test_what_a_recording_names_has_to_be_there(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "r", One("a", "x"), One("b", "x"))
    (folder / "b.json").unlink()
    with pytest.raises(InputError, match=r"names `b\.json`, which is not there"):
        sources.read([folder], FORM)


def test_two_sources_may_not_say_two_things(tmp_path: Path) -> None:
    one = recorded(tmp_path / "one", One("a", "x", {}))
    other = recorded(tmp_path / "other", One("a", "x", {"k": 1}))
    assert sources.read([one, one], FORM)[1] == (One("a", "x", {}),)
    with pytest.raises(InputError, match=r"x of a is already in `.*a\.json`, and says something"):
        sources.read([one, other], FORM)


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        (b"{", "this is not JSON, or is cut off", "f:1:2"),
        (b'{"a": 1}\n{"b"', "this is not JSON, or is cut off", "f:2:5"),
        (b"[" * 100_000, r"this is not JSON \(RecursionError\)", "f"),
        (b"\xff\x00\xff", r"this is not JSON \(UnicodeDecodeError\)", "f"),
        (b"{}", "this file is not recognised", "f"),
        (b'{"format": "modelreach.nimbus-answers/1"}', "this recording is broken", "f"),
        (b'{"format": "modelreach.other-answers/1"}', "this file is not recognised", "f"),
    ],
)
def test_what_is_no_source_says_where(
    text: bytes, message: str, place: str, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    path.write_bytes(text)
    with pytest.raises(InputError, match=message) as caught:
        sources.read([path], FORM)
    assert caught.value.place == str(tmp_path / place)


def test_a_value_a_line_is_a_list_where_the_form_says_so(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"1\n\n2\n")
    assert sources.read([path], FORM)[1] == (One(str(path), "exported"),)
    one_value = sources.Form(
        FORM.expected, FORM.one_each, FORM.recorded, FORM.exported, FORM.about
    )
    with pytest.raises(InputError, match="Extra data"):
        sources.read([path], one_value)


def test_folders_that_cannot_hold_a_recording(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="is not empty"):
        recording.prepare(tmp_path)
    with pytest.raises(InputError, match="cannot be used for a recording"):
        recording.prepare(tmp_path / "file")


@given(st.lists(st.permutations(["a", "b", "c"]), min_size=1, max_size=4))
def test_which_form_of_a_document_is_kept_hangs_on_no_order(orders: list[list[str]]) -> None:
    def kept(documents: list[dict[str, int]]) -> tuple[set[str], set[bytes]]:
        facts = Gathering("nimbus")
        digests = {facts.document(one) for one in documents}
        return digests, {facts.text(digest) for digest in digests}

    documents = [dict.fromkeys(order, 1) for order in orders]
    assert kept(documents) == kept(documents[::-1])
    assert len(kept(documents)[1]) == 1


def test_only_what_is_known_is_an_attribute() -> None:
    known: dict[str, AttributeValue] = {"no": False, "zero": 0, "few": ("a", "b"), "text": "t"}
    assert (
        attributes(none=None, empty="", nothing=(), **{**known, "few": ["b", "a", "b"]}) == known
    )


def test_absent_is_an_answer_and_leaves_no_gap() -> None:
    assert gap_of(None) is None
    assert gap_of(Refusal(ABSENT)) is None
    assert gap_of(Refusal("denied")) == Refusal("denied")


@given(st.text(st.characters(categories=("L", "Cs"))))
def test_any_text_can_be_written(text: str) -> None:
    made = encodable(text)
    assert made.encode().decode() == made
    assert made == text or not text.isascii()


def test_parameters_in_any_order_are_one_question() -> None:
    assert parameters_key({"a": 1, "b": 2}) == parameters_key({"b": 2, "a": 1})
    assert json.loads(parameters_key({"a": 1})) == {"a": 1}


def test_a_missing_sdk_names_its_extra_and_a_fault_of_ours_does_not() -> None:
    with (
        pytest.raises(MissingExtra, match="collecting from Nimbus"),
        needing("nimbus", "collecting from Nimbus"),
    ):
        raise ModuleNotFoundError("no", name="nimbus_sdk")
    with pytest.raises(ModuleNotFoundError), needing("nimbus", "collecting from Nimbus"):
        raise ModuleNotFoundError("no", name="modelreach_nimbus.live")
