"""The providers that there are: their tables as one, and their engines for a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from importlib import import_module

from modelreach.model import Sensitivity
from modelreach.policy.engine import Engine
from modelreach.policy.provider import Context, Opens, Provider
from modelreach.snapshot import Facts, Snapshot, facts_of

#: Each has a package of its name beside this module.
NAMES = ("aws", "azure", "gcp", "github", "gitlab", "kubernetes")


@lru_cache(maxsize=1)
def providers() -> dict[str, Provider]:
    """Give every provider by name."""
    modules = {name: import_module(f"modelreach.policy.{name}.provider") for name in NAMES}
    return {name: module.PROVIDER for name, module in modules.items()}


def engines(facts: Facts, context: Context = (), opens: Opens = ()) -> dict[str, Engine]:
    """Give an engine for each provider that the snapshot has facts of."""
    return {name: make() for name, make in makers(facts, context, opens).items()}


def makers(
    facts: Facts, context: Context = (), opens: Opens = ()
) -> dict[str, Callable[[], Engine]]:
    """Give what makes the engine of each provider that the snapshot has facts of, or that has no
    facts anywhere."""
    present = {variety.provider for variety in facts.varieties}
    return {
        name: partial(provider.engine, facts, context, opens)
        for name, provider in providers().items()
        if name in present or provider.owns is not None
    }


def declared_only(principal: str) -> tuple[str, ...]:
    """Give the providers whose id this is, and of which no snapshot has facts."""
    return tuple(p.name for p in providers().values() if p.owns is not None and p.owns(principal))


def cloud_of(principal: str, snapshot: Snapshot) -> str:
    """Give the provider that a bare id is of: that which lists it, else the only one there is."""
    facts = facts_of(snapshot)
    found = (facts.principals.get(principal), facts.runtimes.get(principal))
    listed = {fact.provider for fact in found if fact is not None}
    present = {scope.provider for scope in snapshot.scopes}
    known = listed or set(declared_only(principal)) or present
    return next(iter(known)) if len(known) == 1 else "aws"


@lru_cache(maxsize=1)
def _classes() -> dict[str, str]:
    return {kind: name for p in providers().values() for kind, name in p.classes.items()}


def resource_class(kind: str) -> str:
    """Give the class in which a board reads a kind of resource; `other` when it has none."""
    return _classes().get(kind, "other")


@lru_cache(maxsize=1)
def sensitive_kinds() -> dict[str, tuple[Sensitivity, str]]:
    """Give the kinds of resource that are sensitive whatever they hold, and why."""
    return {kind: rated for p in providers().values() for kind, rated in p.sensitive.items()}


@lru_cache(maxsize=1)
def model_kinds() -> dict[str, tuple[str, str]]:
    """Give the kinds of runtime that serve models, with the manifest's provider and a name."""
    return {kind: said for p in providers().values() for kind, said in p.models.items()}


def qualified(provider: str, principal: str, cluster: str) -> str:
    """Give the id of a principal that a manifest names, with the cluster that it says."""
    known = providers().get(provider)
    return known.qualified(principal, cluster) if known is not None else principal


def identity_kind(provider: str, kind: str) -> str:
    """Give the resource kind of a principal: `iam:role`."""
    known = providers().get(provider)
    return f"{known.identities if known else provider}:{kind}"
