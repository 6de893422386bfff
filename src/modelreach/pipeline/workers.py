"""Deciding elsewhere: in processes of this machine, or on the workers of a Dask cluster.

The same function decides wherever it runs, from the same bytes: a store that is sent once. A
worker goes through an account to its end, and keeps what it has made of it in case it comes upon
it again. What comes back is put together by principal: neither how many workers there are nor the
order in which they answer shows in any result. A worker that is lost costs the time of what it was
at.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
import os
import tempfile
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from modelreach.pipeline.decided import Decider
from modelreach.pipeline.frontier import Errand, Frontier, Work, gone_through
from modelreach.pipeline.kept import KeptDecisions, packed
from modelreach.pipeline.parts import Parts, derived_of
from modelreach.pipeline.pinned import Errands, PinnedCluster, PinnedProcesses
from modelreach.policy import providers
from modelreach.snapshot import Facts
from modelreach.store import SUFFIX, StoredSnapshot

_T = TypeVar("_T")

# --- on a worker -------------------------------------------------------------------------------


def decide_at(path: str, errand: Errand, work: Work) -> bytes:
    """Decide principals of a store in a file; records by name, packed."""
    facts, kept = _deciding(path, work)
    found = packed(gone_through(errand, kept.record), facts)
    kept.let_go()
    return found


def derive_at(path: str, parts: Sequence[str], snapshot: str) -> bytes:
    """Derive what is missing of parts of a snapshot in a file."""
    return derived_of(_facts(path, snapshot), parts)


@lru_cache(maxsize=2)
def _deciding(path: str, work: Work) -> tuple[Facts, KeptDecisions]:
    facts = _facts(path, work.snapshot)
    engines = providers.engines(facts, work.context, work.opens)
    decider = Decider(facts, engines)
    told = repr((work.context, work.opens))
    return facts, KeptDecisions(facts, engines, decider.decide, told, decider.let_go)


@lru_cache(maxsize=1)
def _facts(path: str, snapshot: str) -> Facts:
    return StoredSnapshot.open(Path(path), snapshot).facts


def begin() -> None:
    """Begin a process of this machine: it leaves, too, what it knows to the system at once."""
    _seldom_collecting()
    atexit.register(os._exit, 0)


def _seldom_collecting() -> None:
    """Have garbage looked for seldom, as a survey on the command line does: deciding makes little,
    and most of what is made of an account is let go of before."""
    gc.set_threshold(*_SELDOM)


_SELDOM = (1_000_000, 50, 50)


#: Does something with a store in a file.
_At = Callable[[str, _T], bytes]


def in_file(item: _T, path: str, at: _At[_T]) -> bytes:
    """Do something with a store that this machine has."""
    return at(path, item)


def from_bytes(raw: bytes, item: _T, digest: str, at: _At[_T]) -> bytes:
    """Do something with a store that was sent; it is written down once by each worker."""
    # What is known is for one thread, and a worker of a cluster may have several.
    return _ALONE.submit(_from_bytes, raw, item, digest, at).result()


def _from_bytes(raw: bytes, item: _T, digest: str, at: _At[_T]) -> bytes:
    with _as_it_was():
        _seldom_collecting()
        return at(_written_down(digest, raw), item)


@contextmanager
def _as_it_was() -> Generator[None]:
    before = gc.get_threshold()
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _written_down(digest: str, raw: bytes) -> str:
    fresh = digest not in _PLACES
    if fresh:
        _PLACES[digest] = tempfile.TemporaryDirectory(prefix="modelreach-worker-")
    path = Path(_PLACES[digest].name) / f"{digest[:16]}{SUFFIX}"
    if fresh:
        path.write_bytes(raw)
    return str(path)


#: Where stores are written down, by digest, until the worker ends.
_PLACES: dict[str, tempfile.TemporaryDirectory[str]] = {}
_ALONE = ThreadPoolExecutor(1)


# --- where ------------------------------------------------------------------------------------


class Processes:
    """Worker processes of this machine, each of which reads the store."""

    def __init__(self, store: Path, count: int) -> None:
        self._store = str(store)
        self._workers = PinnedProcesses(count, begin)

    def derive(self, snapshot: str, parts: Parts) -> None:
        """Derive what is missing of parts of a snapshot."""
        self._go(partial(derive_at, snapshot=snapshot), parts)

    def decide(self, work: Work, frontier: Frontier) -> None:
        """Decide all whom a frontier gives out."""
        self._go(partial(decide_at, work=work), frontier)

    def _go(self, at: _At[_T], errands: Errands[_T, bytes]) -> None:
        self._workers.go(partial(in_file, path=self._store, at=at), errands)

    def close(self) -> None:
        """Let the workers go."""
        self._workers.close()


class Cluster:
    """The workers of a Dask cluster, to which the store is sent. Raises `MissingExtra`."""

    def __init__(self, store: Path, address: str) -> None:
        self._workers = PinnedCluster(address)
        self._store = store

    def derive(self, snapshot: str, parts: Parts) -> None:
        """Derive what is missing of parts of a snapshot."""
        self._go(partial(derive_at, snapshot=snapshot), parts)

    def decide(self, work: Work, frontier: Frontier) -> None:
        """Decide all whom a frontier gives out."""
        self._go(partial(decide_at, work=work), frontier)

    def _go(self, at: _At[_T], errands: Errands[_T, bytes]) -> None:
        # Once something is derived it is not the same store.
        raw = self._store.read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        self._workers.go(raw, partial(from_bytes, digest=digest, at=at), errands)

    def close(self) -> None:
        """Let the workers go."""
        self._workers.close()
