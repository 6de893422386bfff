"""The model deployments that an estate shows, and a manifest drafted for each.

A draft says what is known, with where it is from, and marks with `# unknown` what only a person
can fill in. Nothing that is not known is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from modelreach.draft import Rank, Said, merged, written
from modelreach.draft.said import Source
from modelreach.policy.providers import model_kinds
from modelreach.snapshot import Facts, Link, Runtime


class Found(msgspec.Struct, frozen=True):
    """One deployment: the runtime that serves it, and the draft of its manifest."""

    runtime: Runtime
    what: str
    draft: str


def discover(facts: Facts) -> tuple[Found, ...]:
    """Give every deployment that the snapshot shows, by account and name.

    A version behind an alias is left out: the alias is what callers use, and says the version.
    """
    aliased = {link.target for runtime in facts.runtimes.values() for link in _routes(runtime)}
    kinds = model_kinds()
    found = [
        Found(runtime, kinds[runtime.kind][1], draft(_with_what_answers(runtime, facts), facts))
        for runtime in facts.runtimes.values()
        if runtime.kind in kinds and runtime.id not in aliased
    ]
    return tuple(sorted(found, key=lambda f: (f.runtime.scope, f.runtime.name, f.runtime.id)))


def _routes(runtime: Runtime) -> Iterator[Link]:
    yield from (link for link in runtime.links if link.kind == "routes-to")


def _with_what_answers(runtime: Runtime, facts: Facts) -> Runtime:
    """Give an alias or endpoint the links of the version behind it, whose tools it has."""
    behind = [
        facts.runtimes[link.target] for link in _routes(runtime) if link.target in facts.runtimes
    ]
    links = {*runtime.links, *(link for version in behind for link in version.links)}
    return replace(runtime, links=tuple(sorted(links, key=lambda link: (link.kind, link.target))))


def draft(runtime: Runtime, facts: Facts) -> str:
    """Give the draft of a manifest (YAML) for a runtime."""
    what = model_kinds().get(runtime.kind, ("self-hosted", runtime.kind))[1]
    source = Source(f"{what} {runtime.id}", "in the snapshot")
    return written(merged([(source, _said(runtime, facts))]), by="`modelreach discover`")


def _said(runtime: Runtime, facts: Facts) -> Iterator[Said]:
    provider = model_kinds().get(runtime.kind, ("self-hosted", ""))[0]
    name = runtime.name or runtime.id.rsplit("/", 1)[-1]
    yield Said(("metadata", "name"), name)
    if runtime.version:
        yield Said(("metadata", "version"), runtime.version)
    yield Said(("spec", "model", "provider"), provider)
    if model := str(runtime.attributes.get("model", "")):
        yield Said(("spec", "model", "id"), model)
    runs_as = [_told(one, facts) for one in runtime.identities]
    note = f"runs as {', '.join(runs_as)}" if runs_as else ""
    yield Said(("spec", "identities", "runtime", "cloud"), runtime.provider)
    yield Said(("spec", "identities", "runtime", "principal"), runtime.id, name=note)
    yield from _of_links(runtime, facts)


def _of_links(runtime: Runtime, facts: Facts) -> Iterator[Said]:
    taken: set[tuple[str, str]] = set()
    for link in runtime.links:
        section = _SECTIONS.get(link.kind)
        if section is None:
            continue
        id_ = _fresh(section, _tail(link.target), taken)
        path = ("spec", section, id_)
        name = _name(link.target, facts)
        called = name if name not in link.target else ""
        if section == "tools":
            yield Said((*path, "kind"), "function")
            yield Said((*path, "target"), link.target, name=called)
            yield Said((*path, "runsAs"), "runtime", rank=Rank.INFERRED)
        elif section == "dataSources":
            yield Said((*path, "resource"), link.target, name=called)
            yield Said((*path, "access"), "read")
        else:
            yield Said((*path, "ref"), link.target, name=called)


_SECTIONS = {"invokes": "tools", "reads": "dataSources", "guarded-by": "guardrails"}


def _tail(target: str) -> str:
    return target.rsplit("/", 1)[-1].rsplit(":", 1)[-1] or "unnamed"


def _fresh(section: str, id_: str, taken: set[tuple[str, str]]) -> str:
    """Give an id that no other member of the section has."""
    found, number = id_, 2
    while (section, found) in taken:
        found, number = f"{id_}-{number}", number + 1
    taken.add((section, found))
    return found


def _name(id_: str, facts: Facts) -> str:
    """What a person calls the thing with this id; "" where no fact tells."""
    known = (facts.principals.get(id_), facts.runtimes.get(id_), facts.resources.get(id_))
    return next((fact.name for fact in known if fact is not None and fact.name), "")


def _told(id_: str, facts: Facts) -> str:
    """An id, and the name where the id does not say it."""
    name = _name(id_, facts)
    return f"{name} ({id_})" if name and name not in id_ else id_
