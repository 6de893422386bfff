"""Whoever decides whom, in whatever order: the rows are those of one process."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach import deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import many as surveys
from modelreach.pipeline import workers
from modelreach.pipeline.frontier import Errand, Frontier, Work
from modelreach.pipeline.kept import Counts
from modelreach.pipeline.many import Many, Named
from modelreach.pipeline.parts import Parts
from modelreach.pipeline.survey import SurveyRow
from modelreach.snapshot import Snapshot
from modelreach.store import StoredSnapshot, write
from organisations import deployments, manifest, plan, whole
from organisations.changes import remove_resource

#: One in which much of the other accounts is reached.
PLAN = plan(principals=120, resources=200, accounts=6, deployments=12, seed=3)


@cache
def _made() -> Snapshot:
    return whole(PLAN)


@cache
def _releases() -> list[Named]:
    names = deployments(PLAN, _made())
    return [(deployment.decode(manifest(n).encode(), place="m"), "m", b"") for n in names]


class _Workers:
    """Workers that take turns by chance, in this process. Some are lost with what they were at."""

    def __init__(self, path: Path, rng: Random) -> None:
        self._path, self._rng = str(path), rng
        self.sent: list[Errand] = []
        self.told: list[tuple[int, int]] = []
        self.derived = 0

    def derive(self, snapshot: str, parts: Parts) -> None:
        while (some := parts.take("1", idle=True)) is not None:
            parts.done(some, workers.derive_at(self._path, some, snapshot))
            self.derived += len(some)

    def decide(self, work: Work, frontier: Frontier) -> None:
        out: list[tuple[str, Errand]] = []
        while True:
            names = self._rng.sample(["1", "2", "3"], 3)
            taken = ((name, frontier.take(name, idle=True)) for name in names)
            out += [(name, errand) for name, errand in taken if errand is not None]
            if not out:
                return
            name, errand = out.pop(self._rng.randrange(len(out)))
            self.sent.append(errand)
            raw = workers.decide_at(self._path, errand, work)
            if self._rng.random() < 0.2:
                frontier.lost(name)
                raw = workers.decide_at(self._path, errand, work)
            frontier.done(errand, raw)

    def close(self) -> None:
        workers._deciding.cache_clear()
        workers._facts.cache_clear()


def _rows(path: Path, pool: _Workers | None = None) -> tuple[list[SurveyRow], Counts]:
    """Survey the last snapshot of a store."""
    kept = StoredSnapshot.open(path)
    many = Many(kept.as_snapshot(), kept.digest, JudgePolicy())
    if pool is None:
        return many.survey(_releases(), lambda _: None), many.counts
    told = pool.told
    rows = many.survey(_releases(), lambda _: None, pool, lambda done, of: told.append((done, of)))
    pool.close()
    return rows, many.counts


def _rows_of(snapshot: Snapshot) -> list[SurveyRow]:
    return Many(snapshot, "", JudgePolicy()).survey(_releases(), lambda _: None)


def _apart_from_snapshot(rows: list[SurveyRow]) -> list[SurveyRow]:
    return [replace(row, snapshot="") for row in rows]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frontier") / "bare.mrdb"
    write(path, _made())
    return path


@pytest.fixture(scope="module")
def local(bare: Path) -> tuple[list[SurveyRow], Counts]:
    return _rows(_copied(bare, "local"))


def _forget_rows(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("DELETE FROM derived WHERE name LIKE 'rows %'")


def _copied(bare: Path, name: str) -> Path:
    path = bare.parent / f"{name}.mrdb"
    path.write_bytes(bare.read_bytes())
    return path


@settings(max_examples=2)
@given(seed=st.integers(0, 10_000))
def test_any_order_gives_the_rows_of_one_process(
    bare: Path, local: tuple[list[SurveyRow], Counts], seed: int
) -> None:
    path = _copied(bare, "any")
    pool = _Workers(path, Random(seed))
    rows, counts = _rows(path, pool)
    assert rows == local[0]
    assert counts.decided == local[1].decided
    # Everybody is known in the end, and it never seems that less is done than before.
    done = [done for done, _ in pool.told]
    assert pool.told[-1] == (counts.decided, counts.decided)
    assert done == sorted(done)


def test_an_account_is_gone_through_to_its_end_and_kept_as_it_came(
    bare: Path, local: tuple[list[SurveyRow], Counts], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are not many more errands than accounts, and nobody is decided twice, nor again."""
    monkeypatch.setattr(surveys, "_FEW", 0)
    path = _copied(bare, "end")
    pool = _Workers(path, Random(1))
    _rows(path, pool)
    assert len(pool.sent) < 3 * len({errand.account for errand in pool.sent})
    assert sum(len(errand.names) for errand in pool.sent) < local[1].decided
    # What hangs on one part alone was derived first, and kept.
    facts = StoredSnapshot.open(path).facts
    assert pool.derived == len(facts.parts)
    assert not Parts(facts).count
    _forget_rows(path)
    rows, counts = _rows(path)
    assert rows == local[0]
    assert counts == Counts(local[1].decided, 0)


def test_only_what_is_missing_is_sent(bare: Path, local: tuple[list[SurveyRow], Counts]) -> None:
    path = _copied(bare, "missing")
    _rows(path, _Workers(path, Random(3)))
    _forget_rows(path)
    again = _Workers(path, Random(4))
    assert _rows(path, again)[0] == local[0]
    assert not again.sent

    changed = remove_resource(_made(), Random(5))
    write(path, changed)
    after = _Workers(path, Random(6))
    rows, counts = _rows(path, after)
    assert _apart_from_snapshot(rows) == _apart_from_snapshot(_rows_of(changed))
    assert 0 < counts.decided < local[1].decided
    assert after.sent
    # And that is kept with what was there.
    _forget_rows(path)
    assert _rows(path)[1].decided == 0
