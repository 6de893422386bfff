"""What an answer about one principal hangs on, written down, so that it can be told later whether
the answer still holds.

It hangs on the principal's own account and what stands above it, accounts that its account's
facts mention, what is listed in accounts that its policies name, whatever on another account's
surface lets its account in and its policies may touch, and what loads there from where they let it
write.
"""

# Annotations are values here, not texts: types are read from them at each start.

from functools import cached_property

import msgspec

from modelreach.digests import sha256
from modelreach.policy.aws.above import Above
from modelreach.policy.aws.addresses import source_of
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.aws.surface import ANY, VERSION, Changed, Seen, Surface, account_of
from modelreach.policy.aws.touch import Touch, touched
from modelreach.policy.engine import Engine
from modelreach.snapshot import Facts


class _On(msgspec.Struct, array_like=True):
    """Digests of what is of no account, of parts, of what stands over these and (as far as others
    meet it) over accounts that are named, of what is listed in parts, and of the keys of parts;
    the surface; what the policies may touch; and where the buckets are that are mentioned ("" for
    nowhere), with a digest of what is listed there."""

    account: str
    rest: bytes
    parts: dict[str, bytes]
    over: dict[str, bytes]
    beside: dict[str, bytes]
    listings: dict[str, str]
    keys: dict[str, str]
    surface: bytes
    touch: Touch
    whereabouts: dict[str, tuple[str, bytes]]


class _Load(msgspec.Struct, frozen=True):
    """That what loads from an ARN has changed: whose that is ("" where it is not known), the
    accounts that it may let in, and whether it may let in those of its own account."""

    arn: str
    owner: str
    opens: frozenset[str]
    granted: bool


class _Changes(msgspec.Struct, frozen=True):
    """What changed on the surface: things, and what is loaded from where."""

    things: Changed
    loads: tuple[_Load, ...]


_READER = msgspec.msgpack.Decoder(_On)
_SEEN = msgspec.msgpack.Decoder(Seen)
_KEPT = f"{VERSION} seen"
#: Services whose things hold credentials of others: all of them are asked about.
_HOLDING = (["secretsmanager"], ["ssm"])


