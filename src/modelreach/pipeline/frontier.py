"""Who is reached and not decided yet, by account: so that a worker goes through an account to its
end, and accounts that are come upon again go to the worker that knows them.

Most of what is reached from an account lies in it, and what is known of an account serves for all
in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

import msgspec

from modelreach.pipeline.decided import Decided, Steps
from modelreach.pipeline.kept import KeptDecisions, Record, shelf_of
from modelreach.pipeline.parts import Parts
from modelreach.policy.provider import Context, Opens

#: Is told how many principals are decided, and how many are known to be reached.
Progress = Callable[[int, int], None]


class Work(msgspec.Struct, frozen=True):
    """What has to be known to decide principals: which snapshot of which store, what a deployment
    declares, what the user says that secrets open."""

    snapshot: str
    context: Context = ()
    opens: Opens = ()


class Pool(Protocol):
    """Decides principals elsewhere."""

    def derive(self, snapshot: str, parts: Parts) -> None:
        """Derive what is missing of parts of a snapshot."""
        ...

    def decide(self, work: Work, frontier: Frontier) -> None:
        """Decide all whom a frontier gives out."""
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...


class Errand(msgspec.Struct, frozen=True):
    """Whom to decide of an account, with all of it whom they lead to, and who is known of it."""

    account: str
    names: tuple[str, ...]
    known: tuple[str, ...]


def gone_through(errand: Errand, decide: Callable[[str], Record]) -> dict[str, Record]:
    """Decide those of an errand, and whoever of their account is reached from them."""
    steps, found = Steps(), dict[str, Record]()
    passed = {*errand.known, *errand.names}
    waiting: Collection[str] = errand.names
    while waiting:
        led_to: set[str] = set()
        for name in waiting:
            record = found[name] = decide(name)
            if record.decided is not None:
                led_to.update(steps.new(record.decided))
        new = led_to - passed
        passed |= new
        waiting = sorted(name for name in new if shelf_of(name) == errand.account)
    return found


class Frontier:
    """Gives out whom to decide, by account. Answers `pinned.Errands`."""

    def __init__(self, kept: KeptDecisions, first: Iterable[str], progress: Progress) -> None:
        self._kept, self._progress = kept, progress
        self._steps = Steps()
        self._seen: set[str] = set()
        self._left = 0
        self._waiting: dict[str, set[str]] = {}
        self._out: set[str] = set()
        self._knows: dict[str, str] = {}
        self._reach(set(first))

    @property
    def left(self) -> int:
        """How many are known to be reached and not decided."""
        return self._left

    def read_by(self, workers: Mapping[str, str]) -> None:
        """Say which worker has read the facts of an account."""
        self._knows.update(workers)

    def take(self, worker: str, *, idle: bool) -> Errand | None:
        """Give the next account for a worker: one that nobody knows, one that it knows itself; if
        it has nothing else to do, one that another one knows."""
        account = self._next(worker, idle)
        if account is None:
            return None
        self._knows[account] = worker
        self._out.add(account)
        names = tuple(sorted(self._waiting.pop(account)))
        return Errand(account, names, tuple(sorted(self._kept.settled(account))))

    def _next(self, worker: str, idle: bool) -> str | None:
        fit: dict[int, dict[str, int]] = {}
        for account, names in self._waiting.items():
            if account not in self._out:
                knows = self._knows.get(account)
                place = 0 if knows is None else 1 if knows == worker else 2
                fit.setdefault(place, {})[account] = len(names)
        for place in range(3 if idle else 2):
            if some := fit.get(place):
                # Where most is waiting most is left to do.
                return max(some, key=some.__getitem__)
        return None

    def done(self, errand: Errand, result: bytes) -> None:
        """Take what was decided, and go on from there."""
        self._out.discard(errand.account)
        found = self._kept.take_in(errand.account, result)
        waiting = self._waiting.get(errand.account, set())
        waiting -= found.keys()
        if not waiting:
            self._waiting.pop(errand.account, None)
        self._left -= len(self._seen & found.keys())
        self._seen |= found.keys()
        self._reach(self._led_to(found))

    def lost(self, worker: str) -> None:
        """Forget what a worker knows."""
        self._knows = {account: who for account, who in self._knows.items() if who != worker}

    def _led_to(self, found: Mapping[str, Decided | None]) -> set[str]:
        return {
            target
            for decided in found.values()
            if decided is not None
            for target in self._steps.new(decided)
        }

    def _reach(self, names: set[str]) -> None:
        """Have those decided of whom nothing is known, and go on from the others."""
        new = names - self._seen
        while new:
            self._seen |= new
            missing = set(self._kept.missing(sorted(new)))
            for name in missing:
                self._waiting.setdefault(shelf_of(name), set()).add(name)
            self._left += len(missing)
            found = {name: self._kept.find(name) for name in new - missing}
            new = self._led_to(found) - self._seen
        self._progress(len(self._seen) - self._left, len(self._seen))
