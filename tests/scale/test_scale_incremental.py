"""A re-scan after changes gives what a scan from scratch gives, and decides less."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from modelreach import deployment
from modelreach.cli import run
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import Release, evaluate
from modelreach.pipeline.decided import Decider
from modelreach.pipeline.evaluate import Estates
from modelreach.pipeline.kept import Counts
from modelreach.pipeline.many import Many, Named
from modelreach.pipeline.survey import SurveyRow
from modelreach.policy import providers
from modelreach.policy.aws import grants
from modelreach.policy.aws.engine import AwsEngine
from modelreach.snapshot import Facts, Gap, Snapshot, decode, encode
from modelreach.store import StoredSnapshot, write
from organisations import manifest, plan, whole
from organisations.changes import (
    CHANGES,
    attach,
    change,
    remove_resource,
    see_again,
    without_account,
)


def _releases(snapshot: Snapshot) -> list[Named]:
    """Everybody in the first two accounts, so that nothing is left out that could go stale."""
    accounts = sorted({p.scope for p in snapshot.principals})[:2]
    names = sorted(
        p.id for p in snapshot.principals if p.scope in accounts and ":role/run/" in p.id
    )
    return [(deployment.decode(manifest(n).encode(), place="m"), "m", b"") for n in names[::2]]


def _rows(snapshot: Snapshot) -> tuple[list[SurveyRow], Counts]:
    many = Many(snapshot, "", JudgePolicy())
    rows = many.survey(_releases(snapshot), lambda _: None)
    return rows, many.counts


def _again(path: Path, snapshot: Snapshot) -> tuple[list[SurveyRow], Counts]:
    kept = write(path, snapshot)
    return _rows(StoredSnapshot.open(path, kept.digest).as_snapshot())


def _fresh(snapshot: Snapshot) -> Snapshot:
    return decode(encode(snapshot), place="x")


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "estate.mrdb"


def _follow(seed: int, days: int) -> None:
    rng = Random(seed)
    made = whole(plan(principals=30, resources=150, accounts=3, seed=seed % 7))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "estate.mrdb"
        _again(path, made)
        for _ in range(days):
            made = change(made, rng)
            assert _again(path, made)[0] == _rows(_fresh(made))[0]


@settings(max_examples=2)
@given(seed=st.integers(0, 10_000))
def test_incremental_is_from_scratch(seed: int) -> None:
    _follow(seed, 3)


@pytest.mark.soak
@settings(max_examples=300)
@given(seed=st.integers(0, 1_000_000))
def test_incremental_is_from_scratch_at_length(seed: int) -> None:
    _follow(seed, 5)


@pytest.mark.parametrize("which", CHANGES, ids=lambda one: one.__name__)
def test_each_kind_of_change(which: Callable[[Snapshot, Random], Snapshot], path: Path) -> None:
    made = whole(plan(principals=24, resources=100, accounts=3))
    _again(path, made)
    made = which(made, Random(5))
    assert _again(path, made)[0] == _rows(_fresh(made))[0]


def test_from_scratch_is_brute_force() -> None:
    """Each resource asked about on its own, no class, no number: the same resources by id."""
    made = whole(plan(principals=16, resources=70, accounts=3))
    facts = Facts(made)
    decider = Decider(facts, providers.engines(facts))
    engine = AwsEngine(Facts(made))
    scopes = {scope: sorted(r.id for r in facts.part(scope).resources) for scope in facts.parts}
    for principal in (p for p in made.principals if p.kind == "role"):
        decided = decider.decide(principal.id)
        assert decided is not None
        quick = {
            (held.kind, held.capability, held.verdict, scopes[held.scope][place])
            for held in decided.held
            for place in range(len(held.bits) * 8)
            if held.bits[place >> 3] >> (place & 7) & 1
        }
        slow = {
            (
                providers.resource_class(grant.kind),
                str(grant.capability),
                ("allow", "conditional", "unknown").index(str(grant.verdict)),
                grant.resource,
            )
            for grant in grants.one_by_one(engine._asker(principal.id))
        }
        assert quick == slow


def test_nothing_is_decided_when_nothing_changed(path: Path) -> None:
    made = whole(plan(principals=30, resources=150, accounts=3))
    first = _again(path, made)
    second = _again(path, made)
    assert first[0] == second[0]
    assert first[1].decided > 0
    assert second[1] == Counts(taken=first[1].decided, decided=0)


def test_nothing_is_decided_where_somebody_was_seen_again(path: Path) -> None:
    made = whole(plan(principals=30, resources=150, accounts=3))
    first = _again(path, made)
    assert _again(path, see_again(made, Random(1))) == (first[0], Counts(first[1].decided, 0))


def test_a_change_in_one_account_is_not_decided_in_the_others(path: Path) -> None:
    made = whole(plan(principals=90, resources=300, accounts=3))
    running = [p for p in made.principals if ":role/run/" in p.id]
    account = sorted({p.scope for p in made.principals})[1]
    role = next(p.id for p in running if p.scope == account)
    before = _again(path, made)[1]
    policies = [a for a in made.attachments if not (a.target == role and a.kind == "identity")]
    counts = _again(path, replace(made, attachments=tuple(policies)))[1]
    assert 0 < counts.decided < before.decided / 2
    assert counts.taken > 0


@pytest.mark.parametrize("kind", ["scp", "rcp"])
def test_a_policy_of_a_unit_is_not_decided_outside_of_it(path: Path, kind: str) -> None:
    made = whole(plan(principals=90, resources=300, accounts=3))
    accounts = sorted({p.scope for p in made.principals})
    before = _again(path, made)[1]
    document = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    principal = {"Principal": "*"} if kind == "rcp" else {}
    limited = attach(made, accounts[1], kind, {"Statement": [{**document, **principal}]})
    rows, counts = _again(path, limited)
    assert rows == _rows(_fresh(limited))[0]
    assert 0 < counts.decided < before.decided / 2


def test_an_account_that_joins_or_leaves_is_nothing_to_most(path: Path) -> None:
    larger = whole(plan(principals=90, resources=300, accounts=4))
    smaller = without_account(larger, sorted({p.scope for p in larger.principals})[3])
    _again(path, smaller)
    for made in (larger, smaller):
        rows, counts = _again(path, made)
        assert rows == _rows(_fresh(made))[0]
        assert counts.taken > counts.decided


def test_what_is_not_read_of_one_thing_is_nothing_to_other_accounts(path: Path) -> None:
    made = whole(plan(principals=90, resources=300, accounts=3))
    account = sorted({p.scope for p in made.principals})[1]
    role = next(p.id for p in made.principals if p.scope == account and p.kind == "role")
    before = _again(path, made)[1]
    gap = Gap(provider="aws", scope=account, kind="identity-policy", reason="denied", subject=role)
    blind = replace(made, gaps=(*made.gaps, gap))
    rows, counts = _again(path, blind)
    assert rows == _rows(_fresh(blind))[0]
    assert 0 < counts.decided < before.decided


def test_what_holds_stays_when_older_snapshots_are_dropped(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = whole(plan(principals=30, resources=150, accounts=3))
    account = sorted({p.scope for p in made.principals})[0]
    gone = next(r for r in made.resources if r.scope == account)
    later = replace(made, resources=tuple(r for r in made.resources if r != gone))
    _again(path, made)
    rows, counts = _again(path, later)
    assert counts.decided
    _scanned(path, later)
    assert run(["convert", str(path), "--keep", "1"]) == 0
    assert gone.id.encode() not in b"".join(_derived(path))
    assert _again(path, later) == (rows, Counts(counts.taken + counts.decided, 0))
    with monkeypatch.context() as patched:
        patched.setattr(AwsEngine, "grants", _refused)
        _scanned(path, later)
    last = see_again(remove_resource(later, Random(3)), Random(4))
    assert _again(path, last)[0] == _rows(_fresh(last))[0]


def _refused(*_: object) -> object:
    raise AssertionError("somebody was decided again")


def _scanned(path: Path, snapshot: Snapshot) -> None:
    named, name, raw = _releases(snapshot)[0]
    assert named is not None
    stored = StoredSnapshot.open(path).as_snapshot()
    release = Release(named, stored, manifest_name=name, raw=raw)
    evaluate(release, JudgePolicy(), Estates(keeping=True))


def _derived(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(path)) as db:
        for (data,) in db.execute("SELECT data FROM derived"):
            yield zstandard.ZstdDecompressor().decompress(data)
