"""`modelreach serve`, as a process."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from modelreach.cli import run


def test_it_serves_until_it_is_told_to_end(state: str) -> None:
    command = [sys.executable, "-m", "modelreach", "serve", "--state", state, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert url is not None, line
        with urllib3.PoolManager() as pool:
            answer = pool.request("GET", f"{url[0]}healthz")
        assert answer.data == b"ok, 2 deployments\n"
        assert "server" not in answer.headers
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=300) == 128 + signal.SIGTERM
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--host", "0.0.0.0"], "everybody who can reach"),
        (
            ["--host", "192.0.2.1", "--trust-header", "X", "--trusted-proxy", "::1"],
            "cannot listen",
        ),
        (["--state", "nowhere"], "there is no state here"),
    ],
)
def test_what_it_refuses(
    state: str,
    arguments: list[str],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELREACH_STATE", state)
    assert run(["serve", *arguments]) == 2
    assert why in capfd.readouterr().err
