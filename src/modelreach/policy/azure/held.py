"""What one principal's roles let it do, symbolically: its permission blocks put into the algebra.

Resources are told by ids, in lower case: of a scope itself and everything in it. A management
group stands for the subscriptions in it. Objects of Entra have ids that begin with no slash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from modelreach.policy.azure.abac import Matches, Negated, Node, NotUnderstood, Together, parse
from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.conditions import Request, as_glob, condition_expr
from modelreach.policy.azure.estate import GRAPH_APP, Deny, Estate, Held
from modelreach.policy.azure.ids import MANAGEMENT_GROUP, ROOT, is_arm
from modelreach.policy.azure.roles import APPLICATION, DATA, GRAPH, Block, Plane
from modelreach.policy.box import Box
from modelreach.policy.decision import StatementRef
from modelreach.policy.expr import FALSE, Atom, AtomKind, Expr, all_of
from modelreach.policy.extent import ALL, Extent
from modelreach.policy.glob import Region, escape
from modelreach.policy.permissions import PermissionSet

_PREFIXES = f"{DATA}*", f"{GRAPH}*", f"{APPLICATION}*"
#: Everything in Entra: what is no ARM id.
DIRECTORY = Extent((Region.of(("*",), ("/*",)),))
_MOST_PIECES = 64


def held(asker: Asker) -> PermissionSet:
    """Give the permission set of a principal, after deny assignments.

    The resource is not known here, so conditions on it stay open.
    """
    boxes = [box for one in asker.held for box in _boxes(asker, one)]
    if not boxes:
        return PermissionSet.of(())
    return PermissionSet.of(boxes) - PermissionSet.of(_denied(asker))


def _boxes(asker: Asker, one: Held) -> Iterator[Box]:
    doubt = one.when
    place = extent_of(one.binding.target, asker.estate)
    if one.role is None:
        gap = Atom(AtomKind.GAP, f"the definition of role {one.binding.role}")
        yield Box(ALL, place, all_of((doubt, gap)), ())
        return
    owner = one.binding.role.split("/")[2] if one.binding.role.startswith("/approles/") else ""
    for block in one.role.blocks:
        ref = asker.reference(one, block)
        condition = one.binding.condition
        yield from _of_block(asker, block, condition, place, doubt, (ref,), owner)


def _of_block(
    asker: Asker,
    block: Block,
    condition: str,
    place: Extent,
    doubt: Expr,
    because: tuple[StatementRef, ...],
    owner: str = "",
) -> Iterator[Box]:
    if block.problem:
        doubt = all_of((doubt, Atom(AtomKind.OPAQUE, block.problem)))
    actions = actions_of(block, owner)
    for piece, when in _by_action(actions, block, condition, asker):
        whole = all_of((doubt, when))
        if whole != FALSE:
            yield Box(piece, place, whole, because)


@lru_cache(1 << 12)
def actions_of(block: Block, owner: str = "") -> Extent:
    """Give the actions of a block, each with the prefix of its plane."""
    given, taken = block.actions.all, block.not_actions.all
    match block.plane:
        case Plane.DATA:
            return Extent.globs((DATA + g for g in given), outside=(DATA + g for g in taken))
        case Plane.APPLICATION:
            prefix = GRAPH if owner == GRAPH_APP else f"{APPLICATION}{owner}/"
            return Extent.globs(prefix + g for g in given)
        case _:
            barred = tuple(taken)
            return Extent.of(
                Region.of((g,), (*barred, *(_PREFIXES if g.startswith("*") else ())))
                for g in given
            )


# --- conditions ----------------------------------------------------------------------------


def _by_action(
    actions: Extent, block: Block, condition: str, asker: Asker
) -> Iterator[tuple[Extent, Expr]]:
    """Part the actions by what the conditions say of them, with what must hold for each part."""
    texts = tuple(text for text in (block.condition, condition) if text)
    patterns = sorted({p for text in texts for p in _patterns(text)})
    prefix = DATA if block.plane is Plane.DATA else ""
    pieces: list[tuple[Extent, frozenset[str]]] = [(actions, frozenset())]
    for pattern in patterns:
        glob = Extent.globs([prefix + as_glob(pattern)])
        pieces = [half for piece in pieces for half in _halves(piece, glob, pattern)]
        if len(pieces) > _MOST_PIECES:
            yield actions, Atom(AtomKind.OPAQUE, "condition", "", texts)
            return
    for piece, matched in pieces:
        request = Request(lambda asked, m=matched: bool(m & set(asked)), asker.fixed)  # type: ignore[misc]
        yield piece, all_of(condition_expr(text, request) for text in texts)


def _halves(
    piece: tuple[Extent, frozenset[str]], glob: Extent, pattern: str
) -> Iterator[tuple[Extent, frozenset[str]]]:
    extent, matched = piece
    for half, names in ((extent & glob, matched | {pattern}), (extent - glob, matched)):
        if not half.is_empty():
            yield half, names


@lru_cache(1 << 12)
def _patterns(text: str) -> tuple[str, ...]:
    try:
        return tuple(_named(parse(text)))
    except NotUnderstood:
        return ()


def _named(node: Node) -> Iterator[str]:
    match node:
        case Matches(patterns):
            yield from patterns
        case Negated(part):
            yield from _named(part)
        case Together(parts):
            for part in parts:
                yield from _named(part)
        case _:
            return


# --- places --------------------------------------------------------------------------------


def extent_of(target: str, estate: Estate, *, only_here: bool = False) -> Extent:
    """Give the ids of a scope and of everything in it."""
    if not is_arm(target):
        return _in_directory(target, estate)
    if target == ROOT:
        return Extent.globs(["/"] if only_here else ["/*"])
    places = (target,) if only_here else estate.spread(target)
    globs = [escape(place) for place in places]
    if not only_here:
        globs += [f"{escape(p)}/*" for p in places if not p.startswith(MANAGEMENT_GROUP)]
    return Extent.globs(globs)


def _in_directory(target: str, estate: Estate) -> Extent:
    if target == estate.tenant:
        return DIRECTORY
    scope = estate.facts.scopes.get(target)
    members = scope.attributes.get("members", ()) if scope else ()
    named = members if isinstance(members, tuple) else ()
    return Extent.globs(escape(name) for name in (target, *named))


# --- denies --------------------------------------------------------------------------------


def _denied(asker: Asker) -> Iterator[Box]:
    estate = asker.estate
    for scope in estate.denying_scopes:
        for deny in estate.denies_at(scope):
            about = asker.denied_by(deny)
            if about != FALSE:
                yield from _of_deny(asker, deny, about)


def _of_deny(asker: Asker, deny: Deny, about: Expr) -> Iterable[Box]:
    place = extent_of(deny.scope, asker.estate, only_here=deny.only_here)
    for block in deny.role.blocks:
        yield from _of_block(asker, block, deny.condition, place, about, ())
