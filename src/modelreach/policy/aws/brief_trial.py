"""One escalation rule as a principal tries it in brief: by sets of those of whom nothing tells one
from the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from modelreach.model import Strength
from modelreach.policy.aws import aims as aiming
from modelreach.policy.aws import pivots as pivoting
from modelreach.policy.aws.became import Became, How
from modelreach.policy.aws.brief_rules import actions_of, anywhere, by_member, in_sets
from modelreach.policy.aws.escalation import EscalationRule, Way
from modelreach.policy.aws.estate import ANY_POLICY
from modelreach.policy.aws.limiting import told_by_limits
from modelreach.policy.aws.needs import Aim, limits
from modelreach.policy.aws.roster import Roster, Sorted
from modelreach.policy.aws.slices import Told
from modelreach.policy.brief import Hop
from modelreach.policy.engine import Pivot
from modelreach.policy.escalation.mechanism import tried_by
from modelreach.policy.glob import match
from modelreach.policy.weakness import AS_WEAK, LEADING, certainty_at, strength_at
from modelreach.snapshot import Principal

#: Targets, whether each is a scope that is taken over, and how weak the hops there are: a bit for
#: each weakness that one of them is as sure as.
Best = dict[tuple[str, bool], int]


class Found:
    """The surest hops to each target so far, but to `name`."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self.best: Best = {}

    def join(self, best: Best) -> None:
        """Add what was found elsewhere."""
        for key, mask in best.items():
            self.best[key] = self.best.get(key, 0) | mask

    def take(self, pivot: Pivot) -> None:
        """Add a hop that was decided with its statements."""
        self.add((pivot.target,), pivot.weakness, pivot.kind == "administer")

    def add(self, targets: Iterable[str], weakness: int, administers: bool = False) -> None:
        """Add targets that are reached as surely as each other."""
        mask, best = AS_WEAK[weakness], self.best
        for target in targets:
            key = (target, administers)
            best[key] = best.get(key, 0) | mask

    def hops(self) -> tuple[Hop, ...]:
        """Give the hops that were found."""
        self.best.pop((self._name, False), None)
        return tuple(
            Hop(target, strength_at(weakness), administers, certainty_at(weakness))
            for (target, administers), mask in self.best.items()
            for weakness in LEADING[mask]
        )


