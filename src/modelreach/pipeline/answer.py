"""All that an engine says of one principal, as bytes and back.

Written for this program alone, in the version that wrote it (`holding.engine_version`). Only the
types below are read, whatever the bytes say: a store may come from anybody.
"""

# Annotations are values here, not texts: types are read from them at each start.

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from modelreach.model import Capability, Strength, Verdict
from modelreach.policy.decision import Layer, StatementRef
from modelreach.policy.engine import Grant, Pivot, Support, Token
from modelreach.policy.expr import TRUE, AllOf, AnyOf, Atom, AtomKind, Const, Expr, Not
from modelreach.policy.extent import Extent
from modelreach.policy.glob import Region
from modelreach.policy.lots import Alike, Grants, Lot, Thing, bits, places
from modelreach.policy.permissions import Box, PermissionSet
from modelreach.snapshot import Principal


class Shown(msgspec.Struct):
    """A token, or one that could be shown if its own side said so (`possible`); by provider the
    hops of who shows it, and the grants that name whom it is of."""

    token: Token
    possible: bool = False
    admitted: dict[str, tuple[Pivot, ...]] = msgspec.field(
        default_factory=dict[str, "tuple[Pivot, ...]"]
    )
    named: dict[str, tuple[Support, ...]] = msgspec.field(
        default_factory=dict[str, "tuple[Support, ...]"]
    )


class Answer(msgspec.Struct, frozen=True):
    """What the engine of `provider` says of a principal. `patterns` is what is not listed of its
    own `permissions`; `tokens` come with what all providers say of them, and with those
    that are only possible where these were asked for; `kinds` are those of the scopes that it
    takes over."""

    provider: str
    principal: Principal
    pivots: tuple[Pivot, ...]
    grants: Grants
    permissions: PermissionSet
    patterns: tuple[Grant, ...]
    tokens: tuple[Shown, ...] = ()
    possible_asked: bool = True
    kinds: dict[str, str] = msgspec.field(default_factory=dict[str, str])


# --- how it is written --------------------------------------------------------------------------


class _Atom(msgspec.Struct, array_like=True, tag=0):
    kind: AtomKind
    key: str
    operator: str
    values: tuple[str, ...]


class _Not(msgspec.Struct, array_like=True, tag=1):
    atom: _Atom


class _All(msgspec.Struct, array_like=True, tag=2):
    parts: "list[_Expr]"


class _Any(msgspec.Struct, array_like=True, tag=3):
    parts: "list[_Expr]"


_Expr = bool | _Atom | _Not | _All | _Any
_Regions = list[tuple[tuple[str, ...], tuple[str, ...]]]
_Refs = tuple[int, ...]


class _Ref(msgspec.Struct, array_like=True):
    layer: Layer
    policy: str
    target: str
    document: str
    index: int
    sid: str
    effect: str
    text: str
    managed_by: str


class _Grant(msgspec.Struct, array_like=True):
    principal: str
    resource: str
    kind: str
    name: str
    scope: str
    provider: str
    capability: Capability
    actions: int
    verdict: Verdict
    residual: int
    statements: _Refs
    pattern: bool
    within: tuple[str, ...]
    region: str
    assumes: tuple[str, ...]


#: Id, name, scope, region, and the statements of its own policies.
_Thing = tuple[str, str, str, str, _Refs]


class _Alike(msgspec.Struct, array_like=True):
    grants: list[_Grant]
    lot: int
    mask: bytes


class _Support(msgspec.Struct, array_like=True):
    subject: str
    action: str
    object: str
    statements: _Refs
    note: str


class _Pivot(msgspec.Struct, array_like=True):
    kind: str
    source: str
    target: str
    strength: Strength
    residual: int
    support: list[_Support]
    rule: str
    via: str
    note: str


#: A token, but for what it depends on, is written as it is.
_Shown = tuple[Token, int, bool, dict[str, list[_Pivot]], dict[str, list[_Support]]]


class _Box(msgspec.Struct, array_like=True):
    actions: _Regions
    resources: _Regions
    condition: int
    because: _Refs
    exact: bool


