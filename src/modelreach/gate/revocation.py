"""How to undo what a release newly reaches: the fewest statements to cut, and the commands for it.

The witnesses of all that the triggers name make a graph; its minimum cut between what the release
runs as and what must not be reached is the plan. A cut is made by an explicit deny on the identity
that takes the step, which works at once, touches no other policy, and is undone by one command.

https://networkx.org/documentation/stable/reference/algorithms/flow.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

import msgspec

from modelreach.gate.commands import commands_of, stop_commands
from modelreach.gate.commands.shell import Commands
from modelreach.gate.commands.shell import Step as CutStep
from modelreach.report import (
    CredentialRow,
    CutRow,
    DiffReport,
    Hop,
    SecurityChange,
    StopRow,
)

if TYPE_CHECKING:
    import networkx as nx

_REACHED = frozenset({"SENSITIVE-REACHED", "ADMIN-REACHED", "WORKFLOW-REACHED", "IDENTITY-NEW"})
_MORE = frozenset({"gained", "widened"})
#: What a cut costs: one that stops an identity altogether is the last choice.
_COST, _COST_OF_ALL = 2, 5


class Plan(msgspec.Struct, frozen=True):
    """The cuts in order of how much they take away; `uncut` are subjects of triggers that no
    known command takes away. `stops` halt an identity of the release altogether."""

    cuts: tuple[CutRow, ...] = ()
    uncut: tuple[str, ...] = ()
    stops: tuple[StopRow, ...] = ()


class _Step(msgspec.Struct):
    """One element that can be cut: a subject, and the statement that lets it."""

    hop: Hop
    actions: set[str] = msgspec.field(default_factory=set[str])
    objects: set[str] = msgspec.field(default_factory=set[str])


_Key = tuple[str, str, str, str, str]
_SOURCE, _SINK = ("source",), ("sink",)


#: Name of an identity in the manifest -> its principal and cloud.
Identities = dict[str, tuple[str, str]]


def plan(report: DiffReport, change: SecurityChange, identities: Identities) -> Plan:
    """Give the plan for a comparison. `identities` are those of the new release's manifest."""
    import networkx as nx

    targets = {row.subject for row in change.triggers if row.id in _REACHED and row.witness}
    starts = [row.id for row in report.identities_new if row.start]
    targets -= set(starts)
    ways = list(_ways(report, change, targets))
    steps: dict[_Key, _Step] = {}
    graph: nx.DiGraph[object] = nx.DiGraph()
    for actions, way in ways:
        _add(graph, steps, way, actions)
    for start in starts:
        graph.add_edge(_SOURCE, start)
    for target in sorted(targets & set(map(str, graph.nodes))):
        graph.add_edge(target, _SINK)
    chosen = _minimum(graph, steps) if ways else []
    provider_of = {row.id: row.provider for row in report.identities_new}
    found = [_cut(steps[key], number, provider_of, targets, graph) for number, key in chosen]
    stops = tuple(_stops(report, identities))
    stopped = {row.identity for row in stops}
    unread = [
        row.subject
        for row in change.triggers
        if row.id in ("IDENTITY-NEW", "LONG-LIVED-KEY")
        and not _is_reached(row.subject, report)
        and identities.get(row.subject, (row.subject, ""))[0] not in stopped
    ]
    uncut = [subject for row in found if not row.commands for subject in row.takes_away]
    return Plan(
        cuts=tuple(found) + tuple(_keys(change, report)),
        uncut=tuple(dict.fromkeys([*uncut, *unread])),
        stops=stops,
    )


def _is_reached(subject: str, report: DiffReport) -> bool:
    known = {row.id for row in report.identities_new}
    known |= {row.id for row in report.credentials}
    return subject in known


def _ways(
    report: DiffReport, change: SecurityChange, targets: set[str]
) -> Iterator[tuple[tuple[str, ...], tuple[Hop, ...]]]:
    """Every witness that leads to a target, with the actions at its end."""
    for row in report.changes:
        if row.kind in _MORE and row.resource in targets:
            yield row.actions, row.witness
    for admin in report.admin_of_new:
        if admin.scope in targets:
            yield ("*",), admin.witness
    for trigger in change.triggers:
        if trigger.subject in targets:
            yield (), trigger.witness


