"""Raw answers as values: what was asked, about which place, and what came back.

Everything after this module works on answers and does no I/O, so a recorded run, files that
somebody handed over, and a live one are the same to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from modelreach.collect import answers
from modelreach.collect.answers import Refusal, encodable, gap_of, parameters_key

#: Where an answer says which locations it lacks. The services have several names for this.
UNREACHABLE = "unreachable"


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
        return gap_of(self.error)

    @property
    def call(self) -> tuple[str, str]:
        """Of which call this is, by service and method."""
        return self.service, self.method

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What was asked, as a value that sorts."""
        return (self.place, *self.call, parameters_key(self.parameters))


def plain(value: Any) -> Any:
    """Give a decoded JSON value whose texts can be encoded, with its names in order.

    Names come from strangers, and a lone surrogate is JSON to the sender and bytes to nobody. The
    maps of a typed message have no order of their own.
    """
    match value:
        case str():
            return encodable(value)
        case Mapping():
            return {plain(str(name)): plain(inner) for name, inner in sorted(value.items())}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value


class Answers(answers.Answers[Answer]):
    """All answers of a run, in one order, found by what was asked."""
