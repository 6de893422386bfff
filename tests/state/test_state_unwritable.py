"""A state where nothing can be written is read as it is, or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from modelreach.cli import run
from modelreach.state import open_state
from modelreach.state.database import State, StateUnavailable

NOBODY = 65534


@contextmanager
def _as_somebody_else() -> Iterator[None]:
    """Root may write anywhere: so be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def place() -> Iterator[Path]:
    """A state that anybody may read, in a folder in which nothing may be written."""
    # Not below pytest's own folders, which nobody else may enter.
    with tempfile.TemporaryDirectory(prefix="mr-unwritable-") as name:
        folder = Path(name) / "state"
        with open_state(str(folder), make=True) as state:
            _note(state, "before")
        for one in (Path(name), folder, *folder.rglob("*")):
            one.chmod(0o755 if one.is_dir() else 0o644)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


def _note(state: State, value: str) -> None:
    with state.writing() as db:
        db.exec_driver_sql("INSERT OR REPLACE INTO state VALUES ('note', ?)", (value,))


def _read(state: State) -> str:
    with state.reading() as db:
        query = "SELECT value FROM state WHERE name = 'note'"
        return str(db.exec_driver_sql(query).scalar_one())


def test_it_is_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["history", "list", "--state", str(place)]) == 0
    told = capsys.readouterr()
    with _as_somebody_else():
        with open_state(str(place), read_only=True) as state:
            assert _read(state) == "before"
        assert run(["history", "list", "--state", str(place)]) == 0
    assert capsys.readouterr() == told
    assert {one.name for one in place.iterdir()} == {"blobs", "state.db"}


def test_what_a_run_has_written_that_is_there_still_is_seen(place: Path) -> None:
    place.chmod(0o755)
    with open_state(str(place)) as writer, writer.reading() as held:
        held.exec_driver_sql("SELECT 1")
        _note(writer, "now")
        for one in place.glob("state.db-*"):
            one.chmod(0o644)
        place.chmod(0o555)
        with _as_somebody_else(), open_state(str(place), read_only=True) as state:
            assert _read(state) == "now"


def test_what_a_killed_run_left_beside_the_file_is_not_left_out(place: Path) -> None:
    place.chmod(0o755)
    with closing(sqlite3.connect(place / "state.db", isolation_level=None)) as db:
        db.execute("INSERT OR REPLACE INTO state VALUES ('note', 'left')")
        left = shutil.copytree(place, place.with_name("left"))
    (left / "state.db-shm").unlink()
    left.chmod(0o555)
    with _as_somebody_else(), pytest.raises(StateUnavailable, match="not in the file yet"):
        open_state(str(left), read_only=True)
    left.chmod(0o755)


def test_what_was_written_while_it_was_read_is_no_answer(place: Path) -> None:
    with _as_somebody_else(), open_state(str(place), read_only=True) as state:
        reading = state.reading()
        reading.__enter__().exec_driver_sql("SELECT * FROM state").fetchall()
        _write_as_before(place)
        with pytest.raises(StateUnavailable, match="while it was read"):
            reading.__exit__(None, None, None)


def _write_as_before(place: Path) -> None:
    me = os.geteuid()
    if me == NOBODY:
        os.seteuid(0)
    place.chmod(0o755)
    with open_state(str(place)) as writer:
        _note(writer, "meanwhile")
    if me == NOBODY:
        os.seteuid(me)
