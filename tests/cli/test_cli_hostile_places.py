"""Places that cannot be used as they are named: one message, and no bug."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ESTATE = ("--snapshot", "estate.snap.json")
#: A folder in which nobody can make anything, whoever asks.
NOWHERE = "/proc/self/nowhere"


@pytest.mark.parametrize(
    "command",
    [
        ("demo", "--keep", NOWHERE),
        ("demo", "--keep", "v1.yaml"),
        ("demo", "--keep", "n" * 300),
        ("audit", "v1.yaml", *ESTATE, "--state", NOWHERE),
        ("audit", "v1.yaml", *ESTATE, "--state", f"{NOWHERE}/state.db"),
        ("audit", "v1.yaml", *ESTATE, "--state", "v1.yaml"),
        ("convert", "estate.snap.json", "-o", f"{NOWHERE}.parquet"),
        ("convert", "estate.snap.json", "-o", f"{NOWHERE}.mrdb"),
        ("convert", "estate.snap.json", "-o", f"{NOWHERE}.snap"),
        ("diff", "v1.yaml", "v2.yaml", *ESTATE, "-o", f"neo4j:{NOWHERE}/"),
    ],
)
def test_a_place_where_nothing_can_be_made_is_named(
    call: Any, place: Path, command: tuple[str, ...]
) -> None:
    done = call(*command)
    assert (done.code, done.out) == (2, ""), done.err
    (message, *hints) = done.err.splitlines()
    assert message.startswith("error: ")
    assert any(name in message for name in (NOWHERE, "v1.yaml", "nnn")), message
    assert all(hint.startswith("hint:  ") for hint in hints)


@pytest.mark.parametrize("name", ["s3:tables.parquet", "nope:x.parquet", "half\udcff.parquet"])
def test_a_name_is_a_name_and_no_address(call: Any, place: Path, name: str) -> None:
    assert call("convert", "estate.snap.json", "-o", name).code == 0
    assert (place / name / "scopes.parquet").is_file()


@pytest.mark.parametrize(
    "command",
    [
        ("survey", "folder", *ESTATE),
        ("collect", "kubernetes", "--from", "folder", "-o", "x.snap"),
        ("collect", "aws", "--from", "folder", "-o", "x.snap"),
    ],
)
def test_a_folder_that_cannot_be_read_is_not_passed_over(
    call: Any, place: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    closed = place / "folder" / "closed"
    closed.mkdir(parents=True)
    (place / "folder" / "v1.yaml").write_bytes((place / "v1.yaml").read_bytes())
    scan = os.scandir

    def refusing(path: str) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    done = call(*command)
    assert (done.code, done.out) == (2, "")
    assert "folder/closed: this folder cannot be read (Permission denied)" in done.err
