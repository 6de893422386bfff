"""`modelreach ticket`: the change ticket of an update, as Markdown or JSON."""

from __future__ import annotations

from typing import Any

import click

from modelreach.cli.options import (
    config_option,
    estate_options,
    now_option,
    policy_option,
    waivers_option,
)

EXAMPLES = """\b
Examples:
  modelreach ticket v1.yaml v2.yaml --snapshot estate.snap
  modelreach ticket v1.yaml v2.yaml --snapshot estate.snap -o ticket.md -o ticket.json
"""


@click.command("ticket", epilog=EXAMPLES)
@click.argument("old")
@click.argument("new")
@estate_options
@policy_option
@waivers_option
@now_option
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="A file that ends in .md or .json; may be repeated [standard output].",
)
@config_option
def command(
    old: str,
    new: str,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    config: str | None,
    outputs: tuple[str, ...],
    **asked: Any,
) -> None:
    """Write the change ticket of the update from OLD to NEW. Always exits 0.

    It says what changes, what the release reaches now, who has to do what before it is adopted,
    and how to undo it, with commands.
    """
    from modelreach.cli.config import load
    from modelreach.cli.diff import following
    from modelreach.cli.files import write_all
    from modelreach.cli.gating import gated
    from modelreach.pipeline.ticket import ticket
    from modelreach.plugins import ticket_form

    found = gated(old, new, snapshot, old_snapshot, new_snapshot, load(config), **asked)
    again = following(old, new, snapshot, old_snapshot, new_snapshot)
    made = ticket(
        found.report,
        found.new.deployment,
        made_at=found.now,
        check=f"modelreach diff {again}",
    )
    write_all(
        {name: ticket_form(_form(name))(made) for name in outputs}
        or {"-": ticket_form("md")(made)}
    )


def _form(name: str) -> str:
    from modelreach.model import InputError

    ending = name.rpartition(".")[2].lower()
    if ending in ("md", "markdown"):
        return "md"
    if ending == "json":
        return "json"
    raise InputError(
        f"the form of `{name}` cannot be told from its name", place="-o", hint="use .md or .json"
    )
