"""Every change of reach is told once, when it can first be said: held against what is true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import msgspec
import pytest

from drifting import Truth, World, manifest, name_of, role_of
from modelreach.audit import Auditor, Outcome
from modelreach.gate.verdict import GateOptions
from modelreach.judge.policy import JudgePolicy
from modelreach.model import InputError
from modelreach.snapshot import Snapshot
from modelreach.state import ApprovalRow, Event, open_state
from modelreach.state.database import State

Places = Callable[[str], tuple[str, str]]
CHANGES = ("gained", "lost", "widened", "narrowed", "rerouted", "revealed")


def auditor(state: State, **more: object) -> Auditor:
    return Auditor(state, JudgePolicy(), GateOptions(), **more)  # type: ignore[arg-type]


def look(of: Auditor, world: World, number: int = 0, version: str = "1") -> Outcome:
    """Audit one deployment of a world as it is now."""
    raw = manifest(number, version)
    return of.audit(f"{name_of(number)}.yaml", raw, world.snapshot(), world.now)


def told(events: tuple[Event, ...]) -> list[tuple[str, str]]:
    return [(event.kind, event.subject) for event in events if event.kind in CHANGES]


def year(of: Auditor, world: World, steps: int) -> tuple[list[str], int]:
    """Audit every deployment at every step; give what was told wrongly, and how much was told."""
    truths = [Truth(world, number) for number in range(world.deployments)]
    wrong: list[str] = []
    for step in range(steps):
        snapshot = world.snapshot()
        for number, truth in enumerate(truths):
            found = of.audit(f"{name_of(number)}.yaml", manifest(number), snapshot, world.now)
            wrong += [f"{step} {name_of(number)} {one}" for one in truth.hear(told(found.events))]
        world.turn()
    return wrong, sum(truth.heard for truth in truths)


@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 1), ("postgresql", 2)])
def test_a_fortnight_of_changes_is_told_once_each(places: Places, kind: str, seed: int) -> None:
    world = World(seed, deployments=1, change=0.7, blindness=0.06)
    with open_state(*places(kind), make=True) as state:
        wrong, heard = year(auditor(state), world, 56)
        kept = [event for _, event in state.events(*(row.id for row in state.audits()))]
        notified = [e for note in state.notifications() for e in note.telling.events]
    assert wrong == []
    assert heard > 15
    kinds = Counter(event.kind for event in kept)
    assert kinds["unknown"] and kinds["seen-again"] and kinds["not-read"]
    assert sorted(map(str, notified)) == sorted(map(str, kept))


@pytest.fixture
def state(places: Places) -> Iterator[State]:
    with open_state(*places("sqlite"), make=True) as found:
        yield found


@pytest.fixture
def world() -> World:
    """One deployment that holds three things, and nothing changes by itself."""
    world = World(7, deployments=1, change=0, blindness=0)
    world.grants[0] = {"bucket 01", "bucket 02", "secret 03"}
    return world


def after(world: World) -> World:
    world.turn()
    return world


def test_what_cannot_be_read_is_unknown_and_no_improvement(state: State, world: World) -> None:
    of = auditor(state)
    first = look(of, world)
    world.blind[0] = world.step + 3
    dark = look(of, after(world))
    assert told(dark.events) == []
    assert {event.kind for event in dark.events} <= {
        "unknown",
        "not-read",
        "finding-unknown",
        "finding-new",
    }
    assert not any(event.recovery for event in dark.events)
    assert any("ListRolePolicies" in event.message for event in dark.events)
    assert look(of, after(world)).events == ()
    back = look(of, after(world))
    assert told(back.events) == []
    assert all(event.recovery for event in back.events)
    assert back.radius.figures == first.radius.figures


def test_what_happened_unseen_is_told_when_it_shows(state: State, world: World) -> None:
    of = auditor(state)
    look(of, world)
    world.blind[0] = world.step + 3
    look(of, after(world))
    world.grants[0] ^= {"bucket 01", "bucket 22", "bucket 23"}
    look(of, after(world))
    world.grants[0] ^= {"bucket 22"}
    back = look(of, after(world))
    kinds = Counter(kind for kind, _ in told(back.events))
    assert kinds == {"gained": 1, "lost": 1}


def test_the_same_input_again_is_the_same_audit(state: State, world: World) -> None:
    of = auditor(state)
    look(of, world)
    world.grants[0] ^= {"bucket 23"}
    found = look(of, after(world))
    again = look(of, world)
    other = look(auditor(state), world)
    assert (found.again, again.again, other.again) == (False, True, True)
    assert again.audit == found.audit == other.audit
    assert again.events == found.events
    assert again.report == found.report
    assert len(state.audits()) == 2 and len(state.notifications()) == 1


def approve(state: State, found: Outcome, until: str = "") -> ApprovalRow:
    row = found.audit
    return state.approve(
        ApprovalRow(
            number=0,
            deployment=row.deployment,
            audit=row.id,
            version=row.version,
            snapshot=row.snapshot,
            manifest=row.manifest,
            approved_by="board",
            approved_at=row.at,
            until=until,
            why="",
            before="",
            digest="",
        )
    )


def test_drift_from_what_was_approved_fails_until_it_is_gone(state: State, world: World) -> None:
    of = auditor(state)
    approve(state, look(of, world))
    assert [event.kind for event in look(of, after(world)).events] == ["approved"]
    world.grants[0] ^= {"secret 07"}
    drifted = look(of, after(world))
    assert (drifted.gate.verdict, drifted.gate.exit_code) == ("fail", 1)
    assert {"gate-failed", "finding-new", "gained"} == {e.kind for e in drifted.events}
    still = look(of, after(world))
    assert (still.events, still.gate.exit_code) == ((), 1)
    assert (still.audit.drifted, still.audit.changed) == (1, 0)
    world.grants[0] ^= {"secret 07"}
    well = look(of, after(world))
    assert {"gate-passed", "finding-gone", "lost"} == {e.kind for e in well.events if e.recovery}
    assert (well.gate.exit_code, well.audit.drifted) == (0, 0)


def test_an_approval_that_has_expired_fails_and_is_told_once(state: State, world: World) -> None:
    of = auditor(state)
    approve(state, look(of, world), until="2026-01-01")
    looks = [look(of, after(world)) for _ in range(6)]
    kinds = [[event.kind for event in found.events] for found in looks]
    assert kinds == [["approved"], [], [], ["approval-expired", "gate-failed"], [], []]
    found = looks[-1]
    assert found.gate.verdict == "fail"
    assert "ended on 2026-01-01" in found.gate.reasons[-1]


def test_a_new_release_is_compared_with_the_one_before(state: State, world: World) -> None:
    of = auditor(state)
    look(of, world)
    found = look(of, after(world), version="2")
    assert (found.audit.version, found.audit.number) == ("2", 2)
    assert state.find("agent-00@1").number == 1


def test_an_identity_that_is_gone_keeps_nothing_but_the_snapshot(
    state: State, world: World
) -> None:
    of = auditor(state)
    look(of, world)
    raw = manifest(0).replace(role_of(0).encode(), role_of(9).encode())
    world.turn()
    with pytest.raises(InputError, match="is not in"):
        of.audit("agent.yaml", raw, world.snapshot(), world.now)
    assert len(state.audits()) == 1
    assert len(state.snapshots()) == 2


def without(snapshot: Snapshot, role: str) -> Snapshot:
    """The same estate after a role was deleted."""
    return msgspec.structs.replace(
        snapshot,
        principals=tuple(p for p in snapshot.principals if p.id != role),
        attachments=tuple(a for a in snapshot.attachments if a.target != role),
    )


def test_an_identity_that_is_gone_is_told_once_with_all_that_is_lost(
    state: State, world: World
) -> None:
    of, role = auditor(state), role_of(0)
    assert not look(of, world).audit.exit_code
    first = of.audit("a.yaml", manifest(0), without(after(world).snapshot(), role), world.now)
    assert first.audit.verdict == "fail" and first.audit.exit_code == 1
    (found,) = [event for event in first.events if event.kind == "finding-new"]
    assert (found.rule, found.severity, found.subject) == ("MR501", "high", role)
    assert "is not there any more" in found.message
    lost = {event.subject for event in first.events if event.kind == "lost"}
    assert len(lost) == 3 and first.audit.resources == 0 and first.audit.identities == 0
    again = of.audit("a.yaml", manifest(0), without(after(world).snapshot(), role), world.now)
    assert again.events == ()
    assert again.audit.verdict == "pass", "judged by the audit before, which knew of it"
    back = look(of, after(world))
    assert [e.kind for e in back.events if e.rule == "MR501"] == ["finding-gone"]
    assert {e.subject for e in back.events if e.kind == "gained"} == lost


def test_an_identity_of_a_place_that_was_not_read_is_not_gone(state: State, world: World) -> None:
    of = auditor(state)
    look(of, world)
    less = without(after(world).snapshot(), role_of(0))
    less = msgspec.structs.replace(
        less, coverage=tuple(c for c in less.coverage if c.kind != "principals")
    )
    found = of.audit("a.yaml", manifest(0), less, world.now)
    assert {event.kind for event in found.events} == {"not-read", "unknown", "finding-unknown"}
    assert any("this identity" in e.message for e in found.events if e.kind == "not-read")


def test_one_that_is_gone_is_not_back_where_nobody_looked(state: State, world: World) -> None:
    of, role = auditor(state), role_of(0)
    look(of, world)
    gone = without(after(world).snapshot(), role)
    of.audit("a.yaml", manifest(0), gone, world.now)
    less = msgspec.structs.replace(
        without(after(world).snapshot(), role),
        coverage=tuple(c for c in gone.coverage if c.kind != "principals"),
    )
    unread = of.audit("a.yaml", manifest(0), less, world.now)
    assert [event.kind for event in unread.events if event.rule == "MR501"] == ["finding-unknown"]
    back = look(of, after(world))
    assert [event.kind for event in back.events if event.rule == "MR501"] == ["finding-gone"]


def test_what_is_not_even_asked_for_any_more_is_unknown(state: State, world: World) -> None:
    """No gap says so: the coverage of a kind is not there, as when an option is left out."""
    of = auditor(state)
    look(of, world)
    whole = after(world).snapshot()
    less = msgspec.structs.replace(
        whole,
        resources=tuple(r for r in whole.resources if r.kind == "s3:bucket"),
        coverage=tuple(c for c in whole.coverage if c.kind != "secretsmanager:secret"),
    )
    found = of.audit("agent-00.yaml", manifest(0), less, world.now)
    assert told(found.events) == []
    (unread,) = [event for event in found.events if event.kind == "not-read"]
    assert "secretsmanager:secret" in unread.message and "not-collected" in unread.message
    back = look(of, after(world))
    assert told(back.events) == []
    assert {event.kind for event in back.events if not event.recovery} == set()
