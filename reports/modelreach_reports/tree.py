"""The tree of a terminal diff: deployment, identity, assumed identity, what each reaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from modelreach.report import DiffReport, Hop, IdentityRow, Report
from modelreach_reports.lines import Ink, Line, Look, Span, hanging, length, pad, shortened
from modelreach_reports.naming import Names
from modelreach_reports.safe import cells
from modelreach_reports.story import ADMINISTRATOR, Item
from modelreach_reports.words import hop_label, statement_words, tool_words

_MARKS = {
    "gained": ("+", Ink.GAINED),
    "lost": ("−", Ink.LOST),
    "widened": ("~", Ink.CHANGED),
    "narrowed": ("~", Ink.LOST),
    "rerouted": ("~", Ink.CHANGED),
    "unknown": ("?", Ink.UNKNOWN),
    "reached": (" ", Ink.PLAIN),
}
_WIDEST_NAME = 30


class Branch(msgspec.Struct):
    """One identity while the tree is built: how it is reached, and what it reaches."""

    identity: str
    itself: Item | None = None
    items: list[Item] = msgspec.field(default_factory=list)
    below: dict[str, Branch] = msgspec.field(default_factory=dict)


def _grow(items: Sequence[Item]) -> Branch:
    root = Branch("")
    for item in items:
        at = root
        for identity in item.line:
            at = at.below.setdefault(identity, Branch(identity))
        if item.is_identity and at.itself is None:
            at.itself = item
        else:
            at.items.append(item)
    return root


class Fate(msgspec.Struct, frozen=True):
    """Which identities are new and which are gone, and the hop by which each is reached."""

    new: frozenset[str]
    gone: frozenset[str]
    hops: dict[str, Hop]

    def mark(self, identity: str) -> tuple[str, Ink]:
        """Give the sign and the ink of an identity."""
        if identity in self.new:
            return "+", Ink.GAINED
        return ("−", Ink.LOST) if identity in self.gone else ("", Ink.STRONG)


def fate_of(report: Report) -> Fate:
    """Compare the identities of both sides; of a radius none is new."""
    if not isinstance(report, DiffReport):
        return Fate(frozenset(), frozenset(), _last_hops(report.identities))
    old = {row.id for row in report.identities_old} | _tools(report, "gone")
    new = {row.id for row in report.identities_new} | _tools(report, "new")
    rows = report.identities_old + report.identities_new
    return Fate(frozenset(new - old), frozenset(old - new), _last_hops(rows))


def _tools(report: DiffReport, state: str) -> set[str]:
    """The nodes of the tools that are new, or gone."""
    return {f"tool:{tool.id}" for tool in report.tools if tool.state == state}


def _last_hops(rows: Sequence[IdentityRow]) -> dict[str, Hop]:
    return {row.id: row.witness[-1] for row in rows if row.witness}


class Tree:
    """Draws items below the identities that cause them."""

    def __init__(self, report: Report, names: Names, look: Look) -> None:
        self._names = names
        self._look = look
        self._fate = fate_of(report)
        self._tools = {f"tool:{tool.id}": tool for tool in report.tools}

    def lines(self, items: Sequence[Item]) -> Iterator[Line]:
        """Give the lines of all items, without the deployment itself."""
        yield from self._below(_grow(items), "", "")

    def _below(self, branch: Branch, stem: str, scope: str) -> Iterator[Line]:
        glyphs = self._look.glyphs
        inner = list(branch.below.values())
        count = len(branch.items) + len(inner)
        column = self._column(branch.items, stem)
        for number, item in enumerate(branch.items, start=1):
            last = number == count
            lead = stem + (glyphs.last if last else glyphs.branch)
            yield from self._item(
                item, lead, stem + (glyphs.blank if last else glyphs.bar), column
            )
        for number, lower in enumerate(inner, start=len(branch.items) + 1):
            last = number == count
            lead = stem + (glyphs.last if last else glyphs.branch)
            yield self._identity(lower, lead, scope)
            deeper = stem + (glyphs.blank if last else glyphs.bar)
            yield from self._shared(lower.identity, branch.identity, deeper)
            yield from self._doubts(lower.itself, deeper)
            yield from self._below(lower, deeper, self._names.thing(lower.identity).scope)

    def _identity(self, branch: Branch, lead: str, scope: str) -> Line:
        look, thing = self._look, self._names.thing(branch.identity)
        mark, ink = self._mark(branch)
        sign = look.glyphs.minus if mark == "−" else mark
        room = look.width - cells(lead) - 2
        label = look.name(thing.label, max(min(room, 40), 12))
        head: Line = ((lead, Ink.FAINT), (f"{sign} {label}".strip(), ink))
        place = self._names.place(thing.scope) if thing.scope != scope else ""
        facts = [thing.kind, place, self._how(branch.identity)]
        beside = f" {look.glyphs.dot} ".join(fact for fact in facts if fact)
        ids = look.name(_ids(branch.itself.findings), 16) if branch.itself else ""
        room = look.width - length(head) - 2 - (len(ids) + 2 if ids else 0)
        if room <= 8:
            return head
        shown = look.phrase(beside, room)
        tail = ("  " + (pad(shown, room) if ids else shown), Ink.FAINT)
        return (*head, tail, (f"  {ids}" if ids else "", Ink.STRONG))

    def _mark(self, branch: Branch) -> tuple[str, Ink]:
        item = branch.itself
        if item is None or item.kind == "reached":
            return self._fate.mark(branch.identity)
        return ("?", Ink.UNKNOWN) if item.verdict == "unknown" else _MARKS[item.kind]

    def _doubts(self, item: Item | None, under: str) -> Iterator[Line]:
        for proviso in item.provisos if item is not None else ():
            lead = ((under, Ink.FAINT),)
            yield from hanging(lead, proviso, self._look, Ink.UNKNOWN, under=lead)

    def _how(self, identity: str) -> str:
        if identity in self._tools:
            return tool_words(self._tools[identity])
        hop = self._fate.hops.get(identity)
        if hop is None or hop.kind in ("start", "runs-as"):
            return ""
        trusts = [statement_words(also) for also in hop.also if also.layer == "trust"]
        words = trusts[0] if trusts and hop.kind == "assume-role" else hop_label(hop)
        return words if hop.strength == "certain" else f"{words} ({hop.strength})"

    def _shared(self, identity: str, tool: str, under: str) -> Iterator[Line]:
        """Name the other tools that act as the identity below a tool: they reach the same, which
        is told once."""
        whose = self._tools.get(tool)
        others = [
            one.id
            for one in self._tools.values()
            if whose is not None and one is not whose and one.state != "gone"
            if identity in one.principals and identity in whose.principals
        ]
        if others:
            lead = ((under, Ink.FAINT), ("also used by ", Ink.FAINT))
            under_it = ((under, Ink.FAINT),)
            lines = list(hanging(lead, ", ".join(others), self._look, Ink.FAINT, under=under_it))
            yield from shortened(lines, 2, self._look)

    def _column(self, items: Sequence[Item], stem: str) -> int:
        room = (self._look.width - cells(stem) - 8) // 2
        widest = max((cells(self._label(item)) for item in items), default=0)
        least = max((cells(_more(item)) for item in items), default=0) + 8
        return max(min(widest, _WIDEST_NAME, room), least)

    def _label(self, item: Item) -> str:
        if item.what == ADMINISTRATOR:
            return f"takes over {self._names.place(item.resource)}"
        return self._names.thing(item.resource).label

    def _item(self, item: Item, lead: str, under: str, column: int) -> Iterator[Line]:
        look = self._look
        mark, ink = ("?", Ink.UNKNOWN) if item.verdict == "unknown" else _MARKS[item.kind]
        sign = look.glyphs.minus if mark == "−" else mark
        warning = "! " if item.sensitive else "  "
        more = _more(item)
        label = look.name(self._label(item), column - cells(more)) + more
        ids = look.name(_ids(item.findings), 16)
        head: list[Span] = [(lead, Ink.FAINT), (sign + " ", ink), (warning, Ink.SENSITIVE)]
        head.append((pad(label, column), ink if mark in "+−?" else Ink.PLAIN))
        room = look.width - length(head) - 2 - (len(ids) + 2 if ids else 0)
        detail = look.phrase(item.detail, room) if room > 6 else ""
        yield (
            *head,
            ("  " + pad(detail, room) if ids else "  " + detail, Ink.FAINT),
            (f"  {ids}" if ids else "", Ink.STRONG),
        )
        for proviso in item.provisos:
            beneath = ((under + "    ", Ink.FAINT),)
            yield from hanging(beneath, proviso, look, Ink.UNKNOWN, under=beneath)


def _more(item: Item) -> str:
    return f" and {item.also:,} more" if item.also else ""


def _ids(findings: Sequence[str]) -> str:
    if len(findings) > 2:
        return f"{findings[0]} +{len(findings) - 1}"
    return " ".join(findings)
