"""Reads of which a project has five a minute: their turn, how long they take, and a cache.

https://cloud.google.com/iam/quotas
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock
from typing import Final

import msgspec

from modelreach.model import InputError
from modelreach_gcp.answers import Answer
from modelreach_gcp.call import Call

READS: Final = 5
PERIOD: Final = 60.0
#: An answer that is older is asked for again.
_FRESH: Final = timedelta(hours=24)


class Pacer:
    """Gives turns: `READS` in any `PERIOD`, over every thread."""

    def __init__(
        self,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stopped = Event()
        self._sleep, self._clock = sleep or self._stopped.wait, clock
        self._taken: deque[float] = deque()
        self._lock = Lock()

    def turn(self) -> None:
        """Wait for the next turn."""
        with self._lock:
            now = self._clock()
            while self._taken and self._taken[0] <= now - PERIOD:
                self._taken.popleft()
            if len(self._taken) >= READS:
                self._sleep(self._taken[0] + PERIOD - now)
                self._taken.popleft()
            self._taken.append(self._clock())

    def stop(self) -> None:
        """Let nobody wait any longer: the run has ended."""
        self._stopped.set()


def duration(reads: int, projects: int) -> str:
    """Say how long so many reads take with the quota of so many projects."""
    rounds = max(0, -(-reads // (READS * projects)) - 1)
    if rounds < 2:
        return "a minute" if rounds else "a moment"
    hours, minutes = divmod(rounds, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


class _Kept(msgspec.Struct, frozen=True):
    """One line of the cache."""

    asked: str
    answer: Answer


class Cache:
    """A file that slow answers are kept in as they come, so that a run that was stopped goes on.

    `now` is the time of this run (RFC 3339). Without a path nothing is kept.
    """

    def __init__(self, path: Path | None, now: str) -> None:
        self._path, self._now = path, now
        self._lock = Lock()
        raw = _read(path) if path else b""
        self.answers = _answers(raw, now, str(path))
        self._start = b"\n" if raw and not raw.endswith(b"\n") else b""

    def get(self, place: str, call: Call, parameters: dict[str, object]) -> Answer | None:
        """Give the answer of a call that was made before."""
        return self.answers.get((place, *call.key, json.dumps(parameters, sort_keys=True)))

    def put(self, answer: Answer) -> None:
        """Keep an answer; a refusal is asked for again."""
        if self._path is None or answer.refused:
            return
        line = msgspec.json.encode(_Kept(self._now, answer)) + b"\n"
        with self._lock, os.fdopen(_opened(self._path), "ab") as file:
            file.write(self._start + line)
            self._start = b""


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=str(path)) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(path)) from None


def _answers(raw: bytes, now: str, place: str) -> dict[tuple[str, str, str, str], Answer]:
    """Give the fresh answers of a cache; a line that was cut off in the writing is left out."""
    found: dict[tuple[str, str, str, str], Answer] = {}
    understood = not raw.strip()
    for line in raw.splitlines():
        try:
            kept = msgspec.json.decode(line, type=_Kept)
            age = _moment(now) - _moment(kept.asked)
        except (msgspec.DecodeError, ValueError):
            continue
        understood = True
        if timedelta() <= age <= _FRESH:
            found[kept.answer.key] = kept.answer
    if not understood:
        raise InputError("this is not a cache of slow answers", place=place)
    return found


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
