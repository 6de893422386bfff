"""Answers as values: what was asked, and what came back or why nothing did.

A recorded run, files that somebody handed over and a live run are the same to everything after
this.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

#: A refusal that says that there is nothing to read. It is an answer, and never a gap.
ABSENT: Final = "absent"


class Refusal(msgspec.Struct, frozen=True):
    """Why a call was not answered: a gap's reason or `absent`, the provider's code and words."""

    reason: str
    code: str = ""
    message: str = ""


def gap_of(error: Refusal | None) -> Refusal | None:
    """Give the refusal that leaves a gap, if there is one."""
    return None if error is None or error.reason == ABSENT else error


def parameters_key(parameters: Mapping[str, Any]) -> str:
    """Give the parameters of a call as text that is the same in any order of them."""
    return json.dumps(parameters, sort_keys=True)


def encodable(text: str) -> str:
    """Names come from strangers: a lone surrogate is JSON to an SDK and bytes to nobody."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


class Asked(Protocol):
    """What every answer can say of itself."""

    @property
    def key(self) -> tuple[str, ...]:
        """What was asked, as a value that sorts."""
        ...

    @property
    def call(self) -> tuple[str, ...]:
        """Of which row of the table of calls this is."""
        ...

    @property
    def response(self) -> dict[str, Any] | None:
        """What came back; None for a refusal."""
        ...


A = TypeVar("A", bound=Asked)


class Answers(Generic[A]):
    """All answers of a run, in one order, found by what was asked."""

    def __init__(self, answers: Iterable[A]) -> None:
        self.all = tuple(sorted(answers, key=lambda one: one.key))
        groups: dict[tuple[str, ...], list[A]] = {}
        for one in self.all:
            groups.setdefault(one.call, []).append(one)
        self._groups = {call: tuple(found) for call, found in groups.items()}

    def asked(self, *call: str) -> tuple[A, ...]:
        """Give every answer to a call of the table, refusals too."""
        return self._groups.get(call, ())

    def of(self, *call: str) -> Iterator[tuple[A, dict[str, Any]]]:
        """Give the answered ones of a call, each with its response."""
        for one in self.asked(*call):
            if one.response is not None:
                yield one, one.response
