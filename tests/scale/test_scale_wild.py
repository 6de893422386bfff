"""Whatever occurs in an estate, the fast ways give what the obvious ones give.

The obvious ones: each resource of the estate asked about on its own, each escalation rule aimed at
everybody and everything in the account, each question put to the evaluator.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach import deployment, graph, outdone
from modelreach.diff import index
from modelreach.graph import WEAKNESS
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, evaluate, radius_report
from modelreach.pipeline.decided import Decided, Decider, Held, Step
from modelreach.pipeline.evaluate import Estates
from modelreach.pipeline.kept import KeptDecisions
from modelreach.policy import providers
from modelreach.policy.aws import aims, classes, grants, pivots, slices
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.escalation import Target
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.held import held
from modelreach.policy.aws.needs import Questions
from modelreach.policy.aws.unlisted import unlisted
from modelreach.policy.engine import Grant, Pivot
from modelreach.reach import BlastRadius, reach
from modelreach.snapshot import Facts, Principal, Runtime, Snapshot, decode, encode, facts_of
from modelreach.store import StoredSnapshot, write
from organisations import manifest
from organisations.wild import wild
from organisations.wild_changes import changed

GATE = GateOptions()
SEEDS = st.integers(0, 1_000_000_000)


class _Obvious:
    """The obvious ways, over one estate."""

    def __init__(self, made: Snapshot) -> None:
        self._estate, self._facts = Estate(Facts(made)), Facts(made)
        # What was not read is told as a gap, and not of each who might be let in by it.
        self._unread = {gap.subject for gap in made.gaps}
        self._resources = {one.id for one in made.resources} - self._unread

    def asker(self, name: str) -> Asker:
        """Give somebody as it asks."""
        return Asker.of(self._estate, name, {})

    def _clear(self, asker: Asker) -> bool:
        return not asker.layers.unread and not classes.unclear(asker)

    def grants(self, name: str) -> tuple[Grant, ...]:
        """Ask about each resource."""
        asker = self.asker(name)
        found = grants.candidates(asker)
        return grants.one_by_one(asker, found | self._resources if self._clear(asker) else found)

    def pivots(self, name: str) -> tuple[Pivot, ...]:
        """Try everything at everybody."""
        engine = AwsEngine(self._facts)
        narrow = self._unread or not self._clear(self.asker(name))
        with _each_question_asked() if narrow else _everything_tried():
            return tuple(engine.pivots(name))

    def patterns(self, name: str) -> int:
        """Count what is not listed."""
        asker = self.asker(name)
        return len(unlisted(held(asker), asker.principal.scope, self._estate))


@contextmanager
def _each_question_asked() -> Iterator[None]:
    """No answer for one thing is that for another one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Questions, "_alike", lambda _, _action, thing, _told: thing)
        patch.setattr(slices.Sliced, "_key", lambda sliced, action: (sliced.asker.name, action))
        yield


@contextmanager
def _everything_tried() -> Iterator[None]:
    """No look at what might lead somewhere before it is asked."""

    def roles(asker: Asker, _: object = ()) -> Iterator[str]:
        yield from (p.id for p in asker.estate.facts.snapshot.principals if p.kind == "role")

    def candidates(target: Target, questions: Questions) -> tuple[Principal, ...]:
        account = questions.asker.principal.scope
        return questions.asker.estate.principals_of(account, target.kind)

    def runtimes(
        asked: Questions, kind: str, _: object, *, linking: bool = False
    ) -> tuple[Runtime, ...]:
        estate, account = asked.asker.estate, asked.asker.principal.scope
        return (estate.linking_of if linking else estate.runtimes_of)(account, kind)

    def loading(asked: Questions, _: object) -> tuple[Runtime, ...]:
        estate, account = asked.asker.estate, asked.asker.principal.scope
        return tuple(r for r in estate.facts.snapshot.runtimes if r.scope != account)

    with _each_question_asked(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Questions, "has", lambda *_: True)
        patch.setattr(Questions, "has_on", lambda *_: True)
        patch.setattr(Questions, "within_reach", runtimes)
        patch.setattr(Questions, "fed_elsewhere", loading)
        patch.setattr(pivots, "_chance", lambda *_: True)
        patch.setattr(pivots, "_trusting_here", roles)
        patch.setattr(pivots, "trusting_elsewhere", roles)
        patch.setattr(aims, "_candidates", candidates)
        yield


def _everybody(made: Snapshot) -> list[str]:
    """Everybody, and some of what they may have become."""
    names = sorted(p.id for p in made.principals if p.kind != "group")
    roles = [name for name in names if ":role/" in name]
    sessions = sorted({one.document for one in made.attachments if one.kind == "session"})[:1]
    became = [f"{name}#any-policy" for name in roles[:2]] + [f"{roles[0]}#no-boundary"]
    return [*names, *became, *(f"{roles[1]}#session={digest}" for digest in sessions)]


Hops = dict[tuple[str, bool], int]


def _surest(found: Iterator[tuple[str, bool, int]]) -> Hops:
    surest: Hops = {}
    for target, administers, weakness in found:
        key = (target, administers)
        surest[key] = min(weakness, surest.get(key, weakness))
    return surest