class Hanging:
    """Answers `modelreach.policy.provider.Hanging` for the facts of AWS alone."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._changed: dict[bytes, _Changes | None] = {}
        self._concerning: dict[tuple[bytes, str], tuple[tuple[str, bool], ...]] = {}
        self._known: dict[bytes, bool] = {}
        self._digests: dict[str, bytes] = {}

    def of(self, name: str, engine: Engine) -> bytes:
        """Give what the answer about a principal hangs on."""
        assert isinstance(engine, AwsEngine)
        account = account_of(name)
        touch, accounts, buckets = engine.outlined(name)
        mine = self._now.part(account)
        whereabouts = {one: self._where(one) for one in sorted({*buckets, *mine.mentioned})}
        away = {name: at for name, at in whereabouts.items() if at[0] != account}
        parts = {account, *mine.outward, *self._common, *self._unread(touch, account)}
        # Services may use a bucket that something of the account is linked to.
        parts |= {away[one][0] for one in mine.mentioned if one in away}
        on = _On(
            account,
            self._above.rest,
            {part: self._digest(part) for part in sorted(parts)},
            {part: self._above.over(part) for part in sorted(parts)},
            {one: self._above.beside(one) for one in sorted({*accounts, *mine.keyed} - parts)},
            {part: self._now.part(part).listing for part in sorted(accounts - parts)},
            {part: self._now.part(part).keys for part in mine.keyed if part not in parts},
            self._source,
            touch,
            away,
        )
        return msgspec.msgpack.encode(on)

    def holds(self, raw: bytes) -> bool:
        """Is all as it was?"""
        if raw not in self._known:
            self._known[raw] = self._holds(_READER.decode(raw))
        return self._known[raw]

    def holds_apart(self, raw: bytes) -> bool:
        """Is all as it was, and every trust that lets in somebody of the account, too?"""
        if not self.holds(raw):
            return False
        on = _READER.decode(raw)
        concerning = self._concerning_to(on) if on.surface != self._source else ()
        return concerning is not None and not any(":iam:" in name for name, _ in concerning)

    def renewed(self, raw: bytes) -> bytes:
        """Give what holds as it is now."""
        on = _READER.decode(raw)
        on.surface = self._source
        on.whereabouts = {name: self._where(name) for name in on.whereabouts}
        return msgspec.msgpack.encode(on)

    def _holds(self, on: _On) -> bool:
        above = self._above
        if on.rest != above.rest or any(above.over(one) != said for one, said in on.over.items()):
            return False
        if any(above.beside(one) != said for one, said in on.beside.items()):
            return False
        if any(self._digest(part) != digest for part, digest in on.parts.items()):
            return False
        if on.surface == self._source:
            return True
        surface = self._now
        return (
            all(surface.part(part).listing == listing for part, listing in on.listings.items())
            and all(surface.part(part).keys == keys for part, keys in on.keys.items())
            and all(self._still(name, *at) for name, at in on.whereabouts.items())
            and not self._concerned(on)
        )

    def _concerned(self, on: _On) -> bool:
        """Does something that changed on a surface matter to those with these policies?"""
        concerning = self._concerning_to(on)
        return concerning is None or any(
            granted or touched(on.touch, name) for name, granted in concerning
        )

    def _concerning_to(self, on: _On) -> tuple[tuple[str, bool], ...] | None:
        """Give what changed on a surface that may let in somebody of an account, each with whether
        without a policy of its own; None where it is not known what changed."""
        key = (on.surface, on.account)
        if key not in self._concerning:
            changed = self._changed_since(on.surface)
            if changed is None:
                return None
            self._concerning[key] = (
                *(
                    (name, granted)
                    for name, (opens, granted) in sorted(changed.things.items())
                    if ANY in opens or on.account in opens
                ),
                *(
                    (one.arn, one.granted and one.owner == on.account)
                    for one in changed.loads
                    if one.owner in (on.account, "") or not one.opens.isdisjoint((ANY, on.account))
                ),
            )
        return self._concerning[key]

    def keep(self) -> None:
        """Have the surface kept, by which a later one is compared with it."""
        raw = msgspec.msgpack.encode(self._now.seen)
        self._facts.memorise(_KEPT, self._source.hex(), raw)

    @cached_property
    def _above(self) -> Above:
        return Above(self._facts)

    @cached_property
    def _now(self) -> Surface:
        return Surface.of(self._facts, self._above.of_all, self._above.unread)

    @cached_property
    def _source(self) -> bytes:
        parts = self._facts.parts
        return sha256(*(f"{part}\0".encode() + self._digest(part) for part in parts)).digest()

    def _digest(self, part: str) -> bytes:
        if part not in self._digests:
            self._digests[part] = self._facts.digest_of(part)
        return self._digests[part]

    def _changed_since(self, surface: bytes) -> _Changes | None:
        """What changed since the surface was this; None where that is not known any more."""
        if surface not in self._changed:
            raw = self._facts.recalled(_KEPT, surface.hex())
            before = None if raw is None else self._now.before(self._facts, _SEEN.decode(raw))
            self._changed[surface] = None if before is None else self._changes(before)
        return self._changed[surface]

    def _changes(self, before: Surface) -> _Changes:
        now = self._now
        loads = tuple(map(self._load, now.loaded_since(before)))
        return _Changes(now.since(before), loads)

    def _load(self, arn: str) -> _Load:
        source = source_of(arn)
        owner = account_of(source) or self._where(source)[0]
        granted = any(one.kind == "resource" for one in self._facts.attachments.get(source, ()))
        # Where whom it lets in has changed, it is among the things itself.
        return _Load(arn, owner, frozenset(self._now.opens(source)), granted)

    def _where(self, name: str) -> tuple[str, bytes]:
        resource = self._facts.resources.get(name)
        if resource is None:
            return "", b""
        return resource.scope, self._facts.listing(resource.scope)

    def _still(self, name: str, owner: str, listed: bytes) -> bool:
        """Is a bucket where it was? Where nothing changed that is not looked up."""
        if owner and listed == self._facts.listing(owner):
            return True
        return self._where(name)[0] == owner

    def _unread(self, touch: Touch, account: str) -> set[str]:
        """Accounts with credentials that the policies may touch, and of which it was not read
        whom they let in: they may let in anybody."""
        return {
            scope
            for name, scope in self._unread_credentials
            if scope != account and touched(touch, name)
        }

    @cached_property
    def _unread_credentials(self) -> tuple[tuple[str, str], ...]:
        found = {
            (gap.subject, account_of(gap.subject))
            for gap in self._facts.snapshot.gaps
            if gap.kind == "resource-policy" and gap.subject.split(":")[2:3] in _HOLDING
        }
        return tuple(sorted(found))

    @cached_property
    def _common(self) -> frozenset[str]:
        """Parts that are no scope of the estate: what the provider itself brings."""
        return frozenset(
            part for part in self._facts.parts if part and part not in self._facts.scopes
        )
