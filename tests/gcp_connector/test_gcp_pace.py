"""Reads of which there are five a minute: turns, a cache that a stopped run goes on from."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from google_cloud.server import LocalGoogle
from modelreach.collect.answers import Refusal
from modelreach.model import InputError
from modelreach.snapshot import encode
from modelreach_gcp.answers import Answer
from modelreach_gcp.calls import call_of
from modelreach_gcp.pace import Cache, Pacer, duration

NOW = "2026-11-24T00:00:00Z"
SLOW = r"iam\.(policies|accessPolicies|principalAccessBoundaryPolicies)\..*"


class Clock:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def pacer(self) -> Pacer:
        return Pacer(self.sleep, lambda: self.time)


def test_five_turns_in_any_minute() -> None:
    clock = Clock()
    pacer = clock.pacer()
    turns = []
    for _ in range(12):
        pacer.turn()
        turns.append(clock.time)
        clock.time += 1
    for first, sixth in zip(turns, turns[5:], strict=False):
        assert sixth - first >= 60
    assert turns[11] < 150, "and no slower"


def test_an_old_turn_does_not_count() -> None:
    clock = Clock()
    pacer = clock.pacer()
    for _ in range(20):
        pacer.turn()
        clock.time += 15
    assert clock.slept == []


@pytest.mark.parametrize(
    ("reads", "projects", "said"),
    [
        (5, 1, "a moment"),
        (6, 1, "a minute"),
        (20, 1, "3 min"),
        (1000, 1, "3 h 19 min"),
        (1000, 4, "49 min"),
    ],
)
def test_how_long_is_said(reads: int, projects: int, said: str) -> None:
    assert duration(reads, projects) == said


def test_slow_calls_wait_for_their_turn_and_others_do_not(
    local: LocalGoogle, collect: Any, whole: Any
) -> None:
    clocks: list[Clock] = []

    def pacer() -> Pacer:
        clocks.append(Clock())
        return clocks[-1].pacer()

    snapshot = collect({"pacer": pacer})
    assert encode(snapshot) == encode(whole.snapshot)
    # One of deny policies, with five reads, and one of boundaries and access policies, with seven.
    assert sorted(len(clock.slept) for clock in clocks) == [0, 1]


def test_quota_projects_take_turns(local: LocalGoogle, collect: Any) -> None:
    made: list[Clock] = []

    def pacer() -> Pacer:
        made.append(Clock())
        return made[-1].pacer()

    collect({"pacer": pacer}, settings={"quota-project": ("pays-1", "pays-2")})
    assert len(made) == 4
    assert not any(clock.slept for clock in made), "ten reads a minute are enough"


def slow(local: LocalGoogle) -> int:
    return sum(
        name.startswith(("iam.policies", "iam.access", "iam.principalAccess"))
        for name, _ in local.made
    )


def asked(cache: Path) -> list[str]:
    """What the lines of a cache are answers to."""
    lines = [json.loads(line)["answer"] for line in cache.read_text().splitlines()]
    return [json.dumps([one[key] for key in sorted(one) if key != "response"]) for one in lines]


def test_a_second_run_does_not_ask_again(
    local: LocalGoogle, collect: Any, whole: Any, tmp_path: Path
) -> None:
    cache = tmp_path / "slow.ndjson"
    collect(settings={"cache": (str(cache),)})
    assert slow(local) == 12
    assert cache.stat().st_mode & 0o077 == 0, "policies of others are nobody else's to read"
    local.made.clear()
    lines: list[str] = []
    again = collect(settings={"cache": (str(cache),)}, progress=lines.append)
    assert slow(local) == 0
    assert not [line for line in lines if "five a minute" in line]
    assert encode(again) == encode(whole.snapshot)


def test_a_run_that_was_stopped_goes_on(
    local: LocalGoogle, collect: Any, whole: Any, tmp_path: Path
) -> None:
    """Also when it was stopped in the middle of writing a line."""
    cache = tmp_path / "slow.ndjson"
    collect(settings={"cache": (str(cache),)})
    lines = cache.read_bytes().splitlines(keepends=True)
    cache.write_bytes(b"".join(lines[:7]) + lines[7][:20])
    local.made.clear()
    snapshot = collect(settings={"cache": (str(cache),)})
    assert slow(local) == 5
    assert encode(snapshot) == encode(whole.snapshot)
    local.made.clear()
    collect(settings={"cache": (str(cache),)})
    assert slow(local) == 0


def test_a_run_that_is_interrupted_ends_at_once_and_keeps_what_it_has(
    local: LocalGoogle, collect: Any, whole: Any, tmp_path: Path
) -> None:
    """While a turn is waited for, which takes up to a minute."""
    cache = (str(tmp_path / "slow.ndjson"),)

    def interrupt(line: str) -> None:
        if line.startswith("gcp deny policies and boundaries … 5/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect({"pacer": Pacer}, settings={"cache": cache}, progress=interrupt)
    for thread in threading.enumerate():
        if thread.name.startswith("gcp-slow"):
            thread.join(5)
            assert not thread.is_alive()
    kept = asked(tmp_path / "slow.ndjson")
    assert 5 <= len(kept) <= 7
    assert encode(collect(settings={"cache": cache})) == encode(whole.snapshot)
    collect(settings={"cache": (str(tmp_path / "whole.ndjson"),)})
    everything = asked(tmp_path / "slow.ndjson")
    assert everything[: len(kept)] == kept
    assert sorted(everything) == sorted(asked(tmp_path / "whole.ndjson")), "each once"


def test_a_refusal_is_not_kept(local: LocalGoogle, collect: Any, tmp_path: Path) -> None:
    cache = (str(tmp_path / "slow.ndjson"),)
    fault = local.fail(SLOW, 403)
    assert [gap for gap in collect(settings={"cache": cache}).gaps if gap.kind == "deny"]
    fault.times = 0
    assert not [gap for gap in collect(settings={"cache": cache}).gaps if gap.kind == "deny"]


def test_what_is_older_than_a_day_is_asked_for_again(
    local: LocalGoogle, collect: Any, tmp_path: Path
) -> None:
    cache = (str(tmp_path / "slow.ndjson"),)
    collect(settings={"cache": cache}, now="2026-11-22T00:00:00Z")
    local.made.clear()
    collect(settings={"cache": cache})
    assert slow(local) == 12


def test_a_cache_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Cache(tmp_path, NOW)
    (tmp_path / "x").write_text("one\ntwo\n")
    with pytest.raises(InputError, match="not a cache"):
        Cache(tmp_path / "x", NOW)
    call = call_of(("iam.v2", "policies.get"))
    assert call is not None
    one = Answer("projects/p", *call.key, {"name": "n"}, {"rules": []})
    with pytest.raises(InputError, match="cannot be written"):
        Cache(tmp_path / "none" / "x", NOW).put(one)
    kept = Cache(None, NOW)
    kept.put(one)
    assert kept.get("projects/p", call, {"name": "n"}) is None
    written = Cache(tmp_path / "new", NOW)
    written.put(one)
    written.put(Answer("projects/q", *call.key, {"name": "n"}, None, Refusal("denied")))
    assert Cache(tmp_path / "new", NOW).get("projects/p", call, {"name": "n"}) == one
    assert Cache(tmp_path / "new", NOW).get("projects/q", call, {"name": "n"}) is None
