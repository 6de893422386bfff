"""Whom one principal can become, in brief: the targets, each with how sure the surest hop is.

The hops are those of `pivots`: the same rules, put to the same evaluator. Things that no pattern
or tag of the principal's policies tells apart (the sets of a `Roster`) are asked about once. A
rule that may tell more of a thing than a set has in common is tried on each, as `pivots` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from string import Formatter

import msgspec

from modelreach.model import Strength, Verdict
from modelreach.policy.aws import aims as aiming
from modelreach.policy.aws import pivots as pivoting
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.became import Became, How
from modelreach.policy.aws.classes import unclear
from modelreach.policy.aws.context import Context
from modelreach.policy.aws.credentials import credential_pivots
from modelreach.policy.aws.escalation import Compute, EscalationRule, Need, Way, rules, rules_by_id
from modelreach.policy.aws.estate import ANY_POLICY, Estate
from modelreach.policy.aws.invited import Invited
from modelreach.policy.aws.layers import Policies
from modelreach.policy.aws.limiting import told_by_limits
from modelreach.policy.aws.matching import action_matches
from modelreach.policy.aws.named import asks_who
from modelreach.policy.aws.needs import Aim, Questions, arn_of, limits
from modelreach.policy.aws.roster import Roster, Sorted, sign
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.aws.slices import Slices, Told
from modelreach.policy.aws.statement import Effect, Patterns
from modelreach.policy.box import Box
from modelreach.policy.brief import Hop
from modelreach.policy.engine import Pivot
from modelreach.policy.escalation.mechanism import strength_of, tried_by
from modelreach.policy.glob import match
from modelreach.snapshot import Principal

#: Strengths from sure to unsure.
_ORDER = (Strength.CERTAIN, Strength.CONDITIONAL, Strength.UNKNOWN, Strength.INFLUENCE)
_WEAKNESS = {strength: place for place, strength in enumerate(_ORDER)}


#: A rule, and the ways of it that may lead somewhere.
_Ways = tuple[EscalationRule, tuple[Way, ...]]
#: Targets, whether each is a scope that is taken over, and how weak the surest hop there is.
_Best = dict[tuple[str, bool], int]


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
    found: _Best
    aimed: _Best
    left: bool = False


class _Home(msgspec.Struct, eq=False):
    """One account: who is in it, what its principals' policies say, and where that leads them."""

    roster: Roster
    taken: dict[object, Pivot | None] = msgspec.field(default_factory=dict[object, "Pivot | None"])
    led: dict[object, _ByRule] = msgspec.field(default_factory=dict[object, _ByRule])
    together: dict[object, tuple[tuple[Hop, ...], tuple[Hop, ...]]] = msgspec.field(
        default_factory=dict[object, tuple[tuple[Hop, ...], tuple[Hop, ...]]]
    )
    parts: dict[tuple[str, bool, int], tuple[_Part, ...]] = msgspec.field(
        default_factory=dict[tuple[str, bool, int], "tuple[_Part, ...]"]
    )
    asking_who: dict[str, bool] = msgspec.field(default_factory=dict[str, bool])


class _Abroad(msgspec.Struct, frozen=True, eq=False):
    """The roles, wherever, that trust a name: `some` are sets of those that ask who in particular
    calls, `others` the other sets."""

    among: Sorted
    some: tuple[int, ...]
    others: tuple[int, ...]


#: Roles of other accounts that are told apart by nothing, by their trust (None where it does not
#: matter, or was not read): bits of each set.
_Part = tuple[Policies | None, tuple[int, ...]]
#: What is found and aimed, and whether each has to try it for itself.
_Result = tuple[_Best, _Best, bool]

#: How many accounts are kept at a time: principals come mostly account by account. And how many
#: slices are numbered.
_MOST, _MOST_SLICES = 64, 1 << 16


