"""Ways into other accounts of which one half is there: a role that a principal's own policies name
and that does not let it in, or is not there; a role that lets in one whose policies do not let it.

Across accounts both have to say so. Only what names one in full is told: `*`, and a trust in a
whole account, say nothing of somebody in particular.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from modelreach.model import Verdict
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.estate import ANY_POLICY
from modelreach.policy.aws.held import held
from modelreach.policy.aws.outline import outlines
from modelreach.policy.decision import Decision, Layer, Outcome, StatementRef
from modelreach.policy.engine import Half, Presence, Side, Support
from modelreach.policy.glob import is_literal, plain
from modelreach.snapshot import Principal

_ACTION = "sts:AssumeRole"


def halves(asker: Asker, presence: Callable[[str], Presence]) -> Iterator[Half]:
    """Give the halves of a principal's ways to roles of other accounts: those that its policies
    name, and the trusts that are left. `presence` says whether a role is there."""
    for name, refs in sorted(_named(asker).items()):
        found = presence(name)
        left = found is Presence.ABSENT or (found is Presence.LISTED and _kept_out(asker, name))
        note = f"named is a role of account {name.split(':')[4]}"
        support = Support(asker.name, _ACTION, name, refs, note)
        yield Half(Side.POLICY, asker.name, name, "aws", (support,), found, left)
    for role in _trusting(asker):
        refs = _let_in(asker, role)
        if refs:
            support = Support(asker.name, _ACTION, role.id, refs)
            yield Half(Side.TRUST, asker.name, role.id, "aws", (support,), Presence.LISTED)


def _named(asker: Asker) -> dict[str, tuple[StatementRef, ...]]:
    """Give the roles of other accounts that the policies name in full and let it assume."""
    found: dict[str, tuple[StatementRef, ...]] = {}
    for box in held(asker, _ACTION.lower()).boxes if _names_some(asker) else ():
        for region in box.resources.regions:
            for glob in region.inside:
                if _elsewhere(glob, asker):
                    found.setdefault(plain(glob), box.because)
    return found


def _names_some(asker: Asker) -> bool:
    """May a policy name a role of another account: at a glance?"""
    return any(
        line.allows
        and (line.services is None or "sts" in line.services)
        and any(_elsewhere(glob, asker) for glob in line.globs)
        for policy in asker.layers.identity
        for line in outlines(policy.document)
    )


def _elsewhere(glob: str, asker: Asker) -> bool:
    parts = glob.split(":", 5)
    return (
        len(parts) == 6
        and parts[1:3] == [asker.principal.id.split(":")[1], "iam"]
        and parts[5].startswith("role/")
        and is_literal(glob)
        and parts[4] != asker.principal.scope
    )


def _kept_out(asker: Asker, name: str) -> bool:
    """Is it the role's trust alone that does not let one in, without shutting one out?"""
    decision = _decided(asker, name)
    return (
        decision.verdict is Verdict.DENY
        and decision.outcome is not Outcome.EXPLICIT_DENY
        and decision.blocked_by == (Layer.TRUST,)
    )


def _decided(asker: Asker, name: str) -> Decision:
    return asker.decide(_ACTION, name, name, name.split(":")[4])


def _trusting(asker: Asker) -> Iterator[Principal]:
    """Give the roles of other accounts whose trust names one in particular."""
    estate, mine = asker.estate, asker.principal
    keys = [k for k in estate.keys_of(mine) if k != "*" and not k.endswith(":root")]
    names = {name for key in keys for name in estate.named.trusts.get(key, ())}
    for name in sorted(names):
        role = estate.facts.principals.get(name)
        if role is not None and role.kind == "role" and role.scope != mine.scope:
            yield role


def _let_in(asker: Asker, role: Principal) -> tuple[StatementRef, ...]:
    """Give the statements by which a role lets one in whose own policies alone do not let it."""
    decision = _decided(asker, role.id)
    if decision.verdict is not Verdict.DENY or decision.outcome is Outcome.EXPLICIT_DENY:
        return ()
    able = Asker.of(asker.estate, asker.principal.id + ANY_POLICY, asker.fixed)
    allowed = _decided(able, role.id)
    if allowed.verdict not in (Verdict.ALLOW, Verdict.CONDITIONAL):
        return ()
    return tuple(ref for ref in allowed.allowed_by if ref.layer is Layer.TRUST)
