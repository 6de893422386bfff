"""Work spread over processes of this machine, or over the workers of a Dask cluster.

Answers `modelreach.plugins.Spread`. The same function runs wherever it runs; results come with the
place of what they are of, in any order, and whoever asked puts them together by it. A worker that
is lost costs the time of what it was at: that is done again by another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import get_context
from typing import Any, TypeVar

from modelreach.model import MissingExtra, ModelreachError

_T = TypeVar("_T")
_R = TypeVar("_R")
_ATTEMPTS = 3


class LocalProcesses:
    """Worker processes of this machine."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = self._made()

    def _made(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._count, mp_context=get_context("spawn"))

    def each(self, work: Callable[[_T], _R], items: Sequence[_T]) -> Iterator[tuple[int, _R]]:
        """Give the result of each item with its place. Raises what the work raises."""
        left = dict(enumerate(items))
        for attempt in range(_ATTEMPTS):
            waiting = {self._pool.submit(work, item): place for place, item in left.items()}
            try:
                for done in as_completed(waiting):
                    result = done.result()
                    del left[waiting[done]]
                    yield waiting[done], result
                return
            except BrokenProcessPool:
                # One process that is lost takes the pool with it, and not what was done.
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = self._made()
                if attempt == _ATTEMPTS - 1:
                    raise

    def close(self) -> None:
        """Let the processes go."""
        self._pool.shutdown(cancel_futures=True)


class DaskCluster:
    """The workers of a Dask cluster, by the address of its scheduler. Raises `MissingExtra`, and
    `ModelreachError` when the scheduler does not answer."""

    def __init__(self, address: str) -> None:
        try:
            # Not typed, so it is taken as it comes.
            self._dask: Any = import_module("distributed")
        except ModuleNotFoundError as error:
            raise MissingExtra("dask", "working on a cluster") from error
        try:
            self._client: Any = self._dask.Client(address, timeout="5s")
        except OSError as error:
            raise ModelreachError(
                f"the scheduler `{address}` does not answer ({error})",
                hint="start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
            ) from None

    def each(self, work: Callable[[_T], _R], items: Sequence[_T]) -> Iterator[tuple[int, _R]]:
        """Give the result of each item with its place. Raises what the work raises."""
        return self._each(lambda: (work, ()), items)

    def each_of(
        self, shared: bytes, work: Callable[[bytes, _T], _R], items: Sequence[_T]
    ) -> Iterator[tuple[int, _R]]:
        """The same for work that needs some bytes besides. They are sent to each worker once, and
        again where they were lost with one."""

        def sent() -> tuple[Callable[..., _R], tuple[Any, ...]]:
            return work, (self._client.scatter(shared, broadcast=True, hash=False),)

        return self._each(sent, items)

    def _each(
        self,
        begin: Callable[[], tuple[Callable[..., _R], tuple[Any, ...]]],
        items: Sequence[_T],
    ) -> Iterator[tuple[int, _R]]:
        left = dict(enumerate(items))
        for attempt in range(_ATTEMPTS):
            try:
                work, first = begin()
                for place, result in self._tried(work, first, left):
                    del left[place]
                    yield place, result
                return
            except ModelreachError:
                raise
            except Exception:
                # Whatever a cluster that falls apart raises; the last time it is told.
                if attempt == _ATTEMPTS - 1:
                    raise

    def _tried(
        self, work: Callable[..., _R], first: tuple[Any, ...], left: dict[int, _T]
    ) -> Iterator[tuple[int, _R]]:
        waiting = {
            self._client.submit(work, *first, item, pure=False, retries=_ATTEMPTS): place
            for place, item in left.items()
        }
        for future, result in self._dask.as_completed(list(waiting), with_results=True):
            yield waiting[future], result

    def close(self) -> None:
        """Let the workers go."""
        self._client.close()