def _compare(made: Snapshot, seed: int) -> int:
    quick, full, obvious = AwsEngine(Facts(made)), AwsEngine(Facts(made)), _Obvious(made)
    names, told = _everybody(made), 0
    # What is kept of one must not be taken for another: so they come in any order.
    Random(seed).shuffle(names)
    for name in names:
        rows, hops = obvious.grants(name), obvious.pivots(name)
        assert full.grants(name) == rows, name
        assert set(full.pivots(name)) == set(hops), name
        brief, outline = quick.brief(name), full.outline(name)
        held_over = {(one.resource, one.capability, one.verdict) for one in brief.alone}
        held_over |= {
            (resource, *answer)
            for one in brief.holdings
            for answer in one.answer
            for resource in one.ids
        }
        assert held_over == {(one.resource, one.capability, one.verdict) for one in rows}, name
        assert brief.patterns == outline.patterns == obvious.patterns(name), name
        assert _surest(
            (hop.target, hop.administers, WEAKNESS[hop.strength])
            for hop in outline.every
            if hop.target != name
        ) == _surest(
            (hop.target, hop.kind == "administer", WEAKNESS[hop.strength]) for hop in hops
        ), name
        told += len(rows) + len(hops)
    return told


@settings(max_examples=3)
@given(seed=SEEDS)
def test_whatever_the_estate(seed: int) -> None:
    _compare(wild(Random(seed)), seed)


@pytest.mark.soak
@settings(max_examples=3000)
@given(seed=SEEDS)
def test_whatever_the_estate_at_length(seed: int) -> None:
    _compare(wild(Random(seed)), seed)


# --- a wide reach ------------------------------------------------------------------------------


def _reached(made: Snapshot, start: str, many: int) -> BlastRadius:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "MANY", many)
        patch.setattr(outdone, "MANY", many)
        return reach([start], providers.engines(facts_of(made)))


def _compare_wide(made: Snapshot, seed: int, starts: int) -> None:
    names = sorted(p.id for p in made.principals if p.kind in ("role", "user"))
    for start in Random(seed).sample(names, min(starts, len(names))):
        wide, full = (_reached(made, start, many) for many in (0, 10**9))
        assert list(wide.graph.paths) == list(full.graph.paths)
        assert wide.graph.paths == full.graph.paths
        assert wide.takeovers == full.takeovers
        assert index(wide.accesses) == index(full.accesses)
        assert set(wide.graph.pivots) == set(full.graph.pivots)
        left = sum(one.patterns for one in wide.outdone.values())
        assert len(wide.patterns) + left == len(full.patterns)


@settings(max_examples=3)
@given(seed=SEEDS)
def test_a_wide_reach_is_the_whole_one(seed: int) -> None:
    _compare_wide(wild(Random(seed)), seed, 1)


@pytest.mark.soak
@settings(max_examples=3000)
@given(seed=SEEDS)
def test_a_wide_reach_is_the_whole_one_at_length(seed: int) -> None:
    _compare_wide(wild(Random(seed)), seed, 3)


# --- days --------------------------------------------------------------------------------------

Said = tuple[frozenset[Step], tuple[Held, ...], int] | None


def _said(name: str, decided: Decided | None) -> Said:
    """Give what is said of somebody; a step to itself leads nowhere, and is said or not."""
    if decided is None:
        return None
    steps = frozenset(step for step in decided.every if step.target != name)
    return steps, decided.held, decided.patterns


def _all_said(find: Callable[[str], Decided | None], made: Snapshot) -> dict[str, Said]:
    names = {p.id for p in made.principals if p.kind in ("role", "user")}
    steps = (decided.every for name in sorted(names) if (decided := find(name)) is not None)
    more = {step.target for some in steps for step in some if not step.administers}
    return {name: _said(name, find(name)) for name in sorted(names | more)}


def _again(path: Path, made: Snapshot) -> dict[str, Said]:
    facts = StoredSnapshot.open(path, write(path, made).digest).facts
    engines = providers.engines(facts)
    kept = KeptDecisions(facts, engines, Decider(facts, engines).decide, "")
    found = _all_said(kept.find, made)
    kept.keep()
    return found


def _follow(seed: int, days: int) -> None:
    rng = Random(seed)
    made, other = wild(rng), wild(rng)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "estate.mrdb"
        _again(path, made)
        for _ in range(days):
            made = changed(made, other, rng)
            facts = Facts(decode(encode(made), place="x"))
            scratch = Decider(facts, providers.engines(facts)).decide
            assert _again(path, made) == _all_said(scratch, made)


def _scan(start: str, snapshot: Snapshot, estates: Estates) -> bytes:
    raw = manifest(start).encode()
    release = Release(deployment.decode(raw, place="m"), snapshot, manifest_name="m", raw=raw)
    return msgspec.json.encode(radius_report(evaluate(release, JudgePolicy(), estates), GATE))


def _scan_again(seed: int, days: int) -> None:
    rng = Random(seed)
    made, other = wild(rng), wild(rng)
    starts = [p.id for p in made.principals if p.kind in ("role", "user") and "$" not in p.id][:2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "estate.mrdb"
        for _ in range(days):
            digest = write(path, made).digest
            for start in starts:
                if start in {p.id for p in made.principals}:
                    kept = StoredSnapshot.open(path, digest).as_snapshot()
                    fresh = decode(encode(made), place="x")
                    again = _scan(start, kept, Estates(keeping=True))
                    assert again == _scan(start, fresh, Estates()), start
            made = changed(made, other, rng)


@settings(max_examples=1)
@given(seed=SEEDS)
def test_a_scan_with_what_was_kept_says_what_it_would_say(seed: int) -> None:
    _scan_again(seed, 2)


@pytest.mark.soak
@settings(max_examples=1000)
@given(seed=SEEDS)
def test_a_scan_with_what_was_kept_says_what_it_would_say_at_length(seed: int) -> None:
    _scan_again(seed, 4)


@settings(max_examples=1)
@given(seed=SEEDS)
def test_what_was_kept_is_what_would_be_worked_out(seed: int) -> None:
    _follow(seed, 2)


@pytest.mark.soak
@settings(max_examples=1000)
@given(seed=SEEDS)
def test_what_was_kept_is_what_would_be_worked_out_at_length(seed: int) -> None:
    _follow(seed, 6)