class Trial(msgspec.Struct):
    """One rule as a principal tries it."""

    rule: EscalationRule
    ways: tuple[Way, ...]
    prober: pivoting.AwsProber
    roster: Roster
    assumable: int
    found: Found = msgspec.field(default_factory=lambda: Found())
    spared: str = ""
    told: Sequence[Told] = ()
    _prefix: object = None

    def run(self, found: Found, aimed: Found, spared: str = "") -> bool:
        """Try it, by sets where they have all in common that the rule may tell, and one by one
        where it is aimed at nobody; say whether that could be done. What is aimed at somebody
        goes to `aimed`; one is `spared`."""
        at_principals, at_runtimes = in_sets()
        target, told = self.rule.target, self._told()
        if target is not None and target.kind != "credential":
            if told is None or self.rule.id not in at_principals:
                return False
            self.found, self.spared = aimed, spared
            self._on_principals(told)
        elif told is not None and self.rule.id in at_runtimes:
            self.found = found
            self._on_runtimes(told)
        else:
            self.one_by_one(found)
        return True

    def one_by_one(self, found: Found) -> None:
        """Try it on each."""
        for pivot in tried_by(self.ways, self.rule, self.prober):
            found.take(pivot)

    def _told(self) -> list[Told] | None:
        """Give by what the caller's policies tell the things apart that are needed; None where
        that cannot be said."""
        found: list[Told] = []
        actions = {
            n.action for way in self.ways for n in way.needs if n.on in ("target", "compute")
        }
        if self.rule.target is not None and self.rule.target.assumable:
            actions.add("sts:AssumeRole")
        for action in sorted(actions):
            told = self.prober.questions.sliced.told(action)
            if told is None or self._limited(action):
                return None
            found.append(told)
        return found

    def _limited(self, action: str) -> bool:
        """Do resource control policies tell things apart for an action? (Whom one may assume is
        parted by them already.)"""
        asker = self.prober.questions.asker
        theirs = asker.estate.resource_layers("", asker.principal.scope)
        return action != "sts:AssumeRole" and told_by_limits(theirs, action) is not None

    def _surest_of(self, aim: Aim) -> int | None:
        """Give how weak the surest is that a use of the rule comes to; None when it leads
        nowhere. By all of its ways it acts, or by all of them it influences."""
        best: int | None = None
        for way in self.ways:
            pivot = self.prober.pivot(self.rule, way, aim)
            if pivot is None:
                continue
            if best is None or pivot.weakness < best:
                best = pivot.weakness
            if pivot.certainty is Strength.CERTAIN:
                break
        return best

    # --- principals ------------------------------------------------------------------------

    def _on_principals(self, told: list[Told]) -> None:
        rule, roster = self.rule, self.roster
        target = rule.target
        assert target is not None
        mask = ~(roster.untouchable | roster.principals.bit(self.spared))
        if target.trusts:
            mask &= roster.trusting((*target.trusts, "*"))
        elif target.assumable:
            mask &= self.assumable
        for attribute in target.has:
            mask &= roster.having(attribute)
        if rule.yields == "no-boundary":
            mask &= roster.bounded
        sets = [part for one in roster.sets(target.kind) if (part := one & mask)]
        if self.rule.id in by_member():
            sets = [bit for one in sets for bit in each(one)]
        else:
            sets = _parted(sets, roster, told)
        self.told, self._prefix = told, self._portable()
        for part in sets:
            self._on_set(part)

    def _on_set(self, mask: int) -> None:
        rule, principals = self.rule, self.roster.principals
        facts = self.prober.questions.asker.estate.facts.principals
        first = facts[principals.first(mask)]
        if not aiming.touched(rule, first, self.prober.questions):
            return
        weakness = self._aimed_at(first)
        if weakness is not None:
            self.found.add(_yields(rule, principals.of(mask)), weakness)

    def _aimed_at(self, first: Principal) -> int | None:
        """Give how weak the surest is that the rule comes to, aimed at somebody: the same in all
        accounts in which nothing tells it apart."""
        aim = Aim(first.id, first)
        if self._prefix is None:
            return self._surest_of(aim)
        told = self.told
        key = (
            self._prefix,
            self.roster.sign(first),
            tuple(match(glob, first.id) for one in told for glob in one.globs),
            tuple(_tagged(first, one.tags) for one in told),
        )
        known = self.prober.questions.slices.aimed
        if key not in known:
            known[key] = self._surest_of(aim)
        return known[key]

    def _portable(self) -> object:
        """Give all that an aim of the rule hangs on beside whom it is aimed at; None where that is
        more than slices tell."""
        rule, questions = self.rule, self.prober.questions
        if rule.id not in anywhere() or not all(one.anywhere for one in self.told):
            return None
        sliced, actions = questions.sliced, actions_of(rule.id)
        told = [sliced.told(action) for action in actions]
        if not all(one is not None and one.anywhere for one in told):
            return None
        asker = questions.asker
        theirs = asker.estate.resource_layers("", asker.principal.scope)
        asked = (*actions, "sts:AssumeRole")
        if theirs.unread or any(told_by_limits(theirs, one) is not None for one in asked):
            return None
        return rule.id, tuple(map(sliced.number, actions)), limits(theirs)

    # --- runtimes --------------------------------------------------------------------------

    def _on_runtimes(self, told: list[Told]) -> None:
        compute = self.rule.compute
        assert compute is not None
        for kind in compute.kind:
            ids, sets = self.roster.runtimes(kind)
            if not sets:
                continue
            masks = ids.parted(sets, (glob for one in told for glob in one.globs))
            for one in told:
                if "tag" in one.text:
                    tagged = self.roster.runtimes_by_tags(kind, one.text)
                    masks = [part for mask in masks for by in tagged if (part := mask & by)]
            for mask in masks:
                self._on_runtime_set(kind, ids, mask)
        for aim in aiming.shared_aims(self.rule, self.prober.questions):
            weakness = self._surest_of(aim)
            if weakness is not None:
                self.found.add((aim.name,), weakness)

    def _on_runtime_set(self, kind: str, ids: Sorted, mask: int) -> None:
        questions = self.prober.questions
        facts = questions.asker.estate.facts
        runtime = facts.runtimes[ids.first(mask)]
        if not aiming.reached(self.rule, runtime, questions):
            return
        names = self.roster.identities(kind, mask)
        if names:
            first = Aim(names[0], facts.principals.get(names[0]), runtime)
            weakness = self._surest_of(first)
            if weakness is not None:
                self.found.add(names, weakness)


def _tagged(principal: Principal, tags: tuple[str, ...]) -> tuple[str | None, ...]:
    values = {key.lower(): value for key, value in principal.tags.items()} if tags else {}
    return tuple(map(values.get, tags))


def _parted(sets: Iterable[int], roster: Roster, told: Iterable[Told]) -> list[int]:
    told = list(told)
    masks = roster.principals.parted(sets, (glob for one in told for glob in one.globs))
    tags = tuple(sorted({tag for one in told for tag in one.tags}))
    if tags:
        masks = [part for mask in masks for by in roster.by_tags(tags) if (part := mask & by)]
    return masks


def _yields(rule: EscalationRule, names: tuple[str, ...]) -> Iterable[str]:
    match rule.yields:
        case "target-any-policy":
            return [name + ANY_POLICY for name in names]
        case "no-boundary":
            return [Became(name, How.NO_BOUNDARY).name for name in names]
        case "limited-target":
            return [Became(name, How.LIMITED, rule.id).name for name in names]
        case _:
            return names


def each(mask: int) -> Iterator[int]:
    """Give the bits of a mask, one by one."""
    while mask:
        low = mask & -mask
        yield low
        mask ^= low
