"""`modelreach diff`: two releases of a model in, the difference of their blast radius out."""

from __future__ import annotations

import shlex
from typing import Any

import click

from modelreach.cli.options import (
    compared,
    config_option,
    deployment_option,
    estate_options,
    gate_of,
    gate_options,
    now_option,
    output_options,
    policy_option,
    releases_of,
    state_options,
    terminal_options,
    waivers_option,
)
from modelreach.cli.plain import Command, option

EXAMPLES = """\b
Examples:
  modelreach diff v1.yaml v2.yaml --snapshot estate.snap
  modelreach diff v1.yaml v2.yaml --old-snapshot mon.snap --new-snapshot tue.snap --format json
  modelreach diff v1.yaml v2.yaml --snapshot estate.snap -o review.html -o diff.json
  modelreach diff approved v2.yaml --state state            (in the estate that was approved)
"""


@click.command("diff", cls=Command, epilog=EXAMPLES)
@click.argument("old")
@click.argument("new")
@estate_options
@state_options
@deployment_option
@option("--gate", "whole", is_flag=True, help="Ask the whole gate, as `decide` does.")
@policy_option
@waivers_option
@now_option
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
    state: str | None,
    blobs: str | None,
    deployment: str | None,
    config: str | None,
    outputs: tuple[str, ...],
    form: str | None,
    color: str,
    ascii_only: bool,
    show_all: bool,
    whole: bool,
    policy: str | None,
    waivers: str | None,
    now: str | None,
    **gate: Any,
) -> None:
    """Show what the release NEW reaches on top of OLD, and why.

    OLD and NEW are deployment manifests. With one snapshot both are evaluated in the same estate,
    which isolates the release; with two, both may have changed. With --state, they may also be
    `approved`, `last`, NAME@VERSION or the id of an audit, which bring their estate with them.
    """
    from modelreach.cli.config import load
    from modelreach.cli.gating import gated
    from modelreach.cli.rendering import emit
    from modelreach.report import ranked_findings

    settings = load(config)
    estates = (snapshot, old_snapshot, new_snapshot)
    releases = releases_of(state, blobs, deployment, settings)
    if whole or policy is not None:
        asked: dict[str, Any] = {"policy": policy, "waivers": waivers, "now": now, **gate}
        report = gated(old, new, *estates, settings, releases=releases, **asked).report
    else:
        options = gate_of(settings, **gate)
        more: dict[str, Any] = {"waivers": waivers, "now": now, "releases": releases}
        report = compared(old, new, *estates, settings, options, **more)
    again = following(old, new, snapshot, old_snapshot, new_snapshot)
    if state is not None:
        again += f" --state {shlex.quote(state)}"
    commands = [f"modelreach report {again} -o review.html"]
    if report.findings and state is None:
        commands.insert(0, f"modelreach explain {ranked_findings(report)[0].id} {again}")
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
    for name, value in (
        ("--snapshot", snapshot),
        ("--old-snapshot", old_snapshot),
        ("--new-snapshot", new_snapshot),
    ):
        if value is not None:
            words += [name, value]
    return shlex.join(words)
