"""The campaign of the engine of Kubernetes against its reference."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("campaign_kubernetes.py")


def test_a_short_campaign_agrees(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    command = [sys.executable, str(SCRIPT), "--state", str(state), "--workers", "1"]
    done = subprocess.run(
        [*command, "--cases", "40", "--batch", "20"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(state.read_text(encoding="utf-8"))["done"] == 40


@pytest.mark.soak
def test_the_campaign_of_a_million(
    pytestconfig: pytest.Config, capfd: pytest.CaptureFixture[str]
) -> None:
    """What `make soak` runs. Interrupted, it goes on the next time; done, it starts anew."""
    assert pytestconfig.cache is not None
    state = pytestconfig.cache.mkdir("soak") / "kubernetes.json"
    seed, cases = os.environ.get("SOAK_SEED", "soak"), os.environ.get("SOAK_CASES", "1000000")
    command = [sys.executable, str(SCRIPT), "--state", str(state), "--seed", seed]
    with capfd.disabled():
        done = subprocess.run([*command, "--cases", cases], check=False)
    state.unlink(missing_ok=True)
    found = state.with_name(state.name + ".disagreements.jsonl")
    assert done.returncode == 0, f"the disagreements are in {found}"