class _Answer(msgspec.Struct, array_like=True):
    """Statements, expressions and lists of actions stand once, and are meant by their place. Of a
    lot of which little is held that little stands here; of others, under which key they are."""

    provider: str
    principal: Principal
    refs: list[_Ref]
    exprs: list[_Expr]
    actions: list[tuple[str, ...]]
    pivots: list[_Pivot]
    grants: list[_Grant]
    alike: list[_Alike]
    lots: list[bytes | list[_Thing]]
    boxes: list[_Box]
    patterns: list[_Grant]
    tokens: list[_Shown]
    possible_asked: bool
    kinds: dict[str, str]


#: Of which part of a lot less is told than looked up.
_PART: Final = 16
_READER = msgspec.msgpack.Decoder(_Answer)
_K = TypeVar("_K", bound=Hashable)


class _Places(Generic[_K]):
    """Values by the order in which they were first met."""

    def __init__(self) -> None:
        self.found: dict[_K, int] = {}

    def of(self, value: _K) -> int:
        return self.found.setdefault(value, len(self.found))


class _Statements:
    """Statements by the order in which they were first met."""

    def __init__(self) -> None:
        self._found = _Places[StatementRef]()

    def of(self, refs: Iterable[StatementRef]) -> _Refs:
        return tuple(map(self._found.of, refs))

    def thing(self, thing: Thing) -> _Thing:
        return thing.id, thing.name, thing.scope, thing.region, self.of(thing.own)

    @property
    def all(self) -> list[_Ref]:
        return [
            _Ref(
                r.layer,
                r.policy,
                r.target,
                r.document,
                r.index,
                r.sid,
                r.effect,
                r.text,
                r.managed_by,
            )
            for r in self._found.found
        ]


class _Writer:
    def __init__(self, keep: Callable[[Lot], bytes]) -> None:
        self._keep = keep
        self._refs = _Statements()
        self._exprs = _Places[Expr]()
        self._actions = _Places[tuple[str, ...]]()

    def whole(self, answer: Answer) -> _Answer:
        pivots = self._pivots(answer.pivots)
        grants = [self._grant(grant) for grant in answer.grants.alone]
        alike, lots = self._alike(answer.grants.alike)
        boxes = [self._box(box) for box in answer.permissions.boxes]
        patterns = [self._grant(grant) for grant in answer.patterns]
        tokens = [self._token(one) for one in answer.tokens]
        return _Answer(
            answer.provider,
            answer.principal,
            self._refs.all,
            [_written(expr) for expr in self._exprs.found],
            list(self._actions.found),
            pivots,
            grants,
            alike,
            lots,
            boxes,
            patterns,
            tokens,
            answer.possible_asked,
            answer.kinds,
        )

    def _alike(self, found: Iterable[Alike]) -> tuple[list[_Alike], list[bytes | list[_Thing]]]:
        held: dict[Lot, int] = {}
        for one in found:
            held[one.lot] = held.get(one.lot, 0) | one.mask
        numbers = {lot: number for number, lot in enumerate(held)}
        few = {lot: list(places(mask)) for lot, mask in held.items() if _is_little(mask, lot)}
        alike = [
            _Alike(
                list(map(self._grant, one.grants)),
                numbers[one.lot],
                _as_bytes(_renumbered(one.mask, few.get(one.lot))),
            )
            for one in found
        ]
        return alike, [
            [self._refs.thing(lot.thing(place)) for place in few[lot]]
            if lot in few
            else self._keep(lot)
            for lot in held
        ]

    def _grant(self, grant: Grant) -> _Grant:
        return _Grant(
            grant.principal,
            grant.resource,
            grant.kind,
            grant.name,
            grant.scope,
            grant.provider,
            grant.capability,
            self._actions.of(grant.actions),
            grant.verdict,
            self._exprs.of(grant.residual),
            self._refs.of(grant.statements),
            grant.pattern,
            grant.within,
            grant.region,
            grant.assumes,
        )

    def _pivots(self, pivots: Iterable[Pivot]) -> list[_Pivot]:
        return [
            _Pivot(
                p.kind,
                p.source,
                p.target,
                p.strength,
                self._exprs.of(p.residual),
                self._supports(p.support),
                p.rule,
                p.via,
                p.note,
            )
            for p in pivots
        ]

    def _supports(self, supports: Iterable[Support]) -> list[_Support]:
        return [
            _Support(s.subject, s.action, s.object, self._refs.of(s.statements), s.note)
            for s in supports
        ]

    def _token(self, shown: Shown) -> _Shown:
        admitted = {name: self._pivots(pivots) for name, pivots in shown.admitted.items()}
        named = {name: self._supports(supports) for name, supports in shown.named.items()}
        when, token = self._exprs.of(shown.token.when), replace(shown.token, when=TRUE)
        return token, when, shown.possible, admitted, named

    def _box(self, box: Box) -> _Box:
        return _Box(
            _regions(box.actions),
            _regions(box.resources),
            self._exprs.of(box.condition),
            self._refs.of(box.because),
            box.exact,
        )


