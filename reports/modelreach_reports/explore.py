"""What the page's access graph is drawn from: paths over shared boxes, few enough to open.

The browser shows columns with a budget of boxes each, and paths through what was clicked; the
whole of a report is here once, its tail summed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelreach.report import Report
from modelreach_reports.naming import Names
from modelreach_reports.picture import Fate, fate_of_item, heavier
from modelreach_reports.safe import full, middle, short
from modelreach_reports.story import (
    ADMINISTRATOR,
    Item,
    deployment_of,
    items,
    takes_over,
    together,
)
from modelreach_reports.tree import fate_of

#: So many paths stand for themselves; the rest share one with others of their kind. Where a scope
#: can be taken over that says most of it, and fewer do.
PATHS, BELOW_TAKEOVER = 5000, 400
#: A chain of more identities has its middle left out.
_CHAIN = 5

View = dict[str, Any]


def explorer(report: Report, names: Names) -> View:
    """Give columns, boxes and paths (places of boxes), what matters most first."""
    told = items(report)
    most = BELOW_TAKEOVER if takes_over(report) else PATHS
    shown = [*told[:most], *together(told[most:])]
    return _Boxes(report, names, _identities(shown)).drawn(shown)


def _identities(shown: Sequence[Item]) -> int:
    return min(max((len(item.chain) for item in shown), default=1), _CHAIN)


def _columns(identities: int, by_tools: bool) -> list[str]:
    later = ["then becomes"] * max(identities - 2, 0)
    becoming = ["Becomes", *later][: max(identities - 1, 0)]
    first = ["Deployment", "Tool"] if by_tools else ["Deployment"]
    return [*first, "Runs as", *becoming, "May", "Reaches"]


class _Boxes:
    """Gives every box its place, and lets paths share it."""

    def __init__(self, report: Report, names: Names, identities: int) -> None:
        self._names, self._fate = names, fate_of(report)
        self._deployment = deployment_of(report)
        self._identities = identities
        #: The column of those whom the deployment runs as; before it comes that of the tools.
        self._first = 1
        self._places: dict[tuple[int, str], int] = {}
        self._boxes: list[list[Any]] = []
        self._fates: list[Fate] = []

    def drawn(self, shown: Sequence[Item]) -> View:
        by_tools = any(item.tool for item in shown)
        self._first = 2 if by_tools else 1
        paths = [self._path(item) for item in shown]
        for box, fate in zip(self._boxes, self._fates, strict=True):
            box[4] = fate.value
        columns = _columns(self._identities, by_tools)
        return {"columns": columns, "boxes": self._boxes, "paths": paths}

    def _path(self, item: Item) -> list[Any]:
        fate, chain = fate_of_item(item), _shortened(item.chain)
        places = [self._put(0, self._deployment, Fate.SAME)]
        places += [self._identity(1, item.tool)] if item.tool else []
        places += [self._identity(at, key) for at, key in enumerate(chain, start=self._first)]
        if not item.is_identity:
            column = self._first + self._identities
            places.append(self._way(column, item, fate))
            places.append(self._reached(column + 1, item, fate))
        return [
            places,
            fate.value,
            1 + item.also,
            list(item.findings[:8]),
            [short(text, 160) for text in item.provisos[:2]],
        ]

    def _identity(self, column: int, key: str) -> int:
        sign = self._fate.mark(key)[0]
        return self._put(column, key, {"+": Fate.NEW, "−": Fate.GONE}.get(sign, Fate.SAME))

    def _way(self, column: int, item: Item, fate: Fate) -> int:
        """What may be done: a box of whoever may, as no other has it by the same grant."""
        label, acting = item.detail or item.what, item.chain[-1]
        box = [
            column,
            short(label, 90),
            "grant",
            middle(self._names.thing(acting).label, 48),
            "",
            0,
            "",
        ]
        return self._place((column, f"{acting} {label}"), box, fate)

    def _reached(self, column: int, item: Item, fate: Fate) -> int:
        taken = item.what == ADMINISTRATOR
        more = f" and {item.also:,} more" if item.also else ""
        place = self._put(column, item.resource, fate, taken, more)
        self._boxes[place][5] |= int(item.sensitive)
        return place

    def _put(self, column: int, key: str, fate: Fate, taken: bool = False, more: str = "") -> int:
        thing = self._names.thing(key)
        label = self._names.place(key) if taken else thing.label
        held = thing.scope and thing.scope != key
        box = [
            column,
            middle(label, 70) + more,
            "can be taken over" if taken else middle(thing.kind, 40),
            middle(self._names.place(thing.scope), 48) if held else "",
            "",
            int(thing.sensitive),
            full(key) if full(key) != label else "",
        ]
        return self._place((column, key + more), box, fate)

    def _place(self, key: tuple[int, str], box: list[Any], fate: Fate) -> int:
        place = self._places.setdefault(key, len(self._boxes))
        if place == len(self._boxes):
            self._boxes.append(box)
            self._fates.append(fate)
        self._fates[place] = heavier(self._fates[place], fate)
        return place


def _shortened(chain: Sequence[str]) -> tuple[str, ...]:
    """Give a chain that fits the columns; one that says that it left something out."""
    if len(chain) <= _CHAIN:
        return tuple(chain)
    between = len(chain) - _CHAIN + 1
    return (*chain[: _CHAIN - 2], f"… {between} identities between", chain[-1])
