"""Accounts read by other processes, here or on a Dask cluster, give the bytes of one process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from modelreach.cli import run
from modelreach.model import NothingCollected
from modelreach.pipeline.spread import DaskCluster, LocalProcesses
from modelreach.snapshot import Snapshot, encode
from modelreach_aws.spreading import _Order, read_one

Collect = Callable[..., Snapshot]


def _role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/collector"


@pytest.fixture
def accounts(stranger: Any, fresh: Any) -> tuple[str, ...]:
    """An account beside the one that is signed in to, each with a user and a bucket."""
    others = (fresh(),)
    for cloud in (stranger, *others):
        cloud("iam").create_user(UserName=f"u-{cloud.account}")
        cloud("s3").create_bucket(
            Bucket=f"b-{cloud.account}",
            CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
        )
    return tuple(_role(cloud.account) for cloud in others)


def test_two_processes_give_the_bytes_of_one(accounts: tuple[str, ...], collect: Collect) -> None:
    lines: list[str] = []
    spread = LocalProcesses(2)
    try:
        found = collect(assume_roles=accounts, spread=spread, progress=lines.append)
    finally:
        spread.close()
    assert len(found.scopes) == 2
    assert encode(found) == encode(collect(assume_roles=accounts))
    assert lines[-1].endswith("2/2 accounts")


def test_a_worker_that_is_signed_in_elsewhere_reads_nothing(
    stranger: Any, options: Callable[..., Any]
) -> None:
    order = _Order("999988887777", ("eu-west-1",), "default", False, options(), 2)
    with pytest.raises(NothingCollected, match=f"999988887777.*signed in to {stranger.account}"):
        read_one(order)


def test_what_is_read_by_one_process_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["collect", "kubernetes", "-o", "e.snap", "--workers", "2"]
    assert run(words) == 2
    assert "kubernetes is read by one process" in capsys.readouterr().err


# --- a cluster ---------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, each a process of its own, on 127.0.0.1."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    local = ("--host", "127.0.0.1", "--no-dashboard")
    started = [_start(tmp_path, "scheduler", "--port", port, *local)]
    started += [
        _start(tmp_path, "worker", address, "--nthreads", "1", "--no-nanny", *local)
        for _ in range(2)
    ]
    try:
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def _start(folder: Path, kind: str, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_for(address: str) -> None:
    distributed: Any = import_module("distributed")
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            with distributed.Client(address, timeout="20s") as client:
                client.wait_for_workers(2, timeout=600)
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("no scheduler")


@pytest.mark.soak
def test_a_cluster_gives_the_bytes_of_one_process_though_a_worker_is_lost(
    accounts: tuple[str, ...],
    collect: Collect,
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
) -> None:
    address, workers = cluster
    _wait_for(address)
    spread = DaskCluster(address)

    def lose_one(line: str) -> None:
        if line.endswith("1/2 accounts"):
            os.kill(workers[0].pid, signal.SIGKILL)

    try:
        found = collect(assume_roles=accounts, spread=spread, progress=lose_one)
    finally:
        spread.close()
    assert workers[0].wait(120) == -signal.SIGKILL
    assert encode(found) == encode(collect(assume_roles=accounts))