def _is_little(mask: int, lot: Lot) -> bool:
    """Is so little of a lot held that it is better told than looked up?"""
    return mask.bit_count() * _PART < len(lot.ids)


def _renumbered(mask: int, kept: list[int] | None) -> int:
    """Give the bits of a mask as they are when only some resources are numbered."""
    if kept is None:
        return mask
    return bits(number for number, place in enumerate(kept) if mask >> place & 1)


def _as_bytes(mask: int) -> bytes:
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def _regions(extent: Extent) -> _Regions:
    return [(region.inside, region.outside) for region in extent.regions]


def _written(expr: Expr) -> _Expr:
    match expr:
        case Const(value):
            return value
        case Atom():
            return _atom(expr)
        case Not(atom):
            return _Not(_atom(atom))
        case AllOf(parts):
            return _All([_written(part) for part in parts])
        case AnyOf(parts):
            return _Any([_written(part) for part in parts])
        case _:
            raise TypeError(f"not an expression: {expr!r}")


def _atom(atom: Atom) -> _Atom:
    return _Atom(atom.kind, atom.key, atom.operator, atom.values)


def no_lots(_: object) -> Any:
    """Stand for what keeps lots, or recalls them, where answers speak of none."""
    raise LookupError


def encode(answer: Answer, keep: Callable[[Lot], bytes] = no_lots) -> bytes:
    """Give an answer as bytes. `keep` has a lot kept, and gives its key."""
    return msgspec.msgpack.encode(_Writer(keep).whole(answer))


class _Lot(msgspec.Struct, array_like=True):
    refs: list[_Ref]
    things: list[_Thing]


def encode_lot(lot: Lot) -> bytes:
    """Give all that a lot is, as bytes."""
    refs = _Statements()
    things = [refs.thing(lot.thing(place)) for place in range(len(lot.ids))]
    return msgspec.msgpack.encode(_Lot(refs.all, things))


# --- how it is read -----------------------------------------------------------------------------


_LOTS = msgspec.msgpack.Decoder(_Lot)


def decode_lot(raw: bytes) -> Lot | None:
    """Give the lot that bytes stand for; None where they stand for none."""
    try:
        found = _LOTS.decode(raw)
        return _lot(found.things, _refs(found.refs))
    except (msgspec.MsgspecError, LookupError, RecursionError, UnicodeDecodeError):
        return None


def _refs(raw: Iterable[_Ref]) -> list[StatementRef]:
    return [
        StatementRef(
            r.layer, r.policy, r.target, r.document, r.index, r.sid, r.effect, r.text, r.managed_by
        )
        for r in raw
    ]


def _lot(things: list[_Thing], refs: list[StatementRef]) -> Lot:
    """Give things as a lot. Raises LookupError where they are none."""
    ids = [thing[0] for thing in things]
    ordered = all(map(str.__lt__, ids, ids[1:]))
    words = {len(thing[4]) for thing in things}
    if not ordered or len(words) > 1 or any(not 0 <= n < len(refs) for t in things for n in t[4]):
        raise LookupError
    by_id = {thing[0]: thing for thing in things}

    def tell(name: str) -> Thing:
        _, called, scope, region, own = by_id[name]
        return Thing(name, called, scope, region, tuple([refs[place] for place in own]))

    return Lot(tuple(ids), tell)


