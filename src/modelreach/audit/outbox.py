"""Delivering what is due. A notification is pending until its target took it; a run that dies
between sending and writing that down sends it again, with the same key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from modelreach.state import Telling

if TYPE_CHECKING:
    from modelreach.state.database import State

#: After how many minutes a delivery is tried again: doubled each time, up to a day.
_FIRST: Final = 5
_LONGEST: Final = 24 * 60


class NotDelivered(Exception):
    """A target did not take a notification. `permanent`: it never will, so it is given up."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.permanent = reason, permanent


class Notifier(Protocol):
    """Something that takes notifications. Deliveries are kept under `target`, which therefore
    stays the same, names no secret, and is another for another place."""

    @property
    def target(self) -> str: ...

    def send(self, telling: Telling, key: str) -> None:
        """Send one. `key` is the same whenever the same is sent. Raises `NotDelivered`."""
        ...


class Delivered(msgspec.Struct, frozen=True):
    """What became of what was due at one target. `given_up` will not be sent again: the target
    said that it never takes it. `error` is why the last one was not taken."""

    target: str
    sent: int
    failed: int
    waiting: int
    error: str = ""
    given_up: int = 0


def deliver(state: State, notifiers: Iterable[Notifier], now: str) -> tuple[Delivered, ...]:
    """Send all that is due, oldest first. A target that fails is left until the next run: what is
    behind it waits, so that it is told in order."""
    return tuple(_to(state, notifier, now) for notifier in notifiers)


def _to(state: State, notifier: Notifier, now: str) -> Delivered:
    sent = given_up = 0
    error = ""
    while due := state.due(notifier.target, now):
        for one in due:
            try:
                notifier.send(one.telling, one.id)
            except NotDelivered as why:
                error = why.reason
                again = "" if why.permanent else _later(state, one.id, notifier.target, now)
                state.failed(one.id, notifier.target, now, error, again)
                if again:
                    waiting = len(state.pending(notifier.target))
                    failed = given_up + 1
                    return Delivered(notifier.target, sent, failed, waiting, error, given_up)
                given_up += 1
            else:
                state.delivered(one.id, notifier.target, now)
                sent += 1
    waiting = len(state.pending(notifier.target))
    return Delivered(notifier.target, sent, given_up, waiting, error, given_up)


def _later(state: State, notification: str, target: str, now: str) -> str:
    """Give when to try again."""
    rows = state.deliveries(notification)
    attempts = next((row.attempts for row in rows if row.target == target), 0)
    minutes = min(_FIRST * 2 ** min(attempts, 20), _LONGEST)
    moment = datetime.fromisoformat(now.replace("Z", "+00:00")) + timedelta(minutes=minutes)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
