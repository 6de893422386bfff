"""A state with a history and hostile names, served on this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import urllib3
import uvicorn

from drifting import World, manifest, name_of
from modelreach.audit import Auditor
from modelreach.gate.verdict import GateOptions
from modelreach.judge.policy import JudgePolicy
from modelreach.snapshot import Snapshot
from modelreach.state import ApprovalRow, open_state
from modelreach.state.database import State
from modelreach.web import Door, application

HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x1b[31m=cmd|' /C calc'!A0"
DAY = "2026-01-03"


def _renamed(snapshot: Snapshot) -> Snapshot:
    """Give every resource a name that would like to be more."""
    resources = [
        msgspec.structs.replace(one, name=f"{HOSTILE} {number}")
        for number, one in enumerate(snapshot.resources)
    ]
    return msgspec.structs.replace(snapshot, resources=tuple(resources))


def _manifest(number: int) -> bytes:
    return manifest(number).replace(b"team: made-up", b"team: '<b onclick=alert(1)>'")


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = str(tmp_path_factory.mktemp("served") / "state")
    world = World(5, deployments=2, change=0.5, blindness=0)
    with open_state(place, "", make=True) as opened:
        auditor = Auditor(opened, JudgePolicy(), GateOptions())
        for step in range(6):
            for number in range(2):
                found = auditor.audit(
                    f"{name_of(number)}.yaml",
                    _manifest(number),
                    _renamed(world.snapshot()),
                    world.now,
                )
                if step == 1 and number == 0:
                    opened.approve(_approval(found.audit))
            world.turn()
            world.blind = {0: 99} if step == 3 else {}
    return place


def _approval(audit: Any) -> ApprovalRow:
    return ApprovalRow(
        number=0,
        deployment=audit.deployment,
        audit=audit.id,
        version=audit.version,
        snapshot=audit.snapshot,
        manifest=audit.manifest,
        approved_by="<script>alert(2)</script>",
        approved_at=audit.at,
        until="2026-01-02",
        why=HOSTILE,
        before="",
        digest="",
    )


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    url: str
    port: int
    pool: urllib3.PoolManager

    def get(self, path: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.pool.request(
            method, self.url + path, headers=given, redirect=False, retries=False
        )

    def json(self, path: str) -> Any:
        return self.get(path).json()


Start = Callable[..., Served]


@pytest.fixture(scope="session")
def serving(state: str) -> Iterator[Start]:
    """Starts servers of the state, each behind a door."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(door: Door | None = None, place: str = state) -> Served:
        def opened() -> State:
            return open_state(place, "", read_only=True)

        app = application(opened, door or Door(), lambda: DAY)
        settings = uvicorn.Config(
            app, port=0, log_level="error", lifespan="off", proxy_headers=False
        )
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        return Served(f"http://127.0.0.1:{port}", port, urllib3.PoolManager())

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def served(serving: Start) -> Served:
    return serving()


@pytest.fixture(scope="session")
def audits(served: Served) -> list[dict[str, Any]]:
    """The audits of the first deployment, as the server tells them."""
    found: list[dict[str, Any]] = served.json("/deployments/agent-00/audits.json")
    return found


@pytest.fixture
def untouched(state: str) -> Iterator[None]:
    """Nothing of the state is another afterwards."""

    def all_of_it() -> dict[str, bytes]:
        files = [one for one in Path(state).rglob("*") if one.is_file()]
        return {one.name: one.read_bytes() for one in files if not one.name.endswith("-shm")}

    before = all_of_it()
    yield
    assert all_of_it() == before
