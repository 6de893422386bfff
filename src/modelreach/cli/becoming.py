"""Whom a principal can become that may do what it may not do itself, for `can`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from modelreach.model import Strength, Verdict

if TYPE_CHECKING:
    from modelreach.policy.engine import Engine
    from modelreach.report import ThroughRow

Context = Mapping[str, tuple[str, ...]]

#: The surest first; who is only fed or prompted is not become.
_SAID = ("allow", "conditional", "unknown")
_WAYS = {Strength.CERTAIN: 0, Strength.CONDITIONAL: 1, Strength.UNKNOWN: 2}
_ANSWERS = {Verdict.ALLOW: 0, Verdict.CONDITIONAL: 1, Verdict.UNKNOWN: 2}


def through(
    principal: str, action: str, resource: str, context: Context, engines: Mapping[str, Engine]
) -> tuple[ThroughRow, ...]:
    """Give who may do an action on a resource and can be become, the surest and nearest first."""
    from modelreach.graph import explore
    from modelreach.reach import Owner
    from modelreach.report import ThroughRow

    owner = Owner(engines)
    graph = explore([principal], owner.pivots, owner.briefly)
    found: list[ThroughRow] = []
    for name, path in graph.paths.items():
        way, known = _WAYS.get(path.strength), owner.of(name)
        if way is None or known is None or not path.pivots:
            continue
        answer = _ANSWERS.get(known[0].decide(name, action, resource, context).verdict)
        if answer is not None:
            verdict = _SAID[max(way, answer)]
            found.append(ThroughRow(identity=name, verdict=verdict, hops=len(path.pivots)))
    return tuple(sorted(found, key=lambda row: (_SAID.index(row.verdict), row.hops, row.identity)))
