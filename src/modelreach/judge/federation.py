"""The federations of what is reached: which tokens it shows, who lets them in, and who else.

Both halves make a hop, which reach follows. Here are the halves that are left, and the trusts that
let in more than they have to.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from modelreach.graph import Path
from modelreach.judge.finding import Case
from modelreach.policy.engine import Engine, Pivot, Presence, Stranger, Token
from modelreach.policy.permissions import PermissionSet

#: The rule of a hop by which somebody who took a cluster over acts as any account of it: what each
#: of them could show besides is no news there.
_TAKEN = "administrator"


class Shown(msgspec.Struct, frozen=True):
    """A token of an identity that is reached, and whom it is let in as. `possible`: its own side
    does not say so yet."""

    source: str
    path: Path
    token: Token
    hops: tuple[Pivot, ...]
    possible: bool = False


def shown(case: Case) -> Iterator[Shown]:
    """Give every token that what is reached shows, and could show besides."""
    for name, identity in sorted(case.radius.identities.items()):
        engine = case.engines[identity.principal.provider]
        for token in engine.tokens(name):
            yield Shown(name, identity.path, token, _let_in(case, token, name))
        if any(pivot.rule == _TAKEN for pivot in identity.path.pivots):
            continue
        possible = tuple(engine.possible(name))
        edges = case.radius.graph.pivots
        known = {target for target, _ in edges.targets(name)} if possible else set[str]()
        for token in possible:
            hops = _let_in(case, token, name)
            new = tuple(hop for hop in hops if hop.target not in known)
            yield Shown(name, identity.path, token, new, possible=True)


def _let_in(case: Case, token: Token, source: str) -> tuple[Pivot, ...]:
    return tuple(
        hop for _, one in sorted(case.engines.items()) for hop in one.admits(token, source)
    )


def owner(case: Case, name: str) -> Engine | None:
    """Give the engine that knows an identity."""
    engines = (engine for _, engine in sorted(case.engines.items()))
    return next((engine for engine in engines if engine.principal(name) is not None), None)


def meets(case: Case, one: Shown) -> bool:
    """Does a token lead to whom its own side says that it is for, at once or by one hop more?"""
    aimed = case.engines.get(one.token.to)
    found = aimed.principal(one.token.aims) if aimed is not None else None
    if aimed is None or found is None:
        return False
    return any(
        hop.target == found.id
        or (
            aimed.principal(hop.target) is not None
            and any(further.target == found.id for further in aimed.pivots(hop.target))
        )
        for hop in one.hops
    )


def aimed_at(case: Case, token: Token) -> Presence:
    """Say whether the snapshot lists whom a token is for."""
    engine = case.engines.get(token.to)
    return engine.presence(token.aims) if engine is not None else Presence.UNREAD


def besides(case: Case, one: Shown, hop: Pivot) -> tuple[Stranger, Pivot] | None:
    """Give the farthest stranger whom a trust lets in just the same, with the hop of that one."""
    for stranger in one.token.strangers:
        claims = dict(stranger.claims) or one.token.claims
        token = replace(one.token, subject=stranger.subject, claims=claims)
        for other in _let_in(case, token, one.source):
            if other.target == hop.target or _same(case, hop, other):
                return stranger, other
    return None


def _same(case: Case, hop: Pivot, other: Pivot) -> bool:
    """Has a stranger who comes by the same door, under a name of its own, the same behind it?"""
    engine = owner(case, hop.target)
    if engine is None or not hop.via or hop.via != other.via:
        return False
    if engine.principal(other.target) is None:
        return False
    held = engine.permissions(hop.target)
    if held.boxes and held <= engine.permissions(other.target):
        return True
    onward = {pivot.target for pivot in engine.pivots(hop.target)}
    return bool(onward & {pivot.target for pivot in engine.pivots(other.target)})


def idle(case: Case, hop: Pivot) -> bool:
    """Does a pool let a token in as somebody of its own who holds nothing at all?"""
    engine = owner(case, hop.target)
    if engine is None or not hop.via:
        return False
    held: PermissionSet = engine.permissions(hop.target)
    return not held.boxes and not tuple(engine.pivots(hop.target))
