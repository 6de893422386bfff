"""Raw answers as values: what was asked, where, and what came back, free of secret values.

Everything after this module works on answers and does no I/O, so a recorded run and a live one
are the same to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from modelreach.collect import answers
from modelreach.collect.answers import Refusal, encodable, gap_of, parameters_key
from modelreach_azure.redact import redacted
from modelreach_azure.select import rows


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
        return gap_of(self.error)

    @property
    def call(self) -> tuple[str]:
        """Of which call this is: its operation, which no other service has."""
        return (self.operation,)

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What was asked, as a value that sorts."""
        parameters = parameters_key(self.parameters)
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
            return encodable(value)
        case dict():
            return {encodable(name): _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value


class Answers(answers.Answers[Answer]):
    """All answers of a run, in one order, found by what was asked."""

    def rows(self, *operations: str) -> Iterator[dict[str, Any]]:
        """Give every item of the lists that these operations gave."""
        for _, row in self.placed(*operations):
            yield row

    def placed(self, *operations: str) -> Iterator[tuple[Answer, dict[str, Any]]]:
        """Give every item, each with the answer that it is from."""
        for operation in operations:
            for one in self.asked(operation):
                for row in rows(one.response):
                    yield one, row
