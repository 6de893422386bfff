"""Errands that go to workers which know something: each of several processes of this machine, or
of a Dask cluster, gets what it is best at, one after the other, as results come.

Nobody waits for a step to end: whoever gives the errands out learns of each result at once, and
may have more of them then. An errand has the same result wherever it is done. A worker that is
lost costs the time of what it was at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Generic, Protocol, TypeVar

from modelreach.model import ModelreachError
from modelreach.pipeline.spread import ATTEMPTS, DaskCluster

_T = TypeVar("_T")
_R = TypeVar("_R")
_Given = TypeVar("_Given", contravariant=True)
#: Errands of one worker at a time: one that it is at, and one that is there when it is done.
_DEPTH = 2


class Errands(Protocol[_T, _Given]):
    """Gives errands out."""

    def take(self, worker: str, *, idle: bool) -> _T | None:
        """Give an errand for this worker; None when there is none now. `idle`: it has none."""
        ...

    def done(self, errand: _T, result: _Given) -> None:
        """Take what came of an errand."""
        ...

    def lost(self, worker: str) -> None:
        """Forget what a worker knows."""
        ...


class _Out(Generic[_T, _R]):
    """The errands that are out, by what stands for their results, and who has them."""

    def __init__(self, errands: Errands[_T, _R], submit: Callable[[str, _T], Any]) -> None:
        self._errands, self._submit = errands, submit
        self._out: dict[Any, tuple[str, _T]] = {}
        self._failed = 0

    def fill(self, workers: Iterable[str]) -> list[Any]:
        """Give every worker as much as it takes; say what was sent."""
        load = dict.fromkeys(workers, 0)
        for worker, _ in self._out.values():
            load[worker] = load.get(worker, _DEPTH) + 1
        sent: list[Any] = []
        for depth in range(_DEPTH):
            for worker in (one for one, has in load.items() if has == depth):
                errand = self._errands.take(worker, idle=not depth)
                if errand is not None:
                    load[worker] += 1
                    sent.append(self.send(worker, errand))
        return sent

    def send(self, worker: str, errand: _T) -> Any:
        """Send an errand."""
        future = self._submit(worker, errand)
        self._out[future] = worker, errand
        return future

    def came(self, future: Any, result: _R) -> None:
        """Take a result."""
        self._failed = 0
        _, errand = self._out.pop(future)
        self._errands.done(errand, result)

    def taken_back(self, error: Exception, worker: str = "") -> list[tuple[str, _T]]:
        """Give what was out, with one worker or with all, and who had it. Raises the error when
        nothing came of several attempts."""
        self._failed += 1
        if self._failed >= ATTEMPTS:
            raise error
        back = [one for one in self._out.items() if worker in ("", one[1][0])]
        for future, (name, _) in back:
            del self._out[future]
            self._errands.lost(name)
        return [one for _, one in back]

    def who(self, future: Any) -> str:
        """Give the worker that has an errand; "" when nobody has."""
        return self._out.get(future, ("",))[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(tuple(self._out))


class PinnedProcesses:
    """Worker processes of this machine, each of which keeps what it knows. They are started when
    there is something for them, with what `begin` does."""

    def __init__(self, count: int, begin: Callable[[], None]) -> None:
        self._workers = tuple(str(number) for number in range(1, count + 1))
        self._begin = begin
        self._pools: dict[str, ProcessPoolExecutor] = {}

    def go(self, work: Callable[[_T], _R], errands: Errands[_T, _R]) -> None:
        """Do all errands, and what comes of them. Raises what the work raises, and
        `ModelreachError` when processes are lost again and again."""
        out = _Out(errands, lambda worker, errand: self._submit(worker, work, errand))
        out.fill(self._workers)
        while waiting := tuple(out):
            found, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in found:
                self._take(future, out)
            out.fill(self._workers)

    def _take(self, future: Future[_R], out: _Out[_T, _R]) -> None:
        worker = out.who(future)
        if not worker:
            return  # sent again with another one of that worker
        try:
            out.came(future, future.result())
        except BrokenProcessPool as error:
            self._replace(worker)
            told = ModelreachError(
                f"worker processes end before they have decided anything ({error})",
                hint="give them more memory, or take fewer: `--workers 1`",
            )
            for name, errand in out.taken_back(told, worker):
                out.send(name, errand)

    def _submit(self, worker: str, work: Callable[[_T], _R], errand: _T) -> Future[_R]:
        try:
            return self._pool(worker).submit(work, errand)
        except BrokenProcessPool:
            # It was lost while it had nothing to do.
            self._replace(worker)
            return self._pool(worker).submit(work, errand)

    def _pool(self, worker: str) -> ProcessPoolExecutor:
        if worker not in self._pools:
            self._pools[worker] = ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=self._begin
            )
        return self._pools[worker]

    def _replace(self, worker: str) -> None:
        self._pools.pop(worker).shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Let the processes go."""
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)


class PinnedCluster:
    """The workers of a Dask cluster, to which some bytes are sent once. Raises as `DaskCluster`
    does."""

    def __init__(self, address: str) -> None:
        self._cluster = DaskCluster(address)
        self._shared = b""
        self._sent: Any = None

    def go(self, shared: bytes, work: Callable[[bytes, _T], _R], errands: Errands[_T, _R]) -> None:
        """Do all errands, and what comes of them. Raises what the work raises."""

        def submit(worker: str, errand: _T) -> Any:
            # Another one does it where this one is lost.
            where: dict[str, Any] = {"workers": [worker], "allow_other_workers": True}
            send = self._cluster.client.submit
            return send(work, self._sent, errand, pure=False, retries=ATTEMPTS, **where)

        out = _Out(errands, submit)
        again: list[tuple[str, _T]] = []
        while True:
            try:
                self._share(shared)
                while again:
                    out.send(*again.pop())
                self._until_done(out)
                return
            except ModelreachError:
                raise
            except Exception as error:
                # Whatever a cluster that falls apart raises; at last it is told.
                self._sent = None
                again += out.taken_back(error)

    def _share(self, shared: bytes) -> None:
        if self._sent is None or shared != self._shared:
            scatter = self._cluster.client.scatter
            self._shared, self._sent = shared, scatter(shared, broadcast=True, hash=False)

    def _until_done(self, out: _Out[_T, _R]) -> None:
        workers, since = self._cluster.workers(), 0
        out.fill(workers)
        coming = self._cluster.dask.as_completed(list(out), with_results=True)
        for future, result in coming:
            out.came(future, result)
            since += 1
            if since >= len(workers):
                # Some may be gone, and others have come.
                workers, since = self._cluster.workers(), 0
            coming.update(out.fill(workers))

    def close(self) -> None:
        """Let the workers go."""
        self._cluster.close()
