"""From the audit of a deployment to a receiver: each change once, in order, however it goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drifting import World, manifest
from modelreach.cli import run
from modelreach.snapshot import encode


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Any) -> World:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK", receiver.url)
    Path("modelreach.yaml").write_text("version: 1\nnotify: [{name: siem, webhook: HOOK}]\n")
    Path("agent.yaml").write_bytes(manifest(0))
    return World(3, deployments=1, change=0, blindness=0)


@pytest.fixture
def audit(world: World, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    def once() -> str:
        Path("estate.snap").write_bytes(encode(world.snapshot()))
        given = ["agent.yaml", "--snapshot", "estate.snap", "--state", "state"]
        run(["audit", *given, "--now", world.now])
        return capfd.readouterr().out

    return once


def gained(receiver: Any) -> list[tuple[str, str]]:
    """Every gain and loss that came, with the key under which it did."""
    return [
        (event["kind"], json.loads(body)["id"])
        for body in receiver.bodies
        for event in json.loads(body)["data"]["events"]
        if event["kind"] in ("gained", "lost")
    ]


def test_a_change_is_told_once(receiver: Any, world: World, audit: Callable[[], str]) -> None:
    audit()
    world.turn()
    world.grants[0] ^= {"secret 02"}
    assert "notified webhook:siem: 1 sent" in audit()
    world.turn()
    assert "notified webhook:siem: 0 sent" in audit()
    assert [kind for kind, _ in gained(receiver)] == ["gained"]


def test_nothing_is_lost_while_the_receiver_is_down(
    receiver: Any, world: World, audit: Callable[[], str]
) -> None:
    audit()
    receiver.answers = [(503, {})]
    world.turn()
    world.grants[0] ^= {"secret 02"}
    assert "1 waiting (it answered 503)" in audit()
    receiver.answers = [(200, {})]
    world.turn()
    world.grants[0] ^= {"secret 02"}
    assert "notified webhook:siem: 2 sent" in audit()
    told = list(dict.fromkeys(gained(receiver)))
    assert [kind for kind, _ in told] == ["gained", "lost"], "in order, and under a key each"


def test_what_is_never_taken_is_told_and_does_not_hold_up_the_next(
    receiver: Any, world: World, audit: Callable[[], str]
) -> None:
    audit()
    receiver.answers = [(400, {})]
    world.turn()
    world.grants[0] ^= {"secret 02"}
    assert "0 sent, 1 given up (it answered 400)" in audit()
    receiver.answers = [(200, {})]
    world.turn()
    world.grants[0] ^= {"secret 02"}
    assert "notified webhook:siem: 1 sent\n" in audit()


def test_a_target_without_its_variable_stops_the_run_before_it_begins(
    world: World, monkeypatch: pytest.MonkeyPatch, audit: Callable[[], str]
) -> None:
    monkeypatch.delenv("HOOK")
    audit()
    assert not Path("state").exists()
