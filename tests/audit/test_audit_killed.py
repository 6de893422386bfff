"""A round of audits that dies leaves all of an audit or nothing, wherever it dies.

Rounds are real processes over a real state, with notifications over HTTP. After each death the
state is checked whole; then the timer comes again, as it would.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest

import drifting
from drifting import Truth, World, manifest, name_of
from drifting.postgres import Server
from modelreach.snapshot import encode
from modelreach.state import open_state
from modelreach.state.database import State
from modelreach.state.verify import verify

CHANGES = ("gained", "lost", "widened", "narrowed", "rerouted", "revealed")
Places = Callable[[str], tuple[str, str]]


class Receiver:
    """Takes notifications on 127.0.0.1, and counts them by their key; refuses while `down`."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.refused = 0
        self.down = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.down:
                    receiver.refused += 1
                else:
                    receiver.received[self.headers["Idempotency-Key"]] += 1
                self.send_response(503 if receiver.down else 200)
                self.end_headers()

            def log_message(self, *_: object, **__: object) -> None:
                return

        return Handler

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Zygote:
    """Runs rounds in processes of their own."""

    def __init__(self) -> None:
        path = str(Path(drifting.__file__).parents[1])
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import sys; sys.path.insert(0, {path!r}); "
                "from drifting.zygote import main; main()",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def begin(self, job: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        return self.ends()[0]

    def ends(self) -> list[dict[str, Any]]:
        assert self._process.stdout is not None
        answers: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        return answers

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        self.begin(job)
        return self.end()

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    found = Zygote()
    yield found
    found.close()


@dataclass
class Campaign:
    """A world that drifts, rounds over it that die, and what must hold whenever one did."""

    folder: Path
    place: tuple[str, str]
    zygote: Zygote
    receiver: Receiver
    world: World
    truths: list[Truth] = field(default_factory=list[Truth])
    approved: list[str] = field(default_factory=list[str])
    done: Counter[str] = field(default_factory=Counter[str])
    seen: int = 0

    def __post_init__(self) -> None:
        self.truths = [Truth(self.world, number) for number in range(self.world.deployments)]
        for number in range(self.world.deployments):
            (self.folder / f"{name_of(number)}.yaml").write_bytes(manifest(number))

    # --- rounds ------------------------------------------------------------------------------

    def job(self, **more: Any) -> dict[str, Any]:
        """Give a round over the world as it is now."""
        snapshot = self.folder / "estate.snap"
        snapshot.write_bytes(encode(self.world.snapshot()))
        names = [f"{name_of(number)}.yaml" for number in range(self.world.deployments)]
        return {
            "manifests": [str(self.folder / name) for name in names],
            "state": self.place[0],
            "blobs": self.place[1],
            "snapshot": str(snapshot),
            "outputs": [str(self.folder / "{name}.json")],
            "port": self.receiver.port,
            "now": self.world.now,
            **more,
        }

    def fatal(self, **how: Any) -> dict[str, Any]:
        """Run a round that may die, and check what it left."""
        found = self.zygote.run(self.job(**how))
        self.done["killed" if found["code"] < 0 else f"exit {found['code']}"] += 1
        self.check()
        return found

    def again(self) -> None:
        """Run the round that is to go well, and check that it did."""
        found = self.zygote.run(self.job())
        assert found["code"] == 0, found
        self.done["gone well"] += 1
        with self.opened() as state:
            for one in state.deployments():
                last = state.audit(one.last)
                assert last is not None and last.taken_at == self.world.now
        self.check()

    def turn(self) -> None:
        """Let six hours go by."""
        self.world.turn()

    def approve(self, **how: Any) -> None:
        """Approve, by a run that may die: what it said that it did is there ever after."""
        by = f"board {self.done['approvals']}"
        self.done["approvals"] += 1
        found = self.zygote.run(self.job(approve="agent-00", by=by, **how))
        with self.opened() as state:
            kept = [one.approved_by for one in state.approvals()]
        assert kept in (self.approved, [*self.approved, by])
        assert found["code"] != 0 or kept[-1] == by
        self.done["approved"] += len(kept) - len(self.approved)
        self.approved = kept

    # --- what must hold ----------------------------------------------------------------------

    def opened(self) -> State:
        return open_state(*self.place)

    def _names(self, state: State) -> list[str]:
        return [one.deployment for one in state.deployments()]

    def check(self) -> None:
        """Check the state whole, and everything that it has told since the last check."""
        self.done["checks"] += 1
        with self.opened() as state:
            self._whole(state)
            assert [one.approved_by for one in state.approvals()] == self.approved

    def _whole(self, state: State) -> None:
        if state.place.file:
            with state.reading() as db:
                assert db.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert verify(state).problems == ()
        audits = state.audits()
        assert len(audits) >= self.seen
        self.seen = len(audits)
        events = Counter(audit for audit, _ in state.events(*(one.id for one in audits)))
        notes = {note.audit: note for note in state.notifications()}
        for name in self._names(state):
            own = [one for one in audits if one.deployment == name]
            assert [one.number for one in own] == list(range(1, len(own) + 1))
            assert state.deployment(name).last == own[-1].id  # type: ignore[union-attr]
        for one in audits:
            assert one.events == events[one.id]
            assert (one.id in notes) == (one.events > 0)
            if one.id in notes:
                assert len(notes[one.id].telling.events) == one.events
                assert [d.target for d in state.deliveries(notes[one.id].id)] == ["hook"]
        for delivery in state.deliveries(status="delivered"):
            assert self.receiver.received[delivery.notification] > 0

    def settle(self) -> dict[str, int]:
        """Let everything be delivered, and hold what was told against what was true."""
        self.receiver.down = False
        for _ in range(8):
            self.turn()  # what failed is tried again later and later
            self.again()
            with self.opened() as state:
                if not state.deliveries(status="pending"):
                    break
        with self.opened() as state:
            assert state.deliveries(status="pending") == ()
            notes = {note.id for note in state.notifications()}
            told = Counter(
                (note.deployment, event.kind, event.subject, event.since)
                for note in state.notifications()
                for event in note.telling.events
                if event.kind in CHANGES
            )
        assert notes == set(self.receiver.received)
        assert set(told.values()) <= {1}
        return {
            **dict(sorted(self.done.items())),
            "audits": self.seen,
            "notifications": len(notes),
            "sent twice": sum(self.receiver.received.values()) - len(notes),
            "refused by the hook": self.receiver.refused,
            "changes told": sum(told.values()),
        }


@pytest.fixture
def begin(
    tmp_path: Path, places: Places, zygote: Zygote, receiver: Receiver
) -> Callable[..., Campaign]:
    """Give a campaign over a state of a kind, after a first round."""

    def make(kind: str, deployments: int = 1) -> Campaign:
        world = World(11, deployments=deployments, change=0.9, blindness=0.03)
        found = Campaign(tmp_path, places(kind), zygote, receiver, world)
        found.again()
        return found

    return make


def effects(campaign: Campaign) -> int:
    """Count the effects of a round over the world as it is now."""
    campaign.turn()
    found = campaign.zygote.run(campaign.job(count=True))
    assert found["code"] == 0
    return int(found["said"])


def test_killed_at_any_effect_nothing_is_lost(begin: Callable[..., Campaign]) -> None:
    campaign = begin("sqlite", 2)
    count = effects(campaign)
    assert count > 60
    points = [*range(3, count, count // 5), count]
    for number, at in enumerate(points):
        campaign.turn()
        campaign.fatal(kill_at=at, after=bool(number % 2))
        if number == 3:
            campaign.again()
            campaign.approve(kill_at=9)
            campaign.approve()
    counts = campaign.settle()
    assert counts["killed"] >= len(points) // 2
    assert counts["changes told"] > 5
    assert counts["approved"] >= 1


def test_a_full_disk_and_a_hook_that_is_down_lose_nothing(
    begin: Callable[[str], Campaign],
) -> None:
    campaign = begin("sqlite")
    for largest in (1, 3000):
        campaign.turn()
        found = campaign.fatal(largest=largest)
        assert found["code"] == 75, found
        assert "cannot be" in found["said"]
        campaign.receiver.down = not campaign.receiver.down
        campaign.again()
    counts = campaign.settle()
    assert counts["refused by the hook"] > 0


def test_a_database_that_goes_away_loses_nothing(
    begin: Callable[[str], Campaign], postgres: Server
) -> None:
    campaign = begin("postgresql")
    campaign.turn()
    postgres.stop()
    found = campaign.zygote.run(campaign.job())
    postgres.start()
    assert found["code"] == 75
    assert "the state cannot be used" in found["said"]
    campaign.check()
    campaign.turn()
    campaign.zygote.begin(campaign.job())
    postgres.stop()
    postgres.start()
    assert campaign.zygote.end()["code"] in (0, 75)
    campaign.fatal(kill_after=0.05)
    campaign.settle()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_rounds_at_once_double_nothing(begin: Callable[[str], Campaign], kind: str) -> None:
    campaign = begin(kind)
    campaign.turn()
    campaign.zygote.begin(campaign.job(at_once=2))
    assert [one["code"] for one in campaign.zygote.ends()] == [0, 0]
    campaign.check()
    with campaign.opened() as state:
        assert len(state.audits()) == 2 * campaign.world.deployments
        with state.lock(1, since="2026-11-26T00:00:00Z"):
            busy = campaign.zygote.run(campaign.job(wait=0.05))
    assert busy["code"] == 75
    assert "another run holds this state (process" in busy["said"]


# --- the long campaign ---------------------------------------------------------------------


def _fault(campaign: Campaign, rng: Random, count: int, postgres: Server | None) -> None:
    kind = rng.choice(["effect", "effect", "moment", "disk", "hook", "approval", "server"])
    if kind == "effect" and postgres is None:
        campaign.fatal(kill_at=rng.randrange(1, count + 5), after=rng.random() < 0.5)
    elif kind == "disk":
        campaign.fatal(largest=rng.choice([1, 200, 1000, 2000, 20_000, 200_000]))
    elif kind == "hook":
        campaign.receiver.down = not campaign.receiver.down
    elif kind == "approval":
        campaign.approve(kill_after=rng.uniform(0.005, 0.3))
    elif kind == "server" and postgres is not None:
        campaign.zygote.begin(campaign.job())
        threading.Event().wait(rng.uniform(0, 0.3))
        postgres.stop()
        postgres.start()
        code = campaign.zygote.end()["code"]
        campaign.done[f"server gone, exit {code}"] += 1
        campaign.check()
    else:
        campaign.fatal(kill_after=rng.uniform(0.001, 0.25))


@pytest.mark.soak
@pytest.mark.parametrize(("kind", "rounds"), [("sqlite", 500), ("postgresql", 150)])
def test_a_campaign_of_deaths(
    begin: Callable[..., Campaign],
    request: pytest.FixtureRequest,
    kind: str,
    rounds: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    campaign = begin(kind, 3)
    server = request.getfixturevalue("postgres") if kind == "postgresql" else None
    rng = Random(f"deaths {kind}")
    count = effects(campaign)
    for _ in range(rounds):
        campaign.turn()
        _fault(campaign, rng, count, server)
        if rng.random() < 0.4:
            campaign.again()
    counts = campaign.settle()
    with capsys.disabled():
        print(f"\n{kind}: {counts}")
    assert counts["killed"] > rounds / 4
