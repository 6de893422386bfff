"""A bounded number of calls at once, and those that their answers lead to."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def call_all(
    most: int,
    start: Callable[[], tuple[T, Future[R]] | None],
    land: Callable[[T, R], object],
) -> None:
    """Make all calls, at most so many at once, until none is left and none is under way.

    `start` begins the next call and gives what was begun, None where none may begin now. `land`
    takes what came back, in this thread: it may make further calls ready. Raises what a call
    raised; calls that are still under way are then left to whoever owns their threads.
    """
    running: dict[Future[R], T] = {}
    while True:
        while len(running) < most and (begun := start()):
            task, future = begun
            running[future] = task
        if not running:
            return
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            land(running.pop(future), future.result())
