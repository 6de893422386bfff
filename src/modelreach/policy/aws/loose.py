"""What is answered where it was too much to work out which patterns mean a part of a region.

The part is then decided as a whole, by one name in it. What that says holds for the rest only
where nothing that was left open could change it: a deny that was left open must not be lost, and
an allow must not be claimed.
"""

from __future__ import annotations

from collections.abc import Iterable

from modelreach.model import Verdict
from modelreach.policy.aws.layers import AppliedPolicy
from modelreach.policy.aws.matching import opened
from modelreach.policy.aws.statement import Effect, Statement
from modelreach.policy.decision import Decision, Outcome
from modelreach.policy.expr import Atom, AtomKind
from modelreach.policy.glob import match

#: In these words all limits of this kind are told.
TOO_MUCH = "it is too much to work out"

#: So many policies are named.
_NAMED = 3

Spoken = tuple[AppliedPolicy, Statement]


def loosened(
    decision: Decision, spoken: Iterable[Spoken], open_: frozenset[str], region: str, sample: str
) -> Decision:
    """Give what is known of a part of a region from the answer about one name in it (`sample`),
    where of some patterns it is open whether they mean that part. `spoken` are the statements that
    speak of what is asked."""
    listed = list(spoken)
    allowing = [one for one in listed if one[1].effect is Effect.ALLOW]
    lifted = any(_is_open(statement, open_) for _, statement in allowing)
    if decision.outcome is Outcome.IMPLICIT_DENY and not lifted:
        return decision
    if decision.verdict is Verdict.ALLOW and _only_add(listed, open_, sample):
        return decision
    said = sorted({policy.name for policy, statement in listed if _is_open(statement, open_)})
    more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    why = f"how the patterns of policy {', '.join(said[:_NAMED])}{more} for {region} overlap"
    denying = [one for one in listed if one[1].effect is Effect.DENY]
    return Decision(
        Verdict.UNKNOWN,
        Outcome.UNKNOWN,
        Atom(AtomKind.OPAQUE, why, "", (TOO_MUCH,)),
        decision.allowed_by or tuple(sorted({p.reference(s) for p, s in allowing})),
        tuple(sorted({p.reference(s) for p, s in denying if _is_open(s, open_)})),
        (),
        decision.assumes,
        (*decision.not_understood, f"{why}: {TOO_MUCH}"),
    )


def _only_add(spoken: list[Spoken], open_: frozenset[str], sample: str) -> bool:
    """Can what is left open only allow more than what is allowed for a name that it leaves out?"""
    return not any(match(glob, sample) for glob in open_) and all(
        statement.effect is Effect.ALLOW
        and statement.resources is not None
        and not statement.resources.negated
        for _, statement in spoken
        if _is_open(statement, open_)
    )


def _is_open(statement: Statement, open_: frozenset[str]) -> bool:
    if statement.resources is None:
        return False
    return any(opened(glob, statement.variables) in open_ for glob in statement.resources.globs)
