"""Decisions kept from one run to the next, with all that each hangs on.

A principal is decided anew only when something that it hangs on has changed: see `holding`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from modelreach.pipeline.decided import Decided
from modelreach.pipeline.holding import Grounds, Holding, engine_version
from modelreach.policy.engine import Engine
from modelreach.snapshot import Facts


class Record(msgspec.Struct, array_like=True):
    """A decision with what it hangs on."""

    grounds: Grounds
    decided: Decided | None


_READER = msgspec.msgpack.Decoder(dict[str, Record])
Find = Callable[[str], Decided | None]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many principals were taken from before, and how many decided."""

    taken: int
    decided: int


class KeptDecisions:
    """Finds principals' decisions: kept ones where they still hold."""

    def __init__(
        self, facts: Facts, engines: Mapping[str, Engine], decide: Find, told: str
    ) -> None:
        """`told` is all that else decides: what a deployment declares, and the user's rules."""
        self._facts, self._decide = facts, decide
        self._holding = Holding(facts, sorted(engines), engines.__getitem__)
        version = engine_version(tuple(sorted(engines)))
        self._name = f"decided {version} {hashlib.sha256(told.encode()).hexdigest()[:16]}"
        self._known: dict[str, Decided | None] = {}
        self._records: dict[str, dict[str, Record]] = {}
        self._fresh: set[str] = set()
        self._taken = self._decided = 0

    @property
    def counts(self) -> Counts:
        """What was taken from before."""
        return Counts(self._taken, self._decided)

    def find(self, name: str) -> Decided | None:
        """Give what a principal comes to."""
        if name not in self._known:
            self._known[name] = self._found(name)
        return self._known[name]

    def _found(self, name: str) -> Decided | None:
        if not self._facts.keeps:
            self._decided += 1
            return self._decide(name)
        if not self._taken_over(name):
            self.learn({name: self.record(name)})
        return self._known[name]

    def missing(self, names: Iterable[str]) -> list[str]:
        """Give those that have to be decided; what is known of the others is taken. All of them
        where nothing can be kept."""
        if not self._facts.keeps:
            return [name for name in names if name not in self._known]
        return [name for name in names if name not in self._known and not self._taken_over(name)]

    def _taken_over(self, name: str) -> bool:
        record = self._of_shelf(_shelf(name)).get(name)
        if record is None or not self._holding.hold(record.grounds):
            return False
        self._taken += 1
        self._known[name] = record.decided
        return True

    def record(self, name: str) -> Record:
        """Decide a principal, and say what that hangs on."""
        decided = self._decide(name)
        # Numbers of resources mean something only together with their scope.
        scopes = {held.scope for held in decided.held} if decided else set[str]()
        return Record(self._holding.grounds(name, scopes), decided)

    def learn(self, records: Mapping[str, Record]) -> None:
        """Take what was decided elsewhere."""
        for name, record in records.items():
            shelf = _shelf(name)
            self._of_shelf(shelf)[name] = record
            self._known[name] = record.decided
            self._fresh.add(shelf)
        self._decided += len(records)

    def keep(self) -> None:
        """Keep what was decided since."""
        for shelf in sorted(self._fresh):
            raw = msgspec.msgpack.encode(self._records[shelf])
            self._facts.memorise(self._name, shelf, raw)
        if self._fresh:
            self._holding.keep()
        self._facts.keep()
        self._fresh.clear()

    def _of_shelf(self, shelf: str) -> dict[str, Record]:
        if shelf not in self._records:
            raw = self._facts.recalled(self._name, shelf)
            self._records[shelf] = {} if raw is None else _READER.decode(raw)
        return self._records[shelf]


def _shelf(name: str) -> str:
    """Give where a principal's decision is kept: with those of its account where its id says
    which, else with some others."""
    parts = name.split(":", 5)
    if len(parts) == 6 and parts[4]:
        return parts[4]
    return hashlib.sha256(name.encode()).hexdigest()[:2]
