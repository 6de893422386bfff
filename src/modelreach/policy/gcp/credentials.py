"""Credentials of others that can be read: API keys that act as a service account, and secrets of
which somebody has said what they open.

https://docs.cloud.google.com/docs/authentication/api-keys#bound-keys
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.model import Verdict
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import provided, strength_of
from modelreach.policy.expr import TRUE, Expr, all_of
from modelreach.policy.gcp.holder import Holder
from modelreach.policy.glob import match
from modelreach.policy.provider import Opens

_READ_KEY = "apikeys.keys.getKeyString"
_READ_SECRET = "secretmanager.versions.access"  # noqa: S105 - a permission
_SECRET = "secretmanager.googleapis.com/Secret"  # noqa: S105 - a kind


def by_api_keys(holder: Holder) -> Iterator[Pivot]:
    """Give a hop to each account that an API key acts as which the principal may read."""
    estate = holder.asker.estate
    places = holder.places(_READ_KEY)
    scopes = {scope for place in places if estate.is_scope(place) for scope in estate.under(place)}
    bound = provided("it asks Vertex AI, for which the key is good")
    for scope in sorted(scopes):
        for key in estate.bound_keys.get(scope, ()):
            note = f"reads the API key {key.id}, which acts as it"
            yield from _read(
                holder, _READ_KEY, scope, key.principal, key.id, bound, "gcp-bound-api-key", note
            )


def by_secrets(holder: Holder, opens: Opens) -> Iterator[Pivot]:
    """Give a hop to each principal whose credentials a secret holds that it may read."""
    estate = holder.asker.estate
    for glob, target in opens if holder.places(_READ_SECRET) else ():
        for secret in estate.facts.snapshot.resources:
            if secret.kind == _SECRET and match(glob, secret.id):
                note = f"{secret.name or secret.id} holds a credential of it"
                yield from _read(
                    holder, _READ_SECRET, secret.id, target, secret.id, TRUE, "", note
                )


def _read(
    holder: Holder,
    action: str,
    place: str,
    target: str,
    via: str,
    bound: Expr,
    rule: str,
    note: str,
) -> Iterator[Pivot]:
    decision = holder.decide(action, place, {})
    if decision.verdict is Verdict.DENY or target == holder.name:
        return
    residual = all_of((decision.residual, bound))
    support = Support(holder.name, action, place, decision.allowed_by)
    strength = strength_of(residual)
    yield Pivot("credential", holder.name, target, strength, residual, (support,), rule, via, note)
