"""Engines that do not work out again what was said before of a principal and still holds.

Reach asks an engine of each principal that it meets, and the answers hang on facts (`holding`). A
store keeps them by principal, the last few of each: so that two snapshots which differ somewhere
else share them, and a second run makes no engine at all.
"""

# Annotations are values here, not texts: types are read from them at each start.

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, cast

import msgspec
from msgspec.structs import replace

from modelreach.digests import sha256
from modelreach.pipeline.answer import Answer, Shown, decode, decode_lot, encode, encode_lot
from modelreach.pipeline.differences import Differences
from modelreach.pipeline.holding import Grounds, Holding, engine_version
from modelreach.policy import providers
from modelreach.policy.engine import Engine, Grant, Half, Pivot, Support, Token
from modelreach.policy.lots import Grants, Lot, granted
from modelreach.policy.permissions import PermissionSet
from modelreach.snapshot import Excerpt, Facts, Principal, Runtime, Stamp

#: How many answers are kept of a principal: a comparison has two sides.
_VARIANTS: Final = 3
#: Of how many grants the facts are kept beside an answer: of more, all of an account's are read.
_FEW: Final = 2_000


class _Kept(msgspec.Struct, array_like=True):
    """An answer, what it hangs on, and the facts of what it speaks of, which whoever takes the
    answer asks about next; and the keys of the lots that it speaks of."""

    grounds: Grounds
    answer: bytes
    excerpts: tuple[Excerpt, ...] = ()
    lots: tuple[bytes, ...] = ()


class _KeptHalves(msgspec.Struct, array_like=True):
    """The halves of somebody, with what they hang on, and whether whom they name is listed."""

    grounds: Grounds
    there: tuple[bool, ...]
    halves: tuple[Half, ...]


_READER = msgspec.msgpack.Decoder(list[_Kept])
_HALVES = msgspec.msgpack.Decoder(list[_KeptHalves])


def carried(
    rows: Mapping[bytes, bytes], facts: Facts, holding: Holding
) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """Give what was kept of principals and holds, as found now, and the keys of the lots that it
    speaks of."""
    found: dict[bytes, bytes] = {}
    lots: set[bytes] = set()
    for key, raw in rows.items():
        try:
            held = [one for one in _READER.decode(raw) if holding.hold(one.grounds)][:1]
        except (msgspec.MsgspecError, RecursionError):
            continue
        if held:
            found[key] = msgspec.msgpack.encode([_renewed(one, facts, holding) for one in held])
            lots.update(lot for one in held for lot in one.lots)
    return found, frozenset(lots)


def name_of_lots(version: str) -> str:
    """Give the name under which lots are kept, by their key in hexadecimal digits."""
    return f"lots {version}"


class _Lots:
    """The lots that answers speak of: kept once for all of them, under the digest of all that they
    are."""

    def __init__(self, facts: Facts, version: str) -> None:
        self._facts, self._version = facts, version
        self._keys: dict[Lot, bytes] = {}
        self._found: dict[bytes, Lot | None] = {}

    def keep(self, lot: Lot) -> bytes:
        """Have a lot kept, and give its key."""
        if lot not in self._keys:
            raw = encode_lot(lot)
            key = self._keys[lot] = sha256(raw).digest()
            self._facts.memorise(name_of_lots(self._version), key.hex(), raw)
        return self._keys[lot]

    def recall(self, key: bytes) -> Lot | None:
        """Give the lot under a key; None where what is kept is not that."""
        if key not in self._found:
            raw = self._facts.recalled(name_of_lots(self._version), key.hex())
            sound = raw is not None and sha256(raw).digest() == key
            lot = self._found[key] = decode_lot(raw) if raw is not None and sound else None
            if lot is not None:
                self._keys[lot] = key
        return self._found[key]


def _renewed(kept: _Kept, facts: Facts, holding: Holding) -> _Kept:
    excerpts = tuple(filter(facts.holds, kept.excerpts))
    return replace(kept, grounds=holding.renewed(kept.grounds), excerpts=excerpts)


class _Heard(msgspec.Struct):
    """What engines said of a principal in this run; `strange` are those who do not know it."""

    principal: Principal | None = None
    provider: str = ""
    pivots: tuple[Pivot, ...] | None = None
    grants: Grants | None = None
    permissions: PermissionSet | None = None
    patterns: tuple[Grant, ...] | None = None
    tokens: list[Shown] | None = None
    possible: list[Shown] | None = None
    strange: set[str] = msgspec.field(default_factory=set[str])


