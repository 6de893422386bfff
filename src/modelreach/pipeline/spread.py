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
#: How often that is tried which ends because workers are lost.
ATTEMPTS = 3


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
        for attempt in range(ATTEMPTS):
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
                if attempt == ATTEMPTS - 1:
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
            self.dask: Any = import_module("distributed")
        except ModuleNotFoundError as error:
            raise MissingExtra("dask", "working on a cluster") from error
        try:
            self.client: Any = self.dask.Client(address, timeout="5s")
        except OSError as error:
            raise ModelreachError(
                f"the scheduler `{address}` does not answer ({error})",
                hint="start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
            ) from None

    def each(self, work: Callable[[_T], _R], items: Sequence[_T]) -> Iterator[tuple[int, _R]]:
        """Give the result of each item with its place. Raises what the work raises."""
        left = dict(enumerate(items))
        for attempt in range(ATTEMPTS):
            try:
                for place, result in self._tried(work, left):
                    del left[place]
                    yield place, result
                return
            except ModelreachError:
                raise
            except Exception:
                # Whatever a cluster that falls apart raises; the last time it is told.
                if attempt == ATTEMPTS - 1:
                    raise

    def _tried(self, work: Callable[[_T], _R], left: dict[int, _T]) -> Iterator[tuple[int, _R]]:
        waiting = {
            self.client.submit(work, item, pure=False, retries=ATTEMPTS): place
            for place, item in left.items()
        }
        for future, result in self.dask.as_completed(list(waiting), with_results=True):
            yield waiting[future], result

    def workers(self) -> tuple[str, ...]:
        """Give the addresses of those that there are."""
        return tuple(sorted(self.client.scheduler_info(n_workers=-1)["workers"]))

    def close(self) -> None:
        """Let the workers go."""
        self.client.close()
