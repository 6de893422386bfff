"""What an escalation rule can be aimed at by one principal, narrowed before anything is decided.

Principals come from the index of who trusts which service where the rule asks for that, runtimes
from the index by kind, and of either only what the principal's held set may touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from modelreach.policy.aws.addresses import links_of
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.became import How, became
from modelreach.policy.aws.entrances import entered
from modelreach.policy.aws.escalation import Compute, EscalationRule, Target
from modelreach.policy.aws.layers import Layers
from modelreach.policy.aws.matching import opened
from modelreach.policy.aws.needs import Aim, Questions, editable
from modelreach.policy.glob import match
from modelreach.snapshot import Principal, Runtime


def aims(rule: EscalationRule, questions: Questions) -> Iterator[Aim]:
    """Give every use of a rule that may succeed, in a fixed order."""
    if rule.yields == "policy-version":
        yield from _versions(rule, questions)
    elif rule.makes:
        yield from _made(rule, questions)
    elif rule.target is not None and rule.target.kind == "credential":
        yield from _credentials(rule, rule.target, questions)
    elif rule.target is not None and rule.target.through is not None:
        yield from entered(rule.target, questions)
    elif rule.target is not None and rule.compute is not None:
        principals = tuple(_principals(rule, rule.target, questions))
        computes = tuple(_computes(rule, rule.compute, questions)) if principals else ()
        for principal in principals:
            for runtime in computes:
                yield Aim(principal.id, principal, runtime)
    elif rule.target is not None:
        for principal in _principals(rule, rule.target, questions):
            yield Aim(principal.id, principal)
    elif rule.compute is not None:
        yield from _of_computes(rule, rule.compute, questions)
    else:
        yield Aim()


# --- principals ------------------------------------------------------------------------------


def _principals(rule: EscalationRule, target: Target, questions: Questions) -> Iterator[Principal]:
    """Give those of the caller's own account: a role of another cannot be passed or edited."""
    caller = questions.asker.principal
    for principal in _candidates(target, questions):
        same = principal.kind == target.kind and principal.scope == caller.scope
        if not same or principal.id == caller.id or untouchable(principal):
            continue
        if not all(principal.attributes.get(name) for name in target.has):
            continue
        if rule.yields == "no-boundary" and not _bounded(principal, questions):
            continue
        if touched(rule, principal, questions):
            yield principal


def _candidates(target: Target, questions: Questions) -> Iterator[Principal]:
    estate, caller = questions.asker.estate, questions.asker.principal
    keys = target.trusts or (estate.keys_of(caller) if target.assumable else ())
    if not keys:
        yield from estate.principals_of(caller.scope, target.kind)
        return
    if target.trusts:
        keys = (*keys, "*")
    trusting = estate.named.trusting_in
    names = {name for key in keys for name in trusting(caller.scope, key)}
    for name in sorted(names):
        principal = estate.facts.principals.get(name)
        if principal is not None:
            yield principal


def _bounded(principal: Principal, questions: Questions) -> bool:
    return questions.asker.estate.principal_layers(principal.id).boundaries is not None


def untouchable(principal: Principal) -> bool:
    """Service-linked and Identity Center roles can be neither edited nor passed.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html"""
    return ":role/aws-service-role/" in principal.id or ":role/aws-reserved/" in principal.id


def touched(rule: EscalationRule, principal: Principal, questions: Questions) -> bool:
    """Does the held set have all that is needed on the principal, conditions aside?"""
    return all(
        questions.has_on(need.action, principal.id)
        for need in rule.needs
        if need.on == "target" and not need.by and not need.arns
    )


def _made(rule: EscalationRule, questions: Questions) -> Iterator[Aim]:
    """Give what can be made: under no boundary; where that cannot be, under each that it can.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
    """
    for way in rule.ways:
        actions = [need.action for need in way.needs if need.on == "made"]
        for arn in dict.fromkeys(questions.made(actions, rule.makes)):
            aim = Aim(made=arn)
            yield aim
            if questions.met(way.needs, aim) is None:
                yield from (replace(aim, policy=name) for name in _boundaries(questions))


