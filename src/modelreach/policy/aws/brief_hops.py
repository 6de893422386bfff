"""Whom one principal can become, in brief: the targets, each with how sure the surest hop is.

The hops are those of `pivots`: the same rules, put to the same evaluator. Things that no pattern
or tag of the principal's policies tells apart (the sets of a `Roster`) are asked about once. A
rule that may tell more of a thing than a set has in common is tried on each, as `pivots` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from string import Formatter

import msgspec

from modelreach.model import Strength, Verdict
from modelreach.policy.aws import aims as aiming
from modelreach.policy.aws import pivots as pivoting
from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.became import Became, How
from modelreach.policy.aws.classes import unclear
from modelreach.policy.aws.conditions import conditions_expr
from modelreach.policy.aws.credentials import credential_pivots
from modelreach.policy.aws.escalation import EscalationRule, Need, Way, rules
from modelreach.policy.aws.estate import ANY_POLICY, Estate
from modelreach.policy.aws.needs import Aim, Questions, Told
from modelreach.policy.aws.roster import Roster, Sorted, sign
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.aws.statement import Effect
from modelreach.policy.brief import Hop
from modelreach.policy.engine import Pivot
from modelreach.policy.escalation.mechanism import strength_of, tried
from modelreach.policy.expr import FALSE
from modelreach.policy.permissions import PermissionSet

#: Strengths from sure to unsure.
_ORDER = (Strength.CERTAIN, Strength.CONDITIONAL, Strength.UNKNOWN, Strength.INFLUENCE)
_WEAKNESS = {strength: place for place, strength in enumerate(_ORDER)}


class Hops:
    """Gives the hops of the principals of one estate in brief."""

    def __init__(self, estate: Estate, shelving: Shelving) -> None:
        self._estate, self._shelving = estate, shelving
        self._rosters: dict[str, Roster] = {}
        self._abroad: dict[str, tuple[Sorted, tuple[int, ...]]] = {}

    def common(self, asker: Asker, held: PermissionSet, *, anybody: bool) -> Common:
        """Give the hops that hang on nothing but the policies, whoever of them it is that asks.
        `anybody`: others may have the same policies."""
        taken = pivoting.administers(asker)
        questions = Questions(asker, held)
        found, aimed = _Found(), _Found()
        if taken is not None:
            found.take(taken)
        keys = tuple(filter(_of_all, self._estate.keys_of(asker.principal))) if anybody else ()
        left: set[str] = set()
        if taken is not None and taken.strength is Strength.CERTAIN:
            aimed.add(self._estate.known_elsewhere(asker.principal.scope), Strength.CERTAIN)
        else:
            roster = self.roster(asker.principal.scope)
            trusting = roster.trusting(keys) & ~roster.trusting_some
            self._assume_here(asker, questions, roster, trusting, found)
            prober = pivoting.AwsProber(questions, source="")
            for rule in rules():
                if not rule.plain and rule.id not in _own_rules():
                    trial = _Trial.of(rule, prober, roster, trusting)
                    if trial is not None and not trial.run(found, aimed):
                        left.add(rule.id)
        if not self._apart(asker, questions):
            self._assume_abroad(asker, questions, keys, False, found)
        return Common(found.hops(), aimed.hops(), taken, questions, anybody, frozenset(left))

    def own(
        self, asker: Asker, secrets: Mapping[str, tuple[str, ...]], common: Common
    ) -> tuple[Hop, ...]:
        """Give the other hops of a principal; `secrets` are those that open somebody."""
        found = _Found(asker.name)
        questions = common.questions.by(asker)
        keys = self._estate.keys_of(asker.principal)
        mine = [key for key in keys if not (common.anybody and _of_all(key))]
        theirs = [key for key in keys if key not in mine]
        if not common.administers_surely:
            self._own_here(asker, questions, (mine, theirs), found, common)
        if self._apart(asker, questions):
            for role in pivoting.trusting_elsewhere(asker, questions.held):
                self._assume(asker, Sorted((role,)), 1, found)
        else:
            self._assume_abroad(asker, questions, mine, False, found)
            self._assume_abroad(asker, questions, keys, True, found)
        if secrets:
            taken = [common.taken] if common.taken is not None else []
            for pivot in credential_pivots(asker, secrets, taken):
                found.take(pivot)
        return found.hops()

    def _own_here(
        self,
        asker: Asker,
        questions: Questions,
        keys: tuple[list[str], list[str]],
        found: _Found,
        common: Common,
    ) -> None:
        """Give what hangs on who it is, within its account: `keys` are names of its own, and
        those that all of its account have."""
        roster = self.roster(asker.principal.scope)
        mine, theirs = map(roster.trusting, keys)
        trusting = mine | (theirs & roster.trusting_some)
        here = trusting & ~roster.principals.bit(asker.name)
        self._assume_here(asker, questions, roster, here, found)
        prober = pivoting.AwsProber(questions, asker.name)
        itself = roster.principals.bit(asker.principal.id)
        for rule in rules():
            if rule.id in _own_rules() or rule.id in common.left:
                trial = _Trial.of(rule, prober, roster, (mine | theirs) & ~itself)
                if trial is not None and not trial.run(found, found, asker.principal.id):
                    trial.one_by_one(found)
            elif trusting and not rule.plain and rule.target and rule.target.assumable:
                trial = _Trial.of(rule, prober, roster, trusting & ~itself)
                if trial is not None:
                    trial.run(found, found, asker.principal.id)

    def roster(self, account: str) -> Roster:
        """Give the roster of an account."""
        if account not in self._rosters:
            self._rosters[account] = Roster(self._estate, self._shelving, account)
        return self._rosters[account]

    # --- plain trust -----------------------------------------------------------------------

    def _assume_here(
        self, asker: Asker, questions: Questions, roster: Roster, trusting: int, found: _Found
    ) -> None:
        masks = [part for one in roster.sets("role") if (part := one & trusting)]
        if not masks:
            return
        told = questions.told("sts:AssumeRole")
        if told is None:
            masks = list(_each(trusting))
        else:
            masks = roster.principals.parted(masks, told.globs)
            if told.tags:
                masks = [p for m in masks for by in roster.by_tags(told.tags) if (p := m & by)]
        for mask in masks:
            self._assume(asker, roster.principals, mask, found)

    def _assume(self, asker: Asker, among: Sorted, mask: int, found: _Found) -> None:
        role = self._estate.facts.principals.get(among.first(mask))
        if role is None or role.kind != "role":
            return
        decision = pivoting.assume(asker, role)
        if decision.verdict is not Verdict.DENY:
            found.add(among.of(mask), strength_of(decision.residual))

    def _assume_abroad(
        self, asker: Asker, questions: Questions, keys: Sequence[str], some: bool, found: _Found
    ) -> None:
        """Roles of other accounts that trust one of these names: of those that the own policies
        let it assume at all, the ones that ask who in particular calls, or the others."""
        told = questions.told("sts:AssumeRole")
        boxes = [b for b in questions.held.boxes if b.actions.contains("sts:assumerole")]
        if told is None or not boxes:
            return
        personal = self._estate.named.trusting_some
        for key in keys:
            among, sets = self._trusting(key)
            here = among.matching(f"arn:*:iam::{asker.principal.scope}:*")
            for mask in among.parted(sets, told.globs):
                elsewhere = mask & ~here
                name = among.first(elsewhere) if elsewhere else ""
                if not name or (name in personal) is not some:
                    continue
                if some and not self._may_mean(name, asker):
                    continue
                if any(box.resources.contains(name) for box in boxes):
                    self._assume(asker, among, elsewhere, found)

    def _may_mean(self, name: str, asker: Asker) -> bool:
        """May a role's trust let the caller in, as far as its conditions tell of callers?"""
        context = asker.estate.context(asker.caller, asker.principal, "", "", asker.fixed)
        policies = self._estate.attached(name, "trust")
        return any(
            policy.document.problems
            or statement.not_understood
            or (
                statement.effect is Effect.ALLOW
                and conditions_expr(statement.conditions, context, variables=statement.variables)
                is not FALSE
            )
            for policy in policies
            for statement in policy.document.statements
        )

    def _apart(self, asker: Asker, questions: Questions) -> bool:
        """Do its policies tell roles of other accounts apart by more than patterns?"""
        told = questions.told("sts:AssumeRole")
        return told is None or bool(told.tags) or "resourceaccount" in told.text or unclear(asker)

    def _trusting(self, key: str) -> tuple[Sorted, tuple[int, ...]]:
        """Give the roles that trust a name, wherever, and their sets."""
        if key not in self._abroad:
            groups: dict[object, list[str]] = {}
            principals = self._estate.facts.principals
            for name in self._estate.named.trusts.get(key, ()):
                role = principals.get(name)
                if role is not None:
                    alike = sign(role, self._estate), self._shelving.home(role.scope)
                    groups.setdefault(alike, []).append(name)
            among = Sorted(tuple(sorted(name for names in groups.values() for name in names)))
            self._abroad[key] = among, tuple(map(among.bits, groups.values()))
        return self._abroad[key]


