"""What `scan` and `diff` take from before is what they would work out."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach import deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, diff_report, evaluate, radius_report
from modelreach.pipeline.answer import Answer, Shown, decode, decode_lot, encode, encode_lot
from modelreach.pipeline.evaluate import Estates
from modelreach.policy import providers
from modelreach.policy.aws import shelves
from modelreach.policy.lots import Grants, Lot, granted
from modelreach.report_file import encode as report_bytes
from modelreach.snapshot import Facts, Snapshot
from modelreach.snapshot import decode as read
from modelreach.snapshot import encode as written
from modelreach.store import Store, StoredSnapshot, write
from modelreach.store.facts import StoredFacts
from organisations import PROVIDERS, manifest, plan, whole
from organisations.changes import CHANGES, change

ROOT = Path(__file__).parents[2]
NOTHING = Grants((), ())
SMALL: dict[str, Any] = {"principals": 16, "resources": 60, "accounts": 2}


@pytest.fixture(autouse=True, scope="module")
def _all_is_kept() -> Iterator[None]:
    """How resources were told apart is kept of accounts as small as these, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelves, "_WORTH_KEEPING", 1)
        yield


def _estates() -> dict[str, Snapshot]:
    desk = ROOT / "fixtures" / "booking_desk" / "estate.snap.json"
    return {
        "aws": whole(plan(**SMALL)),
        "azure": whole(plan(**SMALL, providers=("azure",))),
        "gcp": whole(plan(**SMALL, providers=("gcp",))),
        "kubernetes": whole(plan(**SMALL, providers=("kubernetes",))),
        "several": read(desk.read_bytes(), place="desk"),
    }


ESTATES = _estates()


def _runs(made: Snapshot, count: int = 3) -> list[str]:
    fit = [p.id for p in made.principals if PROVIDERS[p.provider].runs_models(p)]
    return sorted(fit)[:count]


def _release(name: str, made: Snapshot) -> Release:
    cloud = providers.cloud_of(name, made)
    raw = manifest(name, cloud=cloud).encode()
    return Release(deployment.decode(raw, place="m"), made)


def _scans(made: Snapshot, names: list[str], *, keeping: bool) -> list[bytes]:
    estates = Estates(keeping=keeping)
    sides = [evaluate(_release(name, made), JudgePolicy(), estates) for name in names]
    return [report_bytes(radius_report(side, GateOptions())) for side in sides]


def _diff(old: Snapshot, new: Snapshot, name: str, *, keeping: bool) -> bytes:
    estates = Estates(keeping=keeping)
    first, second = (evaluate(_release(name, made), JudgePolicy(), estates) for made in (old, new))
    return report_bytes(diff_report(first, second, GateOptions()))


def _stored(path: Path, made: Snapshot) -> Snapshot:
    return StoredSnapshot.open(path, write(path, made).digest).as_snapshot()


def _facts(path: Path, made: Snapshot) -> StoredFacts:
    return StoredSnapshot.open(path, write(path, made).digest).facts


def _fresh(made: Snapshot) -> Snapshot:
    return read(written(made), place="x")


def _follow(path: Path, made: Snapshot, steps: list[Callable[[Snapshot], Snapshot]]) -> None:
    """Scan day by day, and compare each day with the one before."""
    names = _runs(made)
    assert _scans(_stored(path, made), names, keeping=True) == _scans(made, names, keeping=False)
    for step in steps:
        before, made = made, step(made)
        sides = _stored(path, before), _stored(path, made)
        assert _diff(*sides, names[0], keeping=True) == _diff(
            _fresh(before), _fresh(made), names[0], keeping=False
        )
        assert _scans(sides[1], names, keeping=True) == _scans(_fresh(made), names, keeping=False)


def _changes(seed: int, count: int) -> list[Callable[[Snapshot], Snapshot]]:
    rng = Random(seed)
    return [lambda made: change(made, rng)] * count


@pytest.mark.parametrize("which", CHANGES, ids=lambda one: one.__name__)
def test_each_kind_of_change(
    which: Callable[[Snapshot, Random], Snapshot], tmp_path: Path
) -> None:
    made = whole(plan(**SMALL))
    _follow(tmp_path / "e.mrdb", made, [lambda one: which(one, Random(3))])


