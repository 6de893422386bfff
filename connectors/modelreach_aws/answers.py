"""Raw answers as values: what was asked, where, and what came back, free of secret values.

Everything after this module works on answers and does no I/O, so a recorded run and a live one
are the same to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from modelreach_aws.calls import fixed_parameters
from modelreach_aws.redact import redacted

#: A refusal that says that there is nothing to read. It is an answer, and never a gap.
ABSENT = "absent"


class Refusal(msgspec.Struct, frozen=True):
    """Why a call was not answered: a gap's reason or `absent`, the provider's code and words."""

    reason: str
    code: str = ""
    message: str = ""


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
        return None if self.error is None or self.error.reason == ABSENT else self.error

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What was asked, as a value that sorts."""
        return (
            self.account,
            self.region,
            self.service,
            self.operation,
            json.dumps(self.parameters, sort_keys=True),
        )


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
            return _encodable(value)
        case dict():
            return {_encodable(str(name)): _plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case datetime():
            return _rfc3339(value)
        case date():
            return value.isoformat()
        case bytes() | bytearray():
            return f"({len(value)} bytes)"
        case bool() | int() | float() | None:
            return value
        case _:
            return _encodable(str(value))


def _encodable(text: str) -> str:
    """Names come from strangers: a lone surrogate is JSON to the SDK and bytes to nobody."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()


def _rfc3339(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Answers:
    """All answers of a run, in one order, found by what was asked."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.all = tuple(sorted(answers, key=lambda one: one.key))
        self._groups: dict[tuple[str, str], list[Answer]] = {}
        for one in self.all:
            self._groups.setdefault((one.service, one.operation), []).append(one)
        self._exact = {one.key: one for one in self.all}

    def of(self, service: str, operation: str) -> Iterator[tuple[Answer, dict[str, Any]]]:
        """Give the answered calls of an operation, each with its response."""
        for one in self._groups.get((service, operation), ()):
            if one.response is not None:
                yield one, one.response

    def asked(self, service: str, operation: str) -> tuple[Answer, ...]:
        """Give all calls of an operation, answered or refused."""
        return tuple(self._groups.get((service, operation), ()))

    def same_place(
        self, place: Answer, operation: str, parameters: Mapping[str, Any]
    ) -> Answer | None:
        """Give the call of the same account, region and service with these parameters, to which
        those that the table fixes are added.
        """
        text = json.dumps(
            {**fixed_parameters(place.service, operation), **parameters}, sort_keys=True
        )
        return self._exact.get((place.account, place.region, place.service, operation, text))

    def response(
        self, place: Answer, operation: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Give that call's response, empty when it was refused or there is nothing."""
        found = self.same_place(place, operation, parameters)
        return (found.response or {}) if found else {}