class Hops:
    """Gives the hops of the principals of one estate in brief."""

    def __init__(self, estate: Estate, shelving: Shelving) -> None:
        self._estate, self._shelving = estate, shelving
        self._homes: dict[str, _Home] = {}
        self._abroad: dict[str, _Abroad] = {}
        self._slices = Slices()
        self.invited = Invited()

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

    def trusting(self, key: str) -> _Abroad:
        """Give the roles that trust a name, wherever, and their sets."""
        if key not in self._abroad:
            groups: dict[tuple[bool, object], list[str]] = {}
            principals, named = self._estate.facts.principals, self._estate.named
            for name in named.trusts.get(key, ()):
                role = principals.get(name)
                if role is not None:
                    alike = sign(role, self._estate), self._shelving.home(role.scope)
                    groups.setdefault((name in named.trusting_some, alike), []).append(name)
            among = Sorted(tuple(sorted(name for names in groups.values() for name in names)))
            some, others = (
                tuple(among.bits(names) for (asks, _), names in groups.items() if asks is which)
                for which in (True, False)
            )
            self._abroad[key] = _Abroad(among, some, others)
        return self._abroad[key]


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
        found = _Found(self._asker.name)
        if not common.administers_surely:
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
        found, aimed = _Found(), _Found()
        found.take(taken)
        aimed.add(self._estate.known_elsewhere(self._asker.principal.scope), Strength.CERTAIN)
        abroad = self._once(("abroad",), ("sts:AssumeRole",), self._common_abroad)
        hops, aims = self._together([_ByRule(-1, found.best, aimed.best), abroad])
        return Common(hops, aims, taken, self._anybody)

    def _by_policies(self, taken: Pivot | None) -> Common:
        first = _Found()
        if taken is not None:
            first.take(taken)
        questions = self._questions
        prober = pivoting.AwsProber(questions, source="")
        trusting = self._roster.trusting(self._shared) & ~self._roster.trusting_some
        results = [
            _ByRule(-2 if taken is None else _WEAKNESS[taken.strength] - 8, first.best, {}),
            self._once(("here",), ("sts:AssumeRole",), partial(self._common_here, trusting)),
        ]
        rules = candidates(
            _chances(self._asker), questions.naming_kinds, questions.named_somewhere
        )
        left: list[_Ways] = []
        assuming: list[_Ways] = []
        for rule in rules:
            if rule.compute is not None and not self._somewhere(rule.compute):
                continue
            if rule.id in _own_rules() or self._asking_who(rule):
                left.append((rule, prober.ways(rule)))
                continue
            trial = partial(self._tried, rule, prober, trusting)
            result = self._once((rule.id,), _actions_of(rule.id), trial)
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
        return not self._questions.naming_kinds.isdisjoint(compute.kind)

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
        found, aimed = _Found(), _Found()
        for one in telling:
            found.join(one.found)
            aimed.join(one.aimed)
        hops = found.hops(), aimed.hops()
        if key is not None:
            self._home.together[key] = hops
        return hops

    def _tried(self, rule: EscalationRule, prober: pivoting.AwsProber, trusting: int) -> _Result:
        found, aimed = _Found(), _Found()
        ways = prober.ways(rule)
        done = not ways or _Trial(rule, ways, prober, self._roster, trusting).run(found, aimed)
        return found.best, aimed.best, not done

    def _common_here(self, trusting: int) -> _Result:
        found = _Found()
        self._assume_here(trusting, found)
        return found.best, {}, False

    def _common_abroad(self) -> _Result:
        found = _Found()
        if not self._apart:
            self._assume_abroad(self._shared, False, found)
        return found.best, {}, False

    # --- what is its own -------------------------------------------------------------------

    def _own_here(self, common: Common, found: _Found) -> None:
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
            if _of_caller(rule) and running.isdisjoint(rule.compute.kind if rule.compute else ()):
                continue
            trial = _Trial(rule, ways, prober, roster, (mine | theirs) & ~itself)
            if not trial.run(found, found, asker.principal.id):
                trial.one_by_one(found)
        for rule, ways in common.assuming if trusting else ():
            trial = _Trial(rule, ways, prober, roster, trusting & ~itself)
            trial.run(found, found, asker.principal.id)

    # --- plain trust -----------------------------------------------------------------------

    def _assume_here(self, trusting: int, found: _Found) -> None:
        roster = self._roster
        masks = [part for one in roster.sets("role") if (part := one & trusting)]
        if not masks:
            return
        told = self._questions.sliced.told("sts:AssumeRole")
        if told is None:
            masks = list(_each(trusting))
        else:
            masks = roster.principals.parted(masks, told.globs)
            if told.tags:
                masks = [p for m in masks for by in roster.by_tags(told.tags) if (p := m & by)]
        for mask in masks:
            self._assume(roster.principals, mask, found)

    def _assume(self, among: Sorted, mask: int, found: _Found) -> None:
        role = self._estate.facts.principals.get(among.first(mask))
        if role is None or role.kind != "role":
            return
        decision = pivoting.assume(self._asker, role)
        if decision.verdict is not Verdict.DENY:
            found.add(among.of(mask), strength_of(decision.residual))

    def _assume_abroad(self, keys: Sequence[str], some: bool, found: _Found) -> None:
        """Roles of other accounts that trust one of these names: of those that the own policies
        let it assume at all, the ones that ask who in particular calls, or the others."""
        boxes = self._questions.sliced.boxes("sts:AssumeRole")
        if not boxes:
            return
        for key in keys:
            among = self._hops.trusting(key).among
            for trust, masks in self._parts_abroad(key, some, boxes):
                if trust is None or self._hops.invited.may_mean(trust, self._context):
                    for mask in masks:
                        self._assume(among, mask, found)

    def _parts_abroad(self, key: str, some: bool, boxes: Sequence[Box]) -> tuple[_Part, ...]:
        """Give those that trust a name and may be assumed as far as the own policies go, parted by
        their patterns."""
        sliced, parts = self._questions.sliced, self._home.parts
        place = key, some, sliced.number("sts:AssumeRole")
        if place not in parts:
            abroad, told = self._hops.trusting(key), sliced.told("sts:AssumeRole")
            among, sets = abroad.among, abroad.some if some else abroad.others
            here = among.matching(f"arn:*:iam::{self._asker.principal.scope}:*")
            away = (mask & ~here for mask in among.parted(sets, told.globs if told else ()))
            groups: dict[tuple[str, ...] | None, tuple[Policies | None, list[int]]] = {}
            for mask in filter(None, away):
                first = among.first(mask)
                if any(box.resources.contains(first) for box in boxes):
                    read = some and first not in self._estate.gaps_by_subject
                    trust = self._estate.attached(first, "trust") if read else None
                    digests = None if trust is None else tuple(one.digest for one in trust)
                    groups.setdefault(digests, (trust, []))[1].append(mask)
            parts[place] = tuple((trust, tuple(masks)) for trust, masks in groups.values())
        return parts[place]

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


