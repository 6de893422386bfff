"""By whom a principal can have done what it may not do itself, for `can`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from modelreach.model import Strength, Verdict

if TYPE_CHECKING:
    from modelreach.policy.engine import Engine
    from modelreach.report import ThroughRow
    from modelreach.snapshot import Facts

Context = Mapping[str, tuple[str, ...]]

#: The surest first; who is only fed or prompted is not become.
_SAID = ("allow", "conditional", "unknown")
_WAYS = {Strength.CERTAIN: 0, Strength.CONDITIONAL: 1, Strength.UNKNOWN: 2}
_ANSWERS = {Verdict.ALLOW: 0, Verdict.CONDITIONAL: 1, Verdict.UNKNOWN: 2}


def through(
    principal: str,
    action: str,
    resource: str,
    context: Context,
    engines: Mapping[str, Engine],
    facts: Facts,
) -> tuple[ThroughRow, ...]:
    """Give who may do an action on a resource and can be become, and the scopes around it that can
    be taken over: the surest and nearest first."""
    from modelreach.graph import explore
    from modelreach.reach import Owner
    from modelreach.report import ThroughRow

    owner = Owner(engines)
    graph = explore([principal], owner.pivots, owner.briefly)
    around = _around(resource, facts)
    found: list[ThroughRow] = []
    for name, path in graph.paths.items():
        way, known = _WAYS.get(path.strength), owner.of(name)
        if way is None or not path.pivots:
            continue
        if known is not None:
            answer = _ANSWERS.get(known[0].decide(name, action, resource, context).verdict)
        else:
            answer = 0 if name in around else None
        if answer is not None:
            found.append(
                ThroughRow(
                    kind="identity" if known else "scope",
                    id=name,
                    verdict=_SAID[max(way, answer)],
                    hops=len(path.pivots),
                )
            )
    return tuple(sorted(found, key=lambda row: (_SAID.index(row.verdict), row.hops, row.id)))


def _around(resource: str, facts: Facts) -> tuple[str, ...]:
    """The scopes that a resource lies in, or that what it is a part of does."""
    from modelreach.chokepoints import scopes_around

    for whole in _wholes(resource):
        if found := scopes_around(whole, facts):
            return found
    account = resource.split(":")[4:5] if resource.startswith("arn:") else []
    return tuple(scope for one in account for scope in (one, *scopes_around(one, facts)))


def _wholes(resource: str) -> Iterator[str]:
    yield resource
    for at in range(len(resource) - 1, 0, -1):
        if resource[at] in "/:":
            yield resource[:at]
