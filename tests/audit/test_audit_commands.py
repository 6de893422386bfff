"""`audit`, `approve`, `history` and `watch` as a person or a timer calls them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import msgspec
import pytest

from drifting import World, manifest, name_of
from modelreach.cli import run
from modelreach.cli.health import Health
from modelreach.policy.aws.engine import AwsEngine
from modelreach.report_file import decode
from modelreach.snapshot import encode
from modelreach.state import open_state
from modelreach.store import write


@dataclass(frozen=True)
class Done:
    """What one command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        found = json.loads(self.out)
        if "changes" in found or "grants" in found:
            return msgspec.json.decode(msgspec.json.encode(decode(self.out)))
        return found


Call = Callable[..., Done]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("MODELREACH_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def call(place: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Call:
    def run_it(*arguments: object) -> Done:
        code = run([str(argument) for argument in arguments])
        found = capfdbinary.readouterr()
        return Done(code, found.out.decode(), found.err.decode())

    return run_it


@pytest.fixture
def world(place: Path) -> World:
    """Two deployments, their manifests and a snapshot in the current folder."""
    world = World(3, deployments=2, change=0, blindness=0)
    world.grants[0], world.grants[1] = {"bucket 01"}, {"bucket 02", "secret 01"}
    for number in range(2):
        (place / f"{name_of(number)}.yaml").write_bytes(manifest(number))
    snap(world)
    return world


def snap(world: World, name: str = "estate.snap") -> str:
    Path(name).write_bytes(encode(world.snapshot()))
    return name


def audit(call: Call, world: World, *more: object) -> Done:
    """Write what is to be seen now, and audit the first deployment."""
    return call(*("audit", "agent-00.yaml", "--snapshot", snap(world), "--now", world.now, *more))


def drift(world: World, *things: str) -> None:
    world.turn()
    world.grants[0] ^= set(things)


def test_from_the_first_audit_to_drift_and_back(call: Call, world: World) -> None:
    first = audit(call, world)
    assert (first.code, first.err) == (0, "")
    assert "the first audit" in first.out
    assert "baseline   none: nothing was approved yet; judged against nothing\n" in first.out
    assert "  findings   none\n" in first.out
    told = first.out.splitlines()[-2]
    assert told.startswith("PASS  as nothing is compared; to accept it: modelreach approve ")
    approved = call("approve", "agent-00", "--by", "board", "--until", "2099-01-01")
    assert approved.code == 0
    assert approved.out.startswith("approval 1: agent-00 1 as of audit ")
    drift(world, "secret 02")
    found = audit(call, world, "-o", "{name}.json", "-o", "drift.html")
    assert found.code == 1
    assert "gained             agent-00 gained read (secretsmanager:GetSecretValue)" in found.out
    assert "finding-new        CRITICAL" in found.out
    assert "  findings   1 critical\n" in found.out
    report = json.loads(Path("agent-00.json").read_text())
    assert [c["kind"] for c in report["changes"]] == ["gained"]
    assert report["gate"]["verdict"] == "fail"
    assert b"made-up-02" in Path("drift.html").read_bytes()
    drift(world)
    assert "nothing to tell since the last audit" in audit(call, world).out
    drift(world, "secret 02")
    back = audit(call, world)
    assert (back.code, back.out.splitlines()[-2]) == (0, "PASS")
    assert "gate-passed" in back.out and "finding-gone" in back.out


def test_the_same_again_keeps_nothing_and_says_the_same(call: Call, world: World) -> None:
    audit(call, world)
    drift(world, "secret 02")
    first, second = (audit(call, world, "--format", "json") for _ in range(2))
    assert first.code == second.code == 1
    one, other = first.json["audits"][0], second.json["audits"][0]
    assert (one.pop("again"), other.pop("again")) == (False, True)
    assert one == other
    assert len(json.loads(call("history", "list", "--format", "json").out)) == 2


def test_of_a_store_an_audit_says_the_same_and_decides_nobody_twice(
    call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    days: list[tuple[Done, Done]] = []
    for _ in range(2):
        write(Path("estate.mrdb"), world.snapshot())
        options = ("agent-00.yaml", "--now", world.now, "-o", "{name}.json", "--format", "json")
        stored = call("audit", *options, "--snapshot", "estate.mrdb", "--state", "other")
        report = Path("agent-00.json").read_bytes()
        days.append((stored, audit(call, world, *options[3:])))
        assert Path("agent-00.json").read_bytes() == report
        drift(world, "secret 02")
    assert all(one.json == other.json for one, other in days)
    assert "gained" in days[1][0].out
    # Both days again, in a new state: all of it was said before.
    monkeypatch.setattr(AwsEngine, "grants", _refused)
    for which in ("-1", ""):
        again = ("--snapshot", f"estate.mrdb@{which}", "--state", "third", "--now", world.now)
        done = call("audit", "agent-00.yaml", *again)
        assert (done.code, done.err) == (int(not which), "")
    assert "gained" in done.out


def _refused(*_: object) -> object:
    raise AssertionError("somebody was decided again")


def test_several_deployments_are_audited_in_one_estate(call: Call, world: World) -> None:
    Path("gone.yaml").write_bytes(manifest(0).replace(b"role/agent-00", b"role/nobody"))
    every = ("agent-00.yaml", "gone.yaml", "agent-01.yaml", "--snapshot", "estate.snap")
    found = call("audit", *every, "-o", "{name}.json", "--format", "json")
    assert found.code == 2
    assert [one["exit_code"] for one in found.json["audits"]] == [0, 2, 0]
    assert "is not in the snapshot" in found.json["audits"][1]["error"]
    assert Path("agent-00.json").exists() and Path("agent-01.json").exists()
    refused = call("audit", *every, "-o", "one.json")
    assert refused.code == 2
    assert "several deployments would be written into one file" in refused.err


def test_what_is_not_read_counts_as_unknown(call: Call, world: World) -> None:
    audit(call, world)
    world.turn()
    world.blind[0] = 99
    found = audit(call, world, "--fail-on", "never", "--fail-on-incomplete")
    assert found.code == 3
    assert "not-read" in found.out and "UNKNOWN  1 thing could not be read" in found.out
    assert "lost" not in found.out


def test_old_and_new_may_be_audits(call: Call, world: World) -> None:
    audit(call, world)
    call("approve", "agent-00@1", "--by", "board")
    drift(world, "secret 02")
    id_ = audit(call, world, "--format", "json").json["audits"][0]["audit"]["id"]
    Path("agent-00.yaml").write_bytes(manifest(0, "2"))
    for old, new, kinds in (
        ("approved", "last", ["gained"]),
        ("approved", id_[:6], ["gained"]),
        ("last", "agent-00@1", []),
        ("approved", "agent-00.yaml", []),
        ("agent-00.yaml", "last", []),
    ):
        found = call("diff", old, new, "--format", "json", "--exit-zero")
        assert (found.code, found.err) == (0, ""), (old, new)
        assert [change["kind"] for change in found.json["changes"]] == kinds, (old, new)
    now = call("diff", "approved", "agent-00.yaml", "--new-snapshot", "estate.snap")
    assert now.code == 1
    assert call("report", "approved", "last", "-o", "review.html").code == 0
    assert call("scan", "approved", "--format", "json").json["figures"]["resources"] == 1
    assert call("scan", "last", "--format", "json").json["figures"]["resources"] == 2
    compared = call("history", "compare", "approved", "last", "--format", "json")
    assert [change["kind"] for change in compared.json["changes"]] == ["gained"]


def test_what_is_said_to_do_next_can_be_done(call: Call, world: World) -> None:
    """A snapshot in a state is in no file, and `explain` needs something to look into."""
    told = audit(call, world, "--state", "kept here").out.splitlines()[-2]
    call(*shlex.split(told.partition("to accept it: modelreach ")[2].replace("NAME", "board")))
    drift(world, "secret 02")
    audit(call, world, "--state", "kept here")
    where = ("approved", "last", "--state", "kept here")
    for words in (("history", "compare", *where), ("diff", *where), ("scan", *where[1:])):
        shown = call(*words).out
        for command in shown.partition("next:  ")[2].replace("\n      ", "").split("   ·   "):
            assert call(*shlex.split(command)[1:]).err == "", command
        assert "the snapshot of" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("diff", "approved", "last"), "nothing was approved of `agent-00` yet"),
        (("diff", "agent-00@9", "last"), "never audited in version `9`"),
        (("diff", "nothing", "last"), "there is no audit `nothing`"),
        (("approve", "agent-00", "--by", "x", "--until", "2020-01-01"), "over already"),
        (("approve", "agent-00", "--by", "x", "--until", "soon"), "is no day"),
        (("history", "prune", "--keep", "a while"), "is no time"),
        (("audit", "agent-00.yaml"), "either a snapshot or what to collect from"),
        (("history", "--state", "elsewhere"), "no state here yet"),
        (("history", "show", "approved"), "nothing was approved"),
    ],
)
def test_what_does_not_fit_is_said(
    call: Call, world: World, arguments: tuple[str, ...], said: str
) -> None:
    audit(call, world)
    done = call(*arguments)
    assert done.code == 2
    assert said in done.err


