"""Who may write how the providers of an identity pool map tokens may come as any identity of it:
as each account that lets one act as it, and as each that bindings name, by its subject or a set.

https://docs.cloud.google.com/iam/docs/workload-identity-federation#mapping
https://docs.cloud.google.com/iam/docs/workforce-identity-federation#attribute-mappings
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Verdict
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.gcp.estate import WORKFORCE, Estate
from modelreach.policy.gcp.holder import Holder
from modelreach.snapshot import Principal

_ACTIONS = (
    "iam.workloadIdentityPoolProviders.update",
    "iam.workloadIdentityPoolProviders.create",
)
_OF_PEOPLE = (
    "iam.workforcePoolProviders.update",
    "iam.workforcePoolProviders.create",
)
_MINT = "iam.serviceAccounts.getAccessToken"
RULE = "gcp-edit-pool-provider"


def pools(holder: Holder) -> Iterator[Pivot]:
    """Give a hop to each account that lets an identity of such a pool act as it, and to each such
    identity that has something by itself."""
    for pool, members in sorted(holder.asker.estate.members_by_pool.items()):
        found = _editing(holder, pool)
        if found is not None:
            yield from _opened(holder, pool, members, *found)


def _editing(holder: Holder, pool: str) -> tuple[str, Decision] | None:
    chain = set(holder.asker.estate.chain(pool))
    for action in _OF_PEOPLE if WORKFORCE in pool else _ACTIONS:
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
            if target is None or not (role.has(_MINT) or not role.known):
                target = _coming(estate, pool, member)
            if target is None or target.id in told:
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
                    _further(member, target),
                ),
                RULE,
                pool,
                "comes as an identity of the pool, by a provider of its own making",
            )


def _coming(estate: Estate, pool: str, member: str) -> Principal | None:
    """Give whom a member of a pool means: who it names, or somebody made up who is in its set."""
    kind, _, rest = member.partition(f":{pool}/")
    if kind != "principalSet":
        known = estate.principal(member)
        if known is not None:
            return known
    name, _, value = rest.partition("/")
    own = {name: value} if kind == "principalSet" and value else {}
    subject = rest if kind == "principalSet" else value
    found = Principal(
        id=f"principal:{pool}/subject/{subject}",
        provider="gcp",
        kind="federated",
        scope=estate.scope_of(pool),
        attributes={**own},
    )
    return estate.admitted.setdefault(found.id, found)


def _further(member: str, target: Principal) -> Support:
    if target.kind == "federated":
        return Support(member, "", target.id, (), "bindings name whom it comes as")
    return Support(member, _MINT, target.id, (), "who comes by the pool may act as it")
