"""Secrets that hold the credentials of others: whoever may read one gains what it opens.

Which they are is never read from a value. Somebody says so: by a tag on the secret, whose value
is the ARN of the principal (several are separated by spaces), or by a rule of the user's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from modelreach.model import Strength, Verdict
from modelreach.policy.aws import catalogue
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.encryption import with_key
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.named import OPENS_TAG
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.escalation.mechanism import strength_of
from modelreach.policy.glob import match
from modelreach.snapshot import Resource

#: Pairs of a glob over resource ids, and the principal that what it matches opens.
Opens = tuple[tuple[str, str], ...]

#: What reads the contents, by kind.
_READS: Final = {
    "secretsmanager:secret": "secretsmanager:GetSecretValue",
    "ssm:parameter": "ssm:GetParameter",
}


def opened(estate: Estate, declared: Opens) -> dict[str, tuple[str, ...]]:
    """Give the principals that each secret opens, by its tag and by what the user declares."""
    found: dict[str, tuple[str, ...]] = {}
    facts = estate.facts
    tagged_ones = (facts.resources[name] for name in estate.named.opening)
    for resource in facts.snapshot.resources if declared else tagged_ones:
        if resource.provider != "aws" or resource.kind not in _READS:
            continue
        tagged = resource.tags.get(OPENS_TAG, "").split()
        named = [principal for glob, principal in declared if match(glob, resource.id)]
        if principals := sorted({*tagged, *named}):
            found[resource.id] = tuple(principals)
    return found


def credential_pivots(
    asker: Asker, secrets: Mapping[str, tuple[str, ...]], own: Iterable[Pivot]
) -> Iterator[Pivot]:
    """Give a hop to each principal whose credentials the asker may read.

    `own` are its other hops: who administers an account is already whoever is in it.
    """
    administered = {
        pivot.target
        for pivot in own
        if pivot.kind == "administer" and pivot.strength is Strength.CERTAIN
    }
    for name in sorted(secrets):
        targets = [target for target in secrets[name] if _scope(target) not in administered]
        if targets:
            yield from _of_secret(asker, asker.estate.facts.resources[name], targets)


def _scope(principal: str) -> str:
    parts = principal.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def _of_secret(asker: Asker, secret: Resource, targets: list[str]) -> Iterator[Pivot]:
    action = _READS[secret.kind]
    decision = _read(asker, secret, action)
    if decision.verdict is Verdict.DENY:
        return
    for target in targets:
        if target != asker.name:
            yield Pivot(
                "credential",
                asker.name,
                target,
                strength_of(decision.residual),
                decision.residual,
                (Support(asker.name, action, secret.id, decision.allowed_by),),
                via=secret.id,
                note=f"{secret.name or secret.id} holds a credential of it",
            )


def _read(asker: Asker, secret: Resource, action: str) -> Decision:
    decision = asker.decide(action, secret.id, secret.id, secret.scope)
    known = catalogue.find(action)
    return with_key(asker, secret, known, decision) if known else decision
