"""Raw answers as values: what was asked, where, and what came back, free of secret values.

Everything after this module works on answers and does no I/O, so a recorded run and a live one
are the same to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from modelreach_azure.redact import redacted
from modelreach_azure.select import rows

#: A refusal that says that there is nothing to read. It is an answer, and never a gap.
ABSENT = "absent"


class Refusal(msgspec.Struct, frozen=True):
    """Why a call was not answered: a gap's reason or `absent`, the provider's code and words."""

    reason: str
    code: str = ""
    message: str = ""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one call gave. `place` is the scope that it was made in, "" for the tenant.

    The pages of a call are put together. Both `response` and `error` are there when a later page
    was refused.
    """

    tenant: str
    place: str
    service: str
    operation: str
    parameters: dict[str, str] = {}
    response: dict[str, Any] | None = None
    error: Refusal | None = None

    @property
    def refused(self) -> Refusal | None:
        """The refusal that leaves a gap, if there is one."""
        return None if self.error is None or self.error.reason == ABSENT else self.error

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What was asked, as a value that sorts."""
        parameters = json.dumps(self.parameters, sort_keys=True)
        return self.tenant, self.place, self.service, self.operation, parameters


def answer(
    tenant: str,
    place: str,
    service: str,
    operation: str,
    parameters: Mapping[str, str],
    response: dict[str, Any] | None,
    error: Refusal | None = None,
) -> Answer:
    """Make an answer of what was given: secret values taken out, text that can be encoded."""
    plain = None if response is None else redacted(operation, _plain(response))
    return Answer(tenant, place, service, operation, dict(parameters), plain, error)


def _plain(value: Any) -> Any:
    match value:
        case str():
            return value if value.isascii() else _encodable(value)
        case dict():
            return {_encodable(name): _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value


def _encodable(text: str) -> str:
    """Names come from strangers: a lone surrogate is JSON to a parser and bytes to nobody."""
    return text.encode("utf-8", "backslashreplace").decode()


class Answers:
    """All answers of a run, in one order, found by what was asked."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.all = tuple(sorted(answers, key=lambda one: one.key))
        self._groups: dict[str, list[Answer]] = {}
        for one in self.all:
            self._groups.setdefault(one.operation, []).append(one)

    def asked(self, *operations: str) -> Iterator[Answer]:
        """Give all calls of these operations, answered or refused."""
        for operation in operations:
            yield from self._groups.get(operation, ())

    def rows(self, *operations: str) -> Iterator[dict[str, Any]]:
        """Give every item of the lists that these operations gave."""
        for _, row in self.placed(*operations):
            yield row

    def placed(self, *operations: str) -> Iterator[tuple[Answer, dict[str, Any]]]:
        """Give every item, each with the answer that it is from."""
        for one in self.asked(*operations):
            for row in rows(one.response):
                yield one, row
