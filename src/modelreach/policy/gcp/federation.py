"""Who may write how the providers of an identity pool map tokens may come as any identity of it.

https://docs.cloud.google.com/iam/docs/workload-identity-federation#mapping
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Verdict
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.gcp.holder import Holder

_ACTIONS = (
    "iam.workloadIdentityPoolProviders.update",
    "iam.workloadIdentityPoolProviders.create",
)
_MINT = "iam.serviceAccounts.getAccessToken"
RULE = "gcp-edit-pool-provider"


def pools(holder: Holder) -> Iterator[Pivot]:
    """Give a hop to each account that lets an identity of such a pool act as it."""
    for pool, members in sorted(holder.asker.estate.members_by_pool.items()):
        found = _editing(holder, pool)
        if found is not None:
            yield from _opened(holder, pool, members, *found)


def _editing(holder: Holder, pool: str) -> tuple[str, Decision] | None:
    chain = set(holder.asker.estate.chain(pool))
    for action in _ACTIONS:
        if not chain.isdisjoint(holder.places(action)):
            decision = holder.decide(action, pool, {})
            if decision.verdict is not Verdict.DENY:
                return action, decision
    return None


def _opened(
    holder: Holder, pool: str, members: tuple[str, ...], action: str, decision: Decision
) -> Iterator[Pivot]:
    estate, told = holder.asker.estate, set[str]()
    for member in members:
        for binding in estate.bound_to.get(member, ()):
            target = estate.account_of(binding.target)
            role = estate.role(binding.role)
            if target is None or target.id in told or not (role.has(_MINT) or not role.known):
                continue
            told.add(target.id)
            yield Pivot(
                "federate",
                holder.name,
                target.id,
                strength_of(decision.residual),
                decision.residual,
                (
                    Support(holder.name, action, pool, decision.allowed_by),
                    Support(member, _MINT, target.id, (), "who comes by the pool may act as it"),
                ),
                RULE,
                pool,
                "comes as an identity of the pool, by a provider of its own making",
            )
