"""What is shown on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelreach.visible import visible as visible

if TYPE_CHECKING:
    from modelreach.snapshot import Snapshot
    from modelreach.state import Event


def counted(count: int, one: str, many: str = "") -> str:
    """Give a number of things in words: `1 audit`, `2 audits`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


#: Places that are counted, and not those that hold them.
_COUNTED = ("account", "project", "subscription", "cluster")


def in_numbers(whole: Snapshot) -> str:
    """Give how much a snapshot holds: `2 accounts, 17 principals, 40 resources, 0 gaps`."""
    from collections import Counter

    kinds = Counter(scope.kind for scope in whole.scopes)
    places = [counted(kinds[kind], kind) for kind in _COUNTED if kinds[kind]] or ["no scope"]
    things = ("principal", whole.principals), ("resource", whole.resources), ("gap", whole.gaps)
    return ", ".join([*places, *(counted(len(facts), noun) for noun, facts in things)])


def event_line(event: Event) -> str:
    """Give what an audit told: `  finding-new        CRITICAL  …`."""
    severity = f"{event.severity.upper()}  " if event.rule else ""
    return f"  {event.kind:<18} {severity}{event.message}"
