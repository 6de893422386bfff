"""`modelreach manifest import`: a manifest drafted from the files that a team has already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import click

from modelreach.model import InputError

if TYPE_CHECKING:
    from modelreach.draft.merge import Draft
    from modelreach.draft.said import Said, Secret, Source
    from modelreach.plugins import ManifestImporter

EXAMPLES = """\b
Examples:
  modelreach manifest import .mcp.json agent.cfn.yaml -o draft.yaml
  modelreach manifest import .mcp.json bigquery.tools.json --onto release.yaml -o draft.yaml
  modelreach manifest import agent.json --tool partner-card.json
"""


@click.group("manifest", epilog=EXAMPLES)
def command() -> None:
    """Draft a deployment manifest from the files that you have."""


@command.command(
    "import", epilog=EXAMPLES, short_help="Draft a manifest from the files of agents and tools."
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--tool",
    "tools",
    multiple=True,
    metavar="FILE",
    help="A file about another agent that the release uses; may be repeated.",
)
@click.option("--onto", metavar="FILE", help="A manifest; what it declares counts most.")
@click.option("-o", "--output", metavar="FILE", help="Write the draft there [standard output].")
def import_(
    files: tuple[str, ...], tools: tuple[str, ...], onto: str | None, output: str | None
) -> None:
    """Draft a manifest from MCP configurations, answers to tools/list, A2A agent cards, Bedrock
    agents (CloudFormation, API, Terraform), AgentCore, Azure ML, Kubernetes and KServe, LangGraph,
    and CycloneDX.

    What is declared counts before what is imported, and that before what is inferred; of two
    files, the first. Each value keeps its source. What a person has to fill in is marked
    `# unknown`. Secrets are told by name, and never copied.
    """
    from modelreach import plugins
    from modelreach.cli.files import write_all
    from modelreach.deployment import decode
    from modelreach.draft import merged, written

    sources = [*_declared(onto)]
    known = plugins.manifest_importers()
    sources += [one for file in files for one in _imported(file, "release", known)]
    sources += [one for file in tools for one in _imported(file, "tool", known)]
    draft = merged(sources)
    raw = written(draft, by="`modelreach manifest import`").encode()
    decode(raw, place=output or "the draft")
    write_all({output or "-": raw})
    _tell(draft, output)


_Words = tuple["Source", "tuple[Said | Secret, ...]"]


def _declared(onto: str | None) -> Iterator[_Words]:
    from modelreach.cli.files import read
    from modelreach.draft.declared import declared
    from modelreach.draft.said import Source

    if onto is not None:
        source = read(onto)
        yield Source(source.name, "manifest"), tuple(declared(source.raw, source.name))


def _imported(
    path: str, about: Literal["release", "tool"], known: tuple[ManifestImporter, ...]
) -> Iterator[_Words]:
    """Read a file by every importer that recognises it."""
    from modelreach.cli.files import read
    from modelreach.draft.files import parsed
    from modelreach.draft.said import Source

    source = read(path)
    file = parsed(source.name, source.raw, about)
    readers = [reader for reader in known if reader.recognises(file)]
    if not readers:
        told = "; ".join(sorted({reader.what for reader in known}))
        raise InputError(
            "nothing in this file tells of a release", place=source.name, hint=f"known are: {told}"
        )
    for reader in readers:
        yield Source(source.name, reader.what), tuple(reader.read(file))


def _tell(draft: Draft, output: str | None) -> None:
    """Say what is in the draft, and what is not."""
    from modelreach.cli.terminal import visible
    from modelreach.draft.said import Rank

    for secret, number in draft.secrets:
        name = draft.sources[number - 1].name
        click.echo(visible(f"secret, not copied: {name}: {secret.at}"), err=True)
    open_ = sum(
        kept.said.rank is Rank.UNKNOWN or bool(kept.said.unknown) for kept in draft.values.values()
    )
    tools = {path[2] for path in draft.values if path[:2] == ("spec", "tools")}
    where = visible(output or "the draft")
    values = "1 value" if open_ == 1 else f"{open_} values"
    click.echo(f"{where}: tools: {len(tools)}; {values} to be filled in (`# unknown`)", err=True)
