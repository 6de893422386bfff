"""The second permission: reading what is encrypted under a customer's key needs the key, too.

Secrets Manager, Parameter Store and SQS decrypt with the caller's own permission on the key, by
way of the service. A bucket's default key only says how objects are encrypted when they are
written without saying so: an object may lie there under another key, so a missing permission
makes reading conditional instead of denying it.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from msgspec.structs import replace

from modelreach.model import Capability, Verdict
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.catalogue import Action
from modelreach.policy.decision import Decision, Outcome
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, is_open
from modelreach.snapshot import Facts, Resource

_SERVICES = frozenset({"secretsmanager", "ssm", "sqs", "s3"})


def with_key(asker: Asker, resource: Resource, action: Action, decision: Decision) -> Decision:
    """Give the decision on an action with what the resource's key asks for besides.

    Nothing changes for actions that return no contents, and where the key is not in the snapshot
    (the keys that AWS manages let their service in for everybody in the account).
    """
    if action.capability is not Capability.READ or action.service not in _SERVICES:
        return decision
    key = needed_key(resource, asker.estate.facts)
    if key is None:
        return decision
    via = {"kms:ViaService": (f"{action.service}.{resource.region}.amazonaws.com",)}
    decrypt = asker.decide("kms:Decrypt", key.id, key.id, key.scope, via)
    needed: Expr = decrypt.residual
    if action.service == "s3":
        needed = needed | Atom(AtomKind.CONTEXT, "the object", "is not encrypted under", (key.id,))
    residual = all_of((decision.residual, needed))
    return replace(
        decision,
        verdict=_verdict(residual),
        outcome=_outcome(residual),
        residual=residual,
        allowed_by=tuple(sorted({*decision.allowed_by, *decrypt.allowed_by})),
    )


def needed_key(resource: Resource, facts: Facts) -> Resource | None:
    """Give the key that reading the contents of a resource needs, too."""
    key = facts.resources.get(str(resource.attributes.get("kms_key", "")))
    if key is None or key.attributes.get("manager") == "AWS":
        return None
    return key if resource.kind.partition(":")[0] in _SERVICES else None


def _verdict(residual: Expr) -> Verdict:
    if residual in (TRUE, FALSE):
        return Verdict.ALLOW if residual == TRUE else Verdict.DENY
    unread = is_open(residual, AtomKind.GAP, AtomKind.OPAQUE)
    return Verdict.UNKNOWN if unread else Verdict.CONDITIONAL


def _outcome(residual: Expr) -> Outcome:
    return {
        Verdict.ALLOW: Outcome.ALLOW,
        Verdict.DENY: Outcome.IMPLICIT_DENY,
        Verdict.UNKNOWN: Outcome.UNKNOWN,
        Verdict.CONDITIONAL: Outcome.CONDITIONAL,
    }[_verdict(residual)]
