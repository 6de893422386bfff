"""What the access graph shows: nodes and edges with their fate, cut down to what fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from modelreach.report import DiffReport, Hop, IdentityRow, Report
from modelreach_reports.naming import Names
from modelreach_reports.safe import visible
from modelreach_reports.story import ADMINISTRATOR, Item, deployment_of, grouped, items, judged
from modelreach_reports.words import begun, hop_label, listed, strength_words

#: Above this a picture is no longer read (and the layout takes seconds).
LIMIT = 60

Step = tuple[str, str]
_Key = TypeVar("_Key")


class Fate(StrEnum):
    """What becomes of a node or edge from the old release to the new one."""

    SAME = "same"
    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"
    UNKNOWN = "unknown"


_OF_KIND = {
    "gained": Fate.NEW,
    "lost": Fate.GONE,
    "unknown": Fate.UNKNOWN,
    "widened": Fate.CHANGED,
    "narrowed": Fate.CHANGED,
    "rerouted": Fate.CHANGED,
}
_OF_STATE = {"new": Fate.NEW, "gone": Fate.GONE}
#: When two rows speak of one thing, the later here wins.
_WEIGHT = (Fate.SAME, Fate.GONE, Fate.CHANGED, Fate.UNKNOWN, Fate.NEW)


class Node(msgspec.Struct, frozen=True):
    """A box: `key` as in the report, words harmless, `scope` the cluster ("" for none)."""

    key: str
    label: str
    kind: str
    scope: str
    fate: Fate
    sensitive: bool
    findings: tuple[str, ...]
    also: int


class Edge(msgspec.Struct, frozen=True):
    """An arrow labelled with the action; `doubt` is `conditional`, `influence`… or nothing, and
    `proviso` says on what it hangs."""

    source: str
    target: str
    label: str
    fate: Fate
    doubt: str
    proviso: str


class Picture(msgspec.Struct, frozen=True):
    """A graph small enough to be read, and how much of each identity's reach it leaves out."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    omitted: tuple[tuple[str, int], ...]

    @property
    def left_out(self) -> int:
        """How many resources are not drawn."""
        return sum(count for _, count in self.omitted)


class _Box(msgspec.Struct):
    fate: Fate
    sensitive: bool = False
    administered: bool = False
    also: int = 0
    findings: set[str] = msgspec.field(default_factory=set)


class _Arrow(msgspec.Struct):
    fate: Fate
    doubt: str
    proviso: str
    labels: list[str] = msgspec.field(default_factory=list)


def _compared(old: set[_Key], new: set[_Key]) -> dict[_Key, Fate]:
    fates = dict.fromkeys(old & new, Fate.SAME)
    return fates | dict.fromkeys(new - old, Fate.NEW) | dict.fromkeys(old - new, Fate.GONE)


def _steps(rows: Iterable[IdentityRow], name: str) -> set[Step]:
    return {(hop.subject, hop.object) for row in rows for hop in begun(row.witness, name)}


def heavier(first: Fate, second: Fate) -> Fate:
    """Give the fate that shows where two rows speak of one thing."""
    return max(first, second, key=_WEIGHT.index)


def fate_of_item(item: Item) -> Fate:
    """Give what becomes of an access; what could not be judged is never just new or the same."""
    return Fate.UNKNOWN if item.verdict == "unknown" else _OF_KIND.get(item.kind, Fate.SAME)


