"""The campaign driver: it resumes where it was, and says so when the two disagree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("campaign_aws.py")


def campaign(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--state", str(state), "--workers", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_campaign_resumes_and_keeps_its_seed(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = campaign(state, "--cases", "40", "--batch", "20", "--seed", "a")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "seed a: 0 of 40 cases done" in first.stdout
    counted = json.loads(state.read_text(encoding="utf-8"))
    assert counted["done"] == 40
    again = campaign(state, "--cases", "60", "--batch", "20", "--seed", "a")
    assert "seed a: 40 of 60 cases done" in again.stdout
    assert json.loads(state.read_text(encoding="utf-8"))["done"] == 60
    other = campaign(state, "--cases", "60", "--seed", "b")
    assert other.returncode == 1
    assert "belongs to seed `a`" in other.stderr


def test_a_finished_campaign_with_disagreements_fails(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    found = {"seed": "a", "done": 20, "seconds": 1.0, "counts": {}, "disagreements": 1}
    state.write_text(json.dumps(found), encoding="utf-8")
    assert campaign(state, "--cases", "20", "--seed", "a").returncode == 1


@pytest.mark.soak
def test_the_campaign_of_a_million(
    pytestconfig: pytest.Config, capfd: pytest.CaptureFixture[str]
) -> None:
    """What `make soak` runs: some twenty minutes on two idle cores.

    A little more than a million, as one in a hundred has too many completions to be compared.
    Interrupted, it goes on the next time; done, it starts anew. SOAK_SEED and SOAK_CASES choose
    other cases, and how many.
    """
    assert pytestconfig.cache is not None
    state = pytestconfig.cache.mkdir("soak") / "aws.json"
    seed, cases = os.environ.get("SOAK_SEED", "soak"), os.environ.get("SOAK_CASES", "1020000")
    command = [sys.executable, str(SCRIPT), "--state", str(state), "--seed", seed]
    with capfd.disabled():
        done = subprocess.run([*command, "--cases", cases], check=False)
    state.unlink(missing_ok=True)
    found = state.with_name(state.name + ".disagreements.jsonl")
    assert done.returncode == 0, f"the disagreements are in {found}"
