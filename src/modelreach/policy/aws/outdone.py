"""Who has all that another one of its account has, and what that one may have besides.

An administrator whom nothing limits but the organisation's policies has whatever anybody of the
account has, as surely: these limit both alike, unless they ask who calls. Only where a resource
tells one caller from another may that be otherwise; so that, and what lies in other accounts, is
asked about for each.
"""

from __future__ import annotations

from collections.abc import Iterable

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.classes import granted, unclear
from modelreach.policy.aws.conditions import conditions_expr
from modelreach.policy.aws.counted import Counter
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.held import held
from modelreach.policy.aws.layers import AppliedPolicy
from modelreach.policy.aws.shared_grants import SharedGrants
from modelreach.policy.aws.shelf import Shelf
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.aws.statement import Effect, Statement
from modelreach.policy.aws.unlisted import most_telling, unlisted
from modelreach.policy.engine import Grant
from modelreach.policy.expr import FALSE, TRUE, Expr, all_of, any_of, atoms, implies, negate
from modelreach.policy.lots import Grants
from modelreach.policy.permissions import Box, PermissionSet

#: How the keys begin that tell one caller of an account from another.
_OF_CALLER = (
    *("aws:principal", "aws:user", "aws:sourceidentity", "aws:token", "aws:multifactor"),
    *("aws:federated", "sts:", "saml:", "cognito-", "accounts.", "graph.", "www."),
)
#: Those of them that every request of a caller has or has not alike; `sts:` is asked of some.
_ALWAYS = tuple(key for key in _OF_CALLER if key.startswith("aws:"))
#: Those of them that are alike for everybody of an account.
_OF_ACCOUNT = (
    *("aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths"),
    "aws:principalisawsservice",
)


class Outdoing:
    """Compares principals of one estate."""

    def __init__(self, estate: Estate, shelving: Shelving, shared: SharedGrants) -> None:
        self._estate, self._shelving, self._shared = estate, shelving, shared
        self._counter = Counter(estate)
        self._unlimited: dict[str, Expr] = {}
        self._shelves: dict[int, tuple[Shelf, bool, frozenset[str]]] = {}

    def outdoes(self, one: Asker, other: Asker, given: Expr) -> bool:
        """Has one all that another one of its account holds, but for what is `beyond`? `given` is
        what must hold on the way from the one to the other: what the one's power hangs on has to
        be part of it."""
        if one.principal.scope != other.principal.scope or unclear(other):
            return False
        if one.name not in self._unlimited:
            self._unlimited[one.name] = FALSE if self._singled(one) else self._power(one)
        return (
            implies(given, self._unlimited[one.name])
            and not self._singled(other)
            and not self._named(other)
            and self._no_more_limited(one, other, self._unlimited[one.name])
        )

    def beyond(self, asker: Asker, but: frozenset[str]) -> tuple[Grants, tuple[Grant, ...]]:
        """Give what it holds where a resource tells callers apart, and what it holds of accounts
        other than these and its own: listed, and by pattern."""
        account = asker.principal.scope
        known = but | {account}

        def wanted(shelf: Shelf) -> bool:
            return self._is_open(shelf, known)

        listed = granted(asker, self._shelving, wanted, self._shared)
        patterns = unlisted(_leading_on(asker, known), account, self._estate)
        return listed, tuple(grant for grant in patterns if grant.scope not in known)

    def patterns(self, asker: Asker) -> dict[str, int]:
        """Give how many grants by pattern it holds in each account other than its own."""
        account = asker.principal.scope
        found = self._counter.by_scope(_leading_on(asker, frozenset({account})), account)
        return {scope: number for scope, number in found.items() if scope != account}

    def _power(self, asker: Asker) -> Expr:
        """When do its own policies allow it everything, and deny it nothing? FALSE where what is
        asked for counts."""
        mine = asker.layers
        if mine.boundaries is not None or mine.session is not None or unclear(asker):
            return FALSE
        said = [s for policy in mine.identity for s in policy.document.statements]
        denying = [s for s in said if s.effect is not Effect.ALLOW]
        if not all(map(_asks_who_calls, denying)):
            return FALSE
        allowed = any_of(self._when(s, asker) for s in said if _allows_everything(s))
        return all_of((allowed, *(negate(self._when(s, asker)) for s in denying)))

    # --- whom policies of resources tell apart -----------------------------------------------

    def _own_names(self, asker: Asker) -> Iterable[str]:
        keys = self._estate.keys_of(asker.principal)
        return (key for key in keys if key != "*" and not key.endswith(":root"))

    def _singled(self, asker: Asker) -> bool:
        """Does the policy of a resource deny it in particular, or spare it?"""
        return any(key in self._estate.named.singled for key in self._own_names(asker))

    def _named(self, asker: Asker) -> bool:
        """May the policy of a resource, or a grant on it, let it in as itself?"""
        return any(key in self._estate.named.resources for key in self._own_names(asker))

    def _is_open(self, shelf: Shelf, known: frozenset[str]) -> bool:
        """Tells a shelf callers apart, or stands something on it that is of no known account?"""
        if id(shelf) not in self._shelves:
            facts = self._estate.facts
            scopes = frozenset(facts.resources[name].scope for name in shelf.ids)
            # The shelf is kept with it, so its id stays taken.
            self._shelves[id(shelf)] = shelf, self._tells(shelf), scopes
        _, tells, scopes = self._shelves[id(shelf)]
        return tells or not scopes <= known

    def _tells(self, shelf: Shelf) -> bool:
        first = self._estate.facts.resources[shelf.ids[0]]
        if self._asks(first.id, first.scope):
            return True
        key = str(first.attributes.get("kms_key", ""))
        known = self._estate.facts.resources.get(key)
        return bool(key) and (known is None or self._asks(known.id, known.scope))

    def _asks(self, name: str, account: str) -> bool:
        """Does what limits or opens a resource ask who of an account calls?"""
        theirs = self._estate.resource_layers(name, account)
        policies = [*theirs.resource, *theirs.acl]
        policies += [policy for level in theirs.rcps or () for policy in level]
        return bool(theirs.grants or theirs.unread) or any(map(_asks_of_caller, policies))

    # --- the organisation's limits -----------------------------------------------------------

    def _no_more_limited(self, one: Asker, other: Asker, power: Expr) -> bool:
        """Do the organisation's policies leave one at least what they leave the other? One that
        may do everything in some way of calling only has nothing where they deny that way, and the
        other may call otherwise."""
        if one.caller.management_account != other.caller.management_account:
            return False
        if one.caller.service_linked or other.caller.service_linked:
            return False
        asked = _keys(power)
        return all(
            _leaves_as_much(statement, mine := self._when(statement, one), theirs)
            and asked.isdisjoint(_keys(mine))
            for level in one.layers.scps or ()
            for policy in level
            for statement in policy.document.statements
            if statement.conditions or _varies(statement)
            for theirs in (self._when(statement, other),)
        )

    def _when(self, statement: Statement, asker: Asker) -> Expr:
        context = self._estate.context(asker.caller, asker.principal, "", "", asker.fixed)
        return conditions_expr(statement.conditions, context, variables=statement.variables)