@pytest.mark.soak
@settings(max_examples=200)
@given(seed=st.integers(0, 1_000_000))
def test_changes_at_length(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("answers") / "e.mrdb"
    _follow(path, whole(plan(**SMALL, seed=seed % 11)), _changes(seed, 4))


# --- what was said before --------------------------------------------------------------------


def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> object:
        raise AssertionError("an engine was made")

    known = providers.providers()
    for name, provider in known.items():
        monkeypatch.setitem(known, name, replace(provider, engine=refused))


def test_a_second_scan_makes_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = whole(plan(**SMALL))
    path, names = tmp_path / "e.mrdb", _runs(made)
    first = _scans(_stored(path, made), names, keeping=True)
    _no_engine(monkeypatch)
    assert _scans(_stored(path, made), names, keeping=True) == first


def test_who_is_met_later_drops_nothing_of_who_was_met_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = whole(plan(**SMALL))
    path, names = tmp_path / "e.mrdb", _runs(made)
    first = [_scans(_stored(path, made), [name], keeping=True) for name in names]
    _no_engine(monkeypatch)
    assert [_scans(_stored(path, made), [name], keeping=True) for name in names] == first


def test_only_who_may_be_touched_is_decided_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy of the other account changes; the principals of the first are not asked about."""
    made = whole(plan(principals=60, resources=100, accounts=2))
    path = tmp_path / "e.mrdb"
    accounts = sorted({p.scope for p in made.principals})
    names = [n for n in _runs(made, 1000) if f":{accounts[0]}:" in n][:2]
    _scans(_stored(path, made), names, keeping=True)
    changed = next(
        later
        for seed in range(100)
        if (later := _without_a_policy(made, accounts[1], Random(seed))) is not None
    )
    _no_engine(monkeypatch)
    assert _scans(_stored(path, changed), names, keeping=True)


def _without_a_policy(made: Snapshot, account: str, rng: Random) -> Snapshot | None:
    own = [a for a in made.attachments if f"::{account}:role/run/" in a.target]
    gone = rng.choice([a for a in own if a.kind == "identity"])
    left = tuple(a for a in made.attachments if a != gone)
    return replace(made, attachments=left)


def test_a_second_scan_reads_no_list_of_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = whole(plan(**SMALL))
    path, names = tmp_path / "e.mrdb", _runs(made)
    first = _scans(_stored(path, made), names, keeping=True)
    facts = StoredSnapshot.open(path).facts
    lists = {facts.listing(part) for part in facts.parts}
    read: set[bytes] = set()
    known = Store.known_blob

    def watched(store: Store, digest: bytes) -> bytes | None:
        read.add(digest)
        return known(store, digest)

    monkeypatch.setattr(Store, "known_blob", watched)
    assert _scans(_stored(path, made), names, keeping=True) == first
    assert read
    assert not read & lists


def test_some_facts_hold_while_their_section_is_the_same(tmp_path: Path) -> None:
    made, path = whole(plan(**SMALL)), tmp_path / "e.mrdb"
    known = made.resources[0]
    lost = f"arn:aws:sqs:eu-west-1:{known.scope}:none"
    taken = _facts(path, made).excerpts("resources", [known.id, lost])
    assert [(one.part, one.lacks) for one in taken] == [(known.scope, (lost,))]
    same = _facts(path, made)
    same.take_excerpts(taken)
    assert same.resources[known.id] == known
    assert lost not in same.resources
    assert same.read_parts == ("", known.scope)
    assert all(map(same.holds, taken))

    there = replace(known, id=lost, kind="sqs:queue", name="none")
    changed = replace(known, tags={"data-class": "restricted"})
    other = _facts(path, replace(made, resources=(changed, there, *made.resources[1:])))
    other.take_excerpts(taken)
    assert other.resources[known.id] == changed
    assert lost in other.resources
    assert not any(map(other.holds, taken))


def test_facts_that_make_no_sense_are_read_from_their_section(tmp_path: Path) -> None:
    made, path = whole(plan(**SMALL)), tmp_path / "e.mrdb"
    known = made.resources[0]
    facts = _facts(path, made)
    (whole_one,) = facts.excerpts("resources", [known.id])
    fresh = _facts(path, made)
    fresh.take_excerpts([replace(whole_one, facts=junk) for junk in (b"", b"[1]", b"[" * 9999)])
    assert fresh.resources[known.id] == known


def test_what_was_kept_and_makes_no_sense_is_worked_out(tmp_path: Path) -> None:
    made = whole(plan(**SMALL))
    path, names = tmp_path / "e.mrdb", _runs(made)
    first = _scans(_stored(path, made), names, keeping=True)
    for junk in (b"", b"\x93\x01", b"\xff" * 40):
        with sqlite3.connect(path) as db:
            db.execute(
                "UPDATE derived SET data = ? WHERE name LIKE 'answers%'",
                (zstandard.compress(junk),),
            )
        db.close()
        assert _scans(_stored(path, made), names, keeping=True) == first


def _told_apart(path: Path) -> dict[tuple[str, bytes], bytes]:
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT name, source, data FROM derived WHERE name LIKE 'shelves %'")
        found = {(name, source): zstandard.decompress(data) for name, source, data in rows}
    db.close()
    return found


def test_another_principal_finds_resources_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = whole(plan(**SMALL))
    path, names = tmp_path / "e.mrdb", _runs(made)
    fresh = _scans(made, names, keeping=False)
    assert _scans(_stored(path, made), names[:1], keeping=True) == fresh[:1]
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM derived WHERE name LIKE 'answers %'")
    db.close()
    assert _told_apart(path)

    def refused(*_: object) -> object:
        raise AssertionError("resources were told apart once more")

    monkeypatch.setattr(shelves.Shelving, "_told_apart", refused)
    assert _scans(_stored(path, made), names[:1], keeping=True) == fresh[:1]


def test_how_resources_were_told_apart_and_makes_no_sense_is_worked_out(tmp_path: Path) -> None:
    made = whole(plan(**SMALL))
    path, names = tmp_path / "e.mrdb", _runs(made)
    first = _scans(_stored(path, made), names, keeping=True)
    estate = msgspec.msgpack.decode(next(iter(_told_apart(path).values())))[0]
    lies = ([estate, [[0, 1]], []], [estate, [[]], [7]], [estate, [[-1]], []], [b"", [], []], 7)
    for lie in (b"", *map(msgspec.msgpack.encode, lies)):
        with sqlite3.connect(path) as db:
            db.execute(
                "UPDATE derived SET data = ? WHERE name LIKE 'shelves %'",
                (zstandard.compress(lie),),
            )
            db.execute("DELETE FROM derived WHERE name LIKE 'answers %'")
        db.close()
        assert _scans(_stored(path, made), names, keeping=True) == first


def test_what_another_version_kept_goes(tmp_path: Path) -> None:
    made = whole(plan(**SMALL))
    path, names = tmp_path / "e.mrdb", _runs(made)
    _scans(_stored(path, made), names[:1], keeping=True)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE derived SET name = 'answers old x' WHERE name LIKE 'answers %'")
        db.execute("INSERT INTO derived VALUES ('answerable', x'00', x'00')")
    db.close()
    _scans(_stored(path, made), names[1:], keeping=True)
    with sqlite3.connect(path) as db:
        kept = {row[0] for row in db.execute("SELECT DISTINCT name FROM derived")}
    db.close()
    assert "answers old x" not in kept
    assert "answerable" in kept
    assert any(name.startswith("answers ") for name in kept)


@pytest.mark.parametrize("which", ["azure", "gcp", "kubernetes", "several"])
def test_estates_of_all_providers(which: str, tmp_path: Path) -> None:
    made = ESTATES[which]
    names = [p.id for p in made.principals if p.kind not in ("group", "user")][:4]
    fresh = _scans(made, names, keeping=False)
    path = tmp_path / "e.mrdb"
    for _ in range(2):
        assert _scans(_stored(path, made), names, keeping=True) == fresh


# --- what differs, and is not listed ----------------------------------------------------------


def _compared(made: Snapshot, *, keeping: bool = True) -> bytes:
    """Compare releases that differ in what they may do to things that are not listed."""
    estates = Estates(keeping=keeping)
    names = _runs(made, 9)
    old, new = (evaluate(_release(n, made), JudgePolicy(), estates) for n in (names[0], names[-1]))
    report = diff_report(old, new, GateOptions())
    assert any(row.kind == "gained" and "*" in row.resource for row in report.changes)
    return report_bytes(report)


def test_a_second_comparison_makes_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, path = whole(plan(**SMALL)), tmp_path / "e.mrdb"
    first = _compared(_stored(path, made))
    assert first == _compared(made, keeping=False)
    _no_engine(monkeypatch)
    assert _compared(_stored(path, made)) == first


def test_what_was_kept_of_a_difference_and_makes_no_sense_is_worked_out(tmp_path: Path) -> None:
    made, path = whole(plan(**SMALL)), tmp_path / "e.mrdb"
    first = _compared(_stored(path, made))
    for junk in (b"", b"\x93\x01", b"\xff" * 40):
        with sqlite3.connect(path) as db:
            done = db.execute(
                "UPDATE derived SET data = ? WHERE name LIKE 'differences %'",
                (zstandard.compress(junk),),
            )
        db.close()
        assert done.rowcount > 0
        assert _compared(_stored(path, made)) == first


# --- the writing -----------------------------------------------------------------------------


def _answers(made: Snapshot) -> list[Answer]:
    facts = Facts(made)
    found: list[Answer] = []
    for provider, engine in providers.engines(facts).items():
        for one in made.principals:
            principal = engine.principal(one.id)
            if principal is None or one.provider != provider:
                continue
            held = engine.permissions(one.id)
            found.append(
                Answer(
                    provider,
                    principal,
                    tuple(engine.pivots(one.id)),
                    granted(engine, one.id),
                    held,
                    engine.unlisted(held, principal.scope),
                    tuple(
                        Shown(token, False, {provider: tuple(engine.admits(token, one.id))})
                        for token in engine.tokens(one.id)
                    ),
                    kinds={"scope": "account"},
                )
            )
    return found


@pytest.mark.parametrize("which", ESTATES)
def test_an_answer_is_read_back_as_it_was_written(which: str) -> None:
    made = ESTATES[which]
    found = _answers(made)
    assert found
    lots: dict[bytes, bytes] = {}

    def keep(lot: Lot) -> bytes:
        raw = encode_lot(lot)
        lots[hashlib.sha256(raw).digest()] = raw
        return hashlib.sha256(raw).digest()

    for answer in found:
        again = decode(encode(answer, keep), lambda key: decode_lot(lots[key]))
        assert again is not None
        assert again.grants.written_out() == answer.grants.written_out()
        assert replace(again, grants=NOTHING) == replace(answer, grants=NOTHING)
        assert repr(again.permissions) == repr(answer.permissions)
