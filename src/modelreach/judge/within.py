"""What somebody reaches who is reached: a part of what is reached, which needs no second search.

A wide reach holds many keys, and whoever has one of them reaches much of the same again. Who is
reached from whom is in the graph; what they hold together is put together from what is known of
others whom the way leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from modelreach.accesses import Accesses, Held, Part, Piece, together
from modelreach.policy.engine import Engine, Grant
from modelreach.policy.lots import Lot, bits, granted, places
from modelreach.reach import BlastRadius, reach


class Words:
    """Patterns and actions by number, so that a few bits say which of them somebody has: thousands
    have the same hundreds."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._masks: dict[tuple[str, ...], int] = {}

    def mask(self, words: tuple[str, ...]) -> int:
        """Give words as bits."""
        known = self._masks.get(words)
        if known is None:
            numbers = self._numbers
            known = bits(numbers.setdefault(word, len(numbers)) for word in words)
            self._masks[words] = known
        return known

    def of(self, mask: int) -> list[str]:
        """Give the words of a mask, sorted."""
        every = list(self._numbers)
        return sorted(every[place] for place in places(mask))


class Sum(msgspec.Struct):
    """Who is reached, what they hold of listed resources by lot and kind, and the resources and
    actions of what they hold by pattern, by scope: as bits, of which `words` tells the meaning.
    Sums are added whose words are the same."""

    names: frozenset[str]
    words: Words = msgspec.field(default_factory=Words)
    parts: dict[tuple[Lot, str], Part] = msgspec.field(
        default_factory=dict["tuple[Lot, str]", "Part"]
    )
    patterns: dict[str, tuple[int, int]] = msgspec.field(
        default_factory=dict[str, "tuple[int, int]"]
    )

    def add(self, other: Sum) -> None:
        """Add what others hold."""
        self.hold(other.parts.values())
        for scope, (resources, actions) in other.patterns.items():
            self._match(scope, resources, actions)

    def hold(self, parts: Iterable[Part]) -> None:
        """Add resources."""
        for part in parts:
            key = part.lot, part.grant.kind
            known = self.parts.get(key)
            mask = part.mask | known.mask if known else part.mask
            self.parts[key] = Part(part.grant, part.lot, mask)

    def match(self, grants: Iterable[Grant]) -> None:
        """Add what is held by pattern."""
        for grant in grants:
            resource, actions = self.words.mask((grant.resource,)), self.words.mask(grant.actions)
            self._match(grant.scope, resource, actions)

    def _match(self, scope: str, resources: int, actions: int) -> None:
        known, done = self.patterns.get(scope, (0, 0))
        self.patterns[scope] = known | resources, done | actions


class Within:
    """What those reach who are reached, in one radius."""

    def __init__(self, radius: BlastRadius, engines: Mapping[str, Engine]) -> None:
        self._radius, self._engines = radius, engines
        self._sums: dict[str, Sum] = {}
        self._words = Words()
        self._pieces: dict[str, list[Piece]] = {}
        for piece in radius.accesses.pieces:
            self._pieces.setdefault(piece.access.grant.principal, []).append(piece)
        self._unlisted = {one.name: one.grants for one in radius.patterns.held}

    def knows(self, name: str) -> bool:
        """Is somebody reached?"""
        return name in self._radius.identities

    def takeovers(self, found: Sum) -> list[str]:
        """Give the scopes that are taken over by those who are reached."""
        return sorted(found.names & self._radius.takeovers.keys())

    def of(self, name: str) -> Sum:
        """Give what somebody reaches who is reached."""
        known = self._sums.get(name)
        if known is None:
            others, known = self._followed(name)
            covered = frozenset[str]().union(*(one.names for one in others))
            for one in others:
                known.add(one)
            for member in sorted(known.names - covered):
                self._add(member, known)
            self._sums[name] = known
        return known

    def _followed(self, name: str) -> tuple[list[Sum], Sum]:
        """Follow the hops from somebody; as far as what is known of others."""
        edges = self._radius.graph.pivots
        seen, waiting, others = {name}, [name], list[Sum]()
        covered: set[str] = set()
        while waiting:
            node = waiting.pop()
            if node in covered:
                continue
            known = self._sums.get(node)
            if known is not None:
                others.append(known)
                covered |= known.names
                continue
            fresh = {target for target, _ in edges.targets(node)} - seen
            seen |= fresh
            waiting.extend(fresh)
        return others, Sum(frozenset(seen | covered), self._words)

    def _add(self, name: str, found: Sum) -> None:
        """Add what one holds by itself."""
        identity = self._radius.identities.get(name)
        if identity is None:
            return
        fewer = self._radius.outdone.get(name)
        if fewer is None or fewer.by in found.names:
            found.hold(together(self._pieces.get(name, ())))
            found.match(self._unlisted[name])
            return
        engine, scope = self._engines[identity.principal.provider], identity.principal.scope
        found.hold(together(Accesses([Held(identity.path, granted(engine, name))]).pieces))
        found.match(engine.unlisted(engine.permissions(name), scope))


class Opening:
    """What those reach as whom somebody may act, whether or not they are reached."""

    def __init__(self, radius: BlastRadius, engines: Mapping[str, Engine]) -> None:
        self._engines = engines
        # A release makes hops of its own, to what its tools run as: nobody else takes these.
        self._known = [] if radius.graph.tools else [Within(radius, engines)]

    def of(self, name: str) -> tuple[Sum, list[str]]:
        """Give what somebody reaches, and which scopes it takes over."""
        found = next((one for one in self._known if one.knows(name)), None)
        if found is None:
            found = Within(reach([name], self._engines), self._engines)
            self._known.append(found)
        whole = found.of(name)
        return whole, found.takeovers(whole)
