"""What a runtime's tools run as: services, functions and agents that it is wired to."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Strength
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.expr import TRUE
from modelreach.policy.gcp.estate import Estate

_FOLLOWED = ("invokes", "collaborates", "routes-to")


def tools(estate: Estate, runtime: str) -> Iterator[Pivot]:
    """Give a hop for each identity that a runtime's tools run as, tools of tools included."""
    waiting, seen = [runtime], {runtime}
    while waiting:
        here = estate.facts.runtimes.get(waiting.pop(0))
        for link in here.links if here else ():
            there = estate.facts.runtimes.get(link.target)
            if here is None or there is None or link.kind not in _FOLLOWED:
                continue
            for source in here.identities:
                for target in there.identities:
                    if source != target and link.kind != "routes-to":
                        yield Pivot(
                            "tool",
                            source,
                            target,
                            Strength.CERTAIN,
                            TRUE,
                            (Support(here.id, "", there.id, ()),),
                            via=there.id,
                            note=f"its tool {there.name or there.id}, which runs as it",
                        )
            if there.id not in seen:
                seen.add(there.id)
                waiting.append(there.id)
