"""Campaigns of engines against their references: they agree, go on where they were, and say so
when the two disagree."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("campaign.py")
#: How many cases `make soak` compares. A little more than a round number where one in a hundred
#: has too many completions to be compared.
SOAK = {"aws": "1020000", "azure": "204000", "gcp": "1000000", "kubernetes": "1000000"}


def campaign(provider: str, state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), provider, "--state", str(state), "--workers", "1"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("provider", ["azure", "gcp", "kubernetes"])
def test_a_short_campaign_agrees(provider: str, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    done = campaign(provider, state, "--cases", "40", "--batch", "20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(state.read_text(encoding="utf-8"))["done"] == 40


def test_a_campaign_resumes_and_keeps_its_seed(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = campaign("aws", state, "--cases", "40", "--batch", "20", "--seed", "a")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "seed a: 0 of 40 cases done" in first.stdout
    counted = json.loads(state.read_text(encoding="utf-8"))
    assert counted["done"] == 40
    again = campaign("aws", state, "--cases", "60", "--batch", "20", "--seed", "a")
    assert "seed a: 40 of 60 cases done" in again.stdout
    assert json.loads(state.read_text(encoding="utf-8"))["done"] == 60
    other = campaign("aws", state, "--cases", "60", "--seed", "b")
    assert other.returncode == 1
    assert "belongs to seed `a`" in other.stderr


def test_a_finished_campaign_with_disagreements_fails(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    found = {"seed": "a", "done": 20, "seconds": 1.0, "counts": {}, "disagreements": 1}
    state.write_text(json.dumps(found), encoding="utf-8")
    assert campaign("aws", state, "--cases", "20", "--seed", "a").returncode == 1


@pytest.mark.parametrize("provider", ["azure", "gcp", "kubernetes"])
def test_an_engine_that_always_allows_is_found_out(provider: str) -> None:
    script = runpy.run_path(str(SCRIPT))
    contest = script["CONTESTS"][provider]()
    always = replace(contest, verdicts=lambda records: ("allow" for _ in records))
    compare, contests = script["compare"], script["CONTESTS"]
    contests[provider] = lambda: always
    found = compare(provider, "a", 6, 0).disagreements
    assert found
    for one in found:
        assert one["disagreement"]["engine"] == "allow"
        record = {name: value for name, value in one.items() if name != "disagreement"}
        answers = contest.answers(record)
        assert contest.told(answers) == one["disagreement"]["reference"]
        assert contest.agreement(record, "allow", answers) == script["CONTRADICTS"]


@pytest.mark.soak
@pytest.mark.parametrize("provider", sorted(SOAK))
def test_the_long_campaign(
    provider: str, pytestconfig: pytest.Config, capfd: pytest.CaptureFixture[str]
) -> None:
    """What `make soak` runs: some twenty minutes on two idle cores for a million cases.

    Interrupted, it goes on the next time; done, it starts anew. SOAK_SEED and SOAK_CASES choose
    other cases, and how many.
    """
    assert pytestconfig.cache is not None
    state = pytestconfig.cache.mkdir("soak") / f"{provider}.json"
    seed, cases = os.environ.get("SOAK_SEED", "soak"), os.environ.get("SOAK_CASES", SOAK[provider])
    command = [sys.executable, str(SCRIPT), provider, "--state", str(state), "--seed", seed]
    with capfd.disabled():
        done = subprocess.run([*command, "--cases", cases], check=False)
    state.unlink(missing_ok=True)
    found = state.with_name(state.name + ".disagreements.jsonl")
    assert done.returncode == 0, f"the disagreements are in {found}"
