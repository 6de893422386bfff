"""Principals of AWS in brief: see `modelreach.policy.brief`.

What hangs on a principal's policies only is worked out once for all that have the same; what hangs
on who it is (whom trusts and resources name) is worked out for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from modelreach.policy.aws.asker import Asker
from modelreach.policy.aws.brief_grants import Holdings, OfShelf, Parts
from modelreach.policy.aws.brief_hops import Common, Hops
from modelreach.policy.aws.classes import unclear
from modelreach.policy.aws.estate import Estate
from modelreach.policy.aws.named import asks_who
from modelreach.policy.aws.policy_set import PolicySet, PolicySets
from modelreach.policy.aws.shelves import Shelving
from modelreach.policy.aws.tally import Tally
from modelreach.policy.brief import Brief, Outline
from modelreach.policy.engine import Grant

#: How many policy sets are kept: those of some accounts, as principals come account by account.
_MOST = 512


class _Shared:
    """What all principals with the same policies have; what they hold where that is asked."""

    def __init__(
        self, hops: Common, count: Callable[[], int], find_parts: Callable[[], Parts]
    ) -> None:
        self.hops, self._count, self._find_parts = hops, count, find_parts

    @cached_property
    def patterns(self) -> int:
        """How many grants they have on what is not listed."""
        return self._count()

    @cached_property
    def parts(self) -> Parts:
        """The classes of what they may touch."""
        return self._find_parts()


class Briefs:
    """Gives principals of one estate in brief."""

    def __init__(self, estate: Estate, shelving: Shelving) -> None:
        self._estate = estate
        self._sets = PolicySets()
        self._holdings = Holdings(shelving)
        self._tally = Tally(estate)
        self._hops = Hops(estate, shelving)
        self._known: dict[PolicySet, _Shared] = {}

    def of(self, asker: Asker, secrets: Mapping[str, tuple[str, ...]]) -> Brief:
        """Give a principal in brief. `secrets` are those that open somebody."""
        anybody = self._anybody(asker)
        shared = self._shared(asker, anybody=anybody)
        alone: list[Grant] = []
        holdings: list[OfShelf] = list(self._holdings.of(asker, shared.parts, alone))
        return Brief(
            self._hops.own(asker, secrets, shared.hops),
            shared.hops.hops,
            shared.hops.aimed,
            asker.principal.id,
            holdings,
            tuple(alone),
            shared.patterns,
        )

    def outline(self, asker: Asker, secrets: Mapping[str, tuple[str, ...]]) -> Outline:
        """Give a principal in brief, without what it holds of listed resources."""
        shared = self._shared(asker, anybody=self._anybody(asker))
        own = self._hops.own(asker, secrets, shared.hops)
        itself = asker.principal.id
        hops = shared.hops
        return Outline(own, hops.hops, hops.aimed, itself, lambda: shared.patterns)

    @cached_property
    def limits_ask_who(self) -> bool:
        """Does a resource control policy ask who in particular calls, or spare somebody?"""
        estate = self._estate
        statements = [
            statement
            for scope in estate.facts.scopes
            for policy in estate.attached(scope, "rcp")
            for statement in policy.document.statements
        ]
        named = (s.principals for s in statements if s.principals is not None)
        return any(map(asks_who, statements)) or any(p.negated or p.aws for p in named)

    def _shared(self, asker: Asker, *, anybody: bool) -> _Shared:
        key = self._sets.of(asker) if anybody else None
        if key is None:
            return self._anew(asker, anybody=False)
        known = self._known.pop(key, None)
        if known is None:
            known = self._anew(asker, anybody=True)
            if len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]
        # The last one used stands last.
        self._known[key] = known
        return known

    def _anew(self, asker: Asker, *, anybody: bool) -> _Shared:
        return _Shared(
            self._hops.common(asker, anybody=anybody),
            lambda: self._tally.count(asker),
            lambda: self._holdings.parts(asker, anybody=anybody),
        )

    def _anybody(self, asker: Asker) -> bool:
        """Is it told from others with the same policies by trusts only, and by no resource?"""
        if unclear(asker) or self.limits_ask_who:
            return False
        named, account = self._estate.named, asker.principal.scope
        if named.personal and named.personal_in(account):
            return False
        keys = self._estate.keys_of(asker.principal)
        own = [key for key in keys if key != "*" and not key.endswith(":root")]
        things = (named.resources, named.runtimes, named.singled)
        if any(key in index for key in own for index in things):
            return False
        shared = (key for key in keys if key not in own)
        return not any(
            name in named.personal for key in shared for name in named.runtimes.get(key, ())
        )