def test_the_history_shows_what_was_kept(call: Call, world: World) -> None:
    assert call("history").code == 2
    audit(call, world)
    call("approve", "agent-00", "--by", "board", "--why", "TICKET-481")
    drift(world, "secret 02")
    audit(call, world)
    listed = call("history", "list", "agent-00").out.splitlines()
    assert [line.split()[-1] for line in listed[1:]] == ["approved", "fail"]
    assert len(call("history").out.splitlines()) == 2
    shown = call("history", "show", "approved").out
    assert "by board" in shown and "(TICKET-481)" in shown
    radius = call("history", "show", "last", "--format", "json").json
    assert radius["schema"] == "modelreach.radius/2"
    pruned = call("history", "prune", "--keep", "1d", "--now", "2027-01-01T00:00:00Z")
    assert pruned.out.startswith("forgotten: 0 audits")
    assert "2 older ones are kept" in pruned.out


def test_a_tampered_state_is_found(call: Call, world: World, place: Path) -> None:
    audit(call, world)
    head = call("approve", "agent-00", "--by", "board").out.split()[-1]
    good = call("history", "--verify", "--head", head)
    assert (good.code, good.out.splitlines()[-1]) == (0, "PASS")
    assert good.out.startswith("checked: 1 approval, 1 audit, 1 snapshot, ")
    with open_state(str(place / "state")) as state, state.writing() as db:
        db.exec_driver_sql("DROP TRIGGER approvals_stay")
        db.exec_driver_sql("UPDATE approvals SET until = '2099-12-31'")
    bad = call("history", "--verify")
    assert (bad.code, bad.out.splitlines()[-1]) == (1, "FAIL")
    assert "WRONG  approval 1 was changed" in bad.out


