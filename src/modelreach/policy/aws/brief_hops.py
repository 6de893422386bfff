"""Whom one principal can become, in brief: the targets, each with how sure the surest hop is.

The hops are those of `pivots`: the same rules, put to the same evaluator. Things that no pattern
or tag of the principal's policies tells apart (the sets of a `Roster`) are asked about once. A
rule that may tell more of a thing than a set has in common is tried on each, as `pivots` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial

import msgspec

from modelreach.model import Strength, Verdict
from modelreach.policy.aws import pivots as pivoting
from modelreach.policy.aws.addresses import arn_of
from modelreach.policy.aws.aims import works_elsewhere
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.brief_abroad import Abroad, Parts
from modelreach.policy.aws.brief_rules import (
    actions_of,
    candidates,
    chances,
    enters,
    of_caller,
    own_rules,
)
from modelreach.policy.aws.brief_trial import Best, Found, Trial, each
from modelreach.policy.aws.classes import unclear
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.credentials import credential_pivots
from modelreach.policy.aws.escalation import Compute, EscalationRule, Way
from modelreach.policy.aws.estate import ANY_POLICY, Estate
from modelreach.policy.aws.invited import Invited
from modelreach.policy.aws.named import asks_who
from modelreach.policy.aws.needs import Questions
from modelreach.policy.aws.roster import Roster, Sorted
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.aws.slices import Slices
from modelreach.policy.brief import Hop
from modelreach.policy.engine import Pivot
from modelreach.policy.weakness import strength_of, weakness_of

#: A rule, and the ways of it that may lead somewhere.
_Ways = tuple[EscalationRule, tuple[Way, ...]]


class Common(msgspec.Struct, frozen=True, eq=False):
    """Hops that principals have in common whose policies say the same of them: the same tuples.

    Of `aimed` each is without those that are aimed at itself. `left` are the ways of rules that
    each tries for itself, `assuming` those of rules that are aimed at whom one may assume;
    `anybody`: it does not matter who of them asks, except where a trust says so.
    """

    hops: tuple[Hop, ...]
    aimed: tuple[Hop, ...]
    taken: Pivot | None
    anybody: bool
    left: tuple[_Ways, ...] = ()
    assuming: tuple[_Ways, ...] = ()

    @property
    def administers_surely(self) -> bool:
        """Do they administer their account for certain?"""
        return self.taken is not None and self.taken.strength is Strength.CERTAIN


class _ByRule(msgspec.Struct, frozen=True, eq=False):
    """Where one rule leads. `left`: each has to try it for itself."""

    number: int
    found: Best
    aimed: Best
    left: bool = False


class _Home(msgspec.Struct, eq=False):
    """One account: who is in it, what its principals' policies say, and where that leads them."""

    roster: Roster
    taken: dict[object, Pivot | None] = msgspec.field(default_factory=dict[object, "Pivot | None"])
    led: dict[object, _ByRule] = msgspec.field(default_factory=dict[object, _ByRule])
    together: dict[object, tuple[tuple[Hop, ...], tuple[Hop, ...]]] = msgspec.field(
        default_factory=dict[object, tuple[tuple[Hop, ...], tuple[Hop, ...]]]
    )
    abroad: Parts = msgspec.field(default_factory=Parts)
    asking_who: dict[str, bool] = msgspec.field(default_factory=dict[str, bool])


#: What is found and aimed, and whether each has to try it for itself.
_Result = tuple[Best, Best, bool]

#: How many accounts are kept at a time: principals come mostly account by account. And how many
#: slices are numbered.
_MOST, _MOST_SLICES = 64, 1 << 16


class Hops:
    """Gives the hops of the principals of one estate in brief."""

    def __init__(self, estate: Estate, shelving: Shelving) -> None:
        self._estate, self._shelving = estate, shelving
        self._homes: dict[str, _Home] = {}
        self._slices = Slices()
        self.invited = Invited()
        self.abroad = Abroad(estate, shelving, self.invited)

    def common(self, asker: Asker, *, anybody: bool) -> Common:
        """Give the hops that hang on nothing but the policies. `anybody`: it does not matter which
        of those who have them asks, except where a trust says so."""
        return self._one(asker, anybody).common()

    def own(
        self, asker: Asker, secrets: Mapping[str, tuple[str, ...]], common: Common
    ) -> tuple[Hop, ...]:
        """Give the other hops of a principal; `secrets` are those that open somebody."""
        return self._one(asker, common.anybody).own(secrets, common)

    def _one(self, asker: Asker, anybody: bool) -> _One:
        home = self._home(asker.principal.scope)
        return _One(self, home, asker, self._slices, anybody)

    def _home(self, account: str) -> _Home:
        if len(self._slices.numbers) > _MOST_SLICES:
            # What is known of accounts is by the numbers of slices.
            self._homes.clear()
            self._slices = Slices()
        home = self._homes.pop(account, None)
        if home is None:
            home = _Home(Roster(self._estate, self._shelving, account))
            if len(self._homes) >= _MOST:
                del self._homes[next(iter(self._homes))]
        # The last one used stands last.
        self._homes[account] = home
        return home


