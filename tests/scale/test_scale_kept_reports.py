"""A wide report that a store keeps is what is worked out anew, and no more of it is taken than
holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach import deployment, graph, outdone
from modelreach.cli import run
from modelreach.gate.waivers import Waiver, Waivers
from modelreach.judge.policy import JudgePolicy, RuleSetting
from modelreach.model import Severity
from modelreach.pipeline import GateOptions, Release, compare, diff_report, evaluate, kept_reports
from modelreach.pipeline import scan as scanning
from modelreach.pipeline.evaluate import Estates
from modelreach.pipeline.gated import GateInput
from modelreach.policy.aws import shelves
from modelreach.report import DiffReport, RadiusReport
from modelreach.report_file import encode
from modelreach.snapshot import Snapshot
from modelreach.store import StoredSnapshot, write
from organisations import PROVIDERS, manifest, plan, whole
from organisations.wild import wild
from organisations.wild_rulers import ruled

evaluating = import_module("modelreach.pipeline.evaluate")
POLICY = JudgePolicy()
#: All findings of a release, none that fails: none is as bad.
LENIENT = GateOptions(fail_on="never")


@pytest.fixture(autouse=True, scope="module")
def _all_are_many() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "MANY", 0)
        patch.setattr(outdone, "MANY", 0)
        patch.setattr(shelves, "_MOST", 1)
        patch.setattr(import_module("modelreach.reach"), "_SCOPES", 1)
        yield


@pytest.fixture(scope="module")
def made() -> Snapshot:
    return whole(plan(principals=24, resources=40, accounts=3))


@pytest.fixture(scope="module")
def names(made: Snapshot) -> list[str]:
    """Those who reach the most."""
    fit = sorted(p.id for p in made.principals if PROVIDERS[p.provider].runs_models(p))
    sides = [evaluate(_release(name, made), POLICY, Estates()) for name in fit]
    widest = sorted(sides, key=lambda side: -len(side.radius.graph.paths))
    return [side.release.deployment.spec.identities[0].principal for side in widest[:5]]


@pytest.fixture
def store(tmp_path: Path, made: Snapshot) -> Path:
    write(tmp_path / "estate.mrdb", made)
    return tmp_path / "estate.mrdb"


def _release(name: str, made: Snapshot, called: str = "v.yaml") -> Release:
    raw = manifest(name).encode()
    return Release(deployment.decode(raw, place="m"), made, called, raw=raw)


def _opened(store: Path) -> Snapshot:
    return StoredSnapshot.open(store).as_snapshot()


def _radius(name: str, store: Path, policy: JudgePolicy = POLICY) -> RadiusReport:
    return scanning.radius_of(_release(name, _opened(store)), policy, GateOptions())


def _diff(old: str, new: str, store: Path) -> DiffReport:
    estate = _opened(store)
    both = _release(old, estate, "old.yaml"), _release(new, estate, "new.yaml")
    return compare.diff_of(*both, POLICY, GateOptions())


def _anew(name: str, made: Snapshot) -> bytes:
    side = evaluate(_release(name, made), POLICY, Estates())
    return encode(scanning.radius_report(side, GateOptions()))


@pytest.fixture
def only_read(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on nobody is evaluated."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("evaluated")

    def start() -> None:
        monkeypatch.setattr(scanning, "evaluate", refuse)
        monkeypatch.setattr(compare, "evaluate", refuse)

    return start


def test_a_second_scan_reads_what_the_first_one_kept(
    made: Snapshot, names: list[str], store: Path, only_read: Callable[[], None]
) -> None:
    first = encode(_radius(names[0], store))
    assert first == _anew(names[0], made)
    only_read()
    assert encode(_radius(names[0], store)) == first
    with pytest.raises(AssertionError, match="evaluated"):
        _radius(names[1], store)


def test_a_second_comparison_reads_what_the_first_one_kept(
    made: Snapshot, names: list[str], store: Path, only_read: Callable[[], None]
) -> None:
    first = encode(_diff(names[0], names[1], store))
    old, new = _release(names[0], made, "old.yaml"), _release(names[1], made, "new.yaml")
    before, after = (evaluate(one, POLICY, Estates()) for one in (old, new))
    assert first == encode(diff_report(before, after, GateOptions()))
    only_read()
    assert encode(_diff(names[0], names[1], store)) == first
    with pytest.raises(AssertionError, match="evaluated"):
        _diff(names[1], names[0], store)


def test_names_waivers_and_the_gate_are_those_of_the_run(
    made: Snapshot, names: list[str], store: Path, only_read: Callable[[], None]
) -> None:
    _radius(names[0], store)
    _diff(names[0], names[0], store)
    only_read()
    release = _release(names[0], _opened(store), "elsewhere/v2.yaml")
    worst = scanning.radius_of(release, POLICY, GateOptions()).findings[0]
    said: dict[str, Any] = {"reason": "known", "owner": "a", "approved_by": "b"}
    waiver = Waiver(finding=worst.fingerprint, rule=worst.rule, expires="9999-12-31", **said)
    gone = replace(waiver, finding="mr1:0000000000000000")
    waivers = Waivers((waiver, gone))
    found = scanning.radius_of(release, POLICY, LENIENT, waivers)
    assert found.release.manifest == "elsewhere/v2.yaml"
    assert found.findings[0].waived is not None
    assert len(found.unused_waivers) == 1
    assert found.gate.exit_code == 0
    given = GateInput(waivers=waivers)
    compared = compare.diff_of(release, release, POLICY, LENIENT, given)
    assert compared.new.manifest == "elsewhere/v2.yaml"
    assert any(one.waived for one in compared.findings)


def test_what_it_hangs_on_counts(names: list[str], store: Path, made: Snapshot) -> None:
    first = _radius(names[0], store)
    rule = first.findings[0].rule
    lower = JudgePolicy(rules=((rule, RuleSetting(severity=Severity.LOW)),))
    assert {f.severity for f in _radius(names[0], store, lower).findings if f.rule == rule} == {
        "low"
    }
    # The next day everything is a day older.
    later = replace(made, taken_at="2027-06-01T00:00:00Z")
    write(store, later)
    assert encode(_radius(names[0], store)) != encode(first)
    day = scanning.radius_report(
        evaluate(_release(names[0], later), POLICY, Estates()), GateOptions()
    )
    assert _radius(names[0], store).credentials == day.credentials


def test_another_version_works_it_out_anew(
    names: list[str], store: Path, monkeypatch: pytest.MonkeyPatch, only_read: Callable[[], None]
) -> None:
    _radius(names[0], store)
    only_read()
    monkeypatch.setattr(kept_reports, "program_version", lambda: "another")
    with pytest.raises(AssertionError, match="evaluated"):
        _radius(names[0], store)


def test_only_the_last_few_are_kept(
    names: list[str], store: Path, only_read: Callable[[], None]
) -> None:
    for name in names:
        _radius(name, store)
    only_read()
    for name in names[-kept_reports._MOST :]:
        _radius(name, store)
    with pytest.raises(AssertionError, match="evaluated"):
        _radius(names[0], store)


@pytest.mark.parametrize("damage", [b"[]", b"{}"])
def test_what_is_damaged_is_worked_out_anew(names: list[str], store: Path, damage: bytes) -> None:
    first = encode(_radius(names[0], store))
    raw = zstandard.ZstdCompressor().compress(damage)
    for where in ("index", "0"):
        with sqlite3.connect(store) as base:
            changed = base.execute(
                "UPDATE derived SET data = ? WHERE name LIKE 'reports%' AND source = ?",
                (raw, where.encode()),
            )
            assert changed.rowcount
        base.close()
        assert encode(_radius(names[0], store)) == first


def test_what_another_run_put_in_its_place_is_not_taken(names: list[str], store: Path) -> None:
    """Two runs that write at the same time may leave the list of the one and a report of the
    other."""
    first, second = (encode(_radius(name, store)) for name in names[:2])
    with sqlite3.connect(store) as base:
        changed = base.execute(
            "UPDATE derived SET data = (SELECT data FROM derived AS other WHERE other.name ="
            " derived.name AND other.source = CAST('1' AS BLOB))"
            " WHERE name LIKE 'reports%' AND source = CAST('0' AS BLOB)"
        )
        assert changed.rowcount == 2
    base.close()
    assert encode(_radius(names[1], store)) == second
    assert encode(_radius(names[0], store)) == first


def test_explain_takes_what_a_scan_kept(
    names: list[str],
    store: Path,
    tmp_path: Path,
    only_read: Callable[[], None],
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    where = tmp_path / "v.yaml"
    where.write_text(manifest(names[0]))
    at = [str(where), "--snapshot", str(store)]
    run(["scan", *at])
    assert b"F01" in capfdbinary.readouterr().out
    only_read()
    assert run(["explain", "F01", *at]) == 0
    assert b"F01" in capfdbinary.readouterr().out


def _let_go_of_is_as_held(seed: int, place: Path) -> None:
    """What is read of a store is let go of account by account; or is not."""
    rng = Random(seed)
    made, name = ruled(wild(rng), rng)
    store = place / f"{seed}.mrdb"
    write(store, made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluating, "_let_go", lambda *_: None)
        held = _anew(name, _opened(store))
    assert _anew(name, _opened(store)) == held


@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1_000_000_000))
def test_letting_go_changes_nothing(seed: int, tmp_path: Path) -> None:
    _let_go_of_is_as_held(seed, tmp_path)


@pytest.mark.soak
def test_letting_go_of_many_changes_nothing(tmp_path: Path) -> None:
    for seed in range(200):
        _let_go_of_is_as_held(seed, tmp_path)
