"""The tutorial and the README are true: commands run in turn, and say what is said there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tutorial")


@pytest.fixture(scope="module")
def demo(program: Path, place: Path) -> str:
    done = subprocess.run(
        [program, "demo"],
        cwd=place,
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "80"},
    )
    return done.stdout


@pytest.fixture(scope="module")
def folder(demo: str, place: Path) -> Path:
    assert demo
    return place / "demo-output"


def _commands(page: Path) -> list[list[str]]:
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("modelreach ")]


def _told(program: Path, command: list[str], folder: Path) -> str:
    done = subprocess.run(
        [str(program), *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_the_commands_that_ask_why(root: Path, folder: Path, program: Path) -> None:
    """Before the tutorial changes the newer release."""
    page = root / "docs" / "howto" / "ask-why-and-cut.md"
    why, may, cut, again = _commands(page)
    assert _told(program, why, folder).startswith("F02  CRITICAL  etl-reader can read")
    assert "NOT ALLOWED" in (answer := _told(program, may, folder))
    assert "but can become  role/etl-reader" in answer
    assert _told(program, cut, folder).startswith("so that arn:aws:s3:::acme-customer-records can")
    assert why == again


def test_the_commands_of_the_tutorial(root: Path, folder: Path, program: Path) -> None:
    page = root / "docs" / "tutorial" / "first-diff.md"
    explain, cut, boundary, becoming, endpoint, diff = _commands(page)
    assert "trust policy of etl-reader" in _told(program, explain, folder)
    assert "statement Records" in _told(program, cut, folder)
    assert "but can become  role/etl-reader: allowed" in _told(program, becoming, folder)
    assert "permissions boundary" in _told(program, boundary, folder)
    assert "NOT ALLOWED" in _told(program, boundary, folder)
    assert _told(program, endpoint, folder).strip().startswith("ALLOWED")
    assert "CONDITIONAL" in _told(program, endpoint[:-2], folder)
    release = folder / "v2.yaml"
    text = release.read_text(encoding="utf-8")
    release.write_text(text.replace("role/support-agent-runtime-v2", "role/support-agent-runtime"))
    shown = _told(program, diff, folder)
    assert "No change of reach" in shown
    assert "new: 1 medium · 1 low; there before: 1 high" in shown, "two are new nevertheless"
    assert "PASS" in shown


def test_what_the_readme_shows_of_the_demo(root: Path, demo: str) -> None:
    shown = BLOCK.findall((root / "README.md").read_text(encoding="utf-8"))[1].splitlines()
    assert shown[0].startswith("Security change")
    assert [line for line in shown if line not in demo.splitlines()] == []