def _of_all(key: str) -> bool:
    """Is it a name that everybody of an account has?"""
    return key == "*" or key.endswith(":root")


def _each(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low
        mask ^= low


class Common(msgspec.Struct, frozen=True, eq=False):
    """Hops that principals with the same policies have in common. Of `aimed` each is without
    those that are aimed at itself. `left` are rules that each tries for itself; `anybody`: it
    does not matter who of them asks, except where a trust says so."""

    hops: tuple[Hop, ...]
    aimed: tuple[Hop, ...]
    taken: Pivot | None
    questions: Questions
    anybody: bool
    left: frozenset[str]

    @property
    def administers_surely(self) -> bool:
        """Do they administer their account for certain?"""
        return self.taken is not None and self.taken.strength is Strength.CERTAIN


class _Found:
    """The surest hop to each target so far, but to `name`."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._best: dict[tuple[str, bool], int] = {}

    def take(self, pivot: Pivot) -> None:
        self.add((pivot.target,), pivot.strength, pivot.kind == "administer")

    def add(self, targets: Iterable[str], strength: Strength, administers: bool = False) -> None:
        weakness, best = _WEAKNESS[strength], self._best
        for target in targets:
            key = (target, administers)
            known = best.get(key)
            if known is None or weakness < known:
                best[key] = weakness

    def hops(self) -> tuple[Hop, ...]:
        self._best.pop((self._name, False), None)
        return tuple(
            Hop(target, _ORDER[weakness], administers)
            for (target, administers), weakness in self._best.items()
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

    @staticmethod
    def of(
        rule: EscalationRule, prober: pivoting.AwsProber, roster: Roster, assumable: int
    ) -> _Trial | None:
        """Give the trial of a rule; None where it leads nowhere at a glance."""
        ways = prober.ways(rule)
        return _Trial(rule, ways, prober, roster, assumable) if ways else None

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
        for pivot in tried(self.rule, self.prober):
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
            told = self.prober.questions.told(action)
            if told is None:
                return None
            found.append(told)
        return found

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
        for part in sets:
            self._on_set(part)

    def _on_set(self, mask: int) -> None:
        rule, principals = self.rule, self.roster.principals
        facts = self.prober.questions.asker.estate.facts.principals
        first = facts[principals.first(mask)]
        if not aiming.touched(rule, first, self.prober.questions):
            return
        strength = self._weakest_of(Aim(first.id, first))
        if strength is not None:
            self.found.add(_yields(rule, principals.of(mask)), strength)

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


def _of_asker(rule: EscalationRule) -> bool:
    target, compute = rule.target, rule.compute
    if compute is not None and (compute.of_caller or compute.caller_in):
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
        need.by == "target" or _filled(need, frozenset())
        for way in rule.ways
        for need in way.needs
    )


@lru_cache(1)
def _by_member() -> frozenset[str]:
    """Give the rules that tell of a principal what its set does not have in common: its
    policies."""
    return frozenset(
        rule.id
        for rule in rules()
        if any(need.on == "target-policy" for way in rule.ways for need in way.needs)
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
