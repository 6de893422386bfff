"""The demo estate, alive: built in a server of its own process, collected by the command."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures" / "support_agent"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def fixtures() -> Path:
    return FIXTURES


def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"support_agent_{name}", FIXTURES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def estate() -> ModuleType:
    return _loaded("estate")


@pytest.fixture(scope="session")
def renew() -> ModuleType:
    return _loaded("renew")


@pytest.fixture(scope="session")
def program() -> Path:
    """The installed command."""
    return Path(sys.executable).with_name("modelreach")


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path_factory.mktemp("server") / "log").open("wb")
    server = subprocess.Popen(
        [sys.executable, str(FIXTURES / "server.py"), str(port)],
        stdout=log,
        stderr=log,
    )
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=300)
        log.close()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(6000):
        assert server.poll() is None, "the server ended by itself"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="session")
def collected(
    endpoint: str,
    estate: ModuleType,
    renew: ModuleType,
    program: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A snapshot of the estate, built and collected now."""
    estate.build(endpoint)
    snapshot = tmp_path_factory.mktemp("collected") / "estate.snap.json"
    subprocess.run(
        [
            *(program, "collect", "aws", "--quiet", "-o", snapshot),
            *(f"--endpoint-url={endpoint}", f"--region={estate.REGION}"),
            *(f"--assume-role={role}" for role in renew.readers(estate)),
        ],
        check=True,
        env=os.environ | renew.LOCAL,
    )
    return snapshot
