"""`modelreach convert`: a snapshot in another form; what a store holds."""

from __future__ import annotations

from pathlib import Path

import click

from modelreach.model import InputError

_ENDINGS = (".snap", ".json", ".mrdb", ".parquet")

EXAMPLES = """\b
Examples:
  modelreach convert estate.snap -o estate.mrdb          (add it to a store)
  modelreach convert estate.mrdb@2026-11-23 -o day.snap  (one day of it, to pass on)
  modelreach convert estate.mrdb -o tables.parquet       (a folder of tables, for SQL)
  modelreach convert estate.mrdb                         (list what it holds)
  modelreach convert estate.mrdb --keep 30               (drop all but the last 30)
"""


@click.command("convert", epilog=EXAMPLES)
@click.argument("snapshot")
@click.option("-o", "--output", metavar="PATH", help="By its ending: .snap, .mrdb or .parquet.")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Keep the last N of a store.")
@click.option("-q", "--quiet", is_flag=True, help="Do not say what was written.")
def command(snapshot: str, output: str | None, keep: int | None, quiet: bool) -> None:
    """Write a snapshot in another form, or list and drop the snapshots of a store."""
    if output is None:
        _list(snapshot, keep)
    else:
        _write(snapshot, output, quiet)


def _write(snapshot: str, output: str, quiet: bool) -> None:
    from modelreach.cli.files import read_snapshot, write_snapshot
    from modelreach.store import whole_of

    if not output.endswith(_ENDINGS):
        raise InputError(
            f"the form of `{output}` cannot be told from its name",
            place="-o",
            hint="use one of " + ", ".join(_ENDINGS),
        )
    whole = whole_of(read_snapshot(snapshot)[0])
    if output.endswith(".parquet"):
        from modelreach.store.tables import write_tables

        write_tables(Path(output), whole)
    else:
        write_snapshot(output, whole)
    if not quiet:
        from modelreach.cli.terminal import in_numbers, visible

        click.echo(visible(f"{output}: {in_numbers(whole)}, of {whole.taken_at}"), err=True)


def _list(path: str, keep: int | None) -> None:
    from modelreach.cli.terminal import visible
    from modelreach.store import SUFFIX, Store

    if not path.endswith(SUFFIX):
        raise InputError(
            "say where to write it",
            place=path,
            hint=f"-o FILE.snap, -o FILE{SUFFIX} or -o FOLDER.parquet",
        )
    if keep:
        from modelreach.pipeline.carried import drop_all_but

        drop_all_but(Path(path), keep)
    store = Store(Path(path))
    for one in store.snapshots():
        click.echo(visible(f"{one.taken_at}  {one.digest}  {one.tool}"))
    store.close()
