"""Says why a request is denied, and what would have to change."""

from __future__ import annotations

from modelreach.model import Verdict
from modelreach.policy.decision import Decision, Layer, Outcome
from modelreach.policy.expr import conjuncts

_LACKS = {
    Layer.BINDING: (
        "no role that is held here has it: a role with it has to be assigned, to the caller or "
        "to a group of its, at this scope or above"
    ),
    Layer.LOCK: "a lock stands in the way of everybody: it has to be taken away first",
}


def explain(decision: Decision) -> tuple[str, ...]:
    """Give one line for everything that stops a request; none if it is allowed."""
    match decision.verdict:
        case Verdict.ALLOW:
            return ()
        case Verdict.CONDITIONAL:
            return tuple(f"it is denied unless: {part}" for part in conjuncts(decision.residual))
        case Verdict.UNKNOWN:
            return tuple(f"it cannot be told: {part}" for part in conjuncts(decision.residual))
        case _:
            return tuple(_denied(decision))


def _denied(decision: Decision) -> list[str]:
    if decision.outcome is Outcome.EXPLICIT_DENY and decision.denied_by:
        return [
            f"deny assignment {ref.policy} on {ref.target} denies it: no role helps; it has to "
            "go, or to except the caller"
            for ref in decision.denied_by
        ]
    return [_LACKS[layer] for layer in decision.blocked_by if layer in _LACKS]
