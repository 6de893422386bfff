"""The tools of a release as rows: what is declared of each, and what is reached through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from modelreach.accesses import Accesses, Held, Piece, together
from modelreach.graph import Tool
from modelreach.model import Sensitivity, base_of
from modelreach.pipeline.evaluate import Side
from modelreach.policy.lots import granted
from modelreach.report import ChangeRow, ToolRow

State = Literal["", "new", "unchanged", "changed", "gone"]


def tool_rows(side: Side) -> tuple[ToolRow, ...]:
    """Give the tools of one release, by id."""
    tools = sorted(side.radius.graph.tools, key=lambda tool: tool.id)
    return tuple(_row(tool, side, "", 0) for tool in tools)


def compared_tool_rows(old: Side, new: Side, changes: Iterable[ChangeRow]) -> tuple[ToolRow, ...]:
    """Give the tools of both releases, by id: of the new one with what each opened, and those that
    are gone."""
    opens = Counter(
        id_
        for change in changes
        if change.kind in ("gained", "widened")
        for id_ in change.opened_by
    )
    before = {tool.id for tool in old.radius.graph.tools}
    after = {tool.id for tool in new.radius.graph.tools}
    found = [
        _row(tool, new, _state(tool, before, new), opens[tool.id])
        for tool in new.radius.graph.tools
    ]
    gone = [tool for tool in old.radius.graph.tools if tool.id not in after]
    found += [_row(tool, old, "gone", 0) for tool in gone]
    return tuple(sorted(found, key=lambda row: row.id))


def _state(tool: Tool, before: set[str], new: Side) -> State:
    if tool.id not in before:
        return "new"
    return "changed" if tool.id in new.toolbox.fresh else "unchanged"


def _row(tool: Tool, side: Side, state: State, opens: int) -> ToolRow:
    ends = side.toolbox.reached(tool.id)
    resources, sensitive = set[str](), set[str]()
    for part in together(_held(side, ends)):
        high = side.case.weighing.rated(part.grant, part.lot, part.mask, (Sensitivity.HIGH,))
        resources.update(part.ids)
        sensitive.update(part.lot.of(high))
    return ToolRow(
        id=tool.id,
        kind=tool.kind,
        target=tool.target,
        effect=tool.effect,
        approval=tool.approval,
        input_trust=tool.input_trust,
        runs_as=tool.identity,
        principals=tool.runs_as,
        credential=tool.credential,
        state=state,
        resources=len(resources),
        sensitive=len(sensitive),
        identities=len(set(map(base_of, ends & side.radius.identities.keys()))),
        administers=len(ends & side.radius.takeovers.keys()),
        opens=opens,
    )


def _held(side: Side, ends: frozenset[str]) -> Iterator[Piece]:
    """What those hold whom a tool reaches: of those who are outdone, all that they hold, unless it
    reaches whoever outdoes them, too."""
    radius = side.radius
    yield from (p for p in radius.accesses.pieces if p.access.grant.principal in ends)
    for name, one in radius.outdone.items():
        if name in ends and one.by not in ends:
            identity = radius.identities[name]
            found = granted(side.case.engines[identity.principal.provider], name)
            yield from Accesses([Held(identity.path, found)]).pieces