def _boundaries(questions: Questions) -> Iterator[str]:
    """Give the policies of the account that a policy on the caller's side asks for as a
    boundary."""
    asker = questions.asker
    asked = set(_asked_for(asker.layers))
    for policy in asker.estate.policies_of(asker.principal.scope) if asked else ():
        if any(match(glob, policy.id) for glob in asked):
            yield policy.id


def _asked_for(layers: Layers) -> Iterator[str]:
    levels = (layers.identity, layers.boundaries or (), *(layers.scps or ()))
    for policy in (one for level in levels for one in level):
        for statement in policy.document.statements:
            for condition in statement.conditions:
                if condition.key.lower() == "iam:permissionsboundary":
                    yield from (opened(value, True) for value in condition.values)


# --- policies and credentials ----------------------------------------------------------------


def _versions(rule: EscalationRule, questions: Questions) -> Iterator[Aim]:
    """Give versions of policies that are not in force, of the caller's or of a target's.

    A customer's policy can be attached in its own account only. Of what somebody has become, what
    it is under another version starts from the principal as it stands, and from a group that it
    has joined on the way.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """
    asker = questions.asker
    if not asker.estate.versioned(asker.principal.scope):
        return
    holders: list[tuple[str, Principal | None, tuple[str, ...]]]
    if rule.target is None:
        own = asker.estate.facts.principals[asker.principal.id]
        if joined_by(asker):
            own = asker.principal
        holders = [("", None, (own.id, *own.groups))]
    else:
        found = _principals(rule, rule.target, questions)
        holders = [(p.id, p, (p.id,)) for p in found]
    for name, principal, names in holders:
        for policy in sorted({one for holder in names for one in editable(asker, holder)}):
            managed = asker.estate.facts.managed_policies.get(policy)
            for version in sorted(managed.versions) if managed else ():
                if managed and version != managed.default_version:
                    yield Aim(name, principal, policy=policy, version=version)


def joined_by(asker: Asker) -> str:
    """Give the name of the group that somebody has joined, and nothing else done; "" for none."""
    change = became(asker.name)
    return change.what if change is not None and change.how is How.MEMBER else ""


def _credentials(rule: EscalationRule, target: Target, questions: Questions) -> Iterator[Aim]:
    """Give stored credentials of these kinds in the caller's account."""
    estate, account = questions.asker.estate, questions.asker.principal.scope
    if rule.compute is not None and not any(_computes(rule, rule.compute, questions)):
        return
    for kind in target.credentials:
        for credential in estate.credentials_of(account, kind):
            yield Aim(credential.id)


# --- runtimes --------------------------------------------------------------------------------


def _of_computes(rule: EscalationRule, compute: Compute, questions: Questions) -> Iterator[Aim]:
    found = (*_computes(rule, compute, questions), *_fed(rule, compute, questions))
    yield from _on_runtimes(found, compute, questions)


def _on_runtimes(
    runtimes: Iterable[Runtime], compute: Compute, questions: Questions
) -> Iterator[Aim]:
    principals = questions.asker.estate.facts.principals
    for runtime in runtimes:
        if compute.links:
            yield from _linked(runtime, compute, questions)
            continue
        for name in runtime.identities:
            yield Aim(name, principals.get(name), runtime)


def _linked(runtime: Runtime, compute: Compute, questions: Questions) -> Iterator[Aim]:
    """What a runtime is linked to: somebody, what another runs as, or (for what is fed to the
    runtime) what it runs as itself."""
    facts = questions.asker.estate.facts
    for link in links_of(runtime):
        if link.kind not in compute.links:
            continue
        other = facts.runtimes.get(link.target) or facts.runtimes.get(_unqualified(link.target))
        somebody = facts.principals.get(link.target)
        if not compute.of_caller:
            names: tuple[str, ...] = runtime.identities
        elif other is not None:
            names = other.identities
        else:
            names = (link.target,) if somebody is not None else ()
        for name in names:
            linked = other.id if other is not None and compute.of_caller else link.target
            yield Aim(name, facts.principals.get(name), runtime, linked)