def _add(
    graph: nx.DiGraph[object],
    steps: dict[_Key, _Step],
    way: Iterable[Hop],
    actions: tuple[str, ...],
) -> None:
    hops = [hop for hop in way if hop.kind != "start"]
    for place, hop in enumerate(hops):
        key = _key(hop)
        step = steps.setdefault(key, _Step(_own(hop)))
        last = place == len(hops) - 1
        step.actions |= set(actions if last and actions else [hop.action or "*"])
        step.objects.add(hop.object)
        cost = _COST_OF_ALL if "*" in step.actions else _COST
        graph.add_edge(hop.subject, (*key, "in"))
        graph.add_edge((*key, "in"), (*key, "out"), capacity=cost)
        graph.add_edge((*key, "out"), hop.object)


def _own(hop: Hop) -> Hop:
    """The statement in the subject's own policies, if there is one: that is where to look."""
    for part in (hop, *hop.also):
        if part.layer in ("identity", "binding") and part.subject == hop.subject:
            return part
    return hop


def _key(hop: Hop) -> _Key:
    own = _own(hop)
    return hop.subject, own.target, own.policy, own.sid, own.statement


def _minimum(graph: nx.DiGraph[object], steps: dict[_Key, _Step]) -> list[tuple[int, _Key]]:
    import networkx as nx

    if _SOURCE not in graph or _SINK not in graph:
        return []
    sides: Any = cast("Any", nx).minimum_cut(graph, _SOURCE, _SINK)
    near: set[object] = sides[1][0]
    cut = [k for k in sorted(steps) if (*k, "in") in near and (*k, "out") not in near]
    return list(enumerate(cut, start=1))


def _cut(
    step: _Step,
    number: int,
    provider_of: dict[str, str],
    targets: set[str],
    graph: nx.DiGraph[object],
) -> CutRow:
    import networkx as nx

    hop = step.hop
    beyond: set[object] = cast("Any", nx).descendants(graph, (*_key(hop), "out"))
    taken = tuple(sorted(targets & {str(node) for node in beyond}))
    actions, objects = tuple(sorted(step.actions)), tuple(sorted(step.objects))
    provider = provider_of.get(hop.subject, "")
    asked = CutStep(
        hop.subject, actions, objects, number, hop.target, hop.statement, hop.sid, hop.layer
    )
    made = commands_of(provider, asked) or Commands()
    return CutRow(
        kind="trust" if hop.layer == "trust" else "binding",
        provider=provider,
        subject=hop.subject,
        actions=actions,
        objects=objects,
        layer=hop.layer,
        policy=hop.policy,
        target=hop.target,
        sid=hop.sid,
        statement=hop.statement,
        takes_away=taken,
        where=made.where,
        commands=made.revoke,
        undo=made.undo,
    )


def _keys(change: SecurityChange, report: DiffReport) -> Iterator[CutRow]:
    """Keys that triggered, each to be made inactive."""
    named = {row.subject for row in change.triggers if row.id == "LONG-LIVED-KEY"}
    for row in report.credentials:
        if row.id in named:
            yield _key_cut(row)


def _key_cut(row: CredentialRow) -> CutRow:
    from modelreach.gate.commands import key_commands

    made = key_commands(row) or Commands()
    return CutRow(
        kind="key",
        provider="",
        subject=row.principal,
        actions=(),
        objects=(row.id,),
        layer=row.kind,
        policy="",
        target=row.principal,
        sid="",
        statement="",
        takes_away=(row.id,),
        where=made.where,
        commands=made.revoke,
        undo=made.undo,
    )


def _stops(report: DiffReport, identities: Identities) -> Iterator[StopRow]:
    """For what the release runs as: as it was read, or as the manifest names it."""
    runs_as = {row.id: row.provider for row in report.identities_new if row.start}
    for principal, cloud in identities.values():
        runs_as.setdefault(principal, cloud)
    for principal, cloud in runs_as.items():
        made = stop_commands(cloud, principal)
        if made is not None:
            yield StopRow(
                identity=principal, where=made.where, commands=made.revoke, undo=made.undo
            )
