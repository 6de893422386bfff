"""What `history` takes over a year of four audits a day of twenty deployments: CPU time of whole
processes.

The year is made of one true audit of each deployment and copies of its rows.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from msgspec.structs import asdict, replace

from drifting import World, manifest, name_of
from modelreach.audit import Auditor
from modelreach.gate.verdict import GateOptions
from modelreach.judge.policy import JudgePolicy
from modelreach.state import AuditRow, open_state
from modelreach.state import schema as t
from modelreach.state.database import State

PROGRAM = Path(sys.executable).with_name("modelreach")
AUDITS = 365 * 4
RUNS = 5
#: A change of reach is told in one audit of so many.
TOLD = 20


def _year(state: State) -> None:
    world = World(1)
    auditor = Auditor(state, JudgePolicy(), GateOptions())
    snapshot = world.snapshot()
    for number in range(world.deployments):
        name = name_of(number)
        first = auditor.audit(f"{name}.yaml", manifest(number), snapshot, world.now).audit
        _copies(state, first)


def _copies(state: State, first: AuditRow) -> None:
    world = World(1)
    rows: list[AuditRow] = []
    for number in range(2, AUDITS + 1):
        world.step = number
        id_ = f"{number:06x}{first.id[:6]}"
        rows.append(replace(first, id=id_, number=number, at=world.now))
    event = dict.fromkeys((column.name for column in t.events.columns), "")
    told = [event | _event(row.id) for row in rows[::TOLD]]
    with state.writing() as db:
        db.execute(t.audits.insert(), [asdict(row) | {"reasons": "[]"} for row in rows])
        db.execute(t.events.insert(), told)
        mine = t.deployments.c.deployment == first.deployment
        db.execute(t.deployments.update().where(mine).values(last=rows[-1].id))


def _event(audit: str) -> dict[str, object]:
    lists = {"actions": '["s3:GetObject"]', "caused_by": "[]"}
    return {"audit": audit, "position": 0, "kind": "gained", "recovery": False, **lists}


def bench_history_of_a_year(tmp_path: Path) -> None:
    where = str(tmp_path / "state")
    with open_state(where, make=True) as state:
        _year(state)
        assert len(state.audits()) == AUDITS * 20
    for words in (
        ["history"],
        ["history", "list", "agent-00"],
        ["history", "list", "agent-00", "--last", "0"],
        ["history", "list", "--last", "0"],
        ["history", "show", "agent-00"],
        ["--version"],
    ):
        command = [str(PROGRAM), *words, *([] if words[0] == "--version" else ["--state", where])]
        seconds = []
        for _ in range(RUNS):
            before = os.times()
            subprocess.run(command, check=True, capture_output=True)
            after = os.times()
            seconds.append(
                after.children_user
                - before.children_user
                + after.children_system
                - before.children_system
            )
        print(f"{' '.join(words):<36} {statistics.median(seconds):6.2f} s")
