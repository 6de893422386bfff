"""A year of four audits a day for twenty deployments, in both databases.

The short form of it, a fortnight, is in `test_audit_told.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from drifting import Truth, World, manifest, name_of
from modelreach.audit import Auditor
from modelreach.gate.verdict import GateOptions
from modelreach.judge.policy import JudgePolicy
from modelreach.state import ApprovalRow, AuditRow, open_state
from modelreach.state.database import State
from modelreach.state.verify import verify

STEPS = 365 * 4
#: What the documentation promises: rows and blobs of the whole year, in bytes.
LARGEST = {"sqlite": 100_000_000, "postgresql": 150_000_000}
CHANGES = ("gained", "lost", "widened", "narrowed", "rerouted", "revealed")


def _approve(state: State, row: AuditRow) -> None:
    state.approve(
        ApprovalRow(
            number=0,
            deployment=row.deployment,
            audit=row.id,
            version=row.version,
            snapshot=row.snapshot,
            manifest=row.manifest,
            approved_by="board",
            approved_at=row.at,
            until="",
            why="quarterly review",
            before="",
            digest="",
        )
    )


def _size(state: State, blobs: Path) -> dict[str, int]:
    """Give the bytes of the rows, and of the blobs as they lie on the disk."""
    packed = sum(file.stat().st_size for file in blobs.rglob("*") if file.is_file())
    if state.place.file:
        files = [Path(state.place.file + end) for end in ("", "-wal")]
        return {"rows": sum(f.stat().st_size for f in files if f.exists()), "blobs": packed}
    with state.reading() as db:
        rows = db.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    return {"rows": int(rows), "blobs": packed}


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_year_of_changes_is_told_once_each(
    places: Callable[[str], tuple[str, str]], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(2026, deployments=20, change=0.05, blindness=0.004)
    truths = [Truth(world, number) for number in range(world.deployments)]
    wrong: list[str] = []
    told: Counter[str] = Counter()
    state_url, blobs_url = places(kind)
    with open_state(state_url, blobs_url, make=True) as state:
        auditor = Auditor(state, JudgePolicy(), GateOptions())
        for step in range(STEPS):
            snapshot = world.snapshot()
            for number, truth in enumerate(truths):
                name = name_of(number)
                found = auditor.audit(f"{name}.yaml", manifest(number), snapshot, world.now)
                told.update(event.kind for event in found.events)
                changes = [(e.kind, e.subject) for e in found.events if e.kind in CHANGES]
                wrong += [f"{step} {name}: {one}" for one in truth.hear(changes)]
                if step % 360 == 359:
                    _approve(state, found.audit)
            world.turn()
        assert wrong == []
        heard = sum(truth.heard for truth in truths)
        assert heard > 1000
        audits = state.audits()
        assert len(audits) == STEPS * world.deployments
        notified = Counter(
            event.kind for note in state.notifications() for event in note.telling.events
        )
        assert notified == told
        checked = verify(state)
        assert checked.problems == ()
        size = _size(state, Path(blobs_url or Path(state_url) / "blobs"))
        with capsys.disabled():
            print(f"\n{kind}: {heard} changes, {dict(told)}, {size}, {checked}")
        assert sum(size.values()) < LARGEST[kind]
