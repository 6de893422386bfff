"""What the tests of the project itself share: its root and the files it is made of."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".git", ".venv", ".venv-lowest", "node_modules", "build", "dist"}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def project_files() -> tuple[Path, ...]:
    """Every file that belongs to the project: as git says or, unpacked from an archive, all."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = filter(None, listed.stdout.decode().split("\0"))
        return tuple(sorted({ROOT / name for name in names if (ROOT / name).is_file()}))
    return tuple(
        sorted(
            path
            for path in ROOT.rglob("*")
            if path.is_file() and not _NOT_OURS.intersection(path.relative_to(ROOT).parts)
        )
    )
