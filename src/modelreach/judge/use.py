"""What was observed of the use of each principal's permissions, and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from modelreach.snapshot import Usage


class Seen(Enum):
    """Whether an action was seen in use. What was not tracked may well be used."""

    USED = "used"
    UNUSED = "unused"
    UNTRACKED = "untracked"


class Observed(msgspec.Struct, frozen=True):
    """The use of one principal's permissions, names in lower case.

    A service that was never used was used by none of its actions. One that was used says nothing
    of an action that is not tracked by itself. `window_start` is since when all of it was tracked,
    "" where that is not known.
    """

    actions: Mapping[str, bool]
    services: Mapping[str, bool]
    window_start: str = ""

    def seen(self, action: str) -> Seen:
        """Was this action (`service:Name`) used?"""
        name = action.lower()
        used = self.actions.get(name)
        if used is not None:
            return Seen.USED if used else Seen.UNUSED
        return (
            Seen.UNUSED if self.services.get(name.partition(":")[0]) is False else Seen.UNTRACKED
        )


def observed(usage: Mapping[str, tuple[Usage, ...]]) -> dict[str, Observed]:
    """Give what was observed of each principal that was watched."""
    return {principal: _of(facts) for principal, facts in usage.items()}


def _of(facts: tuple[Usage, ...]) -> Observed:
    actions: dict[str, bool] = {}
    services: dict[str, bool] = {}
    for fact in facts:
        kind, name = (actions, fact.action) if fact.action else (services, fact.service)
        kind[name.lower()] = kind.get(name.lower(), False) or _used(fact)
    return Observed(actions, services, max((fact.window_start for fact in facts), default=""))


def _used(fact: Usage) -> bool:
    """Use before the window is none that was observed; a time that is not known may be any."""
    return fact.last_used != "never" and not (
        fact.last_used and fact.window_start and fact.last_used < fact.window_start
    )