def _allows_everything(statement: Statement) -> bool:
    """Does it allow everything, whatever is asked for? It may ask who calls."""
    resources = statement.resources
    return (
        _asks_who_calls(statement)
        and not statement.actions.negated
        and "*" in statement.actions.globs
        and resources is not None
        and not resources.negated
        and "*" in resources.globs
    )


def _asks_who_calls(statement: Statement) -> bool:
    """Are its conditions about who calls, if it has any, and not about what is asked for?"""
    return (
        all(condition.key.lower().startswith(_ALWAYS) for condition in statement.conditions)
        and not any("${" in value for c in statement.conditions for value in c.values)
        and not statement.not_understood
    )


def _leaves_as_much(statement: Statement, one: Expr, other: Expr) -> bool:
    """Does a limit bind the one no more than the other? `one` and `other` are when it applies."""
    if _varies(statement):
        return False
    return one == other or one == (FALSE if statement.effect is Effect.DENY else TRUE)


def _keys(expr: Expr) -> frozenset[str]:
    """What of a request an expression hangs on."""
    return frozenset(atom.key.lower() for atom in atoms(expr))


def _varies(statement: Statement) -> bool:
    """Has it patterns that are filled in by who calls?"""
    resources = statement.resources
    return resources is not None and any("${" in glob for glob in resources.globs)


def _asks_of_caller(policy: AppliedPolicy) -> bool:
    document = policy.document
    return bool(document.problems) or any(map(_tells_callers, document.statements))


def _tells_callers(statement: Statement) -> bool:
    texts = [
        text.lower()
        for condition in statement.conditions
        for text in (condition.key, *condition.values)
    ]
    texts += [glob.lower() for glob in (statement.resources.globs if statement.resources else ())]
    return bool(statement.not_understood) or any(map(_is_of_caller, texts))


def _is_of_caller(text: str) -> bool:
    if "${" in text:
        return True
    return text.startswith(_OF_CALLER) and not text.startswith(_OF_ACCOUNT)


def _leading_on(asker: Asker, known: frozenset[str]) -> PermissionSet:
    """What it holds where a part may be about things of an account that is not known."""
    return PermissionSet(tuple(box for box in held(asker).boxes if _leads_on(box, known)))


def _leads_on(box: Box, known: frozenset[str]) -> bool:
    """May a part of it be about things of an account that is not known?"""
    for region in box.resources.regions:
        parts = most_telling(region).split(":", 5)
        if len(parts) == 6 and parts[4] and parts[4] != "*" and parts[4] not in known:
            return True
    return False
