"""What the tests of the project itself share: its root and the files it is made of."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def project_files() -> tuple[Path, ...]:
    """Every file that belongs to the project: as git says or, where there is none, all that
    `.gitignore` does not name."""
    listed = _as_git_says()
    names = _not_ignored() if listed is None else listed
    return tuple(sorted({ROOT / name for name in names if (ROOT / name).is_file()}))


def _as_git_says() -> list[str] | None:
    git = shutil.which("git")
    if git is None:
        return None
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    return (
        list(filter(None, listed.stdout.decode().split("\0"))) if not listed.returncode else None
    )


def _not_ignored() -> list[str]:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip("/") for line in lines if line and not line.startswith("#")]
    return [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*")
        if not any(
            fnmatch(part, pattern)
            for part in path.relative_to(ROOT).parts
            for pattern in (*patterns, ".git")
        )
    ]
