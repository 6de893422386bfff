"""What one principal may do to listed resources, and in the directory, itself and no further.

Only what lies in a scope at which it holds a role (or what names it itself, as a vault does) is
looked at. Resources of a type that the same roles and limits speak of are answered for together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from modelreach.model import Capability, Verdict
from modelreach.policy.azure import operations
from modelreach.policy.azure.access_policies import CLUSTER, VAULT
from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.decide import Asked, decided
from modelreach.policy.azure.directory import directory_grants
from modelreach.policy.azure.ids import enclosing, is_arm
from modelreach.policy.azure.keys import KEPT, STORAGE, Keys, keys_of
from modelreach.policy.azure.operations import Operation
from modelreach.policy.azure.parts import parts_told_apart
from modelreach.policy.azure.roles import Plane
from modelreach.policy.decision import Decision, Outcome, StatementRef
from modelreach.policy.engine import Grant
from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import TRUE, Expr, all_of
from modelreach.snapshot import Resource


def grants(asker: Asker) -> tuple[Grant, ...]:
    """Give every grant on a listed resource or on something of Entra's, sorted."""
    kept = _Kept()
    found = [
        grant for resource in candidates(asker) for grant in _on_resource(asker, resource, kept)
    ]
    found.extend(_kept_elsewhere(asker, found))
    found.extend(directory_grants(asker))
    return tuple(sorted(found, key=lambda g: (g.resource, g.capability, g.actions, g.within)))


def _kept_elsewhere(asker: Asker, found: list[Grant]) -> list[Grant]:
    """The data of storage accounts whose keys another resource keeps and hands out."""
    more: list[Grant] = []
    for grant in found:
        for action in KEPT.get(grant.kind, ()):
            if action not in grant.actions:
                continue
            for account in _linked_storage(asker, grant.resource):
                rows = _grouped((op, _answer_of(grant), ()) for op in _data_of(account))
                note = f"{grant.name} keeps a key of it, and {action} hands that out"
                more += [_grant(asker, account, replace(row, note=note)) for row in rows]
    return more


def _linked_storage(asker: Asker, name: str) -> Iterator[Resource]:
    runtime = asker.estate.facts.runtimes.get(name)
    for link in runtime.links if runtime else ():
        account = asker.estate.facts.resources.get(asker.estate.addressed(link.target))
        if account is not None and account.kind == STORAGE and any(w for _, w in keys_of(account)):
            yield account


def _data_of(resource: Resource) -> Iterator[Operation]:
    return (op for op in operations.of_kind(resource.kind) if op.plane is Plane.DATA)


def _answer_of(grant: Grant) -> Decision:
    outcome = Outcome(grant.verdict.value)
    return Decision(grant.verdict, outcome, grant.residual, grant.statements)


def candidates(asker: Asker) -> Iterator[Resource]:
    """Give the listed resources that a role of the principal's, or a vault's policy, may touch.

    What a listed resource holds (a container, a secret) speaks for itself only where a role is
    held on exactly that.
    """
    estate, seen = asker.estate, set[str]()
    for scope in sorted(asker.by_target):
        if not is_arm(scope):
            continue
        for resource in estate.resources_in(scope):
            if resource.id not in seen and (resource.id == scope or not _is_part(asker, resource)):
                seen.add(resource.id)
                yield resource
    for name in estate.vaults_naming(asker.members):
        if name not in seen and name in estate.facts.resources:
            seen.add(name)
            yield estate.facts.resources[name]


#: Types of what the account or vault that it lies in speaks for.
_PARTS = (
    "microsoft.storage/storageaccounts/",
    "microsoft.keyvault/vaults/",
    "microsoft.documentdb/databaseaccounts/",
    "microsoft.servicebus/namespaces/",
    "microsoft.eventhub/namespaces/",
)


def _is_part(asker: Asker, resource: Resource) -> bool:
    if not resource.kind.startswith(_PARTS):
        return False
    known = asker.estate.facts.resources
    return any(place in known for place in enclosing(resource.id) if place != resource.id)


class _Kept(msgspec.Struct):
    """Answers by what they hang on, so that resources that are alike are answered for once."""

    answers: dict[object, tuple[Row, ...]] = msgspec.field(
        default_factory=dict[object, "tuple[Row, ...]"]
    )


class Row(msgspec.Struct, frozen=True):
    """One grant on whichever resource."""

    capability: Capability
    actions: tuple[str, ...]
    decision: Decision
    within: tuple[str, ...] = ()
    note: str = ""


def _on_resource(asker: Asker, resource: Resource, kept: _Kept) -> Iterator[Grant]:
    key = _alike(asker, resource)
    rows = kept.answers.get(key) if key is not None else None
    if rows is None:
        rows = tuple(_rows(asker, resource))
        if key is not None:
            kept.answers[key] = rows
    for row in rows:
        yield _grant(asker, resource, row)


def _grant(asker: Asker, resource: Resource, row: Row) -> Grant:
    decision = row.decision
    return Grant(
        principal=asker.name,
        resource=resource.id,
        kind=resource.kind,
        name=resource.name or resource.id.rsplit("/", 1)[-1],
        scope=resource.scope,
        provider="azure",
        capability=row.capability,
        actions=row.actions,
        verdict=decision.verdict,
        residual=decision.residual,
        statements=decision.allowed_by,
        within=row.within,
        region=resource.region,
        assumes=(*((row.note,) if row.note else ()), *decision.assumes),
    )