def test_hostile_names_do_nothing_to_a_terminal(call: Call, world: World) -> None:
    raw = manifest(0).replace(b"name: agent-00", b'name: "a\\e[31m\\u202ered"')
    Path("agent-00.yaml").write_bytes(raw)
    audit(call, world)
    for command in (("history",), ("history", "list"), ("history", "show", "last")):
        out = call(*command).out
        assert "\x1b" not in out and "\u202e" not in out and "\\x1b" in out


def test_collecting_is_what_collect_does(call: Call, place: Path, world: World) -> None:
    recording = Path(__file__).parents[2] / "fixtures" / "support_agent" / "recording"
    release = Path(__file__).parents[2] / "fixtures" / "support_agent" / "v1.yaml"
    found = call(
        *("audit", release, "--provider", "aws", "--from", recording, "--format", "json", "-q"),
        *("--now", "2026-11-23T12:00:00Z"),
    )
    assert found.code == 0, found.err
    (one,) = found.json["audits"]
    assert one["audit"]["taken_at"] and one["audit"]["resources"] > 0


# --- watch ---------------------------------------------------------------------------------


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=120) as response:
            return response.status, response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_watch_runs_rounds_and_tells_how_it_is(world: World, place: Path) -> None:
    port = _free_port()
    program = Path(sys.executable).with_name("modelreach")
    watching = subprocess.Popen(
        [
            *(program, "watch", "agent-00.yaml", "--snapshot", "estate.snap"),
            *("--every", "0.2s", "--jitter", "0.1s", "--seed", "x"),
            *("--health", f"127.0.0.1:{port}"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert watching.stdout is not None
    lines = iter(watching.stdout.readline, "")
    assert next(lines).startswith("agent-00 1   audit ")
    while "nothing new was kept" not in next(lines):
        pass
    assert _get(f"http://127.0.0.1:{port}/healthz")[0] == 200
    metrics = _get(f"http://127.0.0.1:{port}/metrics")[1]
    assert 'modelreach_audit_resources{deployment="agent-00"} 1\n' in metrics
    assert _get(f"http://127.0.0.1:{port}/")[0] == 404
    watching.send_signal(signal.SIGTERM)
    _, err = watching.communicate(timeout=300)
    assert watching.returncode == 0, err
    with open_state(str(place / "state")) as state:
        assert len(state.audits()) == 1


def test_a_round_that_fails_is_told_and_the_next_one_comes(
    call: Call, world: World, place: Path
) -> None:
    Path("estate.snap").write_text("{")
    done = call(
        *("watch", "agent-00.yaml", "--snapshot", "estate.snap", "--every", "0.01s"),
        *("--rounds", "2", "--quiet"),
    )
    assert done.code == 0
    assert done.err.count("error: estate.snap: this is not a `modelreach.snapshot/1`") == 2


def test_health_turns_bad_when_rounds_fail_or_do_not_come() -> None:
    book = Health(3600)
    assert book.healthz()[0] == 200
    book.failed("2026-11-26T03:00:00Z", 'the state "x" is gone', 0.1)
    status, body = book.healthz()
    assert (status, json.loads(body)["error"]) == (503, 'the state "x" is gone')
    assert b'modelreach_rounds_total{result="error"} 1' in book.metrics()
    late = Health(0)
    assert late.healthz()[0] == 503


@pytest.mark.parametrize("address", ["0.0.0.0:80", "example.org:80", "127.0.0.1:x", "[::]:1"])
def test_health_is_for_loopback_only(call: Call, world: World, address: str) -> None:
    done = call(
        *("watch", "agent-00.yaml", "--snapshot", "estate.snap", "--every", "1h"),
        *("--health", address),
    )
    assert done.code == 2
    assert "--health" in done.err
