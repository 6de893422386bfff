"""Raw answers as values: what was asked, where, and what came back, free of secret values.

Everything after this module works on answers and does no I/O, so a recorded run and a live one
are the same to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from modelreach.collect import answers
from modelreach.collect.answers import Refusal, encodable, gap_of, parameters_key
from modelreach.collect.facts import rfc3339
from modelreach_aws.calls import fixed_parameters
from modelreach_aws.redact import redacted


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one call gave. `region` is "" for a call that is made once an account.

    The pages of a call are put together. Both `response` and `error` are there when a later page
    was refused.
    """

    account: str
    region: str
    service: str
    operation: str
    parameters: dict[str, Any] = {}
    response: dict[str, Any] | None = None
    error: Refusal | None = None

    @property
    def refused(self) -> Refusal | None:
        """The refusal that leaves a gap, if there is one."""
        return gap_of(self.error)

    @property
    def call(self) -> tuple[str, str]:
        """Of which call this is, by service and operation."""
        return self.service, self.operation

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What was asked, as a value that sorts."""
        return (self.account, self.region, *self.call, parameters_key(self.parameters))


def answer(
    account: str,
    region: str,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    response: Mapping[str, Any] | None,
    error: Refusal | None = None,
) -> Answer:
    """Make an answer of what an SDK gave: plain JSON values only, secret values taken out."""
    plain = None if response is None else redacted(service, operation, _plain(response))
    return Answer(account, region, service, operation, _plain(parameters), plain, error)


def _plain(value: Any) -> Any:
    match value:
        case str():
            return encodable(value)
        case dict():
            return {encodable(str(name)): _plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case bytes() | bytearray():
            return f"({len(value)} bytes)"
        case bool() | int() | float() | None:
            return value
        case _:
            return encodable(str(value))


class Answers(answers.Answers[Answer]):
    """All answers of a run, in one order, found by what was asked."""

    def __init__(self, found: Iterable[Answer]) -> None:
        super().__init__(found)
        self._exact = {one.key: one for one in self.all}

    def same_place(
        self, place: Answer, operation: str, parameters: Mapping[str, Any]
    ) -> Answer | None:
        """Give the call of the same account, region and service with these parameters, to which
        those that the table fixes are added.
        """
        text = parameters_key({**fixed_parameters(place.service, operation), **parameters})
        return self._exact.get((place.account, place.region, place.service, operation, text))

    def response(
        self, place: Answer, operation: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Give that call's response, empty when it was refused or there is nothing."""
        found = self.same_place(place, operation, parameters)
        return (found.response or {}) if found else {}
