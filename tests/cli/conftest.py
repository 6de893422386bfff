"""The command line in this process, with the demo's files in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from modelreach.cli import run


@dataclass(frozen=True)
class Done:
    """What one command line gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two manifests and a snapshot, which is the current one."""
    for name in ("v1.yaml", "v2.yaml", "estate.snap.json"):
        data = files("modelreach").joinpath("demo", name).read_bytes()
        (tmp_path / name).write_bytes(data)
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
