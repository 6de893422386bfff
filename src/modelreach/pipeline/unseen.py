"""Resources that one side reaches, and of which the other cannot tell: not gone, and not new."""

from __future__ import annotations

from collections.abc import Iterable

from modelreach.accesses import together
from modelreach.diff import Change, ChangeKind
from modelreach.pipeline.evaluate import Side
from modelreach.policy.engine import Grant


def unseen(changes: Iterable[Change], reaching: Side, other: Side) -> tuple[Grant, ...]:
    """Give a grant on each listed resource that one side reaches and the other does not, where it
    is unknown whether it does; by resource."""
    listed = reaching.case.facts.resources
    found = {
        change.resource: change.shown.grant
        for change in changes
        if change.kind is ChangeKind.UNKNOWN
        and (change.old is None or change.new is None)
        and not change.shown.grant.pattern
        and change.resource in listed
    }
    if not found:
        return ()
    left = _reached(reaching, found) - _reached(other, found)
    return tuple(found[resource] for resource in sorted(left))


def _reached(side: Side, resources: Iterable[str]) -> set[str]:
    """Give those of some resources that a side reaches."""
    asked, has = set(resources), set[str]()
    for part in together(side.radius.accesses.pieces):
        has.update(asked.intersection(part.ids))
    return has
