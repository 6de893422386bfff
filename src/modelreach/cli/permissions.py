"""`modelreach permissions`: the least privilege that `collect` needs, from its own call table."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from modelreach.cli.plain import plugged_in
from modelreach.model import InputError


@click.command(
    "permissions",
    epilog="Example: modelreach permissions aws --missing estate.snap > add-these.json",
)
@click.argument("provider", shell_complete=plugged_in("connectors"))
@click.option(
    "--missing",
    metavar="SNAPSHOT",
    help="Only what this snapshot's collection was refused.",
)
@click.option(
    "--part",
    type=click.IntRange(min=1),
    metavar="N",
    help="The Nth of the documents, where the provider needs several.",
)
@click.option("--format", "form", type=click.Choice(["json", "list"]), default="json")
def command(provider: str, missing: str | None, part: int | None, form: str) -> None:
    """Print the least-privilege read policy of the collector, made from the table of its calls.

    Every action is written out, never `service:Get*`, so that nothing that returns a secret
    value slips in. What a provider does not take in one document is printed in parts.
    """
    from modelreach import plugins
    from modelreach.cli.files import read_snapshot

    connector = plugins.connector(provider)
    only: list[str] | None = None
    if missing is not None:
        snapshot, _ = read_snapshot(missing)
        known = {call.permission for call in connector.calls()}
        only = sorted({g.permission for g in snapshot.gaps if g.reason == "denied"} & known)
        if not only:
            click.echo("nothing was refused: no permission is missing", err=True)
    if form == "list":
        wanted = only if only is not None else sorted({c.permission for c in connector.calls()})
        click.echo("\n".join(wanted))
        return
    documents = plugins.policies(connector, only)
    if part is None and len(documents) > 1:
        click.echo(
            f"more than one policy can hold: give --part 1 to --part {len(documents)} for "
            "documents that fit, and attach them all",
            err=True,
        )
    click.echo(json.dumps(_part(documents, part) or connector.policy(only), indent=2))


def _part(
    documents: tuple[Mapping[str, object], ...], part: int | None
) -> Mapping[str, object] | None:
    if part is None:
        return None
    if part > len(documents):
        raise InputError(
            f"there is no part {part}", hint=f"the policy has {len(documents)} in all"
        )
    return documents[part - 1]
