"""By which tools a release reaches what it reaches, and which of them opened it.

A tool acts as its identity, so that the model reaches through it whatever the identity reaches:
what is declared of a tool takes nothing away from that. It only tells which of several tools of
one identity a reader should look at first.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec

from modelreach.graph import Path, Tool
from modelreach.model import Capability
from modelreach.policy.engine import Grant
from modelreach.reach import Access, BlastRadius

#: Kinds and effects of tools that are bounded by nothing but their identity.
_OPEN_KINDS = frozenset({"code-interpreter", "computer-use"})
_OPEN_EFFECTS = frozenset({"execute", "admin"})
_READING = frozenset({Capability.LIST, Capability.READ})
_WRITING = frozenset({Capability.WRITE, Capability.TAG})
_APPROVALS = {"": 0, "none": 0, "policy": 1, "human": 2}

#: How well a tool fits what is reached, best first: it is made for it, it is open to anything,
#: what is declared of it admits this, it is declared to be something else.
_MADE_FOR, _OPEN, _ADMITS, _ELSE = range(4)


class _Asked(msgspec.Struct, frozen=True):
    """What the choice of tools hangs on, and nothing else: many accesses ask the same.

    `calls` are the tools that alone take a hop of the way, `target` those made for the resource.
    """

    end: str
    calls: tuple[str, ...]
    onward: bool
    target: frozenset[str]
    capability: Capability | None
    new: bool


class Toolbox(msgspec.Struct, frozen=True, dict=True):
    """The tools of one side. `fresh` are ids of those that the other side has not, or not with the
    same identity and target."""

    radius: BlastRadius
    fresh: frozenset[str] = frozenset()

    def reached(self, tool: str) -> frozenset[str]:
        """Give the identities and scopes that are reached through a tool."""
        return self._ends[tool]

    def by(self, path: Path, grant: Grant | None = None, *, new: bool = False) -> tuple[Tool, ...]:
        """Give the tools by which the end of a path is reached, and from there what a grant
        gives; the likeliest first, and among those as likely the fresh ones if it is `new`."""
        if not self.radius.graph.tools:
            return ()
        return self._ranked(self._asked(path, grant, new))

    def first(self, path: Path, grant: Grant | None = None, *, new: bool = False) -> Tool | None:
        """Give the tool that a path begins with: the likeliest that acts as its start."""
        if not self.radius.graph.tools:
            return None
        asked = self._asked(path, grant, new)
        for tool in self._ranked(asked):
            if tool.id in asked.calls or (not asked.calls and path.start in tool.runs_as):
                return tool
        return None

    def opened_by(self, access: Access) -> tuple[str, ...]:
        """Give the ids of the fresh tools that opened an access which the other side has not: of
        the tools that fit it best, all, if none of those was there before."""
        if self.first(access.path, access.grant, new=True) is None:
            return ()
        asked = self._asked(access.path, access.grant, new=True)
        tools = self._ranked(asked)
        best = min(_fit(tool, asked) for tool in tools)
        opened = [tool.id for tool in tools if _fit(tool, asked) == best]
        return tuple(opened) if self.fresh.issuperset(opened) else ()

    # --- what they reach -------------------------------------------------------------------

    @cached_property
    def _ends(self) -> dict[str, frozenset[str]]:
        return {tool.id: self._from(tool) for tool in self.radius.graph.tools}

    def _from(self, tool: Tool) -> frozenset[str]:
        """Everything that the tool's identities come to, by hops of anybody or its own."""
        graph = self.radius.graph
        own = [pivot.target for pivot in graph.pivots.of_tools() if pivot.tool == tool.id]
        waiting = [name for name in (*tool.runs_as, *own) if name in graph.paths]
        seen = set(waiting)
        while waiting:
            for target, by in graph.pivots.targets(waiting.pop()):
                if target not in seen and by in ("", tool.id):
                    seen.add(target)
                    waiting.append(target)
        return frozenset(seen)

    # --- which of them ---------------------------------------------------------------------

    @cached_property
    def _known(self) -> dict[_Asked, tuple[Tool, ...]]:
        return {}

    def _asked(self, path: Path, grant: Grant | None, new: bool) -> _Asked:
        tools = self.radius.graph.tools
        resource = grant.resource if grant is not None else ""
        made_for = frozenset(tool.id for tool in tools if _is_target(tool.target, resource))
        calls = tuple(pivot.tool for pivot in path.pivots if pivot.tool)
        capability = grant.capability if grant is not None else None
        return _Asked(path.end, calls, bool(path.pivots), made_for, capability, new)

    def _ranked(self, asked: _Asked) -> tuple[Tool, ...]:
        if asked not in self._known:
            tools = [t for t in self.radius.graph.tools if asked.end in self._ends[t.id]]
            self._known[asked] = tuple(sorted(tools, key=lambda tool: self._order(tool, asked)))
        return self._known[asked]

    def _order(self, tool: Tool, asked: _Asked) -> tuple[object, ...]:
        return (
            _fit(tool, asked),
            (tool.id in self.fresh) is not asked.new,
            _APPROVALS.get(tool.approval, 0),
            tool.input_trust == "trusted",
            tool.id,
        )


def _fit(tool: Tool, asked: _Asked) -> int:
    if tool.id in asked.calls or (tool.id in asked.target and not asked.onward):
        return _MADE_FOR
    if tool.kind in _OPEN_KINDS or tool.effect in _OPEN_EFFECTS:
        return _OPEN
    if tool.bounded or asked.onward or asked.capability is None:
        return _ELSE
    return _ADMITS if _admits(tool.effect, asked.capability) else _ELSE


def _admits(effect: str, capability: Capability) -> bool:
    """May a tool with that effect do it? One whose effect is not declared may."""
    if capability in _READING or not effect:
        return True
    return capability in _WRITING and effect != "read"


def _is_target(target: str, resource: str) -> bool:
    below = (f"{resource}/", f"{resource}:")
    return bool(resource) and (target == resource or target.startswith(below))


def fresh(these: Iterable[Tool], others: Iterable[Tool]) -> frozenset[str]:
    """Give the ids of the tools that the others have not, or not as the same principal for the
    same target."""
    known = {(tool.id, tool.runs_as, tool.target) for tool in others}
    return frozenset(t.id for t in these if (t.id, t.runs_as, t.target) not in known)
