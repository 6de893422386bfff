"""The booking desk's two releases, and changes to them, through the pipeline as a user runs it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from modelreach import deployment, snapshot
from modelreach.cli import run
from modelreach.deployment import Deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, diff_report, evaluate
from modelreach.pipeline.evaluate import Estates
from modelreach.pipeline.gated import ONLY_FINDINGS, GateInput
from modelreach.report import DiffReport
from modelreach.snapshot import Snapshot

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "booking_desk"
Manifest = dict[str, Any]
Edit = Callable[[Manifest], None]


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def manifests() -> dict[str, Manifest]:
    """Both manifests as plain data."""
    return {
        name: yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        for name in ("v1", "v2")
    }


def as_deployment(manifest: Manifest) -> Deployment:
    return deployment.decode(yaml.safe_dump(manifest).encode(), place="manifest")


@pytest.fixture(scope="session")
def releases(manifests: dict[str, Manifest]) -> dict[str, Deployment]:
    """Both manifests as the program reads them."""
    return {name: as_deployment(manifest) for name, manifest in manifests.items()}


@pytest.fixture(scope="session")
def estate() -> Snapshot:
    raw = (FOLDER / "estate.snap.json").read_bytes()
    return snapshot.decode(raw, place="estate.snap.json")


Compare = Callable[..., DiffReport]


@pytest.fixture(scope="session")
def compare(estate: Snapshot) -> Compare:
    """Compare two manifests, given as plain data, in the estate."""

    def run(
        old: Manifest, new: Manifest, given: GateInput = ONLY_FINDINGS, **options: Any
    ) -> DiffReport:
        estates = Estates()
        sides = [
            evaluate(
                Release(as_deployment(one), estate, f"{n}.yaml", f"sha256:{n}", "e", "sha256:e"),
                JudgePolicy(),
                estates,
            )
            for n, one in (("old", old), ("new", new))
        ]
        return diff_report(sides[0], sides[1], GateOptions(**options), given)

    return run


@pytest.fixture
def edited(manifests: dict[str, Manifest]) -> Callable[[Edit], Manifest]:
    """Give the first release's manifest, with a change made to it."""

    def change(edit: Edit) -> Manifest:
        manifest = copy.deepcopy(manifests["v1"])
        edit(manifest)
        return manifest

    return change


@pytest.fixture(scope="session")
def report(compare: Compare, manifests: dict[str, Manifest]) -> DiffReport:
    """What the second release changes."""
    return compare(manifests["v1"], manifests["v2"])


@pytest.fixture(scope="session")
def plain() -> Callable[[Any], Any]:
    return msgspec.to_builtins


@dataclass(frozen=True)
class Done:
    """What one command line gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the booking desk's files, which is the current one."""
    for name in ("v1.yaml", "v2.yaml", "estate.snap.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def call(place: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Done]:
    """Run a command line."""

    def run_it(*arguments: object) -> Done:
        code = run([str(argument) for argument in arguments])
        found = capfdbinary.readouterr()
        return Done(code, found.out.decode(), found.err.decode())

    return run_it
