"""Whom one principal can become, and what it can take over, in one hop.

Plain trust first, then the escalation rules. Every need of a rule is put to the decision engine,
so that resource ARNs, conditions, boundaries and organisation policies bind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from modelreach.model import Strength, Verdict
from modelreach.policy.aws.acts_as import under_session
from modelreach.policy.aws.aims import aims, elsewhere, joined_by, works_elsewhere
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.became import Became, How, became
from modelreach.policy.aws.classes import unclear
from modelreach.policy.aws.entrances import enters, within_profile
from modelreach.policy.aws.escalation import (
    EscalationRule,
    Holds,
    Lowered,
    Need,
    Way,
    rules,
    ways_by_id,
)
from modelreach.policy.aws.estate import ANY_POLICY
from modelreach.policy.aws.held import held as held_by
from modelreach.policy.aws.needs import Aim, Questions
from modelreach.policy.box import Box
from modelreach.policy.decision import Decision
from modelreach.policy.engine import AS_ADMINISTRATOR, Pivot, Support
from modelreach.policy.escalation.mechanism import Met, provided, strength_of, tried
from modelreach.policy.expr import TRUE, Atom, AtomKind, Expr, each_of
from modelreach.snapshot import Principal

#: Whom hops are to lead to; None for anybody.
Targets = frozenset[str] | None


def pivots(asker: Asker, targets: Targets = None) -> Iterator[Pivot]:
    """Give every hop from a principal (to these, and its taking over)."""
    questions = Questions(asker)
    boxes = questions.sliced.boxes("sts:AssumeRole")
    taken = administers(asker)
    if taken is not None:
        yield taken
        if taken.strength is Strength.CERTAIN:
            yield from _as_administrator(questions, taken, boxes, targets)
            return
    yield from _assumable(asker, boxes, targets)
    prober = AwsProber(questions, asker.name, targets)
    for rule in rules():
        if not rule.plain:
            yield from tried(rule, prober)


# --- administration ------------------------------------------------------------------------


# Somebody who may do both, anywhere in the account, may do everything that can be done there:
# permissions are its to give, and nothing but the organisation's policies takes any away.
_EVERYTHING = (("iam:PutRolePolicy", "arn:{partition}:iam::{account}:role/any"), ("*:*", "*"))
#: The actions that say whether somebody administers its account.
ADMINISTRATION = tuple(action for action, _ in _EVERYTHING)


def administers(asker: Asker) -> Pivot | None:
    """Give the taking over of the principal's account; None when it cannot."""
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
    residual = each_of(residuals)
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


def _as_administrator(
    questions: Questions, administration: Pivot, boxes: Sequence[Box], targets: Targets
) -> Iterator[Pivot]:
    """What an administrator gains beyond its account: the account itself says the rest. `boxes`
    are what it holds of sts:AssumeRole.

    It may act as anybody in the account, and give anybody any policy before; only those whom other
    accounts name lead anywhere new, as what these let in has to be allowed at home, too.
    What runs in other accounts it may work on itself: where that lets the account in, or loads
    from a bucket or repository to which the account may write.
    """
    asker = questions.asker
    account = asker.principal.scope
    assumable = _assumable(asker, boxes, targets)
    yield from (pivot for pivot in assumable if _account_of(pivot.target) != account)
    for name in asker.estate.known_elsewhere(account):
        if name == asker.principal.id:
            continue
        for target, note in (
            (name, "an administrator may let itself act as anybody in the account"),
            (name + ANY_POLICY, "an administrator may give anybody in the account any policy"),
        ):
            yield replace(
                administration, kind="trust", target=target, rule=AS_ADMINISTRATOR, note=note
            )
    prober = AwsProber(questions, asker.name, targets, abroad=True)
    for rule in filter(works_elsewhere, rules()):
        yield from tried(rule, prober)


def _account_of(arn: str) -> str:
    return arn.split(":")[4]


# --- trust ---------------------------------------------------------------------------------


def _assumable(asker: Asker, boxes: Sequence[Box], targets: Targets) -> Iterator[Pivot]:
    estate = asker.estate
    names = {*_trusting_here(asker), *trusting_elsewhere(asker, boxes)}
    if targets is not None:
        names &= targets
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


def _trusting_here(asker: Asker) -> Iterator[str]:
    estate, account = asker.estate, asker.principal.scope
    for key in estate.keys_of(asker.principal):
        yield from estate.named.trusting_in(account, key)


