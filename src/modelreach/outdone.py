"""Who of those that are reached adds nothing to what somebody on the way there has.

Whoever takes a scope over acts as anybody in it. What these hold there, it holds itself, and by a
shorter way: so in a wide reach they are not asked about it one by one. Each stays an identity that
is reached, with its witness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from modelreach.graph import MANY, AccessGraph, Briefly, Path
from modelreach.policy.brief import outlining
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Engine, Grant
from modelreach.policy.expr import each_of
from modelreach.policy.lots import Grants
from modelreach.snapshot import Principal

Known = Callable[[str], "tuple[Engine, Principal] | None"]


class Outdone(msgspec.Struct, frozen=True):
    """`by` whom, and how many grants by pattern are left out for it, by the scope they lie in."""

    by: str
    left: Mapping[str, int]

    @property
    def patterns(self) -> int:
        """How many grants by pattern are left out."""
        return sum(self.left.values())


def outdone(graph: AccessGraph, known: Known) -> dict[str, str]:
    """Give who is outdone, and by whom; nobody where few are reached.

    By somebody whom the witness goes by, and by whose power over the scope it goes on: what takes
    that power away takes the way away, too.
    """
    if len(graph.paths) <= MANY:
        return {}
    rulers = _Rulers(graph, known)
    found = {
        node: by
        for node, path in graph.paths.items()
        if (by := next(rulers.over(node, path), None)) is not None
    }
    return dict(sorted(found.items()))


def beyond(
    engine: Engine, principal: Principal, name: str, graph: AccessGraph, taken: frozenset[str]
) -> tuple[Grants, tuple[Grant, ...], dict[str, int]]:
    """Give what somebody who is outdone holds besides, beyond its scope and those that are taken
    over (listed, and by pattern), and how many grants by pattern it holds that are left out, by
    the scope they lie in."""
    outlined = outlining(engine)
    if outlined is None:
        return Grants((), ()), (), {}
    brief = graph.pivots.known(name)
    outline = brief.outline if isinstance(brief, Briefly) else outlined.outline(name)
    left = dict(outlined.patterns(name))
    left[principal.scope] = outline.patterns - sum(left.values())
    return *outlined.beyond(name, taken), {
        scope: number
        for scope, number in left.items()
        if scope in taken or scope == principal.scope
    }


class _Rulers:
    """Those who take their own scope over, among those whom witnesses go by."""

    def __init__(self, graph: AccessGraph, known: Known) -> None:
        self._graph, self._known = graph, known
        self._power: dict[str, frozenset[StatementRef]] = {}

    def over(self, node: str, path: Path) -> Iterator[str]:
        """Give those who outdo somebody, the nearest to the start first."""
        mine = self._known(node)
        if mine is None:
            return
        engine, principal = mine
        outlined = outlining(engine)
        if outlined is None:
            return
        for place, pivot in enumerate(path.pivots):
            theirs = self._known(pivot.source)
            if theirs is None or theirs[0] is not engine or pivot.source == node:
                continue
            same = theirs[1].scope == principal.scope and self._goes_on(pivot.source, place, path)
            given = each_of(hop.residual for hop in path.pivots[place:])
            if same and outlined.outdoes(pivot.source, node, given):
                yield pivot.source

    def _goes_on(self, ruler: str, place: int, path: Path) -> bool:
        """Is the witness that of the ruler, and goes on by its power over the scope?"""
        power = self._of(ruler)
        if not power or self._graph.paths[ruler].pivots != path.pivots[:place]:
            return False
        return any(
            ref in power
            for pivot in path.pivots[place:]
            for support in pivot.support
            for ref in support.statements
        )

    def _of(self, ruler: str) -> frozenset[StatementRef]:
        """The statements by which it takes its scope over."""
        if ruler not in self._power:
            found = self._known(ruler)
            scope = found[1].scope if found else ""
            self._power[ruler] = frozenset(
                ref
                for pivot in self._graph.pivots.administering_by(ruler)
                for support in pivot.support
                if support.action and pivot.target == scope
                for ref in support.statements
            )
        return self._power[ruler]
