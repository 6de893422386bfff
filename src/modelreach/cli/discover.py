"""`modelreach discover`: the model deployments that a snapshot shows, and a draft for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import click

from modelreach.model import InputError


@click.command("discover", epilog="Example: modelreach discover --snapshot estate.snap -o drafts")
@click.option("--snapshot", required=True, metavar="FILE", help="The estate.")
@click.option(
    "-o", "--output", metavar="DIR", help="Write each draft there; default: standard output."
)
@click.option("--list", "only_list", is_flag=True, help="Only list what is found.")
def command(snapshot: str, output: str | None, only_list: bool) -> None:
    """List the model deployments in a snapshot, and draft a manifest for each.

    What only a person can know is marked `# unknown` in the drafts.
    """
    from modelreach.cli.files import read_snapshot, write_all
    from modelreach.cli.terminal import visible
    from modelreach.cli.unknown import tell_undecided
    from modelreach.pipeline.discover import discover
    from modelreach.policy.providers import model_kinds
    from modelreach.snapshot import Facts

    estate, source = read_snapshot(snapshot)
    tell_undecided(estate, source.name)
    found = discover(Facts(estate))
    if not found:
        known = "; ".join(sorted({name for _, name in model_kinds().values()}))
        raise InputError(
            "no model deployment is in this snapshot",
            place=source.name,
            hint=f"known are {known}",
        )
    called = {one.id: one.name for one in estate.principals}
    names: dict[str, int] = {}
    drafts: dict[str, bytes] = {}
    for one in found:
        runtime = one.runtime
        runs_as = ", ".join(_told(id_, called) for id_ in runtime.identities) or "unknown"
        click.echo(
            visible(f"{runtime.name or runtime.id}  {one.what}  {runtime.scope}  as {runs_as}"),
            err=not only_list,
        )
        drafts[_file_name(runtime.name or runtime.id, names)] = one.draft.encode()
    if only_list:
        return
    if output is None:
        write_all({"-": b"---\n".join(drafts.values())})
        return
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    write_all({str(folder / name): draft for name, draft in drafts.items()})


def _told(identity: str, called: Mapping[str, str]) -> str:
    """Give an identity, and its name where the id does not say it."""
    name = called.get(identity, "")
    return f"{name} ({identity})" if name and name not in identity else identity


def _file_name(name: str, taken: dict[str, int]) -> str:
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "deployment"
    taken[base] = taken.get(base, 0) + 1
    return f"{base}.yaml" if taken[base] == 1 else f"{base}-{taken[base]}.yaml"
