"""Says why a request is denied, and what would have to change."""

from __future__ import annotations

from modelreach.model import Verdict
from modelreach.policy.decision import Decision, Layer, Outcome, StatementRef
from modelreach.policy.expr import conjuncts

_LACKS = {
    Layer.SCP: (
        "a service control policy level does not allow it",
        "every level from the root to the account needs a policy that allows it",
    ),
    Layer.RCP: (
        "a resource control policy level does not allow it",
        "every level above the resource's account needs a policy that allows it",
    ),
    Layer.ENDPOINT: (
        "the VPC endpoint policy does not allow it",
        "the endpoint policy needs to allow it, or the request has to take another way",
    ),
    Layer.RESOURCE: (
        "the resource's policy does not allow the caller",
        "the resource's policy needs an allow that names the caller or its account",
    ),
    Layer.TRUST: (
        "the role's trust policy does not allow the caller",
        "the trust policy needs an allow that names the caller or its account",
    ),
    Layer.GRANT: (
        "no grant on the key gives it to the caller",
        "the key needs a grant, or its key policy an allow",
    ),
    Layer.ACL: (
        "no access control list gives it to the caller",
        "the resource's policy or access control list needs to give it",
    ),
    Layer.IDENTITY: (
        "no identity policy of the caller allows it",
        "a policy of the caller or of one of its groups needs to allow it",
    ),
    Layer.BOUNDARY: (
        "the caller's permissions boundary does not allow it",
        "the boundary needs to allow it too",
    ),
    Layer.SESSION: (
        "the session policy does not allow it",
        "the session has to be made with a policy that allows it",
    ),
    Layer.ACCESS_POLICY: (
        "no data access policy of the store lets the caller in",
        "a data access policy needs to name the caller",
    ),
    Layer.SERVICE: (
        "the service does not let this kind of caller do it",
        "another principal has to make the request",
    ),
}


def explain_deny(decision: Decision) -> tuple[str, ...]:
    """Give one line for each layer or statement that stops the request; none if it is allowed.

    For a conditional answer, what has to hold; for an unknown one, what is not known.
    """
    match decision.verdict:
        case Verdict.ALLOW:
            return ()
        case Verdict.CONDITIONAL:
            return tuple(f"it is denied unless: {part}" for part in conjuncts(decision.residual))
        case Verdict.UNKNOWN:
            return tuple(f"it cannot be told: {part}" for part in conjuncts(decision.residual))
        case _:
            return _denied(decision)


def _denied(decision: Decision) -> tuple[str, ...]:
    if decision.outcome is Outcome.EXPLICIT_DENY:
        return tuple(_explicit(reference) for reference in decision.denied_by)
    lines = (_LACKS[layer] for layer in decision.blocked_by)
    return tuple(f"{lack}: {change}" for lack, change in lines)


def _explicit(reference: StatementRef) -> str:
    on = f" on {reference.target}" if reference.target else ""
    statement = reference.sid or f"number {reference.index + 1}"
    return (
        f"{reference.layer} policy {reference.policy}{on} denies it explicitly (statement "
        f"{statement}): no allow helps; the statement has to go, to except the caller, the action "
        "or the resource, or to be limited by a condition that the request does not meet"
    )