class _One:
    """One principal, as it looks for whom it may become."""

    def __init__(
        self, hops: Hops, home: _Home, asker: Asker, slices: Slices, anybody: bool
    ) -> None:
        self._hops, self._home, self._asker, self._anybody = hops, home, asker, anybody
        self._estate, self._roster = asker.estate, home.roster
        self._questions = Questions(asker, slices)
        keys = self._estate.keys_of(asker.principal)
        self._shared = tuple(filter(_of_all, keys)) if anybody else ()
        self._mine = tuple(key for key in keys if key not in self._shared)
        self._keys = keys

    def own(self, secrets: Mapping[str, tuple[str, ...]], common: Common) -> tuple[Hop, ...]:
        """Give what hangs on who it is."""
        found = Found(self._asker.name)
        if common.administers_surely:
            self._own_elsewhere(common, found)
        else:
            self._own_here(common, found)
        if self._apart:
            boxes = self._questions.sliced.boxes("sts:AssumeRole")
            for role in pivoting.trusting_elsewhere(self._asker, boxes):
                self._assume(Sorted((role,)), 1, found)
        else:
            self._assume_abroad(self._mine, False, found)
            self._assume_abroad(self._keys, True, found)
        if secrets:
            administered = [common.taken] if common.taken is not None else []
            for pivot in credential_pivots(self._asker, secrets, administered):
                found.take(pivot)
        return found.hops()

    # --- what others have as well ----------------------------------------------------------

    def common(self) -> Common:
        """Give what hangs on the policies."""
        taken = self._taken()
        if taken is not None and taken.strength is Strength.CERTAIN:
            return self._as_administrator(taken)
        return self._by_policies(taken)

    def _taken(self) -> Pivot | None:
        """Give the taking over of the account, asked once for all whose policies say the same."""
        if not self._anybody:
            return pivoting.administers(self._asker)
        numbers = self._numbers(pivoting.ADMINISTRATION)
        known = self._home.taken
        if numbers not in known:
            known[numbers] = pivoting.administers(self._asker)
        return known[numbers]

    def _numbers(self, actions: Iterable[str]) -> tuple[int, ...]:
        return tuple(map(self._questions.sliced.number, actions))

    def _as_administrator(self, taken: Pivot) -> Common:
        found, aimed = Found(), Found()
        found.take(taken)
        for name in self._estate.known_elsewhere(self._asker.principal.scope):
            aimed.add((name, name + ANY_POLICY), 0)
        abroad = self._once(("abroad",), ("sts:AssumeRole",), self._common_abroad)
        results, left = [_ByRule(-1, found.best, aimed.best), abroad], list[_Ways]()
        prober = pivoting.AwsProber(self._questions, source="", abroad=True)
        for rule in self._candidates():
            if rule.compute is None or not works_elsewhere(rule):
                continue
            if not self._elsewhere(rule.compute):
                continue
            if rule.id in own_rules() or self._asking_who(rule):
                left.append((rule, prober.ways(rule)))
                continue
            trial = partial(self._tried_on_each, rule, prober)
            results.append(self._once(("elsewhere", rule.id), actions_of(rule.id), trial))
        hops, aims = self._together(results)
        return Common(hops, aims, taken, self._anybody, tuple(one for one in left if one[1]))

    def _candidates(self) -> tuple[EscalationRule, ...]:
        questions = self._questions
        return candidates(chances(self._asker), questions.naming_kinds, questions.named_somewhere)

    def _by_policies(self, taken: Pivot | None) -> Common:
        first = Found()
        if taken is not None:
            first.take(taken)
        questions = self._questions
        prober = pivoting.AwsProber(questions, source="")
        trusting = self._roster.trusting(self._shared) & ~self._roster.trusting_some
        results = [
            _ByRule(-2 if taken is None else taken.weakness - 8, first.best, {}),
            self._once(("here",), ("sts:AssumeRole",), partial(self._common_here, trusting)),
        ]
        left: list[_Ways] = []
        assuming: list[_Ways] = []
        for rule in self._candidates():
            if rule.compute is not None and not self._somewhere(rule.compute):
                continue
            if rule.id in own_rules() or self._asking_who(rule):
                left.append((rule, prober.ways(rule)))
                continue
            trial = partial(self._tried, rule, prober, trusting)
            result = self._once((rule.id,), actions_of(rule.id), trial)
            results.append(result)
            if result.left:
                left.append((rule, prober.ways(rule)))
            elif rule.target is not None and rule.target.assumable:
                assuming.append((rule, prober.ways(rule)))
        results.append(self._once(("abroad",), ("sts:AssumeRole",), self._common_abroad))
        hops, aimed = self._together(results)
        some = (tuple(one for one in ways if one[1]) for ways in (left, assuming))
        return Common(hops, aimed, taken, self._anybody, *some)

    def _somewhere(self, compute: Compute) -> bool:
        """Is there anything that a rule may work on, in the account or letting the caller in?"""
        account = self._asker.principal.scope
        those = self._estate.linking_of if compute.links else self._estate.runtimes_of
        if any(those(account, kind) for kind in compute.kind):
            return True
        return self._elsewhere(compute)

    def _elsewhere(self, compute: Compute) -> bool:
        """Is there anything elsewhere that a rule may work on, letting the caller in or loading
        from somewhere?"""
        if not self._questions.naming_kinds.isdisjoint(compute.kind):
            return True
        if compute.spans:
            account = self._asker.principal.scope
            return any(self._estate.runtimes_of(account, kind) for kind in compute.kind)
        return bool(compute.links) and bool(self._estate.named.sources)

    def _asking_who(self, rule: EscalationRule) -> bool:
        """Does the policy of something that a rule works with, and that is no runtime, ask who in
        particular calls?"""
        if not self._anybody:
            return False
        known = self._home.asking_who
        if rule.id not in known:
            things = (*self._linked(rule), *self._credentials(rule))
            known[rule.id] = any(
                asks_who(statement)
                for name in dict.fromkeys(things)
                for policy in self._estate.attached(name, "resource")
                for statement in policy.document.statements
            )
        return known[rule.id]

    def _linked(self, rule: EscalationRule) -> Iterator[str]:
        """Give the listed things that runtimes which a rule works on are linked to."""
        account, questions = self._asker.principal.scope, self._questions
        compute = rule.compute
        for kind in compute.kind if compute is not None and compute.links else ():
            for runtime in (*self._estate.linking_of(account, kind), *questions.naming(kind)):
                for link in runtime.links:
                    yield questions.within(arn_of(link.target, runtime)).listed
        yield from questions.feeding if compute is not None and compute.links else ()

    def _credentials(self, rule: EscalationRule) -> Iterator[str]:
        account = self._asker.principal.scope
        for kind in rule.target.credentials if rule.target is not None else ():
            yield from (one.id for one in self._estate.credentials_of(account, kind))

    def _once(
        self, name: tuple[str, ...], actions: Sequence[str], work: Callable[[], _Result]
    ) -> _ByRule:
        """Work something out once for all whose policies say the same of some actions."""
        if not self._anybody:
            return _ByRule(0, *work())
        key = (name, self._numbers(actions))
        known = self._home.led
        if key not in known:
            known[key] = _ByRule(len(known), *work())
        return known[key]

    def _together(self, results: list[_ByRule]) -> tuple[tuple[Hop, ...], tuple[Hop, ...]]:
        """Put results together; what comes of the same ones is the same."""
        telling = [one for one in results if one.found or one.aimed]
        key = tuple(one.number for one in telling) if self._anybody else None
        if key is not None and key in self._home.together:
            return self._home.together[key]
        found, aimed = Found(), Found()
        for one in telling:
            found.join(one.found)
            aimed.join(one.aimed)
        hops = found.hops(), aimed.hops()
        if key is not None:
            self._home.together[key] = hops
        return hops

    def _tried(self, rule: EscalationRule, prober: pivoting.AwsProber, trusting: int) -> _Result:
        if enters(rule):
            return self._tried_on_each(rule, prober)
        found, aimed = Found(), Found()
        ways = prober.ways(rule)
        done = not ways or Trial(rule, ways, prober, self._roster, trusting).run(found, aimed)
        return found.best, aimed.best, not done

    def _tried_on_each(self, rule: EscalationRule, prober: pivoting.AwsProber) -> _Result:
        found = Found()
        Trial(rule, prober.ways(rule), prober, self._roster, 0).one_by_one(found)
        return found.best, {}, False

    def _common_here(self, trusting: int) -> _Result:
        found = Found()
        self._assume_here(trusting, found)
        return found.best, {}, False

    def _common_abroad(self) -> _Result:
        found = Found()
        if not self._apart:
            self._assume_abroad(self._shared, False, found)
        return found.best, {}, False

    # --- what is its own -------------------------------------------------------------------

    def _own_here(self, common: Common, found: Found) -> None:
        """Give what hangs on who it is, within its account."""
        asker, roster = self._asker, self._roster
        mine, theirs = map(roster.trusting, (self._mine, self._shared))
        trusting = (mine | (theirs & roster.trusting_some)) & ~roster.trusting_some
        asking = (mine | theirs) & roster.trusting_some
        if asking:
            trusting |= asking & self._meaning()
        self._assume_here(trusting & ~roster.principals.bit(asker.name), found)
        prober = pivoting.AwsProber(self._questions, asker.name)
        itself = roster.principals.bit(asker.principal.id)
        running = roster.running(asker.principal.id)
        for rule, ways in common.left:
            if of_caller(rule) and running.isdisjoint(rule.compute.kind if rule.compute else ()):
                continue
            trial = Trial(rule, ways, prober, roster, (mine | theirs) & ~itself)
            if not trial.run(found, found, asker.principal.id):
                trial.one_by_one(found)
        for rule, ways in common.assuming if trusting else ():
            trial = Trial(rule, ways, prober, roster, trusting & ~itself)
            trial.run(found, found, asker.principal.id)

    def _own_elsewhere(self, common: Common, found: Found) -> None:
        """Give what an administrator may work on in other accounts because of who it is."""
        prober = pivoting.AwsProber(self._questions, self._asker.name, abroad=True)
        for rule, ways in common.left:
            Trial(rule, ways, prober, self._roster, 0).one_by_one(found)

    # --- plain trust -----------------------------------------------------------------------

    def _assume_here(self, trusting: int, found: Found) -> None:
        roster = self._roster
        masks = [part for one in roster.sets("role") if (part := one & trusting)]
        if not masks:
            return
        told = self._questions.sliced.told("sts:AssumeRole")
        if told is None:
            masks = list(each(trusting))
        else:
            masks = roster.principals.parted(masks, told.globs)
            if told.tags:
                masks = [p for m in masks for by in roster.by_tags(told.tags) if (p := m & by)]
        for mask in masks:
            self._assume(roster.principals, mask, found)

    def _assume(self, among: Sorted, mask: int, found: Found) -> None:
        role = self._estate.facts.principals.get(among.first(mask))
        if role is None or role.kind != "role":
            return
        decision = pivoting.assume(self._asker, role)
        if decision.verdict is not Verdict.DENY:
            strength = strength_of(decision.residual)
            found.add(among.of(mask), weakness_of(strength, strength))

    def _assume_abroad(self, keys: Sequence[str], some: bool, found: Found) -> None:
        """Roles of other accounts that trust one of these names: of those that the own policies
        let it assume at all, the ones that ask who in particular calls, or the others."""
        sliced, known = self._questions.sliced, self._home.abroad
        for key in keys:
            for among, mask in self._hops.abroad.of(sliced, self._context, key, some, known):
                self._assume(among, mask, found)

    @cached_property
    def _context(self) -> Context:
        asker = self._asker
        return asker.estate.context(asker.caller, asker.principal, "", "", asker.fixed)

    def _meaning(self) -> int:
        """Give the bits of those of its account whose trust asks who in particular calls, and may
        mean this one; and of those of which something was not read."""
        found = self._roster.unread
        for trust, mask in self._roster.asking:
            if self._hops.invited.may_mean(trust, self._context):
                found |= mask
        return found

    @cached_property
    def _apart(self) -> bool:
        """Do its policies tell roles of other accounts apart by more than patterns?"""
        told = self._questions.sliced.told("sts:AssumeRole")
        if told is None or told.tags or "resourceaccount" in told.text:
            return True
        return unclear(self._asker)


def _of_all(key: str) -> bool:
    """Is it a name that everybody of an account has?"""
    return key == "*" or key.endswith(":root")
