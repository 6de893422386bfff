"""The model deployments that an estate shows, and a manifest drafted for each.

A draft says what is known, with where it is from, and marks with `# unknown` what only a person
can fill in. Nothing that is not known is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from modelreach.policy.providers import model_kinds
from modelreach.snapshot import Facts, Link, Runtime


@dataclass(frozen=True, slots=True)
class Found:
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
        Found(runtime, kinds[runtime.kind][1], draft(_with_what_answers(runtime, facts)))
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


def draft(runtime: Runtime) -> str:
    """Give the draft of a manifest (YAML) for a runtime."""
    provider, what = model_kinds().get(runtime.kind, ("self-hosted", runtime.kind))
    model = runtime.attributes.get("model", "")
    tools = [link for link in runtime.links if link.kind == "invokes"]
    sources = [link for link in runtime.links if link.kind == "reads"]
    guards = [link for link in runtime.links if link.kind == "guarded-by"]
    lines = [
        f"# Drafted from the snapshot: {what} {quoted(runtime.id)}.",
        "# What is marked `unknown` has to be filled in by a person, or left out.",
        "apiVersion: modelreach/v1",
        "kind: ModelDeployment",
        "metadata:",
        f"  name: {quoted(runtime.name or runtime.id.rsplit('/', 1)[-1])}",
        f"  version: {quoted(runtime.version or 'unversioned')}" + _mark(not runtime.version),
        '  owner: {team: "unknown"}  # unknown',
        "spec:",
        "  model:",
        f"    provider: {quoted(provider)}",
        f"    id: {quoted(str(model) or 'unknown')}" + _mark(not model),
        "  identities:",
        f"    - {{id: runtime, cloud: {runtime.provider}, principal: {quoted(runtime.id)}}}",
        *(f"    # runs as {quoted(identity)}" for identity in runtime.identities),
    ]
    lines += _tool_lines(tools)
    lines += _source_lines(sources)
    lines += _guardrail_lines(guards)
    lines += [
        "  # unknown: needs (least privilege, per identity), autonomy, downstream, exposure,",
        "  # observability, rollback: see the manifest reference",
    ]
    return "\n".join(lines) + "\n"


def _tool_lines(links: list[Link]) -> list[str]:
    lines = ["  tools:"] if links else []
    for number, link in enumerate(links, start=1):
        name = link.target.rsplit(":", 1)[-1].rsplit("/", 1)[-1] or f"tool-{number}"
        lines.append(
            f"    - {{id: {quoted(name)}, kind: function, target: {quoted(link.target)}, "
            "runsAs: runtime}  # unknown: effect, approval, inputTrust"
        )
    return lines


def _source_lines(links: list[Link]) -> list[str]:
    lines = ["  dataSources:"] if links else []
    for link in links:
        name = link.target.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
        lines.append(
            f"    - {{id: {quoted(name)}, resource: {quoted(link.target)}, access: read}}"
            "  # unknown: classification"
        )
    return lines


def _guardrail_lines(links: list[Link]) -> list[str]:
    lines = ["  guardrails:"] if links else ["  # unknown: guardrails (none is attached here)"]
    return lines + [f"    - {{id: guardrail, ref: {quoted(link.target)}}}" for link in links]


def _mark(unknown: bool) -> str:
    return "  # unknown" if unknown else ""


def quoted(text: str) -> str:
    """Give text as a YAML double-quoted scalar that shows every control character."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\U{ord(char):08x}"
