"""A survey takes rows of before where no fact has changed, and only there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import zstandard
from msgspec.structs import replace

from modelreach.cli import run
from modelreach.judge.policy import JudgePolicy
from modelreach.model import InputError
from modelreach.pipeline.kept import Counts
from modelreach.pipeline.many import Many, Named
from modelreach.pipeline.survey import SurveyRow
from modelreach.snapshot import Snapshot
from modelreach.store import StoredSnapshot, write
from organisations import deployments, manifest, plan, whole

PLAN = plan(principals=24, resources=80, accounts=3, deployments=4)


@pytest.fixture(scope="module")
def made() -> Snapshot:
    return whole(PLAN)


def _files(made: Snapshot) -> list[bytes]:
    return [manifest(p, n).encode() for n, p in enumerate(deployments(PLAN, made))]


def _survey(
    path: Path, made: Snapshot, raws: list[bytes], policy: JudgePolicy | None = None
) -> tuple[list[SurveyRow], Counts, tuple[str, ...]]:
    """Give rows, what they were made of, and the accounts that were read."""
    stored = StoredSnapshot.open(path, write(path, made).digest)
    many = Many(stored.as_snapshot(), stored.digest, policy or JudgePolicy())
    given: list[Named] = [(None, "m.yaml", raw) for raw in raws]
    rows = many.survey(given, lambda _: None)
    read = tuple(part for part in stored.facts.read_parts if part in stored.facts.scopes)
    return rows, many.counts, read


def _anew(made: Snapshot, raws: list[bytes]) -> list[SurveyRow]:
    return Many(made, "", JudgePolicy()).survey([(None, "m", raw) for raw in raws], lambda _: None)


def _unnamed(rows: list[SurveyRow]) -> list[SurveyRow]:
    return [replace(row, snapshot="") for row in rows]


def test_nothing_is_read_where_nothing_changed(made: Snapshot, tmp_path: Path) -> None:
    path, raws = tmp_path / "e.mrdb", _files(made)
    first = _survey(path, made, raws)
    assert first[1].decided and not first[1].rows
    assert _survey(path, made, raws) == (first[0], Counts(0, 0, len(raws)), ())
    assert _unnamed(first[0]) == _anew(made, raws)


def test_one_more_release_is_worked_out_alone(made: Snapshot, tmp_path: Path) -> None:
    path, raws = tmp_path / "e.mrdb", _files(made)
    _survey(path, made, raws[1:])
    rows, counts, _ = _survey(path, made, raws)
    assert counts.rows == len(raws) - 1
    assert _unnamed(rows) == _anew(made, raws)
    assert _survey(path, made, raws[::-1])[:2] == (rows[::-1], Counts(0, 0, len(raws)))


def test_the_same_facts_another_day_have_the_row_of_that_day(
    made: Snapshot, tmp_path: Path
) -> None:
    path, raws = tmp_path / "e.mrdb", _files(made)
    before = _survey(path, made, raws)[0]
    later = replace(made, taken_at="2026-11-24T09:00:00Z")
    rows, counts, _ = _survey(path, later, raws)
    assert counts.rows == len(raws)
    assert rows[0].snapshot != before[0].snapshot
    assert _unnamed(rows) == _unnamed(before)


def test_rows_of_other_facts_are_not_taken(made: Snapshot, tmp_path: Path) -> None:
    path, raws = tmp_path / "e.mrdb", _files(made)
    first = _survey(path, made, raws)[0]
    days = [replace(made, resources=made.resources[n:]) for n in range(1, 6)]
    for day in days:
        rows, counts, _ = _survey(path, day, raws)
        assert not counts.rows
        assert _unnamed(rows) == _anew(day, raws)
    for day in days[-4:]:
        assert _survey(path, day, raws)[1].rows == len(raws)
    # Of the first day rows are not kept any more; its decisions are.
    rows, counts, _ = _survey(path, made, raws)
    assert (rows, counts.rows) == (first, 0)


def test_what_the_user_says_is_part_of_it(made: Snapshot, tmp_path: Path) -> None:
    path, raws = tmp_path / "e.mrdb", _files(made)
    _survey(path, made, raws)
    policy = JudgePolicy(opens=(("arn:aws:secretsmanager:*", made.principals[0].id),))
    assert not _survey(path, made, raws, policy)[1].rows


def test_rows_that_make_no_sense_are_worked_out(made: Snapshot, tmp_path: Path) -> None:
    path, raws = tmp_path / "e.mrdb", _files(made)
    first = _survey(path, made, raws)[0]
    for junk in (b"", b"\xc1", b"\x92\xc4\x01x\x80"):
        with sqlite3.connect(path) as db:
            packed = zstandard.ZstdCompressor().compress(junk)
            db.execute("UPDATE derived SET data = ? WHERE name LIKE 'rows %'", (packed,))
        rows, counts, _ = _survey(path, made, raws)
        assert (rows, counts.rows) == (first, 0)


def test_a_release_that_is_refused_has_no_row(made: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "e.mrdb"
    raw = manifest(f"{made.principals[0].id}-gone").encode()
    for _ in range(2):
        with pytest.raises(InputError, match="is not in"):
            _survey(path, made, [raw])


def test_the_command_gives_the_same_bytes(made: Snapshot, tmp_path: Path) -> None:
    write(tmp_path / "e.mrdb", made)
    folder = tmp_path / "releases"
    folder.mkdir()
    for number, raw in enumerate(_files(made)):
        (folder / f"{number}.yaml").write_bytes(raw)
    words = ["survey", str(folder), "--snapshot", str(tmp_path / "e.mrdb"), "-q", "-o"]
    for name in ("first", "second"):
        assert run([*words, str(tmp_path / name)]) == 0
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    bad = folder / "bad.yaml"
    bad.write_text("kind: ModelDeployment\nspec: [")
    assert run([*words, str(tmp_path / "third")]) == 2
