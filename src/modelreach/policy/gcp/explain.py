"""Says why a request is denied, and what would have to change."""

from __future__ import annotations

from modelreach.model import Verdict
from modelreach.policy.decision import Decision, Layer, StatementRef
from modelreach.policy.expr import conjuncts

_LACKS = {
    Layer.BINDING: (
        "no binding gives it: a role with this permission has to be held on the resource, or on "
        "a project, folder or organization above it, without a condition that is not met"
    ),
    Layer.SERVICE: "the service account is disabled: nobody gets tokens for it",
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
    if decision.denied_by:
        return tuple(_by_statement(reference) for reference in decision.denied_by)
    return tuple(_LACKS[layer] for layer in decision.blocked_by if layer in _LACKS)


def _by_statement(reference: StatementRef) -> str:
    if reference.layer is Layer.BOUNDARY:
        return (
            f"boundary {reference.policy}, bound to {reference.target}, does not list where the "
            "resource is: no role helps; a boundary of the principal has to list it"
        )
    rule = f"rule {reference.index + 1}" + (f", {reference.sid}" if reference.sid else "")
    kind = "access policy" if reference.layer is Layer.ACCESS_POLICY else "deny policy"
    return (
        f"{kind} {reference.policy} on {reference.target} denies it ({rule}): no role helps; the "
        "rule has to go, or to except the principal or the permission"
    )
