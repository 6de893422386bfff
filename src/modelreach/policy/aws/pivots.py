"""Whom one principal can become, and what it can take over, in one hop.

Plain trust first, then the escalation rules. Every need of a rule is put to the decision engine,
so that resource ARNs, conditions, boundaries and organisation policies bind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from modelreach.model import Strength, Verdict
from modelreach.policy.aws import catalogue
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.escalation import EscalationRule, Need, rules
from modelreach.policy.aws.estate import ANY_POLICY
from modelreach.policy.decision import Decision
from modelreach.policy.engine import Pivot, Support
from modelreach.policy.expr import TRUE, AtomKind, Expr, all_of, is_open
from modelreach.policy.extent import Extent
from modelreach.policy.permissions import PermissionSet
from modelreach.snapshot import Principal, Runtime


def pivots(asker: Asker, held: PermissionSet) -> Iterator[Pivot]:
    """Give every hop from a principal. `held` is its effective permission set."""
    administration = _administers(asker)
    if administration is not None:
        yield administration
        if administration.strength is Strength.CERTAIN:
            yield from _as_administrator(asker, administration)
            return
    yield from _assumable(asker)
    for rule in rules():
        if _applies(rule, asker) and all(_may(held, need.action) for need in rule.needs):
            yield from _by_rule(rule, asker, held)


# --- administration ------------------------------------------------------------------------

# Somebody who may do both, anywhere in the account, may do everything that can be done there:
# permissions are its to give, and nothing but the organisation's policies takes any away.
_EVERYTHING = (("iam:PutRolePolicy", "arn:{partition}:iam::{account}:role/any"), ("*:*", "*"))


def _administers(asker: Asker) -> Pivot | None:
    partition, account = asker.principal.id.split(":")[1], asker.principal.scope
    supports: list[Support] = []
    residuals: list[Expr] = []
    for action, template in _EVERYTHING:
        arn = template.format(partition=partition, account=account)
        decision = asker.decide(action, arn, "", account)
        if decision.verdict is Verdict.DENY:
            return None
        supports.append(Support(asker.name, action, arn, decision.allowed_by))
        residuals.append(decision.residual)
    residual = all_of(residuals)
    if asker.name.endswith(ANY_POLICY):
        note = "nothing limits what it may give itself"
    else:
        note = "its policies allow everything"
    return Pivot(
        "administer",
        asker.name,
        account,
        strength_of(residual),
        residual,
        (Support(asker.name, "*", "*", supports[-1].statements), *supports[:1]),
        note=note,
    )


def _as_administrator(asker: Asker, administration: Pivot) -> Iterator[Pivot]:
    """What an administrator gains beyond its account: the account itself says the rest.

    It may act as anybody in the account; only those whom other accounts name lead anywhere new.
    """
    account = asker.principal.scope
    yield from (pivot for pivot in _assumable(asker) if _account_of(pivot.target) != account)
    for name in asker.estate.known_elsewhere.get(account, ()):
        if name != asker.principal.id:
            yield replace(
                administration,
                kind="trust",
                target=name,
                rule="administrator",
                note="an administrator may let itself act as anybody in the account",
            )


def _account_of(arn: str) -> str:
    return arn.split(":")[4]


# --- trust ---------------------------------------------------------------------------------


def _assumable(asker: Asker) -> Iterator[Pivot]:
    estate = asker.estate
    names = {
        role for key in estate.keys_of(asker.principal) for role in estate.trusting.get(key, ())
    }
    for name in sorted(names - {asker.name}):
        role = estate.facts.principals.get(name)
        if role is None or role.kind != "role":
            continue
        decision = assume(asker, role)
        if decision.verdict is not Verdict.DENY:
            yield Pivot(
                "assume-role",
                asker.name,
                name,
                strength_of(decision.residual),
                decision.residual,
                (_support(asker, "sts:AssumeRole", name, decision),),
            )


def assume(asker: Asker, role: Principal) -> Decision:
    """May the principal assume the role: its own policies and limits, and the role's trust?"""
    return asker.decide("sts:AssumeRole", role.id, role.id, role.scope)


def strength_of(residual: Expr) -> Strength:
    """Give how sure a hop is that holds where the residual does."""
    if residual == TRUE:
        return Strength.CERTAIN
    if is_open(residual, AtomKind.GAP, AtomKind.OPAQUE):
        return Strength.UNKNOWN
    return Strength.CONDITIONAL


def _support(
    asker: Asker, action: str, target: str, decision: Decision, note: str = ""
) -> Support:
    return Support(asker.name, action, target, decision.allowed_by, note)


# --- rules ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Aim:
    """What one use of a rule is aimed at."""

    target: Principal | None = None
    runtime: Runtime | None = None


def _applies(rule: EscalationRule, asker: Asker) -> bool:
    return not rule.source or rule.source == asker.principal.kind


def _may(held: PermissionSet, action: str) -> bool:
    name = action.lower()
    return any(box.actions.contains(name) for box in held.boxes)


def _by_rule(rule: EscalationRule, asker: Asker, held: PermissionSet) -> Iterator[Pivot]:
    for aim in _aims(rule, asker):
        found = _met(rule, asker, aim, held)
        if found is not None:
            supports, residual = found
            yield from _yielded(rule, asker, aim, supports, residual)


