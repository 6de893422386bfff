"""Who of a provider is let in as somebody by another one, by the tokens that it shows there.

Whoever takes a scope over may act as everybody in it. An engine tells only those of them who lead
out of the scope, and what lets them in elsewhere stands in the facts of others.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from modelreach.policy.engine import Engine, Pivot
from modelreach.snapshot import Facts


class Abroad:
    """What the other providers of a snapshot make of the identities of one."""

    def __init__(self, facts: Facts, provider: str) -> None:
        self._facts, self._provider = facts, provider
        self._known: dict[str, bool] = {}

    @cached_property
    def _engines(self) -> dict[str, Engine]:
        # Engines know this module, so it asks for them no sooner.
        from modelreach.policy.providers import makers

        return {name: make() for name, make in sorted(makers(self._facts).items())}

    @cached_property
    def is_empty(self) -> bool:
        """Is there nobody else who could let anybody in?"""
        return all(scope.provider == self._provider for scope in self._facts.snapshot.scopes)

    def leads(self, principal: str) -> bool:
        """Does somebody become, by a token, one elsewhere who may do anything?"""
        if principal not in self._known:
            self._known[principal] = any(map(self._holds, self._admitted(principal)))
        return self._known[principal]

    def _admitted(self, principal: str) -> Iterator[Pivot]:
        for token in self._engines[self._provider].tokens(principal):
            for engine in self._engines.values():
                yield from engine.admits(token, principal)

    def _holds(self, pivot: Pivot) -> bool:
        """May whom a hop leads to do anything? One that is made up of the token has what names
        it, and no more."""
        if pivot.target in self._facts.principals:
            return True
        owners = (e for e in self._engines.values() if e.principal(pivot.target) is not None)
        return any(not engine.permissions(pivot.target).is_empty() for engine in owners)
