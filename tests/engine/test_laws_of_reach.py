"""What is reached is what brute force over all simple paths reaches, by ways as good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach import graph as graphs
from modelreach.graph import Briefly, Path, explore, hop_of
from modelreach.model import Strength
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.brief import Outline
from modelreach.policy.engine import Pivot
from modelreach.policy.expr import TRUE, Atom, AtomKind, Expr, atoms
from modelreach.reach import reach

SETTINGS = settings.get_profile("engine")


def _simple_paths(
    node: str, pivots: dict[str, list[Pivot]], way: tuple[Pivot, ...] = ()
) -> Iterator[tuple[str, tuple[Pivot, ...]]]:
    """Every way from a node that visits nothing twice; a scope is an end."""
    yield node, way
    if way and way[-1].kind == "administer":
        return
    seen = {pivot.source for pivot in way} | {node}
    for pivot in pivots.get(node, ()):
        if pivot.target not in seen:
            yield from _simple_paths(pivot.target, pivots, (*way, pivot))


#: Does a way only influence, how certain is it, how long is it?
_How = tuple[bool, int, int]

CERTAIN, CONDITIONAL, UNKNOWN = range(3)
ON_REQUEST = Atom(AtomKind.CONTEXT, "aws:sourceip", "IpAddress", ("192.0.2.0/24",))
NOT_READ = Atom(AtomKind.GAP, "a policy")
_CERTAINTY = {
    (Strength.CERTAIN, TRUE): CERTAIN,
    (Strength.CONDITIONAL, TRUE): CONDITIONAL,
    (Strength.UNKNOWN, TRUE): UNKNOWN,
    (Strength.INFLUENCE, TRUE): CERTAIN,
    (Strength.INFLUENCE, ON_REQUEST): CONDITIONAL,
    (Strength.INFLUENCE, NOT_READ): UNKNOWN,
}


def _how(way: tuple[Pivot, ...], certainty: dict[tuple[Strength, Expr], int]) -> _How:
    influences = any(pivot.strength is Strength.INFLUENCE for pivot in way)
    hops = (certainty[pivot.strength, pivot.residual] for pivot in way)
    return influences, max(hops, default=CERTAIN), len(way)


def _best(
    ways: Iterator[tuple[str, tuple[Pivot, ...]]],
    certainty: dict[tuple[Strength, Expr], int] = _CERTAINTY,
) -> dict[str, _How]:
    """How the way to each node is that goes first: one that acts, the most certain, the
    shortest."""
    best: dict[str, _How] = {}
    for node, way in ways:
        found = _how(way, certainty)
        best[node] = min(best.get(node, found), found)
    return best


def _told(paths: dict[str, Path]) -> dict[str, _How]:
    order = [Strength.CERTAIN, Strength.CONDITIONAL, Strength.UNKNOWN]
    return {
        node: (
            path.strength is Strength.INFLUENCE,
            order.index(path.certainty),
            len(path.pivots),
        )
        for node, path in paths.items()
    }


NODES = "abcdef"
Graph = dict[str, list[Pivot]]
_hop = st.tuples(st.sampled_from(NODES), st.sampled_from(sorted(_CERTAINTY, key=repr)))


def _pivot(source: str, target: str, how: tuple[Strength, Expr]) -> Pivot:
    return Pivot("administer" if target == "f" else "assume-role", source, target, *how, ())


@st.composite
def _graphs(draw: st.DrawFn) -> Graph:
    found: Graph = {}
    for source, (target, how) in draw(
        st.lists(st.tuples(st.sampled_from(NODES), _hop), max_size=12)
    ):
        found.setdefault(source, []).append(_pivot(source, target, how))
    return found


STARTS = st.sets(st.sampled_from(NODES[:3]), min_size=1, max_size=2)


@settings(SETTINGS, max_examples=300)
@given(graph=_graphs(), starts=STARTS)
def test_explore_finds_the_way_that_goes_first(graph: Graph, starts: set[str]) -> None:
    asked: list[str] = []

    def pivots_of(node: str) -> list[Pivot]:
        asked.append(node)
        return graph.get(node, [])

    found = explore(starts, pivots_of)
    ways = (way for start in sorted(starts) for way in _simple_paths(start, graph))
    assert _told(found.paths) == _best(ways)
    assert len(asked) == len(set(asked)), "each identity is asked once"
    assert "f" not in asked, "a scope is never asked"
    for node, path in found.paths.items():
        assert path.end == node
        assert path.start in starts


@st.composite
def _shared(draw: st.DrawFn) -> tuple[Graph, dict[str, Briefly]]:
    """A graph, and the same in brief: some hops are those of several, some are aimed."""

    def outlined(source: str) -> Outline:
        own = tuple(hop_of(_pivot(source, *one)) for one in draw(st.lists(_hop, max_size=2)))
        return Outline(
            own, draw(st.sampled_from(some)), draw(st.sampled_from(aims)), source, lambda: 0
        )

    lists = draw(st.lists(st.lists(_hop, max_size=3), min_size=1, max_size=2))
    some = [(), *(tuple(hop_of(_pivot("", *one)) for one in hops) for hops in lists)]
    aims = [tuple(hop for hop in hops if not hop.administers) for hops in some]
    outlines = {source: outlined(source) for source in NODES[:-1]}
    graph = {
        source: [
            _pivot(source, hop.target, (hop.strength, _HANGS_ON[hop.certainty]))
            if hop.strength is Strength.INFLUENCE
            else _pivot(source, hop.target, (hop.strength, TRUE))
            for hop in outline.every
        ]
        for source, outline in outlines.items()
    }
    return graph, {source: _briefly(outlines[source], graph[source]) for source in outlines}


_HANGS_ON = {
    Strength.CERTAIN: TRUE,
    Strength.CONDITIONAL: ON_REQUEST,
    Strength.UNKNOWN: NOT_READ,
}


def _briefly(outline: Outline, pivots: list[Pivot]) -> Briefly:
    def towards(targets: frozenset[str]) -> list[Pivot]:
        return [pivot for pivot in pivots if pivot.target in targets]

    return Briefly(outline, (), lambda: None, towards)


@settings(SETTINGS, max_examples=200)
@given(shared=_shared(), starts=STARTS)
def test_followed_in_brief_the_ways_are_the_same(
    shared: tuple[Graph, dict[str, Briefly]], starts: set[str]
) -> None:
    graph, briefly = shared
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphs, "MANY", 0)
        found = explore(starts, lambda node: graph.get(node, []), briefly.get)
    assert found.paths == explore(starts, lambda node: graph.get(node, [])).paths


def test_behind_an_influence_the_certain_way_is_the_better_one() -> None:
    """Whom one acts as under a condition, and surely prompts, is told as acted as; whom that one
    prompts is influenced for certain."""
    graph = {
        "a": [
            _pivot("a", "b", (Strength.CONDITIONAL, TRUE)),
            _pivot("a", "b", (Strength.INFLUENCE, TRUE)),
        ],
        "b": [_pivot("b", "c", (Strength.INFLUENCE, TRUE))],
        "c": [_pivot("c", "d", (Strength.UNKNOWN, TRUE))],
    }
    paths = explore(["a"], lambda node: graph.get(node, [])).paths
    assert {node: (path.strength, path.certainty) for node, path in paths.items()} == {
        "a": (Strength.CERTAIN, Strength.CERTAIN),
        "b": (Strength.CONDITIONAL, Strength.CONDITIONAL),
        "c": (Strength.INFLUENCE, Strength.CERTAIN),
        "d": (Strength.INFLUENCE, Strength.UNKNOWN),
    }


def test_a_short_weak_way_to_a_hop_serves_where_the_rest_is_as_weak() -> None:
    """The strongest way to `c` is the long one; beyond it, all ways are as weak."""

    def hop(source: str, target: str, strength: Strength) -> Pivot:
        return Pivot("assume-role", source, target, strength, TRUE, ())

    graph = {
        "a": [hop("a", "b", Strength.CERTAIN), hop("a", "c", Strength.CONDITIONAL)],
        "b": [hop("b", "c", Strength.CERTAIN)],
        "c": [hop("c", "d", Strength.CONDITIONAL)],
    }
    paths = explore(["a"], lambda node: graph.get(node, [])).paths
    assert [pivot.target for pivot in paths["c"].pivots] == ["b", "c"]
    assert [pivot.target for pivot in paths["d"].pivots] == ["c", "d"]


def _certainty(pivot: Pivot) -> int:
    known = {Strength.CERTAIN: CERTAIN, Strength.CONDITIONAL: CONDITIONAL}
    if pivot.strength is not Strength.INFLUENCE:
        return known.get(pivot.strength, UNKNOWN)
    kinds = {atom.kind for atom in atoms(pivot.residual)}
    if kinds & {AtomKind.GAP, AtomKind.OPAQUE}:
        return UNKNOWN
    return CONDITIONAL if kinds else CERTAIN


@SETTINGS
@given(data=st.data())
def test_reach_is_brute_force_over_all_simple_paths(world: Any, data: st.DataObject) -> None:
    facts = world.facts(data.draw(world.estates()))
    start = data.draw(st.sampled_from(world.principals))
    engine = AwsEngine(facts)
    pivots: dict[str, list[Pivot]] = {}
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node not in pivots and engine.principal(node) is not None:
            pivots[node] = list(engine.pivots(node))
            waiting += [pivot.target for pivot in pivots[node] if pivot.kind != "administer"]
    certainty = {
        (pivot.strength, pivot.residual): _certainty(pivot)
        for found in pivots.values()
        for pivot in found
    }
    best = _best(_simple_paths(start, pivots), certainty)
    radius = reach([start], {"aws": AwsEngine(facts)})
    assert _told(radius.graph.paths) == best
    reached = {node for node in best if engine.principal(node) is not None}
    assert set(radius.identities) == reached
    assert {a.grant for a in radius.accesses} == {
        grant for node in reached for grant in engine.grants(node)
    }
    assert set(radius.takeovers) == {
        pivot.target for found in pivots.values() for pivot in found if pivot.kind == "administer"
    }
