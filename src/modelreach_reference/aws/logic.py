"""Truth in three values: yes, no, and `None` for what AWS would have refused to store.

A statement with one broken element still says something: if another of its elements does not
fit the request, the statement does not apply, whatever the broken element was meant to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Truth = bool | None


class NotUnderstood(Exception):  # an answer, not a fault of the caller
    """An element of a statement that AWS would refuse; the message says which."""


def ask(question: Callable[[], bool]) -> Truth:
    """Give the answer, or `None` if it turns on something that is not understood."""
    try:
        return question()
    except NotUnderstood:
        return None


def all_hold(truths: Iterable[Truth]) -> Truth:
    """Give no if one is no, else `None` if one is `None`, else yes."""
    seen = list(truths)
    if False in seen:
        return False
    return None if None in seen else True