def _unqualified(target: str) -> str:
    """Of a version or alias of a function, the function."""
    return ":".join(target.split(":")[:7]) if ":function:" in target else target


def _computes(rule: EscalationRule, compute: Compute, questions: Questions) -> Iterator[Runtime]:
    caller = questions.asker.principal.id
    actions = _on_compute(rule)
    for kind in compute.kind:
        for runtime in questions.within_reach(kind, actions, linking=bool(compute.links)):
            if _of_caller(runtime, compute, caller) and _as_asked(runtime, compute):
                yield runtime
    yield from _shared(compute, questions)


def _on_compute(rule: EscalationRule) -> frozenset[str]:
    return frozenset(
        need.action
        for need in rule.needs
        if need.on == "compute" and not need.by and not need.arns
    )


def reached(rule: EscalationRule, runtime: Runtime, questions: Questions) -> bool:
    """May a rule work on a runtime of the caller's account: at a glance, without a decision?"""
    compute = rule.compute
    return (
        compute is not None
        and _as_asked(runtime, compute)
        and questions.reaches(runtime, _on_compute(rule))
    )


def shared_aims(rule: EscalationRule, questions: Questions) -> Iterator[Aim]:
    """Give the uses of a rule on runtimes of other accounts that name the caller."""
    if rule.compute is not None:
        yield from _on_runtimes(_shared(rule.compute, questions), rule.compute, questions)


def works_elsewhere(rule: EscalationRule) -> bool:
    """May it work on runtimes of other accounts than the caller's?"""
    compute = rule.compute
    return (
        compute is not None
        and rule.target is None
        and not compute.of_caller
        and not compute.caller_in
    )


def elsewhere(rule: EscalationRule, questions: Questions) -> Iterator[Aim]:
    """Give the uses of a rule on runtimes of other accounts, and on those of its own that act in
    other accounts."""
    if rule.compute is not None and works_elsewhere(rule):
        if rule.compute.spans:
            own = questions.asker.principal.scope
            found = _of_computes(rule, rule.compute, questions)
            yield from (one for one in found if one.principal and one.principal.scope != own)
            return
        yield from shared_aims(rule, questions)
        yield from _on_runtimes(_fed(rule, rule.compute, questions), rule.compute, questions)


def _of_caller(runtime: Runtime, compute: Compute, caller: str) -> bool:
    if compute.caller_in:
        return runtime.attributes.get(compute.caller_in) == caller
    return not compute.of_caller or caller in runtime.identities


def _shared(compute: Compute, questions: Questions) -> Iterator[Runtime]:
    """Runtimes of other accounts whose own policy names the caller."""
    if compute.of_caller or compute.caller_in:
        return
    for kind in compute.kind:
        for runtime in questions.naming(kind):
            if runtime.scope != questions.asker.principal.scope and _as_asked(runtime, compute):
                yield runtime


def _fed(rule: EscalationRule, compute: Compute, questions: Questions) -> Iterator[Runtime]:
    """Runtimes of other accounts that load from where the caller may write."""
    actions = frozenset(need.action for need in rule.needs if need.on == "linked" and not need.by)
    if compute.of_caller or not compute.links or not actions:
        return
    for runtime in questions.fed_elsewhere(actions):
        if runtime.kind in compute.kind and _as_asked(runtime, compute):
            yield runtime


def _as_asked(runtime: Runtime, compute: Compute) -> bool:
    attributes = runtime.attributes
    wanted = all(attributes.get(name) == value for name, value in compute.where.items())
    return wanted and not any(
        attributes.get(name) in values for name, values in compute.unless.items()
    )
