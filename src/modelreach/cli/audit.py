"""`modelreach audit`: what has become of what was approved? Made for cron, CI and CronJobs."""

from __future__ import annotations

from typing import Any

import click

from modelreach.cli.auditing import drawn, round_of, round_options
from modelreach.cli.options import now_option

EXAMPLES = """\b
Examples:
  modelreach audit agent.yaml --state state --provider aws
  modelreach audit agents/*.yaml --state postgresql://db/reach --blobs s3://reach/blobs \\
      --provider aws --provider gcp -o 'out/{name}.html'
  modelreach audit agent.yaml --state state --snapshot estate.snap --format json
"""


@click.command("audit", epilog=EXAMPLES)
@round_options
@now_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--all", "show_all", is_flag=True, help="Show every event.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def command(
    manifests: tuple[str, ...],
    now: str | None,
    form: str,
    show_all: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Audit the deployments of MANIFESTS: collect, compare, judge, keep, and tell what changed.

    Each is compared with what was approved, and with the last audit; every change is told once.
    What cannot be read today is unknown, and never an improvement. The same input again gives
    the same audit: a run that died is simply run again.
    """
    import msgspec

    from modelreach.cli.files import write_all
    from modelreach.cli.gating import Moment
    from modelreach.cli.terminal import visible

    report, outcomes = round_of(manifests, quiet=quiet, **given).run(Moment(now).text)
    if form == "json":
        write_all({"-": msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"})
    else:
        for line in drawn(report, outcomes, show_all=show_all, state=given.get("state")):
            click.echo(visible(line))
    raise click.exceptions.Exit(report.exit_code)
