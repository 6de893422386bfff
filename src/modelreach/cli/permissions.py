"""`modelreach permissions`: the least privilege that `collect` needs, from its own call table."""

from __future__ import annotations

import json

import click


@click.command(
    "permissions",
    epilog="Example: modelreach permissions aws --missing estate.snap > add-these.json",
)
@click.argument("provider")
@click.option(
    "--missing",
    metavar="SNAPSHOT",
    help="Only what this snapshot's collection was refused.",
)
@click.option("--format", "form", type=click.Choice(["json", "list"]), default="json")
def command(provider: str, missing: str | None, form: str) -> None:
    """Print the least-privilege read policy of the collector, made from the table of its calls.

    Every action is written out, never `service:Get*`, so that nothing that returns a secret
    value slips in.
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
    click.echo(json.dumps(connector.policy(only), indent=2))