def _each(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low
        mask ^= low


class _Found:
    """The surest hop to each target so far, but to `name`."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self.best: _Best = {}

    def join(self, best: _Best) -> None:
        for key, weakness in best.items():
            known = self.best.get(key)
            if known is None or weakness < known:
                self.best[key] = weakness

    def take(self, pivot: Pivot) -> None:
        self.add((pivot.target,), pivot.strength, pivot.kind == "administer")

    def add(self, targets: Iterable[str], strength: Strength, administers: bool = False) -> None:
        weakness, best = _WEAKNESS[strength], self.best
        for target in targets:
            key = (target, administers)
            known = best.get(key)
            if known is None or weakness < known:
                best[key] = weakness

    def hops(self) -> tuple[Hop, ...]:
        self.best.pop((self._name, False), None)
        return tuple(
            Hop(target, _ORDER[weakness], administers)
            for (target, administers), weakness in self.best.items()
        )


# --- rules -----------------------------------------------------------------------------------


class _Trial(msgspec.Struct):
    """One rule as a principal tries it."""

    rule: EscalationRule
    ways: tuple[Way, ...]
    prober: pivoting.AwsProber
    roster: Roster
    assumable: int
    found: _Found = msgspec.field(default_factory=lambda: _Found())
    spared: str = ""
    told: Sequence[Told] = ()
    _prefix: object = None

    def run(self, found: _Found, aimed: _Found, spared: str = "") -> bool:
        """Try it, by sets where they have all in common that the rule may tell, and one by one
        where it is aimed at nobody; say whether that could be done. What is aimed at somebody
        goes to `aimed`; one is `spared`."""
        at_principals, at_runtimes = _in_sets()
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

    def one_by_one(self, found: _Found) -> None:
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

    def _weakest_of(self, aim: Aim) -> Strength | None:
        """Give the surest that a use of the rule comes to; None when it leads nowhere."""
        best: Strength | None = None
        for way in self.ways:
            pivot = self.prober.pivot(self.rule, way, aim)
            if pivot is None:
                continue
            if best is None or _WEAKNESS[pivot.strength] < _WEAKNESS[best]:
                best = pivot.strength
            if best is Strength.CERTAIN:
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
        if self.rule.id in _by_member():
            sets = [bit for one in sets for bit in _each(one)]
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
        strength = self._aimed_at(first)
        if strength is not None:
            self.found.add(_yields(rule, principals.of(mask)), strength)

    def _aimed_at(self, first: Principal) -> Strength | None:
        """Give the surest that the rule comes to, aimed at somebody: the same in all accounts in
        which nothing tells it apart."""
        aim = Aim(first.id, first)
        if self._prefix is None:
            return self._weakest_of(aim)
        told = self.told
        key = (
            self._prefix,
            self.roster.sign(first),
            tuple(match(glob, first.id) for one in told for glob in one.globs),
            tuple(_tagged(first, one.tags) for one in told),
        )
        known = self.prober.questions.slices.aimed
        if key not in known:
            known[key] = self._weakest_of(aim)
        return known[key]

    def _portable(self) -> object:
        """Give all that an aim of the rule hangs on beside whom it is aimed at; None where that is
        more than slices tell."""
        rule, questions = self.rule, self.prober.questions
        if rule.id not in _anywhere() or not all(one.anywhere for one in self.told):
            return None
        sliced, actions = questions.sliced, _actions_of(rule.id)
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
            strength = self._weakest_of(aim)
            if strength is not None:
                self.found.add((aim.name,), strength)

    def _on_runtime_set(self, kind: str, ids: Sorted, mask: int) -> None:
        questions = self.prober.questions
        facts = questions.asker.estate.facts
        runtime = facts.runtimes[ids.first(mask)]
        if not aiming.reached(self.rule, runtime, questions):
            return
        names = self.roster.identities(kind, mask)
        if names:
            first = Aim(names[0], facts.principals.get(names[0]), runtime)
            strength = self._weakest_of(first)
            if strength is not None:
                self.found.add(names, strength)


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


_OF_TARGETS = frozenset({"target", "target-any-policy", "no-boundary", "limited-target"})


# --- which rules may lead somewhere at all ------------------------------------------------------


@lru_cache(1)
def _places() -> dict[str, int]:
    """Give a bit for each action (in lower case) that a caller may need."""
    needs = (n for rule in rules() for way in rule.ways for n in way.needs if not n.by)
    names = dict.fromkeys(need.action.lower() for need in needs)
    return {name: 1 << place for place, name in enumerate(names)}


@lru_cache(1 << 14)
def _matched(actions: Patterns) -> int:
    return sum(bit for name, bit in _places().items() if action_matches(actions, name))


def _chances(asker: Asker) -> int:
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
    chances: int, naming: frozenset[str], named_somewhere: bool
) -> tuple[EscalationRule, ...]:
    """Give the rules that may lead somewhere who may have these actions: see `pivots`."""

    def may(need: Need, rule: EscalationRule) -> bool:
        if need.by or chances & _places()[need.action.lower()]:
            return True
        if need.on == "compute":
            return rule.compute is None or not naming.isdisjoint(rule.compute.kind)
        return need.on == "linked" and named_somewhere

    return tuple(
        rule
        for rule in rules()
        if not rule.plain and any(all(may(n, rule) for n in way.needs) for way in rule.ways)
    )


@lru_cache(1 << 10)
def _actions_of(rule_id: str) -> tuple[str, ...]:
    """Give the actions that tell where a rule leads."""
    rule = rules_by_id()[rule_id]
    needs = (need for way in rule.ways for need in way.needs if not need.by)
    found = {need.action for need in needs}
    if rule.target is not None and rule.target.assumable:
        found.add("sts:AssumeRole")
    return tuple(sorted(found))


@lru_cache(1)
def _in_sets() -> tuple[frozenset[str], frozenset[str]]:
    """Give the rules that can be tried by sets of principals, and those by sets of runtimes."""
    at_principals = frozenset(rule.id for rule in rules() if _aims_at_principals(rule))
    return at_principals, frozenset(rule.id for rule in rules() if _aims_at_runtimes(rule))


@lru_cache(1)
def _own_rules() -> frozenset[str]:
    """Give the rules that lead to where they do because of who asks, and not of its policies
    only."""
    return frozenset(rule.id for rule in rules() if not rule.plain and _of_asker(rule))


def _of_caller(rule: EscalationRule) -> bool:
    """Does it work on what runs as the caller, or names it, only?"""
    compute = rule.compute
    return compute is not None and (compute.of_caller or bool(compute.caller_in))


def _of_asker(rule: EscalationRule) -> bool:
    target, compute = rule.target, rule.compute
    if _of_caller(rule):
        return True
    at_principals, _ = _in_sets()
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
    return rule.yields in _OF_TARGETS and not any(
        _filled(need, frozenset()) for way in rule.ways for need in way.needs
    )


@lru_cache(1)
def _by_member() -> frozenset[str]:
    """Give the rules that tell of a principal what its set does not have in common: its
    policies."""

    def tells(need: Need) -> bool:
        return need.on == "target-policy" or need.by == "target"

    return frozenset(
        rule.id for rule in rules() if any(tells(need) for way in rule.ways for need in way.needs)
    )


@lru_cache(1)
def _anywhere() -> frozenset[str]:
    """Give the rules aimed at principals that tell nothing of an account."""
    at_principals, _ = _in_sets()
    return frozenset(
        rule.id
        for rule in rules()
        if rule.id in at_principals - _by_member()
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
    if compute.of_caller or compute.caller_in or compute.links:
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
