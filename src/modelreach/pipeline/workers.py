"""Deciding elsewhere: in processes of this machine, or on the workers of a Dask cluster.

The same function decides wherever it runs, from the same bytes: a store that is sent once.
What comes back is put together by principal: neither how many workers there are nor the order in
which they answer shows in any result. A worker that is lost costs the time of its chunks.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol

import msgspec

from modelreach.pipeline.decided import Decider
from modelreach.pipeline.kept import KeptDecisions, Record, packed, unpacked
from modelreach.pipeline.spread import DaskCluster, LocalProcesses
from modelreach.policy import providers
from modelreach.policy.provider import Context, Opens
from modelreach.store import SUFFIX, StoredSnapshot

#: Principals that are decided in one go: enough to outweigh the sending.
CHUNK = 120


class Work(msgspec.Struct, frozen=True):
    """What has to be known to decide principals: which snapshot of which store, what a deployment
    declares, what the user says that secrets open."""

    snapshot: str
    context: Context = ()
    opens: Opens = ()


Answers = dict[str, Record]
Progress = Callable[[int, int], None]


class Pool(Protocol):
    """Decides principals, some at a time, in any order."""

    def decide(self, work: Work, names: list[str], progress: Progress) -> Answers:
        """Give the record of each."""
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...


def chunks(names: Iterable[str]) -> Iterator[list[str]]:
    """Cut names into chunks, those of an account together: its facts are then read once."""
    chunk: list[str] = []
    for name in sorted(names, key=lambda one: (one.split(":")[4:5], one)):
        chunk.append(name)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


# --- on a worker -------------------------------------------------------------------------------


def decide_at(path: str, work: Work, names: list[str]) -> bytes:
    """Decide principals of a store in a file; records by name, in MessagePack."""
    kept = _deciding(path, work)
    return packed({name: kept.record(name) for name in names})


@lru_cache(maxsize=2)
def _deciding(path: str, work: Work) -> KeptDecisions:
    facts = StoredSnapshot.open(Path(path), work.snapshot).facts
    engines = providers.engines(facts, work.context, work.opens)
    decider = Decider(facts, engines)
    return KeptDecisions(facts, engines, decider.decide, repr((work.context, work.opens)))


def decide_from(raw: bytes, names: list[str], work: Work) -> bytes:
    """Decide principals of a store that was sent; it is written down once on each machine."""
    return decide_at(_written_down(hashlib.sha256(raw).hexdigest(), raw), work, names)


def _written_down(digest: str, raw: bytes) -> str:
    found = _PLACES.get(digest)
    if found is None:
        folder = Path(tempfile.mkdtemp(prefix="modelreach-worker-"))
        path = folder / f"{digest[:16]}{SUFFIX}"
        path.write_bytes(raw)
        found = _PLACES[digest] = str(path)
    return found


_PLACES: dict[str, str] = {}


# --- where ------------------------------------------------------------------------------------


class Processes:
    """Worker processes of this machine, each of which reads the store."""

    def __init__(self, store: Path, count: int) -> None:
        self._store = str(store)
        self._spread = LocalProcesses(count)

    def decide(self, work: Work, names: list[str], progress: Progress) -> Answers:
        """Give the record of each."""
        deciding = partial(decide_at, self._store, work)
        return _together(self._spread.each(deciding, list(chunks(names))), names, progress)

    def close(self) -> None:
        """Let the workers go."""
        self._spread.close()


class Cluster:
    """The workers of a Dask cluster, to which the store is sent. Raises `MissingExtra`."""

    def __init__(self, store: Path, address: str) -> None:
        self._spread = DaskCluster(address)
        self._raw = store.read_bytes()

    def decide(self, work: Work, names: list[str], progress: Progress) -> Answers:
        """Give the record of each."""
        deciding = partial(decide_from, work=work)
        found = self._spread.each_of(self._raw, deciding, list(chunks(names)))
        return _together(found, names, progress)

    def close(self) -> None:
        """Let the workers go."""
        self._spread.close()


def _together(
    results: Iterable[tuple[int, bytes]], names: list[str], progress: Progress
) -> Answers:
    found: Answers = {}
    for _, raw in results:
        found.update(unpacked(raw))
        progress(len(found), len(names))
    return found
