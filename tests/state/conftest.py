"""A state of each kind: a SQLite file, and a PostgreSQL server that the tests start."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from drifting.postgres import Server
from modelreach.state import open_state
from modelreach.state.database import State


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


@pytest.fixture
def opened() -> Iterator[Callable[[State], State]]:
    """Close a state at the end of the test."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3."""
    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["s3", "memory"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A prefix of a bucket, over HTTP by boto3, and of a file system of fsspec's."""
    if request.param == "memory":
        return f"memory://made-up/{os.urandom(4).hex()}"
    url = request.getfixturevalue("s3")
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="made-up")
    client.close()
    return f"s3://made-up/{os.urandom(4).hex()}"
