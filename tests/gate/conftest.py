"""The booking desk's two releases, and changes to them, through the pipeline as a user runs it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from modelreach import deployment, snapshot
from modelreach.deployment import Deployment
from modelreach.judge.policy import JudgePolicy
from modelreach.pipeline import GateOptions, Release, diff_report, evaluate
from modelreach.pipeline.evaluate import Estates
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
def estate() -> Snapshot:
    raw = (FOLDER / "estate.snap.json").read_bytes()
    return snapshot.decode(raw, place="estate.snap.json")


Compare = Callable[..., DiffReport]


@pytest.fixture(scope="session")
def compare(estate: Snapshot) -> Compare:
    """Compare two manifests, given as plain data, in the estate."""

    def run(old: Manifest, new: Manifest, **options: Any) -> DiffReport:
        estates = Estates()
        sides = [
            evaluate(
                Release(as_deployment(one), estate, f"{n}.yaml", f"sha256:{n}", "e", "sha256:e"),
                JudgePolicy(),
                estates,
            )
            for n, one in (("old", old), ("new", new))
        ]
        return diff_report(sides[0], sides[1], GateOptions(**options))

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
