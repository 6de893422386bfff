"""Raw answers as values: what was asked, about which place, and what came back.

Everything after this module works on answers and does no I/O, so a recorded run, files that
somebody handed over, and a live one are the same to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

#: A refusal that says that there is nothing to read. It is an answer, and never a gap.
ABSENT = "absent"
#: Where an answer says which locations it lacks. The services have several names for this.
UNREACHABLE = "unreachable"


class Refusal(msgspec.Struct, frozen=True):
    """Why a call was not answered: a gap's reason or `absent`, the provider's code and words."""

    reason: str
    code: str = ""
    message: str = ""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one call gave. `place` is the scope that it is about, "" for none.

    The pages of a call are put together. Both `response` and `error` are there when a later page
    was refused.
    """

    place: str
    service: str
    method: str
    parameters: dict[str, Any] = {}
    response: dict[str, Any] | None = None
    error: Refusal | None = None

    @property
    def refused(self) -> Refusal | None:
        """The refusal that leaves a gap, if there is one."""
        return None if self.error is None or self.error.reason == ABSENT else self.error

    @property
    def call(self) -> tuple[str, str]:
        """Of which call this is, by service and method."""
        return self.service, self.method

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What was asked, as a value that sorts."""
        return (
            self.place,
            self.service,
            self.method,
            json.dumps(self.parameters, sort_keys=True),
        )


def plain(value: Any) -> Any:
    """Give a decoded JSON value whose texts can be encoded, with its names in order.

    Names come from strangers, and a lone surrogate is JSON to the sender and bytes to nobody. The
    maps of a typed message have no order of their own.
    """
    match value:
        case str():
            return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
        case Mapping():
            return {plain(str(name)): plain(inner) for name, inner in sorted(value.items())}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value


class Answers:
    """All answers of a run, in one order, found by what was asked."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.all = tuple(sorted(answers, key=lambda one: one.key))
        self._groups: dict[tuple[str, str], list[Answer]] = {}
        for one in self.all:
            self._groups.setdefault(one.call, []).append(one)

    def of(self, service: str, method: str) -> Iterator[tuple[Answer, dict[str, Any]]]:
        """Give the answered calls of a method, each with its response."""
        for one in self._groups.get((service, method), ()):
            if one.response is not None:
                yield one, one.response

    def asked(self, service: str, method: str) -> tuple[Answer, ...]:
        """Give all calls of a method, answered or refused."""
        return tuple(self._groups.get((service, method), ()))
