"""Everything reachable from the identities of one deployment, each with its shortest witness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from modelreach.accesses import Access, Accesses, Held, Patterns, Unlisted, verdict_of
from modelreach.graph import AccessGraph, Briefly, Path, Tool, explore
from modelreach.outdone import Outdone, beyond, outdone
from modelreach.policy.brief import outlining
from modelreach.policy.engine import Engine, Pivot
from modelreach.policy.lots import granted
from modelreach.policy.permissions import PermissionSet
from modelreach.snapshot import Principal

__all__ = [
    "Access",
    "BlastRadius",
    "Identity",
    "Owner",
    "Takeover",
    "reach",
    "verdict_of",
]


class Identity(msgspec.Struct, frozen=True):
    """One identity that is reached, and the witness of how."""

    principal: Principal
    path: Path

    @property
    def start(self) -> bool:
        """Is it one that the deployment runs as?"""
        return not self.path.pivots


class Takeover(msgspec.Struct, frozen=True):
    """A scope that can be taken over whole; `kind` is the scope's. The last pivot of `path` is
    the taking over."""

    scope: str
    provider: str
    kind: str
    path: Path


class BlastRadius(msgspec.Struct, frozen=True):
    """What one deployment reaches in one estate.

    `accesses` are grants on listed resources, `patterns` those on what is not listed; `held` is
    what each identity's policies let it do, symbolically.
    `unresolved` are identities of the deployment whose facts were not read.
    Of the identities that are `outdone` the three are without what somebody has, as surely, whom
    the way to them goes by (see `modelreach.outdone`); how many patterns each of them holds is
    told there.
    """

    graph: AccessGraph
    identities: dict[str, Identity]
    takeovers: dict[str, Takeover]
    accesses: Accesses
    patterns: Patterns
    held: dict[str, PermissionSet]
    unresolved: tuple[str, ...] = ()
    outdone: dict[str, Outdone] = {}


def reach(
    starts: Iterable[str],
    engines: Mapping[str, Engine],
    *,
    wired: Iterable[Pivot] = (),
    unresolved: tuple[str, ...] = (),
    tools: tuple[Tool, ...] = (),
    whole: bool = False,
    let_go: Callable[[], None] = lambda: None,
) -> BlastRadius:
    """Follow the starts through every provider's engine.

    `engines` maps provider name to engine; a start that no engine knows is left out (the caller
    says so in `unresolved`). `wired` are hops that the deployment itself makes, to what its tools
    run as; `tools` are those tools, from which ways begin. `whole`: nobody is taken as outdone.
    `let_go` lets go of what was read to decide; where many are reached, that is done scope by
    scope.
    """
    owner = Owner(engines, wired, let_go)
    explored = explore([s for s in starts if owner.of(s)], owner.pivots, owner.briefly)
    graph = replace(explored, tools=tools)
    identities = _identities(graph, owner)
    takeovers = {
        node: _takeover(node, path, owner)
        for node, path in sorted(graph.paths.items())
        if path.pivots and path.pivots[-1].kind == "administer"
    }
    by = {} if whole else outdone(graph, owner.of)
    held: dict[str, PermissionSet] = {}
    listed: list[Held] = []
    patterns: list[Unlisted] = []
    fewer: dict[str, Outdone] = {}
    taken, place = frozenset(takeovers), ""
    for name, identity in identities.items():
        engine, scope = owner.engine(name), identity.principal.scope
        if graph.wide and scope != place:
            let_go()
        place = scope
        if name in by:
            grants, unlisted, left = beyond(engine, identity.principal, name, graph, taken)
            fewer[name] = Outdone(by[name], left)
        else:
            held[name] = engine.permissions(name)
            grants, unlisted = granted(engine, name), engine.unlisted(held[name], scope)
        listed.append(Held(identity.path, grants))
        patterns.append(Unlisted(name, identity.path, unlisted))
    return BlastRadius(
        graph,
        identities,
        takeovers,
        Accesses(listed),
        Patterns(patterns),
        held,
        unresolved,
        fewer,
    )


#: What was read of so many scopes is held while ways are followed.
_SCOPES = 256


class Owner:
    """Which engine answers for an identity. Each id is looked up once."""

    def __init__(
        self,
        engines: Mapping[str, Engine],
        wired: Iterable[Pivot] = (),
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        self._engines, self._let_go = engines, let_go
        self._scopes: set[str] = set()
        self._wired: dict[str, list[Pivot]] = {}
        for pivot in wired:
            self._wired.setdefault(pivot.source, []).append(pivot)
        self._known: dict[str, tuple[Engine, Principal] | None] = {}

    def of(self, name: str) -> tuple[Engine, Principal] | None:
        """Give the engine that knows an identity, and the fact; None when none does."""
        if name not in self._known:
            self._known[name] = next(
                (
                    (engine, principal)
                    for _, engine in sorted(self._engines.items())
                    if (principal := engine.principal(name)) is not None
                ),
                None,
            )
        return self._known[name]

    def engine(self, name: str) -> Engine:
        """Give the engine that knows an identity. Raises KeyError."""
        found = self.of(name)
        if found is None:
            raise KeyError(name)
        return found[0]

    def pivots(self, name: str) -> Iterable[Pivot]:
        """Give every hop from an identity: its engine's, to other providers, and those wired."""
        found = self.of(name)
        own = found[0].pivots(name) if found else ()
        return (*own, *self.elsewhere(name))

    def briefly(self, name: str) -> Briefly | None:
        """Give every hop from an identity in brief; None where its engine does not."""
        found = self.of(name)
        outlined = outlining(found[0]) if found else None
        if outlined is None or found is None:
            return None
        scope = found[1].scope
        self._come_to(scope)
        others = self.elsewhere(name)

        def towards(targets: frozenset[str]) -> tuple[Pivot, ...]:
            self._come_to(scope)
            return (*outlined.towards(name, targets), *others)

        return Briefly(
            outlined.outline(name), others, lambda: outlined.administration(name), towards
        )

    def _come_to(self, scope: str) -> None:
        """Let go of what was read of others where that is of many: those who are as far away come
        scope by scope."""
        if scope not in self._scopes and len(self._scopes) >= _SCOPES:
            self._let_go()
            self._scopes.clear()
        self._scopes.add(scope)

    def elsewhere(self, name: str) -> tuple[Pivot, ...]:
        """Give the hops that its own engine does not tell: to other providers, and those wired."""
        return (*self._federated(name), *self._wired.get(name, ()))

    def _federated(self, name: str) -> Iterator[Pivot]:
        """Hops by a token that one provider gives and another lets in: both halves, or none."""
        found = self.of(name)
        for token in found[0].tokens(name) if found else ():
            for _, engine in sorted(self._engines.items()):
                yield from engine.admits(token, name)


def _identities(graph: AccessGraph, owner: Owner) -> dict[str, Identity]:
    return {
        node: Identity(found[1], path)
        for node, path in sorted(graph.paths.items())
        if (found := owner.of(node)) is not None
    }


def _takeover(scope: str, path: Path, owner: Owner) -> Takeover:
    engine = owner.engine(path.pivots[-1].source)
    return Takeover(scope, engine.provider, engine.scope_kind(scope), path)