def _alike(asker: Asker, resource: Resource) -> object:
    """What the answers about a resource hang on; None where they hang on its name."""
    estate = asker.estate
    places = estate.scopes_of(resource.id)
    roles: list[int] = []
    for held, _ in asker.at(resource.id):
        conditional = held.binding.condition or (
            held.role and any(block.condition for block in held.role.blocks)
        )
        if conditional or held.role is None:
            return None
        roles.append(id(held))
    denies = tuple(place for place in places if estate.denies_at(place))
    locks = estate.locks(resource.id)
    decides = _how_decided(asker, resource)
    if denies or locks or decides is None or estate.loose:
        return None
    open_keys = tuple((keys.listed_by, works) for keys, works in keys_of(resource))
    unread = tuple(estate.unread(kind, places) for kind in ("bindings", "deny", "locks"))
    return (resource.kind, tuple(roles), open_keys, unread, decides)


def _how_decided(asker: Asker, resource: Resource) -> str | None:
    """Whether roles decide about the data of a vault or cluster; None where its own policies do,
    or nobody knows."""
    name = {VAULT: "rbac", CLUSTER: "azure_rbac"}.get(resource.kind)
    if name is None:
        return ""
    by_roles = resource.attributes.get(name)
    if by_roles is True:
        return "by roles"
    if by_roles is False and resource.id not in asker.estate.facts.attachments:
        return "by nothing"
    return None


# --- one resource --------------------------------------------------------------------------


def _rows(asker: Asker, resource: Resource) -> Iterator[Row]:
    answers = dict(_answers(asker, resource, _operations(asker, resource)))
    by_key = tuple(_by_key(resource, answers))
    opened = {op for _, _, ops in by_key for op in ops}
    rest = [(op, answer) for op, answer in answers.items() if not _outdone(op, answer, opened)]
    yield from _grouped(parts_told_apart(asker, resource, rest))
    for keys, decision, ops in by_key:
        note = f"{keys.what} opens all data, past data roles and their conditions: {keys.how}"
        rows = _grouped((op, decision, ()) for op in ops)
        yield from (replace(row, note=f"{note} ({keys.listed_by})") for row in rows)


def _outdone(op: Operation, decision: Decision, opened: Iterable[Operation]) -> bool:
    """Does a key give, for certain, what the roles give under conditions only?"""
    return op in opened and decision.residual != TRUE


def _operations(asker: Asker, resource: Resource) -> tuple[Operation, ...]:
    """Known operations of the type, and those that a role names outright."""
    known = operations.of_kind(resource.kind)
    names = {(op.plane, op.lower) for op in known}
    prefix = resource.kind + "/"
    more: list[Operation] = []
    for held, _ in asker.at(resource.id):
        for block in held.role.blocks if held.role else ():
            for name in block.actions.literals:
                key = (block.plane, name)
                if name.startswith(prefix) and key not in names:
                    names.add(key)
                    spelled = asker.estate.spelled(name)
                    more.append(Operation(spelled, block.plane, resource.kind))
    return (*known, *sorted(more, key=lambda op: (op.plane, op.lower)))


def _answers(
    asker: Asker, resource: Resource, ops: Iterable[Operation]
) -> Iterator[tuple[Operation, Decision]]:
    """Decide each operation; leave out those of which no role speaks at all."""
    for op in ops:
        decision = decided(asker, Asked(op.plane, op.lower), resource.id)
        if decision.verdict is not Verdict.DENY and decision.allowed_by:
            yield op, decision


def _by_key(
    resource: Resource, answers: dict[Operation, Decision]
) -> Iterator[tuple[Keys, Decision, tuple[Operation, ...]]]:
    """The data that a key opens which the principal may get; the surest way to each."""
    listed = {op.lower: decision for op, decision in answers.items()}
    writing = listed.get(f"{resource.kind}/write")
    taken: set[Operation] = set()
    for sure in (True, False):
        for keys, works in keys_of(resource):
            decision = listed.get(keys.listed_by.lower())
            if decision is not None and not works:
                decision = _once_turned_on(decision, writing)
            if decision is None or (decision.residual == TRUE) is not sure:
                continue
            ops = tuple(
                op
                for op in operations.of_kind(resource.kind)
                if op.plane is Plane.DATA
                and op not in taken
                and not (op in answers and answers[op].residual == TRUE)
                and (not keys.read_only or operations.capability(op.spelled) in _READS)
            )
            taken.update(ops)
            if ops:
                yield keys, decision, ops


def _once_turned_on(listing: Decision, writing: Decision | None) -> Decision | None:
    """Keys that are off are as good as on for who may turn them on and list them then."""
    if writing is None:
        return None
    residual = all_of((listing.residual, writing.residual, provided("it turns keys on first")))
    unknown = Verdict.UNKNOWN in (listing.verdict, writing.verdict)
    return replace(
        listing,
        verdict=Verdict.UNKNOWN if unknown else Verdict.CONDITIONAL,
        outcome=Outcome.UNKNOWN if unknown else Outcome.CONDITIONAL,
        residual=residual,
        allowed_by=tuple(sorted({*listing.allowed_by, *writing.allowed_by})),
    )


_READS = (Capability.READ, Capability.LIST)


_RowKey = tuple[Capability, Verdict, Expr, tuple[StatementRef, ...], tuple[str, ...]]


def _grouped(
    answers: Iterable[tuple[Operation, Decision, tuple[str, ...]]],
) -> Iterator[Row]:
    rows: dict[_RowKey, tuple[Decision, list[str]]] = {}
    for op, decision, within in answers:
        capability = operations.capability(op.spelled)
        key = (capability, decision.verdict, decision.residual, decision.allowed_by, within)
        rows.setdefault(key, (decision, []))[1].append(op.spelled)
    for (capability, _, _, _, within), (decision, names) in rows.items():
        yield Row(capability, tuple(sorted(names)), decision, within)
