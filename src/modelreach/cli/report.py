"""`modelreach report`: a comparison (or a radius) in any number of formats."""

from __future__ import annotations

import click

from modelreach.cli.options import (
    compared,
    config_option,
    deployment_option,
    estate_options,
    gate_of,
    releases_of,
    state_options,
)
from modelreach.model import InputError

EXAMPLES = """\b
Examples:
  modelreach report v1.yaml v2.yaml --snapshot estate.snap -o review.html -o graph.svg
  modelreach report diff.json -o review.html -o review.pdf  (from a saved diff or radius)
"""


@click.command("report", epilog=EXAMPLES)
@click.argument("old")
@click.argument("new", required=False)
@estate_options
@state_options
@deployment_option
@config_option
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    required=True,
    metavar="FILE",
    help="Format by the name, or FORMAT:FILE; may be repeated.",
)
def command(
    old: str,
    new: str | None,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    state: str | None,
    blobs: str | None,
    deployment: str | None,
    config: str | None,
    outputs: tuple[str, ...],
) -> None:
    """Write the difference of two releases, or a saved report, as files. Always exits 0.

    OLD and NEW are manifests, or audits as in `diff`; with OLD alone it is a saved diff or radius.
    """
    from modelreach.cli.config import load
    from modelreach.cli.files import read_report, write_all
    from modelreach.cli.rendering import rendered

    if new is None:
        if snapshot or old_snapshot or new_snapshot:
            raise InputError(
                "a second manifest is missing", hint="modelreach report OLD NEW --snapshot FILE"
            )
        write_all(rendered(read_report(old), outputs))
        return
    settings = load(config)
    gate = gate_of(settings, None, False, False, False)
    releases = releases_of(state, blobs, deployment, settings)
    estates = (snapshot, old_snapshot, new_snapshot)
    found = compared(old, new, *estates, settings, gate, releases=releases)
    write_all(rendered(found, outputs))