class Answers:
    """The answers of one snapshot's engines: those of before that hold, and those of this run."""

    def __init__(
        self, facts: Facts, makers: Mapping[str, Callable[[], Engine]], told: str
    ) -> None:
        """`makers` make the engine of each provider; `told` is all that else decides."""
        self.facts = facts
        self.facts.sparing = True
        self._names = tuple(sorted(makers))
        self._makers = makers
        self._engines: dict[str, Engine] = {}
        self._holding = Holding(facts, self._names, self.engine)
        told = sha256(told.encode()).hexdigest()[:16]
        self._version = engine_version(self._names)
        self._name = f"answers {self._version} {told}"
        self._halves = f"halves {self._version} {told}"
        self._differences = Differences(facts, self._version, told)
        self._lots = _Lots(facts, self._version)
        self._kept: dict[str, list[_Kept]] = {}
        self._found: dict[str, Answer | None] = {}
        self._heard: dict[str, _Heard] = {}
        self._kinds: dict[tuple[str, str], str] = {}
        # By place in memory, with what stands there, so that nothing else ever will.
        self._owners: dict[int, tuple[str, PermissionSet]] = {}
        self._shown: dict[int, Shown] = {}

    def engines(self) -> dict[str, Engine]:
        """Give an engine for each provider."""
        return {name: cast("Engine", Answering(name, self)) for name in self._makers}

    def engine(self, provider: str) -> Engine:
        """Give a provider's own engine."""
        if provider not in self._engines:
            # Engines ask about all that there is.
            self.facts.sparing = False
            self.facts.stamp = Stamp(self._version, self._holding.estate)
            self._engines[provider] = self._makers[provider]()
        return self._engines[provider]

    def find(self, name: str) -> Answer | None:
        """Give the answer of before about a principal, if there is one that holds."""
        if name not in self._found:
            self._found[name] = self._of_before(name)
        return self._found[name]

    def _of_before(self, name: str) -> Answer | None:
        for kept in self._variants(name):
            if self._holding.hold(kept.grounds):
                answer = decode(kept.answer, self._lots.recall)
                if answer is not None:
                    self.facts.take_excerpts(kept.excerpts)
                    self._take(name, answer)
                return answer
        return None

    def _take(self, name: str, answer: Answer) -> None:
        self.held_by(name, answer.permissions)
        self.note(answer.tokens)
        for scope, kind in answer.kinds.items():
            self._kinds[answer.provider, scope] = kind

    def _variants(self, name: str) -> list[_Kept]:
        if name not in self._kept:
            raw = self.facts.recalled(self._name, name)
            try:
                self._kept[name] = [] if raw is None else _READER.decode(raw)
            except (msgspec.MsgspecError, RecursionError):
                self._kept[name] = []
        return self._kept[name]

    # --- what is said in this run -----------------------------------------------------------

    def heard(self, name: str) -> _Heard:
        """Give the place where answers about a principal are noted."""
        return self._heard.setdefault(name, _Heard())

    def held_by(self, name: str, permissions: PermissionSet) -> None:
        """Note whose permissions these are."""
        self._owners[id(permissions)] = name, permissions

    def holder(self, permissions: PermissionSet) -> str:
        """Give whose permissions these very ones are; "" when they are put together."""
        return self._owners.get(id(permissions), ("",))[0]

    def note(self, tokens: Iterable[Shown]) -> None:
        """Note what is said of tokens, by these very tokens."""
        self._shown.update((id(shown.token), shown) for shown in tokens)

    def unlisted(self, provider: str, permissions: PermissionSet, scope: str) -> tuple[Grant, ...]:
        """Give what is not listed of permissions that are put together, and nobody's own."""
        estate = self._holding.estate
        ask = partial(self._ask_unlisted, provider)
        return self._differences.unlisted(provider, permissions, scope, estate, ask)

    def _ask_unlisted(
        self, provider: str, permissions: PermissionSet, scope: str
    ) -> tuple[Grant, ...]:
        return self.engine(provider).unlisted(permissions, scope)

    def halves(self, provider: str, name: str) -> tuple[Half, ...]:
        """Give the halves of somebody's ways elsewhere."""
        before = self._halves_of_before(name)
        for kept in before:
            if self._holding.hold_apart(kept.grounds) and kept.there == self._there(kept.halves):
                return kept.halves
        found = tuple(self.engine(provider).halves(name))
        if self.facts.keeps:
            kept = _KeptHalves(self._holding.grounds(name), self._there(found), found)
            raw = msgspec.msgpack.encode([kept, *before][:_VARIANTS])
            self.facts.memorise(self._halves, name, raw)
        return found

    def _halves_of_before(self, name: str) -> list[_KeptHalves]:
        raw = self.facts.recalled(self._halves, name) if self.facts.keeps else None
        try:
            return [] if raw is None else _HALVES.decode(raw)
        except (msgspec.MsgspecError, RecursionError):
            return []

    def _there(self, halves: Iterable[Half]) -> tuple[bool, ...]:
        """Say of each whom halves name whether it is listed: nothing else hangs on that."""
        return tuple(self.facts.principals.get(half.target) is not None for half in halves)

    def shown(self, token: Token) -> Shown | None:
        """Give what is said of this very token of a principal; None of one that is nobody's."""
        return self._shown.get(id(token))

    def lets_in(self, provider: str) -> bool:
        """May a provider let tokens in? Of which no snapshot has facts, that lets nobody in."""
        return providers.providers()[provider].owns is None

    def kind_of(self, provider: str, scope: str) -> str | None:
        """Give what kind of place a scope is that somebody takes over, if it was said before."""
        return self._kinds.get((provider, scope))

    # --- keeping -----------------------------------------------------------------------------

    def keep(self) -> None:
        """Have kept what was said whole since."""
        fresh = {
            name: answer
            for name, heard in sorted(self._heard.items())
            if (answer := self._whole(heard)) is not None
        }
        for name, answer in fresh.items():
            self._put(name, answer)
            self._found[name] = answer
            self._take(name, answer)
        self._heard.clear()
        if fresh:
            self._holding.keep()
            self.facts.forget("answers", self._version)
            self.facts.forget("shelves", self._version)
            self.facts.forget("halves", self._version)
            self.facts.forget("lots", self._version)
        self.facts.keep()

    def _put(self, name: str, answer: Answer) -> None:
        grounds = self._holding.grounds(name)
        others = [kept for kept in self._variants(name) if kept.grounds != grounds]
        lots: dict[bytes, None] = {}

        def keep(lot: Lot) -> bytes:
            key = self._lots.keep(lot)
            lots[key] = None
            return key

        raw = encode(answer, keep)
        one = _Kept(grounds, raw, self._excerpts(name, answer), tuple(lots))
        self._kept[name] = [one, *others][:_VARIANTS]
        self.facts.memorise(self._name, name, msgspec.msgpack.encode(self._kept[name]))

    def _excerpts(self, name: str, answer: Answer) -> tuple[Excerpt, ...]:
        """Give the facts of what is held, each of which is rated, where that is little; and
        whether a runtime has the principal's own name, as that of a manifest may be."""
        listed = answer.grants.resources if answer.grants.size <= _FEW else ()
        held = dict.fromkeys((*listed, *(one.resource for one in answer.patterns)))
        return (
            *self.facts.excerpts("resources", held),
            *self.facts.excerpts("runtimes", (name,)),
        )

    def _whole(self, heard: _Heard) -> Answer | None:
        """Give an answer of which no part is missing."""
        if heard.principal is None or heard.pivots is None or heard.grants is None:
            return None
        if heard.permissions is None or heard.patterns is None or heard.tokens is None:
            return None
        tokens = (*heard.tokens, *(heard.possible or ()))
        if any(len(shown.admitted) != len(self._names) for shown in tokens):
            return None
        taken = {pivot.target for pivot in heard.pivots if pivot.kind == "administer"}
        engine = self.engine(heard.provider)
        return Answer(
            heard.provider,
            heard.principal,
            heard.pivots,
            heard.grants,
            heard.permissions,
            heard.patterns,
            tokens,
            heard.possible is not None,
            {scope: engine.scope_kind(scope) for scope in sorted(taken)},
        )


