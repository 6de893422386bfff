"""A state of each kind: a SQLite file, and a PostgreSQL server that the tests start."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drifting.postgres import Server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    # Not below pytest's own folders, which nobody else may enter.
    with tempfile.TemporaryDirectory(prefix="mr-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Server(folder)
        yield server
        server.stop()


@pytest.fixture
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], tuple[str, str]]:
    """Give a new state of a kind, as `--state` and `--blobs`; nothing is in it yet."""

    def place(kind: str) -> tuple[str, str]:
        if kind == "sqlite":
            return str(tmp_path / "state"), ""
        server: Server = request.getfixturevalue("postgres")
        made = server.new(f"audit_{os.urandom(6).hex()}")
        return made, str(tmp_path / "blobs")

    return place
