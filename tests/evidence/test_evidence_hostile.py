"""Broken, cut short or made to harm: a report is an error with its place, never fewer cases."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelreach.evidence import Evidence
from modelreach.evidence.files import ReportFiles
from modelreach.model import InputError
from modelreach_evidence import inspect as inspect_reader

Report = Callable[[str, str], ReportFiles]
Read = Callable[..., tuple[Evidence, ...]]
SINGLE = ("deepteam", "garak", "inspect", "inspect-json", "promptfoo", "pyrit")
JUNK = {
    "nothing": b"",
    "not JSON": b"<html>",
    "another document": b"{}",
    "a number": b"7",
    "null": b"null",
    "an empty list": b"[]",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "not UTF-8": b'{"entry_type": "\xff\xfe"}',
    "deep": b"[" * 200_000,
    "deep within": b'{"results": ' + b'{"a":' * 100_000,
    "half a zip": b"PK\x03\x04" + b"\0" * 40,
}


@pytest.mark.parametrize("form", SINGLE)
@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_an_error_that_names_the_file(form: str, junk: str, read: Read) -> None:
    with pytest.raises(InputError) as caught:
        read(form, JUNK[junk])
    assert "made-up" in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("form", SINGLE)
def test_a_report_that_is_cut_short_is_an_error(form: str, report: Report, read: Read) -> None:
    raw = report("2.0.0", form).only
    for part in range(1, 40):
        with pytest.raises(InputError) as caught:
            read(form, raw[: len(raw.rstrip()) * part // 40])
        assert caught.value.hint


def test_a_garak_log_is_whole_or_an_error_after_every_line(report: Report, read: Read) -> None:
    lines = report("2.0.0", "garak").only.splitlines(keepends=True)
    for end in range(0, len(lines), 7):
        with pytest.raises(InputError):
            read("garak", b"".join(lines[:end]))
    graded = next(i for i, line in enumerate(lines) if b'"status": 2' in line)
    with pytest.raises(InputError, match=r"was graded 66 times .* holds 64"):
        read("garak", b"".join([*lines[:graded], *lines[graded + 1 :]]))
    broken = [*lines[:4], b'{"entry_type": "attempt", "uuid": 7}\n', *lines[5:]]
    with pytest.raises(InputError, match=r"^made-up:5: "):
        read("garak", b"".join(broken))


def test_a_garak_log_of_two_runs_is_on_no_one_target(report: Report, read: Read) -> None:
    old, new = (report(release, "garak").only for release in ("1.4.0", "2.0.0"))
    line = old.count(b"\n") + 1
    with pytest.raises(InputError, match=f"^made-up:{line}: a second run begins here"):
        read("garak", old + new)


def _without_one(document: Any, *path: Any) -> bytes:
    part = document
    for step in path:
        part = part[step]
    del part[1]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("form", "path", "said"),
    [
        ("promptfoo", ("results", "results"), "says that 88 tests ran, but holds 87"),
        ("inspect-json", ("samples",), "says that it has 60 samples, but holds 59"),
        ("deepteam", ("test_cases",), "counts 30 test cases, but it holds 29"),
    ],
)
def test_a_report_that_holds_fewer_cases_than_it_says_is_an_error(
    form: str, path: tuple[str, ...], said: str, report: Report, read: Read
) -> None:
    document = json.loads(report("2.0.0", form).only)
    with pytest.raises(InputError, match=said):
        read(form, _without_one(document, *path))


def test_a_run_of_agentdojo_that_is_not_there_is_missed(report: Report, read: Read) -> None:
    whole = report("2.0.0", "agentdojo").files
    for path in whole:
        rest = {name: raw for name, raw in whole.items() if name != path}
        given = ReportFiles("runs", rest, folder=True)
        if "none" in path:
            assert len(read("agentdojo", given)[0].attempts) == 20
        else:
            with pytest.raises(InputError, match="only 19 pairs"):
                read("agentdojo", given)
    bad = {**whole, "x.json": b'{"suite_name": 1}'}
    with pytest.raises(InputError, match=r"^runs/x\.json: "):
        read("agentdojo", ReportFiles("runs", bad, folder=True))
    with pytest.raises(InputError, match="holds no run"):
        read("agentdojo", ReportFiles("runs", {}, folder=True))


@pytest.mark.parametrize("status", ["started", "cancelled", "error"])
def test_an_inspect_run_that_did_not_succeed_is_no_evidence(
    status: str, report: Report, read: Read
) -> None:
    log = json.loads(report("2.0.0", "inspect-json").only)
    with pytest.raises(InputError, match=f"ended with status `{status}`"):
        read("inspect", json.dumps({**log, "status": status}).encode())
    with pytest.raises(InputError, match="invalidated"):
        read("inspect", json.dumps({**log, "invalidated": True}).encode())


def test_a_sample_may_not_stand_in_for_another(report: Report, read: Read) -> None:
    log = json.loads(report("2.0.0", "inspect-json").only)
    log["samples"][3] = log["samples"][2]
    with pytest.raises(InputError, match="twice in the same epoch"):
        read("inspect", json.dumps(log).encode())


def _zip(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return packed.getvalue()


def test_a_zip_without_its_header_did_not_finish(read: Read) -> None:
    with pytest.raises(InputError, match=r"no `header\.json`"):
        read("inspect", _zip([("_journal/start.json", b"{}")]))


def test_a_zip_with_a_member_twice_is_refused(read: Read) -> None:
    with pytest.warns(UserWarning):
        raw = _zip([("samples/a.json", b"{}"), ("samples/a.json", b"{}")])
    with pytest.raises(InputError, match="two members of the same name"):
        read("inspect", raw)


def test_a_zip_that_promises_too_much_is_not_unpacked(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_reader, "_LARGEST_MEMBER", 1000)
    with pytest.raises(InputError, match="unpack to more"):
        read("inspect", _zip([("header.json", b" " * 1001)]))


def test_a_zip_that_lies_about_its_sizes_is_cut_and_refused(read: Read) -> None:
    """The header says ten bytes; what would come out are a hundred million."""
    raw = bytearray(_zip([("header.json", b" " * 100_000_000)]))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", raw, raw.index(signature) + place, 10)
    with pytest.raises(InputError):
        read("inspect", bytes(raw))


def test_a_zip_with_wrong_bytes_is_an_error(report: Report, read: Read) -> None:
    raw = bytearray(report("2.0.0", "inspect").only)
    raw[len(raw) // 3] ^= 0xFF
    with pytest.raises(InputError):
        read("inspect", bytes(raw))


@pytest.mark.parametrize("form", SINGLE)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_makes_it_crash(
    form: str, data: st.DataObject, report: Report, read: Read
) -> None:
    raw = bytearray(report("2.0.0", form).only)
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=6)):
        raw[place] = data.draw(st.sampled_from(b'{}[]",:0 9en\\\xff\x00'))
    try:
        read(form, bytes(raw))
    except InputError as error:
        assert error.place


def test_names_that_would_forge_a_folders_digest_are_refused() -> None:
    for name in ("a\nb", "a\\b"):
        with pytest.raises(InputError, match="line break or backslash"):
            ReportFiles("runs", {name: b""}, folder=True)


def test_the_digest_of_a_folder_depends_on_names_and_contents() -> None:
    digests = {
        ReportFiles("runs", files, folder=True).digest
        for files in ({"a": b"1"}, {"b": b"1"}, {"a": b"2"}, {"a": b"1", "b": b""}, {})
    }
    assert len(digests) == 5
    one, other = ({"a": b"1", "b": b"2"}, {"b": b"2", "a": b"1"})
    assert ReportFiles("x", one, True).digest == ReportFiles("y", other, True).digest
