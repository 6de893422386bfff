"""Decisions kept from one run to the next, with all that each hangs on.

A principal is decided anew only when something that it hangs on has changed: see `holding`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

import msgspec
import zstandard
from msgspec.structs import replace

from modelreach.digests import sha256
from modelreach.packed import unpack
from modelreach.pipeline.decided import Decided, Held, Step
from modelreach.pipeline.holding import Grounds, Holding, engine_version
from modelreach.pipeline.moves import Moves
from modelreach.policy.engine import Engine
from modelreach.snapshot import Facts

_T = TypeVar("_T")


class Record(msgspec.Struct, array_like=True):
    """A decision with what it hangs on."""

    grounds: Grounds
    decided: Decided | None


Find = Callable[[str], Decided | None]

#: Shelves that are written in one go.
_TOGETHER = 64


class Counts(msgspec.Struct, frozen=True):
    """How many principals were taken from before, and how many decided; and of how many releases
    the row was taken whole."""

    taken: int
    decided: int
    rows: int = 0


class KeptDecisions:
    """Finds principals' decisions: kept ones where they still hold."""

    def __init__(
        self,
        facts: Facts,
        engines: Mapping[str, Engine],
        decide: Find,
        told: str,
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        """`told` is all that else decides: what a deployment declares, and the user's rules.
        `let_go` lets go of what was read to decide principals."""
        self._facts, self._decide, self._let_go = facts, decide, let_go
        self._holding = Holding(facts, sorted(engines), engines.__getitem__)
        self._version = engine_version(tuple(sorted(engines)))
        self._name = f"decided {self._version} {sha256(told.encode()).hexdigest()[:16]}"
        self._known: dict[str, Decided | None] = {}
        # By shelf: records, who is packed already, and the pieces that they are packed in. Shelves
        # of which something was kept before are old: they are packed as a whole.
        self._records: dict[str, dict[str, Record]] = {}
        self._packed: dict[str, list[str]] = {}
        self._pieces: dict[str, list[bytes]] = {}
        self._fresh: set[str] = set()
        self._old: set[str] = set()
        self._alike: dict[Held, Held] = {}
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
        record = self._of_shelf(shelf_of(name)).get(name)
        if record is None or not self._holding.hold(record.grounds):
            return False
        self._taken += 1
        self._known[name] = record.decided
        return True

    def record(self, name: str) -> Record:
        """Decide a principal, and say what that hangs on."""
        # First the grounds: what is derived of each account for them serves to decide as well.
        grounds = self._holding.grounds(name)
        return Record(grounds, self._decide(name))

    def let_go(self) -> None:
        """Let go of what was read to decide the principals of an account, and of what their
        decisions hang on: others come next."""
        self._let_go()
        self._pack()

    def _pack(self) -> None:
        # Of what was kept before nothing changed there: it is read again when it is asked for.
        for shelf in self._old - self._fresh:
            del self._records[shelf]
        self._old &= self._fresh
        for shelf in self._fresh - self._old:
            records = self._records[shelf]
            if records:
                self._put(shelf, records, packed(records, self._facts))
            records.clear()

    def _put(self, shelf: str, names: Iterable[str], piece: bytes) -> None:
        self._packed.setdefault(shelf, []).extend(names)
        self._pieces.setdefault(shelf, []).append(piece)

    def learn(self, records: Mapping[str, Record]) -> None:
        """Take what was decided elsewhere."""
        for name, record in records.items():
            shelf = shelf_of(name)
            self._of_shelf(shelf)[name] = record
            self._known[name] = record.decided
            self._fresh.add(shelf)
        self._decided += len(records)

    def take_in(self, shelf: str, raw: bytes) -> dict[str, Decided | None]:
        """Take what was decided elsewhere, in the same snapshot, of some who are kept together;
        packed, and so it is kept. Give the decisions."""
        records = unpacked(raw, alike=self._alike)
        before = self._of_shelf(shelf)
        if shelf in self._old:
            before.update(records)
        else:
            self._put(shelf, records, raw)
        found = {name: record.decided for name, record in records.items()}
        self._known.update(found)
        self._decided += len(found)
        self._fresh.add(shelf)
        return found

    def settled(self, shelf: str) -> list[str]:
        """Give those who are kept together and do not have to be decided."""
        records = self._of_shelf(shelf)
        still = [name for name, one in records.items() if self._holding.hold(one.grounds)]
        return still + self._packed.get(shelf, [])

    def keep(self) -> None:
        """Keep what was decided since."""
        self._pack()
        if self._fresh:
            self._holding.keep()
            self._facts.forget("decided", self._version)
        for count, shelf in enumerate(sorted(self._fresh)):
            records, pieces = self._records.pop(shelf), self._pieces.pop(shelf, [])
            if shelf in self._old:
                pieces = [packed(records, self._facts)]
            self._facts.memorise(self._name, shelf, msgspec.msgpack.encode(pieces))
            if count % _TOGETHER == _TOGETHER - 1:
                self._facts.keep()
        self._facts.keep()
        self._packed.clear()
        self._fresh.clear()
        self._old.clear()

    def _of_shelf(self, shelf: str) -> dict[str, Record]:
        if shelf not in self._records:
            raw = self._facts.recalled(self._name, shelf)
            self._records[shelf] = {} if raw is None else self._unpacked(raw)
            if raw is not None:
                self._old.add(shelf)
        return self._records[shelf]

    def _unpacked(self, raw: bytes) -> dict[str, Record]:
        try:
            return all_unpacked(raw, self._facts, self._alike)
        except (msgspec.MsgspecError, zstandard.ZstdError, RecursionError):
            # It is worked out again.
            return {}


def shelf_of(name: str) -> str:
    """Give where a principal's decision is kept: with those of its account where its id says
    which, else with some others."""
    parts = name.split(":", 5)
    if len(parts) == 6 and parts[4]:
        return parts[4]
    return sha256(name.encode()).hexdigest()[:2]


# --- records as bytes ------------------------------------------------------------------------


class _Small(msgspec.Struct, array_like=True):
    """A record; what many have alike by its place among what they have."""

    grounds: int
    decided: Decided | None
    held: int = 0
    common: int = 0
    aimed: int = 0


class _Several(msgspec.Struct, array_like=True):
    """Records by name, and what they have alike, once: `held` are places in `each`. `listings` say
    of each scope by which listing its resources are numbered."""

    listings: dict[str, bytes]
    grounds: list[Grounds]
    steps: list[tuple[Step, ...]]
    each: list[Held]
    held: list[tuple[int, ...]]
    records: dict[str, _Small]


_READER = msgspec.msgpack.Decoder(_Several)
_PIECES = msgspec.msgpack.Decoder(list[bytes])
_LEVEL = 3
#: No records are larger than this once unpacked.


def packed(records: Mapping[str, Record], facts: Facts | None = None) -> bytes:
    """Give records as bytes; to be read in another snapshot than that of `facts`, too."""
    steps, held, grounds = _Places[Step](), _Places[Held](), dict[Grounds, int]()
    small: dict[str, _Small] = {}
    for name, record in records.items():
        decided = record.decided
        place = grounds.setdefault(record.grounds, len(grounds))
        small[name] = _Small(place, decided)
        if decided is not None:
            small[name] = _Small(
                place,
                replace(decided, held=(), common=(), aimed=()),
                held.of(decided.held),
                steps.of(decided.common),
                steps.of(decided.aimed),
            )
    each: dict[Held, int] = {}
    places = [tuple(each.setdefault(one, len(each)) for one in some) for some in held.all]
    scopes = sorted({one.scope for one in each})
    listings = {scope: facts.listing(scope) for scope in scopes} if facts else {}
    several = _Several(listings, list(grounds), steps.all, list(each), places, small)
    raw = msgspec.msgpack.encode(several)
    return zstandard.ZstdCompressor(level=_LEVEL).compress(raw)


def all_unpacked(
    raw: bytes, facts: Facts, alike: dict[Held, Held] | None = None
) -> dict[str, Record]:
    """Read what is kept of a shelf: records as they came, later ones in the place of earlier
    ones."""
    found: dict[str, Record] = {}
    for piece in _PIECES.decode(raw):
        found.update(unpacked(piece, facts, alike))
    return found


def unpacked(
    raw: bytes, facts: Facts | None = None, alike: dict[Held, Held] | None = None
) -> dict[str, Record]:
    """Read records; what they had alike is the same again, and the same as in others that were
    read with `alike`. Those are left out that hold something of which it cannot be told any more
    what it was, or that is not there."""
    found = _READER.decode(unpack(raw))
    each: list[Held | None] = [*found.each]
    if facts is not None:
        each = list(map(Moves(facts, found.listings).moved, found.each))
    if alike is not None:
        each = [None if one is None else alike.setdefault(one, one) for one in each]
    held = [_all_of(each[place] for place in places) for places in found.held]
    records: dict[str, Record] = {}
    for name, small in found.records.items():
        decided = small.decided
        if decided is not None:
            holds = held[small.held]
            if holds is None:
                continue
            decided = replace(
                decided,
                held=holds,
                common=found.steps[small.common],
                aimed=found.steps[small.aimed],
            )
        records[name] = Record(found.grounds[small.grounds], decided)
    return records


def _all_of(some: Iterable[Held | None]) -> tuple[Held, ...] | None:
    """Give all; None where one is not there any more."""
    known = tuple(some)
    there = tuple(one for one in known if one is not None)
    return there if len(there) == len(known) else None


def carried(rows: Mapping[bytes, bytes], facts: Facts, holding: Holding) -> dict[bytes, bytes]:
    """Give the records that hold, as found now."""
    found: dict[bytes, bytes] = {}
    for shelf, raw in rows.items():
        records = {
            name: Record(holding.renewed(record.grounds), record.decided)
            for name, record in all_unpacked(raw, facts).items()
            if holding.hold(record.grounds)
        }
        if records:
            found[shelf] = msgspec.msgpack.encode([packed(records, facts)])
    return found


class _Places(Generic[_T]):
    """Numbers tuples; those that are equal alike."""

    def __init__(self) -> None:
        self.all: list[tuple[_T, ...]] = []
        self._by_id: dict[int, int] = {}
        self._by_value: dict[tuple[_T, ...], int] = {}

    def of(self, one: tuple[_T, ...]) -> int:
        """Give the number of a tuple, which has to stay alive as long as this."""
        place = self._by_id.get(id(one))
        if place is None:
            place = self._by_value.setdefault(one, len(self.all))
            if place == len(self.all):
                self.all.append(one)
            self._by_id[id(one)] = place
        return place
