"""Workers, here or on a Dask cluster, give the bytes of a local run, and may be lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from modelreach.cli import run
from modelreach.model import ModelreachError
from modelreach.pipeline import many, pinned, spread
from modelreach.pipeline.frontier import Errand, Frontier
from modelreach.pipeline.workers import begin
from modelreach.store import write
from organisations import deployments, manifest, plan, whole

#: One in which much of the other accounts is reached.
PLAN = plan(principals=120, resources=200, accounts=6, deployments=12, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workers")
    made = whole(PLAN)
    write(folder / "estate.mrdb", made)
    (folder / "releases").mkdir()
    for number, name in enumerate(deployments(PLAN, made)):
        (folder / "releases" / f"{number}.yaml").write_text(manifest(name, number))
    return folder


@pytest.fixture(scope="module")
def local(folder: Path) -> bytes:
    return _survey(folder, "local")


def _survey(folder: Path, name: str, *more: str) -> bytes:
    """Survey a copy of the store, in which nothing is kept yet."""
    store = folder / f"{name}.mrdb"
    store.write_bytes((folder / "estate.mrdb").read_bytes())
    output = folder / f"{name}.ndjson"
    words = ["survey", folder / "releases", "--snapshot", store, "-q", "-o", output, *more]
    assert run([str(word) for word in words]) == 0
    return output.read_bytes()


def test_two_processes_give_the_same_bytes(
    folder: Path, local: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They derive what hangs on one part, too."""
    monkeypatch.setattr(many, "_FEW", 0)
    assert _survey(folder, "two", "--workers", "2") == local


#: Kills the process that comes to it, the first time; a file in the folder tells.
_LOST = """(lambda os, p: 6 if p.exists() else (p.touch(), os.kill(os.getpid(), 9)))(
    __import__("os"), __import__("pathlib").Path({folder!r}) / "lost")"""


def test_a_process_that_is_lost_is_made_good(tmp_path: Path) -> None:
    """What a lost one was at is done by others; each result comes once, and to its place."""
    items = [f"2 * {number}" for number in range(6)]
    items[3] = _LOST.format(folder=str(tmp_path))
    pool = spread.LocalProcesses(2)
    try:
        found = list(pool.each(eval, items))
    finally:
        pool.close()
    assert (tmp_path / "lost").exists()
    assert sorted(found) == [(number, 2 * number) for number in range(6)]


class _Counting:
    """Errands for two workers, in chains: what comes of one is the next one for the same worker.
    Each is an expression, and gives the process and a number."""

    def __init__(self, first: str = "0") -> None:
        self._next = {"1": [first], "2": ["100"]}
        self._at: dict[str, str] = {}
        self.found: dict[str, list[tuple[int, int]]] = {"1": [], "2": []}
        self.forgotten: list[str] = []

    def take(self, worker: str, *, idle: bool) -> str | None:
        if not self._next[worker]:
            return None
        errand = f'__import__("os").getpid(), {self._next[worker].pop()}'
        self._at[errand] = worker
        return errand

    def done(self, errand: str, result: tuple[int, int]) -> None:
        worker = self._at[errand]
        self.found[worker].append(result)
        if len(self.found[worker]) < 4:
            self._next[worker].append(f"{result[1]} + 1")

    def lost(self, worker: str) -> None:
        self.forgotten.append(worker)


def test_whoever_knows_something_gets_what_comes_of_it() -> None:
    errands, workers = _Counting(), pinned.PinnedProcesses(2, begin)
    try:
        workers.go(eval, errands)
    finally:
        workers.close()
    (one,), (two,) = ({process for process, _ in some} for some in errands.found.values())
    assert one != two
    assert [number for _, number in errands.found["1"]] == [0, 1, 2, 3]
    assert [number for _, number in errands.found["2"]] == [100, 101, 102, 103]


