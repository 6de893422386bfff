"""What is reached by way of hubs is what a plain search finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelreach.model import base_of
from modelreach.pipeline import closure
from modelreach.pipeline.closure import SCOPE, STRENGTHS, Closure, Reach
from modelreach.pipeline.decided import Decided, Held, Step, Steps, to_bytes
from modelreach.pipeline.holding import Grounds
from modelreach.pipeline.kept import Record, packed, unpacked

Estate = dict[str, Decided]
Wired = tuple[tuple[str, Step], ...]


def _plainly(estate: Estate, starts: list[str], wired: Wired) -> Reach:
    """The definition: each node by the way that goes first of all ways (does it only influence,
    how certain is it?), each resource under its surest verdict."""
    ways: set[tuple[str, bool, int]] = set()
    waiting = [(name, False, 0) for name in starts]
    while waiting:
        name, influences, certainty = way = waiting.pop()
        if way in ways or (name not in estate and not name.startswith(SCOPE)):
            continue
        ways.add(way)
        steps = list(estate[name].every) if name in estate else []
        for step in (*steps, *(step for source, step in wired if source == name)):
            target = SCOPE + step.target if step.administers else step.target
            further = influences or step.weakness > 2, max(certainty, step.weakness % 3)
            waiting.append((target, *further))
    best: dict[str, tuple[bool, int]] = {}
    for name, influences, certainty in sorted(ways):
        best.setdefault(name, (influences, certainty))
    identities = [0] * STRENGTHS
    told: dict[str, int] = {}
    surest: dict[tuple[str, str, str, int], int] = {}
    patterns = 0
    for name, (influences, certainty) in best.items():
        if name not in estate:
            continue
        strength = 3 if influences else certainty
        told[base_of(name)] = min(strength, told.get(base_of(name), strength))
        patterns += estate[name].patterns
        for held in estate[name].held:
            verdict = max(held.verdict, certainty)
            bits = int.from_bytes(held.bits, "little")
            for bit in (n for n in range(8) if bits >> n & 1):
                key = (held.kind, held.capability, held.scope, bit)
                surest[key] = min(verdict, surest.get(key, verdict))
    for strength in told.values():
        identities[strength] += 1
    counts: dict[tuple[str, str], list[int]] = {}
    for (kind, capability, _, _), verdict in surest.items():
        row = counts.setdefault((kind, capability), [0, 0, 0])
        for place in range(verdict, 3):
            row[place] += 1
    scopes = {
        name.removeprefix(SCOPE): 3 * influences + certainty
        for name, (influences, certainty) in best.items()
        if name.startswith(SCOPE)
    }
    return Reach(identities, scopes, {key: tuple(row) for key, row in counts.items()}, patterns)


NAMES = [f"p{n}" for n in range(9)] + ["p0#any-role@/x", "p0#roles@x", "p9#bound-roles"]
TARGETS = [*NAMES, *(f"{name}#any-policy" for name in NAMES[:4]), "stranger"]
_step = st.builds(
    Step,
    st.sampled_from(TARGETS),
    st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5]),
    st.sampled_from([False, False, False, True]),
)
_steps = st.lists(_step, max_size=3).map(tuple)
_held = st.builds(
    Held,
    st.sampled_from(["storage", "secrets"]),
    st.sampled_from(["read", "write"]),
    st.integers(0, 2),
    st.sampled_from(["1", "2"]),
    st.integers(1, 255).map(to_bytes),
)


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    together = draw(st.lists(_steps, min_size=1, max_size=3))
    aimed = [tuple(step for step in some if not step.administers) for some in together]
    made: Estate = {}
    for name in (*NAMES, *TARGETS[len(NAMES) : -1]):
        made[name] = Decided(
            draw(_steps),
            draw(st.lists(_held, max_size=2).map(tuple)),
            draw(st.integers(0, 3)),
            draw(st.sampled_from([(), *together])),
            draw(st.sampled_from([(), *aimed])),
            name.partition("#")[0],
        )
    return made


def _releases(draw: st.DataObject) -> Iterator[tuple[list[str], Wired]]:
    for _ in range(6):
        starts = draw.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2))
        wires = st.lists(st.tuples(st.sampled_from(NAMES), _step), min_size=1, max_size=2)
        wired = draw.draw(wires.map(tuple)) if draw.draw(st.integers(0, 4)) == 0 else ()
        yield starts, wired


def _compare(estate: Estate, data: st.DataObject) -> None:
    reached = Closure(estate.get)
    for starts, wired in _releases(data):
        assert reached.of(starts, wired) == _plainly(estate, starts, wired)


@pytest.mark.parametrize("many", [0, 2])
def test_by_way_of_hubs(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure, "_MANY", many)

    @settings(max_examples=60)
    @given(estate=estates(), data=st.data())
    def compare(estate: Estate, data: st.DataObject) -> None:
        _compare(estate, data)

    compare()


@pytest.mark.soak
@pytest.mark.parametrize("many", [0, 1, 2, 3])
def test_by_way_of_hubs_at_length(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure, "_MANY", many)

    @settings(max_examples=5000)
    @given(estate=estates(), data=st.data())
    def compare(estate: Estate, data: st.DataObject) -> None:
        _compare(estate, data)

    compare()


def _following(estate: Estate, start: str, steps: Steps) -> set[str]:
    seen: set[str] = set()
    frontier = {start}
    while frontier:
        seen |= frontier
        known = (decided for name in sorted(frontier) if (decided := estate.get(name)))
        frontier = {target for decided in known for target in steps.new(decided)} - seen
    return seen


@given(estate=estates(), start=st.sampled_from(NAMES))
def test_step_by_step_nobody_is_missed_and_none_is_reached_besides(
    estate: Estate, start: str
) -> None:
    class Every(Steps):
        def new(self, decided: Decided) -> Iterator[str]:
            return (step.target for step in decided.every if not step.administers)

    assert _following(estate, start, Steps()) == _following(estate, start, Every())


@given(estate=estates())
def test_records_are_read_back_as_they_were_and_alike_again(estate: Estate) -> None:
    records = {name: Record(Grounds(b"x"), decided) for name, decided in estate.items()}
    found = unpacked(packed(records))
    assert {name: record.decided for name, record in found.items()} == estate
    decided = [record.decided for record in found.values() if record.decided is not None]
    assert len({id(one.aimed) for one in decided}) == len({one.aimed for one in decided})
