"""Whether a snapshot could tell of an identity that somebody names, and whom it lets in."""

from __future__ import annotations

import msgspec

from modelreach.policy.engine import Presence
from modelreach.snapshot import Facts


class Where(msgspec.Struct, frozen=True):
    """Where an identity would be: the provider, the scope ("" when its id does not say), and the
    kinds of facts that tell who is there and who is let in."""

    provider: str
    scope: str
    kinds: frozenset[str]


def presence(facts: Facts, name: str, where: Where, *, listed: bool) -> Presence:
    """Say whether an identity is there. What was refused anywhere on the way leaves it open."""
    for gap in facts.snapshot.gaps:
        if gap.provider != where.provider or gap.kind not in where.kinds:
            continue
        if gap.scope in ("", where.scope) and _about(gap.subject, name):
            return Presence.UNREAD
    if listed:
        return Presence.LISTED
    return Presence.ABSENT if _covered(facts, where) else Presence.UNREAD


def _about(subject: str, name: str) -> bool:
    """A gap about one identity leaves others alone; one about a provider of tokens does not."""
    of_provider = ":oidc-provider/" in subject or "/workloadIdentityPools/" in subject
    return of_provider or subject in ("", name)


def _covered(facts: Facts, where: Where) -> bool:
    rows = [
        row.complete
        for row in facts.snapshot.coverage
        if (row.provider, row.scope, row.kind) == (where.provider, where.scope, "principals")
    ]
    return bool(rows) and all(rows)
