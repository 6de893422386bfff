"""`modelreach demo`: the built-in example, through the same program as everything else."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

from modelreach.cli.options import terminal_options

#: What the demo writes, in this order.
OUTPUTS = ("review.html", "graph.svg", "diff.json")


@click.command("demo", epilog="Example: modelreach demo --keep demo")
@click.option(
    "--keep",
    metavar="DIR",
    default="demo-output",
    show_default=True,
    help="Folder for the manifests, the snapshot and the report files.",
)
@click.option("--gate", is_flag=True, help="Exit as the gate says, instead of 0.")
@terminal_options
def command(keep: str, gate: bool, color: str, ascii_only: bool, show_all: bool) -> None:
    """Show what release 2.0.0 of a support agent reaches on top of 1.4.0; needs no cloud account.

    Copies two manifests and a snapshot into a folder and runs `diff` over them.
    """
    from modelreach.cli.config import Config
    from modelreach.cli.diff import following
    from modelreach.cli.files import write_all
    from modelreach.cli.options import compared
    from modelreach.cli.placing import make_folder
    from modelreach.cli.rendering import emit, rendered
    from modelreach.model import MissingExtra
    from modelreach.pipeline import GateOptions

    folder = Path(keep)
    make_folder(folder)
    data = files("modelreach.demo")
    for name in ("v1.yaml", "v2.yaml", "estate.snap.json"):
        write_all({str(folder / name): data.joinpath(name).read_bytes()})
    old, new, snapshot = (str(folder / n) for n in ("v1.yaml", "v2.yaml", "estate.snap.json"))
    report = compared(old, new, snapshot, None, None, Config(version=1), GateOptions())
    written: list[str] = []
    for name in OUTPUTS:
        try:
            write_all(rendered(report, [str(folder / name)]))
            written.append(str(folder / name))
        except MissingExtra as error:
            click.echo(f"left out {name}: {error.message} ({error.hint})", err=True)
    again = following(old, new, snapshot, None, None)
    emit(
        report,
        (),
        None,
        color=color,
        ascii_only=ascii_only,
        show_all=show_all,
        following=[f"modelreach explain F01 {again}"],
        gated=gate,
    )
    click.echo(f"\nWritten: {', '.join(written)}")
    raise click.exceptions.Exit(report.gate.exit_code if gate else 0)
