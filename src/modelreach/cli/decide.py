"""`modelreach decide`: the whole gate over an update, its reasons, and a record of it."""

from __future__ import annotations

from typing import Any

import click

from modelreach.cli.options import (
    config_option,
    estate_options,
    gate_options,
    now_option,
    output_options,
    policy_option,
    stacked,
    terminal_options,
    waivers_option,
)

EXAMPLES = """\b
Examples:
  modelreach decide v1.yaml v2.yaml --snapshot estate.snap
  modelreach decide v1.yaml v2.yaml --snapshot estate.snap --policy strict -o comment.md
  modelreach decide v1.yaml v2.yaml --snapshot estate.snap --record decision.json --key key.pem
"""

record_options = stacked(
    click.option("--record", metavar="FILE", help="Write the decision as an in-toto statement."),
    click.option("--key", metavar="FILE", help="Sign it with this ed25519 key (PEM)."),
    click.option(
        "--input", "policy_input", metavar="FILE", help="Write what the policy was given (JSON)."
    ),
)


@click.command("decide", epilog=EXAMPLES)
@click.argument("old")
@click.argument("new")
@estate_options
@policy_option
@waivers_option
@now_option
@gate_options
@record_options
@output_options
@terminal_options
@config_option
def command(
    old: str,
    new: str,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
    config: str | None,
    record: str | None,
    key: str | None,
    policy_input: str | None,
    outputs: tuple[str, ...],
    form: str | None,
    color: str,
    ascii_only: bool,
    show_all: bool,
    **asked: Any,
) -> None:
    """Decide whether the update from OLD to NEW may be adopted, and say why.

    Classifies the update, settles what it demands against the evidence that the manifests name,
    applies waivers and policy, and exits as the gate says.
    """
    from modelreach.cli.config import load
    from modelreach.cli.diff import following
    from modelreach.cli.files import write_all
    from modelreach.cli.gating import gated, written
    from modelreach.cli.rendering import drawn, rendered, terminal
    from modelreach.plugins import terminal as terminal_form

    found = gated(old, new, snapshot, old_snapshot, new_snapshot, load(config), **asked)
    files = written(found, record=record, key=key, policy_input=policy_input)
    again = following(old, new, snapshot, old_snapshot, new_snapshot)
    if form is None or form == "text":
        look = terminal(color=color, ascii_only=ascii_only)
        shown = terminal_form("gate")(
            found.report,
            **look,
            show_all=show_all,
            next_commands=[f"modelreach ticket {again} -o ticket.md"],
        )
    else:
        shown = drawn(found.report, form, "-")["-"]
    write_all({"-": shown, **rendered(found.report, outputs), **files})
    raise click.exceptions.Exit(found.report.gate.exit_code)