class _Reader:
    def __init__(self, raw: _Answer, recall: Callable[[bytes], Lot | None]) -> None:
        self._raw = raw
        self._refs = _refs(raw.refs)
        self._lots = [self._found(one, recall) for one in raw.lots]
        self._exprs = [_read(expr) for expr in raw.exprs]

    def whole(self) -> Answer:
        raw = self._raw
        return Answer(
            raw.provider,
            raw.principal,
            self._pivots(raw.pivots),
            Grants(tuple(map(self._alike, raw.alike)), tuple(map(self._grant, raw.grants))),
            PermissionSet(tuple(map(self._box, raw.boxes))),
            tuple(map(self._grant, raw.patterns)),
            tuple(map(self._token, raw.tokens)),
            raw.possible_asked,
            raw.kinds,
        )

    def _these(self, places: _Refs) -> tuple[StatementRef, ...]:
        return tuple([self._refs[place] for place in places])

    def _found(self, raw: bytes | list[_Thing], recall: Callable[[bytes], Lot | None]) -> Lot:
        if not isinstance(raw, bytes):
            return _lot(raw, self._refs)
        lot = recall(raw)
        if lot is None:
            raise KeyError(raw)
        return lot

    def _alike(self, raw: _Alike) -> Alike:
        lot = self._lots[raw.lot]
        mask = int.from_bytes(raw.mask, "little")
        grants = tuple(map(self._grant, raw.grants))
        if mask >> len(lot.ids) or any(not lot.has(grant.resource) for grant in grants):
            raise LookupError
        return Alike(grants, lot, mask)

    def _grant(self, g: _Grant) -> Grant:
        return Grant(
            g.principal,
            g.resource,
            g.kind,
            g.name,
            g.scope,
            g.provider,
            g.capability,
            self._raw.actions[g.actions],
            g.verdict,
            self._exprs[g.residual],
            self._these(g.statements),
            g.pattern,
            g.within,
            g.region,
            g.assumes,
        )

    def _pivots(self, pivots: Iterable[_Pivot]) -> tuple[Pivot, ...]:
        return tuple(
            Pivot(
                p.kind,
                p.source,
                p.target,
                p.strength,
                self._exprs[p.residual],
                self._supports(p.support),
                p.rule,
                p.via,
                p.note,
            )
            for p in pivots
        )

    def _supports(self, supports: Iterable[_Support]) -> tuple[Support, ...]:
        return tuple(
            Support(s.subject, s.action, s.object, self._these(s.statements), s.note)
            for s in supports
        )

    def _token(self, shown: _Shown) -> Shown:
        token, when, possible, admitted, named = shown
        return Shown(
            replace(token, when=self._exprs[when]),
            possible,
            {name: self._pivots(pivots) for name, pivots in admitted.items()},
            {name: self._supports(supports) for name, supports in named.items()},
        )

    def _box(self, box: _Box) -> Box:
        return Box(
            _extent(box.actions),
            _extent(box.resources),
            self._exprs[box.condition],
            self._these(box.because),
            box.exact,
        )


def _extent(regions: _Regions) -> Extent:
    return Extent(tuple(Region(inside, outside) for inside, outside in regions))


def _read(expr: _Expr) -> Expr:
    match expr:
        case bool():
            return Const(expr)
        case _Atom():
            return Atom(expr.kind, expr.key, expr.operator, expr.values)
        case _Not():
            atom = expr.atom
            return Not(Atom(atom.kind, atom.key, atom.operator, atom.values))
        case _All():
            return AllOf(tuple(map(_read, expr.parts)))
        case _Any():
            return AnyOf(tuple(map(_read, expr.parts)))


def decode(raw: bytes, recall: Callable[[bytes], Lot | None] = no_lots) -> Answer | None:
    """Give the answer that bytes stand for; None where they stand for none. `recall` gives the lot
    that was kept under a key."""
    try:
        return _Reader(_READER.decode(raw), recall).whole()
    except (msgspec.MsgspecError, LookupError, RecursionError, UnicodeDecodeError):
        return None
