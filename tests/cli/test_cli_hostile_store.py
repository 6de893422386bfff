"""A store that somebody else has made: refused with its name, or read for what it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import zstandard

from modelreach.cli import run
from modelreach.model import InputError
from modelreach.state.blobs import Blobs, Folder
from modelreach.store import Store, StoredSnapshot

ESTATE = ("--snapshot", "estate.mrdb")


@pytest.fixture
def store(place: Path) -> Path:
    assert run(["convert", "estate.snap.json", "-o", "estate.mrdb", "-q"]) == 0
    return place / "estate.mrdb"


def _changed(store: Path, script: str) -> None:
    with sqlite3.connect(store) as db:
        db.executescript(script)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
FOREIGN = {
    "a view in the place of a table": "DROP TABLE snapshots;"
    f"CREATE VIEW snapshots AS {ENDLESS} i AS id, '' AS digest, '' AS taken_at, '' AS tool"
    " FROM n;",
    "a view in the place of the first": "DROP TABLE store;"
    f"CREATE VIEW store AS {ENDLESS} 'x' AS name, 'y' AS value FROM n;",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON derived BEGIN DELETE FROM manifest; END;",
    "a virtual table": "CREATE VIRTUAL TABLE v USING fts5(a);",
    "a later version": "UPDATE store SET value = 'modelreach.store/2';",
    "a section that is unknown": "UPDATE manifest SET section = 'x' WHERE section = 'scopes';",
    "a digest that is a number": "UPDATE manifest SET digest = 7;",
    "a digest of nothing": "UPDATE manifest SET digest = zeroblob(32);",
    "data that is text": "UPDATE blobs SET data = 'hello';",
    "data that is a number": "UPDATE blobs SET data = 1000000000000;",
    "no snapshot": "DELETE FROM snapshots;",
    "no tables": "DROP TABLE manifest;",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_store_that_is_none_is_refused_by_name(call: Any, store: Path, name: str) -> None:
    _changed(store, FOREIGN[name])
    for command in (("diff", "v1.yaml", "v2.yaml", *ESTATE), ("convert", store, "-o", "x.snap")):
        done = call(*command)
        assert (done.code, done.out) == (2, ""), done.err
        assert done.err.startswith("error: "), done.err
        assert "estate.mrdb: " in done.err


@pytest.mark.parametrize("column", ["digest", "taken_at", "tool"])
@pytest.mark.parametrize("value", ["7", "x'ff'"])
def test_what_a_snapshot_is_called_may_be_anything(
    call: Any, store: Path, column: str, value: str
) -> None:
    _changed(store, f"UPDATE snapshots SET {column} = {value};")
    for command in (("convert", "estate.mrdb"), ("scan", "v2.yaml", *ESTATE)):
        assert call(*command).code in (0, 1, 2)


@pytest.mark.parametrize("value", ["7", "x'28b52ffd'"])
def test_what_was_decided_is_decided_again_where_it_is_damaged(
    call: Any, store: Path, value: str
) -> None:
    for command in (("survey", "v2.yaml", *ESTATE), ("diff", "v1.yaml", "v2.yaml", *ESTATE)):
        whole = call(*command).out
        _changed(store, f"UPDATE derived SET data = {value};")
        assert call(*command).out == whole


def _bomb(size: int) -> bytes:
    """A frame that is true to its word, and a thousandth of it."""
    return zstandard.ZstdCompressor().compress(bytes(size))


def test_a_frame_that_would_fill_the_memory_is_not_unpacked(store: Path, tmp_path: Path) -> None:
    bomb = _bomb(100 << 20)
    lie = bytes.fromhex("28b52ffde0") + (1 << 50).to_bytes(8, "little") + b"\x01\x00\x00"
    for packed in (bomb, lie):
        with sqlite3.connect(store) as db:
            db.execute("UPDATE blobs SET data = ?", (packed,))
        with pytest.raises(InputError, match="bytes that say they are"):
            StoredSnapshot.open(store).whole()
    blobs = Blobs(Folder(tmp_path / "blobs"))
    name = "0" * 64
    blobs.place.put(f"{name}.zst", bomb)
    with pytest.raises(Exception, match="bytes that say they are"):
        blobs.get(f"sha256:{name}")


def test_facts_that_were_changed_with_their_digests_are_noticed(call: Any, store: Path) -> None:
    """Each blob is what its digest says; together they are not what the snapshot's digest says."""
    assert call("decide", "v1.yaml", "v2.yaml", *ESTATE, "--record", "r.json").code in (0, 1)
    assert call("verify", "r.json").code == 3, "it is not signed, and all else is well"
    assert call("verify", "r.json", *ESTATE).code == 3
    assert call("verify", "r.json", "--snapshot", "estate.snap.json").code == 3
    first = Store(store).snapshots()[0]
    _changed(store, "DELETE FROM manifest WHERE section = 'attachments';")
    assert Store(store).snapshots()[0].digest == first.digest
    done = call("verify", "r.json", *ESTATE)
    assert done.code == 1
    assert (
        "failed       snapshot-new estate.mrdb: the snapshot is not the one decided on" in done.out
    )
    done = call("convert", "estate.mrdb", "-o", "facts.snap")
    assert done.code == 2
    assert "estate.mrdb: these are not the facts of the digest" in done.err
    assert not Path("facts.snap").exists()
