"""Deciding elsewhere: in processes of this machine, or on the workers of a Dask cluster.

The same function decides wherever it runs, from the same bytes: a store that is sent once.
What comes back is put together by principal: neither how many workers there are nor the order in
which they answer shows in any result. A worker that is lost costs the time of its chunks.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import msgspec

from modelreach.model import MissingExtra, ModelreachError
from modelreach.pipeline.decided import Decider
from modelreach.pipeline.kept import KeptDecisions, Record
from modelreach.policy import providers
from modelreach.policy.provider import Context, Opens
from modelreach.store import SUFFIX, StoredSnapshot

#: Principals that are decided in one go: enough to outweigh the sending.
CHUNK = 24
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Work:
    """What has to be known to decide principals: which snapshot of which store, what a deployment
    declares, what the user says that secrets open."""

    snapshot: str
    context: Context = ()
    opens: Opens = ()


Answers = dict[str, Record]
_READER = msgspec.msgpack.Decoder(Answers)
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
    return msgspec.msgpack.encode({name: kept.record(name) for name in names})


@lru_cache(maxsize=2)
def _deciding(path: str, work: Work) -> KeptDecisions:
    facts = StoredSnapshot.open(Path(path), work.snapshot).facts
    engines = providers.engines(facts, work.context, work.opens)
    decider = Decider(facts, engines)
    return KeptDecisions(facts, engines, decider.decide, repr((work.context, work.opens)))


def decide_from(raw: bytes, work: Work, names: list[str]) -> bytes:
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


# --- on this machine ---------------------------------------------------------------------------


class Processes:
    """Worker processes of this machine, each of which reads the store."""

    def __init__(self, store: Path, count: int) -> None:
        self._store = str(store)
        self._pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"))

    def decide(self, work: Work, names: list[str], progress: Progress) -> Answers:
        """Give the record of each."""
        found: Answers = {}
        waiting = [
            self._pool.submit(decide_at, self._store, work, chunk) for chunk in chunks(names)
        ]
        for done in as_completed(waiting):
            found.update(_READER.decode(done.result()))
            progress(len(found), len(names))
        return found

    def close(self) -> None:
        """Let the workers go."""
        self._pool.shutdown()


# --- on a cluster ------------------------------------------------------------------------------


class Cluster:
    """The workers of a Dask cluster, by the address of its scheduler. Raises `MissingExtra`."""

    def __init__(self, store: Path, address: str) -> None:
        try:
            # Not typed, so it is taken as it comes.
            self._dask: Any = import_module("distributed")
        except ModuleNotFoundError as error:
            raise MissingExtra("dask", "deciding on a cluster") from error
        self._raw = store.read_bytes()
        try:
            self._client: Any = self._dask.Client(address, timeout="5s")
        except OSError as error:
            raise ModelreachError(
                f"the scheduler `{address}` does not answer ({error})",
                hint="start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
            ) from None

    def decide(self, work: Work, names: list[str], progress: Progress) -> Answers:
        """Give the record of each. Chunks of a worker that is lost go to another one; where the
        store was lost with it, it is sent again."""
        found: Answers = {}
        for attempt in range(_ATTEMPTS):
            left = [name for name in names if name not in found]
            try:
                self._try(work, left, found, lambda: progress(len(found), len(names)))
                return found
            except Exception:
                # Whatever a cluster that falls apart raises; the last time it is told.
                if attempt == _ATTEMPTS - 1:
                    raise
        return found

    def _try(
        self, work: Work, names: list[str], found: Answers, progress: Callable[[], None]
    ) -> None:
        store = self._client.scatter(self._raw, broadcast=True, hash=False)
        waiting = [
            self._client.submit(decide_from, store, work, chunk, pure=False, retries=_ATTEMPTS)
            for chunk in chunks(names)
        ]
        for _, raw in self._dask.as_completed(waiting, with_results=True):
            found.update(_READER.decode(raw))
            progress()

    def close(self) -> None:
        """Let the workers go."""
        self._client.close()
