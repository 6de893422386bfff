"""Whom one principal can become, and which scopes it can take over, in one hop.

Scopes first, from above: what lies below one that is taken over for certain is told with it. Then
the rules, and what rules of their form cannot say.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from modelreach.model import Strength, Verdict
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import strength_of, tried
from modelreach.policy.escalation.prober import RoleProber
from modelreach.policy.escalation.rules import Rule, rules
from modelreach.policy.expr import all_of
from modelreach.policy.gcp.asker import Asker
from modelreach.policy.gcp.credentials import by_api_keys, by_secrets
from modelreach.policy.gcp.delegation import delegations
from modelreach.policy.gcp.edits import edits
from modelreach.policy.gcp.federation import pools
from modelreach.policy.gcp.holder import Holder
from modelreach.policy.provider import Opens

PACKAGE = "modelreach.policy.gcp"


def pivots(asker: Asker, opens: Opens = ()) -> Iterator[Pivot]:
    """Give every hop from a principal. Nobody gets tokens of an account that is disabled."""
    if asker.principal.attributes.get("disabled"):
        return
    holder = Holder(asker)
    certain: set[str] = set()
    for pivot in (*_of_scopes(holder), *_of_identities(holder, opens)):
        found = asker.estate.facts.principals.get(pivot.target)
        if pivot.target == asker.name or (found and found.attributes.get("disabled")):
            continue
        if pivot.strength is Strength.CERTAIN:
            certain.add(pivot.target)
        # Whom it can be, it need not prompt.
        if pivot.strength is not Strength.INFLUENCE or pivot.target not in certain:
            yield pivot


def _of_identities(holder: Holder, opens: Opens) -> Iterator[Pivot]:
    prober = RoleProber(holder)
    for rule in rules(PACKAGE):
        if rule.yields != "scope":
            yield from tried(rule, prober)
    yield from delegations(holder)
    yield from pools(holder)
    yield from edits(holder)
    yield from by_api_keys(holder)
    yield from by_secrets(holder, opens)


# --- scopes ----------------------------------------------------------------------------------

_ORDER = {"organization": 0, "folder": 1, "project": 2}


def _of_scopes(holder: Holder) -> Iterator[Pivot]:
    """Give scopes that can be taken over; none below one that is for certain."""
    prober = RoleProber(holder)
    of_scopes = [rule for rule in rules(PACKAGE) if rule.yields == "scope"]
    for rule in sorted(of_scopes, key=_order):
        for pivot in tuple(tried(rule, prober)):
            yield from _told(holder, pivot)
    for pivot in _by_custom_roles(holder):
        yield from _told(holder, pivot)


def _told(holder: Holder, takeover: Pivot) -> Iterator[Pivot]:
    if holder.is_told(takeover.target):
        return
    yield takeover
    if takeover.strength is Strength.CERTAIN:
        holder.taken.add(takeover.target)
        yield from _leading_out(holder, takeover)


def _order(rule: Rule) -> tuple[int, str]:
    kinds = rule.thing.kind if rule.thing else ()
    return min((_ORDER.get(kind, 3) for kind in kinds), default=3), rule.id


def _by_custom_roles(holder: Holder) -> Iterator[Pivot]:
    """Who may edit a custom role that it holds may put anything into it.

    https://docs.cloud.google.com/iam/docs/creating-custom-roles
    """
    asker, estate, action = holder.asker, holder.asker.estate, "iam.roles.update"
    if not holder.places(action):
        return
    for target, bindings in sorted(asker.held.items()):
        for held in bindings:
            owner = estate.scope(held.binding.role.rpartition("/roles/")[0])
            if not owner or not estate.is_scope(target):
                continue
            decision = holder.decide(action, owner, {})
            residual = all_of((held.who, decision.residual))
            if decision.verdict is not Verdict.DENY:
                yield Pivot(
                    "administer",
                    asker.name,
                    target,
                    strength_of(residual),
                    residual,
                    (
                        Support(asker.name, action, owner, decision.allowed_by),
                        Support(asker.name, "", target, (held.ref,), "holds the role here"),
                    ),
                    "gcp-edit-custom-role",
                    note=f"puts every permission into {held.binding.role}, which it holds",
                )


def _leading_out(holder: Holder, takeover: Pivot) -> Iterator[Pivot]:
    """Accounts of a scope taken over that are bound to anything outside of it."""
    for name in holder.asker.estate.leading_out(takeover.target):
        if name != holder.name:
            yield replace(
                takeover,
                kind="impersonate",
                target=name,
                rule="administrator",
                note="who may give itself any role in the scope may act as its accounts",
            )
