"""Which changes of reach an audit tells.

Everything that can be reached has a *reference*: the audit that it is compared with, which is the
last one since which no more went unread. While all can be read, that is the audit before. When
something cannot, the reference stays, for it alone says what was there; what is told meanwhile
gets this audit as its own reference. When the gap has closed, the comparison with the references
says what truly happened, all of it, and nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from modelreach.report import ChangeRow, DiffReport
from modelreach.state import Event, EventKind, Standing

#: Gives the difference from an earlier audit, by its id, to this one.
Since = Callable[[str], DiffReport]
#: Tells of an earlier audit whether this one reads all that it read.
Whole = Callable[[str], bool]
_BETTER = ("lost", "narrowed")
_MORE = ("gained", "widened")
_TAKEN: Final = "administer"


class Reached(msgspec.Struct):
    """Works out the events of one audit, `now`. `clear` is the reference of all that has none of
    its own; `standing` those that have, and what is hidden. All are brought up to date."""

    now: str
    clear: str
    since: Since
    whole: Whole
    standing: dict[str, Standing]
    events: list[Event] = msgspec.field(default_factory=list[Event])

    def run(self) -> None:
        """Compare with every reference."""
        own: dict[str, set[str]] = {self.clear: set()}
        for item, one in self.standing.items():
            own.setdefault(one.seen_in, set()).add(item)
        theirs = set(self.standing)
        for reference, items in sorted(own.items()):
            rows = by_item(self.since(reference).changes)
            mine = items | (rows.keys() - theirs) if reference == self.clear else items
            dark = any(row.capability == _TAKEN for one in rows.values() for row in _unsure(one))
            for item in sorted(mine):
                self._compare(item, reference, rows.get(item, ()), dark=dark)
        self._forward()

    def _compare(
        self, item: str, reference: str, rows: tuple[ChangeRow, ...], *, dark: bool
    ) -> None:
        """Tell what is sure, and say of the rest that it is not. `dark`: it cannot be said of
        some scope whether all of it is reached."""
        before = self.standing.get(item)
        so_far = len(self.events)
        told = self._tell(item, rows, reference, before, dark=dark)
        hidden = [row for row in _unsure(rows) if self._is_hidden(row, reference)]
        if hidden:
            if before is None or not before.hidden:
                self.events += [changed(row, item, reference, "unknown") for row in hidden]
            self._stand(item, reference, hidden=True, told=told, row=hidden[0])
            return
        revealed = [] if _told_as_there(before) else _unsure(rows)
        self.events += [changed(row, item, reference, "revealed") for row in revealed]
        if before is not None and before.hidden:
            if not rows and dark:
                return
            if len(self.events) == so_far:
                self.events.append(_known_again(before))
        if rows or (before is not None and before.hidden):
            self._stand(item, self.now, told=told)

    def _is_hidden(self, row: ChangeRow, reference: str) -> bool:
        """Is it this audit that cannot tell, and not the reference?"""
        if row.new_verdict == "unknown":
            return True
        return row.old_verdict != "unknown" and not self.whole(reference)

    def _tell(
        self,
        item: str,
        rows: Iterable[ChangeRow],
        since: str,
        before: Standing | None,
        *,
        dark: bool,
    ) -> frozenset[str]:
        """Tell what is sure and was not told already, while something else of the item was not;
        and what was told and is so no more, unless that may be the dark. Gives what is told."""
        told = set(before.told if before is not None and before.hidden else ())
        known = [row for row in rows if row.kind != "unknown"]
        self.events += [changed(row, item, since) for row in known if _sign(row) not in told]
        signs = frozenset(map(_sign, known))
        if dark or before is None:
            return signs | told
        self.events += [_undone(before, sign) for sign in sorted(told - signs)]
        return signs

    def _stand(
        self,
        item: str,
        seen_in: str,
        *,
        hidden: bool = False,
        told: frozenset[str] = frozenset(),
        row: ChangeRow | None = None,
    ) -> None:
        before = self.standing.get(item)
        self.standing[item] = Standing(
            kind="reach",
            item=item,
            seen_in=seen_in,
            hidden=hidden,
            severity=row.sensitivity if row else before.severity if before else "",
            title=_name(row) if row else before.title if before else "",
            told=tuple(sorted(told)),
        )

    def _forward(self) -> None:
        """Move every reference to this audit from which this one reads all that it read."""
        if self.whole(self.clear):
            self.clear = self.now
        for item, one in sorted(self.standing.items()):
            if one.hidden:
                continue
            if one.seen_in != self.now and self.whole(one.seen_in):
                self._stand(item, self.now, told=frozenset(one.told))
            if self.standing[item].seen_in == self.clear:
                del self.standing[item]


def _told_as_there(before: Standing | None) -> bool:
    """Was it told, since a gap opened, that this is reached? Then nothing is revealed."""
    return before is not None and any(sign.startswith(_MORE) for sign in before.told)


def _unsure(rows: Iterable[ChangeRow]) -> list[ChangeRow]:
    return [row for row in rows if row.kind == "unknown"]


def by_item(changes: Iterable[ChangeRow]) -> dict[str, tuple[ChangeRow, ...]]:
    """Give changes by what they are about."""
    found: dict[str, list[ChangeRow]] = {}
    for row in changes:
        found.setdefault(item_of(row), []).append(row)
    return {item: tuple(rows) for item, rows in found.items()}


def item_of(row: ChangeRow) -> str:
    """Give the name, over all audits, of what a change is about: access to a thing, not by whom,
    as the same access by a renamed role is no change."""
    return f"{row.capability} {row.resource}"


def _sign(row: ChangeRow) -> str:
    return f"{row.kind} {','.join(row.actions)} {row.new_verdict}"


def changed(row: ChangeRow, item: str, since: str, kind: EventKind | None = None) -> Event:
    """Give the event of a change."""
    told: EventKind = kind or row.kind
    return Event(
        kind=told,
        item=item,
        message=_message(row, told),
        severity=row.sensitivity,
        recovery=told in _BETTER,
        subject=row.resource,
        subject_kind=row.resource_kind,
        subject_name=row.resource_name,
        provider=row.provider,
        identity=row.identity,
        capability=row.capability,
        actions=row.actions,
        verdict=row.new_verdict,
        caused_by=row.caused_by,
        since=since,
    )


_WORDS = {
    "gained": "{who} gained {what} on {name}",
    "lost": "{who} lost {what} on {name}",
    "widened": "{who} may do more on {name}: {what}",
    "narrowed": "{who} may do less on {name}: {what}",
    "rerouted": "{who} has {what} on {name} by another path",
    "unknown": "{who} had {what} on {name}, and it cannot be told whether it still has",
    "unsure": "it cannot be told whether {who} has {what} on {name}",
    "revealed": "{who} has {what} on {name}; it could not be told before",
}
_MOST = 3


def _message(row: ChangeRow, kind: str) -> str:
    actions = ", ".join(row.actions[:_MOST])
    more = f" and {len(row.actions) - _MOST} more" if len(row.actions) > _MOST else ""
    unsure = kind == "unknown" and row.old_verdict == "unknown"
    return _WORDS["unsure" if unsure else kind].format(
        who=_short(row.identity),
        what=f"{row.capability} ({actions}{more})",
        name=_name(row),
    )


def _name(row: ChangeRow) -> str:
    return row.resource_name or row.resource


def _short(identity: str) -> str:
    return identity.rsplit("/", 1)[-1] or identity


_OPPOSITE: Final[dict[str, EventKind]] = {
    "gained": "lost",
    "lost": "gained",
    "widened": "narrowed",
    "narrowed": "widened",
}


def _undone(before: Standing, sign: str) -> Event:
    """Say that a change is no more that was told while something else of the item was hidden."""
    kind, actions, _ = sign.split(" ", 2)
    capability, _, resource = before.item.partition(" ")
    told = _OPPOSITE.get(kind, "rerouted")
    return Event(
        kind=told,
        item=before.item,
        message=f"{before.title or resource}: {capability} ({actions}) is as before it was {kind}",
        severity=before.severity,
        recovery=told in _BETTER,
        subject=resource,
        subject_name=before.title,
        capability=capability,
        actions=tuple(actions.split(",")),
        since=before.seen_in,
    )


def _known_again(before: Standing) -> Event:
    capability, _, resource = before.item.partition(" ")
    return Event(
        kind="seen-again",
        item=before.item,
        message=f"{capability} on {before.title or resource} can be told again: it is as it was",
        severity=before.severity,
        recovery=True,
        subject_name=before.title,
        since=before.seen_in,
    )
