"""Runtimes: what runs code or a model, as which identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from modelreach.collect.facts import attributes
from modelreach.snapshot import Runtime
from modelreach_gcp.estate import Estate
from modelreach_gcp.parse import compute, vertex
from modelreach_gcp.parse.facts import PROVIDER, Facts
from modelreach_gcp.parse.principals import mention
from modelreach_gcp.parse.running import Described, Running
from modelreach_gcp.parse.things import Thing, Things

_ENDED: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"})
#: By type: what tells what a runtime of it runs as.
_TYPES: Final[Mapping[str, Callable[[Thing, Running], Described]]] = {
    **vertex.TYPES,
    **compute.TYPES,
}


def parse_runtimes(estate: Estate, things: Things, facts: Facts) -> None:
    """Give every runtime, and the principals that they run as."""
    running = Running(estate, things)
    for asset, describe in _TYPES.items():
        for thing in things.of(asset):
            if thing.data and not _ended(thing):
                found = _runtime(thing, describe(thing, running))
                facts.runtimes.append(found)
                for member in found.identities:
                    mention(member, estate, facts)


def _ended(thing: Thing) -> bool:
    """Has a job ended? Then it runs as nobody. The inventory has those too."""
    job, _, state = thing.text("state").partition("_STATE_")
    return job in ("JOB", "PIPELINE") and state in _ENDED


def _runtime(thing: Thing, described: Described) -> Runtime:
    state = thing.text("state") or thing.text("status")
    return Runtime(
        id=thing.name,
        provider=PROVIDER,
        kind=thing.asset,
        scope=thing.scope,
        region=thing.location,
        name=thing.text("displayName") or thing.name.rpartition("/")[2],
        version=described.version,
        identities=described.members,
        links=tuple(sorted(set(described.links), key=lambda link: (link.kind, link.target))),
        tags=dict(thing.labels),
        attributes={**attributes(state=state), **described.attributes},
    )
