"""Ways and accesses, turned into the hops that a report shows.

In a wide reach thousands of rows go by the same few hundred ways: each way, and each hop on it, is
written once, and the rows share it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from modelreach.graph import Path, Tool
from modelreach.model import Strength, Verdict
from modelreach.policy.decision import StatementRef
from modelreach.policy.engine import Grant, Pivot, Support
from modelreach.policy.expr import conjuncts
from modelreach.reach import Access
from modelreach.report import Hop


class Witnesses:
    """The witnesses of one report."""

    def __init__(self) -> None:
        # What a hop is written from is kept with it, so its id stays taken.
        self._ways: dict[tuple[int, str], tuple[Path, tuple[Hop, ...]]] = {}
        self._pivots: dict[int, tuple[Pivot, Hop]] = {}
        self._grants: dict[tuple[int, str], tuple[Grant, Hop]] = {}

    def of_path(self, path: Path, tool: Tool | None = None) -> tuple[Hop, ...]:
        """Give a path as hops, the start first: by a tool, where the start is a tool's."""
        key = id(path), tool.id if tool else ""
        if key not in self._ways:
            hops = _start_hop(path, tool), *map(self._pivot, path.pivots)
            self._ways[key] = path, hops
        return self._ways[key][1]

    def of_access(
        self, access: Access, actions: Sequence[str] = (), tool: Tool | None = None
    ) -> tuple[Hop, ...]:
        """Give the way to an access, and the grant at its end: that of the first of these actions,
        if it is about some of them only."""
        action = next(iter(actions or access.grant.actions), "")
        return (*self.of_path(access.path, tool), self._grant(access.grant, action))

    def _pivot(self, pivot: Pivot) -> Hop:
        if id(pivot) not in self._pivots:
            self._pivots[id(pivot)] = pivot, _pivot_hop(pivot)
        return self._pivots[id(pivot)][1]

    def _grant(self, grant: Grant, action: str) -> Hop:
        key = id(grant), action
        if key not in self._grants:
            self._grants[key] = grant, _grant_hop(grant, action)
        return self._grants[key][1]


def _start_hop(path: Path, tool: Tool | None) -> Hop:
    if tool is None:
        return Hop(kind="start", subject="", object=path.start, note="what the release runs as")
    return Hop(
        kind="start", subject=tool.node, object=path.start, note=described(tool), tool=tool.id
    )


def described(tool: Tool) -> str:
    """Say what is declared of a tool, and what is not."""
    parts = [f"{tool.kind or 'other'} tool", f"effect {tool.effect or 'not declared'}"]
    parts.append(f"approval {tool.approval or 'not declared'}")
    parts.append(f"{tool.input_trust or 'undeclared'} input")
    if tool.credential:
        parts.append(f"by {tool.credential}")
    return ", ".join(parts)


def _pivot_hop(pivot: Pivot) -> Hop:
    first, *others = pivot.support or (Support(pivot.source, "", pivot.target, ()),)
    hop = Hop(
        kind=pivot.kind,
        subject=pivot.source,
        object=pivot.target,
        action=first.action,
        strength=str(pivot.strength),
        depends_on=conjuncts(pivot.residual),
        pivot=pivot.rule,
        note=pivot.note or (f"by way of {pivot.via}" if pivot.via else ""),
        tool=pivot.tool,
        also=tuple(
            hop
            for support in (first, *others)
            for hop in _support_hops(support)[0 if support is not first else 1 :]
        ),
    )
    return _granted_by(hop, first.statements[0] if first.statements else None)


def _support_hops(support: Support) -> list[Hop]:
    refs: list[StatementRef | None] = list(support.statements) or [None]
    hop = Hop(
        kind="support",
        subject=support.subject,
        object=support.object,
        action=support.action,
        note=support.note,
    )
    return [_granted_by(hop, ref) for ref in refs]


def _grant_hop(grant: Grant, action: str) -> Hop:
    first, *others = grant.statements or (None,)
    support = Hop(kind="support", subject=grant.principal, object=grant.resource, action=action)
    hop = Hop(
        kind="grant",
        subject=grant.principal,
        object=grant.resource,
        action=action,
        strength=_STRENGTH[grant.verdict],
        depends_on=conjuncts(grant.residual),
        note="; ".join(grant.assumes),
        also=tuple(_granted_by(support, ref) for ref in others),
    )
    return _granted_by(hop, first)


_STRENGTH = {
    Verdict.ALLOW: str(Strength.CERTAIN),
    Verdict.CONDITIONAL: str(Strength.CONDITIONAL),
    Verdict.UNKNOWN: str(Strength.UNKNOWN),
    Verdict.DENY: str(Strength.UNKNOWN),
}


def _granted_by(hop: Hop, ref: StatementRef | None) -> Hop:
    if ref is None:
        return hop
    return replace(
        hop,
        layer=str(ref.layer),
        policy=ref.policy,
        target=ref.target,
        sid=ref.sid,
        statement=ref.text,
    )
