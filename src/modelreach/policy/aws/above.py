"""What stands above accounts, as digests, so that an answer hangs on what is above its own.

An account hangs on the units that it lies in, up to the root, on what is attached to these, and
on what could not be read of it or of something in it. A policy that is attached to another unit,
or an account that joins, is nothing to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec
from msgspec.structs import replace

from modelreach.digests import sha256
from modelreach.policy.aws.surface import account_of, is_account
from modelreach.snapshot import OF_USE, Attachment, Facts, Gap

#: Policies of the organisation that limit its principals and no resource:
#: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
_OF_CALLERS = frozenset({"scp"})


class Above:
    """Digests of what stands above accounts, in one snapshot's facts."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._over: dict[tuple[str, bool], bytes] = {}

    def over(self, account: str) -> bytes:
        """Give a digest of all that an account is under, and of what is unread there."""
        return self._of(account, True)

    def beside(self, account: str) -> bytes:
        """Give a digest of the part of it that others who come there meet: all but what limits
        only those of the account itself."""
        return self._of(account, False)

    def _of(self, account: str, whole: bool) -> bytes:
        key = account, whole
        if key not in self._over:
            gaps = [_decisive(gap) for gap in self._gaps.get(account, ())]
            own = (self._own(scope, whole) for scope in self._path(account))
            self._over[key] = _digest((*own, _encoded(gaps)))
        return self._over[key]

    @cached_property
    def of_all(self) -> dict[str, tuple[bytes, bytes]]:
        """Give `over` and `beside` of every account that is known."""
        known = sorted({*self._facts.scopes, *self._gaps})
        return {scope: (self.over(scope), self.beside(scope)) for scope in known}

    @cached_property
    def rest(self) -> bytes:
        """A digest of all that is of no account and above none: anything may hang on it."""
        part = self._facts.part("")
        loose = tuple(one for one in part.attachments if one.target not in self._facts.scopes)
        gaps = [_decisive(gap) for gap in self._gaps.get("", ())]
        return _digest((_encoded(replace(part, attachments=loose)), _encoded(gaps)))

    @cached_property
    def unread(self) -> dict[str, bytes]:
        """What could not be read of single things, as digests by their ids."""
        found: dict[str, list[Gap]] = {}
        for gap in self._asked:
            if gap.subject:
                found.setdefault(gap.subject, []).append(_decisive(gap))
        return {name: _digest((_encoded(gaps),)) for name, gaps in sorted(found.items())}

    def _path(self, account: str) -> list[str]:
        """Give an account and the units that it lies in."""
        found: list[str] = []
        scope = self._facts.scopes.get(account)
        while scope is not None and scope.id not in found:
            found.append(scope.id)
            scope = self._facts.scopes.get(scope.parent)
        return found

    def _own(self, scope: str, whole: bool) -> bytes:
        attached = self._attached.get(scope, ())
        said = [one for one in attached if whole or one.kind not in _OF_CALLERS]
        return _encoded((self._facts.scopes[scope], said))

    @cached_property
    def _attached(self) -> dict[str, list[Attachment]]:
        found: dict[str, list[Attachment]] = {}
        for one in self._facts.part("").attachments:
            if one.target in self._facts.scopes:
                found.setdefault(one.target, []).append(one)
        return found

    @cached_property
    def _asked(self) -> tuple[Gap, ...]:
        return tuple(gap for gap in self._facts.snapshot.gaps if gap.kind not in OF_USE)

    @cached_property
    def _gaps(self) -> dict[str, list[Gap]]:
        """What could not be read by account; under "" what may be of any."""
        found: dict[str, list[Gap]] = {}
        for gap in self._asked:
            for account in _whose(gap):
                found.setdefault(account, []).append(gap)
        return found


def _whose(gap: Gap) -> Iterator[str]:
    accounts = {name for name in (gap.scope, account_of(gap.subject)) if is_account(name)}
    yield from sorted(accounts or {""})


def _decisive(gap: Gap) -> Gap:
    """Give a gap without what nothing hangs on: how the service put it."""
    return replace(gap, message="")


def _encoded(thing: object) -> bytes:
    return msgspec.json.encode(thing, order="sorted")


def _digest(pieces: Iterable[bytes]) -> bytes:
    return sha256(*(len(piece).to_bytes(8, "little") + piece for piece in pieces)).digest()[:16]
