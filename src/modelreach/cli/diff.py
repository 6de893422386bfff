"""`modelreach diff`: two releases of a model in, the difference of their blast radius out."""

from __future__ import annotations

import shlex
from typing import Any

import click

from modelreach.cli.options import (
    compared,
    config_option,
    estate_options,
    gate_of,
    gate_options,
    output_options,
    terminal_options,
)

EXAMPLES = """\b
Examples:
  modelreach diff v1.yaml v2.yaml --snapshot estate.snap
  modelreach diff v1.yaml v2.yaml --old-snapshot mon.snap --new-snapshot tue.snap --format json
  modelreach diff v1.yaml v2.yaml --snapshot estate.snap -o review.html -o diff.json
"""


@click.command("diff", epilog=EXAMPLES)
@click.argument("old")
@click.argument("new")
@estate_options
@gate_options
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
    outputs: tuple[str, ...],
    form: str | None,
    color: str,
    ascii_only: bool,
    show_all: bool,
    **gate: Any,
) -> None:
    """Show what the release NEW reaches on top of OLD, and why.

    OLD and NEW are deployment manifests. With one snapshot both are evaluated in the same estate,
    which isolates the release; with two, both may have changed.
    """
    from modelreach.cli.config import load
    from modelreach.cli.rendering import emit

    settings = load(config)
    report = compared(
        old, new, snapshot, old_snapshot, new_snapshot, settings, gate_of(settings, **gate)
    )
    again = following(old, new, snapshot, old_snapshot, new_snapshot)
    commands = [f"modelreach report {again} -o review.html"]
    if report.findings:
        commands.insert(0, f"modelreach explain {report.findings[0].id} {again}")
    emit(
        report,
        outputs,
        form,
        color=color,
        ascii_only=ascii_only,
        show_all=show_all,
        following=commands,
    )
    raise click.exceptions.Exit(report.gate.exit_code)


def following(
    old: str,
    new: str,
    snapshot: str | None,
    old_snapshot: str | None,
    new_snapshot: str | None,
) -> str:
    """Give the arguments that name the same comparison again, quoted for a shell."""
    words = [old, new]
    for option, value in (
        ("--snapshot", snapshot),
        ("--old-snapshot", old_snapshot),
        ("--new-snapshot", new_snapshot),
    ):
        if value is not None:
            words += [option, value]
    return shlex.join(words)
