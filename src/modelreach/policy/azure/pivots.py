"""Whom one principal can become, and what it can take over, in one hop."""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Strength
from modelreach.policy.azure.administration import administration
from modelreach.policy.azure.asker import Asker
from modelreach.policy.azure.holder import AzureHolder
from modelreach.policy.azure.ids import is_arm
from modelreach.policy.azure.relations import administered, clusters, credentials, relations
from modelreach.policy.engine import Pivot
from modelreach.policy.escalation.mechanism import tried
from modelreach.policy.escalation.prober import RoleProber
from modelreach.policy.escalation.rules import rules
from modelreach.policy.provider import Opens

_PACKAGE = "modelreach.policy.azure"
_ADMINISTER = "administer"


def pivots(asker: Asker, opens: Opens) -> Iterator[Pivot]:
    """Give every hop from a principal.

    Of whom it could become within scopes that it takes over anyway, only those who lead out of
    these are told.
    """
    own = tuple(administration(asker))
    yield from own
    taken = {p.target for p in own if p.kind == _ADMINISTER and p.strength is Strength.CERTAIN}
    for pivot in _others(asker, opens):
        if not taken or pivot.kind == _ADMINISTER or _leads_out(pivot.target, taken, asker):
            yield pivot


def takeovers(asker: Asker) -> Iterator[Pivot]:
    """Give every hop by which a principal takes a scope over."""
    prober = RoleProber(AzureHolder(asker))
    yield from (pivot for pivot in administration(asker) if pivot.kind == _ADMINISTER)
    for rule in rules(_PACKAGE):
        if rule.kind == _ADMINISTER:
            yield from (pivot for pivot in tried(rule, prober) if pivot.target)


def _others(asker: Asker, opens: Opens) -> Iterator[Pivot]:
    yield from relations(asker)
    yield from credentials(asker, opens)
    prober = RoleProber(AzureHolder(asker))
    found = [pivot for rule in rules(_PACKAGE) for pivot in tried(rule, prober)]
    found += administered(asker)
    yield from (pivot for pivot in found if pivot.target)
    yield from clusters(asker, [p for p in found if p.rule.startswith("azure-aks-")])


def _leads_out(target: str, taken: set[str], asker: Asker) -> bool:
    """Does anybody hold anything outside what is taken over?"""
    principal = asker.estate.principal(target.partition("#")[0])
    if principal is None:
        return True
    if principal.id not in asker.estate.leading:
        return False
    holding = [held for held in asker.estate.held(principal) if not held.doubt]
    if not holding or asker.estate.abroad.leads(principal.id):
        return True
    return any(
        not is_arm(held.binding.target)
        or not taken & set(asker.estate.scopes_of(held.binding.target))
        for held in holding
    )
