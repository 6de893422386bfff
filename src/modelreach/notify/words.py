"""A telling in words: a headline, and a line for each thing that it tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelreach.state import Event, Telling
from modelreach.visible import visible

#: Longer lines are cut: what they say is in the state, and in the report.
_WIDTH: Final = 300
_VERDICTS: Final = {"pass": "passes", "fail": "fails", "unknown": "is undecided"}


def headline(telling: Telling) -> str:
    """Give one line: whose audit it is, how the gate stands, and how much is told."""
    what = visible(f"{telling.deployment} {telling.version}")
    gate = f"the gate {_VERDICTS.get(telling.verdict, telling.verdict)}"
    return f"{cut(what)}: {gate}, {_counted(telling.events)}"


def _counted(events: tuple[Event, ...]) -> str:
    well = sum(event.recovery for event in events)
    ill = len(events) - well
    told = [f"{ill} {'change' if ill == 1 else 'changes'}"] if ill or not well else []
    return ", ".join([*told, *([f"{well} well again"] if well else [])])


def lines(telling: Telling, most: int) -> Iterator[str]:
    """Give up to `most` lines, the gravest first, then how many more there are."""
    order = sorted(telling.events, key=_grave)
    for event in order[:most]:
        severity = f"{event.severity.upper()} " if event.rule else ""
        yield f"{event.kind}: {severity}{cut(visible(event.message))}"
    if len(order) > most:
        yield f"… and {len(order) - most} more: modelreach history show {telling.audit}"


_SEVERITIES: Final = ("critical", "high", "medium", "low", "")


def _grave(event: Event) -> tuple[bool, bool, int]:
    severity = event.severity if event.severity in _SEVERITIES else ""
    return event.recovery, not event.kind.startswith("gate-"), _SEVERITIES.index(severity)


def cut(text: str) -> str:
    """Give the text, no longer than a line may be."""
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