def test_what_a_lost_process_was_at_is_done_by_its_successor(tmp_path: Path) -> None:
    errands = _Counting(_LOST.format(folder=str(tmp_path)))
    workers = pinned.PinnedProcesses(2, begin)
    try:
        workers.go(eval, errands)
    finally:
        workers.close()
    assert (tmp_path / "lost").exists()
    assert errands.forgotten == ["1"]
    assert [number for _, number in errands.found["1"]] == [6, 7, 8, 9]
    assert [number for _, number in errands.found["2"]] == [100, 101, 102, 103]


def test_processes_that_always_end_are_told() -> None:
    errands = _Counting('__import__("os")._exit(1)')
    workers = pinned.PinnedProcesses(1, begin)
    try:
        with pytest.raises(ModelreachError, match="worker processes end"):
            workers.go(eval, errands)
    finally:
        workers.close()


# --- a cluster ---------------------------------------------------------------------------------


class _Cluster:
    """A scheduler and two workers, each a process of its own, on 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = f"tcp://127.0.0.1:{_free_port()}"
        port = self.address.rpartition(":")[2]
        self._scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port)
        self.workers = [self.worker(), self.worker()]

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_" + words[0],
                *words[1:],
                "--no-dashboard",
            ],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def worker(self) -> subprocess.Popen[bytes]:
        words = ("--nthreads", "1", "--no-nanny", "--local-directory", str(self._folder))
        return self._start("worker", self.address, *words, "--host", "127.0.0.1")

    def stop(self) -> None:
        """Kill all: asked to end, a worker first looks for its scheduler for a while."""
        for process in (*self.workers, self._scheduler):
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[_Cluster]:
    made = _Cluster(tmp_path)
    try:
        yield made
    finally:
        made.stop()


def test_a_cluster_gives_the_same_bytes_though_a_worker_is_lost(
    folder: Path, local: bytes, cluster: _Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker that is lost has something to do when it is."""
    at: dict[str, str] = {}
    lost: list[int] = []
    take, done = Frontier.take, Frontier.done

    def taking(self: Frontier, worker: str, *, idle: bool) -> Errand | None:
        errand = take(self, worker, idle=idle)
        if errand is not None:
            at[errand.account] = worker
        return errand

    def doing(self: Frontier, errand: Errand, result: bytes) -> None:
        done(self, errand, result)
        del at[errand.account]
        if at and not lost:
            lost.append(workers[next(iter(at.values()))])
            os.kill(lost[0], signal.SIGKILL)

    monkeypatch.setattr(Frontier, "take", taking)
    monkeypatch.setattr(Frontier, "done", doing)
    monkeypatch.setattr(many, "_FEW", 0)
    workers = _wait_for(cluster, 2)
    assert _survey(folder, "cluster", "--scheduler", cluster.address) == local
    (process,) = (one for one in cluster.workers if [one.pid] == lost)
    assert process.wait(120) == -signal.SIGKILL


def _wait_for(cluster: _Cluster, count: int) -> dict[str, int]:
    """Give the process of each worker, by its address."""
    distributed: Any = import_module("distributed")
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            with distributed.Client(cluster.address, timeout="20s") as client:
                client.wait_for_workers(count, timeout=600)
                found: dict[str, int] = client.run(os.getpid)
                return found
        except OSError:
            time.sleep(0.2)
    raise AssertionError("no scheduler")


def test_a_scheduler_that_does_not_answer_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["survey", str(folder / "releases"), "--snapshot", str(folder / "estate.mrdb")]
    assert run([*words, "--scheduler", f"tcp://127.0.0.1:{_free_port()}"]) == 2
    assert "does not answer" in capsys.readouterr().err


def test_workers_need_a_store(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["convert", str(folder / "estate.mrdb"), "-o", str(tmp_path / "e.snap")]) == 0
    words = ["survey", str(folder / "releases"), "--snapshot", str(tmp_path / "e.snap")]
    assert run([*words, "--workers", "2"]) == 2
    assert "convert" in capsys.readouterr().err
