"""Which tool opens which reach: every way begins at a tool whose identity it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.accesses import Accesses, Patterns
from modelreach.graph import AccessGraph, Edges, Path, Tool
from modelreach.model import Capability, Strength, Verdict
from modelreach.policy.engine import Grant, Pivot
from modelreach.policy.expr import TRUE
from modelreach.reach import Access, BlastRadius
from modelreach.toolbox import Toolbox, fresh

NAMES = "abcdef"


def pivot(source: str, target: str, tool: str = "") -> Pivot:
    return Pivot("assume-role", source, target, Strength.CERTAIN, TRUE, (), tool=tool)


def box(
    tools: list[Tool],
    pivots: list[Pivot],
    starts: str = "ab",
    fresh_ones: frozenset[str] = frozenset(),
) -> Toolbox:
    paths = {name: Path(name) for name in starts}
    waiting = list(starts)
    while waiting:
        here = waiting.pop(0)
        for hop in pivots:
            if hop.source == here and hop.target not in paths:
                paths[hop.target] = Path(paths[here].start, (*paths[here].pivots, hop))
                waiting.append(hop.target)
    edges = Edges(lambda name: [pivot for pivot in pivots if pivot.source == name])
    for name in paths:
        edges.follow(name)
    graph = AccessGraph(tuple(starts), paths, edges, tuple(tools))
    return Toolbox(BlastRadius(graph, {}, {}, Accesses(), Patterns(), {}), fresh_ones)


def grant(principal: str, resource: str = "r", capability: Capability = Capability.READ) -> Grant:
    return Grant(principal, resource, "k", resource, "s", "aws", capability, ("x",), Verdict.ALLOW)


def access(found: Toolbox, end: str, **more: object) -> Access:
    return Access(grant(end, **more), found.radius.graph.paths[end])  # type: ignore[arg-type]


READER = Tool("reader", kind="http", effect="read", approval="none", runs_as=("a",))
WRITER = Tool("writer", kind="http", effect="write", approval="human", runs_as=("a",))
CODE = Tool("code", kind="code-interpreter", effect="execute", runs_as=("b",))
MADE = Tool("made", kind="function", target="r", effect="read", runs_as=("a",), bounded=True)


@pytest.mark.parametrize(
    ("tools", "end", "capability", "first"),
    [
        ([READER, WRITER], "a", Capability.READ, "reader"),
        ([READER, WRITER], "a", Capability.WRITE, "writer"),
        ([READER, MADE], "a", Capability.READ, "made"),
        ([READER, CODE], "b", Capability.ADMINISTER, "code"),
        ([READER], "b", Capability.READ, ""),
        ([READER, WRITER], "a", Capability.MANAGE, "reader"),
    ],
)
def test_the_likeliest_tool_comes_first(
    tools: list[Tool], end: str, capability: Capability, first: str
) -> None:
    found = box(tools, [])
    one = access(found, end, capability=capability)
    tool = found.first(one.path, one.grant)
    assert (tool.id if tool else "") == first


def test_a_hop_that_one_tool_takes_is_its_own() -> None:
    """Another tool of the same identity does not come that way."""
    found = box([READER, MADE], [pivot("a", "c", tool="made")])
    one = access(found, "c", resource="other")
    assert [tool.id for tool in found.by(one.path, one.grant)] == ["made"]
    assert found.reached("reader") == {"a"}
    assert found.reached("made") == {"a", "c"}


def test_what_was_there_before_opened_nothing() -> None:
    for fresh_ones, opened in ((set(), ()), ({"reader"}, ("reader",))):
        found = box([READER], [], fresh_ones=frozenset(fresh_ones))
        assert found.opened_by(access(found, "a")) == opened
    second = Tool("second", kind="http", effect="read", runs_as=("a",))
    both = box([READER, second], [], fresh_ones=frozenset({"second"}))
    assert both.opened_by(access(both, "a")) == (), "one that fits as well was there"


def test_a_tool_is_fresh_when_it_is_new_or_acts_as_somebody_else() -> None:
    moved = Tool("reader", kind="http", effect="read", approval="none", runs_as=("b",))
    assert fresh([READER, WRITER], [READER]) == {"writer"}
    assert fresh([moved], [READER]) == {"reader"}
    assert fresh([READER], [READER]) == set()


@st.composite
def boxes(draw: st.DrawFn) -> Toolbox:
    names = st.sampled_from(NAMES)
    ids = draw(st.lists(st.sampled_from(["t", "u", "v"]), unique=True, max_size=3))
    tools = [
        Tool(
            id_,
            kind=draw(st.sampled_from(["http", "code-interpreter"])),
            effect=draw(st.sampled_from(["", "read", "write", "admin"])),
            runs_as=(draw(st.sampled_from("ab")),),
        )
        for id_ in ids
    ]
    hops = draw(st.lists(st.tuples(names, names, st.sampled_from(["", *ids])), max_size=12))
    fresh_ones = draw(st.sets(st.sampled_from(ids or ["t"])))
    return box(tools, [pivot(*hop) for hop in hops], fresh_ones=frozenset(fresh_ones))


@settings(max_examples=80, deadline=None)
@given(boxes())
def test_a_tool_reaches_what_a_release_with_it_alone_would(found: Toolbox) -> None:
    for tool in found.radius.graph.tools:
        usable = [p for p in found.radius.graph.pivots if p.tool in ("", tool.id)]
        alone = box([tool], usable, starts=tool.runs_as[0])
        calls = {p.target for p in usable if p.tool == tool.id and p.source in "ab"}
        assert alone.radius.graph.paths.keys() - calls <= found.reached(tool.id)


@settings(max_examples=80, deadline=None)
@given(boxes())
def test_a_way_begins_at_a_tool_that_acts_as_its_start(found: Toolbox) -> None:
    for end, path in found.radius.graph.paths.items():
        one = Access(grant(end), path)
        first = found.first(path, one.grant)
        if first is not None:
            assert path.start in first.runs_as or any(p.tool == first.id for p in path.pivots)
            assert end in found.reached(first.id)
        assert set(found.opened_by(one)) <= found.fresh


def test_the_graph_of_a_tool_is_that_of_its_identity() -> None:
    drawn = box([READER], [pivot("a", "c")]).radius.graph.to_networkx()
    assert drawn.nodes["tool:reader"]["effect"] == "read"
    assert drawn.nodes["tool:reader"]["approval"] == "none"
    assert list(drawn.successors("tool:reader")) == ["a"]
