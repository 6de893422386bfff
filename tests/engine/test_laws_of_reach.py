"""What is reached is what brute force over all simple paths reaches, by ways as good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.graph import WEAKNESS, explore
from modelreach.model import Strength
from modelreach.policy.aws.engine import AwsEngine
from modelreach.policy.engine import Pivot
from modelreach.policy.expr import TRUE
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


def _best(ways: Iterator[tuple[str, tuple[Pivot, ...]]]) -> dict[str, tuple[int, int]]:
    """The weakness of the strongest way to each node, and the length of the shortest such."""
    best: dict[str, tuple[int, int]] = {}
    for node, way in ways:
        weakness = max((WEAKNESS[pivot.strength] for pivot in way), default=0)
        found = (weakness, len(way))
        best[node] = min(best.get(node, found), found)
    return best


NODES = "abcdef"


@st.composite
def _graphs(draw: st.DrawFn) -> dict[str, list[Pivot]]:
    edges = draw(
        st.lists(
            st.tuples(
                st.sampled_from(NODES), st.sampled_from(NODES), st.sampled_from(list(Strength))
            ),
            max_size=12,
        )
    )
    found: dict[str, list[Pivot]] = {}
    for source, target, strength in edges:
        kind = "administer" if target == "f" else "assume-role"
        found.setdefault(source, []).append(Pivot(kind, source, target, strength, TRUE, ()))
    return found


@settings(SETTINGS, max_examples=300)
@given(graph=_graphs(), starts=st.sets(st.sampled_from(NODES[:3]), min_size=1, max_size=2))
def test_explore_finds_the_strongest_and_then_the_shortest_way(
    graph: dict[str, list[Pivot]], starts: set[str]
) -> None:
    asked: list[str] = []

    def pivots_of(node: str) -> list[Pivot]:
        asked.append(node)
        return graph.get(node, [])

    found = explore(starts, pivots_of)
    ways = (way for start in sorted(starts) for way in _simple_paths(start, graph))
    told = {
        node: (WEAKNESS[path.strength], len(path.pivots)) for node, path in found.paths.items()
    }
    assert told == _best(ways)
    assert len(asked) == len(set(asked)), "each identity is asked once"
    assert "f" not in asked, "a scope is never asked"
    for node, path in found.paths.items():
        assert path.end == node
        assert path.start in starts


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
    best = _best(_simple_paths(start, pivots))
    radius = reach([start], {"aws": AwsEngine(facts)})
    told = {
        node: (WEAKNESS[path.strength], len(path.pivots))
        for node, path in radius.graph.paths.items()
    }
    assert told == best
    reached = {node for node in best if engine.principal(node) is not None}
    assert set(radius.identities) == reached
    assert {a.grant for a in radius.accesses} == {
        grant for node in reached for grant in engine.grants(node)
    }
    assert set(radius.takeovers) == {
        pivot.target for found in pivots.values() for pivot in found if pivot.kind == "administer"
    }
