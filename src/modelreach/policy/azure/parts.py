"""Which parts of a resource its conditions single out: the containers that they name.

A condition on the name of a container makes a grant on the account one on these containers; what
else it depends on stays what the grant depends on.
https://learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelreach.model import Verdict
from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.decide import Asked, decided
from modelreach.policy.azure.operations import Operation
from modelreach.policy.decision import Decision
from modelreach.policy.expr import TRUE, atoms, implies
from modelreach.snapshot import Resource

#: Attributes that are the name of a part, with where such parts lie in the resource.
_PARTS = {
    "@resource[microsoft.storage/storageaccounts/blobservices/containers:name]": (
        "blobservices/default/containers"
    ),
    "@resource[microsoft.storage/storageaccounts/queueservices/queues:name]": (
        "queueservices/default/queues"
    ),
}
_EXACT = ("StringEquals", "StringEqualsIgnoreCase")
#: More named parts than this are left to the condition itself.
_MOST = 50

Answer = tuple[Operation, Decision, tuple[str, ...]]


def parts_told_apart(
    asker: Asker, resource: Resource, answers: Iterable[tuple[Operation, Decision]]
) -> Iterator[Answer]:
    """Give the answers about a resource, those about named parts of it by part."""
    for op, decision in answers:
        named = _named(decision)
        if decision.residual == TRUE or not named:
            yield op, decision, ()
            continue
        yield from _by_part(asker, resource, op, decision, named)


def _named(decision: Decision) -> tuple[tuple[str, str], ...]:
    """The parts that the residual names: where they lie, and their names. None where it speaks of
    parts in any other way than by their whole names."""
    about = [atom for atom in atoms(decision.residual) if atom.key.lower() in _PARTS]
    for atom in about:
        plain = not any(value.startswith("@") for value in atom.values)
        if not plain or atom.operator.rpartition(":")[2] not in _EXACT:
            return ()
    found = {(_PARTS[atom.key.lower()], value) for atom in about for value in atom.values}
    return tuple(sorted(found)) if len(found) <= _MOST else ()


def _by_part(
    asker: Asker,
    resource: Resource,
    op: Operation,
    decision: Decision,
    named: tuple[tuple[str, str], ...],
) -> Iterator[Answer]:
    inside: dict[tuple[object, ...], tuple[Decision, list[str]]] = {}
    elsewhere = _elsewhere(asker, resource, op, named)
    if elsewhere is None:
        yield op, decision, ()
        return
    for place, name in named:
        # Names of containers and queues are in lower case, whatever a condition calls them.
        part = f"{resource.id}/{place}/{name.lower()}"
        found = decided(asker, Asked(op.plane, op.lower), part)
        if not implies(elsewhere.residual, found.residual):
            # What holds of the rest does not hold of this one: that stays a condition of all.
            yield op, decision, ()
            return
        if found.verdict is not Verdict.DENY:
            key = (found.verdict, found.residual, found.allowed_by)
            inside.setdefault(key, (found, []))[1].append(part)
    for found, parts in inside.values():
        yield op, found, tuple(sorted(parts))
    if elsewhere.verdict is not Verdict.DENY:
        yield op, elsewhere, ()


def _elsewhere(
    asker: Asker, resource: Resource, op: Operation, named: tuple[tuple[str, str], ...]
) -> Decision | None:
    """The answer about a part that no condition names; None where conditions name parts of more
    than one sort, or other than by their whole name."""
    places = {place for place, _ in named}
    if len(places) != 1:
        return None
    # No name of a container has an underscore, so that no condition means this one.
    part = f"{resource.id}/{places.pop()}/any_other"
    return decided(asker, Asked(op.plane, op.lower), part)