def _aims(rule: EscalationRule, asker: Asker) -> Iterator[_Aim]:
    if rule.compute:
        for runtime in asker.estate.runtimes.get((asker.principal.scope, rule.compute), ()):
            yield _Aim(runtime=runtime)
        return
    if rule.target is None:
        yield _Aim()
        return
    everyone = asker.estate.principals_by_account.get(
        (asker.principal.scope, rule.target.kind), ()
    )
    trusted = asker.estate.trusting.get(rule.target.trusts, ()) if rule.target.trusts else None
    for principal in everyone:
        if principal.id == asker.principal.id or _untouchable(principal):
            continue
        if trusted is not None and principal.id not in trusted:
            continue
        if rule.target.assumable and assume(asker, principal).verdict is Verdict.DENY:
            continue
        yield _Aim(target=principal)


def _untouchable(principal: Principal) -> bool:
    """Service-linked and Identity Center roles can be neither edited nor passed.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html"""
    return ":role/aws-service-role/" in principal.id or ":role/aws-reserved/" in principal.id


_Met = tuple[tuple[Support, ...], Expr]


def _met(rule: EscalationRule, asker: Asker, aim: _Aim, held: PermissionSet) -> _Met | None:
    supports: list[Support] = []
    residuals: list[Expr] = []
    for need in rule.needs:
        found = _need(need, asker, aim, held)
        if found is None:
            return None
        supports.append(found[0])
        residuals.append(found[1].residual)
    if rule.target is not None and rule.target.trusts and aim.target is not None:
        supports.append(_trust(rule.target.trusts, asker, aim.target))
    if rule.target is not None and rule.target.assumable and aim.target is not None:
        decision = assume(asker, aim.target)
        supports.append(_support(asker, "sts:AssumeRole", aim.target.id, decision))
        residuals.append(decision.residual)
    return tuple(supports), all_of(residuals)


def _trust(service: str, asker: Asker, target: Principal) -> Support:
    """That the target's trust policy lets the service run as it."""
    statements = tuple(
        policy.reference(statement)
        for policy in asker.estate.attached(target.id, "trust")
        for statement in policy.document.statements
        if statement.principals is not None and service in statement.principals.services
    )
    return Support(service, "sts:AssumeRole", target.id, statements, "the service runs as it")


def _need(
    need: Need, asker: Asker, aim: _Aim, held: PermissionSet
) -> tuple[Support, Decision] | None:
    extra = {key: (value,) for key, value in need.context.items()}
    best: tuple[Support, Decision] | None = None
    for arn, listed in _things(need, asker, aim, held):
        decision = asker.decide(need.action, arn, listed, asker.principal.scope, extra)
        if decision.verdict is Verdict.DENY:
            continue
        found = (_support(asker, need.action, arn, decision), decision)
        if decision.verdict is Verdict.ALLOW:
            return found
        best = best or found
    return best


def _things(need: Need, asker: Asker, aim: _Aim, held: PermissionSet) -> Iterator[tuple[str, str]]:
    """On what a need is asked about: an ARN, and the listed thing that it is ("" if none)."""
    match need.on:
        case "self":
            yield asker.principal.id, asker.principal.id
        case "own-group":
            yield from ((group, group) for group in asker.principal.groups)
        case "self-policy":
            yield from _editable(asker, (asker.principal.id, *asker.principal.groups))
        case "target-policy" if aim.target is not None:
            yield from _editable(asker, (aim.target.id,))
        case "target" if aim.target is not None:
            yield aim.target.id, aim.target.id
        case "compute" if aim.runtime is not None:
            yield aim.runtime.id, aim.runtime.id
        case "new":
            yield from ((arn, "") for arn in _somewhere(need.action, asker, held))
        case _:
            return


def _editable(asker: Asker, holders: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Customer-managed policies on these holders; AWS's own cannot be edited."""
    for holder in holders:
        for attachment in asker.estate.facts.attachments.get(holder, ()):
            policy = attachment.policy
            if attachment.kind == "identity" and policy and ":iam::aws:" not in policy:
                yield policy, ""


def _somewhere(action: str, asker: Asker, held: PermissionSet) -> Iterator[str]:
    """Give ARNs in the principal's account on which it may hold the action, one for each box."""
    found = catalogue.find(action)
    globs = [target.type.glob for target in found.targets] if found else []
    account = asker.principal.scope
    for box in held.boxes:
        if not box.actions.contains(action.lower()):
            continue
        if not globs:
            yield "*"
        for glob in globs:
            sample = (box.resources & Extent.globs([_in_account(glob, account)])).sample()
            if sample is not None:
                yield sample


def _in_account(glob: str, account: str) -> str:
    parts = glob.split(":", 5)
    if len(parts) == 6 and parts[4] == "*":
        parts[4] = account
    return ":".join(parts)


def _yielded(
    rule: EscalationRule, asker: Asker, aim: _Aim, supports: tuple[Support, ...], residual: Expr
) -> Iterator[Pivot]:
    via = aim.runtime.id if aim.runtime else ""
    for target in _targets(rule, asker, aim):
        if target != asker.name:
            yield Pivot(
                rule.kind,
                asker.name,
                target,
                strength_of(residual),
                residual,
                supports,
                rule.id,
                via,
                rule.title,
            )


def _targets(rule: EscalationRule, asker: Asker, aim: _Aim) -> Iterator[str]:
    match rule.yields:
        case "any-policy":
            yield asker.principal.id + ANY_POLICY
        case "target" if aim.target is not None:
            yield aim.target.id
        case "target-any-policy" if aim.target is not None:
            yield aim.target.id + ANY_POLICY
        case "compute-identity" if aim.runtime is not None:
            yield from aim.runtime.identities
        case _:
            return
