"""The driver of mutation testing: what it copies, what it reads, when it fails."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("mutation_aws.py")

MUTATED = """\
class Box:
    def xǁBoxǁwide__mutmut_orig(self) -> bool:
        return self.w > 2

    def xǁBoxǁwide__mutmut_1(self) -> bool:
        return self.w >= 2

    def xǁBoxǁwide__mutmut_2(self) -> bool:
        return self.w > 3
"""
NAMES = "modelreach.policy.aws.decide.xǁBoxǁwide__mutmut_"


def told(
    state: Path, codes: dict[str, int | None], *more: str
) -> subprocess.CompletedProcess[str]:
    """Give what the driver reports of mutants with these results."""
    made = state / "mutants" / "src" / "modelreach" / "policy" / "aws" / "decide.py"
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_text(MUTATED, encoding="utf-8")
    results = {"exit_code_by_key": {NAMES + number: code for number, code in codes.items()}}
    made.with_name("decide.py.meta").write_text(json.dumps(results), encoding="utf-8")
    explained = state / "explained.jsonl"
    if not explained.exists():
        explained.write_text("", encoding="utf-8")
    fixed = ["--state", str(state), "--explained", str(explained), "--modules", "decide"]
    command = [sys.executable, str(SCRIPT), *fixed, "--report", *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_killed_is_well(tmp_path: Path) -> None:
    done = told(tmp_path, {"1": 1, "2": 36})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "decide: 2 mutants: 1 killed, 1 killed by time or crash" in done.stdout


def test_a_survivor_is_shown_and_fails_until_it_is_explained(tmp_path: Path) -> None:
    done = told(tmp_path, {"1": 1, "2": 0})
    assert done.returncode == 1
    assert "- return self.w > 2\n+ return self.w > 3" in done.stdout
    entry = {
        "module": "decide",
        "function": "Box.wide",
        "change": "- return self.w > 2\n+ return self.w > 3",
        "reason": "equivalent: no box is 3 wide",
    }
    (tmp_path / "explained.jsonl").write_text(json.dumps(entry), encoding="utf-8")
    done = told(tmp_path, {"1": 1, "2": 0})
    assert done.returncode == 0, done.stdout
    assert "1 explained, 1 killed" in done.stdout
    done = told(tmp_path, {"1": 1, "2": 1})
    assert done.returncode == 1
    assert "explained, but does not survive: decide.Box.wide" in done.stdout


def test_counts_are_kept_for_the_page(tmp_path: Path) -> None:
    kept = tmp_path / "run.json"
    told(tmp_path, {"1": 1, "2": 0}, "--keep", str(kept))
    assert json.loads(kept.read_text()) == {"decide": {"mutants": 2, "killed": 1, "survive": 1}}


def test_the_page_says_what_is_recorded() -> None:
    path = SCRIPT.with_name("mutation_page.py")
    maker = runpy.run_path(str(path))
    run, records = maker["recorded"]()
    text = maker["PAGE"].read_text(encoding="utf-8")
    assert text == maker["page"](run, records), "run: python tests/soak/mutation_page.py"
    assert all(
        counts["mutants"] == counts["killed"] + counts["survive"] for counts in run.values()
    )
    survive = Counter(record["module"] for record in records)
    # One record may stand for several mutants that are the same change.
    assert all(0 < survive[module] <= counts["survive"] for module, counts in run.items())


def test_what_was_not_tried_is_no_success(tmp_path: Path) -> None:
    done = told(tmp_path, {"1": 1, "2": None})
    assert done.returncode == 1
    assert "1 mutants were not tried" in done.stdout


def test_the_copy_has_no_decorators_that_hide_functions() -> None:
    source = (
        "@lru_cache(4)\ndef f(x): return x\n"
        "class C:\n    @property\n    def p(self):\n        return 1\n\n"
        "    def q(self): return 2\n"
    )
    script = "import sys, mutation_aws as m; print(m.without_decorators(sys.stdin.read()), end='')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=SCRIPT.parent,
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        "def f(x): return x\n"
        "class C:\n    def _get_p(self):\n        return 1\n    p = property(_get_p)\n\n"
        "    def q(self): return 2\n"
    )


@pytest.mark.soak
def test_every_mutant_dies_or_is_explained(
    pytestconfig: pytest.Config, capfd: pytest.CaptureFixture[str]
) -> None:
    """What `make soak` runs: some half an hour. Interrupted, it goes on the next time."""
    assert pytestconfig.cache is not None
    state = pytestconfig.cache.mkdir("mutation")
    with capfd.disabled():
        done = subprocess.run([sys.executable, str(SCRIPT), "--state", str(state)], check=False)
    assert done.returncode == 0, "see above for the mutants that nobody noticed"
