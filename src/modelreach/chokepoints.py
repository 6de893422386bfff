"""Where to cut: hops and identities through which much of a radius goes.

Worked out by networkx on what one deployment reaches, which is small; never on an estate. Larger
graphs than `MOST_NODES` are refused: their numbers would come too late to be of use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from modelreach.accesses import Access
from modelreach.model import InputError
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Pivot
from modelreach.policy.lots import Lot
from modelreach.reach import BlastRadius

if TYPE_CHECKING:
    import networkx as nx

    from modelreach.snapshot import Facts

MOST_NODES = 5_000
#: Gives the scopes that something lies in, the closest first.
Around = Callable[[str], Iterable[str]]
_START = ""
_SAMPLED = 64


class Gate(msgspec.Struct, frozen=True):
    """An identity that every way to others goes through. `identities`, `scopes` and `resources`
    are those that nobody reaches without it, itself and what it holds included; `betweenness` is
    the part of shortest ways that pass it."""

    identity: str
    identities: int
    scopes: int
    resources: int
    betweenness: float


class Cut(msgspec.Struct, frozen=True):
    """The fewest hops without which a scope cannot be taken over."""

    scope: str
    hops: tuple[Pivot, ...]


class Severed(msgspec.Struct, frozen=True):
    """The fewest hops and accesses without which something is not reached."""

    target: str
    hops: tuple[Pivot, ...]
    accesses: tuple[Access, ...]


def gates(radius: BlastRadius) -> tuple[Gate, ...]:
    """Give the identities that something beyond themselves hangs on, the widest first; not the
    only one that a deployment runs as, on which all hangs.

    Raises `InputError` for a radius of more than `MOST_NODES` identities.
    """
    import networkx as nx

    graph = _graph(radius)
    above = nx.immediate_dominators(graph, _START)
    below: dict[str, set[str]] = {}
    for node in above:
        for one in _chain(node, above):
            below.setdefault(one, set()).add(node)
    between = nx.betweenness_centrality(graph, k=min(_SAMPLED, len(graph)), seed=1)
    holders = _holders(radius)
    found = [
        Gate(
            node,
            len(under & radius.identities.keys()),
            len(under & radius.takeovers.keys()),
            _only_by(under, holders),
            round(between[node], 4),
        )
        for node, under in below.items()
        if node in radius.identities and len(under) > 1 and (node,) != radius.graph.starts
    ]
    return tuple(sorted(found, key=lambda g: (-g.identities - g.scopes, -g.resources, g.identity)))


def cuts(radius: BlastRadius, around: Around = lambda _: ()) -> tuple[Cut, ...]:
    """Give the fewest hops to revoke for each scope that can be taken over, by scope. `around`
    gives the scopes that one lies in: whoever takes one of those over has it, too.

    Raises `InputError` for a radius of more than `MOST_NODES` identities.
    """
    graph = _graph(radius)
    for scope in radius.takeovers:
        graph.add_edges_from(_from_above(radius, scope, around(scope)))
    return tuple(
        Cut(scope, _crossing(_parted(graph, scope), radius.graph.pivots))
        for scope in sorted(radius.takeovers)
    )


def _from_above(radius: BlastRadius, target: str, around: Iterable[str]) -> list[tuple[str, str]]:
    return [(scope, target) for scope in around if scope in radius.takeovers]


def sever(radius: BlastRadius, target: str, around: Around = lambda _: ()) -> Severed:
    """Give the fewest hops and accesses to revoke so that a resource, a pattern, an identity or
    a scope is not reached any more; what somebody holds counts once for each statement that grants
    it.

    `around` gives the scopes that it lies in: it is reached as long as one of them can be taken
    over. Raises `InputError` for what is not reached, or is what the deployment runs as, and as
    `cuts` does.
    """
    if target in radius.graph.starts:
        raise InputError(f"`{target}` is what it runs as", hint="name what it reaches from there")
    graph = _graph(radius)
    accesses = () if target in graph else tuple(_accesses(radius, target))
    for holder, statements in _granted(accesses).items():
        graph.add_edge(holder, target, capacity=statements)
    graph.add_edges_from(_from_above(radius, target, around(target)))
    if target not in graph:
        raise InputError(
            f"`{target}` is nothing that is reached", hint="name what `modelreach scan` shows"
        )
    sides = _parted(graph, target)
    kept = tuple(access for access in accesses if access.grant.principal in sides[0])
    return Severed(target, _crossing(sides, radius.graph.pivots), kept)


def scopes_around(thing: str, facts: Facts) -> tuple[str, ...]:
    """Give the scopes that a resource, an identity or a scope lies in, the closest first: whoever
    takes one of them over has it."""
    listed = facts.resources.get(thing) or facts.principals.get(thing)
    scope, found = "", list[str]()
    if listed is not None:
        scope = listed.scope
    elif thing in facts.scopes:
        scope = facts.scopes[thing].parent
    while scope and scope not in found:
        found.append(scope)
        scope = facts.scopes[scope].parent if scope in facts.scopes else ""
    return tuple(found)


def _accesses(radius: BlastRadius, resource: str) -> Iterable[Access]:
    """Give who holds a resource, or what matches a pattern that is reported, and how."""
    yield from radius.patterns.where(lambda grant: grant.resource == resource)
    for piece in radius.accesses.pieces:
        place = piece.lot.place(resource)
        if piece.lot.has(resource) and piece.mask >> place & 1:
            yield piece.written(place)


def _granted(accesses: Iterable[Access]) -> dict[str, int]:
    """How many statements grant somebody what they hold."""
    found: dict[str, set[StatementRef]] = {}
    for access in accesses:
        found.setdefault(access.grant.principal, set()).update(access.grant.statements)
    return {holder: max(len(statements), 1) for holder, statements in sorted(found.items())}


def _parted(graph: nx.DiGraph[str], scope: str) -> tuple[set[str], set[str]]:
    """The nodes on the starts' side of a smallest cut, and the others."""
    import networkx as nx

    _, sides = nx.minimum_cut(graph, _START, scope)  # pyright: ignore[reportUnknownMemberType] - half typed
    return sides


