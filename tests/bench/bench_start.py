"""How long the program takes to start, and to run the demo's diff: CPU time of whole processes.

Run by `make bench`. Prints medians; asserts only that the commands work, as machines differ.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("modelreach")
DEMO = Path(__file__).resolve().parents[2] / "src" / "modelreach" / "demo"
DIFF = ["diff", "v1.yaml", "v2.yaml", "--snapshot", "estate.snap.json", "--fail-on", "never"]
RUNS = 9


def _cpu_seconds(command: list[str]) -> float:
    before = os.times()
    subprocess.run(command, cwd=DEMO, check=True, capture_output=True)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-c", "pass"],
        [str(PROGRAM), "--help"],
        [str(PROGRAM), *DIFF],
        [str(PROGRAM), *DIFF, "--format", "json"],
    ],
    ids=["bare interpreter", "--help", "diff of the demo", "diff of the demo as JSON"],
)
def bench_cpu_time(command: list[str], request: pytest.FixtureRequest) -> None:
    _cpu_seconds(command)
    taken = [_cpu_seconds(command) * 1000 for _ in range(RUNS)]
    name = request.node.callspec.id
    print(f"\n{name:<28} {statistics.median(taken):6.0f} ms (best {min(taken):.0f})")