def trusting_elsewhere(asker: Asker, boxes: Sequence[Box]) -> Iterator[str]:
    """Give roles of other accounts: the own policies have to let the caller assume them, too.
    `boxes` are what it holds of sts:AssumeRole."""
    estate, account = asker.estate, asker.principal.scope
    unsure = unclear(asker)
    for key in estate.keys_of(asker.principal) if boxes or unsure else ():
        for name in estate.named.trusts.get(key, ()):
            mine = _account_of(name) == account
            if not mine and (unsure or any(box.resources.contains(name) for box in boxes)):
                yield name


def assume(asker: Asker, role: Principal) -> Decision:
    """May the principal assume the role: its own policies and limits, and the role's trust?"""
    return asker.decide("sts:AssumeRole", role.id, role.id, role.scope)


def _support(
    asker: Asker, action: str, target: str, decision: Decision, note: str = ""
) -> Support:
    return Support(asker.name, action, target, decision.allowed_by, note)


# --- rules ---------------------------------------------------------------------------------


def _applies(rule: EscalationRule, questions: Questions) -> bool:
    """May the rule lead anywhere: at a glance, without a decision?"""
    principal = questions.asker.principal
    if rule.source and rule.source != principal.kind:
        return False
    if rule.bounded and questions.asker.layers.boundaries is None:
        return False
    if not all(_chance(need, rule, questions) for need in rule.needs):
        return False
    return not rule.any_of or any(
        all(_chance(need, rule, questions) for need in way.needs) for way in rule.any_of
    )


def _chance(need: Need, rule: EscalationRule, questions: Questions) -> bool:
    """A runtime's own policy, a bucket's, or a role's trust may give what the caller does not
    hold."""
    if need.by or need.by_trust or questions.has(need.action):
        return True
    if need.on == "compute":
        return rule.compute is None or not questions.naming_kinds.isdisjoint(rule.compute.kind)
    return need.on == "linked" and questions.named_somewhere


class AwsProber(msgspec.Struct, frozen=True):
    """A principal as it tries the rules of AWS. `source` is who tries, "" for whoever has its
    policies; `targets` are whom it tries them for. `abroad`: in other accounts only."""

    questions: Questions
    source: str
    targets: Targets = None
    abroad: bool = False

    def ways(self, rule: EscalationRule) -> tuple[Way, ...]:
        """The ways of which the held set may have all that they need."""
        if not _applies(rule, self.questions):
            return ()
        return tuple(
            way
            for way in ways_by_id()[rule.id]
            if all(_chance(need, rule, self.questions) for need in way.needs)
        )

    def aims(self, rule: EscalationRule) -> Iterator[Aim]:
        """Every use that may succeed."""
        found = (elsewhere if self.abroad else aims)(rule, self.questions)
        if self.targets is None:
            return found
        return (aim for aim in found if self.yielded(rule, aim) in self.targets)

    def yielded(self, rule: EscalationRule, aim: Aim) -> str:
        """The name of what a use leads to."""
        return _yielded(rule, self.questions.asker, aim)

    def pivot(self, rule: EscalationRule, way: Way, aim: Aim) -> Pivot | None:
        """The hop, when every need is met."""
        met = _met(rule, way, self.questions, aim)
        return None if met is None else _pivot(rule, self.questions.asker, aim, met)


def _met(rule: EscalationRule, way: Way, questions: Questions, aim: Aim) -> Met | None:
    holding = _holding(way.holds, questions, aim)
    if holding is None or not _surrounded(way, questions, aim):
        return None
    met = questions.met(way.needs, aim)
    if met is None:
        return None
    supports, residuals = list(met[0]), [holding, met[1]]
    if way.depends:
        residuals.append(provided(way.depends))
    for needed, residual in _of_target(rule, questions, aim):
        if needed is None:
            return None
        supports.append(needed)
        residuals.append(residual)
    return tuple(supports), each_of(residuals)


def _of_target(
    rule: EscalationRule, questions: Questions, aim: Aim
) -> Iterator[tuple[Support | None, Expr]]:
    """What has to be true of the target's trust."""
    target, asker = rule.target, questions.asker
    if target is None or aim.principal is None:
        return
    if target.through is not None:
        yield from enters(target, questions, aim)
    if target.trusts:
        yield _trust(target.trusts, questions, aim.principal)
    if target.assumable:
        decision = questions.assume(aim.principal)
        denied = decision.verdict is Verdict.DENY
        support = None if denied else _support(asker, "sts:AssumeRole", aim.name, decision)
        yield support, decision.residual