class _Drawing:
    """Collects boxes and arrows. What both sides' identities settle is not up to an item."""

    def __init__(self, report: Report) -> None:
        self.boxes: dict[str, _Box] = {}
        self.arrows: dict[Step, _Arrow] = {}
        self._name = deployment_of(report)
        self._nodes, self._edges = _settled(report)

    def cost(self, item: Item) -> int:
        """Give how many boxes an item would add."""
        return len(set(_stations(item)) - self.boxes.keys())

    def add(self, item: Item) -> None:
        """Draw the witness of an item, or a bare arrow where it has none."""
        fate = fate_of_item(item)
        stations = _stations(item)
        hops = _hops(item)
        way = Fate.SAME if fate is Fate.CHANGED else fate
        for place, hop in enumerate(hops):
            last = place == len(hops) - 1
            self._box(stations[place], way)
            step = (stations[place], stations[place + 1])
            words = item.detail if last and fate is Fate.CHANGED else hop_label(hop)
            self._arrow(step, hop, words, fate if last else way)
        self._box(stations[-1], fate)
        self._mark(item, stations[-1])

    def add_identity(self, row: IdentityRow) -> None:
        """Draw an identity whose reach is not drawn otherwise."""
        for hop in begun(row.witness, self._name):
            self._box(hop.subject, Fate.SAME)
            self._box(hop.object, Fate.SAME)
            self._arrow((hop.subject, hop.object), hop, hop_label(hop), Fate.SAME)

    def _box(self, key: str, fate: Fate) -> None:
        settled = self._nodes.get(key)
        box = self.boxes.setdefault(key, _Box(settled or fate))
        box.fate = settled or heavier(box.fate, fate)

    def _arrow(self, step: Step, hop: Hop, label: str, fate: Fate) -> None:
        settled = self._edges.get(step)
        doubt = "" if hop.strength == "certain" else hop.strength
        fresh = _Arrow(settled or fate, doubt, strength_words(hop))
        arrow = self.arrows.setdefault(step, fresh)
        arrow.fate = settled or heavier(arrow.fate, fate)
        if not doubt:
            arrow.doubt = arrow.proviso = ""
        if label and label not in arrow.labels:
            arrow.labels.append(label)

    def _mark(self, item: Item, key: str) -> None:
        box = self.boxes[key]
        box.administered = box.administered or item.what == ADMINISTRATOR
        box.sensitive = box.sensitive or item.sensitive
        box.findings.update(item.findings)
        box.also = max(box.also, item.also)


def _settled(report: Report) -> tuple[dict[str, Fate], dict[Step, Fate]]:
    if not isinstance(report, DiffReport):
        return {report.release.name: Fate.SAME}, {}
    old, new = report.identities_old, report.identities_new
    nodes = _compared({row.id for row in old}, {row.id for row in new})
    nodes |= {f"tool:{tool.id}": _OF_STATE.get(tool.state, Fate.SAME) for tool in report.tools}
    name = deployment_of(report)
    return nodes | {name: Fate.SAME}, _compared(_steps(old, name), _steps(new, name))


def _stations(item: Item) -> tuple[str, ...]:
    """The boxes of a witness in order; the last is what the item is about."""
    return (*(hop.subject for hop in _hops(item)), item.resource)


def _hops(item: Item) -> tuple[Hop, ...]:
    """Give the witness; with a last hop of its own where it ends at the scope taken over."""
    if not item.witness:
        return (_bare(item.chain[-1], item),)
    last = item.witness[-1]
    if last.kind == "administer" and last.object != item.resource:
        return (*item.witness, _bare(last.object, item))
    return item.witness


def _bare(source: str, item: Item) -> Hop:
    return Hop(kind="grant", subject=source, object=item.resource, action=item.what)


def compose(report: Report, limit: int = LIMIT) -> Picture:
    """Give the picture of a report: everything if it fits, else what matters most."""
    drawing, names = _Drawing(report), Names(report)
    omitted: Counter[str] = Counter()

    def place(item: Item) -> str:
        """What shares a box is in the box of one account."""
        return names.thing(item.resource).scope

    for item in grouped(items(report) or judged(report), limit * 2 // 3, apart=place):
        if len(drawing.boxes) + drawing.cost(item) <= limit:
            drawing.add(item)
        else:
            omitted[item.chain[-1]] += 1 + item.also
    for row in _identities(report):
        if len(drawing.boxes) + len(row.witness) < limit:
            drawing.add_identity(row)
    return _finished(drawing, names, omitted)


def _identities(report: Report) -> tuple[IdentityRow, ...]:
    if isinstance(report, DiffReport):
        return report.identities_new + report.identities_old
    return report.identities


def _finished(drawing: _Drawing, names: Names, omitted: Counter[str]) -> Picture:
    nodes = tuple(_node(key, box, names) for key, box in sorted(drawing.boxes.items()))
    edges = tuple(_edge(step, arrow) for step, arrow in sorted(drawing.arrows.items()))
    return Picture(nodes, edges, tuple(sorted(omitted.items())))


def _node(key: str, box: _Box, names: Names) -> Node:
    thing = names.thing(key)
    return Node(
        key,
        names.place(key) if box.administered else thing.label,
        "can be taken over" if box.administered else thing.kind,
        thing.scope,
        box.fate,
        box.sensitive,
        tuple(sorted(box.findings)),
        box.also,
    )


def _edge(step: Step, arrow: _Arrow) -> Edge:
    label = visible(listed(arrow.labels))
    return Edge(*step, label, arrow.fate, arrow.doubt, arrow.proviso)


def scopes_of(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Give the clusters that are needed, sorted."""
    return tuple(sorted({node.scope for node in nodes if node.scope}))
