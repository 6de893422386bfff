"""Keys that are a resource's and nobody's: which of them matter to a deployment.

They matter where somebody who is reached may list them, and where they call the deployment's own
model: either way around the identity that everything else is about.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelreach.accesses import Access, Piece, best
from modelreach.judge.finding import Case
from modelreach.policy.engine import Grant
from modelreach.policy.providers import providers
from modelreach.snapshot import Credential, Runtime


def keys_of_resources(case: Case) -> Iterator[tuple[Credential, Access | None]]:
    """Give the keys that work, each with how it can be listed; None for one that nobody reached
    may list. Of the keys of one resource that are alike the first stands for all."""
    # Whole estates are gone through below: not where no provider has such keys.
    present = {scope.provider for scope in case.facts.scopes.values()}
    if not any(provider.listing for name, provider in providers().items() if name in present):
        return
    listed = _listed(case)
    models = {name for runtime in _runtimes(case) for name in _above(runtime)}
    told: set[tuple[str, ...]] = set()
    for key in case.facts.snapshot.credentials:
        provider = providers().get(key.provider)
        known = provider is not None and key.kind in provider.listing
        if not known or not works(key) or key.principal not in case.facts.resources:
            continue
        access = listed.get((key.principal, key.kind))
        calls = provider is not None and key.kind in provider.model_keys
        alike = (key.principal, key.kind, key.created, key.expires, key.rotated, key.last_used)
        if (access is not None or (calls and key.principal in models)) and alike not in told:
            told.add(alike)
            yield key, access


def works(key: Credential) -> bool:
    """Does it open anything, as far as its status says?"""
    return key.status not in ("inactive", "disabled", "expired")


def _listed(case: Case) -> dict[tuple[str, str], Access]:
    """The best way to list the keys of a resource, by kind of key."""
    listing: dict[str, list[Piece]] = {}
    for piece in case.radius.accesses.pieces:
        for kind in _lists(piece.access.grant):
            listing.setdefault(kind, []).append(piece)
    return {
        (access.grant.resource, kind): access
        for kind, pieces in listing.items()
        for access in best(pieces, lambda access: (len(access.path.pivots),))
    }


def _lists(grant: Grant) -> Iterator[str]:
    """Give the kinds of keys that a grant lets list."""
    known = providers()[grant.provider].listing
    if known:
        actions = {action.lower() for action in grant.actions}
        yield from (kind for kind, listing in known.items() if listing & actions)


def _runtimes(case: Case) -> Iterator[Runtime]:
    """What the deployment runs on: what its manifest names, or what runs as what it names."""
    starts = {name for name, identity in case.radius.identities.items() if identity.start}
    named = {identity.principal.lower() for identity in case.deployment.spec.identities}
    for runtime in case.facts.runtimes.values():
        if runtime.id in named or starts.intersection(runtime.identities):
            yield runtime


def _above(runtime: Runtime) -> Iterator[str]:
    """The runtime, and what it is part of by its id."""
    yield runtime.id
    end = runtime.id.rfind("/")
    while end > 0:
        yield runtime.id[:end]
        end = runtime.id.rfind("/", 0, end)