def _graph(radius: BlastRadius) -> nx.DiGraph[str]:
    import networkx as nx

    if len(radius.graph.paths) > MOST_NODES:
        raise InputError(
            f"{len(radius.graph.paths)} identities are reached, more than {MOST_NODES}",
            hint="look at an identity on the way, with --principal",
        )
    graph: nx.DiGraph[str] = nx.DiGraph()
    # Without a capacity an edge cannot be cut: what a deployment runs as is no hop.
    graph.add_edges_from((_START, start) for start in radius.graph.starts)
    parallel = Counter((p.source, p.target) for p in radius.graph.pivots if p.source != p.target)
    for (source, target), count in sorted(parallel.items()):
        if source in radius.graph.paths and target in radius.graph.paths:
            graph.add_edge(source, target, capacity=count)
    return graph


def _chain(node: str, above: dict[str, Any]) -> Iterable[str]:
    """The node and all that every way to it passes."""
    while node != _START:
        yield node
        parent = above.get(node)
        if parent is None or parent == node:
            return
        node = parent


def _crossing(sides: tuple[set[str], set[str]], pivots: Iterable[Pivot]) -> tuple[Pivot, ...]:
    reachable, rest = sides
    crossing = (p for p in pivots if p.source in reachable and p.target in rest)
    return tuple(sorted(crossing, key=lambda p: (p.source, p.target, p.kind, p.rule, p.via)))


def _holders(radius: BlastRadius) -> Counter[frozenset[str]]:
    """By how many resources who together holds them."""
    masks: dict[Lot, dict[str, int]] = {}
    for piece in radius.accesses.pieces:
        own, name = masks.setdefault(piece.lot, {}), piece.access.grant.principal
        own[name] = own.get(name, 0) | piece.mask
    found: dict[str, frozenset[str]] = {}
    for lot, own in masks.items():
        for mask, names in _alike(own).items():
            for resource in lot.of(mask):
                known = found.get(resource)
                found[resource] = known | names if known else names
    return Counter(found.values())


def _alike(own: dict[str, int]) -> dict[int, frozenset[str]]:
    """Part what several hold of a lot by who holds it."""
    holders: dict[int, set[str]] = {}
    for name, mask in own.items():
        holders.setdefault(mask, set()).add(name)
    parts: list[tuple[int, frozenset[str]]] = []
    for mask, names in holders.items():
        pieces: list[tuple[int, frozenset[str]]] = []
        left = mask
        for part, others in parts:
            if part & mask:
                pieces.append((part & mask, others | names))
            if part & ~mask:
                pieces.append((part & ~mask, others))
            left &= ~part
        if left:
            pieces.append((left, frozenset(names)))
        parts = pieces
    return dict(parts)


def _only_by(under: set[str], holders: Counter[frozenset[str]]) -> int:
    return sum(number for names, number in holders.items() if names <= under)
