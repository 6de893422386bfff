"""A state keeps rows and blobs, in SQLite and in PostgreSQL alike; what is none is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import psycopg
import pytest
from sqlalchemy import inspect

from modelreach.model import InputError
from modelreach.snapshot import SCHEMA, Scope, Snapshot, encode
from modelreach.state import (
    ApprovalRow,
    AuditRow,
    DeploymentRow,
    Event,
    Notification,
    PlaceError,
    Standing,
    Telling,
    open_state,
)
from modelreach.state import schema as tables
from modelreach.state.database import State, StateUnavailable
from modelreach.state.prune import prune
from modelreach.state.verify import verify

NAME = "support-agent"


def snapshot(day: int, name: str = "ml") -> Snapshot:
    scope = Scope(id="111111111111", provider="aws", kind="account", name=name)
    at = f"2026-11-{day:02}T03:00:00Z"
    return Snapshot(schema=SCHEMA, taken_at=at, tool="modelreach 0", scopes=(scope,))


def audit(state: State, number: int, **more: object) -> AuditRow:
    kept = state.keep_snapshot(snapshot(number))
    texts = dict.fromkeys(AuditRow.__struct_fields__, "") | {"reasons": ("1 high finding",)}
    numbers = {n: 0 for n, kind in AuditRow.__annotations__.items() if kind == "int"}
    own: dict[str, object] = {
        "id": f"{number:012x}",
        "deployment": NAME,
        "number": number,
        "at": kept.taken_at,
        "version": f"{number}.0",
        "snapshot": kept.digest,
        "taken_at": kept.taken_at,
        "manifest": state.blobs.put(f"manifest {number}".encode()),
    }
    return msgspec.convert({**texts, **numbers, **own, **more}, AuditRow)


def deployment(last: AuditRow) -> DeploymentRow:
    return DeploymentRow(
        deployment=NAME, name=NAME, environment="", owner="ml", last=last.id, clear=last.id
    )


def record(state: State, number: int, *targets: str, **more: object) -> AuditRow:
    row = audit(state, number, **more)
    event = Event(
        kind="gained", item=f"bucket {number}", message="reads a bucket", actions=("s3:GetObject",)
    )
    telling = Telling(
        schema="modelreach.notification/1",
        id=f"n{number}",
        deployment=NAME,
        version=row.version,
        audit=row.id,
        at=row.at,
        taken_at=row.taken_at,
        baseline="",
        previous="",
        verdict="pass",
        reasons=(),
        events=(event,),
    )
    note = Notification(id=f"n{number}", deployment=NAME, audit=row.id, at=row.at, telling=telling)
    standing = Standing(kind="finding", item=f"mr1:{number}", seen_in=row.id, hidden=number > 1)
    state.record(deployment(row), row, [event], [standing], note, targets)
    return row


def approval(row: AuditRow, until: str = "") -> ApprovalRow:
    return ApprovalRow(
        number=0,
        deployment=NAME,
        audit=row.id,
        version=row.version,
        snapshot=row.snapshot,
        manifest=row.manifest,
        approved_by="board",
        approved_at=row.at,
        until=until,
        why="reviewed",
        before="",
        digest="",
    )


def test_an_audit_is_kept_with_all_that_belongs_to_it(state: State) -> None:
    first, second = record(state, 1), record(state, 2, "hook", "hook", "mail")
    assert state.audits(NAME) == (first, second) == state.audits()
    assert state.audits(last=1) == (second,)
    assert state.audits(begin="2026-11-02", end="2026-11-03") == (second,)
    assert [(a, e.item, e.actions) for a, e in state.events(first.id, second.id)] == [
        (first.id, "bucket 1", ("s3:GetObject",)),
        (second.id, "bucket 2", ("s3:GetObject",)),
    ]
    assert [(s.item, s.hidden) for s in state.standing(NAME)] == [("mr1:2", True)]
    assert state.deployment(NAME) == deployment(second)
    assert [d.target for d in state.deliveries("n2")] == ["hook", "mail"]


def test_an_audit_is_found_by_what_a_person_would_type(state: State) -> None:
    first, second = record(state, 0x1AB), record(state, 2)
    found = [state.find(word) for word in ("0000000001ab", NAME, f"{NAME}@427.0", second.id)]
    assert found == [first, second, first, second]
    for word in ("00000000", "nothing", f"{NAME}@9.9", "other@1.0"):
        with pytest.raises(InputError):
            state.find(word)


def test_the_same_facts_are_kept_once_and_each_time_is_given_back(state: State) -> None:
    rows = [state.keep_snapshot(snapshot(day)) for day in (1, 2, 2)]
    assert len({row.facts for row in rows}) == 1
    assert len(state.snapshots()) == 2 == len({row.digest for row in rows})
    assert len(list(state.blobs.all())) == 1
    assert encode(state.snapshot(rows[1].digest)) == encode(snapshot(2))


def test_a_notification_is_due_until_it_is_delivered_or_given_up(state: State) -> None:
    record(state, 1, "hook", "mail")
    record(state, 2, "hook")
    now = "2026-11-03T00:00:00Z"
    assert [n.id for n in state.due("hook", now)] == ["n1", "n2"]
    state.delivered("n1", "hook", now)
    state.failed("n2", "hook", now, "503", next_at="2026-11-03T01:00:00Z")
    assert state.due("hook", now) == ()
    (late,) = state.due("hook", "2026-11-03T01:00:00Z")
    assert (late.id, late.telling.events[0].message) == ("n2", "reads a bucket")
    state.failed("n2", "hook", now, "410")
    assert state.due("hook", "2027-01-01T00:00:00Z") == ()
    assert [(d.status, d.attempts) for d in state.deliveries("n2")] == [("given-up", 2)]
    assert [n.id for n in state.due("mail", now)] == ["n1"]


def test_approvals_are_a_chain_that_the_database_itself_protects(state: State) -> None:
    first = state.approve(approval(record(state, 1), until="2026-11-30"))
    second = state.approve(approval(record(state, 2)))
    assert (first.number, first.before, second.before) == (1, "", first.digest)
    assert state.approved(NAME) == second
    assert (first.expired("2026-11-30"), first.expired("2026-12-01")) == (False, True)
    for statement in ("UPDATE approvals SET why = 'none'", "DELETE FROM approvals"):
        with (
            pytest.raises(StateUnavailable, match="approvals are only added"),
            state.writing() as db,
        ):
            db.exec_driver_sql(statement)
    assert state.approvals(NAME) == (first, second)


def test_an_audit_that_is_there_is_not_written_again(state: State) -> None:
    row = record(state, 1)
    with pytest.raises(StateUnavailable):
        state.record(deployment(row), msgspec.structs.replace(row, id="other"))
    assert state.audits() == (row,)


def test_an_audit_that_fails_half_way_leaves_nothing(state: State) -> None:
    row = record(state, 1)
    bad = Event(kind="gained", item="x", message=None)  # type: ignore[arg-type]
    with pytest.raises(StateUnavailable):
        state.record(deployment(audit(state, 2)), audit(state, 2), [bad])
    assert state.audits() == (row,)
    assert state.deployment(NAME) == deployment(row)


def test_one_run_at_a_time(state: State, opened: Callable[[State], State]) -> None:
    other = opened(State(state.name, state.place, make=False, read_only=False))
    with (
        state.lock(1, since="2026-11-26T00:00:00Z"),
        pytest.raises(StateUnavailable, match=r"process \d+, since 2026-11-26T00:00:00Z"),
        other.lock(0.05, since="2026-11-26T00:00:01Z"),
    ):
        pass
    with other.lock(0.05, since="2026-11-26T00:00:02Z"):
        assert other.audits() == ()


def test_what_is_old_goes_and_what_is_needed_stays(state: State) -> None:
    rows = [record(state, number, "hook", manifest=f"{number}") for number in range(1, 7)]
    state.blobs.put(b"left by a run that died")
    state.approve(approval(rows[1]))
    for row in rows:
        state.delivered(f"n{row.number}", "hook", row.at)
    done = prune(state, before="2026-11-05T00:00:00Z")
    assert (done.audits, done.needed) == (3, 1)
    assert [row.number for row in state.audits()] == [2, 5, 6]
    assert len(state.snapshots()) == 3
    assert [n.id for n in state.notifications()] == ["n2", "n5", "n6"]
    assert encode(state.snapshot(rows[1].snapshot)) == encode(snapshot(2))
    assert len(list(state.blobs.all())) == 1


def test_what_is_still_to_be_told_is_not_forgotten(state: State) -> None:
    record(state, 1, "hook")
    record(state, 2)
    assert prune(state, before="2026-12-01T00:00:00Z").audits == 0


def test_the_tables_for_queries_are_those_that_the_steps_make(state: State) -> None:
    with state.reading() as db:
        found = inspect(db)
        assert set(found.get_table_names()) == {table.name for table in tables.TABLES}
        for table in tables.TABLES:
            made = {
                c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(table.name)
            }
            assert made == {c.name: (str(c.type), False) for c in table.columns}
            assert found.get_pk_constraint(table.name)["constrained_columns"] == [
                c.name for c in table.primary_key
            ]


def test_a_state_of_a_newer_program_is_left_alone(state: State) -> None:
    with state.writing() as db:
        db.exec_driver_sql("UPDATE state SET value = '99' WHERE name = 'version'")
    with pytest.raises(InputError, match="of version 99"):
        State(state.name, state.place, make=True, read_only=False)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_older_state_is_brought_up_to_date(
    places: Callable[[str], tuple[str, str]], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places(kind)
    with open_state(*place, make=True) as old:
        kept = record(old, 1)

    def second(db: object) -> None:
        db.exec_driver_sql("CREATE TABLE later (a TEXT)")  # type: ignore[attr-defined]

    monkeypatch.setattr(tables, "STEPS", (*tables.STEPS, second))
    with pytest.raises(InputError, match="of an older version"):
        open_state(*place)
    with open_state(*place, make=True) as new, new.reading() as db:
        assert tables.version(db) == 2
        assert "later" in inspect(db).get_table_names()
        assert new.audits() == (kept,)

    monkeypatch.setattr(tables, "STEPS", (*tables.STEPS, second))
    with pytest.raises(StateUnavailable):
        open_state(*place, make=True)
    monkeypatch.undo()
    monkeypatch.setattr(tables, "STEPS", (*tables.STEPS, second))
    with open_state(*place) as again:
        assert again.audits() == (kept,)


def test_what_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no state here yet"):
        open_state(str(tmp_path))
    with closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE something (a)")
    with pytest.raises(InputError, match="holds other tables"):
        open_state(str(tmp_path / "other.db"), make=True)
    (tmp_path / "text.db").write_text("hello " * 200)
    with pytest.raises(StateUnavailable, match="not a database"):
        open_state(str(tmp_path / "text.db"), make=True)
    with pytest.raises(InputError, match="no state can be kept"):
        open_state("s3://bucket/x", make=True)


def test_a_password_is_not_taken_from_the_command_line() -> None:
    with pytest.raises(InputError, match="can be read by others") as found:
        open_state("postgresql://audit:hunter2@db/x")
    assert "hunter2" not in found.value.message


def test_a_server_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(StateUnavailable, match="cannot be used"):
        open_state("postgresql://audit@127.0.0.1:1/x", "blobs", make=True)


def test_the_place_of_the_blobs_is_remembered_on_a_server(
    places: Callable[[str], tuple[str, str]],
) -> None:
    url, blobs = places("postgresql")
    with pytest.raises(InputError, match="not said where"):
        open_state(url, make=True)
    with open_state(url, blobs, make=True) as state:
        kept = state.keep_snapshot(snapshot(1))
    with open_state(url) as again:
        assert again.blobs.url == blobs
        assert encode(again.snapshot(kept.digest)) == encode(snapshot(1))


def test_who_only_reads_cannot_write(state: State, opened: Callable[[State], State]) -> None:
    record(state, 1)
    reader = opened(State(state.name, state.place, make=False, read_only=True))
    assert len(reader.audits()) == 1
    with pytest.raises(StateUnavailable), reader.writing() as db:
        db.exec_driver_sql("DELETE FROM standing")


# --- tampering -----------------------------------------------------------------------------


def _forge(state: State, statement: str) -> None:
    """Change the tables as somebody would who has the database in hand."""
    if state.name.startswith("postgres"):
        with psycopg.connect(state.name, autocommit=True) as db:
            db.execute(b"SET session_replication_role = replica")
            db.execute(statement.encode())
        return
    with closing(sqlite3.connect(str(state.place.file))) as file, file:
        for name in ("approvals_stay", "approvals_remain"):
            file.execute(f"DROP TRIGGER {name}")
        file.execute(statement)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE approvals SET until = '2099-01-01' WHERE number = 1", "approval 1 was changed"),
        ("UPDATE approvals SET approved_by = 'me' WHERE number = 2", "approval 2 was changed"),
        ("DELETE FROM approvals WHERE number = 1", "approval 1 is missing"),
        ("DELETE FROM approvals WHERE number = 2", "audit 000000000003 saw the approval sha256:"),
        ("UPDATE audits SET manifest = radius WHERE number = 1", "audit 000000000001 is not what"),
        ("UPDATE snapshots SET taken_at = '2027' WHERE taken_at LIKE '%01T%'", "was changed"),
    ],
)
def test_a_forged_row_is_found(state: State, statement: str, said: str) -> None:
    first = state.approve(approval(record(state, 1)))
    second = state.approve(approval(record(state, 2)))
    record(state, 3, approvals_head=second.digest)
    whole = verify(state, head=first.digest)
    assert (whole.problems, whole.head) == ((), second.digest)
    assert (whole.approvals, whole.audits, whole.snapshots, whole.blobs) == (2, 3, 3, 4)
    _forge(state, statement)
    assert any(said in problem for problem in verify(state).problems)


@pytest.mark.parametrize("what", ["changed", "truncated", "gone", "another"])
def test_a_forged_snapshot_is_found(state: State, what: str) -> None:
    row = state.keep_snapshot(snapshot(1))
    other = state.keep_snapshot(snapshot(1, name="other"))
    names = {digest: _file(state, digest) for digest in (row.facts, other.facts)}
    path = names[row.facts]
    raw = path.read_bytes()
    if what == "changed":
        path.write_bytes(raw[:-3] + bytes([raw[-3] ^ 1]) + raw[-2:])
    elif what == "truncated":
        path.write_bytes(raw[: len(raw) // 2])
    elif what == "gone":
        path.unlink()
    else:
        path.write_bytes(names[other.facts].read_bytes())
    (problem,) = verify(state).problems
    assert problem.startswith(f"snapshot {row.digest}: the blob {row.facts} ")


def _file(state: State, digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    return Path(state.blobs.url) / name[:2] / f"{name}.zst"


def test_a_head_that_was_written_down_elsewhere_is_missed(state: State) -> None:
    state.approve(approval(record(state, 1)))
    assert verify(state, head="sha256:ab").problems == ("there is no approval sha256:ab",)


# --- where blobs lie -----------------------------------------------------------------------


def test_two_states_do_not_share_a_place(tmp_path: Path) -> None:
    shared = str(tmp_path / "shared")
    for _ in range(2):
        open_state(str(tmp_path / "one"), shared, make=True).close()
    with pytest.raises(InputError, match="another state keeps its blobs here"):
        open_state(str(tmp_path / "two"), shared, make=True)
    with (
        open_state(str(tmp_path / "a.db"), make=True) as first,
        open_state(str(tmp_path / "b.db"), make=True) as second,
    ):
        assert first.blobs.url != second.blobs.url


def test_blobs_in_a_bucket(tmp_path: Path, bucket: str, opened: Callable[[State], State]) -> None:
    state = opened(open_state(str(tmp_path / "state"), bucket, make=True))
    kept = record(state, 1)
    record(state, 2)
    assert encode(state.snapshot(kept.snapshot)) == encode(snapshot(1))
    assert verify(state).problems == ()
    left = state.blobs.put(b"left by a run that died")
    assert prune(state, before="2020").blobs == 1
    assert left not in dict(state.blobs.all())
    state.blobs.drop(kept.manifest)
    assert [one.split()[-2:] for one in verify(state).problems] == [["from", bucket]]


def test_a_bucket_that_is_not_there_is_said_so(tmp_path: Path, bucket: str) -> None:
    other = bucket.replace("made-up", "not-there")
    if other.startswith("s3:"):
        with pytest.raises(PlaceError, match="does not answer as it should"):
            open_state(str(tmp_path / "state"), other, make=True)
    with pytest.raises(InputError, match="no blobs can be kept in `ftp://`"):
        open_state(str(tmp_path / "state"), "ftp://host/x", make=True)
