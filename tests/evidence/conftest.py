"""The reports of `fixtures/evidence`, and a way to read any report that a test makes up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelreach import plugins
from modelreach.evidence.attempts import Evidence
from modelreach.evidence.files import ReadOptions, ReportFiles

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
HELD = ReadOptions(correct_means="held")
PATHS = {
    "agentdojo": "agentdojo",
    "deepteam": "deepteam.json",
    "garak": "garak.report.jsonl",
    "inspect": "inspect.eval",
    "inspect-json": "inspect-json.json",
    "promptfoo": "promptfoo.json",
    "pyrit": "pyrit.json",
}

Read = Callable[..., tuple[Evidence, ...]]


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    """What the toy model did, as the generator knows it."""
    found: dict[str, Any] = json.loads((FIXTURES / "truth.json").read_bytes())
    return found


@pytest.fixture(scope="session")
def report() -> Callable[[str, str], ReportFiles]:
    """Give a report of a release by the name of its format."""

    def load(release: str, form: str) -> ReportFiles:
        path = FIXTURES / release / PATHS[form]
        if path.is_file():
            return ReportFiles(form, {path.name: path.read_bytes()})
        files = {
            file.relative_to(path).as_posix(): file.read_bytes()
            for file in sorted(path.rglob("*.json"))
        }
        return ReportFiles(form, files, folder=True)

    return load


@pytest.fixture(scope="session")
def read() -> Read:
    """Read a report by the reader of that name."""

    def call(
        tool: str, given: ReportFiles | bytes, options: ReadOptions = HELD
    ) -> tuple[Evidence, ...]:
        files = given if isinstance(given, ReportFiles) else ReportFiles("made-up", {"it": given})
        return plugins.evidence_reader(tool.removesuffix("-json")).read(files, options)

    return call
