"""Chains of delegation: A may delegate by B, and B mint tokens of C, so A gets tokens of C.

To delegate by B alone gives nothing; in a longer chain each delegates by the next.
https://docs.cloud.google.com/iam/docs/create-short-lived-credentials-delegated
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Verdict
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import Met, strength_of
from modelreach.policy.expr import TRUE, all_of
from modelreach.policy.gcp.asker import Asker
from modelreach.policy.gcp.holder import Holder

_MINT = "iam.serviceAccounts.getAccessToken"
_DELEGATE = "iam.serviceAccounts.implicitDelegation"
RULE = "gcp-implicit-delegation"


def delegations(holder: Holder) -> Iterator[Pivot]:
    """Give a hop to each account of which some chain of delegation mints tokens."""
    seen = {holder.name}
    waiting: list[tuple[Holder, Met]] = [(holder, ((), TRUE))]
    while waiting:
        here, met = waiting.pop(0)
        for name, so_far in _through(here, met):
            if name in seen:
                continue
            seen.add(name)
            further = _as(holder, name)
            if further is not None:
                yield from _minted(holder.name, further, so_far)
                waiting.append((further, so_far))


def _as(holder: Holder, name: str) -> Holder | None:
    found = holder.asker.estate.principal(name)
    if found is None:
        return None
    return Holder(Asker.of(holder.asker.estate, found, holder.asker.fixed), holder.taken)


def _through(here: Holder, met: Met) -> Iterator[tuple[str, Met]]:
    for account in here.principals(("service-account",), here.places(_DELEGATE)):
        found = _added(here, _DELEGATE, account.id, met)
        if found is not None:
            yield account.id, found


def _added(here: Holder, action: str, name: str, met: Met) -> Met | None:
    decision = here.decide(action, name, {})
    if decision.verdict is Verdict.DENY:
        return None
    support = Support(here.name, action, name, decision.allowed_by)
    return (*met[0], support), all_of((met[1], decision.residual))


def _minted(source: str, by: Holder, met: Met) -> Iterator[Pivot]:
    for target in by.principals(("service-account", "service-agent"), by.places(_MINT)):
        found = _added(by, _MINT, target.id, met)
        if found is not None and target.id not in (source, by.name):
            yield Pivot(
                "impersonate",
                source,
                target.id,
                strength_of(found[1]),
                found[1],
                found[0],
                RULE,
                by.name,
                f"mints a token of it by delegation through {by.name}",
            )