class Answering:
    """Answers as `modelreach.policy.engine.Engine` does: what was said before and holds is said
    again; all else the provider's engine says, which is made when it is first needed."""

    def __init__(self, provider: str, answers: Answers) -> None:
        self.provider = provider
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        # Whatever reach does not ask of each principal, the engine answers.
        return getattr(self._engine, name)

    @property
    def _engine(self) -> Engine:
        return self._answers.engine(self.provider)

    def principal(self, principal: str) -> Principal | None:
        """The fact behind an id, or None when the snapshot does not have it."""
        known = self._answers.find(principal)
        if known is not None:
            return known.principal if known.provider == self.provider else None
        if principal in self._answers.facts.scopes:
            return None
        found = self._engine.principal(principal)
        if found is not None and found.id == principal:
            heard = self._answers.heard(principal)
            heard.principal, heard.provider = found, self.provider
        return found

    def runtime(self, name: str) -> Runtime | None:
        """The runtime fact behind an id, or None."""
        if self._answers.find(name) is not None and name not in self._answers.facts.runtimes:
            return None
        return self._engine.runtime(name)

    def pivots(self, principal: str) -> Iterable[Pivot]:
        """Every other identity or scope the principal can become or take over in one hop."""
        known = self._answers.find(principal)
        if known is not None:
            return known.pivots
        heard = self._answers.heard(principal)
        if heard.pivots is None:
            heard.pivots = tuple(self._engine.pivots(principal))
        return heard.pivots

    def grants(self, principal: str) -> tuple[Grant, ...]:
        """Everything the principal may do to listed resources, itself and no further."""
        return self.granted(principal).written_out()

    def granted(self, principal: str) -> Grants:
        """Give the same, together as far as it was said so."""
        known = self._answers.find(principal)
        if known is not None:
            return known.grants
        heard = self._answers.heard(principal)
        if heard.grants is None:
            heard.grants = granted(self._engine, principal)
        return heard.grants

    def permissions(self, principal: str) -> PermissionSet:
        """What its own policies let it do, symbolically, after every limit from above."""
        known = self._answers.find(principal)
        if known is not None:
            return known.permissions
        heard = self._answers.heard(principal)
        if heard.permissions is None:
            heard.permissions = self._engine.permissions(principal)
            self._answers.held_by(principal, heard.permissions)
        return heard.permissions

    def unlisted(self, permissions: PermissionSet, scope: str) -> tuple[Grant, ...]:
        """The part of a permission set, held in a scope, that listed resources do not show."""
        name = self._answers.holder(permissions)
        if not name:
            return self._answers.unlisted(self.provider, permissions, scope)
        known = self._answers.find(name)
        if known is not None and known.principal.scope == scope:
            return known.patterns
        found = self._engine.unlisted(permissions, scope)
        heard = self._answers.heard(name) if known is None else None
        if heard is not None and heard.principal and heard.principal.scope == scope:
            heard.patterns = found
        return found

    def tokens(self, principal: str) -> Iterable[Token]:
        """By what a principal can show to others who it is."""
        known = self._answers.find(principal)
        if known is not None:
            return tuple(shown.token for shown in known.tokens if not shown.possible)
        heard = self._answers.heard(principal)
        if heard.tokens is None:
            heard.tokens = [Shown(token) for token in self._engine.tokens(principal)]
            self._answers.note(heard.tokens)
        return tuple(shown.token for shown in heard.tokens)

    def possible(self, principal: str) -> Iterable[Token]:
        """What a principal could show as well, if its own side said so."""
        known = self._answers.find(principal)
        if known is not None and not known.possible_asked:
            return self._engine.possible(principal)
        if known is not None:
            return tuple(shown.token for shown in known.tokens if shown.possible)
        heard = self._answers.heard(principal)
        if heard.possible is None:
            heard.possible = [Shown(token, True) for token in self._engine.possible(principal)]
            self._answers.note(heard.possible)
        return tuple(shown.token for shown in heard.possible)

    def admits(self, token: Token, source: str) -> Iterable[Pivot]:
        """A hop from `source` to each identity of this provider that lets a token in."""
        shown = self._answers.shown(token)
        if shown is None:
            return self._engine.admits(token, source)
        if self.provider not in shown.admitted:
            lets_in = self._answers.lets_in(self.provider)
            found = tuple(self._engine.admits(token, source)) if lets_in else ()
            shown.admitted[self.provider] = found
        return shown.admitted[self.provider]

    def naming(self, token: Token) -> Iterable[Support]:
        """The grants that name whom a token is of, though nothing lets it in there."""
        shown = self._answers.shown(token)
        if shown is None:
            return self._engine.naming(token)
        if self.provider not in shown.named:
            lets_in = self._answers.lets_in(self.provider)
            found = tuple(self._engine.naming(token)) if lets_in else ()
            shown.named[self.provider] = found
        return shown.named[self.provider]

    def halves(self, principal: str) -> Iterable[Half]:
        """What one side alone says of whom the principal may become, or what lets it in."""
        return self._answers.halves(self.provider, principal)

    def scope_kind(self, scope: str) -> str:
        """What kind of place a scope is."""
        return self._answers.kind_of(self.provider, scope) or self._engine.scope_kind(scope)
