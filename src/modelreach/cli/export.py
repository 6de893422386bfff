"""`modelreach export`: a saved diff or radius, in another format, on standard output."""

from __future__ import annotations

import click

from modelreach.cli.plain import plugged_in


@click.command("export", epilog="Example: modelreach export diff.json --format dot > graph.dot")
@click.argument("report")
@click.option(
    "--format",
    "form",
    required=True,
    shell_complete=plugged_in("renderers"),
    help="One of the formats of `report`.",
)
@click.option("-o", "--output", default="-", metavar="FILE", help="Default: standard output.")
def command(report: str, form: str, output: str) -> None:
    """Turn a saved diff or radius into another format."""
    from modelreach.cli.files import read_report, write_all
    from modelreach.cli.rendering import drawn

    write_all(drawn(read_report(report), form, output))
