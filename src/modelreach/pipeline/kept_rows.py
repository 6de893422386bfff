"""Rows of surveys, kept from one run to the next: where no fact has changed, a manifest with the
same bytes has the same row, and neither decisions nor accounts are read.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from modelreach.digests import sha256
from modelreach.pipeline.holding import engine_version, estate_digest
from modelreach.pipeline.survey import SurveyRow
from modelreach.policy import providers
from modelreach.snapshot import SCHEMA, Facts, Snapshot

#: Of how many estates rows are kept: some may be asked about in turns.
_ESTATES = 4
#: More rows than this are not kept of one estate, apart from those of the last run.
_MOST = 100_000
_INDEX = "estates"
_NOTHING = Snapshot(schema=SCHEMA, taken_at="")


class _Index(msgspec.Struct, array_like=True):
    """Of which estates rows are kept, by place, and the place that the next one takes."""

    estates: list[bytes] = []
    following: int = 0


class _Rows(msgspec.Struct, array_like=True):
    """The rows of an estate, by the digests of their manifests."""

    estate: bytes
    rows: dict[bytes, SurveyRow]


_INDEXES = msgspec.msgpack.Decoder(_Index)
_READER = msgspec.msgpack.Decoder(_Rows)


class KeptRows:
    """The rows of one estate; none without facts of a store. `told` is all that decides besides
    facts and manifests."""

    def __init__(self, facts: Facts | None, told: str) -> None:
        self._facts = facts if facts is not None and facts.keeps else Facts(_NOTHING)
        names = tuple(sorted(providers.makers(self._facts)))
        self._version = engine_version(names) if self._facts.keeps else ""
        told = sha256(told.encode()).hexdigest()[:16]
        self._name = f"rows {self._version} {told}"
        self._estate = estate_digest(self._facts, names)
        self._index = self._read_index()
        self._rows = self._read_rows()
        self._fresh = False

    def of(self, raw: bytes) -> SurveyRow | None:
        """Give the row of a manifest, without the name of a snapshot; None where it is not
        known."""
        return self._rows.get(_key(raw)) if raw else None

    def learn(self, raw: bytes, row: SurveyRow) -> None:
        """Take the row of a manifest."""
        if raw and self._facts.keeps:
            self._rows[_key(raw)] = replace(row, snapshot="")
            self._fresh = True

    def keep(self) -> None:
        """Have kept what was learnt since."""
        if not self._fresh:
            return
        rows = dict(list(self._rows.items())[-_MOST:])
        raw = msgspec.msgpack.encode(_Rows(self._estate, rows))
        self._facts.memorise(self._name, str(self._place()), raw)
        self._facts.memorise(self._name, _INDEX, msgspec.msgpack.encode(self._index))
        self._facts.forget("rows", self._version)
        self._facts.keep()
        self._fresh = False

    def _place(self) -> int:
        """Give the place of this estate; that of the oldest one where it had none."""
        estates = self._index.estates
        if self._estate not in estates:
            if len(estates) < _ESTATES:
                estates.append(b"")
            else:
                self._index.following %= _ESTATES
            estates[self._index.following] = self._estate
            self._index.following += 1
        return estates.index(self._estate)

    def _read_index(self) -> _Index:
        raw = self._facts.recalled(self._name, _INDEX)
        try:
            return _Index([], 0) if raw is None else _INDEXES.decode(raw)
        except (msgspec.MsgspecError, RecursionError):
            return _Index([], 0)

    def _read_rows(self) -> dict[bytes, SurveyRow]:
        if self._estate not in self._index.estates:
            return {}
        raw = self._facts.recalled(self._name, str(self._index.estates.index(self._estate)))
        try:
            found = None if raw is None else _READER.decode(raw)
        except (msgspec.MsgspecError, RecursionError):
            return {}
        return found.rows if found is not None and found.estate == self._estate else {}


def _key(raw: bytes) -> bytes:
    return sha256(raw).digest()
