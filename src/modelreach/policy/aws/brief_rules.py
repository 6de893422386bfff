"""Which escalation rules may lead a principal somewhere at all, and of what each of them can tell.

Nothing of that hangs on who asks: it is read off the rules, and off the actions that a principal's
policies may allow.
"""

from __future__ import annotations

from functools import lru_cache
from string import Formatter

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.classes import unclear
from modelreach.policy.aws.escalation import EscalationRule, Need, rules, rules_by_id
from modelreach.policy.aws.matching import action_matches
from modelreach.policy.aws.statement import Effect, Patterns

_OF_TARGETS = frozenset({"target", "target-any-policy", "no-boundary", "limited-target"})


@lru_cache(1)
def _places() -> dict[str, int]:
    """Give a bit for each action (in lower case) that a caller may need."""
    needs = (n for rule in rules() for way in rule.ways for n in way.needs if not n.by)
    names = dict.fromkeys(need.action.lower() for need in needs)
    return {name: 1 << place for place, name in enumerate(names)}


@lru_cache(1 << 14)
def _matched(actions: Patterns) -> int:
    return sum(bit for name, bit in _places().items() if action_matches(actions, name))


def chances(asker: Asker) -> int:
    """Give the bits of the actions that identity policies may allow."""
    if unclear(asker):
        return -1
    found = 0
    for policy in asker.layers.identity:
        for statement in policy.document.statements:
            if statement.effect is Effect.ALLOW:
                found |= _matched(statement.actions)
    return found


@lru_cache(1 << 12)
def candidates(
    had: int, naming: frozenset[str], named_somewhere: bool
) -> tuple[EscalationRule, ...]:
    """Give the rules that may lead somewhere who may have these actions: see `pivots`."""

    def may(need: Need, rule: EscalationRule) -> bool:
        if need.by or need.by_trust or had & _places()[need.action.lower()]:
            return True
        if need.on == "compute":
            return rule.compute is None or not naming.isdisjoint(rule.compute.kind)
        # What outsiders enter by has no policy of its own.
        return need.on == "linked" and named_somewhere and not enters(rule)

    return tuple(
        rule
        for rule in rules()
        if not rule.plain and any(all(may(n, rule) for n in way.needs) for way in rule.ways)
    )


@lru_cache(1 << 10)
def actions_of(rule_id: str) -> tuple[str, ...]:
    """Give the actions that tell where a rule leads."""
    rule = rules_by_id()[rule_id]
    needs = (need for way in rule.ways for need in way.needs if not need.by)
    found = {need.action for need in needs}
    if rule.target is not None and rule.target.assumable:
        found.add("sts:AssumeRole")
    return tuple(sorted(found))


@lru_cache(1)
def in_sets() -> tuple[frozenset[str], frozenset[str]]:
    """Give the rules that can be tried by sets of principals, and those by sets of runtimes."""
    at_principals = frozenset(rule.id for rule in rules() if _aims_at_principals(rule))
    return at_principals, frozenset(rule.id for rule in rules() if _aims_at_runtimes(rule))


@lru_cache(1)
def own_rules() -> frozenset[str]:
    """Give the rules that lead to where they do because of who asks, and not of its policies
    only."""
    return frozenset(rule.id for rule in rules() if not rule.plain and _of_asker(rule))


def of_caller(rule: EscalationRule) -> bool:
    """Does it work on what runs as the caller, or names it, only?"""
    compute = rule.compute
    return compute is not None and (compute.of_caller or bool(compute.caller_in))


def enters(rule: EscalationRule) -> bool:
    """Does it lead to whom outsiders enter as? That hangs on the trusts of the account, and on
    nothing else of the target."""
    return rule.target is not None and rule.target.through is not None


def _of_asker(rule: EscalationRule) -> bool:
    target, compute = rule.target, rule.compute
    if of_caller(rule):
        return True
    if enters(rule):
        return False
    at_principals, _ = in_sets()
    if target is not None and target.kind != "credential" and rule.id not in at_principals:
        return True
    if target is None and compute is None:
        return True
    needs = [need for way in rule.ways for need in way.needs]
    return any(need.on in ("self", "self-policy", "own-group") for need in needs)


def _aims_at_principals(rule: EscalationRule) -> bool:
    """Is it aimed at users or roles, of which it tells no more than their sets have in common?"""
    target = rule.target
    if target is None or target.kind not in ("user", "role") or rule.compute is not None:
        return False
    if target.through is not None:
        return False
    return rule.yields in _OF_TARGETS and not any(
        _filled(need, frozenset()) for way in rule.ways for need in way.needs
    )


@lru_cache(1)
def by_member() -> frozenset[str]:
    """Give the rules that tell of a principal what its set does not have in common: its
    policies."""

    def tells(need: Need) -> bool:
        return need.on == "target-policy" or need.by == "target"

    return frozenset(
        rule.id for rule in rules() if any(tells(need) for way in rule.ways for need in way.needs)
    )


@lru_cache(1)
def anywhere() -> frozenset[str]:
    """Give the rules aimed at principals that tell nothing of an account."""
    at_principals, _ = in_sets()
    return frozenset(
        rule.id
        for rule in rules()
        if rule.id in at_principals - by_member()
        and not (rule.target and rule.target.assumable)
        and not any(way.exists or way.holds for way in rule.ways)
    )


#: What the runtimes of a set have in common, of what is filled in into needs.
_COMMON = frozenset({"partition", "region", "account"})


def _aims_at_runtimes(rule: EscalationRule) -> bool:
    """Is it aimed at runtimes of the own account, of which it tells no more than their sets have
    in common, and leads to whom they run as?"""
    compute = rule.compute
    if compute is None or rule.target is not None or rule.yields != "target":
        return False
    if compute.of_caller or compute.caller_in or compute.links or compute.spans:
        return False
    return not any(
        way.holds or way.target_has or any(map(_tells_runtime, way.needs)) for way in rule.ways
    )


def _tells_runtime(need: Need) -> bool:
    return need.on in ("target", "target-policy", "linked") or bool(
        need.by or _filled(need, _COMMON)
    )


def _filled(need: Need, common: frozenset[str]) -> bool:
    """Is something filled in into a need that a set does not have in common?"""
    texts = (*need.arns, *need.context.values())
    names = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}
    return not names <= common
