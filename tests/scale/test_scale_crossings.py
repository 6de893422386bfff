"""What is kept of a decision holds as long as it should, where accounts are tied to each other."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.pipeline.decided import Decided, Decider, Held, Step
from modelreach.pipeline.kept import Counts, KeptDecisions
from modelreach.policy import providers
from modelreach.snapshot import Facts, Snapshot, canonical, decode, encode
from modelreach.store import StoredSnapshot, write
from organisations import plan, whole
from organisations.changes import CHANGES
from organisations.crossings import CROSSINGS, SUPPLIES, supplied, tied

Said = tuple[frozenset[Step], tuple[Held, ...], int] | None


def _said(name: str, decided: Decided | None) -> Said:
    """Give what is said of somebody; a step to itself leads nowhere, and is said or not."""
    if decided is None:
        return None
    steps = frozenset(step for step in decided.every if step.target != name)
    return steps, decided.held, decided.patterns


def _everybody(find: Callable[[str], Decided | None], snapshot: Snapshot) -> dict[str, Said]:
    """Give what everybody comes to, and whom they become in one step."""
    names = {p.id for p in snapshot.principals if p.kind in ("role", "user")}
    first = {name: find(name) for name in sorted(names)}
    steps = (decided.every for decided in first.values() if decided is not None)
    more = {step.target for some in steps for step in some if not step.administers} - names
    return {name: _said(name, find(name)) for name in sorted(names | more)}


def _from_scratch(snapshot: Snapshot) -> dict[str, Said]:
    facts = Facts(decode(encode(snapshot), place="x"))
    return _everybody(Decider(facts, providers.engines(facts)).decide, snapshot)


def _again(path: Path, snapshot: Snapshot) -> tuple[dict[str, Said], Counts]:
    facts = StoredSnapshot.open(path, write(path, snapshot).digest).facts
    engines = providers.engines(facts)
    kept = KeptDecisions(facts, engines, Decider(facts, engines).decide, "")
    found = _everybody(kept.find, snapshot)
    kept.keep()
    return found, kept.counts


Change = Callable[[Snapshot, Random], Snapshot]


def _follow(
    seed: int, days: int, accounts: int = 3, changes: tuple[Change, ...] = CROSSINGS
) -> None:
    rng = Random(seed)
    made = whole(plan(principals=24, resources=50, accounts=accounts, seed=seed % 7))
    made = canonical(supplied(tied(made, rng, 8 * accounts), rng, 4 * accounts))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "estate.mrdb"
        _again(path, made)
        for _ in range(days):
            one = rng.choice((*changes, rng.choice(CHANGES)))
            made = canonical(one(made, rng))
            assert _again(path, made)[0] == _from_scratch(made), one.__name__


@settings(max_examples=2)
@given(seed=st.integers(0, 10_000))
def test_ties_between_accounts(seed: int) -> None:
    _follow(seed, 2, accounts=2)


@settings(max_examples=2)
@given(seed=st.integers(0, 10_000))
def test_what_is_loaded_from_elsewhere(seed: int) -> None:
    _follow(seed, 2, accounts=2, changes=SUPPLIES)


@pytest.mark.soak
@settings(max_examples=300)
@given(seed=st.integers(0, 1_000_000))
def test_what_is_loaded_from_elsewhere_at_length(seed: int) -> None:
    _follow(seed, 8, changes=SUPPLIES)


@pytest.mark.soak
@settings(max_examples=300)
@given(seed=st.integers(0, 1_000_000))
def test_ties_between_accounts_at_length(seed: int) -> None:
    _follow(seed, 8)
