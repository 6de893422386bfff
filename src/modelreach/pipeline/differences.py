"""What engines said of differences of permissions: which things that are not listed they touch.

A comparison asks that of what one side holds and the other does not, which is nobody's own. A
store keeps the last answers, each under the digest of the whole estate: to work one out anew, the
engine and what the provider's catalogue says of the services have to be loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from modelreach.digests import sha256
from modelreach.pipeline.answer import Answer, decode, encode
from modelreach.policy.engine import Grant
from modelreach.policy.lots import Grants
from modelreach.policy.permissions import PermissionSet
from modelreach.snapshot import Facts, Principal

#: How many are kept of a scope: a comparison asks once or twice.
_KEPT: Final = 16


class _Row(msgspec.Struct, array_like=True):
    asked: bytes
    answer: bytes


_READER = msgspec.msgpack.Decoder(list[_Row])


class Differences:
    """The answers about one snapshot that a store keeps. `told` is all that decides beside the
    facts, `version` that of the code that does."""

    def __init__(self, facts: Facts, version: str, told: str) -> None:
        self._facts, self._version = facts, version
        self._name = f"differences {version} {told}"
        self._rows: dict[str, list[_Row]] = {}

    def unlisted(
        self,
        provider: str,
        permissions: PermissionSet,
        scope: str,
        estate: bytes,
        ask: Callable[[PermissionSet, str], tuple[Grant, ...]],
    ) -> tuple[Grant, ...]:
        """Give what was said before of these permissions in a scope of this very estate; else
        what is said now, which is kept."""
        asked = sha256(estate + encode(_answer(provider, scope, permissions))).digest()
        known = next((row for row in self._of(scope) if row.asked == asked), None)
        answer = None if known is None else decode(known.answer)
        if answer is not None:
            return answer.patterns
        found = ask(permissions, scope)
        said = encode(_answer(provider, scope, PermissionSet(()), found))
        self._keep(scope, _Row(asked, said))
        return found

    def _keep(self, scope: str, row: _Row) -> None:
        self._rows[scope] = [row, *self._of(scope)][:_KEPT]
        self._facts.memorise(self._name, scope, msgspec.msgpack.encode(self._rows[scope]))
        self._facts.forget("differences", self._version)

    def _of(self, scope: str) -> list[_Row]:
        if scope not in self._rows:
            raw = self._facts.recalled(self._name, scope)
            try:
                self._rows[scope] = [] if raw is None else _READER.decode(raw)
            except (msgspec.MsgspecError, RecursionError):
                self._rows[scope] = []
        return self._rows[scope]


def _answer(
    provider: str, scope: str, permissions: PermissionSet, found: tuple[Grant, ...] = ()
) -> Answer:
    """An answer about nobody."""
    nobody = Principal(id="", provider=provider, kind="", scope=scope)
    return Answer(provider, nobody, (), Grants((), ()), permissions, found)
