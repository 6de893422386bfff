"""A store holds what the JSON holds, reads only what is asked about, says when it is broken."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from modelreach import deployment
from modelreach.cli import run
from modelreach.judge.policy import JudgePolicy
from modelreach.model import InputError
from modelreach.pipeline import GateOptions, Release, evaluate, radius_report
from modelreach.pipeline.evaluate import Estates
from modelreach.pipeline.many import Many
from modelreach.report_file import encode as encode_report
from modelreach.snapshot import Snapshot, decode, encode, facts_of
from modelreach.store import Store, StoredSnapshot, write
from organisations import deployments, manifest, plan, whole

PLAN = plan(principals=90, resources=400, accounts=5)


@pytest.fixture(scope="module")
def made() -> Snapshot:
    return whole(PLAN)


@pytest.fixture
def path(tmp_path: Path, made: Snapshot) -> Path:
    write(tmp_path / "estate.mrdb", made)
    return tmp_path / "estate.mrdb"


def _radius(snapshot: Snapshot, principal: str) -> bytes:
    release = Release(deployment.decode(manifest(principal).encode(), place="m"), snapshot)
    side = evaluate(release, JudgePolicy(), Estates())
    return encode_report(radius_report(side, GateOptions()))


def test_both_forms_have_the_same_facts_and_digest(path: Path, made: Snapshot) -> None:
    stored = StoredSnapshot.open(path)
    raw = encode(made)
    assert encode(stored.whole()) == raw
    assert stored.digest == "sha256:" + hashlib.sha256(raw).hexdigest()


def test_the_same_releases_reach_the_same(path: Path, made: Snapshot) -> None:
    again = decode(encode(made), place="x")
    for principal in deployments(PLAN, made)[:6]:
        stored = StoredSnapshot.open(path).as_snapshot()
        assert _radius(stored, principal) == _radius(again, principal)


def test_a_deployment_reads_only_what_it_reaches(path: Path, made: Snapshot) -> None:
    """Names are worked out once for each account; the next run does not read the others."""
    principal = deployments(PLAN, made)[0]
    _radius(StoredSnapshot.open(path).as_snapshot(), principal)
    stored = StoredSnapshot.open(path)
    _radius(stored.as_snapshot(), principal)
    account = principal.split(":")[4]
    # And one other account's, whose bucket lets everybody of the organisation in.
    assert set(stored.facts.read_parts) - {account, "aws"} == {"", "200000018453"}


def test_what_a_command_stores_can_be_scanned_without_reading_all_of_it(
    tmp_path: Path, made: Snapshot
) -> None:
    (tmp_path / "estate.snap").write_bytes(encode(made))
    store = tmp_path / "whole.mrdb"
    assert run(["convert", str(tmp_path / "estate.snap"), "-o", str(store), "-q"]) == 0
    stored = StoredSnapshot.open(store)
    principal = deployments(PLAN, made)[0]
    assert _radius(stored.as_snapshot(), principal) == _radius(made, principal)
    assert set(stored.facts.read_parts) <= {"", "aws", principal.split(":")[4], "200000018453"}


def test_a_day_adds_only_what_changed(path: Path) -> None:
    before = path.stat().st_size
    write(path, whole(plan(principals=90, resources=400, accounts=5, drift=0.2, day=1)))
    assert path.stat().st_size < before * 1.7
    assert len(Store(path).snapshots()) == 2


def test_a_snapshot_is_kept_once(path: Path, made: Snapshot) -> None:
    write(path, made)
    assert len(Store(path).snapshots()) == 1


def test_dropping_leaves_the_other_days_whole(path: Path, made: Snapshot) -> None:
    later = whole(plan(principals=90, resources=400, accounts=5, drift=0.2, day=1))
    kept = write(path, later)
    store = Store(path)
    store.drop(store.snapshots()[0])
    store.close()
    assert encode(StoredSnapshot.open(path).whole()) == encode(later)
    assert [one.digest for one in Store(path).snapshots()] == [kept.digest]


def test_which_snapshot(path: Path, made: Snapshot) -> None:
    later = whole(plan(principals=90, resources=400, accounts=5, drift=0.2, day=1))
    write(path, later)
    first, last = Store(path).snapshots()
    assert Store(path).find("") == last
    assert Store(path).find("-1") == first
    assert Store(path).find(first.digest) == first
    assert Store(path).find(first.digest[7:15]) == first
    assert Store(path).find("2026-11-23") == last
    with pytest.raises(InputError, match="no snapshot `2025"):
        Store(path).find("2025")


def test_an_id_that_does_not_say_its_account_is_found(path: Path, made: Snapshot) -> None:
    bucket = next(one for one in made.resources if one.kind == "s3:bucket")
    stored = StoredSnapshot.open(path)
    assert stored.facts.resources.get(bucket.id) == bucket
    assert bucket.scope in stored.facts.read_parts
    assert "arn:aws:s3:::nobody-has-this" not in stored.facts.resources


@pytest.mark.parametrize("cut", [0, 1, 50, 4000, 20000])
def test_a_truncated_file_is_an_error_that_names_it(path: Path, tmp_path: Path, cut: int) -> None:
    broken = tmp_path / "broken.mrdb"
    broken.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match="broken"):
        StoredSnapshot.open(broken).whole()


def test_a_changed_blob_is_noticed(path: Path) -> None:
    with sqlite3.connect(path) as db:
        other = db.execute("SELECT data FROM blobs LIMIT 1 OFFSET 3").fetchone()[0]
        db.execute("UPDATE blobs SET data = ? WHERE rowid = 1", (other,))
    with pytest.raises(InputError, match="was changed"):
        StoredSnapshot.open(path).whole()


def test_decisions_that_are_damaged_are_made_again(path: Path, made: Snapshot) -> None:
    said: set[bytes] = set()
    (name,) = deployments(PLAN, made)[:1]
    for damaged in (b"", b"\x91\xc4\x01x", b"\x91\xa1x", b"\xc1"):
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM derived WHERE name LIKE 'rows %'")
            if damaged:
                done = db.execute(
                    "UPDATE derived SET data = ? WHERE name LIKE 'decided %'",
                    (zstandard.ZstdCompressor().compress(damaged),),
                )
                assert done.rowcount
        stored = StoredSnapshot.open(path).as_snapshot()
        rows = Many(stored, "", JudgePolicy()).survey(
            [(deployment.decode(manifest(name).encode(), place="m"), "m", b"")], lambda _: None
        )
        said.add(msgspec.json.encode(rows))
    assert len(said) == 1


def test_what_is_no_store(tmp_path: Path) -> None:
    file = tmp_path / "other.mrdb"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE something (a)")
    with pytest.raises(InputError, match=r"not a `modelreach.store/1` file"):
        Store(file)
    with pytest.raises(InputError, match=r"no such file"):
        Store(tmp_path / "nothing.mrdb")


def test_the_commands_convert_between_the_forms(
    path: Path, made: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    json, again, tables = (str(tmp_path / n) for n in ("e.snap", "again.mrdb", "e.parquet"))
    assert run(["convert", str(path), "-o", json]) == 0
    assert Path(json).read_bytes() == encode(made)
    capsys.readouterr()
    assert run(["convert", json, "-o", again]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err.startswith(f"{again}: 5 accounts, ")) == ("", True)
    assert f"{len(made.resources)} resources, " in told.err
    assert run(["convert", json, "-o", again, "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert run(["convert", again]) == 0
    listed = capsys.readouterr().out
    assert StoredSnapshot.open(path).digest in listed
    assert run(["convert", again, "-o", tables]) == 0
    table = parquet.read_table(Path(tables) / "resources.parquet")
    assert table["id"].to_pylist() == [one.id for one in made.resources]
    assert run(["convert", json]) == 2


def test_a_store_keeps_as_many_days_as_asked(path: Path) -> None:
    write(path, whole(plan(principals=90, resources=400, accounts=5, drift=0.2, day=1)))
    assert run(["convert", str(path), "--keep", "1"]) == 0
    assert len(Store(path).snapshots()) == 1


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_facts_that_are_read_one_by_one_are_the_same(
    path: Path, made: Snapshot, data: st.DataObject
) -> None:
    """Whatever is looked up, read whole or let go of between: what is there is found."""
    known, facts = facts_of(made), StoredSnapshot.open(path).facts
    facts.sparing = True
    sections = ("principals", "resources", "runtimes", "credentials", "attachments")
    ids = [one.id for name in sections[:3] for one in getattr(made, name)]
    for _ in range(data.draw(st.integers(1, 60))):
        match data.draw(st.sampled_from(("look",) * 9 + ("read", "full", "let go"))):
            case "look":
                name = data.draw(st.sampled_from(ids)) + data.draw(st.sampled_from(("", "", "/x")))
                section = data.draw(st.sampled_from(sections))
                assert getattr(facts, section).get(name) == getattr(known, section).get(name)
            case "read":
                scope, section = data.draw(st.sampled_from(facts.parts)), sections[1]
                both = facts.section(scope, section), known.section(scope, section)
                assert sorted(x.id for x in both[0]) == sorted(x.id for x in both[1])
            case "full":
                facts.sparing = not facts.sparing
            case _:
                facts.let_go()


def test_a_comparison_that_was_made_before_reads_no_section_whole(path: Path) -> None:
    facts = StoredSnapshot.open(path).facts
    facts.sparing = True
    one, *_ = (name for name in facts.parts if name.isdigit())
    wanted = StoredSnapshot.open(path).facts.section(one, "resources")[0]
    assert facts.resources[wanted.id] == wanted
    assert facts.resources.get(wanted.id + "/x") is None
    assert [name for name, read in facts._loaded.get(one, {}).items() if read] == []
