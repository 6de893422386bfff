"""What an answer about one principal hangs on, written down, so that it can be told later whether
the answer still holds.

It hangs on the principal's own account, the organisation's policies, accounts that its account's
facts or its policies mention, and whatever on another account's surface its policies may touch.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec

from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.surface import FOR_ALL, Surface, Touch, buckets, concerned, spelled
from modelreach.policy.engine import Engine
from modelreach.snapshot import Facts


class _On(msgspec.Struct, array_like=True):
    """Digests of parts, of the surface, what the policies may touch, and where the buckets are
    that are mentioned ("" for nowhere)."""

    parts: dict[str, bytes]
    surface: str
    touch: Touch
    whereabouts: dict[str, str]


_READER = msgspec.msgpack.Decoder(_On)
_THINGS = msgspec.json.Decoder(dict[str, str])


class Hanging:
    """Answers `modelreach.policy.provider.Hanging` for the facts of AWS alone."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._changed: dict[str, frozenset[str] | None] = {}
        self._asked = False

    def of(self, name: str, scopes: Iterable[str], engine: Engine) -> bytes:
        """Give what the answer about a principal hangs on, which speaks of things in `scopes`."""
        assert isinstance(engine, AwsEngine)
        account = account_of(name)
        touch = engine.touches(name)
        parts = {"", account, *scopes, *self._now.outward(account), *self._common()}
        known = set(self._facts.parts)
        for glob in spelled(touch):
            parts |= known.intersection(glob.replace("/", ":").split(":"))
        mentioned = {*buckets(touch), *self._now.mentioned(account)}
        on = _On(
            {part: self._facts.digest_of(part) for part in sorted(parts)},
            self._now.digest,
            touch,
            {bucket: self._where(bucket) for bucket in sorted(mentioned)},
        )
        return msgspec.msgpack.encode(on)

    def holds(self, raw: bytes) -> bool:
        """Is all as it was?"""
        on, facts = _READER.decode(raw), self._facts
        if any(facts.digest_of(part) != digest for part, digest in on.parts.items()):
            return False
        if any(self._where(name) != owner for name, owner in on.whereabouts.items()):
            return False
        if on.surface == self._now.digest:
            return True
        changed = self._changed_since(on.surface)
        return changed is not None and not concerned(on.touch, changed)

    def keep(self) -> None:
        """Have the surface kept, by which a later one is compared with it."""
        if self._asked:
            raw = msgspec.json.encode(self._now.things)
            self._facts.memorise("aws surface", self._now.digest, raw)

    @cached_property
    def _now(self) -> Surface:
        self._asked = True
        return Surface(self._facts)

    def _changed_since(self, surface: str) -> frozenset[str] | None:
        """What is on the surface that was not, or was otherwise, or is not any more; None when
        that may matter to anybody."""
        if surface not in self._changed:
            raw = self._facts.recalled("aws surface", surface)
            self._changed[surface] = None if raw is None else self._difference(_THINGS.decode(raw))
        return self._changed[surface]

    def _difference(self, before: dict[str, str]) -> frozenset[str] | None:
        now = self._now.things
        names = {n for n in before.keys() | now.keys() if before.get(n) != now.get(n)}
        digests = (side.get(name, "") for name in names for side in (before, now))
        return None if any(one.startswith(FOR_ALL) for one in digests) else frozenset(names)

    def _where(self, name: str) -> str:
        resource = self._facts.resources.get(name)
        return resource.scope if resource is not None else ""

    def _common(self) -> set[str]:
        """Parts that are no scope of the estate: what the provider itself brings."""
        return {part for part in self._facts.parts if part and part not in self._facts.scopes}


def account_of(name: str) -> str:
    """Give the account of an ARN."""
    parts = name.split(":", 5)
    return parts[4] if len(parts) == 6 else ""