def _trust(
    services: Iterable[str], questions: Questions, target: Principal
) -> tuple[Support | None, Expr]:
    """That the target's trust policy lets one of the services run as it, for this account."""
    best: tuple[Support | None, Expr] = (None, TRUE)
    for service in services:
        decision = questions.runs_as(service, target)
        if decision.verdict is Verdict.DENY:
            continue
        note = "the service runs as it"
        support = Support(service, "sts:AssumeRole", target.id, decision.allowed_by, note)
        if decision.verdict is Verdict.ALLOW:
            return support, TRUE
        if best[0] is None:
            best = support, decision.residual
    return best


def _surrounded(way: Way, questions: Questions, aim: Aim) -> bool:
    """Are target, compute and account as a way asks?"""
    theirs = aim.principal.attributes if aim.principal is not None else {}
    if not all(theirs.get(name) for name in way.target_has):
        return False
    if not all(_compute_has(name, questions.asker, aim) for name in way.compute_has):
        return False
    return not way.exists or questions.may_exist(way.exists)


def _compute_has(name: str, asker: Asker, aim: Aim) -> bool:
    if aim.runtime is None:
        return False
    if name == "resource_policy":
        return bool(asker.estate.attached(aim.runtime.id, "resource"))
    return bool(aim.runtime.attributes.get(name))


def _holding(holds: Holds | None, questions: Questions, aim: Aim) -> Expr | None:
    """Whether the target holds as many credentials as asked: what that hangs on, None if not.

    An account's credentials that were not read may be there; what was read is all there is.
    """
    if holds is None:
        return TRUE
    facts = questions.asker.estate.facts
    count = sum(c.kind == holds.kind for c in facts.credentials.get(aim.name, ()))
    if count > holds.at_most:
        return None
    if count >= holds.at_least:
        return TRUE
    if questions.collected("credentials"):
        return None
    return Atom(AtomKind.GAP, f"whether {aim.name} has a {holds.kind}")


def _pivot(rule: EscalationRule, asker: Asker, aim: Aim, met: Met) -> Pivot | None:
    supports, residual = met
    strength = Strength.INFLUENCE if rule.strength == "influence" else None
    if rule.depends:
        residual = each_of((residual, provided(rule.depends)))
    for lowered in _lowered(rule, aim):
        if lowered.to == "influence":
            strength = Strength.INFLUENCE
        residual = each_of((residual, provided(lowered.why)))
    target = _yielded(rule, asker, aim)
    if rule.yields == "policy-version" and not _stronger(target, asker):
        return None
    via = aim.via
    return Pivot(
        rule.kind,
        asker.name,
        target,
        strength or strength_of(residual),
        residual,
        supports,
        rule.id,
        via,
        f"{rule.title} (by way of {via})" if via else rule.title,
    )


def _lowered(rule: EscalationRule, aim: Aim) -> Iterator[Lowered]:
    if rule.compute is not None and aim.runtime is not None:
        for lowered in rule.compute.lowered:
            if aim.runtime.attributes.get(lowered.attribute) == lowered.value:
                yield lowered


def _stronger(name: str, asker: Asker) -> bool:
    """Would the change let it do anything that it may not do as things are?"""
    change = became(name)
    if change is None:
        return False
    as_is = asker.name if change.joined else change.base
    before, after = (held_by(Asker.of(asker.estate, one, asker.fixed)) for one in (as_is, name))
    return not (after - before).is_empty()


def _yielded(rule: EscalationRule, asker: Asker, aim: Aim) -> str:
    """The name of what a rule leads to."""
    own, name = asker.principal.id, aim.name
    match rule.yields:
        case "any-policy":
            return own + ANY_POLICY
        case "target-any-policy":
            return name + ANY_POLICY
        case "membership":
            return Became(own, How.MEMBER, name.rsplit("/", 1)[-1]).name
        case "made" if not aim.policy and asker.layers.boundaries is None:
            return own + ANY_POLICY  # a role of that kind can do no more
        case "made":
            within = aim.policy.rsplit("/", 1)[-1]
            return Became(own, How.MADE_WITHIN if within else How.MADE, within).name
        case "no-boundary":
            return Became(name or own, How.NO_BOUNDARY).name
        case "policy-version":
            policy = aim.policy.rsplit("/", 1)[-1]
            joined = "" if name else joined_by(asker)
            return Became(name or own, How.VERSION, policy, aim.version, joined).name
        case "limited-target":
            return Became(name, How.LIMITED, rule.id).name
        case "session" if aim.runtime is not None:
            return under_session(asker.estate, aim.runtime, name)
        case "session":
            return within_profile(asker.estate, aim.profile, name)
        case _:
            return name
